"""What it costs to look for secrets: 10 MB of Terraform's JSON stream and 20 secrets, beside searching for each as it
stands, and nothing else.
"""

from __future__ import annotations

import json
import random
import string

from engine.worker.redaction import Redaction
from tests.bench.pairs import in_turns, line

ROUNDS = 5
SIZE_BYTES = 10_000_000
SECRETS = 20


def main() -> None:
    """Prints the measurement."""
    chance = random.Random(1)
    secrets = ["".join(chance.choices(string.ascii_letters + string.digits + "+/$!", k=40)) for _ in range(SECRETS)]
    stream = _stream(chance)
    redaction = Redaction(secrets)

    def ours() -> int:
        return sum(redaction.line(said) is not said for said in stream)

    def theirs() -> int:
        return sum(any(secret in said for secret in secrets) for said in stream)

    print(line("redaction-plain-search", *in_turns([ours, theirs], ROUNDS)))


def _stream(chance: random.Random) -> list[str]:
    lines, size = list[str](), 0
    while size < SIZE_BYTES:
        text = "".join(chance.choices(string.ascii_letters + string.digits + "-_ .:/", k=chance.choice((20, 80, 300))))
        event = {"@level": "info", "@message": f"terraform_data.app: {text}", "type": "apply_progress"}
        lines.append(json.dumps({**event, "@timestamp": "2026-05-04T03:02:01.500000Z"}))
        size += len(lines[-1])
    return lines
