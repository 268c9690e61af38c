"""What begins and is stopped by what a fleet is kept in order with: guards, gates, health checks, contract tests."""

from __future__ import annotations

from tests.scenarios.bad_input import Case
from tests.scenarios.bad_versions import MISTYPED, tested

_UNTRUE = """\
tests:
  - name: listens
    environment: {outputs: {zone: a}}
    expect:
      counts: {add: 2}
      contains: [{address: terraform_data.app, attributes: {input: {port: 8080}}}]
"""
_ALONE = "campaign start --redeploy --select address=environment/prod --auto-approve --health-timeout 1s"

CASES = (
    Case("a campaign for whom nothing is new", {}, "campaign start site@1.0"),
    Case("a plan that guards refuse", {}, "env update guarded --set size=3 --yes"),
    Case("a campaign whose plans do more than it allows", {}, "campaign retry 2"),
    Case(
        "a campaign that asks where there is no output",
        {},
        f"{_ALONE} --health-url http://{{zoen}}/ready",
    ),
    Case(
        "a campaign whose health command is not there",
        {},
        f"{_ALONE} --health-command /nowhere/probe",
    ),
    Case("a campaign that waits for a person", {}, "campaign resume 3"),
    Case("a version with broken tests", tested(MISTYPED), "template register web b --major 1 --publish"),
    Case("tests of a version that has none", {}, "template test tested@1.0"),
    Case("tests of what the plan is not like", tested(_UNTRUE), "template check b --test"),
    Case(
        "a version that is not what its tests say, to be published",
        tested(_UNTRUE),
        "template register vault-test b --test --publish",
    ),
)
