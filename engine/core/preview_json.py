"""The form of a preview for programs."""

from __future__ import annotations

from engine.core.plans import Change, Shape
from engine.core.previews import Group, Preview, Seen

SCHEMA = "landform.preview/1"


def tree(found: Preview) -> dict[str, object]:
    """The members of what SCHEMA names."""
    return {
        "template": found.template,
        "status": found.status,
        "complete": not found.unfinished,
        "instances": len(found.seen),
        "shapes": {shape.value: count for shape, count in found.counts().items()},
        "groups": [_group_view(group) for group in found.groups()],
        "destructive": [vars(row) for row in found.doomed()],
        "failures": [{**vars(row), "addresses": list(row.addresses)} for row in found.failures()],
        "denied": [{"rule": row.rule, "addresses": list(row.addresses)} for row in found.denied()],
        "slowest": [{"address": each.address, "seconds": round(each.seconds, 3)} for each in found.slowest()],
        "left_out": [{"address": each.address, "why": each.why.value} for each in found.left_out],
        "unfinished": list(found.unfinished),
        "parallel": found.parallel,
        "seconds": round(found.seconds, 3),
        "items": list(map(_view, found.seen)),
    }


def _group_view(group: Group) -> dict[str, object]:
    sample = group.sample
    changes = [_change(change) for change in sample.changes]
    return {
        "shape": group.shape.value,
        "count": len(group.addresses),
        "sample": {"address": sample.address, "plan": sample.plan, "changes": changes, "more": sample.more},
        "addresses": list(group.addresses),
    }


def _change(change: Change) -> dict[str, object]:
    return {"address": change.address, "action": change.action.value, "reason": change.reason}


def _view(each: Seen) -> dict[str, object]:
    told = each.summary.to_json()
    is_made = each.shape is not Shape.FAIL
    return {
        "address": each.address,
        "environment": each.environment,
        "version": each.version,
        "shape": each.shape.value,
        "plan": each.summary.sentence() if is_made else "",
        "changes": each.summary.counts() if is_made else None,
        "resources": told["changes"],
        "outputs": told["outputs"],
        "drift": told["drift"],
        "message": each.message,
        "hint": each.hint,
        "notes": list(each.notes),
        "refusals": [refusal.to_json() for refusal in each.refusals],
        "seconds": round(each.seconds, 3),
    }
