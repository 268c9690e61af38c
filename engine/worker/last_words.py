"""What Terraform said when its Landform was killed, and after that: taken into the run's log, without its secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.external.lines import Lines
from engine.terraform.collector import Collector
from engine.terraform.events import ApplyComplete, ApplyErrored, ApplyProgress, ApplyStart, parse

if TYPE_CHECKING:
    from engine.worker.journal import Journal

_PHASE = "apply"
_HARMLESS = (ApplyStart, ApplyProgress, ApplyComplete, ApplyErrored)
"""They speak of addresses and ids; all else may hold any value."""


def take(journal: Journal, *, secrets_are_known: bool) -> None:
    """Takes the last words into the journal and removes them.

    Without knowing the secrets that were given to that Terraform, only what cannot hold one is taken. A first and a
    last line that are not whole are left out: half of a secret would not be known for one.
    """
    try:
        content = journal.last_words.read_bytes()
    except FileNotFoundError:
        return
    collector = Collector()
    # some of what was being taken down in that very moment may have been
    for line in journal.untold(_whole(content)):
        if secrets_are_known or isinstance(parse(line), _HARMLESS):
            journal.line(_PHASE, line, collector)
    journal.last_words.unlink()


def _whole(content: bytes) -> list[str]:
    lines = Lines()
    # what has no end was cut off by a kill
    found = lines.feed(content)
    # and what has no beginning had been read in part by whoever was killed
    return found if not found or found[0].startswith("{") else found[1:]
