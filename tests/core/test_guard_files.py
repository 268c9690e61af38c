"""Files of guards: what can be written in them, and how everything that is wrong is said at once."""

from __future__ import annotations

import json

import pytest

from engine.core import guard_files, located
from engine.core.guards import NAMES, Guards, Policy, Ports, from_json, ports, words
from engine.errors import Invalid, Problem

FILE = """\
never_destroy: [aws_db_instance, module.data]
max_destroys: 3
providers: [aws, "hashicorp/*"]
regions: eu-*
required_tags:
  owner: "*"
  stage: [dev, prod]
public_ingress: {ports: [443, 8000-8100]}
local_exec: false
rego: [policies/tags.rego]
warn_only: [max_destroys]
"""
GUARDS = Guards(
    never_destroy=("aws_db_instance", "module.data"),
    max_destroys=3,
    providers=("hashicorp/aws", "hashicorp/*"),
    regions=("eu-*",),
    required_tags={"owner": (), "stage": ("dev", "prod")},
    public_ingress=(Ports(443, 443), Ports(8000, 8100)),
    local_exec=False,
    rego=(Policy("policies/tags.rego", "package main"),),
    warn_only=("max_destroys",),
)
WRONG = """\
never_destory: [aws_db_instance]
max_destroys: -1
regions: []
required_tags: {owner: [1]}
public_ingress: {ports: [70000]}
local_exec: no
rego: [../secret.rego, a.rego, b/a.rego]
warn_only: [region, rego]
"""


def parsed(text: str) -> Guards:
    return guard_files.parse(located.parse(text, "guards.yaml"), lambda _: "package main")


def refused(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(Invalid) as error:
        parsed(text)
    return [(problem.line, problem.field, problem.message) for problem in error.value.problems]


def test_every_guard_can_be_written() -> None:
    assert parsed(FILE) == GUARDS
    assert set(GUARDS.to_json()) == set(NAMES)


def test_guards_that_were_kept_are_read_back_the_same() -> None:
    assert from_json(json.loads(json.dumps(GUARDS.to_json()))) == GUARDS
    assert from_json(Guards().to_json()) == Guards()


def test_only_what_is_guarded_is_kept() -> None:
    assert parsed("public_ingress: false\n").to_json() == {"public_ingress": []}
    assert parsed("public_ingress: true\nlocal_exec: true\n").to_json() == {}


def test_guards_are_put_in_words() -> None:
    assert words(GUARDS) == {
        "never_destroy": "aws_db_instance, module.data",
        "max_destroys": "at most 3 (only warns)",
        "providers": "hashicorp/aws, hashicorp/*",
        "regions": "eu-*",
        "required_tags": "owner, stage (dev or prod)",
        "public_ingress": "only on 443, 8000-8100",
        "local_exec": "none",
        "rego": "policies/tags.rego",
    }


def test_everything_that_is_wrong_is_said_at_once_with_its_line() -> None:
    assert refused(WRONG) == [
        (1, "never_destory", 'is not a guard. Did you mean "never_destroy"?'),
        (2, "max_destroys", "-1 is not a whole number from 0 to 1000000."),
        (3, "regions", "is a list with 0 items: 1 to 200 are allowed."),
        (4, "required_tags.owner[0]", "1 is not a text of 1 to 200 characters."),
        (5, "public_ingress.ports[0]", "70000 is neither a port nor ports like 8000-8100."),
        (6, "local_exec", '"no" is neither true nor false.'),
        (7, "rego[0]", '"../secret.rego" is not a file like policies/tags.rego, beside the guards or below.'),
        (7, "rego[2]", "b/a.rego and a.rego have the same name: an exception could mean both."),
        (8, "warn_only[0]", '"region" is not a guard that can only warn. Did you mean "regions"?'),
        (8, "warn_only[1]", '"rego" is not a guard that can only warn. Its rules named warn only warn.'),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a]", (1, "", 'is not a file of guards: it says ["a"].')),
        ("{}", (1, "", "is not a file of guards: it is empty.")),
        (
            "max_destroys: 1\nwarn_only: [regions]\n",
            (2, "warn_only[0]", "regions is not among the guards of this file."),
        ),
        ("public_ingress: none\n", (1, "public_ingress", '"none" is neither false nor of the form {ports: [443]}.')),
    ],
)
def test_what_is_no_file_of_guards_is_refused(text: str, problem: tuple[int, str, str]) -> None:
    assert refused(text) == [problem]


def test_a_policy_that_cannot_be_read_is_told_of_where_it_is_named() -> None:
    def read(name: str) -> str:
        raise Invalid(f"{name} cannot be read: No such file or directory.")

    with pytest.raises(Invalid) as error:
        guard_files.parse(located.parse("rego: x.rego\n", "guards.yaml"), read)

    message = "x.rego cannot be read: No such file or directory."
    assert error.value.problems == (Problem("guards.yaml", 1, "rego", message, "guards"),)


@pytest.mark.parametrize("text", ["", "-", "1-", "9-8", "65536", "+1", "1_0", "٣"])
def test_what_means_no_ports_is_none(text: str) -> None:
    assert ports(text) is None
