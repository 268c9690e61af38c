"""What references may read on the machine of a run: `[references]` of landform.toml. Without it, nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from engine.core.nearest import did_you_mean
from engine.core.paths import shown
from engine.errors import Invalid, Problem

TABLE = "references"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?", re.ASCII)
_PATH = re.compile(r"(/(?!\.\.?(/|$))[^/\x00-\x1f]+)+/?", re.ASCII)
_RULES = {
    "env": (_NAME, "the name of a variable, or the beginning of names and a *"),
    "files": (_PATH, "the absolute path of a file, or of a folder with / at its end"),
}


@dataclass(frozen=True)
class Allowances:
    """Variables and files that the inputs of instances may refer to."""

    env: tuple[str, ...] = ()
    """Names; `DB_*` stands for all that begin so."""
    files: tuple[str, ...] = ()
    """Absolute paths; one that ends with / stands for all below it."""

    def may_read_variable(self, name: str) -> bool:
        """Whether an admin has allowed the variable."""
        return any(fnmatchcase(name, pattern) for pattern in self.env)

    def places_of(self, path: str) -> tuple[str, ...]:
        """Those of `files` by which the path is allowed; () when it is not."""
        return tuple(place for place in self.files if path == place or (place.endswith("/") and path.startswith(place)))


def parse(table: object, file: str) -> Allowances:
    """What the table allows; None for a table that is not there. Raises Invalid with everything wrong in it."""
    given = {} if table is None else table
    if not isinstance(given, dict):
        problems = [Problem(file, 0, TABLE, 'must be a table, as [references] env = ["DB_*"].')]
    else:
        problems = [problem for name, value in given.items() for problem in _wrong(str(name), value, file)]
    if problems:
        raise Invalid("The settings cannot be used:", problems=problems)
    return (
        Allowances(**{name: tuple(value) for name, value in given.items()}) if isinstance(given, dict) else Allowances()
    )


def _wrong(name: str, value: object, file: str) -> Iterator[Problem]:
    if name not in _RULES:
        hint = f"There are: {', '.join(_RULES)}."
        yield Problem(file, 0, f"{TABLE}.{name}", f"is not a setting.{did_you_mean(name, _RULES)}", hint=hint)
        return
    pattern, words = _RULES[name]
    if not isinstance(value, list):
        yield Problem(file, 0, f"{TABLE}.{name}", f"must be a list, each item {words}.")
        return
    for index, item in enumerate(value):
        if not isinstance(item, str) or not pattern.fullmatch(item):
            yield Problem(file, 0, f"{TABLE}.{name}[{index}]", f"{shown(item)} is not {words}.")
