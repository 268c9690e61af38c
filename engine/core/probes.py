"""What an instance is asked whether it is well, and at which address: nothing secret, and nothing that a bundle chose
beyond the place that was left to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from engine.core.address import quoted
from engine.core.campaigns import Health
from engine.core.nearest import did_you_mean
from engine.core.outputs import output_text
from engine.errors import Invalid, Problem

_NAME = re.compile(r"\{([A-Za-z0-9_-]{1,256})\}", re.ASCII)
_URL = re.compile(
    r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?([/?][!\x22\x24-~]*)?",
    re.ASCII,
)
_ORIGIN = re.compile(r"https?://[^/?#]*", re.ASCII)
_CREDENTIALS = re.compile(r"[A-Za-z]*://[^/?#]*@")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)
_RESERVED = re.compile(rb"[^A-Za-z0-9._~-]")
_LONGEST_S = 86_400


def problems(health: Health) -> Iterator[Problem]:
    """What is wrong with the way to ask that somebody has typed."""
    if health.command and not health.command[0]:
        yield Problem("--health-command", 0, "", "names no program.")
    elif health.command and "/" in health.command[0] and not health.command[0].startswith("/"):
        message = (
            f"{quoted(health.command[0])} must begin with /, or be found on the PATH: it is not started from here."
        )
        yield Problem("--health-command", 0, "", message)
    if health.url and (wrong := _wrong_template(health.url)):
        yield Problem("--health-url", 0, "", wrong)
    if not 0 < health.timeout_s <= _LONGEST_S:
        yield Problem("--health-timeout", 0, "", f"must be from 1s to {_LONGEST_S // 3600}h.")


def open_outputs(outputs: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Name -> value of those outputs that are not sensitive; `outputs` as the catalog has them."""
    return {name: output.get("value") for name, output in outputs.items() if not output["sensitive"]}


def filled(template: str, outputs: Mapping[str, Mapping[str, object]]) -> str:
    """The address with the values of outputs in it; `outputs` as the catalog has them.

    A value may be the whole beginning of an address where the template begins with it, else a host or a part of the
    path. Raises Invalid when an output is not there, is sensitive, or does not fit its place.
    """
    origin = _ORIGIN.match(template)
    end_of_host = origin.end() if origin else 1

    def value(match: re.Match[str]) -> str:
        text = _text(match[1], outputs)
        if match.start() >= end_of_host:
            return _escaped(text)
        if match.start() and not _HOST.fullmatch(text):
            raise Invalid(f"output {match[1]} is no host: {quoted(text)}")
        return text

    url = _NAME.sub(value, template)
    if not _is_url(url):
        raise Invalid(f"{quoted(url)} is not an address that begins with http:// or https://, without credentials")
    return url


def _escaped(text: str) -> str:
    """The text as a part of a path or of a query: nothing in it divides or ends that."""
    return _RESERVED.sub(lambda found: b"%%%02X" % found[0][0], text.encode(errors="replace")).decode()


def _is_url(text: str) -> bool:
    found = _URL.fullmatch(text)
    return found is not None and int(found["port"] or 0) < 2**16


def _text(name: str, outputs: Mapping[str, Mapping[str, object]]) -> str:
    if name not in outputs:
        raise Invalid(f"there is no output {name}.{did_you_mean(name, outputs)}")
    if outputs[name]["sensitive"]:
        raise Invalid(f"output {name} is sensitive: a health check may not use it")
    value = outputs[name].get("value")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid(f"output {name} is neither a text nor a number")
    return output_text(value)


def _wrong_template(template: str) -> str:
    """What is wrong with an address to be filled; "" when nothing is."""
    if _CREDENTIALS.match(template):
        return "must not have credentials in it: it is kept, and shown to others."
    if not template.startswith(("http://", "https://", "{")):
        return f"{quoted(template)} must begin with http://, https:// or {{output}}."
    plain = _NAME.sub("x", template if not template.startswith("{") else f"http://{template}")
    if "{" in plain or "}" in plain:
        return f"{quoted(template)} has braces that are no {{output}}."
    if not _is_url(plain):
        return f"{quoted(template)} is not an address: no spaces and no # are allowed."
    return ""
