"""Policies by conftest's convention: which rules count, and what their messages are."""

from __future__ import annotations

import pytest

from engine.core.guards import Guards, Policy, Severity
from engine.core.policies import has_rules, package, packages, refusals
from engine.errors import ExternalFailure

TAGS = Policy("policies/tags.rego", "# package nothing\npackage main\n\ndeny_untagged contains msg if { true }\n")
NAMES = Policy("names.rego", "package main\nwarn contains msg if {\n  true\n}\n  default violation := false\n")
LIBRARY = Policy("lib.rego", 'package lib.aws["my-own"] # helpers\ndenylist := []\n')
ALL = Guards(rego=(TAGS, NAMES, LIBRARY))


def said(document: object) -> list[tuple[str, Severity, str, str]]:
    found = refusals(ALL, {"main": document}, "template web")
    return [(each.rule, each.severity, each.address, each.sentence) for each in found]


def test_files_say_their_packages() -> None:
    assert packages(ALL.rego) == ("main", 'lib.aws["my-own"]')
    assert package(Policy("a.rego", "package main; x := 1")) == ""
    assert [has_rules([each]) for each in ALL.rego] == [True, True, False]


def test_rules_are_called_after_the_file_that_defines_them() -> None:
    document = {"deny_untagged": ["no tag"], "warn": [{"msg": "odd", "address": "a.b"}], "helper": 3, "denylist": [1]}

    assert said(document) == [
        ("rego.tags.deny_untagged", Severity.DENY, "", "no tag"),
        ("rego.names.warn", Severity.WARN, "a.b", "odd"),
    ]


@pytest.mark.parametrize(
    ("value", "sentences"),
    [
        ([], []),
        ({}, []),
        (None, []),
        (False, []),
        (True, ["The policy says no, and not why."]),
        ("no", ["no"]),
        ({"no": True, '{"msg": "never"}': True, "{x": True}, ["no", "never", "{x"]),
        (["x" * 2000], ["x" * 997 + "..."]),
    ],
)
def test_a_rule_says_no_in_any_of_the_forms_there_are(value: object, sentences: list[str]) -> None:
    assert [sentence for *_, sentence in said({"violation": value})] == sentences


@pytest.mark.parametrize("value", [3, [3], [{"message": "no"}], {"a": 1}, [None]])
def test_what_gives_no_message_is_an_error_and_no_yes(value: object) -> None:
    with pytest.raises(ExternalFailure):
        said({"deny": value})
