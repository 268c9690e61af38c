"""YAML documents with lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.located import Document, decode, dotted, dump, parse, parse_bytes, shown, undotted
from engine.errors import Invalid
from tests.core.schemas import PROPERTY, json_values

SPEC = """\
proton: ServiceSpec

instances:
  - name: web   # the first
    spec:
      port: 80
      tags: [a,
             b]
  - {name: api}
"""


def refused(text: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        parse(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_every_value_knows_its_line():
    document = parse(SPEC, "spec.yaml")

    assert document.line(("proton",)) == 1
    assert document.line(("instances",)) == 3
    assert document.line(("instances", 0)) == 4
    assert document.line(("instances", 0, "spec")) == 5
    assert document.line(("instances", 0, "spec", "port")) == 6
    assert document.line(("instances", 0, "spec", "tags", 1)) == 8
    assert document.line(("instances", 1, "name")) == 9


def test_a_place_that_is_not_there_has_the_line_of_what_is_around_it():
    assert parse(SPEC, "spec.yaml").line(("instances", 0, "spec", "image", "tag")) == 5


def test_a_value_without_a_document_has_no_line():
    assert Document("--set", {"port": 1}).line(("port",)) == 0


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~", "null"])
def test_an_empty_document_is_null(text):
    assert parse(text, "f.yaml").value is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("80", 80),
        ("-7", -7),
        ("1.50", 1.5),
        ("2e3", 2000.0),
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("2020-01-01", "2020-01-01"),
        ("12:30", "12:30"),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("+49", "+49"),
        ("1.2.3", "1.2.3"),
        ('"80"', "80"),
        ("'true'", "true"),
        ("!!str 80", "80"),
        ("!!float 80", 80.0),
        ('!!int "80"', 80),
        ("! 80", "80"),
        ("|\n  a\n  b\n", "a\nb\n"),
    ],
)
def test_scalars_are_read_as_in_yaml_1_2(text, value):
    found = parse(f"x: {text}", "f.yaml").value["x"]

    assert found == value
    assert type(found) is type(value)


def test_an_alias_is_written_out_and_leads_to_the_lines_of_its_anchor():
    document = parse("a: &x\n  port: 1\nb: *x\nc: [*x]\n", "f.yaml")

    assert document.value == {"a": {"port": 1}, "b": {"port": 1}, "c": [{"port": 1}]}
    assert document.line(("b",)) == 3
    assert document.line(("b", "port")) == 2
    assert document.line(("c", 0, "port")) == 2


def test_two_uses_of_an_anchor_are_two_values():
    value = parse("a: &x {port: 1}\nb: *x\n", "f.yaml").value

    assert value["a"] is not value["b"]


def test_a_byte_order_mark_is_tolerated():
    assert parse_bytes(b"\xef\xbb\xbfa: 1\n", "f.yaml").value == {"a": 1}
    assert parse("\ufeffa: 1\n", "f.yaml").value == {"a": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: is given twice, in line 1 and in line 3."),
        ("a: !foo 1", 'f.yaml:1: a: The tag "!foo" does not fit this value or is not a standard one.'),
        ("a: !!binary eA==", 'f.yaml:1: a: The tag "!!binary" does not fit this value or is not a standard one.'),
        ("a: !!int x", 'f.yaml:1: a: The tag "!!int" does not fit this value or is not a standard one.'),
        ("a: !!set {x}", 'f.yaml:1: a: The tag "!!set" does not fit this value or is not a standard one.'),
        ("a: !!python/object/apply:os.system [ls]", None),
        ("1: a", "f.yaml:1: The key 1 is not text."),
        ("x:\n  true: a", "f.yaml:2: x: The key true is not text."),
        ("? [a]\n: b", 'f.yaml:1: The key ["a"] is not text.'),
        ("<<: {a: 1}", "f.yaml:1: Merge keys (<<) are not supported."),
        ("a: .inf", "f.yaml:1: a: .inf is not a finite number."),
        ("a: .NaN", "f.yaml:1: a: .NaN is not a finite number."),
        ("a: 1e999", "f.yaml:1: a: 1e999 is not a finite number."),
        ("a: " + "9" * 5000, f'f.yaml:1: a: "{"9" * 57}..." is a number with too many digits.'),
        ("a: *x", "f.yaml:1: a: The alias *x stands for nothing."),
        ("a: &x\n  - *x", "f.yaml:2: a[0]: The alias *x contains itself."),
        ("a: 1\n---\nb: 2", "f.yaml:2: A second document begins here; one is expected."),
        ("a: 1\nb: \x07", "f.yaml:2: The character U+0007 is not allowed."),
        ("a: \x00", "f.yaml:1: The character U+0000 is not allowed."),
        ('a: "\\0"', "f.yaml:1: a: The character U+0000 is not allowed."),
        ('a: "\\ud800"', "f.yaml:1: a: The character U+D800 is not allowed."),
        ('a: "\\UFFFFFFFF"', "f.yaml:1: is not YAML: a code or number is too high."),
        ("a: b: c", "f.yaml:1: A colon is not expected here."),
        ("a:\n  b: [1\nc: 2", None),
        ("[" * 50_000, "f.yaml:1: is nested more than 50 levels deep."),
        ("- " * 20_000, "f.yaml:1: is nested more than 50 levels deep."),
        ("[" + "1," * 10_000 + "1]", "f.yaml:1: holds more than 10,000 values, aliases written out."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_not_a_document_of_ours_is_refused_with_its_line(text, problem):
    problems = refused(text)

    assert problem in (*problems, None)


def test_all_flaws_are_reported_at_once():
    assert refused("a: .inf\na: 1\n1: x\n") == [
        "f.yaml:1: a: .inf is not a finite number.",
        "f.yaml:2: a: is given twice, in line 1 and in line 2.",
        "f.yaml:3: The key 1 is not text.",
    ]


def test_a_tab_gets_a_hint():
    with pytest.raises(Invalid) as caught:
        parse("a:\n\t- b", "f.yaml")

    assert [problem.hint for problem in caught.value.problems] == ["Indent with spaces, not with tabs."]


def test_a_bomb_of_aliases_is_refused():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{inner}'] * 10)}]\n" for inner, name in zip("abcdefg", "bcdefgh", strict=True)
    )

    assert refused(bomb) == ["f.yaml:4: holds more than 10,000 values, aliases written out."]


def test_a_chain_of_aliases_may_not_lead_too_deep():
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60))

    assert refused(chain) == ["f.yaml:50: is nested more than 50 levels deep."]


def test_another_encoding_is_refused_with_its_line():
    with pytest.raises(Invalid) as caught:
        parse_bytes(b"a: 1\nb: \xe9\n", "f.yaml")

    assert [str(problem) for problem in caught.value.problems] == ["f.yaml:2: is not UTF-8 text."]


def test_a_huge_text_is_refused():
    assert refused("#" * (2 * 1024 * 1024 + 1)) == ["f.yaml: has 2,097,153 characters; 2,097,152 are the most."]


def test_text_is_decoded_without_its_mark():
    assert decode(b"\xef\xbb\xbfa", "f.yaml") == "a"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("instances", 0, "spec", "port"), "instances[0].spec.port"),
        (("labels", "app.io/x"), 'labels["app.io/x"]'),
        (("a b", "c"), '["a b"].c'),
    ],
)
def test_a_place_is_written_with_dots(path, text):
    assert dotted(path) == text
    assert undotted(text) == path


@pytest.mark.parametrize("text", [".a", "a..b", "a.", "a b", "a[x]", 'a["x]', "[1", "é"])
def test_what_is_not_a_place_is_refused(text):
    with pytest.raises(Invalid):
        undotted(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", '"x"'), (80, "80"), (True, "true"), (None, "null"), ("a" * 61, '"' + "a" * 57 + '..."'), ([1], "[1]")],
)
def test_values_are_shown_briefly(value, text):
    assert shown(value) == text


def test_a_shown_value_holds_nothing_that_moves_the_cursor():
    assert shown("\x1b[2J\u202e") == '"\\u001b[2J\\u202e"'


@PROPERTY
@given(st.lists(st.text() | st.integers(0, 999), max_size=5))
def test_undotted_reads_what_dotted_wrote(steps):
    assert undotted(dotted(tuple(steps))) == tuple(steps)


@PROPERTY
@given(json_values)
def test_what_is_dumped_reads_back_the_same(value):
    found = parse(dump(value), "f.yaml").value

    assert repr(found) == repr(value)


INDICATORS = list("a:-&*!%?|>'\"#,[]{}\n \t\\\x85")
WORDS = ["&x", "*x", "!!int", "<<", "---", "...", "%YAML", "\\U", "1"]
yaml_pieces = st.lists(st.sampled_from([*INDICATORS, *WORDS]) | st.text(max_size=2), max_size=25).map("".join)


def read(parsed, given):
    """The document, or the problems with it."""
    try:
        return parsed(given, "f.yaml")
    except Invalid as error:
        return error.problems


@PROPERTY
@given(st.text() | yaml_pieces)
def test_no_text_raises_anything_but_invalid(text):
    assert read(parse, text) != ()


@PROPERTY
@given(st.binary())
def test_no_bytes_raise_anything_but_invalid(raw):
    assert read(parse_bytes, raw) != ()
