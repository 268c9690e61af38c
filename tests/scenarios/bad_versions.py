"""Lives of versions, breaking minor versions, contract tests and previews that cannot be: nothing is recorded."""

from __future__ import annotations

from tests.scenarios.bad_input import Case, Content, environment, service
from tests.scenarios.grown import SITE_CODE
from tests.scenarios.world import ENVIRONMENT_CODE, SERVICE_SCHEMA

_SITE = "template register site b --major 1"
_LESS = ENVIRONMENT_CODE.partition('output "size"')[0]
_STRICT = SERVICE_SCHEMA.replace("maximum: 65535", "maximum: 1024").replace('default: "untitled"', "maxLength: 20")
_BROKEN = (
    SITE_CODE.replace("~> 5.0", "~> 6.0")
    .replace('"log"', '"journal"')
    .replace('output "port"', 'output "address"')
    .replace("terraform {", 'terraform {\n  backend "s3" {\n  }')
)
MISTYPED = """\
tests:
  - {name: x, expct: {}}
"""
_WRONG = """\
tests:
  - name: small
    part: instance
    expect: {counts: {add: 1}}
  - name: large
    pipeline: {}
    expect:
      counts: {add: -1}
      contains: {type: aws_instance}
  - name: ""
    inputs: [port]
    expect: {}
"""
_UNFIT = """\
tests:
  - name: small
    part: instance
    expect: {counts: {add: 1}}
  - name: large
    service_instances: []
    environment: {name: "../x"}
    expect:
      fails: too large
      contains: [{attributes: {input: {$like: 1}}}]
      outputs: {port: {$eny: true}}
  - name: large
    expect: {counts: {add: 1}}
"""


def tested(text: str) -> dict[str, Content]:
    return {**service(), "b/tests/a.yaml": text}


CASES = (
    Case("a yank without a reason", {}, "template yank web@1.2"),
    Case("a yank of what was yanked", {}, "template yank web@1.1 --reason again"),
    Case("a yank of a template", {}, "template yank web --reason x"),
    Case("a yank that is taken back for a reason", {}, "template yank web@1.1 --undo --reason x"),
    Case("a yank that never was, taken back", {}, "template yank web@1.0 --undo"),
    Case("a reason of two lines", {}, "template deprecate web@1.0 --reason 'a\nb'"),
    Case("a failed version to be deprecated", {}, "template deprecate web@1.4 --reason x"),
    Case("a draft to be deprecated", {}, "template deprecate web@1.3 --reason x"),
    Case("a yanked version to be deprecated", {}, "template deprecate web@1.1 --reason x"),
    Case("a yanked version to be published", {}, "template publish web@1.1"),
    Case("a yanked version for something new", {}, "service create shop -t web@1.1 --env prod"),
    Case("a yanked version for something that has another", {}, "instance update orders/prod --version 1.1"),
    Case("a version below the minimum for something new", {}, "service create shop -t api@1.0 --env prod"),
    Case("a plan of a version below the minimum", {}, "run plan cart/prod --version 1.0 --speculative"),
    Case("a minimum that is a draft", {}, "template minimum web@1.3"),
    Case("a minimum that is not there", {}, "template minimum web@1.9"),
    Case("a minimum of no major version", {}, "template minimum web"),
    Case("a minimum of a major version alone", {}, "template minimum web@1"),
    Case("a minimum to be cleared that was never set", {}, "template minimum web@1 --clear"),
    Case("usage of a version that is not there", {}, "template usage web@1.9"),
    Case("usage by a selection with a typing error", {}, "template usage web --select enviroment=prod"),
    Case("a version without tests, to be published", {}, "template publish tested@1.0"),
    Case("tests demanded of a version", {}, "template require-tests tested@1.0"),
    Case("a template without a version, to be tested", {}, "template test web"),
    Case("tests with a typing error", tested(MISTYPED), "template check b --test"),
    Case("tests with everything wrong", tested(_WRONG), "template check b --test"),
    Case("tests that do not fit the bundle", tested(_UNFIT), "template check b --test"),
    Case("a version that failed its registration, to be tested", {}, "template test web@1.4"),
    Case("tests that are no YAML", tested("tests: [\n"), "template check b"),
    Case("tests that are empty", tested("tests: []\n"), "template check b"),
    Case("a minor version that takes an output away", environment(code=_LESS), "template register lab b --major 1"),
    Case(
        "a minor version with everything that breaks",
        service(code=_BROKEN, schema=_STRICT),
        _SITE,
    ),
    Case("a break that is accepted for nothing", service(code=SITE_CODE), f"{_SITE} --reason 'Nobody has it.'"),
    Case(
        "a service that reads what no environment offers",
        service(code=SITE_CODE.replace("outputs.zone", "outputs.vpc_id")),
        f"{_SITE} --force --reason x",
    ),
    Case("a preview of no version", {}, "template preview web"),
    Case("a preview of a version that is not there", {}, "template preview web@1.9"),
    Case("a preview of a version that failed", {}, "template preview web@1.4"),
    Case("a preview for nobody", {}, "template preview web@1.3 --select environment=guarded"),
    Case("a preview for an environment that is not there", {}, "template preview web@1.3 --select environment=prd"),
    Case("a preview for a selection with a typing error", {}, "template preview web@1.3 --select envirnment=prod"),
    Case("a preview that fails on a word", {}, "template preview web@1.3 --fail-on replce,destroy,no-change"),
    Case("a preview side by side with nobody", {}, "template preview web@1.3 --parallel 0"),
)
