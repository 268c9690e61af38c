"""AWS's Security Token Service for tests: answers what it is told to, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
_ANSWER = """\
<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>
<AccessKeyId>ASIA{number:016}</AccessKeyId><SecretAccessKey>secret-{number}</SecretAccessKey>
<SessionToken>token-{number}</SessionToken><Expiration>{ends}</Expiration>
</Credentials></{action}Result></{action}Response>"""
_REFUSAL = """\
<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"""


@dataclass
class Sts:
    """The service. Its sessions end as long after its own time as was asked for."""

    endpoint: str = ""
    now: datetime = BEGIN
    refusal: tuple[str, str] | None = None
    """Code and message of what it says to everybody; None: it gives credentials."""
    closed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """ARN of a role -> code and message of what it says to who asks for that one."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """The parameters of each question, in order."""
    asked_by: list[str] = field(default_factory=list)
    """The access key that signed each question; "" for none."""

    def answer(self, asked: dict[str, str], by: str) -> tuple[int, str]:
        self.asked.append(asked)
        self.asked_by.append(by)
        if refusal := self.refusal or self.closed.get(asked["RoleArn"]):
            return 403, _REFUSAL.format(*refusal)
        ends = self.now + timedelta(seconds=int(asked["DurationSeconds"]))
        text = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
        return 200, _ANSWER.format(action=asked["Action"], number=len(self.asked), ends=text)


@contextmanager
def sts() -> Iterator[Sts]:
    """The service, as long as the block runs."""
    service = Sts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            signed = self.headers.get("Authorization", "").partition("Credential=")[2]
            status, text = service.answer(
                {name: value for name, (value,) in parse_qs(body).items()}, signed.partition("/")[0]
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield service
        finally:
            server.shutdown()
