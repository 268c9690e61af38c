"""EnvironmentSpec and ServiceSpec documents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import spec
from engine.core.located import Document, parse
from engine.core.spec import EnvironmentSpec, InstanceSpec, ServiceSpec
from engine.errors import Invalid
from tests.core.schemas import PROPERTY, inputs, names

SERVICE = """\
proton: ServiceSpec
pipeline:
  dockerfile: Dockerfile
instances:
  - name: web
    environment: prod
    spec:
      port: 80
  - name: "api"
    environment: test
"""


def document(text: str) -> Document:
    return parse(text, "spec.yaml")


def refused(text: str, *, pipeline: bool = False) -> list[str]:
    with pytest.raises(Invalid) as caught:
        spec.service_spec(document(text), pipeline=pipeline)
    return [str(problem) for problem in caught.value.problems]


def test_an_environment_spec_holds_inputs():
    found = spec.environment_spec(document('proton: "EnvironmentSpec"\nspec:\n  cidr: 10.0.0.0/16\n'))

    assert found == EnvironmentSpec({"cidr": "10.0.0.0/16"})
    assert found.at == ("spec",)


@pytest.mark.parametrize(
    "text",
    ["proton: EnvironmentSpec", "proton: EnvironmentSpec\nspec:\n", '{"proton": "EnvironmentSpec", "spec": {}}'],
)
def test_an_environment_spec_may_leave_all_to_defaults(text):
    assert spec.environment_spec(document(text)) == EnvironmentSpec({})


def test_a_service_spec_holds_a_pipeline_and_instances():
    found = spec.service_spec(document(SERVICE), pipeline=True)

    assert found == ServiceSpec(
        {"dockerfile": "Dockerfile"}, (InstanceSpec("web", "prod", {"port": 80}), InstanceSpec("api", "test", {}))
    )
    assert [instance.at for instance in found.instances] == [("instances", 0, "spec"), ("instances", 1, "spec")]
    assert found.instance("api") == found.instances[1]
    assert found.instance("db") is None


@pytest.mark.parametrize("sections", ["", "instances: []\npipeline: {}", "instances:\npipeline:"])
def test_a_service_spec_may_have_no_instances_and_an_empty_pipeline(sections):
    found = spec.service_spec(document(f"proton: ServiceSpec\n{sections}"), pipeline=True)

    assert found == ServiceSpec({}, ())


def test_a_service_without_pipeline_has_no_pipeline_inputs():
    assert spec.service_spec(document("proton: ServiceSpec"), pipeline=False) == ServiceSpec(None, ())


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "proton: EnvironmentSpec\nspec: {}",
            ["spec.yaml:1: proton: is EnvironmentSpec; a ServiceSpec is expected here."],
        ),
        ("proton: servicespec", ['spec.yaml:1: proton: must be ServiceSpec, not "servicespec".']),
        ("instances: []", ["spec.yaml:1: proton: is required. Write proton: ServiceSpec"]),
        ("- a", ["spec.yaml:1: is not a ServiceSpec, a mapping that begins with proton: ServiceSpec"]),
        ("", ["spec.yaml: is not a ServiceSpec, a mapping that begins with proton: ServiceSpec"]),
        (
            "proton: ServiceSpec\npipeline: {}",
            ["spec.yaml:2: pipeline: must not be there: the template has no pipeline."],
        ),
        (
            "proton: ServiceSpec\ninstances: {}",
            ["spec.yaml:2: instances: must be a list, not a mapping. Begin each instance with a dash."],
        ),
        (
            "proton: ServiceSpec\ninstances: web",
            ['spec.yaml:2: instances: must be a list, not "web". Begin each instance with a dash.'],
        ),
        (
            "proton: ServiceSpec\ninstances:\n- web\n",
            ['spec.yaml:3: instances[0]: must be a mapping with name, environment and spec, not "web".'],
        ),
        (
            "proton: ServiceSpec\ninstances:\n- {name: a, environment: e}\n- {name: a, environment: e}\n",
            ['spec.yaml:4: instances[1].name: "a" is the name of another instance in line 3.'],
        ),
        (
            "proton: ServiceSpec\ninstances:\n- {name: ../x, environment: -rf}\n",
            [
                "spec.yaml:3: instances[0].environment: The environment name '-rf' is not a valid name.",
                "spec.yaml:3: instances[0].name: The instance name '../x' is not a valid name.",
            ],
        ),
        (
            "proton: ServiceSpec\ninstances:\n- {name: 12, environment: [e]}\n",
            [
                'spec.yaml:3: instances[0].environment: ["e"] is not a string.',
                'spec.yaml:3: instances[0].name: 12 is not a string. Write "12".',
            ],
        ),
        (
            "proton: ServiceSpec\ninstances:\n- {}\n",
            ["spec.yaml:3: instances[0].environment: is required.", "spec.yaml:3: instances[0].name: is required."],
        ),
        (
            "proton: ServiceSpec\ninstance:\n- {}\n",
            ['spec.yaml:2: instance: is not a known key. Did you mean "instances"?'],
        ),
        (
            "proton: ServiceSpec\ninstances:\n- {name: a, enviroment: e, spec: [1]}\n",
            [
                'spec.yaml:3: instances[0].enviroment: is not a known key. Did you mean "environment"?',
                "spec.yaml:3: instances[0].environment: is required.",
                "spec.yaml:3: instances[0].spec: must be a mapping of inputs to values, not a list.",
            ],
        ),
    ],
)
def test_a_wrong_service_spec_is_refused_with_all_its_problems(text, problems):
    assert refused(text) == problems


def test_a_long_instance_name_is_refused():
    found = refused(f"proton: ServiceSpec\ninstances:\n- {{name: {'a' * 101}, environment: e}}\n")

    assert found == [
        "spec.yaml:3: instances[0].name: "
        "The instance name 'aaaaaaaaaaaaaaaaaaaa...' has 101 characters; 100 are the most."
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("proton: ServiceSpec", "spec.yaml:1: proton: is ServiceSpec; an EnvironmentSpec is expected here."),
        ("proton: EnvironmentSpec\nspec: x", 'spec.yaml:2: spec: must be a mapping of inputs to values, not "x".'),
        ("proton: EnvironmentSpec\nspecs: {}", 'spec.yaml:2: specs: is not a known key. Did you mean "spec"?'),
    ],
)
def test_a_wrong_environment_spec_is_refused(text, problem):
    with pytest.raises(Invalid) as caught:
        spec.environment_spec(document(text))

    assert [str(found) for found in caught.value.problems] == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "spec.yaml: is empty."),
        (" \n", "spec.yaml: is empty."),
        ("#" * 51_201, "spec.yaml: has 51,201 characters; 51,200 are the most."),
        ("a: b: c", "spec.yaml:1: A colon is not expected here."),
    ],
    ids=lambda value: value[:20],
)
def test_a_text_that_is_no_document_is_refused(text, problem):
    with pytest.raises(Invalid) as caught:
        spec.parse(text, "spec.yaml")

    assert [str(found) for found in caught.value.problems] == [problem]


def test_a_text_of_the_largest_size_is_read():
    text = "proton: EnvironmentSpec\n".ljust(51_200, "#")

    assert spec.environment_spec(spec.parse(text, "spec.yaml")) == EnvironmentSpec({})


def test_a_spec_is_written_in_the_order_people_know():
    found = spec.text(ServiceSpec({"b": 1, "a": "NO"}, (InstanceSpec("web", "prod", {"port": 80}),)))

    assert found == (
        "proton: ServiceSpec\n"
        "pipeline:\n  b: 1\n  a: 'NO'\n"
        "instances:\n- name: web\n  environment: prod\n  spec:\n    port: 80\n"
    )


@PROPERTY
@given(inputs)
def test_an_environment_spec_reads_back_as_it_was_written(values):
    written = EnvironmentSpec(values)

    assert repr(spec.environment_spec(document(spec.text(written)))) == repr(written)


@PROPERTY
@given(
    st.none() | inputs,
    st.lists(st.builds(InstanceSpec, names, names, inputs), max_size=3, unique_by=lambda instance: instance.name),
)
def test_a_service_spec_reads_back_as_it_was_written(pipeline, instances):
    written = ServiceSpec(pipeline, tuple(instances))

    assert spec.service_spec(document(spec.text(written)), pipeline=pipeline is not None) == written
