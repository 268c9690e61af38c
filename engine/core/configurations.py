"""Which providers the files of a workspace configure and use, found in their text: Jinja may have written it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z)"
    r"|<<-?(?P<mark>[A-Za-z_][\w-]*)\r?\n"
    r'|(?P<quote>")|(?P<word>[A-Za-z_][\w-]*)|(?P<sign>[{}=\n])',
    re.DOTALL,
)
_IN_STRING = re.compile(r'\\.|\$\$\{|%%\{|[$%]?\{|["}]', re.DOTALL)
_VARIABLE = r'var(?:\.[A-Za-z_][\w-]*|\[(?:\d+|"[^"$%\\]*")\])+'
_SAID = re.compile(rf'(?:"[^"$%\\]*"|"\$\{{ *{_VARIABLE} *\}}"|{_VARIABLE})(?:\s*(?:#|//).*)?', re.ASCII)
"""A text, or one variable or part of it."""
CODE = (".tf", ".tf.json", ".tofu", ".tofu.json")
"""How files of code end."""
_LOOKED_AT = 2_000_000
"""Characters of one file that are looked at: people never wrote more."""


@dataclass
class _Block:
    """A block at the top of a file: its type and names, and those of its own arguments that are plain strings."""

    header: list[str]
    arguments: dict[str, str] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)
    """All its own arguments, as they are written up to the end of the line."""
    inner: list[str] = field(default_factory=list)
    """The blocks directly inside it: type, and names behind it, as in `provisioner local-exec`."""
    begun: int = 0
    """Where the expression of its last argument begins."""


@dataclass(frozen=True)
class Configurations:
    """What a root module says of providers."""

    aliases: Mapping[str, frozenset[str]]
    """Local name of a provider -> the aliases of its configurations; "" is the one without."""
    used: frozenset[str]
    """Local names of all providers that are configured, or that resources of the code belong to."""
    is_open: bool = False
    """Whether modules from elsewhere may use any other provider too."""


def found(files: Mapping[str, bytes]) -> Configurations:
    """What the Terraform code among the files says; those in folders are modules."""
    aliases: dict[str, set[str]] = {}
    used: set[str] = set()
    is_open = False
    for name, content in files.items():
        for kind, label, value in _facts(name, content.decode("utf-8", errors="replace")[:_LOOKED_AT]):
            if kind == "module":
                is_open = is_open or not value.startswith(("./", "../"))
            elif kind != "provider":
                used.add(label.split("_")[0])
            elif "/" not in name:
                aliases.setdefault(label, set()).add(value)
    frozen = {name: frozenset(each) for name, each in aliases.items()}
    return Configurations(frozen, frozenset(used | aliases.keys()), is_open)


def is_worked_out(files: Mapping[str, bytes], argument: str) -> bool:
    """Whether the configuration of any provider gives the argument otherwise than as a text or as one variable.

    Terraform's plans tell only which variables such an expression speaks of, and not what it makes of them.
    """
    given = (block.expressions.get(argument) for _, block in _all(files) if block.header[0] == "provider")
    return any(expression is not None and not _SAID.fullmatch(expression) for expression in given)


def provisioners_of_removed(files: Mapping[str, bytes]) -> dict[str, frozenset[str]]:
    """What `removed` blocks speak of, with the file -> the types of their provisioners, of which no plan tells."""
    found: dict[str, frozenset[str]] = {}
    for name, block in _all(files):
        kinds = frozenset(words.split(" ", 1)[1] for words in block.inner if words.startswith("provisioner "))
        if block.header[0] == "removed" and kinds:
            about = f"{block.expressions.get('from', '')} ({name})"
            found[about] = found.get(about, frozenset()) | kinds
    return found


def _all(files: Mapping[str, bytes]) -> Iterator[tuple[str, _Block]]:
    """File and block of all that is said at the top of any file."""
    for name, content in files.items():
        for block in _read(name, content.decode("utf-8", errors="replace")):
            yield name, block


def _read(name: str, text: str) -> Iterator[_Block]:
    """The blocks at the top of a file of code; none of any other file."""
    if name.endswith((".tf.json", ".tofu.json")):
        return _json_blocks(text)
    return _blocks(text) if name.endswith((".tf", ".tofu")) else iter(())


def _facts(name: str, text: str) -> Iterator[tuple[str, str, str]]:
    """Type, first name, and alias or source, of the blocks that speak of providers."""
    for block in _read(name, text):
        kind, *labels = block.header
        if kind in _TOLD_BY and labels:
            yield kind, labels[0], block.arguments.get(_TOLD_BY[kind], "")


_TOLD_BY = {"provider": "alias", "module": "source", "resource": "", "data": "", "ephemeral": ""}
"""Type of block -> the argument that matters."""


def _blocks(text: str) -> Iterator[_Block]:
    header: list[str] = []
    block: _Block | None = None
    depth = 0
    for piece, at in _pieces(text):
        if block is not None and depth == 1:
            _take_down(block, header, piece, text, at)
        if piece == "\n":
            header = []
        elif piece == "{":
            depth += 1
            if depth == 1:
                block, header = _Block([word.strip('"') for word in header] or [""]), []
        elif piece == "}":
            depth = max(depth - 1, 0)
            if depth == 0 and block is not None:
                yield block
                block = None
        else:
            header.append(piece)
            _note(block if depth == 1 else None, header)


def _note(block: _Block | None, line: list[str]) -> None:
    """Takes down `name = "text"` as an argument of the block."""
    if block is not None and len(line) == 3 and line[1] == "=" and line[2].startswith('"'):
        block.arguments[line[0]] = line[2].strip('"')


def _take_down(block: _Block, line: list[str], piece: str, text: str, at: int) -> None:
    """Takes down what is directly in the block: the expression that a piece at `at` ends, or the block it begins."""
    if piece == "=" and len(line) == 1:
        block.begun = at + 1
    elif piece in ("\n", "}") and len(line) > 1 and line[1] == "=":
        block.expressions[line[0]] = text[block.begun : at].strip()
    elif piece == "{":
        block.inner.append(" ".join(word.strip('"') for word in line))


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """Words, strings in their quotes, braces, equals signs and ends of lines; neither comments nor here-documents."""
    at = 0
    while match := _TOKEN.search(text, at):
        at = match.end()
        if match["quote"]:
            at = _end_of_string(text, at)
            yield text[match.start() : at], match.start()
        elif match["word"] or match["sign"]:
            yield match[0], match.start()
        elif match["mark"]:
            at = _end_of_document(text, at, match["mark"])
            yield "\n", at


def _end_of_document(text: str, start: int, mark: str) -> int:
    """Where a here-document ends; one that nobody has closed goes on to the end of the file."""
    found = re.compile(rf"^[ \t]*{re.escape(mark)}\b", re.MULTILINE).search(text, start)
    return found.end() if found else len(text)


def _end_of_string(text: str, start: int) -> int:
    """Where a string ends that may have `${...}` with strings in it."""
    open_ones = ['"']
    for piece in _IN_STRING.finditer(text, start):
        is_text = open_ones[-1] == '"'
        if piece[0] == '"':
            if is_text:
                open_ones.pop()
            else:
                open_ones.append('"')
        elif piece[0] == "}" and not is_text:
            open_ones.pop()
        elif piece[0] in ("${", "%{") or (piece[0] == "{" and not is_text):
            open_ones.append("{")
        if not open_ones:
            return piece.end()
    return len(text)


def _json_blocks(text: str) -> Iterator[_Block]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        # Terraform has its own words for it
        return
    for kind, named in value.items() if isinstance(value, dict) else ():
        for each in _bodies(named):
            if kind == "removed":
                kinds = [f"provisioner {name}" for body in _bodies(each.get("provisioner")) for name in body]
                yield _Block([kind], {}, {"from": str(each.get("from"))}, kinds)
                continue
            for label, inner in each.items():
                for body in _bodies(inner):
                    texts = {name: text for name, text in body.items() if isinstance(text, str)}
                    written = {name: json.dumps(value) for name, value in body.items()}
                    yield _Block([kind, label], texts, written)


def _bodies(value: object) -> Iterator[dict[str, object]]:
    """What JSON may give as one object or as a list of them."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield each
