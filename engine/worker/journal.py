"""What a run leaves behind for people: Terraform's events, a readable log, the inputs without secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from types import TracebackType
from typing import IO

from engine import logs
from engine.core.address import Address
from engine.external.alive import Identity
from engine.terraform.collector import Collector
from engine.terraform.events import ApplyComplete, ApplyErrored, Diagnostic, Event, parse
from engine.terraform.trees import tidied, tree_of
from engine.worker.redaction import Redaction

EVENTS_FILE = "events.jsonl"
LOG_FILE = "log"
INPUTS_FILE = "inputs.json"
KINDS = {"log": LOG_FILE, "events": EVENTS_FILE}
"""Kind of log, as the catalog names it, -> its file."""
PROCESS_FILE = "process.json"
_LAST_BYTES = 1 << 20
LAST_WORDS_FILE = "orphan.jsonl"

Kept = Callable[[Callable[[Iterable[str]], None]], AbstractContextManager[None]]
"""Makes a context, from what is to be told of secrets that come up in it."""


class Journal:
    """The files of one run, while it is used as a context. Nothing that is secret gets into them."""

    def __init__(
        self,
        folder: Path,
        secrets: Sequence[str],
        watch: Callable[[str, Event | None], None],
        shipment: AbstractContextManager[None] | None = None,
        kept: Kept | None = None,
    ) -> None:
        """`shipment` is entered while the files are written to; None when nobody else is to get them.

        What `kept` makes is entered too: it is given hide(), for secrets that come up meanwhile.
        """
        self._folder = folder
        self._shipment = shipment or nullcontext()
        self.last_words = folder / LAST_WORDS_FILE
        """What Terraform says after we have gone, as it says it: **with secrets in clear text**."""
        self._secrets = tuple(secrets)
        self._redaction = Redaction(self._secrets)
        self._kept = kept
        self._watch = watch
        self._files = ExitStack()
        self.last = ""
        """The last line that was not empty."""

    def __enter__(self) -> Journal:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ExitStack() as files:
            files.enter_context(logs.bound())
            # not the redaction of now: there may be more to hide later
            logs.hide(self.redacted)
            if self._kept is not None:
                files.enter_context(self._kept(self.hide))
            # the first to be entered is the last to go: it sees the files as they are in the end
            files.enter_context(self._shipment)
            self._events = files.enter_context(_append(self._folder / EVENTS_FILE))
            self._log = files.enter_context(_append(self._folder / LOG_FILE))
            # what fails above leaves nothing behind: not a file, nor what this thread's log lines are about
            self._files = files.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def line(self, phase: str, line: str, collector: Collector) -> None:
        """Takes a line of Terraform's."""
        # what is decided upon must be what Terraform said: a secret may be one of its own words
        event = collector.feed(line)
        # first what a terminal would not show: it may stand in the middle of a secret
        safe = self._redaction.line(tidied(line))
        if safe is not line:
            event = collector.shown(safe)
        if tree_of(safe) is not None:
            # what is no JSON, a crash or the words of an older Terraform, is in the log
            self._events.write(f"{safe}\n")
        text = _readable(event)
        if text:
            self.last = text
            self._log.write(f"{text}\n")
        self._watch(phase, event)

    def untold(self, lines: Iterable[str]) -> list[str]:
        """Those that are not among the last events: Terraform puts the time into each, none comes twice."""
        with (self._folder / EVENTS_FILE).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LAST_BYTES))
            told = set(file.read().decode("utf-8", "replace").split("\n"))
        return [line for line in lines if self._redaction.line(tidied(line)) not in told]

    def started(self, child: Identity) -> None:
        """Notes which process works for the run, so that whoever comes after a crash can tell whether it still does."""
        path = self._folder / PROCESS_FILE
        with _create(path.with_suffix(".new")) as file:
            json.dump(child, file)
        path.with_suffix(".new").replace(path)

    def keep_inputs(self, masked: bytes) -> None:
        """Keeps what Terraform was given, without secrets."""
        with _create(self._folder / INPUTS_FILE) as file:
            file.write(masked.decode("utf-8"))

    def hide(self, secrets: Iterable[str]) -> None:
        """From now on these are not seen either."""
        more = [secret for secret in secrets if secret not in self._secrets]
        if more:
            self._secrets += tuple(more)
            self._redaction = Redaction(self._secrets)

    def redacted(self, text: str) -> str:
        """The text without any secret of this run."""
        return self._redaction.text(text)


def _readable(event: Event) -> str:
    if isinstance(event, Diagnostic):
        return str(event.problem())
    return event.text


def _append(path: Path) -> IO[str]:
    return os.fdopen(
        os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), "a", encoding="utf-8", buffering=1
    )


def _create(path: Path) -> IO[str]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8")


def path(home: Path, where: Address, run_id: int, *, events: bool = False) -> Path:
    """Where a run's log lies, or Terraform's events as JSON lines; it may not be there."""
    return home.joinpath(where.kind.value, *where.parts, "runs", str(run_id), EVENTS_FILE if events else LOG_FILE)


def recorded_process(folder: Path) -> Identity | None:
    """The process that last worked for the run of this folder; None when none was noted that could be read."""
    try:
        found = json.loads((folder / PROCESS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def has_finished_something(folder: Path) -> bool:
    """Whether Terraform said in the run of this folder that it was done with a resource, well or not."""
    try:
        with (folder / EVENTS_FILE).open(encoding="utf-8") as lines:
            return any(isinstance(parse(line), ApplyComplete | ApplyErrored) for line in lines)
    except FileNotFoundError:
        return False
