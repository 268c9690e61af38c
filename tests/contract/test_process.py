"""What run() promises about a program, its children and its output."""

from __future__ import annotations

import dataclasses
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from engine.errors import ExternalFailure
from engine.external import alive, process
from engine.external.launch import TooMuch
from engine.external.lines import LIMIT
from engine.external.process import Command, Ended, Reason, Stop
from tests.scenarios.workers import until

ENV = {"PATH": "/usr/bin:/bin"}


def sh(
    script: str, folder: Path, *, timeout_s: float = 60, grace_s: float = 30, env: dict[str, str] | None = None
) -> Command:
    return Command(("/bin/sh", "-c", script), folder, ENV if env is None else env, timeout_s, grace_s)


class Listener:
    """Keeps lines and identity; pulls the stop at a line that was waited for."""

    def __init__(self, stop: Stop | None = None, at: str = "ready") -> None:
        self.stop = stop
        self.at = at
        self.lines: list[str] = []
        self.pid = 0

    def hear(self, line: str) -> None:
        self.lines.append(line)
        if self.stop and line == self.at:
            self.stop.request()

    def meet(self, who: alive.Identity) -> None:
        self.pid = int(who["pid"])


def run(command: Command, listener: Listener, stop: Stop | None = None, log: Path | None = None) -> Ended:
    return process.run(
        command, stop=stop or listener.stop or Stop(), on_line=listener.hear, on_start=listener.meet, log=log
    )


def test_a_program_that_ends_by_itself_gives_its_code_and_every_line(tmp_path: Path) -> None:
    listener = Listener()

    ended = run(sh("echo out; echo err >&2; printf last; exit 7", tmp_path), listener)

    assert (ended.code, ended.reason, ended.survivors) == (7, Reason.EXITED, ())
    assert listener.lines == ["out", "err", "last"]


def test_the_environment_is_exactly_what_is_given(tmp_path: Path) -> None:
    listener = Listener()

    run(Command(("/usr/bin/env",), tmp_path, {"ONLY": "this"}, 60, 30), listener)

    assert listener.lines == ["ONLY=this"]


def test_a_program_has_its_own_session_a_strict_umask_and_no_input(tmp_path: Path) -> None:
    listener = Listener()

    run(sh("umask; cat; ps -o sid= -p $$ | tr -d ' '; pwd", tmp_path), listener)

    assert listener.lines == ["0077", str(listener.pid), str(tmp_path)]


def test_the_log_holds_the_raw_bytes_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"before\n")
    log.chmod(0o644)
    listener = Listener()

    run(sh(r"printf '\033[31mred\033[0m\nno newline'", tmp_path), listener, log=log)

    assert log.read_bytes() == b"before\n\x1b[31mred\x1b[0m\nno newline"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert listener.lines == ["red", "no newline"]


def test_the_log_is_written_while_the_program_runs(tmp_path: Path) -> None:
    log = tmp_path / "log"
    seen: list[bytes] = []

    process.run(
        sh("echo one; sleep 0.2; echo two", tmp_path),
        stop=Stop(),
        on_line=lambda _: seen.append(log.read_bytes()),
        log=log,
    )

    assert seen == [b"one\n", b"one\ntwo\n"]


def test_a_log_that_cannot_be_opened_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(
        ExternalFailure, match=r"^The log .*/missing/log cannot be written: No such file or directory\.$"
    ):
        run(sh("touch started", tmp_path), Listener(), log=tmp_path / "missing/log")

    assert list(tmp_path.iterdir()) == []


def test_a_log_that_is_full_stops_the_program(tmp_path: Path) -> None:
    with pytest.raises(ExternalFailure, match=r"^The log /dev/full cannot be written: No space left on device\.$"):
        run(
            sh("trap 'touch asked; exit 1' INT; echo ready; sleep 0.3; sleep 60", tmp_path),
            Listener(),
            log=Path("/dev/full"),
        )

    assert (tmp_path / "asked").exists()


def test_a_line_that_is_too_long_is_cut_and_the_next_one_is_whole(tmp_path: Path) -> None:
    listener = Listener()

    run(sh(f"head -c {3 * LIMIT} /dev/zero | tr '\\0' x; echo; echo next", tmp_path), listener)

    assert [len(line) for line in listener.lines] == [LIMIT, 4]
    assert listener.lines[1] == "next"


def test_bytes_that_are_no_text_do_not_hurt(tmp_path: Path) -> None:
    listener = Listener()

    run(sh(r"head -c 200000 /dev/urandom; printf '\n\377\376 end\n'", tmp_path), listener)

    assert listener.lines[-1] == "\ufffd\ufffd end"


def test_a_request_is_one_sigint_to_the_program_and_not_to_its_children(tmp_path: Path) -> None:
    stop = Stop()
    listener = Listener(stop)
    child = "sh -c 'trap \"echo child interrupted\" INT; sleep 0.5; sleep 0.1; echo child done' &"

    ended = run(sh(f"trap 'echo interrupted' INT; {child} echo ready; wait; wait; exit 3", tmp_path), listener)

    assert listener.lines == ["ready", "interrupted", "child done"]
    assert (ended.code, ended.reason) == (3, Reason.CANCELLED)


def test_a_second_request_sends_no_second_sigint(tmp_path: Path) -> None:
    stop = Stop()
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        stop.request()

    process.run(sh("trap 'echo interrupted' INT; echo ready; sleep 0.3; sleep 0.3", tmp_path), stop=stop, on_line=hear)

    assert lines == ["ready", "interrupted"]


def test_a_program_that_ignores_the_request_is_killed_after_the_grace_with_its_whole_group(tmp_path: Path) -> None:
    stop = Stop()
    listener = Listener(stop)
    stubborn = "sh -c 'trap \"\" INT TERM HUP; sleep 60; sleep 60' &"

    ended = run(sh(f"trap '' INT TERM; {stubborn} echo ready; sleep 60; sleep 60", tmp_path, grace_s=0.2), listener)

    assert (ended.code, ended.reason) == (-signal.SIGKILL, Reason.KILLED)
    assert process.group_alive(listener.pid) is False
    assert 0.2 <= ended.duration_s < 5


def test_force_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    stop = Stop()
    heard: list[str] = []

    def hear(line: str) -> None:
        heard.append(line)
        stop.force()

    ended = process.run(
        sh("trap '' INT; echo ready; sleep 60; sleep 60", tmp_path, grace_s=60), stop=stop, on_line=hear
    )

    assert (ended.reason, heard) == (Reason.KILLED, ["ready"])
    assert ended.duration_s < 5


def test_a_request_from_another_thread_wakes_a_silent_program(tmp_path: Path) -> None:
    stop = Stop()
    timer = threading.Timer(0.1, stop.request)
    timer.start()

    ended = run(Command(("/bin/sleep", "60"), tmp_path, ENV, 60, 30), Listener(), stop)

    timer.join()
    assert (ended.code, ended.reason) == (-signal.SIGINT, Reason.CANCELLED)
    assert ended.duration_s < 5


def test_a_request_from_a_signal_handler_wakes_a_silent_program(tmp_path: Path) -> None:
    stop = Stop()
    before = signal.signal(signal.SIGALRM, lambda *_: stop.request())
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        ended = run(Command(("/bin/sleep", "60"), tmp_path, ENV, 60, 30), Listener(), stop)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert (ended.code, ended.reason) == (-signal.SIGINT, Reason.CANCELLED)


def test_a_request_made_before_the_start_starts_nothing(tmp_path: Path) -> None:
    stop = Stop()
    stop.request()

    ended = run(sh("touch started", tmp_path), Listener(), stop)

    assert (ended.reason, list(tmp_path.iterdir())) == (Reason.CANCELLED, [])


def test_a_program_whose_time_is_over_is_asked_to_stop(tmp_path: Path) -> None:
    ended = run(sh("trap 'exit 1' INT; sleep 0.4; sleep 0.4; sleep 60", tmp_path, timeout_s=0.1), Listener())

    assert (ended.code, ended.reason) == (1, Reason.TIMED_OUT)


def test_children_left_behind_are_ended_before_run_returns(tmp_path: Path) -> None:
    listener = Listener()

    ended = run(sh("sleep 60 & sh -c 'trap \"\" TERM; sleep 60; sleep 60' & exit 0", tmp_path), listener)

    assert (ended.code, ended.reason, ended.survivors) == (0, Reason.EXITED, ())
    assert process.group_alive(listener.pid) is False


def test_a_daemon_that_left_the_group_lives_and_does_not_hold_the_reader(tmp_path: Path) -> None:
    listener = Listener()

    ended = run(
        sh("setsid sh -c 'echo $$ > pid; exec sleep 60' & while ! [ -s pid ]; do :; done; echo end", tmp_path), listener
    )

    daemon = int((tmp_path / "pid").read_text())
    assert process.group_alive(daemon) is True
    os.killpg(daemon, signal.SIGKILL)
    assert (ended.code, listener.lines) == (0, ["end"])
    assert ended.duration_s < 5


def test_a_program_that_closes_its_output_is_waited_for(tmp_path: Path) -> None:
    ended = run(sh("exec >&- 2>&-; sleep 0.2; exit 4", tmp_path), Listener())

    assert ended.code == 4


def test_the_end_is_noticed_at_once(tmp_path: Path) -> None:
    durations = [run(Command(("/bin/true",), tmp_path, ENV, 60, 30), Listener()).duration_s for _ in range(10)]

    assert min(durations) < 0.02


def test_a_listener_that_fails_stops_the_program_and_gets_its_error_back(tmp_path: Path) -> None:
    groups: list[int] = []

    def fail(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match=r"^ready$"):
        process.run(
            sh("trap 'touch asked; exit 1' INT; echo ready; sleep 0.3; sleep 60", tmp_path),
            stop=Stop(),
            on_line=fail,
            on_start=lambda who: groups.append(int(who["pid"])),
        )

    assert (tmp_path / "asked").exists()
    assert process.group_alive(groups[0]) is False


@pytest.mark.parametrize(
    ("argv", "folder"),
    [(("/no/such/program",), "."), (("/bin/true",), "missing"), (("/etc/passwd",), "."), (("/bin/true", "a\0b"), ".")],
)
def test_a_program_that_cannot_be_started_is_named(argv: tuple[str, ...], folder: str, tmp_path: Path) -> None:
    with pytest.raises(ExternalFailure, match=f"^{argv[0]} cannot be started in "):
        run(Command(argv, tmp_path / folder, ENV, 60, 30), Listener())


def test_the_end_is_noticed_where_the_kernel_cannot_watch_a_process(tmp_path: Path) -> None:
    with subprocess.Popen(("/bin/cat",), stdin=subprocess.PIPE) as program:
        fd = process._fd_of_waiter(program)
        program.communicate()

        assert os.read(fd, 1) == b""
    os.close(fd)


def test_when_python_is_killed_the_program_is_asked_to_stop_can_still_speak_and_leaves_nothing(tmp_path: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from engine.external.process import Command, Stop, run
        folder = Path({str(tmp_path)!r})
        program = "exec 9>held; trap 'echo asked; echo asked >&9; exit' INT; sleep 60 & echo ready; wait; wait"
        run(Command(("/bin/sh", "-c", program), folder, {ENV!r}, 60, 1), stop=Stop(), log=folder / "log",
            on_line=lambda line: os.kill(os.getpid(), signal.SIGKILL))
    """
    os.mkfifo(tmp_path / "held")
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)

    killed = subprocess.run((sys.executable, "-c", textwrap.dedent(script)), cwd=Path(__file__).parents[2], check=False)

    os.set_blocking(held, True)
    with open(held) as file:
        # it ends when the last process that holds it has ended
        assert file.read() == "asked\n"
    assert killed.returncode == -signal.SIGKILL
    # who copies it ends by itself, a moment after the program
    until(lambda: (tmp_path / "log").read_text() == "ready\nasked\n")


def test_when_python_is_killed_as_soon_as_it_has_started_the_program_that_is_asked_to_stop_too(tmp_path: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from engine.external.process import Command, Stop, run

        class Deadly(float):
            def __radd__(self, other):
                # the first thing that is computed once the program has started
                os.kill(os.getpid(), signal.SIGKILL)

        program = "exec 9>held; exec sleep 60"
        run(Command(("/bin/sh", "-c", program), Path({str(tmp_path)!r}), {ENV!r}, Deadly(60), 1), stop=Stop())
    """
    os.mkfifo(tmp_path / "held")
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)

    killed = subprocess.run((sys.executable, "-c", textwrap.dedent(script)), cwd=Path(__file__).parents[2], check=False)

    os.set_blocking(held, True)
    began = time.monotonic()
    with open(held) as file:
        # it ends when the last process that holds it has ended
        assert file.read() == ""
    assert (killed.returncode, time.monotonic() - began < 10) == (-signal.SIGKILL, True)


def leased(script: str, folder: Path, *, grace_s: float = 30, lease_s: float = 0.5) -> Command:
    """A shell script that may run as long as the file `lease` in its folder is touched."""
    (folder / "lease").touch()
    return dataclasses.replace(sh(script, folder, grace_s=grace_s), lease=folder / "lease", lease_s=lease_s)


def test_a_program_whose_lease_is_not_renewed_is_asked_to_stop(tmp_path: Path) -> None:
    ended = run(leased("trap 'exit 4' INT; while :; do sleep 0.1; done", tmp_path), Listener())

    assert (ended.code, ended.reason) == (4, Reason.CANCELLED)
    assert 0.4 <= ended.duration_s < 3


def test_a_program_whose_lease_is_renewed_is_left_alone(tmp_path: Path) -> None:
    ended = run(leased("for n in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; touch lease; done; exit 4", tmp_path), Listener())

    assert (ended.code, ended.reason) == (4, Reason.EXITED)


def test_a_lease_that_is_gone_is_not_renewed(tmp_path: Path) -> None:
    ended = run(leased("rm lease; while :; do sleep 0.1; done", tmp_path), Listener())

    assert ended.reason is Reason.CANCELLED


def test_without_a_lease_what_does_not_stop_is_killed_after_the_grace_with_its_whole_group(tmp_path: Path) -> None:
    listener = Listener()
    stubborn = "sh -c 'trap \"\" INT TERM HUP; sleep 60; sleep 60' &"

    ended = run(leased(f"trap '' INT TERM; {stubborn} sleep 60; sleep 60", tmp_path, grace_s=1), listener)

    assert (ended.code, ended.reason) == (-signal.SIGKILL, Reason.KILLED)
    assert process.group_alive(listener.pid) is False
    assert ended.duration_s < 5


RUNNER = """
    import os, signal
    from pathlib import Path
    from engine.external.process import Command, Stop, run
    folder, stop = Path({folder!r}), Stop()
    command = Command(("/bin/sh", "-c", {program!r}), folder, {env!r}, 60, 1, folder / "words", {lease}, 0.5)
    note = lambda who: (folder / "pid").write_text(str(who["pid"]))
    ended = run(command, stop=stop, on_line=lambda line: {heard}, on_start=note)
    (folder / "reason").write_text(ended.reason)
"""
KILL = "os.kill(os.getpid(), signal.SIGKILL)"
SUSPEND = "os.kill(os.getpid(), signal.SIGSTOP)"


def runner(folder: Path, program: str, heard: str, *, lease: str = "None") -> subprocess.Popen[bytes]:
    """A Python that runs a program, and does what `heard` says at each of its lines."""
    script = RUNNER.format(folder=str(folder), program=program, env=ENV, lease=lease, heard=heard)
    return subprocess.Popen((sys.executable, "-c", textwrap.dedent(script)), cwd=Path(__file__).parents[2])


COUNTING = (
    "trap 'echo asked >>asked; echo asked' INT; echo ready; for n in 1 2 3 4 5 6 7 8 9 10; do sleep 0.15; done; exit 4"
)
"""Takes down how often it is asked to stop."""


def test_a_lease_that_ends_while_a_program_stops_asks_it_no_second_time(tmp_path: Path) -> None:
    ended = run(leased(COUNTING, tmp_path), Listener(Stop()))

    assert (ended.code, ended.reason, (tmp_path / "asked").read_text()) == (4, Reason.CANCELLED, "asked\n")


def test_a_python_that_is_killed_after_it_has_asked_leaves_nobody_who_asks_again(tmp_path: Path) -> None:
    with runner(tmp_path, COUNTING, f"stop.request() if line == 'ready' else {KILL}"):
        pass

    until(lambda: not process.group_alive(int((tmp_path / "pid").read_text())))
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_a_lease_costs_no_time_when_all_goes_well(tmp_path: Path) -> None:
    command = dataclasses.replace(leased("exit 0", tmp_path, lease_s=30))

    durations = [run(command, Listener()).duration_s for _ in range(10)]

    assert min(durations) < 0.05


def test_what_does_not_stop_when_python_is_killed_is_gone_after_the_grace(tmp_path: Path) -> None:
    stubborn = "sh -c 'trap \"\" INT TERM HUP; sleep 60; sleep 60' &"
    with runner(tmp_path, f"trap '' INT TERM; {stubborn} echo ready; sleep 60; sleep 60", KILL):
        pass
    killed_at = time.monotonic()

    until(lambda: not process.group_alive(int((tmp_path / "pid").read_text())))

    assert time.monotonic() - killed_at < 3


def test_the_last_words_are_for_their_owner_only_and_have_what_was_being_told_just_then(tmp_path: Path) -> None:
    with runner(tmp_path, "trap 'echo asked; exit' INT; echo ready; while :; do sleep 0.1; done", KILL):
        pass

    until(lambda: (tmp_path / "words").exists() and (tmp_path / "words").read_text() == "ready\nasked\n")
    assert stat.S_IMODE((tmp_path / "words").stat().st_mode) == 0o600


def test_when_all_went_well_there_are_no_last_words(tmp_path: Path) -> None:
    command = dataclasses.replace(sh("echo out; printf last", tmp_path), last_words=tmp_path / "words")

    run(command, Listener())

    assert not (tmp_path / "words").exists()


def test_the_beginning_of_a_line_is_among_the_last_words(tmp_path: Path) -> None:
    program = "trap 'echo end; exit' INT; echo one; printf begin-; sleep 0.3; echo two; while :; do sleep 0.1; done"
    with runner(tmp_path, program, f"{KILL} if line == 'begin-two' else None"):
        pass

    until(lambda: (tmp_path / "words").exists() and (tmp_path / "words").read_text() == "begin-two\nend\n")


def test_what_a_suspended_python_runs_is_ended_and_python_learns_that_it_was(tmp_path: Path) -> None:
    (tmp_path / "lease").touch()
    program = "trap 'touch asked; exit 1' INT; echo ready; while :; do sleep 0.1; done"
    with runner(tmp_path, program, SUSPEND, lease='folder / "lease"') as suspended:
        until((tmp_path / "asked").exists)
        until(lambda: not process.group_alive(int((tmp_path / "pid").read_text())))
        suspended.send_signal(signal.SIGCONT)

    assert (tmp_path / "reason").read_text() == "cancelled"


def test_capture_gives_the_code_and_the_text() -> None:
    assert process.capture(("/bin/sh", "-c", "echo out; echo warning >&2"), ENV, 10) == (0, "out\n")
    assert process.capture(("/bin/sh", "-c", "echo out; echo why >&2; exit 3"), ENV, 10) == (3, "out\nwhy\n")


def test_capture_ends_what_takes_too_long() -> None:
    with pytest.raises(ExternalFailure, match=r"^/bin/sleep 60 did not end within 0\.1 seconds\.$"):
        process.capture(("/bin/sleep", "60"), ENV, 0.1)


def test_capture_ends_what_says_too_much() -> None:
    with pytest.raises(TooMuch):
        process.capture(("/bin/sh", "-c", "while :; do echo more; done"), ENV, 10, bytes_max=1000)
