"""The only place that knows which way an event takes to a target."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.core.notices import Letter, envelope
from engine.core.targets import TABLE, Target, To, wrong_url
from engine.errors import ExternalFailure
from engine.external import aws_events, event_file, webhook
from engine.external.aws import Access

TIMEOUT_S = 5.0
"""How long a receiver may take."""
_SHORTEST_SECRET = 16


def send(target: Target, letter: Letter) -> None:
    """Returns when the target has the event.

    Raises notices.Rejected when it never will take it, ExternalFailure when it did not this time.
    """
    _WAYS[target.to](target, letter, envelope(letter, target.source))


def _to_bus(target: Target, _letter: Letter, event: Mapping[str, Any]) -> None:
    aws_events.put_event(_access(target), target.place, event)


def _to_topic(target: Target, _letter: Letter, event: Mapping[str, Any]) -> None:
    aws_events.publish(_access(target), target.place, event)


def _to_webhook(target: Target, letter: Letter, event: Mapping[str, Any]) -> None:
    secret = _read(target.secret_file, f"{TABLE}.{target.name}.secret_file")
    if len(secret) < _SHORTEST_SECRET:
        raise ExternalFailure(
            f"The secret in {target.secret_file} has fewer than {_SHORTEST_SECRET} characters.",
            hint="Make one: openssl rand -hex 32",
        )
    body = json.dumps(event, separators=(",", ":")).encode()
    stamp = int(letter.sent_at.timestamp())
    webhook.post(webhook.Post(_url(target), body, letter.uid, stamp, secret.encode()), TIMEOUT_S)


def _to_file(target: Target, _letter: Letter, event: Mapping[str, Any]) -> None:
    event_file.append(target.place, event)


_WAYS: Mapping[To, Callable[[Target, Letter, Mapping[str, Any]], None]] = {
    To.EVENTBRIDGE: _to_bus,
    To.SNS: _to_topic,
    To.WEBHOOK: _to_webhook,
    To.FILE: _to_file,
}


def _access(target: Target) -> Access:
    env = {"AWS_PROFILE": target.profile} if target.profile else {}
    region = target.region or aws_events.region_of(target.place)
    return Access(env, region, target.endpoint, timeout_s=TIMEOUT_S)


def _url(target: Target) -> str:
    if not target.place_file:
        return target.place
    url = _read(target.place_file, f"{TABLE}.{target.name}.url_file")
    if wrong := wrong_url(url, allows_http=target.allows_http):
        raise ExternalFailure(f"What is in {target.place_file} {wrong}")
    return url


def _read(path: str, setting: str) -> str:
    """The text in the file, without white space around it. Raises ExternalFailure."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        hint = f"{setting} of landform.toml names it. It is read where events are sent from."
        raise ExternalFailure(f"{path} cannot be read: {error.strerror}.", hint=hint) from error
    except UnicodeDecodeError as error:
        raise ExternalFailure(f"{path} is not UTF-8 text.") from error
