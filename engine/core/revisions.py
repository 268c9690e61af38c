"""From what is there to what is wanted: `${Proton::CURRENT_VAL}` (reference section 3.4), edits of a service (3.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.core import shapes
from engine.core.located import Document, Json, Path, dotted, short
from engine.core.spec import InstanceSpec, ServiceSpec
from engine.core.values import check
from engine.errors import Problem

CURRENT_VAL = "${Proton::CURRENT_VAL}"
_RULE_CURRENT = "spec/current-value"
_RULE_EDIT = "spec/edit"


@dataclass(frozen=True)
class Edit:
    """What an edit of a service asks for."""

    added: tuple[InstanceSpec, ...]
    """New instances in the order of the document, current values already in place."""
    removed: tuple[str, ...]
    problems: tuple[Problem, ...]
    """What the edit must not do; () when it may be done."""


def with_current(inputs: Mapping[str, object], current: Mapping[str, object]) -> tuple[Json, list[Path]]:
    """`inputs` with every CURRENT_VAL replaced by the value at the same place in `current`, and the places without one.

    An input without a current value is left out, as if it had not been given; deeper inside a value the token stays.
    """
    missing: list[Path] = []
    resolved = {name: _resolved(value, current, (name,), missing) for name, value in inputs.items()}
    return {name: value for name, value in resolved.items() if value != CURRENT_VAL}, missing


def resolve(
    type: Json, inputs: Mapping[str, object], current: Mapping[str, object], at: Path, document: Document
) -> tuple[Json, list[Problem]]:
    """`inputs` with current values in place, and everything wrong with them by their type.

    As values.check(), but says of what is required or lies deeper that there is no current value to keep.
    """
    resolved, missing = with_current(inputs, current)
    absent = {short(dotted((*at, *path)), 200): path for path in missing}
    problems = [problem for problem in check(type, resolved, at, document) if problem.field not in absent]
    required = shapes.required(type)
    for path in missing:
        if len(path) > 1 or path[0] in required:
            sentence = "is required and has no current value to keep." if len(path) == 1 else _NOTHING
            problems.append(document.problem((*at, *path), sentence, rule=_RULE_CURRENT))
    return resolved, problems


_NOTHING = "has no current value to keep. Write the value."


def edit(before: ServiceSpec, after: ServiceSpec, document: Document) -> Edit:
    """What the edit from `before` to `after` (as `document` has it) adds and removes, and what it must not do.

    An edit adds and removes instances; those that stay, and the pipeline, keep their inputs.
    """
    names = {instance.name for instance in after.instances}
    added = tuple(_new(instance) for instance in after.instances if before.instance(instance.name) is None)
    removed = tuple(instance.name for instance in before.instances if instance.name not in names)
    problems = [problem for instance in after.instances for problem in _kept(before, instance, document)]
    at: Path = ("pipeline",)
    problems += [
        document.problem(at + place, sentence, rule=_RULE_EDIT, hint="Update the pipeline by itself.")
        for place, sentence in _changes(before.pipeline or {}, after.pipeline or {})
    ]
    if not after.instances:
        message = "must keep at least one instance."
        problems.append(document.problem(("instances",), message, rule=_RULE_EDIT, hint="Delete the service instead."))
    return Edit(added, removed, tuple(sorted(problems)))


def _resolved(value: object, current: object, path: Path, missing: list[Path]) -> object:
    """The value at `path`, CURRENT_VAL still in it where `current`, which holds the parent, has nothing there."""
    found = _member(current, path[-1])
    if value == CURRENT_VAL:
        if not found:
            missing.append(path)
        return found[0] if found else value
    inside = found[0] if found else None
    if isinstance(value, dict):
        return {name: _resolved(member, inside, (*path, name), missing) for name, member in value.items()}
    if isinstance(value, list):
        return [_resolved(item, inside, (*path, index), missing) for index, item in enumerate(value)]
    return value


def _member(parent: object, step: str | int) -> tuple[object, ...]:
    if isinstance(parent, Mapping) and step in parent:
        return (parent[step],)
    if isinstance(parent, list) and isinstance(step, int) and step < len(parent):
        return (parent[step],)
    return ()


def _new(instance: InstanceSpec) -> InstanceSpec:
    inputs, _ = with_current(instance.inputs, {})
    return InstanceSpec(instance.name, instance.environment, inputs, instance.at)


def _kept(before: ServiceSpec, instance: InstanceSpec, document: Document) -> Iterator[Problem]:
    old = before.instance(instance.name)
    if old is None:
        for place in _nested(with_current(instance.inputs, {})[1]):
            yield document.problem(instance.at + place, _NOTHING, rule=_RULE_CURRENT)
        return
    if old.environment != instance.environment:
        message = f"is {old.environment} and cannot change: an instance stays in its environment."
        yield document.problem((*instance.at[:-1], "environment"), message, rule=_RULE_EDIT)
    for place, sentence in _changes(old.inputs, instance.inputs):
        hint = f"Update instance {instance.name} by itself."
        yield document.problem(instance.at + place, sentence, rule=_RULE_EDIT, hint=hint)


def _changes(before: Json, after: Json) -> Iterator[tuple[Path, str]]:
    """The inputs that differ; tokens that stand for nothing are reported at their own place."""
    resolved, missing = with_current(after, before)
    broken = _nested(missing)
    for path in broken:
        yield path, _NOTHING
    for name in dict.fromkeys((*before, *resolved)):
        same = name in before and name in resolved and shapes.key(before[name]) == shapes.key(resolved[name])
        if not same and all(path[0] != name for path in broken):
            yield (name,), "cannot change here: an edit of the service adds and removes instances."


def _nested(missing: list[Path]) -> list[Path]:
    return [path for path in missing if len(path) > 1]
