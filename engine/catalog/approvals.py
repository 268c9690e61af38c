"""Facts about approvals: who has said yes to a plan, under which rules, and what comes after too long a wait."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, bindparam
from sqlmodel import col, select

from engine.catalog.runs import Runs
from engine.catalog.tables import Approval, Instance, Run, Template
from engine.core import approvals, rules
from engine.core.rules import Rules
from engine.core.runs import Event, Status
from engine.errors import Conflict

_RULES = select(Instance.rules).where(col(Instance.id) == bindparam("of"))
_GOOD_FOR_A_WHILE = frozenset({Status.PLANNED, Status.APPROVED})


class Approvals(Runs):
    """The part of a transaction that speaks of approvals."""

    def add_approval(self, run_id: int, user: str, reason: str = "", exceptions: Iterable[str] = ()) -> Approval:
        """One person's yes to the plan of a run, with the rules of guards that they let it break.

        Raises Conflict when they have said it before.
        """
        given = list(exceptions)
        row = Approval(run_id=run_id, user_name=user, reason=reason, exceptions=given, created_at=self._now())
        return self._insert(row, lambda: self._approved_before(run_id, user))

    def approvals_of(self, run_id: int) -> list[Approval]:
        """Who has said yes to the plan of a run, in order."""
        query = select(Approval).where(Approval.run_id == run_id).order_by(col(Approval.id))
        return list(self._session.exec(query))

    def _approved_before(self, run_id: int, user: str) -> Conflict | None:
        if all(row.user_name != user for row in self.approvals_of(run_id)):
            return None
        return Conflict(f"{user} has approved run {run_id} already.")

    def rules_of(self, run: Run) -> Rules:
        """What the run must keep to: the rules of the environment it works in, the default ones where that is gone."""
        stored = self._session.execute(_RULES, {"of": run.environment_id}).scalar_one_or_none()
        return rules.from_json(stored) if stored else Rules()

    def planned_in(self, environment: Instance) -> list[int]:
        """The runs in the environment whose plan waits for approval or for its apply, oldest first."""
        return self._planned(col(Run.environment_id) == environment.id)

    def planned_of(self, template: Template) -> list[int]:
        """As planned_in(), of all instances of a template."""
        return self._planned(col(Run.instance_id).in_(select(Instance.id).where(Instance.template_id == template.id)))

    def _planned(self, condition: ColumnElement[bool]) -> list[int]:
        query = select(Run.id).where(condition, col(Run.status).in_(_GOOD_FOR_A_WHILE)).order_by(col(Run.id))
        return [run_id for run_id in self._session.exec(query) if run_id is not None]

    def discard_expired(self, run_id: int, default_ttl_s: float) -> Run | None:
        """The run, discarded because its plan was good until now and not longer; None when nothing speaks against it.

        `default_ttl_s` is for environments that have no rule about it; 0 means that plans stay good.
        """
        run = self.run(run_id)
        end = approvals.expires_at(run.planned_at, self.rules_of(run), default_ttl_s)
        if Status(run.status) not in _GOOD_FOR_A_WHILE or end is None or self._now() < end:
            return None
        return self.move(run_id, Event.DISCARD, message=approvals.expired(run_id, end))
