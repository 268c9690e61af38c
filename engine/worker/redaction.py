"""The one place that takes secrets out of what Terraform says or gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from engine.core.outputs import MASK
from engine.external.lines import LIMIT, clean, without_escapes
from engine.terraform.trees import tree_of
from engine.worker import disguises

_SHORTEST = 4
"""Shorter texts are not looked for: they would blot out ordinary words."""
_SHORTEST_PIECE = 8
"""The same for a line or a member of a secret: `admin` is no secret, though a user of that name may be in one."""
_WORDS = frozenset({"true", "false", "null"})
"""What stands everywhere cannot be kept secret."""
_LONG = 512
"""Characters: longer pieces are looked for as they stand and as one program escapes or encodes them."""
_MANY = 8192
"""Characters of all pieces together: those beyond are looked for as they stand and as one program escapes them."""
_FEW = 16
"""How many runs' secrets are kept as compiled expressions: each run asks for its own several times."""


class Redaction:
    """The secrets of one run. Whole they are looked for, line by line, and member by member."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._forms = _forms(frozenset(secrets))

    def text(self, text: str) -> str:
        """The text without any secret."""
        if not self._forms.are_in(text):
            return text
        shown, end = [], 0
        for start, stop in _merged(self._forms.places(text)):
            shown += [text[end:start], MASK]
            end = stop
        return "".join((*shown, text[end:]))

    def line(self, line: str) -> str:
        """A line of Terraform's, JSON or not, without any secret; the very same line when it holds none."""
        if not self._forms.are_in(line) and len(line) * 4 < LIMIT:
            return line
        try:
            tree = tree_of(line)
            safe = tree if tree is None else self.value(tree)
        except RecursionError:
            tree = safe = None
        if safe is None:
            return self.text(self._without_torn_end(line))
        if safe == tree:
            return line
        return _dumped(safe if isinstance(safe, Mapping) else {"@message": safe})

    def value(self, value: object) -> object:
        """The JSON value without any secret."""
        found = self._in_texts(value)
        return self._in_structure(found) if self._forms.are_whole_in(_dumped(found)) else found

    def hides(self, value: object) -> bool:
        """Whether the JSON value holds a secret."""
        return self.value(value) != value

    def _in_texts(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self._name(name): self._in_texts(item) for name, item in value.items()}
        return [self._in_texts(item) for item in value] if isinstance(value, list) else value

    def _name(self, name: str) -> str:
        """The name of a member; a short secret may well be one of Terraform's own words."""
        return self.text(name) if self._forms.are_whole_in(name) else name

    def _in_structure(self, value: object) -> object:
        """Masks the smallest parts that are a secret though no text in them is: a number, or JSON that stands here
        unfolded.
        """
        found = value
        if isinstance(value, Mapping):
            found = {name: self._in_structure(item) for name, item in value.items()}
        elif isinstance(value, list):
            found = [self._in_structure(item) for item in value]
        return MASK if self._forms.are_whole_in(_dumped(found)) else found

    def _without_torn_end(self, line: str) -> str:
        """The line; one that was cut may end with the beginning of a secret, and loses that much."""
        # the limit counts bytes: a line that was cut may have fewer characters
        is_cut = len(line) * 4 >= LIMIT and len(line.encode("utf-8", "replace")) >= LIMIT
        return line[: -self._forms.longest] if is_cut and self._forms.longest else line


class _Forms:
    """All that secrets look like."""

    def __init__(self, secrets: Iterable[str]) -> None:
        pieces = sorted({piece for secret in secrets for piece in _pieces(secret)}, key=len, reverse=True)
        usual = _usual(pieces)
        long = [piece for piece in pieces if len(piece) > _LONG]
        many = [piece for piece in pieces if len(piece) <= _LONG and piece not in usual]
        plain = [
            *((form[0], re.escape(form[1:])) for piece in many for form in disguises.literal(piece)),
            *(way for piece in usual for way in disguises.ways(piece)),
        ]
        coded = [way for piece in usual for way in disguises.encoded_ways(piece)]
        self._plain = re.compile(_alternatives(plain)) if plain else None
        self._coded = re.compile(_alternatives(coded)) if coded else None
        # codes have no spaces: most lines have nothing of the length of one
        shortest = min((disguises.shortest_code(piece) for piece in usual), default=0)
        self._runs = re.compile(f"{disguises.CODED}{{{shortest},}}")
        # in a lookahead, so that of two that overlap both are found
        self._each = re.compile(f"(?=({_alternatives([*plain, *coded])}))") if plain else None
        self._long = tuple({form for piece in long for form in (*disguises.literal(piece), *disguises.encoded(piece))})
        self.longest = 2 * max(map(len, (*usual, *many, *self._long)), default=0)
        """Characters, roughly."""

    def are_in(self, text: str) -> bool:
        """Whether any of them is in the text."""
        if self._plain is not None and self._plain.search(text):
            return True
        coded = self._coded
        if coded is not None and any(coded.search(text, *run.span()) for run in self._runs.finditer(text)):
            return True
        return any(form in text for form in self._long)

    def are_whole_in(self, json_text: str) -> bool:
        """The same for the text of a JSON value, where a short one, as `8080`, may well be part of something else."""
        if not self.are_in(json_text):
            return False
        # what has been masked may itself look like a secret
        return any(end - start >= _SHORTEST_PIECE for start, end in self.places(json_text.replace(MASK, "\0")))

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in the text they begin and end."""
        for match in self._each.finditer(text) if self._each else ():
            yield match.span(1)
        for form in self._long:
            start = text.find(form)
            while start >= 0:
                yield start, start + len(form)
                start = text.find(form, start + 1)


@lru_cache(_FEW)
def _forms(secrets: frozenset[str]) -> _Forms:
    return _Forms(secrets)


def _usual(pieces: Iterable[str]) -> dict[str, None]:
    """Those of the pieces that are looked for in every disguise: it takes milliseconds to prepare for a thousand
    characters. Longest first.
    """
    room, chosen = _MANY, list[str]()
    for piece in sorted(pieces, key=len):
        room -= len(piece)
        if len(piece) > _LONG or room < 0:
            break
        chosen.append(piece)
    return dict.fromkeys(reversed(chosen))


def _alternatives(ways: Iterable[disguises.Way]) -> str:
    """An expression for any of them, in order of preference, with those together that begin with the same character."""
    rests: dict[str, dict[str, None]] = {}
    for head, rest in ways:
        rests.setdefault(head, {})[rest] = None
    return "|".join(f"{re.escape(head)}(?:{'|'.join(found)})" for head, found in rests.items())


def _merged(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The places in order; those that overlap or touch as one."""
    ordered = sorted(places)
    start, end = ordered[0]
    for begins, ends in ordered[1:]:
        if begins > end:
            yield start, end
            start = begins
        end = max(end, ends)
    yield start, end


def _pieces(secret: str) -> Iterator[str]:
    """The secret, its lines, and the texts in it when it is JSON, as far as they can be looked for."""
    if secret not in _WORDS:
        yield from (form for form in _seen(secret) if len(form) >= _SHORTEST)
    try:
        members = list(_texts(json.loads(secret)))
    except (ValueError, RecursionError):
        members = []
    for text in (form for whole in (secret, *members) for form in _seen(whole)):
        lines = (text, *text.split("\n"), *text.splitlines())
        yield from (line for line in lines if len(line) >= _SHORTEST_PIECE)


def _seen(text: str) -> set[str]:
    """The text as it stands, and without what could steer a terminal, or without that at its beginning: what is escaped
    is no control, and stays.
    """
    return {text, text.lstrip(disguises.UNSEEN), without_escapes(text), clean(text)}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
