"""`landform template test` and `require-tests`: contract tests of bundles, as `check --test` runs them too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, display, failures, signals
from engine.cli.common import Session, pass_session
from engine.errors import Conflict, Invalid, Usage

if TYPE_CHECKING:
    from engine.app import App
    from engine.bundles.load import Checked
    from engine.core.contracts import Report
    from engine.core.versions import TemplateRef
    from engine.errors import Problem
    from engine.worker.contracts import Bundle

TESTS = display.Shape("landform.tests/1", (), "label")
_COLUMNS = display.columns("TEST=name RESULT=result FILE=file LINE=line SECONDS=seconds")
REQUIRED = display.Shape("landform.template/1", (), "name")


@click.command("test")
@click.argument("version", metavar="NAME@MAJOR.MINOR", shell_complete=arguments.complete("version"))
@display.option
@pass_session
def test(session: Session, version: str, output: str) -> int:
    """Run the contract tests of a registered version, and record what they come to."""
    app, ref = session.open_app(), arguments.version_ref(version)
    report = recorded(session, app, ref)
    row = {"label": str(ref), **report.to_json()}
    display.one(row, TESTS, output, lambda: text(report))
    session.say(f"Contract tests of {ref}: {report.sentence()} (Terraform {report.terraform}).")
    return 0 if report.is_passed else 1


@click.command("require-tests")
@click.argument("name", shell_complete=arguments.complete("template"))
@click.option("--off", is_flag=True, help="Versions may be published without.")
@display.option
@pass_session
def require_tests(session: Session, name: str, output: str, *, off: bool) -> None:
    """Publish versions of a template only once they have passed their contract tests."""
    from engine.actions import templates
    from engine.core.versions import parse_ref

    ref = parse_ref(name)
    if ref.number is not None or ref.major is not None:
        raise Usage(f"{name} names a version.", hint=f"Tests are demanded of all versions of a template: {ref.name}.")
    found = templates.require_tests(session.open_app().desk, ref, required=not off)
    row = {"name": found.name, "kind": found.kind, "requires_tests": found.requires_tests}
    must = "must pass" if found.requires_tests else "need not pass"
    display.one(row, REQUIRED, output, lambda: f"Versions of {found.name} {must} their contract tests.")


def failed(session: Session, files: Mapping[str, bytes], checked: Checked) -> tuple[Problem, ...]:
    """Why tests of a bundle fail that nothing else is wrong with; () when they pass, or when there are none."""
    from engine.worker.contracts import Bundle

    assert checked.facts is not None
    assert checked.schema is not None
    report = run(session, session.open_app(), Bundle("example", files, checked.facts, checked.schema))
    session.say(f"Contract tests: {report.sentence()} (Terraform {report.terraform}).")
    return report.problems


def require_passed(session: Session, app: App, ref: TemplateRef) -> None:
    """Runs the tests of a version that was registered just now, and records them. Raises Invalid unless all pass."""
    report = recorded(session, app, ref)
    session.say(f"Contract tests: {report.sentence()} (Terraform {report.terraform}).")
    if report.problems:
        raise Invalid(
            f"{ref.name}@{ref.number} did not pass its contract tests, and stays a draft:",
            problems=report.problems,
            hint="Mend the bundle, and register it again.",
        )


def recorded(session: Session, app: App, ref: TemplateRef) -> Report:
    """What the tests of a registered version come to, kept with it. Raises Conflict when it failed its registration."""
    from engine.actions import templates
    from engine.worker.contracts import Bundle

    with app.catalog.read() as tx:
        target = templates.named(tx, ref)
    if not target.version.bundle:
        hint = f"See why: landform template show {target.label}"
        raise Conflict(f"{target.label} failed its registration: there is nothing to test.", hint=hint)
    files = app.desk.store.get(target.version.bundle)
    report = run(session, app, Bundle(target.template.name, files, target.facts, target.schema))
    templates.record_tests(app.desk, ref, report)
    return report


def run(session: Session, app: App, bundle: Bundle) -> Report:
    """What the tests of a bundle come to. Raises Invalid for those that cannot be read, Cancelled on Ctrl-C."""
    from engine.bundles import contracts
    from engine.worker import contracts as worker

    suite, problems = contracts.suite(bundle.files, bundle.facts.parts)
    if problems:
        raise Invalid("The contract tests cannot be read:", problems=problems)
    with signals.stoppable(session) as stop:
        return worker.run(app.phases.ground, bundle, suite, stop, lambda phase, _event: session.say(f"{phase} ..."))


def text(report: Report) -> str:
    """A report for people: every test, and below it why it failed."""
    rows = [{**row, "result": "passed" if row["passed"] else "failed"} for row in report.to_json()["tests"]]
    lines = display.table(rows, _COLUMNS) if rows else ["There are no tests."]
    return display.printable("\n".join([*lines, *failures.problem_lines(report.problems)]))
