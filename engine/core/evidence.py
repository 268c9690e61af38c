"""What is known of an interrupted run, and what may be concluded from it: never more than that."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from engine.core.plans import AutoApprove, Summary

_MAKING = "create"
UNKNOWN_ID = "the id that its provider gave it"


@dataclass(frozen=True)
class Act:
    """What an apply did, or was doing, to one resource."""

    address: str
    action: str
    """Terraform's word: `create`, `update`, `delete`; a replacement comes as a delete and a create."""

    def __str__(self) -> str:
        return f"{self.address} ({self.action})"


@dataclass(frozen=True)
class Steps:
    """How far an apply came, resource by resource, as it said itself; of each resource the last that was heard."""

    finished: tuple[Act, ...] = ()
    failed: tuple[Act, ...] = ()
    begun: tuple[Act, ...] = ()
    """What it said no more about."""
    is_known: bool = True
    """Whether that is all it said; what it said last may lie with another machine."""


@dataclass(frozen=True)
class Known:
    """A resource that the state knows."""

    address: str
    is_tainted: bool
    """Terraform knows that its making was not finished, and replaces it the next time."""


@dataclass(frozen=True)
class States:
    """The state before the apply and now, `serial 3 of <lineage>`; "" where there is none, or none is known."""

    before: str = ""
    now: str = ""
    resources: tuple[Known, ...] = ()
    """Of the state now."""
    lock: str = ""
    """What became of a lock that outlives its Terraform, in a sentence; "" when there was nothing to do."""


@dataclass(frozen=True)
class Evidence:
    """All that was found out about one interrupted run."""

    looked_at: str
    """When, ISO 8601."""
    worker: str
    """Who worked on it, `process 42 on host c1`; "" when nobody noted it."""
    processes: str
    """How it is known, or not, that nobody works on it any more: a sentence."""
    steps: Steps
    states: States
    plan: Summary | None = None
    """What Terraform would do now, everything looked at afresh; None when it was not asked, or could not tell."""
    notes: tuple[str, ...] = ()
    """What else whoever decides has to know, a sentence each."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Addresses of what was being made, or was made, and is in no state: it may exist, and nobody takes care of it.

        A state in S3 has nothing of the 20 seconds before a kill, finished resources included (measured).
        """
        known = {each.address for each in self.states.resources}
        steps = (*self.steps.finished, *self.steps.failed, *self.steps.begun)
        return tuple(each.address for each in steps if each.action == _MAKING and each.address not in known)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Addresses of what was being worked on and is in the state as if all were well, though nobody saw it finished.

        Of three resources whose provisioner was killed, one stood in the state like that (measured).
        """
        whole = {each.address for each in self.states.resources if not each.is_tainted}
        return tuple(each.address for each in self.steps.begun if each.address in whole)

    @property
    def is_clean(self) -> bool:
        """Whether Terraform would change nothing now. That proves nothing about what it cannot see."""
        return self.plan is not None and self.plan.is_empty

    def policy(self, given: AutoApprove) -> AutoApprove:
        """Which plans of a retry that nobody has asked for may approve themselves, when `given` was for the run itself.

        At most those that destroy nothing; none while something may exist, or be half-made, that no plan tells of.
        """
        is_in_doubt = self.missing or self.doubtful or not self.steps.is_known
        return AutoApprove.NONE if given is AutoApprove.NONE or is_in_doubt else AutoApprove.SAFE

    def to_json(self) -> dict[str, object]:
        """All of it, and what follows, as JSON."""
        plan = self.plan and {"sentence": self.plan.sentence(), "counts": self.plan.counts(), **self.plan.to_json()}
        follows = {"missing": list(self.missing), "doubtful": list(self.doubtful), "is_clean": self.is_clean}
        return {**asdict(self), "plan": plan, **follows}


def import_block(address: str, identifier: str = UNKNOWN_ID) -> str:
    """Terraform code that takes a resource which exists into the state."""
    quoted = json.dumps(identifier, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return f"import {{\n  to = {address}\n  id = {quoted}\n}}\n"
