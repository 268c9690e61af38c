"""Promises about contract tests: how they are written, and what passes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import contracts
from engine.core.bundle import PartName
from engine.core.contract_format import parse
from engine.core.contract_plans import judge
from engine.core.contracts import Contract, Report, Result
from engine.errors import Problem

PARTS = (PartName.INSTANCE, PartName.PIPELINE)
HEAD = "tests:\n  - name: one\n    environment: {outputs: {zone: a}}\n    expect:\n"


def contracts_in(text: str) -> tuple[Contract, ...]:
    found, problems = parse(text, "tests/a.yaml", PARTS)
    assert problems == ()
    return found


def problems_of(text: str) -> list[str]:
    found, problems = parse(text, "tests/a.yaml", PARTS)
    assert found == ()
    return sorted(map(str, problems))


def resource(address: str, **change: object) -> dict[str, Any]:
    mode = "data" if address.startswith("data.") else "managed"
    kind = address.removeprefix("data.").partition(".")[0]
    return {"address": address, "mode": mode, "type": kind, "change": {"actions": ["create"], **change}}


PLAN = {
    "resource_changes": [
        resource(
            "aws_s3_bucket.logs[0]",
            after={"bucket": "logs-prod", "tags": {"team": "pay", "n": 80}, "rules": [{"a": True}, {"b": None}]},
            after_unknown={"id": True, "tags": {}, "rules": [{}, {"c": True}]},
            after_sensitive={},
        ),
        resource("aws_iam_user.ci", after={"name": "ci", "key": "hunter2"}, after_sensitive={"key": True}),
        resource("data.aws_ami.base", actions=["read"], after={}),
        resource("aws_sqs_queue.old", actions=["no-op"], after={}),
    ],
    "output_changes": {
        "url": {"actions": ["create"], "after": "https://x/", "after_unknown": False, "after_sensitive": False},
        "arn": {"actions": ["create"], "after_unknown": True},
        "key": {"actions": ["create"], "after": "hunter2", "after_sensitive": True},
    },
}


def judged(expect: str, plan: object = PLAN) -> list[str]:
    """What is said of the only test of a file, whose expectations are `expect`."""
    [test] = contracts_in(HEAD + "".join(f"      {line}\n" for line in expect.splitlines()))
    return [str(problem) for problem in judge(test, plan)]


@pytest.mark.parametrize(
    "expect",
    [
        "contains: [{type: aws_s3_bucket}, {address: aws_iam_user.ci}, {type: data.aws_ami}]",
        "contains: [{address: 'aws_s3_bucket.logs[0]', attributes: {bucket: logs-prod}}]",
        "contains: [{address: aws_s3_bucket.logs, attributes: {tags: {n: 80.0}, rules: [{a: true}, {b: null}]}}]",
        "contains: [{type: aws_s3_bucket, attributes: {id: {$unknown: true}, bucket: {$like: 'logs-*'}}}]",
        "contains: [{type: aws_s3_bucket, attributes: {id: {$any: true}, nothing: null, tags: {$any: true}}}]",
        "contains: [{type: aws_iam_user, attributes: {key: hunter2}}]",
        "lacks: [{type: aws_sqs_queue}, {type: aws_s3_bucket, attributes: {bucket: other}}]",
        "counts: {add: 2, read: 1, aws_s3_bucket: 1, aws_vpc: 0}",
        "outputs: {url: https://x/, arn: {$any: true}, key: {$like: 'hunter?'}}",
    ],
)
def test_what_is_as_expected_passes(expect: str) -> None:
    assert judged(expect) == []


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        (
            "contains: [{type: aws_vpc}]",
            "contains[0]: The plan has no aws_vpc. It has aws_s3_bucket.logs[0], aws_iam_user.ci, data.aws_ami.base.",
        ),
        (
            "contains: [{type: aws_s3_bucket, attributes: {tags: {team: ops}}}]",
            'contains[0]: aws_s3_bucket.logs[0]: tags.team is "pay", not "ops".',
        ),
        (
            'contains: [{type: aws_s3_bucket, attributes: {tags: {n: "80"}}}]',
            'contains[0]: aws_s3_bucket.logs[0]: tags.n is 80, not "80".',
        ),
        (
            "contains: [{type: aws_s3_bucket, attributes: {id: x}}]",
            "contains[0]: aws_s3_bucket.logs[0]: id is not known before the apply: write {$any: true}.",
        ),
        (
            "contains: [{type: aws_s3_bucket, attributes: {bucket: {$unknown: true}}}]",
            'contains[0]: aws_s3_bucket.logs[0]: bucket is known: "logs-prod".',
        ),
        (
            "contains: [{type: aws_iam_user, attributes: {key: x}}]",
            'contains[0]: aws_iam_user.ci: key is (sensitive), not "x".',
        ),
        ("lacks: [{type: aws_iam_user}]", "lacks[0]: The plan has aws_iam_user.ci."),
        ("counts: {add: 3}", "counts.add: The plan has 2, not 3."),
        ("outputs: {nope: 1}", "outputs.nope: The plan has no such output. It has url, arn, key."),
        ("outputs: {url: {$like: 'http:*'}}", 'outputs.url: Is "https://x/", not like "http:*".'),
        ("outputs: {url: {$like: 'h[t]*'}}", 'outputs.url: Is "https://x/", not like "h[t]*".'),
        ("outputs: {arn: x}", "outputs.arn: Is not known before the apply: write {$any: true}."),
    ],
)
def test_what_is_not_as_expected_is_said_where_it_stands(expect: str, message: str) -> None:
    assert judged(expect) == [f"tests/a.yaml:5: tests[0].expect.{message}"]


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["resource_changes", "change", "after", "actions", "output_changes", "a"]), x
            )
        ),
    )
)
def test_no_plan_is_so_odd_that_it_cannot_be_judged(plan: object) -> None:
    assert judged("contains: [{type: aws_vpc, attributes: {a: {a: 1}}}]\noutputs: {a: {a: [1]}}", plan) != []


def test_everything_wrong_with_a_file_is_said_at_once() -> None:
    text = """\
tests:
  - name: one
    part: infrastructure
    expect: {contains: []}
  - name: two
    service_instances: []
    service_instance: {name: -x}
    expect:
      fails: x
      contains: [{attributes: {a: {$lik: x}}}]
      outputs: {a: {b: [{$any: false}]}}
  - name: two
    part: pipeline_infrastructure
    environment: {outputs: {}}
    expect: {counts: {add: 1}}
"""

    assert problems_of(text) == [
        "tests/a.yaml:10: tests[1].expect.contains[0].attributes.a.$lik: is nothing that can stand for a value.",
        "tests/a.yaml:10: tests[1].expect.contains[0]: needs an address or a type.",
        "tests/a.yaml:11: tests[1].expect.outputs.a.b[0].$any: is nothing that can stand for a value.",
        'tests/a.yaml:12: tests[2].name: "two" is the name of another test of this file.',
        "tests/a.yaml:14: tests[2].environment: is nothing that the code in pipeline_infrastructure/ is given.",
        'tests/a.yaml:3: tests[0].part: "infrastructure" is not one of instance_infrastructure, '
        "pipeline_infrastructure.",
        "tests/a.yaml:6: tests[1].service_instances: is nothing that the code in instance_infrastructure/ is given.",
        "tests/a.yaml:7: tests[1].service_instance.name: The name '-x' is not a valid name.",
        "tests/a.yaml:9: tests[1].expect.fails: stands alone: where there is no plan, nothing can be said about it.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]\n", "tests/a.yaml:1: [] is not a mapping of names to values."),
        ("test: []\n", 'tests/a.yaml:1: test: is not a known property. Did you mean "tests"?'),
        ("tests: []\n", "tests/a.yaml:1: tests: has 0 items; 1 at least."),
        ("tests:\n  - name: x\n", "tests/a.yaml:2: tests[0].expect: is required."),
        ("tests:\n  - {name: x, expect: {}}\n", "tests/a.yaml:2: tests[0].expect: has 0 properties; 1 at least."),
        (
            "tests:\n  - {name: x, expect: {counts: {add: -1}}}\n",
            "tests/a.yaml:2: tests[0].expect.counts.add: -1 is less than the minimum 0.",
        ),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_place(text: str, message: str) -> None:
    assert problems_of(text)[0] == message


def test_a_test_gives_what_it_says_and_examples_for_the_rest() -> None:
    [test] = contracts_in(
        "tests:\n  - name: x\n    part: pipeline_infrastructure\n    service: {name: shop}\n"
        "    service_instances: [{name: a, outputs: {url: u}, environment: {name: dev}}]\n"
        "    expect: {counts: {add: 0}}\n"
    )

    [neighbour] = test.given.instances
    assert (test.part, test.given.service.name) == (PartName.PIPELINE, "shop")
    assert (neighbour.name, neighbour.outputs, neighbour.environment.name) == ("a", {"url": "u"}, "dev")
    assert (test.given.instance, test.given.environment.name) == ("example", "example")


def test_a_report_reads_back_and_passes_only_when_there_were_tests() -> None:
    failed = Problem("tests/a.yaml", 3, "tests[0]", "No.", contracts.RULE)
    good = Result("good", "tests/a.yaml", 1, "instance_infrastructure", 0.5)
    bad = Result("bad", "tests/a.yaml", 2, "instance_infrastructure", None, (failed,))

    report = Report((good, bad), "1.11.4")

    assert contracts.from_json(report.to_json()) == report
    assert (report.is_passed, report.sentence()) == (False, "1 of 2 failed")
    assert (Report((good,), "1").is_passed, Report((good,), "1").sentence()) == (True, "all 1 passed")
    assert (Report((), "1").is_passed, Report((), "1").sentence()) == (False, "it has none")
