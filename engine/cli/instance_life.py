"""`landform instance extend|hibernate|wake|expire`: how long instances live, and what is kept of them afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, display, foreground, marks
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.errors import Usage

if TYPE_CHECKING:
    from engine.core.lifetimes import Expired, Extension

LIVES = display.Shape(
    "landform.instance/1", display.columns("ADDRESS=address STATUS=status EXPIRES=expires_at TTL_S=ttl_s"), "address"
)


@click.command("extend")
@click.argument("address", shell_complete=arguments.complete("instance"))
@click.argument("duration", required=False)
@click.option("--until", metavar="TIME", help="Let it end then: 2026-12-01 or 2026-12-01T18:00Z.")
@click.option("--forever", is_flag=True, help="Let it live until somebody deletes or hibernates it.")
@display.option
@pass_session
def extend(
    session: Session, address: str, duration: str | None, until: str | None, output: str, *, forever: bool
) -> None:
    """Let an instance live longer: by a DURATION like 24h, until a time, or for ever. Takes addresses of every kind."""
    from engine.actions import lifetimes

    extension = _extension(duration, until, forever=forever)
    where = arguments.any_address(address)
    lifetimes.extend(session.open_app().desk, where, extension)
    row = session.reads().instance(where)
    ends = f"until {row['expires_at']}" if row["expires_at"] else "for ever"
    display.one(row, LIVES, output, lambda: f"{where} lives {ends}.")


def _extension(duration: str | None, until: str | None, *, forever: bool) -> Extension:
    from engine.core import lifetimes

    if (duration is not None) + (until is not None) + forever != 1:
        raise Usage("Say how long it is to live, once.", hint="Give a duration like 24h, --until TIME or --forever.")
    by_s = lifetimes.ttl_s(duration) if duration is not None else None
    return lifetimes.Extension(by_s, lifetimes.moment(until) if until is not None else None, forever)


@click.command("hibernate")
@click.argument(
    "addresses", nargs=-1, required=True, metavar="ADDRESS...", shell_complete=arguments.complete("instance")
)
@foreground.options
@pass_session
def hibernate(session: Session, addresses: tuple[str, ...], how: Options) -> int:
    """Destroy what instances are made of, and keep their versions and inputs. Takes addresses of every kind."""
    from engine.actions import lifetimes

    app = session.open_app()
    wanted = [arguments.any_address(text) for text in addresses]
    return foreground.carry_out(session, app, lifetimes.hibernate(app.desk, wanted, how.consent()), how)


@click.command("wake")
@click.argument("address", shell_complete=arguments.complete("instance"))
@arguments.update
@marks.ttl
@foreground.options
@pass_session
def wake(session: Session, address: str, wish: arguments.UpdateText, ttl: str | None, how: Options) -> int:
    """Deploy a hibernated instance as it was, or with changes. Takes addresses of every kind.

    It lives as long as it did at a time before, counted from now, unless --ttl says otherwise.
    """
    from engine.actions import lifetimes

    app, where = session.open_app(), arguments.any_address(address)
    changes = None if wish.is_empty else wish.read()
    run_ids = lifetimes.wake(app.desk, where, changes, marks.ttl_s(ttl), how.consent())
    return foreground.carry_out(session, app, run_ids, how)


@click.command("expire")
@foreground.carrying
@pass_session
def expire(session: Session, how: Options) -> int:
    """Do what is due: warn of ends that are near, and hibernate what has outlived its time.

    Workers do so by themselves; this is for homes without one, to be called now and then.
    """
    from engine.actions import lifetimes

    app = session.open_app()
    found = list(lifetimes.expire(app.desk))
    for each in found:
        session.say(_said(each))
    if not found:
        session.say("Nothing is due.")
    run_ids = [run_id for each in found for run_id in each.run_ids]
    code = foreground.carry_out(session, app, run_ids, how)
    _raise_for(found)
    return code


def _said(expired: Expired) -> str:
    if expired.error is not None:
        return f"{expired.address}: {display.printable(expired.error.message)}"
    return f"{expired.address}: {'its time is over' if expired.run_ids else 'it ends soon; its people were told'}"


def _raise_for(found: Sequence[Expired]) -> None:
    """Raises the first of what stood in the way, after all has been done that could be."""
    errors = [each.error for each in found if each.error is not None]
    if errors:
        raise errors[0]
