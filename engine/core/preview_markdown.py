"""A preview as Markdown for a comment on a pull request, the gravest first, and nothing in it that others can abuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.core.export_summary import LENGTH_MAX, block, code
from engine.core.plans import Action, Shape
from engine.core.previews import Failure, Group, Preview

_MARK = "landform preview"
_RESERVE = 2_000
"""Characters for the beginning and the end, whatever is cut."""
_ADDRESSES_MAX = 100
_VERBS = {Action.DELETE: "**destroy**", Action.REPLACE: "**replace**"}


def text(found: Preview) -> str:
    """The comment, at most LENGTH_MAX characters long; what does not fit is counted."""
    lines = list(_head(found))
    left = LENGTH_MAX - sum(len(line) + 1 for line in lines) - _RESERVE
    cut = 0
    for part in _parts(found):
        size = sum(len(line) + 1 for line in part)
        if size > left:
            cut += 1
            continue
        left -= size
        lines += part
    if cut:
        lines += ["", f"{_counted(cut, 'part')} of this did not fit: see `-o json`."]
    return "\n".join([*lines, "", *_end(found)])


def _head(found: Preview) -> Iterator[str]:
    yield f"<!-- {_MARK} -->"
    yield f"### Landform: preview of {code(found.template)} ({found.status})"
    yield ""
    if found.unfinished:
        yield from (f"> :warning: It was stopped: {len(found.unfinished)} more were not planned.", "")
    if not found.seen:
        yield "There is no deployed instance that it is for."
        return
    yield from ("| shape | instances | such as | plan |", "|---|---|---|---|")
    for group in found.groups():
        plan = _cell(code(group.sample.plan))
        yield f"| {_shape(group.shape)} | {len(group.addresses)} | {_cell(code(group.sample.address))} | {plan} |"
    for refused in found.denied():
        yield from ("", f"Guards would refuse {len(refused.addresses)}, by {code(refused.rule)}.")
    doomed = found.doomed()
    if doomed:
        yield from ("", "| would go | destroyed | replaced | instances |", "|---|---|---|---|")
        yield from (
            f"| {_cell(code(row.type))} | {row.destroyed} | {row.replaced} | {row.instances} |" for row in doomed[:50]
        )


def _parts(found: Preview) -> Iterator[list[str]]:
    for failure in found.failures():
        yield ["", *_folded(f"Cannot be planned: {len(failure.addresses)}", _failure(failure))]
    for group in found.groups():
        if group.sample.changes:
            yield ["", *_folded(f"{group.shape.value}: {len(group.addresses)}", _group(group))]


def _failure(failure: Failure) -> Iterator[str]:
    yield from block(failure.message)
    yield from ("", _addresses(failure.addresses))


def _group(group: Group) -> Iterator[str]:
    sample = group.sample
    yield f"Such as {code(sample.address)}:"
    yield ""
    for change in sample.changes:
        reason = f" ({code(change.reason.replace('_', ' '))})" if change.reason else ""
        yield f"- {_VERBS.get(change.action, change.action.value)} {code(change.address)}{reason}"
    if sample.more:
        yield f"- and {sample.more} more"
    yield from ("", _addresses(group.addresses))


def _addresses(addresses: tuple[str, ...]) -> str:
    more = len(addresses) - _ADDRESSES_MAX
    return ", ".join(map(code, addresses[:_ADDRESSES_MAX])) + (f" and {more} more" if more > 0 else "")


def _folded(title: str, lines: Iterable[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]


def _end(found: Preview) -> Iterator[str]:
    left_out = ", ".join(f"{count} {why.value}" for why, count in found.reasons().items())
    if left_out:
        yield from (f"Left out: {left_out}.", "")
    yield "Nothing was changed."


def _shape(shape: Shape) -> str:
    return f"**{shape.value}**" if shape in (Shape.REPLACE, Shape.DESTROY, Shape.FAIL) else shape.value


def _cell(span: str) -> str:
    # in a table a bar ends the cell, even inside of code
    return span.replace("|", "\\|")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
