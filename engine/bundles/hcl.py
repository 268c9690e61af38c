"""HCL text -> a syntax tree with positions, and what is wrong with it in words: the only place that uses python-hcl2.

Only the package's parser is used, not its conversion to dictionaries: the parser's tree knows where everything stands,
is built without recursion, and takes a tenth of the time.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.bundles import dialect

if TYPE_CHECKING:
    from lark import Token, Tree
    from lark.exceptions import UnexpectedInput

DEPTH_MAX = 1000
"""Levels of the tree below which code is refused: nobody writes them, and Terraform's own reader would suffer."""
_BLANKS_MAX = 2000
# the grammar needs quadratic time for a heredoc with very many blank lines
_BLANKS = re.compile(rf"\s{{{_BLANKS_MAX}}}")
_OPENING = {"LBRACE": "{", "LSQB": "[", "LPAR": "(", "INTERP_START": "${", "DIRECTIVE_START": "%{", "DBLQUOTE": '"'}
_HEREDOC = re.compile(r"<<-?\s*([\w.-]*)")


class SyntaxProblem(Exception):
    """The text is not HCL: `at` is the position in characters, str() a sentence.

    `is_final` says that it is refused even where Terraform takes it.
    """

    def __init__(self, message: str, at: int, hint: str = "", *, is_final: bool = False) -> None:
        super().__init__(message)
        self.at = at
        self.hint = hint
        self.is_final = is_final


class Lines:
    """Position -> line, from 1."""

    def __init__(self, text: str) -> None:
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def __call__(self, at: int) -> int:
        return bisect_left(self._ends, at) + 1


def tree(text: str) -> Tree[Token]:
    """The syntax tree of a file. Raises SyntaxProblem."""
    blanks = _BLANKS.search(text)
    if blanks:
        raise SyntaxProblem(f"There are more than {_BLANKS_MAX:,} blank characters in a row.", blanks.start())
    found = _parsed(text)
    _check_depth(found)
    _check_lines(found, text)
    return found


def expression(text: str) -> Tree[Token] | None:
    """The syntax tree of an expression, whose positions are 3 too large; None when it is not one."""
    try:
        return tree(f"x=({text}\n)")
    except SyntaxProblem:
        return None


def _parsed(text: str) -> Tree[Token]:
    import hcl2
    from lark.exceptions import UnexpectedInput

    try:
        return hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        first = error
    rewritten = dialect.rewritten(text)
    if rewritten != text:
        try:
            return hcl2.parses_to_tree(rewritten)
        except UnexpectedInput as error:
            first = error
    raise _described(first, text) from first


def _check_depth(found: Tree[Token]) -> None:
    level: list[Tree[Token]] = [found]
    for _ in range(DEPTH_MAX):
        level = [child for node in level for child in node.children if not isinstance(child, str)]
        if not level:
            return
    at = next(tokens(level[0])).start_pos or 0
    raise SyntaxProblem("The code is nested too deeply.", at, is_final=True)


def _check_lines(found: Tree[Token], text: str) -> None:
    """Two things that python-hcl2 accepts and Terraform does not."""
    for token in tokens(found):
        if token.type == "STRING_CHARS" and "\n" in _original(token, text):
            raise _unclosed_string(token.start_pos or 0)
    for body in found.find_data("body"):
        for one, other in zip(body.children, body.children[1:], strict=False):
            if isinstance(one, str) or isinstance(other, str) or "new_line_or_comment" in (one.data, other.data):
                continue
            at = next(tokens(other)).start_pos or 0
            # a heredoc swallows the line end behind it
            if text[: one.meta.end_pos].rstrip(" \t\r")[-1:] != "\n":
                raise SyntaxProblem("A new argument or block must begin on a line of its own.", at)


def tokens(node: Tree[Token]) -> Iterator[Token]:
    """All tokens below a node, in order."""
    waiting: list[Tree[Token] | Token] = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        else:
            waiting.extend(reversed(found.children))


def _original(token: Token, text: str) -> str:
    return text[token.start_pos : token.end_pos]


def _unclosed_string(at: int) -> SyntaxProblem:
    return SyntaxProblem(
        'The string is not closed on its line: a " is missing.', at, "Use a heredoc for several lines."
    )


def _described(error: UnexpectedInput, text: str) -> SyntaxProblem:
    is_end = getattr(getattr(error, "token", None), "type", "") == "$END"
    at = len(text) if is_end else min(error.pos_in_stream or 0, len(text))
    state = getattr(getattr(error, "interactive_parser", None), "parser_state", None)
    read = list(state.value_stack) if state else []
    for token in (token for item in read if not isinstance(item, str) for token in tokens(item)):
        if token.type == "STRING_CHARS" and "\n" in _original(token, text):
            return _unclosed_string(token.start_pos or 0)
    opened = next((item for item in reversed(read) if getattr(item, "type", "") in _OPENING), None)
    if not text[at:].strip():
        return _at_the_end(text, opened)
    return _unexpected(text, at, opened)


def _at_the_end(text: str, opened: Token | None) -> SyntaxProblem:
    if opened is None:
        return SyntaxProblem("The file ends in the middle of an argument or block.", len(text.rstrip()))
    if opened.type == "DBLQUOTE":
        return _unclosed_string(opened.start_pos or 0)
    return SyntaxProblem(f'The "{_OPENING[opened.type]}" opened here is never closed.', opened.start_pos or 0)


def _unexpected(text: str, at: int, opened: Token | None) -> SyntaxProblem:
    heredoc = _HEREDOC.match(text, at)
    if heredoc:
        return SyntaxProblem(f"The heredoc is not closed: a line with only {heredoc[1]} is missing.", at)
    if "/*" in (text[at : at + 2], text[max(at - 1, 0) : at + 1]):
        return SyntaxProblem("The comment is never closed.", at)
    if text[at] == "'":
        return SyntaxProblem("Strings are written with double quotes.", at)
    if text[at] == "\n":
        return SyntaxProblem("The line ends where a value is expected.", at)
    if text[at] in "}])" or text[at] == '"':
        return _unexpected_closing(text, at, opened)
    hint = "Arguments are separated by line ends, not by commas." if text[at] == "," else ""
    word = re.compile(r"[\w.-]{1,40}|\S|\s").match(text, at)
    return SyntaxProblem(f"{word[0] if word else ''} is not expected here.", at, hint)


def _unexpected_closing(text: str, at: int, opened: Token | None) -> SyntaxProblem:
    if opened is None:
        return SyntaxProblem(f"{text[at]} is not expected here: nothing is open.", at)
    line = Lines(text)(opened.start_pos or 0)
    return SyntaxProblem(f"{text[at]} is not expected here: the {_OPENING[opened.type]} of line {line} is open.", at)
