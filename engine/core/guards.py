"""What plans must keep to, by the admins of an environment or a template, and what is said of a plan that does not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from engine.core.nearest import did_you_mean
from engine.errors import Conflict, Invalid, LandformError, Problem, Refused

TO_SHOW = 20
"""Refusals that a message lists; the run keeps all."""
REGO = "rego"
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)


class Severity(StrEnum):
    """What it means for a plan to break a guard."""

    DENY = "deny"
    """It is not applied before somebody has made an exception."""
    WARN = "warn"
    """Whoever looks at the plan is told."""


@dataclass(frozen=True)
class Ports:
    """Ports from one number to another, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True)
class Policy:
    """A file of Rego, with its text: whoever evaluates it may be on another machine."""

    file: str
    """As the guards name it."""
    text: str

    @property
    def name(self) -> str:
        """What its rules are called after: the file without its folder and ending."""
        return self.file.rpartition("/")[2].removesuffix(".rego")


@dataclass(frozen=True)
class Guards:
    """The guards of one environment or template; the default ones ask for nothing."""

    never_destroy: tuple[str, ...] = ()
    """Patterns of types or addresses that are neither destroyed nor replaced."""
    max_destroys: int | None = None
    """How many resources a plan may destroy; None: any number."""
    providers: tuple[str, ...] = ()
    """Patterns of the providers that may be used, as `hashicorp/aws`; () allows all."""
    regions: tuple[str, ...] = ()
    """Patterns of the regions in which things may be made; () allows all."""
    required_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Tag -> patterns of the values that it may have; () allows all."""
    public_ingress: tuple[Ports, ...] | None = None
    """The ports on which the whole world may come in; None: any."""
    local_exec: bool = True
    """Whether code may run programs, here or on what it makes."""
    rego: tuple[Policy, ...] = ()
    warn_only: tuple[str, ...] = ()
    """The guards that only warn."""

    def to_json(self) -> dict[str, object]:
        """A JSON form that from_json() reads back: only what differs from the default."""
        found: dict[str, object] = {
            **asdict(self),
            "required_tags": {name: list(values) for name, values in self.required_tags.items()},
            "public_ingress": None if self.public_ingress is None else [str(ports) for ports in self.public_ingress],
        }
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
        return {name: value for name, value in plain.items() if value != _NOTHING[name]}

    @property
    def needs_plan(self) -> bool:
        """Whether the summary of a plan is not enough to judge it."""
        named = (self.providers, self.regions, self.required_tags, self.rego)
        return any(named) or self.public_ingress is not None or not self.local_exec

    def severity(self, guard: str) -> Severity:
        """What it means to break the guard."""
        return Severity.WARN if guard in self.warn_only else Severity.DENY


_NOTHING: Mapping[str, object] = {
    "never_destroy": [],
    "max_destroys": None,
    "providers": [],
    "regions": [],
    "required_tags": {},
    "public_ingress": None,
    "local_exec": True,
    "rego": [],
    "warn_only": [],
}
NAMES = tuple(_NOTHING)
"""The members of a file of guards."""


def words(guards: Guards) -> dict[str, str]:
    """Guard -> what it asks for, as people read it, those that only warn marked so."""
    said = {
        "never_destroy": ", ".join(guards.never_destroy),
        "max_destroys": "" if guards.max_destroys is None else f"at most {guards.max_destroys}",
        "providers": ", ".join(guards.providers),
        "regions": ", ".join(guards.regions),
        "required_tags": ", ".join(
            f"{tag} ({' or '.join(values)})" if values else tag for tag, values in guards.required_tags.items()
        ),
        "public_ingress": _ingress_words(guards.public_ingress),
        "local_exec": "" if guards.local_exec else "none",
        REGO: ", ".join(policy.file for policy in guards.rego),
    }
    marks = dict.fromkeys(guards.warn_only, " (only warns)")
    return {name: f"{text}{marks.get(name, '')}" for name, text in said.items() if text}


def _ingress_words(allowed: tuple[Ports, ...] | None) -> str:
    if allowed is None:
        return ""
    return f"only on {', '.join(map(str, allowed))}" if allowed else "none"


def ports(text: str) -> Ports | None:
    """The ports that `443` or `8000-8100` means; None when it means none."""
    match = _PORTS.fullmatch(text)
    if match is None:
        return None
    found = Ports(int(match[1]), int(match[2] or match[1]))
    return found if found.first <= found.last <= 65_535 else None


def from_json(stored: Mapping[str, object]) -> Guards:
    """The guards that to_json() wrote."""
    known = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    if isinstance(tags := stored.get("required_tags"), Mapping):
        known["required_tags"] = {name: tuple(values) for name, values in tags.items()}
    if isinstance(allowed := stored.get("public_ingress"), list):
        known["public_ingress"] = tuple(filter(None, map(ports, allowed)))
    if isinstance(policies := stored.get("rego"), list):
        known["rego"] = tuple(Policy(**policy) for policy in policies)
    return Guards(**known)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Guarded:
    """Guards, and whose they are."""

    source: str
    """`environment/prod` or `template web`."""
    guards: Guards


def basis(guarded: Iterable[Guarded]) -> dict[str, object]:
    """What the fingerprint of a plan says of the guards in force: under others it has not been judged."""
    return {f"guards of {each.source}": each.guards.to_json() for each in guarded}


@dataclass(frozen=True)
class Refusal:
    """One way in which a plan breaks a guard."""

    rule: str
    """What an exception names: `max_destroys`, `rego.<file>.<rule>`."""
    severity: Severity
    address: str
    """The resource; "" when it is about the plan as a whole."""
    sentence: str
    """What is wrong, with the address in it. Without secrets."""
    source: str
    """As Guarded.source."""

    def __str__(self) -> str:
        return f"{self.rule} ({self.source}): {self.sentence}"

    def to_json(self) -> dict[str, object]:
        """A JSON form that refusals_from_json() reads back."""
        return asdict(self)


def refusals_from_json(stored: Iterable[Mapping[str, object]]) -> tuple[Refusal, ...]:
    """The refusals that Refusal.to_json() wrote."""
    return tuple(
        Refusal(
            str(each["rule"]),
            Severity(str(each["severity"])),
            str(each["address"]),
            str(each["sentence"]),
            str(each["source"]),
        )
        for each in stored
    )


def denied(refusals: Iterable[Refusal]) -> tuple[str, ...]:
    """The rules that somebody must make an exception of, each once and in order."""
    return tuple(sorted({refusal.rule for refusal in refusals if refusal.severity is Severity.DENY}))


def why_it_waits(refusals: Sequence[Refusal]) -> str:
    """What is said of a plan that breaks guards; "" when none of them stands in its way."""
    broken: dict[str, list[str]] = {rule: [] for rule in denied(refusals)}
    for refusal in refusals:
        if refusal.address and refusal.severity is Severity.DENY:
            broken[refusal.rule].append(refusal.address)
    if not broken:
        return ""
    said = [f"{rule}{_few(addresses)}" for rule, addresses in broken.items()]
    return f"Guards refuse it: {'; '.join(said)}. It waits for an exception."


def _few(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    return f" ({addresses[0]}{more})" if addresses else ""


def how_to_except(run_id: int, rules: Iterable[str]) -> str:
    """What to type to let a plan break these rules."""
    return f"landform run approve {run_id} --except {','.join(rules)} --reason TEXT"


def unexcepted(run_id: int, broken: Sequence[Refusal], excepted: Iterable[str]) -> LandformError | None:
    """Why a yes that makes these exceptions is not enough for the plan; None when it is."""
    missing = [rule for rule in denied(broken) if rule not in set(excepted)]
    if not missing:
        return None
    found = [str(refusal) for refusal in broken if refusal.rule in missing and refusal.severity is Severity.DENY]
    more = [f"... and {len(found) - TO_SHOW} more."] if len(found) > TO_SHOW else []
    return Refused(
        "\n".join([f"Guards refuse the plan of run {run_id}.", *found[:TO_SHOW], *more]),
        hint=f"For an exception, ask for: {how_to_except(run_id, denied(broken))}",
    )


def refuse_needless(broken: Mapping[int, Sequence[Refusal]], excepted: Sequence[str]) -> None:
    """Raises Invalid with every exception that none of the plans needs, Conflict when they need none at all.

    `broken` is run -> what its plan breaks.
    """
    needed = {rule for refusals in broken.values() for rule in denied(refusals)}
    who = f"Run {next(iter(broken))}" if len(broken) == 1 else "None of these runs"
    if excepted and not needed:
        verb = "needs" if len(broken) > 1 else "needs no"
        raise Conflict(f"{who} {verb} exception: no guard refuses it.", hint="Leave --except out.")
    wrong = [rule for rule in excepted if rule not in needed]
    if wrong:
        problems = [
            Problem("--except", 0, rule, f"is not what a guard refuses here.{did_you_mean(rule, needed)}")
            for rule in wrong
        ]
        raise Invalid(
            "These exceptions cannot be made:", problems=problems, hint=f"Refused by: {', '.join(sorted(needed))}"
        )
