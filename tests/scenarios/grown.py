"""The home of the cases about versions after day one: a fleet with every state that a refusal can be about."""

from __future__ import annotations

from tests.scenarios.bad_input import BROKEN_SCHEMA
from tests.scenarios.world import ENVIRONMENT_CODE, SERVICE_CODE, World

VAULT_CODE = ENVIRONMENT_CODE.replace("terraform_data.size.output", "var.environment.inputs.size").replace(
    'resource "terraform_data" "size" {\n  input', 'resource "terraform_data" "db" {\n  triggers_replace'
)
SITE_CODE = f"""\
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }}
  }}
}}

{SERVICE_CODE}
resource "terraform_data" "log" {{
  input = var.service_instance.inputs.title
}}
"""
API_CODE = f"""\
{SERVICE_CODE}
output "size" {{
  value = var.environment.outputs.size
}}
"""
LOGGED_CODE = f"""{SERVICE_CODE}
resource "terraform_data" "log" {{
}}
"""
_NO_ZONE = ENVIRONMENT_CODE.replace('output "zone"', 'output "place"')
_GUARDS = "never_destroy: [terraform_data.db]\nmax_destroys: 0\n"


def furnish(world: World) -> None:
    """What a team has after a year. In `World.deployed()`, whose runs are 1 and 2, there are then:

    - web@1.1 yanked, web@1.2 deprecated, web@1.3 a draft, web@1.4 failed;
    - lab@1.1 deprecated, without the output that web reads;
    - cart/prod, on api@1.1 since run 4, with the minimum api@1.1;
    - environment `guarded`, whose guards refuse the plan of run 6, and `asleep`, which hibernates;
    - billing/prod, whose plan, run 9, waits for approval, and environment `brief`, whose run 10 is queued;
    - campaign 1, which succeeded, 2, whose step failed, and 3, which nobody carries out.
    """
    _bring_versions(world)
    world.do("service", "create", "cart", "-t", "api@1.0", "--env", "prod", "--auto-approve")
    world.do("instance", "update", "cart/prod", "--version", "1.1", "--auto-approve")
    world.do("template", "minimum", "api@1.1")
    world.do("env", "create", "guarded", "-t", "vault", "--auto-approve")
    world.do("env", "guards", "set", "guarded", world.write("guards.yaml", _GUARDS))
    world.run("env", "update", "guarded", "--set", "size=2", "--yes")
    world.do("env", "create", "asleep", "-t", "lab", "--auto-approve")
    world.do("instance", "hibernate", "environment/asleep", "--yes")
    world.run("service", "create", "billing", "-t", "web", "--env", "prod")
    world.do("env", "create", "brief", "-t", "lab", "--ttl", "72h", "--no-wait")
    world.do("campaign", "start", "--redeploy", "--select", "environment=prod,kind=environment", "--auto-approve")
    world.run("campaign", "start", "web@1.2", "--select", "service=orders", "--allow", "no-change", "--auto-approve")
    world.do("campaign", "start", "api@1.2", "--no-wait")


def _bring_versions(world: World) -> None:
    world.publish("api", world.service_bundle("api", API_CODE))
    world.publish("api", world.service_bundle("api", API_CODE), "--major", "1")
    world.publish("api", world.service_bundle("api", API_CODE), "--major", "1")
    world.publish("site", world.service_bundle("site", SITE_CODE))
    world.publish("vault", world.environment_bundle("vault", VAULT_CODE))
    world.do("template", "register", "tested", world.environment_bundle())
    world.do("template", "require-tests", "tested")
    world.publish("web", world.service_bundle(), "--major", "1")
    world.do("template", "yank", "web@1.1", "--reason", "It loses the log.")
    world.publish("web", world.service_bundle(code=LOGGED_CODE), "--major", "1")
    world.do("template", "deprecate", "web@1.2", "--reason", "It is slow.")
    world.do("template", "register", "web", world.service_bundle(code=LOGGED_CODE), "--major", "1")
    world.run("template", "register", "web", world.service_bundle(schema=BROKEN_SCHEMA), "--major", "1")
    why = "For those who live alone."
    world.publish("lab", world.environment_bundle(code=_NO_ZONE), "--major", "1", "--force", "--reason", why)
    world.do("template", "deprecate", "lab@1.1", "--reason", "It says too little.")
