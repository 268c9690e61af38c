"""`landform run export`: writes what is known of a run into files for a pipeline, and never over somebody else's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli import display, texts
from engine.cli.common import RUN, Session, pass_session
from engine.core import export_junit, export_summary, plans
from engine.core.export import MARK, MARKED_BYTES, PLAN_FILE, REPORT_FILE, RUN_FILE, SUMMARY_FILE, Outcome, Story
from engine.core.guards import refusals_from_json
from engine.core.plans import Summary
from engine.core.runs import Operation, Status
from engine.errors import Conflict, LandformError

if TYPE_CHECKING:
    from engine.catalog.shapes import Row


@click.command("export")
@click.argument("run_id", type=RUN, metavar="RUN")
@click.option("--dir", "folder", metavar="FOLDER", default=".", show_default=True, help="Where to write the files.")
@click.option("--force", is_flag=True, help="Write over files that are not Landform's.")
@display.option
@pass_session
def export(session: Session, run_id: int, folder: str, output: str, *, force: bool) -> None:
    """Write a run into files: its plan as JSON, a summary in Markdown, a JUnit report, and itself.

    Nothing that is sensitive is in them. Files of an earlier export are replaced.
    """
    row = session.reads().run(run_id)
    story = _story(session, row)
    files = {
        SUMMARY_FILE: export_summary.summary(story),
        REPORT_FILE: export_junit.report(story),
        RUN_FILE: display.to_json({MARK: run_id, "schema": "landform.run/1", **row}),
    }
    plan = _plan(session, row)
    if plan is not None:
        files[PLAN_FILE] = display.to_json(plan)
    root = Path(folder)
    _write(root, files, force=force)
    display.many([{"name": str(root / name)} for name in sorted(files)], display.FILES, output)


def _story(session: Session, row: Row) -> Story:
    summary = None if row["summary"] is None else plans.from_json(row["summary"])
    outputs = {name: display.output_text(output) for name, output in (row["outputs"] or {}).items()}
    return Story(
        run_id=row["id"],
        address=row["address"],
        operation=Operation(row["operation"]),
        template=row["template"],
        status=Status(row["status"]),
        message=row["message"],
        requested_by=row["requested_by"],
        reason=row["reason"],
        approved_by=row["approved_by"],
        summary=summary,
        has_applied=row["applied_at"] is not None,
        apply_s=_seconds(row),
        outcomes=_outcomes(session, row, summary) if row["applied_at"] and summary else {},
        outputs=outputs,
        refusals=refusals_from_json(row["refusals"]),
        exceptions=tuple(sorted({rule for given in row["approvals"] for rule in given["exceptions"]})),
        next_commands=tuple(texts.next_commands(row)),
    )


def _seconds(row: Row) -> float | None:
    """How long the apply took."""
    if row["applied_at"] is None or row["ended_at"] is None:
        return None
    return (datetime.fromisoformat(row["ended_at"]) - datetime.fromisoformat(row["applied_at"])).total_seconds()


def _outcomes(session: Session, row: Row, summary: Summary) -> Mapping[str, Outcome]:
    from engine.worker import exporting

    return exporting.outcomes(_events(session, row), summary.changes)


def _events(session: Session, row: Row) -> Iterator[str]:
    """What Terraform said, line by line."""
    from engine.cli.run_logs import Log
    from engine.worker.tail import Tail

    with Log(session, row, is_json=True).source() as source:
        tail = Tail(source)
        while content := tail.more(over=True):
            yield from content.decode("utf-8", "replace").splitlines()


def _plan(session: Session, row: Row) -> dict[str, object] | None:
    """The plan without what is sensitive; None when there is none to be read any more, which is said."""
    from engine.worker import exporting

    if row["summary"] is None:
        return None
    app = session.open_app()
    try:
        return exporting.plan_json(app.catalog, app.phases.ground, row["id"])
    except LandformError as error:
        session.say(f"Without {PLAN_FILE}: {error.message}")
        return None


def _write(root: Path, files: Mapping[str, str], *, force: bool) -> None:
    """Writes the files, each whole or not at all. Raises Conflict, before any is written, when one is not ours."""
    foreign = [] if force else sorted(str(root / name) for name in files if not _may_replace(root / name))
    if foreign:
        raise Conflict(
            f"{foreign[0]} exists already and was not written by Landform.",
            hint="Choose another folder with --dir, or write over it with --force.",
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            _put(root / name, f"{text.rstrip()}\n")
        if PLAN_FILE not in files and _may_replace(root / PLAN_FILE):
            # one of another run must not be taken for this one's
            (root / PLAN_FILE).unlink(missing_ok=True)
    except OSError as error:
        raise display.unwritable(root, error) from error


def _may_replace(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(MARKED_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        raise display.unwritable(path, error) from error


def _put(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("xb") as file:
            file.write(text.encode("utf-8", "replace"))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
