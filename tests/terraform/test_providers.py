"""Where providers come from, on the real Terraform: settings, mirrors, links in place of copies, and when init runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from engine import settings
from engine.core.address import environment
from engine.core.bundle import Facts, Part, PartName
from engine.core.runs import Operation
from engine.core.versions import TemplateKind
from engine.errors import ExternalFailure, Invalid
from engine.external import process
from engine.external.process import Stop
from engine.terraform import cli, config, seal
from engine.terraform.cli import Place, Surroundings, Terraform
from engine.terraform.config import Sources
from engine.terraform.mirror import Mirror
from engine.terraform.preparation import Preparation, Prepared
from engine.worker.following import Step
from engine.worker.installer import Code, Installer
from engine.worker.journal import Journal
from engine.worker.work import Repository, Work
from tests import aws_provider

REAL = shutil.which("terraform")
pytestmark = [pytest.mark.terraform, pytest.mark.skipif(REAL is None, reason="terraform is not on PATH")]
needs_aws = pytest.mark.skipif(aws_provider.archive() is None, reason="the AWS provider's wheel is not installed")

PATH = "/usr/local/bin:/usr/bin:/bin"
PLATFORM = f"{os.uname().sysname.lower()}_{'amd64' if os.uname().machine == 'x86_64' else 'arm64'}"
PART = Part(PartName.INFRASTRUCTURE, "hcl", (), ())
NEEDS = 'terraform {{\n  required_providers {{\n    p = {{ source = "{source}", version = "{version}" }}\n  }}\n}}\n'
TINY, AWS = "acme/tiny", "hashicorp/aws"


def needs(source: str = TINY, version: str = ">= 1.0") -> dict[str, bytes]:
    """Code that wants a provider."""
    return {"main.tf": NEEDS.format(source=source, version=version).encode()}


def tiny(mirror: Path, version: str = "1.0.0", content: str = "program") -> Path:
    """A mirror with a provider that init can install, though nobody could run it."""
    folder = mirror / "registry.terraform.io" / TINY / version / PLATFORM
    folder.mkdir(parents=True)
    (folder / f"terraform-provider-tiny_v{version}").write_text(content)
    return mirror


@dataclass
class Lab:
    """A home with an installer, and a journal that remembers what Terraform was asked."""

    home: Path
    given: dict[str, str] = field(default_factory=dict)
    run_env: dict[str, str] = field(default_factory=dict)
    part: Part = PART
    bundle: str = "b" * 64

    @property
    def installer(self) -> Installer:
        found = settings.load({}, self.home.parent, home=str(self.home), **self.given)
        preparation = Preparation(self.home / "prepared", Mirror(self.home / "providers"))
        return Installer(found, lambda: Terraform(Path(str(REAL)), "1.11.4"), preparation)

    def place(self, folder: Path) -> Place:
        surroundings = Surroundings(PATH, self.home, self.home, folder / ".terraform", self.installer.config_file())
        return Place(folder, cli.environment(surroundings, self.run_env), 60, 30)

    def prepared(self, files: dict[str, bytes], lock: bytes | None = None, backend: str = "local") -> Prepared:
        work = Work(
            run_id=1,
            fence=1,
            address=environment("prod"),
            operation=Operation.DEPLOY,
            template="lab",
            bundle=self.bundle,
            facts=Facts(TemplateKind.ENVIRONMENT, False, {PartName.INFRASTRUCTURE: PART}),
            inputs={},
            environment=None,
            repository=Repository(),
            run_env=self.run_env,
            planned_with={},
        )
        self.home.mkdir(exist_ok=True)
        with Journal(self.home / "run", (), lambda _phase, _event: None) as journal:
            step = Step(work, self.part, Stop(), journal)
            return self.installer.prepared(step, Code(files, "", backend), self.place, lock)

    @property
    def inits(self) -> int:
        """How often Terraform was started."""
        lines = (self.home / "run/events.jsonl").read_text().splitlines()
        return len([line for line in lines if json.loads(line)["type"] == "version"])

    def providers(self, prepared: Prepared) -> dict[str, str]:
        """Provider and version -> the folder that it is used from."""
        places = sorted((prepared.data_dir / "providers").glob("*/*/*/*/*"))
        return {f"{place.parts[-3]} {place.parts[-2]}": str(place.resolve()) for place in places}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "home", {"offline": "yes"})


def kept(lab: Lab, version: str = "1.0.0") -> str:
    return str(lab.home / "providers/registry.terraform.io" / TINY / version / PLATFORM)


def test_a_configuration_says_where_providers_come_from_and_in_which_order(tmp_path: Path) -> None:
    mirror = tiny(tmp_path / "mirror")

    config.write(tmp_path, Sources(mirror, "https://mirror.example/"))

    assert (tmp_path / "terraform.rc").read_text() == (
        "# Landform writes this file. What you put into terraform.own.rc beside it is added at its end.\n"
        "\n"
        "provider_installation {\n"
        "  filesystem_mirror {\n"
        f'    path = "{tmp_path}/providers"\n'
        "  }\n"
        "  filesystem_mirror {\n"
        f'    path = "{mirror}"\n'
        "  }\n"
        "  network_mirror {\n"
        '    url     = "https://mirror.example/"\n'
        '    exclude = ["registry.terraform.io/acme/tiny"]\n'
        "  }\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("sources", "kinds"),
    [
        (Sources(), ["filesystem_mirror", "direct"]),
        (Sources(network="https://m/"), ["filesystem_mirror", "network_mirror"]),
        (Sources(offline=True), ["filesystem_mirror"]),
        (Sources(network="https://m/", offline=True), ["filesystem_mirror"]),
        (Sources(mirror=Path("/m")), ["filesystem_mirror", "filesystem_mirror", "direct"]),
    ],
)
def test_each_setting_adds_or_takes_away_a_source(tmp_path: Path, sources: Sources, kinds: list[str]) -> None:
    lines = config.write(tmp_path, sources).read_text().splitlines()

    assert [line.split()[0] for line in lines if line.startswith("  ") and line.endswith(" {")] == kinds


def test_a_configuration_is_rewritten_when_a_setting_changes_and_else_left_alone(tmp_path: Path) -> None:
    file = config.write(tmp_path, Sources())
    before = file.stat().st_ino

    assert config.write(tmp_path, Sources()).stat().st_ino == before
    assert config.write(tmp_path, Sources(offline=True)).stat().st_ino != before
    assert "direct" not in file.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["terraform.rc"]


def test_what_an_operator_adds_is_kept_and_goes_before_our_sources(tmp_path: Path) -> None:
    own = 'credentials "registry.example" {\n  token = "t"\n}\n'
    (tmp_path / "terraform.own.rc").write_text(own)
    ours = config.write(tmp_path).read_text()
    (tmp_path / "terraform.own.rc").write_text("provider_installation {\n  direct {}\n}\n")
    theirs = config.write(tmp_path).read_text()

    assert ours.endswith("}\n\n" + own)
    assert (theirs.count("provider_installation"), "filesystem_mirror" in theirs) == (1, False)


def test_a_configuration_that_was_filled_in_by_hand_becomes_the_operators_own(tmp_path: Path) -> None:
    (tmp_path / "terraform.rc").write_text("disable_checkpoint = true\n")

    written = config.write(tmp_path).read_text()

    assert (tmp_path / "terraform.own.rc").read_text() == "disable_checkpoint = true\n"
    assert written.endswith("\ndisable_checkpoint = true\n")
    assert config.write(tmp_path).read_text() == written


def test_a_mirror_may_have_any_name(tmp_path: Path) -> None:
    mirror = tiny(tmp_path / 'a "b" \\c ${d} ${e %{f é')
    lab = Lab(tmp_path / "home ${x", {"offline": "yes", "provider_mirror": str(mirror)})

    prepared = lab.prepared(needs())

    assert lab.providers(prepared) == {"tiny 1.0.0": str(mirror / "registry.terraform.io" / TINY / "1.0.0" / PLATFORM)}


def test_offline_a_provider_comes_from_the_homes_folder_by_a_link(lab: Lab) -> None:
    tiny(lab.home / "providers")

    assert lab.providers(lab.prepared(needs())) == {"tiny 1.0.0": kept(lab)}


def test_a_mirror_is_only_read_and_linked_to(lab: Lab, tmp_path: Path) -> None:
    mirror = tiny(tmp_path / "mirror")
    lab.given["provider_mirror"] = str(mirror)

    found = lab.providers(lab.prepared(needs()))

    assert found == {"tiny 1.0.0": str(mirror / "registry.terraform.io" / TINY / "1.0.0" / PLATFORM)}
    assert list((lab.home / "providers").iterdir()) == []


def test_a_packed_provider_of_a_mirror_is_unpacked_once(lab: Lab, tmp_path: Path) -> None:
    unpacked = tiny(tmp_path / "unpacked") / "registry.terraform.io" / TINY / "1.0.0" / PLATFORM
    packed = tmp_path / "mirror/registry.terraform.io" / TINY / f"terraform-provider-tiny_1.0.0_{PLATFORM}"
    packed.parent.mkdir(parents=True)
    shutil.make_archive(str(packed), "zip", unpacked)
    lab.given["provider_mirror"] = str(tmp_path / "mirror")

    one = lab.prepared(needs())
    two = lab.prepared(needs(version="~> 1.0"))

    assert lab.providers(one) == lab.providers(two) == {"tiny 1.0.0": kept(lab)}


def test_what_a_mirror_has_is_looked_for_nowhere_else(lab: Lab, tmp_path: Path) -> None:
    """There is no network here: who asked a registry would fail."""
    lab.given = {"provider_mirror": str(tiny(tmp_path / "mirror"))}

    assert list(lab.providers(lab.prepared(needs()))) == ["tiny 1.0.0"]


def test_offline_a_provider_that_is_missing_is_said_with_what_to_do(lab: Lab) -> None:
    with pytest.raises(ExternalFailure) as caught:
        lab.prepared(needs())

    assert "provider registry.terraform.io/acme/tiny was not found in any of the search locations" in str(caught.value)
    assert caught.value.hint == (
        f"offline is set: put it into {lab.home}/providers, as HOST/NAMESPACE/TYPE/VERSION/OS_ARCH, or fetch it where "
        "there is a network with: landform providers warm lab"
    )


def test_offline_a_version_that_is_missing_is_said_with_what_to_do(lab: Lab) -> None:
    tiny(lab.home / "providers")

    with pytest.raises(ExternalFailure, match="no available releases match") as caught:
        lab.prepared(needs(version="~> 2.0"))

    assert caught.value.hint.startswith("offline is set: put it into ")


def test_a_mirror_that_is_not_there_is_said_before_anything_is_asked(lab: Lab, tmp_path: Path) -> None:
    lab.given["provider_mirror"] = str(tmp_path / "gone")

    with pytest.raises(Invalid) as caught:
        lab.prepared(needs())

    assert caught.value.message == f"The provider mirror {tmp_path / 'gone'} is not a folder."


def test_an_init_that_reads_nothing_new_is_skipped(lab: Lab) -> None:
    tiny(lab.home / "providers")

    lab.prepared(needs())
    lab.prepared(needs())

    assert lab.inits == 1


def test_an_init_runs_again_for_each_thing_that_it_reads(lab: Lab, tmp_path: Path) -> None:
    tiny(lab.home / "providers")
    rc = tmp_path / "other.rc"
    rc.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{lab.home}/providers"\n  }}\n}}\n')
    counts = [lab.prepared(needs()) and lab.inits]

    lab.bundle = "c" * 64
    counts.append(lab.prepared(needs()) and lab.inits)
    lab.part = replace(PART, name=PartName.PIPELINE)
    counts.append(lab.prepared(needs()) and lab.inits)
    counts.append(lab.prepared(needs(), backend="s3") and lab.inits)
    lab.given["provider_mirror"] = str(tiny(tmp_path / "mirror"))
    counts.append(lab.prepared(needs()) and lab.inits)
    (lab.home / "terraform.own.rc").write_text("disable_checkpoint = true\n")
    counts.append(lab.prepared(needs()) and lab.inits)
    lab.run_env = {"TF_CLI_CONFIG_FILE": str(rc)}
    counts.append(lab.prepared(needs()) and lab.inits)
    rc.write_text(rc.read_text() + "disable_checkpoint = true\n")
    counts.append(lab.prepared(needs()) and lab.inits)

    assert counts == [1, 2, 3, 4, 5, 6, 7, 8]


def test_an_init_does_not_run_again_for_what_it_does_not_read(lab: Lab) -> None:
    tiny(lab.home / "providers")
    lab.prepared(needs())

    lab.run_env = {"AWS_REGION": "eu-west-1"}
    lab.given |= {"region": "eu-west-1", "plan_timeout_s": "7", "retries": "0"}
    tiny(lab.home / "providers", "1.1.0")

    assert list(lab.providers(lab.prepared(needs()))) == ["tiny 1.0.0"]
    assert lab.inits == 1


def test_an_init_runs_again_when_a_provider_was_removed(lab: Lab, tmp_path: Path) -> None:
    lab.given["provider_mirror"] = str(tiny(tmp_path / "mirror"))
    lab.prepared(needs())
    shutil.rmtree(tmp_path / "mirror/registry.terraform.io" / TINY / "1.0.0")
    tiny(tmp_path / "mirror", "1.1.0")

    assert list(lab.providers(lab.prepared(needs()))) == ["tiny 1.1.0"]
    assert lab.inits == 2


def test_a_home_that_was_moved_needs_no_init(lab: Lab, tmp_path: Path) -> None:
    tiny(lab.home / "providers")
    lab.prepared(needs())
    lab.home.rename(tmp_path / "moved")
    moved = Lab(tmp_path / "moved", lab.given)

    assert moved.providers(moved.prepared(needs())) == {"tiny 1.0.0": kept(moved)}
    assert moved.inits == 1


def test_the_lock_file_of_a_plan_goes_before_what_would_be_chosen_today(lab: Lab) -> None:
    """As on a machine that prepares the version later, when a newer provider is out."""
    tiny(lab.home / "providers")
    planned = lab.prepared(needs())
    tiny(lab.home / "providers", "1.1.0")
    seal.discard(lab.home / "prepared")
    today = lab.prepared(needs())

    applied = lab.prepared(needs(), planned.lock)

    assert list(lab.providers(today)) == ["tiny 1.1.0"]
    assert list(lab.providers(applied)) == ["tiny 1.0.0"]
    assert applied.with_lock({}) == {".terraform.lock.hcl": planned.lock}


def test_a_lock_file_that_does_not_know_the_homes_copy_has_it_fetched_from_elsewhere(lab: Lab, tmp_path: Path) -> None:
    """As a lock file from another system, which knows what the registry serves, but not our unpacked copy."""
    original = tiny(tmp_path / "mirror", content="as it was published")
    lab.given = {"provider_mirror": str(original)}
    lock = lab.prepared(needs()).lock
    assert lock is not None
    tiny(lab.home / "providers", content="something else")
    lab.bundle = "c" * 64

    prepared = lab.prepared({**needs(), ".terraform.lock.hcl": lock})

    assert lab.providers(prepared) == {
        "tiny 1.0.0": str(original / "registry.terraform.io" / TINY / "1.0.0" / PLATFORM)
    }


def test_an_init_that_was_killed_is_made_good_by_the_next(lab: Lab) -> None:
    tiny(lab.home / "providers")
    script = (
        "import os, signal\nfrom pathlib import Path\nfrom tests.terraform.test_providers import Lab, needs\n"
        "from engine.terraform import mirror\n"
        "mirror.Mirror.adopt = lambda self, data_dir: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"Lab(Path({str(lab.home)!r}), {lab.given!r}).prepared(needs())\n"
    )
    root = Path(__file__).parent.parent.parent
    killed = subprocess.run([sys.executable, "-c", script], cwd=root, check=False)
    left = len(list((lab.home / "prepared").glob(".building-*")))

    prepared = lab.prepared(needs())

    assert (killed.returncode, left) == (-signal.SIGKILL, 1)
    assert lab.providers(prepared) == {"tiny 1.0.0": kept(lab)}
    assert sorted(path.name for path in (lab.home / "prepared").iterdir()) == [".lock", prepared.data_dir.parent.name]


def test_processes_that_prepare_at_once_run_one_init(lab: Lab) -> None:
    tiny(lab.home / "providers")
    script = (
        "from pathlib import Path\nfrom tests.terraform.test_providers import Lab, needs\n"
        f"lab = Lab(Path({str(lab.home)!r}), {lab.given!r})\nprint(lab.providers(lab.prepared(needs())))\n"
    )
    root = Path(__file__).parent.parent.parent
    argv = [sys.executable, "-c", script]

    started = [subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {process.communicate()[0] for process in started}

    assert said == {f"{ {'tiny 1.0.0': kept(lab)} }\n"}
    assert lab.inits == 1


@needs_aws
def test_the_real_aws_provider_is_there_once_however_many_versions_use_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "home", {"offline": "yes", "provider_mirror": str(aws_provider.mirror())})

    one = lab.prepared(needs(AWS, "~> 3.0"))
    lab.bundle = "c" * 64
    two = lab.prepared(needs(AWS, "3.39.0"))

    original = str(aws_provider.mirror() / aws_provider.PACKAGE)
    assert lab.providers(one) == lab.providers(two) == {"aws 3.39.0": original}
    assert disk_kb(lab.home) < 1024


@needs_aws
def test_the_real_aws_provider_is_moved_into_the_homes_folder_and_not_copied(tmp_path: Path) -> None:
    """From the archive that was published, as from a registry: 37 MB, unpacked 173 MB."""
    archive = aws_provider.archive()
    assert archive is not None
    packed = tmp_path / "mirror/registry.terraform.io/hashicorp/aws"
    packed.mkdir(parents=True)
    (packed / archive.name).symlink_to(archive)
    lab = Lab(tmp_path / "home", {"offline": "yes", "provider_mirror": str(tmp_path / "mirror")})

    one = lab.prepared(needs(AWS, "~> 3.0"))
    lab.bundle = "c" * 64
    two = lab.prepared(needs(AWS, "3.39.0"))

    assert (
        lab.providers(one) == lab.providers(two) == {"aws 3.39.0": str(lab.home / "providers" / aws_provider.PACKAGE)}
    )
    assert disk_kb(lab.home / "providers") == pytest.approx(173_243, abs=100)
    assert disk_kb(lab.home / "prepared") < 1024


@needs_aws
def test_the_real_aws_provider_runs_from_where_it_is_linked(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "home", {"offline": "yes", "provider_mirror": str(aws_provider.mirror())})
    code = (
        needs(AWS, "~> 3.0")["main.tf"].replace(b"p = ", b"aws = ") + b'provider "aws" {\n  region = "eu-west-1"\n}\n'
    )
    prepared = lab.prepared({"main.tf": code})
    work = tmp_path / "work"
    work.mkdir()
    for name, content in prepared.with_lock({"main.tf": code}).items():
        (work / name).write_bytes(content)
    place = lab.place(work)
    place = replace(place, env={**place.env, "TF_DATA_DIR": str(prepared.data_dir)})

    ended = process.run(Terraform(Path(str(REAL)), "1.11.4").plan(place, tmp_path / "plan"), stop=Stop())

    assert ended.code == 0


def disk_kb(folder: Path) -> int:
    """What the folder takes on disk, links not followed."""
    return int(subprocess.run(["du", "-sk", str(folder)], check=True, capture_output=True, text=True).stdout.split()[0])
