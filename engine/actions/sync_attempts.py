"""What template and service syncs have in common: one look at one thing, remembered so that nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.actions.changes import Consent
from engine.actions.desk import Desk
from engine.core.asked import Asked
from engine.core.syncs import Finding, Kind, Outcome, Status
from engine.errors import Invalid, LandformError
from engine.external.scratch import scratch

if TYPE_CHECKING:
    from engine.catalog.outside_tables import Sync, SyncAttempt
    from engine.catalog.tx import Tx
    from engine.external.git import Repository, Revision


@dataclass(frozen=True)
class Follower:
    """Whoever follows branches."""

    desk: Desk
    open: Callable[[str], Repository]
    scratch: Path
    """Where folders are made for what is checked out; they are gone afterwards."""
    consent: Consent = field(default_factory=Consent)
    """Of the runs that come of it."""
    retry: bool = False
    """Whether what failed is tried again although it has not changed."""


@dataclass(frozen=True)
class Target:
    """One thing that a sync takes over, in one commit."""

    sync: Sync
    name: str
    """Major version or instance."""
    commit: str

    def finding(self, outcome: Outcome, message: str, *run_ids: int) -> Finding:
        """What came of it."""
        sync = self.sync
        return Finding(sync.id or 0, sync.kind, sync.name, self.name, outcome, self.commit, message, run_ids)


@dataclass(frozen=True)
class Attempt:
    """An attempt that has begun."""

    id: int
    asked: Asked
    """What is done under it is done once, though two should do it, or one should die in the middle."""


def begin(tx: Tx, target: Target, digest: str) -> Attempt:
    """Notes that something is about to be done with what has that digest.

    The key is made from the last attempt that ended: whoever comes after a crash, or at the same time, has the same
    one, and finds what was done under it.
    """
    last = tx.last_attempt(target.sync, target.name)
    key = f"sync/{target.sync.id}/{target.name}/{last.id if last else 0}/{digest[:32]}"
    row = tx.begin_attempt(target.sync, target.name, target.commit, digest)
    return Attempt(row.id or 0, Asked(key, "landform sync run", {"content": digest}))


def refused(desk: Desk, target: Target, error: LandformError, attempt: Attempt | None = None) -> Finding:
    """Notes why nothing could be done; the next look tries again. The same refusal is noted once."""
    message = in_words(error)
    with desk.catalog.write() as tx:
        last = tx.last_attempt(target.sync, target.name)
        if attempt is None and not _says(last, target.commit, message):
            attempt = Attempt(tx.begin_attempt(target.sync, target.name, target.commit, "").id or 0, _NOTHING)
        if attempt is not None:
            tx.end_attempt(attempt.id, Status.FAILED, message, digest="")
    return target.finding(Outcome.FAILED, message)


_NOTHING = Asked("", "")


def _says(last: SyncAttempt | None, commit: str, message: str) -> bool:
    return last is not None and (last.status, last.revision, last.message) == (Status.FAILED, commit, message)


def in_words(error: LandformError) -> str:
    """An error with all its problems, a line each."""
    problems = error.problems if isinstance(error, Invalid) else ()
    return "\n".join([error.message, *map(str, problems)])


class Branches:
    """What lies in the branches of one repository, each checked out once."""

    def __init__(self, repository: Repository, folder: Path) -> None:
        self._repository = repository
        self._folder = folder
        self._found: dict[str, Revision | LandformError] = {}

    def at(self, branch: str) -> Revision:
        """The files at the tip of a branch. Raises as Repository.checkout(), each time the same."""
        if branch not in self._found:
            try:
                self._found[branch] = self._repository.checkout(branch, self._folder / str(len(self._found)))
            except LandformError as error:
                self._found[branch] = error
        found = self._found[branch]
        if isinstance(found, LandformError):
            raise found
        return found


@contextmanager
def branches(follower: Follower, sync: Sync) -> Iterator[Branches]:
    """The branches of what a sync follows, while they are looked at."""
    with scratch(follower.scratch, "sync") as folder:
        yield Branches(follower.open(sync.repository), folder)


def note_revision(desk: Desk, sync: Sync, commit: str) -> None:
    """Remembers which commit was looked at."""
    with desk.catalog.write() as tx:
        row = tx.find_sync(Kind(sync.kind), sync.name)
        if row is not None and row.id == sync.id and row.revision != commit:
            row.revision = commit
            tx.save(row)
