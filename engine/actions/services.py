"""Intentions of developers about services: their instances are created, added, removed and deleted together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.actions import changes, line, marks, pipelines
from engine.actions.changes import Change, Consent
from engine.actions.desk import Desk, Target, raise_all, refuse_withdrawn, target_of, usable
from engine.actions.inputs import Given, Section, resolved
from engine.actions.refusals import refuse_attached_component, refuse_edit, refuse_unfit_environment, refuse_unready
from engine.core import address, located, revisions, spec, updates
from engine.core.address import Kind
from engine.core.bundle import PartName
from engine.core.runs import Operation
from engine.core.spec import InstanceSpec, ServiceSpec
from engine.core.versions import TemplateKind, TemplateRef
from engine.errors import Conflict, Invalid, NotFound, Problem, Refused
from engine.terraform import backends

if TYPE_CHECKING:
    from engine.catalog.tables import Instance, Service
    from engine.catalog.tx import Tx
    from engine.core.located import Document


@dataclass(frozen=True)
class NewService:
    """What a developer asks for.

    Without a spec document there is one instance for each of `environments`, named like it.
    """

    name: str
    template: TemplateRef
    given: Given = field(default_factory=Given)
    environments: tuple[str, ...] = ()
    description: str = ""
    repository: str = ""
    branch: str = ""
    repository_connection: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


def create(desk: Desk, wish: NewService, consent: Consent) -> list[int]:
    """Records the service, its instances, its pipeline and a first run for each; the runs' ids in the order of the
    spec, the pipeline's last.

    Raises Invalid with every violation of all instances, NotFound, Conflict, Busy; nothing is recorded then.
    """
    address.check_name(wish.name, "service name")
    return desk.once(consent.asked, lambda tx: _create(tx, desk, wish, consent))


def _create(tx: Tx, desk: Desk, wish: NewService, consent: Consent) -> list[int]:
    target = usable(tx, wish.template, TemplateKind.SERVICE)
    if tx.find_service(wish.name):
        raise Conflict(f"Service {wish.name} exists already.", hint=f"Change it: landform service update {wish.name}")
    wanted = _wanted(wish, target)
    _refuse_too_many(desk, wish.name, wanted)
    pipeline = _pipeline_inputs(target, wanted, wish.given.document)
    service = tx.add_service(
        name=wish.name,
        template_id=target.template.id or 0,
        major=target.version.major,
        description=wish.description,
        repository=wish.repository,
        branch=wish.branch,
        repository_connection=wish.repository_connection,
        pipeline_inputs=pipeline,
        tags=marks.tagged({}, wish.tags),
    )
    ids = _add(tx, desk, _Newcomers(service, target, wish.given), wanted.instances, consent)
    return ids + pipelines.add(tx, desk, service, target, consent, after=ids)


def update(
    desk: Desk, name: str, document: Document, consent: Consent, tags: Mapping[str, str] | None = None
) -> list[int]:
    """Adds the instances that the spec has more and destroys those it has no longer (reference section 3.5).

    `tags` are laid over those of the service. The runs' ids, new instances first, the pipeline's last: it is deployed
    again. Raises Invalid when a surviving instance or the pipeline would change, Busy while somebody works on a run of
    one that is to go, or while an earlier edit is not done.
    """

    def act(tx: Tx) -> list[int]:
        service = tx.service(name)
        service.tags = marks.tagged(service.tags, tags or {})
        tx.save(service)
        after = spec.service_spec(document, pipeline=service.pipeline_inputs is not None)
        return _update(tx, desk, service, _Wanted(after, document), consent)

    return desk.once(consent.asked, act)


def add(desk: Desk, name: str, instance: str, document: Document, consent: Consent) -> list[int]:
    """Adds one instance, as a spec has it that says nothing here about others; the runs' ids, as update() gives them.

    Raises as update(), and Conflict when there is such an instance.
    """

    def act(tx: Tx) -> list[int]:
        service = tx.service(name)
        before, entry = current_spec(tx, service), spec.service_spec(document, pipeline=True).instance(instance)
        if entry is None or before.instance(instance) is not None:
            raise Conflict(f"Service {name} has an instance {instance} already, or its spec has none.")
        after = ServiceSpec(before.pipeline, (*before.instances, entry))
        return _update(tx, desk, service, _Wanted(after, document), consent)

    return desk.once(consent.asked, act)


@dataclass(frozen=True)
class _Wanted:
    """What a service is to be, and the document that says so."""

    spec: ServiceSpec
    document: Document


def _update(tx: Tx, desk: Desk, service: Service, wanted: _Wanted, consent: Consent) -> list[int]:
    template = tx.template_by_id(service.template_id)
    siblings = tx.instances_of(service, Kind.SERVICE_INSTANCE)
    after, document = wanted.spec, wanted.document
    edit = revisions.edit(current_spec(tx, service), after, document)
    raise_all(f"The spec cannot be applied to service {service.name}:", edit.problems)
    doomed = [instance for instance in siblings if instance.name in edit.removed]
    refuse_edit(tx, service.name, siblings)
    line.refuse_held(tx, doomed, f"Service {service.name} cannot be changed", queue=consent.queue)
    refuse_attached_component(tx, doomed, f"Service {service.name} cannot be changed")
    ids: list[int] = []
    if edit.added:
        _refuse_too_many(desk, service.name, after)
        number = updates.recommended_of(tx.published(template), service.major)
        target = usable(tx, TemplateRef(template.name, number), TemplateKind.SERVICE)
        _refuse_old_pipeline(tx, service)
        ids += _add(tx, desk, _Newcomers(service, target, Given(document)), edit.added, consent)
        pipelines.refuse_unfit(tx, service)
    ids += _destroyed(tx, desk, doomed, consent, after=ids)
    return ids + pipelines.follow(tx, desk, service, consent, after=ids)


def _refuse_old_pipeline(tx: Tx, service: Service) -> None:
    """Raises Refused when the pipeline, which is deployed again once the service has more instances, may not be."""
    pipeline = tx.find_instance(address.pipeline(service.name))
    if pipeline is not None:
        refuse_withdrawn(tx, target_of(tx, pipeline), pipeline)


def describe(desk: Desk, name: str, description: str | None, tags: Mapping[str, str]) -> Service:
    """Changes the description, unless that is None, and lays tags over those that are there, without a run.

    Raises NotFound, Invalid with everything wrong with the tags.
    """
    with desk.catalog.write() as tx:
        service = tx.service(name)
        if description is not None:
            service.description = description
        service.tags = marks.tagged(service.tags, tags)
        tx.save(service)
        return service


def delete(desk: Desk, name: str, consent: Consent) -> list[int]:
    """Records a destroy of the pipeline and then of every instance; the service goes with the last. The runs' ids; []
    when it had none.

    Raises Busy while somebody works on a run of one of the instances.
    """

    def act(tx: Tx) -> list[int]:
        service = tx.service(name)
        instances = tx.instances_of(service)
        line.refuse_held(tx, instances, f"Service {name} cannot be deleted", queue=consent.queue)
        refuse_attached_component(tx, instances, f"Service {name} cannot be deleted")
        if not instances:
            tx.remove_service(service)
            return []
        # what reads goes first: a pipeline cannot be planned when what it reads is gone
        pipeline = _destroyed(tx, desk, [each for each in instances if each.kind == Kind.PIPELINE], consent)
        rest = [each for each in instances if each.kind != Kind.PIPELINE]
        return pipeline + _destroyed(tx, desk, rest, consent, after=pipeline)

    return desk.once(consent.asked, act)


def _destroyed(
    tx: Tx, desk: Desk, doomed: Iterable[Instance], consent: Consent, after: Sequence[int] = ()
) -> list[int]:
    """The runs that destroy the instances, once the runs `after` have succeeded."""
    return [changes.submit_destroy(tx, desk, instance, consent, after) for instance in doomed]


def stored_spec(desk: Desk, name: str) -> ServiceSpec:
    """The spec of a service as it stands. Raises NotFound."""
    with desk.catalog.read() as tx:
        return current_spec(tx, tx.service(name))


def current_spec(tx: Tx, service: Service) -> ServiceSpec:
    """The spec of a service as it stands: its pipeline's inputs and every instance's."""
    instances = tuple(
        InstanceSpec(instance.name, _environment_name(tx, instance), instance.inputs)
        for instance in tx.instances_of(service, Kind.SERVICE_INSTANCE)
    )
    pipeline = tx.find_instance(address.pipeline(service.name))
    return ServiceSpec(pipeline.inputs if pipeline else service.pipeline_inputs, instances)


@dataclass(frozen=True)
class _Newcomers:
    service: Service
    target: Target
    given: Given


def _wanted(wish: NewService, target: Target) -> ServiceSpec:
    has_pipeline = pipelines.has(target)
    if wish.given.document is not None:
        if wish.environments:
            raise Invalid("Environments are named both in the spec and on the command line.", hint="Leave --env out.")
        return _not_empty(spec.service_spec(wish.given.document, pipeline=has_pipeline), wish.given.document)
    if not wish.environments:
        raise Invalid(
            "A service needs a spec, or environments to run in.",
            hint="Give --spec FILE, or --env NAME (once for each) and --set INPUT=VALUE.",
        )
    twice = next((name for name in wish.environments if wish.environments.count(name) > 1), None)
    if twice is not None:
        raise Invalid(f"Environment {twice} is named twice.", hint="Write a spec to have two instances in it.")
    instances = tuple(InstanceSpec(name, name, {}) for name in wish.environments)
    return ServiceSpec({} if has_pipeline else None, instances)


def _not_empty(wanted: ServiceSpec, document: Document) -> ServiceSpec:
    if not wanted.instances:
        hint = "Write name and environment of each instance."
        problem = document.problem(("instances",), "must have at least one instance.", rule="spec/instances", hint=hint)
        raise Invalid(f"{document.file} cannot be used:", problems=[problem])
    return wanted


def _refuse_too_many(desk: Desk, service: str, wanted: ServiceSpec) -> None:
    """Raises Refused when the service would have more instances than a service may have."""
    count, most = len(wanted.instances), desk.settings.instances_per_service
    if count > most:
        raise Refused(
            f"Service {service} would have {count} instances; {most} {'is' if most == 1 else 'are'} the most.",
            hint="Make another service, or raise the setting instances_per_service.",
        )


def _pipeline_inputs(target: Target, wanted: ServiceSpec, document: Document | None) -> dict[str, object] | None:
    kind = target.schema.pipeline_type
    if kind is None:
        return None
    section = Section(wanted.pipeline or {}, ("pipeline",), document) if document else Section(wanted.pipeline or {})
    inputs, problems = resolved(kind, section, {})
    raise_all(f"The pipeline's inputs do not fit {target.label}:", problems)
    return inputs


def _add(tx: Tx, desk: Desk, newcomers: _Newcomers, entries: Iterable[InstanceSpec], consent: Consent) -> list[int]:
    """Adds instances with their first runs, or raises with everything that is wrong with any of them."""
    accepted: list[tuple[InstanceSpec, Instance, dict[str, object]]] = []
    problems: list[Problem] = []
    for entry in entries:
        inputs, wrong = _inputs(newcomers, entry)
        problems += wrong
        environment = _ready_environment(tx, newcomers, entry, problems)
        if environment is not None:
            accepted.append((entry, environment, inputs))
    label = newcomers.target.label
    raise_all(f"The spec does not fit {label}:", problems, f"See its inputs: landform template show {label}")
    return [_submit(tx, desk, newcomers, found, consent) for found in accepted]


def _inputs(newcomers: _Newcomers, entry: InstanceSpec) -> tuple[dict[str, object], list[Problem]]:
    document = newcomers.given.document
    section = Section(entry.inputs, entry.at, document) if document else Section(entry.inputs)
    return resolved(newcomers.target.schema.type, section, {}, newcomers.given.sets)


def _ready_environment(tx: Tx, newcomers: _Newcomers, entry: InstanceSpec, problems: list[Problem]) -> Instance | None:
    """The environment, or None after noting why it cannot take the instance; other refusals are raised."""
    document = newcomers.given.document
    try:
        environment = tx.instance(address.environment(entry.environment))
    except NotFound as error:
        if document is None:
            raise
        path = (*entry.at[:-1], "environment")
        problems.append(
            Problem(
                document.file,
                document.line(path),
                located.dotted(path),
                error.message,
                "spec/environment",
                hint=error.hint,
            )
        )
        return None
    # first what no waiting mends: an environment that was never deployed says already what it will give
    refuse_unfit_environment(newcomers.target, target_of(tx, environment), environment, PartName.INSTANCE)
    refuse_unready(tx, environment)
    return environment


def _submit(
    tx: Tx,
    desk: Desk,
    newcomers: _Newcomers,
    found: tuple[InstanceSpec, Instance, dict[str, object]],
    consent: Consent,
) -> int:
    entry, environment, inputs = found
    where = str(address.service_instance(newcomers.service.name, entry.name))
    instance = tx.add_instance(
        address=where,
        kind=Kind.SERVICE_INSTANCE.value,
        name=entry.name,
        service_id=newcomers.service.id,
        environment_id=environment.id,
        template_id=newcomers.target.template.id,
        version_id=newcomers.target.version.id,
        inputs=inputs,
        backend=backends.chosen(desk.settings.backend, where),
    )
    return changes.submit(tx, desk, instance, Change(Operation.DEPLOY, newcomers.target, inputs), consent)


def _environment_name(tx: Tx, instance: Instance) -> str:
    assert instance.environment_id is not None
    return tx.instance_by_id(instance.environment_id).name
