"""What those may say who carry out runs for us, and what it means for the run (reference section 6.5)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto

from engine.core.address import quoted
from engine.core.metadata import DELETED
from engine.core.nearest import did_you_mean
from engine.core.outputs import output_text
from engine.core.provisioning import Proposal
from engine.core.runs import Operation, Status, is_terminal, what_to_do
from engine.errors import Conflict, Invalid, Problem

OUTPUTS_MAX = 50
TEXT_MAX = 1024
MESSAGE_MAX = 5000
_HALF = re.compile("[\ud800-\udfff]")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Told(StrEnum):
    """How it goes, as they say; the values are Proton's."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Verdict(Enum):
    """What follows for the run."""

    KEEP = auto()
    """Its outputs are kept with it, and it goes on."""
    SUCCEED = auto()
    FAIL = auto()
    NOTHING = auto()
    """It was said before."""


@dataclass(frozen=True)
class Output:
    """What Terraform gave, as text."""

    text: str
    sensitive: bool = False


@dataclass(frozen=True)
class Notification:
    """What is said of one run."""

    status: Told | None = None
    """None: only outputs are given."""
    outputs: Mapping[str, Output] | None = field(default=None, repr=False)
    """None: none are given, and those that were given before stay."""
    message: str = ""
    deployment_id: str = ""
    """"" means the run's own."""


_ENDS = {Told.SUCCEEDED: Status.SUCCEEDED, Told.FAILED: Status.FAILED}
_VERDICTS = {
    None: Verdict.KEEP,
    Told.IN_PROGRESS: Verdict.KEEP,
    Told.SUCCEEDED: Verdict.SUCCEED,
    Told.FAILED: Verdict.FAIL,
}


@dataclass(frozen=True)
class Subject:
    """The run that something is said of."""

    run_id: int
    operation: Operation
    status: Status
    proposal: Proposal | None
    """None before one was made, or where Landform carries the run out itself."""


def verdict(run: Subject, said: Notification) -> Verdict:
    """What follows from it. Raises Conflict when it cannot be said of this run, or does not fit what was said."""
    if run.proposal is None:
        raise Conflict(
            f"Run {run.run_id} waits for nobody's word: no proposal was made for it.",
            hint=what_to_do(run.run_id, run.status),
        )
    if said.deployment_id and said.deployment_id.lower() != run.proposal.deployment_id.lower():
        raise Conflict(
            f"This is not for run {run.run_id}: its deployment is {run.proposal.deployment_id}, "
            f"not {quoted(said.deployment_id)}.",
            hint="The id is in .proton/deployment-metadata.json of the commit that was applied.",
        )
    if run.status is Status.PROPOSED:
        return _VERDICTS[said.status]
    if said.status and _ENDS.get(said.status) is run.status:
        return Verdict.NOTHING
    when = "late" if is_terminal(run.status) else "early"
    raise Conflict(
        f"Run {run.run_id} is {run.status.value}: {_in_words(said)} comes too {when}.",
        hint=f"See it: landform run show {run.run_id}",
    )


def _in_words(said: Notification) -> str:
    return f"the word that it is {said.status}" if said.status else "what is said of it"


def check(said: Notification, operation: Operation | None = None) -> None:
    """Raises Invalid with everything that is out of bounds; `operation` is that of the run, where it is known."""
    problems = [*_wrong_words(said, operation), *_wrong_outputs(said.outputs or {})]
    if problems:
        raise Invalid("The notification cannot be used:", problems=problems)


def _wrong_words(said: Notification, operation: Operation | None) -> Iterator[Problem]:
    if _HALF.search(said.message):
        yield Problem("--message", 0, "", "is not text: it holds half of a character.")
    if len(said.message) > MESSAGE_MAX:
        yield Problem("--message", 0, "", f"has {len(said.message)} characters; {MESSAGE_MAX} are the most.")
    known = said.deployment_id
    if known and known != DELETED and not _UUID.fullmatch(known.lower()):
        yield Problem("--deployment-id", 0, "", f"{quoted(known)} is not a UUID.")
    if known == DELETED and operation is not Operation.DESTROY and operation is not None:
        yield Problem("--deployment-id", 0, "", f"{DELETED} stands for what is to be destroyed, which this is not.")


def _wrong_outputs(outputs: Mapping[str, Output]) -> Iterator[Problem]:
    if len(outputs) > OUTPUTS_MAX:
        yield Problem("outputs", 0, "", f"there are {len(outputs)}; {OUTPUTS_MAX} are the most.")
    for name, output in outputs.items():
        if _HALF.search(name + output.text):
            yield Problem("outputs", 0, quoted(name), "is not text: it holds half of a character.")
        if not 1 <= len(name) <= TEXT_MAX:
            yield Problem("outputs", 0, quoted(name), f"has a name of {len(name)} characters; {_BOUNDS}")
        if not 1 <= len(output.text) <= TEXT_MAX:
            yield Problem("outputs", 0, quoted(name), f"has a value of {len(output.text)} characters; {_BOUNDS}")


_BOUNDS = f"it takes from 1 to {TEXT_MAX}."


def pairs(words: Sequence[str]) -> dict[str, Output]:
    """The outputs of `NAME=VALUE` words; the last one of a name counts. Raises Invalid for a word without `=`."""
    if wrong := [word for word in words if "=" not in word]:
        problems = [Problem("--output", 0, "", f"{quoted(word)} is not NAME=VALUE.") for word in wrong]
        raise Invalid("The notification cannot be used:", problems=problems)
    return {name: Output(text) for name, _, text in (word.partition("=") for word in words)}


def parsed(text: str, file: str) -> dict[str, Output]:
    """The outputs in a JSON document: what `terraform output -json` prints, or Proton's list of key and valueString.

    What is no text becomes the JSON of it; what is null is left out. The last one of a name counts. Raises Invalid.
    """
    try:
        items = _items(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{file} is not JSON: {error}", hint=_FORMS) from error
    if items is None:
        raise Invalid(f"{file} holds no outputs in a form that is known.", hint=_FORMS)
    return {name: Output(output_text(value), sensitive) for name, value, sensitive in items if value is not None}


_FORMS = 'It takes what terraform output -json prints, or [{"key": "NAME", "valueString": "VALUE"}].'


def _items(document: object) -> list[tuple[str, object, bool]] | None:
    """Name, value and whether it is sensitive, of each output; None for a document in neither form."""
    if isinstance(document, dict):
        if not all(isinstance(item, dict) and "value" in item for item in document.values()):
            return None
        return [(name, item["value"], item.get("sensitive") is True) for name, item in document.items()]
    if not isinstance(document, list) or not all(map(_is_protons, document)):
        return None
    return [(item["key"], item["valueString"], False) for item in document]


def _is_protons(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("key"), str) and "valueString" in item


def covered(outputs: Mapping[str, Output], names: Sequence[str]) -> dict[str, Output]:
    """The outputs, those of `names` being sensitive. Raises Invalid for a name that none of them has."""
    problems = [
        Problem("--sensitive", 0, "", f"{quoted(name)} is no output that is given.{did_you_mean(name, outputs)}")
        for name in names
        if name not in outputs
    ]
    if problems:
        raise Invalid("The notification cannot be used:", problems=problems)
    return {name: Output(item.text, item.sensitive or name in names) for name, item in outputs.items()}
