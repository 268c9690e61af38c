"""`landform template`: what admins do with bundles and versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, common, display, failures, requests, texts
from engine.cli.common import Session, pass_session
from engine.core import address
from engine.core.versions import REGISTERED, Number, TemplateKind, TemplateRef, VersionStatus
from engine.errors import Conflict, Invalid, NotFound, Severity, Usage

if TYPE_CHECKING:
    from engine.actions.registrations import Registered
    from engine.app import App
    from engine.bundles.load import Checked
    from engine.catalog.reads import Row
    from engine.core.bundle import Facts
    from engine.core.inputs import Input
    from engine.core.schema import Schema
    from engine.core.verdicts import Compared

TEMPLATES = display.Shape(
    "landform.template/1",
    display.columns("NAME=name KIND=kind RECOMMENDED=recommended VERSIONS=versions DESCRIPTION=description"),
    "name",
)
VERSIONS = display.Shape(
    "landform.version/1",
    display.columns("VERSION=label STATUS=status RECOMMENDED=recommended SOURCE=source CREATED=created_at"),
    "label",
)
DELETED = display.Shape("landform.version/1", display.columns("VERSION=label STATUS=status"), "label")
COMPARISONS = display.Shape("landform.comparison/1", display.columns("LABEL=label"), "label")
PROBLEMS = display.Shape(
    "landform.problem/1", display.columns("SEVERITY=severity FILE=file LINE=line FIELD=field MESSAGE=message"), "rule"
)
KINDS = click.Choice(["environment", "service"])


@click.group(cls=failures.Noun)
def template() -> None:
    """Templates and their versions."""


template.elsewhere = {
    "preview": "engine.cli.template_preview:template_preview",
    "sync": "engine.cli.template_sync:template_sync",
    "deprecate": "engine.cli.template_lifecycle:deprecate",
    "yank": "engine.cli.template_lifecycle:yank",
    "guards": "engine.cli.guards:of_template",
    "minimum": "engine.cli.template_lifecycle:minimum",
    "test": "engine.cli.template_test:test",
    "require-tests": "engine.cli.template_test:require_tests",
    "usage": "engine.cli.template_usage:usage",
}


@template.command("init")
@click.argument("name")
@click.option("--kind", type=KINDS, default="service", show_default=True, help="What the template makes.")
@click.option(
    "--engine",
    type=click.Choice(["hcl", "jinja"]),
    default="hcl",
    show_default=True,
    help="How its files are rendered.",
)
@click.option("--pipeline", is_flag=True, help="With pipeline infrastructure.")
@click.option("--compatible", multiple=True, metavar="NAME:MAJOR", help="Environment template a service runs in.")
@click.option("--dir", "folder", metavar="FOLDER", help="Where to write it.  [default: ./NAME]")
@display.option
@pass_session
def init(
    session: Session,
    name: str,
    kind: str,
    engine: str,
    compatible: tuple[str, ...],
    folder: str | None,
    output: str,
    *,
    pipeline: bool,
) -> None:
    """Write a small bundle that passes every check, to start from."""
    from engine.bundles.scaffold import scaffold

    files = scaffold(TemplateKind(kind), name, engine, pipeline=pipeline, compatible=compatible)
    root = Path(folder or name)
    display.write_tree(root, files)
    display.one({"name": name, "kind": kind, "folder": str(root), "files": sorted(files)}, TEMPLATES, output)
    session.say(f"Next: landform template check {root}")
    if kind == TemplateKind.SERVICE and not compatible:
        session.say("Before you register it, name the environment templates it runs in: see --compatible.")


@template.command("check")
@click.argument("source")
@click.option("--kind", type=KINDS, help="What it must make.  [default: whatever its schema says]")
@click.option("--test", "with_tests", is_flag=True, help="Run its contract tests too, when nothing is wrong.")
@click.option(
    "--output",
    "-o",
    type=click.Choice([*display.FORMATS, "sarif"]),
    default="table",
    show_default=True,
    help="How to print the result.",
)
@pass_session
def check(session: Session, source: str, kind: str | None, output: str, *, with_tests: bool) -> int:
    """Find everything that is wrong with a bundle: a folder, a .tar.gz or an s3:// object."""
    from engine.bundles import load, sarif

    fetched = session.fetch(source)
    checked = load.check(fetched.files, TemplateKind(kind) if kind else None, session.is_readable)
    problems = checked.problems
    if with_tests and not checked.errors:
        from engine.cli.template_test import failed

        problems = (*problems, *failed(session, fetched.files, checked))
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if output == "sarif":
        click.echo(display.to_json(sarif.report(problems, metadata.version("landform"))))
    elif output == "table":
        click.echo("".join(f"{line}\n" for line in failures.problem_lines(problems)), nl=False)
        warnings = len(problems) - errors
        session.say(f"{source}: {_counted(errors, 'error')}, {_counted(warnings, 'warning')}.")
    else:
        display.many([failures.problem_view(problem) for problem in problems], PROBLEMS, output)
    return 1 if errors else 0


@template.command("register")
@click.argument("name")
@click.argument("source")
@click.option("--major", type=click.IntRange(1), help="Register the next minor version of this major version.")
@click.option("--new-major", is_flag=True, help="Register the first version of the next major version.")
@click.option(
    "--compatible",
    multiple=True,
    metavar="NAME:MAJOR",
    help="Environment template a service runs in.  [default: as the bundle says]",
)
@click.option("--description", default="", help="What is new in it.")
@click.option("--test", "with_tests", is_flag=True, help="Run its contract tests and record what they come to.")
@click.option("--publish", "at_once", is_flag=True, help="Publish it when nothing is wrong.")
@click.option("--force", is_flag=True, help="Accept a minor version that breaks with earlier ones; this is recorded.")
@click.option("--reason", default="", metavar="TEXT", help="Why it has to be forced; recorded with it.")
@requests.option
@display.option
@pass_session
def register(
    session: Session,
    name: str,
    source: str,
    major: int | None,
    compatible: tuple[str, ...],
    description: str,
    reason: str,
    idempotency_key: str | None,
    output: str,
    *,
    new_major: bool,
    with_tests: bool,
    at_once: bool,
    force: bool,
) -> int:
    """Register a bundle as a new version: a draft, or failed with all reasons."""
    from engine.actions import registrations
    from engine.cli import verdict_texts

    if major and new_major:
        raise Usage("--major and --new-major exclude each other.")
    if reason and not force:
        raise Usage("--reason says why something is forced.", hint="Give --force too, or leave --reason out.")
    app = session.open_app()
    fetched = session.fetch(source)
    requests.note_files(source, fetched.files)
    wish = registrations.Registration(
        name,
        fetched.files,
        fetched.source,
        registrations.NEW_MAJOR if new_major else major,
        description,
        compatible,
        forced=force,
        reason=reason,
    )
    done = registrations.register(app.desk, wish, requests.asked(idempotency_key))
    for line in failures.problem_lines(done.problems):
        session.say(line)
    if done.status is VersionStatus.FAILED:
        raise Conflict(
            f"{done.label} failed its registration.",
            hint=f"Mend the bundle, then check it: landform template check {source}",
        )
    _test_and_publish(session, app, done, with_tests=with_tests, at_once=at_once)
    for line in verdict_texts.lines(done.verdict) if done.verdict else ():
        session.say(line)
    status = "published" if at_once else "draft"
    row = {"label": done.label, "status": status, "verdict": done.verdict.level.value if done.verdict else None}
    display.one(row, VERSIONS, output, lambda: f"{done.label} is {status}.")
    session.say(f"Next: {_next_use(done.ref) if at_once else f'landform template publish {done.label}'}")
    return 0


def _test_and_publish(session: Session, app: App, done: Registered, *, with_tests: bool, at_once: bool) -> None:
    from engine.actions import templates

    if with_tests:
        from engine.cli.template_test import require_passed

        require_passed(session, app, done.ref)
    if at_once and done.status is not VersionStatus.PUBLISHED:
        templates.publish(app.desk, done.ref)


@template.command("publish")
@click.argument("version", shell_complete=arguments.complete("version"))
@requests.option
@display.option
@pass_session
def publish(session: Session, version: str, idempotency_key: str | None, output: str) -> None:
    """Make a draft usable for everybody: NAME@MAJOR.MINOR."""
    from engine.actions import templates

    ref = arguments.version_ref(version)
    target = templates.publish(session.open_app().desk, ref, requests.asked(idempotency_key))
    row = {"label": target.label, "status": target.version.status}
    display.one(row, VERSIONS, output, lambda: f"{target.label} is published.")
    session.say(f"Next: {_next_use(replace(ref, kind=TemplateKind(target.template.kind)))}")


@template.command("delete")
@click.argument(
    "names", nargs=-1, required=True, metavar="NAME[@VERSION]...", shell_complete=arguments.complete("version")
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@display.option
@pass_session
def delete(session: Session, names: tuple[str, ...], output: str, *, yes: bool) -> None:
    """Delete versions (NAME@MAJOR.MINOR), or templates that have none left (NAME)."""
    from engine.actions import templates
    from engine.core.versions import parse_ref

    refs = [parse_ref(name) for name in dict.fromkeys(names)]
    app = session.open_app()
    if not common.confirm(f"Delete {', '.join(map(str, refs))}?", yes=yes):
        raise Usage("Nothing was deleted.")
    gone = [{"label": label, "status": "deleted"} for label in templates.delete(app.desk, refs)]
    display.many(gone, DELETED, output)


@template.command("update")
@click.argument("name", shell_complete=arguments.complete("template"))
@click.option("--description", help="What it is for.")
@click.option("--display-name", help="How pages name it.")
@display.option
@pass_session
def update(session: Session, name: str, description: str | None, display_name: str | None, output: str) -> None:
    """Change what a template says about itself."""
    from engine.actions import templates
    from engine.core.versions import parse_ref

    if description is None and display_name is None:
        raise Usage("Nothing to change.", hint="Give --description or --display-name.")
    found = templates.describe(session.open_app().desk, parse_ref(name), description, display_name)
    display.one(
        {"name": found.name, "kind": found.kind, "display_name": found.display_name, "description": found.description},
        TEMPLATES,
        output,
    )


@template.command("list")
@click.option("--kind", type=KINDS, help="Only templates of this kind.")
@display.option
@pass_session
def list_templates(session: Session, kind: str | None, output: str) -> None:
    """List the templates."""

    display.many(session.reads().templates(TemplateKind(kind) if kind else None), TEMPLATES, output)


@template.command("versions")
@click.argument("name", shell_complete=arguments.complete("template"))
@display.option
@pass_session
def versions(session: Session, name: str, output: str) -> None:
    """List the versions of a template."""
    from engine.core.versions import parse_ref

    display.many([_labelled(row) for row in session.reads().versions(parse_ref(name))], VERSIONS, output)


@template.command("show")
@click.argument("name", shell_complete=arguments.complete("version"))
@display.option
@pass_session
def show(session: Session, name: str, output: str) -> None:
    """Show a version, the recommended one unless one is named: what it takes, what it gives, what it reads."""
    from engine.core.versions import parse_ref

    row = _labelled(session.reads().version(parse_ref(name)))
    inputs = [asdict(found) for found in _inputs(row)]
    display.one({**row, "inputs": inputs}, VERSIONS, output, lambda: texts.version(row, inputs))


@template.command("render")
@click.argument("source", metavar="NAME[@VERSION]|PATH")
@arguments.given
@click.option("--env", metavar="NAME", help="Environment whose outputs to use.  [default: placeholders]")
@click.option("--dir", "folder", metavar="FOLDER", help="Write the files there.  [default: print them]")
@display.option
@pass_session
def render(
    session: Session, source: str, given: arguments.GivenText, env: str | None, folder: str | None, output: str
) -> None:
    """Show the files Terraform would be given for a version, or for a bundle on disk."""
    from engine.worker import previews

    bundle = _bundle(session, source)
    wish = previews.Wish(bundle.facts, bundle.schema, bundle.files, arguments.example_inputs(given, bundle.schema))
    outputs = session.reads().instance(address.environment(env))["outputs"] if env else None
    display.files(previews.of_template(wish, session.settings, env, outputs), folder, output)


@template.command("diff")
@click.argument("old", shell_complete=arguments.complete("version"))
@click.argument("new", shell_complete=arguments.complete("version"))
@display.option
@pass_session
def diff(session: Session, old: str, new: str, output: str) -> None:
    """Compare two versions, or bundles on disk: what kind of step it is, inputs, outputs, resources and text."""
    from engine.bundles import compare
    from engine.core import verdicts

    before, after = _bundle(session, old), _bundle(session, new)
    verdict = verdicts.verdict([before.compared(old)], after.compared(new))
    found = compare.diff(before.files, before.checked, after.files, after.checked)
    comparison = {"verdict": verdict.to_json(), **found.to_json()}
    display.one({"label": f"{old}..{new}", **comparison}, COMPARISONS, output, lambda: texts.comparison(comparison))


@dataclass(frozen=True)
class _Bundle:
    files: Mapping[str, bytes]
    checked: Checked
    facts: Facts
    schema: Schema

    def compared(self, label: str) -> Compared:
        from engine.core import registered
        from engine.core.verdicts import Compared

        return Compared(label, self.facts, self.schema, registered.document_of(self.checked.schema_text))


def _bundle(session: Session, source: str) -> _Bundle:
    """The bundle of a registered version, or at a path. Raises NotFound, Invalid with everything wrong."""
    from engine.bundles import load
    from engine.bundles.store import Store

    if is_path(source):
        files: Mapping[str, bytes] = session.fetch(source).files
    else:
        row = _version(session, source)
        if not row["bundle"]:
            raise Conflict(
                f"{source} failed its registration: its bundle was not kept.",
                hint=f"See why it failed: landform template show {source}",
            )
        here = Store(session.settings.home / "bundles")
        # opening everything takes longer, and is needed only for what another machine has registered
        store = here if here.has(row["bundle"]) else session.open_app().desk.store
        files = store.get(row["bundle"])
    checked = load.check(files, confirm=session.is_readable)
    if checked.errors or checked.facts is None or checked.schema is None:
        raise Invalid(f"{source} cannot be used:", problems=checked.errors)
    return _Bundle(files, checked, checked.facts, checked.schema)


def _next_use(ref: TemplateRef) -> str:
    is_environment = ref.kind is TemplateKind.ENVIRONMENT
    if ref.number != Number(1, 0):
        return f"landform {'env' if is_environment else 'instance'} list --outdated"
    return f"landform {'env' if is_environment else 'service'} create NAME --template {ref.name}"


def _version(session: Session, name: str) -> Row:
    """The registered version; where there is only a folder of that name, the error says how to mean it."""
    from engine.core.versions import parse_ref

    try:
        return session.reads().version(parse_ref(name))
    except NotFound as error:
        hint = f"If you mean the folder: ./{name}" if Path(name).is_dir() else error.hint
        raise NotFound(error.message, hint=hint) from error


def is_path(source: str) -> bool:
    """Whether the user names a bundle on disk or in S3 rather than a registered version."""
    kind, slash, _ = source.partition("/")
    is_folder = bool(slash) and kind not in REGISTERED
    return is_folder or source.startswith((".", "~")) or source.endswith((".tar.gz", ".tgz"))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _labelled(row: Row) -> Row:
    return {"label": f"{row['template']}@{row['version']}", **row}


def _inputs(row: Row) -> tuple[Input, ...]:
    from engine.core import inputs, registered

    if row["status"] == VersionStatus.FAILED:
        return ()
    customer_managed = bool(row["facts"].get("customer_managed"))
    return inputs.flattened(registered.schema_of(row["schema_text"], customer_managed=customer_managed).type)
