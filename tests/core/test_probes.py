from __future__ import annotations

import pytest

from engine.core import probes
from engine.core.campaigns import Health
from engine.errors import Invalid

OUTPUTS: dict[str, dict[str, object]] = {
    "host": {"sensitive": False, "value": "orders.internal:8080"},
    "url": {"sensitive": False, "value": "https://orders.example.com/base"},
    "name": {"sensitive": False, "value": "../a b?c=d&e"},
    "port": {"sensitive": False, "value": 8080},
    "list": {"sensitive": False, "value": ["a"]},
    "evil": {"sensitive": False, "value": "me@169.254.169.254/latest"},
    "file": {"sensitive": False, "value": "file:///etc/passwd"},
    "token": {"sensitive": True},
}


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("http://x/health", "http://x/health"),
        ("http://{host}/health", "http://orders.internal:8080/health"),
        ("http://x:{port}", "http://x:8080"),
        ("{url}/health?of={name}", "https://orders.example.com/base/health?of=..%2Fa%20b%3Fc%3Dd%26e"),
        ("http://x/{name}", "http://x/..%2Fa%20b%3Fc%3Dd%26e"),
    ],
)
def test_outputs_fill_the_places_that_were_left_to_them(template: str, url: str) -> None:
    assert probes.filled(template, OUTPUTS) == url


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("http://x/{token}", "output token is sensitive: a health check may not use it"),
        ("http://{hots}/", 'there is no output hots. Did you mean "host"?'),
        ("http://x/{list}", "output list is neither a text nor a number"),
        ("http://{evil}/", "output evil is no host: 'me@169.254.169.254/latest'"),
        (
            "{file}",
            "'file:///etc/passwd' is not an address that begins with http:// or https://, without credentials",
        ),
    ],
)
def test_an_output_that_does_not_fit_is_refused(template: str, why: str) -> None:
    with pytest.raises(Invalid) as raised:
        probes.filled(template, OUTPUTS)

    assert raised.value.message == why


def test_what_was_typed_wrong_is_said_before_anything_begins() -> None:
    bad = [
        Health(url="ftp://x/"),
        Health(url="http://{a b}/"),
        Health(url="http://me:pw@x/"),
        Health(url="http://x:99999/"),
        Health(command=("",)),
        Health(command=("./probe", "-v")),
        Health(timeout_s=0),
    ]

    assert [str(problem) for health in bad for problem in probes.problems(health)] == [
        "--health-url: 'ftp://x/' must begin with http://, https:// or {output}.",
        "--health-url: 'http://{a b}/' has braces that are no {output}.",
        "--health-url: must not have credentials in it: it is kept, and shown to others.",
        "--health-url: 'http://x:99999/' is not an address: no spaces and no # are allowed.",
        "--health-command: names no program.",
        "--health-command: './probe' must begin with /, or be found on the PATH: it is not started from here.",
        "--health-timeout: must be from 1s to 24h.",
    ]
    assert not list(probes.problems(Health(("check", "-v"), "{url}/health")))
