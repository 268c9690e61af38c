"""Which drift is only a provider's way of writing the same: nothing where there was nothing before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.core.plans import Change

_EMPTY: tuple[object, ...] = (None, "", [], {})


def real(drift: Iterable[Change], plan: Mapping[str, object]) -> tuple[Change, ...]:
    """The drift without what differs only in how nothing is written: null, an empty text, list or map.

    `plan` is the plan that found it, as Terraform shows it in JSON. Many providers read an argument that was never set
    as empty, so that all they make would have drifted at the first look. What the plan does not have is kept.
    """
    listed = plan.get("resource_drift")
    same: dict[str, bool] = {}
    for one in listed if isinstance(listed, list) else ():
        address, is_same = _told(one)
        same[address] = is_same and same.get(address, True)
    return tuple(change for change in drift if not same.get(change.address))


def is_same(before: object, after: object) -> bool:
    """Whether two values of a resource say the same. A map that has lost a key does not, whatever stood there."""
    if before in _EMPTY and after in _EMPTY:
        return True
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(is_same(before[key], after[key]) for key in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(is_same, before, after))
    # to Python, true is 1
    return type(before) is type(after) and before == after


def _told(one: object) -> tuple[str, bool]:
    """Address, and whether before and after are the same."""
    if not isinstance(one, dict) or not isinstance(one.get("change"), dict):
        return "", False
    address, change = str(one.get("address")), one["change"]
    try:
        return address, "before" in change and is_same(change["before"], change.get("after"))
    except RecursionError:
        # nested deeper than anybody writes: nobody can tell
        return address, False
