"""`landform explain`: why an instance, a run or a campaign is as it is, and what to type next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, display
from engine.cli.common import RUN, Session, pass_session
from engine.core.address import quoted
from engine.core.explaining import Subject
from engine.core.scheduling import TAKEABLE
from engine.errors import Usage

if TYPE_CHECKING:
    from engine.core.explaining import Account, Reason
    from engine.core.explanations import Explanation

EXPLANATION = display.Shape("landform.explanation/2", display.columns("NAME=name STATUS=status"), "name")
_NUMBER = re.compile(r"(c?)([0-9]{1,15})", re.ASCII)
_TO_SHOW = 10


@click.command("explain")
@click.argument("subject", metavar="ADDRESS|RUN|CAMPAIGN", shell_complete=arguments.complete("address"))
@display.option
@pass_session
def explain(session: Session, subject: str, output: str) -> None:
    """Say why something is in its state, what it waits for, who is in its way, and what to type next.

    A run is named by its number, as in 7, and a campaign by its number after a c, as in c3.
    """
    from engine.actions import explaining

    number = _NUMBER.fullmatch(subject)
    if number and not number[1]:
        of_run(session, int(number[2]), output)
    elif number:
        _show(explaining.campaign(session.open_app().desk, int(number[2])), output)
    elif "/" not in subject:
        raise Usage(
            f"{quoted(subject)} names nothing that could be explained.",
            hint="Write an address like orders/prod or environment/prod, a run like 7, or a campaign like c3.",
        )
    else:
        _show(explaining.instance(session.open_app().desk, arguments.any_address(subject)), output)


@click.command("explain")
@click.argument("run_id", type=RUN, metavar="RUN")
@display.option
@pass_session
def explain_run(session: Session, run_id: int, output: str) -> None:
    """Say why a run waits, whether any worker could ever take it, and what can be done about it."""
    of_run(session, run_id, output)


def of_run(session: Session, run_id: int, output: str) -> None:
    """Explains a run."""
    from engine.actions import explaining

    found = explaining.run(session.open_app().desk, run_id)
    row = session.reads().run(run_id)
    turn = {
        "run": run_id,
        "address": found.address,
        "waiting_on": row["waiting_on"],
        "obstacles": [{"why": each.why.value, "text": each.text, "run": each.run_id} for each in found.turn.obstacles],
        "can_be_taken": not found.turn.obstacles,
        "ahead": list(found.turn.ahead),
        "able_workers": list(found.turn.able),
    }
    view = _view(found.account) | turn
    head = f"Run {run_id} of {found.address}: {found.account.status}"
    display.one(view, EXPLANATION, output, lambda: _text(head, found.account, list(_turn(found.account, found.turn))))


def _show(account: Account, output: str) -> None:
    head, fine = f"{account.name}: last run {account.status}", "nothing is in its way, and nothing in it is out of date"
    if account.subject is Subject.CAMPAIGN:
        head, fine = f"Campaign {account.name.removeprefix('c')}: {account.status}", "it goes on by itself"
    display.one(_view(account), EXPLANATION, output, lambda: _text(head, account, [] if account.reasons else [fine]))


def _view(account: Account) -> dict[str, object]:
    return {
        "subject": account.subject.value,
        "name": account.name,
        "status": account.status,
        "is_blocked": any(reason.blocks for reason in account.reasons),
        "reasons": [_reason(reason) for reason in account.reasons],
        "next_commands": list(account.next_commands),
    }


def _reason(reason: Reason) -> dict[str, object]:
    return {
        "topic": reason.topic,
        "text": reason.text,
        "blocks": reason.blocks,
        "run": reason.run_id,
        "commands": list(reason.commands),
    }


def _text(head: str, account: Account, rest: list[str]) -> str:
    lines = [head, *(f"  {reason.text}" for reason in account.reasons), *(f"  {line}" for line in rest)]
    return display.printable("\n".join([*lines, *(f"Next: {command}" for command in account.next_commands)]))


def _turn(account: Account, turn: Explanation) -> Iterator[str]:
    """What there is to say about the line that a run stands in."""
    if not turn.obstacles:
        yield "a worker can take it now"
    if turn.ahead:
        more = f" and {len(turn.ahead) - _TO_SHOW} more" if len(turn.ahead) > _TO_SHOW else ""
        yield f"before it goes run {', '.join(map(str, turn.ahead[:_TO_SHOW]))}{more}"
    if account.status in TAKEABLE:
        able = ", ".join(map(str, turn.able))
        yield f"workers that could take it: {able}" if able else "no living worker could ever take it"
