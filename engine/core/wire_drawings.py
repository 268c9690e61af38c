"""Graphs of who feeds whom, as text for programs that draw: Graphviz's dot, and mermaid.

Names of outputs come from the code of bundles: none of them may mean anything to such a program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.core.wires import Node, Wires

_LONGEST = 200
"""Characters of a line of a label that are drawn."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-./@:,*()")
"""What means nothing but itself in a label of mermaid."""


def dot(graph: Wires) -> str:
    """The graph in the language of Graphviz; what is stale is dashed, what lacks something is red."""
    ids = _ids(graph)
    lines = ["digraph landform {", "  rankdir=LR;", "  node [shape=box];"]
    for node in graph.nodes:
        style = ", style=dashed" if node.stale else ""
        lines.append(f'  {ids[node.name]} [label="{_joined(_heading(node), _in_dot, _DOT_BREAK)}"{style}];')
    for wire in graph.wires:
        look = (", style=dashed" if wire.stale else "") + (", color=red" if wire.missing else "")
        label = _joined(wire.labels(), _in_dot, _DOT_BREAK)
        lines.append(f'  {ids[wire.source]} -> {ids[wire.target]} [label="{label}"{look}];')
    return "\n".join([*lines, "}"])


def mermaid(graph: Wires) -> str:
    """The graph as a flowchart of mermaid, as code hosts draw it; what is stale or lacks something is dotted."""
    ids = _ids(graph)
    lines = ["flowchart LR"]
    for node in graph.nodes:
        label = _joined(_heading(node), _in_mermaid, _MERMAID_BREAK)
        lines.append(f'  {ids[node.name]}["{label}"]' + (":::stale" if node.stale else ""))
    for wire in graph.wires:
        arrow = "-.->" if wire.stale or wire.missing else "-->"
        label = _joined(wire.labels(), _in_mermaid, _MERMAID_BREAK)
        lines.append(f'  {ids[wire.source]} {arrow}|"{label}"| {ids[wire.target]}')
    return "\n".join([*lines, "  classDef stale stroke-dasharray: 5 5"])


_DOT_BREAK, _MERMAID_BREAK = "\\n", "<br/>"


def _ids(graph: Wires) -> Mapping[str, str]:
    """Node -> a word that no language could mistake for something else."""
    return {node.name: f"n{at}" for at, node in enumerate(graph.nodes)}


def _heading(node: Node) -> list[str]:
    return [*filter(None, (node.name, node.template)), *(["stale"] if node.stale else [])]


def _joined(texts: Iterable[str], escaped: Callable[[str], str], line_break: str) -> str:
    return line_break.join(escaped(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...") for text in texts)


def _in_dot(text: str) -> str:
    shown = "".join(each if each.isprintable() else " " for each in text)
    return shown.replace("\\", "\\\\").replace('"', '\\"')


def _in_mermaid(text: str) -> str:
    return "".join(each if each in _PLAIN else f"#{ord(each)};" if each.isprintable() else " " for each in text)
