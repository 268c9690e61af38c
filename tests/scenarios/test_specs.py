"""What developers and admins write down: specs and --set, from the command line to what Terraform is given."""

from __future__ import annotations

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

ENVIRONMENT_SPEC = """\
proton: EnvironmentSpec
spec:
  zone: b
"""
SERVICE_SPEC = """\
proton: ServiceSpec
instances:
- name: one
  environment: prod
  spec:
    port: 8080
- name: two
  environment: prod
  spec: {}
"""
WRONG_SPEC = """\
proton: ServiceSpec
instances:
- name: one
  environment: prod
  spec:
    titel: shop
    port: 99999
- name: two
  environment: nowhere
  spec:
    port: eighty
"""
TYPES_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  service_input_type: "ServiceInput"
  types:
    ServiceInput:
      type: object
      properties:
        count:
          type: integer
          default: 2
        ratio:
          type: number
        public:
          type: boolean
        code:
          type: string
        hosts:
          type: array
          items:
            type: string
        limits:
          type: object
          properties:
            cpu:
              type: integer
            memory:
              type: string
              default: "1G"
"""
TYPES_CODE = """\
resource "terraform_data" "app" {
  input = [var.service_instance.inputs, var.environment.outputs.zone]
}
"""


def stored(world: World, instance: str) -> object:
    """The inputs of an instance as they are kept."""
    return world.row("instance", "show", instance)["inputs"]


def given(world: World, instance: str) -> object:
    """The inputs of an instance as Terraform gets them."""
    return world.given(f"service/{instance}")["service_instance"]["inputs"]


def test_an_environment_is_made_from_an_environment_spec(world: World) -> None:
    world.publish("lab", world.environment_bundle())
    world.write("prod.yaml", ENVIRONMENT_SPEC)

    world.do("env", "create", "prod", "-t", "lab", "--spec", "prod.yaml", "--auto-approve")

    assert world.row("env", "show", "prod")["outputs"]["zone"]["value"] == "b"


def test_a_service_has_the_instances_of_its_spec(deployed: World) -> None:
    deployed.write("shop.yaml", SERVICE_SPEC)

    deployed.do("service", "create", "shop", "-t", "web", "-f", "shop.yaml", "--auto-approve")

    rows = deployed.rows("instance", "list", "--service", "shop")
    assert [(row["name"], row["environment"], row["status"]) for row in rows] == [
        ("one", "prod", "succeeded"),
        ("two", "prod", "succeeded"),
    ]


def test_a_spec_may_come_from_standard_input(deployed: World) -> None:
    deployed.do("service", "create", "shop", "-t", "web", "-f", "-", "--auto-approve", stdin=SERVICE_SPEC)

    assert deployed.do("service", "spec", "shop").out == SERVICE_SPEC


def test_inputs_are_kept_as_given_and_defaults_are_filled_in_for_terraform(deployed: World) -> None:
    deployed.do("service", "create", "shop", "-t", "web", "-f", "-", "--auto-approve", stdin=SERVICE_SPEC)

    assert stored(deployed, "shop/one") == {"port": 8080}
    assert stored(deployed, "shop/two") == {}
    assert given(deployed, "shop/one") == {"port": 8080, "title": "untitled"}
    assert given(deployed, "shop/two") == {"port": 80, "title": "untitled"}


def test_set_goes_before_the_spec_in_every_instance(deployed: World) -> None:
    options = ("-f", "-", "--set", "port=9000", "--auto-approve")

    deployed.do("service", "create", "shop", "-t", "web", *options, stdin=SERVICE_SPEC)

    assert stored(deployed, "shop/one") == {"port": 9000}
    assert stored(deployed, "shop/two") == {"port": 9000}


def test_types_survive_on_their_way_to_terraform(deployed: World) -> None:
    deployed.publish("typed", deployed.service_bundle("typed", code=TYPES_CODE, schema=TYPES_SCHEMA))
    values = ("ratio=0.5", "public=true", "code=007", "hosts=[a, NO]", "limits.cpu=4")
    options = [word for value in values for word in ("--set", value)]

    deployed.do("service", "create", "shop", "-t", "typed", "--env", "prod", *options, "--auto-approve")

    assert given(deployed, "shop/prod") == {
        "count": 2,
        "ratio": 0.5,
        "public": True,
        "code": "007",
        "hosts": ["a", "NO"],
        "limits": {"cpu": 4, "memory": "1G"},
    }


def test_a_value_of_another_type_is_refused_and_not_converted(deployed: World) -> None:
    deployed.publish("typed", deployed.service_bundle("typed", code=TYPES_CODE, schema=TYPES_SCHEMA))
    options = ("--set", "hosts=[a, 1.0]", "--set", "count=2.5", "--set", "public=yes")

    result = deployed.run("service", "create", "shop", "-t", "typed", "--env", "prod", *options)

    assert result.code == 1
    assert result.err.splitlines()[1:-1] == [
        "  --set: count: 2.5 is not a whole number.",
        '  --set: hosts[1]: 1.0 is not a string. Write "1.0".',
        '  --set: public: "yes" is not true or false.',
    ]


def test_current_val_keeps_what_an_instance_has(deployed: World) -> None:
    deployed.do("service", "create", "shop", "-t", "web", "-f", "-", "--auto-approve", stdin=SERVICE_SPEC)
    spec = SERVICE_SPEC.replace("port: 8080", 'port: "${Proton::CURRENT_VAL}"\n    title: new')

    deployed.do("instance", "update", "shop/one", "-f", "-", "--auto-approve", stdin=spec)

    assert stored(deployed, "shop/one") == {"port": 8080, "title": "new"}


def test_current_val_without_a_current_value_leaves_the_default(deployed: World) -> None:
    spec = SERVICE_SPEC.replace("one", "prod").replace("8080", '"${Proton::CURRENT_VAL}"')

    deployed.do("instance", "update", "orders/prod", "-f", "-", "--auto-approve", stdin=spec)

    assert stored(deployed, "orders/prod") == {}
    assert given(deployed, "orders/prod") == {"port": 80, "title": "untitled"}


def test_current_val_works_for_environments_too(deployed: World) -> None:
    deployed.do("env", "update", "prod", "--set", "zone=b", "--set", "size=2", "--auto-approve")
    spec = ENVIRONMENT_SPEC.replace("zone: b", 'zone: "${Proton::CURRENT_VAL}"')

    deployed.do("env", "update", "prod", "-f", "-", "--auto-approve", stdin=spec)

    assert deployed.row("env", "show", "prod")["inputs"] == {"zone": "b"}


def test_everything_wrong_with_a_spec_is_said_at_once_with_file_and_line(deployed: World) -> None:
    deployed.write("shop.yaml", WRONG_SPEC)

    result = deployed.run("service", "create", "shop", "-t", "web", "-f", "shop.yaml")

    assert result.code == 1
    assert result.err.splitlines() == [
        "Error: The spec does not fit web@1.0:",
        '  shop.yaml:6: instances[0].spec.titel: is not an input of this template. Did you mean "title"?',
        "  shop.yaml:7: instances[0].spec.port: 99999 is more than the maximum 65535.",
        "  shop.yaml:9: instances[1].environment: There is no environment nowhere.",
        "    See them all: landform env list",
        '  shop.yaml:11: instances[1].spec.port: "eighty" is not a whole number.',
        "Hint: See its inputs: landform template show web@1.0",
    ]
    assert [row["name"] for row in deployed.rows("service", "list")] == ["orders"]


def test_a_spec_refused_in_json_has_its_problems_as_data(deployed: World) -> None:
    deployed.write("shop.yaml", WRONG_SPEC)

    result = deployed.run("service", "create", "shop", "-t", "web", "-f", "shop.yaml", "-o", "json")

    assert result.out == ""
    assert [(problem["line"], problem["field"]) for problem in result.error["problems"]] == [
        (6, "instances[0].spec.titel"),
        (7, "instances[0].spec.port"),
        (9, "instances[1].environment"),
        (11, "instances[1].spec.port"),
    ]


def test_an_unknown_input_is_refused_with_the_nearest_name(deployed: World) -> None:
    result = deployed.run("instance", "update", "orders/prod", "--set", "prot=81")

    assert result.code == 1
    assert result.err == (
        "Error: The spec does not fit web@1.0:\n"
        '  --set: prot: is not an input of this template. Did you mean "port"?\n'
        "Hint: See its inputs: landform template show web@1.0\n"
    )


def test_a_spec_of_the_other_kind_is_refused(deployed: World) -> None:
    result = deployed.run("env", "update", "prod", "-f", "-", stdin=SERVICE_SPEC)

    assert result.code == 1
    assert result.err == (
        "Error: standard input cannot be used:\n"
        "  standard input:1: proton: is ServiceSpec; an EnvironmentSpec is expected here.\n"
    )


def test_only_the_entry_of_an_instance_counts_when_it_is_updated(deployed: World) -> None:
    deployed.do("service", "create", "shop", "-t", "web", "-f", "-", "--auto-approve", stdin=SERVICE_SPEC)
    spec = SERVICE_SPEC.replace("8080", "8081").replace("spec: {}", "spec: {port: 99999}")

    deployed.do("instance", "update", "shop/one", "-f", "-", "--auto-approve", stdin=spec)

    assert stored(deployed, "shop/one") == {"port": 8081}
    assert stored(deployed, "shop/two") == {}


def test_an_instance_cannot_move_to_another_environment(deployed: World) -> None:
    spec = SERVICE_SPEC.replace("one", "prod").replace("environment: prod", "environment: test")

    result = deployed.run("instance", "update", "orders/prod", "-f", "-", stdin=spec)

    assert result.code == 1
    assert result.err == (
        "Error: The spec cannot be applied:\n"
        "  standard input:4: instances[0].environment: an instance cannot move: it lives in prod, not in test.\n"
    )
