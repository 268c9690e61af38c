"""Facts about services."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from engine.catalog import missing
from engine.catalog.syncs import Syncs
from engine.catalog.tables import Instance, Service
from engine.core.syncs import Kind
from engine.errors import Conflict, NotFound


class Services(Syncs):
    """The part of a transaction that speaks of services."""

    def add_service(self, name: str, template_id: int, major: int, **fields: Any) -> Service:
        """A service without instances; `fields` are columns of it. Raises Conflict when the name is taken."""
        service = Service(name=name, template_id=template_id, major=major, created_at=self._now(), **fields)
        return self._insert(service, lambda: self._service_taken(name))

    def service(self, name: str) -> Service:
        """The service of that name. Raises NotFound."""
        found = self.find_service(name)
        if found is None:
            query = select(Service.name).limit(missing.CANDIDATES_MAX)
            raise missing.no_service(name, self._session.exec(query))
        return found

    def find_service(self, name: str) -> Service | None:
        """The service of that name; None when there is none."""
        return self._session.exec(select(Service).where(Service.name == name)).one_or_none()

    def service_by_id(self, service_id: int) -> Service:
        """The service that another row refers to. Raises NotFound when it has gone."""
        service = self._by_id(Service, service_id)
        if service is None:
            raise NotFound(f"There is no service with id {service_id}.")
        return service

    def services(self) -> list[Service]:
        """All services, by name."""
        return list(self._session.exec(select(Service).order_by(col(Service.name))))

    def remove_service(self, service: Service) -> None:
        """Takes the service away, and what it follows. Raises Conflict while it has an instance or pipeline."""
        query = select(Instance.address).where(Instance.service_id == service.id).order_by(col(Instance.address))
        addresses = list(self._session.exec(query))
        if addresses:
            raise Conflict(f"Service {service.name} still has {', '.join(addresses)}.")
        self.forget_sync(Kind.SERVICE, service.name)
        self._delete(service)

    def _service_taken(self, name: str) -> Conflict | None:
        if self.find_service(name) is None:
            return None
        return Conflict(f"A service {name} exists already.", hint=f"See it: landform service show {name}")
