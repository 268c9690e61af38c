"""Facts about events: what others are to be told of what was just changed.

What is told is kept with the change, in its transaction, or not at all: no event is lost with a process, and none tells
of what did not happen. Where nobody wants to hear of anything, nothing is looked up or written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import bindparam, insert, select
from sqlmodel import Session

from engine.catalog.metadata import TABLES
from engine.catalog.outside_tables import Delivery, Notice
from engine.catalog.records import Records
from engine.catalog.tables import Instance, Run, Template
from engine.core import address, drift, notices
from engine.core.address import Address
from engine.core.drift import Level
from engine.core.notices import Seen, State, Told, VersionSeen
from engine.core.runs import ACTIVE, EXECUTING, Operation, Status, is_terminal
from engine.core.targets import NOBODY, Audience
from engine.core.versions import Number, TemplateKind, VersionStatus

_TABLES = (Notice, Delivery, Run, Instance)
_NOTICE, _DELIVERY, _RUN, _INSTANCE = (TABLES[row.__name__.lower()] for row in _TABLES)
_FOLLOWED = select(_INSTANCE.c.last_run_id).where(_INSTANCE.c.id == bindparam("of"))
_EARLIER = (
    select(_RUN.c.id)
    .where(_RUN.c.instance_id == bindparam("of"), _RUN.c.id < bindparam("before"))
    .order_by(_RUN.c.id.desc())
    .limit(1)
)
_ADD_NOTICES = insert(_NOTICE).returning(_NOTICE.c.id, sort_by_parameter_order=True)
_ADD_DELIVERIES = insert(_DELIVERY)


@dataclass(frozen=True)
class Before:
    """A run before it was changed."""

    seen: Seen
    is_followed: bool
    """Whether its instance stood where it stood, and so changes with it."""


class Notices(Records):
    """The part of a transaction that tells others what it changes."""

    def __init__(self, session: Session, now: Callable[[], datetime], audience: Audience = NOBODY) -> None:
        super().__init__(session, now)
        self._audience = audience
        self._told: list[tuple[Told, tuple[str, ...]]] = []

    def keep_told(self) -> None:
        """Writes down what is to be told: the last thing that a transaction does."""
        if not self._told:
            return
        now = self._now()
        texts = [{"kind": told.kind, "resource": told.resource, "detail": dict(told.detail)} for told, _ in self._told]
        rows = [{**text, "uid": str(uuid4()), "created_at": now} for text in texts]
        ids = self._session.execute(_ADD_NOTICES, rows).scalars().all()
        new = {"state": State.WAITING.value, "attempts": 0, "message": "", "due_at": now}
        told = zip(ids, self._told, strict=True)
        letters = [
            {"notice_id": notice_id, "target": target, **new} for notice_id, (_, takers) in told for target in takers
        ]
        self._session.execute(_ADD_DELIVERIES, letters)
        self._told.clear()

    def before(self, run: Run) -> Before | None:
        """The run as it is now, to be given to tell_change() after it has changed; None where nobody hears of it."""
        if not self._audience.targets:
            return None
        return Before(_seen(run), self._run_followed(run) == run.id)

    def tell_new(self, run: Run) -> None:
        """Tells of a run that has just been recorded."""
        if not self._audience.targets:
            return
        seen = _seen(run)
        self._tell(notices.of_run(self._audience.owner, seen, None))
        if self._run_followed(run) == run.id:
            earlier = self._session.execute(_EARLIER, {"of": run.instance_id, "before": run.id}).scalar()
            self._tell(notices.of_instance(self._audience.owner, seen, self._deployment(earlier)))

    def tell_change(self, before: Before | None, run: Run) -> None:
        """Tells of what has become of a run, and so of its instance."""
        if before is None:
            return
        owner, now = self._audience.owner, _seen(run)
        self._tell(notices.of_run(owner, now, before.seen))
        if not before.is_followed:
            return
        self._tell(notices.of_instance(owner, now, before.seen.deployment))
        if is_terminal(now.status) and now.deployment != notices.DELETED:
            self._tell_next(run, now)

    def tell_removal(self, instance: Instance) -> None:
        """Tells that the instance is no more."""
        if not self._audience.targets:
            return
        before = self._deployment(instance.last_run_id)
        previous = notices.DELETING if before == notices.DELETED else before
        self._tell(notices.of_removal(self._audience.owner, address.parse(instance.address), previous))

    def tell_drift(self, where: str, now: Level | None, before: str) -> None:
        """Tells that what has the address has drifted, or worse than it was known to: `before`, "" for none."""
        if now is not None and drift.is_worse(now, before):
            self._tell(notices.of_drift(self._audience.owner, address.parse(where), now, before))

    def tell_expires(self, place: Address, expires_at: str) -> None:
        """Tells that what has the address is hibernated by itself soon."""
        self._tell(notices.of_expiry(self._audience.owner, place, expires_at))

    def tell_template(self, template: Template, *, published: bool | None, before: bool | None) -> None:
        """Tells of a template that is new or has gone (None), or that has a published version now, or no more."""
        kind = TemplateKind(template.kind)
        self._tell(notices.of_template(self._audience.owner, kind, template.name, published=published, before=before))

    def tell_version(
        self, template: Template, number: Number, now: VersionStatus | None, before: VersionStatus | None
    ) -> None:
        """Tells of a version that is new (`before` None), has gone (`now` None), or has another status."""
        seen = VersionSeen(TemplateKind(template.kind), template.name, number)
        self._tell(notices.of_version(self._audience.owner, seen, now, before))

    def _tell(self, told: Told | None) -> None:
        if told is not None and (takers := self._audience.takers(told)):
            self._told.append((told, takers))

    def _tell_next(self, run: Run, ended: Seen) -> None:
        """Tells of the run that has the instance from now on, where one waited for it."""
        follower = self._run_followed(run)
        found = self._by_id(Run, follower) if follower not in (None, run.id) else None
        if found is not None and Status(found.status) in ACTIVE:
            self._tell(notices.of_instance(self._audience.owner, _seen(found), ended.deployment))

    def _run_followed(self, run: Run) -> int | None:
        """The run whose status the instance of this one has."""
        found: int | None = self._session.execute(_FOLLOWED, {"of": run.instance_id}).scalar()
        return found

    def _deployment(self, run_id: int | None) -> str | None:
        """What that run means for its instance; None when there is none."""
        found = None if run_id is None else self._by_id(Run, run_id)
        return _seen(found).deployment if found else None


def _seen(run: Run) -> Seen:
    assert run.id is not None
    status = Status(run.status)
    is_cancelling = run.cancel_requested_at is not None and status in EXECUTING
    place, operation = address.parse(run.address), Operation(run.operation)
    return Seen(run.id, place, operation, run.template, status, is_cancelling, run.hibernates)
