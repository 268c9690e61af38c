"""How secrets are taken out of what Terraform says."""

from __future__ import annotations

import json
import random
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from time import process_time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.outputs import MASK
from engine.external.lines import Lines, clean
from engine.terraform.trees import tidied
from engine.worker import disguises
from engine.worker.redaction import Redaction

SECRETS = st.text(st.characters(exclude_categories=("Cs",)), min_size=8).filter(
    lambda text: text not in MASK + "@message"
)


def go_json(value: object) -> str:
    """JSON as Go writes it."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@settings(deadline=None)
@given(SECRETS)
def test_no_secret_is_left_in_a_line_of_the_stream(secret: str) -> None:
    line = go_json({"@message": f"before {secret} after", "hook": {"resources": [secret]}})

    found = json.loads(Redaction([secret]).line(line))

    assert secret not in found["@message"]
    assert secret not in found["hook"]["resources"][0]


@settings(deadline=None)
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


@pytest.mark.parametrize(
    "value", ["https://0123456789@host", ["a", "0123456789"], {"deep": {"er": ["0123456789"]}}, {"0123456789": 1}]
)
def test_a_value_that_holds_a_secret_is_known(value: object) -> None:
    assert Redaction(["0123456789"]).hides(value)


@pytest.mark.parametrize("value", [123456789, None, True, "other", []])
def test_a_value_that_holds_none_is_known_too(value: object) -> None:
    assert not Redaction(["0123456789"]).hides(value)


@pytest.mark.parametrize("text", ["cDQkJHcwcmQvISM=", "p4%24%24w0rd%2F%21%23"])
def test_a_secret_is_found_in_base64_and_in_urls(text: str) -> None:
    assert Redaction(["p4$$w0rd/!#"]).text(f"https://u:{text}@host/").count(MASK) == 1


ANY_SECRET = st.one_of(
    SECRETS,
    st.text(string.printable, min_size=8, max_size=100),
    st.lists(st.text(string.ascii_letters + "+/=", min_size=8, max_size=64), min_size=2, max_size=8).map("\n".join),
    st.dictionaries(st.text(max_size=8), SECRETS, min_size=1, max_size=4).map(json.dumps),
    st.text(string.ascii_letters, min_size=1, max_size=64).map(lambda part: part + "-0123456789" * 1000),
)
WAYS: dict[str, Callable[[str], str]] = {
    "as it stands": str,
    "in JSON": lambda secret: json.dumps(secret)[1:-1],
    "in JSON as Go writes it": lambda secret: go_json(secret)[1:-1],
    "in JSON in JSON": lambda secret: go_json(go_json(secret))[3:-3],
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a form": quote_plus,
    "in a path": quote,
    "in hex": lambda secret: secret.encode().hex(),
    "in capital hex": lambda secret: secret.encode().hex().upper(),
    "in base64": lambda secret: b64encode(secret.encode()).decode(),
    "in base64 for URLs": lambda secret: urlsafe_b64encode(secret.encode()).decode(),
    "in base64 behind a byte": lambda secret: b64encode(b":" + secret.encode()).decode(),
    "in base64 behind two bytes": lambda secret: b64encode(b"u:" + secret.encode() + b"@").decode(),
}


def core(written: str, way: str) -> str:
    """What of an encoded text must be gone: in base64, the first and last characters belong to its neighbours too."""
    return written.rstrip("=")[4:-4] if "base64" in way else written


@settings(deadline=None)
@given(ANY_SECRET.filter(lambda secret: len(clean(secret)) >= 8), st.sampled_from(sorted(WAYS)), st.data())
def test_no_secret_survives_in_any_disguise(secret: str, way: str, data: st.DataObject) -> None:
    written = WAYS[way](secret)
    shown = f"before[{written}]after"
    line = data.draw(st.sampled_from([shown, go_json({"@message": shown, "type": "log"})]))

    found = Redaction(["another one", secret]).line(tidied(line)).replace(MASK, "\0")

    assert len(core(written, way)) < 4 or clean(core(written, way)) not in found
    assert clean(secret) not in found


@settings(deadline=None)
@given(st.text(string.printable, min_size=8, max_size=200), st.integers(0, 250))
def test_no_secret_survives_where_the_output_is_read_in_two_parts(secret: str, cut: int) -> None:
    stream = f"before {secret} after\n".encode()
    lines = Lines()
    redaction = Redaction([secret])

    found = "\n".join(
        redaction.line(tidied(line)) for part in (stream[:cut], stream[cut:]) for line in lines.feed(part)
    ).replace(MASK, "\0")

    assert all(len(line) < 8 or line not in found for line in clean(secret).splitlines())


@given(
    st.text(string.ascii_letters, min_size=8),
    st.sampled_from(["\x1b[0m", "\x9b31m", "\u202e", "\x00", "\x1b]8;;x\x07"]),
)
def test_no_secret_survives_that_a_terminal_would_put_together(secret: str, sequence: str) -> None:
    torn = sequence.join((secret[:4], secret[4:]))

    found = Redaction([secret]).line(tidied(json.dumps({"@message": torn})))

    assert json.loads(found)["@message"] == MASK


def test_a_number_that_is_a_secret_is_masked() -> None:
    assert Redaction(["1234567890"]).value({"port": 80, "pin": 1234567890}) == {"port": 80, "pin": MASK}


def test_a_secret_that_stands_unfolded_is_masked_as_a_whole() -> None:
    secret = '{"pin":1234,"user":"ana"}'

    found = Redaction([secret]).value({"outputs": {"login": {"pin": 1234, "user": "ana"}, "port": 80}})

    assert found == {"outputs": {"login": MASK, "port": 80}}


@pytest.mark.parametrize("secret", ["true", "false", "null"])
def test_what_stands_everywhere_cannot_be_secret(secret: str) -> None:
    line = json.dumps({"sensitive": True, "value": None, "changed": False})

    assert Redaction([secret]).line(line) is line


def test_a_short_secret_leaves_the_words_of_terraform_alone() -> None:
    line = '{"@message":"a type of it","type":"outputs","line":8080}'

    found = json.loads(Redaction(["type", "8080"]).line(line))

    assert found == {"@message": f"a {MASK} of it", "type": "outputs", "line": 8080}


def test_secrets_that_overlap_are_masked_as_one() -> None:
    assert Redaction(["abcdefgh", "efghijkl"]).text("<abcdefghijkl>") == f"<{MASK}>"


def test_base64_that_is_broken_into_lines_is_masked_but_for_its_edges() -> None:
    secret = "".join(random.Random(1).choices(string.ascii_letters, k=300))
    encoded = b64encode(secret.encode()).decode()
    redaction = Redaction([secret])

    lines = [redaction.text(encoded[start : start + 76]) for start in range(0, len(encoded), 76)]

    assert max(len(line.replace(MASK, "")) for line in lines) <= 48


def test_a_line_that_was_cut_does_not_end_with_the_beginning_of_a_secret() -> None:
    secret = "0123456789abcdef" * 4
    [line] = Lines().feed(b"x" * ((1 << 20) - 40) + secret.encode() + b"\n")

    assert secret[:8] not in Redaction([secret]).line(line)


def test_lines_nested_deeper_than_python_counts_lose_their_secrets_too() -> None:
    line = '{"a":' * 400 + '"0123456789"' + "}" * 400

    assert "0123456789" not in Redaction(["0123456789"]).line(line)


@pytest.mark.parametrize("character", ["\\", '"', "$", "%", " ", "+", "\n"])
def test_a_long_row_of_one_character_takes_no_time(character: str) -> None:
    redaction = Redaction([character * 10 + "0123456789", character + "a" * 8])
    began = process_time()

    redaction.line(character * 200_000)

    assert process_time() - began < 5


def test_secrets_are_many_and_long_and_ready_in_no_time() -> None:
    chance = random.Random(1)
    key = "\n".join("".join(chance.choices(string.ascii_letters, k=64)) for _ in range(2000))
    began = process_time()

    found = Redaction([key, "x" * 100_000]).text(f"<{key}>")

    assert (found, process_time() - began < 5) == (f"<{MASK}>", True)


@given(st.text(min_size=4, max_size=60))
def test_no_code_is_shorter_than_the_shortest(secret: str) -> None:
    found = [head + rest for head, rest in disguises.encoded_ways(secret)]

    assert min(map(len, found)) >= disguises.shortest_code(secret)
