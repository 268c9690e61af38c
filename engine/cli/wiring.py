"""`landform wiring`: draws who feeds whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, display
from engine.cli.common import Session, pass_session
from engine.errors import NotFound

if TYPE_CHECKING:
    from engine.catalog.reads import Row
    from engine.core.bundle import Facts
    from engine.core.wires import Edition, Node, Place, Wire, Wires

WIRES = display.Shape(
    "landform.wiring/1",
    display.columns("FROM=source TO=target OUTPUTS=outputs STALE=stale MISSING=missing"),
    "target",
)
DRAWINGS = ("dot", "mermaid")


@click.command("wiring")
@click.argument("names", nargs=-1, metavar="[ADDRESS|TEMPLATE]...", shell_complete=arguments.complete("address"))
@click.option("--templates", is_flag=True, help="What versions of services read of versions of environment templates.")
@click.option(
    "--output",
    "-o",
    type=click.Choice([*display.FORMATS, *DRAWINGS]),
    default="table",
    show_default=True,
    help="How to print the result; dot is for Graphviz, mermaid for Markdown.",
)
@pass_session
def wiring(session: Session, names: tuple[str, ...], output: str, *, templates: bool) -> None:
    """Show which outputs flow from whom to whom, and what of it is stale or missing.

    With names, only what feeds these instances, or those made from these templates, and what they feed.
    """
    graph = _between_versions(session, names) if templates else _live(session, names)
    if output in DRAWINGS:
        from engine.core import wire_drawings

        draw = wire_drawings.dot if output == "dot" else wire_drawings.mermaid
        click.echo(draw(graph))
    elif output == "name":
        click.echo("".join(f"{node.name}\n" for node in graph.nodes), nl=False)
    elif output == "table":
        display.many(list(map(_view, graph.wires)), WIRES, output)
    else:
        display.one({"nodes": list(map(asdict, graph.nodes)), "wires": list(map(_view, graph.wires))}, WIRES, output)


def _view(wire: Wire) -> dict[str, object]:
    outputs, stale, missing = list(wire.outputs), list(wire.stale), list(wire.missing)
    return {"source": wire.source, "target": wire.target, "outputs": outputs, "stale": stale, "missing": missing}


def _live(session: Session, names: Sequence[str]) -> Wires:
    from engine.core import wires

    rows, versions = session.reads().wired()
    facts = {row["id"]: _facts(row) for row in versions if row["facts"]}
    graph = wires.live([_place(row, facts.get(row["version_id"])) for row in rows])
    return wires.around(graph, _instances(session, graph, names)) if names else graph


def _between_versions(session: Session, names: Sequence[str]) -> Wires:
    from engine.core import wires

    graph = wires.between([_edition(row) for row in session.reads().offerings()])
    return wires.around(graph, _versions(session, graph, names)) if names else graph


def _facts(row: Row) -> Facts:
    from engine.core import bundle

    return bundle.from_json(row["facts"])


def _place(row: Row, facts: Facts | None) -> Place:
    from engine.core.address import Kind
    from engine.core.bundle import PART_OF
    from engine.core.wires import Place

    kind = Kind(row["kind"])
    return Place(
        row["address"],
        kind,
        row["label"],
        facts.part(PART_OF[kind]) if facts else None,
        None if row["outputs"] is None else frozenset(row["outputs"]),
        row["environment"] or "",
        row["service"] or "",
        row["attached"] or "",
        tuple(row["stale"]),
    )


def _edition(row: Row) -> Edition:
    from engine.core import registered, shapes
    from engine.core.versions import Number, TemplateKind
    from engine.core.wires import Edition

    facts, schema = _facts(row), partial(registered.schema_of, row["schema_text"], customer_managed=True)
    inputs = tuple(shapes.names(schema().type)) if facts.customer_managed else ()
    number = Number(row["major"], row["minor"])
    return Edition(row["name"], TemplateKind(row["kind"]), number, facts, tuple(row["compatible"]), inputs)


def _instances(session: Session, graph: Wires, names: Iterable[str]) -> set[str]:
    """The addresses that the words mean: of an instance, or of everything that is made from a template. Raises as
    the look-ups do.
    """
    found: set[str] = set()
    for name in names:
        if "/" in name:
            found.add(session.reads().instance(arguments.any_address(name))["address"])
        else:
            found |= _made_from(session, graph.nodes, name)
    return found


def _made_from(session: Session, nodes: Iterable[Node], name: str) -> set[str]:
    from engine.core.versions import parse_ref

    nodes = list(nodes)
    try:
        session.reads().versions(parse_ref(name))
    except NotFound as error:
        near = [node.name for node in nodes if f"/{name}/" in f"{node.name}/"]
        raise NotFound(error.message, hint=f"If you mean {near[0]}, write it whole." if near else error.hint) from error
    return {node.name for node in nodes if _is_meant(name, node.template)}


def _versions(session: Session, graph: Wires, names: Iterable[str]) -> set[str]:
    """The versions that the words mean: `web`, `web@1`, `web@1.2`, `service/web`. Raises as the look-ups do."""
    from engine.core.versions import parse_ref

    found: set[str] = set()
    for name in names:
        ref = parse_ref(name)
        session.reads().versions(ref)
        bare = f"{ref.kind.value}/" if ref.kind else ""
        meant = {node.name for node in graph.nodes if _is_meant(name.removeprefix(bare), node.name.partition("/")[2])}
        meant = {label for label in meant if label.startswith(bare)}
        if not meant:
            raise NotFound(
                f"{name} names no version that something may be made from.",
                hint=f"See them: landform template versions {ref.name}",
            )
        found |= meant
    return found


def _is_meant(name: str, label: str) -> bool:
    """Whether `web`, `web@1` or `web@1.2` means a version of that label."""
    return label == name or label.startswith((f"{name}@", f"{name}.") if "@" in name else f"{name}@")
