"""Guards on plans, on a plan as Terraform 1.11 and the AWS provider 3.39 wrote it (`plans/aws.json`, shortened)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core import configurations, export_plan, guards, plan_facts
from engine.core.guard_checks import MOST, refusals
from engine.core.guards import Guarded, Guards, Ports, Refusal, Severity
from engine.core.plan_facts import Hidden, PlanFacts, Resource, Untold
from engine.core.plans import Action, Change, Summary
from engine.errors import Conflict, ExternalFailure, Invalid, Refused

PLAN = json.loads((Path(__file__).parent / "plans" / "aws.json").read_text())
QUEUE = 'module.m["a.b"].aws_sqs_queue.q[0]'
DB = Change('module.data["eu"].aws_db_instance.main[0]', Action.DELETE)
APP = Change("terraform_data.app", Action.REPLACE)
DENIED = Refusal("max_destroys", Severity.DENY, "", "too many", "environment/prod")
WARNED = replace(DENIED, rule="regions", severity=Severity.WARN)


def facts(plan: Mapping[str, object] = PLAN, region: str = "") -> PlanFacts:
    return plan_facts.read(export_plan.masked(plan, 1), Summary(), region)


def told(wanted: Guards, found: PlanFacts) -> list[str]:
    return [refusal.sentence for refusal in refusals(Guarded("environment/prod", wanted), found)]


def made(type: str, after: dict[str, object], unknown: dict[str, object] | None = None) -> PlanFacts:
    """A plan that makes one resource, all of which its code says."""
    given = frozenset({*after, *(unknown or {})})
    resource = Resource(f"{type}.x", type, "hashicorp/aws", after, unknown or {}, given)
    return PlanFacts(Summary(), (resource,), default_region="eu-west-1")


@pytest.mark.parametrize(
    "pattern",
    [
        "aws_db_instance",
        "aws_db_*",
        'module.data["eu"].aws_db_instance.main[0]',
        "module.data.aws_db_instance.main",
        "module.data",
        'module.data["eu"]',
        "module.*.aws_db_instance.*",
    ],
)
def test_what_is_never_to_be_destroyed_is_named_by_type_address_or_module(pattern: str) -> None:
    found = PlanFacts(Summary((DB, APP)))

    assert told(Guards(never_destroy=(pattern,)), found) == [f"{DB.address} would be destroyed."]


@pytest.mark.parametrize("pattern", ["db", "aws_db_instance.main", "module", "module.dat", "main", "module.data.*.x"])
def test_a_pattern_means_whole_names(pattern: str) -> None:
    assert told(Guards(never_destroy=(pattern,)), PlanFacts(Summary((DB,)))) == []


def test_a_replacement_destroys_and_a_change_in_place_does_not() -> None:
    found = PlanFacts(Summary((APP, Change("terraform_data.b", Action.UPDATE))))

    assert told(Guards(never_destroy=("*",)), found) == ["terraform_data.app would be destroyed and made anew."]


def test_a_plan_destroys_at_most_so_many() -> None:
    found = PlanFacts(Summary((DB, APP)))

    assert told(Guards(max_destroys=2), found) == []
    assert told(Guards(max_destroys=1), found) == [
        f"2 resources would be destroyed, and at most 1 may be: {DB.address}, terraform_data.app."
    ]


def test_providers_are_those_of_the_code_and_of_what_is_made_and_never_terraforms_own() -> None:
    assert told(Guards(providers=("hashicorp/aws",)), facts()) == []
    assert told(Guards(providers=("hashicorp/random",)), facts()) == [
        "aws_s3_bucket.b needs the provider hashicorp/aws."
    ]


def test_a_region_is_that_of_the_providers_configuration_where_the_resource_has_none_yet() -> None:
    assert facts().regions == {"aws": "eu-west-1", "aws.second": "us-east-1"}
    assert told(Guards(regions=("eu-*",)), facts()) == ["aws_s3_bucket.b would be in the region us-east-1."]


@pytest.mark.parametrize(
    ("type", "after", "unknown", "said"),
    [
        ("aws_x", {"arn": "arn:aws:sqs:us-east-1:1:q"}, {}, ["aws_x.x would be in the region us-east-1."]),
        ("aws_x", {"arn": "arn:aws:iam::1:role/r"}, {}, []),
        ("aws_x", {"availability_zone": "us-west-2b"}, {}, ["aws_x.x would be in the region us-west-2."]),
        ("aws_x", {}, {"region": True}, ["aws_x.x would be in a region that cannot be known before it is made."]),
        ("aws_x", {"region": "(sensitive)"}, {}, ["aws_x.x would be in a region that is sensitive."]),
        ("aws_x", {}, {}, []),
    ],
)
def test_a_resource_says_itself_where_it_is_if_it_can(
    type: str, after: dict[str, object], unknown: dict[str, object], said: list[str]
) -> None:
    assert told(Guards(regions=("eu-*",)), made(type, after, unknown)) == said


@pytest.mark.parametrize(
    ("references", "region"),
    [
        (["var.environment.inputs.region", "var.environment.inputs", "var.environment"], "eu-west-1"),
        (["var.environment.inputs.region", "var.stage"], Hidden.UNKNOWN),
        (["local.region"], Hidden.UNKNOWN),
        (["var.environment.inputs.nothing", "var.environment"], Hidden.UNKNOWN),
        (["var.password"], Hidden.SENSITIVE),
    ],
)
def test_a_region_that_the_code_works_out_cannot_be_told(references: list[str], region: object) -> None:
    plan = json.loads(json.dumps(PLAN))
    plan["configuration"]["provider_config"]["aws"]["expressions"]["region"] = {"references": references}

    assert facts(plan).regions["aws"] == region


def test_of_a_region_that_is_made_out_of_one_variable_the_plan_says_too_little() -> None:
    plan = json.loads(json.dumps(PLAN))
    plan["configuration"]["provider_config"]["aws"]["expressions"]["region"] = {
        "references": ["var.environment.inputs.region"]
    }

    found = plan_facts.read(export_plan.masked(plan, 1), Summary(), "", Untold(works_regions_out=True))

    assert found.regions["aws"] == Hidden.UNKNOWN


@pytest.mark.parametrize(
    ("region", "is_worked_out"),
    [
        ('"eu-west-1"', False),
        ("var.environment.inputs.region # of the environment", False),
        ('var.regions["main"][0].name', False),
        ('"${var.region}"', False),
        ('"us-east-1${substr(var.region, 0, 0)}"', True),
        ("lower(var.region)", True),
        ("/* region = var.region */ (\nvar.region)", True),
        ("<<E\n${var.region}\nE", True),
    ],
)
def test_a_region_is_a_text_or_a_variable_or_worked_out(region: str, *, is_worked_out: bool) -> None:
    code = f'locals {{\n  region = lower("X")\n}}\nprovider "aws" {{\n  alias  = "x"\n  region = {region}\n}}\n'

    assert configurations.is_worked_out({"main.tf": code.encode()}, "region") is is_worked_out


def test_a_region_in_json_is_worked_out_where_its_text_is_more_than_a_variable() -> None:
    plain, made = ({"provider": {"aws": [{"region": f"{text}${{var.region}}"}]}} for text in ("", "us"))

    assert not configurations.is_worked_out({"a.tf.json": json.dumps(plain).encode()}, "region")
    assert configurations.is_worked_out({"a.tf.json": json.dumps(made).encode()}, "region")


def test_tags_are_asked_of_what_can_have_some_and_names_are_enough_where_no_values_are_given() -> None:
    wanted = Guards(required_tags={"owner": ("y*",), "key": ("k*",), "team": ()})

    assert [sentence for sentence in told(wanted, facts()) if QUEUE in sentence] == [
        f"{QUEUE} has a tag owner with a value that is not allowed.",
        f"{QUEUE} has a tag key whose value cannot be told.",
        f"{QUEUE} has no tag team.",
    ]


def test_tags_that_are_not_known_yet_do_not_count() -> None:
    assert told(Guards(required_tags={"owner": ()}), facts())[0] == (
        "aws_s3_bucket.b has no tag owner, as far as can be told: some of its tags cannot be known before it is made."
    )


def test_a_tag_whose_value_alone_is_unknown_is_there() -> None:
    found = made("aws_x", {"tags": {"a": "b"}}, {"tags": {"owner": True}})

    assert told(Guards(required_tags={"owner": ()}), found) == []
    assert told(Guards(required_tags={"owner": ("me",)}), found) == [
        "aws_x.x has a tag owner whose value cannot be told."
    ]


def test_words_that_are_called_tags_are_none() -> None:
    assert told(Guards(required_tags={"owner": ()}), made("google_x", {"tags": ["web"]})) == []


def test_public_ingress_is_found_in_groups_and_rules_and_what_is_unknown_may_be_public() -> None:
    unknown = "who may come in cannot be known before it is made."

    assert told(Guards(public_ingress=()), facts()) == [
        f"aws_security_group.many may let the whole world in: {unknown}",
        "aws_security_group.web lets the whole world in on port 443.",
        f"aws_security_group_rule.all may let the whole world in: {unknown}",
    ]
    assert told(Guards(public_ingress=(Ports(80, 443),)), facts()) == [
        f"aws_security_group.many may let the whole world in: {unknown}",
        f"aws_security_group_rule.all may let the whole world in: {unknown}",
    ]


TCP = {"protocol": "tcp", "from_port": 22, "to_port": 22}


@pytest.mark.parametrize(
    ("type", "after", "unknown", "is_open"),
    [
        ("aws_security_group_rule", {**TCP, "type": "ingress", "ipv6_cidr_blocks": ["::/0"]}, {}, True),
        ("aws_security_group_rule", {**TCP, "type": "ingress", "cidr_blocks": ["7.7.7.7/0"]}, {}, True),
        (
            "aws_security_group_rule",
            {**TCP, "type": "ingress", "cidr_blocks": ["128.0.0.0/2", "192.0.0.0/2", "10.0.0.0/8"]},
            {},
            True,
        ),
        ("aws_security_group_rule", {**TCP, "type": "ingress", "ipv6_cidr_blocks": ["2000::/3"]}, {}, True),
        ("aws_security_group_rule", {**TCP, "type": "ingress", "ipv6_cidr_blocks": ["fc00::/7"]}, {}, False),
        ("aws_security_group_rule", {**TCP, "type": "egress", "cidr_blocks": ["0.0.0.0/0"]}, {}, False),
        ("aws_security_group_rule", {**TCP, "type": "ingress", "cidr_blocks": ["10.0.0.0/8"]}, {}, False),
        (
            "aws_security_group_rule",
            {**TCP, "type": "ingress", "cidr_blocks": ["10.0.0.0/8", None]},
            {"cidr_blocks": [False, True]},
            True,
        ),
        ("aws_security_group_rule", {**TCP, "type": "ingress", "cidr_blocks": ["(sensitive)"]}, {}, True),
        ("aws_vpc_security_group_ingress_rule", {"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"}, {}, True),
        ("aws_vpc_security_group_ingress_rule", {"ip_protocol": "tcp"}, {"cidr_ipv6": True}, True),
        ("aws_default_security_group", {"ingress": []}, {"ingress": []}, False),
        ("aws_security_group", {}, {"ingress": True}, True),
        ("aws_security_group", {"ingress": [{**TCP}]}, {"ingress": [True]}, True),
    ],
)
def test_who_comes_in_from_everywhere(
    type: str, after: dict[str, object], unknown: dict[str, object], *, is_open: bool
) -> None:
    assert bool(told(Guards(public_ingress=()), made(type, after, unknown))) is is_open


def test_programs_are_found_in_all_modules_and_where_data_comes_from() -> None:
    plan = json.loads(json.dumps(PLAN))
    plan["configuration"]["root_module"]["resources"].append(
        {"address": "data.external.e", "mode": "data", "type": "external"}
    )

    assert told(Guards(local_exec=False), facts(plan)) == [
        "terraform_data.x has a provisioner local-exec.",
        "data.external.e gets its values from a program.",
        "module.m.terraform_data.y has a provisioner remote-exec.",
    ]


REMOVED = """
removed {
  from = module.old.terraform_data.x
  lifecycle {
    destroy = true
  }
  provisioner "local-exec" {
    when    = destroy
    command = "true"
  }
}
"""
REMOVED_IN_JSON = {"removed": [{"from": "terraform_data.y", "provisioner": [{"remote-exec": {}}, {"file": {}}]}]}


def test_programs_are_found_in_removed_blocks_of_which_no_plan_tells() -> None:
    code = {"main.tf": REMOVED.encode(), "m/a.tf.json": json.dumps(REMOVED_IN_JSON).encode()}

    found = plan_facts.read(
        {"format_version": "1.2"}, Summary(), "", Untold(of_removed=configurations.provisioners_of_removed(code))
    )

    assert told(Guards(local_exec=False), found) == [
        "module.old.terraform_data.x (main.tf) has a provisioner local-exec.",
        "terraform_data.y (m/a.tf.json) has a provisioner remote-exec.",
    ]


def test_what_is_destroyed_under_a_new_name_keeps_its_old_one() -> None:
    moved = Change("terraform_data.other[0]", Action.DELETE, previous=DB.address)

    assert told(Guards(never_destroy=("module.data",)), PlanFacts(Summary((moved,)))) == [
        f"terraform_data.other[0] (so far {DB.address}) would be destroyed."
    ]


def test_nothing_sensitive_is_said() -> None:
    everything = Guards((), 0, ("x",), ("x",), {"owner": ("no",), "key": ("no",)}, (), local_exec=False)

    assert "s3cr3t-value" not in " ".join(told(everything, facts()))


def test_what_is_destroyed_or_left_alone_is_not_judged_by_what_it_is() -> None:
    plan = json.loads(json.dumps(PLAN))
    for each, actions in zip(plan["resource_changes"], [["delete"], ["no-op"], ["read"], ["forget"]] * 2, strict=False):
        each["change"]["actions"] = actions

    assert facts(plan).resources == ()
    assert plan_facts.destroyed(plan).destructive[0] == Change("aws_s3_bucket.b", Action.DELETE)


def test_a_guard_can_only_warn() -> None:
    wanted = Guards(max_destroys=0, warn_only=("max_destroys",))

    [found] = refusals(Guarded("template web", wanted), PlanFacts(Summary((DB,))))

    assert (found.severity, found.source) == (Severity.WARN, "template web")
    assert guards.denied([found]) == ()
    assert guards.why_it_waits([found]) == ""


def test_a_rule_that_is_broken_very_often_is_counted() -> None:
    changes = tuple(Change(f"terraform_data.a[{number}]", Action.DELETE) for number in range(MOST + 7))

    said = told(Guards(never_destroy=("terraform_data",)), PlanFacts(Summary(changes)))

    assert len(said) == MOST + 1
    assert said[-1] == "... and 7 more like these."


@pytest.mark.parametrize("plan", [{}, {"format_version": "2.0"}, {"format_version": "1.2", "complete": False}])
def test_what_cannot_be_judged_is_an_error(plan: dict[str, object]) -> None:
    with pytest.raises(ExternalFailure):
        plan_facts.read(plan, Summary(), "")


@pytest.mark.parametrize("junk", [None, 1, [], "x", [1], {"a": 1}, [{"change": []}], [{"change": {"after": [1]}}]])
def test_a_plan_of_any_form_is_read(junk: object) -> None:
    plan = {"format_version": "1.2", "resource_changes": junk, "configuration": junk, "variables": junk}

    assert plan_facts.read(plan, Summary(), "").programs == {}


def test_why_a_plan_waits_names_rules_and_resources() -> None:
    lost = replace(DENIED, rule="never_destroy", address="aws_db_instance.main")
    more = replace(lost, address="aws_db_instance.other")

    assert guards.why_it_waits([DENIED, WARNED, lost, more]) == (
        "Guards refuse it: max_destroys; never_destroy (aws_db_instance.main and 1 more). It waits for an exception."
    )


def test_a_yes_must_except_every_rule_that_denies() -> None:
    lost = replace(DENIED, rule="never_destroy", address="aws_db_instance.main", sentence="aws_db_instance.main goes.")

    error = guards.unexcepted(42, [DENIED, WARNED, lost], ["max_destroys"])

    assert isinstance(error, Refused)
    assert error.message == (
        "Guards refuse the plan of run 42.\nnever_destroy (environment/prod): aws_db_instance.main goes."
    )
    assert error.hint == (
        "For an exception, ask for: landform run approve 42 --except max_destroys,never_destroy --reason TEXT"
    )
    assert guards.unexcepted(42, [DENIED, WARNED, lost], ["never_destroy", "max_destroys"]) is None


def test_an_exception_that_nothing_needs_is_a_mistake() -> None:
    with pytest.raises(Invalid) as error:
        guards.refuse_needless({1: [DENIED], 2: []}, ["max_destroy", "regions"])
    with pytest.raises(Conflict) as conflict:
        guards.refuse_needless({1: [WARNED]}, ["regions"])

    assert [str(problem) for problem in error.value.problems] == [
        '--except: max_destroy: is not what a guard refuses here. Did you mean "max_destroys"?',
        "--except: regions: is not what a guard refuses here.",
    ]
    assert conflict.value.message == "Run 1 needs no exception: no guard refuses it."


def test_a_refusal_that_was_kept_is_read_back_the_same() -> None:
    assert guards.refusals_from_json([DENIED.to_json(), WARNED.to_json()]) == (DENIED, WARNED)
