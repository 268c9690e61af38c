"""Asks others to carry a run out: its files on a branch of their repository, in one commit, and a pull request.

What is about to be done is written into the catalog before it is done there. A worker that takes over goes on with the
branch, the commit and the pull request that it finds, so that there is never a second one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from engine.core import arns, provisioning, rendering, versions
from engine.core.address import Kind
from engine.core.file_names import METADATA_FILE
from engine.core.metadata import DELETED, Deployment, Written, deleted, read
from engine.core.provisioning import ENVIRONMENTS, Proposal, Repository, State, Style
from engine.core.runs import Operation
from engine.errors import Cancelled, Conflict, ExternalFailure, LandformError
from engine.external.git import Revision
from engine.external.hosts import Request
from engine.worker import upstreams, values
from engine.worker.public import public
from engine.worker.triggers import Point, Trigger, nothing

if TYPE_CHECKING:
    from engine.catalog.tables import Run
    from engine.core.bundle import Part
    from engine.external.git import WorkCopy
    from engine.external.hosts import Requests
    from engine.external.process import Stop
    from engine.worker.ground import Ground
    from engine.worker.outside import Outside
    from engine.worker.proposals import Proposals
    from engine.worker.work import Work

_AUTHOR = "Landform <landform@localhost>"
_COPY = "repository"
_RUNS_BEFORE = 100
"""How many runs back the last one is looked for that others carried out."""


@dataclass(frozen=True)
class Proposed:
    """What was asked of others."""

    proposal: Proposal
    upstream: Mapping[str, Mapping[str, str]]
    """As catalog.tables.Run.upstream."""

    message: str = ""
    """What is to be done now, for people."""

    def facts(self) -> dict[str, Any]:
        """Columns of the run."""
        upstream = {name: dict(of) for name, of in self.upstream.items()}
        return {"proposal": self.proposal.to_json(), "upstream": upstream, "message": self.message}


@dataclass(frozen=True)
class _Task:
    """One run to be proposed."""

    run: Run
    work: Work
    part: Part
    repository: Repository
    stop: Stop

    @property
    def title(self) -> str:
        return provisioning.title(self.work.address)

    @property
    def environment(self) -> str:
        """The name of the environment that it is or lives in; "" for a pipeline."""
        where = self.work.environment.address if self.work.environment else self.work.address
        return where.name if where.kind is Kind.ENVIRONMENT else ""

    def go_on(self) -> None:
        """Raises Cancelled when somebody wants it stopped."""
        if self.stop.requested:
            raise Cancelled("It was stopped before anything had been proposed.")


@dataclass(frozen=True)
class Proposing:
    """Makes proposals for the runs of one home."""

    ground: Ground
    proposals: Proposals
    new_id: Callable[[], UUID]
    trigger: Trigger = nothing

    @property
    def outside(self) -> Outside:
        """How repositories are reached."""
        return self.proposals.outside

    def propose(self, run: Run, work: Work, stop: Stop) -> Proposed | None:
        """What was proposed for the run; None when there is nothing to be destroyed.

        Raises Cancelled, Conflict when the folder in the repository is somebody else's or a secret would be committed,
        ExternalFailure, Refused.
        """
        assert work.part is not None
        assert work.proposed_in is not None
        task = _Task(run, work, work.part, work.proposed_in, stop)
        # first of all: without a token nothing is pushed that then nobody hears of
        requests = self.outside.requests(task.repository)
        found = self._pushed_before(task) or self._pushed(task)
        if found is None:
            return None
        if requests is not None and found.proposal.is_awaited:
            found = replace(found, proposal=self._opened(task, requests, found.proposal))
        return replace(found, message=provisioning.what_to_do(work.run_id, found.proposal))

    def _opened(self, task: _Task, requests: Requests, proposal: Proposal) -> Proposal:
        """The proposal with its pull request; with the one that an earlier attempt has opened, where one did."""
        run_id, what = task.work.run_id, f"{task.work.operation.value} {task.run.template}"
        text = provisioning.body(run_id, task.work.address, what, proposal)
        try:
            opened = requests.open(Request(proposal.branch, task.repository.branch, task.title, text))
        except LandformError as error:
            # it may be open all the same, and the next run has a branch of its own
            left = f"Branch {proposal.branch} was pushed, and must not be merged."
            raise ExternalFailure(f"{error.message}\n{left}", hint=error.hint) from error
        self.trigger(Point.PULL_REQUEST_OPENED)
        return replace(proposal, url=opened.url, number=opened.number)

    def _pushed_before(self, task: _Task) -> Proposed | None:
        """What an earlier attempt at the run has pushed; None when none did."""
        if not task.run.proposal:
            return None
        noted = provisioning.proposal(task.run.proposal)
        is_there = noted.repository == task.repository and self.outside.head(noted.repository, noted.branch)
        return Proposed(noted, task.run.upstream) if is_there else None

    def _pushed(self, task: _Task) -> Proposed | None:
        """The run's files, pushed to a branch of their own; None when there is nothing to be destroyed."""
        with self.ground.elsewhere() as folder:
            copy = self.outside.repository(task.repository.url).workcopy(folder / _COPY, task.repository.branch)
            task.go_on()
            earlier = self._earlier(task)
            place = self._folder(task, copy, earlier)
            before = _written(copy, place)
            if task.work.operation is Operation.DESTROY:
                if before is None or before.resource != arns.resource(task.work.address):
                    _refuse_lost(task, earlier)
                    return None
                return self._destroy(task, copy, place, before)
            _refuse_others_folder(task, place, before)
            proposal = self._intended(task, place, str(self.new_id()))
            self._write(task, copy, proposal)
            return self._push(task, copy, Proposed(proposal, upstreams.read(task.work, task.part)))

    def _earlier(self, task: _Task) -> Proposal | None:
        """What others have carried out of the instance last, or are carrying out; None when they never did."""
        work = task.work
        with self.ground.harvest.catalog.read() as tx:
            deployed = tx.instance_by_id(work.instance_id).deployed_run_id
            runs = [run for run in tx.runs_of(work.address, _RUNS_BEFORE) if run.instance_id == work.instance_id]
        found = [(run.id, provisioning.proposal(run.proposal)) for run in runs if run.proposal]
        return next((one for run_id, one in found if run_id == deployed or one.state is State.MERGED), None)

    def _destroy(self, task: _Task, copy: WorkCopy, place: str, before: Written) -> Proposed:
        """Others destroy what a file says is deleted; all else stays where it is, as they need it for that."""
        if before.is_deleted:
            # an earlier run has said so, and they failed at it: a second commit would have nothing in it
            return Proposed(Proposal(task.repository, "", DELETED, place, copy.base, state=State.MERGED), {})
        for name, content in _files(copy, place).items():
            said = rendering.disowned(name, content)
            if said != content:
                copy.write(f"{place}/{name}", said)
        copy.write(f"{place}/{METADATA_FILE}", deleted(before))
        return self._push(task, copy, Proposed(self._intended(task, place, DELETED), {}))

    def _intended(self, task: _Task, place: str, deployment_id: str) -> Proposal:
        """What is going to be proposed; as an earlier attempt meant to, where that did not come to pushing it."""
        if task.run.proposal:
            noted = provisioning.proposal(task.run.proposal)
            return replace(noted, repository=task.repository, folder=place)
        branch = provisioning.branch(task.work.address.kind, str(self.new_id()))
        return Proposal(task.repository, branch, deployment_id, place)

    def _push(self, task: _Task, copy: WorkCopy, found: Proposed) -> Proposed:
        message = f"{task.title}\n\nLandform run {task.work.run_id}.\n"
        commit = copy.commit(message, _AUTHOR)
        found = replace(found, proposal=replace(found.proposal, commit=commit))
        task.go_on()
        with self.ground.harvest.catalog.write() as tx:
            tx.note(task.work.run_id, fence=task.work.fence, **found.facts())
        self.trigger(Point.PROPOSAL_NOTED)
        copy.push(found.proposal.branch)
        self.trigger(Point.BRANCH_PUSHED)
        return found

    def _write(self, task: _Task, copy: WorkCopy, proposal: Proposal) -> None:
        """Writes what Terraform needs, and what says whose it is. Files that are there already and ours no longer stay:
        nobody can tell who else has put them there.
        """
        settings = self.ground.settings
        number = versions.parse(task.run.template.partition("@")[2])
        given = values.of(public(task.work, task.part), settings, lambda _: {}, self.ground.key)
        files = rendering.below(self.ground.store.get(task.work.bundle), task.part.name)
        request = rendering.Rendering(
            task.part,
            files,
            given,
            values.owner(settings, self.ground.entrusted.credentials(task.work)),
            deployment=Deployment(proposal.deployment_id, number),
        )
        for name, content in rendering.render(request).items():
            copy.write(f"{proposal.folder}/{name}", content)

    def _folder(self, task: _Task, copy: WorkCopy, earlier: Proposal | None) -> str:
        """Where the instance's files go: where they are, whatever the layout has become.

        In a second folder all would be made a second time.
        """
        is_here = earlier is not None and earlier.repository.url == task.repository.url
        if earlier and is_here and copy.exists(f"{earlier.folder}/{METADATA_FILE}"):
            return earlier.folder
        style = Style(self.ground.settings.component_path_style)
        nested = copy.exists(ENVIRONMENTS)
        return provisioning.folder(task.work.address, task.environment, style, nested=nested)


def _written(copy: WorkCopy, place: str) -> Written | None:
    """What the metadata in a folder says; None where there is none. Raises Conflict when it cannot be read."""
    path = f"{place}/{METADATA_FILE}"
    return read(Revision(copy.base, copy.folder).read(path), path) if copy.exists(path) else None


def _files(copy: WorkCopy, place: str) -> dict[str, bytes]:
    """The files directly in a folder, by name; no links."""
    revision = Revision(copy.base, copy.folder)
    found = sorted(path for path in revision.place(place).iterdir() if path.is_file() and not path.is_symlink())
    return {path.name: revision.read(f"{place}/{path.name}", copy.git.size_max) for path in found}


def _refuse_lost(task: _Task, earlier: Proposal | None) -> None:
    """Raises Conflict when there must be something to destroy, and nobody could."""
    if earlier is not None:
        raise Conflict(
            f"{task.repository.branch} of {task.repository.url} does not have {task.work.address}, which was deployed "
            f"from {earlier.folder} of {earlier.repository.url}.",
            hint="Bring that folder back, or name the repository it is in: landform env update",
        )


def _refuse_others_folder(task: _Task, place: str, before: Written | None) -> None:
    ours = arns.resource(task.work.address)
    if before is not None and before.resource != ours and not before.is_deleted:
        raise Conflict(
            f"The folder {place} in {task.repository.url} is that of {before.resource}, not of {ours}.",
            hint="Choose another name, or another repository.",
        )
