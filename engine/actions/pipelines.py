"""Intentions of developers about the pipelines of services: each is deployed after the instances of its service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.actions import changes, line, provisioned
from engine.actions.changes import Change, Consent, Update
from engine.actions.desk import Desk, Target, raise_all, target_of
from engine.actions.inputs import STORED, Section, resolved
from engine.actions.line import Standing
from engine.actions.refusals import refuse_miswired
from engine.core import address, spec
from engine.core.address import Kind
from engine.core.bundle import PartName
from engine.core.runs import Operation
from engine.core.updates import UpdateKind
from engine.errors import NotFound
from engine.terraform import backends

if TYPE_CHECKING:
    from engine.catalog.tables import Instance, Service
    from engine.catalog.tx import Tx


def has(target: Target) -> bool:
    """Whether services of that version have a pipeline."""
    return target.facts.part(PartName.PIPELINE) is not None


def add(tx: Tx, desk: Desk, service: Service, target: Target, consent: Consent, after: Sequence[int]) -> list[int]:
    """Adds the pipeline of a service, with the inputs that the service has for it, and its first run, which begins
    once the runs `after` have succeeded; the run's id, [] when there is to be none. Raises as changes.submit().
    """
    if not has(target):
        return []
    where, inputs = address.pipeline(service.name), service.pipeline_inputs or {}
    pipeline = tx.add_instance(
        address=where,
        kind=Kind.PIPELINE.value,
        name=service.name,
        service_id=service.id,
        template_id=target.template.id,
        version_id=target.version.id,
        inputs=inputs,
        backend=backends.chosen(desk.settings.backend, str(where)),
        provisioning=provisioned.of_pipelines(desk.settings),
    )
    return [changes.submit(tx, desk, pipeline, Change(Operation.DEPLOY, target, inputs, after=after), consent)]


def follow(tx: Tx, desk: Desk, service: Service, consent: Consent, after: Sequence[int]) -> list[int]:
    """Deploys the pipeline again, as it stands, once the runs `after` have succeeded: the set of instances changes
    with them. The run's id in a list, [] for a service without a pipeline that is awake. Raises as changes.submit().
    """
    pipeline = tx.find_instance(address.pipeline(service.name))
    if pipeline is None or pipeline.hibernated_at is not None or not after:
        return []
    standing = line.standing(tx, pipeline, queue=consent.queue)
    kind = UpdateKind.CURRENT_VERSION
    change = Change(Operation.DEPLOY, standing.target, standing.inputs, kind, after=after, is_forced=True)
    return [changes.submit(tx, desk, pipeline, change, consent)]


def refuse_unfit(tx: Tx, service: Service) -> None:
    """Raises Conflict when the pipeline of a service, as it stands, reads an output that the environment of one of the
    instances lacks.
    """
    pipeline = tx.find_instance(address.pipeline(service.name))
    if pipeline is not None:
        refuse_miswired(tx, pipeline, target_of(tx, pipeline), pipeline.inputs)


def update(desk: Desk, service: str, wish: Update, consent: Consent) -> list[int]:
    """Records a run that brings the pipeline to another version or other inputs; its id in a list.

    A spec document is the whole ServiceSpec; only its `pipeline` section counts (reference section 3.6). Raises
    NotFound also for a service without a pipeline, Invalid with every violation, Busy.
    """

    def act(tx: Tx) -> list[int]:
        pipeline = _of(tx, service)
        found = change(tx, pipeline, wish, line.standing(tx, pipeline, queue=consent.queue))
        return [changes.submit(tx, desk, pipeline, found, consent)]

    return desk.once(consent.asked, act)


def change(tx: Tx, pipeline: Instance, wish: Update, standing: Standing | None = None) -> Change:
    """What an update comes to, from where the pipeline stands: as it is deployed, unless that is given.

    Raises as update(), but never Busy.
    """
    standing = standing or line.standing(tx, pipeline, queue=False)
    target, kind = changes.target(tx, standing, wish)
    document = wish.given.document
    given = Section(standing.inputs, document=STORED)
    if document is not None:
        given = Section(spec.service_spec(document, pipeline=True).pipeline or {}, ("pipeline",), document)
    inputs, problems = resolved(target.schema.pipeline_type or {}, given, standing.inputs, wish.given.sets)
    hint = f"See its inputs: landform template show {target.label}"
    raise_all(f"The pipeline's inputs do not fit {target.label}:", problems, hint)
    refuse_miswired(tx, pipeline, target, inputs)
    return Change(Operation.DEPLOY, target, inputs, kind)


def _of(tx: Tx, service: str) -> Instance:
    found = tx.find_instance(address.pipeline(tx.service(service).name))
    if found is None:
        raise NotFound(
            f"Service {service} has no pipeline.", hint="Its template has none, or it was made before there were any."
        )
    return found
