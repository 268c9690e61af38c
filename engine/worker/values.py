"""What a run hands to Terraform, as Proton's namespace has it, and what of it is secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.core import namespace
from engine.core.address import Address, Kind
from engine.core.arns import Owner
from engine.core.namespace import EnvironmentValues, InstanceValues, ServiceValues, Values
from engine.core.outputs import Secret, output_text
from engine.settings import Settings
from engine.worker.work import Upstream, Work

StateOutputs = Callable[[Address], Mapping[str, Mapping[str, object]]]
"""Address -> outputs as its state has them, sensitive ones with their value."""


def owner(settings: Settings) -> Owner:
    """Who names and tags say the resources belong to."""
    return Owner(settings.account_id, settings.region)


def of(work: Work, settings: Settings, state_outputs: StateOutputs) -> Values:
    """The values of the run's namespace. Sensitive outputs come from the upstream's state, wrapped as Secret."""
    if work.address.kind is Kind.ENVIRONMENT:
        return EnvironmentValues(work.address.name, work.template, work.inputs)
    assert work.environment is not None
    return InstanceValues(
        name=work.address.name,
        template=work.template,
        service=ServiceValues(
            work.address.service, work.repository.connection, work.repository.name, work.repository.branch
        ),
        environment=namespace.Upstream(
            work.environment.address.name, settings.account_id, known(work.environment, state_outputs)
        ),
        inputs=work.inputs,
    )


def known(upstream: Upstream, state_outputs: StateOutputs) -> dict[str, object]:
    """Output name -> value or Secret of an upstream."""
    hidden = [name for name, output in upstream.outputs.items() if output["sensitive"]]
    state = state_outputs(upstream.address) if hidden else {}
    secrets = {name: Secret(output_text(state[name]["value"])) for name in hidden if name in state}
    return {name: output.get("value") for name, output in upstream.outputs.items() if name not in hidden} | secrets


def secrets(values: Values) -> tuple[str, ...]:
    """The texts that must not be seen, longest first."""
    upstream = getattr(values, "environment", None)
    found = upstream.outputs.values() if isinstance(upstream, namespace.Upstream) else ()
    return tuple(sorted((value.text for value in found if isinstance(value, Secret)), key=len, reverse=True))
