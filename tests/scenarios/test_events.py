"""Others hear of what is done: the settings, the commands, and what becomes of an event that nobody takes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.scenarios.world import World

FILE = '[events.log]\nto = "file"\npath = "events.jsonl"\n'
NOWHERE = '[events.team]\nto = "file"\npath = "no/such/folder/events.jsonl"\nkinds = ["version"]\n'


@pytest.fixture
def told(world: World) -> World:
    world.write("landform.toml", FILE)
    return world


def lines(world: World) -> Iterator[tuple[str, str]]:
    """Kind and status of what is in the file."""
    for line in (world.root / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        yield event["detail-type"], event["detail"]["status"]


def test_a_command_tells_what_it_did_before_it_ends(told: World) -> None:
    told.publish("lab", told.environment_bundle())

    assert list(lines(told)) == [
        ("AWS Proton Environment Template Status Change", "DRAFT"),
        ("AWS Proton Environment Template Version Status Change", "DRAFT"),
        ("AWS Proton Environment Template Version Status Change", "PUBLISHED"),
        ("AWS Proton Environment Template Status Change", "PUBLISHED"),
    ]
    assert [row["state"] for row in told.rows("events", "list")] == ["delivered"] * 4


def test_a_run_that_is_only_recorded_is_told_of(told: World) -> None:
    told.publish("lab", told.environment_bundle())
    told.do("env", "create", "prod", "-t", "lab", "--no-wait")

    assert list(lines(told))[4:] == [
        ("Landform Run Status Change", "queued"),
        ("AWS Proton Environment Status Change", "IN_PROGRESS"),
    ]


def test_a_target_that_cannot_be_reached_fails_no_command_and_is_tried_again(world: World) -> None:
    world.write("landform.toml", NOWHERE)
    world.publish("lab", world.environment_bundle())
    waiting = world.rows("events", "list", "--target", "team")[1]
    folder = world.root / "no/such/folder"

    failed = world.run("events", "retry", 1)
    folder.mkdir(parents=True)
    world.do("events", "retry", 1)

    assert (waiting["id"], waiting["state"], waiting["attempts"]) == (1, "waiting", 1)
    assert waiting["message"] == f"The file {folder}/events.jsonl cannot be written: No such file or directory."
    assert failed.code == 1
    shown = world.row("events", "show", 1)
    assert (shown["state"], shown["event"]["id"]) == ("delivered", waiting["uid"])
    assert world.rows("events", "list", "--dead") == []
    again = world.run("events", "retry", 1, "-o", "json")
    assert (again.code, again.error["message"]) == (9, "Event 1 has arrived at team: there is nothing to send.")


def test_what_is_wrong_with_the_settings_is_said_at_once(world: World) -> None:
    world.write("landform.toml", '[events.team]\nto = "webhook"\n\n[events.bus]\nto = "eventbridge"\n')

    refused = world.run("template", "publish", "lab@1.0", "-o", "json")

    assert refused.code == 1
    assert refused.error["message"] == "The settings of events cannot be used:"
    assert [(problem["field"], problem["message"]) for problem in refused.error["problems"]] == [
        ("events.team.secret_file", "is missing."),
        ("events.team.url", "is missing; url_file may name a file."),
        ("events.bus.bus", "is missing."),
    ]


def test_a_target_can_be_tried_out(told: World) -> None:
    told.do("events", "test", "log")
    unknown = told.run("events", "test", "lug")

    assert list(lines(told)) == [("Landform Test", "TEST")]
    assert unknown.code == 8
    assert (
        unknown.err == 'Error: There is no [events.lug] in landform.toml. Did you mean "log"?\nHint: There are: log.\n'
    )


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("send",), 9, "There is no [events.NAME] in landform.toml: nobody wants to hear of anything."),
        (("retry",), 64, "Which events is not said, or twice."),
        (("retry", "1", "--dead"), 64, "Which events is not said, or twice."),
        (("retry", "7"), 8, "There is no event 7."),
        (("show", "7"), 8, "There is no event 7."),
    ],
)
def test_what_cannot_be_done_is_said(world: World, words: tuple[str, ...], code: int, message: str) -> None:
    refused = world.run("events", *words, "-o", "json")

    assert (refused.code, refused.error["message"]) == (code, message)
