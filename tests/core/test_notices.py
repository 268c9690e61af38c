"""What others are told of: statuses in Proton's words, the envelope, and when a letter is sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.core import address, notices
from engine.core.arns import Owner
from engine.core.notices import Letter, Seen, Subject, VersionSeen
from engine.core.runs import Operation, Status
from engine.core.versions import Number, TemplateKind, VersionStatus

OWNER = Owner("123456789012", "eu-west-1")
ORDERS = address.service_instance("orders", "prod")
DEPLOY, DESTROY = Operation.DEPLOY, Operation.DESTROY


def seen(status: Status, operation: Operation = DEPLOY, *, cancelling: bool = False) -> Seen:
    return Seen(7, ORDERS, operation, "web@1.2", status, cancelling)


@pytest.mark.parametrize(
    ("run", "deployment"),
    [
        (seen(Status.QUEUED), "IN_PROGRESS"),
        (seen(Status.PLANNED), "IN_PROGRESS"),
        (seen(Status.INTERRUPTED), "IN_PROGRESS"),
        (seen(Status.APPLYING, cancelling=True), "CANCELLING"),
        (seen(Status.QUEUED, cancelling=True), "IN_PROGRESS"),
        (seen(Status.SUCCEEDED), "SUCCEEDED"),
        (seen(Status.FAILED), "FAILED"),
        (seen(Status.DISCARDED), "CANCELLED"),
        (seen(Status.CANCELLED), "CANCELLED"),
        (seen(Status.APPLYING, DESTROY), "DELETE_IN_PROGRESS"),
        (seen(Status.APPLYING, DESTROY, cancelling=True), "DELETE_IN_PROGRESS"),
        (seen(Status.FAILED, DESTROY), "DELETE_FAILED"),
        (seen(Status.SUCCEEDED, DESTROY), "DELETED"),
    ],
    ids=str,
)
def test_a_run_means_for_its_instance_what_proton_calls_it(run: Seen, deployment: str) -> None:
    assert run.deployment == deployment
    assert run.deployment in notices.STATUSES


def test_an_instance_is_told_of_as_proton_did_with_the_run_beside_it() -> None:
    told = notices.of_instance(OWNER, seen(Status.PLANNED), "SUCCEEDED")

    assert told == notices.Told(
        Subject.INSTANCE,
        "AWS Proton Service Instance Status Change",
        "arn:aws:proton:eu-west-1:123456789012:service/orders/service-instance/prod",
        {
            "name": "prod",
            "serviceName": "orders",
            "status": "IN_PROGRESS",
            "previousStatus": "SUCCEEDED",
            "landform": {"run": 7, "address": "service/orders/prod", "waitingOn": "approval"},
        },
    )


@pytest.mark.parametrize(
    ("where", "kind", "named"),
    [
        (address.environment("prod"), "AWS Proton Environment Status Change", {"name": "prod"}),
        (address.pipeline("orders"), "AWS Proton Service Pipeline Status Change", {"serviceName": "orders"}),
        (address.component("cache"), "AWS Proton Component Status Change", {"name": "cache"}),
    ],
)
def test_each_kind_is_told_of_in_its_own_way(where: address.Address, kind: str, named: dict[str, str]) -> None:
    told = notices.of_removal(OWNER, where, None)

    assert told.kind == kind
    assert told.detail == {**named, "status": "DELETED", "landform": {"address": str(where)}}


def test_nothing_is_told_where_nothing_has_changed() -> None:
    assert notices.of_instance(OWNER, seen(Status.PLANNING), "IN_PROGRESS") is None
    assert notices.of_run(OWNER, seen(Status.PLANNING, cancelling=True), seen(Status.PLANNING)) is None
    assert notices.of_template(OWNER, TemplateKind.SERVICE, "web", published=True, before=True) is None


def test_a_run_that_waits_says_for_whom_and_what_can_be_done() -> None:
    told = notices.of_run(OWNER, seen(Status.PLANNED), seen(Status.PLANNING))

    assert told is not None
    assert told.kind == "Landform Run Status Change"
    assert told.detail == {
        "run": 7,
        "address": "service/orders/prod",
        "operation": "deploy",
        "template": "web@1.2",
        "status": "planned",
        "previousStatus": "planning",
        "isTerminal": False,
        "waitingOn": "approval",
        "nextActions": ["approve", "discard", "cancel"],
    }


def test_a_version_is_told_of_and_that_of_a_component_is_not() -> None:
    web = VersionSeen(TemplateKind.SERVICE, "web", Number(1, 2))
    cache = VersionSeen(TemplateKind.COMPONENT, "cache", Number(1, 0))

    told = notices.of_version(OWNER, web, None, VersionStatus.FAILED)

    assert told is not None
    assert told.kind == "AWS Proton Service Template Version Status Change"
    assert told.resource == "arn:aws:proton:eu-west-1:123456789012:service-template/web:1.2"
    assert told.detail == {
        "name": "web",
        "majorVersion": "1",
        "minorVersion": "2",
        "status": "DELETED",
        "previousStatus": "REGISTRATION_FAILED",
    }
    assert notices.of_version(OWNER, cache, VersionStatus.PUBLISHED, None) is None


@pytest.mark.parametrize(("now", "status"), [("deprecated", "PUBLISHED"), ("yanked", "DRAFT")])
def test_what_proton_has_no_word_for_is_told_in_its_nearest_with_ours_beside_it(now: str, status: str) -> None:
    web = VersionSeen(TemplateKind.SERVICE, "web", Number(1, 2))

    told = notices.of_version(OWNER, web, VersionStatus(now), VersionStatus.PUBLISHED)

    assert told is not None
    assert (told.detail["status"], told.detail["previousStatus"]) == (status, "PUBLISHED")
    assert told.detail["landform"] == {"status": now}


def test_the_envelope_is_that_of_eventbridge() -> None:
    told_at = datetime(2026, 5, 4, 5, 2, 1, 700000, tzinfo=timezone(timedelta(hours=2)))
    arn = "arn:aws:proton:eu-west-1:123456789012:environment/prod"
    detail = {"name": "prod", "status": "FAILED", "landform": {"run": 7}}
    letter = Letter(1, "team", 1, "af76c382", "AWS Proton Environment Status Change", arn, detail, told_at, told_at)

    assert notices.envelope(letter, "aws.proton") == {
        "version": "0",
        "id": "af76c382",
        "detail-type": "AWS Proton Environment Status Change",
        "source": "aws.proton",
        "account": "123456789012",
        "time": "2026-05-04T03:02:01Z",
        "region": "eu-west-1",
        "resources": [arn],
        "detail": {"name": "prod", "status": "FAILED", "landform": {"event": "af76c382", "run": 7}},
    }


def test_pauses_double_up_to_an_hour_and_jitter_takes_up_to_a_half_away() -> None:
    pauses = [notices.pause(attempts, 0).total_seconds() for attempts in (1, 2, 3, 9, 10, 20, 10**9)]

    assert pauses == [10, 20, 40, 2560, 3600, 3600, 3600]
    assert notices.pause(1, 1) == timedelta(seconds=5)


def test_all_attempts_together_take_half_a_day() -> None:
    whole = sum((notices.pause(attempts, 0) for attempts in range(1, notices.MOST_ATTEMPTS)), timedelta())

    assert whole == timedelta(hours=11, minutes=25, seconds=10)


def test_a_trial_tells_of_nothing() -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)

    event = notices.envelope(notices.trial(OWNER, "team", "af76c382", now))

    assert event["detail-type"] == "Landform Test"
    assert event["detail"] == {"status": "TEST", "landform": {"event": "af76c382"}}
