"""What is logged: about which run, in which form, and never with a secret or with what a terminal would obey."""

from __future__ import annotations

import gc
import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import logs, settings
from engine.errors import ExternalFailure
from engine.settings import Settings
from engine.worker.following import watch_nothing
from engine.worker.journal import Journal
from engine.worker.redaction import Redaction

logger = logging.getLogger("engine.worker.somewhere")
CONTROLS = (*range(9), *range(11, 32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
OBEYED = set(map(chr, CONTROLS))
"""Characters that steer a terminal, or turn around what it shows."""


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where lines go once logging is configured."""
    yield io.StringIO()
    logs.reset()


def chosen(log_format: str = "json", level: str = "INFO") -> Settings:
    return replace(settings.load({}, Path("/")), log_format=log_format, log_level=level)


def said(stream: io.StringIO) -> dict[str, str]:
    """The one line that was logged, as JSON, without its time."""
    [line] = stream.getvalue().splitlines()
    found: dict[str, str] = json.loads(line)
    assert found.pop("time").endswith("Z")
    return found


def test_a_line_of_json_says_who_what_and_about_what(stream: io.StringIO) -> None:
    logs.configure(chosen(), stream)

    logger.warning("it took %s seconds", 3, extra={"run": 42, "address": "service/shop/blue"})

    assert said(stream) == {
        "level": "WARNING",
        "logger": "engine.worker.somewhere",
        "message": "it took 3 seconds",
        "run": "42",
        "address": "service/shop/blue",
    }


def test_a_line_of_text_says_the_same(stream: io.StringIO) -> None:
    logs.configure(chosen("text"), stream)

    logger.warning("it took %s seconds", 3, extra={"run": 42, "pgid": 7})

    assert stream.getvalue()[24:] == " WARNING engine.worker.somewhere: it took 3 seconds run=42 pgid=7\n"


def test_what_is_bound_is_in_every_line_inside(stream: io.StringIO) -> None:
    logs.configure(chosen(), stream)

    with logs.bound(run=42, worker=1, address=None), logs.bound(phase="plan"):
        logger.info("here")

    assert said(stream) == {
        "level": "INFO",
        "logger": "engine.worker.somewhere",
        "message": "here",
        "run": "42",
        "worker": "1",
        "phase": "plan",
    }


def test_what_was_bound_is_forgotten_outside(stream: io.StringIO) -> None:
    logs.configure(chosen(), stream)

    with logs.bound(run=42):
        pass
    logger.info("later")

    assert "run" not in said(stream)


def test_what_one_thread_binds_is_not_in_the_lines_of_another(stream: io.StringIO) -> None:
    logs.configure(chosen(), stream)

    with logs.bound(run=42):
        thread = threading.Thread(target=logger.info, args=("elsewhere",))
        thread.start()
        thread.join()

    assert "run" not in said(stream)


def test_what_a_line_names_itself_goes_first(stream: io.StringIO) -> None:
    logs.configure(chosen(), stream)

    with logs.bound(run=42):
        logger.info("about another", extra={"run": 7})

    assert said(stream)["run"] == "7"


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    logs.configure(chosen(level="ERROR"), stream)

    logger.warning("not so bad")

    assert stream.getvalue() == ""


def test_other_libraries_are_heard_from_warnings_on(stream: io.StringIO) -> None:
    logs.configure(chosen(level="DEBUG"), stream)

    logging.getLogger("python_terraform").info("variables: hunter2")
    logging.getLogger("other").warning("careful")

    assert said(stream)["message"] == "careful"


def test_to_configure_again_replaces_what_was(stream: io.StringIO) -> None:
    logs.configure(chosen("text"), stream)
    logs.configure(chosen(), stream)

    logger.warning("once")

    assert said(stream)["message"] == "once"


def test_as_a_library_nothing_is_configured(caplog: pytest.LogCaptureFixture) -> None:
    logs.reset()

    with logs.bound(run=42), caplog.at_level(logging.INFO, "engine"):
        logger.info("for whoever embeds us", extra={"address": "environment/dev"})

    ours = [handler for handler in logging.getLogger().handlers if type(handler).__module__.startswith("engine")]
    assert (ours, logging.getLogger("engine").handlers) == ([], [])
    assert caplog.messages == ["for whoever embeds us"]


def test_an_error_is_told_with_its_traceback(stream: io.StringIO) -> None:
    logs.configure(chosen(), stream)

    try:
        raise ValueError("no such thing")
    except ValueError:
        logger.exception("a run met an unexpected error")

    found = said(stream)
    assert found["exception"].startswith("Traceback (most recent call last):\n")
    assert found["exception"].endswith("\nValueError: no such thing")


def test_a_secret_is_in_no_part_of_a_line(stream: io.StringIO) -> None:
    logs.configure(chosen(), stream)

    with logs.bound(run=42):
        with logs.bound(phase="plan"):
            logs.hide(Redaction(["hunter2-hunter2"]).text)
        try:
            raise ValueError("it is hunter2-hunter2")
        except ValueError:
            logger.exception("it was %s", "hunter2-hunter2", extra={"found": ["hunter2-hunter2"]})

    found = said(stream)
    assert (found["message"], found["found"]) == ("it was (sensitive)", "['(sensitive)']")
    assert "hunter2" not in stream.getvalue()


def test_a_secret_of_a_run_is_in_no_line_of_another_thread(stream: io.StringIO) -> None:
    logs.configure(chosen(), stream)

    with logs.bound(run=42):
        logs.hide(Redaction(["hunter2-hunter2"]).text)
        thread = threading.Thread(target=logger.info, args=("it is hunter2-hunter2",))
        thread.start()
        thread.join()

    assert said(stream)["message"] == "it is (sensitive)"


def test_a_mistake_in_a_sentence_costs_neither_the_line_nor_what_it_was_to_be_filled_with(stream: io.StringIO) -> None:
    logs.configure(chosen(), stream)

    wrong = {"levelname": "INFO", "name": "engine", "msg": "it took %d seconds", "args": ("hunter2",)}
    logging.getLogger().handlers[-1].emit(logging.makeLogRecord(wrong))

    assert said(stream)["message"] == "it took %d seconds"


def test_a_stream_that_is_closed_stops_nothing(capsys: pytest.CaptureFixture[str], stream: io.StringIO) -> None:
    logs.configure(chosen(), stream)
    stream.close()

    logger.warning("to nobody")

    assert capsys.readouterr().err == ""
    logs.reset()


def test_what_has_more_lines_cannot_pass_for_another_record(stream: io.StringIO) -> None:
    logs.configure(chosen("text"), stream)

    logger.warning("said\n2026-01-01T00:00:00.000Z ERROR engine: forged")

    assert stream.getvalue().splitlines()[1] == "    2026-01-01T00:00:00.000Z ERROR engine: forged"


@given(st.text(), st.text(), st.sampled_from(["text", "json"]))
def test_no_line_holds_what_a_terminal_would_obey(message: str, address: str, log_format: str) -> None:
    stream = io.StringIO()
    logs.configure(chosen(log_format), stream)

    logger.warning(message, extra={"address": address})
    logs.reset()

    shown = stream.getvalue()
    assert set(shown) & OBEYED == set()
    assert all(line.startswith("    ") for line in shown.split("\n")[1:] if line)


@given(st.text(), st.text())
def test_every_record_is_one_line_of_json(message: str, address: str) -> None:
    stream = io.StringIO()
    logs.configure(chosen(), stream)

    logger.warning(message, extra={"address": address})
    logs.reset()

    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["level"] == "WARNING"


def test_a_journal_that_cannot_be_opened_leaves_later_lines_alone(stream: io.StringIO, tmp_path: Path) -> None:
    @contextmanager
    def refused(_hide: object) -> Iterator[None]:
        raise ExternalFailure("AWS gives no credentials.")
        yield

    logs.configure(chosen(), stream)
    with logs.bound(run=1), suppress(ExternalFailure), Journal(tmp_path, [], watch_nothing, kept=refused):
        pass

    # a context that nobody has left ends when Python finds it, and puts back what was before it
    gc.collect()
    logger.info("later")

    assert said(stream) == {"level": "INFO", "logger": logger.name, "message": "later"}
