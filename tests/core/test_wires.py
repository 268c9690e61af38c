"""Who feeds whom, as a graph, and as text for programs that draw."""

from __future__ import annotations

from engine.core import wire_drawings, wires
from engine.core.address import Kind
from engine.core.bundle import Facts, Output, Part, PartName, Read
from engine.core.versions import Number, TemplateKind
from engine.core.wires import Edition, Node, Place, Wire, Wires


def part(name: PartName, *paths: str, outputs: tuple[str, ...] = ()) -> Part:
    reads = tuple(Read(path, "main.tf", line) for line, path in enumerate(paths, 1))
    return Part(name, "hcl", ("main.tf",), (), reads, tuple(Output(each, "main.tf", 1) for each in outputs))


ENVIRONMENT = Place("environment/prod", Kind.ENVIRONMENT, "lab@1.0", None, frozenset({"zone", "size"}))
ORDERS = Place(
    "service/orders/prod",
    Kind.SERVICE_INSTANCE,
    "web@1.0",
    part(PartName.INSTANCE, "environment.outputs.zone", "service_instance.components.default.outputs.bucket"),
    frozenset({"port"}),
    environment="environment/prod",
    service="orders",
    stale=("environment/prod zone",),
)
CACHE = Place(
    "component/cache",
    Kind.COMPONENT,
    "cache@1.0",
    part(PartName.COMPONENT, "environment.outputs"),
    frozenset({"bucket"}),
    environment="environment/prod",
    attached="service/orders/prod",
)
PIPELINE = Place(
    "pipeline/orders",
    Kind.PIPELINE,
    "web@1.0",
    part(PartName.PIPELINE, "service_instances[].outputs.port", "service_instances[].environment.outputs.zome"),
    service="orders",
)
LIVE = (ENVIRONMENT, ORDERS, CACHE, PIPELINE)


def test_environments_feed_all_that_lives_in_them_components_their_instance_and_instances_the_pipeline() -> None:
    assert wires.live(LIVE).wires == (
        Wire("component/cache", "service/orders/prod", ("bucket",)),
        Wire("environment/prod", "component/cache", ("*",)),
        Wire("environment/prod", "pipeline/orders", ("zome",), missing=("zome",)),
        Wire("environment/prod", "service/orders/prod", ("zone",), stale=("zone",)),
        Wire("service/orders/prod", "pipeline/orders", ("port",)),
    )


def test_a_pipeline_that_reads_its_list_as_a_whole_is_fed_all_outputs_of_everybody() -> None:
    pipeline = Place(
        "pipeline/orders", Kind.PIPELINE, "web@1.0", part(PartName.PIPELINE, "service_instances"), service="orders"
    )

    found = wires.live((ENVIRONMENT, ORDERS, pipeline)).wires

    assert Wire("environment/prod", "pipeline/orders", ("*",)) in found
    assert Wire("service/orders/prod", "pipeline/orders", ("*",)) in found


def test_what_was_read_of_one_that_has_gone_is_still_drawn() -> None:
    left = Place(
        "service/a/b", Kind.SERVICE_INSTANCE, "web@1.0", part(PartName.INSTANCE), stale=("component/gone x y",)
    )

    graph = wires.live((left,))

    assert graph.wires == (Wire("component/gone", "service/a/b", (), stale=("x y",)),)
    assert [node.name for node in graph.nodes] == ["component/gone", "service/a/b"]


def test_an_instance_that_reads_nothing_is_not_wired() -> None:
    alone = Place(
        "service/a/b", Kind.SERVICE_INSTANCE, "web@1.0", part(PartName.INSTANCE), environment="environment/prod"
    )

    assert wires.live((ENVIRONMENT, alone)).wires == ()


def test_around_an_instance_is_what_feeds_it_and_what_it_feeds_and_no_sibling() -> None:
    sibling = Place(
        "service/other/prod",
        Kind.SERVICE_INSTANCE,
        "web@1.0",
        part(PartName.INSTANCE, "environment.outputs.zone"),
        environment="environment/prod",
        service="other",
    )

    found = wires.around(wires.live((*LIVE, sibling)), ["service/orders/prod"])

    assert [node.name for node in found.nodes] == [
        "component/cache",
        "environment/prod",
        "pipeline/orders",
        "service/orders/prod",
    ]
    assert [(wire.source, wire.target) for wire in found.wires] == [
        ("component/cache", "service/orders/prod"),
        ("environment/prod", "component/cache"),
        ("environment/prod", "service/orders/prod"),
        ("service/orders/prod", "pipeline/orders"),
    ]


def test_versions_are_wired_to_those_of_environments_that_they_may_run_in() -> None:
    def lab(number: Number, *outputs: str) -> Edition:
        facts = {PartName.INFRASTRUCTURE: part(PartName.INFRASTRUCTURE, outputs=outputs)}
        return Edition("lab", TemplateKind.ENVIRONMENT, number, Facts(TemplateKind.ENVIRONMENT, False, facts))

    code = part(PartName.INSTANCE, "environment.outputs.zone", "environment.outputs.tier")
    facts = Facts(TemplateKind.SERVICE, False, {PartName.INSTANCE: code})
    web = Edition("web", TemplateKind.SERVICE, Number(1, 0), facts, ("lab:1",))

    found = wires.between((lab(Number(1, 0), "zone"), lab(Number(1, 1), "zone", "tier"), lab(Number(2, 0)), web))

    assert found.wires == (
        Wire("environment/lab@1.0", "service/web@1.0", ("tier", "zone"), missing=("tier",)),
        Wire("environment/lab@1.1", "service/web@1.0", ("tier", "zone")),
    )


HOSTILE = Wires(
    (Node("environment/prod", "environment", 'a"];b'), Node("service/a/b", "service", "web@1.0", stale=True)),
    (Wire("environment/prod", "service/a/b", ('x"] -> \\n|<b>\x1b', "*"), stale=("*",), missing=("end",)),),
)


def test_no_name_means_anything_to_dot() -> None:
    assert wire_drawings.dot(HOSTILE).splitlines() == [
        "digraph landform {",
        "  rankdir=LR;",
        "  node [shape=box];",
        '  n0 [label="environment/prod\\na\\"];b"];',
        '  n1 [label="service/a/b\\nweb@1.0\\nstale", style=dashed];',
        '  n0 -> n1 [label="x\\"] -> \\\\n|<b> \\nall outputs (stale)\\nend (missing)", style=dashed, color=red];',
        "}",
    ]


def test_no_name_means_anything_to_mermaid() -> None:
    assert wire_drawings.mermaid(HOSTILE).splitlines() == [
        "flowchart LR",
        '  n0["environment/prod<br/>a#34;#93;#59;b"]',
        '  n1["service/a/b<br/>web@1.0<br/>stale"]:::stale',
        '  n0 -.->|"x#34;#93; -#62; #92;n#124;#60;b#62; <br/>all outputs (stale)<br/>end (missing)"| n1',
        "  classDef stale stroke-dasharray: 5 5",
    ]
