"""`landform run wait`: follows runs that somebody else carries out, through restarts and outages, and only reads."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from engine.cli import common, display, endings, signals
from engine.cli.common import RUN, Session, pass_session
from engine.cli.turns import Deadline
from engine.core.goals import Goal, is_asked_for, is_reached
from engine.core.runs import Status
from engine.errors import ExternalFailure, TimedOut

if TYPE_CHECKING:
    from engine.catalog.bells import Bell
    from engine.catalog.shapes import Row

RUNS = display.Shape(
    "landform.run/1",
    display.columns("RUN=id ADDRESS=address OPERATION=operation TEMPLATE=template STATUS=status PLAN=plan"),
    "id",
)
_LOOK_EVERY_S = 1.0
_OUTAGE_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Between two attempts to reach a catalog that cannot be; the last one again and again."""
_LOOK_FOR_LOST_EVERY = 5
"""Looks at the runs between two looks at whether those who work on them still live."""


@click.command("wait")
@click.argument("run_ids", type=RUN, nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--for",
    "goal",
    type=click.Choice([Goal.PLANNED.value, Goal.ENDED.value]),
    help="Wait for a plan, or for the end.  [default: until it has ended or waits for a person]",
)
@click.option("--timeout", type=common.Seconds(), metavar="SECONDS", help="Wait no longer than this.")
@display.option
@pass_session
def wait(session: Session, run_ids: tuple[int, ...], goal: str | None, timeout: float | None, output: str) -> None:
    """Wait until runs have ended or wait for a person; the exit code says how the worst of them is.

    Whoever works on them may be restarted meanwhile, and the catalog may be out of reach for a while.
    """
    wanted = Goal(goal) if goal else Goal.REST
    watch = Watch(session, list(dict.fromkeys(run_ids)), wanted, Deadline(timeout))
    rows = watch.until_reached()
    display.many(rows, RUNS, output)
    late = [str(row["id"]) for row in rows if not is_reached(Status(row["status"]), wanted)]
    if late:
        again = f"landform run wait {' '.join(late)}" + (f" --for {goal}" if goal else "")
        hint = f"Wait on: {again}. Or see what it waits for: landform run explain {late[0]}"
        raise TimedOut(f"{timeout:g} seconds were not enough for run {', '.join(late)}.", hint=hint)
    is_news = {row["id"]: endings.is_refused(row) or not is_asked_for(Status(row["status"]), wanted) for row in rows}
    endings.raise_for([row for row in rows if is_news[row["id"]]])


@dataclass
class Watch:
    """Looks at runs until they are where somebody waits for them to get."""

    session: Session
    ids: Sequence[int]
    goal: Goal
    deadline: Deadline
    _said: dict[int, str] = field(default_factory=dict)

    def until_reached(self) -> list[Row]:
        """The runs when all are there, or when time is up. Ctrl-C ends the waiting only, with exit code 130.

        A catalog that is out of reach is waited for, if it could be reached in the beginning.
        Raises NotFound, ExternalFailure.
        """
        from engine.catalog import bells, places

        rows = self._rows()
        catalog = places.place(places.named(self.session.settings))
        with signals.detachable(self.session, self.ids), bells.listening(catalog) as bell:
            for look in itertools.count(1):
                if self._are_there(rows) or self.deadline.is_over:
                    return rows
                self._pause(bell, _LOOK_EVERY_S)
                if look % _LOOK_FOR_LOST_EVERY == 0:
                    self.session.look_again()
                rows = self._rows_in_the_end(bell) or rows
        raise AssertionError("counting never ends")

    def _rows_in_the_end(self, bell: Bell) -> list[Row]:
        """The runs, as soon as the catalog can be reached; [] when time is up before."""
        for outage_s in itertools.chain(_OUTAGE_S, itertools.repeat(_OUTAGE_S[-1])):
            try:
                return self._rows()
            except ExternalFailure as error:
                self._say(0, f"{error.message} Trying again.")
            if self.deadline.is_over:
                return []
            self._pause(bell, outage_s)
        return []

    def _rows(self) -> list[Row]:
        reads = self.session.reads()
        return [reads.run(run_id) for run_id in self.ids]

    def _are_there(self, rows: Sequence[Row]) -> bool:
        for row in rows:
            self._say(row["id"], f"Run {row['id']}, {row['address'].partition('/')[2]}: {row['status']}")
        return all(is_reached(Status(row["status"]), self.goal) for row in rows)

    def _pause(self, bell: Bell, seconds: float) -> None:
        left = self.deadline.left_s()
        bell.wait(seconds if left is None else min(seconds, left))

    def _say(self, run_id: int, text: str) -> None:
        if self._said.get(run_id) != text:
            self._said[run_id] = text
            self.session.say(text)
