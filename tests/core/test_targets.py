"""`[events.NAME]` of landform.toml: what may stand there, and everything that is wrong with it at once."""

from __future__ import annotations

import pytest

from engine.core.arns import Owner
from engine.core.notices import STATUSES, Subject, Told
from engine.core.targets import Audience, Target, To, parse
from engine.errors import Invalid

BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/team"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:deployments"


def problems(table: object) -> list[str]:
    with pytest.raises(Invalid, match=r"^The settings of events cannot be used:") as caught:
        parse(table, "landform.toml")
    return [str(problem) for problem in caught.value.problems]


def test_every_way_can_be_named() -> None:
    found = parse(
        {
            "bus": {"to": "eventbridge", "bus": BUS, "profile": "ops"},
            "log": {"to": "file", "path": "events.jsonl", "source": "aws.proton"},
            "sns": {"to": "sns", "topic_arn": TOPIC, "region": "eu-west-1", "endpoint": "http://127.0.0.1:5000"},
            "team": {"to": "webhook", "url": "https://hooks.example.com/x", "secret_file": "s", "kinds": ["run"]},
        },
        "landform.toml",
        lambda path: f"/etc/{path}",
    )

    assert found == (
        Target("bus", To.EVENTBRIDGE, BUS, profile="ops"),
        Target("log", To.FILE, "/etc/events.jsonl", source="aws.proton"),
        Target("sns", To.SNS, TOPIC, region="eu-west-1", endpoint="http://127.0.0.1:5000"),
        Target(
            "team",
            To.WEBHOOK,
            "https://hooks.example.com/x",
            secret_file="/etc/s",
            kinds=frozenset({Subject.RUN}),
        ),
    )


def test_without_a_table_nobody_hears_of_anything() -> None:
    assert parse(None, "landform.toml") == ()


def test_a_target_hears_of_what_it_has_asked_for() -> None:
    team = Target("team", To.FILE, kinds=frozenset({Subject.INSTANCE}), only=frozenset({"FAILED"}))
    everybody = Target("log", To.FILE)
    audience = Audience(Owner("123456789012", "eu-west-1"), (team, everybody))

    def told(subject: Subject, status: str) -> Told:
        return Told(subject, "kind", "arn", {"status": status})

    assert audience.takers(told(Subject.INSTANCE, "FAILED")) == ("team", "log")
    assert audience.takers(told(Subject.INSTANCE, "SUCCEEDED")) == ("log",)
    assert audience.takers(told(Subject.ENVIRONMENT, "FAILED")) == ("log",)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    table = {
        "Team": {"to": "file", "path": "x"},
        "a": "https://hooks.example.com",
        "b": {},
        "c": {"to": "kafka"},
        "d": {"to": "webhook", "url": "http://hooks.example.com/T0/secret", "secret": "s3cr3t", "secretfile": "x"},
        "e": {"to": "webhook", "url": "ftp://T0/secret", "secret_file": 7, "insecure": "yes"},
        "f": {"to": "webhook", "url": "https://h:99999/", "url_file": "u", "secret_file": "s"},
        "g": {"to": "eventbridge", "bus": "a bus", "source": "aws.proton"},
        "h": {"to": "sns", "topic_arn": BUS, "kinds": ["services"], "only": "FAILED"},
        "i": {"to": "file", "kinds": [], "only": ["failed", "DONE"]},
        "j": {"to": "webhook", "secret_file": "s"},
    }

    assert problems(table) == [
        "landform.toml: events.Team: is not a name of lower-case letters, digits, - and _, at most 63 of them.",
        'landform.toml: events.a: must be a table, with to = "webhook" or the like in it.',
        "landform.toml: events.b.to: is missing: eventbridge, sns, webhook or file.",
        "landform.toml: events.c.to: 'kafka' is not eventbridge, sns, webhook or file.",
        "landform.toml: events.d.secret: must not stand in this file.",
        'landform.toml: events.d.secretfile: is no setting of a webhook. Did you mean "secret_file"?',
        "landform.toml: events.d.secret_file: is missing.",
        "landform.toml: events.d.url: must begin with https://; "
        "insecure = true is for networks that nobody listens in on.",
        "landform.toml: events.e.url: the value is not an address like https://hooks.example.com/landform.",
        "landform.toml: events.e.secret_file: must be a string.",
        "landform.toml: events.e.insecure: must be true or false.",
        "landform.toml: events.f.url: and url_file are both given; one is enough.",
        "landform.toml: events.f.url: is not an address like https://hooks.example.com/landform.",
        "landform.toml: events.g.bus: 'a bus' is not the name or ARN of an event bus.",
        "landform.toml: events.g.source: 'aws.proton' is refused by EventBridge: only AWS may begin a source with aws.",
        f"landform.toml: events.h.topic_arn: '{BUS}' is not the ARN of a topic, "
        "like arn:aws:sns:eu-west-1:123456789012:deployments.",
        "landform.toml: events.h.kinds: 'services' is not one of "
        "environment, instance, pipeline, component, template, version, run, campaign, drift.",
        'landform.toml: events.h.only: must be a list, like ["CANCELLED"].',
        'landform.toml: events.i.kinds: must be a list, like ["environment"].',
        f"landform.toml: events.i.only: 'DONE' is not one of {', '.join(sorted(STATUSES))}.",
        "landform.toml: events.i.path: is missing.",
        "landform.toml: events.j.url: is missing; url_file may name a file.",
    ]
    assert problems(["x"]) == ["landform.toml: events: must be a table of tables, as in [events.team]."]


@pytest.mark.parametrize("url", ["http://localhost:8080/x", "http://127.0.0.1/x", "http://[::1]:80/x"])
def test_on_this_machine_nobody_has_to_encrypt(url: str) -> None:
    [target] = parse({"team": {"to": "webhook", "url": url, "secret_file": "s"}}, "landform.toml")

    assert target.place == url


@pytest.mark.parametrize("host", ["a..b", ".example.com", "a" * 64, "[::::]", "[1.2.3.4]", "a." * 127])
def test_a_host_that_nobody_can_look_up_is_refused(host: str) -> None:
    assert problems({"team": {"to": "webhook", "url": f"https://{host}/", "secret_file": "s"}}) == [
        "landform.toml: events.team.url: is not an address like https://hooks.example.com/landform."
    ]


@pytest.mark.parametrize(
    "url", ["http://localhost.example.com/", "http://127.0.0.1.example.com/", "http://u@127.0.0.1/"]
)
def test_what_only_looks_like_this_machine_has_to(url: str) -> None:
    assert len(problems({"team": {"to": "webhook", "url": url, "secret_file": "s"}})) == 1
