"""The only place that delivers events to those who want to hear of them; what it cannot deliver waits in the catalog.

At least once: a letter is taken for a while, sent, and only then noted as arrived. Who dies in between leaves it to the
next, who sends it again with the same id.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core import notices, targets
from engine.core.arns import Owner
from engine.core.nearest import did_you_mean
from engine.core.notices import MOST_ATTEMPTS, Rejected, pause
from engine.core.targets import Audience
from engine.errors import LandformError, NotFound

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.core.notices import Letter
    from engine.core.targets import Target
    from engine.settings import Settings

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)
"""Longer than anybody takes to send one letter."""
_LOOK_EVERY_S = 1.0
_LONGEST_GOODBYE_S = 6.0
_LONGEST_MESSAGE = 500


def audience(settings: Settings) -> Audience:
    """Who hears of what this process changes. Raises Invalid with everything that is wrong with `[events.NAME]`."""

    def absolute(path: str) -> str:
        return str(settings.config_file.parent / Path(path).expanduser())

    found = targets.parse(settings.tables.get(targets.TABLE), str(settings.config_file), absolute)
    return Audience(Owner(settings.account_id, settings.region), found)


@dataclass(frozen=True)
class Delivered:
    """What became of the letters that were due."""

    delivered: int = 0
    failed: int = 0
    """To be tried again."""
    dead: int = 0


@dataclass(frozen=True)
class Chance:
    """What differs each time, from the outside."""

    jitter: Callable[[], float]
    """From 0 to 1."""
    monotonic_s: Callable[[], float]


@dataclass
class Notifier:
    """Delivers what is due to the targets that this process knows; may be used by several threads."""

    catalog: Catalog
    audience: Audience
    send: Callable[[Target, Letter], None]
    """Raises notices.Rejected or another LandformError when the letter has not arrived."""
    chance: Chance
    _has_swept: bool = field(default=False)

    def try_out(self, name: str, uid: str, now: datetime) -> None:
        """Sends a target an event that tells of nothing. Raises NotFound, or what the sending raises."""
        known = {target.name: target for target in self.audience.targets}
        if name not in known:
            hint = f"There are: {', '.join(known)}." if known else "Name one in landform.toml, as [events.NAME]."
            raise NotFound(f"There is no [events.{name}] in landform.toml.{did_you_mean(name, known)}", hint=hint)
        self.send(known[name], notices.trial(self.audience.owner, name, uid, now))

    def deliver(self, budget_s: float | None = None) -> Delivered:
        """Sends what is due; begins with no letter after that many seconds, where they are given.

        A target that fails is left alone until the next time, so that it keeps nobody waiting for long. Raises
        LandformError when the catalog cannot be reached.
        """
        begun, count = self.chance.monotonic_s(), {"delivered": 0, "failed": 0, "dead": 0}
        willing = {target.name for target in self.audience.targets}
        while budget_s is None or self.chance.monotonic_s() - begun < budget_s:
            letter = self._next(willing)
            if letter is None:
                break
            came_to = self._deliver(letter)
            count[came_to] += 1
            if came_to == "failed":
                willing.discard(letter.target)
        return Delivered(**count)

    def deliver_quietly(self, budget_s: float) -> None:
        """As deliver(), for those who have something else to do: a failure is logged, and no more."""
        try:
            self.deliver(budget_s)
        except LandformError as error:
            logger.warning("events cannot be delivered for now: %s", error.message)

    @contextmanager
    def alongside(self) -> Iterator[None]:
        """Delivers as it comes, beside what is done meanwhile; nothing where there is no target."""
        if not self.audience.targets:
            yield
            return
        is_over = threading.Event()
        thread = threading.Thread(target=self._work, args=(is_over,), name="notifier", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join(_LONGEST_GOODBYE_S)

    def _work(self, is_over: threading.Event) -> None:
        while not is_over.wait(_LOOK_EVERY_S):
            self.deliver_quietly(_LOOK_EVERY_S)

    def _next(self, willing: set[str]) -> Letter | None:
        if not willing:
            return None
        # a look costs nobody anything; the one writer is asked only when there is something to send
        with self.catalog.read() as tx:
            if not tx.has_due_letter(willing):
                return None
        with self.catalog.write() as tx:
            if not self._has_swept:
                tx.forget_letters()
                self._has_swept = True
            return tx.next_letter(willing, LEASE)

    def _target(self, name: str) -> Target:
        return next(target for target in self.audience.targets if target.name == name)

    def _deliver(self, letter: Letter) -> str:
        """`delivered`, `failed` or `dead`."""
        about = {"event": letter.uid, "target": letter.target, "kind": letter.kind}
        try:
            self.send(self._target(letter.target), letter)
        except LandformError as error:
            is_dead = isinstance(error, Rejected) or letter.attempts >= MOST_ATTEMPTS
            again_in = None if is_dead else pause(letter.attempts, self.chance.jitter())
            with self.catalog.write() as tx:
                tx.letter_failed(letter, error.message[:_LONGEST_MESSAGE], again_in)
            logger.warning("an event has not arrived: %s", error.message, extra=about)
            return "dead" if is_dead else "failed"
        with self.catalog.write() as tx:
            tx.letter_arrived(letter)
        logger.debug("an event has arrived", extra=about)
        return "delivered"
