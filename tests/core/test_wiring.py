"""Which outputs feed whom."""

from __future__ import annotations

from engine.core import wiring
from engine.core.bundle import Part, PartName, Read


def part(*reads: Read) -> Part:
    return Part(PartName.INSTANCE, "hcl", ("main.tf",), (), reads=reads)


def test_an_output_that_is_read_but_not_offered_is_missing_where_it_is_first_read() -> None:
    code = part(
        Read("environment.outputs.vpc_id", "main.tf", 9),
        Read("environment.outputs.vpc_id", "main.tf", 3),
        Read("environment.outputs.zone", "main.tf", 4),
    )

    assert wiring.missing(code, {"zone"}) == (Read("environment.outputs.vpc_id", "main.tf", 3),)


def test_a_guarded_read_may_be_absent() -> None:
    code = part(Read("environment.outputs.log_root", "main.tf", 3, guarded=True))

    assert wiring.missing(code, set()) == ()


def test_what_a_part_reads_is_kept_with_its_fingerprint() -> None:
    code = part(Read("environment.outputs.zone", "main.tf", 3))

    assert wiring.read(code, {"zone": "1", "size": "2"}) == {"zone": "1"}


def test_a_guarded_output_that_is_not_there_is_kept_as_absent() -> None:
    code = part(Read("environment.outputs.log_root", "main.tf", 3, guarded=True))

    assert wiring.read(code, {"zone": "1"}) == {"log_root": ""}


def test_a_read_of_the_whole_map_depends_on_every_output_and_on_which_there_are() -> None:
    code = part(Read("environment.outputs", "main.tf", 3))

    assert wiring.read(code, {"zone": "1", "size": "2"}) == {"zone": "1", "size": "2", "*": "size,zone"}


def test_only_outputs_that_were_read_count_as_changed() -> None:
    then = {"environment/prod": {"zone": "1", "size": "2"}}
    now = {"environment/prod": {"zone": "1", "size": "3", "other": "4"}}

    assert wiring.changed(then, now) == ["environment/prod size"]


def test_an_output_that_is_gone_has_changed() -> None:
    assert wiring.changed({"environment/prod": {"zone": "1"}}, {"environment/prod": {}}) == ["environment/prod zone"]


def test_an_output_that_was_read_as_absent_and_came_has_changed() -> None:
    then = {"environment/prod": {"log_root": ""}}

    assert wiring.changed(then, {"environment/prod": {"log_root": "1"}}) == ["environment/prod log_root"]


def test_whoever_reads_the_whole_map_sees_outputs_come_and_go() -> None:
    then = {"environment/prod": {"zone": "1", "size": "2", "*": "size,zone"}}
    now = {"environment/prod": {"zone": "1", "log_root": "3"}}

    assert wiring.changed(then, now) == ["environment/prod log_root", "environment/prod size"]


def test_an_upstream_that_is_not_mentioned_is_not_judged() -> None:
    assert wiring.changed({"environment/prod": {"zone": "1"}}, {}) == []
