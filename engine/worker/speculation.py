"""Plans that are made only to be looked at: in a folder of their own, on a copy of the state, with no run to apply."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.core import address, bundle, drift_noise, registered, shapes, wiring
from engine.core.placeholders import Placeholder, Type, placeholders
from engine.core.plans import Summary
from engine.core.runs import Operation
from engine.errors import Conflict, ExternalFailure
from engine.terraform import copies
from engine.terraform import files as safely
from engine.terraform.backends import STATE_FILE
from engine.terraform.cli import Outcome
from engine.terraform.trees import NOTHING, tree_of
from engine.worker import guarding
from engine.worker.following import Watch, follow
from engine.worker.phases import summarised
from engine.worker.plan_files import PLAN_FILE
from engine.worker.scratch import Scratch, scratch
from engine.worker.work import Repository, Upstream, Work, in_force, wanted

if TYPE_CHECKING:
    from pathlib import Path

    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Instance, Service
    from engine.catalog.tx import Tx
    from engine.core.address import Address
    from engine.core.bundle import Facts, Part
    from engine.core.drafts import Draft
    from engine.core.guards import Refusal
    from engine.core.plans import Change
    from engine.external.process import Stop
    from engine.terraform.statefile import State
    from engine.worker.ground import Ground

_GRACE_S = 3.0
"""How long a plan that is only looked at may go on after it was asked to stop: whatever it leaves is thrown away."""
_READS_MAX = 20
_BETWEEN_READS_S = 0.05
_TEMPORARY = ".landform.tmp"
_CODE = (".tf", ".tf.json", ".tofu", ".tofu.json")
_ASKS_FOR_PLACE = (b"abspath(", b"path.cwd")
ELSEWHERE = (
    "The code asks for the absolute path of its folder, and this plan was made in another one: "
    "changes that come from nothing but that path will not be in the plan of a run."
)
NOT_ALL = "Not every file that lies in the workspace could be copied to where this plan was made."
NOTHING_TO_PLAN = "There is no infrastructure to plan: the inputs are the outputs."


@dataclass(frozen=True)
class Speculation:
    """What a run might plan now."""

    summary: Summary
    has_changes: bool
    placeholders: tuple[Placeholder, ...] = ()
    """Outputs that were not there to be read."""
    notes: tuple[str, ...] = ()
    """What to bear in mind when reading it."""
    refusals: tuple[Refusal, ...] = ()
    """Which guards it would break, where that was asked for."""


@dataclass(frozen=True)
class _Premise:
    """What the plan is made from."""

    work: Work
    placeholders: tuple[Placeholder, ...] = ()


def plan(catalog: Catalog, ground: Ground, draft: Draft, stop: Stop, watch: Watch) -> Speculation:
    """Plans the draft against what is there now; neither the instance nor its state nor its workspace is touched.

    Raises NotFound, Cancelled, ExternalFailure with Terraform's errors, Invalid when the code cannot be rendered.
    """
    with catalog.read() as tx:
        premise = _newcomer(tx, draft) if draft.is_new else _living(tx, draft)
    found = planned(ground, premise.work, stop, watch, guarded=True)
    return replace(found, placeholders=premise.placeholders)


def planned(
    ground: Ground, work: Work, stop: Stop, watch: Watch, *, refresh_only: bool = False, guarded: bool = False
) -> Speculation:
    """A plan of the work on a copy of its state; the catalog is not asked, and nothing of the instance is touched.

    With `refresh_only` it says what differs from the state in what is really there, as the drift of the summary; with
    `guarded`, which guards it would break.
    Raises Conflict for what others carry out, else as plan().
    """
    part = work.part
    if part is None:
        return Speculation(Summary(), has_changes=False, notes=(NOTHING_TO_PLAN,))
    _refuse_others(work)
    watch("planning", None)
    work = ground.entrusted.resolved(work)
    # wherever the state lives, its copy lies in a file
    elsewhere = replace(work, backend={})
    with scratch(ground, elsewhere, part, stop, watch) as made:
        ours = ground.workspace(work.address).written() | made.files.keys()
        is_alike = copies.copy_rest(ground.root(work), made.place.folder, ours)
        _copy_state(ground, work, made)
        is_destroy = work.operation is Operation.DESTROY
        # what is only looked at needs no file of a plan, which holds every value in clear text; that which tells real
        # drift from noise is gone with the folder
        is_read = refresh_only or (guarded and bool(work.guards))
        out = made.folder / PLAN_FILE if is_read else None
        place = replace(made.place, grace_s=min(made.place.grace_s, _GRACE_S))
        command = ground.terraform().plan(place, out, destroy=is_destroy, refresh_only=refresh_only)
        came_to, collector = follow(command, "plan", made.step)
        drift = _real(ground, made, out, collector.summary.drift) if out and refresh_only else ()
        broken: tuple[Refusal, ...] = ()
        if guarded and out and came_to is Outcome.CHANGES:
            told = collector.summary if collector.is_complete else None
            broken = guarding.refusals(ground, work, made.place, out, told)
    # nothing of what is not there yet can have been left out
    notes = _notes(made, is_alike=is_alike) if work.instance_id else ()
    journal, has_changes = made.step.journal, came_to is Outcome.CHANGES
    if refresh_only and collector.is_complete:
        # what it finds is drift, and no change that a plan would have to tell
        found = replace(collector.summary, drift=drift).shown(journal.redacted)
        return Speculation(found, has_changes, notes=notes)
    return Speculation(summarised(came_to, collector, journal), has_changes, notes=notes, refusals=broken)


def _real(ground: Ground, made: Scratch, plan: Path, drift: tuple[Change, ...]) -> tuple[Change, ...]:
    """The drift without noise; all of it where the plan cannot be read that tells which is."""
    if not drift:
        return ()
    return drift_noise.real(drift, tree_of(ground.terraform().show_plan_json(made.place, plan)) or NOTHING)


def _refuse_others(work: Work) -> None:
    if work.proposed_in is not None:
        raise Conflict(
            f"{work.address} is carried out by others, who keep its state: no plan can be made here.",
            hint=f"Their pull requests come to {work.proposed_in.url}, and may show one.",
        )


def has_something_to_destroy(catalog: Catalog, ground: Ground, where: Address) -> bool:
    """Whether the state of an instance knows of any resource. Raises NotFound, ExternalFailure."""
    with catalog.read() as tx:
        instance = tx.instance(where)
        assert instance.id is not None
        work = wanted(tx.related(instance.id, instance.version_id), instance.inputs)
    state = _state(ground, ground.entrusted.opened(work))
    return state is not None and bool(state.resource_addresses())


def _copy_state(ground: Ground, work: Work, made: Scratch) -> None:
    state = _state(ground, work) if work.instance_id else None
    if state is not None:
        safely.put(made.place.folder, STATE_FILE, state.content, made.folder / _TEMPORARY)


def _state(ground: Ground, work: Work) -> State | None:
    """The state that a run would go on with, though somebody may be writing it now. Raises ExternalFailure."""
    for _ in range(0 if ground.backend(work).is_shared else _READS_MAX):
        # what is half written now will soon be whole
        with suppress(ExternalFailure):
            return _current(ground, work)
        time.sleep(_BETWEEN_READS_S)
    return _current(ground, work)


def _current(ground: Ground, work: Work) -> State | None:
    return ground.harvest.current(work, ground.backend(work), ground.root(work))


def _notes(made: Scratch, *, is_alike: bool) -> tuple[str, ...]:
    code = (content for name, content in made.files.items() if name.endswith(_CODE))
    asks = any(word in content for content in code for word in _ASKS_FOR_PLACE)
    return (*((ELSEWHERE,) if asks else ()), *(() if is_alike else (NOT_ALL,)))


def _living(tx: Tx, draft: Draft) -> _Premise:
    instance = tx.instance(draft.address)
    assert instance.id is not None
    work = wanted(tx.related(instance.id, draft.version_id), draft.inputs)
    return _Premise(replace(work, operation=draft.operation))


def _newcomer(tx: Tx, draft: Draft) -> _Premise:
    version = tx.version_by_id(draft.version_id)
    template = tx.template_by_id(version.template_id)
    facts = bundle.from_json(version.facts)
    schema = registered.schema_of(version.schema_text, customer_managed=template.provisioning == "customer")
    environment = tx.instance(draft.environment) if draft.environment else None
    part = facts.part(bundle.PART_OF[draft.address.kind])
    unknown = _unknown(tx, part, environment) if part and environment else ()
    work = Work(
        run_id=0,
        fence=0,
        address=draft.address,
        operation=draft.operation,
        template=template.name,
        bundle=version.bundle,
        facts=facts,
        inputs=shapes.filled(schema.type, draft.inputs),
        input_type=schema.type,
        environment=_upstream(environment, unknown) if environment else None,
        repository=_repository(tx.find_service(draft.address.service) if draft.address.service else None),
        run_env=environment.run_env if environment else {},
        credentials=environment.credentials if environment else "",
        tags=environment.tags if environment else {},
        guards=in_force(environment, template),
        planned_with={},
    )
    return _Premise(work, unknown)


def _unknown(tx: Tx, part: Part, environment: Instance) -> tuple[Placeholder, ...]:
    """What stands in for the outputs that the part reads of an environment which has none yet."""
    if environment.outputs is not None:
        return ()
    offers = bundle.from_json(tx.version_by_id(environment.version_id).facts)
    return placeholders(_read(part, offers), _types(tx, environment))


def _read(part: Part, offers: Facts) -> frozenset[str]:
    """The names of the outputs that the part would find, as far as anybody can tell."""
    read, declared = part.environment_outputs_used(), wiring.declared(offers)
    if declared is None:
        return read
    return declared if part.reads_all_environment_outputs() else read & declared


def _types(tx: Tx, environment: Instance) -> dict[str, Type]:
    """Output name -> type, as an environment of the same version has it that was deployed."""
    twin = tx.deployed_twin(environment)
    return {name: output["type"] for name, output in (twin.outputs or {}).items()} if twin else {}


def _upstream(environment: Instance, unknown: tuple[Placeholder, ...]) -> Upstream:
    stand_ins = {each.name: {"type": each.type, "sensitive": False, "value": each.value} for each in unknown}
    return Upstream(
        address.parse(environment.address),
        environment.outputs or stand_ins,
        environment.deployed_run_id,
        environment.id or 0,
        environment.backend,
        environment.credentials,
    )


def _repository(service: Service | None) -> Repository:
    return Repository(service.repository_connection, service.repository, service.branch) if service else Repository()
