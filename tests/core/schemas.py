"""Schemas and values for tests: written out, and made up by Hypothesis."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from engine.core import schema, values
from engine.core.located import Document, Json, parse
from engine.core.shapes import complete
from engine.core.versions import TemplateKind

# a busy machine is no reason to fail, nor is a pair of schemas that few values fit
PROPERTY = settings(deadline=None, max_examples=100, database=None, suppress_health_check=list(HealthCheck))
EMPTY = Document("spec.yaml", {})

printable = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | printable
    | st.sampled_from(["", "NO", "1e5", "007", "0x1F", "~", "null", "2020-01-01", " a ", "a\nb\n", "- a", "a: b", "#"])
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(printable, inner, max_size=3), max_leaves=8
)
inputs = st.dictionaries(printable, json_values, max_size=4)
names = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z_-]{0,8}", fullmatch=True)


def service_schema(types: str, pipeline: str = "") -> schema.Schema:
    """The schema of a service template with the input type `Inputs` in the YAML `types`."""
    found, problems = schema.parse(parse(schema_text(types, pipeline), "schema.yaml"), customer_managed=False)
    assert found is not None, problems
    return found


def schema_text(types: str, pipeline: str = "") -> str:
    """schema.yaml of a service template; line 5 is the first of `types`."""
    lines = [f"    {line}" for line in types.strip("\n").split("\n")]
    pipelines = [f"  pipeline_input_type: {pipeline}"] if pipeline else []
    head = ["schema:", '  format: {openapi: "3.0.0"}', "  service_input_type: Inputs"]
    return "\n".join([*head, "  types:", *lines, *pipelines, ""])


def of(type: Json) -> schema.Schema:
    """A schema with these inputs."""
    return schema.Schema(TemplateKind.SERVICE, {"type": "object", **type}, "Inputs")


def takes(type: Json, value: Json) -> bool:
    """Whether a template with that input type takes the inputs."""
    return values.check(type, value, ("spec",), EMPTY) == []


def sometimes(**keywords: st.SearchStrategy[object]) -> st.SearchStrategy[Json]:
    """Any selection of the keywords."""
    return st.fixed_dictionaries({}, optional=keywords)


small = st.integers(0, 4)
texts = st.text("ab1", max_size=3)
_strings = st.builds(
    lambda keywords: {"type": "string", **keywords},
    sometimes(
        minLength=small,
        maxLength=small,
        pattern=st.sampled_from(["a", "^a", "b$"]),
        enum=st.lists(texts, min_size=1, max_size=3),
        nullable=st.booleans(),
    ),
)
_numbers = st.builds(
    lambda kind, keywords: {"type": kind, **keywords},
    st.sampled_from(["number", "integer"]),
    sometimes(
        minimum=small,
        maximum=small,
        exclusiveMinimum=st.booleans(),
        exclusiveMaximum=st.booleans(),
        multipleOf=st.sampled_from([1, 2, 0.5]),
        nullable=st.booleans(),
    ),
)
_simple = _strings | _numbers | st.just({"type": "boolean"}) | st.just({})


def _arrays(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    keywords = sometimes(items=inner, minItems=small, maxItems=small, uniqueItems=st.booleans())
    return keywords.map(lambda keywords: {"type": "array", **keywords})


def objects(inner: st.SearchStrategy[Json], *, plain: bool = False) -> st.SearchStrategy[Json]:
    """Object types whose members are of the `inner` types."""
    members = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    seldom = st.fixed_dictionaries({"properties": members, "required": st.lists(st.sampled_from("abc"), unique=True)})
    keywords = sometimes(
        properties=members,
        required=st.lists(st.sampled_from("abc"), unique=True, max_size=2),
        additionalProperties=st.booleans() | inner,
        minProperties=small,
        maxProperties=small,
        allOf=st.lists(seldom, min_size=1, max_size=2),
        anyOf=st.lists(inner, min_size=1, max_size=2),
    )
    some = sometimes(properties=members, required=st.lists(st.sampled_from("abc"), unique=True, max_size=1))
    return (some if plain else some | keywords).map(lambda keywords: {"type": "object", **keywords})


@st.composite
def _with_default(draw: st.DrawFn, inner: st.SearchStrategy[Json]) -> Json:
    type = draw(inner)
    value = draw(value_of(type))
    if draw(st.booleans()) and not list(values.violations(type, complete(type, value))):
        return {**type, "default": value}
    return type


types = st.recursive(_simple, lambda inner: _arrays(inner) | objects(_with_default(inner)), max_leaves=4)
input_types = objects(_with_default(types))


@st.composite
def value_of(draw: st.DrawFn, type: Json) -> object:
    """A value that often fits the type."""
    kind = type.get("type", draw(st.sampled_from(["string", "integer", "object", "array", "boolean"])))
    if "enum" in type:
        return draw(st.sampled_from(type["enum"]))
    if kind == "object":
        known = {**type.get("properties", {}), **{name: {} for name in draw(st.sets(st.sampled_from("abcd")))}}
        chosen = draw(st.lists(st.sampled_from(sorted(known)), unique=True)) if known else []
        return {name: draw(value_of(type.get("properties", {}).get(name, {}))) for name in chosen}
    if kind == "array":
        return draw(st.lists(value_of(type.get("items", {})), max_size=3))
    basic = {"string": texts, "boolean": st.booleans(), "integer": st.integers(-1, 5)}
    return draw(basic.get(kind, st.integers(-1, 5) | st.sampled_from([0.5, 1.0])))


@st.composite
def changed(draw: st.DrawFn, type: Json) -> Json:
    """The type with a few changes, anywhere in it."""
    result = dict(type)
    for key in draw(st.lists(st.sampled_from(sorted(type)), max_size=2, unique=True)) if type else ():
        if key == "properties" and type[key]:
            name = draw(st.sampled_from(sorted(type[key])))
            result[key] = {**type[key], name: draw(changed(type[key][name]))}
        elif key == "items":
            result[key] = draw(changed(type[key]))
        elif key != "type":
            result.pop(key)
    if draw(st.booleans()) and type.get("type") == "object":
        result["properties"] = {
            **result.get("properties", {}),
            draw(st.sampled_from("bcd")): draw(_with_default(_simple)),
        }
    return result
