"""Reads the values of run environment variables from files, where secrets lie: only when Terraform is about to run."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from engine.errors import Invalid, Problem
from engine.settings import check_run_env

_MOST_BYTES = 64 * 1024
"""Linux takes no variable of more than twice as much, and a mistyped path may lead to anything."""


def read(files: Mapping[str, str]) -> dict[str, str]:
    """Name -> what its file holds, without the newline at its end. Raises Invalid with every unusable file."""
    found = {name: _value(name, path) for name, path in files.items()}
    problems = [value for value in found.values() if isinstance(value, Problem)]
    if problems:
        raise Invalid(
            "Values of the run environment cannot be read from their files:",
            hint="The files are read where Terraform runs, by the user it runs as.",
            problems=problems,
        )
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _value(name: str, path: str) -> str | Problem:
    try:
        value = text(path)
    except UnicodeDecodeError:
        return Problem(path, 0, name, "is not UTF-8 text.")
    except OSError as error:
        return Problem(path, 0, name, f"cannot be read: {error.strerror or error}.")
    wrong = check_run_env(name, value)
    return Problem(path, 0, name, wrong) if wrong else value


def text(path: str, flags: int = 0) -> str:
    """What the file holds, without the newline at its end; `flags` are more of os.open()'s.

    Raises OSError, also for what is no file or too large, and UnicodeDecodeError.
    """
    return _content(path, flags).decode("utf-8").removesuffix("\n").removesuffix("\r")


def _content(path: str, flags: int) -> bytes:
    # a pipe must not make us wait for a writer
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | flags)
    with open(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError("it is not a file")
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(f"it is larger than {_MOST_BYTES // 1024} KiB")
    return content
