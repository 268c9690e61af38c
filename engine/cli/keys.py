"""`landform keys`: which keys encrypt what lies in the home and in the catalog, and making new ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli import display, failures, out_files
from engine.cli.common import Session, pass_session

if TYPE_CHECKING:
    from engine.external.keyring import Known

KEYS = display.Shape(
    "landform.key/1",
    display.columns(
        "KEY=id FROM=master CREATED=created_at IN_USE=in_use STATES=states BLOBS=blobs PLANS=plans "
        "WORKSPACES=workspaces BACKUPS=backups"
    ),
    "id",
)
ROTATED = display.Shape("landform.keys-rotated/1", display.columns("KEY=id RENEWED=renewed LEFT=left"), "id")
_CLEAR = "clear text"


@click.group(cls=failures.Noun)
def keys() -> None:
    """Keys that states, plans and what travels with them are encrypted with."""


@keys.command("list")
@display.option
@pass_session
def list_keys(session: Session, output: str) -> None:
    """List all keys, oldest first, with how much each has encrypted; it looks at all of that."""
    from engine.worker.resealing import Everything

    app = session.open_app()
    counts, newest = Everything(app.phases.ground).counts(), app.states.cipher.newest()
    rows = [_row(known.id, known, counts, newest) for known in app.ring.known()]
    others = sorted(counts.keys() - {row["id"] for row in rows} - {"home", ""})
    first = [_row(name, None, counts, newest) for name in (*([""] if "" in counts else []), "home", *others)]
    display.many([*first, *rows], KEYS, output)


@keys.command("rotate")
@click.option("--resume", is_flag=True, help="Make no new key: go on where a rotation was broken off.")
@display.option
@pass_session
def rotate(session: Session, output: str, *, resume: bool) -> None:
    """Make a new key, and encrypt anew what older keys have encrypted, thing after thing.

    Workers go on meanwhile, and take the new key at once. Older keys stay: backups may need them.
    """
    from engine.worker.resealing import Everything

    app = session.open_app()
    if not resume:
        session.say(f"Made key {app.ring.rotate().id}. Should this be broken off: landform keys rotate --resume")
    done = Everything(app.phases.ground).renew()
    row = {"id": app.states.cipher.newest(), "renewed": done.renewed, "left": list(done.left)}
    display.one(row, ROTATED, output)
    if done.left:
        session.say("Next, once nobody works there: landform keys rotate --resume")


@keys.command("open")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", metavar="FILE", help="Write it there, readable for you only.  [default: print it]")
@pass_session
def open_file(session: Session, file: Path, out: str | None) -> None:
    """Print what an encrypted file of this home holds: a plan, or a state that was put aside. Secrets are in it."""
    from engine.worker import resealing

    content = resealing.clear_text(session.open_app().phases.ground, file)
    if out is None:
        click.echo(content.decode("utf-8", "replace"), nl=False)
        return
    out_files.write(Path(out), content)
    session.say(f"Written to {out}. It holds secrets in clear text.")


def _row(name: str, known: Known | None, counts: dict[str, Counter[str]], newest: str) -> dict[str, Any]:
    from engine.worker.resealing import KINDS

    found = counts.get(name, Counter())
    about = {
        "id": name or _CLEAR,
        "master": (known.master or "keys file") if known else ("key file" if name == "home" else None),
        "created_at": known.created_at.isoformat().replace("+00:00", "Z") if known else None,
        "in_use": name == newest,
    }
    return about | {kind: found[kind] for kind in KINDS}
