"""Why things are as they are: every reason has its words, who is in the way, and what to type."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.core import explaining, explaining_instances, explanations
from engine.core.campaigns import Manner, StepStatus
from engine.core.campaigns import Status as CampaignStatus
from engine.core.explaining import Account, RunFacts
from engine.core.explaining_campaigns import CampaignFacts, StepFacts, of_campaign
from engine.core.explaining_instances import InstanceFacts, Membership, Partner, StaleOutput
from engine.core.guards import Refusal, Severity
from engine.core.runs import Operation, Status
from engine.core.scheduling import Entry, Snapshot, Taker

ADDRESS = "service/orders/prod"
WHEN = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
REFUSAL = Refusal("max_destroys", Severity.DENY, "", "It destroys 3 resources, and 1 is the most.", "environment/prod")
WORKER = Taker(5)


def run(status: Status, *workers: Taker, message: str = "") -> RunFacts:
    entries = (Entry(7, 1, 2, Operation.DEPLOY, status),) if status not in (Status.FAILED, Status.SUCCEEDED) else ()
    turn = explanations.explanation(Snapshot(entries, workers=workers), 7, ADDRESS)
    return RunFacts(7, ADDRESS, Operation.DEPLOY, status, turn, message)


def instance(last: RunFacts | None = None) -> InstanceFacts:
    return InstanceFacts(ADDRESS, "web@1.2", "succeeded" if last is None else last.status.value, last)


def texts(account: Account) -> list[str]:
    return [reason.text for reason in account.reasons]


def test_an_instance_that_is_fine_has_nothing_to_explain() -> None:
    account = explaining_instances.of_instance(instance(run(Status.SUCCEEDED)))

    assert account.reasons == ()
    assert account.next_commands == ("landform instance show orders/prod",)


@pytest.mark.parametrize(
    ("facts", "text", "commands"),
    [
        (
            replace(instance(), diverged="Its state could not be kept.\nSee run 7."),
            "it is frozen: Its state could not be kept",
            ("landform state harvest service/orders/prod",),
        ),
        (
            replace(instance(), hibernated_at=WHEN),
            "it is hibernated since 2026-11-23 18:00 UTC: only its version and inputs are kept",
            ("landform instance wake service/orders/prod",),
        ),
        (
            replace(instance(), expires_at=WHEN),
            "it is hibernated by itself at 2026-11-23 18:00 UTC",
            ("landform instance extend service/orders/prod 24h",),
        ),
        (replace(instance(), is_deployed=False), "it has never been deployed successfully", ()),
        (
            replace(instance(), withdrawn="web@1.2 was yanked: leaks. Nothing new may use it.", instead="1.3"),
            "web@1.2 was yanked: leaks. Nothing new may use it",
            ("landform instance update orders/prod --version 1.3",),
        ),
        (
            replace(instance(), warning="web@1.2 is deprecated: old. Use web@1.3.", instead="1.3"),
            "web@1.2 is deprecated: old. Use web@1.3",
            ("landform instance update orders/prod --version 1.3",),
        ),
        (
            replace(instance(), recommended="1.4"),
            "it is on web@1.2, and web@1.4 is recommended",
            ("landform instance update orders/prod --version 1.4",),
        ),
        (
            replace(instance(), stale=(StaleOutput("environment/prod", "vpc_id", 41),)),
            "it is stale: output vpc_id of environment/prod was changed by run 41 since it was read",
            ("landform instance update orders/prod --kind current-version",),
        ),
        (
            replace(instance(), drift="in-place", drift_plan="0 to add, 1 to change, 0 to destroy."),
            "it has drifted (in-place); an apply would bring: 0 to add, 1 to change, 0 to destroy.",
            ("landform drift show service/orders/prod", "landform drift repair service/orders/prod"),
        ),
        (
            replace(instance(), environment="prod", closed="environment is frozen"),
            "campaigns change nothing in prod now: environment is frozen",
            ("landform env calendar show prod",),
        ),
        (
            replace(instance(), campaign=Membership(3, "halted", 1, "pending")),
            "campaign 3 (halted) has it: its step in wave 2 is pending",
            ("landform explain c3",),
        ),
        (
            replace(
                instance(), partners=(Partner("component/cache", "is attached to it", "run 9 of it is planned", 9),)
            ),
            "component/cache is attached to it, and run 9 of it is planned",
            ("landform explain 9",),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_thing_that_is_not_as_it_should_be_is_said_with_what_to_type(
    facts: InstanceFacts, text: str, commands: tuple[str, ...]
) -> None:
    account = explaining_instances.of_instance(facts)

    assert texts(account) == [text]
    assert account.next_commands == (*commands, "landform instance show orders/prod")


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("environment/prod", "landform env update prod --version 1.4"),
        ("pipeline/orders", "landform pipeline update orders --version 1.4"),
    ],
)
def test_what_to_type_fits_the_kind_of_instance(address: str, command: str) -> None:
    account = explaining_instances.of_instance(replace(instance(), address=address, recommended="1.4"))

    assert account.next_commands[0] == command


def test_what_blocks_comes_first_among_what_to_type() -> None:
    facts = replace(instance(), recommended="1.4", campaign=Membership(3, "running", 0, "pending"), diverged="Lost.")

    assert explaining_instances.of_instance(facts).next_commands == (
        "landform state harvest service/orders/prod",
        "landform instance update orders/prod --version 1.4",
        "landform explain c3",
        "landform instance show orders/prod",
    )


def test_while_a_run_is_under_way_nobody_is_told_to_start_another_one() -> None:
    account = explaining_instances.of_instance(replace(instance(run(Status.PLANNED)), recommended="1.4"))

    assert texts(account) == [
        "run 7 (deploy) is planned: waits for approval (0 of 1)",
        "it is on web@1.2, and web@1.4 is recommended",
    ]
    assert account.next_commands == (
        "landform run show 7",
        "landform run approve 7",
        "landform instance show orders/prod",
    )


def test_a_plan_that_a_guard_refuses_says_which_and_how_to_ask_for_an_exception() -> None:
    account = explaining.of_run(replace(run(Status.PLANNED), refusals=(REFUSAL,)))

    assert texts(account) == [
        "it is refused by guard max_destroys (environment/prod): It destroys 3 resources, and 1 is the most.",
        "waits for approval (0 of 1)",
    ]
    assert account.next_commands == (
        "landform run approve 7 --except max_destroys --reason TEXT",
        "landform run show 7",
    )


def test_guards_that_only_warn_and_exceptions_do_not_block() -> None:
    warning = replace(REFUSAL, severity=Severity.WARN)

    account = explaining.of_run(replace(run(Status.APPROVED, WORKER), refusals=(REFUSAL, warning)))

    assert [(reason.topic, reason.blocks) for reason in account.reasons] == [("exception", False), ("warning", False)]


def test_a_run_that_failed_says_why_and_how_to_try_again() -> None:
    account = explaining.of_run(run(Status.FAILED, message="terraform apply ended with exit code 1.\nmore"))

    assert texts(account) == ["run 7 (deploy) failed: terraform apply ended with exit code 1"]
    assert account.next_commands == ("landform run logs 7", "landform run retry 7", "landform run show 7")


def test_a_run_that_is_not_the_last_of_its_instance_is_not_tried_again() -> None:
    superseded = replace(run(Status.FAILED), superseded_by=9)

    assert "landform run retry 7" not in explaining.of_run(replace(run(Status.FAILED), is_last=False)).next_commands
    assert explaining.of_run(superseded).next_commands == ("landform explain 9", "landform run show 7")


def test_a_run_of_a_campaign_whose_version_was_withdrawn_says_both() -> None:
    facts = replace(run(Status.QUEUED, WORKER), campaign_id=3, withdrawn="web@1.2 was yanked: leaks.")

    account = explaining.of_run(facts)

    assert texts(account) == ["web@1.2 was yanked: leaks", "campaign 3 asked for it"]
    assert account.next_commands == ("landform run discard 7", "landform explain c3")


def campaign(status: CampaignStatus, *steps: StepFacts, message: str = "") -> CampaignFacts:
    return CampaignFacts(3, status, message, 0, Manner(concurrency=1), steps)


def test_a_halted_campaign_says_why_and_which_steps_failed() -> None:
    failed = StepFacts("service/b/prod", 0, StepStatus.FAILED, "Run 7 is failed.", run(Status.FAILED))

    account = of_campaign(campaign(CampaignStatus.HALTED, failed, message="1 step failed, and 1 halts it."))

    assert account.name == "c3"
    assert texts(account) == ["it was halted: 1 step failed, and 1 halts it", "service/b/prod: Run 7 is failed"]
    assert account.next_commands == (
        "landform campaign retry 3",
        "landform campaign resume 3",
        "landform explain 7",
        "landform campaign status 3",
        "landform campaign abort 3",
        "landform campaign rollback 3",
    )


def test_a_campaign_that_runs_says_everything_that_it_waits_for() -> None:
    account = of_campaign(
        campaign(
            CampaignStatus.RUNNING,
            StepFacts("service/a/prod", 0, StepStatus.RUNNING, run=run(Status.PLANNED)),
            StepFacts("service/b/prod", 0, StepStatus.PENDING),
            StepFacts("service/c/prod", 0, StepStatus.PENDING, "", None, "prod", "environment is frozen"),
            StepFacts("service/d/prod", 0, StepStatus.CHECKING),
            StepFacts("service/e/prod", 1, StepStatus.PENDING),
        )
    )

    assert texts(account) == [
        "1 step in prod cannot begin: environment is frozen",
        "waiting in wave 1: 1 step, as 2 are under way, the most at once",
        "waiting for wave 1: 1 step of later waves",
        "service/a/prod: run 7 is planned: waits for approval (0 of 1)",
        "service/d/prod is being asked whether it is well",
    ]
    assert account.next_commands[:3] == (
        "landform env calendar show prod",
        "landform run show 7",
        "landform run approve 7",
    )


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            replace(campaign(CampaignStatus.RUNNING), due_at=WHEN),
            "wave 2 begins at 2026-11-23 18:00 UTC, after the pause between waves",
        ),
        (
            campaign(CampaignStatus.PAUSED, message="Wave 1 is done: wave 2 waits for somebody to say yes."),
            "it is paused: Wave 1 is done: wave 2 waits for somebody to say yes",
        ),
        (campaign(CampaignStatus.ABORTED, message="Aborted by ada."), "it was aborted: Aborted by ada"),
        (
            campaign(CampaignStatus.SUCCEEDED, StepFacts("service/a/prod", 0, StepStatus.SUCCEEDED)),
            "it has succeeded: 1 succeeded",
        ),
        (
            replace(campaign(CampaignStatus.RUNNING), is_driven=False),
            "no worker is there to carry it on; somebody may be doing so in the foreground",
        ),
        (replace(campaign(CampaignStatus.RUNNING), rollback_of=2), "it takes campaign 2 back"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_standing_of_a_campaign_has_its_words(facts: CampaignFacts, text: str) -> None:
    assert texts(of_campaign(facts)) == [text]
