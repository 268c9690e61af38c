"""Events of ours on their way into AWS: to a bus of EventBridge, to a topic of SNS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.core.notices import Rejected
from engine.external.aws import Access, AwsRefusal

_NEVER = frozenset(
    {
        *("InvalidArgument", "MalformedDetail", "NotAuthorizedForSourceException", "EventTooLarge"),
        *("InvalidParameter", "InvalidParameterValue", "ValidationException", "ParameterValueInvalid"),
    }
)
"""Codes with which AWS refuses what it would refuse again."""
_FIFO = ".fifo"


def put_event(access: Access, bus: str, event: Mapping[str, Any]) -> None:
    """Puts an event on a bus, by name or ARN. EventBridge gives it an id, account and region of its own.

    Raises Rejected when it never will be taken, ExternalFailure when it was not this time.
    """
    doing = f"The event bus {bus} cannot be told"
    entry = {
        "Time": event["time"],
        "Source": event["source"],
        "Resources": event["resources"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "EventBusName": bus,
    }
    with _rejecting(), access.asking("events", doing) as client:
        answer = client.put_events(Entries=[entry])
        # the answer is a success whatever became of its entries
        if answer.get("FailedEntryCount"):
            [failed] = answer["Entries"]
            raise AwsRefusal(doing, str(failed.get("ErrorCode", "")), str(failed.get("ErrorMessage", "")))


def publish(access: Access, topic_arn: str, event: Mapping[str, Any]) -> None:
    """Publishes an event to a topic, whole, as JSON. Raises as put_event()."""
    attributes = {"source": event["source"], "detail-type": event["detail-type"], "status": event["detail"]["status"]}
    message = {
        "TopicArn": topic_arn,
        "Message": json.dumps(event),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
        },
    }
    with _rejecting(), access.asking("sns", f"The topic {topic_arn} cannot be told") as client:
        client.publish(**message, **(_in_order(event) if topic_arn.endswith(_FIFO) else {}))


def region_of(arn: str) -> str:
    """The region in an ARN; "" for a mere name."""
    return arn.split(":")[3] if arn.startswith("arn:") else ""


def _in_order(event: Mapping[str, Any]) -> dict[str, str]:
    """What a topic that keeps an order goes by; an ARN may be longer than the name of a group."""
    group = hashlib.sha256("".join(event["resources"]).encode()).hexdigest()
    return {"MessageGroupId": group, "MessageDeduplicationId": event["id"]}


@contextmanager
def _rejecting() -> Iterator[None]:
    """What AWS will refuse each time is raised as Rejected."""
    try:
        yield
    except AwsRefusal as error:
        if error.code in _NEVER:
            raise Rejected(error.message) from error
        raise
