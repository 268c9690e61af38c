"""The pipelines in the documentation do what their pages say: these tests type the commands that stand there."""

from __future__ import annotations

import pytest

from tests.scenarios import ci
from tests.scenarios.ci import GitHub, GitLab
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

GITHUB = ci.pipeline("github-actions.md")
GITLAB = ci.pipeline("gitlab-ci.md")
SPEC = "proton: ServiceSpec\ninstances:\n- {{name: prod, environment: prod, spec: {{port: {port}}}}}\n"


def said(world: World, port: object) -> None:
    """A change that somebody proposes."""
    world.write("deploy/orders.yaml", SPEC.format(port=port))


@pytest.fixture
def github(deployed: World) -> GitHub:
    return GitHub(deployed, {"GITHUB_RUN_ID": "7", "GITHUB_JOB": "job"})


@pytest.fixture
def gitlab(deployed: World) -> GitLab:
    facts = {"CI_PIPELINE_ID": "7", "CI_MERGE_REQUEST_IID": "12", "GITLAB_USER_LOGIN": "ana", "NOTES_TOKEN": "x"}
    return GitLab(deployed, facts)


@pytest.fixture
def context() -> dict[str, str]:
    """What GitHub knows about a pull request."""
    return {"github.actor": "ana", "github.event.number": "12", "github.token": "x"}


def test_on_github_a_pull_request_is_planned_and_then_applied(github: GitHub, context: dict[str, str]) -> None:
    said(github.world, 81)

    codes = [github.job(GITHUB, "plan", context), github.job(GITHUB, "apply", context)]

    assert codes == [0, 0], github.out
    assert (context["needs.plan.outputs.run"], context["needs.plan.outputs.changes"]) == ("3", "yes")
    assert github.calls == [["gh", "pr", "comment", "12", "--body-file", "landform/summary.md"]]
    run = github.world.row("run", "show", 3)
    assert (run["status"], run["requested_by"], run["approved_by"]) == ("succeeded", "ana", "ana")
    summary = (github.world.root / "github-summary").read_text()
    assert [line for line in summary.splitlines() if line.startswith("### ")] == [
        "### Landform: deploy `service/orders/prod` waits for approval",
        "### Landform: deploy `service/orders/prod` succeeded",
    ]


def test_on_github_a_spec_that_changes_nothing_asks_nobody(github: GitHub, context: dict[str, str]) -> None:
    said(github.world, 80)

    code = github.job(GITHUB, "plan", context)

    assert (code, context["needs.plan.outputs.changes"]) == (0, "no"), github.out


def test_on_github_a_spec_that_is_wrong_fails_the_job(github: GitHub, context: dict[str, str]) -> None:
    said(github.world, 0)

    code = github.job(GITHUB, "plan", context)

    assert code == 1
    assert "0 is less than the minimum 1." in github.out[0]


def test_on_github_an_apply_that_is_run_again_applies_once(github: GitHub, context: dict[str, str]) -> None:
    said(github.world, 81)
    github.job(GITHUB, "plan", context)

    codes = [github.job(GITHUB, "apply", context) for _ in range(2)]

    assert codes == [0, 0], github.out
    assert github.world.do("run", "logs", 3).out.count("Modifying...") == 1


def test_on_github_a_plan_that_no_longer_fits_is_not_applied(github: GitHub, context: dict[str, str]) -> None:
    said(github.world, 81)
    github.job(GITHUB, "plan", context)
    github.world.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")

    code = github.job(GITHUB, "apply", context)

    assert code == 5
    assert "environment/prod output zone" in (github.world.root / "landform/summary.md").read_text()


def test_on_gitlab_a_merge_request_is_planned_and_then_applied(gitlab: GitLab) -> None:
    said(gitlab.world, 81)
    handed: dict[str, str] = {}

    codes = [gitlab.job(GITLAB, name, handed) for name in ("plan", "note", "apply")]

    assert codes == [0, 0, 0], gitlab.out
    assert handed == {"RUN": "3", "CHANGES": "2"}
    assert [call[0] for call in gitlab.calls] == ["curl"]
    assert "body@landform/summary.md" in gitlab.calls[0]
    run = gitlab.world.row("run", "show", 3)
    assert (run["status"], run["approved_by"], run["approval_reason"]) == ("succeeded", "ana", "merge request 12")
    assert 'name="apply" time=' in (gitlab.world.root / "landform/junit.xml").read_text()


def test_on_gitlab_an_apply_of_nothing_does_nothing(gitlab: GitLab) -> None:
    said(gitlab.world, 80)
    handed: dict[str, str] = {}

    codes = [gitlab.job(GITLAB, name, handed) for name in ("plan", "apply")]

    assert (codes, handed["CHANGES"]) == ([0, 0], "0"), gitlab.out


def test_on_gitlab_a_spec_that_is_wrong_fails_the_job(gitlab: GitLab) -> None:
    said(gitlab.world, 0)

    code = gitlab.job(GITLAB, "plan", {})

    assert code == 1
    assert "0 is less than the minimum 1." in gitlab.out[0]
