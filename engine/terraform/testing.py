"""What `terraform test -json` says: which runs of which files passed, and why the others did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import Severity
from engine.terraform.events import NO_OFFSET, Diagnostic, parse
from engine.terraform.trees import text, tree_of

_PASSED = "pass"
_WHOLE_FILE = ""


@dataclass(frozen=True)
class Case:
    """One `run` block; of what is wrong with a whole file, or with the code, one without a name."""

    file: str
    """As it is named in the workspace; "" for the code itself."""
    name: str
    status: str
    """Terraform's word: pass, fail, error, skip."""
    errors: tuple[Diagnostic, ...]

    @property
    def is_passed(self) -> bool:
        """Whether it ran, and was as its file says."""
        return self.status == _PASSED


class CaseCollector:
    """Follows the stream of one `terraform test`."""

    def __init__(self, line_offset: Mapping[str, int] = NO_OFFSET) -> None:
        """`line_offset` as events.parse() has it."""
        self._line_offset = line_offset
        self._status: dict[tuple[str, str], str] = {}
        self._errors: dict[tuple[str, str], list[Diagnostic]] = {}

    def feed(self, line: str) -> None:
        """Takes note of what the line says."""
        tree = tree_of(line)
        if tree is None:
            return
        if text(tree, "type") == "test_run" and text(tree, "test_run", "progress") == "complete":
            key = text(tree, "test_run", "path"), text(tree, "test_run", "run")
            self._status[key] = text(tree, "test_run", "status")
            return
        event = parse(line, self._line_offset)
        if isinstance(event, Diagnostic) and event.severity is Severity.ERROR:
            key = text(tree, "@testfile"), text(tree, "@testrun") or _WHOLE_FILE
            self._errors.setdefault(key, []).append(event)

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every case in the order in which they ended, what concerns whole files last."""
        others = (key for key in self._errors if key not in self._status)
        return tuple(
            Case(*key, self._status.get(key, "error"), tuple(self._errors.get(key, ())))
            for key in (*self._status, *others)
        )
