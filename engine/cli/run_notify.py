"""`landform run notify` and `run poll`: how runs end that others carry out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, display, texts
from engine.cli.common import RUN, Session, pass_session
from engine.cli.run import RUNS
from engine.core.notifications import Notification, Told, check, covered, pairs, parsed
from engine.errors import Invalid, Usage

if TYPE_CHECKING:
    from engine.core.notifications import Output

_STATUSES = {told.value.lower().replace("_", "-"): told for told in Told}
_BYTES_MAX = 1 << 20


@click.command("notify")
@click.argument("target", metavar="RUN|ADDRESS|ARN")
@click.option(
    "--status",
    type=click.Choice([*dict.fromkeys((*_STATUSES, *map(str.lower, Told)))], case_sensitive=False),
    metavar=f"[{'|'.join(_STATUSES)}]",
    help="How it goes; without it only outputs are given.",
)
@click.option("--deployment-id", default="", metavar="UUID", help="The deployment that is meant.  [default: the last]")
@click.option("--output", "words", multiple=True, metavar="NAME=VALUE", help="An output; these replace those before.")
@click.option(
    "--outputs",
    "file",
    metavar="FILE",
    help="Outputs as JSON, as terraform output -json prints them or as a list of key and valueString; - reads standard "
    "input.",
)
@click.option("--sensitive", multiple=True, metavar="NAME", help="An output whose value is kept nowhere and not shown.")
@click.option("--message", default="", metavar="TEXT", help="What there is to say about it.")
@click.option("-o", "output", type=click.Choice(display.FORMATS), default="table", help="How to print the result.")
@pass_session
def notify(
    session: Session,
    target: str,
    status: str | None,
    deployment_id: str,
    words: tuple[str, ...],
    file: str | None,
    sensitive: tuple[str, ...],
    message: str,
    output: str,
) -> None:
    """Say how a run goes that others carry out, or what its Terraform gave.

    For pipelines that apply what Landform proposed in a repository. To say the same twice is fine.
    """
    outputs = _outputs(words, file, sensitive)
    told = _STATUSES.get(status.lower()) or Told(status.upper()) if status else None
    if told is None and outputs is None:
        raise Usage("Nothing is said.", hint="Give --status, or outputs with --output NAME=VALUE or --outputs FILE.")
    said = Notification(told, outputs, message, deployment_id)
    # before the home is opened
    check(said)
    app = session.open_app()
    run = app.proposals.notify(_target(target), said, app.desk.user)
    row = session.reads().run(run.id or 0)
    display.one(row, RUNS, output, lambda: texts.run(row))


@click.command("poll")
@click.argument("run_ids", type=RUN, nargs=-1, metavar="[RUN...]")
@display.option
@pass_session
def poll(session: Session, run_ids: tuple[int, ...], output: str) -> None:
    """Look whether the pull requests of runs were merged or closed: of those named, or of all that wait.

    One that was closed cancels its run. Workers do this by themselves every minute.
    """
    app = session.open_app()
    looked = app.proposals.look(tuple(dict.fromkeys(run_ids)))
    display.many([session.reads().run(each.run_id) for each in looked], RUNS, output)
    for each in looked:
        if each.error is not None:
            raise each.error


def _target(text: str) -> str:
    """A number or an ARN as it is, an address in full: `orders/prod` is service/orders/prod."""
    from engine.core import arns

    is_number = text.isascii() and text.isdigit()
    return text if is_number or arns.is_arn(text) else str(arguments.any_address(text))


def _outputs(words: tuple[str, ...], file: str | None, sensitive: tuple[str, ...]) -> dict[str, Output] | None:
    """The outputs that are given; None when none are."""
    if not words and file is None:
        if sensitive:
            raise Usage(
                "--sensitive names outputs, and none are given.",
                hint="Give them with --output NAME=VALUE or --outputs FILE.",
            )
        return None
    found = parsed(_read(file), "standard input" if file == "-" else file) if file is not None else {}
    return covered({**found, **pairs(words)}, sensitive)


def _read(path: str) -> str:
    try:
        raw = sys.stdin.buffer.read(_BYTES_MAX + 1) if path == "-" else _head(Path(path))
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text.") from error
    if len(raw) > _BYTES_MAX:
        raise Invalid(f"{path} is larger than {_BYTES_MAX:,} bytes.")
    return text


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_BYTES_MAX + 1)
