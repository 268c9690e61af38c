"""Drift as people meet it: looked for beside all runs, and repaired by ordinary ones."""

from __future__ import annotations

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


def test_what_lives_in_an_environment_is_repaired_after_it_and_checks_are_in_nobodys_way(deployed: World) -> None:
    deployed.do("drift", "repair", "orders/prod", "environment/prod", "--no-wait")
    runs = {run["address"]: run for run in deployed.rows("run", "list", "--limit", "2")}
    deployed.do("run", "plan", "environment/prod", "--set", "size=2")
    checked = {row["address"]: row for row in deployed.rows("drift", "check", "--detailed-exitcode")}

    assert {run["update_kind"] for run in runs.values()} == {"current-version"}
    assert runs["service/orders/prod"]["after_run_ids"] == [runs["environment/prod"]["id"]]
    # neither what waits in line nor what waits for a yes is in the way
    assert {where: row["status"] for where, row in checked.items()} == dict.fromkeys(runs, "in-sync")
