"""Events on a bus of EventBridge and a topic of SNS, as moto plays them, and what a queue behind each receives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from engine.core.notices import Letter, Rejected
from engine.core.targets import Target, To
from engine.errors import ExternalFailure
from engine.external import sending

REGION = "eu-west-1"
RESOURCE = "arn:aws:proton:eu-west-1:123456789012:environment/prod"
NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
LETTER = Letter(
    1,
    "team",
    1,
    "af76c382-2b3c-7a0a-cf01-936dff228276",
    "AWS Proton Environment Status Change",
    RESOURCE,
    {"name": "prod", "status": "FAILED", "previousStatus": "IN_PROGRESS"},
    NOW,
    NOW,
)


@dataclass(frozen=True)
class Cloud:
    """Moto's server, and clients of it."""

    endpoint: str

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION)

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """Address and ARN of a new queue."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.close()
        return url, arn

    def received(self, url: str) -> list[Any]:
        sqs = self.client("sqs")
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())
        sqs.close()
        return [json.loads(message["Body"]) for message in messages]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Cloud(f"http://{host}:{port}")
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


def test_a_bus_hears_of_it_as_proton_would_have_said_it(cloud: Cloud) -> None:
    url, arn = cloud.queue("from-bus")
    events = cloud.client("events")
    events.create_event_bus(Name="team")
    pattern = {"detail-type": [LETTER.kind], "source": ["landform"], "detail": {"status": ["FAILED"]}}
    events.put_rule(Name="failed", EventBusName="team", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="failed", EventBusName="team", Targets=[{"Id": "queue", "Arn": arn}])
    events.close()

    sending.send(Target("team", To.EVENTBRIDGE, "team", region=REGION, endpoint=cloud.endpoint), LETTER)

    [received] = cloud.received(url)
    assert received["resources"] == [RESOURCE]
    assert received["time"] == "2026-05-04T03:02:01Z"
    assert received["detail"] == {**LETTER.detail, "landform": {"event": LETTER.uid}}


def test_an_entry_that_was_not_taken_is_no_success(cloud: Cloud) -> None:
    # nothing that settings could say
    target = Target("team", To.EVENTBRIDGE, "default", region=REGION, endpoint=cloud.endpoint, source="")

    with pytest.raises(Rejected) as caught:
        sending.send(target, LETTER)

    assert caught.value.message == (
        "The event bus default cannot be told: AWS answers InvalidArgument "
        "(Parameter Source is not valid. Reason: Source is a required argument.)."
    )


def test_a_topic_hears_all_of_it(cloud: Cloud) -> None:
    url, queue = cloud.queue("from-topic")
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="deployments")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"FilterPolicy": '{"status": ["FAILED"]}'})
    sns.close()

    sending.send(Target("team", To.SNS, topic, endpoint=cloud.endpoint, source="aws.proton"), LETTER)

    [received] = cloud.received(url)
    event = json.loads(received["Message"])
    assert (event["id"], event["source"], event["detail"]["status"]) == (LETTER.uid, "aws.proton", "FAILED")


def test_a_topic_that_keeps_an_order_gets_one_event_once(cloud: Cloud) -> None:
    url, queue = cloud.queue("in-order.fifo", FifoQueue="true")
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="in-order.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    sns.close()
    target = Target("team", To.SNS, topic, endpoint=cloud.endpoint)

    sending.send(target, LETTER)
    sending.send(target, LETTER)

    assert len(cloud.received(url)) == 1


def test_a_topic_that_is_not_there_is_named(cloud: Cloud) -> None:
    topic = f"arn:aws:sns:{REGION}:123456789012:nowhere"

    with pytest.raises(ExternalFailure, match=rf"^The topic {topic} cannot be told: AWS answers NotFound"):
        sending.send(Target("team", To.SNS, topic, endpoint=cloud.endpoint), LETTER)


def test_without_an_answer_it_is_tried_once_and_later() -> None:
    target = Target("team", To.EVENTBRIDGE, "team", region=REGION, endpoint="http://127.0.0.1:1")

    with pytest.raises(ExternalFailure, match=r"^The event bus team cannot be told: Could not connect"):
        sending.send(target, LETTER)


def test_an_endpoint_that_is_none_is_said() -> None:
    target = Target("team", To.EVENTBRIDGE, "team", region=REGION, endpoint="https://a..b")

    with pytest.raises(ExternalFailure, match=r"^https://a\.\.b is not an address under which events could be reached"):
        sending.send(target, LETTER)
