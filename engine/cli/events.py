"""`landform events`: what others were told of changes, and what has not arrived."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from engine.cli import arguments, common, display, failures
from engine.cli.common import Session, pass_session
from engine.core import notices
from engine.core.notices import State
from engine.errors import Conflict, Usage

if TYPE_CHECKING:
    from engine.catalog.reads import Row
    from engine.worker.notifying import Delivered

EVENTS = display.Shape(
    "landform.event/1",
    display.columns("EVENT=id TARGET=target KIND=kind STATUS=status STATE=state ATTEMPTS=attempts MESSAGE=message"),
    "id",
)
DELIVERED = display.Shape(
    "landform.events-delivered/1", display.columns("DELIVERED=delivered FAILED=failed DEAD=dead"), "delivered"
)
_ID = common.WholeNumber(2**53 - 1, "the number of an event: landform events list has them in its first column")


@click.group(cls=failures.Noun)
def events() -> None:
    """Events: what [events.NAME] of landform.toml has others told of."""


@events.command("list")
@click.option("--dead", is_flag=True, help="Only those that nobody sends any more.")
@click.option("--target", metavar="NAME", help="Only those for one target.")
@display.option
@arguments.page
@pass_session
def list_events(session: Session, target: str | None, page: display.Page, output: str, *, dead: bool) -> None:
    """List events and whether they have arrived, newest first."""
    state = State.DEAD if dead else None
    rows = session.reads().events(state, target, before=page.before, limit=page.limit + 1)
    display.page(session, rows, EVENTS, page, output)


@events.command("show")
@click.argument("event_id", type=_ID, metavar="EVENT")
@display.option
@pass_session
def show(session: Session, event_id: int, output: str) -> None:
    """Show an event as it is sent, and where it stands."""
    row = _shown(session, event_id)
    rest = {name: value for name, value in row.items() if name not in ("event", "detail")}
    text = f"{display.members(rest)}\n\n{display.to_json(row['event'])}"
    display.one(row, EVENTS, output, lambda: text)


@events.command("retry")
@click.argument("event_ids", type=_ID, nargs=-1, metavar="EVENT...")
@click.option("--dead", is_flag=True, help="All that nobody sends any more.")
@display.option
@pass_session
def retry(session: Session, event_ids: tuple[int, ...], output: str, *, dead: bool) -> int:
    """Send events again, as if nobody had tried. Ends with 1 when one of them has not arrived.

    An event keeps its id, so that a receiver can tell that it has it already.
    """
    if bool(event_ids) == dead:
        raise Usage("Which events is not said, or twice.", hint="Give their numbers, or --dead for all that are dead.")
    app = session.open_app()
    with app.catalog.write() as tx:
        chosen = list(dict.fromkeys(event_ids)) or list(tx.dead_letters())
        tx.send_again(chosen)
    app.notifier.deliver()
    rows = [session.reads().event(event_id) for event_id in chosen]
    display.many(rows, EVENTS, output)
    return 0 if all(row["state"] == State.DELIVERED for row in rows) else 1


@events.command("send")
@display.option
@pass_session
def send(session: Session, output: str) -> int:
    """Send what is due now. Ends with 1 when something has not arrived."""
    notifier = session.open_app().notifier
    if not notifier.audience.targets:
        hint = 'Name somebody, as in [events.team] with to = "webhook", and see docs/how-to/events.md.'
        raise Conflict("There is no [events.NAME] in landform.toml: nobody wants to hear of anything.", hint=hint)
    came_to = notifier.deliver()
    display.one(asdict(came_to), DELIVERED, output, lambda: _sentence(came_to))
    return 1 if came_to.failed or came_to.dead else 0


@events.command("test")
@click.argument("target", metavar="TARGET")
@pass_session
def test(session: Session, target: str) -> None:
    """Send a target an event that tells of nothing, to see whether it arrives."""
    from engine.app import clock

    uid = str(uuid4())
    session.open_app().notifier.try_out(target, uid, clock())
    click.echo(f"{target} has event {uid}, a {notices.TEST_KIND}.")


def _shown(session: Session, event_id: int) -> Row:
    """The event, with the whole of it as its target gets it, if that is known here."""
    row, app = session.reads().event(event_id), session.open_app()
    sources = {target.name: target.source for target in app.notifier.audience.targets}
    with app.catalog.read() as tx:
        letter = tx.letter(event_id)
    return row | {"event": notices.envelope(letter, sources.get(letter.target, notices.SOURCE))}


def _sentence(came_to: Delivered) -> str:
    """What became of it, for people."""
    return f"{came_to.delivered} delivered, {came_to.failed} to be tried again, {came_to.dead} dead."
