"""Idempotency keys: what is the same wish, what is not, and the keys that a pipeline's variables make."""

from __future__ import annotations

import pytest

from engine.core.asked import Asked, check_key, digest_of, from_ci
from engine.errors import Conflict, Usage

WISH = Asked("k", "landform instance update", {"ADDRESS": digest_of("orders/prod"), "--set": digest_of(["port=81"])})
GITHUB = {"GITHUB_RUN_ID": "77", "GITHUB_JOB": "apply", "GITHUB_ACTION": "__run_2", "GITHUB_RUN_ATTEMPT": "1"}
GITLAB = {"CI_PIPELINE_ID": "12", "CI_JOB_NAME": "apply 1/2", "CI_JOB_ID": "4711"}


def other(**changed: object) -> Asked:
    parts = {**WISH.parts, **{f"--{name}": digest_of(value) for name, value in changed.items()}}
    return Asked("k", WISH.command, parts)


def test_the_same_wish_is_taken_for_the_same() -> None:
    again = Asked("k", WISH.command, dict(reversed(WISH.parts.items())))

    again.refuse_other(WISH.digest)

    assert again.digest == WISH.digest


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (other(set=["port=82"]), "The idempotency key 'k' was used before with another --set."),
        (
            other(set=["port=82"], reason="why"),
            "The idempotency key 'k' was used before with another --reason and --set.",
        ),
        (Asked("k", "landform env delete"), "The idempotency key 'k' was used for landform instance update before."),
    ],
)
def test_another_wish_under_the_same_key_is_refused_with_what_differs(asked: Asked, message: str) -> None:
    with pytest.raises(Conflict) as caught:
        asked.refuse_other(WISH.digest)

    assert caught.value.message == message


def test_what_was_given_is_not_kept_in_the_clear() -> None:
    assert "81" not in digest_of(["port=81"])
    assert WISH.digest == (
        '{"command":"landform instance update","parts":'
        f'{{"--set":"{digest_of(["port=81"])}","ADDRESS":"{digest_of("orders/prod")}"}}}}'
    )


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\x1bb"])
def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    with pytest.raises(Usage, match="1 to 200 printable characters"):
        check_key(key)


@pytest.mark.parametrize("key", ["x", "x" * 200, "deploy 42 é"])
def test_a_key_has_printable_characters(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize(("environ", "source"), [(GITHUB, "github/77/"), (GITLAB, "gitlab/12/")])
def test_a_pipeline_names_a_wish(environ: dict[str, str], source: str) -> None:
    found = from_ci(WISH, environ)

    assert found is not None
    assert found.key.startswith(source)
    assert (found.command, found.parts) == (WISH.command, WISH.parts)


def test_a_job_that_is_started_again_asks_for_the_same() -> None:
    assert from_ci(WISH, GITHUB) == from_ci(WISH, {**GITHUB, "GITHUB_RUN_ATTEMPT": "2"})
    assert from_ci(WISH, GITLAB) == from_ci(WISH, {**GITLAB, "CI_JOB_ID": "4712"})


@pytest.mark.parametrize("name", ["GITHUB_RUN_ID", "GITHUB_JOB", "GITHUB_ACTION"])
def test_another_step_asks_for_something_else(name: str) -> None:
    assert from_ci(WISH, GITHUB) != from_ci(WISH, {**GITHUB, name: "other"})


def test_a_step_may_ask_for_several_things() -> None:
    first, second = from_ci(WISH, GITHUB), from_ci(other(set=["port=82"]), GITHUB)

    assert first is not None
    assert second is not None
    assert first.key != second.key


def test_there_is_no_key_where_a_variable_is_missing() -> None:
    assert from_ci(WISH, {**GITHUB, "GITHUB_ACTION": ""}) is None
    assert from_ci(WISH, {}) is None
