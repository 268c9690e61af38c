"""Follows a branch that holds a template: what is new in the folder of a major version becomes a draft."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.actions import registrations, sync_attempts
from engine.actions.registrations import NEW_MAJOR, Registered, Registration
from engine.actions.sync_attempts import Attempt, Follower, Target
from engine.core import syncs
from engine.core.syncs import Finding, Outcome, Status
from engine.core.versions import TemplateRef, VersionStatus, parse_ref
from engine.errors import Invalid, LandformError, NotFound

if TYPE_CHECKING:
    from engine.catalog.outside_tables import Sync
    from engine.catalog.tables import Version
    from engine.catalog.tx import Tx
    from engine.external.git import Revision

_DEEPEST = 6
"""Folders below that of the sync in which the template's own is looked for."""


@dataclass(frozen=True)
class _Bundle:
    """What lies in the folder of a major version."""

    target: Target
    template: TemplateRef
    major: int
    files: Mapping[str, bytes]
    digest: str
    source: str


def follow(follower: Follower, sync: Sync) -> list[Finding]:
    """What came of each major version of the template at the tip of its branch, lowest first.

    Raises LandformError when nobody could look: a repository that does not answer, a folder that is not there.
    """
    with sync_attempts.branches(follower, sync) as branches:
        revision = branches.at(sync.branch)
        sync_attempts.note_revision(follower.desk, sync, revision.commit)
        root = _folder(revision, sync)
        majors = sorted(number for name in _folders(root) if (number := syncs.major(name)) is not None)
        if not majors:
            where = root.relative_to(revision.folder).as_posix()
            raise NotFound(f"{where} of {sync.repository} has no folder v1.", hint="Put the bundle of 1.0 into v1.")
        return [_follow(follower, sync, revision, root / f"v{number}", number) for number in majors]


def _follow(follower: Follower, sync: Sync, revision: Revision, folder: Path, major: int) -> Finding:
    target = Target(sync, str(major), revision.commit)
    attempt: Attempt | None = None
    try:
        bundle = _bundle(target, revision, folder, major)
        decided = _begun(follower, bundle)
        if isinstance(decided, Finding):
            return decided
        attempt, is_new = decided
        return _ended(follower, bundle, attempt, _registered(follower, bundle, attempt, is_new=is_new))
    except LandformError as error:
        return sync_attempts.refused(follower.desk, target, error, attempt)


def _bundle(target: Target, revision: Revision, folder: Path, major: int) -> _Bundle:
    from engine.bundles import pack

    path = folder.relative_to(revision.folder).as_posix()
    source = f"{target.sync.repository}@{revision.commit}#{path}"
    files = pack.read_folder(folder, name=path)
    return _Bundle(target, parse_ref(target.sync.name), major, files, pack.digest(files), source)


def _begun(follower: Follower, bundle: _Bundle) -> Finding | tuple[Attempt, bool]:
    """The attempt to register it, and whether as a new major version; or why there is none.

    Raises Invalid when the major version is not the next one.
    """
    with follower.desk.catalog.write() as tx:
        known = _settled(tx, bundle, retry=follower.retry)
        if known is not None:
            return known
        majors = _majors(tx, bundle.template)
        if wrong := syncs.misplaced(bundle.major, majors):
            raise Invalid(wrong, hint="Give the folder that number.")
        return sync_attempts.begin(tx, bundle.target, bundle.digest), bundle.major not in majors


def _settled(tx: Tx, bundle: _Bundle, *, retry: bool) -> Finding | None:
    """What is known of this very content already; None when it is to be registered."""
    sync, name = bundle.target.sync, bundle.target.name
    done = tx.last_attempt(sync, name, Status.SUCCEEDED)
    if done is not None and done.digest == bundle.digest and _version(tx, bundle.template, done.message):
        return bundle.target.finding(Outcome.UNCHANGED, done.message)
    if done is None and (label := _twin(tx, bundle)):
        tx.end_attempt(sync_attempts.begin(tx, bundle.target, bundle.digest).id, Status.SUCCEEDED, label)
        return bundle.target.finding(Outcome.UNCHANGED, label)
    last = tx.last_attempt(sync, name)
    if last is None or last.status != Status.FAILED or last.digest != bundle.digest or retry:
        return None
    return bundle.target.finding(Outcome.FAILED, last.message)


def _registered(follower: Follower, bundle: _Bundle, attempt: Attempt, *, is_new: bool) -> Registered:
    major = NEW_MAJOR if is_new else bundle.major
    wish = Registration(bundle.template.name, bundle.files, bundle.source, major, kind=bundle.template.kind)
    return registrations.register(follower.desk, wish, attempt.asked)


def _ended(follower: Follower, bundle: _Bundle, attempt: Attempt, done: Registered) -> Finding:
    """Notes what came of the registration: known already when an earlier process died before it noted that."""
    with follower.desk.catalog.write() as tx:
        version = _version(tx, bundle.template, done.label)
        reasons = version.message if version is not None else "It was deleted meanwhile."
        if done.ref.number is None or done.ref.number.major != bundle.major:
            reasons = f"Somebody else has registered {bundle.major}.0 meanwhile: delete one of them."
        elif done.status is not VersionStatus.FAILED:
            tx.end_attempt(attempt.id, Status.SUCCEEDED, done.label)
            return bundle.target.finding(Outcome.CHANGED, done.label)
        message = f"{done.label} failed its registration.\n{reasons}"
        tx.end_attempt(attempt.id, Status.FAILED, message)
        return bundle.target.finding(Outcome.FAILED, message)


def _version(tx: Tx, template: TemplateRef, label: str) -> Version | None:
    """The version of that label, `web@1.4`; None when it has been deleted."""
    try:
        return tx.find_version(tx.find_template(template), parse_ref(label).number)
    except NotFound:
        return None


def _twin(tx: Tx, bundle: _Bundle) -> str:
    """The newest version of the major, `web@1.4`, when it has the very same content; "" otherwise.

    For the first look at a template that is there already, which may have followed this branch before.
    """
    rows = [row for row in tx.templates(bundle.template.kind) if row.name == bundle.template.name]
    versions = [one for row in rows for one in tx.versions(row, bundle.major) if one.status != VersionStatus.FAILED]
    is_same = bool(versions) and versions[-1].bundle == bundle.digest
    return f"{bundle.template.name}@{bundle.major}.{versions[-1].minor}" if is_same else ""


def _majors(tx: Tx, ref: TemplateRef) -> list[int]:
    found = [row for row in tx.templates(ref.kind) if row.name == ref.name]
    return [int(major) for row in found for major in row.highest]


def _folder(revision: Revision, sync: Sync) -> Path:
    """The first folder named like the template, the nearest to the root first. Raises NotFound."""
    top, name = revision.place(sync.path), parse_ref(sync.name).name
    level = [top]
    for _ in range(_DEEPEST):
        found = [place / name for place in level if name in _folders(place)]
        named = next((place for place in found if any(map(syncs.major, _folders(place)))), None)
        if named is not None:
            return named
        if found:
            return found[0]
        level = [place / child for place in level for child in _folders(place)]
    raise NotFound(
        f"There is no folder {name} below {sync.path or 'the root'} of {sync.repository}, branch {sync.branch}.",
        hint=f"The layout is [SUBDIRECTORY/]{name}/v1/schema/schema.yaml and so on.",
    )


def _folders(place: Path) -> list[str]:
    """The names of the folders in a folder, in order, without links and what core.repositories.inside() refuses."""
    try:
        with os.scandir(place) as found:
            names = [one.name for one in found if one.is_dir(follow_symlinks=False)]
            return sorted(name for name in names if name.isprintable() and name.lower() != ".git")
    except (FileNotFoundError, NotADirectoryError):
        return []
