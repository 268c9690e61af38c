"""Stand-ins for outputs that are not there yet."""

from __future__ import annotations

import pytest

from engine.core.placeholders import Placeholder, placeholders


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("string", "<vpc>"),
        ("number", 1),
        ("bool", True),
        ("dynamic", "<vpc>"),
        (["list", "string"], ["<vpc>"]),
        (["set", "number"], [1]),
        (["map", "string"], {"<vpc>": "<vpc>"}),
        (["tuple", ["string", "bool"]], ["<vpc.0>", True]),
        (["object", {"id": "string", "zones": ["list", "string"]}], {"id": "<vpc.id>", "zones": ["<vpc.zones>"]}),
        (["future", "string"], "<vpc>"),
    ],
)
def test_a_placeholder_has_the_type_of_what_it_stands_for(type: object, value: object) -> None:
    assert Placeholder("vpc", type).value == value


def test_an_output_of_which_nothing_is_known_is_a_text() -> None:
    assert placeholders(["b", "a", "b"], {"b": "number"}) == (Placeholder("a", "string"), Placeholder("b", "number"))
