"""What `show` adds to a row of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.address import Kind
from engine.core.versions import TemplateKind

if TYPE_CHECKING:
    from engine.catalog.reads import Reads, Row


def of_instance(reads: Reads, row: Row) -> Row:
    """The row with `effective_inputs`: those that were given, and the defaults of the version for the others; and with
    `effective_tags`: its own, and those of its service and environment.
    """
    from engine.core import registered, shapes

    row = _with_effective_tags(row)
    if row["kind"] == Kind.COMPONENT:
        return {**row, "effective_inputs": row["inputs"]}
    kind = TemplateKind.ENVIRONMENT if row["kind"] == Kind.ENVIRONMENT else TemplateKind.SERVICE
    version = reads.version(f"{kind.value}/{row['template']}@{row['version']}")
    customer_managed = bool(version["facts"].get("customer_managed"))
    schema = registered.schema_of(version["schema_text"], customer_managed=customer_managed)
    inputs = schema.pipeline_type or {} if row["kind"] == Kind.PIPELINE else schema.type
    return {**row, "effective_inputs": shapes.filled(inputs, row["inputs"])}


def _with_effective_tags(row: Row) -> Row:
    from engine.core import tags

    levels = (row["environment_tags"], row["service_tags"], row["tags"])
    rest = {name: value for name, value in row.items() if name not in ("environment_tags", "service_tags")}
    return {**rest, "effective_tags": tags.merged(*filter(None, levels))}


def of_environment(reads: Reads, row: Row) -> Row:
    """As of_instance(), with all `rules`, and `inhabitants`: the service instances that live in it, as SERVICE/NAME."""
    from dataclasses import asdict

    from engine.core import rules

    inhabitants = reads.service_instances(environment=row["name"])
    names = [found["address"].partition("/")[2] for found in inhabitants]
    return {**of_instance(reads, row), "inhabitants": names, "rules": asdict(rules.from_json(row["rules"]))}
