"""Resource names in ARN form (reference section 8.4): what tags, headers and generated files call a thing by."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.address import Address, Kind
from engine.core.versions import TemplateKind


@dataclass(frozen=True)
class Owner:
    """Whose resources they are, for names and tags."""

    account_id: str
    """Twelve digits."""
    region: str


def arn(owner: Owner, address: Address) -> str:
    """The ARN of an environment, service instance, pipeline or component."""
    name = address.name
    resources = {
        Kind.ENVIRONMENT: f"environment/{name}",
        Kind.SERVICE_INSTANCE: f"service/{address.service}/service-instance/{name}",
        Kind.PIPELINE: f"service/{name}/pipeline",
        Kind.COMPONENT: f"component/{name}",
    }
    return _arn(owner, resources[address.kind])


def service_arn(owner: Owner, name: str) -> str:
    """The ARN of a service."""
    return _arn(owner, f"service/{name}")


def template_arn(owner: Owner, kind: TemplateKind, name: str) -> str:
    """The ARN of a template, without a version."""
    return _arn(owner, f"{kind.value}-template/{name}")


def _arn(owner: Owner, resource: str) -> str:
    return f"arn:aws:proton:{owner.region}:{owner.account_id}:{resource}"
