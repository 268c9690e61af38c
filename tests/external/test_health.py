"""Whether an instance is well: asked of real programs, and of a real server on a loopback address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from engine.core.campaigns import Health
from engine.errors import Cancelled
from engine.external import health
from engine.external.health import Pace
from engine.external.stop import Stop

AT_ONCE = Pace(first_s=0.01, longest_s=0.01)


@dataclass
class Instance:
    """Answers with one status after the other, the last one again and again."""

    host: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    asked: list[str] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, object]:
        outputs = {
            "host": {"sensitive": False, "value": self.host},
            "password": {"sensitive": True, "fingerprint": "x"},
        }
        return {"address": "service/orders/prod", "run": 7, "outputs": outputs}


@pytest.fixture
def instance() -> Iterator[Instance]:
    found = Instance()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.send_response(found.statuses.pop(0) if len(found.statuses) > 1 else found.statuses[0])
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        found.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def program(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "check"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return (str(path),)


def test_an_instance_that_is_not_asked_is_well() -> None:
    assert health.ask(Health(), Instance().facts) == ""


def test_an_address_that_answers_with_a_success_says_yes(instance: Instance) -> None:
    assert health.ask(Health(url="http://{host}/health"), instance.facts) == ""
    assert instance.asked == ["/health"]


def test_an_address_is_asked_again_until_it_says_yes(instance: Instance) -> None:
    instance.statuses = [503, 503, 204]

    assert health.ask(Health(url="http://{host}"), instance.facts, pace=AT_ONCE) == ""
    assert instance.asked == ["/", "/", "/"]


def test_an_address_that_never_says_yes_is_asked_until_time_is_up(instance: Instance) -> None:
    instance.statuses = [503]

    why = health.ask(Health(url="http://{host}/health?key=abc", timeout_s=0.1), instance.facts, pace=AT_ONCE)

    assert why.startswith(f"http://{instance.host}/health answers 503 (asked ")
    assert "abc" not in why


def test_redirects_are_not_followed(instance: Instance) -> None:
    instance.statuses = [302]

    why = health.ask(Health(url="http://{host}/", timeout_s=0.5), instance.facts, pace=Pace(first_s=1))

    assert why == f"http://{instance.host}/ answers 302, and redirects are not followed"


def test_a_sensitive_output_is_never_sent(instance: Instance) -> None:
    why = health.ask(Health(url="http://{host}/{password}"), instance.facts)

    assert why == "output password is sensitive: a health check may not use it"
    assert instance.asked == []


def test_a_host_that_does_not_listen_says_no() -> None:
    facts = {"address": "service/orders/prod", "run": 7, "outputs": None}

    why = health.ask(Health(url="http://127.0.0.1:1/", timeout_s=0.5), facts, pace=Pace(first_s=1))

    assert why == "127.0.0.1 does not answer: Connection refused"


def test_a_program_gets_what_is_known_and_nothing_that_is_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    command = program(tmp_path, f"env > {tmp_path}/env\ncat > {tmp_path}/stdin")
    facts = Instance("orders.internal").facts

    assert health.ask(Health(command), facts) == ""

    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"HOME", "PATH", "LANDFORM_ADDRESS", "LANDFORM_RUN"}
    assert json.loads((tmp_path / "stdin").read_text()) == {
        "address": "service/orders/prod",
        "run": 7,
        "outputs": {"host": "orders.internal"},
    }


def test_a_program_that_says_no_is_quoted_with_its_last_lines(tmp_path: Path) -> None:
    command = program(tmp_path, 'for n in 1 2 3 4; do printf "\\033[31mline $n\\n"; done; exit 3')

    why = health.ask(Health(command, timeout_s=0.5), Instance().facts, pace=Pace(first_s=1))

    assert why == f"{command[0]} ended with exit code 3: line 2 / line 3 / line 4"


def test_a_program_that_does_not_end_is_ended_when_time_is_up(tmp_path: Path) -> None:
    command = program(tmp_path, "echo waiting; exec sleep 600")

    why = health.ask(Health(command, timeout_s=0.3), Instance().facts, pace=AT_ONCE)

    assert why == f"{command[0]} did not end within 0 seconds: waiting"


def test_a_program_that_is_not_there_is_not_asked_again() -> None:
    why = health.ask(Health(("/nowhere/check",)), Instance().facts)

    assert why == "/nowhere/check cannot be started in /: No such file or directory"


def test_the_address_is_asked_only_after_the_program_has_said_yes(tmp_path: Path, instance: Instance) -> None:
    asked = Health(program(tmp_path, "exit 1"), "http://{host}/", 0.1)

    assert "exit code 1" in health.ask(asked, instance.facts, pace=Pace(first_s=1))
    assert instance.asked == []


def test_a_stop_leaves_open_whether_it_is_well(tmp_path: Path) -> None:
    stop = Stop()
    command = program(tmp_path, "exit 1")
    threading.Timer(0.2, stop.request).start()

    with pytest.raises(Cancelled):
        health.ask(Health(command, timeout_s=600), Instance().facts, stop, Pace(first_s=500))
