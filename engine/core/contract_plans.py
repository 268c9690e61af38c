"""Whether a plan is what a contract test expects, judged by `terraform show -json`; whatever that says is hostile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.core import shapes, wildcards
from engine.core.contracts import ANY, LIKE, UNKNOWN, Contract, Wanted
from engine.core.located import Path, dotted, short, shown
from engine.core.outputs import MASK
from engine.errors import Problem

_SHOWN_MAX = 10
_ADD, _READ = "add", "read"
_ACTIONS = {"create": _ADD, "read": _READ}


@dataclass(frozen=True)
class _Value:
    """A value that an apply would make, as far as it is known."""

    after: object
    unknown: object = False
    """True, or a tree of the parts that only the apply will tell."""
    sensitive: object = False

    def member(self, key: str | int) -> _Value:
        """What is inside."""
        return _Value(_inside(self.after, key), _inside(self.unknown, key), _inside(self.sensitive, key))

    def __str__(self) -> str:
        return MASK if _any(self.sensitive) else shown(self.after)


@dataclass(frozen=True)
class _Resource:
    address: str
    type: str
    """`data.` before that of a data source."""
    action: str
    value: _Value

    def is_meant(self, wanted: Wanted) -> bool:
        fits = not wanted.address or self.address == wanted.address or self.address.startswith(f"{wanted.address}[")
        return fits and wanted.type in ("", self.type)


def judge(test: Contract, plan: object) -> tuple[Problem, ...]:
    """What of the plan is not as the test expects; () when it passes. `plan` is the parsed JSON."""
    expected, resources = test.expected, tuple(_resources(plan))
    found: list[Problem] = []
    for index, wanted in enumerate(expected.contains):
        if message := _missing(wanted, resources):
            found.append(test.problem(("expect", "contains", index), message))
    for index, wanted in enumerate(expected.lacks):
        there = [each.address for each in resources if each.is_meant(wanted) and not _wrong(wanted, each)]
        if there:
            found.append(test.problem(("expect", "lacks", index), f"The plan has {_listed(there)}."))
    for name, count in expected.counts.items():
        counted = sum(each.action == name or each.type == name for each in resources)
        if counted != count:
            message = f"The plan has {counted}, not {count}."
            found.append(test.problem(("expect", "counts", name), message))
    return (*found, *_outputs(test, plan))


def _missing(wanted: Wanted, resources: Sequence[_Resource]) -> str:
    """Why no resource is the wanted one; "" when one is."""
    meant = [each for each in resources if each.is_meant(wanted)]
    if not meant:
        has = _listed(each.address for each in resources)
        return f"The plan has no {short(str(wanted), 200)}. It has {has or 'nothing'}."
    wrong = [_wrong(wanted, each) for each in meant]
    if not all(wrong):
        return ""
    reasons = [f"{each.address}: {why}" for each, why in zip(meant, wrong, strict=True)]
    return "; ".join(reasons[:3]) + "."


def _wrong(wanted: Wanted, found: _Resource) -> str:
    """What is not as wanted, of a resource that is meant; "" when nothing is."""
    reasons = (
        f"{dotted((name, *path))} {why}"
        for name, value in wanted.attributes.items()
        for path, why in _differences(value, found.value.member(name))
    )
    return next(reasons, "")


def _outputs(test: Contract, plan: object) -> Iterator[Problem]:
    offered = _mapping(_inside(plan, "output_changes"))
    for name, expected in test.expected.outputs.items():
        at: Path = ("expect", "outputs", name)
        if name not in offered:
            yield test.problem(at, f"The plan has no such output. It has {_listed(offered) or 'none'}.")
            continue
        for path, why in _differences(expected, _value(offered[name])):
            yield test.problem((*at, *path), f"{why[0].upper()}{why[1:]}.")


def _differences(expected: object, found: _Value) -> Iterator[tuple[Path, str]]:
    """Where what is found is not what is expected, and how, as the end of a sentence."""
    if isinstance(expected, Mapping) and (matcher := next(iter(expected), None)) in (ANY, UNKNOWN, LIKE):
        why = _MATCHERS[str(matcher)](found, str(expected[matcher]))
        yield from [((), why)] if why else []
    elif found.unknown is True:
        yield (), f"is not known before the apply: write {{{ANY}: true}}"
    elif isinstance(expected, Mapping) and isinstance(found.after, Mapping):
        for key, value in expected.items():
            yield from _below(key, _differences(value, found.member(key)))
    elif isinstance(expected, list) and isinstance(found.after, list) and len(expected) == len(found.after):
        for index, value in enumerate(expected):
            yield from _below(index, _differences(value, found.member(index)))
    elif isinstance(expected, Mapping | list) or shapes.key(expected) != shapes.key(found.after):
        yield (), f"is {found}, not {shown(expected)}"


def _below(step: str | int, inside: Iterable[tuple[Path, str]]) -> Iterator[tuple[Path, str]]:
    for path, why in inside:
        yield (step, *path), why


def _any_value(found: _Value, _text: str) -> str:
    return "" if _any(found.unknown) or found.after is not None else "has no value"


def _unknown_value(found: _Value, _text: str) -> str:
    return "" if _any(found.unknown) else f"is known: {found}"


def _like(found: _Value, text: str) -> str:
    if found.unknown is True:
        return f"is not known before the apply: write {{{ANY}: true}}"
    is_like = isinstance(found.after, str) and wildcards.matches(text, found.after)
    return "" if is_like else f"is {found}, not like {shown(text)}"


_MATCHERS = {ANY: _any_value, UNKNOWN: _unknown_value, LIKE: _like}


def _resources(plan: object) -> Iterator[_Resource]:
    changes = _inside(plan, "resource_changes")
    for row in changes if isinstance(changes, list) else ():
        change = _mapping(_inside(row, "change"))
        actions = change.get("actions")
        action = next((_ACTIONS[each] for each in actions if each in _ACTIONS), "") if isinstance(actions, list) else ""
        if action:
            prefix = "data." if _inside(row, "mode") == "data" else ""
            found = _inside(row, "type"), _inside(row, "address")
            yield _Resource(short(str(found[1]), 300), f"{prefix}{found[0]}", action, _value(change))


def _value(change: object) -> _Value:
    return _Value(_inside(change, "after"), _inside(change, "after_unknown"), _inside(change, "after_sensitive"))


def _inside(tree: object, key: str | int) -> object:
    """The member; of what is true as a whole, true; None where there is none."""
    if tree is True:
        return True
    if isinstance(tree, Mapping):
        return tree.get(key)
    if isinstance(tree, list) and isinstance(key, int) and key < len(tree):
        return tree[key]
    return None


def _any(tree: object) -> bool:
    """Whether anything in the tree is true."""
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if item is True:
            return True
        waiting += item.values() if isinstance(item, Mapping) else item if isinstance(item, list) else ()
    return False


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _listed(names: Iterable[str]) -> str:
    found = [short(name, 100) for name in names]
    more = f" and {len(found) - _SHOWN_MAX} more" if len(found) > _SHOWN_MAX else ""
    return ", ".join(found[:_SHOWN_MAX]) + more
