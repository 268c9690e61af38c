"""What becomes of a version: registered, a draft, published, recommended, deleted; and what stands in the way."""

from __future__ import annotations

import pytest

from tests.scenarios.world import SERVICE_CODE, SERVICE_SCHEMA, World

pytestmark = pytest.mark.terraform

BROKEN = 'resource "terraform_data" "app" {\n  input = [var.service_instance.inputs.prot\n}\n'
STRICTER_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  service_input_type: "ServiceInput"
  types:
    ServiceInput:
      type: object
      required: [size]
      properties:
        port:
          type: integer
          minimum: 1024
          maximum: 65535
          default: 8080
        size:
          type: string
"""


def statuses(world: World, template: str) -> list[tuple[str, str]]:
    """Number and status of every version."""
    return [(row["version"], row["status"]) for row in world.rows("template", "versions", template)]


def test_a_registered_bundle_is_a_draft_until_it_is_published(world: World) -> None:
    world.do("template", "register", "web", world.service_bundle())
    before = statuses(world, "web")

    world.do("template", "publish", "web@1.0")

    assert before == [("1.0", "draft")]
    assert statuses(world, "web") == [("1.0", "published")]


def test_the_highest_published_version_is_recommended(world: World) -> None:
    world.publish("web", world.service_bundle())
    world.publish("web", world.service_bundle(), "--new-major")
    world.publish("web", world.service_bundle(), "--major", 1)
    world.do("template", "register", "web", world.service_bundle(), "--new-major")

    [template] = world.rows("template", "list")

    assert template["recommended"] == "2.0"
    assert statuses(world, "web") == [
        ("1.0", "published"),
        ("1.1", "published"),
        ("2.0", "published"),
        ("3.0", "draft"),
    ]
    assert [row["version"] for row in world.rows("template", "versions", "web") if row["recommended_minor"]] == [
        "1.1",
        "2.0",
    ]


def test_a_draft_is_not_recommended(world: World) -> None:
    world.do("template", "register", "web", world.service_bundle())

    result = world.run("template", "show", "web")

    assert result.code == 8
    assert result.err == (
        "Error: No version of web is published.\nHint: Publish one: landform template publish web@1.0\n"
    )


def test_a_version_is_published_once(world: World) -> None:
    world.publish("web", world.service_bundle())

    result = world.run("template", "publish", "web@1.0")

    assert (result.code, result.err) == (9, "Error: web@1.0 is published already.\n")


def test_a_bundle_with_faults_becomes_a_failed_version_that_keeps_its_reasons(world: World) -> None:
    world.publish("web", world.service_bundle())

    result = world.run("template", "register", "web", world.service_bundle(code=BROKEN), "--major", 1)

    failed = world.row("template", "show", "web@1.1")
    assert result.code == 9
    assert "Error: web@1.1 failed its registration.\n" in result.err
    assert failed["status"] == "failed"
    assert failed["message"] == "instance_infrastructure/main.tf:3: } is not expected here: the [ of line 2 is open."
    assert statuses(world, "web") == [("1.0", "published"), ("1.1", "failed")]


def test_a_failed_version_keeps_its_number(world: World) -> None:
    world.publish("web", world.service_bundle())
    world.run("template", "register", "web", world.service_bundle(code=BROKEN), "--major", 1)

    label = world.publish("web", world.service_bundle(), "--major", 1)

    assert label == "web@1.2"


def test_a_failed_version_can_neither_be_published_nor_used(world: World) -> None:
    world.run("template", "register", "lab", world.environment_bundle(code=BROKEN))

    published = world.run("template", "publish", "lab@1.0")
    used = world.run("env", "create", "prod", "-t", "lab@1.0")

    assert (published.code, used.code) == (9, 9)
    assert published.err.startswith("Error: lab@1.0 failed its registration and cannot be published.\n")
    assert used.err.startswith("Error: lab@1.0 failed its registration and cannot be used.\n")


def test_the_number_of_a_deleted_version_is_never_used_again(world: World) -> None:
    world.publish("web", world.service_bundle())
    world.do("template", "register", "web", world.service_bundle(), "--major", 1)
    world.do("template", "register", "web", world.service_bundle(), "--new-major")
    world.do("template", "delete", "web@1.1", "--yes")
    world.do("template", "delete", "web@2.0", "--yes")

    minor = world.row("template", "register", "web", world.service_bundle(), "--major", 1)
    major = world.row("template", "register", "web", world.service_bundle(), "--new-major")

    assert (minor["label"], major["label"]) == ("web@1.2", "web@3.0")


def test_a_later_version_has_to_say_where_it_belongs(world: World) -> None:
    world.publish("web", world.service_bundle())

    result = world.run("template", "register", "web", world.service_bundle())

    assert result.code == 1
    assert result.err == (
        "Error: Template web exists already: say where the new version belongs.\n"
        "Hint: --major 1 for its next minor version, --new-major for 2.0.\n"
    )
    assert statuses(world, "web") == [("1.0", "published")]


def test_environment_templates_that_only_the_command_line_names_are_enough(world: World) -> None:
    bundle = world.service_bundle()
    (bundle / ".template-registration.yaml").unlink()

    refused = world.run("template", "register", "other", bundle)
    taken = world.do("template", "register", "web", bundle, "--compatible", "lab:1")

    assert [line for line in refused.err.splitlines() if ".template-registration.yaml" in line] == [
        ".template-registration.yaml: compatible_environments: "
        "A service template says which environment templates it runs in."
    ]
    assert taken.err == "Next: landform template publish web@1.0\n"


def test_an_incompatible_minor_version_is_refused_with_every_reason(world: World) -> None:
    world.publish("web", world.service_bundle())
    code = SERVICE_CODE.replace("inputs.title", "inputs.size")

    result = world.run(
        "template", "register", "web", world.service_bundle(code=code, schema=STRICTER_SCHEMA), "--major", 1
    )

    assert (result.code, statuses(world, "web")) == (1, [("1.0", "published")])
    assert result.err.splitlines() == [
        "Error: This bundle cannot be a minor version of web@1: 3 changes break what earlier ones promise.",
        '  schema/schema.yaml:10: Compared with 1.0: Input "port" has a higher minimum (1024) than before (1).',
        '  schema/schema.yaml:14: Compared with 1.0: Input "title" was removed. (The line is that of 1.0.)',
        '  schema/schema.yaml:15: Compared with 1.0: Input "size" is new and required and has no default.',
        "Hint: Register it with --new-major, or mend what breaks. To accept it all the same: --force",
    ]


def test_nothing_is_stored_for_a_version_that_does_not_fit_its_template(world: World) -> None:
    world.publish("web", world.service_bundle())
    before = sorted((world.home / "bundles").iterdir())

    result = world.run("template", "register", "web", world.service_bundle(schema=STRICTER_SCHEMA), "--major", 1)

    assert (result.code, statuses(world, "web")) == (9, [("1.0", "published"), ("1.1", "failed")])
    assert sorted((world.home / "bundles").iterdir()) == before


def test_a_major_version_stands_for_its_recommended_minor(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(), "--major", 1)
    deployed.publish("web", deployed.service_bundle(), "--new-major")

    deployed.do("service", "create", "shop", "-t", "web@1", "--env", "prod", "--auto-approve")

    assert deployed.row("template", "show", "web@1")["label"] == "web@1.1"
    assert deployed.row("instance", "show", "shop/prod")["version"] == "1.1"
    assert deployed.run("template", "delete", "web@1", "--yes", "-o", "json").error["message"] == (
        "web@1 names no version."
    )


def test_what_is_incompatible_may_be_a_new_major_version(world: World) -> None:
    world.publish("web", world.service_bundle())
    code = SERVICE_CODE.replace("inputs.title", "inputs.size")

    label = world.publish("web", world.service_bundle(code=code, schema=STRICTER_SCHEMA), "--new-major")

    assert label == "web@2.0"


def test_a_minor_version_is_compared_with_every_earlier_one_that_did_not_fail(world: World) -> None:
    world.publish("web", world.service_bundle())
    with_path = SERVICE_SCHEMA + "        path:\n          type: string\n"
    code = SERVICE_CODE.replace("  }\n}\n", '    path  = lookup(var.service_instance.inputs, "path", "")\n  }\n}\n', 1)
    world.publish("web", world.service_bundle(code=code, schema=with_path), "--major", 1)

    result = world.run("template", "register", "web", world.service_bundle(), "--major", 1)

    assert (result.code, statuses(world, "web")) == (1, [("1.0", "published"), ("1.1", "published")])
    assert (
        'schema/schema.yaml:17: Compared with 1.1: Input "path" was removed. (The line is that of 1.1.)' in result.err
    )


def test_a_version_that_is_deployed_cannot_be_deleted(deployed: World) -> None:
    result = deployed.run("template", "delete", "web@1.0", "--yes")

    assert result.code == 9
    assert result.err == (
        "Error: web@1.0 is in use by service/orders/prod.\n"
        "Hint: Update them to another version, or delete them first.\n"
    )


def test_the_recommended_version_cannot_be_deleted_while_there_are_others(world: World) -> None:
    world.publish("web", world.service_bundle())
    world.publish("web", world.service_bundle(), "--major", 1)

    result = world.run("template", "delete", "web@1.1", "--yes")

    assert result.code == 9
    assert result.err.startswith(
        "Error: web@1.1 is the recommended minor version of major version 1 while there are others: 1.0.\n"
    )


def test_a_template_with_versions_cannot_be_deleted(world: World) -> None:
    world.publish("web", world.service_bundle())
    world.do("template", "register", "web", world.service_bundle(), "--major", 1)

    result = world.run("template", "delete", "web", "--yes")

    assert result.code == 9
    assert result.err == (
        "Error: Service template web has versions 1.0, 1.1.\n"
        "Hint: Delete them first: landform template delete web@1.0 web@1.1\n"
    )


def test_the_versions_that_stand_in_the_way_are_deleted_as_the_hint_says(world: World) -> None:
    world.publish("web", world.service_bundle())
    world.publish("web", world.service_bundle(), "--new-major")
    world.do("template", "register", "web", world.service_bundle(), "--major", 1)

    world.do("template", "delete", "web@1.0", "web@1.1", "web@2.0", "--yes")
    world.do("template", "delete", "web", "--yes")

    assert world.rows("template", "list") == []


def test_versions_are_deleted_together_or_not_at_all(deployed: World) -> None:
    deployed.do("template", "register", "web", deployed.service_bundle(), "--major", 1)

    result = deployed.run("template", "delete", "web@1.1", "web@1.0", "--yes")

    assert result.code == 9
    assert statuses(deployed, "web") == [("1.0", "published"), ("1.1", "draft")]


def test_an_environment_template_and_a_service_template_may_share_a_name(world: World) -> None:
    world.publish("web", world.environment_bundle("web"))

    world.publish("web", world.service_bundle(environment="web:1"))
    world.do("env", "create", "prod", "-t", "web", "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")

    assert [(row["kind"], row["recommended"]) for row in world.rows("template", "list")] == [
        ("environment", "1.0"),
        ("service", "1.0"),
    ]
