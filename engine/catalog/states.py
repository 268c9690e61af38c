"""Facts about the states that were harvested: which instance had which, and what run it came from."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam
from sqlmodel import col, func, select

from engine.catalog.metadata import TABLES
from engine.catalog.runs import Runs
from engine.catalog.tables import Instance, Run
from engine.catalog.worker_tables import StateVersion
from engine.core.address import Address
from engine.core.runs import EXECUTING, Status, what_to_do
from engine.core.snapshots import Snapshot
from engine.errors import Busy, NotFound

_EXECUTING = [status.value for status in sorted(EXECUTING)]

# as a table, not as a class: every plan asks for it
_VERSIONS = TABLES["stateversion"]
_NEWEST = (
    select(*(_VERSIONS.c[name] for name in ("lineage", "serial", "digest", "size_bytes", "resources")))
    .where(_VERSIONS.c.instance_id == bindparam("of"))
    .order_by(_VERSIONS.c.id.desc())
    .limit(1)
)
_NEWEST_OF_MANY = select(
    *(_VERSIONS.c[name] for name in ("instance_id", "lineage", "serial", "digest", "size_bytes", "resources"))
).where(
    _VERSIONS.c.id.in_(
        select(func.max(_VERSIONS.c.id))
        .where(_VERSIONS.c.instance_id.in_(bindparam("ids", expanding=True)))
        .group_by(_VERSIONS.c.instance_id)
    )
)

_KNOWN = select(StateVersion).where(
    StateVersion.instance_id == bindparam("of"),
    StateVersion.lineage == bindparam("lineage"),
    StateVersion.serial == bindparam("serial"),
    StateVersion.digest == bindparam("digest"),
)


class States(Runs):
    """The part of a transaction that speaks of states."""

    def add_state(
        self, instance: Instance, snapshot: Snapshot, *, run_id: int, fence: int | None, note: str = ""
    ) -> StateVersion:
        """The record of a state whose content has been put into the store; one that is known already is not added anew.

        `run_id` is the run that wrote it; with its `fence`, only while the worker that gives it holds that run. Without
        one a person adds it: only while nobody works on the instance. Raises Conflict, Busy.
        """
        if fence is None:
            self.refuse_executing(instance)
        else:
            self.note(run_id, fence=fence)
        known = self._known(instance, snapshot)
        if known is not None and (fence is not None or known == self.newest_state(known.instance_id)):
            known.note = known.note or note
            self._session.flush()
            return known
        if known is not None:
            # put back into its place by a person: the newest number is what counts from now on
            run_id = known.run_id
            self._delete(known)
        assert instance.id is not None
        version = StateVersion(
            instance_id=instance.id,
            address=instance.address,
            run_id=run_id,
            lineage=snapshot.lineage,
            serial=snapshot.serial,
            digest=snapshot.digest,
            size_bytes=snapshot.size_bytes,
            resources=snapshot.resources,
            note=note,
            created_at=self._now(),
        )
        self._session.add(version)
        self._session.flush()
        return version

    def refuse_executing(self, instance: Instance) -> None:
        """Raises Busy while a worker plans or applies for the instance."""
        query = select(Run).where(Run.instance_id == instance.id, col(Run.status).in_(_EXECUTING))
        run = self._session.exec(query).first()
        if run is not None:
            raise Busy(
                f"{instance.address} is held by run {run.id} ({run.status}).",
                hint=what_to_do(run.id, Status(run.status)),
            )

    def newest_state(self, instance_id: int) -> StateVersion | None:
        """The last state that was kept of the instance; None when there is none."""
        query = select(StateVersion).where(StateVersion.instance_id == instance_id)
        return self._session.exec(query.order_by(col(StateVersion.id).desc()).limit(1)).first()

    def newest_snapshot(self, instance_id: int) -> Snapshot | None:
        """What tells the last state that was kept of the instance from others; None when there is none."""
        row = self._session.execute(_NEWEST, {"of": instance_id}).first()
        return Snapshot(*row) if row else None

    def newest_snapshots(self, instance_ids: Sequence[int]) -> dict[int, Snapshot]:
        """Instance -> as newest_snapshot(), for those that have one."""
        rows = self._session.execute(_NEWEST_OF_MANY, {"ids": list(instance_ids)})
        return {instance_id: Snapshot(*rest) for instance_id, *rest in rows}

    def has_state(self, instance_id: int, digest: str) -> bool:
        """Whether a state with this content was ever kept of the instance."""
        query = select(col(StateVersion.id)).where(
            StateVersion.instance_id == instance_id, StateVersion.digest == digest
        )
        return self._session.exec(query.limit(1)).first() is not None

    def is_formers(self, address: Address | str, instance_id: int, lineage: str) -> bool:
        """Whether states of this line were kept of another instance that had the address."""
        query = select(col(StateVersion.id)).where(
            StateVersion.address == str(address),
            StateVersion.instance_id != instance_id,
            StateVersion.lineage == lineage,
        )
        return self._session.exec(query.limit(1)).first() is not None

    def states(self, address: Address | str, limit: int | None = None) -> list[StateVersion]:
        """The states that were kept under the address, newest first, those of an instance that has gone included."""
        query = select(StateVersion).where(StateVersion.address == str(address)).order_by(col(StateVersion.id).desc())
        return list(self._session.exec(query.limit(limit)))

    def state_digests(self) -> list[str]:
        """Under what the contents of all states are kept that were ever kept, in order."""
        query = select(StateVersion.digest).distinct().order_by(StateVersion.digest)
        return list(self._session.exec(query))

    def newest_states(self, limit: int | None = None) -> list[StateVersion]:
        """The last state that was kept under each address, by address."""
        newest = select(func.max(StateVersion.id)).group_by(StateVersion.address)
        query = select(StateVersion).where(col(StateVersion.id).in_(newest)).order_by(StateVersion.address)
        return list(self._session.exec(query.limit(limit)))

    def state(self, address: Address | str, version_id: int) -> StateVersion:
        """The state of that number. Raises NotFound when there is none under this address."""
        found = self._session.get(StateVersion, version_id)
        if found is None or found.address != str(address):
            raise NotFound(f"{address} has no state {version_id}.", hint=f"See them all: landform state list {address}")
        return found

    def _known(self, instance: Instance, snapshot: Snapshot) -> StateVersion | None:
        asked = {"of": instance.id, "lineage": snapshot.lineage, "serial": snapshot.serial, "digest": snapshot.digest}
        return self._session.execute(_KNOWN, asked).scalar_one_or_none()
