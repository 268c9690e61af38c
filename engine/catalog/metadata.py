"""All tables of the catalog, whichever module declares them."""

from __future__ import annotations

from sqlmodel import SQLModel

from engine.catalog import fleet_tables, outside_tables, tables, worker_tables

DECLARED_IN = (tables, fleet_tables, outside_tables, worker_tables)
METADATA = SQLModel.metadata
TABLES = METADATA.tables
"""Name -> table, as declared by those modules."""
