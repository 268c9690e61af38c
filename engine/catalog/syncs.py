"""Facts about what follows branches of Git repositories, what came of it, and why something is not followed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from engine.catalog import missing
from engine.catalog.outside_tables import Sync, SyncAttempt, SyncBlocker
from engine.catalog.records import Records
from engine.core.syncs import Kind, Status
from engine.errors import Conflict, NotFound


class Syncs(Records):
    """The part of a transaction that speaks of syncs."""

    def add_sync(self, kind: Kind, name: str, **fields: Any) -> Sync:
        """A branch to be followed; `fields` are columns of it. Raises Conflict when `name` follows one already."""
        row = Sync(kind=kind.value, name=name, created_at=self._now(), **fields)
        return self._insert(row, lambda: self._followed(kind, name))

    def find_sync(self, kind: Kind, name: str) -> Sync | None:
        """What follows a branch under that name; None when nothing does."""
        return self._session.exec(select(Sync).where(Sync.kind == kind.value, Sync.name == name)).one_or_none()

    def sync(self, kind: Kind, name: str) -> Sync:
        """As find_sync(). Raises NotFound."""
        found = self.find_sync(kind, name)
        if found is None:
            raise missing.no_sync(kind, name, [row.name for row in self.syncs(kind)])
        return found

    def syncs(self, kind: Kind | None = None) -> list[Sync]:
        """All that follow a branch, or those of one kind, by kind and name."""
        rows = self._session.exec(select(Sync).order_by(col(Sync.kind), col(Sync.name)))
        return [row for row in rows if kind in (None, row.kind)]

    def forget_sync(self, kind: Kind, name: str) -> None:
        """Takes away all memory of what was followed, and of why it was not; nothing where there is none."""
        sync = self.find_sync(kind, name)
        if sync is not None:
            self._session.execute(delete(SyncAttempt).where(col(SyncAttempt.sync_id) == sync.id))
            self._delete(sync)
        if kind is Kind.SERVICE:
            self._session.execute(delete(SyncBlocker).where(col(SyncBlocker.service) == name))

    def begin_attempt(self, sync: Sync, target: str, revision: str, digest: str) -> SyncAttempt:
        """An attempt to take over what lies in a commit; the one that an earlier process began, if it did not end."""
        begun = self._attempts(sync.id, target).where(col(SyncAttempt.ended_at).is_(None), SyncAttempt.digest == digest)
        row = self._session.exec(begun).first()
        if row is None:
            row = SyncAttempt(
                sync_id=sync.id or 0,
                target=target,
                revision=revision,
                digest=digest,
                status=Status.IN_PROGRESS.value,
                started_at=self._now(),
            )
        row.revision = revision
        self._session.add(row)
        self._session.flush()
        return row

    def end_attempt(self, attempt_id: int, status: Status, message: str, digest: str | None = None) -> None:
        """How an attempt ended; those that were begun before it and never ended are over too. `digest` as columns."""
        row = self._by_id(SyncAttempt, attempt_id)
        if row is None:
            # whatever was followed has been forgotten meanwhile
            return
        row.status, row.message, row.ended_at = status.value, message, self._now()
        row.digest = row.digest if digest is None else digest
        left = self._attempts(row.sync_id, row.target).where(col(SyncAttempt.ended_at).is_(None))
        for other in self._session.exec(left.where(col(SyncAttempt.id) < attempt_id)):
            other.status, other.message, other.digest = Status.FAILED.value, "It was cut off.", ""
            other.ended_at = self._now()
        self._session.flush()

    def last_attempt(self, sync: Sync, target: str, status: Status | None = None) -> SyncAttempt | None:
        """The last attempt that ended, or that ended like this; None when there is none."""
        ended = self._attempts(sync.id, target).where(col(SyncAttempt.ended_at).is_not(None))
        if status is not None:
            ended = ended.where(SyncAttempt.status == status.value)
        return self._session.exec(ended).first()

    def block_sync(self, service: str, instance: str, reason: str, user: str) -> None:
        """Stops following an instance, or all of a service where `instance` is "", until somebody resolves it.

        Nothing where nothing is followed, or where it is stopped already.
        """
        if self.find_sync(Kind.SERVICE, service) is None or self.blocker_of(service, instance) is not None:
            return
        row = SyncBlocker(service=service, instance=instance, reason=reason, created_by=user, created_at=self._now())
        self._session.add(row)
        self._session.flush()

    def blocker_of(self, service: str, instance: str) -> SyncBlocker | None:
        """Why an instance is not followed, or, where `instance` is "", the whole service; None when it is."""
        query = select(SyncBlocker).where(
            SyncBlocker.service == service, SyncBlocker.instance == instance, col(SyncBlocker.resolved_at).is_(None)
        )
        return self._session.exec(query.limit(1)).first()

    def resolve_blocker(self, blocker_id: int, reason: str, user: str) -> SyncBlocker:
        """The blocker, which blocks no longer. Raises NotFound, and Conflict when it has been resolved."""
        row = self._by_id(SyncBlocker, blocker_id)
        if row is None:
            raise NotFound(
                f"There is no blocker {blocker_id}.", hint="See them: landform service sync blockers SERVICE"
            )
        if row.resolved_at is not None:
            raise Conflict(f"Blocker {blocker_id} has been resolved by {row.resolved_by}: {row.resolved_reason}")
        row.resolved_reason, row.resolved_by, row.resolved_at = reason, user, self._now()
        self._session.flush()
        return row

    def _attempts(self, sync_id: int | None, target: str) -> SelectOfScalar[SyncAttempt]:
        """Newest first."""
        query = select(SyncAttempt).where(SyncAttempt.sync_id == sync_id, SyncAttempt.target == target)
        return query.order_by(col(SyncAttempt.id).desc())

    def _followed(self, kind: Kind, name: str) -> Conflict | None:
        found = self.find_sync(kind, name)
        if found is None:
            return None
        return Conflict(
            f"{kind.value.capitalize()} {name} follows {found.repository} already.",
            hint=f"Take that away first: landform {kind.value} sync remove {name}",
        )
