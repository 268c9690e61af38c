"""What follows an apply that failed for a reason that passes: a fresh run with a plan of its own, or advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.runs import Event

if TYPE_CHECKING:
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx

_THE_SAME = (
    *("operation", "version_id", "template", "inputs", "update_kind", "auto_approve"),
    *("reason", "requested_by", "priority", "campaign_id", "attached_id", "hibernates"),
)


def follow(tx: Tx, run: Run, message: str, most: int) -> Run:
    """The run, failed; next in line for its instance is a run that tries the same again, `most` times in a row at most.

    Nothing is ever applied twice: what follows plans from what is there then.
    """
    assert run.id is not None
    tries = _tries(tx, run, most)
    if tries >= most:
        said = f"Run {run.id} was retry {tries} of {most}: no more follow by themselves." if most else ""
        return _failed(tx, run, message, said)
    if why := tx.withdrawn(run):
        return _failed(tx, run, message, why)
    fields = {name: getattr(run, name) for name in _THE_SAME}
    fresh = tx.add_run(tx.instance_by_id(run.instance_id), retry_of=run.id, **fields)
    return _failed(tx, run, message, f"Run {fresh.id} tries again by itself (retry {tries + 1} of {most}).")


def advised(run: Run, message: str) -> str:
    """The message of a run that a person has approved: only a person starts it again."""
    return f"{message}\nTry again with a new plan: landform run retry {run.id}"


def _tries(tx: Tx, run: Run, most: int) -> int:
    """How many retries in a row the run is the last of, counted up to `most`."""
    tries = 0
    while run.retry_of is not None and tries < most:
        run = tx.run(run.retry_of)
        tries += 1
    return tries


def _failed(tx: Tx, run: Run, message: str, said: str) -> Run:
    assert run.id is not None
    text = "\n".join(filter(None, (message, said)))
    return tx.move(run.id, Event.FAIL, fence=run.fence, message=text)
