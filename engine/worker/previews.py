"""What Terraform would be given, without giving it: for a live instance, or for an example made from a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.core import rendering, shapes
from engine.core.address import Address
from engine.core.bundle import Part, PartName
from engine.core.namespace import EnvironmentValues, InstanceValues, PipelineValues, ServiceValues, Upstream, Values
from engine.core.outputs import Secret
from engine.core.versions import TemplateKind
from engine.errors import NotFound
from engine.worker import values
from engine.worker.work import wanted

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.core.bundle import Facts
    from engine.core.schema import Schema
    from engine.settings import Settings
    from engine.worker.ground import Ground

EXAMPLE = "example"
"""Stands for every name that is not known before something is made."""


def of_instance(catalog: Catalog, ground: Ground, where: Address) -> dict[str, bytes]:
    """The files of an instance as it is now, secrets masked. Raises NotFound."""
    with catalog.read() as tx:
        instance = tx.instance(where)
        assert instance.id is not None
        work = wanted(tx.related(instance.id, instance.version_id), instance.inputs)
    part = work.part
    if part is None:
        raise NotFound(f"{where} has no infrastructure: its inputs are its outputs.")
    # people see references as they are, and nobody's secrets are needed for that
    work = replace(work, is_unsigned=True, references={})
    return ground.rendered(work, part, ground.values(work), masked=True)


@dataclass(frozen=True)
class Wish:
    """A bundle, and inputs for an example made from it."""

    facts: Facts
    schema: Schema
    files: Mapping[str, bytes]
    """Named from the bundle's root."""
    inputs: Mapping[str, object]
    """Without defaults."""


def of_template(
    wish: Wish, settings: Settings, environment: str | None, outputs: Mapping[str, Mapping[str, object]] | None
) -> dict[str, bytes]:
    """The files of an example made from a bundle.

    `outputs` are those of the environment, as catalog.tables.Instance has them; None writes each as `<name>`.
    Raises NotFound for a bundle without infrastructure, Invalid when its templates cannot be rendered.
    """
    is_environment = wish.facts.kind is TemplateKind.ENVIRONMENT
    part = wish.facts.part(PartName.INFRASTRUCTURE if is_environment else PartName.INSTANCE)
    if part is None:
        raise NotFound("The bundle has no infrastructure to render.")
    given = example(wish, part, settings, environment, outputs)
    request = rendering.Rendering(part, rendering.below(wish.files, part.name), given, values.owner(settings))
    return rendering.masked(request)


def example(
    wish: Wish,
    part: Part,
    settings: Settings,
    environment: str | None = None,
    outputs: Mapping[str, Mapping[str, object]] | None = None,
) -> Values:
    """The values of an example; `environment` and `outputs` as in of_template(). A pipeline's has no instances, and
    only default inputs.
    """
    if part.name is PartName.PIPELINE:
        return PipelineValues(EXAMPLE, ServiceValues(EXAMPLE), shapes.filled(wish.schema.pipeline_type or {}, {}))
    complete = shapes.filled(wish.schema.type, wish.inputs)
    if wish.facts.kind is TemplateKind.ENVIRONMENT:
        return EnvironmentValues(EXAMPLE, EXAMPLE, complete)
    known = _placeholders(part) if outputs is None else _shown(outputs)
    upstream = Upstream(environment or EXAMPLE, settings.account_id, known)
    return InstanceValues(EXAMPLE, EXAMPLE, ServiceValues(EXAMPLE), upstream, complete)


def _placeholders(part: Part) -> dict[str, object]:
    return {name: f"<{name}>" for name in sorted(part.environment_outputs_used())}


def _shown(outputs: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    return {name: Secret("") if output["sensitive"] else output["value"] for name, output in outputs.items()}
