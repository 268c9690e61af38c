"""Inputs from `--set`."""

from __future__ import annotations

import pytest

from engine.core.assignments import assignments
from engine.errors import Invalid

TYPE = {
    "type": "object",
    "properties": {
        "image": {"type": "string"},
        "port": {"type": "number"},
        "debug": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "server": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "free": {},
        "choice": {"enum": ["1", "a"]},
    },
}


@pytest.mark.parametrize(
    ("pair", "inputs"),
    [
        ("image=nginx:1.21", {"image": "nginx:1.21"}),
        ("image=80", {"image": "80"}),
        ("image=true", {"image": "true"}),
        ("image=", {"image": ""}),
        ("image=a=b", {"image": "a=b"}),
        ("image={not: yaml", {"image": "{not: yaml"}),
        ("port=80", {"port": 80}),
        ("port=abc", {"port": "abc"}),
        ("port=a: b: c", {"port": "a: b: c"}),
        ("debug=true", {"debug": True}),
        ("debug=yes", {"debug": "yes"}),
        ("tags=[a, b]", {"tags": ["a", "b"]}),
        ('tags=["a"]', {"tags": ["a"]}),
        ("server={name: x, size: 3}", {"server": {"name": "x", "size": 3}}),
        ("server.name=80", {"server": {"name": "80"}}),
        ("server.size=80", {"server": {"size": 80}}),
        ('labels["app.io/x"]=80', {"labels": {"app.io/x": "80"}}),
        ("free=80", {"free": 80}),
        ("choice=1", {"choice": "1"}),
        ("unknown=80", {"unknown": "80"}),
        ("unknown.deep=80", {"unknown": {"deep": "80"}}),
    ],
)
def test_a_value_is_read_as_its_type_says(pair, inputs):
    assert assignments([pair], TYPE) == inputs


def test_parts_of_an_object_come_together():
    assert assignments(["server.name=x", "port=1", "server.size=2"], TYPE) == {
        "server": {"name": "x", "size": 2},
        "port": 1,
    }


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        (["port"], '--set: "port" is not an assignment.'),
        (["=80"], '--set: "=80" names no input.'),
        (["a b=80"], '--set: "a b" is not the name of an input.'),
        (["tags[0]=a"], "--set: tags[0]: names an item of a list."),
        (["port=80", "port=80"], "--set: port: is set twice."),
        (["server={}", "server.name=x"], "--set: server.name: is set twice: as a whole and in part."),
        (["server.name=x", "server={}"], "--set: server: is set twice: as a whole and in part."),
        (["image=\x07"], "--set: image: The character U+0007 is not allowed."),
        (["image=\udcff"], "--set: image: The character U+DCFF is not allowed."),
        (["image=" + "x" * 100_001], "--set: image: is too long."),
        (["tags=[a"], None),
        ([".".join("a" * 51) + "=1"], None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_pair_that_cannot_be_used_is_refused(pairs, problem):
    with pytest.raises(Invalid) as caught:
        assignments(pairs, TYPE)

    assert problem in (str(caught.value.problems[0]), None)


def test_all_wrong_pairs_are_reported_at_once():
    with pytest.raises(Invalid) as caught:
        assignments(["port", "image=a", "image=b"], TYPE)

    assert [str(problem) for problem in caught.value.problems] == [
        '--set: "port" is not an assignment.',
        "--set: image: is set twice.",
    ]
