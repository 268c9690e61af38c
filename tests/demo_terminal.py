"""The demonstration's terminal: shows a command as a person would type it, and runs it in the demonstration's home."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent


class Unexpected(Exception):
    """Something did not go as the demonstration says; the message is for the person who watches."""


@dataclass(frozen=True)
class Demo:
    """The demonstration in one home."""

    home: Path

    @property
    def spec(self) -> Path:
        """The service's spec; also what tells a folder made by this demonstration from any other."""
        return self.home / "shop.yaml"

    @property
    def finished(self) -> Path:
        """There when everything has been shown."""
        return self.home / "finished"

    @property
    def ports(self) -> list[int]:
        """The ports that the spec asks for; [] where there is no spec."""
        return [int(port) for port in re.findall(r"port: (\d+)", self.spec.read_text())] if self.spec.exists() else []

    def type(self, line: str, *, ends: int = 0) -> None:
        """Shows a command line and runs it. Raises Unexpected when it ends otherwise than with exit code `ends`."""
        code = self.attempt(line)
        if code != ends:
            raise Unexpected(f"`{line}` ended with exit code {code}, not {ends}.")

    def attempt(self, line: str) -> int:
        """Shows a command line and runs it; its exit code."""
        say(f"\n$ {line}")
        # nobody can be asked: a plan that wants approval ends the command, as it does in a pipeline
        nobody = subprocess.DEVNULL
        return _wait(subprocess.Popen(_words(line), cwd=ROOT, env=self._environ(), stdin=nobody, stderr=sys.stdout))

    def ask(self, line: str) -> str:
        """What a command prints, without showing it. Raises Unexpected when it fails."""
        done = subprocess.run(_words(line), cwd=ROOT, env=self._environ(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unexpected(f"`{line}` ended with exit code {done.returncode}:\n{done.stderr}")
        return done.stdout

    def _environ(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        return {**ours, "LANDFORM_HOME": str(self.home)}


def say(text: str) -> None:
    """A line for the person who watches, in its place among what the commands print."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _wait(child: subprocess.Popen[bytes]) -> int:
    """The child's exit code. Ctrl-C reaches it too, and it must be let to end in order before this raises."""
    interrupted = False
    while True:
        try:
            code = child.wait()
            break
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return code


def _words(line: str) -> list[str]:
    program, *words = shlex.split(line)
    return [str(PROGRAMS / program), *words]


def _is_setting(name: str) -> bool:
    return name.startswith("LANDFORM_") and name != "LANDFORM_TERRAFORM"


def short(path: Path) -> str:
    return shlex.quote(str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path))
