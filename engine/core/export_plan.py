"""Terraform's plan as JSON, without what is secret: whatever Terraform or Landform holds for sensitive is masked.

`terraform show -json` writes every value in clear, and beside most of them a tree of the same shape that says which are
sensitive. What has no such tree beside it, like the variables, is masked by looking for the texts that were found so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

from engine.core.export import MARK
from engine.core.outputs import MASK, output_text

Tree: TypeAlias = object
_BESIDE = {"before": "before_sensitive", "after": "after_sensitive", "values": "sensitive_values"}
"""Member -> the member beside it that says what of it is sensitive."""
_VALUES = ("value", "default")
"""What is sensitive of an output or a variable that says it is."""
_SHORTEST = 4
"""Shorter texts are masked where they are known to be sensitive, and looked for nowhere else."""


def masked(plan: Mapping[str, object], run_id: int) -> dict[str, object]:
    """The plan with `(sensitive)` in the place of what Terraform says is sensitive, marked as ours."""
    return {MARK: run_id, **_members(plan, _sensitive_variables(plan))}


def secrets(plan: Mapping[str, object], public: Collection[str]) -> tuple[str, ...]:
    """The texts in a plan that must not be seen anywhere in it, longest first.

    They are the environment's outputs as Landform handed them to Terraform, but for those named `public`, and all that
    Terraform says is sensitive.
    """
    found = {text for name, text in _upstream(plan) if name not in public} | set(_texts(_hidden(plan)))
    return tuple(sorted((text for text in found if len(text) >= _SHORTEST), key=lambda text: (-len(text), text)))


def _upstream(plan: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Name and text of each output of the environment that Terraform was handed."""
    outputs = _at(plan, "variables", "environment", "value", "outputs")
    if isinstance(outputs, Mapping):
        yield from ((str(name), output_text(value)) for name, value in outputs.items())


def _sensitive_variables(plan: Mapping[str, object]) -> frozenset[str]:
    """The variables that the bundle itself declares sensitive."""
    declared = _at(plan, "configuration", "root_module", "variables")
    if not isinstance(declared, Mapping):
        return frozenset()
    return frozenset(name for name, given in declared.items() if isinstance(given, Mapping) and given.get("sensitive"))


def _members(tree: Mapping[str, object], hidden: Collection[str] = ()) -> dict[str, object]:
    """A mapping with what is sensitive masked; `hidden` names variables that are so as a whole."""
    is_hidden = tree.get("sensitive") is True
    result: dict[str, object] = {}
    for name, value in tree.items():
        beside = _BESIDE.get(name, "")
        if beside in tree:
            result[name] = _covered(value, tree[beside], lambda _: MASK)
        elif is_hidden and name in _VALUES:
            result[name] = MASK
        elif name == "variables" and hidden and isinstance(value, Mapping):
            result[name] = {key: {"value": MASK} if key in hidden else _clean(item) for key, item in value.items()}
        else:
            result[name] = _clean(value)
    return result


def _clean(value: Tree) -> Tree:
    if isinstance(value, Mapping):
        return _members(value)
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _covered(value: Tree, sensitive: Tree, cover: Callable[[Tree], Tree]) -> Tree:
    """The value with what `sensitive`, a tree of the same shape, says is so replaced by what `cover` makes of it."""
    if sensitive is True:
        return value if value is None else cover(value)
    if isinstance(value, Mapping) and isinstance(sensitive, Mapping):
        return {name: _covered(item, sensitive.get(name), cover) for name, item in value.items()}
    if isinstance(value, list) and isinstance(sensitive, list):
        marks = [*sensitive, *[None] * (len(value) - len(sensitive))]
        return [_covered(item, mark, cover) for item, mark in zip(value, marks, strict=False)]
    return value


def _hidden(plan: Mapping[str, object]) -> list[Tree]:
    """Every value that Terraform says is sensitive."""
    found: list[Tree] = []
    variables = _at(plan, "variables")
    for name in _sensitive_variables(plan):
        found.append(_at(variables, name, "value"))
    _collect(plan, found)
    return found


def _collect(value: Tree, found: list[Tree]) -> None:
    for item in _inside(value):
        _collect(item, found)
    if not isinstance(value, Mapping):
        return
    if value.get("sensitive") is True:
        found += [value.get(name) for name in _VALUES]
    for name, beside in _BESIDE.items():
        if beside in value:
            _covered(value.get(name), value[beside], _noting(found))


def _noting(found: list[Tree]) -> Callable[[Tree], Tree]:
    def note(value: Tree) -> Tree:
        found.append(value)
        return value

    return note


def _inside(value: Tree) -> Iterator[Tree]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _texts(value: Tree) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in _inside(value):
        yield from _texts(item)


def _at(tree: Tree, *path: str) -> Tree:
    for name in path:
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree
