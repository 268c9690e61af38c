"""How repositories that get proposals, and their hosts, are reached; and what is looked up and done there later on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.provisioning import Host, Proposal, Repository, State
from engine.errors import Conflict, LandformError, NotFound
from engine.external import hosts

if TYPE_CHECKING:
    from engine.external import git
    from engine.external.hosts import Requests

_COPY = "repository"


@dataclass(frozen=True)
class Outside:
    """Repositories, as this machine reaches them."""

    repository: Callable[[str], git.Repository]
    """By its address."""
    token_files: Mapping[Host, Path | None]
    """What opens the hosts; None where an admin named none."""
    elsewhere: Callable[[], AbstractContextManager[Path]]
    """A folder to work in that is gone afterwards."""

    def requests(self, repository: Repository) -> Requests | None:
        """Its pull requests; None where there is no host. Raises Refused without a token."""
        return hosts.of(repository, self.token_files)

    def head(self, repository: Repository, branch: str) -> str:
        """The commit at the tip of a branch; "" where there is no such branch. Raises ExternalFailure."""
        try:
            return self.repository(repository.url).branch_head(branch)
        except NotFound:
            # or there is no such repository
            self.repository(repository.url).branch_head(repository.branch)
            return ""

    def state(self, proposal: Proposal) -> State:
        """What has become of a proposal. What was merged stays so, and nobody is asked.

        Without a host, a commit that was squashed or rebased on its way is not recognised. Raises ExternalFailure.
        """
        if not proposal.is_awaited:
            return proposal.state
        requests = self.requests(proposal.repository)
        if requests is not None:
            return requests.state(proposal.number)
        with self.elsewhere() as folder:
            repository = self.repository(proposal.repository.url)
            is_merged = repository.is_merged(proposal.commit, proposal.repository.branch, folder / _COPY)
            return State.MERGED if is_merged else State.OPEN

    def withdraw(self, proposal: Proposal, run_id: int) -> str:
        """Closes the pull request of a run, as far as that can be; what came of it, in a sentence.

        Raises Conflict when it was merged: others may be at work, and nobody can call them back from here.
        """
        try:
            requests = self.requests(proposal.repository)
            state = requests.close(proposal.number) if requests else self.state(proposal)
        except LandformError as error:
            return f"{proposal.place} could not be closed, and must not be merged: {error.message}"
        if state is State.MERGED:
            raise Conflict(
                f"It is too late to cancel it: {proposal.place} has been merged, and others may be carrying it out.",
                hint=f"Stop them, then say how it ended: landform run notify {run_id} --status failed",
            )
        return f"{proposal.place} was closed." if requests else f"{proposal.place} stays: it must not be merged."
