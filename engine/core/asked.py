"""What somebody asked for under a key of their own, so that asking again does not do it twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.address import quoted
from engine.errors import Conflict, Usage

KEY_MAX = 200
FROM_CI = "ci"
"""In place of a key: make it from what a pipeline says about the job."""
_DIGEST_DIGITS = 16
_SOURCES: Mapping[str, tuple[str, ...]] = {
    # a job that is started again has another GITHUB_RUN_ATTEMPT and is the same job all the same
    "github": ("GITHUB_RUN_ID", "GITHUB_JOB", "GITHUB_ACTION"),
    "gitlab": ("CI_PIPELINE_ID", "CI_JOB_NAME"),
}
"""Pipeline -> the variables that together name one step of it, however often it is started again."""


@dataclass(frozen=True)
class Asked:
    """A change that was asked for, with the key that it has."""

    key: str
    command: str
    """Its words: `landform instance update`."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """What was given with it, by the name that people know it by (`--set`, `NAME`) -> digest_of()."""

    @property
    def digest(self) -> str:
        """A text that is the same for the same wish, and from which differences() tells what is not."""
        return json.dumps({"command": self.command, "parts": dict(sorted(self.parts.items()))}, separators=(",", ":"))

    def refuse_other(self, recorded: str) -> None:
        """Raises Conflict when the key was used for another wish before; `recorded` is the digest of that one."""
        then = json.loads(recorded)
        if then["command"] != self.command:
            was = f"was used for {then['command']} before"
        elif names := differences(then["parts"], self.parts):
            was = f"was used before with another {' and '.join(names)}"
        else:
            return
        raise Conflict(
            f"The idempotency key {quoted(self.key)} {was}.",
            hint=f"Give each change a key of its own, or let the pipeline name it: --idempotency-key {FROM_CI}",
        )


def differences(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the parts that are not the same, in order."""
    return tuple(sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name)))


def digest_of(value: object) -> str:
    """A short digest of bytes, or of any JSON value."""
    # every command line comes by here, and few have a key
    import hashlib

    raw = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True, default=str).encode()
    return hashlib.sha256(raw).hexdigest()[:_DIGEST_DIGITS]


def check_key(key: str) -> None:
    """Raises Usage for what cannot be a key."""
    if not 1 <= len(key) <= KEY_MAX or not key.isprintable():
        hint = "Take something that names this one change, such as the number of a ticket."
        raise Usage(f"An idempotency key has 1 to {KEY_MAX} printable characters.", hint=hint)


def from_ci(asked: Asked, environ: Mapping[str, str]) -> Asked | None:
    """The wish with a key made from the step of the pipeline, and from the wish: a step may ask for several.

    None outside of a pipeline that is known.
    """
    for source, names in _SOURCES.items():
        values = [environ.get(name, "") for name in names]
        if all(values):
            return Asked(f"{source}/{values[0]}/{digest_of([*values, asked.digest])}", asked.command, asked.parts)
    return None


def variables() -> str:
    """The variables that a key can be made from, in words."""
    return ", or ".join(" and ".join(names) for names in _SOURCES.values())
