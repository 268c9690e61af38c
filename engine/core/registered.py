"""What is read again from a registered version; its text passed every check at registration."""

from __future__ import annotations

from functools import lru_cache

from engine.core import located, schema
from engine.errors import Invalid

FILE = "schema/schema.yaml"


@lru_cache(maxsize=32)
def document_of(text: str) -> located.Document:
    """schema.yaml of a registered version, which knows where everything stands in it."""
    return located.parse(text, FILE)


@lru_cache(maxsize=256)
def schema_of(text: str, *, customer_managed: bool) -> schema.Schema:
    """The input schema of a registered version. Raises Invalid when its text does not pass any more."""
    found, problems = schema.parse(document_of(text), customer_managed=customer_managed)
    if found is None:
        raise Invalid("The schema of a registered version cannot be read.", problems=problems)
    return found
