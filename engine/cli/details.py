"""What `show` adds to a row of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.versions import TemplateKind

if TYPE_CHECKING:
    from engine.catalog.reads import Reads, Row


def of_instance(reads: Reads, row: Row) -> Row:
    """The row with `effective_inputs`: those that were given, and the defaults of the version for the others."""
    from engine.core import registered, shapes

    kind = TemplateKind.ENVIRONMENT if row["kind"] == TemplateKind.ENVIRONMENT else TemplateKind.SERVICE
    version = reads.version(f"{kind.value}/{row['template']}@{row['version']}")
    customer_managed = bool(version["facts"].get("customer_managed"))
    schema = registered.schema_of(version["schema_text"], customer_managed=customer_managed)
    return {**row, "effective_inputs": shapes.filled(schema.type, row["inputs"])}


def of_environment(reads: Reads, row: Row) -> Row:
    """As of_instance(), with all `rules`, and `inhabitants`: the service instances that live in it, as SERVICE/NAME."""
    from dataclasses import asdict

    from engine.core import rules

    inhabitants = reads.service_instances(environment=row["name"])
    names = [found["address"].partition("/")[2] for found in inhabitants]
    return {**of_instance(reads, row), "inhabitants": names, "rules": asdict(rules.from_json(row["rules"]))}
