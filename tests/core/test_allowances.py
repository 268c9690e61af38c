"""What an admin lets references read."""

from __future__ import annotations

import pytest

from engine.core.allowances import Allowances, parse
from engine.errors import Invalid


def test_nothing_is_allowed_at_first() -> None:
    assert parse(None, "landform.toml") == Allowances()
    assert (Allowances().may_read_variable("A"), Allowances().places_of("/a")) == (False, ())


def test_what_is_named_is_allowed_and_all_that_begins_so_or_lies_below() -> None:
    allowed = parse({"env": ["TOKEN", "DB_*"], "files": ["/run/secrets/", "/etc/token"]}, "landform.toml")

    names = ("TOKEN", "DB_PASSWORD", "TOKEN2", "MY_DB_PASSWORD")
    paths = ("/run/secrets/a/b", "/etc/token", "/run/secrets", "/run/secrets2/a", "/etc/token2", "/etc/token/a")
    assert [name for name in names if allowed.may_read_variable(name)] == ["TOKEN", "DB_PASSWORD"]
    assert [path for path in paths if allowed.places_of(path)] == ["/run/secrets/a/b", "/etc/token"]


def test_everything_wrong_with_the_table_is_said_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        parse({"env": ["*", 1, "A"], "files": ["secrets/", "/", "/a/../b"], "file": [], "x": 1}, "landform.toml")

    variable = "is not the name of a variable, or the beginning of names and a *."
    path = "is not the absolute path of a file, or of a folder with / at its end."
    assert [str(problem) for problem in caught.value.problems] == [
        f'landform.toml: references.env[0]: "*" {variable}',
        f"landform.toml: references.env[1]: 1 {variable}",
        f'landform.toml: references.files[0]: "secrets/" {path}',
        f'landform.toml: references.files[1]: "/" {path}',
        f'landform.toml: references.files[2]: "/a/../b" {path}',
        'landform.toml: references.file: is not a setting. Did you mean "files"?',
        "landform.toml: references.x: is not a setting.",
    ]
