"""Environments whose Terraform others run: proposals in their repository, and how they say that it ended."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine import app, settings
from engine.core.runs import Event
from engine.external.process import Stop
from engine.worker.following import watch_nothing
from engine.worker.serving import Looks
from engine.worker.triggers import Point
from tests import hosts
from tests.hosts import PROJECT, TOKEN, Host
from tests.repositories import Upstream, git
from tests.scenarios.world import MANIFEST, SERVICE_SCHEMA, World

METADATA = ".proton/deployment-metadata.json"
OUTPUTS = json.dumps({name: {"value": value, "sensitive": False} for name, value in (("zone", "a"), ("size", 1))})


PIPELINE_TYPE = """\
  pipeline_input_type: "PipelineInput"
  types:
    PipelineInput:
      type: object
      properties:
        test:
          type: string
          default: "make"
"""
PIPELINE = """\
output "ports" {
  value = join(",", [for one in var.service_instances : one.outputs.port])
}
"""


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """A repository of those who run Terraform."""
    folder = tmp_path / PROJECT.partition("/")[0]
    folder.mkdir()
    found = Upstream(folder)
    found.commit({"README.md": "Infrastructure."})
    return found


@pytest.fixture(scope="module")
def lab_home(tmp_path_factory: pytest.TempPathFactory, new_home: Path) -> Path:
    root = tmp_path_factory.mktemp("lab")
    shutil.copytree(new_home, root / "home")
    world = World(root, root / "home")
    world.publish("lab", world.environment_bundle())
    world.publish("web", world.service_bundle())
    return world.home


@pytest.fixture
def lab(tmp_path: Path, lab_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A home with templates lab and web."""
    shutil.copytree(lab_home, tmp_path / "home")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("LANDFORM_USER", "ana")
    return World(tmp_path / "work", tmp_path / "home")


@pytest.fixture
def host(lab: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    token = lab.write("token", TOKEN)
    monkeypatch.setenv("LANDFORM_GITHUB_TOKEN_FILE", str(token))
    monkeypatch.setenv("LANDFORM_GITLAB_TOKEN_FILE", str(token))
    with hosts.host() as found:
        yield found


def create(world: World, upstream: Upstream, *options: object) -> str:
    """Proposes environment prod as run 1; the name of the branch."""
    proposed(world, "env", "create", "prod", "-t", "lab", "--provisioning-repository", upstream.url, *options)
    return branch(world, 1)


def on(kind: str, host: Host) -> tuple[str, ...]:
    """Options of an environment whose repository has that host."""
    return ("--provisioning-host", kind, "--provisioning-api", host.url + ("/api/v4" if kind == "gitlab" else ""))


def proposed(world: World, *arguments: object) -> str:
    """Types a command whose run others are to carry out; what it says."""
    result = world.run(*arguments)
    assert result.code == 3, f"{result.code}: {result.err}"
    return result.err


def branch(world: World, run: int) -> str:
    """Where a run was proposed."""
    name: str = world.row("run", "show", run)["proposal"]["branch"]
    return name


def branches(upstream: Upstream) -> list[str]:
    return git(upstream.bare, "for-each-ref", "--format=%(refname:short)").splitlines()


def merge(upstream: Upstream, name: str) -> None:
    git(upstream.work, "checkout", "-q", "main")
    git(upstream.work, "pull", "-q", "--no-rebase", "--no-edit", "origin", name)
    git(upstream.work, "push", "-q", "origin", "main")


def succeeded(world: World, upstream: Upstream, run: int, outputs: str = OUTPUTS) -> None:
    """What the pipelines of others do, but for Terraform."""
    merge(upstream, branch(world, run))
    world.do("run", "notify", run, "--status", "succeeded", "--outputs", "-", stdin=outputs)


def status(world: World, run: int) -> tuple[str, str]:
    row = world.row("run", "show", run)
    return row["status"], row["message"]


def test_a_run_is_one_commit_on_one_branch_in_protons_layout(lab: World, upstream: Upstream) -> None:
    name = create(lab, upstream)

    assert re.fullmatch(r"proton--proton-environment-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name)
    assert branches(upstream) == ["main", name]
    assert git(upstream.bare, "log", "--format=%an <%ae>: %s", f"main..{name}") == (
        "Landform <landform@localhost>: Update requested for Proton - environment/prod"
    )
    assert git(upstream.bare, "diff", "--name-only", "main", name).splitlines() == [
        f"prod/{METADATA}",
        "prod/main.tf",
        "prod/proton.auto.tfvars.json",
        "prod/proton.environment.variables.tf",
    ]
    run = lab.row("run", "show", 1)
    metadata = json.loads(upstream.show(name, f"prod/{METADATA}"))
    assert metadata["deploymentId"] == run["proposal"]["deployment_id"]
    assert metadata["deploymentId"] not in name
    assert (run["status"], run["waiting_on"], run["next_actions"]) == ("proposed", "pull request", ["notify", "cancel"])


def test_a_repository_with_environments_in_a_folder_keeps_them_there(lab: World, upstream: Upstream) -> None:
    upstream.commit({"environments/README.md": "Here."})

    name = create(lab, upstream)

    assert json.loads(upstream.show(name, f"environments/prod/{METADATA}"))["isResourceDeleted"] is False


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("github", f"https://github.example/{PROJECT}/pull/1"),
        ("gitlab", f"https://gitlab.example/{PROJECT}/-/merge_requests/1"),
    ],
)
def test_a_host_gets_a_pull_request_and_who_waits_is_told_where(
    lab: World, upstream: Upstream, host: Host, kind: str, page: str
) -> None:
    given = ("--provisioning-repository", upstream.url, *on(kind, host))
    said = proposed(lab, "env", "create", "prod", "-t", "lab", *given)

    [pull] = host.pulls
    assert (pull.head, pull.base, pull.title) == (
        branch(lab, 1),
        "main",
        "Update requested for Proton - environment/prod",
    )
    assert f"prod: Merge: {page}. Then: landform run notify 1 --status succeeded\n" in said
    assert "Waiting: Run 1 came to a proposal that others have to carry out.\n" in said
    assert page in lab.do("run", "show", 1).out


def test_what_was_reported_flows_on_to_services(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    proposed(lab, "service", "create", "orders", "-t", "web", "--env", "prod")

    assert status(lab, 1) == ("succeeded", "It succeeded, says ana.")
    given = json.loads(upstream.show(branch(lab, 2), "prod/orders-prod/proton.auto.tfvars.json"))
    assert given["environment"]["outputs"] == {"zone": "a", "size": "1"}


def test_outputs_on_the_way_are_kept_and_the_end_needs_none(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    lab.do("run", "notify", 1, "--status", "IN_PROGRESS", "--output", "zone=a")
    lab.do("run", "notify", "environment/prod", "--output", "zone=b", "--output", "size=1")
    assert status(lab, 1)[0] == "proposed"

    lab.do("run", "notify", 1, "--status", "succeeded")

    values = {name: output["value"] for name, output in lab.row("env", "show", "prod")["outputs"].items()}
    assert values == {"zone": "b", "size": "1"}


def test_a_failure_leaves_what_there_was_and_can_be_retried(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    proposed(lab, "env", "update", "prod", "--set", "zone=b")
    lab.do("run", "notify", 2, "--status", "failed", "--output", "zone=c", "--message", "No capacity.")

    assert status(lab, 2) == ("failed", "No capacity.")
    prod = lab.row("env", "show", "prod")
    assert (prod["inputs"], prod["outputs"]["zone"]["value"]) == ({}, "a")
    proposed(lab, "run", "retry", 2)
    assert len({branch(lab, run) for run in (1, 2, 3)}) == 3


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("1", "--status", "succeeded"), 0, ""),
        (("arn:aws:proton:local:000000000000:environment/prod", "--status", "SUCCEEDED"), 0, ""),
        (("1", "--status", "failed"), 9, "Run 1 is succeeded: the word that it is FAILED comes too late."),
        (("9", "--status", "failed"), 8, "There is no run 9."),
        (("environment/other", "--status", "failed"), 8, "There is no environment other."),
        (("1",), 64, "Nothing is said."),
        (("1", "--sensitive", "a"), 64, "--sensitive names outputs, and none are given."),
        (("1", "--status", "succeeded", "--deployment-id", "x"), 1, "--deployment-id: 'x' is not a UUID."),
        (("1", "--outputs", "none.json"), 1, "none.json cannot be read: No such file or directory."),
    ],
)
def test_what_is_said_after_the_end(
    lab: World, upstream: Upstream, words: tuple[str, ...], code: int, told: str
) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)

    result = lab.run("run", "notify", *words)

    assert result.code == code
    assert told in result.err
    assert status(lab, 1)[0] == "succeeded"


def test_a_late_word_for_an_older_deployment_changes_nothing(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    older = lab.row("run", "show", 1)["proposal"]["deployment_id"]
    proposed(lab, "env", "update", "prod", "--set", "zone=b")

    result = lab.run("run", "notify", "environment/prod", "--deployment-id", older, "--status", "failed")

    assert (result.code, status(lab, 2)[0]) == (9, "proposed")


def test_a_sensitive_output_is_kept_nowhere_and_never_committed(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    lab.do("run", "notify", 1, "--status", "succeeded", "--output", "zone=hush-7261", "--sensitive", "zone")

    kept = [file for file in lab.home.rglob("*") if file.is_file() and b"hush-7261" in file.read_bytes()]
    result = lab.run("service", "create", "orders", "-t", "web", "--env", "prod")

    assert kept == []
    assert result.code == 1
    assert "The code reads the output zone of environment/prod, which must not be committed" in result.err
    assert len(branches(upstream)) == 2


def test_a_closed_pull_request_cancels_its_run(lab: World, upstream: Upstream, host: Host) -> None:
    create(lab, upstream, *on("github", host))
    host.pulls[0].state = "closed"

    [row] = lab.rows("run", "poll")

    assert (row["status"], row["message"]) == (
        "cancelled",
        f"Closed without being merged: https://github.example/{PROJECT}/pull/1.",
    )


def test_a_merged_one_waits_for_the_word_of_whoever_carries_it_out(lab: World, upstream: Upstream) -> None:
    name = create(lab, upstream)
    assert "Merge into main" in lab.rows("run", "poll")[0]["message"]
    merge(upstream, name)

    [row] = lab.rows("run", "poll", 1)

    said = f"Merged: branch {name} of {upstream.url}. Whoever carries it out says how it ended: landform run notify 1"
    assert (row["status"], row["message"]) == ("proposed", said)
    cancel = lab.run("run", "cancel", 1)
    assert cancel.code == 9
    assert "It is too late to cancel it: " in cancel.err


def test_what_cannot_be_looked_at_does_not_keep_others_from_it(
    lab: World, upstream: Upstream, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(lab, upstream, *on("github", host))
    more = ("--provisioning-repository", upstream.url, *on("gitlab", host))
    proposed(lab, "env", "create", "test", "-t", "lab", *more)
    host.pulls[1].state = "closed"
    monkeypatch.setenv("LANDFORM_GITHUB_TOKEN_FILE", "/nonexistent")

    assert lab.run("run", "poll").code == 4
    assert (status(lab, 1)[0], status(lab, 2)[0]) == ("proposed", "cancelled")


def test_to_cancel_closes_the_pull_request(lab: World, upstream: Upstream, host: Host) -> None:
    create(lab, upstream, *on("github", host))

    lab.do("run", "cancel", 1)

    page = f"https://github.example/{PROJECT}/pull/1"
    assert status(lab, 1) == ("cancelled", f"Cancelled by ana. {page} was closed.")
    assert host.pulls[0].state == "closed"


def test_to_cancel_works_though_the_host_does_not(lab: World, upstream: Upstream, host: Host) -> None:
    create(lab, upstream, *on("github", host))
    host.fails_with = 503

    lab.do("run", "cancel", 1)

    assert "pull/1 could not be closed, and must not be merged: " in status(lab, 1)[1]


def test_to_delete_says_so_in_the_files_and_removes_nothing(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    before = git(upstream.bare, "ls-tree", "-r", "--name-only", "main")
    proposed(lab, "env", "delete", "prod")
    name = branch(lab, 2)

    assert git(upstream.bare, "ls-tree", "-r", "--name-only", name) == before
    metadata = json.loads(upstream.show(name, f"prod/{METADATA}"))
    assert (metadata["deploymentId"], metadata["isResourceDeleted"]) == ("<proton-resource-deleted>", True)
    for file in ("main.tf", "proton.environment.variables.tf"):
        assert upstream.show(name, f"prod/{file}").startswith("/*\nLandform does not write this file any more")
    same = "prod/proton.auto.tfvars.json"
    assert upstream.show(name, same) == upstream.show("main", same)
    lab.do("run", "notify", 2, "--deployment-id", "<proton-resource-deleted>", "--status", "succeeded")
    assert lab.rows("env", "list") == []


def test_a_destroy_that_was_merged_may_count_as_done(
    lab: World, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    proposed(lab, "env", "delete", "prod")
    merge(upstream, branch(lab, 2))
    monkeypatch.setenv("LANDFORM_FORGET_DESTROYS", "yes")

    assert [row["status"] for row in lab.rows("run", "poll")] == ["succeeded"]
    assert lab.rows("env", "list") == []


def test_a_destroy_that_failed_is_said_once_only(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    proposed(lab, "env", "delete", "prod")
    merge(upstream, branch(lab, 2))
    lab.do("run", "notify", 2, "--status", "failed")

    proposed(lab, "run", "retry", 2)

    assert len(branches(upstream)) == 3
    lab.do("run", "notify", 3, "--status", "succeeded")
    assert lab.rows("env", "list") == []


def test_what_was_never_merged_is_deleted_without_anybody(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    lab.do("run", "cancel", 1)

    lab.do("env", "delete", "prod")

    assert (lab.rows("env", "list"), len(branches(upstream))) == ([], 2)


def test_files_stay_where_they_are_whatever_the_layout_becomes(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    upstream.commit({"environments/README.md": "From now on here."})

    proposed(lab, "env", "update", "prod", "--set", "zone=b")

    assert lab.row("run", "show", 2)["proposal"]["folder"] == "prod"


def test_what_is_deployed_is_not_forgotten_because_its_folder_is_gone(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    git(upstream.work, "rm", "-q", "-r", "prod")
    upstream.push()

    result = lab.run("env", "delete", "prod")

    assert result.code == 1
    assert f"main of {upstream.url} does not have environment/prod, which was deployed from prod of " in result.err
    assert [row["name"] for row in lab.rows("env", "list")] == ["prod"]


def test_a_worker_looks_by_itself(lab: World, upstream: Upstream, host: Host) -> None:
    create(lab, upstream, *on("github", host))
    host.pulls[0].state = "closed"

    with closing(app.build(settings.load(home=str(lab.home)))) as landform:
        shift = landform.shift(lambda _: None)

        def look() -> None:
            landform.proposals.look_quietly()
            shift.drain()

        shift.looks = (Looks(look, 0.01, "pull requests"),)
        shift.work()

    assert status(lab, 1)[0] == "cancelled"


class Died(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("point", [Point.PROPOSAL_NOTED, Point.BRANCH_PUSHED, Point.PULL_REQUEST_OPENED], ids=str)
def test_whoever_takes_over_opens_no_second_branch_or_pull_request(
    lab: World, upstream: Upstream, host: Host, point: Point
) -> None:
    given = ("--provisioning-repository", upstream.url, *on("github", host))
    lab.do("env", "create", "prod", "-t", "lab", *given, "--no-wait")

    def die(now: Point) -> None:
        if now is point:
            raise Died

    with closing(app.build(settings.load(home=str(lab.home)), die)) as first:
        with pytest.raises(Died):
            first.executor.execute(1, Stop(), watch_nothing)
        with first.catalog.write() as tx:
            tx.move(1, Event.LOSE)
    with closing(app.build(settings.load(home=str(lab.home)))) as second:
        run = second.executor.execute(1, Stop(), watch_nothing)

    assert run.proposal is not None
    name = run.proposal["branch"]
    assert (run.status, branches(upstream)) == ("proposed", ["main", name])
    assert [(pull.number, pull.head) for pull in host.pulls] == [(1, name)]
    metadata = json.loads(upstream.show(name, f"prod/{METADATA}"))
    assert metadata["deploymentId"] == run.proposal["deployment_id"]
    assert git(upstream.bare, "rev-parse", name) == run.proposal["commit"]


def test_a_wish_to_stop_that_came_too_late_for_the_push_closes_what_was_opened(
    lab: World, upstream: Upstream, host: Host
) -> None:
    given = ("--provisioning-repository", upstream.url, *on("github", host))
    lab.do("env", "create", "prod", "-t", "lab", *given, "--no-wait")

    def wish(now: Point) -> None:
        if now is Point.BRANCH_PUSHED:
            with landform.catalog.write() as tx:
                tx.request_cancel(1, "bob")

    with closing(app.build(settings.load(home=str(lab.home)), wish)) as landform:
        landform.executor.execute(1, Stop(), watch_nothing)

    assert status(lab, 1) == (
        "cancelled",
        f"Cancelled by bob. https://github.example/{PROJECT}/pull/1 was closed.",
    )


def test_two_instances_that_would_share_a_folder_are_refused(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    spec = "proton: ServiceSpec\ninstances:\n  - name: {}\n    environment: prod\n    spec: {{}}\n"
    proposed(lab, "service", "create", "a", "-t", "web", "--spec", lab.write("a.yaml", spec.format("b-c")))

    result = lab.run("service", "create", "a-b", "-t", "web", "--spec", lab.write("b.yaml", spec.format("c")))

    assert result.code == 9
    assert "service/a-b/c would have the same folder in the repository as service/a/b-c: a-b-c." in result.err
    assert [row["name"] for row in lab.rows("service", "list")] == ["a"]


def test_the_folder_of_somebody_else_is_left_alone(lab: World, upstream: Upstream) -> None:
    other = {"resourceMetadata": {"arn": "arn:aws:proton:r:1:component/x"}, "isResourceDeleted": False}
    upstream.commit({f"prod/{METADATA}": json.dumps(other)})

    result = lab.run("env", "create", "prod", "-t", "lab", "--provisioning-repository", upstream.url)

    assert result.code == 1
    assert f"The folder prod in {upstream.url} is that of component/x, not of environment/prod." in result.err
    assert branches(upstream) == ["main"]


def test_a_reference_is_never_resolved_into_a_repository(
    lab: World, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = lab.run(
        *("env", "create", "prod", "-t", "lab", "--provisioning-repository", upstream.url),
        *("--set", "zone={{resolve:env:ZONE}}"),
    )

    assert result.code == 1
    assert "what it stands for would be committed." in result.err
    assert branches(upstream) == ["main"]


def test_without_a_token_nothing_is_pushed(lab: World, upstream: Upstream) -> None:
    result = lab.run(
        *("env", "create", "prod", "-t", "lab", "--provisioning-repository", upstream.url),
        *("--provisioning-host", "github", "--provisioning-api", "http://127.0.0.1:9"),
    )

    assert result.code == 1
    assert "There is no token to open pull requests with at http://127.0.0.1:9." in status(lab, 1)[1]
    assert branches(upstream) == ["main"]


def test_a_repository_that_is_not_there_fails_the_run(lab: World, tmp_path: Path) -> None:
    result = lab.run("env", "create", "prod", "-t", "lab", "--provisioning-repository", f"file://{tmp_path}/none")

    assert result.code == 1
    assert f"There is no repository file://{tmp_path}/none" in status(lab, 1)[1]


def test_who_carries_runs_out_cannot_be_changed_once_they_have(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    held = lab.run("env", "update", "prod", "--provisioning-repository", "")
    assert held.code == 6
    succeeded(lab, upstream, 1)

    result = lab.run("env", "update", "prod", "--provisioning-repository", "")

    assert result.code == 9
    assert "environment/prod has been deployed: who carries its runs out cannot be changed any more." in result.err
    lab.do("env", "update", "prod", "--provisioning-branch", "release")
    assert lab.row("env", "show", "prod")["provisioning_repository"]["branch"] == "release"


def test_no_plan_is_made_here_without_the_state_of_others(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)

    result = lab.run("run", "plan", "environment/prod", "--speculative", "--set", "zone=b")

    assert result.code == 9
    assert "environment/prod is carried out by others, who keep its state: no plan can be made here." in result.err


def test_pipelines_have_a_repository_of_their_own(
    lab: World, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDFORM_PIPELINE_PROVISIONING_REPOSITORY", upstream.url)
    schema = SERVICE_SCHEMA.replace("  types:", PIPELINE_TYPE)
    piped = {"pipeline_infrastructure/manifest.yaml": MANIFEST, "pipeline_infrastructure/main.tf": PIPELINE}
    bundle = lab.service_bundle("piped", schema=schema)
    for name, text in piped.items():
        lab.write(f"bundles/piped/{name}", text)
    lab.publish("piped", bundle)
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    proposed(lab, "service", "create", "orders", "-t", "piped", "--env", "prod")
    lab.do("run", "notify", 2, "--status", "succeeded", "--output", "port=80")
    proposed(lab, "run", "apply", 3)

    name = branch(lab, 3)
    assert name.startswith("proton--proton-pipeline-")
    given = json.loads(upstream.show(name, "orders/pipeline/proton.auto.tfvars.json"))
    assert [each["outputs"] for each in given["service_instances"]] == [{"port": "80"}]


def test_outputs_stay_when_whoever_ends_an_update_gives_none(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    proposed(lab, "env", "update", "prod", "--set", "zone=b")
    lab.do("run", "notify", 2, "--status", "succeeded")
    kept = lab.row("env", "show", "prod")["outputs"]
    proposed(lab, "env", "update", "prod", "--set", "zone=c")
    lab.do("run", "notify", 3, "--status", "succeeded", "--outputs", "-", stdin="{}")

    assert (kept["zone"]["value"], lab.row("env", "show", "prod")["outputs"]) == ("a", {})


def test_a_branch_without_its_pull_request_is_named(lab: World, upstream: Upstream, host: Host) -> None:
    host.fails_with = 403
    result = lab.run(
        "env", "create", "prod", "-t", "lab", "--provisioning-repository", upstream.url, *on("github", host)
    )

    assert result.code == 1
    assert status(lab, 1) == (
        "failed",
        f"Access to {PROJECT} at {host.url} was denied: Not now (403).\n"
        f"Branch {branch(lab, 1)} was pushed, and must not be merged.\n"
        f"The token in {lab.root / 'token'} must be valid, and may open pull requests there.",
    )


def test_a_large_file_of_others_does_not_keep_anybody_from_deleting(lab: World, upstream: Upstream) -> None:
    create(lab, upstream)
    succeeded(lab, upstream, 1)
    (upstream.work / "prod/layer.zip").write_bytes(bytes(3 * 2**20))
    upstream.push()

    proposed(lab, "env", "delete", "prod", "--yes")

    assert json.loads(upstream.show(branch(lab, 2), f"prod/{METADATA}"))["isResourceDeleted"] is True
