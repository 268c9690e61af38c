"""A run as Markdown for a comment on a pull request: what it destroys first, and nothing in it that others can abuse.

Whatever somebody else has named stands in a code span or block, where Markdown, HTML, mentions and links mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.core.export import MARK, Story
from engine.core.guards import Severity
from engine.core.plans import DESTRUCTIVE, Action, Change, OutputChange
from engine.core.runs import Status

LENGTH_MAX = 65_536
"""Characters that GitHub takes in a comment."""
_RESERVE = 1_000
"""For headings and counts where nothing else finds room any more."""
_NAME_MAX = 300
_MESSAGE_MAX = 8_000
_OUTPUT_MAX = 300
_VERBS = {
    Action.CREATE: "create",
    Action.READ: "read",
    Action.UPDATE: "update",
    Action.REPLACE: "**replace** (destroyed and made anew)",
    Action.DELETE: "**destroy**",
    Action.MOVE: "move",
    Action.IMPORT: "import",
    Action.REMOVE: "forget",
}
_HEADLINES = {
    Status.QUEUED: "waits for its turn",
    Status.PLANNING: "is being planned",
    Status.PROPOSED: "waits for its pull request",
    Status.PLANNED: "waits for approval",
    Status.APPROVED: "is approved",
    Status.APPLYING: "is being applied",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.DISCARDED: "was discarded",
    Status.CANCELLED: "was cancelled",
    Status.INTERRUPTED: "was interrupted: what it did is not known",
}


def summary(story: Story) -> str:
    """The comment, at most LENGTH_MAX characters long; what does not fit is counted at its place."""
    parts = ["\n".join(_head(story))]
    left = LENGTH_MAX - len(parts[0]) - _RESERVE
    for title, lines, is_open in _lists(story):
        text = _folded(title, lines, left, is_open=is_open)
        parts.append(text)
        left -= len(text) + 1
    return "\n".join(parts)


def code(text: str, longest: int = _NAME_MAX) -> str:
    """The text as a code span on one line, shortened where it is long: none of it means anything to Markdown."""
    flat = _shortened("".join(character if character.isprintable() else " " for character in text).strip(), longest)
    fence = _fence(flat, 1)
    # a space beside the fence is taken off again, and is needed where the text has a backtick there
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat or ' '}{pad}{fence}"


def block(text: str) -> list[str]:
    """The text as the lines of a code block."""
    shown = "".join(character if character.isprintable() or character in "\n\t" else " " for character in text)
    shown = _shortened(shown, _MESSAGE_MAX)
    fence = _fence(shown, 3)
    return [f"{fence}text", *shown.split("\n"), fence]


def _head(story: Story) -> Iterator[str]:
    yield f"<!-- {MARK} {story.run_id} -->"
    yield f"### Landform: {story.operation.value} {code(story.address)} {_HEADLINES[story.status]}"
    yield ""
    by = f", asked for by {code(story.requested_by)}" if story.requested_by else ""
    yes = f", approved by {code(story.approved_by)}" if story.approved_by else ""
    yield f"Run {story.run_id} with {code(story.template)}{by}{yes}."
    if story.exceptions:
        yield f"Excepted from: {', '.join(map(code, story.exceptions))}"
    if story.reason:
        yield f"Reason: {code(story.reason, _OUTPUT_MAX)}"
    if story.summary is not None:
        yield ""
        yield f"**{story.summary.sentence()}**"
        yield from _warning(len(story.summary.destructive))
    if story.message:
        yield from ("", *block(story.message))
    if story.next_commands:
        yield from ("", "Next: " + " or ".join(map(code, story.next_commands)))
    yield ""


def _warning(count: int) -> Iterator[str]:
    if count:
        yield from ("", f"> :warning: {_counted(count, 'resource')} would be destroyed or replaced.")


def _lists(story: Story) -> Iterator[tuple[str, list[str], bool]]:
    """Title, lines, and whether it is unfolded, of each list that has lines."""
    changes = story.changes
    doomed = [change for change in changes if change.action in DESTRUCTIVE]
    others = [change for change in changes if change.action not in DESTRUCTIVE]
    found = story.summary
    drift = [f"- {_VERBS[each.action]} {code(each.address)}" for each in found.drift] if found else []
    planned = list(map(_output, found.outputs)) if found else []
    outputs = [f"- {code(name)} = {code(text, _OUTPUT_MAX)}" for name, text in story.outputs.items()]
    refused, warned = (
        [f"- {code(str(each), _MESSAGE_MAX)}" for each in story.refusals if each.severity is severity]
        for severity in (Severity.DENY, Severity.WARN)
    )
    lists = (
        ("Refused by guards", refused, True),
        ("Warnings of guards", warned, False),
        ("Destroyed or replaced", _lines(story, doomed), True),
        ("Resources", _lines(story, others), False),
        ("Changed outside of Landform since the last apply", drift, False),
        ("Outputs that change", [] if outputs else planned, False),
        ("Outputs", outputs, False),
    )
    yield from (each for each in lists if each[1])


def _lines(story: Story, changes: Iterable[Change]) -> list[str]:
    lines = []
    for change in changes:
        outcome = story.outcomes.get(change.address)
        came_to = f": {outcome.value}" if outcome else ""
        reason = f" ({code(change.reason.replace('_', ' '))})" if change.reason else ""
        lines.append(f"- {_VERBS[change.action]} {code(change.address)}{reason}{came_to}")
    return lines


def _output(change: OutputChange) -> str:
    return f"- {code(change.action)} {code(change.name)}" + (" (sensitive)" if change.sensitive else "")


def _folded(title: str, lines: list[str], room: int, *, is_open: bool) -> str:
    """The lines as a part that can be folded; those that find no room are counted."""
    head = f"<details{' open' if is_open else ''}><summary>{title} ({len(lines)})</summary>\n"
    shown, used = [], len(head)
    for line in lines:
        used += len(line) + 1
        if used > room:
            break
        shown.append(line)
    rest = len(lines) - len(shown)
    more = [f"- and {rest} more"] if rest else []
    return "\n".join([head, *shown, *more, "", "</details>", ""])


def _fence(text: str, least: int) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(least, longest + 1)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
