"""What a run hands to Terraform, as Proton's namespace has it, and what of it is secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from engine.core import namespace
from engine.core.address import Kind
from engine.core.arns import Owner
from engine.core.fingerprint import value_digest
from engine.core.namespace import (
    AttachedComponent,
    Attachment,
    ComponentValues,
    EnvironmentValues,
    InstanceValues,
    PipelineInstance,
    PipelineValues,
    ServiceValues,
    Values,
)
from engine.core.outputs import Secret, output_text
from engine.core.runs import Operation
from engine.errors import Conflict
from engine.settings import Settings
from engine.worker.credentials import profile as credentials_of
from engine.worker.work import Neighbour, Upstream, Work

StateOutputs = Callable[[Upstream], Mapping[str, Mapping[str, object]]]
"""Upstream -> outputs as its state has them, sensitive ones with their value."""


def owner(settings: Settings, credentials: str = "") -> Owner:
    """Who names and tags say the resources belong to, of what is made with the credentials of that name.

    Raises Invalid when this machine does not know them.
    """
    profile = credentials_of(settings, credentials)
    return Owner(profile.account_id if profile and profile.account_id else settings.account_id, settings.region)


def of(work: Work, settings: Settings, state_outputs: StateOutputs, key: bytes) -> Values:
    """The values of the run's namespace. Sensitive outputs come from the upstream's state, wrapped as Secret.

    Raises Conflict when that state is not what the upstream's last successful run left. `key` is the home's.
    """
    return replace(_VALUES[work.address.kind](work, _Sources(settings, state_outputs, key)), extra_tags=work.tags)


@dataclass(frozen=True)
class _Sources:
    """Where the outputs of upstreams are found."""

    settings: Settings
    state_outputs: StateOutputs
    key: bytes

    def outputs(self, upstream: Upstream) -> dict[str, object]:
        return known(upstream, self.state_outputs, self.key)

    def environment(self, upstream: Upstream | None) -> namespace.Upstream:
        assert upstream is not None
        account_id = owner(self.settings, upstream.credentials).account_id
        return namespace.Upstream(upstream.address.name, account_id, self.outputs(upstream))


def _environment(work: Work, sources: _Sources) -> Values:
    return EnvironmentValues(work.address.name, work.template, work.inputs)


def _instance(work: Work, sources: _Sources) -> Values:
    component = work.component
    return InstanceValues(
        name=work.address.name,
        template=work.template,
        service=_service(work),
        environment=sources.environment(work.environment),
        inputs=work.inputs,
        component=AttachedComponent(component.address.name, sources.outputs(component)) if component else None,
    )


def _pipeline(work: Work, sources: _Sources) -> Values:
    instances = tuple(
        PipelineInstance(
            each.instance.address.name,
            sources.environment(each.environment),
            each.inputs,
            sources.outputs(each.instance),
        )
        for each in _deployed(work)
    )
    return PipelineValues(work.template, _service(work), work.inputs, instances)


def _deployed(work: Work) -> list[Neighbour]:
    """The instances that a pipeline is given. Raises Conflict when one was never deployed, unless the pipeline goes:
    the code would read outputs that it has not.
    """
    found = [each for each in work.neighbours if each.instance.deployed_run is not None]
    missing = [each.instance.address for each in work.neighbours if each.instance.deployed_run is None]
    if missing and work.operation is Operation.DEPLOY:
        raise Conflict(
            f"{work.address} comes after the instances of its service, and {missing[0]} has not been deployed yet.",
            hint=f"Deploy it first: {_DEPLOY[Kind.SERVICE_INSTANCE].format(str(missing[0]).partition('/')[2])}",
        )
    return found


def _component(work: Work, sources: _Sources) -> Values:
    where = work.attached
    attachment = Attachment(where.service, where.name, work.inputs) if where else None
    return ComponentValues(work.address.name, sources.environment(work.environment), attachment)


_VALUES: dict[Kind, Callable[[Work, _Sources], Values]] = {
    Kind.ENVIRONMENT: _environment,
    Kind.SERVICE_INSTANCE: _instance,
    Kind.PIPELINE: _pipeline,
    Kind.COMPONENT: _component,
}


def _service(work: Work) -> ServiceValues:
    repository = work.repository
    return ServiceValues(work.address.service, repository.connection, repository.name, repository.branch)


def known(upstream: Upstream, state_outputs: StateOutputs, key: bytes) -> dict[str, object]:
    """Output name -> value or Secret of an upstream. Raises Conflict as of() does."""
    hidden = [name for name, output in upstream.outputs.items() if output["sensitive"]]
    state = state_outputs(upstream) if hidden else {}
    deploy = _DEPLOY[upstream.address.kind].format(str(upstream.address).partition("/")[2])
    for name in hidden:
        if name not in state or value_digest(state[name]["value"], key) != upstream.outputs[name]["fingerprint"]:
            raise Conflict(
                f"The state of {upstream.address} is not what its last successful run left: see its output {name}.",
                hint=f"Deploy it first: {deploy}",
            )
    secrets = {name: Secret(output_text(state[name]["value"])) for name in hidden}
    return {name: output.get("value") for name, output in upstream.outputs.items() if name not in hidden} | secrets


_DEPLOY = {
    Kind.ENVIRONMENT: "landform env update {} --kind current-version",
    Kind.SERVICE_INSTANCE: "landform instance update {} --kind current-version",
    Kind.COMPONENT: "landform component update {} --kind current-version",
}


def secrets(values: Values) -> tuple[str, ...]:
    """The texts that must not be seen, longest first."""
    found = {value.text for outputs in _flowing(values) for value in outputs.values() if isinstance(value, Secret)}
    return tuple(sorted(found, key=len, reverse=True))


def _flowing(values: Values) -> Iterator[Mapping[str, object]]:
    """The outputs of others in the values."""
    if isinstance(values, PipelineValues):
        for each in values.instances:
            yield from (each.outputs, each.environment.outputs)
    elif not isinstance(values, EnvironmentValues):
        yield values.environment.outputs
        if isinstance(values, InstanceValues) and values.component:
            yield values.component.outputs
