"""The only place that spells Terraform's commands, and the only one that knows python-terraform.

Of that library only `generate_cmd_string` is used: its verbs take a plan with changes for an error, keep all output
until the end, and cannot be cancelled.
"""

from __future__ import annotations

import functools
import math
import platform
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from engine import settings
from engine.errors import ExternalFailure, Invalid, Problem
from engine.external import process
from engine.external.lines import clean
from engine.external.process import Command, Ended, Reason
from engine.terraform.programs import numbers

if TYPE_CHECKING:
    import python_terraform

_SHOW_TIMEOUT_S = 120
# Less garbage collection: a third less CPU on small states (plan 77 -> 51 ms, apply 75 -> 49, medians of 12). On 600
# resources it costs a tenth more CPU and 150 MB in place of 90; GOGC=off would take 550 MB there. GOMAXPROCS=1 saves
# another tenth of a small apply but makes a large plan slower, so the number of threads stays Go's choice.
_TUNING = {"GOGC": "400"}


class Outcome(StrEnum):
    """What a command came to."""

    UNCHANGED = "unchanged"
    """A plan that finds nothing to do."""
    CHANGES = "changes"
    """A plan that finds something to do."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"
    UNKNOWN = "unknown"
    """It was killed, or it crashed: an apply may have made things that are in no state."""


@dataclass(frozen=True)
class Surroundings:
    """What a Terraform sees of the machine."""

    path: str
    """PATH, as in settings.Settings.path."""
    home: Path
    """HOME."""
    tmp: Path
    """TMPDIR; must be there."""
    data_dir: Path
    """Where Terraform keeps modules and provider links of this instance."""
    config_file: Path
    """Terraform's own configuration; must be there, or every command prints a warning."""


@dataclass(frozen=True)
class Place:
    """Where a command runs and how long it may take."""

    folder: Path
    env: Mapping[str, str]
    """As environment() builds it."""
    timeout_s: float
    grace_s: float
    lock_timeout_s: int = 60
    """How long to wait for the state's lock. Who holds it may still be writing: it is waited for, and never broken."""

    @property
    def lock_timeout(self) -> str:
        """The same as Terraform spells it."""
        return f"{self.lock_timeout_s}s"


def environment(surroundings: Surroundings, run_env: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a Terraform, built from nothing: a variable of the caller's never reaches it.

    `run_env` is what operators set for runs on purpose. It may name another TF_CLI_CONFIG_FILE, never what
    settings.check_run_env refuses: that raises Invalid.
    """
    wrong = {name: settings.check_run_env(name, value) for name, value in run_env.items()}
    problems = [Problem("", 0, f"run_env.{name}", message) for name, message in wrong.items() if message]
    if problems:
        raise Invalid("These variables cannot be handed to Terraform:", problems=problems)
    defaults = {"PATH": surroundings.path, "TF_CLI_CONFIG_FILE": str(surroundings.config_file), **_TUNING}
    fixed = {
        "HOME": str(surroundings.home),
        "TMPDIR": str(surroundings.tmp),
        "TF_DATA_DIR": str(surroundings.data_dir),
        # it beats whatever a provisioner leaves in the shared TF_DATA_DIR: the state has one place
        "TF_WORKSPACE": "default",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }
    return {**defaults, **run_env, **fixed}


@dataclass(frozen=True)
class Terraform:
    """One Terraform program. Its methods say what to run; process.run() runs it, a Collector follows what it says."""

    program: Path
    version: str

    @property
    def identity(self) -> str:
        """Which program it is, its version, and the platform its providers are for."""
        kind = "tofu" if self._is_tofu else "terraform"
        return f"{kind} {self.version} {sys.platform}_{platform.machine()}"

    def init(self, place: Place, *, backend: bool = True, modules: bool = True, upgrade: bool = False) -> Command:
        """Fetches providers and `modules`, and sets up the state `backend`. Ends DONE or not."""
        return self._command(
            place, "init", *self._json_of_init(), "no_color", input=False, backend=backend, get=modules, upgrade=upgrade
        )

    def plan(
        self, place: Place, out: Path | None, *, destroy: bool = False, refresh: bool = True, refresh_only: bool = False
    ) -> Command:
        """Writes the plan to `out`, readable by its owner only; it holds every value in clear text. None writes it
        nowhere, where it is only to be told, and takes a sixth less.

        With `refresh_only` it plans what an apply would write into the state to bring it up to what is really there,
        and nothing else.
        """
        modes = {"destroy": destroy, "refresh_only": refresh_only}
        flags = ("json", "no_color", "detailed_exitcode", *(name for name, wanted in modes.items() if wanted))
        return self._command(
            place, "plan", *flags, input=False, lock_timeout=place.lock_timeout, refresh=refresh, out=out
        )

    def test(self, place: Place) -> Command:
        """Runs the `*.tftest.hcl` files of the folder; it speaks JSON. It makes what they say, and destroys it."""
        return self._command(place, "test", "json", "no_color")

    def apply(self, place: Place, plan: Path) -> Command:
        """Applies exactly that plan."""
        return self._command(
            place, "apply", "json", "no_color", input=False, lock_timeout=place.lock_timeout, arguments=(str(plan),)
        )

    def import_(self, place: Place, address: str, identifier: str) -> Command:
        """Takes what exists into the state, as the resource at `address`; `identifier` is what its provider calls it.

        It speaks text, no JSON.
        """
        return self._command(
            place,
            "import",
            "no_color",
            input=False,
            lock_timeout=place.lock_timeout,
            arguments=("--", address, identifier),
        )

    def force_unlock(self, place: Place, lock_id: str) -> Command:
        """Breaks the lock with that id on the state, and no other. Fails on a local state, whose lock dies with its
        process, and when another holds the lock by now. It speaks text, no JSON.
        """
        return self._command(place, "force-unlock", "force", arguments=("--", lock_id))

    def state_push(self, place: Place, state: Path, *, force: bool = False) -> Command:
        """Makes the file the state. Without `force` Terraform refuses another lineage or an older serial.

        A local state gets the serial after the file's. It speaks text, no JSON.
        """
        flags = ("force",) if force else ()
        return self._command(place, "state push", *flags, lock_timeout=place.lock_timeout, arguments=("--", str(state)))

    def state_pull(self, place: Place) -> str:
        """The state as its backend has it, **with every secret**; "" when there is none. Raises ExternalFailure."""
        return self._captured(place, "state pull")

    def show_plan(self, place: Place, plan: Path) -> str:
        """The plan in Terraform's words for people, sensitive values masked. Raises ExternalFailure."""
        return clean(self._shown(place, plan, "no_color"))

    def show_plan_json(self, place: Place, plan: Path, bytes_max: float = math.inf) -> str:
        """The plan as one JSON document, **sensitive values in clear text**.

        Raises ExternalFailure, TooMuch for one that is larger than `bytes_max`.
        """
        return self._shown(place, plan, "json", bytes_max=bytes_max)

    def _shown(self, place: Place, plan: Path, *flags: str, bytes_max: float = math.inf) -> str:
        return self._captured(place, "show", *flags, arguments=(str(plan),), bytes_max=bytes_max)

    def _captured(
        self, place: Place, verb: str, *flags: str, arguments: tuple[str, ...] = (), bytes_max: float = math.inf
    ) -> str:
        argv = self._command(place, verb, *flags, arguments=arguments).argv
        code, text = process.capture(argv, place.env, _SHOW_TIMEOUT_S, place.folder, bytes_max=bytes_max)
        if code:
            raise ExternalFailure(f"terraform {verb} ended with exit code {code}: {clean(text).strip()}")
        return text

    def _json_of_init(self) -> tuple[str, ...]:
        # Terraform learnt it in 1.9; OpenTofu and older ones would refuse the flag, and their text is understood too
        return () if self._is_tofu or numbers(self.version) < (1, 9) else ("json",)

    @property
    def _is_tofu(self) -> bool:
        return self.program.name.startswith("tofu")

    def _command(
        self, place: Place, verb: str, *flags: str, arguments: tuple[str, ...] = (), **options: object
    ) -> Command:
        speller = _speller(self.program)
        from python_terraform import IsFlagged

        argv = speller.generate_cmd_string(verb, *arguments, **dict.fromkeys(flags, IsFlagged), **options)
        return Command(tuple(argv), place.folder, place.env, place.timeout_s, place.grace_s)


def plan_outcome(ended: Ended) -> Outcome:
    """What a plan came to. A plan that was asked to stop, but had been made by then, counts as made."""
    known = {0: Outcome.UNCHANGED, 2: Outcome.CHANGES}
    return known.get(ended.code) or _without_success(ended)


def outcome(ended: Ended) -> Outcome:
    """What any other command came to. An apply that was asked to stop, but had finished by then, is DONE."""
    if ended.code == 0:
        return Outcome.DONE
    # Terraform ends with 1 when it has failed and told why, and by our SIGINT only while it has not begun its work;
    # anything else is a crash or somebody's signal
    interrupted_early = ended.code == -signal.SIGINT and ended.reason is not Reason.EXITED
    return _without_success(ended) if ended.code == 1 or interrupted_early else Outcome.UNKNOWN


def _without_success(ended: Ended) -> Outcome:
    return {
        Reason.EXITED: Outcome.FAILED,
        Reason.CANCELLED: Outcome.CANCELLED,
        Reason.TIMED_OUT: Outcome.TIMED_OUT,
        Reason.KILLED: Outcome.UNKNOWN,
    }[ended.reason]


@functools.cache
def _speller(program: Path) -> python_terraform.Terraform:
    import python_terraform

    # its constructor reads the state file of the folder it is given, or of the current one
    return python_terraform.Terraform(working_dir="/nonexistent", terraform_bin_path=str(program))
