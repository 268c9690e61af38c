"""Events over HTTP: what a receiver gets, what its answers mean, and where nothing is sent."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from engine.core.notices import Letter, Rejected
from engine.core.targets import Target, To
from engine.errors import ExternalFailure
from engine.external import sending, webhook
from engine.external.webhook import Post, post, signature

SECRET = b"0123456789abcdef"
NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
ARN = "arn:aws:proton:eu-west-1:123456789012:environment/prod"
LETTER = Letter(1, "team", 1, "af76c382", "Landform Run Status Change", ARN, {"status": "planned"}, NOW, NOW)


@dataclass
class Receiver:
    """Answers as it is told to, and remembers what it got."""

    url: str
    status: int = 204
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.status)
            self.send_header("Location", f"{found.url}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@contextmanager
def answering(act: Callable[[socket.socket], object]) -> Iterator[str]:
    """The address of somebody who does `act` with whoever comes first, until the block is over."""
    is_over = threading.Event()

    def serve() -> None:
        found, _ = listener.accept()
        with found:
            act(found)
            is_over.wait()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        is_over.set()
        thread.join()


def sent(url: str, body: bytes = b"{}") -> Post:
    return Post(url, body, "af76c382", 1777863721, SECRET)


def target(folder: Path, url: str = "", secret: str = SECRET.decode()) -> Target:
    (folder / "secret").write_text(f"{secret}\n")
    return Target("team", To.WEBHOOK, url, secret_file=str(folder / "secret"))


def test_a_receiver_can_tell_who_sent_it_and_when(receiver: Receiver, tmp_path: Path) -> None:
    sending.send(target(tmp_path, f"{receiver.url}/hook?to=ops"), LETTER)

    [(path, headers, body)] = receiver.got
    signed = hmac.new(SECRET, b"1777863721." + body, hashlib.sha256).hexdigest()
    assert path == "/hook?to=ops"
    assert headers["x-landform-signature"] == f"v1={signed}"
    assert headers["x-landform-timestamp"] == "1777863721"
    assert headers["x-landform-event-id"] == json.loads(body)["id"] == "af76c382"
    assert headers["host"] == receiver.url.removeprefix("http://")


def test_the_signature_is_what_the_guide_says() -> None:
    assert signature(b"secret", 1777863721, b"{}") == (
        "96aff1965e163012b7afbf27d6ff7378e69235a69bb94474bbcc946ef49bc292"
    )


@pytest.mark.parametrize("status", [401, 404, 408, 429, 500, 503])
def test_some_answers_mean_not_now(receiver: Receiver, status: int) -> None:
    receiver.status = status

    with pytest.raises(ExternalFailure, match=rf"^127\.0\.0\.1 answers {status}\.$") as caught:
        post(sent(receiver.url), 5)

    assert not isinstance(caught.value, Rejected)


@pytest.mark.parametrize("status", [400, 410, 413, 415, 422])
def test_some_answers_mean_never(receiver: Receiver, status: int) -> None:
    receiver.status = status

    with pytest.raises(Rejected, match=rf"^127\.0\.0\.1 answers {status}\.$"):
        post(sent(receiver.url), 5)


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.status = 307

    with pytest.raises(ExternalFailure, match=r"^127\.0\.0\.1 answers 307, and redirects are not followed\.$"):
        post(sent(receiver.url), 5)

    assert len(receiver.got) == 1


def test_somebody_who_answers_byte_by_byte_is_hung_up_on() -> None:
    def drip(found: socket.socket) -> None:
        found.sendall(b"HTTP/1.1 2")

    with (
        answering(drip) as url,
        pytest.raises(ExternalFailure, match=r"^127\.0\.0\.1 has not answered within 0\.1 seconds\.$"),
    ):
        post(sent(url), 0.1)


def test_something_else_than_http_is_said() -> None:
    with (
        answering(lambda found: found.sendall(b"SSH-2.0-OpenSSH\r\n")) as url,
        pytest.raises(ExternalFailure, match=r"^127\.0\.0\.1 cannot be told: it does not speak HTTP\.$"),
    ):
        post(sent(url), 5)


def test_encryption_that_fails_is_said() -> None:
    with (
        answering(lambda found: found.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as url,
        pytest.raises(ExternalFailure, match=r"^127\.0\.0\.1 cannot be told: WRONG_VERSION_NUMBER\.$"),
    ):
        post(sent(url.replace("http:", "https:")), 5)


def test_nobody_there_is_said_without_the_path_which_may_be_a_secret() -> None:
    with pytest.raises(ExternalFailure) as caught:
        post(sent("http://127.0.0.1:1/T0/secret"), 5)

    assert caught.value.message == "127.0.0.1 cannot be told: Connection refused."
    assert "secret" not in repr(sent("http://127.0.0.1:1/T0/secret"))


@pytest.mark.parametrize(
    "peer",
    ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1%eth0", "fd00:ec2::254", "0.0.0.0", "100.100.100.200"],
)
def test_the_services_that_tell_a_machine_its_secrets_get_nothing(peer: str) -> None:
    with pytest.raises(Rejected, match=r"^hooks\.example\.com is [0-9a-f.:]+(%eth0)?, which nothing may be sent to\.$"):
        webhook.refuse_metadata("hooks.example.com", peer)


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.7", "::1", "fd12::1", "93.184.216.34"])
def test_machines_inside_and_outside_may_be_told(peer: str) -> None:
    webhook.refuse_metadata("hooks.example.com", peer)


def test_a_short_secret_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(ExternalFailure, match=r"^The secret in .*/secret has fewer than 16 characters\.$"):
        sending.send(target(tmp_path, "http://127.0.0.1:1/", secret="hunter2"), LETTER)


def test_an_address_may_lie_in_a_file(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{receiver.url}/T0/secret\n")
    (tmp_path / "wrong").write_text("http://hooks.example.com/T0/secret\n")
    plain = target(tmp_path)

    sending.send(Target("team", To.WEBHOOK, place_file=str(tmp_path / "url"), secret_file=plain.secret_file), LETTER)
    with pytest.raises(ExternalFailure, match=r"^What is in .*/wrong must begin with https://"):
        sending.send(
            Target("team", To.WEBHOOK, place_file=str(tmp_path / "wrong"), secret_file=plain.secret_file), LETTER
        )

    assert [path for path, _, _ in receiver.got] == ["/T0/secret"]
