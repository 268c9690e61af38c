"""The grammar of `.template-registration.yaml` and the older `.compatible-envs` (reference section 1.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.core import located
from engine.core.address import NAME_MAX
from engine.core.located import Document, Path
from engine.core.nearest import did_you_mean
from engine.errors import Invalid, Problem, Severity

NAME = ".template-registration.yaml"
LEGACY_NAME = ".compatible-envs"
MISSING = "registration/missing"
_ENVIRONMENTS = "compatible_environments"
_SOURCES = "supported_component_sources"
_SOURCE = "DIRECTLY_DEFINED"
_ENTRY = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*:[1-9][0-9]{0,8}", re.ASCII)
_MOST = 10
_HINT = "Entries look like network:1, the template's name and its major version."


@dataclass(frozen=True)
class Registration:
    """What a service template says of where it may be used."""

    compatible: tuple[str, ...] = ()
    """Environment templates as `name:major`."""
    component_sources: tuple[str, ...] = ()


def parse(files: Mapping[str, bytes]) -> tuple[Registration, tuple[Problem, ...]]:
    """What the bundle's registration file says, nothing when there is none, and everything wrong with it.

    The YAML file wins over the older form.
    """
    if NAME in files:
        return _parse_yaml(files[NAME])
    if LEGACY_NAME in files:
        return _parse_lines(files[LEGACY_NAME])
    return Registration(), ()


def _parse_yaml(content: bytes) -> tuple[Registration, tuple[Problem, ...]]:
    try:
        document = located.parse_bytes(content, NAME)
    except Invalid as error:
        return Registration(), error.problems
    value = document.value
    if not isinstance(value, dict):
        hint = f"Write {_ENVIRONMENTS}: and a list of name:major below it."
        return Registration(), (document.problem((), "must be a mapping.", rule="registration/shape", hint=hint),)
    problems = tuple(_yaml_problems(document, value))
    if problems:
        return Registration(), problems
    return Registration(tuple(value[_ENVIRONMENTS]), tuple(value.get(_SOURCES) or ())), ()


def _yaml_problems(document: Document, value: Mapping[str, object]) -> Iterator[Problem]:
    known = (_ENVIRONMENTS, _SOURCES)
    for key in value:
        if key not in known:
            hint = did_you_mean(str(key), known).strip() or f"Known here: {', '.join(known)}."
            yield document.problem((key,), "is not a key of this file.", rule="registration/unknown-key", hint=hint)
    if _ENVIRONMENTS not in value:
        yield document.problem((_ENVIRONMENTS,), "is missing.", rule="registration/environments", hint=_HINT)
    else:
        yield from _environments(document, value[_ENVIRONMENTS])
    yield from _sources(document, value.get(_SOURCES))


def _environments(document: Document, given: object) -> Iterator[Problem]:
    path: Path = (_ENVIRONMENTS,)
    rule = "registration/environments"
    if not isinstance(given, list) or not given:
        yield document.problem(path, "must be a list with at least one entry.", rule=rule, hint=_HINT)
        return
    if len(given) > _MOST:
        yield document.problem(path, f"has {len(given)} entries; {_MOST} are the most.", rule=rule)
    for at, entry in enumerate(given[:_MOST]):
        wrong = wrong_entry(entry, given[:at])
        if wrong:
            yield document.problem((*path, at), wrong, rule=rule, hint=_HINT)


def unnamed() -> Problem:
    """The warning about a service template that names no environment templates; its registration may still do so."""
    message = "The bundle does not say which environment templates it runs in."
    hint = f"Write {_ENVIRONMENTS}: [NAME:MAJOR] into the file, or register it with --compatible NAME:MAJOR."
    return Problem(NAME, 0, _ENVIRONMENTS, message, MISSING, Severity.WARNING, hint)


def wrong_entry(entry: object, before: Sequence[object]) -> str:
    """What is wrong with an entry, which stands behind those `before`; "" when nothing is."""
    if not isinstance(entry, str) or not _ENTRY.fullmatch(entry) or len(entry.partition(":")[0]) > NAME_MAX:
        return f"{located.shown(entry)} does not name an environment template."
    return f"{entry} is listed twice." if entry in before else ""


def _sources(document: Document, given: object) -> Iterator[Problem]:
    rule = "registration/component-sources"
    if given is None:
        return
    if not isinstance(given, list):
        yield document.problem((_SOURCES,), "must be a list.", rule=rule, hint=f"The only source is {_SOURCE}.")
        return
    for at, source in enumerate(given[:_MOST]):
        if source != _SOURCE:
            message = f"{located.shown(source)} is not a source of components."
            yield document.problem((_SOURCES, at), message, rule=rule, hint=f"The only source is {_SOURCE}.")


def _parse_lines(content: bytes) -> tuple[Registration, tuple[Problem, ...]]:
    try:
        text = located.decode(content, LEGACY_NAME)
    except Invalid as error:
        return Registration(), error.problems
    lines = [(line, text.strip()) for line, text in enumerate(text.splitlines(), start=1) if text.strip()]
    entries: list[object] = [entry for _, entry in lines[:_MOST]]
    rule = "registration/environments"
    problems = [
        Problem(LEGACY_NAME, line, "", wrong, rule, hint=_HINT)
        for at, (line, entry) in enumerate(lines[:_MOST])
        if (wrong := wrong_entry(entry, entries[:at]))
    ]
    if not 1 <= len(lines) <= _MOST:
        message = f"must list 1 to {_MOST} environment templates; it lists {len(lines)}."
        problems.append(Problem(LEGACY_NAME, 0, "", message, rule, hint=_HINT))
    return (Registration() if problems else Registration(tuple(map(str, entries)))), tuple(problems)
