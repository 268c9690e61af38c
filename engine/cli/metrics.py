"""`landform metrics`: what is measured, for Prometheus."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable
from importlib import metadata
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import click

from engine.cli.common import Session, pass_session
from engine.core import metrics as core
from engine.core.address import quoted
from engine.errors import LandformError, Usage

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

    from engine.catalog.measures import Measures

logger = logging.getLogger(__name__)
_SLOWEST_S = 10
"""A client that takes longer for its request is hung up on."""
_LOOPBACK = "127.0.0.1"
_PORT_MAX = 65535


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Serve them at /metrics; a PORT alone is on this machine only.")
@pass_session
def metrics(session: Session, listen: str | None) -> None:
    """Print what is measured, in the text format of Prometheus."""
    from engine.catalog import places
    from engine.catalog.measures import Measures

    found = Measures(places.named(session.settings), session.settings.plan_ttl_s)
    if listen is None:
        click.echo(exposed(found), nl=False)
        return
    with serving(found, *_place(listen)) as server:
        session.say(f"Serving metrics at http://{_spoken(server)}/metrics")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            session.say("Serving has ended.")


def exposed(found: Measures) -> str:
    """Everything that is measured, as Prometheus reads it. Raises LandformError when the catalog cannot be read."""
    from engine.app import clock

    return core.text(core.metrics(found.measured(clock(), metadata.version("landform"))))


class Server(ThreadingMixIn, WSGIServer):
    """Answers several clients at once; none of them keeps it from ending."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Takes its address, without asking anybody for this machine's name."""
        socket.socket.bind(self.socket, self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = _SLOWEST_S

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are no news."""
        logger.debug("a request: %s", format % args)


def serving(found: Measures, host: str, port: int) -> Server:
    """A server of the metrics, which listens; port 0 is any that is free. Raises LandformError when it cannot."""

    class Family(Server):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    try:
        server = Family((host, port), _Handler)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "that is no name of a host"
        hint = "Choose another address with --listen HOST:PORT."
        raise LandformError(f"Nothing can be served at {host}:{port}: {reason}.", hint=hint) from error
    server.set_app(_app(found))
    return server


def _app(found: Measures) -> WSGIApplication:
    def answer(request: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        status, text = _answer(found, request["REQUEST_METHOD"], request["PATH_INFO"])
        start(status, [("Content-Type", core.CONTENT_TYPE)])
        return [] if request["REQUEST_METHOD"] == "HEAD" else [text.encode("utf-8", "replace")]

    return answer


def _answer(found: Measures, method: str, path: str) -> tuple[str, str]:
    """Status and text."""
    if method not in ("GET", "HEAD"):
        return "405 Method Not Allowed", "Only GET is answered.\n"
    if path not in ("/metrics", "/healthz"):
        return "404 Not Found", "There is /metrics and /healthz.\n"
    try:
        text = exposed(found)
    except LandformError as error:
        logger.warning("metrics cannot be told: %s", error.message)
        return "503 Service Unavailable", f"{error.message}\n"
    return "200 OK", text if path == "/metrics" else "ok\n"


def _place(listen: str) -> tuple[str, int]:
    """Host and port. Raises Usage."""
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) <= len(str(_PORT_MAX)) and int(port) <= _PORT_MAX):
        raise Usage(f"{quoted(listen)} is not an address to listen at.", hint="It looks like 127.0.0.1:9105, or 9105.")
    return host.removeprefix("[").removesuffix("]") or _LOOPBACK, int(port)


def _spoken(server: Server) -> str:
    host = str(server.server_name)
    return f"[{host}]:{server.server_port}" if ":" in host else f"{host}:{server.server_port}"
