"""`landform run logs`: prints what Terraform says in a run, from any place in it on, and follows it while it grows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from engine.cli import display
from engine.cli.common import RUN, Session, WholeNumber, pass_session
from engine.core import address
from engine.core.goals import Goal, is_reached
from engine.core.runs import Status

if TYPE_CHECKING:
    from engine.catalog.shapes import Row
    from engine.worker.tail import Source, Tail

_LOOK_EVERY_S = 0.2
_OFFSET_MAX = 2**53 - 1


class Offset(WholeNumber):
    """Bytes from the beginning of a log."""

    name = "offset"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, as click asks for it; 0 is the beginning."""
        return 0 if str(value) == "0" else super().convert(value, param, ctx)


@click.command("logs")
@click.argument("run_id", type=RUN, metavar="RUN")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended or waits for a person.")
@click.option(
    "--offset",
    type=Offset(_OFFSET_MAX, "a number of bytes"),
    metavar="BYTES",
    help="Where to begin, as an earlier call said.",
)
@click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or Terraform's JSON lines.",
)
@pass_session
def logs(session: Session, run_id: int, offset: int | None, output: str, *, follow: bool) -> None:
    """Print what Terraform said in a run."""
    from engine.worker.tail import Tail

    wanted = Log(session, session.reads().run(run_id), is_json=output == "json")
    with wanted.source() as source:
        tail = Tail(source, offset or 0)
        read_bytes = _print(wanted, tail, follow=follow)
    if not read_bytes and not offset:
        session.say(f"Run {run_id} has no log: Terraform was not started.")
    elif follow or offset is not None:
        _say_offset(wanted, tail.offset)


@dataclass(frozen=True)
class Log:
    """The log that was asked for."""

    session: Session
    run: Row
    is_json: bool

    def is_over(self) -> bool:
        """Whether nothing more will be said for now: the run has ended, or waits for a person."""
        return is_reached(Status(self.session.reads().run(self.run["id"])["status"]), Goal.REST)

    @contextmanager
    def source(self) -> Iterator[Source]:
        """Where it is read: in the catalog that machines share, or in the run's file on this one."""
        from engine.catalog import places
        from engine.worker import journal
        from engine.worker.tail import LogFile

        where = address.parse(self.run["address"])
        is_shared = places.place(places.named(self.session.settings)).is_shared
        with LogFile(journal.path(self.session.settings.home, where, self.run["id"], events=self.is_json)) as file:
            yield self._shared(file) if is_shared else file

    def _shared(self, file: Source) -> Source:
        """The log in the catalog; in the file while there is none, as for a run from before machines shared it."""
        catalog, kind = self.session.open_app().catalog, "events" if self.is_json else "log"

        def read(offset: int) -> bytes:
            with catalog.read() as tx:
                content = tx.log(self.run["id"], kind, offset)
                if content or tx.log_size(self.run["id"], kind):
                    return content
            return file(offset)

        return read


def _print(log: Log, tail: Tail, *, follow: bool) -> int:
    """Prints what there is, with `follow` until the run rests; how many bytes that was."""
    begin = tail.offset
    while True:
        # asked before it is read: what was said until then must not be missed
        is_over = not follow or log.is_over()
        while content := tail.more(over=is_over):
            click.echo(display.printable(content.decode("utf-8", "replace")), nl=False)
        if is_over:
            return tail.offset - begin
        time.sleep(_LOOK_EVERY_S)


def _say_offset(log: Log, offset: int) -> None:
    if log.is_json:
        click.echo(json.dumps({"schema": "landform.log/1", "run": log.run["id"], "offset": offset}), err=True)
    else:
        log.session.say(f"Next: landform run logs {log.run['id']} --offset {offset}")
