"""Facts about drift: who is looked at, when somebody last did, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.orm.attributes import set_committed_value

from engine.catalog.metadata import TABLES
from engine.catalog.notices import Notices
from engine.catalog.tables import Instance, Run, Template
from engine.core import drift, rules
from engine.core.address import Kind
from engine.core.drift import Finding, Ignored
from engine.core.drift_turns import BUSY, Watched

_INSTANCE, _RUN, _TEMPLATE = (TABLES[row.__name__.lower()] for row in (Instance, Run, Template))
_HOME, _DEPLOY, _HOLDER = _INSTANCE.alias(), _RUN.alias(), _RUN.alias()
_WATCHED = (
    select(
        _INSTANCE.c.id,
        _INSTANCE.c.address,
        _INSTANCE.c.kind,
        _INSTANCE.c.environment_id,
        _INSTANCE.c.rules,
        _HOME.c.rules,
        _INSTANCE.c.provisioning,
        _HOME.c.provisioning,
        _TEMPLATE.c.provisioning,
        _INSTANCE.c.deployed_run_id,
        _INSTANCE.c.hibernated_at,
        _INSTANCE.c.diverged,
        _INSTANCE.c.drift_checked_at,
        _DEPLOY.c.ended_at,
        _HOLDER.c.id,
        _HOLDER.c.status,
    )
    .join(_TEMPLATE, _TEMPLATE.c.id == _INSTANCE.c.template_id)
    .outerjoin(_HOME, _HOME.c.id == _INSTANCE.c.environment_id)
    .outerjoin(_DEPLOY, _DEPLOY.c.id == _INSTANCE.c.deployed_run_id)
    .outerjoin(_HOLDER, and_(_HOLDER.c.instance_id == _INSTANCE.c.id, _HOLDER.c.status.in_(sorted(BUSY))))
    .order_by(_INSTANCE.c.address)
)
_ONE = _WATCHED.where(_INSTANCE.c.id == bindparam("of"))
# not as save() does it: nobody has changed the instance, so it has not been updated
_NOTE = update(_INSTANCE).where(_INSTANCE.c.id == bindparam("of"))


class Drifts(Notices):
    """The part of a transaction that speaks of what changed outside."""

    def watched(self) -> list[Watched]:
        """Every instance, by address, as far as it matters for whether it is looked at."""
        return [_watched(row) for row in self._session.execute(_WATCHED)]

    def watched_one(self, instance_id: int) -> Watched | None:
        """That instance; None when it has gone."""
        row = self._session.execute(_ONE, {"of": instance_id}).first()
        return None if row is None else _watched(row)

    def begin_look(self, instance: Instance) -> datetime:
        """Notes that somebody looks at the instance from now on; the time that stands for this look and no other."""
        last, now = instance.drift_checked_at, self._now()
        began = now if last is None or last < now else last + timedelta(microseconds=1)
        self._note_drift(instance, drift_checked_at=began)
        return began

    def end_look(self, instance: Instance, before: datetime | None) -> None:
        """Takes it back that somebody has looked, who could not: the instance was last looked at `before`."""
        self._note_drift(instance, drift_checked_at=before)

    def keep_drift(self, instance: Instance, finding: Finding) -> None:
        """Keeps what was found; whoever hears of drift is told when it is the first, or worse than before."""
        level = drift.level(finding, drift.ignored(instance.drift_ignored), self._now())
        self.tell_drift(instance.address, level, instance.drift_level)
        self._note_drift(instance, drift=finding.to_json(), drift_level=(level or ""))

    def ignore_drift(self, instance: Instance, ignoring: Sequence[Ignored]) -> None:
        """Makes these, and no others, what is not told of."""
        found = drift.from_json(instance.drift) if instance.drift else None
        level = drift.level(found, ignoring, self._now())
        self._note_drift(instance, drift_ignored=[each.to_json() for each in ignoring], drift_level=(level or ""))

    def forget_drift(self, instance: Instance) -> None:
        """Forgets what was found: it says nothing of what is deployed now. What is ignored stays so."""
        self._note_drift(instance, drift=None, drift_level="", drift_checked_at=None)

    def _note_drift(self, instance: Instance, **values: Any) -> None:
        self._session.execute(_NOTE, {"of": instance.id, **values})
        for column, value in values.items():
            set_committed_value(instance, column, value)


def _watched(row: Sequence[Any]) -> Watched:
    number, address, kind, environment_id, own, home, own_place, home_place, template, *rest = row
    deployed, hibernated, diverged, looked_at, deployed_at, holder, status = rest
    is_home = kind == Kind.ENVIRONMENT
    return Watched(
        number,
        address,
        number if is_home else environment_id,
        rules.from_json((own if is_home else home) or {}),
        looked_at or deployed_at,
        is_deployed=deployed is not None,
        is_hibernated=hibernated is not None,
        is_frozen=diverged != "",
        is_bare=is_home and template == "customer",
        is_of_others=bool(own_place if home is None else home_place),
        busy=None if holder is None else (holder, status),
    )
