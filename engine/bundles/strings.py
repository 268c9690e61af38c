"""Where Terraform's string templates begin and end in a text, found without parsing what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

_IN_CODE = re.compile(r'["{}]|#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_IN_STRING = re.compile(r'\\.|"|\$\$\{|%%\{|[$%]\{', re.DOTALL)
_IN_TEMPLATE = re.compile(r"\$\$\{|%%\{|[$%]\{")
_DIRECTIVE = re.compile(r"~?\s*(?:if\b|for\b.*?\bin\b|else\b|endif\b|endfor\b)", re.DOTALL)


def expressions(template: str) -> Iterator[tuple[int, str]]:
    """Position and text of each expression in a heredoc's body: `${x}`, `%{ if x }`, `%{ for a in x }`.

    Ends at an expression that is never closed.
    """
    at = 0
    while found := _IN_TEMPLATE.search(template, at):
        at = found.end()
        if len(found[0]) == len("$${"):
            continue
        closed = end(template, at, "}")
        if closed is None:
            return
        start, inner = at, template[at : closed - 1]
        if found[0] == "%{" and (directive := _DIRECTIVE.match(inner)):
            start, inner = start + directive.end(), inner[directive.end() :]
        shorter = inner.removeprefix("~")
        yield start + len(inner) - len(shorter), shorter.removesuffix("~")
        at = closed


def end(text: str, at: int, closing: str) -> int | None:
    """The position after the `closing` (`"` or `}`) of what was opened just before `at`; None when it is not closed."""
    open_now = [closing]
    while open_now:
        is_string = open_now[-1] == '"'
        found = (_IN_STRING if is_string else _IN_CODE).search(text, at)
        if found is None:
            return None
        at = found.end()
        if found[0] == open_now[-1]:
            open_now.pop()
        elif inner := opened(found[0], is_string=is_string):
            open_now.append(inner)
    return at


def opened(found: str, *, is_string: bool) -> str:
    """What must close the mark that was found; "" when it opens nothing."""
    if is_string:
        return "}" if found in ("${", "%{") else ""
    return {'"': '"', "{": "}"}.get(found, "")
