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


def test_a_guarded_output_that_is_offered_is_used() -> None:
    code = part(Read("environment.outputs.log_root", "main.tf", 3, guarded=True))

    assert wiring.used(code, {"log_root", "zone"}) == {"log_root"}


def test_a_read_of_the_whole_map_uses_every_output() -> None:
    code = part(Read("environment.outputs", "main.tf", 3))

    assert wiring.used(code, {"log_root", "zone"}) == {"log_root", "zone"}


def test_only_outputs_that_were_read_count_as_changed() -> None:
    then = {"environment/prod": {"zone": "1", "size": "2"}}
    now = {"environment/prod": {"zone": "1", "size": "3", "other": "4"}}

    assert wiring.changed(then, now) == ["environment/prod size"]


def test_an_output_that_is_gone_has_changed() -> None:
    assert wiring.changed({"environment/prod": {"zone": "1"}}, {"environment/prod": {}}) == ["environment/prod zone"]


def test_an_upstream_that_is_not_mentioned_is_not_judged() -> None:
    assert wiring.changed({"environment/prod": {"zone": "1"}}, {}) == []
