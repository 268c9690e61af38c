"""Facts about how instances went and how long they stay: their deploys, and whose time is limited."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmodel import col, select

from engine.catalog.notices import Notices
from engine.catalog.tables import Instance, Run
from engine.core import lifetimes, rules
from engine.core.address import parse
from engine.core.lifetimes import Life
from engine.core.runs import ACTIVE, Operation, Status

_ACTIVE = [status.value for status in sorted(ACTIVE)]


class Lifetimes(Notices):
    """The part of a transaction that speaks of the lives of instances."""

    def deploys_of(self, instance: Instance) -> Iterator[Run]:
        """The runs that have deployed the instance, newest first."""
        deploys = (
            Run.instance_id == instance.id,
            Run.operation == Operation.DEPLOY.value,
            Run.status == Status.SUCCEEDED.value,
        )
        yield from self._session.exec(select(Run).where(*deploys).order_by(col(Run.id).desc()))

    def mortals(self) -> list[Instance]:
        """The instances whose time is limited, those first that are over first."""
        query = select(Instance).where(col(Instance.expires_at).is_not(None))
        return list(self._session.exec(query.order_by(col(Instance.expires_at), col(Instance.id))))

    def life(self, instance: Instance) -> Life | None:
        """The time of an instance; None for one that lives for ever."""
        if instance.expires_at is None:
            return None
        environment = self._by_id(Instance, instance.environment_id) if instance.environment_id else instance
        last = self._last_hibernation(instance)
        is_active = last is not None and last.status in _ACTIVE
        is_lost = last is not None and not is_active and last.status != Status.SUCCEEDED
        return Life(
            instance.expires_at,
            rules.from_json(environment.rules if environment else {}).expiry_warning_s,
            instance.ttl_s,
            instance.expiry_told_at is not None,
            is_active,
            last.ended_at if last is not None and is_lost else None,
        )

    def is_asleep(self, instance: Instance) -> bool:
        """Whether nothing is there of a hibernated instance: no attempt to wake it has begun to make anything."""
        if instance.hibernated_at is None:
            return False
        since = (Run.instance_id == instance.id, col(Run.applied_at) >= instance.hibernated_at)
        return self._session.exec(select(Run.id).where(*since).limit(1)).first() is None

    def tell_expiry(self, instance: Instance) -> None:
        """Tells that the time of an instance is over soon, and that its people have been told."""
        assert instance.expires_at is not None
        self.tell_expires(parse(instance.address), lifetimes.stamp(instance.expires_at))
        instance.expiry_told_at = self._now()
        self._session.add(instance)
        self._session.flush()

    def _last_hibernation(self, instance: Instance) -> Run | None:
        query = select(Run).where(Run.instance_id == instance.id, col(Run.hibernates).is_(True))
        return self._session.exec(query.order_by(col(Run.id).desc()).limit(1)).first()
