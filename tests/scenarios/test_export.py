"""What a pipeline takes out of Landform about a run: a plan without secrets, a summary, a report."""

from __future__ import annotations

import json
from pathlib import Path
from xml.dom import minidom

import pytest

from tests.scenarios.world import ENVIRONMENT_CODE, World

pytestmark = pytest.mark.terraform

FILES = ["junit.xml", "plan.json", "run.json", "summary.md"]
SECRET = """
output "token" {
  value     = "s3cr3t-token"
  sensitive = true
}
"""
READER = """\
resource "terraform_data" "app" {
  input = [var.service_instance.inputs, var.environment.outputs.token, sensitive("pr1vate-word")]
}

output "url" {
  value     = "https://${var.environment.outputs.token}@example.org"
}
"""
FAILING = 'resource "terraform_data" "bad" {\n  provisioner "local-exec" {\n    command = "echo boom; exit 3"\n  }\n}\n'


def exported(world: World, run_id: int, folder: str = "out") -> Path:
    """The folder with the files of a run."""
    world.do("run", "export", run_id, "--dir", folder)
    return world.root / folder


def verdicts(case: minidom.Element) -> list[str]:
    """What a report says of a case; [] when it passed."""
    return [node.tagName for node in case.childNodes if node.nodeType == node.ELEMENT_NODE]


def test_a_run_is_written_into_four_files(deployed: World) -> None:
    names = deployed.do("run", "export", 2, "--dir", "out/of/run", "-o", "name").out.splitlines()

    assert names == [f"out/of/run/{name}" for name in FILES]
    assert sorted(path.name for path in (deployed.root / "out/of/run").iterdir()) == FILES


def test_the_files_tell_of_a_plan_that_waits(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", "--set", "port=81")

    out = exported(deployed, 3)

    plan = json.loads((out / "plan.json").read_text())
    assert [change["address"] for change in plan["resource_changes"]] == ["terraform_data.app"]
    assert plan["resource_changes"][0]["change"]["after"]["input"]["port"] == 81
    assert "- update `terraform_data.app`\n" in (out / "summary.md").read_text()
    assert json.loads((out / "run.json").read_text())["status"] == "planned"


def test_the_files_tell_of_an_apply_that_failed(world: World) -> None:
    world.publish("lab", world.environment_bundle(code=ENVIRONMENT_CODE + FAILING))
    assert world.run("env", "create", "prod", "-t", "lab", "--auto-approve").code == 1

    out = exported(world, 1)

    report = minidom.parse(str(out / "junit.xml")).getElementsByTagName("testcase")
    found = {
        case.getAttribute("name"): [node.tagName for node in case.childNodes if node.nodeType == 1] for case in report
    }
    assert found == {
        "plan": [],
        "apply": ["failure"],
        "create terraform_data.bad": ["failure"],
        "create terraform_data.net": [],
        "create terraform_data.size": [],
    }
    assert "exit status 3" in (out / "summary.md").read_text()


def test_a_run_that_failed_to_plan_has_no_plan(world: World) -> None:
    world.publish("lab", world.environment_bundle(code='output "text" {\n  value = file("missing.txt")\n}\n'))
    assert world.run("env", "create", "prod", "-t", "lab", "--auto-approve").code == 1

    out = exported(world, 1)

    assert sorted(path.name for path in out.iterdir()) == ["junit.xml", "run.json", "summary.md"]


def test_no_secret_leaves_with_the_files(world: World) -> None:
    world.publish("lab", world.environment_bundle(code=ENVIRONMENT_CODE + SECRET))
    world.publish("web", world.service_bundle(code=READER))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--no-wait")
    world.do("run", "plan", "orders/prod")

    out = exported(world, 3)

    text = "".join(path.read_text() for path in out.iterdir())
    plan = json.loads((out / "plan.json").read_text())
    assert [secret for secret in ("s3cr3t-token", "pr1vate-word") if secret in text] == []
    assert plan["variables"]["environment"]["value"]["outputs"]["token"] == "(sensitive)"
    assert plan["variables"]["environment"]["value"]["outputs"]["zone"] == "a"
    assert plan["planned_values"]["outputs"]["url"]["value"] == "https://(sensitive)@example.org"


def test_an_export_replaces_an_earlier_one(deployed: World) -> None:
    exported(deployed, 2)
    deployed.do("run", "plan", "orders/prod", "--set", "port=81")

    out = exported(deployed, 3)

    assert (out / "summary.md").read_text().startswith("<!-- landform-run 3 -->\n")
    assert [json.loads((out / name).read_text())["landform-run"] for name in ("plan.json", "run.json")] == [3, 3]


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_somebody_else_is_not_written_over(deployed: World, name: str) -> None:
    theirs = deployed.write(f"out/{name}", "mine\n")

    refused = deployed.run("run", "export", 2, "--dir", "out", "-o", "json")
    left = sorted(path.name for path in (deployed.root / "out").iterdir())
    deployed.do("run", "export", 2, "--dir", "out", "--force")

    assert (refused.code, refused.error["message"]) == (
        9,
        f"out/{name} exists already and was not written by Landform.",
    )
    assert left == [name]
    assert "landform-run" in theirs.read_text()


def test_the_plan_of_another_run_does_not_stay_beside_a_run_without_one(deployed: World) -> None:
    exported(deployed, 2)
    deployed.do("run", "plan", "orders/prod", "--no-wait")

    out = exported(deployed, 3)

    assert not (out / "plan.json").exists()


def test_a_folder_that_cannot_be_written_is_told_of(deployed: World) -> None:
    deployed.write("out", "a file\n")

    result = deployed.run("run", "export", 2, "--dir", "out/more")

    assert result.code == 1
    assert result.err.startswith("Error: out/more cannot be written: ")
