"""Which outputs feed whom."""

from __future__ import annotations

import pytest

from engine.core import wiring
from engine.core.bundle import Part, PartName, Read
from engine.core.versions import Number
from engine.core.wiring import Offer
from engine.errors import Problem, Severity


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


def pipeline(*reads: Read) -> Part:
    return Part(PartName.PIPELINE, "hcl", ("main.tf",), (), reads=reads)


def test_a_pipeline_needs_what_it_reads_of_any_environment() -> None:
    code = pipeline(
        Read("service_instances[].environment.outputs.zone", "main.tf", 3), Read("service_instances", "a", 1)
    )

    assert wiring.missing(code, {"size"}) == (Read("service_instances[].environment.outputs.zone", "main.tf", 3),)


def test_what_an_environment_no_longer_offers_is_taken_from_those_who_need_it() -> None:
    code = part(
        Read("environment.outputs.zone", "main.tf", 3),
        Read("environment.outputs.size", "main.tf", 4, guarded=True),
        Read("environment.outputs.absent", "main.tf", 5),
    )

    assert wiring.taken(code, {"zone", "size", "other"}, set()) == {
        "zone": Read("environment.outputs.zone", "main.tf", 3)
    }


def test_code_that_reads_the_map_as_a_whole_reads_all_that_is_taken() -> None:
    whole = Read("environment.outputs", "main.tf", 3)

    assert wiring.taken(part(whole), {"zone", "size"}, {"size"}) == {"zone": whole}
    assert wiring.taken(part(Read("environment.outputs", "main.tf", 3, guarded=True)), {"zone"}, set()) == {}


def test_a_pipeline_that_reads_its_list_as_a_whole_holds_no_output_back() -> None:
    assert wiring.taken(pipeline(Read("service_instances", "main.tf", 3)), {"zone"}, set()) == {}


def offers(*outputs: set[str] | None) -> list[Offer]:
    return [Offer(Number(1, at), None if found is None else frozenset(found)) for at, found in enumerate(outputs)]


ZONE = part(Read("environment.outputs.zone", "main.tf", 3))


def test_an_output_that_no_version_has_is_an_error_with_the_names_on_offer() -> None:
    assert wiring.judged(ZONE, "lab:1", offers({"size", "zome"}, {"size"})) == (
        Problem(
            "instance_infrastructure/main.tf",
            3,
            "environment.outputs.zone",
            'No version of lab:1 has this output. On offer: size and zome. Did you mean "zome"?',
            "wiring/outputs",
            hint="If it may be absent, guard the read with try().",
        ),
    )


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([{"a"}, {"zone"}, {"zone"}], "lab:1 has it from lab@1.1 on; environments of 1.0 have no such output."),
        ([{"zone"}, {"a"}], "Of lab:1, only lab@1.0 has it; environments of 1.1 have no such output."),
        ([{"a"}, {"a"}, None], "lab:1 has it from lab@1.2 on; environments of 1.0 and 1.1 have no such output."),
    ],
)
def test_an_output_that_only_some_versions_have_is_a_warning(found: list[set[str] | None], message: str) -> None:
    [problem] = wiring.judged(ZONE, "lab:1", offers(*found))

    assert (problem.severity, problem.message) == (Severity.WARNING, message)


def test_nothing_is_said_where_all_have_it_none_can_tell_or_there_are_none() -> None:
    assert wiring.judged(ZONE, "lab:1", offers({"zone"})) == ()
    assert wiring.judged(ZONE, "lab:1", offers(None)) == ()
    assert wiring.judged(ZONE, "lab:1", []) == ()
