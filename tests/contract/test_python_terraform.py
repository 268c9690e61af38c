"""The facts about the package python-terraform that we build on, so that an upgrade cannot take them from us."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from python_terraform import IsFlagged, IsNotFlagged, Terraform


@pytest.fixture
def speller() -> Terraform:
    return Terraform(working_dir="/nonexistent", terraform_bin_path="/opt/my tools/terraform")


def test_it_is_the_version_that_was_looked_at() -> None:
    assert importlib.metadata.version("python-terraform") == "0.10.1"


def test_it_spells_a_command_as_a_list_that_no_shell_reads(speller: Terraform) -> None:
    assert speller.generate_cmd_string("apply", "/a b/plan;rm", json=IsFlagged, lock_timeout="60s", input=False) == [
        *("/opt/my tools/terraform", "apply", "-json", "-lock-timeout=60s", "-input=false", "/a b/plan;rm")
    ]


def test_it_leaves_out_what_is_not_asked_for(speller: Terraform) -> None:
    assert speller.generate_cmd_string("plan", destroy=IsNotFlagged, out=None, refresh=True)[1:] == [
        "plan",
        "-refresh=true",
    ]


def test_it_repeats_a_flag_for_every_member_of_a_list(speller: Terraform) -> None:
    spelt = speller.generate_cmd_string("plan", var_file=["a.json", "b.json"])

    assert spelt[1:] == ["plan", "-var-file=a.json", "-var-file=b.json"]


def test_it_spells_backend_settings(speller: Terraform) -> None:
    assert speller.generate_cmd_string("init", backend_config={"path": "/s"})[1:] == ["init", "-backend-config=path=/s"]


def test_its_constructor_does_not_read_the_state_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("terraform.tfstate").write_text("{ this is no state")
    monkeypatch.chdir(tmp_path)

    assert Terraform(working_dir="/nonexistent").generate_cmd_string("plan")[1:] == ["plan"]


def test_a_dict_of_variables_would_become_a_file_so_we_never_pass_one(
    speller: Terraform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    speller.generate_cmd_string("plan", var={"secret": "hunter2"})

    (file,) = tmp_path.iterdir()
    assert "hunter2" in file.read_text() or speller.temp_var_files.files
    for opened in speller.temp_var_files.files:
        opened.close()
