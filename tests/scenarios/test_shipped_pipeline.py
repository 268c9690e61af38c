"""The pipeline of the shipped static-site: the CI files that it writes do what they say, job by job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.scenarios.ci import GitHub, GitLab
from tests.scenarios.world import World
from tests.terraform._shipped import free_port

pytestmark = pytest.mark.terraform
MODULES = Path(__file__).parents[2] / "modules"
SPEC = """\
proton: ServiceSpec
pipeline:
  folder: {folder}
instances:
  - {{name: blue, environment: lab, spec: {{port: {ports[0]}, title: {title}}}}}
  - {{name: green, environment: lab, spec: {{port: {ports[1]}, title: {title}}}}}
"""


@pytest.fixture
def site(world: World) -> World:
    """Service shop of the shipped templates, with two instances and a checkout to commit from."""
    world.publish("local-lab", MODULES / "environment/local-lab/v1")
    world.publish("static-site", MODULES / "service/static-site/v1")
    world.do("env", "create", "lab", "-t", "local-lab", "--auto-approve")
    told = {"folder": json.dumps(str(world.root)), "ports": (free_port(), free_port())}
    spec = world.write("landform.yaml", SPEC.format(**told, title="Old"))
    world.do("service", "create", "shop", "-t", "static-site", "-f", spec, "--auto-approve")
    world.write("landform.yaml", SPEC.format(**told, title="New"))
    return world


def titles(world: World) -> list[str]:
    return [world.row("instance", "show", f"shop/{name}")["inputs"]["title"] for name in ("blue", "green")]


def test_the_files_plan_and_apply_each_instance_in_order_and_go_with_the_service(site: World) -> None:
    github = yaml.safe_load((site.root / ".github/workflows/shop.yml").read_text())
    gitlab = yaml.safe_load((site.root / ".gitlab-ci.yml").read_text())
    runner = GitHub(site, {"GITHUB_RUN_ID": "7", "GITHUB_JOB": "job"})
    context = {"github.actor": "ana", "github.event.number": "12", "github.token": "x"}

    codes = [runner.job(github, job, context) for job in ("plan-0", "apply-0")]
    half = titles(site)
    codes += [runner.job(github, job, context) for job in ("plan-1", "apply-1")]
    again = GitLab(site, {"CI_PIPELINE_ID": "8", "GITLAB_USER_LOGIN": "ana", "CI_JOB_ID": "9"}).job(
        gitlab, "plan-1", {}
    )

    assert (codes, again) == ([0, 0, 0, 0], 0), runner.out
    assert (half, titles(site)) == (["New", "Old"], ["New", "New"])
    assert [job.get("environment") for job in github["jobs"].values()] == [None, "blue", None, "green"]
    assert gitlab["stages"] == ["plan-0", "apply-0", "plan-1", "apply-1"]
    site.do("service", "delete", "shop", "--yes")
    assert not (site.root / ".github").exists()
    assert not (site.root / ".gitlab-ci.yml").exists()
