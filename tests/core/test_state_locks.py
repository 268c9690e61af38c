"""What Terraform says of a lock that it could not have."""

from __future__ import annotations

from engine.core.state_locks import holder

SAID = """\
Error acquiring the state lock: Error message: operation error S3: PutObject, https response error StatusCode: 412
Lock Info:
  ID:        12345678-1234-1234-1234-123456789012
  Path:      states/prod/terraform.tfstate
  Operation: OperationTypeApply
  Who:       ada@laptop
  Version:   1.11.4
  Created:   2026-05-04 03:02:01.123456789 +0000 UTC
  Info:      \n

Terraform acquires a state lock to protect the state from being written
"""


def test_who_holds_a_state_and_since_when_is_said() -> None:
    assert holder([SAID]) == (
        "ada@laptop since 2026-05-04 03:02:01 UTC (OperationTypeApply, lock 12345678-1234-1234-1234-123456789012)"
    )


def test_a_lock_that_says_no_time_has_none() -> None:
    assert holder([SAID.replace("2026-05-04 03:02:01.123456789", "0001-01-01 00:00:00")]).startswith("ada@laptop (")


def test_what_is_no_lock_or_does_not_say_whose_is_left_as_it_is() -> None:
    assert holder(["Error: Unsupported argument"]) == ""
    assert holder(["Error acquiring the state lock: Error message: resource temporarily unavailable"]) == ""
    assert holder([SAID, "Error: another one"]) == ""
