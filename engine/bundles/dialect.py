"""Terraform's code in the words that python-hcl2 knows, with every position kept.

python-hcl2 refuses some code that Terraform takes: comments inside an expression, line ends and `~` within `"${ }"`,
`!!x`, `- -1` and `core::upper(x)`. Written otherwise, the code says the same.
"""

from __future__ import annotations

import re

from engine.bundles import strings

_COMMENTS = r"#[^\n]*|//[^\n]*|/\*.*?\*/|/\*"
_WORDS = r"!(?:\s*!)+(?!=)|(?<![\w-])-(?:\s*-)+|(?<![\w:-])core::(?=[^\W\d])"
_IN_FILE = re.compile(rf'"|{_COMMENTS}|<<-?([A-Za-z_][\w.-]*)\r?\n|{_WORDS}', re.DOTALL)
_IN_CODE = re.compile(rf'"|{{|~?}}|{_COMMENTS}|{_WORDS}', re.DOTALL)
_IN_STRING = re.compile(r'\\.|"|\$\$\{|%%\{|\$\{~?|%\{', re.DOTALL)


def rewritten(text: str) -> str:
    """The text as python-hcl2 may understand it; from something that is never closed on, as it was."""
    pieces: list[str] = []
    at = 0
    while found := _IN_FILE.search(text, at):
        closed = _after(text, found)
        if closed is None:
            break
        whole = text[found.start() : closed]
        pieces += [text[at : found.start()], _string(whole) if found[0] == '"' else _simpler(whole)]
        at = closed
    return "".join([*pieces, text[at:]])


def _after(text: str, found: re.Match[str]) -> int | None:
    """The end of what begins with the mark; None when it is never closed."""
    if found[0] == '"':
        return strings.end(text, found.end(), '"')
    if found[1] is None:
        return None if found[0] == "/*" else found.end()
    closing = re.compile(rf"^[ \t]*{re.escape(found[1])}[ \t]*\r?$", re.MULTILINE).search(text, found.end())
    return closing.end() if closing else None


def _string(text: str) -> str:
    """A quoted string on one line: line ends in it become carriage returns."""
    pieces, open_now, at = ['"'], ['"'], 1
    while open_now:
        is_string = open_now[-1] == '"'
        found = (_IN_STRING if is_string else _IN_CODE).search(text, at)
        if found is None:
            break
        mark = found[0]
        # on one line, a comment would hide all that follows
        simpler = _blank(mark) if not is_string and mark.startswith(("#", "//")) else _simpler(mark)
        pieces += [text[at : found.start()], simpler]
        if mark.removeprefix("~") == open_now[-1]:
            open_now.pop()
        elif opened := strings.opened(mark.removesuffix("~"), is_string=is_string):
            open_now.append(opened)
        at = found.end()
    return "".join([*pieces, text[at:]]).replace("\n", "\r")


def _simpler(mark: str) -> str:
    """A mark in the words that python-hcl2 knows; most are."""
    if mark.startswith("/*"):
        # its line ends do not end an argument
        return _blank(mark).replace("\n", "\r")
    if mark == "core::":
        return _blank(mark)
    if mark in ("${~", "~}"):
        return mark.replace("~", " ")
    return _blank(mark[:-1]) + mark[-1] if mark[0] in "!-" else mark


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
