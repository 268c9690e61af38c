"""The web server of one instance: `start`, `stop` and `remove` it, and `run`, which is the server itself."""

from __future__ import annotations

import errno
import http.client
import io
import os
import socket
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import daemon

PUBLIC_FOLDER = "public"
HEALTH_PATH = "/healthz"
STDERR = 2
EVERYWHERE = "0.0.0.0"


class Handler(SimpleHTTPRequestHandler):
    """Files of the public folder, and the health of the server."""

    timeout = 30

    def send_head(self) -> BinaryIO | None:
        if not self._asks_for_health():
            return super().send_head()
        body = b"ok\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)

    def list_directory(self, path: object) -> None:
        self.send_error(404)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        if not self._asks_for_health():
            daemon.shorten(STDERR)
            super().log_message(format, *args)

    def _asks_for_health(self) -> bool:
        # a request that cannot be parsed has no path
        return getattr(self, "path", "").partition("?")[0] == HEALTH_PATH


class Server(ThreadingHTTPServer):
    """A server on a socket that listens already, for as long as its pid file is there."""

    daemon_threads = True

    def __init__(self, folder: Path, listener: int, lock: int) -> None:
        handler = partial(Handler, directory=str(folder / PUBLIC_FOLDER))
        super().__init__(("", 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=listener)
        self.pid_file = folder / daemon.PID_FILE
        self.lock = lock

    def service_actions(self) -> None:
        if not daemon.wanted(self.pid_file, self.lock):
            sys.exit(0)


def start(place: daemon.Place) -> None:
    """Starts the server on SITE_HOST and SITE_PORT and returns when it answers."""
    host, port = os.environ["SITE_HOST"], int(os.environ["SITE_PORT"])
    daemon.claim(place)
    daemon.stop(place)
    with _listener(host, port) as listener:
        script = [os.path.abspath(__file__), "run", str(place.folder), str(listener.fileno())]
        process = daemon.start(place, script, keep=[listener.fileno()])
    daemon.wait_until_ready(place, process, lambda: _answers(host, port))
    print(f"Process {process.pid} answers on {host}:{port}.")


def run(folder: str, listener: str, lock: str) -> None:
    """Serves until it is ended."""
    server = Server(Path(folder), int(listener), int(lock))
    daemon.record(int(lock))
    server.serve_forever()


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise daemon.Refused(f"Port {port} is taken by another program. Choose another port.") from None
        raise daemon.Refused(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
    return listener


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1" if host == EVERYWHERE else host, port, timeout=2)
    try:
        connection.request("GET", HEALTH_PATH)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(*sys.argv[2:])
    else:
        daemon.main({"start": start, "stop": daemon.stop, "remove": daemon.remove})
