"""What changes from one version to another that only the Terraform code tells: addresses, outputs, constraints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from engine.core import addresses, constraints
from engine.core.addresses import Addresses
from engine.core.bundle import Moved, Output, Part, Place, Resource
from engine.core.constraints import Relation
from engine.core.findings import Compared, Finding, Level

_NOWHERE = Place("", 0)
_PUBLIC = ("registry.terraform.io/", "registry.opentofu.org/")
_RELATED = {
    Relation.NARROWER: (Level.MINOR, "narrower", "must now be {now} (before: {then})."),
    Relation.WIDER: (Level.MINOR, "wider", "may now be {now} (before: {then})."),
    Relation.APART: (Level.MAJOR, "apart", "must now be {now}: no version of it fits what was before ({then})."),
    Relation.UNKNOWN: (Level.MINOR, "unclear", "must now be {now} (before: {then}); whether the two fit is unclear."),
}


def findings(old: Compared, new: Compared) -> Iterator[Finding]:
    """What the code of each part does to those who have the old version."""
    if old.facts.kind is not new.facts.kind:
        return
    for name in sorted(old.facts.parts.keys() | new.facts.parts.keys()):
        empty = Part(name, "hcl", (), ())
        pair = _Pair(old.facts.parts.get(name, empty), new.facts.parts.get(name, empty), old.label)
        for changes in (_outputs, _vanished, _repeated, _left_behind, _added, _terraform, _providers, _backend):
            yield from changes(pair)


@dataclass(frozen=True)
class _Pair:
    """A part in both versions."""

    old: Part
    new: Part
    label: str
    """What the old version is called."""

    @cached_property
    def before(self) -> Addresses:
        """What the old one declares."""
        return Addresses(self.old)

    @cached_property
    def after(self) -> Addresses:
        """What the new one declares."""
        return Addresses(replace(self.new, moved=tuple(block for block in self.new.moved if not self._is_idle(block))))

    def _is_idle(self, block: Moved) -> bool:
        """Whether it moves one of several where there was one alone: Terraform does not take x for x[0] then (measured
        on 1.11).
        """
        was = self.before.resources.get(addresses.plain(block.origin))
        is_one = block.origin.endswith("]") and block.origin not in {other.target for other in self.new.moved}
        return is_one and was is not None and was.repeated == ""

    def now(self, level: Level, rule: str, subject: str, sentence: str, place: Place | Output | Resource) -> Finding:
        """A finding with a place in the new version."""
        return self._finding(level, rule, subject, sentence, place)

    def then(self, level: Level, rule: str, subject: str, sentence: str, place: Place | Output | Resource) -> Finding:
        """A finding with a place in the old version."""
        return self._finding(level, rule, subject, sentence, place, self.label)

    def gone(self, rule: str, subject: str, sentence: str, place: Output | Resource) -> Finding:
        """That something of the old version is not in the new one; a doubt where not all of that can be read."""
        if not self.new.unread:
            return self.then(Level.MAJOR, f"{rule}/removed", subject, sentence, place)
        files = ", ".join(self.new.unread[:3])
        doubt = f"{sentence.partition(' ')[0]} {subject} may be gone: what {files} declares cannot be told."
        return self.then(Level.MINOR, f"{rule}/unclear", subject, doubt, place)

    def _finding(
        self, level: Level, rule: str, subject: str, sentence: str, place: Place | Output | Resource, of: str = ""
    ) -> Finding:
        folder = self.new.name.value
        file = f"{folder}/{place.file}" if place.file else folder
        return Finding(level, rule, subject, sentence, folder, file, place.line, of if place.file else "")


def _outputs(pair: _Pair) -> Iterator[Finding]:
    before = {output.name: output for output in pair.old.outputs}
    after = {output.name: output for output in pair.new.outputs}
    for name, was in before.items():
        if name not in after:
            yield pair.gone("output", name, f"Output {name} was removed.", was)
        elif after[name].sensitive and not was.sensitive:
            sentence = f"Output {name} is now sensitive: its value is no longer shown."
            yield pair.now(Level.MINOR, "output/sensitive", name, sentence, after[name])
        elif was.sensitive and not after[name].sensitive:
            sentence = f"Output {name} is no longer sensitive: its value is shown to everybody."
            yield pair.now(Level.MINOR, "output/revealed", name, sentence, after[name])
    for name, now in after.items():
        if name not in before and not pair.old.unread:
            yield pair.now(Level.MINOR, "output/added", name, f"Output {name} is new.", now)


def _vanished(pair: _Pair) -> Iterator[Finding]:
    """What an upgrade would destroy because no code has it any more."""
    closed = pair.before.closed
    for address, was in pair.before.resources.items():
        if not addresses.is_managed(address) and address not in closed:
            continue
        if pair.after.holds(address) or pair.after.holds(pair.after.destination(address)):
            continue
        noun = "Module" if address in closed else "Resource"
        removal = pair.after.removal(address)
        if removal is not None:
            fate = "destroyed at the upgrade, as" if removal.destroys else "kept but forgotten, as"
            sentence = f"{noun} {address} is {fate} a removed block says."
            yield pair.now(Level.MINOR, "resource/released", address, sentence, Place(removal.file, removal.line))
        else:
            sentence = f"{noun} {address} is gone without a moved or removed block: an upgrade destroys it."
            yield pair.gone("resource", address, sentence, was)
    yield from _sources(pair)


def _sources(pair: _Pair) -> Iterator[Finding]:
    """Modules whose code comes from elsewhere, in another version than before."""
    for address, now in pair.after.resources.items():
        was = pair.before.resources.get(address)
        if was is None or was.source == now.source or not was.source:
            continue
        if address in pair.after.closed or address in pair.before.closed:
            sentence = (
                f"Module {address} now comes from {now.source} (before: {was.source}): what it does is not compared."
            )
            yield pair.now(Level.MINOR, "module/source", address, sentence, now)


def _repeated(pair: _Pair) -> Iterator[Finding]:
    """What gets other addresses in the state because it is made several times, or no longer is."""
    for address, was in pair.before.resources.items():
        target = address if address in pair.after.resources else pair.after.destination(address)
        now = pair.after.resources.get(target)
        if now is None or was.repeated is None or now.repeated is None or was.repeated == now.repeated:
            continue
        if not (addresses.is_managed(address) or addresses.is_module(address)) or pair.after.is_keyed(address, target):
            continue
        change = f"now has {now.repeated}" if now.repeated else f"no longer has {was.repeated}"
        # Terraform itself takes x for x[0], and the reverse, of resources (measured on 1.11: not of modules)
        if {was.repeated, now.repeated} == {"", "count"} and addresses.is_managed(address):
            rest = "the one that is there becomes the first." if now.repeated else "all but the first are destroyed."
            yield pair.now(Level.MINOR, "resource/count", target, f"Resource {target} {change}: {rest}", now)
        else:
            noun = "Module" if addresses.is_module(address) else "Resource"
            sentence = f"{noun} {target} {change}: an upgrade destroys what is there and makes it anew."
            yield pair.now(Level.MAJOR, "resource/repeated", target, sentence, now)


def _left_behind(pair: _Pair) -> Iterator[Finding]:
    """What was made several times, of which `moved` blocks name single ones."""
    told: set[str] = set()
    for block in pair.new.moved:
        origin = addresses.plain(block.origin)
        was, now = pair.before.resources.get(origin), pair.after.resources.get(origin)
        if was is None or not was.repeated or not block.origin.endswith("]") or origin in told:
            continue
        if now is not None and now.repeated == was.repeated:
            continue
        told.add(origin)
        sentence = f"Those of {origin} that no moved block names are destroyed: it was made with {was.repeated}."
        yield pair.now(Level.MINOR, "resource/moved", origin, sentence, Place(block.file, block.line))


def _added(pair: _Pair) -> Iterator[Finding]:
    if pair.old.unread:
        return
    known = {pair.after.destination(address) for address in pair.before.resources}
    for address, now in pair.after.resources.items():
        if address in pair.before.resources or address in known:
            continue
        if addresses.is_managed(address) or address in pair.after.closed:
            noun = "Module" if addresses.is_module(address) else "Resource"
            yield pair.now(Level.MINOR, "resource/added", address, f"{noun} {address} is new.", now)


def _terraform(pair: _Pair) -> Iterator[Finding]:
    found = constraints.relation(pair.old.terraform, pair.new.terraform)
    if found not in (Relation.SAME, Relation.WIDER):
        yield _constraint(pair, found, "terraform", "Terraform", pair.old.terraform, pair.new.terraform)


def _providers(pair: _Pair) -> Iterator[Finding]:
    before, after = pair.old.providers or {}, pair.new.providers or {}
    for name in sorted(before.keys() | after.keys()):
        place = pair.new.places.get(f"provider {name}", _NOWHERE)
        (was_from, then), (is_from, now) = (_provider(name, texts.get(name, "")) for texts in (before, after))
        if name not in before and not _needs(pair.old, name):
            yield pair.now(Level.MINOR, "provider/added", name, f"Provider {name} is new.", place)
        elif was_from != is_from and (name in after or _needs(pair.new, name)):
            sentence = f"Provider {name} now comes from {is_from} (before: {was_from})."
            yield pair.now(Level.MAJOR, "provider/source", name, sentence, place)
        elif name not in after:
            there = pair.old.places.get(f"provider {name}", _NOWHERE)
            yield pair.then(Level.MINOR, "provider/removed", name, f"Provider {name} is no longer required.", there)
        elif (found := constraints.relation(then, now)) is not Relation.SAME:
            yield _constraint(pair, found, f"provider {name}", f"Provider {name}", then, now)


def _provider(name: str, text: str) -> tuple[str, str]:
    """Source, in full but for the registry that is everybody's, and constraint."""
    first, _, rest = text.partition(" ")
    source, constraint = (first, rest) if first[:1].isalpha() else ("", text)
    source = next((source.removeprefix(host) for host in _PUBLIC if source.startswith(host)), source)
    source = source or f"hashicorp/{name}"
    return source if "/" in source else f"hashicorp/{source}", constraint.strip()


def _needs(part: Part, provider: str) -> bool:
    """Whether a resource belongs to the provider by its name."""
    types = (resource.address.removeprefix("data.").partition(".")[0] for resource in part.resources)
    return any(type == provider or type.startswith(f"{provider}_") for type in types)


def _constraint(pair: _Pair, found: Relation, key: str, noun: str, then: str, now: str) -> Finding:
    level, rule, words = _RELATED[found]
    sentence = f"{noun} {words.format(now=now or 'any version', then=then or 'any version')}"
    subject = key.removeprefix("provider ")
    kind = "terraform" if key == "terraform" else "provider"
    return pair.now(level, f"{kind}/{rule}", subject, sentence, pair.new.places.get(key, _NOWHERE))


def _backend(pair: _Pair) -> Iterator[Finding]:
    old, new = pair.old, pair.new
    settings = {old.backend_digest, new.backend_digest}
    if old.backend == new.backend and (len(settings) == 1 or "" in settings):
        return
    place, subject = new.places.get("backend", _NOWHERE), new.backend or old.backend
    if not old.backend:
        # no state can have been left behind where there was none to keep it
        yield pair.now(Level.MINOR, "backend/added", subject, f"The backend {subject} is new.", place)
        return
    change = f"is now {new.backend or 'none'} (before: {old.backend})"
    sentence = f"The backend {change if old.backend != new.backend else 'has other settings'}."
    yield pair.now(Level.MAJOR, "backend/changed", subject, sentence, place)
