from __future__ import annotations

from typing import Any

from engine.core import campaign_report
from engine.core.campaigns import Action, Manner, Wish
from engine.core.updates import UpdateKind


def campaign(**facts: Any) -> dict[str, Any]:
    wish = Wish(Action.UPGRADE, ("template=web", "environment=prod"), UpdateKind.MINOR_VERSION, "1.4")
    return {
        "id": 3,
        "title": "autumn",
        "status": "halted",
        "message": "1 step failed, and 1 halts it.",
        "created_by": "ada",
        "created_at": "2026-11-23T10:00:00Z",
        "ended_at": None,
        "rollback_of": None,
        "wish": {**wish.to_json(), "select": ["template=web", "environment=prod"]},
        "manner": {**Manner(canary=1, batch=10).to_json(), "allow": ["no-change", "add"]},
        **facts,
    }


def step(address: str, **facts: Any) -> dict[str, Any]:
    return {
        "address": address,
        "environment": "prod",
        "wave": 1,
        "template_before": "web@1.3",
        "template": "web@1.4",
        "run_id": 8,
        "run_status": "succeeded",
        "shape": "in-place",
        "status": "succeeded",
        "started_at": "2026-11-23T10:00:00Z",
        "ended_at": "2026-11-23T10:00:41.500000Z",
        "message": "",
        **facts,
    }


WAITING = {
    "wave": 2,
    "status": "pending",
    "run_id": None,
    "run_status": None,
    "shape": None,
    "template": None,
    "started_at": None,
    "ended_at": None,
}
STEPS = [
    step("service/a/prod"),
    step("service/b/prod", status="failed", run_id=9, run_status="failed", message="Run 9 is failed."),
    step("service/c/prod", **WAITING),
]


def test_a_report_says_who_did_what_to_which_instance_and_how_it_went() -> None:
    found = campaign_report.report(campaign(), STEPS)

    assert found["schema"] == "landform.campaign-report/1"
    assert (found["campaign"], found["status"], found["created_by"]) == (3, "halted", "ada")
    assert found["counts"] == {"pending": 1, "succeeded": 1, "failed": 1}
    assert found["failures"] == [{"address": "service/b/prod", "run": 9, "message": "Run 9 is failed."}]
    waves: Any = found["waves"]
    assert [(wave["wave"], wave["counts"]) for wave in waves] == [
        (1, {"succeeded": 1, "failed": 1}),
        (2, {"pending": 1}),
    ]
    assert waves[0]["steps"][0] == {
        "address": "service/a/prod",
        "environment": "prod",
        "from": "web@1.3",
        "to": "web@1.4",
        "run": 8,
        "run_status": "succeeded",
        "shape": "in-place",
        "status": "succeeded",
        "started_at": "2026-11-23T10:00:00Z",
        "ended_at": "2026-11-23T10:00:41.500000Z",
        "seconds": 41.5,
        "message": "",
    }


def test_markdown_has_failures_first_and_a_row_for_each_instance() -> None:
    text = campaign_report.markdown(campaign_report.report(campaign(), STEPS))

    assert (
        text
        == """\
### Landform: campaign 3 `autumn` was halted

Started by `ada` at 2026-11-23T10:00:00Z.
Brings: `upgrade 1.4 of template=web, environment=prod`
Order: `canary of 1, batches of 10, 4 at once, halts at 1 failure, no plan goes beyond add`

> `1 step failed, and 1 halts it.`

**1 pending, 1 succeeded, 1 failed**

#### Failures

- `service/b/prod` (run 9): `Run 9 is failed.`

#### Wave 1: 1 succeeded, 1 failed

|Instance|Environment|From|To|Plan|Status|Run|Seconds|Message|
|---|---|---|---|---|---|---|---|---|
|`service/a/prod`|`prod`|`web@1.3`|`web@1.4`|`in-place`|`succeeded`|`8`|`42`||
|`service/b/prod`|`prod`|`web@1.3`|`web@1.4`|`in-place`|`failed`|`9`|`42`|`Run 9 is failed.`|

#### Wave 2: 1 pending

|Instance|Environment|From|To|Plan|Status|Run|Seconds|Message|
|---|---|---|---|---|---|---|---|---|
|`service/c/prod`|`prod`|`web@1.3`|||`pending`||||"""
    )


def test_nothing_that_others_have_named_means_anything_to_markdown() -> None:
    hostile = "a\\|b ``` <img> @everyone\n# heading"
    found = campaign_report.report(
        campaign(title="` <script>", message="x\n\n# y"), [step("service/a/prod", status="failed", message=hostile)]
    )

    text = campaign_report.markdown(found)

    assert "### Landform: campaign 3 `` ` <script> `` was halted" in text
    assert "> `x  # y`\n" in text
    assert "|````a\\|b ``` <img> @everyone # heading````|" in text


def test_a_fleet_too_large_for_a_comment_is_counted_where_it_does_not_fit() -> None:
    steps = [step(f"service/{'x' * 90}{number}/prod") for number in range(600)]

    text = campaign_report.markdown(campaign_report.report(campaign(), steps))

    assert 60_000 < len(text) <= 65_536
    assert text.endswith(" more: see the report as JSON.")
