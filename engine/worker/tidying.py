"""Leaves nothing in clear text of what processes had opened that have died since."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from engine.core import address
from engine.errors import LandformError
from engine.external import alive, private
from engine.terraform import at_rest
from engine.worker.journal import path, recorded_process

if TYPE_CHECKING:
    from engine.terraform.at_rest import Mark
    from engine.worker.ground import Ground

logger = logging.getLogger(__name__)


def tidy(ground: Ground) -> None:
    """Seals their states, and removes their plans. What cannot be done now is left to the next time."""
    private.sweep(ground.settings.home / "tmp")
    for mark in at_rest.marks(ground.settings.home / at_rest.MARKS):
        if alive.is_alive(mark.who) is False and not _is_worked_on(ground, mark):
            where = address.parse(mark.address)
            try:
                ground.rest(where).end(ground.workspace(where).root, mark.token)
            except LandformError as error:
                logger.warning("a state stays in clear text: %s", error.message, extra={"address": mark.address})


def _is_worked_on(ground: Ground, mark: Mark) -> bool:
    """Whether a Terraform of it may still run: one that was left alone gets its time to stop."""
    who = recorded_process(path(ground.settings.home, address.parse(mark.address), mark.run_id).parent)
    return who is not None and alive.remains(who) != ()
