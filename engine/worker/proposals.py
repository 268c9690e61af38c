"""What becomes of proposals: whether they were merged or closed, and how others say that they ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.core import arns, notifications, provisioning
from engine.core.address import Address
from engine.core.address import parse as parse_address
from engine.core.notifications import Notification, Output, Subject, Verdict
from engine.core.provisioning import State
from engine.core.runs import Event, Operation, Status
from engine.errors import Conflict, LandformError, NotFound
from engine.worker import records

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx
    from engine.worker.outside import Outside

logger = logging.getLogger(__name__)
_RUNS_BEFORE = 20
"""How many runs back the last one is looked for that was proposed."""
MERGED = "Merged: {place}. Whoever carries it out says how it ended: landform run notify {run}"
CLOSED = "Closed without being merged: {place}."


@dataclass(frozen=True)
class Looked:
    """What came of a look at one proposal."""

    run_id: int
    error: LandformError | None = None
    """Why it could not be looked at."""


@dataclass(frozen=True)
class Proposals:
    """The proposals of one catalog."""

    catalog: Catalog
    outside: Outside
    digest: Callable[[object], str]
    """Of an output's value (core.fingerprint.value_digest)."""
    forget_destroys: bool = False
    """Whether what was to be destroyed counts as gone once that was merged."""

    def look(self, run_ids: Sequence[int] = ()) -> list[Looked]:
        """Looks what has become of the proposals of these runs, or of all that wait, and takes it down."""
        with self.catalog.read() as tx:
            found = [tx.run(run_id) for run_id in run_ids] or tx.proposed()
        return list(self._looks(found))

    def look_quietly(self) -> None:
        """Looks at all that wait; what cannot be looked at now is only logged."""
        for looked in self.look():
            if looked.error is not None:
                logger.warning("a proposal cannot be seen: %s", looked.error.message, extra={"run": looked.run_id})

    def _looks(self, runs: Sequence[Run]) -> Iterator[Looked]:
        for run in runs:
            assert run.id is not None
            try:
                if run.status == Status.PROPOSED and run.proposal:
                    self._take_down(run.id, self.outside.state(provisioning.proposal(run.proposal)))
                yield Looked(run.id)
            except LandformError as error:
                yield Looked(run.id, error)

    def _take_down(self, run_id: int, state: State) -> None:
        with self.catalog.write() as tx:
            run = tx.run(run_id)
            if run.status != Status.PROPOSED or not run.proposal or state is State.OPEN:
                return
            proposal = replace(provisioning.proposal(run.proposal), state=state)
            if state is State.CLOSED:
                said = CLOSED.format(place=proposal.place)
                tx.move(run_id, Event.CANCEL, proposal=proposal.to_json(), message=said)
            elif run.operation == Operation.DESTROY and self.forget_destroys:
                said = f"Merged: {proposal.place}. It counts as destroyed, as forget_destroys says."
                self._succeed(tx, run, proposal=proposal.to_json(), message=said)
            elif run.proposal != proposal.to_json():
                run.proposal, run.message = proposal.to_json(), MERGED.format(place=proposal.place, run=run_id)
                tx.save(run)

    def withdraw(self, run: Run) -> str:
        """Closes the pull request of a run that is about to be cancelled; what came of it, in a sentence, or "" where
        the run has none. Raises Conflict when it was merged.
        """
        if run.status != Status.PROPOSED or not run.proposal:
            return ""
        return self.outside.withdraw(provisioning.proposal(run.proposal), run.id or 0)

    def obeyed(self, run: Run) -> Run:
        """The run; cancelled, if somebody wanted that while it was being proposed, and it is not too late."""
        if run.status != Status.PROPOSED or run.cancel_requested_at is None:
            return run
        try:
            said = self.withdraw(run)
        except Conflict:
            return run
        assert run.id is not None
        with self.catalog.write() as tx:
            message = f"Cancelled by {run.cancelled_by}. {said}" if run.cancelled_by else f"Cancelled. {said}"
            return tx.move(run.id, Event.CANCEL, message=message)

    def notify(self, target: str, said: Notification, by: str) -> Run:
        """The run after what somebody says of it. `target` is its number, or the address or ARN of what it is about.

        Raises NotFound, Invalid with everything that is out of bounds, Conflict when it does not fit what is known.
        """
        notifications.check(said)
        with self.catalog.write() as tx:
            run = _named(tx, target)
            assert run.id is not None
            proposal = provisioning.proposal(run.proposal) if run.proposal else None
            subject = Subject(run.id, Operation(run.operation), Status(run.status), proposal)
            notifications.check(said, subject.operation)
            return _AFTER[notifications.verdict(subject, said)](self, tx, run, said, by)

    def _succeeded(self, tx: Tx, run: Run, said: Notification, by: str) -> Run:
        message = said.message or f"It succeeded, says {by}."
        outputs = {} if run.operation == Operation.DESTROY else {"outputs": self._outputs_after(tx, run, said)}
        return self._succeed(tx, run, message=message, **outputs)

    def _outputs_after(self, tx: Tx, run: Run, said: Notification) -> dict[str, dict[str, Any]]:
        """Those that were given now, else on the way, else before: who gives none does not say that they are gone."""
        if said.outputs is not None:
            return self._outputs(said)
        return (tx.instance_by_id(run.instance_id).outputs or {}) if run.outputs is None else run.outputs

    def _succeed(self, tx: Tx, run: Run, **facts: Any) -> Run:
        assert run.id is not None
        run = tx.move(run.id, Event.SUCCEED, **facts)
        (records.destroyed if run.operation == Operation.DESTROY else records.deployed)(tx, run)
        return run

    def _failed(self, tx: Tx, run: Run, said: Notification, by: str) -> Run:
        assert run.id is not None
        # what the instance gave before stays with the instance
        return tx.move(run.id, Event.FAIL, outputs=None, message=said.message or f"It failed, says {by}.")

    def _kept(self, tx: Tx, run: Run, said: Notification, by: str) -> Run:
        if said.outputs is not None and run.operation != Operation.DESTROY:
            run.outputs = self._outputs(said)
        run.message = said.message or run.message
        tx.save(run)
        return run

    def _unchanged(self, tx: Tx, run: Run, said: Notification, by: str) -> Run:
        return run

    def _outputs(self, said: Notification) -> dict[str, dict[str, Any]]:
        return {name: self._output(output) for name, output in (said.outputs or {}).items()}

    def _output(self, output: Output) -> dict[str, Any]:
        kept = {"type": "string", "sensitive": output.sensitive, "fingerprint": self.digest(output.text)}
        return kept if output.sensitive else kept | {"value": output.text}


_AFTER = {
    Verdict.KEEP: Proposals._kept,
    Verdict.SUCCEED: Proposals._succeeded,
    Verdict.FAIL: Proposals._failed,
    Verdict.NOTHING: Proposals._unchanged,
}


def _named(tx: Tx, target: str) -> Run:
    """The run of that number; of an address or ARN the last one that was proposed. Raises NotFound, Invalid."""
    if target.isascii() and target.isdigit():
        return tx.run(int(target))
    where = arns.parse(target) if arns.is_arn(target) else parse_address(target)
    return _last(tx, where)


def _last(tx: Tx, where: Address) -> Run:
    runs = tx.runs_of(where, _RUNS_BEFORE)
    if not runs:
        tx.instance(where)
    found = next((run for run in runs if run.proposal), None)
    if found is None:
        raise NotFound(f"No run of {where} was proposed to anybody.", hint=f"See its runs: landform run list {where}")
    return found
