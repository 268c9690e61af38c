"""What running processes cost, as Linux counts it: CPU time and memory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> tuple[float, float]:
    """CPU seconds of a process, and of its children that have ended; 0 when it is gone."""
    fields = _stat(pid)
    own, children = fields[11:13], fields[13:15]
    return sum(map(int, own)) / _TICKS, sum(map(int, children)) / _TICKS


def below(pid: int) -> list[int]:
    """The processes that descend from it."""
    parents = {int(each.name): int(_stat(int(each.name))[1]) for each in Path("/proc").glob("[0-9]*")}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def is_guard(pid: int) -> bool:
    """Whether it belongs to the guard of a Terraform, and not to the Terraform."""
    return _line(int(_stat(pid)[3])).split("\0")[3:4] == ["guard"]


def memory_mb(pids: Iterable[int]) -> tuple[float, float]:
    """Megabytes that these processes hold: RSS, and PSS, which counts what is shared by n for an n-th."""
    rss = pss = 0
    for pid in pids:
        sizes = dict(line.split()[:2] for line in _text(pid, "smaps_rollup").splitlines()[1:])
        rss += int(sizes.get("Rss:", 0))
        pss += int(sizes.get("Pss:", 0))
    return rss / 1024, pss / 1024


def _stat(pid: int) -> list[str]:
    """The fields behind the name: state, parent, group, session, ..."""
    return (_text(pid, "stat").rpartition(")")[2] or "X" + " 0" * 20).split()


def _line(pid: int) -> str:
    return _text(pid, "cmdline")


def _text(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""
