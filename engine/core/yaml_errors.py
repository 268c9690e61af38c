"""What PyYAML finds wrong with a text, in words for people who do not write parsers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.paths import short

if TYPE_CHECKING:
    import yaml

_REASON_MAX = 160


@dataclass(frozen=True)
class Sentence:
    """What to say of a text that is not YAML."""

    line: int
    message: str
    hint: str


@dataclass(frozen=True)
class _Rule:
    pattern: str
    """Of PyYAML's context and problem, with a bar between them."""
    message: str
    """{0} stands for the pattern's first group."""
    hint: str = ""
    is_opened: bool = False
    """Whether the place to look at is where something was opened, not where reading it came to an end."""


_WHOLE = "Put the whole value in quotes; a quote inside it is written twice."
_QUOTES = "Put a text that holds such a character in quotes."
_RULES = (
    _Rule(r".* quoted scalar\|.*unexpected.*", "The quote opened here is never closed.", is_opened=True),
    _Rule(r".* flow sequence\|.*", "The [ opened here is not closed, or a comma is missing.", is_opened=True),
    _Rule(r".* flow mapping\|.*", "The {{ opened here is not closed, or a comma is missing.", is_opened=True),
    _Rule(
        r".*\|mapping values are not allowed here",
        "A colon is not expected here.",
        "Look at the line above too: a colon needs a space behind it, a text that holds one needs quotes, "
        "and members are indented alike.",
    ),
    _Rule(
        r".*\|sequence entries are not allowed here",
        "A dash is not expected here.",
        "Begin a list on a line of its own; put a text that begins with a dash in quotes.",
    ),
    _Rule(r".*\|found character '\\t'.*", "A tab is not allowed here.", "Indent with spaces, not with tabs."),
    _Rule(r".*\|found character '(.)' that.*", "The character {0} cannot begin a value.", _QUOTES),
    _Rule(r".* alias\|.*", "The character * begins a reference here, and the name is missing.", _QUOTES),
    _Rule(r".* anchor\|.*", "The character & begins a name here, and the name is missing.", _QUOTES),
    _Rule(
        r".*\|found unknown escape character '(.*)'",
        r"\{0} means nothing in double quotes.",
        "Write the backslash twice, or use single quotes.",
    ),
    _Rule(
        r".*\|could not find expected ':'",
        "A colon is missing behind this.",
        "Write name: value, or indent the line if it belongs to the one above.",
        is_opened=True,
    ),
    _Rule(r".*\|expected the node content, but found '<.*", "A value is expected here."),
    _Rule(r".*\|expected .*, but found '([]},])'", "{0} is not expected here."),
    _Rule(r".*\|expected <block end>, but found '<scalar>'", "The value goes on behind its quotes.", _WHOLE),
    _Rule(
        r".*\|expected <block end>, but found .*",
        "This does not fit what stands above.",
        "Indent the members of one list or mapping alike.",
    ),
)


def sentence(error: yaml.MarkedYAMLError) -> Sentence:
    """The sentence about an error, and the line where it would be mended."""
    reason = f"{error.context or ''}|{error.problem or ''}"
    for rule in _RULES:
        if found := re.fullmatch(rule.pattern, reason):
            return Sentence(_line(error, is_opened=rule.is_opened), rule.message.format(*found.groups()), rule.hint)
    shown = short(", ".join(filter(None, reason.split("|", 1))), _REASON_MAX)
    return Sentence(_line(error), f"is not YAML: {shown}.", "")


def _line(error: yaml.MarkedYAMLError, *, is_opened: bool = False) -> int:
    marks = (error.context_mark, error.problem_mark) if is_opened else (error.problem_mark, error.context_mark)
    return next((mark.line + 1 for mark in marks if mark is not None), 0)
