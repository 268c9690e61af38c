"""The one place that knows how a secret could be seen in what Terraform says or gives, and takes it out."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from engine.core.outputs import MASK
from engine.terraform.trees import tree_of

_SHORTEST = 4
"""Shorter texts are not looked for: they would blot out ordinary words."""
_SHORTEST_PIECE = 8
"""The same for a line or a member of a secret: `admin` is no secret, though a user of that name may be in one."""
_GO_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""What Go writes in JSON in other words than Python."""


class Redaction:
    """The secrets of one run. Whole they are looked for, line by line, and member by member."""

    def __init__(self, secrets: Sequence[str]) -> None:
        pieces = {piece for secret in secrets for piece in _pieces(secret)}
        self._forms = sorted({form for piece in pieces for form in _forms(piece)}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without any secret."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def line(self, line: str) -> str:
        """A line of Terraform's, JSON or not, without any secret."""
        if not self._forms:
            return line
        tree = tree_of(line)
        if tree is None:
            return self.text(line)
        if not self.hides(tree):
            return line
        return json.dumps(self._without(tree), ensure_ascii=False, separators=(",", ":"))

    def hides(self, value: object) -> bool:
        """Whether the JSON value holds a secret."""
        return any(form in text for text in _texts(value) for form in self._forms)

    def _without(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self._without(item) for name, item in value.items()}
        return [self._without(item) for item in value] if isinstance(value, list) else value


def _pieces(secret: str) -> Iterator[str]:
    """The secret, its lines, and the texts in it when it is JSON, as far as they can be looked for."""
    if len(secret) >= _SHORTEST:
        yield secret
    try:
        members = list(_texts(json.loads(secret)))
    except (ValueError, RecursionError):
        members = []
    for text in (secret, *members):
        yield from (line for line in (text, *text.splitlines()) if len(line) >= _SHORTEST_PIECE)


def _forms(piece: str) -> Iterator[str]:
    """The piece as it stands, as it is written inside a text that is JSON, HCL or a URL itself, and in base64."""
    quoted = json.dumps(piece, ensure_ascii=False)[1:-1]
    yield piece
    yield json.dumps(piece)[1:-1]
    yield quoted.translate(_GO_ESCAPES)
    yield quoted.replace("${", "$${").replace("%{", "%%{")
    yield quote(piece, safe="")
    yield b64encode(piece.encode()).decode().rstrip("=")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
