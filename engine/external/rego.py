"""Policies in Rego, evaluated in a process of their own: without network, files or environment, and not for long."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from engine.errors import ExternalFailure, Invalid
from engine.external import launch, rego_child
from engine.external.launch import Late, TooMuch

SECONDS = 60
"""Longer than any reasonable policy takes, of CPU as of time."""
_ANSWER_BYTES_MAX = 8 << 20
_MESSAGE = re.compile(r"\(errormsg \d+:(.*?)\)\s*(?:\(|$)", re.DOTALL)
_PLACE = re.compile(r"\(error \d+:([^|]*)\|(\d+)\|")
_LOOP = "A function that calls itself without end does that."
_EXTRA = "pip install 'landform[rego]'"


class Broken(Invalid):
    """A file of Rego that cannot be read."""

    def __init__(self, name: str, line: int, message: str) -> None:
        super().__init__(message)
        self.name = name
        """Of the module; "" where nobody can tell which."""
        self.line = line
        """From 1; 0 where nobody can tell."""


@dataclass(frozen=True)
class Question:
    """What is to be evaluated."""

    modules: Mapping[str, str]
    """Name -> text."""
    packages: Sequence[str]
    input: object
    """A JSON value."""
    strict: bool = True
    """Whether what a function cannot do is an error, and not the same as nothing."""


def documents(question: Question, tmp: Path | None) -> dict[str, object]:
    """Package -> what its rules come to, as JSON; None where they come to nothing.

    `tmp` is a private folder; None is for input without secrets. Raises Broken, and ExternalFailure when it takes too
    long or too much, when a rule fails, or where regopy is not installed.
    """
    answer = _answer(question, tmp)
    if "documents" in answer:
        found: dict[str, object] = answer["documents"]
        return found
    name, error = answer["name"], answer["error"]
    if name:
        raise _broken(name, question.modules[name], error)
    raise ExternalFailure(
        "The policies in Rego cannot be evaluated: a rule fails, or calls what is not there.",
        hint="Try them: landform guards check FILE. Functions fail that are given what they cannot take.",
    )


def is_installed() -> bool:
    """Whether policies can be evaluated here."""
    return find_spec("regopy") is not None


def _answer(question: Question, tmp: Path | None) -> dict[str, Any]:
    asked = {
        "modules": dict(question.modules),
        "packages": list(question.packages),
        "input": question.input,
        "strict": question.strict,
    }
    argv = (sys.executable, "-I", str(Path(rego_child.__file__)), _folder(), str(SECONDS))
    # a file without a name is gone with this process, whatever becomes of it
    with tempfile.TemporaryFile(dir=tmp) as file:
        file.write(json.dumps(asked).encode())
        file.seek(0)
        try:
            code, said = launch.capture(argv, {}, SECONDS, bytes_max=_ANSWER_BYTES_MAX, stdin=file.fileno())
        except Late:
            raise ExternalFailure(f"The policies in Rego did not come to an end within {SECONDS} seconds.") from None
        except TooMuch:
            raise ExternalFailure("The policies in Rego have more to say than anybody could read.") from None
    if code == rego_child.TOO_MUCH_MEMORY:
        raise ExternalFailure("The policies in Rego take more memory than they may.")
    if code:
        raise ExternalFailure(f"The policies in Rego cannot be evaluated: their process ended with {code}.", hint=_LOOP)
    found: dict[str, Any] = json.loads(said)
    return found


def _folder() -> str:
    """Where regopy lies."""
    spec = find_spec("regopy")
    if spec is None or spec.origin is None:
        raise ExternalFailure("Policies in Rego cannot be evaluated here.", hint=f"Install what they need: {_EXTRA}")
    return str(Path(spec.origin).parent.parent)


def _broken(name: str, text: str, error: str) -> Broken:
    """The first error in the words of regopy, which come as a tree."""
    message, place = _MESSAGE.search(error), _PLACE.search(error)
    line = text.encode()[: int(place[2])].count(b"\n") + 1 if place else 0
    said = " ".join(message[1].split())[:200] if message else "cannot be read"
    return Broken(name, line, f"is no Rego: {said.rstrip('.')}.")
