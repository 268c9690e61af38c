"""Preparing a version once, whoever asks, and however the last installer ended."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest

from engine.errors import Cancelled, ExternalFailure, Invalid
from engine.external.stop import Stop
from engine.terraform import seal
from engine.terraform.mirror import Mirror, Package
from engine.terraform.preparation import Preparation, Prepared, Recipe

PACKAGE = "providers/registry.terraform.io/acme/tiny/1.0.0/linux_amd64"
PREPARED = (".landform.json", ".terraform.lock.hcl", ".terraform/main")
FILES = {"main.tf": b"# code", "modules/x/main.tf": b"", "proton.auto.tfvars.json": b'{"token": "hunter2"}'}


def init(folder: Path) -> None:
    """What terraform init leaves behind."""
    (folder / ".terraform").mkdir()
    (folder / ".terraform" / "main").write_bytes((folder / "main.tf").read_bytes())
    (folder / ".terraform.lock.hcl").write_bytes(b"lock")


def fetches(content: str) -> Callable[[Path], None]:
    """An init that fetches a provider."""

    def init_with_provider(folder: Path) -> None:
        init(folder)
        place = folder / ".terraform" / PACKAGE
        place.mkdir(parents=True)
        (place / "provider").write_text(content)
        (place / "provider").chmod(0o755)

    return init_with_provider


def shared(home: Path) -> Preparation:
    """The preparations of a home that keeps its providers in one place."""
    return Preparation(home / "prepared", Mirror(home / "providers"))


def nothing(_folder: Path) -> None:
    """A version that needs neither providers nor modules."""


def refuses(_folder: Path) -> None:
    raise ExternalFailure("no")


def dies(folder: Path) -> None:
    init(folder)
    os.kill(os.getpid(), signal.SIGKILL)


def ensure_and_count(root: Path, counter: Path) -> Prepared:
    def counted(folder: Path) -> None:
        with counter.open("a") as file:
            file.write("x")
        init(folder)

    return Preparation(root).ensure("k", FILES, counted, Stop())


def install_and_die(root: Path) -> None:
    Preparation(root).ensure("k", FILES, dies, Stop())


class Deadly(Mirror):
    """A mirror whose installer is killed when it has taken the providers, or before that."""

    def __init__(self, root: Path, moment: str) -> None:
        super().__init__(root)
        self._moment = moment

    def adopt(self, data_dir: Path) -> None:
        if self._moment == "after":
            super().adopt(data_dir)
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_and_die(home: Path, moment: str) -> None:
    Preparation(home / "prepared", Deadly(home / "providers", moment)).ensure("k", FILES, fetches("one"), Stop())


def killed_installer(root: Path) -> SpawnProcess:
    """An installer that was killed in the middle of its work."""
    installer = multiprocessing.get_context("spawn").Process(target=install_and_die, args=(root,))
    installer.start()
    installer.join()
    return installer


def write(path: Path, content: bytes) -> None:
    """Writes it, as root can, or whoever takes the trouble to allow it first."""
    path.parent.chmod(0o700)
    if path.exists():
        path.chmod(0o600)
    path.write_bytes(content)


def listed(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_prepared_version_holds_what_init_made_and_no_values(tmp_path: Path) -> None:
    prepared = Preparation(tmp_path).ensure("k", FILES, init, Stop())

    assert prepared == Prepared(tmp_path / "k" / ".terraform", b"lock")
    assert listed(tmp_path) == [".lock", "k/.landform.json", "k/.terraform.lock.hcl", "k/.terraform/main"]
    assert prepared.with_lock({"a": b""}) == {"a": b"", ".terraform.lock.hcl": b"lock"}


def test_a_version_that_needs_nothing_is_prepared_too(tmp_path: Path) -> None:
    prepared = Preparation(tmp_path).ensure("k", FILES, nothing, Stop())

    assert prepared == Prepared(tmp_path / "k" / ".terraform", None)
    assert prepared.data_dir.is_dir()
    assert prepared.with_lock({"a": b""}) == {"a": b""}


def test_a_version_is_prepared_once(tmp_path: Path) -> None:
    Preparation(tmp_path).ensure("k", FILES, init, Stop())

    assert Preparation(tmp_path).ensure("k", FILES, refuses, Stop()).lock == b"lock"


def test_all_who_ask_at_once_share_one_preparation(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ensure_and_count(tmp_path / "p", tmp_path / "count"), range(8)))

    assert set(found) == {Prepared(tmp_path / "p" / "k" / ".terraform", b"lock")}
    assert (tmp_path / "count").read_text() == "x"


def test_an_init_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ExternalFailure, match="no"):
        Preparation(tmp_path).ensure("k", FILES, refuses, Stop())

    assert listed(tmp_path) == [".lock"]


def test_what_a_killed_installer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    installer = killed_installer(tmp_path)
    left = listed(tmp_path)

    prepared = Preparation(tmp_path).ensure("k", FILES, init, Stop())

    assert (installer.exitcode, len(left)) == (-signal.SIGKILL, 5)
    assert prepared.data_dir == tmp_path / "k" / ".terraform"
    assert listed(tmp_path) == [".lock", "k/.landform.json", "k/.terraform.lock.hcl", "k/.terraform/main"]


def test_a_damaged_preparation_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "k" / ".terraform").mkdir(parents=True)
    (tmp_path / "k" / ".terraform" / "half").write_bytes(b"")

    Preparation(tmp_path).ensure("k", FILES, init, Stop())

    assert listed(tmp_path) == [".lock", "k/.landform.json", "k/.terraform.lock.hcl", "k/.terraform/main"]


def test_init_is_given_code_and_no_values(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    Preparation(tmp_path).ensure("k", FILES, lambda folder: seen.append(listed(folder)), Stop())

    assert seen == [["main.tf", "modules/x/main.tf"]]


def test_nobody_may_write_into_a_prepared_version(tmp_path: Path) -> None:
    def init_with_a_program(folder: Path) -> None:
        init(folder)
        (folder / ".terraform" / "provider").touch(mode=0o755)
        (folder / ".terraform" / "elsewhere").symlink_to(tmp_path / "theirs")

    (tmp_path / "theirs").touch(mode=0o644)

    prepared = Preparation(tmp_path / "p").ensure("k", FILES, init_with_a_program, Stop())

    paths = [prepared.data_dir, *prepared.data_dir.iterdir()]
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in paths if not path.is_symlink()}
    assert modes == {".terraform": 0o500, "main": 0o400, "provider": 0o500}
    assert stat.S_IMODE((tmp_path / "theirs").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".terraform/environment", b"evil"),
        (".terraform/main", b"# evil"),
        (".terraform.lock.hcl", b"evil"),
        (".landform.json", b"{}"),
        (".landform.json", b'{"ready": true}'),
        (".landform.json", b"evil"),
    ],
)
def test_a_prepared_version_that_somebody_wrote_into_is_made_anew(tmp_path: Path, name: str, content: bytes) -> None:
    Preparation(tmp_path).ensure("k", FILES, init, Stop())
    write(tmp_path / "k" / name, content)

    Preparation(tmp_path).ensure("k", FILES, init, Stop())

    assert listed(tmp_path) == [".lock", "k/.landform.json", "k/.terraform.lock.hcl", "k/.terraform/main"]
    assert (tmp_path / "k/.terraform/main").read_bytes() == b"# code"
    assert (tmp_path / "k/.terraform.lock.hcl").read_bytes() == b"lock"
    assert Preparation(tmp_path).ensure("k", FILES, refuses, Stop()).data_dir == tmp_path / "k" / ".terraform"


def test_a_change_whose_time_was_set_back_is_seen(tmp_path: Path) -> None:
    file = Preparation(tmp_path).ensure("k", FILES, init, Stop()).data_dir / "main"
    before = file.stat()
    write(file, b"# CODE")
    file.chmod(before.st_mode)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    Preparation(tmp_path).ensure("k", FILES, init, Stop())

    assert file.read_bytes() == b"# code"


def test_a_link_in_a_prepared_version_is_followed_by_nobody_who_removes_it(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o755)
    (tmp_path / "theirs" / "x").touch()
    data_dir = Preparation(tmp_path / "p").ensure("k", FILES, init, Stop()).data_dir
    data_dir.chmod(0o700)
    (data_dir / "planted").symlink_to(tmp_path / "theirs")

    Preparation(tmp_path / "p").ensure("k", FILES, init, Stop())

    assert sorted(path.name for path in data_dir.iterdir()) == ["main"]
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["x"]
    assert stat.S_IMODE((tmp_path / "theirs").stat().st_mode) == 0o755


def test_a_prepared_version_survives_that_its_home_is_copied(tmp_path: Path) -> None:
    Preparation(tmp_path / "one").ensure("k", FILES, init, Stop())
    shutil.copytree(tmp_path / "one", tmp_path / "two")

    copied = Preparation(tmp_path / "two").ensure("k", FILES, refuses, Stop())

    assert copied.data_dir == tmp_path / "two" / "k" / ".terraform"


def test_waiting_for_another_installer_ends_when_asked_to(tmp_path: Path) -> None:
    stop, others = Stop(), Stop()
    begun, may_end = threading.Event(), threading.Event()

    def slow(folder: Path) -> None:
        begun.set()
        may_end.wait(60)
        init(folder)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(Preparation(tmp_path).ensure, "k", FILES, slow, others)
        begun.wait(60)
        second = pool.submit(Preparation(tmp_path).ensure, "k", FILES, refuses, stop)
        stop.request()
        error = second.exception(60)
        is_first_at_work = first.running()
        may_end.set()

    assert isinstance(error, Cancelled)
    assert str(error) == "Stopped while another process was preparing a template version."
    assert is_first_at_work
    assert first.result().data_dir.is_dir()


def test_what_a_killed_installer_left_can_be_swept(tmp_path: Path) -> None:
    killed_installer(tmp_path)

    Preparation(tmp_path).sweep()

    assert listed(tmp_path) == [".lock"]


def test_nothing_is_swept_while_somebody_installs(tmp_path: Path) -> None:
    def swept_meanwhile(folder: Path) -> None:
        Preparation(tmp_path).sweep()
        init(folder)

    prepared = Preparation(tmp_path).ensure("k", FILES, swept_meanwhile, Stop())

    assert (prepared.data_dir / "main").read_bytes() == b"# code"


def test_where_nothing_was_prepared_there_is_nothing_to_sweep(tmp_path: Path) -> None:
    Preparation(tmp_path / "p").sweep()

    assert list(tmp_path.iterdir()) == []


def test_hostile_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be written"):
        Preparation(tmp_path / "p").ensure("k", {"../x": b""}, init, Stop())

    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"")

    with pytest.raises(ExternalFailure) as caught:
        Preparation(tmp_path / "p").ensure("k", FILES, init, Stop())

    assert caught.value.message == f"Cannot make {tmp_path / 'p'}: File exists."


def test_a_provider_moves_to_the_mirror_and_a_link_takes_its_place(tmp_path: Path) -> None:
    prepared = shared(tmp_path).ensure("k", FILES, fetches("one"), Stop())

    link = prepared.data_dir / PACKAGE
    kept = tmp_path / PACKAGE
    assert link.is_symlink()
    assert os.readlink(link) == f"../../../../../../../../{PACKAGE}"
    assert (link / "provider").read_bytes() == b"one"
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (kept, kept / "provider")} == {
        "linux_amd64": 0o500,
        "provider": 0o500,
    }


def test_a_provider_that_two_versions_fetched_is_there_once(tmp_path: Path) -> None:
    shared(tmp_path).ensure("k", FILES, fetches("one"), Stop())
    second = shared(tmp_path).ensure("l", FILES, fetches("one"), Stop())

    assert (second.data_dir / PACKAGE).resolve() == tmp_path / PACKAGE


def test_a_provider_that_differs_from_that_of_the_mirror_stays_with_its_version(tmp_path: Path) -> None:
    shared(tmp_path).ensure("k", FILES, fetches("one"), Stop())
    second = shared(tmp_path).ensure("l", FILES, fetches("two"), Stop())

    assert not (second.data_dir / PACKAGE).is_symlink()
    assert (second.data_dir / PACKAGE / "provider").read_bytes() == b"two"
    assert (tmp_path / PACKAGE / "provider").read_bytes() == b"one"


def test_a_provider_that_was_removed_is_fetched_again(tmp_path: Path) -> None:
    shared(tmp_path).ensure("k", FILES, fetches("one"), Stop())
    seal.discard(tmp_path / PACKAGE)

    again = shared(tmp_path).ensure("k", FILES, fetches("one"), Stop())

    assert (again.data_dir / PACKAGE / "provider").read_bytes() == b"one"


def test_links_to_the_mirror_survive_that_the_home_is_copied(tmp_path: Path) -> None:
    shared(tmp_path / "one").ensure("k", FILES, fetches("one"), Stop())
    shutil.copytree(tmp_path / "one", tmp_path / "two", symlinks=True)
    seal.discard(tmp_path / "one")

    copied = shared(tmp_path / "two").ensure("k", FILES, refuses, Stop())

    assert (copied.data_dir / PACKAGE / "provider").read_bytes() == b"one"


def test_a_link_to_another_place_than_the_mirror_stays(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()

    def links(folder: Path) -> None:
        init(folder)
        place = folder / ".terraform" / PACKAGE
        place.parent.mkdir(parents=True)
        place.symlink_to(theirs)

    prepared = shared(tmp_path).ensure("k", FILES, links, Stop())

    assert (prepared.data_dir / PACKAGE).readlink() == theirs


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_installer_that_was_killed_leaves_no_half_provider(tmp_path: Path, moment: str) -> None:
    """Killed while a provider is being fetched, or when it has just come into the mirror."""
    installer = multiprocessing.get_context("spawn").Process(target=adopt_and_die, args=(tmp_path, moment))
    installer.start()
    installer.join()
    left = [package.folder.joinpath("provider").read_bytes() for package in Mirror(tmp_path / "providers").packages()]

    again = shared(tmp_path).ensure("k", FILES, fetches("one"), Stop())

    assert (installer.exitcode, left) == (-signal.SIGKILL, {"before": [], "after": [b"one"]}[moment])
    assert (again.data_dir / PACKAGE).resolve() == tmp_path / PACKAGE
    assert (again.data_dir / PACKAGE / "provider").read_bytes() == b"one"
    assert listed(tmp_path / "prepared") == [".lock", *(f"k/{name}" for name in PREPARED)]


def test_who_uses_a_provider_can_be_told(tmp_path: Path) -> None:
    preparation = shared(tmp_path)
    preparation.ensure("k", FILES, fetches("one"), Stop())
    preparation.ensure("l", FILES, init, Stop())

    package = Package("registry.terraform.io/acme/tiny", "1.0.0", "linux_amd64", tmp_path / PACKAGE)
    assert list(preparation.providers()) == [("k", package)]
    assert Mirror(tmp_path / "providers").packages() == [package]
    assert package.size_bytes() == 3


def test_a_key_depends_on_each_of_its_parts() -> None:
    recipe = Recipe("b" * 64, "infrastructure", "terraform 1.11.4 linux_x86_64", "local")
    others = {
        replace(recipe, bundle="c" * 64),
        replace(recipe, part="pipeline_infrastructure"),
        replace(recipe, terraform="terraform 1.12.0 linux_x86_64"),
        replace(recipe, terraform="tofu 1.11.4 linux_x86_64"),
        replace(recipe, backend="s3"),
        replace(recipe, structure="j"),
        replace(recipe, config="c"),
        replace(recipe, lock="l"),
    }

    keys = {recipe.key, *(other.key for other in others)}

    assert [len(key) for key in keys] == [49] * 9
    assert recipe.key.startswith("b" * 16 + "-")
