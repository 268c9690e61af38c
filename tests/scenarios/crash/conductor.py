"""Drives one campaign, and kills itself at one moment of it, of the campaign or of one of its runs.

A program of its own: `python conductor.py HOME CAMPAIGN MOMENT`; it ends well only when nothing is left to do.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from engine import app, settings
from engine.worker.following import watch_nothing


def main(home: str, campaign: str, moment: str) -> None:
    """Drives the campaign for as long as it is not killed."""

    def trigger(now: str) -> None:
        if now == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    opened = app.build(settings.load(home=home), trigger)
    driver = opened.driver(trigger)
    while (view := driver.advance(int(campaign))).runs or view.checks:
        before = view
        for run_id in view.runs:
            opened.executor.execute(run_id, app.stop(), watch_nothing)
        for step_id in view.checks:
            driver.check(step_id)
        if driver.advance(int(campaign)) == before:
            break
    opened.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
