"""`.proton/deployment-metadata.json` (reference section 2.7): what a pipeline outside of us reads."""

from __future__ import annotations

import json
from dataclasses import dataclass

from engine.core import jackson
from engine.core.address import Address, Kind
from engine.core.arns import Owner, arn, service_arn, template_arn
from engine.core.namespace import ComponentValues, EnvironmentValues, InstanceValues, Values
from engine.core.versions import Number, TemplateKind
from engine.errors import Conflict

DELETED = "<proton-resource-deleted>"


@dataclass(frozen=True)
class Deployment:
    """The deployment a file tells of."""

    id: str
    """A UUID, or DELETED once the resource is gone."""
    number: Number
    """The template version; without meaning for components."""
    is_deleted: bool = False
    """The receiver is to destroy."""


def metadata(values: Values, owner: Owner, deployment: Deployment) -> dict[str, object]:
    """The members of the file, in order."""
    head: dict[str, object] = {"deploymentId": deployment.id, "isResourceDeleted": deployment.is_deleted}
    if isinstance(values, ComponentValues):
        return head | {"componentMetadata": _component(values, owner)}
    kind = TemplateKind.ENVIRONMENT if isinstance(values, EnvironmentValues) else TemplateKind.SERVICE
    resource = {
        "arn": arn(owner, values.address),
        "templateArn": template_arn(owner, kind, values.template),
        "templateMajorVersion": str(deployment.number.major),
        "templateMinorVersion": str(deployment.number.minor),
    }
    if isinstance(values, InstanceValues):
        resource["environmentArn"] = _environment_arn(owner, values.environment.name)
    return head | {"resourceMetadata": resource}


@dataclass(frozen=True)
class Written:
    """What a file says that lies in a repository already."""

    resource: str
    """As core.arns.resource(): accounts and regions differ between Proton's files and ours."""
    is_deleted: bool
    members: dict[str, object]


def read(content: bytes, place: str) -> Written:
    """What the file `place` says. Raises Conflict when it cannot be read: nobody knows then whose folder it is."""
    try:
        members = json.loads(content)
        described = members.get("resourceMetadata") or members.get("componentMetadata")
        return Written(described["arn"].split(":", 5)[5], members["isResourceDeleted"] is True, members)
    except (ValueError, RecursionError, AttributeError, TypeError, LookupError) as error:
        raise Conflict(
            f"{place} in the repository cannot be read: it does not say what it describes.",
            hint="Restore it from the history of the repository, or remove the folder.",
        ) from error


def deleted(written: Written) -> bytes:
    """The file for what is gone: all that it says stays, but for the deployment."""
    return jackson.text(written.members | {"deploymentId": DELETED, "isResourceDeleted": True}).encode()


def _component(values: ComponentValues, owner: Owner) -> dict[str, str]:
    members = {
        "arn": arn(owner, values.address),
        "environmentArn": _environment_arn(owner, values.environment.name),
    }
    if attachment := values.attachment:
        instance = Address(Kind.SERVICE_INSTANCE, (attachment.service, attachment.instance))
        members["serviceArn"] = service_arn(owner, attachment.service)
        members["serviceInstanceArn"] = arn(owner, instance)
    return members | {"componentType": "default"}


def _environment_arn(owner: Owner, name: str) -> str:
    return arn(owner, Address(Kind.ENVIRONMENT, (name,)))
