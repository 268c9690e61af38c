"""Components: one Terraform file each, attached to a service instance or by itself in an environment."""

from __future__ import annotations

import pytest

from tests.scenarios.world import MANIFEST, REGISTRATION, SERVICE_CODE, SERVICE_SCHEMA, World

pytestmark = pytest.mark.terraform

BUCKET = """\
resource "terraform_data" "bucket" {
  input = "${var.environment.outputs.zone}-${var.component.name}-${try(var.service_instance.inputs.port, "none")}"
}

output "bucket" {
  value = terraform_data.bucket.output
}
"""
READER = (
    SERVICE_CODE
    + """
output "bucket" {
  value = can(var.service_instance.components.default) ? var.service_instance.components.default.outputs.bucket : "none"
}
"""
)
TAKES_COMPONENTS = "supported_component_sources:\n  - DIRECTLY_DEFINED\n"


@pytest.fixture
def lab(world: World) -> World:
    """Environment prod with service orders, whose only instance takes a component."""
    made(world)
    return world


def made(world: World) -> None:
    files = {
        "schema/schema.yaml": SERVICE_SCHEMA,
        "instance_infrastructure/manifest.yaml": MANIFEST,
        "instance_infrastructure/main.tf": READER,
        ".template-registration.yaml": REGISTRATION.format(environment="lab:1") + TAKES_COMPONENTS,
    }
    world.publish("lab", world.environment_bundle())
    world.publish("web", world.bundle("web", files))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")
    world.write("bucket.tf", BUCKET)


def attached(world: World) -> None:
    world.do(
        *("component", "create", "cache", "--file", world.root / "bucket.tf"),
        *("--instance", "orders/prod", "--auto-approve"),
    )


def output(world: World, *of: str) -> object:
    return {item["name"]: item["value"] for item in world.row(*of)["items"]}["bucket"]


def stale(world: World) -> list[str]:
    found: list[str] = world.row("instance", "show", "orders/prod")["stale"]
    return found


def refused(world: World, *command: object) -> tuple[int, str, str]:
    result = world.run(*command, "-o", "json")
    return result.code, result.error["message"], result.error["hint"]


def test_inputs_of_the_instance_flow_into_its_component_and_outputs_back(lab: World) -> None:
    attached(lab)
    before = stale(lab)

    lab.do("instance", "update", "orders/prod", "--kind", "current-version", "--auto-approve")

    assert output(lab, "component", "outputs", "cache") == "a-cache-80"
    assert before == ["component/cache bucket"]
    assert (stale(lab), output(lab, "instance", "outputs", "orders/prod")) == ([], "a-cache-80")
    default = lab.given("service/orders/prod")["service_instance"]["components"]["default"]
    assert default == {"name": "cache", "outputs": {"bucket": "a-cache-80"}}


def test_a_component_is_detached_before_it_is_deleted_and_its_instance_is_stale_then(lab: World) -> None:
    attached(lab)
    lab.do("instance", "update", "orders/prod", "--kind", "current-version", "--auto-approve")
    hint = "Detach it first: landform component update cache --detach"

    too_early = [
        refused(lab, "component", "delete", "cache"),
        refused(lab, "instance", "delete", "orders/prod"),
        refused(lab, "service", "delete", "orders"),
    ]
    lab.do("component", "update", "cache", "--detach", "--auto-approve", "--allow-destroy")
    detached = (lab.row("component", "show", "cache")["attached"], output(lab, "component", "outputs", "cache"))
    lost = stale(lab)
    lab.do("component", "delete", "cache", "--yes")

    assert too_early == [
        (9, "Component cache is attached to orders/prod.", hint),
        (9, "orders/prod is the last instance of service orders; one must stay.", refused_hint()),
        (9, "Service orders cannot be deleted: component cache is attached to orders/prod.", hint),
    ]
    assert detached == (None, "a-cache-none")
    assert lost == ["component/cache bucket"]
    assert lab.rows("component", "list") == []


def refused_hint() -> str:
    return "Delete the service: landform service delete orders"


def test_a_component_that_is_created_twice_is_said_to_be_there(lab: World) -> None:
    attached(lab)

    again = refused(lab, "component", "create", "cache", "--file", lab.root / "bucket.tf", "--instance", "orders/prod")

    assert again == (9, "Component cache exists already.", "Change it: landform component update cache")


def test_an_instance_takes_one_component_and_only_where_its_template_says_so(lab: World) -> None:
    attached(lab)
    lab.publish("plain", lab.service_bundle("plain"))
    lab.do("service", "create", "shop", "-t", "plain", "--env", "prod", "--auto-approve")
    create = ("component", "create", "other", "--file", lab.root / "bucket.tf", "--instance")

    assert refused(lab, *create, "orders/prod") == (
        9,
        "No other component can be attached to orders/prod: component cache is attached to orders/prod.",
        "Detach it first: landform component update cache --detach",
    )
    assert refused(lab, *create, "shop/prod") == (
        9,
        "plain@1.0, as service/shop/prod is, takes no components.",
        "Its .template-registration.yaml must have: supported_component_sources: [DIRECTLY_DEFINED]",
    )
    assert lab.rows("component", "list", "--env", "prod")[0]["attached"] == "service/orders/prod"


def test_a_component_and_its_instance_block_each_other(lab: World) -> None:
    attached(lab)
    lab.do("run", "plan", "service/orders/prod", "--set", "port=81")

    busy = refused(lab, "component", "update", "cache")
    lab.do("run", "discard", "4")
    lab.write("bucket.tf", BUCKET.replace("none", "nothing"))
    lab.do("component", "update", "cache", "--file", lab.root / "bucket.tf", "--no-wait")
    also = refused(lab, "instance", "update", "orders/prod", "--set", "port=81")

    message = "component/cache cannot be changed while service/orders/prod is held by run 4 (planned)."
    assert busy[:2] == (6, message)
    message = "service/orders/prod cannot be changed while component/cache is held by run 5 (queued)."
    assert also[:2] == (6, message)


def test_a_run_that_would_attach_a_component_holds_the_place_until_it_has_ended(lab: World) -> None:
    create = ("component", "create", "cache", "--file", lab.root / "bucket.tf", "--env", "prod", "--auto-approve")
    lab.do(*create)
    lab.do("component", "update", "cache", "--attach", "orders/prod", "--no-wait")

    busy = refused(lab, "instance", "update", "orders/prod", "--set", "port=81")
    lab.do("run", "discard", "4")
    lab.do("component", "create", "other", "--file", lab.root / "bucket.tf", "--instance", "orders/prod", "--no-wait")
    again = refused(lab, "run", "retry", "4")

    message = "service/orders/prod cannot be changed while component/cache is held by run 4 (queued)."
    assert busy[:2] == (6, message)
    assert again[:2] == (9, "Run 4 cannot be retried: component other is attached to orders/prod.")


def test_a_component_that_was_never_deployed_is_destroyed_with_the_inputs_that_its_code_needs(lab: World) -> None:
    half = BUCKET.replace('try(var.service_instance.inputs.port, "none")', "var.service_instance.inputs.port")
    half += 'resource "terraform_data" "wrong" {\n  provisioner "local-exec" {\n    command = "false"\n  }\n}\n'
    lab.write("half.tf", half)
    create = ("component", "create", "cache", "--file", lab.root / "half.tf", "--instance", "orders/prod")

    failed = lab.run(*create, "--auto-approve")
    lab.do("component", "delete", "cache", "--yes")

    [destroy, _] = lab.rows("run", "list", "component/cache")
    assert failed.code == 1
    assert destroy["plan"].startswith("0 to add, 0 to change, 2 to destroy")
    assert lab.rows("component", "list") == []


def test_what_waits_behind_a_run_that_attaches_a_component_leaves_it_there(lab: World) -> None:
    lab.do("component", "create", "cache", "--file", lab.root / "bucket.tf", "--env", "prod", "--auto-approve")
    lab.do("component", "update", "cache", "--attach", "orders/prod", "--no-wait")
    lab.write("bucket.tf", BUCKET.replace("none", "nothing"))

    lab.do("component", "update", "cache", "--file", lab.root / "bucket.tf", "--queue", "--no-wait")
    lab.do("run", "apply", "4", "--yes")
    lab.do("run", "apply", "5", "--yes")

    [row] = lab.rows("component", "list")
    assert (row["attached"], row["version"]) == ("service/orders/prod", "1.1")


def test_a_component_by_itself_gets_another_file_and_is_gone_with_all_its_versions(lab: World) -> None:
    create = ("component", "create", "cache", "--file", lab.root / "bucket.tf", "--env", "prod", "--auto-approve")
    lab.do(*create)
    lab.write("bucket.tf", BUCKET.replace("none", "nothing"))

    lab.do("component", "update", "cache", "--file", lab.root / "bucket.tf", "--auto-approve", "--allow-destroy")
    [shown] = lab.rows("component", "list")
    inhabited = refused(lab, "env", "delete", "prod")
    lab.do("component", "delete", "cache", "--yes")
    lab.do(*create)

    assert (shown["version"], shown["attached"]) == ("1.1", None)
    assert inhabited == (
        9,
        "Environment prod is in use by cache and orders/prod.",
        "Delete them first: landform component delete cache and landform service delete orders",
    )
    assert lab.rows("component", "list")[0]["version"] == "1.0"
    assert [row["name"] for row in lab.rows("template", "list")] == ["lab", "web"]


def test_all_that_is_wrong_with_a_component_is_said_at_once(lab: World) -> None:
    lab.write("bad.tf", 'output "x" {\n  value = var.pipeline.inputs.y + var.nothing\n}\n' + "# " + "x" * 51_200)
    lab.write("manifest.yaml", MANIFEST)

    wrong = lab.run(
        *("component", "create", "cache", "--file", lab.root / "bad.tf", "--manifest", lab.root / "manifest.yaml"),
        *("--env", "prod", "-o", "json"),
    )

    assert wrong.error["message"] == "The component cannot be used:"
    assert [(one["file"], one["line"], one["message"]) for one in wrong.error["problems"]] == [
        ("component_infrastructure/bad.tf", 0, "has 51,263 characters; 51,200 are the most."),
        ("component_infrastructure/bad.tf", 2, "There is no such variable."),
        ("component_infrastructure/bad.tf", 2, "A component is not given pipeline."),
        ("component_infrastructure/manifest.yaml", 0, "must name one file: a component has no other."),
    ]


def test_a_file_that_needs_an_instance_is_refused_where_it_has_none(lab: World) -> None:
    needs = 'output "port" {\n  value = var.service_instance.inputs.port\n}\n'
    lab.write("needs.tf", needs)
    lab.write("asks.tf", needs.replace("value = ", "value = var.service_instance == null ? 0 : "))
    create = ("component", "create", "cache", "--env", "prod", "--auto-approve", "--file")

    wrong = lab.run(*create, lab.root / "needs.tf", "-o", "json").error
    lab.do(*create, lab.root / "asks.tf")

    assert wrong["message"] == "cache@1.0 reads what a component has only while it is attached:"
    assert [(one["file"], one["line"], one["field"], one["message"]) for one in wrong["problems"]] == [
        ("component_infrastructure/needs.tf", 2, "var.service_instance.inputs.port", "is null.")
    ]
