"""Rego in a process of its own: what comes of it, and what it cannot reach or take."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ExternalFailure
from engine.external.rego import Broken, Question, documents

HEAD = "package main\nimport rego.v1\n"


def came_to(folder: Path, text: str, given: object = None, *, strict: bool = True) -> object:
    return documents(Question({"a.rego": text}, ["main"], given or {}, strict), folder)["main"]


def test_all_rules_of_a_package_are_evaluated(tmp_path: Path) -> None:
    text = f'{HEAD}deny contains msg if {{ msg := sprintf("no %s", [input.a]) }}\nwarn contains "w" if input.b\n'

    assert came_to(tmp_path, text, {"a": "x"}) == {"deny": ["no x"], "warn": []}
    assert list(tmp_path.iterdir()) == []


def test_rego_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")

    found = came_to(tmp_path, f"{HEAD}deny contains msg if {{ msg := json.marshal(opa.runtime().env) }}")

    assert "AWS" not in str(found)
    assert "PATH" not in str(found)


def test_what_rego_prints_is_no_answer(tmp_path: Path) -> None:
    assert came_to(tmp_path, f'{HEAD}deny contains "d" if {{ print("{{}}") }}') == {"deny": ["d"]}


def test_a_function_that_fails_is_an_error_and_no_yes(tmp_path: Path) -> None:
    text = f"{HEAD}deny contains msg if {{ msg := to_number(input.a) }}"

    with pytest.raises(ExternalFailure, match="a rule fails, or calls what is not there"):
        came_to(tmp_path, text, {"a": "x"})
    assert came_to(tmp_path, text, {"a": "x"}, strict=False) == {"deny": []}


@pytest.mark.parametrize(
    "text", [f"{HEAD}x := nosuch(1)", f"{HEAD}f(x) := f(x + 1)\ndeny contains m if m := f(1)", f"{HEAD}x := 1\nx := 2"]
)
def test_rules_that_make_no_sense_are_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ExternalFailure):
        came_to(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (f"{HEAD}\ndeny contains {{", 4, "is no Rego: this is unclosed."),
        (f"{HEAD}deny contains 'x' if true", 3, "is no Rego: Invalid rule head."),
    ],
)
def test_what_is_no_rego_is_told_of_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(Broken) as error:
        came_to(tmp_path, text)

    assert (error.value.name, error.value.line, error.value.message) == ("a.rego", line, message)
