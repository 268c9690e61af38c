"""Our verdict on values is that of a validator that others wrote; only the sentences are our own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator

from engine.core import values
from engine.core.located import Json
from tests.core.schemas import PROPERTY, types, value_of


def closed(type: Json) -> Json:
    """The type for a validator that takes unknown members unless told otherwise."""
    if "allOf" in type or "anyOf" in type:
        return type
    inner = {name: closed(member) for name, member in type.get("properties", {}).items()}
    keywords = {key: closed(type[key]) for key in ("items", "additionalProperties") if isinstance(type.get(key), dict)}
    shut = {"additionalProperties": False} if "properties" in type else {}
    return {**shut, **type, **({"properties": inner} if "properties" in type else {}), **keywords}


def has_alternatives(type: Json) -> bool:
    return "allOf" in str(type) or "anyOf" in str(type)


@PROPERTY
@given(st.data())
def test_we_accept_exactly_what_another_validator_accepts(data: st.DataObject) -> None:
    type = data.draw(types.filter(lambda type: not has_alternatives(type) and "type" in type))
    value = data.draw(value_of(type))

    ours = not list(values.violations(type, value))

    assert ours == OAS30Validator(closed(type)).is_valid(value)
