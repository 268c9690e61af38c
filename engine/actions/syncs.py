"""Intentions about branches that templates and services follow: begin to, stop, look now, go on after a blocker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.actions import service_sync, sync_attempts, template_sync
from engine.actions.desk import Desk
from engine.actions.sync_attempts import Follower
from engine.core import repositories
from engine.core.syncs import Finding, Kind, Outcome
from engine.core.versions import REGISTERED, TemplateKind, parse_ref
from engine.errors import Conflict, Invalid, LandformError, NotFound

if TYPE_CHECKING:
    from engine.catalog.outside_tables import Sync, SyncBlocker
    from engine.catalog.tx import Tx

_FOLLOW = {Kind.TEMPLATE: template_sync.follow, Kind.SERVICE: service_sync.follow}


@dataclass(frozen=True)
class Source:
    """A place in a repository."""

    repository: str
    branch: str
    path: str
    """Of templates the folder that they lie below; of a service its ops file."""


def add(follower: Follower, kind: Kind, name: str, source: Source) -> Sync:
    """Follows a branch from now on; nothing is taken over yet.

    A template that is not there yet is named with its kind, as `service/web`: its first bundle makes it.
    Raises Invalid, NotFound when the service or the branch is not there, Conflict when it follows one already, and as
    Repository.branch_head() when the repository does not answer.
    """
    path = repositories.inside(source.path)
    if kind is Kind.SERVICE and not path:
        raise Invalid("An ops file has to be named.", hint="Give its path in the repository with --file.")
    desk = follower.desk
    with desk.catalog.read() as tx:
        name = _named(tx, kind, name)
    follower.open(source.repository).branch_head(source.branch)
    with desk.catalog.write() as tx:
        fields = {"repository": source.repository, "branch": source.branch, "path": path, "created_by": desk.user}
        return tx.add_sync(kind, _named(tx, kind, name), **fields)


def remove(desk: Desk, kind: Kind, name: str) -> str:
    """Stops following; versions, service and instances stay as they are. The name. Raises NotFound."""
    with desk.catalog.write() as tx:
        found = named(tx, kind, name)
        tx.forget_sync(kind, found.name)
        return found.name


def resolve(desk: Desk, blocker_id: int, reason: str) -> SyncBlocker:
    """Lets an instance or a service be followed again. Raises NotFound, Conflict, and Invalid without a reason."""
    if not reason.strip():
        raise Invalid("A blocker is resolved with a reason.", hint="Say why with --reason TEXT.")
    with desk.catalog.write() as tx:
        return tx.resolve_blocker(blocker_id, reason, desk.user)


def wanted(desk: Desk, kind: Kind | None, name: str | None) -> list[Sync]:
    """The syncs of a kind, or the one of that name, or all, templates first. Raises NotFound."""
    with desk.catalog.read() as tx:
        if kind and name:
            return [named(tx, kind, name)]
        return sorted(tx.syncs(kind), key=lambda sync: sync.kind != Kind.TEMPLATE)


def look(follower: Follower, sync: Sync) -> list[Finding]:
    """What came of one look at a branch: of everything that it holds, or why nobody could look."""
    try:
        return _FOLLOW[Kind(sync.kind)](follower, sync)
    except LandformError as error:
        message = sync_attempts.in_words(error)
        return [Finding(sync.id or 0, sync.kind, sync.name, "", Outcome.FAILED, "", message)]


def named(tx: Tx, kind: Kind, name: str) -> Sync:
    """What follows a branch under a name, which may lack the kind of a template.

    Raises NotFound, and Conflict where templates of both kinds of that name do.
    """
    if kind is Kind.SERVICE or "/" in name:
        return tx.sync(kind, name)
    found = [sync for one in REGISTERED if (sync := tx.find_sync(kind, f"{one.value}/{name}")) is not None]
    if len(found) > 1:
        raise Conflict(
            f"An environment template and a service template {name} follow a branch.",
            hint=f"Say which: {found[0].name} or {found[1].name}.",
        )
    return found[0] if found else tx.sync(kind, name)


def _named(tx: Tx, kind: Kind, name: str) -> str:
    """The name under which a sync is kept. Raises Invalid, NotFound."""
    if kind is Kind.SERVICE:
        return tx.service(name).name
    ref = parse_ref(name)
    if ref.kind is not None:
        return f"{ref.kind.value}/{ref.name}"
    try:
        found = tx.find_template(ref)
    except NotFound as error:
        kinds = f"{TemplateKind.SERVICE.value}/{ref.name} or {TemplateKind.ENVIRONMENT.value}/{ref.name}"
        raise NotFound(error.message, hint=f"To begin one with its first bundle, name its kind: {kinds}") from None
    return f"{found.kind}/{found.name}"
