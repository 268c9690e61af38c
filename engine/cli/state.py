"""`landform state`: the states that were kept after every apply, going back to one, and moving them elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine import forms
from engine.cli import adoption, arguments, common, display, failures, out_files, state_bootstrap
from engine.cli.common import Session, WholeNumber, pass_session
from engine.core.address import Address
from engine.errors import Usage

if TYPE_CHECKING:
    from engine.actions.sites import Vault

STATES = display.Shape(
    "landform.state/1",
    display.columns(
        "STATE=id ADDRESS=address SERIAL=serial RUN=run_id RESOURCES=resources NOTE=note CREATED=created_at"
    ),
    "id",
)
OPENED = display.Shape("landform.state-opened/1", (), "folder")
CONTENT = display.Shape("landform.state-content/1", (), "id")
DIFFERENCE = display.Shape("landform.state-diff/1", (), "address")
_VERSION = WholeNumber(2**53 - 1, "the number of a state")


@click.group(cls=failures.Noun)
def state() -> None:
    """States: what was kept of them, going back to one, moving them to another backend."""


_ADDRESS = click.argument("address", shell_complete=arguments.complete("address"))
_NUMBER = click.option(
    "--state", "version_id", type=_VERSION, metavar="STATE", help="A state of the list.  [default: the newest]"
)
_YES = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@state.command("list")
@click.argument("address", required=False, shell_complete=arguments.complete("address"))
@click.option("--limit", type=WholeNumber(10_000), default=100, show_default=True, help="Rows to show.")
@display.option
@pass_session
def list_states(session: Session, address: str | None, limit: int, output: str) -> None:
    """List the states that were kept of an instance, newest first; without an address, the newest one of each."""
    from engine.actions import states

    where = arguments.any_address(address) if address else None
    display.many(states.versions(session.open_app().desk, where, limit), STATES, output)


@state.command("show")
@_ADDRESS
@_NUMBER
@display.option
@pass_session
def show(session: Session, address: str, version_id: int | None, output: str) -> None:
    """Show what a state knows of: resources, and outputs without the sensitive ones' values."""
    from engine.actions import states
    from engine.terraform import statefile

    row, content = states.read(_vault(session), arguments.any_address(address), version_id)
    known: dict[str, Any] = {**row, "known": content.resources(), "outputs": statefile.masked_outputs(content)}
    display.one(known, CONTENT, output, lambda: _text(known))


@state.command("pull")
@_ADDRESS
@_NUMBER
@click.option("--out", metavar="FILE", help="Write it there, readable for you only.  [default: print it]")
@pass_session
def pull(session: Session, address: str, version_id: int | None, out: str | None) -> None:
    """Print a state as Terraform wrote it, with every secret in it."""
    from engine.actions import states

    _, content = states.read(_vault(session), arguments.any_address(address), version_id)
    if out is None:
        click.echo(content.content.decode("utf-8", "replace"), nl=False)
        return
    out_files.write(Path(out), content.content)
    session.say(f"Written to {out}. It holds secrets in clear text.")


@state.command("diff")
@_ADDRESS
@click.argument("before", type=_VERSION, metavar="STATE")
@click.argument("after", type=_VERSION, metavar="STATE")
@display.option
@pass_session
def diff(session: Session, address: str, before: int, after: int, output: str) -> None:
    """Compare two states: resources added and removed, and the names of attributes that changed."""
    from engine.actions import states
    from engine.terraform import statefile

    vault, where = _vault(session), arguments.any_address(address)
    (_, old), (_, new) = (states.read(vault, where, number) for number in (before, after))
    found: dict[str, Any] = {"address": str(where), "from": before, "to": after, **statefile.difference(old, new)}
    display.one(found, DIFFERENCE, output, lambda: _difference(found))


@state.command("rollback")
@_ADDRESS
@click.argument("version_id", type=_VERSION, metavar="STATE")
@_YES
@display.option
@pass_session
def rollback(session: Session, address: str, version_id: int, output: str, *, yes: bool) -> None:
    """Make a state that was kept the newest one again; what is there now is kept too.

    Only what Terraform believes goes back: resources that were made since are not removed, and known of no more.
    """
    from engine.actions import states

    where = arguments.any_address(address)
    _confirm(f"Shall Terraform believe what state {version_id} says of {where}, and nothing later?", where, yes=yes)
    row = states.rollback(_vault(session), where, version_id)
    display.one(row, STATES, output)
    session.say(f"Next: landform run plan {where}")


@state.command("migrate")
@_ADDRESS
@click.option("--to", required=True, metavar="BACKEND", help="managed, or s3://BUCKET/PREFIX?region=REGION.")
@_YES
@display.option
@pass_session
def migrate(session: Session, address: str, to: str, output: str, *, yes: bool) -> None:
    """Move a state to another backend, prove that it arrived whole, and keep a backup."""
    from engine.actions import states

    where = arguments.any_address(address)
    if not re.fullmatch(forms.BACKEND.pattern, to):
        raise Usage(f"--to takes {forms.BACKEND.words}, not {to!r}.")
    _confirm(f"Shall the state of {where} move to {to}?", where, yes=yes)
    row = states.migrate(_vault(session), where, to)
    if row is None:
        session.say(f"{where} has no state yet: it will be at {to}.")
        return
    display.one(row, STATES, output)


@state.command("adopt")
@_ADDRESS
@click.option("--from", "place", required=True, metavar="PLACE", help=adoption.HELP)
@_YES
@display.option
@pass_session
def adopt(session: Session, address: str, place: str, output: str, *, yes: bool) -> None:
    """Let an instance go on with a state that another tool has written; the original stays as it is.

    In a bucket it is looked for under the key of AWS Proton's public workflow, like ENV/terraform.tfstate.
    """
    from engine.actions import adoption as adoptions

    where, source = arguments.any_address(address), adoption.source(place, "--from")
    vault = _vault(session)
    _confirm(f"Shall {where} go on with the state in {place}?", where, yes=yes)
    display.one(adoptions.adopt(vault, where, source), STATES, output)
    session.say(f"Next: landform run plan {where}")


@state.command("open")
@_ADDRESS
@display.option
@pass_session
def open_state(session: Session, address: str, output: str) -> None:
    """Put the state in clear text into the workspace, for Terraform by hand; the next run encrypts it again."""
    from engine.actions import states

    row = states.lay_open(_vault(session), arguments.any_address(address))
    display.one(row, OPENED, output, lambda: row["folder"])
    session.say("terraform.tfstate there holds secrets in clear text until the next run.")


@state.command("harvest")
@_ADDRESS
@click.option("--yes", "-y", is_flag=True, help="Go on with what is there, though it does not follow what was kept.")
@display.option
@pass_session
def harvest(session: Session, address: str, output: str, *, yes: bool) -> None:
    """Keep the state that is in its place now, and unfreeze an instance whose state could not be kept."""
    from engine.actions import states

    row = states.harvest(_vault(session), arguments.any_address(address), accept=yes)
    display.one(row, STATES, output)


state.add_command(state_bootstrap.bootstrap)


def _vault(session: Session) -> Vault:
    return adoption.vault(session.open_app())


def _confirm(question: str, where: Address, *, yes: bool) -> None:
    if not common.confirm(question, yes=yes):
        raise Usage(f"The state of {where} was left alone.")


def _text(known: dict[str, Any]) -> str:
    """A state for people."""
    heading = f"State {known['id']} of {known['address']}: serial {known['serial']}, from run {known['run_id']}"
    resources = [f"  {each['address']}" + (" (tainted)" if each["tainted"] else "") for each in known["known"]]
    outputs = [f"  {name:<20} {display.cell(value)}" for name, value in known["outputs"].items()]
    sections = (("Resources:", resources), ("Outputs:", outputs))
    return display.printable(
        "\n".join([heading, *(line for title, rows in sections if rows for line in (title, *rows))])
    )


def _difference(found: dict[str, Any]) -> str:
    """What differs, for people."""
    lines = [f"  {mark} {each['address']}" for mark, part in (("+", "added"), ("-", "removed")) for each in found[part]]
    lines += [f"  ~ {each['address']} ({', '.join(each['attributes'])})" for each in found["changed"]]
    return display.printable("\n".join(lines)) or "No difference."
