"""Regular expressions of schemas."""

from __future__ import annotations

import pytest

from engine.core.patterns import matches, wrong


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("b", "abc", True),
        ("^[a-z]+$", "abc", True),
        ("^[a-z]+$", "abc\n", False),
        ("^[a-z]+$", "ab\nc", False),
        (r"^\$5$", "$5", True),
        ("^[$]$", "$", True),
        (r"^\d$", "٣", False),
        ("^[]a]+$", "]a", True),
        ("^[[a]+$", "[a", True),
        (r"^[a\]$]+$", "$]", True),
        ("^[+--]+$", "+,-", True),
        ("^[--/]+$", "-./", True),
        ("^[a&&b||c~~d]+$", "&|~", True),
        (r"^(?:/[a-z]+)*$", "/a/b", True),
        ("^(a|b$)", "b", True),
    ],
)
def test_a_pattern_is_searched_with_the_meaning_of_ecma_262(pattern, text, expected):
    assert matches(pattern, text) is expected


@pytest.mark.parametrize("pattern", ["^a+$", r"^(\d{1,3}\.){3}\d{1,3}$", "^([a-z]+-)*[a-z]+$", "(a+)?", "([0-9]+){2}"])
def test_a_usual_pattern_is_accepted(pattern):
    assert wrong(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "is not a regular expression: missing ), unterminated subpattern at position 0"),
        ("[a", "is not a regular expression: unterminated character set at position 0"),
        ("a\\", "is not a regular expression: bad escape (end of pattern) at position 1"),
        ("^(a+)+$", "repeats a repetition in (a+)+, which can take forever; repeat once"),
        ("([a-z]*)*", "repeats a repetition in ([a-z]*)*, which can take forever; repeat once"),
        (r"(?:\w+){2,}", r"repeats a repetition in (?:\w+){2,}, which can take forever; repeat once"),
        ("a" * 1025, "has 1,025 characters; 1,024 are the most"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_pattern_that_cannot_be_used_is_explained(pattern, reason):
    assert wrong(pattern) == reason
