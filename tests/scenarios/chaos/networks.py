"""Network namespaces whose only way out can be cut, for machines that lose sight of the catalog."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

GATEWAY = "10.213.0.1"
"""Where the namespaces find us."""
_BRIDGE = "lf-test-br"


@dataclass(frozen=True)
class Network:
    """One namespace."""

    name: str
    link: str
    """Our end of its cable."""

    @property
    def prefix(self) -> Sequence[str]:
        """What a command is started with to be in it."""
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """Nothing gets in or out; whoever waits for an answer is not told."""
        _ip("link", "set", self.link, "down")

    def mend(self) -> None:
        """All is as before."""
        _ip("link", "set", self.link, "up")


@cache
def possible() -> bool:
    """Whether this machine lets us make namespaces."""
    try:
        return subprocess.run(["unshare", "--net", "ip", "link"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def bridge() -> Iterator[None]:
    """What the cables of the namespaces are plugged into, with GATEWAY as its address."""
    _ip("link", "add", _BRIDGE, "type", "bridge")
    try:
        _ip("addr", "add", f"{GATEWAY}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        yield
    finally:
        _ip("link", "del", _BRIDGE)


@contextmanager
def network(number: int) -> Iterator[Network]:
    """A namespace with a cable to the bridge."""
    net = Network(f"lf-test-{number}", f"lf-test-v{number}")
    _ip("netns", "add", net.name)
    try:
        _ip("link", "add", net.link, "type", "veth", "peer", "name", "eth0", "netns", net.name)
        _ip("link", "set", net.link, "master", _BRIDGE, "up")
        for words in (("addr", "add", f"10.213.0.{number + 10}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            _ip("-n", net.name, *words)
        _ip("-n", net.name, "link", "set", "lo", "up")
        yield net
    finally:
        _ip("netns", "del", net.name)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
