"""What is read again from a registered version; its text passed every check at registration."""

from __future__ import annotations

from functools import lru_cache

from engine.core import located, schema
from engine.errors import Invalid


@lru_cache(maxsize=256)
def schema_of(text: str, *, customer_managed: bool) -> schema.Schema:
    """The input schema of a registered version. Raises Invalid when its text does not pass any more."""
    found, problems = schema.parse(located.parse(text, "schema/schema.yaml"), customer_managed=customer_managed)
    if found is None:
        raise Invalid("The schema of a registered version cannot be read.", problems=problems)
    return found
