"""What a demonstration may leave behind: instances, resources, ports, processes. The only place that looks for them."""

from __future__ import annotations

import json
import shlex
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

Ask = Callable[[str], str]
"""What a command line prints."""

PROC = Path("/proc")


@dataclass(frozen=True)
class Found:
    """What was there before anything was destroyed."""

    home: Path
    ports: tuple[int, ...]
    """Where its sites answered."""

    @property
    def has_catalog(self) -> bool:
        """Whether Landform was ever used in this home."""
        return (self.home / "catalog.db").exists()

    def remains(self, ask: Ask) -> list[str]:
        """A sentence for each thing that is left; [] when nothing is."""
        return [
            *(f"The catalog has {name}." for name in (_names(ask) if self.has_catalog else [])),
            *(f"{state} has {count} resources." for state, count in _states(self.home, ask) if count),
            *(f"Port {port} answers." for port in self.ports if answers(port)),
            *(f"Process {pid} runs: {words}" for pid, words in _processes(self.home)),
        ]

    def proofs(self, ask: Ask) -> list[str]:
        """What was looked at, when nothing was found."""
        states = len(list(_states(self.home, ask)))
        ports = " and ".join(map(str, self.ports))
        return [
            "No service, instance or environment is in the catalog.",
            f"No resource is in any state ({states} state files read).",
            f"Nobody answers at {ports} any more." if ports else "No site was running.",
            f"No process uses {self.home}."
            if PROC.is_dir()
            else "Processes were not looked for: there is no /proc here.",
        ]


def served(home: Path, ask: Ask) -> tuple[int, ...]:
    """The ports of all instances that said in an output where they answer."""
    if not (home / "catalog.db").exists():
        return ()
    addresses = ask("landform instance list -o name").split()
    outputs = [json.loads(ask(f"landform instance outputs {address} -o json")) for address in addresses]
    urls = [str(item["value"]) for found in outputs for item in found["items"] if item["name"] == "url"]
    return tuple(sorted(port for url in urls if (port := urlsplit(url).port)))


def answers(port: int) -> bool:
    """Whether anybody listens on this port of this machine."""
    with socket.socket() as asked:
        asked.settimeout(5)
        return asked.connect_ex(("127.0.0.1", port)) == 0


def _names(ask: Ask) -> list[str]:
    return [name for noun in ("service", "instance", "env") for name in ask(f"landform {noun} list -o name").split()]


def _states(home: Path, ask: Ask) -> Iterator[tuple[Path, int]]:
    """Every state file of an instance, encrypted or not, with the number of resources in it."""
    for path in sorted(home.rglob("*.tfstate*")):
        # in a folder .terraform, the file of that name only says where the state is
        if path.parent.name == ".terraform" or path.suffix not in (".tfstate", ".sealed"):
            continue
        sealed = path.suffix == ".sealed"
        if text := ask(f"landform keys open {shlex.quote(str(path))}") if sealed else path.read_text():
            yield path, len(json.loads(text)["resources"])


def _processes(home: Path) -> Iterator[tuple[int, str]]:
    """(process id, command line) of every process that names the home in its command line or has a file of it open."""
    ours = set(_ancestors(Path("/proc/self").resolve())) if PROC.is_dir() else set()
    for process in PROC.glob("[0-9]*"):
        if int(process.name) not in ours and (words := _words(process)) and _uses(process, words, home):
            yield int(process.name), words


def _ancestors(process: Path) -> Iterator[int]:
    """The process and those that started it: whoever runs this names the home too."""
    pid = int(process.name)
    while pid:
        yield pid
        pid = int((PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])


def _words(process: Path) -> str:
    try:
        return process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""  # it has ended, or is not ours to look at


def _uses(process: Path, words: str, home: Path) -> bool:
    return str(home) in words or any(file.is_relative_to(home) for file in _open_files(process))


def _open_files(process: Path) -> Iterator[Path]:
    try:
        for link in process.joinpath("fd").iterdir():
            yield link.readlink()
    except OSError:
        return
