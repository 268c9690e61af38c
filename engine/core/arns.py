"""Resource names in ARN form (reference section 8.4): what tags, headers and generated files call a thing by."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.address import Address, Kind, component, environment, pipeline, quoted, service_instance
from engine.core.versions import TemplateKind
from engine.errors import Invalid


@dataclass(frozen=True)
class Owner:
    """Whose resources they are, for names and tags."""

    account_id: str
    """Twelve digits."""
    region: str


def arn(owner: Owner, address: Address) -> str:
    """The ARN of an environment, service instance, pipeline or component."""
    return _arn(owner, resource(address))


def resource(address: Address) -> str:
    """The last part of an ARN, which says what it is: `service/orders/service-instance/prod`."""
    name = address.name
    resources = {
        Kind.ENVIRONMENT: f"environment/{name}",
        Kind.SERVICE_INSTANCE: f"service/{address.service}/service-instance/{name}",
        Kind.PIPELINE: f"service/{name}/pipeline",
        Kind.COMPONENT: f"component/{name}",
    }
    return resources[address.kind]


def is_arn(text: str) -> bool:
    """Whether the text wants to be an ARN."""
    return text.startswith("arn:")


def parse(text: str) -> Address:
    """What an ARN names, whoever's it is; that of a pipeline may end with an id. Raises Invalid."""
    match text.split(":", 5)[-1].split("/") if text.count(":") == 5 else []:
        case ["environment", name]:
            return environment(name)
        case ["service", service, "service-instance", name]:
            return service_instance(service, name)
        case ["service", service, "pipeline"] | ["service", service, "pipeline", _]:
            return pipeline(service)
        case ["component", name]:
            return component(name)
    raise Invalid(
        f"{quoted(text)} is not the ARN of anything that is deployed.",
        hint="It is in .proton/deployment-metadata.json, as arn.",
    )


def service_arn(owner: Owner, name: str) -> str:
    """The ARN of a service."""
    return _arn(owner, f"service/{name}")


def template_arn(owner: Owner, kind: TemplateKind, name: str) -> str:
    """The ARN of a template, without a version."""
    return _arn(owner, f"{kind.value}-template/{name}")


def campaign_arn(owner: Owner, number: int) -> str:
    """The ARN of a campaign, which Proton had none of."""
    return _arn(owner, f"campaign/{number}")


def _arn(owner: Owner, resource: str) -> str:
    return f"arn:aws:proton:{owner.region}:{owner.account_id}:{resource}"
