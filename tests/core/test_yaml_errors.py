"""Texts that are no YAML: what is said of each, and at which line."""

from __future__ import annotations

import pytest

from engine.core import located
from engine.errors import Invalid


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n\tb: 1\n", "f.yaml:2: A tab is not allowed here."),
        ('a: "b\nc: 2\n', "f.yaml:1: The quote opened here is never closed."),
        ("a: 1\nb: 'c", "f.yaml:2: The quote opened here is never closed."),
        ("a: [b\nc: 2\n", "f.yaml:1: The [ opened here is not closed, or a comma is missing."),
        ("a: {b: 1\n\n", "f.yaml:1: The { opened here is not closed, or a comma is missing."),
        ("a: [\n", "f.yaml:2: A value is expected here."),
        ("a: ]\n", "f.yaml:1: ] is not expected here."),
        ("a: {b, c: }}\n", "f.yaml:1: } is not expected here."),
        ("a:b\nc: 2\n", "f.yaml:2: A colon is not expected here."),
        ("a: - b\n", "f.yaml:1: A dash is not expected here."),
        ("a: *\n", "f.yaml:1: The character * begins a reference here, and the name is missing."),
        ("a: &\n", "f.yaml:1: The character & begins a name here, and the name is missing."),
        ("a: @b\n", "f.yaml:1: The character @ cannot begin a value."),
        ('a: "\\q"\n', "f.yaml:1: \\q means nothing in double quotes."),
        ("a: b\nc\n", "f.yaml:2: A colon is missing behind this."),
        ("a: 'it's'\n", "f.yaml:1: The value goes on behind its quotes."),
        ("a:\n  b: 1\n c: 2\n", "f.yaml:3: This does not fit what stands above."),
        ("- a\nb: 1\n", "f.yaml:2: This does not fit what stands above."),
        ("a: !<x\n", "f.yaml:1: is not YAML: while parsing a tag, expected '>', but found '\\n'."),
    ],
)
def test_a_mistake_in_the_syntax_is_described_where_it_would_be_mended(text: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        located.parse(text, "f.yaml")

    assert [str(problem) for problem in caught.value.problems] == [said]
