"""Runs migrations on the connection that engine/catalog/schema.py hands over; Alembic loads this file by its path."""

from __future__ import annotations

from alembic import context

from engine.catalog.metadata import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    # SQLite can undo DDL too, though Alembic does not assume so: an upgrade that dies half-way leaves nothing
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
