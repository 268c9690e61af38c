"""The only place that knows PyYAML. Import it late (engine/core/located.py does): it costs 20 ms.

Documents are built from parser events, not with compose(): events come one by one, so that a bomb is refused while it
is read, and nothing recurses deeper than DEPTH_MAX.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from engine.core import yaml_errors
from engine.core.paths import Path, shown, unprintable

NODES_MAX = 10_000
DEPTH_MAX = 50
_DIGITS_MAX = 100
_STANDARD = "tag:yaml.org,2002:"
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)


@dataclass(frozen=True)
class Flaw:
    """Why a text is not a document of ours."""

    line: int
    path: Path
    message: str
    rule: str
    hint: str = ""


@dataclass(frozen=True)
class Reading:
    """What a text says; `flaws` is empty when it can be used."""

    value: object
    lines: dict[Path, int]
    flaws: tuple[Flaw, ...]


class _Stop(Exception):
    """Reading on is no use."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.message)
        self.flaw = flaw


@dataclass(frozen=True)
class _Anchor:
    value: object
    path: Path
    nodes: int
    inside: tuple[Path, ...]
    """Places inside it, without its own."""


def read(text: str) -> Reading:
    """What the YAML in `text` says; never raises."""
    reader = _Reader(text)
    value: object = None
    try:
        value = reader.document()
    except _Stop as stop:
        reader.flaws.append(stop.flaw)
    except yaml.MarkedYAMLError as error:
        reader.flaws.append(_syntax(error))
    except (yaml.YAMLError, ValueError, OverflowError):
        # PyYAML hands on what chr() and int() raise for "\UFFFFFFFF" and an endless %YAML version
        reader.flaws.append(Flaw(reader.line, (), "is not YAML: a code or number is too high.", "yaml/syntax"))
    return Reading(value, reader.lines, tuple(reader.flaws))


def scalar(text: str) -> object:
    """The value of a plain scalar: text, int, float, bool or None. Raises ValueError for a number beyond all bounds."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > _DIGITS_MAX:
            raise ValueError(f"{shown(text)} is a number with too many digits.")
        return int(text)
    if _NOT_FINITE.fullmatch(text) or (_NUMBER.fullmatch(text) and not math.isfinite(float(text))):
        raise ValueError(f"{text} is not a finite number.")
    return float(text) if _NUMBER.fullmatch(text) else text


def write(value: object) -> str:
    """`value` as YAML in block style, without anchors; strings that scalar() would read otherwise are quoted."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_STANDARD + "str", value, style=None if _stays_text(value) else "'")


def _stays_text(text: str) -> bool:
    try:
        return isinstance(scalar(text), str)
    except ValueError:
        return False


_Dumper.add_representer(str, _represent_text)


@dataclass
class _Reader:
    text: str
    lines: dict[Path, int] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)
    places: list[Path] = field(default_factory=list)
    anchors: dict[str, _Anchor | None] = field(default_factory=dict)
    """None while the anchored value is being read."""
    nodes: int = 0
    line: int = 1
    """How far it has read."""

    def __post_init__(self) -> None:
        self.events: Iterator[yaml.Event] = yaml.parse(self.text)
        self.ahead: yaml.Event | None = None

    def document(self) -> object:
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        value = self.node(())
        self._next()
        if not isinstance(self._peek(), yaml.StreamEndEvent):
            raise _Stop(Flaw(self.line, (), "A second document begins here; one is expected.", "yaml/documents"))
        return value

    def _peek(self) -> yaml.Event:
        if self.ahead is None:
            self.ahead = next(self.events)
            self.line = self.ahead.start_mark.line + 1 if self.ahead.start_mark else self.line
        return self.ahead

    def _next(self) -> yaml.Event:
        event, self.ahead = self._peek(), None
        return event

    def node(self, path: Path, line: int = 0) -> object:
        event = self._next()
        assert isinstance(event, yaml.NodeEvent)
        line = line or self.line
        self._count(1, len(path), line)
        self._place(path, line)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, line)
        if event.anchor is None:
            return self._content(event, path, line)
        self.anchors[event.anchor] = None
        first, nodes = len(self.places), self.nodes
        value = self._content(event, path, line)
        self.anchors[event.anchor] = _Anchor(value, path, self.nodes - nodes, tuple(self.places[first:]))
        return value

    def _content(self, event: yaml.Event, path: Path, line: int) -> object:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path, line)
        if isinstance(event, yaml.MappingStartEvent):
            self._check_tag(event.tag, "map", path, line)
            return self._mapping(path)
        assert isinstance(event, yaml.SequenceStartEvent)
        self._check_tag(event.tag, "seq", path, line)
        return self._sequence(path)

    def _mapping(self, path: Path) -> dict[str, object]:
        members: dict[str, object] = {}
        first: dict[str, int] = {}
        while not isinstance(self._peek(), yaml.MappingEndEvent):
            key, line = self._key(path)
            if key in members:
                message = f"is given twice, in line {first[key]} and in line {line}."
                self._flaw(line, (*path, key), message, "yaml/duplicate-key")
            value = self.node((*path, key), line)
            members.setdefault(key, value)
            first.setdefault(key, line)
        self._next()
        return members

    def _key(self, path: Path) -> tuple[str, int]:
        event = self._peek()
        line = self.line
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            self._flaw(line, path, "Merge keys (<<) are not supported.", "yaml/merge-key", "Write the members out.")
        key = self._key_value(event, path, line)
        if isinstance(key, str):
            return key, line
        message = f"The key {shown(key)} is not text."
        hint = _hint(key)
        self._flaw(line, path, message, "yaml/key", hint)
        return shown(key), line

    def _key_value(self, event: yaml.Event, path: Path, line: int) -> object:
        if not isinstance(event, yaml.ScalarEvent) or event.anchor is not None:
            place = self.lines[path]
            key = self.node(path)
            self.lines[path] = place
            return key
        self._next()
        self._count(1, len(path), line)
        return self._scalar(event, path, line)

    def _sequence(self, path: Path) -> list[object]:
        items: list[object] = []
        while not isinstance(self._peek(), yaml.SequenceEndEvent):
            items.append(self.node((*path, len(items))))
        self._next()
        return items

    def _scalar(self, event: yaml.ScalarEvent, path: Path, line: int) -> object:
        text: str = event.value
        if character := unprintable(text):
            self._flaw(line, path, f"The character {character} is not allowed.", "yaml/character")
        if (event.tag is None and not event.implicit[0]) or event.tag in ("!", _STANDARD + "str"):
            return text
        try:
            value = scalar(text)
        except ValueError as error:
            self._flaw(line, path, str(error), "yaml/number", "Put it in quotes if it is text.")
            return text
        return value if event.tag is None else self._tagged(event.tag, text, value, path, line)

    def _tagged(self, tag: str, text: str, value: object, path: Path, line: int) -> object:
        kind = {bool: "bool", int: "int", float: "float", type(None): "null"}.get(type(value), "str")
        if kind == "int" and tag == _STANDARD + "float":
            return float(text)
        self._check_tag(tag, kind, path, line)
        return value

    def _check_tag(self, tag: str | None, kind: str, path: Path, line: int) -> None:
        if tag not in (None, "!", _STANDARD + kind):
            name = str(tag).replace(_STANDARD, "!!")
            message = f"The tag {shown(name)} does not fit this value or is not a standard one."
            self._flaw(line, path, message, "yaml/tag", "Leave the tag out.")

    def _alias(self, event: yaml.AliasEvent, path: Path, line: int) -> object:
        name = str(event.anchor)
        if name not in self.anchors:
            raise _Stop(Flaw(line, path, f"The alias *{shown(name)[1:-1]} stands for nothing.", "yaml/alias"))
        anchor = self.anchors[name]
        if anchor is None:
            raise _Stop(Flaw(line, path, f"The alias *{shown(name)[1:-1]} contains itself.", "yaml/alias"))
        start = len(anchor.path)
        height = max((len(place) - start for place in anchor.inside), default=0)
        self._count(anchor.nodes, len(path) + height, line)
        for place in anchor.inside:
            self._place(path + place[start:], self.lines[place])
        return copy.deepcopy(anchor.value)

    def _place(self, path: Path, line: int) -> None:
        self.lines[path] = line
        self.places.append(path)

    def _count(self, nodes: int, depth: int, line: int) -> None:
        self.nodes += nodes
        if depth > DEPTH_MAX:
            raise _Stop(Flaw(line, (), f"is nested more than {DEPTH_MAX} levels deep.", "yaml/depth"))
        if self.nodes > NODES_MAX:
            message = f"holds more than {NODES_MAX:,} values, aliases written out."
            raise _Stop(Flaw(line, (), message, "yaml/nodes"))

    def _flaw(self, line: int, path: Path, message: str, rule: str, hint: str = "") -> None:
        self.flaws.append(Flaw(line, path, message, rule, hint))


def _hint(key: object) -> str:
    """What to do about a key that is no text."""
    if isinstance(key, dict) and any(str(inner).startswith("resolve:") for inner in key):
        return 'Put the whole reference in quotes: "{{resolve:...}}"'
    return "" if isinstance(key, dict | list) else "Put it in quotes."


def _syntax(error: yaml.MarkedYAMLError) -> Flaw:
    found = yaml_errors.sentence(error)
    return Flaw(found.line, (), found.message, "yaml/syntax", found.hint)
