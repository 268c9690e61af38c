"""Names and addresses: the one string by which an instance is known everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from engine.errors import Invalid

NAME_MAX = 100
_SHOWN_MAX = 60
_NAME = re.compile(r"[0-9A-Za-z]+[0-9A-Za-z_\-]*", re.ASCII)


class Kind(StrEnum):
    """The four kinds of instance; the value is the first part of the address."""

    ENVIRONMENT = "environment"
    SERVICE_INSTANCE = "service"
    PIPELINE = "pipeline"
    COMPONENT = "component"

    @property
    def noun(self) -> str:
        """The kind as a sentence says it."""
        return "service instance" if self is Kind.SERVICE_INSTANCE else self.value


def quoted(text: str) -> str:
    """Text from a user as a message quotes it: harmless on a terminal, and not too long."""
    return repr(text if len(text) <= _SHOWN_MAX else f"{text[:20]}...")


def check_name(name: str, noun: str = "name") -> str:
    """The name itself, when it is one (Proton's ResourceName: reference section 8.3).

    Raises Invalid otherwise; `noun` says in the message what the name is for.
    """
    if len(name) > NAME_MAX:
        raise Invalid(f"The {noun} {quoted(name)} has {len(name)} characters; {NAME_MAX} are the most.")
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"The {noun} {quoted(name)} is not a valid name.",
            hint="Names start with a letter or digit and go on with letters, digits, - and _.",
        )
    return name


@dataclass(frozen=True, order=True)
class Address:
    """`environment/prod`, `service/orders/prod`, `pipeline/orders` or `component/cache`."""

    kind: Kind
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join((self.kind.value, *self.parts))

    @property
    def name(self) -> str:
        """The last part: what the instance is called among its siblings."""
        return self.parts[-1]

    @property
    def service(self) -> str:
        """The service of a service instance or pipeline; "" for the other kinds."""
        return self.parts[0] if self.kind in (Kind.SERVICE_INSTANCE, Kind.PIPELINE) else ""


def environment(name: str) -> Address:
    """The address of an environment. Raises Invalid for a bad name."""
    return Address(Kind.ENVIRONMENT, (check_name(name, "environment name"),))


def service_instance(service: str, name: str) -> Address:
    """The address of a service instance. Raises Invalid for a bad name."""
    return Address(Kind.SERVICE_INSTANCE, (check_name(service, "service name"), check_name(name, "instance name")))


def pipeline(service: str) -> Address:
    """The address of a service's pipeline. Raises Invalid for a bad name."""
    return Address(Kind.PIPELINE, (check_name(service, "service name"),))


def component(name: str) -> Address:
    """The address of a component. Raises Invalid for a bad name."""
    return Address(Kind.COMPONENT, (check_name(name, "component name"),))


def parse(text: str) -> Address:
    """The address written as `text`, the inverse of str(). Raises Invalid when it is not one."""
    match text.split("/"):
        case [Kind.ENVIRONMENT, name]:
            return environment(name)
        case [Kind.SERVICE_INSTANCE, service, name]:
            return service_instance(service, name)
        case [Kind.PIPELINE, service]:
            return pipeline(service)
        case [Kind.COMPONENT, name]:
            return component(name)
    raise Invalid(
        f"{quoted(text)} is not an address.",
        hint="Addresses look like environment/prod, service/orders/prod, pipeline/orders or component/cache.",
    )
