"""Contract tests of bundles: checked, run with what they give and nothing else, recorded, demanded for publishing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

SHIPPED = Path(__file__).parents[2] / "modules/service/static-site/v1"
GOOD = """\
tests:
  - name: listens where it is told to
    inputs: {port: 81}
    environment: {outputs: {zone: a}}
    expect:
      contains: [{address: terraform_data.app, attributes: {input: {port: 81, zone: a}, id: {$unknown: true}}}]
      counts: {add: 1}
      outputs: {port: {$any: true}}
  - name: has no port 0
    inputs: {port: 0}
    expect: {fails: less than the minimum 1}
"""
BAD = """\
  - name: is large
    environment: {outputs: {zone: a}}
    expect:
      counts: {add: 7}
"""
TERRAFORM = """\
variables {
  environment = { account_id = "1", name = "dev", outputs = { zone = "b" } }
}

run "zone" {
  command = plan
  assert {
    condition     = terraform_data.app.input.zone == "%s"
    error_message = "Another zone."
  }
}
"""


def bundle_with(world: World, tests: str = GOOD, terraform: str = "") -> Path:
    """A bundle with tests."""
    folder = world.service_bundle()
    world.write("bundles/web/tests/port.yaml", tests)
    if terraform:
        world.write("bundles/web/tests/zone.tftest.hcl", terraform)
    return folder


def test_a_check_runs_the_tests_and_says_of_each_that_fails_where_and_why(world: World) -> None:
    good = world.run("template", "check", bundle_with(world, terraform=TERRAFORM % "b"), "--test")
    bad = world.run("template", "check", bundle_with(world, GOOD + BAD, TERRAFORM % "c"), "--test", "-o", "json")

    found = [(each["file"], each["line"], each["field"], each["message"]) for each in bad.json["items"]]
    assert (good.code, good.out) == (0, "")
    assert "Contract tests: all 3 passed (Terraform" in good.err
    assert bad.code == 1
    assert found == [
        ("tests/port.yaml", 15, "tests[2].expect.counts.add", "The plan has 1, not 7."),
        ("tests/zone.tftest.hcl", 8, "zone", "Test assertion failed: Another zone."),
    ]


def test_the_tests_of_a_bundle_that_we_ship_pass(world: World) -> None:
    world.do("template", "check", SHIPPED, "--test")


def test_a_test_is_given_nothing_that_is_an_operators(world: World) -> None:
    (world.home / "landform.toml").write_text('[run_env]\nTF_VAR_secret = "hunter2"\n')
    code = 'variable "secret" {\n  default = "none"\n}\n\nresource "terraform_data" "a" {\n  input = var.secret\n}\n'
    folder = world.service_bundle(code=code)
    expected = "contains: [{type: terraform_data, attributes: {input: none}}]"
    world.write("bundles/web/tests/a.yaml", f"tests:\n  - name: a\n    expect:\n      {expected}\n")

    assert world.run("template", "check", folder, "--test").code == 0


def test_a_terraform_test_that_hangs_is_ended_and_said_to_be_late(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDFORM_PLAN_TIMEOUT_S", "1")
    monkeypatch.setenv("LANDFORM_GRACE_S", "1")
    hangs = 'resource "terraform_data" "a" {\n  provisioner "local-exec" {\n    command = "sleep 60"\n  }\n}\n'
    world.service_bundle(code=hangs)
    world.write("bundles/web/tests/a.tftest.hcl", 'run "a" {\n  command = apply\n}\n')

    late = world.run("template", "check", world.root / "bundles/web", "--test")

    assert late.code == 1
    assert "tests/a.tftest.hcl: terraform test took longer than allowed and was stopped." in late.out


def test_how_tests_are_written_is_checked_without_running_them(world: World) -> None:
    checked = world.run("template", "check", bundle_with(world, "tests:\n  - {name: x, expct: {}}\n"), "-o", "json")

    assert checked.code == 1
    assert [each["message"] for each in checked.json["items"]] == [
        'is not a known property. Did you mean "expect"?',
        "is required.",
    ]


def test_publishing_can_demand_that_the_tests_have_passed(world: World) -> None:
    bundle = bundle_with(world)
    world.do("template", "register", "web", bundle)
    world.do("template", "require-tests", "web")

    early = world.run("template", "publish", "web@1.0", "-o", "json")
    report = world.row("template", "test", "web@1.0")
    world.do("template", "publish", "web@1.0")
    failing = world.run(
        "template", "register", "web", bundle_with(world, GOOD + BAD), "--major", 1, "--test", "--publish"
    )
    late = world.run("template", "publish", "web@1.1", "-o", "json")

    assert (early.code, early.error["message"], early.error["hint"]) == (
        4,
        "web@1.0 must pass its contract tests before it is published: they were not run.",
        "Run them: landform template test web@1.0",
    )
    assert [(each["name"], each["passed"], each["line"]) for each in report["tests"]] == [
        ("listens where it is told to", True, 2),
        ("has no port 0", True, 9),
    ]
    assert failing.code == 1
    assert "web@1.1 did not pass its contract tests, and stays a draft:" in failing.err
    assert late.error["message"] == ("web@1.1 must pass its contract tests before it is published: 1 of 3 failed.")
    world.do("template", "require-tests", "web", "--off")
    world.do("template", "publish", "web@1.1")
