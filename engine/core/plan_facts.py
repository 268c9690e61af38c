"""What a plan says, as guards ask for it: read from the JSON that `terraform show -json` makes of a plan.

Nothing in that JSON is taken for granted: what is missing or of another type counts as not there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import zip_longest

from engine.core.addresses import plain
from engine.core.outputs import MASK
from engine.core.paths import undotted
from engine.core.plans import Action, Change, Summary
from engine.errors import ExternalFailure, Invalid

Tree = Mapping[str, object]
BUILT_IN = "terraform.io/builtin/terraform"
"""Terraform's own provider, which reaches nothing outside."""
_REGISTRIES = ("registry.terraform.io/", "registry.opentofu.org/")
_UNMADE = frozenset({"delete", "forget", "no-op", "read"})
"""Actions of a plan that neither make nor change anything."""
_PROGRAMS = frozenset({"local-exec", "remote-exec"})
_EXTERNAL = "external"
"""The type of data that a program of the code's choice gives."""
_MODULE = re.compile(r'module\.[^.\[]+(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?\.')


class Hidden(Enum):
    """Why nobody can tell a value from a plan."""

    UNKNOWN = "cannot be known before it is made"
    SENSITIVE = "is sensitive"


@dataclass(frozen=True)
class Resource:
    """A resource that the plan makes or changes, as it will be."""

    address: str
    type: str
    provider: str
    """As `hashicorp/aws`."""
    after: Tree = field(default_factory=dict)
    """Attribute -> value; what is sensitive is masked, what is unknown is absent."""
    unknown: Tree = field(default_factory=dict)
    """Attribute -> True, or a tree that says which parts of it are unknown."""
    configured: frozenset[str] = frozenset()
    """The attributes that the code gives a value."""
    configuration: str = ""
    """Which configuration of its provider it is made with, as PlanFacts.regions names it."""

    def value(self, name: str) -> object:
        """The attribute's value; Hidden where nobody can tell, None where it has none."""
        if self.unknown.get(name) is True:
            return Hidden.UNKNOWN
        value = self.after.get(name)
        return Hidden.SENSITIVE if value == MASK else value

    def marked(self, name: str) -> Iterator[tuple[object, object]]:
        """The items of an attribute that is a list, each with what says which parts of it are unknown."""
        items, marks = _list(self.after.get(name)), _list(self.unknown.get(name))
        return zip_longest(items, marks, fillvalue=None)

    def items(self, name: str) -> Iterator[object]:
        """The items of an attribute that is a list; Hidden for each of which nobody can tell, or for all."""
        whole = self.value(name)
        if isinstance(whole, Hidden):
            yield whole
            return
        for item, mark in self.marked(name):
            yield Hidden.UNKNOWN if mark is True else Hidden.SENSITIVE if item == MASK else item

    def has(self, name: str) -> bool:
        """Whether resources of its type have the attribute."""
        return name in self.after or name in self.unknown


@dataclass(frozen=True)
class Untold:
    """What code says that its plan does not."""

    works_regions_out: bool = False
    """Whether the region of a provider is made out of variables: the plan only names those."""
    of_removed: Mapping[str, Collection[str]] = field(default_factory=dict)
    """What a `removed` block speaks of -> the types of the provisioners in it."""


@dataclass(frozen=True)
class PlanFacts:
    """A plan."""

    summary: Summary
    resources: tuple[Resource, ...] = ()
    providers: Mapping[str, str] = field(default_factory=dict)
    """The providers that the code names or that make something -> a resource of theirs, or "" where there is none."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Address of a resource in the code, without indexes -> how it runs a program."""
    regions: Mapping[str, str | Hidden] = field(default_factory=dict)
    """Configuration of a provider -> the region that it says."""
    default_region: str = ""
    """The one of a configuration that says none; "" where nobody knows."""


def read(plan: Tree, summary: Summary, default_region: str, untold: Untold | None = None) -> PlanFacts:
    """The facts of a plan whose sensitive values are masked; the rest is not told by it.

    Raises ExternalFailure for what is no plan.
    """
    if not str(plan.get("format_version", "")).startswith("1."):
        raise ExternalFailure(f"The plan is in a format that is not known: {str(plan.get('format_version'))[:40]!r}.")
    if plan.get("complete") is False:
        raise ExternalFailure("The plan is not complete: parts of it were put off.")
    code = dict(_code(_tree(_at(plan, "configuration", "root_module"))))
    resources = tuple(_resources(plan, code))
    configurations = _tree(_at(plan, "configuration", "provider_config"))
    untold = untold or Untold()
    variables = {} if untold.works_regions_out else _tree(plan.get("variables"))
    return PlanFacts(
        summary=summary,
        resources=resources,
        providers=_providers(configurations, resources),
        programs={
            **{place: found for place, block in code.items() if (found := _program(block))},
            **{place: found for place, kinds in untold.of_removed.items() if (found := _provisioners(kinds))},
        },
        regions={
            name: region
            for name, given in configurations.items()
            if (region := _region(_tree(given), variables)) is not None
        },
        default_region=default_region,
    )


def destroyed(plan: Tree) -> Summary:
    """What the plan destroys and replaces, and nothing else of it."""
    found = [
        Change(
            str(each.get("address", "")),
            Action.REPLACE if "create" in actions else Action.DELETE,
            previous=str(each.get("previous_address") or ""),
        )
        for each in map(_tree, _list(plan.get("resource_changes")))
        if "delete" in (actions := _list(_at(each, "change", "actions")))
    ]
    return Summary(tuple(found))


def type_of(address: str) -> str:
    """The type of the resource at the address."""
    rest = _MODULE.sub("", address)
    return rest.removeprefix("data.").partition(".")[0]


def names_of(address: str) -> frozenset[str]:
    """All by which a guard may call a resource: its type, its address with and without indexes, its modules."""
    forms = {address, plain(address)}
    modules = {form[: found.end() - 1] for form in forms for found in _MODULE.finditer(form)}
    return frozenset({type_of(address), *forms, *modules})


def provider(full_name: str) -> str:
    """A provider as people write it: without the registry that is meant anyway."""
    for registry in _REGISTRIES:
        full_name = full_name.removeprefix(registry)
    return full_name


def _code(module: Tree, place: str = "") -> Iterator[tuple[str, Tree]]:
    """Address without indexes and block of each resource and data source in the code, those of modules included."""
    for block in map(_tree, _list(module.get("resources"))):
        yield f"{place}{block.get('address')}", block
    for name, call in _tree(module.get("module_calls")).items():
        yield from _code(_tree(_tree(call).get("module")), f"{place}module.{name}.")


def _resources(plan: Tree, code: Mapping[str, Tree]) -> Iterator[Resource]:
    for found in map(_tree, _list(plan.get("resource_changes"))):
        change, address = _tree(found.get("change")), str(found.get("address", ""))
        if found.get("mode") != "managed" or _UNMADE.issuperset(map(str, _list(change.get("actions")))):
            continue
        block = code.get(plain(address), {})
        yield Resource(
            address=address,
            type=str(found.get("type", "")),
            provider=provider(str(found.get("provider_name", ""))),
            after=_tree(change.get("after")),
            unknown=_tree(change.get("after_unknown")),
            configured=frozenset(_tree(block.get("expressions"))),
            configuration=str(block.get("provider_config_key", "")),
        )


def _providers(configurations: Tree, resources: Sequence[Resource]) -> dict[str, str]:
    named = {provider(str(_tree(given).get("full_name") or name)): "" for name, given in configurations.items()}
    used = {resource.provider: resource.address for resource in reversed(resources)}
    return {name: place for name, place in {**named, **used}.items() if name != BUILT_IN}


def _program(block: Tree) -> str:
    if found := _provisioners(str(_tree(each).get("type")) for each in _list(block.get("provisioners"))):
        return found
    is_external = block.get("mode") == "data" and block.get("type") == _EXTERNAL
    return "gets its values from a program" if is_external else ""


def _provisioners(kinds: Iterable[str]) -> str:
    programs = _PROGRAMS.intersection(kinds)
    return f"has a provisioner {' and one '.join(sorted(programs))}" if programs else ""


def _region(configuration: Tree, variables: Tree) -> str | Hidden | None:
    """The region that a configuration of a provider says; None where it says none."""
    expression = _tree(_at(configuration, "expressions", "region"))
    if not expression:
        return None
    if "constant_value" in expression:
        return _known(expression["constant_value"])
    names = [name for name in _list(expression.get("references")) if isinstance(name, str)]
    # variables of modules have other values than those of the same name here
    is_root = "module_address" not in configuration
    return _variable(names, variables) if names and is_root else Hidden.UNKNOWN


def _variable(names: Sequence[str], variables: Tree) -> str | Hidden:
    """The value of the one variable, or part of it, that an expression speaks of; the others are what it is part of."""
    longest = max(names, key=len)
    if not longest.startswith("var.") or not all(longest.startswith(name) for name in names):
        return Hidden.UNKNOWN
    try:
        _, name, *path = undotted(longest)
    except (Invalid, ValueError):
        return Hidden.UNKNOWN
    value: object = _at(variables, str(name), "value")
    for step in path:
        value = value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else value
        value = value.get(str(step)) if isinstance(value, Mapping) else value
    return _known(value)


def _known(value: object) -> str | Hidden:
    if value == MASK:
        return Hidden.SENSITIVE
    return value if isinstance(value, str) and value else Hidden.UNKNOWN


def _at(tree: Tree, *path: str) -> object:
    value: object = tree
    for name in path:
        value = _tree(value).get(name)
    return value


def _tree(value: object) -> Tree:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
