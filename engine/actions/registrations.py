"""The intention of admins to register a bundle as a version of a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.actions import comparing, wiring
from engine.actions.desk import Desk, Target
from engine.actions.templates import by_id
from engine.core import verdicts
from engine.core.address import check_name
from engine.core.bundle import PartName
from engine.core.verdicts import Verdict
from engine.core.versions import Number, TemplateKind, TemplateRef, VersionStatus, next_number
from engine.errors import Invalid, Problem, Severity

if TYPE_CHECKING:
    from engine.bundles.load import Checked
    from engine.catalog.tables import Template
    from engine.catalog.tx import Tx
    from engine.core.asked import Asked

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
    kind: TemplateKind | None = None
    """What the bundle must make; None takes it for what it looks like."""
    forced: bool = False
    """Whether a minor version is taken although it breaks with earlier ones."""
    reason: str = ""
    """Why, where it has to be."""


@dataclass(frozen=True)
class Registered:
    """What became of a registration."""

    ref: TemplateRef
    """Kind, name and number of the version."""
    status: VersionStatus
    problems: tuple[Problem, ...]
    """Everything found: errors when it failed, warnings in any case."""
    verdict: Verdict | None = None
    """How it stands to the minors before it; None for one that failed, and for the first of its major."""

    @property
    def label(self) -> str:
        """`web@1.2`"""
        return f"{self.ref.name}@{self.ref.number}"


def register(desk: Desk, wish: Registration, asked: Asked | None = None) -> Registered:
    """Records the bundle as a draft, or as failed with all reasons. The first version makes the template.

    What was asked for before gives the version that was recorded then, as it is now, without its warnings.
    Raises Invalid for a bad name, for a major that does not exist, for outputs that no environment offers, and for a
    minor version that breaks with earlier ones unless that is forced: these use up no number. Conflict when the name is
    taken by the other kind.
    """
    from engine.bundles.load import check

    if (before := desk.done(asked)) is not None:
        return _registered(by_id(desk, before[0]))
    check_name(wish.name, "template name")
    _refuse_environments(wish.compatible)
    checked = check(wish.files, wish.kind, desk.confirm)
    with desk.catalog.read() as tx:
        unfit = _misplaced(tx, wish, checked)
        if not (unfit or checked.errors):
            _verdict(tx, _known(tx, wish, checked), wish, desk.user, checked)
            _wired(tx, None, wish, checked)
    # nothing is stored for a version that fails
    digest = "" if unfit or checked.errors else desk.store.put(wish.files)
    problems: list[Problem] = []

    def act(tx: Tx) -> list[int]:
        template = _template(tx, wish, checked)
        problems.extend(_problems(template, wish, checked, unfit))
        verdict = None if _errors(problems) else _verdict(tx, template, wish, desk.user, checked)
        problems.extend([] if _errors(problems) else _wired(tx, template, wish, checked))
        return [_record(tx, template, wish, _Judged(checked, digest, problems, verdict))]

    return _registered(by_id(desk, desk.once(asked, act)[0]), problems)


def _registered(target: Target, problems: Sequence[Problem] = ()) -> Registered:
    number = Number(target.version.major, target.version.minor)
    ref = TemplateRef(target.template.name, number, TemplateKind(target.template.kind))
    stored = target.version.verdict
    verdict = verdicts.from_json(stored) if stored else None
    return Registered(ref, VersionStatus(target.version.status), tuple(problems), verdict)


@dataclass(frozen=True)
class _Judged:
    """A bundle that has been checked."""

    checked: Checked
    digest: str
    """Where it is stored; "" when it is not."""
    problems: Sequence[Problem]
    verdict: Verdict | None
    """None when it was not compared."""


def _errors(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def _verdict(tx: Tx, template: Template | None, wish: Registration, user: str, checked: Checked) -> Verdict | None:
    """How a sound bundle stands to the minors before it; None for the first. Raises Invalid as register() does."""
    major = _major(template, wish) if template else None
    if template is None or major is None:
        return None
    found = comparing.judged(tx, template, major, checked)
    if not wish.forced:
        comparing.refuse_breaking(found, template.name, major)
    return found.forced(user, wish.reason) if found and wish.forced else found


def _wired(tx: Tx, template: Template | None, wish: Registration, checked: Checked) -> list[Problem]:
    """Warnings about outputs that flow between environments and services; None as the template leaves out those of an
    environment's. Raises Invalid as register() does.
    """
    if checked.facts is None or checked.schema is None:
        return []
    if checked.facts.kind is TemplateKind.SERVICE:
        return wiring.of_service(tx, checked.facts, wish.compatible or checked.compatible)
    if template is None:
        return []
    major = next_number({int(key): minor for key, minor in template.highest.items()}, _major(template, wish)).major
    return wiring.of_environment(tx, f"{template.name}:{major}", checked.facts, checked.schema)


def _problems(template: Template, wish: Registration, checked: Checked, unfit: Sequence[Problem]) -> list[Problem]:
    from engine.bundles.registration import MISSING

    # which environment templates it runs in is for _environments() to judge: --compatible may name them
    found = [problem for problem in checked.problems if problem.rule != MISSING]
    return [*found, *(unfit or _unfit(template, wish, checked))]


def _record(tx: Tx, template: Template, wish: Registration, judged: _Judged) -> int:
    """The id of the new version."""
    checked = judged.checked
    errors = _errors(judged.problems)
    failed = not judged.digest or bool(errors)
    version = tx.register_version(
        template,
        _major(template, wish),
        status=(VersionStatus.FAILED if failed else VersionStatus.DRAFT).value,
        message="\n".join(map(str, errors)),
        description=wish.description,
        source=wish.source,
        bundle="" if failed else judged.digest,
        schema_text=checked.schema_text,
        facts=checked.facts.to_json() if checked.facts and not failed else {},
        compatible=list(wish.compatible or checked.compatible),
        component_sources=list(checked.component_sources),
        verdict=judged.verdict.to_json() if judged.verdict else None,
    )
    assert version.id is not None
    return version.id


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
    return _unfit(template, wish, checked)


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


def _unfit(template: Template | None, wish: Registration, checked: Checked) -> list[Problem]:
    """What is wrong with the bundle as a version of this template, or of one that is yet to be made."""
    if checked.facts is None or checked.schema is None:
        return []
    problems = _fixed(template, checked) if template else []
    if checked.facts.kind is TemplateKind.SERVICE:
        problems += _environments(wish.compatible or checked.compatible)
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
