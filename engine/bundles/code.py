"""What one Terraform file says: the value, and how it is read from `.tf` (the JSON form is read in code_json)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from engine.bundles import hcl, names
from engine.bundles.blocks import Block, arguments, blocks, digest, is_true, members, words
from engine.bundles.limits import shown
from engine.bundles.names import ROOTS, Use
from engine.bundles.reads import literal, nodes, uses
from engine.core.bundle import Moved, Output, Read, Removed, Resource
from engine.core.nearest import did_you_mean
from engine.errors import Problem, Severity

if TYPE_CHECKING:
    from lark import Token, Tree

Confirm: TypeAlias = Callable[[bytes], bool]
"""Whether Terraform can read the text of a `.tf` file."""
LABELS = {
    "check": 1,
    "data": 2,
    "ephemeral": 2,
    "import": 0,
    "locals": 0,
    "module": 1,
    "moved": 0,
    "output": 1,
    "provider": 1,
    "removed": 0,
    "resource": 2,
    "terraform": 0,
    "variable": 1,
}
"""Type of block -> how many names it has."""
_VERSION = "required_version"
_PLACES = {_VERSION: "terraform"}
REPEATED = ("count", "for_each")
PREFIX = {"resource": "", "data": "data.", "ephemeral": "ephemeral.", "module": "module."}


@dataclass(frozen=True)
class Variable:
    """A variable that the bundle declares itself."""

    name: str
    file: str
    line: int
    has_default: bool
    sensitive: bool = False
    ephemeral: bool = False
    is_text: bool = True
    """As core.bundle.Variable has it."""


@dataclass(frozen=True)
class Reference:
    """A reference to a variable that Landform does not generate."""

    name: str
    file: str
    line: int


@dataclass(frozen=True)
class ModuleCall:
    """A module of the bundle itself: `source` is `./...` or `../...`."""

    source: str
    file: str
    line: int
    name: str


@dataclass(frozen=True)
class Parsed:
    """What a file declares and reads; empty where the file cannot be read."""

    file: str
    reads: tuple[Read, ...] = ()
    references: tuple[Reference, ...] = ()
    outputs: tuple[Output, ...] = ()
    resources: tuple[Resource, ...] = ()
    variables: tuple[Variable, ...] = ()
    modules: tuple[ModuleCall, ...] = ()
    providers: Mapping[str, str] = field(default_factory=dict)
    """Local name -> `source constraint`."""
    terraform: str = ""
    """`required_version`; "" when none."""
    backend: str = ""
    """Type of the backend, or `cloud`; "" when there is none."""
    backend_line: int = 0
    backend_digest: str = ""
    """As core.bundle.Part has it."""
    moved: tuple[Moved, ...] = ()
    removed: tuple[Removed, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    """Name as in core.bundle.Part.places -> line."""
    problems: tuple[Problem, ...] = ()
    is_complete: bool = True
    """False when part of it could not be read: then nothing follows from what is absent."""

    @property
    def is_override(self) -> bool:
        """Whether Terraform merges the file over the others instead of adding it."""
        stem = self.file.removesuffix(".json").removesuffix(".tf")
        return stem == "override" or stem.endswith("_override")


def decoded(content: bytes, file: str) -> str | Problem:
    """The text of a file; or what is wrong with its encoding."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Problem(file, line, "", "is not UTF-8 text.", "hcl/encoding", hint="Save the file as UTF-8.")


def parse(content: bytes, file: str, confirm: Confirm | None = None) -> Parsed:
    """What a `.tf` file says. `file` is how its values and problems name it.

    `confirm` is asked about a file that cannot be read here; without it, such a file has an error.
    """
    text = decoded(content, file)
    if isinstance(text, Problem):
        return Parsed(file, problems=(text,), is_complete=False)
    line = hcl.Lines(text)
    try:
        tree = hcl.tree(text)
    except hcl.SyntaxProblem as error:
        if confirm is not None and not error.is_final and confirm(text.encode()):
            return _not_read(text, file, error)
        problem = Problem(file, line(error.at), "", str(error), "hcl/syntax", hint=error.hint)
        return Parsed(file, problems=(problem,), is_complete=False)
    body = nodes(tree)[0]
    found = list(blocks(body))
    used = list(uses(tree))
    return Parsed(
        file,
        reads=tuple(reads(used, file, line)),
        references=tuple(references(used, file, line)),
        problems=tuple(_problems(body, found, file, line)),
        **_declared([block for block in found if len(block.labels) == LABELS.get(block.type)], file, line),
    )


def _not_read(text: str, file: str, error: hcl.SyntaxProblem) -> Parsed:
    """What can be told of a file that only Terraform can read."""
    line = hcl.Lines(text)
    message = "could not be read by Landform: references in it are not checked."
    hint = f"Terraform can read it. To have it checked, write this line otherwise: {error}"
    problem = Problem(file, line(error.at), "", message, "hcl/not-read", Severity.WARNING, hint)
    # nobody knows what surrounds them, so none of them is called missing
    used = [replace(use, guarded=True) for use in names.scan(text)]
    return Parsed(file, reads=tuple(reads(used, file, line)), problems=(problem,), is_complete=False)


def reads(used: Iterable[Use], file: str, line: Callable[[int], int]) -> Iterator[Read]:
    """Those of the references that are to Proton's namespace."""
    for use in used:
        if use.path.split(".")[0].removesuffix("[]") in ROOTS:
            yield Read(use.path, file, line(use.at), use.guarded)


def references(used: Iterable[Use], file: str, line: Callable[[int], int]) -> Iterator[Reference]:
    """Those of the references that are to variables of the bundle's own."""
    for use in used:
        name = use.path.split(".")[0]
        if name.removesuffix("[]") not in ROOTS:
            yield Reference(name, file, line(use.at))


def local_module(name: str, source: str, file: str, line: int) -> Iterator[ModuleCall]:
    """The module of the bundle that `source` names; nothing for one from elsewhere."""
    if source.startswith(("./", "../")):
        yield ModuleCall(source, file, line, name)


class _Declared(TypedDict):
    outputs: tuple[Output, ...]
    resources: tuple[Resource, ...]
    variables: tuple[Variable, ...]
    modules: tuple[ModuleCall, ...]
    providers: dict[str, str]
    terraform: str
    backend: str
    backend_line: int
    backend_digest: str
    moved: tuple[Moved, ...]
    removed: tuple[Removed, ...]
    lines: dict[str, int]


def _declared(found: list[Block], file: str, line: Callable[[int], int]) -> _Declared:
    settings = [block for block in found if block.type == "terraform"]
    inner = [block for setting in settings for block in blocks(setting.body)]
    calls = [block for block in found if block.type == "module"]
    backend = next((block for block in inner if block.type in ("backend", "cloud")), None)
    required = [each for block in inner if block.type == "required_providers" for each in _required(block)]
    return _Declared(
        outputs=tuple(_output(block, file, line) for block in found if block.type == "output"),
        resources=tuple(_resource(block, file, line(block.at)) for block in found if block.type in PREFIX),
        variables=tuple(_variable(block, file, line(block.at)) for block in found if block.type == "variable"),
        modules=tuple(
            call
            for block in calls
            for call in local_module(block.labels[0], block.text("source"), file, line(block.at))
        ),
        providers={name: text for name, _, text in required},
        terraform=", ".join(text for block in settings if (text := block.text(_VERSION))),
        backend=_backend(backend) if backend else "",
        backend_line=line(backend.at) if backend else 0,
        backend_digest=digest(words(backend.body)) if backend else "",
        moved=tuple(
            Moved(words(block.argument("from")), words(block.argument("to")), file, line(block.at))
            for block in found
            if block.type == "moved"
        ),
        removed=tuple(_removed(block, file, line(block.at)) for block in found if block.type == "removed"),
        lines=_lines(found, required, backend, line),
    )


def _lines(
    found: list[Block], required: list[tuple[str, int, str]], backend: Block | None, line: Callable[[int], int]
) -> dict[str, int]:
    settings = (named for block in found if block.type == "terraform" for named in arguments(block.body))
    lines = {f"provider {name}": line(at) for name, at, _ in required}
    lines |= {_PLACES[name]: line(at) for name, at, _ in settings if name in _PLACES}
    return lines | ({"backend": line(backend.at)} if backend else {})


def _resource(block: Block, file: str, line: int) -> Resource:
    address = PREFIX[block.type] + ".".join(block.labels)
    source = module_source(block.text("source"), block.text("version")) if block.type == "module" else ""
    repeated = next((name for name in REPEATED if block.argument(name) is not None), "")
    return Resource(address, file, line, source, repeated)


def module_source(source: str, version: str) -> str:
    """As core.bundle.Resource.source."""
    return " ".join(filter(None, (source, version)))


def _removed(block: Block, file: str, line: int) -> Removed:
    keeps = any(
        words(inner.argument("destroy")) == "false" for inner in blocks(block.body) if inner.type == "lifecycle"
    )
    return Removed(words(block.argument("from")), file, line, destroys=not keeps)


def _variable(block: Block, file: str, line: int) -> Variable:
    flags = {name: is_true(block.argument(name)) for name in ("sensitive", "ephemeral")}
    is_text = is_text_type(words(block.argument("type")))
    return Variable(block.labels[0], file, line, block.argument("default") is not None, **flags, is_text=is_text)


def is_text_type(type: str) -> bool:
    """As core.bundle.Variable.is_text; the type as it is written, "" when it is not."""
    return type.strip('"') in ("", "string", "number", "bool")


def _output(block: Block, file: str, line: Callable[[int], int]) -> Output:
    sensitive = is_true(block.argument("sensitive"))
    return Output(block.labels[0], file, line(block.at), block.text("description"), sensitive)


def _required(block: Block) -> Iterator[tuple[str, int, str]]:
    """Name, position and `source constraint` of each provider."""
    for name, at, value in arguments(block.body):
        given = members(value)
        text = literal(value)
        yield name, at, provider(given) if text is None else text


def provider(given: Mapping[str, str]) -> str:
    """`source constraint` of a required provider."""
    return " ".join(filter(None, (given.get("source", ""), given.get("version", ""))))


def _backend(block: Block) -> str:
    return block.labels[0] if block.labels else block.type


def _problems(body: Tree[Token], found: list[Block], file: str, line: Callable[[int], int]) -> Iterator[Problem]:
    for name, at, _ in arguments(body):
        yield Problem(file, line(at), name, "An argument must stand inside a block.", "hcl/argument")
    for block in found:
        expected = LABELS.get(block.type)
        if expected is None:
            message = f"{shown(block.type)} is not a type of block that Landform knows."
            hint = did_you_mean(block.type, LABELS).strip()
            yield Problem(file, line(block.at), "", message, "hcl/block", Severity.WARNING, hint)
        elif expected != len(block.labels):
            names = {0: "no name", 1: "one name", 2: "a type and a name"}[expected]
            message = f"A block of type {block.type} has {names} before its {{; this one has {len(block.labels)}."
            yield Problem(file, line(block.at), "", message, "hcl/labels")
