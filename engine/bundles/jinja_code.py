"""What a `*.tf.j2` file reads, in its Jinja expressions and in the Terraform code around them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from engine.bundles import hcl, names
from engine.bundles.code import Parsed, decoded, reads
from engine.core.bundle import Read
from engine.core.nearest import did_you_mean
from engine.errors import Problem

if TYPE_CHECKING:
    from jinja2.nodes import Node, Template

SUFFIX = ".tf.j2"
_GUARDING_TESTS = frozenset({"defined", "undefined"})
_GUARDING_FILTERS = frozenset({"default", "d"})


def parse(content: bytes, file: str, includable: Collection[str]) -> tuple[Parsed, tuple[Read, ...]]:
    """What the file reads; and, once more, what it reads in Jinja expressions alone, where no variable can be its own.

    `includable` are the names of the files it may include.
    """
    text = decoded(content, file)
    if isinstance(text, Problem):
        return Parsed(file, problems=(text,), is_complete=False), ()
    from jinja2 import TemplateSyntaxError

    try:
        return _parsed(text, file, includable)
    except TemplateSyntaxError as error:
        message = (error.message or "cannot be read").rstrip(".")
        problem = Problem(file, error.lineno, "", f"{message}.", "jinja/syntax")
    except RecursionError:
        problem = Problem(file, 0, "", "The template is nested too deeply.", "jinja/syntax")
    return Parsed(file, problems=(problem,), is_complete=False), ()


def _parsed(text: str, file: str, includable: Collection[str]) -> tuple[Parsed, tuple[Read, ...]]:
    from engine.core.jinja import environment

    jinja = environment()
    template = jinja.parse(text)
    expressions = tuple(_expressions(template, file))
    around = tuple(_around(template, file))
    problems = (*_unknown(template, file, jinja.globals), *_includes(template, file, includable))
    return Parsed(file, reads=(*expressions, *around), problems=problems), expressions


def _children(template: Node) -> Iterator[tuple[Node, bool]]:
    """Every node below the template, and whether it is guarded, outermost first."""
    waiting = [(template, False)]
    while waiting:
        node, guarded = waiting.pop()
        yield node, guarded
        waiting += [(child, guarded or _guards(node)) for child in node.iter_child_nodes()]


def _guards(node: Node) -> bool:
    from jinja2 import nodes

    if isinstance(node, nodes.Test):
        return node.name in _GUARDING_TESTS
    return isinstance(node, nodes.Filter) and node.name in _GUARDING_FILTERS


def _expressions(template: Template, file: str) -> Iterator[Read]:
    from jinja2 import nodes

    free = _free(template)
    inner: set[int] = set()
    for node, guarded in _children(template):
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            # a method such as items() is no member of the namespace
            inner.add(id(node.node))
        if id(node) in inner or not isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Name):
            continue
        steps: list[str | None] = []
        at: Node = node
        while isinstance(at, nodes.Getattr | nodes.Getitem):
            steps.append(_step(at))
            at = at.node
            inner.add(id(at))
        if isinstance(at, nodes.Name) and at.name in names.ROOTS and at.name in free:
            yield Read(names.path([at.name, *reversed(steps)]), file, node.lineno, guarded)


def _step(node: Node) -> str | None:
    from jinja2 import nodes

    if isinstance(node, nodes.Getattr):
        return node.attr
    key = node.arg if isinstance(node, nodes.Getitem) else None
    return key.value if isinstance(key, nodes.Const) and isinstance(key.value, str) else None


def _free(template: Template) -> set[str]:
    """The names the template does not set itself."""
    from jinja2 import meta

    return meta.find_undeclared_variables(template)


def _around(template: Template, file: str) -> Iterator[Read]:
    from jinja2 import nodes

    for piece in template.find_all(nodes.TemplateData):
        line = hcl.Lines(piece.data)
        for read in reads(names.scan(piece.data), file, line):
            yield Read(read.path, file, read.line + piece.lineno - 1)


def _unknown(template: Template, file: str, functions: Collection[str]) -> Iterator[Problem]:
    from jinja2 import nodes

    unknown = _free(template) - {*names.ROOTS, *functions}
    for name in sorted(unknown):
        line = next((node.lineno for node in template.find_all(nodes.Name) if node.name == name), 0)
        hint = did_you_mean(name, names.ROOTS).strip()
        yield Problem(
            file, line, "", f"{name} is not a name that templates are given.", "jinja/unknown-name", hint=hint
        )


def _includes(template: Template, file: str, includable: Collection[str]) -> Iterator[Problem]:
    from jinja2 import nodes

    kinds = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
    for node in template.find_all(kinds):
        named = getattr(node, "template", None)
        name = named.value if isinstance(named, nodes.Const) else None
        if isinstance(name, str) and name not in includable:
            message = f"There is no {name} to include."
            hint = did_you_mean(name, includable).strip() or f"Only *{SUFFIX} files of the same folder can be included."
            yield Problem(file, node.lineno, "", message, "jinja/include", hint=hint)
