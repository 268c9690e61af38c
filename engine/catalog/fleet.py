"""Facts about many instances at once: all that they can be selected by, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from engine.catalog.records import Records
from engine.catalog.tables import Instance, Service, Template, Version
from engine.core import drift, rules
from engine.core.address import Kind
from engine.core.selection import Candidate
from engine.core.versions import Number

_HOME = aliased(Instance)
_BEST = aliased(Version)
_CANDIDATES = (
    select(
        Instance.id,
        Instance.address,
        Instance.kind,
        Template.name,
        Version.major,
        Version.minor,
        _BEST.major,
        _BEST.minor,
        Instance.name,
        Instance.rules,
        Instance.tags,
        Instance.environment_id,
        _HOME.name,
        _HOME.rules,
        _HOME.tags,
        Service.name,
        Service.tags,
        Instance.is_stale,
        Instance.drift_level,
        Instance.hibernated_at,
        Instance.deployed_run_id,
    )  # type: ignore[call-overload]
    .add_columns(Instance.drift, Instance.drift_ignored)
    .join(Template, Template.id == Instance.template_id)
    .join(Version, Version.id == Instance.version_id)
    .outerjoin(_BEST, _BEST.id == Template.recommended_id)
    .outerjoin(_HOME, _HOME.id == Instance.environment_id)
    .outerjoin(Service, Service.id == Instance.service_id)
    .order_by(Instance.address)
)


class Fleet(Records):
    """The part of a transaction that speaks of all instances."""

    def candidates(self) -> list[Candidate]:
        """Every instance, by address."""
        now = self.now()
        return [_candidate(row, now) for row in self._session.execute(_CANDIDATES)]


def _candidate(row: Sequence[Any], now: datetime) -> Candidate:
    (number, address, kind, template, major, minor, best_major, best_minor, name, own_rules, own_tags, *rest) = row
    environment_id, home, home_rules, home_tags, service, service_tags, is_stale, level, *rest = rest
    hibernated, deployed, drift_found, drift_ignored = rest
    is_home = kind == Kind.ENVIRONMENT
    return Candidate(
        instance_id=number,
        address=address,
        kind=Kind(kind),
        template=template,
        number=Number(major, minor),
        recommended=None if best_major is None else Number(best_major, best_minor),
        environment=name if is_home else home or "",
        environment_id=number if is_home else environment_id,
        rank=rules.from_json((own_rules if is_home else home_rules) or {}).rank,
        service=service or "",
        tags={**(home_tags or {}), **(service_tags or {}), **own_tags},
        is_stale=is_stale,
        drift=drift.level_now(level, drift_found, drift_ignored, now),
        is_hibernated=hibernated is not None,
        is_deployed=deployed is not None,
    )
