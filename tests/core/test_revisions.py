"""Current values, and edits of a service."""

from __future__ import annotations

from engine.core.located import parse
from engine.core.revisions import CURRENT_VAL, edit, resolve, with_current
from engine.core.spec import InstanceSpec, ServiceSpec, service_spec

TYPE = {
    "type": "object",
    "required": ["image"],
    "properties": {
        "image": {"type": "string"},
        "port": {"type": "number", "default": 80},
        "server": {"type": "object", "properties": {"size": {"type": "number"}}},
    },
}
BEFORE = ServiceSpec(
    {"branch": "main"},
    (InstanceSpec("web", "prod", {"port": 80, "tags": ["a"]}), InstanceSpec("api", "test", {"image": "x"})),
)


def edited(text: str, before: ServiceSpec = BEFORE):
    document = parse(f"proton: ServiceSpec\n{text}", "spec.yaml")
    return edit(before, service_spec(document, pipeline=before.pipeline is not None), document)


def messages(text: str, before: ServiceSpec = BEFORE) -> list[str]:
    return [str(problem) for problem in edited(text, before).problems]


def test_a_current_value_takes_the_place_of_its_token():
    inputs = {"port": CURRENT_VAL, "image": "new", "server": {"size": CURRENT_VAL, "tags": ["x", CURRENT_VAL]}}
    current = {"port": 81, "image": "old", "server": {"size": 3, "tags": ["a", {"b": 1}]}}

    assert with_current(inputs, current) == (
        {"port": 81, "image": "new", "server": {"size": 3, "tags": ["x", {"b": 1}]}},
        [],
    )


def test_an_input_without_current_value_counts_as_not_given():
    assert with_current({"port": CURRENT_VAL, "image": "a"}, {}) == ({"image": "a"}, [("port",)])


def test_a_current_value_may_be_null_or_false():
    assert with_current({"a": CURRENT_VAL, "b": CURRENT_VAL}, {"a": None, "b": False}) == ({"a": None, "b": False}, [])


def test_a_token_inside_a_text_is_text():
    assert with_current({"a": f"x{CURRENT_VAL}"}, {"a": "y"}) == ({"a": f"x{CURRENT_VAL}"}, [])


def test_a_deeper_place_without_current_value_is_named():
    inputs = {"server": {"size": CURRENT_VAL}, "tags": ["a", CURRENT_VAL], "x": {"y": {"z": CURRENT_VAL}}}

    resolved, missing = with_current(inputs, {"tags": ["a"], "x": 5})

    assert missing == [("server", "size"), ("tags", 1), ("x", "y", "z")]
    assert resolved == inputs


def test_a_required_input_without_current_value_is_reported_as_such():
    document = parse('spec:\n  image: "${Proton::CURRENT_VAL}"\n  port: x\n', "spec.yaml")

    resolved, problems = resolve(TYPE, document.value["spec"], {}, ("spec",), document)

    assert resolved == {"port": "x"}
    assert [str(problem) for problem in problems] == [
        'spec.yaml:3: spec.port: "x" is not a number.',
        "spec.yaml:2: spec.image: is required and has no current value to keep.",
    ]


def test_an_optional_input_without_current_value_gets_its_default():
    document = parse('spec:\n  image: a\n  port: "${Proton::CURRENT_VAL}"\n', "spec.yaml")

    assert resolve(TYPE, document.value["spec"], {}, ("spec",), document) == ({"image": "a"}, [])


def test_a_deeper_place_without_current_value_is_refused_once():
    document = parse('spec:\n  image: a\n  server:\n    size: "${Proton::CURRENT_VAL}"\n', "spec.yaml")

    _, problems = resolve(TYPE, document.value["spec"], {}, ("spec",), document)

    assert [str(problem) for problem in problems] == [
        "spec.yaml:4: spec.server.size: has no current value to keep. Write the value."
    ]


def test_a_current_value_that_no_longer_fits_is_reported():
    document = parse('spec:\n  image: "${Proton::CURRENT_VAL}"\n', "spec.yaml")

    _, problems = resolve(TYPE, document.value["spec"], {"image": 5}, ("spec",), document)

    assert [str(problem) for problem in problems] == ['spec.yaml:2: spec.image: 5 is not a string. Write "5".']


def test_an_edit_adds_and_removes_instances():
    found = edited("""
pipeline: {branch: "${Proton::CURRENT_VAL}"}
instances:
- {name: web, environment: prod, spec: {port: "${Proton::CURRENT_VAL}", tags: [a]}}
- {name: new, environment: test, spec: {image: y, port: "${Proton::CURRENT_VAL}"}}
""")

    assert found.added == (InstanceSpec("new", "test", {"image": "y"}),)
    assert found.added[0].at == ("instances", 1, "spec")
    assert found.removed == ("api",)
    assert found.problems == ()


def test_an_edit_changes_neither_instances_that_stay_nor_the_pipeline():
    assert messages("""
pipeline: {branch: dev}
instances:
- {name: web, environment: test, spec: {port: 81, size: 3}}
""") == [
        "spec.yaml:3: pipeline.branch: cannot change here: an edit of the service adds and removes instances.",
        "spec.yaml:5: instances[0].environment: is prod and cannot change: an instance stays in its environment.",
        "spec.yaml:5: instances[0].spec.port: cannot change here: an edit of the service adds and removes instances.",
        "spec.yaml:5: instances[0].spec.size: cannot change here: an edit of the service adds and removes instances.",
        "spec.yaml:5: instances[0].spec.tags: cannot change here: an edit of the service adds and removes instances.",
    ]


def test_an_edit_tells_true_from_one():
    before = ServiceSpec(None, (InstanceSpec("web", "prod", {"debug": True}),))

    assert messages("instances: [{name: web, environment: prod, spec: {debug: 1}}]", before) == [
        "spec.yaml:2: instances[0].spec.debug: cannot change here: an edit of the service adds and removes instances."
    ]


def test_an_edit_keeps_at_least_one_instance():
    assert messages("pipeline: {branch: main}\ninstances: []") == [
        "spec.yaml:3: instances: must keep at least one instance."
    ]


def test_a_deep_token_of_an_edit_must_stand_for_something():
    before = ServiceSpec(None, (InstanceSpec("web", "prod", {"tags": ["a"]}),))

    assert messages(
        """
instances:
- {name: web, environment: prod, spec: {tags: [a, "${Proton::CURRENT_VAL}"]}}
- {name: new, environment: prod, spec: {tags: ["${Proton::CURRENT_VAL}"]}}
""",
        before,
    ) == [
        "spec.yaml:4: instances[0].spec.tags[1]: has no current value to keep. Write the value.",
        "spec.yaml:5: instances[1].spec.tags[0]: has no current value to keep. Write the value.",
    ]
