"""All that a run needs to know, read from the catalog at once: after this no phase asks the catalog again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from engine.core import address, bundle, provisioning, registered, shapes, tags
from engine.core.address import Address, Kind
from engine.core.bundle import PART_OF, Facts, Part
from engine.core.guards import Guarded
from engine.core.guards import from_json as guards_from_json
from engine.core.located import Json
from engine.core.run_env import EnvValue
from engine.core.runs import Operation, Status
from engine.core.versions import TemplateKind

if TYPE_CHECKING:
    from engine.catalog.related import Neighbour as Row
    from engine.catalog.related import Related
    from engine.catalog.tables import Instance, Run, Service, Template, Version
    from engine.catalog.tx import Tx
    from engine.worker.credentials import Session


@dataclass(frozen=True)
class Upstream:
    """An instance whose outputs flow into this one."""

    address: Address
    outputs: Mapping[str, Mapping[str, object]]
    """As catalog.tables.Instance.outputs."""
    deployed_run: int | None
    instance_id: int = 0
    backend: Mapping[str, Any] = field(default_factory=dict)
    """As catalog.tables.Instance.backend."""
    credentials: str = ""
    """Of its environment, as catalog.tables.Instance.credentials."""


@dataclass(frozen=True)
class Neighbour:
    """A service instance, as the pipeline of its service or a component that is attached to it sees it."""

    instance: Upstream
    inputs: Mapping[str, object]
    """Complete, of its last successful deploy."""
    environment: Upstream


@dataclass(frozen=True)
class Repository:
    """Where the code of a service lives; "" where there is none."""

    connection: str = ""
    name: str = ""
    branch: str = ""


@dataclass(frozen=True)
class Work:
    """One run, with everything it needs."""

    run_id: int
    """0 outside of any run."""
    fence: int
    address: Address
    operation: Operation
    template: str
    bundle: str
    """Digest of the bundle; "" when the version has none."""
    facts: Facts
    inputs: Mapping[str, object]
    """Complete inputs: defaults filled in, in the schema's order."""
    environment: Upstream | None
    """None for an environment itself, and for a pipeline."""
    repository: Repository
    run_env: Mapping[str, EnvValue]
    """Of its environment and its own; those of the home go below."""
    planned_with: Mapping[str, str]
    """The fingerprint of the run's plan; {} before there is one."""
    applied: Mapping[int, Status] = field(default_factory=dict)
    """Number -> status of the runs of this instance that began to apply, this one included."""
    instance_id: int = 0
    backend: Mapping[str, Any] = field(default_factory=dict)
    """As catalog.tables.Instance.backend."""
    diverged: str = ""
    """As catalog.tables.Instance.diverged."""
    component: Upstream | None = None
    """What is attached to a service instance."""
    neighbours: tuple[Neighbour, ...] = ()
    """The instances of the service of a pipeline, in the order in which they were made."""
    attached: Address | None = None
    """The service instance that a component is attached to; its inputs are `inputs`."""
    proposed_in: provisioning.Repository | None = None
    """Where others are asked to carry the run out; None where Landform does."""
    input_type: Json = field(default_factory=dict)
    """What the inputs must look like."""
    references: Mapping[str, str] | None = field(default=None, repr=False)
    """Reference in the inputs -> its value; None before they have been looked up, {} where nobody is to know them."""
    secret_env: Mapping[str, str] | None = None
    """Name -> value of the variables that lie in files; None before they have been read."""
    credentials: str = ""
    """Of its environment, as catalog.tables.Instance.credentials; a pipeline has those of the settings."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Those of people: its own, over those of its service and of its environment."""
    session: Session | None = None
    """What stands for them; None where there are none, and before anybody needs them."""
    guards: tuple[Guarded, ...] = ()
    """What its plans must keep to."""
    is_unsigned: bool = False
    """Whether it is only looked at, so that nobody is asked for credentials."""

    @property
    def part(self) -> Part | None:
        """The Terraform root to run; None when there is nothing to run (a customer-managed environment)."""
        return self.facts.part(PART_OF[self.address.kind])

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """Every instance whose outputs flow into this one, each once."""
        around = [upstream for each in self.neighbours for upstream in (each.instance, each.environment)]
        found = [*filter(None, (self.environment, self.component)), *around]
        return tuple({upstream.address: upstream for upstream in found}.values())


def bare(instance: Instance, environment: Instance | None) -> Work:
    """What it takes to reach the state of an instance, and no more; `environment` is the one that it runs in."""
    return Work(
        run_id=0,
        fence=0,
        address=address.parse(instance.address),
        operation=Operation.DEPLOY,
        template="",
        bundle="",
        facts=Facts(TemplateKind.ENVIRONMENT, customer_managed=False, parts={}),
        inputs={},
        environment=None,
        repository=Repository(),
        run_env={**(environment.run_env if environment else {}), **instance.run_env},
        credentials=(environment or instance).credentials,
        planned_with={},
        instance_id=instance.id or 0,
        backend=instance.backend,
    )


def load(tx: Tx, run: Run) -> Work:
    """Everything the run needs, as it is now. Raises NotFound when its version or instance has gone."""
    assert run.id is not None
    related = tx.related(run.instance_id, run.version_id)
    if related.instance.kind == Kind.COMPONENT:
        related = replace(related, attached=tx.neighbour(run.attached_id))
    work = wanted(related, run.inputs)
    return replace(
        work,
        run_id=run.id,
        fence=run.fence,
        operation=Operation(run.operation),
        planned_with=run.fingerprint,
        applied=tx.applied_runs(run.instance_id),
    )


def wanted(related: Related, inputs: Mapping[str, object], facts: Facts | None = None) -> Work:
    """What a deploy of the instance with that version and those inputs would need, outside of any run.

    `facts` are those of the version; None reads them again.
    """
    instance, version, environment = related.instance, related.version, related.environment
    attached, credentials = related.attached, (environment or instance).credentials
    input_type = _input_type(related)
    return Work(
        run_id=0,
        fence=0,
        address=address.parse(instance.address),
        operation=Operation.DEPLOY,
        template=related.template.name,
        bundle=version.bundle,
        facts=facts or bundle.from_json(version.facts),
        inputs=shapes.filled(input_type, inputs),
        input_type=input_type,
        environment=upstream(environment, environment.credentials) if environment else None,
        repository=_repository(related.service),
        run_env={**(environment.run_env if environment else {}), **instance.run_env},
        credentials=credentials,
        tags=_tags(related),
        planned_with={},
        instance_id=instance.id or 0,
        backend=instance.backend,
        diverged=instance.diverged,
        component=upstream(related.component, credentials) if related.component else None,
        neighbours=tuple(map(_neighbour, related.siblings)),
        attached=address.parse(attached.instance.address) if attached else None,
        guards=in_force(environment or instance, related.template),
        proposed_in=provisioning.repository(stored) if (stored := (environment or instance).provisioning) else None,
    )


def in_force(environment: Instance | None, template: Template) -> tuple[Guarded, ...]:
    """The guards that hold in the environment, which may be what has them itself, and those of the template."""
    named = [(f"template {template.name}", template.guards)]
    if environment is not None:
        named.insert(0, (environment.address, environment.guards))
    return tuple(Guarded(source, guards_from_json(stored)) for source, stored in named if stored)


def _tags(related: Related) -> dict[str, str]:
    levels = (related.environment, related.service, related.instance)
    return tags.merged(*(level.tags for level in levels if level is not None))


def upstream(instance: Instance, credentials: str) -> Upstream:
    """The instance, as those see it whom its outputs flow into; the credentials are those of its environment."""
    return Upstream(
        address.parse(instance.address),
        instance.outputs or {},
        instance.deployed_run_id,
        instance.id or 0,
        instance.backend,
        credentials,
    )


def _input_type(related: Related) -> Json:
    """What the inputs of the instance must look like; a component has those of what it is attached to, or none."""
    if related.instance.kind == Kind.COMPONENT:
        return _type(related.attached.template, related.attached.version) if related.attached else {}
    if related.instance.kind == Kind.PIPELINE:
        return registered.schema_of(related.version.schema_text, customer_managed=False).pipeline_type or {}
    return _type(related.template, related.version)


def _type(template: Template, version: Version) -> Json:
    return registered.schema_of(version.schema_text, customer_managed=template.provisioning == "customer").type


def _neighbour(found: Row) -> Neighbour:
    inputs = shapes.filled(_type(found.template, found.version), found.instance.inputs)
    credentials = found.environment.credentials
    return Neighbour(upstream(found.instance, credentials), inputs, upstream(found.environment, credentials))


def _repository(service: Service | None) -> Repository:
    if service is None:
        return Repository()
    return Repository(service.repository_connection, service.repository, service.branch)
