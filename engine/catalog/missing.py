"""The only place that says that a name is not known, or not clear, and which one was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from engine.core.address import Address, Kind
from engine.core.versions import Number, TemplateKind, TemplateRef
from engine.errors import Conflict, NotFound

CANDIDATES_MAX = 5000
"""Names that are compared at most: a hint may not cost a second."""
_LISTS = {
    Kind.ENVIRONMENT: "landform env list",
    Kind.SERVICE_INSTANCE: "landform instance list",
    Kind.PIPELINE: "landform pipeline list",
    Kind.COMPONENT: "landform component list",
}
_ARTICLE: dict[str, str] = {TemplateKind.ENVIRONMENT: "an", TemplateKind.SERVICE: "a"}


def no_campaign(campaign_id: int) -> NotFound:
    """For a number that no campaign has."""
    return NotFound(f"There is no campaign {campaign_id}.", hint="See them: landform campaign list")


def no_template(ref: TemplateRef, known: Iterable[str]) -> NotFound:
    """For a template name that nothing answers to; `known` are the names of its kind."""
    noun = f"{ref.kind.value} template" if ref.kind else "template"
    return _not_found(f"There is no {noun} {ref.name}.", ref.name, known, "landform template list")


def other_kind(ref: TemplateRef, kind: str) -> NotFound:
    """For a template name that only the other kind answers to; `kind` is that one."""
    wanted = ref.kind.value if ref.kind else ""
    hint = f"See those that are: landform template list --kind {wanted}"
    return NotFound(
        f"{ref.name} is {_ARTICLE[kind]} {kind} template, not {_ARTICLE[wanted]} {wanted} template.", hint=hint
    )


def two_kinds(name: str) -> Conflict:
    """For a template name that both kinds answer to."""
    return Conflict(
        f"There is an environment template and a service template {name}.",
        hint=f"Say which: environment/{name} or service/{name}.",
    )


def no_version(template: str, number: Number, known: Iterable[Number]) -> NotFound:
    """For a number that the template does not have."""
    numbers = ", ".join(map(str, sorted(known)))
    if not numbers:
        return NotFound(f"{template} has no version {number}: it has none at all.")
    see = f"See them: landform template versions {template}"
    return NotFound(f"{template} has no version {number}.", hint=f"It has {numbers}. {see}")


def none_published(template: str, drafts: Iterable[Number]) -> NotFound:
    """For a template of which nothing is recommended yet."""
    newest = max(drafts, default=None)
    if newest is None:
        hint = f"Register one, then publish it: landform template register {template} PATH"
    else:
        hint = f"Publish one: landform template publish {template}@{newest}"
    return NotFound(f"No version of {template} is published.", hint=hint)


def none_usable(template: str) -> NotFound:
    """For a template, or a major version of one, whose published versions are all below the minimum."""
    name = template.partition("@")[0]
    hint = f"See which is the lowest: landform template usage {name}"
    return NotFound(f"Every published version of {template} is below the lowest that may be used.", hint=hint)


def none_of_major(template: str, major: int, known: Iterable[Number], drafts: Iterable[Number]) -> NotFound:
    """For a major version that the template does not have, or of which nothing is published yet."""
    numbers = sorted(known)
    if all(number.major != major for number in numbers):
        has = f"It has {', '.join(map(str, numbers))}. " if numbers else ""
        see = f"See them: landform template versions {template}"
        return NotFound(f"{template} has no major version {major}.", hint=has + see)
    newest = max((number for number in drafts if number.major == major), default=None)
    ready = f"Publish one: landform template publish {template}@{newest}"
    register = f"Register one, then publish it: landform template register {template} PATH --major {major}"
    return NotFound(f"No version of {template}@{major} is published.", hint=ready if newest else register)


def no_service(name: str, known: Iterable[str]) -> NotFound:
    """For a service name that nothing answers to."""
    return _not_found(f"There is no service {name}.", name, known, "landform service list")


def no_instance(address: Address, known: Iterable[str]) -> NotFound:
    """For an address that nothing has; `known` are addresses of its kind."""
    wanted = _spoken(str(address))
    message = f"There is no {address.kind.noun} {wanted}."
    return _not_found(message, wanted, map(_spoken, known), _LISTS[address.kind])


def no_sync(kind: str, name: str, known: Iterable[str]) -> NotFound:
    """For a template or service that follows no branch; `known` are those of its kind that do."""
    return _not_found(f"{kind.capitalize()} {name} follows no branch.", name, known, "landform sync list")


def see(address: Address) -> str:
    """What to type to see an instance, as a hint."""
    noun = _LISTS[address.kind].removesuffix(" list")
    return f"See it: {noun} show {_spoken(str(address))}"


def no_run(run_id: int) -> NotFound:
    """For a run number that was never given."""
    return NotFound(f"There is no run {run_id}.", hint="See them all: landform run list")


def no_event(number: int) -> NotFound:
    """For the number of an event that was never given, or is forgotten."""
    return NotFound(f"There is no event {number}.", hint="See them all: landform events list")


def _spoken(address: str) -> str:
    return address.partition("/")[2]


def _not_found(message: str, wanted: str, known: Iterable[str], listing: str) -> NotFound:
    near = get_close_matches(wanted, list(known), n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return NotFound(message, hint=f"{meant}See them all: {listing}")
