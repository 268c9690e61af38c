"""Intentions of people about drift: whom to check, what not to be told of, and what to bring back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.actions import any_kind, changes, line
from engine.actions.changes import Change, Consent, Update
from engine.actions.desk import Desk
from engine.actions.refusals import refuse_unready
from engine.core import drift, selection
from engine.core.address import quoted
from engine.core.drift import Ignored
from engine.core.drift_turns import Watched, in_turn
from engine.core.updates import UpdateKind
from engine.errors import Conflict, NotFound, Usage

if TYPE_CHECKING:
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx
    from engine.core.address import Address
    from engine.core.selection import Test


def wanted(desk: Desk, addresses: Sequence[Address], tests: Sequence[Test]) -> list[Watched]:
    """What is to be checked, longest unchecked first: of everything, or of these addresses, what passes all tests.

    Raises NotFound.
    """
    with desk.catalog.read() as tx:
        named = {tx.instance(where).id for where in addresses}
        chosen = {
            found.instance_id
            for found in selection.selected(tx.candidates(), tests)
            if not addresses or found.instance_id in named
        }
        return in_turn(found for found in tx.watched() if found.instance_id in chosen)


def selected(desk: Desk, tests: Sequence[Test]) -> set[str]:
    """The addresses of all that passes the tests."""
    with desk.catalog.read() as tx:
        return {found.address for found in selection.selected(tx.candidates(), tests)}


def ignore(desk: Desk, where: Address, pattern: str, until: str, reason: str) -> Ignored:
    """Keeps drift of the resources that fit the pattern from being told of, for a while.

    `until` is as core.drift.until() reads it. What is over already is forgotten. Raises NotFound, Invalid, Usage
    without a reason.
    """
    if not reason.strip():
        raise Usage("Say why the drift is ignored.", hint="Give --reason TEXT.")
    with desk.catalog.write() as tx:
        now = tx.now()
        added = Ignored(drift.pattern(pattern), drift.until(until, now), reason.strip(), desk.user, now)
        instance = tx.instance(where)
        others = (each for each in drift.ignored(instance.drift_ignored) if each.pattern != pattern)
        tx.ignore_drift(instance, [*(each for each in others if now < each.until), added])
        return added


def unignore(desk: Desk, where: Address, pattern: str | None) -> None:
    """Has drift told of again: that of one pattern, or all. Raises NotFound when nothing of the kind is ignored."""
    with desk.catalog.write() as tx:
        instance = tx.instance(where)
        before = drift.ignored(instance.drift_ignored)
        after = [each for each in before if pattern is not None and each.pattern != pattern]
        if len(after) == len(before):
            what = "Nothing is ignored" if pattern is None else f"Nothing is ignored by the pattern {quoted(pattern)}"
            raise NotFound(f"{what} on {where}.", hint=f"See what is: landform drift show {where}")
        tx.ignore_drift(instance, after)


def repair(desk: Desk, addresses: Sequence[Address], tests: Sequence[Test], consent: Consent) -> list[int]:
    """Records an ordinary update of each instance, to what it is; the runs' ids. Of the tests, those that pass them
    and of which an update would bring anything back.

    What lives in an environment waits for its repair. Raises as the update of each kind, Conflict when there is nothing
    to repair; nothing is recorded unless all can be.
    """

    def act(tx: Tx) -> list[int]:
        instances = [tx.instance(where) for where in dict.fromkeys(addresses)]
        found = {instance.address: instance for instance in (*instances, *(_repairable(tx, tests) if tests else ()))}
        if not found:
            raise Conflict(
                "Nothing that was selected has drifted so that an update would bring it back.",
                hint="See what is known: landform drift list. Look again: landform drift check",
            )
        plans = [(instance, _change(tx, instance, consent)) for instance in found.values()]
        return _submitted(tx, desk, plans, consent)

    return desk.once(consent.asked, act)


def _repairable(tx: Tx, tests: Sequence[Test]) -> list[Instance]:
    """Whom an update would do something about: cosmetic drift is what no apply touches."""
    found = selection.selected(tx.candidates(), tests)
    return [tx.instance_by_id(one.instance_id) for one in found if one.drift not in ("", drift.Level.COSMETIC)]


def _change(tx: Tx, instance: Instance, consent: Consent) -> Change:
    if instance.environment_id is not None:
        refuse_unready(tx, tx.instance_by_id(instance.environment_id))
    standing = line.standing(tx, instance, queue=consent.queue)
    return any_kind.change(tx, instance, Update(UpdateKind.CURRENT_VERSION), standing)


def _submitted(tx: Tx, desk: Desk, plans: Sequence[tuple[Instance, Change]], consent: Consent) -> list[int]:
    """The runs, each after that of the environment which it lives in."""
    ids: dict[int, int] = {}
    for instance, change in sorted(plans, key=lambda plan: plan[0].environment_id is not None):
        first = ids.get(instance.environment_id or 0)
        planned = replace(change, after=(first,)) if first else change
        ids[instance.id or 0] = changes.submit(tx, desk, instance, planned, consent)
    return list(ids.values())
