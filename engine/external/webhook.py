"""The only place that sends events over HTTP: signed, to the address that was meant, and nowhere else.

Neither redirects nor proxies are followed, and nothing is sent before it is known which machine has answered: an
address in a settings file must not become a way to the secrets of the machine that Landform runs on.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from engine.core.notices import Rejected
from engine.errors import ExternalFailure

_NEVER = frozenset({400, 410, 413, 415, 422})
"""Answers of a receiver that will give them again; others mean that it is not ready, or that we may not come in yet."""
_METADATA = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"})
"""Where clouds tell a machine its secrets, beside the link-local addresses."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Post:
    """What is sent."""

    url: str = field(repr=False)
    """May have a secret in its path: only its host is ever shown."""
    body: bytes
    uid: str
    timestamp: int
    """Seconds since 1970, of this attempt."""
    secret: bytes = field(repr=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """With the signature, which is good for this body at this time."""
        return {
            "Content-Type": "application/json",
            "User-Agent": "Landform",
            "X-Landform-Event-Id": self.uid,
            "X-Landform-Timestamp": str(self.timestamp),
            "X-Landform-Signature": f"v1={signature(self.secret, self.timestamp, self.body)}",
        }


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 of `timestamp.body` under the secret, in hex."""
    return hmac.new(secret, b"%d.%s" % (timestamp, body), hashlib.sha256).hexdigest()


def post(wanted: Post, timeout_s: float) -> None:
    """Returns when the receiver has it: when it answers with 2xx in time.

    Raises Rejected when it never will, ExternalFailure when it did not this time.
    """
    host = urlsplit(wanted.url).hostname or ""
    try:
        status = _status(wanted, timeout_s)
    except TimeoutError as error:
        raise ExternalFailure(f"{host} has not answered within {timeout_s:g} seconds.") from error
    except (OSError, http.client.HTTPException) as error:
        raise ExternalFailure(f"{host} cannot be told: {reason(error)}.") from error
    if 200 <= status < 300:
        return
    also = ", and redirects are not followed" if 300 <= status < 400 else ""
    message = f"{host} answers {status}{also}."
    raise (Rejected if status in _NEVER else ExternalFailure)(message)


def reason(error: OSError | http.client.HTTPException) -> str:
    """Why nobody has answered, in a few words."""
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "verify_message", "") or error.reason or "TLS failed")
    if isinstance(error, OSError):
        return error.strerror or "it hung up without an answer"
    return "it does not speak HTTP"


def _status(wanted: Post, timeout_s: float) -> int:
    parts = urlsplit(wanted.url)
    with connected(parts.scheme, parts.hostname or "", parts.port, timeout_s) as connection:
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("POST", path, body=wanted.body, headers={"Host": parts.netloc, **wanted.headers})
        # what it says beside its status is not needed, and may be endless
        return connection.getresponse().status


@contextmanager
def connected(scheme: str, host: str, port: int | None, timeout_s: float) -> Iterator[http.client.HTTPConnection]:
    """A connection to the host, once it is known to be none of those that must not be asked; cut when time is up.

    Raises Rejected for those; TimeoutError, OSError and HTTPException when it does not answer as it should.
    """
    port = port or _PORTS[scheme]
    connection = http.client.HTTPConnection(host, port)
    with closing(socket.create_connection((host, port), timeout_s)) as plain, _cutting(plain, timeout_s):
        refuse_metadata(host, plain.getpeername()[0])
        connection.sock = _encrypted(plain, host) if scheme == "https" else plain
        with closing(connection):
            yield connection


@contextmanager
def _cutting(plain: socket.socket, timeout_s: float) -> Iterator[None]:
    """Cuts the connection when time is up, and raises TimeoutError then: a timeout of the socket alone begins anew with
    each byte that comes.
    """
    is_late = threading.Event()
    # encryption takes the first one over
    handle = plain.dup()

    def cut() -> None:
        is_late.set()
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    clock = threading.Timer(timeout_s, cut)
    clock.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        if is_late.is_set():
            raise TimeoutError from error
        raise
    finally:
        clock.cancel()
        clock.join()
        handle.close()


def _encrypted(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def refuse_metadata(host: str, peer: str) -> None:
    """Raises Rejected for the services that tell a machine its own secrets, whatever name leads there."""
    found = ipaddress.ip_address(peer.partition("%")[0])
    address = getattr(found, "ipv4_mapped", None) or found
    if address.is_link_local or address.is_unspecified or address.is_multicast or str(address) in _METADATA:
        raise Rejected(f"{host} is {address}, which nothing may be sent to.")
