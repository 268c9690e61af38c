"""The program that evaluates Rego, in a process of its own: the only place that knows regopy.

It reads one JSON object from its standard input and writes one to its standard output. It imports nothing of Landform:
it gets no more than the folder of regopy, and no environment, which Rego could read.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from typing import Any

MEMORY_BYTES = 2 << 30
TOO_MUCH_MEMORY = 3
"""The exit code when it takes more."""
_LOOK_EVERY_S = 0.1


def main() -> None:
    """Answers {"documents": {package: what it comes to}} or {"error": text, "name": module or ""}."""
    folder, seconds = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Rego may print, and the library says of errors what was in the input: neither is to be mixed with the answer
    answer, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    # the allocator of the library asks for more addresses than any limit of them could allow
    threading.Thread(target=_watch_memory, daemon=True).start()
    sys.path.append(folder)
    asked = json.loads(sys.stdin.buffer.read())
    with os.fdopen(answer, "w", encoding="utf-8") as out:
        json.dump(_answer(asked), out)


def _watch_memory() -> None:
    unit = 1 if sys.platform == "darwin" else 1024
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit < MEMORY_BYTES:
        threading.Event().wait(_LOOK_EVERY_S)
    os._exit(TOO_MUCH_MEMORY)


def _answer(asked: dict[str, Any]) -> dict[str, object]:
    import regopy

    regopy.set_default_log_level("none")
    interpreter = regopy.Interpreter()
    # else what fails counts as not there, and so as not refused
    interpreter.strict_built_in_errors = bool(asked["strict"])
    for name, text in asked["modules"].items():
        try:
            interpreter.add_module(name, text)
        except regopy.RegoError as error:
            return {"error": str(error), "name": name}
    try:
        interpreter.set_input(asked["input"])
        return {"documents": {package: _document(interpreter, package) for package in asked["packages"]}}
    except (regopy.RegoError, ValueError, LookupError) as error:
        return {"error": str(error), "name": ""}


def _document(interpreter: Any, package: str) -> object:
    """What all rules of a package come to; None where they come to nothing. Raises ValueError when one fails."""
    output = interpreter.query(f"data.{package}")
    if not output.ok():
        raise ValueError(str(output))
    return output[0].expressions[0] if output[0].expressions else None


if __name__ == "__main__":
    main()
