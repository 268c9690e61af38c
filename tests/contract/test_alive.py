"""Who a process is and whether it still runs."""

from __future__ import annotations

import os
import subprocess

from engine.external import alive, process


def test_this_process_is_alive() -> None:
    who = process.identity()

    assert who["pid"] == os.getpid()
    assert process.is_alive(who) is True


def test_a_process_that_has_ended_is_not_alive() -> None:
    with subprocess.Popen(("/bin/cat",), stdin=subprocess.PIPE) as program:
        who = process.identity(program.pid)
        assert process.is_alive(who) is True

    assert process.is_alive(who) is False


def test_a_zombie_is_not_alive() -> None:
    with subprocess.Popen(
        ("/bin/cat",), stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as program:
        who = process.identity(program.pid)
        assert program.stdin
        program.stdin.close()
        os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)

        assert process.is_alive(who) is False
        assert process.group_alive(program.pid) is False


def test_another_process_with_the_same_number_is_not_it() -> None:
    assert process.is_alive({**process.identity(), "started": "1"}) is False


def test_nothing_outlives_a_reboot() -> None:
    assert process.is_alive({**process.identity(), "boot_id": "another/pid:[1]"}) is False


def test_a_process_of_another_host_or_container_cannot_be_told() -> None:
    who = process.identity()

    assert process.is_alive({**who, "host": "elsewhere"}) is None
    assert process.is_alive({**who, "boot_id": f"{str(who['boot_id']).partition('/')[0]}/pid:[1]"}) is None


def test_a_record_that_is_no_identity_cannot_be_told() -> None:
    assert process.is_alive({}) is None
    assert process.is_alive({**process.identity(), "pid": "many"}) is None


def test_ps_finds_the_same_processes_as_proc() -> None:
    with subprocess.Popen(("/bin/cat",), stdin=subprocess.PIPE, start_new_session=True) as program:
        (seen,) = alive.from_ps("-p", str(program.pid))
        everybody = {row.pid: row.pgid for row in alive.from_ps("-A")}

        assert (seen.pid, seen.pgid, everybody[program.pid]) == (program.pid, program.pid, program.pid)
    assert list(alive.from_ps("-p", str(program.pid))) == []


def group(script: str) -> subprocess.Popen[bytes]:
    """A shell that leads a group of its own; it says a line when it is ready."""
    program = subprocess.Popen(("/bin/sh", "-c", script), stdout=subprocess.PIPE, start_new_session=True)
    assert program.stdout
    program.stdout.readline()
    return program


def test_what_is_left_of_a_group_is_found_by_its_leader_that_has_ended() -> None:
    with group("sleep 60 >/dev/null & echo; exec sleep 60") as leader:
        who = process.identity(leader.pid)
        leader.kill()
        leader.wait()
        left = alive.remains(who)

        assert (process.is_alive(who), left) == (False, alive.members(leader.pid))
        assert left != ()
        alive.sweep(leader.pid)
        assert alive.remains(who) == ()


def test_the_group_of_another_process_with_the_same_number_is_left_alone() -> None:
    with group("echo; exec sleep 60") as other:
        assert alive.outlast({**process.identity(other.pid), "started": "1"}, 0) == ()
        assert process.group_alive(other.pid) is True
        other.kill()


def test_what_is_left_has_its_time_and_is_ended_then() -> None:
    with group("trap '' TERM; echo; sleep 60; sleep 60") as stubborn:
        assert alive.outlast(process.identity(stubborn.pid), 0.1) == ()

        assert process.group_alive(stubborn.pid) is False


def test_nothing_is_left_after_a_reboot_and_of_another_host_nobody_can_tell() -> None:
    who = process.identity()

    assert alive.remains({**who, "boot_id": "another/pid:[1]"}) == ()
    assert alive.outlast({**who, "host": "elsewhere"}, 0) is None
