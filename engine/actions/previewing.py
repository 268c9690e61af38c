"""Which instances a template version is previewed for, and which of them it does not fit: nothing is recorded here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from engine.actions import referring
from engine.actions.desk import Desk, Target, raise_all, target_of
from engine.actions.inputs import STORED, Section, resolved
from engine.actions.refusals import refuse_miswired
from engine.core import previews, selection
from engine.core.address import Kind
from engine.core.bundle import PART_OF
from engine.core.plans import Shape
from engine.core.previews import Fleet, LeftOut, Member, Seen, Why
from engine.core.selection import Candidate
from engine.core.versions import Number, TemplateKind, TemplateRef, VersionStatus
from engine.errors import Conflict, LandformError, NotFound

if TYPE_CHECKING:
    from engine.catalog.related import Related
    from engine.catalog.tx import Tx

_KINDS = {
    TemplateKind.ENVIRONMENT: (Kind.ENVIRONMENT,),
    TemplateKind.SERVICE: (Kind.SERVICE_INSTANCE, Kind.PIPELINE),
}
_VERSION_TERM = "version="


@dataclass(frozen=True)
class Wish:
    """What is to be previewed."""

    ref: TemplateRef
    select: Sequence[str] = ()
    """Terms of core.selection, which narrow it."""


def fleet(desk: Desk, wish: Wish) -> Fleet:
    """The instances that the version would be deployed to, and those among them that it does not fit, with the reason.

    A version that was withdrawn may be looked at too. Raises NotFound for the version, and when none of the instances
    that it is for is selected; Conflict when its registration failed; Invalid for terms that cannot be read.
    """
    tests = selection.parse(wish.select)
    with desk.catalog.read() as tx:
        target = _target(tx, wish.ref)
        is_meant = _meant(target, wish.select)
        chosen = [each for each in selection.selected(tx.candidates(), tests) if is_meant(each)]
        if wish.select and not chosen:
            raise NotFound(f"None of the instances that {target.label} is for is selected.", hint=_hint(target))
        return _fleet(tx, target, chosen)


def _target(tx: Tx, ref: TemplateRef) -> Target:
    template = tx.find_template(ref)
    target = Target(template, tx.find_version(template, ref.number))
    if target.version.status == VersionStatus.FAILED:
        raise Conflict(
            f"{target.label} failed its registration and cannot be used.",
            hint=f"See why: landform template show {target.label}",
        )
    return target


def _hint(target: Target) -> str:
    noun = "env" if target.template.kind == TemplateKind.ENVIRONMENT else "instance"
    return f"Those are the deployed ones of {target.template.name}, up to that version: landform {noun} list"


def _meant(target: Target, select: Sequence[str]) -> Callable[[Candidate], bool]:
    return partial(
        previews.is_meant,
        kinds=_KINDS[TemplateKind(target.template.kind)],
        template=target.template.name,
        number=Number(target.version.major, target.version.minor),
        names_versions=any(term.strip().startswith(_VERSION_TERM) for text in select for term in text.split(",")),
    )


def _fleet(tx: Tx, target: Target, chosen: Sequence[Candidate]) -> Fleet:
    version = target.version
    assert version.id is not None
    rows = {row.instance.id: row for row in tx.all_related([each.instance_id for each in chosen], version.id)}
    # as long as somebody holds these rows, the transaction does not read them again for each instance
    homes = {row.environment.id: row.environment for row in rows.values() if row.environment is not None}
    held = [target_of(tx, environment) for environment in homes.values()]
    places = [_place(tx, target, each, rows[each.instance_id]) for each in chosen if each.instance_id in rows]
    del held
    return Fleet(
        target.label,
        version.status,
        version.id,
        tuple(place for place in places if isinstance(place, Member)),
        tuple(place for place in places if isinstance(place, Seen)),
        tuple(place for place in places if isinstance(place, LeftOut)),
    )


def _place(tx: Tx, target: Target, candidate: Candidate, row: Related) -> Member | Seen | LeftOut:
    """The instance with the inputs that it would have; why it cannot have the version; or why it is left out."""
    why = _why_left_out(candidate, row)
    if why is not None:
        return LeftOut(candidate.address, why)
    try:
        inputs = _inputs(tx, target, row)
    except LandformError as error:
        number = str(candidate.number)
        return Seen(candidate.address, candidate.environment, number, Shape.FAIL, message=str(error), hint=error.hint)
    if target.facts.part(PART_OF[candidate.kind]) is None:
        return LeftOut(candidate.address, Why.NOTHING_TO_PLAN)
    return Member(candidate, inputs)


def _why_left_out(candidate: Candidate, row: Related) -> Why | None:
    if candidate.kind is Kind.PIPELINE:
        return Why.PIPELINE
    if candidate.is_hibernated:
        return Why.HIBERNATED
    if not candidate.is_deployed:
        return Why.NEVER_DEPLOYED
    return Why.OTHERS if (row.environment or row.instance).provisioning else None


def _inputs(tx: Tx, target: Target, row: Related) -> Mapping[str, object]:
    """The instance's inputs with that version. Raises as an update to it would, unless it were for others' runs."""
    instance = row.instance
    inputs, problems = resolved(target.schema.type, Section(instance.inputs, document=STORED), instance.inputs)
    hint = f"See its inputs: landform template show {target.label}"
    raise_all(f"The spec does not fit {target.label}:", problems, hint)
    refuse_miswired(tx, instance, target, inputs)
    referring.refuse_shown(target, Kind(instance.kind), inputs)
    return inputs
