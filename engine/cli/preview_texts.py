"""What people read about a preview of a version over all that it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.cli import display, texts
from engine.core.plans import Shape
from engine.core.previews import Failure, Group, Preview

GROUPS = display.columns("SHAPE=shape INSTANCES=count SUCH_AS=sample PLAN=plan")
DOOMED = display.columns("TYPE=type DESTROYED=destroyed REPLACED=replaced INSTANCES=instances")
_NAMES_MAX = 5


def text(found: Preview) -> str:
    """All of it, what is gravest first."""
    return display.printable("\n".join(_lines(found)))


def counted(counts: Mapping[Shape, int]) -> str:
    """`12 no-change, 3 replace`, mildest first; "" when there is nothing to count."""
    return ", ".join(f"{counts[shape]} {shape.value}" for shape in Shape if counts.get(shape))


def _lines(found: Preview) -> Iterator[str]:
    shapes = counted(found.counts()) or "there is none that it could be deployed to"
    noun = "instance" if len(found.seen) == 1 else "instances"
    yield f"{found.template} ({found.status}) for {len(found.seen)} {noun}: {shapes}"
    groups = found.groups()
    if groups:
        yield from ("", *display.table([_row(group) for group in groups], GROUPS))
    for group in groups:
        yield from _sample(group)
    doomed = found.doomed()
    if doomed:
        yield from ("", "What would be destroyed or replaced:")
        yield from (f"    {line}" for line in display.table([vars(row) for row in doomed], DOOMED))
    for failure in found.failures():
        yield from _failure(failure)
    for row in found.denied():
        yield from ("", f"Guards would refuse, by {row.rule}: {_listed(row.addresses)}")
    yield from _ending(found)


def _row(group: Group) -> dict[str, object]:
    sample = group.sample
    return {
        "shape": group.shape.value,
        "count": len(group.addresses),
        "sample": sample.address.partition("/")[2],
        "plan": sample.plan,
    }


def _sample(group: Group) -> Iterator[str]:
    """The first changes of the instance that stands for a group."""
    sample = group.sample
    if not sample.changes:
        return
    yield from ("", f"{group.shape.value}, as {sample.address.partition('/')[2]}:")
    yield from map(texts.change, sample.changes)
    if sample.more:
        yield f"    and {sample.more} more"


def _failure(failure: Failure) -> Iterator[str]:
    yield from ("", f"Cannot be planned: {_listed(failure.addresses)}")
    yield from (f"    {line}" for line in failure.message.splitlines())
    if failure.hint:
        yield f"    Hint: {failure.hint}"


def _ending(found: Preview) -> Iterator[str]:
    yield ""
    slowest = ", ".join(f"{each.address.partition('/')[2]} {each.seconds:.1f} s" for each in found.slowest())
    if slowest:
        yield f"Slowest: {slowest}"
    for why in found.reasons():
        yield f"Left out, {why.value}: {_listed([each.address for each in found.left_out if each.why is why])}"
    if found.unfinished:
        yield f"Not planned: {_listed(found.unfinished)}"
    for note in dict.fromkeys(note for each in found.seen for note in each.notes):
        yield f"Note, for {_listed([each.address for each in found.seen if note in each.notes])}: {note}"
    yield f"It took {found.seconds:.1f} s, {found.parallel} side by side. Nothing was changed."


def _listed(addresses: tuple[str, ...] | list[str]) -> str:
    """The first of them by name, and how many there are."""
    names = [address.partition("/")[2] for address in addresses]
    more = len(names) - _NAMES_MAX
    return ", ".join(names[:_NAMES_MAX]) + (f" and {more} more" if more > 0 else "")
