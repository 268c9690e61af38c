"""Whether a plan keeps to guards: one function a guard, from the facts of the plan to what is wrong with it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from engine.core.guards import Guarded, Guards, Ports, Refusal
from engine.core.outputs import MASK
from engine.core.plan_facts import Hidden, PlanFacts, Resource, names_of
from engine.core.plans import Action
from engine.core.wildcards import any_matches

MOST = 50
"""Refusals of one rule that are kept of a plan."""
_NAMED = 5
"""Resources that a sentence about the whole plan names."""
_SECURITY_GROUPS = frozenset({"aws_security_group", "aws_default_security_group"})
_RULE, _NEW_RULE = "aws_security_group_rule", "aws_vpc_security_group_ingress_rule"


@dataclass(frozen=True)
class _Found:
    """Something wrong; a sentence about a resource begins behind its address."""

    address: str
    sentence: str


Check = Callable[[Guards, PlanFacts], Iterator[_Found]]


def refusals(guarded: Guarded, facts: PlanFacts) -> tuple[Refusal, ...]:
    """How the plan breaks the guards, but for those in Rego, by guard and in the plan's order."""
    guards = guarded.guards
    found = [
        Refusal(name, guards.severity(name), each.address, _sentence(each), guarded.source)
        for name, check in _CHECKS.items()
        for each in check(guards, facts)
    ]
    return shortened(found)


def shortened(found: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """The refusals; of a rule that is broken very often, the first ones and how many there are besides."""
    kept: list[Refusal] = []
    for _, group in groupby(found, key=lambda each: (each.source, each.rule)):
        same = list(group)
        kept += same[:MOST]
        if len(same) > MOST:
            kept.append(replace(same[0], address="", sentence=f"... and {len(same) - MOST} more like these."))
    return tuple(kept)


def _sentence(found: _Found) -> str:
    return f"{found.address} {found.sentence}" if found.address else found.sentence


def _never_destroy(guards: Guards, facts: PlanFacts) -> Iterator[_Found]:
    for change in facts.summary.destructive if guards.never_destroy else ():
        # nor by giving it another name first
        names = names_of(change.address) | (names_of(change.previous) if change.previous else frozenset())
        if any(any_matches(guards.never_destroy, name) for name in names):
            again = " and made anew" if change.action is Action.REPLACE else ""
            so_far = f"(so far {change.previous}) " if change.previous else ""
            yield _Found(change.address, f"{so_far}would be destroyed{again}.")


def _max_destroys(guards: Guards, facts: PlanFacts) -> Iterator[_Found]:
    doomed = [change.address for change in facts.summary.destructive]
    if guards.max_destroys is None or len(doomed) <= guards.max_destroys:
        return
    named = ", ".join(doomed[:_NAMED]) + (", ..." if len(doomed) > _NAMED else "")
    noun = "resource" if len(doomed) == 1 else "resources"
    yield _Found("", f"{len(doomed)} {noun} would be destroyed, and at most {guards.max_destroys} may be: {named}.")


def _providers(guards: Guards, facts: PlanFacts) -> Iterator[_Found]:
    for name, place in facts.providers.items() if guards.providers else ():
        if not any_matches(guards.providers, name):
            yield _Found(place, f"{'needs' if place else 'The code needs'} the provider {name}.")


def _required_tags(guards: Guards, facts: PlanFacts) -> Iterator[_Found]:
    for resource in facts.resources if guards.required_tags else ():
        if resource.has("tags") or resource.has("tags_all"):
            yield from _tags_missing(resource, guards.required_tags)


def _tags_missing(resource: Resource, required: Mapping[str, tuple[str, ...]]) -> Iterator[_Found]:
    both = [resource.value("tags"), resource.value("tags_all")]
    if any(isinstance(tags, list) for tags in both):
        # words that belong to nothing, as some providers have them
        return
    hidden = next((tags for tags in both if isinstance(tags, Hidden)), None)
    known: dict[str, object] = {}
    for name in ("tags_all", "tags"):
        known |= {tag: Hidden.UNKNOWN for tag, marked in _mapping(resource.unknown.get(name)).items() if marked is True}
        known |= _mapping(resource.value(name))
    for tag, patterns in required.items():
        if tag not in known:
            unsure = f", as far as can be told: some of its tags {_plural(hidden)}" if hidden else ""
            yield _Found(resource.address, f"has no tag {tag}{unsure}.")
        elif patterns and (why := _wrong(known[tag], patterns)):
            yield _Found(resource.address, f"has a tag {tag} {why}.")


def _plural(hidden: Hidden) -> str:
    return "cannot be known before it is made" if hidden is Hidden.UNKNOWN else "are sensitive"


def _wrong(value: object, patterns: tuple[str, ...]) -> str:
    if isinstance(value, Hidden) or value == MASK:
        return "whose value cannot be told"
    return "" if isinstance(value, str) and any_matches(patterns, value) else "with a value that is not allowed"


_Where = Callable[[str], str]


def _as_it_is(text: str) -> str:
    return text


def _of_arn(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) > 5 else ""


def _of_aws_zone(zone: str) -> str:
    return zone.rstrip("abcdefghijklmnopqrstuvwxyz")


def _of_google_zone(zone: str) -> str:
    return zone.rpartition("-")[0]


def _of_azure(location: str) -> str:
    return location.replace(" ", "").lower()


_REGIONAL: Mapping[str, Mapping[str, _Where]] = {
    "aws": {"region": _as_it_is, "availability_zone": _of_aws_zone, "arn": _of_arn},
    "google": {"region": _as_it_is, "location": _as_it_is, "zone": _of_google_zone},
    "google-beta": {"region": _as_it_is, "location": _as_it_is, "zone": _of_google_zone},
    "azurerm": {"location": _of_azure},
}
"""Last part of a provider's name -> the attributes that tell where its resources are, and how."""
_IN_NO_REGION = frozenset({"azurerm"})
"""Providers whose configuration has no region."""


def _regions(guards: Guards, facts: PlanFacts) -> Iterator[_Found]:
    for resource in facts.resources if guards.regions else ():
        region = _region(resource, facts)
        if isinstance(region, Hidden):
            yield _Found(resource.address, f"would be in a region that {region.value}.")
        elif region and not any_matches(guards.regions, region):
            yield _Found(resource.address, f"would be in the region {region}.")


def _region(resource: Resource, facts: PlanFacts) -> str | Hidden:
    """Where the resource will be; "" where it is nowhere in particular."""
    family = resource.provider.rpartition("/")[2]
    for name, read in _REGIONAL.get(family, {}).items():
        value = resource.value(name)
        if isinstance(value, str) and value:
            return read(value)
        # what the code does not say is computed: then the provider's configuration says it
        if isinstance(value, Hidden) and name in resource.configured:
            return value
    if family not in _REGIONAL or family in _IN_NO_REGION:
        return ""
    return facts.regions.get(resource.configuration) or facts.default_region or Hidden.UNKNOWN


def _public_ingress(guards: Guards, facts: PlanFacts) -> Iterator[_Found]:
    if guards.public_ingress is None:
        return
    for resource in facts.resources:
        for opened in _ingress(resource):
            if why := _too_open(opened, guards.public_ingress):
                yield _Found(resource.address, why)


@dataclass(frozen=True)
class _Ingress:
    """Who may come in where; what nobody can tell is Hidden."""

    networks: Sequence[object]
    protocol: object
    first: object
    last: object


_UNTOLD = _Ingress((Hidden.UNKNOWN,), "-1", None, None)


def _ingress(resource: Resource) -> Iterator[_Ingress]:
    if resource.type in _SECURITY_GROUPS:
        yield from _of_group(resource)
    elif resource.type == _RULE and resource.value("type") != "egress":
        networks = [*resource.items("cidr_blocks"), *resource.items("ipv6_cidr_blocks")]
        yield _Ingress(networks, *map(resource.value, ("protocol", "from_port", "to_port")))
    elif resource.type == _NEW_RULE:
        networks = [*map(resource.value, ("cidr_ipv4", "cidr_ipv6"))]
        yield _Ingress(networks, *map(resource.value, ("ip_protocol", "from_port", "to_port")))


def _of_group(group: Resource) -> Iterator[_Ingress]:
    rules = group.value("ingress")
    if isinstance(rules, Hidden):
        # where the code says nothing it is unknown as well, and there are none but those of other resources; a dynamic
        # block of which Terraform cannot tell how many it makes is one of which all is unknown (measured, AWS 3.39)
        if "ingress" in group.configured or rules is Hidden.SENSITIVE:
            yield _UNTOLD
        return
    for rule, mark in group.marked("ingress"):
        one = Resource(group.address, group.type, group.provider, _mapping(rule), _mapping(mark))
        networks = [*one.items("cidr_blocks"), *one.items("ipv6_cidr_blocks")]
        is_hidden = mark is True or rule == MASK
        yield _UNTOLD if is_hidden else _Ingress(networks, *map(one.value, ("protocol", "from_port", "to_port")))


def _too_open(found: _Ingress, allowed: tuple[Ports, ...]) -> str:
    worst = _publicity(found.networks)
    if not worst or _is_within(found, allowed):
        return ""
    where = _port_words(found)
    if isinstance(worst, Hidden):
        return f"may let the whole world in{where}: who may come in {worst.value}."
    return f"lets the whole world in{where}."


_WORLD_BITS = 8
"""A network with fewer bits than that, such as 0.0.0.0/1 or 2000::/3, is as good as the whole world."""
_PRIVATE = ipaddress.IPv6Network("fc00::/7")
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _publicity(networks: Sequence[object]) -> bool | Hidden:
    """Whether the networks together are as good as the whole world; Hidden where nobody can tell."""
    known = [found for network in networks if isinstance(network, str) and (found := _network(network))]
    old = ipaddress.collapse_addresses(each for each in known if isinstance(each, ipaddress.IPv4Network))
    new = ipaddress.collapse_addresses(each for each in known if isinstance(each, ipaddress.IPv6Network))
    together: list[_Network] = [*old, *new]
    if any(each.prefixlen < _WORLD_BITS and each != _PRIVATE for each in together):
        return True
    return next((network for network in networks if isinstance(network, Hidden)), False)


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _is_within(found: _Ingress, allowed: tuple[Ports, ...]) -> bool:
    first, last = found.first, found.last
    if found.protocol not in ("tcp", "udp", "6", "17") or not isinstance(first, int) or not isinstance(last, int):
        return False
    return any(ports.first <= first <= last <= ports.last for ports in allowed)


def _port_words(found: _Ingress) -> str:
    if found.protocol not in ("tcp", "udp", "6", "17"):
        return ""
    if not isinstance(found.first, int) or not isinstance(found.last, int):
        return " on ports that nobody can tell yet"
    return f" on port {Ports(found.first, found.last)}"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _local_exec(guards: Guards, facts: PlanFacts) -> Iterator[_Found]:
    for address, how in () if guards.local_exec else facts.programs.items():
        yield _Found(address, f"{how}.")


_CHECKS: Mapping[str, Check] = {
    "never_destroy": _never_destroy,
    "max_destroys": _max_destroys,
    "providers": _providers,
    "regions": _regions,
    "required_tags": _required_tags,
    "public_ingress": _public_ingress,
    "local_exec": _local_exec,
}
