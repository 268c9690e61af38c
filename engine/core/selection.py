"""Which instances are meant: `--select` for everything that is done to many of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from engine.core.address import Kind, quoted
from engine.core.nearest import did_you_mean
from engine.core.versions import Number
from engine.core.versions import parse as parse_number
from engine.errors import Invalid, LandformError, Problem


@dataclass(frozen=True)
class Candidate:
    """An instance, as far as it can be selected."""

    instance_id: int
    address: str
    kind: Kind
    template: str
    number: Number
    recommended: Number | None
    """Of its template; None when nothing is recommended."""
    environment: str
    """The one it lives in; of an environment, itself; "" for a pipeline."""
    environment_id: int | None
    rank: int
    """Of that environment."""
    service: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Its own over those of its service and environment."""
    is_stale: bool = False
    drift: str = ""
    is_hibernated: bool = False
    is_deployed: bool = True

    @property
    def is_outdated(self) -> bool:
        """Whether its version is lower than the recommended one."""
        return self.recommended is not None and self.number < self.recommended


Test = Callable[[Candidate], bool]
_CLAIMS: Mapping[str, Test] = {
    "outdated": lambda found: found.is_outdated,
    "stale": lambda found: found.is_stale,
    "drifted": lambda found: found.drift != "",
    "hibernated": lambda found: found.is_hibernated,
}
_TEXTS: Mapping[str, Callable[[Candidate], str]] = {
    "address": lambda found: found.address,
    "kind": lambda found: found.kind.value,
    "template": lambda found: found.template,
    "environment": lambda found: found.environment,
    "service": lambda found: found.service,
}
_VERSION, _TAG = "version", "tag:"
NAMES = (*_TEXTS, _VERSION, "tag:KEY", *_CLAIMS)
HINT = (
    "Write template=web, version=1.0..1.3, environment=prod, service=orders*, kind=service, address=service/*/prod, "
    "tag:team=pay, outdated, stale, drifted or hibernated; several with commas, alternatives with |."
)


def parse(terms: Iterable[str], option: str = "--select") -> tuple[Test, ...]:
    """What every selected instance must fulfil, from the terms of all options. Raises Invalid with all problems."""
    tests: list[Test] = []
    problems: list[Problem] = []
    for term in (part.strip() for text in terms for part in text.split(",")):
        try:
            tests.append(_test(term))
        except LandformError as error:
            problems.append(Problem(option, 0, term, error.message))
    if problems:
        raise Invalid("The selection cannot be used:", problems=problems, hint=HINT)
    return tuple(tests)


def selected(candidates: Iterable[Candidate], tests: Iterable[Test]) -> tuple[Candidate, ...]:
    """Those of the candidates that fulfil everything, by address."""
    needed = tuple(tests)
    fit = (found for found in candidates if all(test(found) for test in needed))
    return tuple(sorted(fit, key=lambda found: found.address))


def _test(term: str) -> Test:
    name, equals, text = term.partition("=")
    if not equals and name in _CLAIMS:
        return _CLAIMS[name]
    if not text:
        raise Invalid(f"{quoted(term)} selects nothing.{did_you_mean(name, NAMES)}")
    choices = text.split("|")
    if name in _TEXTS:
        return lambda found: any(fnmatchcase(_TEXTS[name](found), choice) for choice in choices)
    if name == _VERSION:
        ranges = [_range(choice) for choice in choices]
        return lambda found: any(low <= found.number <= high for low, high in ranges)
    key = name.removeprefix(_TAG)
    if key != name and key:
        return lambda found: key in found.tags and any(fnmatchcase(found.tags[key], choice) for choice in choices)
    raise Invalid(f"{quoted(name)} is nothing to select by.{did_you_mean(name, NAMES)}")


_LOWEST, _HIGHEST = Number(0, 0), Number(2**31, 2**31)


def _range(text: str) -> tuple[Number, Number]:
    """`1.2`, `1` (all of that major), `1.0..1.3`, `..1.3`, `1.2..`; both ends belong to it."""
    low, dots, high = text.partition("..")
    if dots:
        return (_end(low)[0] if low else _LOWEST), (_end(high)[1] if high else _HIGHEST)
    return _end(text)


def _end(text: str) -> tuple[Number, Number]:
    if text.isdecimal() and text.isascii() and len(text) < 10:
        return Number(int(text), 0), Number(int(text), 2**31)
    number = parse_number(text)
    return number, number
