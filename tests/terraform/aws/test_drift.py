"""Drift on the real AWS provider: what was changed behind Terraform's back is found, told, ignored and repaired."""

from __future__ import annotations

import json

from tests.terraform.aws._platform import ON_AWS, Platform

pytestmark = ON_AWS
CODE = """\
resource "aws_ssm_parameter" "kept" {
  name  = "/drift/kept"
  type  = "String"
  value = "as planned"
}

resource "aws_ssm_parameter" "gone" {
  name  = "/drift/gone"
  type  = "String"
  value = "here"
}
"""


def test_what_was_changed_behind_terraforms_back_is_found_told_ignored_and_repaired(platform: Platform) -> None:
    world, dev = platform.world, platform.dev
    world.publish("lab", world.environment_bundle(code=CODE))
    with (world.root / "landform.toml").open("a") as settings:
        settings.write(f'\n[events.me]\nto = "file"\npath = "{world.root}/told"\nkinds = ["drift"]\n')
    world.do("env", "create", "dev", "-t", "lab", "--credentials", "dev", "--auto-approve")
    world.do("drift", "check", "--detailed-exitcode")
    before = {path: path.read_bytes() for path in (world.home / "environment/dev/workspace").glob("*.sealed")}

    dev.ask("ssm", "put_parameter", Name="/drift/kept", Value="by hand", Type="String", Overwrite=True)
    dev.ask("ssm", "delete_parameter", Name="/drift/gone")
    checked = world.run("drift", "check", "--detailed-exitcode", "-o", "json")

    assert checked.code == 2, checked.err
    [found] = checked.json["items"]
    assert (found["status"], found["level"], found["plan"]) == (
        *("drifted", "gone"),
        "1 to add, 1 to change, 0 to destroy.",
    )
    assert {one["address"]: (one["change"], one["next"], one["level"]) for one in found["resources"]} == {
        "aws_ssm_parameter.gone": ("delete", "create", "gone"),
        "aws_ssm_parameter.kept": ("update", "update", "in-place"),
    }
    assert before == {path: path.read_bytes() for path in before}
    assert [run["status"] for run in world.rows("run", "list")] == ["succeeded"]
    [event] = [json.loads(line) for line in (world.root / "told").read_text().splitlines()]
    assert (event["detail-type"], event["detail"]["status"]) == ("Landform Drift Status Change", "DRIFT_GONE")

    kept = world.row("drift", "ignore", "environment/dev", "*.gone", "--until", "1h", "--reason", "moving it")
    assert (kept["level"], world.row("env", "show", "dev")["drift_level"]) == ("in-place", "in-place")

    world.do("drift", "repair", "--select", "drifted", "--auto-approve")
    assert dev.ask("ssm", "get_parameter", Name="/drift/gone")["Parameter"]["Value"] == "here"
    assert dev.ask("ssm", "get_parameter", Name="/drift/kept")["Parameter"]["Value"] == "as planned"
    assert world.row("drift", "show", "environment/dev")["status"] == "unchecked"
