"""Plans of many instances, put together."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from engine.core import preview_json, preview_markdown, previews
from engine.core.address import Kind
from engine.core.guards import Refusal, Severity
from engine.core.plans import Action, Change, OutputChange, Shape, Summary
from engine.core.previews import Denied, Doomed, Failure, LeftOut, Preview, Seen, Why
from engine.core.selection import Candidate
from engine.core.versions import Number


def seen(name: str, *changes: Change, seconds: float = 0.1) -> Seen:
    """An instance that was planned."""
    summary = Summary(changes)
    return Seen(f"service/{name}", "prod", "1.0", summary.shape, summary, seconds=seconds)


def failed(name: str, message: str, hint: str = "") -> Seen:
    """An instance that cannot be planned."""
    return Seen(f"service/{name}", "prod", "1.0", Shape.FAIL, message=message, hint=hint)


def preview(*found: Seen, left_out: tuple[LeftOut, ...] = (), unfinished: tuple[str, ...] = ()) -> Preview:
    return Preview("web@1.1", "draft", found, left_out, unfinished, 2, 1.5)


def candidate(number: str, template: str = "web", kind: Kind = Kind.SERVICE_INSTANCE) -> Candidate:
    major, _, minor = number.partition(".")
    return Candidate(1, "service/a/prod", kind, template, Number(int(major), int(minor)), None, "prod", 1, 0)


def is_meant(found: Candidate, number: Number, *, names_versions: bool = False) -> bool:
    return previews.is_meant(found, [Kind.SERVICE_INSTANCE], "web", number, names_versions=names_versions)


ADD = Change("aws_vpc.main", Action.CREATE)
UPDATE = Change("aws_vpc.main", Action.UPDATE)
REPLACE = Change('module.db["a.b"].aws_db_instance.main[0]', Action.REPLACE, "cannot_update")
DELETE = Change("aws_s3_bucket.logs", Action.DELETE)


# Which instances are meant


@pytest.mark.parametrize(
    ("now", "number", "meant"),
    [
        ("1.0", Number(1, 2), True),
        ("1.2", Number(1, 2), True),
        ("1.3", Number(1, 2), False),
        ("2.0", Number(1, 2), False),
        ("1.3", Number(2, 0), True),
        ("1.3", Number(2, 1), False),
        ("2.0", Number(2, 1), True),
    ],
)
def test_a_version_is_for_those_who_could_be_brought_to_it(now: str, number: Number, meant: bool) -> None:
    assert is_meant(candidate(now), number) is meant


def test_a_selection_that_names_versions_decides_itself_which_of_them_count() -> None:
    assert is_meant(candidate("1.3"), Number(2, 1), names_versions=True)
    assert is_meant(candidate("1.3"), Number(1, 2), names_versions=True)
    assert not is_meant(candidate("3.0"), Number(2, 1), names_versions=True)


def test_a_version_is_for_instances_of_its_template_only() -> None:
    assert not is_meant(candidate("1.0", template="worker"), Number(1, 2))
    assert not is_meant(candidate("1.0", kind=Kind.PIPELINE), Number(1, 2))


# What is put together


def test_instances_are_counted_by_the_gravest_thing_that_would_happen_to_them() -> None:
    found = preview(seen("a/prod"), seen("b/prod", UPDATE), seen("c/prod", ADD, DELETE), failed("d/prod", "No."))

    assert {shape.value: count for shape, count in found.counts().items()} == {
        "no-change": 1,
        "add": 0,
        "in-place": 1,
        "replace": 0,
        "destroy": 1,
        "fail": 1,
    }


def test_groups_come_gravest_first() -> None:
    found = preview(seen("a/prod"), seen("b/prod", REPLACE), seen("c/prod", UPDATE))

    assert [(group.shape.value, group.addresses) for group in found.groups()] == [
        ("replace", ("service/b/prod",)),
        ("in-place", ("service/c/prod",)),
        ("no-change", ("service/a/prod",)),
    ]


def test_the_instance_with_the_most_of_it_stands_for_its_group() -> None:
    few, many = (ADD, ADD, ADD, REPLACE), (ADD, ADD, ADD, UPDATE, REPLACE, REPLACE)

    [group] = preview(seen("a/prod", *few), seen("b/prod", *many)).groups()

    assert group.sample.address == "service/b/prod"
    assert group.sample.changes == (REPLACE, REPLACE, UPDATE, ADD, ADD)
    assert group.sample.more == 1


def test_what_would_go_is_counted_by_type_most_of_it_first() -> None:
    found = preview(seen("a/prod", REPLACE, DELETE), seen("b/prod", REPLACE, REPLACE))

    assert found.doomed() == (Doomed("aws_db_instance", 0, 3, 2), Doomed("aws_s3_bucket", 1, 0, 1))


def test_equal_failures_are_told_once_the_commonest_first() -> None:
    found = preview(
        failed("a/prod", "Too large.", "Try b."),
        failed("b/prod", "service/b/prod is frozen."),
        failed("c/prod", "service/c/prod is frozen.", ""),
    )

    assert found.failures() == (
        Failure("<this instance> is frozen.", "", ("service/b/prod", "service/c/prod")),
        Failure("Too large.", "Try b.", ("service/a/prod",)),
    )


def test_the_name_of_an_environment_stays_in_a_message_that_is_about_it() -> None:
    found = Seen("environment/prod", "prod", "1.0", Shape.FAIL, message="environment/prod: no product.")

    assert preview(found).failures()[0].message == "<this instance>: no product."


def test_guards_that_would_refuse_plans_are_told_by_their_rule() -> None:
    refusals = (
        Refusal("max_destroys", Severity.DENY, "", "Two would go.", "environment/prod"),
        Refusal("tags", Severity.WARN, "aws_vpc.main", "It has no owner.", "environment/prod"),
    )

    found = preview(replace(seen("a/prod", DELETE), refusals=refusals), seen("b/prod"))

    assert found.denied() == (Denied("max_destroys", ("service/a/prod",)),)


def test_the_slowest_are_those_that_took_longest() -> None:
    found = preview(*(seen(f"{name}/prod", seconds=index) for index, name in enumerate("abcdefg")))

    assert [each.address.split("/")[1] for each in found.slowest()] == ["g", "f", "e", "d", "c"]


def test_programs_get_all_of_it() -> None:
    outputs = Summary((), (OutputChange("port", "update", sensitive=False),))
    item = Seen("service/a/prod", "prod", "1.0", outputs.shape, outputs, seconds=0.12345)

    left_out = (LeftOut("service/z/prod", Why.HIBERNATED),)

    told = preview_json.tree(preview(item, left_out=left_out, unfinished=("service/y/prod",)))

    assert json.loads(json.dumps(told)) == {
        "template": "web@1.1",
        "status": "draft",
        "complete": False,
        "instances": 1,
        "shapes": {"no-change": 0, "add": 0, "in-place": 1, "replace": 0, "destroy": 0, "fail": 0},
        "groups": [
            {
                "shape": "in-place",
                "count": 1,
                "sample": {
                    "address": "service/a/prod",
                    "plan": "0 to add, 0 to change, 0 to destroy, 1 output changes.",
                    "changes": [],
                    "more": 0,
                },
                "addresses": ["service/a/prod"],
            }
        ],
        "destructive": [],
        "failures": [],
        "denied": [],
        "slowest": [{"address": "service/a/prod", "seconds": 0.123}],
        "left_out": [{"address": "service/z/prod", "why": "hibernated"}],
        "unfinished": ["service/y/prod"],
        "parallel": 2,
        "seconds": 1.5,
        "items": [
            {
                "address": "service/a/prod",
                "environment": "prod",
                "version": "1.0",
                "shape": "in-place",
                "plan": "0 to add, 0 to change, 0 to destroy, 1 output changes.",
                "changes": {"add": 0, "change": 0, "destroy": 0},
                "resources": [],
                "outputs": [{"name": "port", "action": "update", "sensitive": False}],
                "drift": [],
                "message": "",
                "hint": "",
                "notes": [],
                "refusals": [],
                "seconds": 0.123,
            }
        ],
    }


# As a comment


def test_a_comment_says_first_what_is_gravest() -> None:
    text = preview_markdown.text(
        preview(seen("a/prod", UPDATE), seen("b/prod", REPLACE), failed("c/prod", "No | way."))
    )

    assert text.splitlines()[:12] == [
        "<!-- landform preview -->",
        "### Landform: preview of `web@1.1` (draft)",
        "",
        "| shape | instances | such as | plan |",
        "|---|---|---|---|",
        "| **fail** | 1 | `service/c/prod` | `No \\| way.` |",
        "| **replace** | 1 | `service/b/prod` | `1 to add, 0 to change, 1 to destroy.` |",
        "| in-place | 1 | `service/a/prod` | `0 to add, 1 to change, 0 to destroy.` |",
        "",
        "| would go | destroyed | replaced | instances |",
        "|---|---|---|---|",
        "| `aws_db_instance` | 0 | 1 | 1 |",
    ]


def test_a_comment_keeps_markup_that_others_have_named_in_code() -> None:
    text = preview_markdown.text(preview(failed("a/prod", "```\n<script> @everyone")))

    assert "````text\n```\n<script> @everyone\n````" in text


def test_a_comment_is_never_too_long() -> None:
    found = [failed(f"{number}/prod", f"{number} {'x' * 20_000}") for number in range(20)]

    text = preview_markdown.text(preview(*found))

    assert len(text) <= 65_536
    assert text.splitlines()[-3:] == ["13 parts of this did not fit: see `-o json`.", "", "Nothing was changed."]


def test_a_comment_about_nobody_says_so() -> None:
    assert "There is no deployed instance that it is for." in preview_markdown.text(preview())
