"""What a `.tf.json` file says: the same value as `code` has for `.tf`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from engine.bundles import hcl, strings
from engine.bundles.blocks import digest
from engine.bundles.code import (
    LABELS,
    PREFIX,
    REPEATED,
    Parsed,
    Variable,
    decoded,
    is_text_type,
    local_module,
    module_source,
    provider,
    reads,
    references,
)
from engine.bundles.names import Use
from engine.bundles.reads import in_expression
from engine.core.bundle import Moved, Output, Removed, Resource
from engine.errors import Problem

Json = Any


def parse(content: bytes, file: str) -> Parsed:
    """What a `.tf.json` file says. `file` is how its values and problems name it."""
    text = decoded(content, file)
    value = text if isinstance(text, Problem) else _loaded(text, file)
    if isinstance(value, Problem) or isinstance(text, Problem):
        problem = value if isinstance(value, Problem) else text
        return Parsed(file, problems=(problem,) if isinstance(problem, Problem) else (), is_complete=False)
    return _Reader(text, file).parsed(value)


def _loaded(text: str, file: str) -> Json | Problem:
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        return Problem(file, error.lineno, "", f"is not valid JSON: {error.msg}.", "hcl/syntax")
    except (RecursionError, ValueError):
        return Problem(file, 0, "", "is nested too deeply, or holds a number that is too long.", "hcl/syntax")
    if not isinstance(value, dict):
        return Problem(file, 1, "", "must hold one JSON object.", "hcl/syntax")
    return value


def _object(members: list[tuple[str, Json]]) -> dict[str, Json]:
    """The members by name; those of one name together in a list, as Terraform takes each for a block of its own."""
    found: dict[str, Json] = {}
    for name, value in members:
        found[name] = [found[name], value] if name in found else value
    return found


class _Reader:
    """One file; lines are found by looking for the text again, as JSON's reader forgets them."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._line = hcl.Lines(text)

    def parsed(self, value: dict[str, Json]) -> Parsed:
        used = list(self._uses(value))
        settings = list(_objects(value.get("terraform")))
        backend, arguments = next((found for setting in settings for found in _backends(setting)), ("", None))
        backend_line = self._at("cloud" if backend == "cloud" else "backend") if backend else 0
        providers = {name: text for setting in settings for name, text in _providers(setting)}
        return Parsed(
            self._file,
            reads=tuple(reads(used, self._file, self._line)),
            references=tuple(references(used, self._file, self._line)),
            outputs=tuple(self._output(name, body) for name, body in _named(value, "output", 1)),
            resources=tuple(
                self._resource(kind, prefix + name, body)
                for kind, prefix in PREFIX.items()
                for name, body in _named(value, kind, LABELS[kind])
            ),
            variables=tuple(self._variable(name, body) for name, body in _named(value, "variable", 1)),
            modules=tuple(
                call
                for name, body in _named(value, "module", 1)
                for call in local_module(name, str(body.get("source", "")), self._file, self._at(name))
            ),
            providers=providers,
            terraform=", ".join(str(given) for setting in settings if (given := setting.get("required_version"))),
            backend=backend,
            backend_line=backend_line,
            backend_digest=digest(json.dumps(arguments, sort_keys=True)) if backend else "",
            moved=tuple(self._moved(body) for body in _objects(value.get("moved"))),
            removed=tuple(self._removed(body) for body in _objects(value.get("removed"))),
            lines={
                **(
                    {"terraform": self._at("required_version")}
                    if any("required_version" in one for one in settings)
                    else {}
                ),
                **({"backend": backend_line} if backend else {}),
                **{f"provider {name}": self._at(name) for name in providers},
            },
        )

    def _resource(self, kind: str, address: str, body: dict[str, Json]) -> Resource:
        source = module_source(str(body.get("source", "")), str(body.get("version", ""))) if kind == "module" else ""
        repeated = next((name for name in REPEATED if name in body), "")
        return Resource(address, self._file, self._at(address.split(".")[-1]), source, repeated)

    def _moved(self, body: dict[str, Json]) -> Moved:
        origin, target = (_address(body.get(name)) for name in ("from", "to"))
        return Moved(origin, target, self._file, self._at(origin))

    def _removed(self, body: dict[str, Json]) -> Removed:
        keeps = any(inner.get("destroy") is False for inner in _objects(body.get("lifecycle")))
        address = _address(body.get("from"))
        return Removed(address, self._file, self._at(address), destroys=not keeps)

    def _variable(self, name: str, body: dict[str, Json]) -> Variable:
        flags = {flag: body.get(flag) is True for flag in ("sensitive", "ephemeral")}
        is_text = is_text_type(str(body.get("type", "")))
        return Variable(name, self._file, self._at(name), "default" in body, **flags, is_text=is_text)

    def _output(self, name: str, body: dict[str, Json]) -> Output:
        sensitive = body.get("sensitive") is True
        return Output(name, self._file, self._at(name), str(body.get("description", "")), sensitive)

    def _at(self, name: str) -> int:
        found = self._text.find(json.dumps(name, ensure_ascii=False) + ":")
        found = found if found >= 0 else self._text.find(json.dumps(name, ensure_ascii=False))
        return self._line(max(found, 0))

    def _uses(self, value: Json) -> Iterator[Use]:
        seen: dict[str, int] = {}
        for text in _strings(value):
            for _, expression in strings.expressions(text):
                written = json.dumps(expression, ensure_ascii=False)[1:-1]
                # equal texts stand one behind the other
                at = max(self._text.find(written, seen.get(written, 0)), 0)
                seen[written] = at + 1
                yield from (Use(at, use.path, use.guarded) for use in in_expression(expression))


def _strings(value: Json) -> Iterator[str]:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            waiting += reversed(found.values())
        elif isinstance(found, list):
            waiting += reversed(found)


def _objects(value: Json) -> Iterator[dict[str, Json]]:
    """The bodies of a block, which JSON may give as an object or as a list of objects, or of lists."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
        elif isinstance(item, list):
            waiting += reversed(item)


def _named(value: dict[str, Json], kind: str, labels: int) -> Iterator[tuple[str, dict[str, Json]]]:
    """Address (`aws_vpc.main`) and body of each block of a kind."""
    for outer in _objects(value.get(kind)):
        for name, inner in outer.items():
            if labels == 1:
                yield from ((name, body) for body in _objects(inner))
                continue
            for middle in _objects(inner):
                yield from ((f"{name}.{last}", body) for last, given in middle.items() for body in _objects(given))


def _providers(setting: dict[str, Json]) -> Iterator[tuple[str, str]]:
    for required in _objects(setting.get("required_providers")):
        for name, given in required.items():
            yield name, provider(given) if isinstance(given, dict) else str(given)


def _backends(setting: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    """Type and arguments of each backend."""
    for given in _objects(setting.get("backend")):
        yield from given.items()
    if "cloud" in setting:
        yield "cloud", setting["cloud"]


def _address(value: Json) -> str:
    """An address, which JSON may give as it is or as `${...}`."""
    text = value if isinstance(value, str) else ""
    return text.removeprefix("${").removesuffix("}").strip()
