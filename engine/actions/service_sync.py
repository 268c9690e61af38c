"""Follows specs in branches, as the ops file of a service names them: an instance gets what its spec says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.actions import instances, services, sync_attempts
from engine.actions.changes import Update
from engine.actions.inputs import Given
from engine.actions.sync_attempts import Attempt, Branches, Follower, Target
from engine.core import located, revisions, runs, shapes, spec, syncs
from engine.core.address import Address, service_instance
from engine.core.address import pipeline as pipeline_address
from engine.core.located import Document
from engine.core.spec import InstanceSpec
from engine.core.syncs import Entry, Finding, Outcome, Status
from engine.core.updates import UpdateKind
from engine.errors import Invalid, LandformError

if TYPE_CHECKING:
    from engine.catalog.outside_tables import Sync, SyncAttempt, SyncBlocker
    from engine.catalog.tables import Instance, Run
    from engine.catalog.tx import Tx


@dataclass(frozen=True)
class _Wish:
    """What a branch says about one instance."""

    target: Target
    document: Document
    wanted: InstanceSpec

    @property
    def address(self) -> Address:
        return service_instance(self.target.sync.name, self.wanted.name)

    @property
    def digest(self) -> str:
        """Of what the spec says about this instance, and of nothing else in the file."""
        said = json.dumps([self.wanted.environment, self.wanted.inputs], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


def follow(follower: Follower, sync: Sync) -> list[Finding]:
    """What came of each instance that the ops file names, in its order; all runs have been recorded then.

    Raises LandformError when nobody could look: a repository that does not answer, an ops file that is not there.
    """
    with sync_attempts.branches(follower, sync) as branches:
        head = branches.at(sync.branch)
        sync_attempts.note_revision(follower.desk, sync, head.commit)
        with follower.desk.catalog.read() as tx:
            tx.service(sync.name)
        document = located.parse_bytes(head.read(sync.path), sync.path)
        return [_follow(follower, sync, branches, entry) for entry in syncs.entries(document, sync.name)]


def _follow(follower: Follower, sync: Sync, branches: Branches, entry: Entry) -> Finding:
    target = Target(sync, entry.instance, "")
    attempt: Attempt | None = None
    try:
        revision = branches.at(entry.branch)
        target = replace(target, commit=revision.commit)
        wish = _wish(target, revision.read(entry.spec), entry)
        decided = _begun(follower, wish)
        if isinstance(decided, Finding):
            return decided
        attempt = decided
        run_ids = _submit(follower, wish, attempt)
    except LandformError as error:
        return sync_attempts.refused(follower.desk, target, error, attempt)
    message = syncs.run_label(run_ids[0])
    with follower.desk.catalog.write() as tx:
        tx.end_attempt(attempt.id, Status.SUCCEEDED, message)
    return target.finding(Outcome.CHANGED, message, *run_ids)


def _wish(target: Target, raw: bytes, entry: Entry) -> _Wish:
    document = spec.parse(located.decode(raw, entry.spec), entry.spec)
    found = spec.service_spec(document, pipeline=True)
    wanted = found.instance(entry.instance)
    if wanted is None:
        names = ", ".join(one.name for one in found.instances) or "none"
        raise Invalid(f"{entry.spec} has no instance {entry.instance} (there are: {names}).")
    return _Wish(target, document, wanted)


def _begun(follower: Follower, wish: _Wish) -> Finding | Attempt:
    """The attempt to bring the instance there; or why there is none."""
    with follower.desk.catalog.write() as tx:
        name, instance = wish.target.sync.name, wish.wanted.name
        blocker = tx.blocker_of(name, "") or tx.blocker_of(name, instance)
        if blocker is not None:
            return wish.target.finding(Outcome.BLOCKED, _blocked(blocker))
        known = _settled(tx, wish, retry=follower.retry)
        return known or sync_attempts.begin(tx, wish.target, wish.digest)


def _blocked(blocker: SyncBlocker) -> str:
    resolve = f"landform service sync resolve {blocker.id} --reason TEXT"
    return f"{blocker.reason.removesuffix('.')}, by {blocker.created_by}. To follow the branch again: {resolve}"


def _settled(tx: Tx, wish: _Wish, *, retry: bool) -> Finding | None:
    """Why nothing is to be done; None when the spec is to be deployed.

    A run that was recorded for this very content is not recorded again: while it goes on or waits for somebody, and
    after it has failed, or somebody has said no to it, unless it is to be tried again.
    """
    last = tx.last_attempt(wish.target.sync, wish.target.name)
    run = _run_of(tx, last)
    goes_on = run is not None and not runs.is_terminal(runs.Status(run.status))
    is_same = last is not None and last.digest == wish.digest
    if is_same and run is not None and goes_on:
        return wish.target.finding(_while(run), f"{_label(run)} is {run.status}.", *_with_pipeline(tx, wish, run))
    if not goes_on and _is_there(tx.find_instance(wish.address), wish.wanted):
        return wish.target.finding(Outcome.UNCHANGED, "")
    if is_same and run is not None and run.status != runs.Status.SUCCEEDED and not retry:
        return wish.target.finding(Outcome.FAILED, f"{_label(run)} is {run.status}. {run.message}".strip(), run.id or 0)
    return None


def _run_of(tx: Tx, attempt: SyncAttempt | None) -> Run | None:
    number = syncs.run_of(attempt.message) if attempt else None
    return tx.run(number) if number else None


def _with_pipeline(tx: Tx, wish: _Wish, run: Run) -> list[int]:
    """The run, and that of the pipeline which waits for it."""
    pipeline = tx.find_instance(pipeline_address(wish.target.sync.name))
    after = tx.active_run(pipeline) if pipeline else None
    found = [run.id, after.id if after and run.id in after.after_run_ids else None]
    return [number for number in found if number is not None]


def _while(run: Run) -> Outcome:
    return Outcome.FAILED if run.status == runs.Status.INTERRUPTED else Outcome.WAITING


def _label(run: Run) -> str:
    return syncs.run_label(run.id or 0).capitalize()


def _is_there(instance: Instance | None, wanted: InstanceSpec) -> bool:
    """Whether that is what is deployed."""
    if instance is None or instance.deployed_run_id is None:
        return False
    inputs, missing = revisions.with_current(wanted.inputs, instance.inputs)
    return not missing and shapes.key(inputs) == shapes.key(instance.inputs)


def _submit(follower: Follower, wish: _Wish, attempt: Attempt) -> list[int]:
    """The run that brings the instance there, and those that follow it."""
    sync = wish.target.sync
    reason = follower.consent.reason or f"{sync.repository}@{wish.target.commit}"
    consent = replace(follower.consent, reason=reason, asked=attempt.asked, by_sync=True)
    with follower.desk.catalog.read() as tx:
        is_new = tx.find_instance(wish.address) is None
    if is_new:
        return services.add(follower.desk, sync.name, wish.wanted.name, wish.document, consent)
    update = Update(UpdateKind.CURRENT_VERSION, given=Given(wish.document))
    return instances.update(follower.desk, wish.address, update, consent)
