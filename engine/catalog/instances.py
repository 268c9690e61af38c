"""Facts about instances: environments, service instances, pipelines and components."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam
from sqlmodel import col, select

from engine.catalog import missing
from engine.catalog.notices import Notices
from engine.catalog.tables import Instance, Service
from engine.core.address import Address, Kind, parse
from engine.errors import Conflict, NotFound

_AT = select(Instance).where(Instance.address == bindparam("of"))


class Instances(Notices):
    """The part of a transaction that speaks of instances."""

    def add_instance(self, address: Address | str, **fields: Any) -> Instance:
        """An instance that has never been deployed, of the kind and name that its address says.

        `fields` are columns of it, `template_id` and `version_id` at least. Raises Conflict when the address is taken.
        """
        place, now = parse(str(address)), self._now()
        known = {"kind": place.kind.value, "name": place.name, "created_at": now, "updated_at": now}
        instance = Instance(**{**known, **fields}, address=str(place))
        return self._insert(instance, lambda: self._address_taken(place))

    def instance(self, address: Address) -> Instance:
        """What has that address. Raises NotFound."""
        found = self.find_instance(address)
        if found is None:
            same_kind = select(Instance.address).where(Instance.kind == address.kind.value)
            raise missing.no_instance(address, self._session.exec(same_kind.limit(missing.CANDIDATES_MAX)))
        return found

    def find_instance(self, address: Address) -> Instance | None:
        """What has that address; None when nothing has."""
        return self._session.execute(_AT, {"of": str(address)}).scalar_one_or_none()

    def find_instance_by_id(self, instance_id: int) -> Instance | None:
        """The instance of that number; None when it has gone."""
        return self._by_id(Instance, instance_id)

    def instance_by_id(self, instance_id: int) -> Instance:
        """The instance that another row refers to. Raises NotFound when it has gone."""
        instance = self.find_instance_by_id(instance_id)
        if instance is None:
            raise NotFound(f"There is no instance with id {instance_id}.")
        return instance

    def instances_of(self, service: Service, kind: Kind | None = None) -> list[Instance]:
        """The instances of a service and its pipeline, or those of one kind, by address."""
        found = self._instances(col(Instance.service_id) == service.id)
        return [row for row in found if kind is None or row.kind == kind]

    def instances_in(self, environment: Instance) -> list[Instance]:
        """The service instances and components that live in an environment, by address."""
        return self._instances(col(Instance.environment_id) == environment.id)

    def deployed_twin(self, instance: Instance) -> Instance | None:
        """Another instance of the same version that was deployed, the newest; None when there is none."""
        query = select(Instance).where(
            Instance.version_id == instance.version_id, col(Instance.deployed_run_id).is_not(None)
        )
        return self._session.exec(query.order_by(col(Instance.id).desc()).limit(1)).first()

    def remove_instance(self, instance: Instance) -> None:
        """Takes the instance away; its runs stay. Raises Conflict while something lives in it."""
        inside = self.instances_in(instance)
        if inside:
            raise Conflict(f"{instance.address} is in use by {', '.join(row.address for row in inside)}.")
        self.tell_removal(instance)
        self._delete(instance)

    def _instances(self, condition: ColumnElement[bool]) -> list[Instance]:
        return list(self._session.exec(select(Instance).where(condition).order_by(col(Instance.address))))

    def _address_taken(self, address: Address) -> Conflict | None:
        if self.find_instance(address) is None:
            return None
        noun, name = address.kind.noun.capitalize(), str(address).partition("/")[2]
        return Conflict(f"{noun} {name} exists already.", hint=missing.see(address))
