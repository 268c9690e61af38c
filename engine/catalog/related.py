"""An instance with all that it takes to deploy it, read at once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from engine.catalog.instances import Instances
from engine.catalog.tables import Instance, Service, Template, Version
from engine.errors import NotFound

_ENVIRONMENT = aliased(Instance)
_RELATED = (
    select(Instance, Version, Template, Service, _ENVIRONMENT)
    .select_from(Instance)
    .join(Version, col(Version.id) == bindparam("version_id"))
    .join(Template, col(Template.id) == Version.template_id)
    .outerjoin(Service, col(Service.id) == Instance.service_id)
    .outerjoin(_ENVIRONMENT, col(_ENVIRONMENT.id) == Instance.environment_id)
    .where(col(Instance.id) == bindparam("instance_id"))
)


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
    """None for an environment itself."""


class Relations(Instances):
    """The part of a transaction that speaks of an instance and its surroundings."""

    def related(self, instance_id: int, version_id: int) -> Related:
        """The instance and the version, which may be its own or one that it is to have. Raises NotFound."""
        ids = {"instance_id": instance_id, "version_id": version_id}
        row = self._session.execute(_RELATED, ids).one_or_none()
        if row is None:
            self.instance_by_id(instance_id)
            raise NotFound(f"There is no version with id {version_id}.")
        return Related(*row)
