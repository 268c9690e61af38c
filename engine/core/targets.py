"""`[events.NAME]` of landform.toml: who hears of events, and of which."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv6Address

from engine.core.arns import Owner
from engine.core.nearest import did_you_mean
from engine.core.notices import SOURCE, STATUSES, Subject, Told
from engine.errors import Invalid, Problem

TABLE = "events"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_AWS_SOURCE = "aws."
_PORT_MAX = 65535
_HOST = re.compile(r"(?=.{1,253}$)\w[\w-]{0,62}(\.[\w-]{1,63})*\.?", re.ASCII)
_LOOPBACK = re.compile(r"http://(localhost|127(\.\d{1,3}){3}|\[::1\])(?=[:/?]|$)", re.ASCII)


class To(StrEnum):
    """The ways in which an event travels."""

    EVENTBRIDGE = "eventbridge"
    SNS = "sns"
    WEBHOOK = "webhook"
    FILE = "file"


@dataclass(frozen=True)
class Target:
    """Somebody who hears of events."""

    name: str
    to: To
    place: str = ""
    """Name or ARN of a bus, ARN of a topic, address of a webhook ("" where it is in `place_file`), path of a file."""
    place_file: str = ""
    """File that holds the address of a webhook."""
    secret_file: str = ""
    """File that holds what a webhook's events are signed with."""
    region: str = ""
    """"" means what the ARN or the environment says."""
    endpoint: str = ""
    """"" means AWS itself."""
    profile: str = ""
    """Of AWS's own configuration; "" means what the environment says."""
    source: str = SOURCE
    kinds: frozenset[Subject] = frozenset(Subject)
    only: frozenset[str] = STATUSES
    """Statuses."""
    allows_http: bool = field(default=False)

    def takes(self, told: Told) -> bool:
        """Whether it wants to hear of it."""
        return told.subject in self.kinds and told.status in self.only


@dataclass(frozen=True)
class Audience:
    """All who hear of what is changed by this process."""

    owner: Owner
    targets: tuple[Target, ...] = ()

    def takers(self, told: Told) -> tuple[str, ...]:
        """The names of those who want to hear of it."""
        return tuple(target.name for target in self.targets if target.takes(told))


NOBODY = Audience(Owner("000000000000", "local"))


@dataclass(frozen=True)
class _Key:
    """What may stand in a table."""

    pattern: str
    words: str
    """The pattern, as in "'x' is not ..."."""
    is_secret: bool = False
    """Whether the value, were it wrong, must not be shown."""


_TEXT = r"[^\x00-\x1f\x7f]{1,4096}"
_KEYS = {
    "bus": _Key(
        r"arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[\w./-]{1,256}|[\w./-]{1,256}",
        "the name or ARN of an event bus",
    ),
    "topic_arn": _Key(
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[\w-]{1,256}(\.fifo)?",
        "the ARN of a topic, like arn:aws:sns:eu-west-1:123456789012:deployments",
    ),
    "url": _Key(
        r"https?://(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\])(?P<port>:[0-9]{1,5})?([/?][!\"$-~]*)?",
        "an address like https://hooks.example.com/landform",
        is_secret=True,
    ),
    "url_file": _Key(_TEXT, "a path"),
    "secret_file": _Key(_TEXT, "a path"),
    "path": _Key(_TEXT, "a path"),
    "region": _Key(r"[a-z0-9-]{1,64}", "a region, like eu-west-1"),
    "endpoint": _Key(r"https?://[!-~]{1,2000}", "an address that begins with http:// or https://"),
    "profile": _Key(_TEXT, "the name of a profile"),
    "source": _Key(r"[\w./-]{1,256}", "a source, like landform or aws.proton"),
}
_LISTS: Mapping[str, Sequence[str]] = {
    "kinds": [subject.value for subject in Subject if subject is not Subject.TEST],
    "only": sorted(STATUSES),
}
_EVERYBODY = ("to", "source", *_LISTS)
_AWS = ("region", "endpoint", "profile")
_TAKES: Mapping[To, tuple[str, ...]] = {
    To.EVENTBRIDGE: ("bus", *_AWS),
    To.SNS: ("topic_arn", *_AWS),
    To.WEBHOOK: ("url", "url_file", "secret_file", "insecure"),
    To.FILE: ("path",),
}
_NEEDS: Mapping[To, tuple[str, ...]] = {
    To.EVENTBRIDGE: ("bus",),
    To.SNS: ("topic_arn",),
    To.WEBHOOK: ("secret_file",),
    To.FILE: ("path",),
}
_PLACE = {To.EVENTBRIDGE: "bus", To.SNS: "topic_arn", To.WEBHOOK: "url", To.FILE: "path"}
_NOUN = {
    To.EVENTBRIDGE: "an event bus",
    To.SNS: "an SNS topic",
    To.WEBHOOK: "a webhook",
    To.FILE: "a file",
}


def parse(table: object, file: str, absolute: Callable[[str], str] = str) -> tuple[Target, ...]:
    """Who is to hear of events, by name; () when the table is not there (None).

    `absolute` makes a path as it was written one that leads there from everywhere. Raises Invalid with all problems,
    which name `file`.
    """
    if table is None:
        return ()
    problems = list(_problems(table, file))
    if problems or not isinstance(table, dict):
        raise Invalid("The settings of events cannot be used:", problems=problems)
    return tuple(_target(name, given, absolute) for name, given in sorted(table.items()))


def wrong_url(url: str, *, allows_http: bool) -> str:
    """What is wrong with the address of a webhook, without the address: it may be a secret. "" when nothing is."""
    key = _KEYS["url"]
    found = re.fullmatch(key.pattern, url, re.ASCII)
    if not found or not 0 < int((found["port"] or ":80")[1:]) <= _PORT_MAX or not _is_host(found["host"]):
        return f"is not {key.words}."
    if url.startswith("http:") and not allows_http and not _LOOPBACK.match(url):
        return "must begin with https://; insecure = true is for networks that nobody listens in on."
    return ""


def _is_host(text: str) -> bool:
    """Whether that can be looked up."""
    if not text.startswith("["):
        return _HOST.fullmatch(text) is not None
    try:
        IPv6Address(text[1:-1])
    except ValueError:
        return False
    return True


def _target(name: str, given: Mapping[str, object], absolute: Callable[[str], str]) -> Target:
    def text(key: str) -> str:
        return str(given.get(key, ""))

    def path(key: str) -> str:
        return absolute(text(key)) if text(key) else ""

    to = To(text("to"))
    kinds, only = given.get("kinds"), given.get("only")
    return Target(
        name,
        to,
        place=path("path") if to is To.FILE else text(_PLACE[to]),
        place_file=path("url_file"),
        secret_file=path("secret_file"),
        region=text("region"),
        endpoint=text("endpoint"),
        profile=text("profile"),
        source=text("source") or SOURCE,
        kinds=frozenset(map(Subject, kinds)) if isinstance(kinds, list) else frozenset(Subject),
        only=frozenset(map(str, only)) if isinstance(only, list) else STATUSES,
        allows_http=given.get("insecure") is True,
    )


def _problems(table: object, file: str) -> Iterator[Problem]:
    if not isinstance(table, dict):
        yield Problem(file, 0, TABLE, "must be a table of tables, as in [events.team].")
        return
    for name, given in table.items():
        place = f"{TABLE}.{name}"
        if not _NAME.fullmatch(name):
            yield Problem(file, 0, place, "is not a name of lower-case letters, digits, - and _, at most 63 of them.")
        elif not isinstance(given, dict):
            yield Problem(file, 0, place, 'must be a table, with to = "webhook" or the like in it.')
        else:
            yield from (
                Problem(file, 0, f"{place}.{key}".rstrip("."), message, hint=hint)
                for key, message, hint in _wrong(given)
            )


def _wrong(given: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """Key, message and hint of whatever is wrong in one table."""
    to = given.get("to")
    if to not in tuple(To):
        ways = "eventbridge, sns, webhook or file"
        yield "to", f"is missing: {ways}." if to is None else f"{to!r} is not {ways}.", ""
        return
    way = To(str(to))
    for key, value in given.items():
        if key not in _EVERYBODY and key not in _TAKES[way]:
            yield key, *_unknown(way, key)
        else:
            yield from ((key, message, "") for message in _wrong_value(key, value))
    yield from ((key, message, "") for key, message in _missing(way, given))
    yield from _unfit(way, given)


def _unknown(way: To, key: str) -> tuple[str, str]:
    if key == "secret":
        return "must not stand in this file.", "Write it to a file that only you can read, and name that: secret_file."
    known = (*_EVERYBODY, *_TAKES[way])
    return f"is no setting of {_NOUN[way]}.{did_you_mean(key, known)}", f"There are: {', '.join(known)}."


def _wrong_value(key: str, value: object) -> Iterator[str]:
    if key in _LISTS:
        yield from _wrong_list(key, value)
    elif key == "insecure" and not isinstance(value, bool):
        yield "must be true or false."
    elif key in _KEYS and not isinstance(value, str):
        yield "must be a string."
    elif key in _KEYS and not re.fullmatch(_KEYS[key].pattern, str(value), re.ASCII):
        shown = "the value" if _KEYS[key].is_secret else repr(value)
        yield f"{shown} is not {_KEYS[key].words}."


def _wrong_list(key: str, value: object) -> Iterator[str]:
    known = _LISTS[key]
    if not isinstance(value, list) or not value:
        yield f'must be a list, like ["{known[0]}"].'
        return
    for item in value:
        if item not in known:
            yield f"{item!r} is not one of {', '.join(known)}."


def _missing(way: To, given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    yield from ((key, "is missing.") for key in _NEEDS[way] if key not in given)
    if way is To.WEBHOOK and ("url" in given) == ("url_file" in given):
        both = "url" in given
        yield "url", "and url_file are both given; one is enough." if both else "is missing; url_file may name a file."


def _unfit(way: To, given: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """What is wrong although each value by itself is not."""
    source, url = given.get("source"), given.get("url")
    if way is To.EVENTBRIDGE and isinstance(source, str) and source.startswith(_AWS_SOURCE):
        hint = "Match the source in the rules of the bus instead; everything else is as Proton's."
        yield "source", f"{source!r} is refused by EventBridge: only AWS may begin a source with aws.", hint
    if isinstance(url, str) and re.fullmatch(_KEYS["url"].pattern, url, re.ASCII):
        wrong = wrong_url(url, allows_http=given.get("insecure") is True)
        yield from (("url", message, "") for message in [wrong] if message)
