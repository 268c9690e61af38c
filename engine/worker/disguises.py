"""The one place that knows in which ways a text may be written: escaped once or more, in a URL, in base64, in hex."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from itertools import groupby
from urllib.parse import quote, quote_plus

Way = tuple[str, str]
"""A regular expression: its first character, which is fixed, and the expression of the rest."""

CODED = "[A-Za-z0-9+/_%-]"
"""A character of base64 or hex, in a URL too."""
_WINDOW, _STEP = 36, 18
"""Bytes: longer ones are looked for in pieces that overlap, as programs break lines of base64: a line holds a piece."""
_SHORTEST = 8
"""Characters of base64 that are too few to look for in the middle of others: any word could have them."""
_NESTED = 16
"""How many backslashes one may become by nested quoting; bounded, as a long row of them would take ages otherwise."""
_SHORT_ESCAPES = {"\n": "n", "\t": "t", "\r": "r", "\b": "b", "\f": "f", "/": "/", '"': '"'}
_ESCAPED_IN_ASCII = frozenset("<>&'\"/\x7f")
_PLAIN = frozenset("-_.~")
"""What needs no escaping anywhere, besides letters and digits."""
UNSEEN = "".join(
    map(chr, (*range(9), *range(11, 32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
"""What external.lines takes out of a text, unless it is escaped there."""
_GO_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""What Go writes in JSON in other words than Python."""


def ways(text: str) -> Iterator[Way]:
    """The text as it stands, or with any of its characters escaped as JSON, HCL and URLs do, also several times."""
    runs = [(character, len(list(run))) for character, run in groupby(text)]
    first, times = runs[0]
    rest = "".join(_run(character, count) for character, count in runs[1:])
    for head, tail in _written(first):
        yield head, tail + (_backslashes(times) if head == first == "\\" else _run(first, times - 1)) + rest


def encoded_ways(text: str) -> Iterator[Way]:
    """The text in base64, wherever in an encoded text it may begin, and in hex."""
    content = text.encode("utf-8", "replace")
    last = max(0, len(content) - _WINDOW)
    for start in (*range(0, last, _STEP), last):
        piece = content[start : start + _WINDOW]
        for form in _base64(piece):
            yield from _way_of_base64(form)
        for form in (piece.hex(), piece.hex().upper()):
            yield form[0], form[1:]


def shortest_code(text: str) -> int:
    """Characters that each of encoded_ways() has at least."""
    return max(4, min(len(text.encode("utf-8", "replace")), _WINDOW) * 4 // 3 - 3)


def literal(text: str) -> Iterator[str]:
    """The text as it stands and as one program escapes it, for texts that are too many for ways()."""
    quoted = json.dumps(text, ensure_ascii=False)[1:-1]
    yield text
    yield json.dumps(text)[1:-1]
    yield quoted.translate(_GO_ESCAPES)
    yield json.dumps(quoted.translate(_GO_ESCAPES), ensure_ascii=False)[1:-1]
    yield quoted.replace("${", "$${").replace("%{", "%%{")


def encoded(text: str) -> Iterator[str]:
    """The text in base64, in hex and in URLs, as a whole, for texts that are too long for encoded_ways()."""
    content = text.encode("utf-8", "replace")
    for form in _base64(content):
        yield from (form, form.translate(str.maketrans("+/", "-_")))
    yield from (content.hex(), content.hex().upper())
    yield from (quote(content), quote(content, safe=""), quote_plus(content))


def _base64(content: bytes) -> Iterator[str]:
    """Three bytes are four characters: where the content begins among them decides how all of it looks.

    Characters that it shares with what stands before and behind it are left out.
    """
    for before in range(3):
        whole = b64encode(bytes(before) + content).decode().rstrip("=")
        is_shared = (before + len(content)) % 3 > 0
        form = whole[before + 1 if before else 0 : len(whole) - is_shared]
        if before == 0 or len(form) >= _SHORTEST:
            yield form


def _way_of_base64(form: str) -> Iterator[Way]:
    """In the common alphabet and the one for URLs, whose last two characters differ."""
    rest = form[1:].replace("+", "(?:[+-]|%2[bB])").replace("/", "(?:[/_]|%2[fF])")
    heads = {"+": "+-", "/": "/_"}.get(form[0], form[0])
    yield from ((head, rest) for head in heads)


def _backslashes(times: int) -> str:
    """What may come behind the first backslash of those that a row of so many has become."""
    return rf"\\{{{times - 1},{_NESTED * times - 1}}}"


def _run(character: str, times: int) -> str:
    """A row of one character, each in any of its ways: one expression, as a row of expressions that may each take more
    or less would be tried in every combination.
    """
    if times == 0:
        return ""
    found = [re.escape(head) + tail for head, tail in _written(character)]
    most = {"\\": _NESTED, "$": 2, "%": 2}.get(character, 1) * times
    if len(found) == 1:
        return found[0] * times
    if character in UNSEEN:
        return f"(?:{'|'.join(found)}){{0,{times}}}"
    return f"(?:{'|'.join(found)})" + (f"{{{times},{most}}}" if most > 1 else "")


def _written(character: str) -> Iterator[Way]:
    """The ways in which a character may be written."""
    yield character, ""
    if (character.isascii() and character.isalnum()) or character in _PLAIN:
        return
    code = character.encode("utf-8", "replace").hex()
    yield "%", "%".join(_any_case(code[i : i + 2]) for i in range(0, len(code), 2))
    if escapes := "|".join(_escapes(character)):
        yield "\\", rf"\\{{0,{_NESTED - 1}}}(?:{escapes})"
    if character == " ":
        yield "+", ""


def _escapes(character: str) -> Iterator[str]:
    """What may stand behind a backslash in its place."""
    if character in _SHORT_ESCAPES:
        yield _SHORT_ESCAPES[character]
    if character < " " or character in _ESCAPED_IN_ASCII or not character.isascii():
        units = character.encode("utf-16-be", "surrogatepass").hex()
        separator = rf"\\{{1,{_NESTED}}}"
        yield separator.join(f"u{_any_case(units[i : i + 4])}" for i in range(0, len(units), 4))


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
