"""Guards on plans as people and pipelines meet them: a refusal waits, and an exception is an approval with a reason."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.scenarios.world import ENVIRONMENT_CODE, World

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]
CODE = f"""{ENVIRONMENT_CODE}
resource "terraform_data" "db" {{
  triggers_replace = var.environment.inputs.size
}}
"""
GUARDS = "never_destroy: terraform_data.db\nrego: [policies/small.rego]\n"
POLICY = """\
package main

import rego.v1

deny_large contains msg if {
  some resource in input.resource_changes
  is_number(resource.change.after.input)
  resource.change.after.input > 5
  msg := sprintf("%s would be too large.", [resource.address])
}

warn contains {"msg": "Changes on a Friday?", "address": "terraform_data.size"}
"""
LOST = "never_destroy (environment/prod): terraform_data.db would be destroyed and made anew."
LARGE = "rego.small.deny_large (environment/prod): terraform_data.size would be too large."
RULES = "never_destroy,rego.small.deny_large"


@contextmanager
def somebody(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("LANDFORM_USER", name)
        yield


@pytest.fixture
def guarded(world: World) -> World:
    """Environment `prod` of size 1, with guards; its runs are 1."""
    world.publish("lab", world.environment_bundle(code=CODE))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    world.write("policies/small.rego", POLICY)
    world.do("env", "guards", "set", "prod", world.write("guards.yaml", GUARDS))
    return world


def test_a_refused_plan_waits_for_an_exception_with_a_reason(guarded: World) -> None:
    refused = guarded.run("env", "update", "prod", "--set", "size=9", "--yes")
    planned = guarded.run("run", "wait", 2, "--for", "planned")
    plain = guarded.run("run", "approve", 2, "--reason", "Go on")
    some = guarded.run("run", "approve", 2, "--except", "never_destroy", "--reason", "Moved")
    silent = guarded.run("run", "approve", 2, "--except", RULES)
    guarded.do("run", "approve", 2, "--except", RULES, "--reason", "Moved")

    hint = f"Hint: For an exception, ask for: landform run approve 2 --except {RULES} --reason TEXT\n"
    assert (refused.code, planned.code, plain.code, some.code, silent.code) == (4, 4, 4, 4, 64)
    assert refused.err.endswith(f"Error: Guards refuse the plan of run 2.\n{LOST}\n{LARGE}\n{hint}")
    assert some.err == f"Error: Guards refuse the plan of run 2.\n{LARGE}\n{hint}"
    row = guarded.row("run", "show", 2)
    assert (row["status"], row["exceptions_needed"]) == ("succeeded", RULES.split(","))
    assert [(each["exceptions"], each["reason"]) for each in row["approvals"]] == [(RULES.split(","), "Moved")]
    assert [(each["rule"], each["severity"], each["address"]) for each in row["refusals"]] == [
        ("never_destroy", "deny", "terraform_data.db"),
        ("rego.small.deny_large", "deny", ""),
        ("rego.small.warn", "warn", "terraform_data.size"),
    ]


def test_exceptions_hold_for_one_plan_and_under_the_guards_it_was_made_with(guarded: World) -> None:
    guarded.do("template", "guards", "set", "lab", "-", stdin="max_destroys: 0\nwarn_only: max_destroys\n")
    first = guarded.run("run", "plan", "environment/prod", "--set", "size=2", "--detailed-exitcode", "-o", "json")
    guarded.do("run", "discard", 2)
    again = guarded.run("run", "retry", 2, "--yes")
    cleared = guarded.do("env", "guards", "clear", "prod")
    stale = guarded.run("run", "approve", 3, "--except", "never_destroy", "--reason", "Moved")
    free = guarded.run("run", "plan", "environment/prod", "--set", "size=2", "--detailed-exitcode")

    assert (first.code, again.code, stale.code, free.code) == (4, 4, 5, 2)
    assert first.json["next"][0] == "landform run approve 2 --except never_destroy --reason TEXT"
    assert "Plans that were made before are stale, and will not be applied: run 3.\n" in cleared.err
    message = "The plan is stale. Changed since it was made: guards of environment/prod."
    assert guarded.row("run", "show", 3)["message"] == message


def test_each_of_those_who_approve_makes_the_exception(guarded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded.do("env", "update", "prod", "--rule", "approvals=2", "--rule", "own_approval=no")
    say = ("run", "approve", 2, "--except", "never_destroy", "--reason", "Moved")
    with somebody("ana", monkeypatch):
        guarded.run("run", "plan", "environment/prod", "--set", "size=2")
        own = guarded.run(*say)
    with somebody("ben", monkeypatch):
        ben = guarded.run(*say)
    with somebody("cem", monkeypatch):
        plain = guarded.run("run", "approve", 2)
        cem = guarded.run(*say)

    assert (own.code, ben.code, plain.code, cem.code) == (4, 3, 4, 0)
    assert own.err.startswith("Error: ana asked for run 2")


def test_a_plan_that_cannot_be_judged_fails(guarded: World) -> None:
    guarded.write("policies/small.rego", 'package main\n\ndeny contains msg if { msg := to_number("x") }\n')
    guarded.do("env", "guards", "set", "prod", guarded.root / "guards.yaml")

    failed = guarded.run("env", "update", "prod", "--set", "size=2", "--yes")

    assert failed.code == 1
    row = guarded.row("run", "show", 2)
    assert row["status"] == "failed"
    assert row["message"].startswith("The guards could not be evaluated: The policies in Rego cannot be evaluated:")


def test_a_plan_that_is_only_looked_at_is_judged_too(guarded: World) -> None:
    found = guarded.row("run", "plan", "environment/prod", "--set", "size=2", "--speculative")

    assert [each["rule"] for each in found["refusals"]] == ["never_destroy", "rego.small.warn"]


def test_a_policy_sees_and_says_nothing_sensitive(world: World) -> None:
    secret = (
        'resource "terraform_data" "secret" { input = { key = sensitive("s3cr3t-value"), copy = "s3cr3t-value" } }\n'
    )
    world.publish("lab", world.environment_bundle(code=ENVIRONMENT_CODE + secret))
    world.write("all.rego", "package main\n\ndeny contains msg if {\n  walk(input, [_, msg])\n  is_string(msg)\n}\n")
    world.do("template", "guards", "set", "lab", world.write("guards.yaml", "rego: all.rego\n"))

    refused = world.run("env", "create", "prod", "-t", "lab", "--yes")

    said = refused.out + refused.err + world.do("run", "show", 1, "-o", "json").out
    assert refused.code == 4
    assert "terraform_data" in said
    assert "s3cr3t" not in said


def test_policies_are_tried_before_they_are_set(world: World) -> None:
    world.write("a.rego", "package main\n\ndeny contains {\n")
    world.write("b.rego", "package main\n\nallow := true\n")
    world.write("c.rego", "deny := true\n")
    broken = world.run("guards", "check", world.write("1.yaml", "rego: a.rego\n"))
    idle = world.run("guards", "check", world.write("2.yaml", "rego: b.rego\n"))
    nameless = world.run("guards", "check", world.write("3.yaml", "rego: c.rego\n"))

    head = "Error: The policies cannot be used:\n  "
    assert broken.err == f"{head}a.rego:3: is no Rego: this is unclosed.\n"
    assert idle.err == f"{head}b.rego: has no rule that is called deny, violation or warn.\n"
    assert nameless.err == f"{head}c.rego: says no package, such as `package main`.\n"
    assert {broken.code, idle.code, nameless.code} == {1}
