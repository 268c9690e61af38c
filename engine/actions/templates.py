"""Intentions of admins about templates and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.actions.desk import Desk, Target
from engine.core import contracts, lifecycle, runs
from engine.core.lifecycle import Verb
from engine.core.runs import Event, Status
from engine.core.versions import TemplateRef, VersionStatus
from engine.errors import Conflict, Invalid, Refused

if TYPE_CHECKING:
    from engine.catalog.tables import Template
    from engine.catalog.tx import Tx
    from engine.core.asked import Asked
    from engine.core.contracts import Report


def publish(desk: Desk, ref: TemplateRef, asked: Asked | None = None) -> Target:
    """Makes a draft usable for everybody.

    Raises NotFound, Conflict when it is no draft, Refused when it has not passed the tests that its template demands.
    """

    def act(tx: Tx) -> list[int]:
        target = named(tx, ref)
        _refuse_untested(target)
        version = tx.publish(target.version)
        assert version.id is not None
        return [version.id]

    return by_id(desk, desk.once(asked, act)[0])


def _refuse_untested(target: Target) -> None:
    status = VersionStatus(target.version.status)
    if not target.template.requires_tests or status is not VersionStatus.DRAFT:
        return
    stored = target.version.test_report
    report = contracts.from_json(stored) if stored is not None else None
    if report is not None and report.is_passed:
        return
    found, todo = "they were not run", "Run them"
    if report is not None:
        found, todo = report.sentence(), "Mend the bundle, and register it again. To see them"
    raise Refused(
        f"{target.label} must pass its contract tests before it is published: {found}.",
        hint=f"{todo}: landform template test {target.label}",
    )


@dataclass(frozen=True)
class Moved:
    """What became of a version or a template, and of the runs that led where nothing may go any more."""

    target: Target
    discarded: tuple[int, ...] = ()
    """Their numbers."""


def change(desk: Desk, ref: TemplateRef, verb: Verb, why: str = "") -> Moved:
    """Takes a version a step further in its life: deprecates or yanks it, or takes that back.

    Runs that have not begun to apply and would newly bring an instance to a yanked version are discarded. Raises
    NotFound, Invalid for a reason that is none, Conflict when the version is not where that step begins.
    """
    text = lifecycle.reason(why) if verb in (Verb.DEPRECATE, Verb.YANK) else ""
    with desk.catalog.write() as tx:
        target = named(tx, ref)
        version = tx.change_version(target.version, verb, text)
        return Moved(Target(target.template, version), _discarded(tx, target.template))


def set_minimum(desk: Desk, ref: TemplateRef) -> Moved:
    """Makes a published version the lowest of its major version that may be used. Raises NotFound, Conflict."""
    with desk.catalog.write() as tx:
        target = named(tx, ref)
        version = target.version
        if version.status != VersionStatus.PUBLISHED:
            raise Conflict(
                f"{target.label} cannot be the lowest that may be used: its status is {version.status}.",
                hint=f"Name one that is published: landform template versions {target.template.name}",
            )
        template = tx.set_minimum(target.template, version.major, version.minor)
        return Moved(Target(template, version), _discarded(tx, template))


def clear_minimum(desk: Desk, ref: TemplateRef) -> Template:
    """Lets every version of a major version be used again. Raises NotFound, Conflict when there is no minimum."""
    major = ref.major if ref.number is None else ref.number.major
    assert major is not None
    with desk.catalog.write() as tx:
        template = tx.find_template(ref)
        if str(major) not in template.minimums:
            raise Conflict(f"There is no minimum for {template.name}@{major}.")
        return tx.set_minimum(template, major, None)


def _discarded(tx: Tx, template: Template) -> tuple[int, ...]:
    """Discards the runs that would be refused now, unless somebody works on them; their numbers."""
    found: list[int] = []
    for run in tx.runs_to(template):
        why = tx.withdrawn(run) if Status(run.status) in runs.BY_PEOPLE[Event.DISCARD] else ""
        if why and run.id is not None:
            tx.move(run.id, Event.DISCARD, message=why)
            found.append(run.id)
    return tuple(found)


def require_tests(desk: Desk, ref: TemplateRef, *, required: bool) -> Template:
    """Makes passed contract tests a condition of publishing, or no longer. Raises NotFound."""
    with desk.catalog.write() as tx:
        return tx.update_template(tx.find_template(ref), requires_tests=required)


def record_tests(desk: Desk, ref: TemplateRef, report: Report) -> Target:
    """Keeps what the contract tests of a version came to, in place of what they came to before. Raises NotFound."""
    with desk.catalog.write() as tx:
        target = named(tx, ref)
        target.version.test_report = report.to_json()
        tx.save(target.version)
        return target


def by_id(desk: Desk, version_id: int) -> Target:
    """The version of that id. Raises NotFound when it has been deleted since."""
    with desk.catalog.read() as tx:
        version = tx.version_by_id(version_id)
        return Target(tx.template_by_id(version.template_id), version)


def delete(desk: Desk, refs: Sequence[TemplateRef]) -> list[str]:
    """Removes versions, and templates named without a version that have none left; says what went, in that order.

    Raises Conflict while something uses one of them (Proton's rules: reference section 4.5), and Invalid for a major
    version without its minor; nothing is removed then.
    """
    if vague := [ref for ref in refs if ref.major is not None]:
        see = f"See them: landform template versions {vague[0].name}"
        raise Invalid(f"{vague[0]} names no version.", hint=f"Write {vague[0]}.MINOR. {see}")
    with desk.catalog.write() as tx:
        targets = [named(tx, ref) for ref in refs if ref.number is not None]
        for target in sorted(targets, key=_leaves):
            tx.remove_version(target.version)
        templates = [tx.find_template(ref) for ref in refs if ref.number is None]
        for template in templates:
            tx.remove_template(template)
        return [*(target.label for target in targets), *(template.name for template in templates)]


def describe(desk: Desk, ref: TemplateRef, description: str | None, display_name: str | None) -> Template:
    """Changes what a template says about itself; None leaves a text as it is."""
    with desk.catalog.write() as tx:
        template = tx.find_template(ref)
        if description is not None:
            template.description = description
        if display_name is not None:
            template.display_name = display_name
        tx.save(template)
        return template


def named(tx: Tx, ref: TemplateRef) -> Target:
    """The version that `ref` names; without a number, the recommended one. Raises NotFound."""
    template = tx.find_template(ref)
    return Target(template, tx.find_version(template, ref.number, ref.major))


def _leaves(target: Target) -> tuple[bool, int, int]:
    """Its place among versions that go together: the recommended one goes last, as it goes only without siblings."""
    version = target.version
    return version.status == VersionStatus.PUBLISHED, version.major, version.minor
