"""Proton's namespace: the values Terraform is handed, kind by kind, in the order Proton wrote them.

The members and their order are those of reference sections 2.1, 2.5 and 2.9.
Where Proton left something out for no good reason, `exact=True` leaves it out too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.address import Address, Kind
from engine.core.arns import Owner, arn, service_arn, template_arn
from engine.core.outputs import outputs
from engine.core.versions import TemplateKind


@dataclass(frozen=True)
class Upstream:
    """An environment as those that live in it see it."""

    name: str
    account_id: str
    outputs: Mapping[str, object] = field(default_factory=dict)
    """Output name -> value as Terraform has it, or Secret."""

    def members(self) -> dict[str, object]:
        """The `environment` member."""
        return {"account_id": self.account_id, "name": self.name, "outputs": outputs(self.outputs)}


@dataclass(frozen=True)
class ServiceValues:
    """The service; the repository is "" throughout where there is no pipeline of ours."""

    name: str
    repository_connection_arn: str = ""
    repository_id: str = ""
    branch_name: str = ""

    def members(self) -> dict[str, object]:
        """The `service` member."""
        return {
            "name": self.name,
            "repository_connection_arn": self.repository_connection_arn,
            "repository_id": self.repository_id,
            "branch_name": self.branch_name,
        }


@dataclass(frozen=True)
class AttachedComponent:
    """The component of a service instance, as that instance sees it."""

    name: str
    outputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class EnvironmentValues:
    """What an environment's Terraform is handed."""

    name: str
    template: str
    inputs: Mapping[str, object] = field(default_factory=dict)
    """In the order of the schema, with defaults, without unset optional ones."""
    extra_tags: Mapping[str, str] = field(default_factory=dict)
    """Those of people, after ours in `proton_tags`."""

    @property
    def address(self) -> Address:
        """What the values are for."""
        return Address(Kind.ENVIRONMENT, (self.name,))

    def tags(self, owner: Owner) -> dict[str, str]:
        """The `proton_tags` member."""
        return {
            "proton:account": owner.account_id,
            "proton:template": template_arn(owner, TemplateKind.ENVIRONMENT, self.template),
            "proton:environment": arn(owner, self.address),
            **self.extra_tags,
        }

    def variables(self, owner: Owner) -> dict[str, object]:
        """The members of the values file."""
        return {
            "environment": {"name": self.name, "inputs": self.inputs},
            "proton_tags": self.tags(owner),
            "//": arn(owner, self.address),
        }


@dataclass(frozen=True)
class InstanceValues:
    """What a service instance's Terraform is handed."""

    name: str
    template: str
    service: ServiceValues
    environment: Upstream
    inputs: Mapping[str, object] = field(default_factory=dict)
    """In the order of the schema, with defaults, without unset optional ones."""
    component: AttachedComponent | None = None
    """None when no component is attached."""
    extra_tags: Mapping[str, str] = field(default_factory=dict)
    """Those of people, after ours in `proton_tags`."""

    @property
    def address(self) -> Address:
        """What the values are for."""
        return Address(Kind.SERVICE_INSTANCE, (self.service.name, self.name))

    def tags(self, owner: Owner) -> dict[str, str]:
        """The `proton_tags` member."""
        return {
            "proton:account": owner.account_id,
            "proton:template": template_arn(owner, TemplateKind.SERVICE, self.template),
            "proton:service": service_arn(owner, self.service.name),
            "proton:environment": _environment_arn(owner, self.environment),
            "proton:service-instance": arn(owner, self.address),
            **self.extra_tags,
        }

    def variables(self, owner: Owner) -> dict[str, object]:
        """The members of the values file."""
        component = self.component
        default = {"name": component.name, "outputs": outputs(component.outputs)} if component else None
        return {
            "environment": self.environment.members(),
            "service": self.service.members(),
            "service_instance": {
                "name": self.name,
                "inputs": self.inputs,
                "components": {"default": default} if default else {},
            },
            "proton_tags": self.tags(owner),
            "//": arn(owner, self.address),
        }


@dataclass(frozen=True)
class PipelineInstance:
    """A service instance as its service's pipeline sees it."""

    name: str
    environment: Upstream
    inputs: Mapping[str, object] = field(default_factory=dict)
    outputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class PipelineValues:
    """What a pipeline's Terraform is handed."""

    template: str
    service: ServiceValues
    inputs: Mapping[str, object] = field(default_factory=dict)
    instances: tuple[PipelineInstance, ...] = ()
    """In the order of the service spec."""
    exact: bool = False
    """Leave out an instance's unset inputs, as Proton did; otherwise they are null.

    Terraform turns 80 into "80" when the instances of the list do not all have the same inputs (section 2.4). Lists
    and objects it refuses, with null too, where they are not of one shape in all instances.
    """
    extra_tags: Mapping[str, str] = field(default_factory=dict)
    """Those of people, after ours in `proton_tags`."""

    @property
    def address(self) -> Address:
        """What the values are for."""
        return Address(Kind.PIPELINE, (self.service.name,))

    def tags(self, owner: Owner) -> dict[str, str]:
        """The `proton_tags` member."""
        return {
            "proton:account": owner.account_id,
            "proton:template": template_arn(owner, TemplateKind.SERVICE, self.template),
            "proton:service": service_arn(owner, self.service.name),
            **self.extra_tags,
        }

    def variables(self, owner: Owner) -> dict[str, object]:
        """The members of the values file."""
        return {
            "pipeline": {"inputs": self.inputs},
            "service": self.service.members(),
            "service_instances": [self._members(instance) for instance in self.instances],
            "proton_tags": self.tags(owner),
            "//": arn(owner, self.address),
        }

    def _members(self, instance: PipelineInstance) -> dict[str, object]:
        everywhere = dict.fromkeys(name for each in self.instances for name in each.inputs)
        return {
            "name": instance.name,
            "inputs": instance.inputs if self.exact else {name: instance.inputs.get(name) for name in everywhere},
            "outputs": outputs(instance.outputs),
            "environment": instance.environment.members(),
        }


@dataclass(frozen=True)
class Attachment:
    """The service instance that a component is attached to."""

    service: str
    instance: str
    inputs: Mapping[str, object] = field(default_factory=dict)
    """The instance's inputs, as the component's own spec gives them."""


@dataclass(frozen=True)
class ComponentValues:
    """What a component's Terraform is handed."""

    name: str
    environment: Upstream
    attachment: Attachment | None = None
    """None while it is detached."""
    exact: bool = False
    """Inputs lose their types and there are no tags, as Proton had it; otherwise it is as for the other kinds."""
    extra_tags: Mapping[str, str] = field(default_factory=dict)
    """Those of people, after ours in `proton_tags`."""

    @property
    def address(self) -> Address:
        """What the values are for."""
        return Address(Kind.COMPONENT, (self.name,))

    def tags(self, owner: Owner) -> dict[str, str]:
        """The `proton_tags` member; Proton wrote none for components."""
        tags = {
            "proton:account": owner.account_id,
            "proton:environment": _environment_arn(owner, self.environment),
        }
        if attachment := self.attachment:
            instance = Address(Kind.SERVICE_INSTANCE, (attachment.service, attachment.instance))
            tags["proton:service"] = service_arn(owner, attachment.service)
            tags["proton:service-instance"] = arn(owner, instance)
        return tags | {"proton:component": arn(owner, self.address), **self.extra_tags}

    def variables(self, owner: Owner) -> dict[str, object]:
        """The members of the values file."""
        members: dict[str, object] = {"component": {"name": self.name}, "environment": self.environment.members()}
        if attachment := self.attachment:
            members["service"] = {"name": attachment.service}
            members["service_instance"] = {"name": attachment.instance, "inputs": attachment.inputs}
        if not self.exact:
            members["proton_tags"] = self.tags(owner)
        return members | {"//": arn(owner, self.address)}


Values = EnvironmentValues | InstanceValues | PipelineValues | ComponentValues


def _environment_arn(owner: Owner, environment: Upstream) -> str:
    return arn(owner, Address(Kind.ENVIRONMENT, (environment.name,)))
