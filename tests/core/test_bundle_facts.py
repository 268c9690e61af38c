"""What was learned from a bundle: kept without loss, and asked for the outputs that it reads."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import bundle
from engine.core.bundle import Facts, Output, Part, PartName, Read, Resource, Variable
from engine.core.versions import TemplateKind

texts = st.text(max_size=10)
lines = st.integers(min_value=0, max_value=9)
parts = st.builds(
    Part,
    name=st.sampled_from(PartName),
    engine=st.sampled_from(["hcl", "jinja"]),
    templates=st.lists(texts, max_size=2).map(tuple),
    others=st.lists(texts, max_size=2).map(tuple),
    reads=st.lists(st.builds(Read, texts, texts, lines, st.booleans()), max_size=2).map(tuple),
    outputs=st.lists(st.builds(Output, texts, texts, lines, texts, st.booleans()), max_size=2).map(tuple),
    resources=st.lists(st.builds(Resource, texts, texts, lines), max_size=2).map(tuple),
    providers=st.none() | st.dictionaries(texts, texts, max_size=2),
    terraform=texts,
    backend=texts,
    variables=st.lists(st.builds(Variable, texts, texts, lines, st.booleans(), st.booleans(), st.booleans())).map(
        tuple
    ),
)
facts = st.builds(
    Facts,
    kind=st.sampled_from(TemplateKind),
    customer_managed=st.booleans(),
    parts=st.dictionaries(st.sampled_from(PartName), parts),
)


def part(*reads: Read) -> Part:
    return Part(PartName.INSTANCE, "hcl", ("main.tf",), (), reads)


def read(path: str, *, guarded: bool = False) -> Read:
    return Read(path, "main.tf", 1, guarded)


@settings(deadline=None, max_examples=50)
@given(facts)
def test_facts_read_back_from_the_json_they_are_stored_as(given: Facts) -> None:
    assert bundle.from_json(json.loads(json.dumps(given.to_json()))) == given


def test_facts_are_stored_under_these_names() -> None:
    facts = Facts(
        TemplateKind.SERVICE,
        customer_managed=False,
        parts={
            PartName.INSTANCE: Part(
                PartName.INSTANCE,
                "hcl",
                ("main.tf",),
                ("modules/net/main.tf",),
                (Read("environment.outputs.vpc_id", "main.tf", 3, guarded=True),),
                (Output("url", "main.tf", 9, "Where it answers.", sensitive=True),),
                (Resource("aws_vpc.main", "main.tf", 5),),
                {"aws": "hashicorp/aws ~> 4.0"},
                ">= 1.3",
                "s3",
                (Variable("token", "main.tf", 7, sensitive=True),),
            )
        },
    )

    assert json.loads(json.dumps(facts.to_json())) == {
        "kind": "service",
        "customer_managed": False,
        "parts": {
            "instance_infrastructure": {
                "name": "instance_infrastructure",
                "engine": "hcl",
                "templates": ["main.tf"],
                "others": ["modules/net/main.tf"],
                "reads": [{"path": "environment.outputs.vpc_id", "file": "main.tf", "line": 3, "guarded": True}],
                "outputs": [
                    {
                        "name": "url",
                        "file": "main.tf",
                        "line": 9,
                        "description": "Where it answers.",
                        "sensitive": True,
                    }
                ],
                "resources": [
                    {"address": "aws_vpc.main", "file": "main.tf", "line": 5, "source": "", "repeated": None}
                ],
                "providers": {"aws": "hashicorp/aws ~> 4.0"},
                "terraform": ">= 1.3",
                "backend": "s3",
                "variables": [
                    {
                        "name": "token",
                        "file": "main.tf",
                        "line": 7,
                        "sensitive": True,
                        "ephemeral": False,
                        "is_text": True,
                    }
                ],
                "moved": [],
                "removed": [],
                "unread": [],
                "backend_digest": "",
                "places": {},
            }
        },
    }


def test_facts_that_were_stored_before_variables_were_known_are_read() -> None:
    before = Facts(TemplateKind.SERVICE, customer_managed=False, parts={PartName.INSTANCE: part()}).to_json()
    del before["parts"]["instance_infrastructure"]["variables"]

    assert bundle.from_json(json.loads(json.dumps(before))).parts[PartName.INSTANCE].variables == ()


def test_a_part_is_found_by_its_name() -> None:
    facts = Facts(TemplateKind.SERVICE, customer_managed=False, parts={PartName.INSTANCE: part()})

    assert facts.part(PartName.INSTANCE) == part()
    assert facts.part(PartName.PIPELINE) is None


@pytest.mark.parametrize(
    ("reads", "needed", "used"),
    [
        ((), set(), set()),
        ((read("environment.outputs.vpc_id"),), {"vpc_id"}, {"vpc_id"}),
        ((read("environment.outputs.vpc_id.0.id"),), {"vpc_id"}, {"vpc_id"}),
        ((read("environment.outputs.a", guarded=True),), set(), {"a"}),
        ((read("environment.outputs.a", guarded=True), read("environment.outputs.a")), {"a"}, {"a"}),
        ((read("environment.outputs.b"), read("environment.outputs.a")), {"a", "b"}, {"a", "b"}),
        ((read("environment.inputs.size"), read("environment.name"), read("service.name")), set(), set()),
        ((read("service_instance.environment.outputs.a"),), set(), set()),
        ((read("environment.outputs_of.a"),), set(), set()),
        ((read("environment.outputs"),), set(), set()),
    ],
)
def test_a_part_needs_the_environment_outputs_that_it_reads_unguarded(
    reads: tuple[Read, ...], needed: set[str], used: set[str]
) -> None:
    assert part(*reads).environment_outputs() == needed
    assert part(*reads).environment_outputs_used() == used


@pytest.mark.parametrize(
    ("path", "reads_all"),
    [
        ("environment", True),
        ("environment.outputs", True),
        ("environment.outputs.vpc_id", False),
        ("environment.inputs", False),
        ("service", False),
    ],
)
def test_a_part_that_reads_a_whole_map_reads_all_environment_outputs(path: str, reads_all: bool) -> None:
    assert part(read("environment.name"), read(path)).reads_all_environment_outputs() is reads_all
