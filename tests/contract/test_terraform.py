"""What Landform relies on in Terraform: the fake one and the real one run through the same cases."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.core.plans import Action, Change, OutputChange
from engine.errors import ExternalFailure, Invalid
from engine.external import alive, process
from engine.external.process import Command, Ended, Stop
from engine.terraform import cli, config
from engine.terraform.cli import Outcome, Place, Surroundings, Terraform
from engine.terraform.collector import Collector

REAL = shutil.which("terraform")
PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass
class Lab:
    """One workspace and a Terraform for it."""

    terraform: Terraform
    folder: Path
    run_env: dict[str, str] = field(default_factory=dict)
    timeout_s: float = 60
    grace_s: float = 30

    @property
    def place(self) -> Place:
        surroundings = Surroundings(PATH, self.folder, self.folder, self.folder / ".data", config.write(self.folder))
        env = cli.environment(surroundings, self.run_env)
        return Place(self.folder, env, self.timeout_s, self.grace_s)

    @property
    def out(self) -> Path:
        return self.folder / "plan.bin"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def write(self, **members: object) -> None:
        self.folder.joinpath("main.tf.json").write_text(json.dumps(members))

    def run(self, command: Command, stop: Stop | None = None) -> tuple[Ended, Collector]:
        collector = Collector()
        return process.run(
            command, stop=stop or Stop(), on_line=lambda line: collector.feed(line) and None, log=self.log
        ), collector

    def init(self) -> Outcome:
        return cli.outcome(self.run(self.terraform.init(self.place))[0])

    def plan(self, *, destroy: bool = False) -> tuple[Outcome, Collector]:
        ended, collector = self.run(self.terraform.plan(self.place, self.out, destroy=destroy))
        return cli.plan_outcome(ended), collector

    def apply(self) -> tuple[Outcome, Collector]:
        ended, collector = self.run(self.terraform.apply(self.place, self.out))
        return cli.outcome(ended), collector


def fake(folder: Path) -> Path:
    """An executable that behaves like Terraform."""
    program = folder / "terraform"
    script = Path(__file__).with_name("fake_terraform.py")
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -SE {script} "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture(
    params=[
        "fake",
        pytest.param(
            "real",
            marks=[pytest.mark.terraform, pytest.mark.skipif(REAL is None, reason="terraform is not on PATH")],
        ),
    ]
)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Lab:
    folder = tmp_path / "work"
    folder.mkdir()
    program = fake(tmp_path) if request.param == "fake" else Path(str(REAL))
    made = Lab(Terraform(program, "1.11.4"), folder)
    made.write(resource={"terraform_data": {"a": {"input": "one"}}}, output={"word": {"value": "hello"}})
    assert made.init() is Outcome.DONE
    return made


def with_command(command: str) -> dict[str, object]:
    """A resource that runs a command when it is made."""
    return {"terraform_data": {"a": {"provisioner": [{"local-exec": {"command": command}}]}}}


def test_a_plan_with_changes_says_what_they_are(lab: Lab) -> None:
    outcome, said = lab.plan()

    assert outcome is Outcome.CHANGES
    assert said.summary.changes == (Change("terraform_data.a", Action.CREATE),)
    assert said.summary.outputs == (OutputChange("word", "create", False),)
    assert said.terraform_version == "1.11.4"


def test_a_plan_is_for_its_owner_only(lab: Lab) -> None:
    lab.plan()

    assert stat.S_IMODE(lab.out.stat().st_mode) == 0o600


def test_an_apply_says_what_is_finished_and_gives_the_outputs(lab: Lab) -> None:
    lab.plan()

    outcome, said = lab.apply()

    assert outcome is Outcome.DONE
    assert (said.finished, said.unfinished, said.failed) == (("terraform_data.a",), (), ())
    assert said.outputs == {"word": {"type": "string", "value": "hello", "sensitive": False}}


def test_a_plan_after_the_apply_finds_nothing(lab: Lab) -> None:
    lab.plan()
    lab.apply()

    outcome, said = lab.plan()

    assert outcome is Outcome.UNCHANGED
    assert said.summary.is_empty


def test_a_plan_that_changes_an_output_only_has_changes(lab: Lab) -> None:
    lab.plan()
    lab.apply()
    lab.write(resource={"terraform_data": {"a": {"input": "one"}}}, output={"word": {"value": "goodbye"}})

    outcome, said = lab.plan()

    assert outcome is Outcome.CHANGES
    assert not said.summary.is_empty
    assert said.summary.outputs == (OutputChange("word", "update", False),)


def test_destroying_is_a_plan_and_an_apply_of_it(lab: Lab) -> None:
    lab.plan()
    lab.apply()

    planned, said = lab.plan(destroy=True)
    applied, _ = lab.apply()

    assert (planned, applied) == (Outcome.CHANGES, Outcome.DONE)
    assert said.summary.changes == (Change("terraform_data.a", Action.DELETE),)
    assert lab.plan(destroy=True)[0] is Outcome.UNCHANGED


def test_a_plan_of_broken_code_fails_and_says_where(lab: Lab) -> None:
    lab.folder.joinpath("main.tf.json").write_text('{\n  "resource": oops\n}\n')

    outcome, said = lab.plan()

    assert outcome is Outcome.FAILED
    assert {(problem.file, problem.line) for problem in said.diagnostics} == {("main.tf.json", 2)}


def test_an_apply_that_fails_names_the_resource(lab: Lab) -> None:
    lab.write(resource=with_command("echo doomed; exit 3"))
    lab.plan()

    outcome, said = lab.apply()

    assert outcome is Outcome.FAILED
    assert said.failed == ("terraform_data.a",)
    assert [(problem.summary, problem.address) for problem in said.diagnostics] == [
        ("local-exec provisioner error", "terraform_data.a")
    ]


def test_an_apply_of_a_missing_plan_fails(lab: Lab) -> None:
    outcome, said = lab.apply()

    assert outcome is Outcome.FAILED
    assert said.diagnostics[0].summary == f'Failed to load "{lab.out}" as a plan file'


def test_a_sensitive_output_has_no_value_in_the_stream_or_the_log(lab: Lab) -> None:
    lab.write(output={"password": {"value": "hunter2", "sensitive": True}})
    lab.plan()

    _, said = lab.apply()

    assert said.outputs == {"password": {"type": "string", "sensitive": True}}
    assert b"hunter2" not in lab.log.read_bytes()


def test_what_a_provisioner_prints_loses_its_escape_sequences(lab: Lab) -> None:
    lab.write(resource=with_command(r"printf '\033[31mred\033[0m\n'"))
    lab.plan()
    heard: list[str] = []
    collector = Collector()

    process.run(
        lab.terraform.apply(lab.place, lab.out),
        stop=Stop(),
        on_line=lambda line: heard.append(collector.feed(line).text),
    )

    assert "terraform_data.a: (local-exec): red" in heard


@pytest.mark.parametrize("stubborn", ["sleep 60", "trap '' INT TERM; sleep 60 & wait"])
def test_a_cancelled_apply_leaves_nothing_running(lab: Lab, stubborn: str) -> None:
    lab.write(resource=with_command(f"echo begun; {stubborn}"))
    lab.plan()
    stop, collector = Stop(), Collector()
    groups: list[int] = []

    def hear(line: str) -> None:
        if collector.feed(line).text.endswith("(local-exec): begun"):
            stop.request()

    ended = process.run(
        lab.terraform.apply(lab.place, lab.out),
        stop=stop,
        on_line=hear,
        on_start=lambda who: groups.append(int(who["pid"])),
    )

    assert (ended.code, cli.outcome(ended)) == (1, Outcome.CANCELLED)
    assert process.group_alive(groups[0]) is False


def test_an_apply_whose_time_is_over_is_stopped(lab: Lab) -> None:
    lab.write(resource=with_command("sleep 60"))
    lab.plan()
    lab.timeout_s = 1

    outcome, said = lab.apply()

    assert outcome is Outcome.TIMED_OUT
    assert said.finished == ()


def test_when_the_worker_is_killed_terraform_stops_and_keeps_what_it_made(lab: Lab) -> None:
    lab.write(resource=with_command("echo begun; sleep 60"))
    lab.plan()
    lab.log.unlink()
    worker = f"""
        import os, signal
        from pathlib import Path
        from engine.external.process import Stop, run
        from engine.terraform.cli import Place, Terraform
        folder = Path({str(lab.folder)!r})
        command = Terraform(Path({str(lab.terraform.program)!r}), "1.11.4").apply(
            Place(folder, {lab.place.env!r}, 60, 30), folder / "plan.bin")
        run(command, stop=Stop(), log=folder / "log",
            on_start=lambda who: (folder / "group").write_text(str(who["pid"])),
            on_line=lambda line: "exec): begun" in line and os.kill(os.getpid(), signal.SIGKILL))
    """

    subprocess.run((sys.executable, "-c", textwrap.dedent(worker)), cwd=Path(__file__).parents[2], check=False)

    follow = Command(
        ("/bin/sh", "-c", "until grep -q '\"diagnostic\"' log; do sleep 0.02; done"), lab.folder, {"PATH": PATH}, 20, 0
    )
    assert process.run(follow, stop=Stop()).code == 0
    assert alive.sweep(int((lab.folder / "group").read_text())) == ()
    said = Collector()
    for line in lab.log.read_text().splitlines():
        said.feed(line)
    assert said.failed == ("terraform_data.a",)
    assert {problem.summary for problem in said.diagnostics} >= {"local-exec provisioner error"}


def test_the_caller_s_environment_does_not_matter(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_ARGS_plan", "-destroy")
    monkeypatch.setenv("TF_CLI_ARGS_apply", "-no-such-flag")
    monkeypatch.setenv("TF_WORKSPACE", "elsewhere")
    monkeypatch.setenv("TF_LOG", "TRACE")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/no/such/file")
    lab.write(resource=with_command("env | sort | cut -d= -f1 | grep -E '^(TF_|GO|CHECK|HOME|PATH|TMP|MINE)'"))
    lab.run_env = {"MINE": "yes"}

    lab.plan()
    outcome, _ = lab.apply()

    names = {json.loads(line).get("hook", {}).get("output") for line in lab.log.read_text().splitlines()} - {None}
    assert outcome is Outcome.DONE
    assert {name for name in names if not name.startswith("Executing")} == {
        "CHECKPOINT_DISABLE",
        "GOGC",
        "HOME",
        "MINE",
        "PATH",
        "TF_CLI_CONFIG_FILE",
        "TF_DATA_DIR",
        "TF_INPUT",
        "TF_IN_AUTOMATION",
        "TF_WORKSPACE",
        "TMPDIR",
    }


def test_a_plan_can_be_shown_in_words(lab: Lab) -> None:
    lab.plan()

    assert "# terraform_data.a will be created" in lab.terraform.show_plan(lab.place, lab.out)


def test_a_plan_that_is_not_there_cannot_be_shown(lab: Lab) -> None:
    with pytest.raises(ExternalFailure, match=r"^terraform show ended with exit code 1: "):
        lab.terraform.show_plan(lab.place, lab.out)


def test_an_operator_s_variables_are_added_but_cannot_replace_ours(tmp_path: Path) -> None:
    surroundings = Surroundings("/bin", tmp_path, tmp_path, tmp_path / "data", tmp_path / "rc")

    env = cli.environment(
        surroundings, {"AWS_REGION": "eu-west-1", "TF_CLI_CONFIG_FILE": "/etc/mirror.rc", "GOGC": "100"}
    )

    assert env == {
        "PATH": "/bin",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "TF_DATA_DIR": str(tmp_path / "data"),
        "TF_CLI_CONFIG_FILE": "/etc/mirror.rc",
        "TF_WORKSPACE": "default",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "GOGC": "100",
        "AWS_REGION": "eu-west-1",
    }
    with pytest.raises(Invalid) as refused:
        cli.environment(surroundings, {"TF_WORKSPACE": "x", "TF_CLI_ARGS_apply": "-auto-approve"})
    assert [problem.field for problem in refused.value.problems] == [
        "run_env.TF_WORKSPACE",
        "run_env.TF_CLI_ARGS_apply",
    ]


def test_the_commands_are_spelt_as_terraform_wants_them(tmp_path: Path) -> None:
    place, out = Place(tmp_path, {}, 60, 30), tmp_path / "p"
    terraform = Terraform(Path("/opt/my tools/terraform"), "1.11.4")
    tofu = Terraform(Path("/usr/bin/tofu"), "1.9.0")

    assert terraform.init(place, backend=False).argv == (
        *(
            "/opt/my tools/terraform",
            "init",
            "-json",
            "-no-color",
            "-input=false",
            "-backend=false",
            "-get=true",
            "-upgrade=false",
        ),
    )
    assert tofu.init(place).argv[2:] == ("-no-color", "-input=false", "-backend=true", "-get=true", "-upgrade=false")
    assert terraform.plan(place, out, destroy=True, refresh=False).argv[1:] == (
        *("plan", "-json", "-no-color", "-detailed-exitcode", "-destroy", "-input=false"),
        *("-lock-timeout=60s", "-refresh=false", f"-out={out}"),
    )
    assert terraform.apply(place, out).argv[1:] == (
        *("apply", "-json", "-no-color", "-input=false", "-lock-timeout=60s", str(out)),
    )


@pytest.mark.parametrize(
    ("code", "reason", "planned", "applied"),
    [
        (0, "exited", Outcome.UNCHANGED, Outcome.DONE),
        (2, "exited", Outcome.CHANGES, Outcome.UNKNOWN),
        (1, "exited", Outcome.FAILED, Outcome.FAILED),
        (1, "cancelled", Outcome.CANCELLED, Outcome.CANCELLED),
        (0, "cancelled", Outcome.UNCHANGED, Outcome.DONE),
        (-2, "cancelled", Outcome.CANCELLED, Outcome.CANCELLED),
        (-2, "exited", Outcome.FAILED, Outcome.UNKNOWN),
        (1, "timed out", Outcome.TIMED_OUT, Outcome.TIMED_OUT),
        (-9, "killed", Outcome.UNKNOWN, Outcome.UNKNOWN),
        (11, "exited", Outcome.FAILED, Outcome.UNKNOWN),
        (-11, "cancelled", Outcome.CANCELLED, Outcome.UNKNOWN),
    ],
)
def test_what_an_ending_means(code: int, reason: str, planned: Outcome, applied: Outcome) -> None:
    ended = Ended(code, process.Reason(reason), 1.0)

    assert (cli.plan_outcome(ended), cli.outcome(ended)) == (planned, applied)
