"""A web service on real Terraform and the real AWS provider: two accounts, a pipeline, a component, to the end."""

from __future__ import annotations

import json
import shutil

from tests.scenarios.world import World
from tests.terraform._shipped import MODULES
from tests.terraform.aws._cloud import Account
from tests.terraform.aws._platform import ON_AWS, Platform

pytestmark = ON_AWS

APPROVED = ("--auto-approve", "--allow-destroy")
SPEC = """\
proton: ServiceSpec
pipeline:
  automatic: [dev]
  codebuild: true
instances:
  - name: dev
    environment: dev
    spec:
      load_balancer: "none"
      variables:
        LOG_LEVEL: "debug"
  - name: prod
    environment: prod
    spec:
      load_balancer: "none"
      min_tasks: 2
      secrets:
        KEY: "arn:aws:ssm:us-east-1:111122223333:parameter/orders/key"
"""
COMPONENT = """\
resource "aws_sqs_queue" "this" {
  name = "${var.environment.name}-${var.component.name}"
}

data "aws_iam_policy_document" "this" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.this.arn]
  }
}

resource "aws_iam_policy" "this" {
  name   = "${var.environment.name}-${var.component.name}"
  policy = data.aws_iam_policy_document.this.json
}

output "mail_queue" {
  value = aws_sqs_queue.this.id
}

output "mail_policy_arn" {
  value = aws_iam_policy.this.arn
}
"""


def next_minor(world: World) -> None:
    """Publishes a version of fargate-web with one more output."""
    bundle = world.root / "next"
    shutil.copytree(MODULES / "service/fargate-web/v1", bundle)
    with (bundle / "instance_infrastructure/outputs.tf").open("a") as file:
        file.write('\noutput "family" {\n  value = aws_ecs_task_definition.this.family\n}\n')
    world.publish("fargate-web", bundle, "--major", 1)


def running(account: Account, cluster: str, service: str) -> tuple[int, dict[str, str]]:
    """How many tasks are wanted of a service, and the environment of their container."""
    [found] = account.ask("ecs", "describe_services", cluster=cluster, services=[service])["services"]
    task = account.ask("ecs", "describe_task_definition", taskDefinition=found["taskDefinition"])["taskDefinition"]
    [container] = task["containerDefinitions"]
    return found["desiredCount"], {each["name"]: each["value"] for each in container["environment"]}


def attached(account: Account, role_arn: str) -> list[str]:
    """The policies of a role that are things of their own."""
    role = role_arn.rpartition("/")[2]
    found = account.ask("iam", "list_attached_role_policies", RoleName=role)["AttachedPolicies"]
    return [each["PolicyName"] for each in found]


def environment(name: str) -> dict[str, list[str]]:
    """What is in an account in which an environment lives and nothing else."""
    return {
        "cluster": [name],
        "log group": [f"/landform/{name}"],
        "namespace": [f"{name}.internal"],
        "network": ["10.0.0.0/16"],
        "role": [name],
        "topic": [f"{name}-alarms"],
    }


def test_a_web_service_lives_in_two_accounts_with_its_pipeline_and_a_component(platform: Platform) -> None:
    world, dev, prod, tools = platform.world, platform.dev, platform.prod, platform.tools
    platform.publish("environment/vpc-fargate", "service/fargate-web")

    # environments
    for name in ("dev", "prod"):
        world.do("env", "create", name, "-t", "vpc-fargate", "--credentials", name, "--auto-approve", "--no-wait")
    world.do("run", "apply", 1, 2, "--parallel", 2)

    made = [account.everything() for account in (dev, prod, tools)]
    assert made == [environment("dev"), environment("prod"), {}]

    # a service with an instance in each, and its pipeline
    spec = world.write("spec.yaml", SPEC)
    place = ("--repository", "acme/orders", "--branch", "main")
    world.do("service", "create", "orders", "-t", "fargate-web", "-f", spec, *place, "--auto-approve")

    assert running(dev, "dev", "orders-dev") == (1, {"LOG_LEVEL": "debug"})
    assert running(prod, "prod", "orders-prod") == (2, {})
    assert {"orders-prod-cpu", "orders-prod-memory"} < set(prod.names("alarm"))
    assert prod.names("dashboard") == ["orders-prod"]
    assert tools.everything() == {
        "build": ["orders"],
        "images": ["orders"],
        "log group": ["/landform/pipeline/orders"],
        "role": ["orders"],
    }
    pulls = json.loads(tools.ask("ecr", "get_repository_policy", repositoryName="orders")["policyText"])
    assert set(pulls["Statement"][0]["Principal"]["AWS"]) == {dev.id, prod.id}
    assert "orders/prod waits for: landform run approve" in platform.outputs("pipeline/orders")["deploy_script"]

    # a component, which the instance uses from its next version on
    file = world.write("mail.tf", COMPONENT)
    world.do("component", "create", "mail", "--file", file, "--instance", "orders/dev", "--auto-approve")
    next_minor(world)
    world.do("instance", "update", "orders/dev", *APPROVED)

    outputs = platform.outputs("instance/orders/dev")
    queue = platform.outputs("component/mail")["mail_queue"]
    assert outputs["family"] == "orders-dev"
    assert running(dev, "dev", "orders-dev") == (1, {"LOG_LEVEL": "debug", "MAIL_QUEUE": queue})
    assert attached(dev, outputs["task_role_arn"]) == ["dev-mail"]
    assert "queue" not in prod.everything()

    # the end
    world.do("component", "update", "mail", "--detach", "--auto-approve")
    world.do("service", "delete", "orders", *APPROVED)
    world.do("component", "delete", "mail", *APPROVED)
    assert (dev.everything(), prod.everything()) == (environment("dev"), environment("prod"))
    for name in ("dev", "prod"):
        world.do("env", "delete", name, *APPROVED, "--no-wait")
    queued = [row["id"] for row in world.rows("run", "list", "--status", "queued")]
    world.do("run", "apply", *queued, "--parallel", 2)
    assert [account.everything() for account in (dev, prod, tools)] == [{}, {}, {}]
