"""A change that was asked for with a key is made once, however often it is asked for."""

from __future__ import annotations

import pytest

from tests.scenarios import gate, workers
from tests.scenarios.world import SERVICE_CODE, Result, World

pytestmark = pytest.mark.terraform
GITHUB = {"GITHUB_RUN_ID": "77", "GITHUB_JOB": "deploy", "GITHUB_ACTION": "__run", "GITHUB_RUN_ATTEMPT": "1"}
GITLAB = {"CI_PIPELINE_ID": "12", "CI_JOB_NAME": "deploy", "CI_JOB_ID": "4711"}
CI = (*GITHUB, *GITLAB, "LANDFORM_IDEMPOTENCY_KEY", "LANDFORM_IDEMPOTENCY")
SPEC = "proton: ServiceSpec\ninstances: [{{name: prod, environment: prod, spec: {{port: {port}}}}}]\n"
UPDATE = ("instance", "update", "orders/prod", "--set", "port=81", "--yes")


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests themselves may run in a pipeline."""
    for name in CI:
        monkeypatch.delenv(name, raising=False)


def keyed(world: World, *arguments: object, key: str = "k", stdin: str = "") -> Result:
    """Types a command line with an idempotency key."""
    return world.run(*arguments, "--idempotency-key", key, stdin=stdin)


def runs(world: World) -> list[int]:
    """The numbers of all runs after those of `deployed`, oldest first."""
    return [run["id"] for run in reversed(world.rows("run", "list")) if run["id"] > 2]


def in_ci(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], **changed: str) -> None:
    for name, value in {**variables, **changed}.items():
        monkeypatch.setenv(name, value)


def test_what_was_asked_for_with_a_key_is_done_once(deployed: World) -> None:
    first, second = keyed(deployed, *UPDATE), keyed(deployed, *UPDATE)

    assert (first.code, second.code) == (0, 0)
    assert second.out == first.out
    assert runs(deployed) == [3]


def test_without_a_key_each_time_is_another_one(deployed: World) -> None:
    deployed.do(*UPDATE)
    deployed.do(*UPDATE)

    assert runs(deployed) == [3, 4]


def test_the_second_time_goes_on_where_the_first_left_off(deployed: World) -> None:
    keyed(deployed, *UPDATE, "--no-wait")
    before = deployed.row("run", "show", 3)["status"]

    result = keyed(deployed, *UPDATE)

    assert (before, result.code, runs(deployed)) == ("queued", 0, [3])
    assert deployed.row("instance", "show", "orders/prod")["inputs"] == {"port": 81}


def test_the_second_time_tells_how_the_first_failed(deployed: World) -> None:
    deployed.publish(
        "bad", deployed.service_bundle("bad", code='resource "terraform_data" "a" { input = file("no") }\n')
    )
    create = ("service", "create", "shop", "-t", "bad", "--env", "prod", "--yes")

    assert (keyed(deployed, *create).code, keyed(deployed, *create).code) == (1, 1)
    assert runs(deployed) == [3]


def test_the_same_key_for_something_else_is_refused_with_what_differs(deployed: World) -> None:
    keyed(deployed, *UPDATE)

    other = keyed(deployed, "instance", "update", "orders/prod", "--set", "port=82", "--yes")
    another = keyed(deployed, "service", "delete", "orders")

    assert (other.code, other.err) == (
        9,
        "Error: The idempotency key 'k' was used before with another --set.\n"
        "Hint: Give each change a key of its own, or let the pipeline name it: --idempotency-key ci\n",
    )
    assert another.code == 9
    assert another.err.startswith("Error: The idempotency key 'k' was used for landform instance update before.\n")
    assert runs(deployed) == [3]


def test_a_spec_counts_by_what_it_says_and_not_by_its_name(deployed: World) -> None:
    one, copy = deployed.write("one.yaml", SPEC.format(port=81)), deployed.write("copy.yaml", SPEC.format(port=81))
    update = ("instance", "update", "orders/prod", "--yes", "--spec")
    keyed(deployed, *update, one)

    same = keyed(deployed, *update, copy)
    piped = keyed(deployed, *update, "-", stdin=SPEC.format(port=81))
    one.write_text(SPEC.format(port=82))
    changed = keyed(deployed, *update, one)

    assert (same.code, piped.code, changed.code) == (0, 0, 9)
    assert changed.err.startswith("Error: The idempotency key 'k' was used before with another --spec.\n")
    assert runs(deployed) == [3]


def test_how_a_change_is_carried_out_is_no_part_of_it(deployed: World) -> None:
    keyed(deployed, *UPDATE)

    result = keyed(deployed, *UPDATE, "--parallel", 3, "--timeout", 60, "--no-wait", "-o", "json")

    assert [run["id"] for run in result.json["items"]] == [3]


def test_a_change_that_was_refused_has_not_used_its_key(deployed: World) -> None:
    refused = keyed(deployed, "instance", "update", "orders/prod", "--set", "port=0")

    result = keyed(deployed, *UPDATE)

    assert (refused.code, result.code, runs(deployed)) == (1, 0, [3])


def test_every_change_takes_a_key(deployed: World) -> None:
    spec = "proton: ServiceSpec\ninstances: [{name: prod, environment: prod}, {name: two, environment: prod}]\n"
    changes: tuple[tuple[object, ...], ...] = (
        ("env", "create", "dev", "-t", "lab"),
        ("env", "update", "dev", "--set", "zone=b"),
        ("service", "create", "shop", "-t", "web", "--env", "prod"),
        ("service", "update", "shop", "-f", "-"),
        ("instance", "delete", "shop/two"),
        ("service", "delete", "shop"),
        ("env", "delete", "dev"),
    )

    codes = [keyed(deployed, *line, "--yes", key=str(line), stdin=spec).code for line in changes for _ in range(2)]

    assert codes == [0] * 14
    assert len(runs(deployed)) == 7


def test_a_retry_with_a_key_is_made_once(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("run", "discard", 3)

    codes = [keyed(deployed, "run", "retry", 3, "--yes").code for _ in range(2)]

    assert (codes, runs(deployed)) == ([0, 0], [3, 4])


def test_an_approval_with_a_key_is_given_once(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    first, second = (keyed(deployed, "run", "approve", 3, "--reason", "fine") for _ in range(2))
    without = deployed.run("run", "approve", 3)

    assert (first.code, second.code, without.code) == (0, 0, 9)
    assert len(deployed.row("run", "show", 3)["approvals"]) == 1


def test_an_apply_with_a_key_may_be_asked_for_after_its_end(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    first, second = (keyed(deployed, "run", "apply", 3, "--yes") for _ in range(2))
    without = deployed.run("run", "apply", 3, "--yes")

    assert (first.code, second.code, without.code) == (0, 0, 9)


def test_a_key_can_come_from_the_environment(deployed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFORM_IDEMPOTENCY_KEY", "k")

    deployed.do(*UPDATE)
    deployed.do(*UPDATE)

    assert runs(deployed) == [3]


@pytest.mark.parametrize("variables", [GITHUB, GITLAB])
def test_a_job_that_is_started_again_does_not_do_it_twice(
    deployed: World, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    in_ci(monkeypatch, variables)
    keyed(deployed, *UPDATE, key="ci")
    in_ci(monkeypatch, variables, GITHUB_RUN_ATTEMPT="2", CI_JOB_ID="4712")

    again = keyed(deployed, *UPDATE, key="ci")

    assert (again.code, runs(deployed)) == (0, [3])


def test_another_job_and_another_wish_of_the_same_job_do_it_again(
    deployed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_ci(monkeypatch, GITHUB)
    keyed(deployed, *UPDATE, key="ci")
    keyed(deployed, "instance", "update", "orders/prod", "--set", "port=82", "--yes", key="ci")
    in_ci(monkeypatch, GITHUB, GITHUB_RUN_ID="78")

    keyed(deployed, *UPDATE, key="ci")

    assert runs(deployed) == [3, 4, 5]


def test_a_setting_makes_keys_in_pipelines_and_nowhere_else(deployed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.write("landform.toml", 'idempotency = "ci"\n')
    deployed.do(*UPDATE)
    deployed.do(*UPDATE)
    in_ci(monkeypatch, GITHUB)

    deployed.do(*UPDATE)
    deployed.do(*UPDATE)

    assert runs(deployed) == [3, 4, 5]


def test_there_is_no_key_to_be_made_outside_of_a_pipeline(deployed: World) -> None:
    result = keyed(deployed, *UPDATE, key="ci")

    assert (result.code, result.err) == (
        64,
        "Error: There is no pipeline here to make an idempotency key from.\n"
        "Hint: A pipeline sets GITHUB_RUN_ID and GITHUB_JOB and GITHUB_ACTION, or CI_PIPELINE_ID and CI_JOB_NAME. "
        "Elsewhere, give a key of your own.\n",
    )


def test_a_key_that_cannot_be_one_is_refused(deployed: World) -> None:
    result = keyed(deployed, *UPDATE, key="a\nb")

    assert result.code == 64
    assert result.err.startswith("Error: An idempotency key has 1 to 200 printable characters.\n")
    assert runs(deployed) == []


def test_of_two_processes_that_ask_at_once_one_does_it_and_both_see_it_through(deployed: World) -> None:
    gate.deploy(deployed)
    change = ("instance", "update", "gate/prod", "--set", "title=slow", "--yes", "--idempotency-key", "k")
    both = [workers.start(deployed, *change) for _ in range(2)]
    workers.until((deployed.home / gate.WORKSPACE / "began").exists)

    gate.open_gate(deployed)
    ended = [process.communicate() for process in both]

    assert [process.returncode for process in both] == [0, 0], ended
    assert [sum("succeeded" in line for line in out.splitlines()) for out, _ in ended] == [1, 1]
    assert deployed.row("run", "show", 4)["attempt"] == 1
    assert runs(deployed) == [3, 4]


def test_after_a_crash_the_repeat_finds_what_was_recorded(deployed: World) -> None:
    gate.deploy(deployed)
    change = ("instance", "update", "gate/prod", "--set", "title=slow", "--idempotency-key", "k")
    first = workers.start(deployed, *change)
    workers.until(lambda: len(runs(deployed)) == 2)
    first.kill()
    first.communicate()

    result = deployed.run(*change, "--no-wait", "-o", "name")

    assert (result.code, result.out, runs(deployed)) == (0, "4\n", [3, 4])


def test_a_registration_with_a_key_is_made_once(deployed: World) -> None:
    register = ("template", "register", "web", deployed.service_bundle(), "--major", 1, "--publish")

    first, second = (keyed(deployed, *register) for _ in range(2))
    deployed.service_bundle(code=SERVICE_CODE + "\n# changed\n")
    changed = keyed(deployed, *register)

    assert (first.code, second.code) == (0, 0)
    assert first.out == second.out == "web@1.1 is published.\n"
    assert (changed.code, changed.err.splitlines()[0]) == (
        9,
        "Error: The idempotency key 'k' was used before with another SOURCE.",
    )
    assert [row["version"] for row in deployed.rows("template", "versions", "web")] == ["1.0", "1.1"]


def test_the_first_registration_of_a_template_can_be_repeated(world: World) -> None:
    register = ("template", "register", "web", world.service_bundle())

    results = [keyed(world, *register) for _ in range(2)]

    assert [(result.code, result.out) for result in results] == [(0, "web@1.0 is draft.\n")] * 2


def test_a_registration_that_failed_fails_again(deployed: World) -> None:
    bundle = deployed.service_bundle(code='output "x" { value = var.nothing }\n')
    register = ("template", "register", "web", bundle, "--major", 1)

    codes = [keyed(deployed, *register).code for _ in range(2)]

    assert codes == [9, 9]
    assert [row["version"] for row in deployed.rows("template", "versions", "web")] == ["1.0", "1.1"]


def test_a_version_is_published_once(deployed: World) -> None:
    deployed.do("template", "register", "web", deployed.service_bundle(), "--major", 1)

    codes = [keyed(deployed, "template", "publish", "web@1.1").code for _ in range(2)]

    assert codes == [0, 0]
