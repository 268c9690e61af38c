"""Writing a workspace: whole files, nothing outside, nothing left over, and a broken write is mended."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.errors import ExternalFailure, Invalid, Refused
from engine.terraform.workspace import Workspace

FIRST = {"main.tf": b"one", "old.tf": b"old", "conf/a/x": b"x", "modules": b"a file"}
SECOND = {"main.tf": b"two", "conf/b": b"b", "modules/net/main.tf": b"a folder"}


class Died(Exception):
    """The process ends here."""


class Trigger:
    """Ends the process before the step of that number, from 0."""

    def __init__(self, step: int) -> None:
        self.left = step
        self.seen: list[str] = []

    def __call__(self, point: str) -> None:
        self.seen.append(point)
        if self.left == 0:
            raise Died
        self.left -= 1


def tree(workspace: Workspace) -> dict[str, bytes]:
    return {
        path.relative_to(workspace.root).as_posix(): path.read_bytes()
        for path in sorted(workspace.root.rglob("*"))
        if path.is_file()
    }


def folders(workspace: Workspace) -> set[str]:
    return {path.relative_to(workspace.root).as_posix() for path in workspace.root.rglob("*") if path.is_dir()}


def test_a_workspace_holds_what_was_written(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "service" / "orders" / "prod")

    workspace.write(FIRST)

    assert tree(workspace) == FIRST


def test_nobody_else_can_read_a_workspace(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "service" / "orders" / "prod")

    workspace.write({"conf/a/x": b"x"})
    run = workspace.run_folder(7)

    paths = [tmp_path / "service", *(tmp_path / "service").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in paths}
    assert modes == {(True, 0o700), (False, 0o600)}
    assert run == tmp_path / "service" / "orders" / "prod" / "runs" / "7"


def test_files_that_left_the_bundle_leave_the_workspace(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "prod")
    workspace.write(FIRST)

    workspace.write(SECOND)

    assert tree(workspace) == SECOND
    assert folders(workspace) == {"conf", "modules", "modules/net"}


def test_what_terraform_and_its_resources_wrote_stays(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "prod")
    workspace.write(FIRST)
    (workspace.root / "terraform.tfstate").write_bytes(b"state")
    (workspace.root / "conf" / "made.txt").write_bytes(b"made")

    workspace.write({})

    assert tree(workspace) == {"terraform.tfstate": b"state", "conf/made.txt": b"made"}


def test_a_file_that_is_right_is_not_written_again(tmp_path: Path) -> None:
    Workspace(tmp_path / "prod").write(FIRST)
    trigger = Trigger(-1)

    Workspace(tmp_path / "prod", trigger).write({**FIRST, "main.tf": b"two"})
    Workspace(tmp_path / "prod", trigger).write({**FIRST, "main.tf": b"two"})

    assert trigger.seen == ["note", "write main.tf"]


def test_a_file_changed_by_hand_is_put_right(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "prod")
    workspace.write(FIRST)
    (workspace.root / "main.tf").write_bytes(b"ONE")
    (workspace.root / "old.tf").chmod(0o644)

    workspace.write(FIRST)

    assert tree(workspace) == FIRST
    assert stat.S_IMODE((workspace.root / "old.tf").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name",
    [
        "extra.tf",
        "extra.tf.json",
        "zz_override.tf",
        "override.tofu",
        "extra.tofu.json",
        "terraform.tfvars",
        "terraform.tfvars.json",
        "zz.auto.tfvars",
        "zz.auto.tfvars.json",
        "modules/net/extra.tf",
        "modules/net/main_override.tf.json",
    ],
)
def test_what_terraform_would_read_beside_the_bundle_goes(tmp_path: Path, name: str) -> None:
    files = {"main.tf": b"m", "modules/net/main.tf": b"n"}
    workspace = Workspace(tmp_path / "prod")
    workspace.write(files)
    (workspace.root / name).write_bytes(b"planted")

    workspace.write(files)

    assert tree(workspace) == files


def test_what_terraform_would_not_read_by_itself_stays(tmp_path: Path) -> None:
    made = {"made/by/hand.tf": b"", "made.txt": b"", "modules/net/made.txt": b"", "terraform.tfstate": b"", "tf": b""}
    workspace = Workspace(tmp_path / "prod")
    workspace.write({"main.tf": b"m", "modules/net/main.tf": b"n"})
    for name, content in made.items():
        (workspace.root / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace.root / name).write_bytes(content)
    (workspace.root / "folder.tf").mkdir()

    workspace.write({"main.tf": b"m", "modules/net/main.tf": b"n"})

    assert tree(workspace) == {**made, "main.tf": b"m", "modules/net/main.tf": b"n"}
    assert (workspace.root / "folder.tf").is_dir()


@pytest.mark.parametrize("name", ["extra.tf", "modules/net/extra.tf", "modules/net"])
def test_a_link_that_terraform_would_follow_is_refused(tmp_path: Path, name: str) -> None:
    files = {"main.tf": b"m", "modules/net/main.tf": b"n"}
    workspace = Workspace(tmp_path / "prod")
    workspace.write(files)
    theirs = tmp_path / "theirs"
    (workspace.root / "modules").rename(theirs)
    (workspace.root / name).parent.mkdir(parents=True, exist_ok=True)
    (workspace.root / name).symlink_to(theirs)

    with pytest.raises(Refused) as caught:
        workspace.write(files)

    assert caught.value.message.startswith(f"{workspace.root / name} is a symbolic link")
    assert (theirs / "net" / "main.tf").read_bytes() == b"n"


@pytest.mark.parametrize("step", range(8))
def test_the_next_write_mends_one_that_was_broken_off(tmp_path: Path, step: int) -> None:
    Workspace(tmp_path / "prod").write(FIRST)
    with pytest.raises(Died):
        Workspace(tmp_path / "prod", Trigger(step)).write(SECOND)

    third = Workspace(tmp_path / "prod")
    third.write({"main.tf": b"three", "other.tf": b"o"})

    assert tree(third) == {"main.tf": b"three", "other.tf": b"o"}
    assert folders(third) == set()
    assert sorted(os.listdir(tmp_path / "prod")) == [".landform.json", "workspace"]


def test_a_write_that_is_broken_off_has_these_steps(tmp_path: Path) -> None:
    Workspace(tmp_path / "prod").write(FIRST)
    trigger = Trigger(-1)

    Workspace(tmp_path / "prod", trigger).write(SECOND)

    assert trigger.seen == [
        "note",
        "remove conf/a/x",
        "remove modules",
        "remove old.tf",
        "write conf/b",
        "write main.tf",
        "write modules/net/main.tf",
        "note",
    ]


@pytest.mark.parametrize("step", range(4))
def test_the_first_write_can_be_broken_off_too(tmp_path: Path, step: int) -> None:
    with pytest.raises(Died):
        Workspace(tmp_path / "prod", Trigger(step)).write({"a.tf": b"a", "b.tf": b"b"})

    workspace = Workspace(tmp_path / "prod")
    workspace.write({"c.tf": b"c"})

    assert tree(workspace) == {"c.tf": b"c"}


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"files": 3}', b'{"files": ["../../x.tf"]}', b'{"files": [3]}'])
def test_without_its_notes_it_still_removes_what_terraform_would_read(tmp_path: Path, damage: bytes) -> None:
    workspace = Workspace(tmp_path / "prod")
    workspace.write({"main.tf": b"one", "old.tf": b"old", "x.auto.tfvars": b""})
    (tmp_path / "prod" / ".landform.json").write_bytes(damage)

    workspace.write({"main.tf": b"two"})

    assert tree(workspace) == {"main.tf": b"two"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../x", "is not a plain path below the folder."),
        ("/etc/x", "is not a plain path below the folder."),
        ("a//b", "is not a plain path below the folder."),
        ("a/./b", "is not a plain path below the folder."),
        ("", "is not a plain path below the folder."),
        ("a\\b", "is not a plain path below the folder."),
        ("a\nb", "is not a plain path below the folder."),
        ("a\0b", "is not a plain path below the folder."),
        ("\ud800", "is not a plain path below the folder."),
        ("a" * 256, "has a part of more than 255 bytes."),
        ("terraform.tfstate", "is a file that Terraform writes itself."),
        ("terraform.tfstate.backup", "is a file that Terraform writes itself."),
        (".terraform/modules/modules.json", "is a file that Terraform writes itself."),
        ("main.tf/x", "needs a folder main.tf, which is a file."),
    ],
)
def test_a_hostile_name_is_refused_before_anything_is_written(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(Invalid) as caught:
        Workspace(tmp_path / "prod").write({"main.tf": b"", name: b""})

    assert [(problem.file, problem.message) for problem in caught.value.problems] == [(repr(name), why)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["prod", "prod/workspace", "prod/workspace/conf", "prod/workspace/conf/x"])
def test_a_link_is_not_followed(tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = tmp_path / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)

    with pytest.raises(Refused) as caught:
        Workspace(tmp_path / "prod").write({"conf/x": b"x"})

    assert caught.value.message == (f"{link} is a symbolic link, and Landform does not follow links in its workspaces.")
    assert list(outside.iterdir()) == []


def test_a_link_in_place_of_a_file_that_goes_is_not_followed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "prod")
    workspace.write({"conf/x": b"x"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_bytes(b"theirs")
    (workspace.root / "conf").rename(tmp_path / "away")
    (workspace.root / "conf").symlink_to(tmp_path / "outside")

    with pytest.raises(Refused):
        workspace.write({})

    assert (tmp_path / "outside" / "x").read_bytes() == b"theirs"


def test_a_pipe_in_place_of_a_file_is_replaced(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "prod")
    workspace.write({"x": b"x"})
    (workspace.root / "x").unlink()
    os.mkfifo(workspace.root / "x")

    workspace.write({"x": b"x"})

    assert tree(workspace) == {"x": b"x"}


def test_a_folder_that_is_in_the_way_is_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "prod")
    (workspace.root / "conf").mkdir(parents=True)

    with pytest.raises(ExternalFailure) as caught:
        workspace.write({"conf": b"x"})

    assert caught.value.message == f"Cannot write {workspace.root / 'conf'}: Is a directory."


def test_a_link_to_a_prepared_version_is_kept_and_moved(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "prod")
    workspace.write({})
    (workspace.root / ".terraform" / "by-hand").mkdir(parents=True)

    workspace.link(tmp_path / "one")
    workspace.link(tmp_path / "two")
    workspace.link(tmp_path / "two")

    assert (workspace.root / ".terraform").readlink() == tmp_path / "two"


def test_a_removed_workspace_leaves_its_runs(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "prod")
    workspace.write(FIRST)
    (workspace.run_folder(7) / "log").write_bytes(b"l")

    workspace.remove()
    workspace.remove()

    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "prod",
        "prod/runs",
        "prod/runs/7",
        "prod/runs/7/log",
    ]


def test_a_removal_that_was_broken_off_is_finished_by_the_next(tmp_path: Path) -> None:
    Workspace(tmp_path / "prod").write(FIRST)
    with pytest.raises(Died):
        Workspace(tmp_path / "prod", Trigger(0)).remove()

    workspace = Workspace(tmp_path / "prod")
    workspace.write({"new.tf": b"n"})
    workspace.remove()

    assert list((tmp_path / "prod").iterdir()) == []


def test_the_removal_of_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "prod").symlink_to(tmp_path / "outside")

    with pytest.raises(Refused):
        Workspace(tmp_path / "prod").remove()


STATE = b"""{"version": 4, "serial": 1, "lineage": "l", "resources": [
  {"mode": "managed", "type": "aws_vpc", "name": "main", "instances": [{}]}
]}"""


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("terraform.tfstate", STATE, "workspace is kept: its state still knows of aws_vpc.main."),
        ("terraform.tfstate", b"{", "terraform.tfstate cannot be read: "),
        ("errored.tfstate", STATE, "errored.tfstate holds the state that Terraform could not write to its place: "),
        ("terraform.tfstate.d/evil/terraform.tfstate", STATE, "terraform.tfstate.d holds the state of another "),
    ],
)
def test_a_workspace_that_may_hold_the_only_state_is_never_removed(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    workspace = Workspace(tmp_path / "prod")
    workspace.write({"main.tf": b"m"})
    (workspace.root / name).parent.mkdir(parents=True, exist_ok=True)
    (workspace.root / name).write_bytes(content)

    with pytest.raises(ExternalFailure) as caught:
        workspace.remove()

    assert why in caught.value.message
    assert tree(workspace) == {"main.tf": b"m", name: content}
