"""What is tried again, how often and how far apart, and what is not; no test waits for real."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.core.address import environment
from engine.core.bundle import Facts, Part, PartName
from engine.core.runs import Operation
from engine.core.versions import TemplateKind
from engine.errors import Cancelled, ExternalFailure, OutcomeUnknown, Transient
from engine.external.process import Command, Stop
from engine.terraform.cli import Outcome
from engine.terraform.events import Event
from engine.worker.following import Step, follow
from engine.worker.journal import Journal
from engine.worker.patience import Patience, pause
from engine.worker.work import Repository, Work

PART = Part(PartName.INFRASTRUCTURE, "hcl", (), ())
WORK = Work(
    run_id=1,
    fence=1,
    address=environment("prod"),
    operation=Operation.DEPLOY,
    template="lab",
    bundle="b",
    facts=Facts(TemplateKind.ENVIRONMENT, False, {PartName.INFRASTRUCTURE: PART}),
    inputs={},
    environment=None,
    repository=Repository(),
    run_env={},
    planned_with={},
)
THROTTLED = "Throttling: Rate exceeded"
SCRIPT = """\
#!/bin/sh
# line n of the script is what the n-th call says and its exit code; the last line counts for all that follow
echo x >> calls
n=$(wc -l < calls)
line=$(sed -n "${n}p" answers)
[ -n "$line" ] || line=$(tail -n 1 answers)
code=${line%% *}
[ "$code" = kill ] && kill -9 $$
printf "%b\\n" "${line#* }"
exit "$code"
"""


def error(summary: str, code: int = 1) -> str:
    """An answer that ends with an error."""
    diagnostic = {"severity": "error", "summary": summary, "detail": ""}
    line = {"@level": "error", "@message": f"Error: {summary}", "type": "diagnostic", "diagnostic": diagnostic}
    return f"{code} {json.dumps(line)}"


DONE = '0 {"@level":"info","@message":"done","type":"log"}'
CHANGES = '2 {"@level":"info","@message":"planned","type":"log"}'


@dataclass
class Lab:
    """A Terraform that answers as it is told, and a sleeper that only takes notes."""

    folder: Path
    stop: Stop = field(default_factory=Stop)
    waits: list[float] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    retries: int = 3
    timeout_s: float = 30

    def answers(self, *lines: str) -> None:
        self.folder.joinpath("answers").write_text("\n".join(lines) + "\n")
        program = self.folder / "terraform"
        program.write_text(SCRIPT)
        program.chmod(0o755)

    @property
    def calls(self) -> int:
        return len(self.folder.joinpath("calls").read_text().splitlines())

    def watch(self, phase: str, event: Event | None) -> None:
        self.told.append((phase, event.text if event else ""))

    def sleep(self, _stop: Stop, seconds: float) -> None:
        self.waits.append(seconds)

    def follow(self, phase: str) -> Outcome:
        command = Command(("./terraform", phase), self.folder, {"PATH": "/usr/bin:/bin"}, self.timeout_s, 0.1)
        with Journal(self.folder / "run", ["hunter22"], self.watch) as journal:
            patience = Patience(self.retries, chance=lambda: 0.5, pause=self.sleep)
            return follow(command, phase, Step(WORK, PART, self.stop, journal, patience))[0]

    @property
    def log(self) -> list[str]:
        return self.folder.joinpath("run/log").read_text().splitlines()

    @property
    def retry_events(self) -> list[dict]:
        lines = map(json.loads, self.folder.joinpath("run/events.jsonl").read_text().splitlines())
        return [line["retry"] for line in lines if line["type"] == "retry"]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.mark.parametrize(
    ("phase", "good", "outcome"), [("init", DONE, Outcome.DONE), ("plan", CHANGES, Outcome.CHANGES)]
)
def test_an_init_or_a_plan_that_was_throttled_is_tried_again(lab: Lab, phase: str, good: str, outcome: Outcome) -> None:
    lab.answers(error(THROTTLED), error("i/o timeout"), good)

    assert lab.follow(phase) is outcome
    assert (lab.calls, lab.waits) == (3, [1.5, 3.0])


def test_each_retry_is_a_line_of_the_log_an_event_and_told_to_who_watches(lab: Lab) -> None:
    lab.answers(error(THROTTLED), CHANGES)

    lab.follow("plan")

    line = "terraform plan failed because a service was asked too often. It is tried again in 2 s (retry 1)."
    assert lab.log == ["Throttling: Rate exceeded", line, "planned"]
    assert lab.retry_events == [{"phase": "plan", "kind": "throttled", "retry": 1, "wait_s": 1.5}]
    assert ("plan", line) in lab.told


def test_what_passes_too_late_is_a_failure_that_says_its_kind(lab: Lab) -> None:
    lab.answers(error(THROTTLED))

    with pytest.raises(Transient) as caught:
        lab.follow("plan")

    assert (lab.calls, lab.waits) == (4, [1.5, 3.0, 6.0])
    assert caught.value.kind == "throttled"
    assert caught.value.message == "terraform plan ended with exit code 1:\nThrottling: Rate exceeded"
    assert caught.value.hint == "This may pass by itself, because a service was asked too often: try again later."


def test_with_no_retries_set_nothing_is_tried_again(lab: Lab) -> None:
    lab.retries = 0
    lab.answers(error(THROTTLED), CHANGES)

    with pytest.raises(Transient):
        lab.follow("plan")

    assert (lab.calls, lab.waits) == (1, [])


def test_an_apply_is_never_tried_again_by_itself_but_says_that_it_may_pass(lab: Lab) -> None:
    lab.answers(error(THROTTLED), DONE)

    with pytest.raises(Transient) as caught:
        lab.follow("apply")

    assert (lab.calls, caught.value.kind) == (1, "throttled")


@pytest.mark.parametrize(
    "answer", [error("Unsupported argument"), f"1 {THROTTLED}", error("Error acquiring the state lock")]
)
def test_a_lasting_failure_a_word_beside_the_errors_and_a_held_lock_are_not_tried_again(lab: Lab, answer: str) -> None:
    lab.answers(answer, CHANGES)

    with pytest.raises(ExternalFailure) as caught:
        lab.follow("plan")

    assert (lab.calls, type(caught.value)) == (1, ExternalFailure)


def test_one_lasting_error_among_passing_ones_ends_it(lab: Lab) -> None:
    passing, lasting = error(THROTTLED).partition(" ")[2], error("Unsupported argument").partition(" ")[2]
    lab.answers(f"1 {passing}\\n{lasting}", CHANGES)

    with pytest.raises(ExternalFailure) as caught:
        lab.follow("plan")

    assert (lab.calls, type(caught.value)) == (1, ExternalFailure)


@pytest.mark.parametrize(("phase", "expected"), [("plan", Cancelled), ("apply", OutcomeUnknown)])
def test_what_was_killed_is_not_tried_again(lab: Lab, phase: str, expected: type[Exception]) -> None:
    lab.answers("kill x", CHANGES)

    with pytest.raises(expected):
        lab.follow(phase)

    assert lab.calls == 1


def test_a_stop_while_it_waits_ends_it_without_another_try(lab: Lab) -> None:
    lab.answers(error(THROTTLED), CHANGES)
    lab.sleep = lambda stop, _seconds: stop.request()

    with pytest.raises(Cancelled, match="before it was tried again"):
        lab.follow("plan")

    assert lab.calls == 1


def test_a_stop_ends_a_real_wait_at_once() -> None:
    stop, begun = Stop(), time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(pause, stop, 600)
        stop.request()
        waiting.result(30)

    assert time.monotonic() - begun < 30


def test_a_stop_that_came_before_the_wait_counts_too() -> None:
    stop, begun = Stop(), time.monotonic()
    stop.request()

    pause(stop, 600)

    assert time.monotonic() - begun < 30


def test_secrets_are_taken_out_of_what_is_said_of_a_retry(lab: Lab) -> None:
    lab.answers(error(f"{THROTTLED} for hunter22"))

    with pytest.raises(Transient) as caught:
        lab.follow("plan")

    assert "hunter22" not in caught.value.message + "\n".join(lab.log)


def test_a_plan_that_does_not_stop_when_its_time_is_over_took_too_long_and_nobody_stopped_it(lab: Lab) -> None:
    lab.timeout_s = 0.2
    program = lab.folder / "terraform"
    program.write_text("#!/bin/sh\ntrap '' INT TERM\nwhile :; do sleep 1; done\n")
    program.chmod(0o755)

    with pytest.raises(ExternalFailure, match=r"^terraform plan took longer than allowed and was stopped\.$"):
        lab.follow("plan")
