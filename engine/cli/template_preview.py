"""`landform template preview`: what a version would do to everything that it is for, before anybody deploys it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock, Timer
from types import TracebackType
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, common, display, live, preview_texts, signals
from engine.cli.common import Session, pass_session
from engine.core.nearest import did_you_mean
from engine.core.plans import Shape
from engine.core.preview_json import SCHEMA, tree
from engine.core.previews import Preview, Seen
from engine.errors import Cancelled, LandformError, TimedOut, Usage

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

    from engine.core.previews import Fleet
    from engine.external.process import Stop

PREVIEWS = display.Shape(SCHEMA, (), "template")
ITEMS = display.Shape(SCHEMA, (), "address")
_MARKDOWN = "markdown"
_GRAVE = tuple(shape for shape in Shape if shape is not Shape.NO_CHANGE)
"""What can be asked not to be."""


@dataclass(frozen=True)
class _Manner:
    """How it is gone about, as typed."""

    parallel: int | None
    timeout: float | None


@click.command("preview")
@click.argument("version", metavar="NAME@VERSION", shell_complete=arguments.complete("version"))
@click.option(
    "--select",
    multiple=True,
    metavar="TERMS",
    help="Which instances, like environment=prod,tag:team=pay; several must all hold.  [default: all it is for]",
)
@click.option(
    "--fail-on",
    multiple=True,
    metavar="SHAPES",
    help=f"End with 1 when a plan is one of: {', '.join(_GRAVE)}; or cannot be made. Several with commas.",
)
@click.option("--parallel", type=common.WholeNumber(999), help="Plans side by side.  [default: the number of cores]")
@click.option("--timeout", type=common.Seconds(), metavar="SECONDS", help="Stop after this long; show what there is.")
@click.option(
    "--output",
    "-o",
    type=click.Choice([*display.FORMATS, _MARKDOWN]),
    default="table",
    show_default=True,
    help="How to print the result.",
)
@pass_session
def template_preview(
    session: Session,
    version: str,
    select: tuple[str, ...],
    fail_on: tuple[str, ...],
    parallel: int | None,
    timeout: float | None,
    output: str,
) -> None:
    """Plan a version, draft or published, for every deployed instance that it is for, and change nothing.

    A minor version is for the instances of its major version, the first one of a major version also for those of the
    major versions before it.
    """
    from engine.actions import previewing

    unwanted = _shapes(fail_on)
    ref = arguments.version_ref(version)
    app = session.open_app()
    fleet = previewing.fleet(app.desk, previewing.Wish(ref, select))
    found, is_late = _previewed(session, fleet, _Manner(parallel, timeout))
    _show(found, output)
    if found.unfinished:
        raise _unfinished(found, timeout if is_late else None)
    if unwanted:
        _refuse(found, unwanted)


def _shapes(texts: Collection[str]) -> frozenset[Shape]:
    """The shapes that are named. Raises Usage for anything else."""
    names = [name.strip() for text in texts for name in text.split(",")]
    for name in names:
        if name not in _GRAVE:
            raise Usage(
                f"--fail-on takes no {name!r}.{did_you_mean(name, _GRAVE)}", hint=f"Shapes are: {', '.join(_GRAVE)}."
            )
    return frozenset(map(Shape, names))


def _previewed(session: Session, fleet: Fleet, how: _Manner) -> tuple[Preview, bool]:
    """What was found out, and whether the time was not enough for all of it."""
    from engine.worker import fleet_plans

    app = session.open_app()
    parallel = min(how.parallel or session.settings.parallel, max(1, len(fleet.members)))
    is_late = Event()
    with (
        signals.stoppable(session, at_once=True) as stop,
        _Progress(session, fleet, parallel) as progress,
        _limited(stop, is_late, how.timeout),
    ):
        crew = fleet_plans.Crew(parallel, stop, progress.watch)
        return fleet_plans.preview(app.catalog, app.phases.ground, fleet, crew), is_late.is_set()


@contextmanager
def _limited(stop: Stop, is_late: Event, timeout_s: float | None) -> Iterator[None]:
    def ring() -> None:
        is_late.set()
        stop.request()

    timer = Timer(timeout_s or 0, ring)
    if timeout_s is not None:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _show(found: Preview, output: str) -> None:
    if output == "name":
        display.many([{"address": each.address} for each in found.seen], ITEMS, output)
    elif output == _MARKDOWN:
        from engine.core import preview_markdown

        click.echo(preview_markdown.text(found))
    else:
        display.one(tree(found), PREVIEWS, output, lambda: preview_texts.text(found))


def _unfinished(found: Preview, timeout_s: float | None) -> LandformError:
    left = f"{len(found.unfinished)} of {len(found.unfinished) + len(found.seen)} instances were not planned"
    if timeout_s is None:
        return Cancelled(f"Stopped: {left}.", hint="Nothing was changed.")
    hint = "Give it longer, plan more of them side by side with --parallel, or select fewer with --select."
    return TimedOut(f"{timeout_s:g} seconds were not enough: {left}.", hint=hint)


def _refuse(found: Preview, unwanted: Collection[Shape]) -> None:
    """Raises LandformError when there are plans of these shapes, or some that could not be made: nobody knows those."""
    counts = found.counts()
    hits = [(shape, counts[shape]) for shape in reversed(Shape) if shape in {*unwanted, Shape.FAIL} and counts[shape]]
    if hits:
        of_shapes = ", ".join(f"{count} {shape.value}" for shape, count in hits)
        number = found.template.partition("@")[2]
        [example, *_] = found.of_shapes([hits[0][0]])
        raise LandformError(
            f"{sum(count for _, count in hits)} of {len(found.seen)} instances are refused by --fail-on: {of_shapes}.",
            hint=f"Look at one: landform run plan {example.address} --version {number} --speculative",
        )


class _Progress:
    """How far it is, on stderr: a line that updates itself on a terminal, one at the beginning elsewhere."""

    def __init__(self, session: Session, fleet: Fleet, parallel: int) -> None:
        self._session = session
        self._fleet = fleet
        self._parallel = parallel
        self._lock = Lock()
        self._now: dict[str, None] = {}
        self._done = Counter(each.shape for each in fleet.unfit)
        self._live: Live | None = None

    def __enter__(self) -> _Progress:
        count = len(self._fleet.members)
        self._live = live.started(self._session, self._line, stays=False)
        if self._live is None and count:
            noun = "instance" if count == 1 else "instances"
            self._session.say(f"Planning {self._fleet.template} for {count} {noun}, {self._parallel} side by side.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def watch(self, address: str, seen: Seen | None) -> None:
        """As worker.fleet_plans.Crew.watch."""
        with self._lock:
            if seen is None:
                self._now[address] = None
            else:
                self._now.pop(address, None)
                self._done[seen.shape] += 1

    def _line(self) -> Text:
        from rich.text import Text

        with self._lock:
            done, now = Counter(self._done), list(self._now)
        total = len(self._fleet.members) + len(self._fleet.unfit)
        shapes = preview_texts.counted(done)
        going = f"   now: {', '.join(name.partition('/')[2] for name in now)}" if now else ""
        return Text(f"{sum(done.values())} of {total}{f': {shapes}' if shapes else ''}{going}", overflow="ellipsis")
