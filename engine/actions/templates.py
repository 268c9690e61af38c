"""Intentions of admins about templates and their versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.actions.desk import Desk, Target
from engine.core import registered
from engine.core.address import check_name
from engine.core.bundle import PartName
from engine.core.compatibility import compatible
from engine.core.schema import Schema
from engine.core.versions import Number, TemplateKind, TemplateRef, VersionStatus, next_number
from engine.errors import Invalid, Problem, Severity

if TYPE_CHECKING:
    from engine.bundles.load import Checked
    from engine.catalog.tables import Template, Version
    from engine.catalog.tx import Tx

SCHEMA_FILE = "schema/schema.yaml"
NEW_MAJOR = 0
"""Stands for "the next major version" where a major number is asked for."""
ENVIRONMENTS_MAX = 10


@dataclass(frozen=True)
class Registration:
    """A bundle to be registered as a version."""

    name: str
    files: Mapping[str, bytes]
    source: str
    """Where the files came from, as the user named it."""
    major: int | None = None
    """The major version whose next minor it becomes; NEW_MAJOR; None: only right for the first version."""
    description: str = ""
    compatible: tuple[str, ...] = ()
    """`name:major` of environment templates; () takes what the bundle itself says."""


@dataclass(frozen=True)
class Registered:
    """What became of a registration."""

    ref: TemplateRef
    """Kind, name and number of the version."""
    status: VersionStatus
    problems: tuple[Problem, ...]
    """Everything found: errors when it failed, warnings in any case."""

    @property
    def label(self) -> str:
        """`web@1.2`"""
        return f"{self.ref.name}@{self.ref.number}"


def register(desk: Desk, wish: Registration) -> Registered:
    """Records the bundle as a draft, or as failed with all reasons. The first version makes the template.

    Raises Invalid for a bad name or a major that does not exist, Conflict when the name is taken by the other kind.
    """
    from engine.bundles.load import check
    from engine.bundles.registration import MISSING

    check_name(wish.name, "template name")
    _refuse_environments(wish.compatible)
    checked = check(wish.files, confirm=desk.confirm)
    with desk.catalog.read() as tx:
        unfit = _misplaced(tx, wish, checked)
    # nothing is stored for a version that fails
    digest = "" if unfit or checked.errors else desk.store.put(wish.files)
    with desk.catalog.write() as tx:
        template = _template(tx, wish, checked)
        # which environment templates it runs in is for _environments() to judge: --compatible may name them
        found = [problem for problem in checked.problems if problem.rule != MISSING]
        problems = [*found, *(unfit or _unfit(tx, template, wish, checked))]
        failed = not digest or any(problem.severity is Severity.ERROR for problem in problems)
        version = tx.register_version(
            template,
            _major(template, wish),
            status=(VersionStatus.FAILED if failed else VersionStatus.DRAFT).value,
            message="\n".join(str(problem) for problem in problems if problem.severity is Severity.ERROR),
            description=wish.description,
            source=wish.source,
            bundle="" if failed else digest,
            schema_text=checked.schema_text,
            facts=checked.facts.to_json() if checked.facts and not failed else {},
            compatible=list(wish.compatible or checked.compatible),
            component_sources=list(checked.component_sources),
        )
        ref = TemplateRef(template.name, Number(version.major, version.minor), TemplateKind(template.kind))
        return Registered(ref, VersionStatus(version.status), tuple(problems))


def publish(desk: Desk, ref: TemplateRef) -> Target:
    """Makes a draft usable for everybody. Raises NotFound, or Conflict when it is no draft."""
    with desk.catalog.write() as tx:
        target = named(tx, ref)
        tx.publish(target.version)
        return target


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


def _refuse_environments(named: tuple[str, ...]) -> None:
    from engine.bundles.registration import wrong_entry

    option = "--compatible"
    wrong = [(entry, wrong_entry(entry, list(named[:at]))) for at, entry in enumerate(named)]
    problems = [Problem(option, 0, "", reason, "registration/environments") for _, reason in wrong if reason]
    if problems:
        hint = "Write NAME:MAJOR, as in network:1."
        raise Invalid("The environment templates cannot be used:", problems=problems, hint=hint)


def _misplaced(tx: Tx, wish: Registration, checked: Checked) -> list[Problem]:
    """As _unfit(), before anything is stored; raises as register() does."""
    template = _known(tx, wish, checked)
    if template is not None:
        highest = {int(major): minor for major, minor in template.highest.items()}
        next_number(highest, _major(template, wish))
    return _unfit(tx, template, wish, checked)


def _template(tx: Tx, wish: Registration, checked: Checked) -> Template:
    known = _known(tx, wish, checked)
    if known is not None:
        return known
    assert checked.facts is not None
    return tx.add_template(
        checked.facts.kind.value,
        wish.name,
        provisioning="customer" if checked.facts.customer_managed else "managed",
        pipeline_provisioning="managed" if _has_pipeline(checked) else "customer",
    )


def _known(tx: Tx, wish: Registration, checked: Checked) -> Template | None:
    """The template that the bundle becomes a version of; None when it begins a new one. Raises Invalid."""
    kind = checked.facts.kind if checked.facts else None
    known = [template for template in tx.templates() if template.name == wish.name]
    same = next((template for template in known if kind is None or template.kind == kind.value), None)
    if same is not None:
        return same
    if kind is None:
        raise Invalid(
            f"{wish.source} is neither an environment nor a service template.",
            hint=f"See what is missing: landform template check {wish.source}",
            problems=checked.problems,
        )
    if wish.major not in (None, NEW_MAJOR):
        raise Invalid(
            f"Major version {wish.major} of {wish.name} does not exist: there is no such template yet.",
            hint="Leave --major out for its first version.",
        )
    return None


def _major(template: Template, wish: Registration) -> int | None:
    if wish.major is None and template.highest:
        latest = max(map(int, template.highest))
        raise Invalid(
            f"Template {wish.name} exists already: say where the new version belongs.",
            hint=f"--major {latest} for its next minor version, --new-major for {latest + 1}.0.",
        )
    return None if wish.major in (None, NEW_MAJOR) else wish.major


def _has_pipeline(checked: Checked) -> bool:
    return bool(checked.facts and checked.facts.part(PartName.PIPELINE))


def _unfit(tx: Tx, template: Template | None, wish: Registration, checked: Checked) -> list[Problem]:
    """What is wrong with the bundle as a version of this template, or of one that is yet to be made."""
    if checked.facts is None or checked.schema is None:
        return []
    problems = _fixed(template, checked) if template else []
    if checked.facts.kind is TemplateKind.SERVICE:
        problems += _environments(wish.compatible or checked.compatible)
    if template and wish.major not in (None, NEW_MAJOR):
        for earlier in tx.versions(template, wish.major):
            if earlier.status != VersionStatus.FAILED:
                problems += _breaks(template, earlier, checked.schema)
    return problems


def _fixed(template: Template, checked: Checked) -> list[Problem]:
    assert checked.facts is not None
    fixed = (
        (
            template.provisioning,
            "customer" if checked.facts.customer_managed else "managed",
            "template/provisioning",
            "infrastructure/",
        ),
        (
            template.pipeline_provisioning if template.kind == TemplateKind.SERVICE else "",
            ("managed" if _has_pipeline(checked) else "customer") if template.kind == TemplateKind.SERVICE else "",
            "template/pipeline",
            "pipeline_infrastructure/",
        ),
    )
    return [
        Problem(
            folder.rstrip("/"),
            0,
            "",
            f"The template was created {'with' if before == 'managed' else 'without'} {folder}; "
            "that cannot change from version to version.",
            rule,
            hint="Register the bundle as a template of its own.",
        )
        for before, now, rule, folder in fixed
        if before != now
    ]


def _environments(named: tuple[str, ...]) -> list[Problem]:
    file = ".template-registration.yaml"
    if not named:
        message = "A service template says which environment templates it runs in."
        hint = "Write compatible_environments: [NAME:MAJOR] into the file, or name them with --compatible NAME:MAJOR."
        return [Problem(file, 0, "compatible_environments", message, "registration/missing", hint=hint)]
    if len(named) > ENVIRONMENTS_MAX:
        message = f"{len(named)} environment templates are named; {ENVIRONMENTS_MAX} are the most."
        return [Problem(file, 0, "compatible_environments", message, "registration/too-many")]
    return []


def _breaks(template: Template, earlier: Version, new: Schema) -> list[Problem]:
    old = registered.schema_of(earlier.schema_text, customer_managed=template.provisioning == "customer")
    against = f"Compared with version {Number(earlier.major, earlier.minor)}"
    return [
        Problem(SCHEMA_FILE, 0, "", f"{against}: {found.message}", found.rule, hint=_BREAKS)
        for found in compatible(old, new)
    ]


_BREAKS = "Keep the schema compatible within a major version, or register it with --new-major."
