"""What the runs of an environment must keep to: approvals, limits, and which workers may take them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from engine.core.nearest import did_you_mean
from engine.errors import Problem

LABEL = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?", re.ASCII)
"""What a worker's label looks like."""
_COUNT = re.compile(r"[0-9]{1,3}", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Rules:
    """The rules of one environment; the default ones ask for nothing."""

    approvals: int = 1
    """How many people must say yes to a plan that does not approve itself."""
    own_approval: bool = True
    """Whether whoever asked for a run may be one of them."""
    auto_recover: bool = False
    """Whether an interrupted run is planned and, where its plan approves itself, applied again without a person."""
    labels: tuple[str, ...] = ()
    """Only workers that have all of these take its runs."""
    max_runs: int = 0
    """Runs executed side by side in the environment at most, its own included; 0 means any number."""
    rank: int = 0
    """Where the environment stands when many are changed one after the other: lower ones go first."""
    plan_ttl_s: int = 0
    """Seconds after which a plan that nobody has applied is void; 0 means never."""
    drift_every_s: int = 0
    """Seconds after which workers look again whether something was changed outside; 0 means never."""
    drift_budget: int = 10
    """How many instances a worker checks at most each time it looks whether a check is due."""
    expiry_warning_s: int = 86400
    """Seconds before the end of a limited life in which its people are warned, a quarter of it at most; 0 is never."""

    def to_json(self) -> dict[str, object]:
        """A JSON form that from_json() reads back: only what differs from the default."""
        default = asdict(Rules())
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value != default[name]
        }


NAMES = tuple(asdict(Rules()))
"""The rules, as `--rule NAME=VALUE` names them."""


def from_json(stored: Mapping[str, object]) -> Rules:
    """The rules that to_json() wrote."""
    known = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    return Rules(**known)  # type: ignore[arg-type]


def changed(rules: Rules, wishes: Mapping[str, str]) -> tuple[Rules, tuple[Problem, ...]]:
    """The rules with those of `wishes` (rule -> value as typed; "" is the default) in place, and all that is wrong."""
    problems = tuple(_problems(wishes))
    if problems:
        return rules, problems
    default = Rules()
    return from_json(
        asdict(rules)
        | {name: _PARSERS[name](text) if text else getattr(default, name) for name, text in wishes.items()}
    ), ()


def _problems(wishes: Mapping[str, str]) -> Iterator[Problem]:
    for name, text in wishes.items():
        if name not in NAMES:
            yield Problem("--rule", 0, name, f"is not a rule.{did_you_mean(name, NAMES)}")
        elif text and _PARSERS[name](text) is None:
            yield Problem("--rule", 0, name, f"{text!r} is not {_WORDS[name]}.")


def _count(text: str) -> int | None:
    return int(text) if _COUNT.fullmatch(text) else None


def _approvals(text: str) -> int | None:
    return _count(text) or None


def _claim(text: str) -> bool | None:
    return {"yes": True, "true": True, "no": False, "false": False}.get(text.lower())


def seconds(text: str) -> int | None:
    """The seconds of `30m`, `72h` or `7d`; None for a text that is no duration."""
    found = _DURATION.fullmatch(text)
    return int(found[1]) * _UNITS_S[found[2]] if found else None


def labels(text: str) -> tuple[str, ...] | None:
    """Labels from `a,b`, sorted and each once; None when one of them is none."""
    found = sorted({part.strip() for part in text.split(",")})
    return tuple(found) if all(map(LABEL.fullmatch, found)) else None


def missing_labels(needed: Iterable[str], has: Iterable[str]) -> tuple[str, ...]:
    """The labels that a worker lacks to take a run."""
    return tuple(sorted(set(needed) - set(has)))


_PARSERS = {
    "approvals": _approvals,
    "own_approval": _claim,
    "auto_recover": _claim,
    "labels": labels,
    "max_runs": _count,
    "rank": _count,
    "plan_ttl_s": seconds,
    "drift_every_s": seconds,
    "drift_budget": _count,
    "expiry_warning_s": seconds,
}
_WORDS = {
    "approvals": "a whole number from 1 to 999",
    "own_approval": "yes or no",
    "auto_recover": "yes or no",
    "labels": "a list of labels like prod,eu-1",
    "max_runs": "a whole number from 0 to 999",
    "rank": "a whole number from 0 to 999",
    "plan_ttl_s": "a duration like 30m, 72h or 7d",
    "drift_every_s": "a duration like 6h, 24h or 7d",
    "drift_budget": "a whole number from 0 to 999",
    "expiry_warning_s": "a duration like 1h, 24h or 2d",
}
