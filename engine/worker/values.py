"""What a run hands to Terraform, as Proton's namespace has it, and what of it is secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.core import namespace
from engine.core.address import Address, Kind
from engine.core.arns import Owner
from engine.core.fingerprint import value_digest
from engine.core.namespace import EnvironmentValues, InstanceValues, ServiceValues, Values
from engine.core.outputs import Secret, output_text
from engine.errors import Conflict
from engine.settings import Settings
from engine.worker.work import Upstream, Work

StateOutputs = Callable[[Address], Mapping[str, Mapping[str, object]]]
"""Address -> outputs as its state has them, sensitive ones with their value."""


def owner(settings: Settings) -> Owner:
    """Who names and tags say the resources belong to."""
    return Owner(settings.account_id, settings.region)


def of(work: Work, settings: Settings, state_outputs: StateOutputs, key: bytes) -> Values:
    """The values of the run's namespace. Sensitive outputs come from the upstream's state, wrapped as Secret.

    Raises Conflict when that state is not what the upstream's last successful run left. `key` is the home's.
    """
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
            work.environment.address.name, settings.account_id, known(work.environment, state_outputs, key)
        ),
        inputs=work.inputs,
    )


def known(upstream: Upstream, state_outputs: StateOutputs, key: bytes) -> dict[str, object]:
    """Output name -> value or Secret of an upstream. Raises Conflict as of() does."""
    hidden = [name for name, output in upstream.outputs.items() if output["sensitive"]]
    state = state_outputs(upstream.address) if hidden else {}
    for name in hidden:
        if name not in state or value_digest(state[name]["value"], key) != upstream.outputs[name]["fingerprint"]:
            raise Conflict(
                f"The state of {upstream.address} is not what its last successful run left: see its output {name}.",
                hint=f"Deploy it first: landform env update {upstream.address.name} --kind current-version",
            )
    secrets = {name: Secret(output_text(state[name]["value"])) for name in hidden}
    return {name: output.get("value") for name, output in upstream.outputs.items() if name not in hidden} | secrets


def secrets(values: Values) -> tuple[str, ...]:
    """The texts that must not be seen, longest first."""
    upstream = getattr(values, "environment", None)
    found = upstream.outputs.values() if isinstance(upstream, namespace.Upstream) else ()
    return tuple(sorted((value.text for value in found if isinstance(value, Secret)), key=len, reverse=True))
