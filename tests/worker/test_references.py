"""What references in the inputs of a run stand for: variables and files of the worker, where an admin allowed them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.allowances import Allowances
from engine.errors import Invalid
from engine.external.aws import Access
from engine.worker.references import Sources

ENVIRON = {"DB_PASSWORD": "hunter2", "OTHER": "x", "DB_BYTES": "\udcff"}


def sources(*files: str) -> Sources:
    return Sources(Access, ENVIRON, Allowances(("DB_*",), files), "landform.toml")


def refused(inputs: dict[str, object], *files: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        sources(*files).values(inputs)
    return [str(problem) for problem in caught.value.problems]


def test_values_are_read_from_variables_and_files(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    (folder / "..data").mkdir(parents=True)
    (folder / "..data" / "token").write_text("correct-horse\n")
    # as secrets are mounted by Kubernetes
    (folder / "token").symlink_to("..data/token")
    variable, file = "{{resolve:env:DB_PASSWORD}}", f"{{{{resolve:file:{folder}/token}}}}"

    found = sources(f"{folder}/").values({"a": variable, "b": [{"c": file}, variable], "d": "text"})

    assert found == {variable: "hunter2", file: "correct-horse"}


def test_everything_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (tmp_path / "beside").write_text("hunter2")
    (folder / "out").symlink_to("../beside")
    (folder / "large").write_bytes(bytes(64 * 1024 + 1))
    (folder / "binary").write_bytes(b"\xff")
    (folder / "folder").mkdir()
    names = ["out", "large", "binary", "folder", "none"]
    inputs: dict[str, object] = {name: f"{{{{resolve:file:{folder}/{name}}}}}" for name in names}
    inputs |= {"beside": f"{{{{resolve:file:{tmp_path}/beside}}}}", "env": "{{resolve:env:OTHER}}"}
    inputs |= {"unset": "{{resolve:env:DB_NONE}}", "bytes": "{{resolve:env:DB_BYTES}}"}

    said = {line.split(":")[0]: line.split("}}: ")[1].split(" An admin")[0] for line in refused(inputs, f"{folder}/")}

    assert said == {
        "out": f"The file {folder}/out is a link that leads out of what may be read.",
        "large": f"The file {folder}/large cannot be read: it is larger than 64 KiB.",
        "binary": f"The file {folder}/binary is not UTF-8 text.",
        "folder": f"The file {folder}/folder cannot be read: Is a directory.",
        "none": f"The file {folder}/none cannot be read: No such file or directory.",
        "beside": f"The file {tmp_path}/beside may not be read.",
        "env": "The variable OTHER may not be read.",
        "unset": "The variable DB_NONE is not set. It is looked for where the run is carried out.",
        "bytes": "Its value is no text that has a form in UTF-8.",
    }


def test_a_refusal_says_what_an_admin_would_write() -> None:
    assert refused({"a": "{{resolve:env:TOKEN}}", "b": "{{resolve:file:/run/secrets/db}}"}) == [
        "a: {{resolve:env:TOKEN}}: The variable TOKEN may not be read. "
        'An admin can allow it, in landform.toml: [references] env = ["TOKEN"]',
        "b: {{resolve:file:/run/secrets/db}}: The file /run/secrets/db may not be read. "
        'An admin can allow it, in landform.toml: [references] files = ["/run/secrets/db"]',
    ]


def test_an_error_about_a_value_does_not_carry_it() -> None:
    with pytest.raises(Invalid) as caught:
        sources().values({"a": "{{resolve:env:DB_BYTES}}"})

    assert (caught.value.__cause__, "udcff" in repr(caught.value.problems)) == (None, False)
