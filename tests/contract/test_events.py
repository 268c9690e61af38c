"""What is made of Terraform's JSON stream, whatever is in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.plans import Action, Change, OutputChange, Summary
from engine.errors import Problem, Severity
from engine.external.lines import LIMIT, Lines, clean
from engine.terraform import events
from engine.terraform.collector import Collector
from engine.terraform.events import (
    ApplyComplete,
    ChangeSummary,
    Diagnostic,
    Drift,
    Message,
    Outputs,
    PlannedChange,
    parse,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
MEMBERS = ("change", "hook", "diagnostic", "outputs", "changes", "resource", "action", "addr", "range", "start", "line")


def line(kind: str, message: str = "", **members: object) -> str:
    return json.dumps({"type": kind, "@message": message, "@level": "info", **members})


def planned(address: str, action: str, **members: object) -> str:
    return line("planned_change", change={"resource": {"addr": address}, "action": action, **members})


def hook(kind: str, address: str, action: str = "create") -> str:
    return line(kind, hook={"resource": {"addr": address}, "action": action, "elapsed_seconds": 3})


@given(st.text())
def test_any_text_is_an_event(text: str) -> None:
    assert isinstance(parse(text), events.Event)


@given(st.sampled_from([*sorted(events._READERS), "diagnostic"]), st.dictionaries(st.sampled_from(MEMBERS), JSON))
def test_any_tree_is_an_event(kind: str, members: dict[str, object]) -> None:
    nested = {name: {**members, "resource": members, "range": members} for name in MEMBERS}

    assert isinstance(parse(line(kind, **members)), events.Event)
    assert isinstance(Collector().feed(line(kind, **nested)), events.Event)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"a": NaN}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"a": "\\ud800"}',
        '{"a": 1' + "0" * 5000 + "}",
    ],
)
def test_a_line_that_is_no_json_object_is_a_message(text: str) -> None:
    assert parse(text) == Message(text)


def test_a_type_that_is_not_known_is_a_message() -> None:
    assert parse(line("of_tomorrow", "Hello")) == Message("Hello", "of_tomorrow", "info")


def test_texts_lose_what_could_steer_a_terminal() -> None:
    heard = parse(line("log", "\x1b]0;title\x07\x1b[31mred\x1b[0m\x9b1m \u202edesrever\x00\ttab\nnew"))

    assert heard.text == "red desrever\ttab\nnew"


def test_a_planned_change_keeps_its_reason() -> None:
    heard = parse(planned("terraform_data.a", "replace", reason="tainted"))

    assert heard == PlannedChange("", Change("terraform_data.a", Action.REPLACE, "tainted"))


def test_a_planned_action_of_a_later_terraform_counts_as_destructive() -> None:
    collector = Collector()

    collector.feed(planned("terraform_data.a", "evaporate"))

    assert collector.summary.destructive == (Change("terraform_data.a", Action.REPLACE, "evaporate"),)


def test_the_summary_of_a_plan_has_changes_drift_and_changed_outputs() -> None:
    stream = [
        line("resource_drift", "gone", change={"resource": {"addr": "terraform_data.b"}, "action": "delete"}),
        planned("terraform_data.a", "create"),
        planned("terraform_data.c", "noop"),
        line(
            "outputs",
            outputs={"x": {"sensitive": False, "action": "noop"}, "y": {"sensitive": True, "action": "delete"}},
        ),
    ]

    assert events.summary(map(parse, stream)) == Summary(
        changes=(Change("terraform_data.a", Action.CREATE),),
        outputs=(OutputChange("y", "delete", True),),
        drift=(Change("terraform_data.b", Action.DELETE),),
    )
    assert parse(stream[0]) == Drift("gone", Change("terraform_data.b", Action.DELETE))


def test_the_outputs_of_an_apply_are_no_changes() -> None:
    collector = Collector()

    collector.feed(line("outputs", outputs={"x": {"sensitive": False, "type": "string", "value": "\x1b[1m"}}))

    assert collector.summary.is_empty
    assert collector.outputs == {"x": {"type": "string", "value": "\x1b[1m", "sensitive": False}}


def test_an_output_that_does_not_say_so_counts_as_sensitive() -> None:
    assert parse(line("outputs", outputs={"x": {"type": "string"}, "y": 3})) == Outputs(
        "", {"x": {"type": "string", "sensitive": True}, "y": {"sensitive": True}}
    )


def test_the_counts_of_an_apply_are_read() -> None:
    said = line("change_summary", "Apply complete!", changes={"add": 1, "change": 2, "remove": 3, "operation": "apply"})

    assert parse(said) == ChangeSummary("Apply complete!", "apply", 1, 2, 3)


@pytest.mark.parametrize(
    ("offset", "seen"), [({}, 14), ({"main.tf": 9}, 5), ({"main.tf": 20}, 0), ({"other.tf": 9}, 14)]
)
def test_a_diagnostic_names_the_line_of_the_bundle(offset: dict[str, int], seen: int) -> None:
    where = {"filename": "main.tf", "start": {"line": 14, "column": 1}}
    said = {"severity": "error", "summary": "Bad", "detail": "Why", "address": "terraform_data.a", "range": where}

    heard = parse(line("diagnostic", "Error: Bad", diagnostic=said), offset)

    assert heard == Diagnostic("Error: Bad", Severity.ERROR, "Bad", "Why", "terraform_data.a", "main.tf", seen)
    assert isinstance(heard, Diagnostic)
    assert heard.problem() == Problem("main.tf", seen, "terraform_data.a", "Bad: Why", "terraform", Severity.ERROR)


def test_a_diagnostic_is_kept_once() -> None:
    collector = Collector()
    halted = line("diagnostic", diagnostic={"severity": "warning", "summary": "halted", "detail": ""})

    collector.feed(halted)
    collector.feed(halted)

    assert collector.diagnostics == (Diagnostic("", Severity.WARNING, "halted", "", "", "", 0),)


def test_what_an_apply_has_begun_finished_and_failed_is_known() -> None:
    collector = Collector()
    for said in (
        hook("apply_start", "replaced", "delete"),
        hook("apply_complete", "replaced", "delete"),
        hook("apply_start", "replaced"),
        hook("apply_start", "made"),
        hook("apply_start", "broken"),
        hook("apply_progress", "broken"),
        hook("apply_complete", "made"),
        hook("apply_errored", "broken"),
    ):
        collector.feed(said)

    assert (collector.finished, collector.unfinished, collector.failed) == (("made",), ("replaced",), ("broken",))
    assert parse(hook("apply_complete", "made")) == ApplyComplete("", "made", "create", 3)


@pytest.mark.parametrize("letter", ["x", "\u20ac", "\U0001f600"])
def test_a_line_that_was_cut_is_noticed(letter: str) -> None:
    collector, lines = Collector(), Lines()
    long = line("outputs", outputs={"x": {"value": "short"}})
    huge = json.dumps({"type": "outputs", "outputs": {"x": {"value": letter * LIMIT}}}, ensure_ascii=False)

    for cut in lines.feed(f"{long}\n{huge}\n{long}\n".encode()):
        collector.feed(cut)

    assert collector.is_complete is False
    assert collector.outputs["x"]["value"] == "short"


def test_a_long_line_that_fits_is_no_loss() -> None:
    collector = Collector()

    collector.feed(line("outputs", outputs={"x": {"value": "x" * (LIMIT - 200)}}))

    assert collector.is_complete is True


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_lines_are_the_same_however_the_bytes_arrive(chunks: list[bytes]) -> None:
    whole, pieces = Lines(), Lines()

    together = whole.feed(b"".join(chunks)) + whole.rest()
    apart = [text for chunk in chunks for text in pieces.feed(chunk)] + pieces.rest()

    assert apart == together


@given(st.text(alphabet=st.characters()) | st.text(alphabet="\x1b[]0;m\x07\\\x9b\u202e\ud800a\n"))
def test_clean_text_has_no_controls_and_can_be_stored(text: str) -> None:
    cleaned = clean(text)

    assert not any(ord(letter) < 32 and letter not in "\t\n" for letter in cleaned)
    assert cleaned.encode().decode() == cleaned
    assert clean(cleaned) == cleaned
