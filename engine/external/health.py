"""The only place that asks an instance whether it is well: a program of the operator's, or an address."""

from __future__ import annotations

import http.client
import json
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.core import probes
from engine.core.campaigns import Health
from engine.core.notices import Rejected
from engine.errors import Cancelled, ExternalFailure, Invalid
from engine.external import process, webhook
from engine.external.lines import clean
from engine.external.process import Command, Reason
from engine.external.stop import Stop
from engine.settings import environ

ANSWER_S = 10.0
"""How long one answer over HTTP may take."""
_GRACE_S = 5.0
_LINES = 3
_LINE_MAX = 200


@dataclass(frozen=True)
class Pace:
    """How long nobody is asked between two questions."""

    first_s: float = 1.0
    factor: float = 1.5
    longest_s: float = 10.0

    def pauses(self) -> Iterator[float]:
        """One after the other."""
        pause_s = self.first_s
        while True:
            yield pause_s
            pause_s = min(pause_s * self.factor, self.longest_s)


class _Never(Exception):
    """It makes no sense to ask again."""


Question = Callable[[float], str]
"""Why an instance is not well, within so many seconds; "" when it is. Raises _Never, Cancelled."""


def ask(health: Health, facts: Mapping[str, Any], stop: Stop | None = None, pace: Pace | None = None) -> str:
    """ "" when the instance is well, else why not, in a sentence without its end.

    `facts`: {"address", "run", "outputs" as the catalog has them}. It is asked again until it says yes or time is up.
    Raises Cancelled when `stop` is requested: then nobody knows.
    """
    stop = stop or Stop()
    questions = tuple(_questions(health, facts, stop))
    begun_s = time.monotonic()
    until_s = begun_s + health.timeout_s
    for number, pause_s in enumerate((pace or Pace()).pauses(), 1):
        try:
            why = next(filter(None, (question(until_s - time.monotonic()) for question in questions)), "")
        except _Never as error:
            return str(error)
        if not why:
            return ""
        if time.monotonic() + pause_s >= until_s:
            return why if number == 1 else f"{why} (asked {number} times in {time.monotonic() - begun_s:.0f} seconds)"
        _wait(stop, pause_s)
    raise AssertionError


def _questions(health: Health, facts: Mapping[str, Any], stop: Stop) -> Iterator[Question]:
    if health.command:
        yield lambda left_s: _asked_program(_command(health.command, facts, left_s), stop)
    if health.url:
        yield lambda left_s: _asked_url(health.url, facts["outputs"] or {}, min(left_s, ANSWER_S))


def _command(argv: tuple[str, ...], facts: Mapping[str, Any], timeout_s: float) -> Command:
    """The program, with an environment from nothing: what else this process knows is none of its business."""
    address, run = str(facts["address"]), facts["run"]
    told = {"address": address, "run": run, "outputs": probes.open_outputs(facts["outputs"] or {})}
    env = {name: value for name, value in environ().items() if name in ("HOME", "PATH")}
    return Command(
        argv,
        Path("/"),
        {**env, "LANDFORM_ADDRESS": address, "LANDFORM_RUN": str(run)},
        max(timeout_s, 0),
        _GRACE_S,
        typed=json.dumps(told).encode(),
    )


def _asked_program(command: Command, stop: Stop) -> str:
    said: deque[str] = deque(maxlen=_LINES)
    name = command.argv[0]
    try:
        ended = process.run(command, stop=stop, on_line=lambda line: said.append(clean(line)[:_LINE_MAX]))
    except ExternalFailure as error:
        raise _Never(error.message) from error
    if stop.requested:
        raise Cancelled(f"{name} was stopped before it could say whether {command.env['LANDFORM_ADDRESS']} is well.")
    if ended.reason is Reason.TIMED_OUT:
        return f"{name} did not end within {command.timeout_s:.0f} seconds{_words(said)}"
    how = f"signal {-ended.code}" if ended.code < 0 else f"exit code {ended.code}"
    return "" if ended.code == 0 else f"{name} ended with {how}{_words(said)}"


def _words(said: deque[str]) -> str:
    """The last lines that a program has written."""
    lines = " / ".join(line.strip() for line in said if line.strip())
    return f": {lines}" if lines else ""


def _asked_url(template: str, outputs: Mapping[str, Mapping[str, object]], timeout_s: float) -> str:
    try:
        url = probes.filled(template, outputs)
    except Invalid as error:
        raise _Never(error.message) from error
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        status = _status(url, max(timeout_s, 0.1))
    except Rejected as error:
        raise _Never(error.message.rstrip(".")) from error
    except TimeoutError:
        return f"{host} has not answered within {timeout_s:.0f} seconds"
    except (OSError, http.client.HTTPException) as error:
        return f"{host} does not answer: {webhook.reason(error)}"
    also = ", and redirects are not followed" if 300 <= status < 400 else ""
    return "" if 200 <= status < 300 else f"{parts.scheme}://{parts.netloc}{parts.path} answers {status}{also}"


def _status(url: str, timeout_s: float) -> int:
    """Neither redirects nor proxies are followed, and what it says beside its status is not read."""
    parts = urlsplit(url)
    with webhook.connected(parts.scheme, parts.hostname or "", parts.port, timeout_s) as connection:
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("GET", path, headers={"Host": parts.netloc, "User-Agent": "Landform"})
        return connection.getresponse().status


def _wait(stop: Stop, pause_s: float) -> None:
    """Returns after so long. Raises Cancelled when somebody asks before."""
    with stop.attached() as wake, selectors.DefaultSelector() as selector:
        selector.register(wake, selectors.EVENT_READ)
        if not stop.requested:
            selector.select(pause_s)
    if stop.requested:
        raise Cancelled("The instance was not asked any more whether it is well.")
