"""What Terraform says when nobody listens any more gets into the log, and no secret with it."""

from __future__ import annotations

import json
from pathlib import Path

from engine.terraform.collector import Collector
from engine.worker import last_words
from engine.worker.following import watch_nothing
from engine.worker.journal import Journal

SECRET = "s3cr3t-and-long"


def line(kind: str, message: str, **members: object) -> str:
    return json.dumps({"@level": "info", "@message": message, "type": kind, **members}) + "\n"


ERRORED = line(
    "apply_errored", "a.b: errored", hook={"resource": {"addr": "a.b"}, "action": "create", "elapsed_seconds": 1}
)
TOLD = line("provision_progress", f"a.b: {SECRET}", hook={"resource": {"addr": "a.b"}, "output": SECRET})


def take(folder: Path, words: str, *, secrets_are_known: bool = True) -> str:
    """Takes the words in; what the log holds then."""
    folder.joinpath("orphan.jsonl").write_text(words)
    with Journal(folder, [SECRET] if secrets_are_known else [], watch_nothing) as journal:
        last_words.take(journal, secrets_are_known=secrets_are_known)
    return folder.joinpath("log").read_text()


def test_the_words_are_in_the_log_and_in_the_events_and_the_file_is_gone(tmp_path: Path) -> None:
    assert take(tmp_path, ERRORED) == "a.b: errored\n"
    assert tmp_path.joinpath("events.jsonl").read_text() == ERRORED
    assert not tmp_path.joinpath("orphan.jsonl").exists()


def test_a_secret_is_not_among_them(tmp_path: Path) -> None:
    assert take(tmp_path, TOLD) == "a.b: (sensitive)\n"
    assert SECRET not in tmp_path.joinpath("events.jsonl").read_text()


def test_where_the_secrets_are_not_known_only_what_became_of_resources_is_taken(tmp_path: Path) -> None:
    assert take(tmp_path, TOLD + ERRORED, secrets_are_known=False) == "a.b: errored\n"


def test_the_rest_of_a_line_that_was_begun_before_is_left_out(tmp_path: Path) -> None:
    assert take(tmp_path, f'{SECRET[5:]}"}}\n{ERRORED}') == "a.b: errored\n"


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    assert take(tmp_path, ERRORED + TOLD[: TOLD.index(SECRET) + 5]) == "a.b: errored\n"


def test_without_any_nothing_happens(tmp_path: Path) -> None:
    with Journal(tmp_path, [], watch_nothing) as journal:
        last_words.take(journal, secrets_are_known=True)

    assert tmp_path.joinpath("log").read_text() == ""


def test_what_was_taken_down_before_the_kill_is_not_taken_down_twice(tmp_path: Path) -> None:
    with Journal(tmp_path, [SECRET], watch_nothing) as journal:
        journal.line("apply", TOLD.rstrip(), Collector())

    assert take(tmp_path, TOLD + ERRORED).splitlines() == ["a.b: (sensitive)", "a.b: errored"]
