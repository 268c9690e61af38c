"""How secrets are taken out of what Terraform says."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.outputs import MASK
from engine.worker.redaction import Redaction

SECRETS = st.text(st.characters(exclude_categories=("Cs",)), min_size=8).filter(lambda text: text not in MASK)


def go_json(value: object) -> str:
    """JSON as Go writes it."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@given(SECRETS)
def test_no_secret_is_left_in_a_line_of_the_stream(secret: str) -> None:
    line = go_json({"@message": f"before {secret} after", "hook": {"resources": [secret]}})

    found = json.loads(Redaction([secret]).line(line))

    assert secret not in found["@message"]
    assert secret not in found["hook"]["resources"][0]


@given(SECRETS)
def test_no_secret_is_left_in_json_inside_of_json(secret: str) -> None:
    line = go_json({"@message": go_json({"password": secret})})

    found = json.loads(Redaction([secret]).line(line))

    assert found == {"@message": '{"password": "(sensitive)"}'}


@given(st.text())
def test_without_secrets_a_line_stays_as_it_is(line: str) -> None:
    assert Redaction([]).line(line) == line


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("hush", "it is hush"),
        ("BEGIN\n0123456789\nEND", "0123456789"),
        ('{"user":"admin","password":"0123456789"}', "it is 0123456789"),
        ('["first-item","other-item"]', "an other-item here"),
        ('{"key":"first line\\nsecond line"}', "second line"),
        ("<0123456789>", "\\u003c0123456789\\u003e"),
        ('say "0123456789"', 'say \\"0123456789\\"'),
        ("${0123456789}", "$${0123456789}"),
    ],
)
def test_a_secret_is_found_whole_in_lines_and_in_members(secret: str, text: str) -> None:
    assert MASK in Redaction([secret]).text(text)


@pytest.mark.parametrize(("secret", "text"), [("abc", "abc"), ('{"user":"admin"}', "admin"), ("one\ntwo", "one")])
def test_short_words_are_left_readable(secret: str, text: str) -> None:
    assert Redaction([secret]).text(text) == text


@pytest.mark.parametrize("value", ["https://0123456789@host", ["a", "0123456789"], {"deep": {"er": ["0123456789"]}}])
def test_a_value_that_holds_a_secret_is_known(value: object) -> None:
    assert Redaction(["0123456789"]).hides(value)


@pytest.mark.parametrize("value", [123456789, None, True, "other", [], {"0123456789": "a name"}])
def test_a_value_that_holds_none_is_known_too(value: object) -> None:
    assert not Redaction(["0123456789"]).hides(value)


@pytest.mark.parametrize("text", ["cDQkJHcwcmQvISM=", "p4%24%24w0rd%2F%21%23"])
def test_a_secret_is_found_in_base64_and_in_urls(text: str) -> None:
    assert Redaction(["p4$$w0rd/!#"]).text(f"https://u:{text}@host/").count(MASK) == 1
