"""Dynamic references: `{{resolve:ssm:/path}}` in place of an input's value, which lies elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard

from engine.core import shapes
from engine.core.located import Json, Path, short, shown
from engine.core.nearest import did_you_mean

MOST = 100
"""Different references that the inputs of one instance may have."""
_BEGINNING = re.compile(r"\{\{\s*resolve\s*:")
_WHOLE = re.compile(r"\{\{resolve:(?P<source>[^:{}]*):(?P<rest>[^{}]*)\}\}")
_SCALARS = ("", "string", "number", "integer", "boolean")


class Source(StrEnum):
    """Where the value lies."""

    SSM = "ssm"
    SSM_SECURE = "ssm-secure"
    SECRETS_MANAGER = "secretsmanager"
    ENV = "env"
    FILE = "file"


_OF_SSM = r"(?P<name>arn:[\w.:/-]+:parameter/[\w./-]+|[\w./-]{1,1011})(:(?P<version>[0-9]{1,18}))?"
_OF_SECRETS_MANAGER = (
    r"(?P<name>arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:[^:]+|[\w/+=.@!-]{1,512})"
    r"(:(SecretString)?(:(?P<key>[^:\x00-\x1f]*)(:(?P<stage>[^:\s]*)(:(?P<version>[^:\s]*))?)?)?)?"
)
_RULES = {
    Source.SSM: (_OF_SSM, "NAME or NAME:VERSION, with a number as the version"),
    Source.SSM_SECURE: (_OF_SSM, "NAME or NAME:VERSION, with a number as the version"),
    Source.SECRETS_MANAGER: (_OF_SECRETS_MANAGER, "ID:SecretString:KEY:STAGE, where all behind ID may be left out"),
    Source.ENV: (r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)", "NAME, the name of a variable"),
    Source.FILE: (r"(?P<name>(/(?!\.\.?(/|$))[^/\x00-\x1f]+)+)", "/PATH, an absolute path without . and .. in it"),
}
"""How each source is written, and the same in words."""


@dataclass(frozen=True, order=True)
class Reference:
    """Where the value of an input lies."""

    text: str
    """As it was written."""
    source: Source
    name: str
    """Of the parameter, secret or variable, or the path of the file."""
    version: str = ""
    """Number of a parameter, id of a secret's version; "" means the newest, or what `stage` says."""
    key: str = ""
    """Member of the secret, which is JSON then; "" for all of it."""
    stage: str = ""
    """Of a secret, as AWSPREVIOUS; "" means AWSCURRENT."""


def is_meant(value: object) -> TypeGuard[str]:
    """Whether the value is a reference, or a try at one."""
    return isinstance(value, str) and "{{" in value and _BEGINNING.search(value) is not None


def wrong(text: str) -> str:
    """What is wrong with a text that is_meant() to be a reference, in a sentence; "" when nothing is."""
    whole = _WHOLE.fullmatch(text)
    if whole is None:
        return "holds a reference that is not the whole value, as {{resolve:ssm:/path}} would be."
    if whole["source"] not in list(Source):
        name = short(whole["source"], 60)
        likely = did_you_mean(name, list(Source))
        return f"{shown(name)} is nothing to resolve; there are {', '.join(Source)}.{likely}"
    source = Source(whole["source"])
    pattern, words = _RULES[source]
    if re.fullmatch(pattern, whole["rest"], re.ASCII) is None:
        return f"is not a reference: behind resolve:{source}: comes {words}."
    return ""


def parse(text: str) -> Reference:
    """The reference in a text with which nothing is wrong()."""
    whole = _WHOLE.fullmatch(text)
    assert whole is not None
    source = Source(whole["source"])
    found = re.fullmatch(_RULES[source][0], whole["rest"], re.ASCII)
    assert found is not None
    return Reference(text, source, **{name: given for name, given in found.groupdict().items() if given})


def misplaced(type: Json) -> str:
    """Why no reference may stand where the type is asked for; "" where one may."""
    kind = shapes.kind(type)
    noun = "a list" if kind == "array" else "a mapping"
    return "" if kind in _SCALARS else f"is a reference, which stands for a single value; {noun} is expected."


def found(value: object) -> tuple[Reference, ...]:
    """The different references in a tree of values, in order."""
    return tuple(sorted({parse(text) for _, text in places(value) if not wrong(text)}))


def places(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Where in the tree references stand, and their texts."""
    if is_meant(value):
        yield path, value
    members = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for step, member in members:
        yield from places(member, (*path, step))
