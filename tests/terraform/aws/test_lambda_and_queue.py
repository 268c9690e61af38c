"""The other services on AWS, on real Terraform and the real AWS provider, in an environment that others made."""

from __future__ import annotations

import json

import pytest

from tests.terraform.aws._cloud import Account
from tests.terraform.aws._platform import ON_AWS, Platform

pytestmark = ON_AWS

APPROVED = ("--auto-approve", "--allow-destroy")
GITLAB = "arn:aws:iam::111122223333:oidc-provider/gitlab.com"
SPEC = """\
proton: ServiceSpec
pipeline:
  oidc_provider_arn: "{provider}"
  oidc_subject: "project_path:acme/{service}:ref_type:branch:ref:main"
instances:
  - name: live
    environment: lab
    spec: {inputs}
"""
SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  environment_input_type: "Given"
  types:
    Given:
      type: object
      properties:
"""


def given(account: Account) -> dict[str, str]:
    """Outputs as those of vpc-fargate, of things that are there without it."""
    vpc = account.ask("ec2", "create_vpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = account.ask("ec2", "create_subnet", VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    cluster = account.ask("ecs", "create_cluster", clusterName="lab")["cluster"]
    return {
        "region": "us-east-1",
        "vpc_id": vpc,
        "vpc_cidr": "10.0.0.0/16",
        "public_subnet_ids": subnet,
        "private_subnet_ids": subnet,
        "nat": "none",
        "cluster_name": "lab",
        "cluster_arn": cluster["clusterArn"],
        "log_group_name": "lab",
        "namespace_id": "ns-1",
        "namespace_name": "lab.internal",
        "execution_role_arn": f"arn:aws:iam::{account.id}:role/execution",
        "execution_role_name": "execution",
        "alarm_topic_arn": f"arn:aws:sns:us-east-1:{account.id}:alarms",
    }


@pytest.fixture
def lab(platform: Platform) -> Platform:
    """With an environment lab in the account dev, of a template vpc-fargate that makes nothing."""
    outputs = given(platform.dev)
    schema = SCHEMA + "".join(f"        {name}: {{type: string}}\n" for name in outputs)
    platform.world.publish("vpc-fargate", platform.world.bundle("given", {"schema/schema.yaml": schema}))
    inputs = [f"--set={name}={value}" for name, value in outputs.items()]
    platform.world.do("env", "create", "lab", "-t", "vpc-fargate", "--credentials", "dev", *inputs, "--auto-approve")
    return platform


def create(lab: Platform, template: str, service: str, inputs: dict[str, object]) -> None:
    """Publishes a shipped template, and makes a service with an instance in lab."""
    lab.publish(f"service/{template}")
    spec = SPEC.format(provider=GITLAB, service=service, inputs=json.dumps(inputs))
    lab.world.do("service", "create", service, "-t", template, "-f", "-", "--auto-approve", stdin=spec)


def trust(account: Account, role_arn: str) -> object:
    """Under which conditions somebody may take the role."""
    role = account.ask("iam", "get_role", RoleName=role_arn.rpartition("/")[2])["Role"]
    return role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


def test_an_api_on_lambda_comes_and_goes_with_its_pipeline(lab: Platform) -> None:
    before = lab.dev.everything()

    create(lab, "lambda-api", "prices", {"runtime": "python3.8", "variables": {"CURRENCY": "EUR"}})

    function = lab.dev.ask("lambda", "get_function_configuration", FunctionName="prices-live")
    assert (function["Runtime"], function["Handler"]) == ("python3.8", "app.handler")
    assert function["Environment"]["Variables"] == {"CURRENCY": "EUR", "LANDFORM_SERVICE": "prices-live"}
    made = {kind: names for kind, names in lab.dev.everything().items() if kind not in before}
    assert made == {
        "alarm": ["prices-live-errors", "prices-live-latency", "prices-live-throttles"],
        "api": ["prices-live"],
        "dashboard": ["prices-live"],
        "function": ["prices-live"],
        "log group": ["/aws/lambda/prices-live", "/landform/lab/prices-live/requests"],
        "role": ["prices-live"],
    }
    assert lab.tools.everything() == {"bucket": ["prices-code"], "role": ["prices"]}
    assert trust(lab.tools, lab.outputs("pipeline/prices")["ci_role_arn"]) == {
        "StringEquals": {"gitlab.com:aud": ["https://gitlab.com"]},
        "StringLike": {"gitlab.com:sub": ["project_path:acme/prices:ref_type:branch:ref:main"]},
    }

    assert lab.world.run("run", "plan", "prices/live", "--speculative", "--detailed-exitcode").code == 0

    lab.world.do("service", "delete", "prices", *APPROVED)
    assert (lab.dev.everything(), lab.tools.everything()) == (before, {})


def test_a_worker_on_a_queue_comes_and_goes_with_its_pipeline(lab: Platform) -> None:
    before = lab.dev.everything()

    create(lab, "queue-worker", "thumbs", {"backlog": 50, "max_tasks": 20})

    made = {kind: names for kind, names in lab.dev.everything().items() if kind not in before}
    alarms = [f"thumbs-live-{each}" for each in ("age", "failed", "idle", "work")]
    assert made == {
        "alarm": alarms,
        "dashboard": ["thumbs-live"],
        "policy": ["thumbs-live-send"],
        "queue": ["thumbs-live", "thumbs-live-failed"],
        "role": ["thumbs-live"],
        "task definition": ["thumbs-live:1"],
    }
    scaled = lab.dev.ask("application-autoscaling", "describe_scaling_policies", ServiceNamespace="ecs")
    assert sorted(each["PolicyName"] for each in scaled["ScalingPolicies"]) == ["thumbs-live-less", "thumbs-live-more"]
    assert lab.tools.everything() == {"images": ["thumbs"], "role": ["thumbs"]}

    lab.world.do("service", "delete", "thumbs", *APPROVED)
    assert (lab.dev.everything(), lab.tools.everything()) == (before, {})
