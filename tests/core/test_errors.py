"""What a pipeline sees of an error, and what a person reads."""

from __future__ import annotations

import copy
import pickle

import pytest

from engine.errors import (
    Busy,
    Cancelled,
    Conflict,
    ExternalFailure,
    Invalid,
    LandformError,
    NotFound,
    OutcomeUnknown,
    Problem,
    Refused,
    Severity,
    Stale,
    TimedOut,
    Usage,
    Waiting,
)

EXIT_CODES = {
    LandformError: 1,
    Invalid: 1,
    ExternalFailure: 1,
    Waiting: 3,
    Refused: 4,
    Stale: 5,
    Busy: 6,
    Cancelled: 7,
    NotFound: 8,
    Conflict: 9,
    OutcomeUnknown: 10,
    Usage: 64,
    TimedOut: 124,
}


@pytest.mark.parametrize(("category", "code"), EXIT_CODES.items(), ids=lambda value: getattr(value, "__name__", value))
def test_each_category_ends_with_its_own_exit_code(category: type[LandformError], code: int) -> None:
    assert category("No.").exit_code == code


def test_every_category_has_a_row_in_the_table_above() -> None:
    assert {LandformError, *LandformError.__subclasses__()} == EXIT_CODES.keys()


def test_an_error_reads_as_its_message_and_keeps_its_hint_apart() -> None:
    error = Conflict("Environment prod exists already.", hint="Choose another name.")

    assert (str(error), error.message, error.hint) == (
        "Environment prod exists already.",
        "Environment prod exists already.",
        "Choose another name.",
    )


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (
            Problem("spec.yaml", 12, "instances[0].spec.port", "Too high."),
            "spec.yaml:12: instances[0].spec.port: Too high.",
        ),
        (Problem("spec.yaml", 12, "", "Not YAML."), "spec.yaml:12: Not YAML."),
        (Problem("spec.yaml", 0, "", "Is empty."), "spec.yaml: Is empty."),
        (Problem("--set", 0, "port", "Too high."), "--set: port: Too high."),
        (Problem("", 3, "port", "Too high."), "port: Too high."),
        (Problem("", 0, "", "Nothing given."), "Nothing given."),
    ],
)
def test_a_problem_reads_as_place_field_and_message(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_a_problem_is_an_error_without_rule_or_hint_unless_it_says_so() -> None:
    problem = Problem("spec.yaml", 1, "", "No.")

    assert (problem.severity, problem.rule, problem.hint) == (Severity.ERROR, "", "")


def test_problems_sort_by_file_then_line_by_number() -> None:
    ninth, tenth, other = Problem("b", 9, "", ""), Problem("b", 10, "", ""), Problem("a", 99, "", "")

    assert sorted([tenth, ninth, other]) == [other, ninth, tenth]


def test_bad_input_lists_all_its_problems() -> None:
    error = Invalid("The spec does not fit:", problems=(Problem("s", n, "", f"Problem {n}.") for n in (1, 2, 3)))

    assert str(error) == "The spec does not fit:\ns:1: Problem 1.\ns:2: Problem 2.\ns:3: Problem 3."
    assert len(error.problems) == 3


def test_bad_input_without_problems_reads_as_its_message() -> None:
    assert str(Invalid("'x' is not a version.")) == "'x' is not a version."


@pytest.mark.parametrize("twin", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_an_error_survives_the_way_from_one_process_to_another(twin) -> None:
    error = Invalid("No.", hint="Yes.", problems=[Problem("s", 1, "f", "m")])

    assert vars(twin(error)) == vars(error)
