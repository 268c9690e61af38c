"""Which instances are meant: `--select` for everything that is done to many of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
_EXISTING = frozenset({"address", "environment", "service"})
"""Whoever has one is an instance, or is where one lives: what no instance has is not there."""
_WILDCARDS = frozenset("*?[")
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
            tests.append(_test(term, option))
        except LandformError as error:
            problems.append(Problem(option, 0, term, error.message))
    if problems:
        raise Invalid("The selection cannot be used:", problems=problems, hint=HINT)
    return tuple(tests)


def selected(candidates: Iterable[Candidate], tests: Iterable[Test]) -> tuple[Candidate, ...]:
    """Those of the candidates, which are all that there are, that fulfil everything, by address.

    Raises Invalid for a name that none of them has: a typing error must not pass for a job that is done.
    """
    there, needed = tuple(candidates), tuple(tests)
    problems = [problem for test in needed if isinstance(test, _Named) for problem in test.unknown(there)]
    if problems:
        raise Invalid("The selection names what is not there:", problems=problems)
    fit = (found for found in there if all(test(found) for test in needed))
    return tuple(sorted(fit, key=lambda found: found.address))


@dataclass(frozen=True)
class _Named:
    """That one of the texts of an instance is one of these."""

    name: str
    choices: tuple[str, ...]
    option: str

    def __call__(self, found: Candidate) -> bool:
        return any(fnmatchcase(_TEXTS[self.name](found), choice) for choice in self.choices)

    def unknown(self, there: Iterable[Candidate]) -> Iterator[Problem]:
        """The choices that nothing can fit."""
        if self.name not in _EXISTING:
            return
        known = sorted({_TEXTS[self.name](found) for found in there} - {""})
        for choice in self.choices:
            if choice not in known and not _WILDCARDS & set(choice):
                message = f"There is no {self.name} {quoted(choice)}.{did_you_mean(choice, known)}"
                yield Problem(self.option, 0, f"{self.name}={choice}", message)


def _kinds(choices: Iterable[str]) -> None:
    """Raises Invalid for a kind that is none."""
    known = [kind.value for kind in Kind]
    for choice in choices:
        if not any(fnmatchcase(kind, choice) for kind in known):
            raise Invalid(f"{quoted(choice)} is not one of {', '.join(known)}.{did_you_mean(choice, known)}")


def _test(term: str, option: str) -> Test:
    name, equals, text = term.partition("=")
    if not equals and name in _CLAIMS:
        return _CLAIMS[name]
    if not text:
        raise Invalid(f"{quoted(term)} selects nothing.{did_you_mean(name, NAMES)}")
    choices = tuple(text.split("|"))
    if name == "kind":
        _kinds(choices)
    if name in _TEXTS:
        return _Named(name, choices, option)
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
