"""An instance with all that it takes to deploy it, read at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, bindparam, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from engine.catalog.instances import Instances
from engine.catalog.tables import Instance, Run, Service, Template, Version
from engine.core.address import Kind
from engine.core.runs import ACTIVE
from engine.errors import NotFound

_ENVIRONMENT, _COMPONENT = aliased(Instance), aliased(Instance)
_RELATED = (
    select(Instance, Version, Template, Service, _ENVIRONMENT, _COMPONENT)
    .select_from(Instance)
    .join(Version, col(Version.id) == bindparam("version_id"))
    .join(Template, col(Template.id) == Version.template_id)
    .outerjoin(Service, col(Service.id) == Instance.service_id)
    .outerjoin(_ENVIRONMENT, col(_ENVIRONMENT.id) == Instance.environment_id)
    .outerjoin(
        _COMPONENT, and_(col(_COMPONENT.attached_id) == Instance.id, col(_COMPONENT.deployed_run_id).is_not(None))
    )
    .where(col(Instance.id) == bindparam("instance_id"))
)


_AROUND = (
    select(Instance, Service, _ENVIRONMENT, _COMPONENT)
    .select_from(Instance)
    .outerjoin(Service, col(Service.id) == Instance.service_id)
    .outerjoin(_ENVIRONMENT, col(_ENVIRONMENT.id) == Instance.environment_id)
    .outerjoin(
        _COMPONENT, and_(col(_COMPONENT.attached_id) == Instance.id, col(_COMPONENT.deployed_run_id).is_not(None))
    )
    .where(col(Instance.id).in_(bindparam("ids", expanding=True)))
    .order_by(col(Instance.address))
)
_NEIGHBOURS = (
    select(Instance, Version, Template, _ENVIRONMENT)
    .join(Version, col(Version.id) == Instance.version_id)
    .join(Template, col(Template.id) == Version.template_id)
    .join(_ENVIRONMENT, col(_ENVIRONMENT.id) == Instance.environment_id)
    .where(col(Instance.kind) == Kind.SERVICE_INSTANCE.value)
)
_UPSTREAM = select(col(Instance.address), col(Instance.upstream)).order_by(col(Instance.address))


@dataclass(frozen=True)
class Neighbour:
    """A service instance that another instance reads from."""

    instance: Instance
    version: Version
    template: Template
    environment: Instance


@dataclass(frozen=True)
class Related:
    """An instance, a version, and what the two refer to."""

    instance: Instance
    version: Version
    template: Template
    """Of the version."""
    service: Service | None
    """None for what belongs to no service."""
    environment: Instance | None
    """None for an environment itself, and for a pipeline."""
    component: Instance | None = None
    """What is attached to a service instance, once it has been deployed."""
    siblings: tuple[Neighbour, ...] = ()
    """The instances of the service of a pipeline that are awake, in the order in which they were made."""
    attached: Neighbour | None = None
    """The service instance that a component is attached to."""


class Relations(Instances):
    """The part of a transaction that speaks of an instance and its surroundings."""

    def related(self, instance_id: int, version_id: int) -> Related:
        """The instance and the version, which may be its own or one that it is to have. Raises NotFound."""
        ids = {"instance_id": instance_id, "version_id": version_id}
        row = self._session.execute(_RELATED, ids).one_or_none()
        if row is None:
            self.instance_by_id(instance_id)
            raise NotFound(f"There is no version with id {version_id}.")
        found = Related(*row)
        if found.instance.kind == Kind.PIPELINE:
            siblings = self._neighbours(col(Instance.service_id) == found.instance.service_id)
            # a pipeline is not given what is not there: it is deployed again when one of them is woken
            awake = tuple(each for each in siblings if each.instance.hibernated_at is None)
            return replace(found, siblings=awake)
        return replace(found, attached=self.neighbour(found.instance.attached_id))

    def all_related(self, instance_ids: Sequence[int], version_id: int) -> list[Related]:
        """As related(), for many environments or service instances that are to have one version, by address; what has
        gone by now is left out. Raises NotFound for the version.
        """
        version = self._by_id(Version, version_id)
        if version is None:
            raise NotFound(f"There is no version with id {version_id}.")
        template = self._by_id(Template, version.template_id)
        assert template is not None
        rows = self._session.execute(_AROUND, {"ids": list(instance_ids)}).all()
        return [Related(instance, version, template, *around) for instance, *around in rows]

    def neighbour(self, instance_id: int | None) -> Neighbour | None:
        """The service instance of that id; None for None. Raises NotFound when it has gone."""
        if instance_id is None:
            return None
        found = self._neighbours(col(Instance.id) == instance_id)
        if not found:
            self.instance_by_id(instance_id)
        return found[0]

    def component_of(self, instance: Instance) -> Instance | None:
        """The component that is attached to a service instance; None when none is."""
        return self._session.execute(select(Instance).where(col(Instance.attached_id) == instance.id)).scalars().first()

    def component_to_be(self, instance: Instance) -> Instance | None:
        """The component that a run under way attaches to a service instance; None when none does."""
        active = [status.value for status in ACTIVE]
        runs = select(col(Run.instance_id)).where(col(Run.attached_id) == instance.id, col(Run.status).in_(active))
        return self._session.execute(select(Instance).where(col(Instance.id).in_(runs))).scalars().first()

    def readers_of(self, instance: Instance) -> list[Instance]:
        """The instances that outputs of this one flow into, by address: of an environment what lives in it and the
        pipelines of that, of a service instance its pipeline, of a component the instance that it is attached to.
        """
        services = select(col(Instance.service_id)).where(
            or_(col(Instance.environment_id) == instance.id, col(Instance.id) == instance.id)
        )
        readers = or_(
            col(Instance.environment_id) == instance.id,
            col(Instance.id) == instance.attached_id,
            and_(col(Instance.kind) == Kind.PIPELINE.value, col(Instance.service_id).in_(services)),
        )
        return [found for found in self._instances(readers) if found.id != instance.id]

    def outputs_read(self, template: Template, major: int) -> dict[Kind, dict[str, tuple[str, ...]]]:
        """Which outputs of the instances of a major version others were deployed with: kind of those instances ->
        output -> addresses of the readers, in order.
        """
        made = select(col(Instance.address), col(Instance.kind)).join(Version, col(Version.id) == Instance.version_id)
        known = made.where(col(Instance.template_id) == template.id, col(Version.major) == major)
        kinds = {address: Kind(kind) for address, kind in self._session.execute(known)}
        found: dict[Kind, dict[str, tuple[str, ...]]] = {}
        for reader, upstream in self._session.execute(_UPSTREAM):
            read = {(kinds[address], name) for address in upstream.keys() & kinds for name in upstream[address]}
            for kind, name in read:
                outputs = found.setdefault(kind, {})
                outputs[name] = (*outputs.get(name, ()), reader)
        return found

    def _neighbours(self, condition: ColumnElement[bool]) -> tuple[Neighbour, ...]:
        query = _NEIGHBOURS.where(condition).order_by(col(Instance.id))
        return tuple(Neighbour(*row) for row in self._session.execute(query))
