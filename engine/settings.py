"""The one table of settings, and the only reader of the environment.

A value comes from the command line, else from its environment variable, else from `landform.toml` (the nearest one in
this folder or above it), else from the default.
"""

from __future__ import annotations

import getpass
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from engine.errors import Invalid, Problem

_N = TypeVar("_N", int, float)
CONFIG_FILE = "landform.toml"
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
RESERVED_ENV = frozenset(
    {
        "TF_DATA_DIR",
        "TF_IN_AUTOMATION",
        "TF_INPUT",
        "TF_WORKSPACE",
        "TF_PLUGIN_CACHE_DIR",
        "CHECKPOINT_DISABLE",
        "HOME",
        "TMPDIR",
    }
)
"""Variables Terraform is given by Landform itself; nobody else may set them."""


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    name: str
    help: str
    default: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"LANDFORM_{self.name.upper()}"


SETTINGS = (
    Setting("home", "Folder of the catalog, bundles and workspaces. Default: the platform's data folder."),
    Setting("terraform", "Terraform program to run. Default: terraform, else tofu, on PATH."),
    Setting("parallel", "Runs executed side by side. Default: the number of cores."),
    Setting("user", "Name recorded with runs and approvals. Default: the login name."),
    Setting("account_id", "Twelve digits that stand for the account in names and tags.", "000000000000"),
    Setting("region", "Region in names and tags.", "local"),
    Setting("grace_s", "Seconds Terraform gets to stop after being asked, before it is killed.", "30"),
    Setting("plan_timeout_s", "Seconds a plan may take.", "1800"),
    Setting("apply_timeout_s", "Seconds an apply may take.", "14400"),
    Setting("log_level", "DEBUG, INFO, WARNING or ERROR.", "WARNING"),
)


@dataclass(frozen=True)
class Settings:
    """All settings, read once."""

    home: Path
    terraform: str
    """Path or name of the program; "" means: look for terraform, then tofu, on PATH."""
    parallel: int
    user: str
    account_id: str
    region: str
    grace_s: float
    plan_timeout_s: float
    apply_timeout_s: float
    log_level: str
    path: str
    """PATH of the caller: where programs are looked for."""
    run_env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables for every Terraform of this home, from `[run_env]` of landform.toml."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Setting name -> where its value came from."""


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None, **flags: str | None) -> Settings:
    """The settings in force. `flags` are values from the command line, None where not given.

    Raises Invalid with every wrong value.
    """
    environ = os.environ if environ is None else environ
    file = _nearest(folder or Path.cwd())
    text = _read(file) if file else {}
    values, origins = _layered(environ, file, text, flags)
    problems: list[Problem] = []
    settings = Settings(
        home=_home(values["home"], file if origins["home"] == str(file) else None),
        terraform=values["terraform"],
        parallel=_number(values, origins, "parallel", problems, int, os.cpu_count() or 1, at_least=1),
        user=values["user"] or _login(),
        account_id=_matching(values, origins, "account_id", problems, r"\d{12}", "twelve digits"),
        region=_matching(values, origins, "region", problems, r"[a-z0-9-]+", "lower-case letters, digits and -"),
        grace_s=_number(values, origins, "grace_s", problems, float, 30.0, at_least=0),
        plan_timeout_s=_number(values, origins, "plan_timeout_s", problems, float, 1800.0, at_least=1),
        apply_timeout_s=_number(values, origins, "apply_timeout_s", problems, float, 14400.0, at_least=1),
        log_level=_matching(values, origins, "log_level", problems, "DEBUG|INFO|WARNING|ERROR", "a level"),
        path=environ.get("PATH", os.defpath),
        run_env=_run_env(text.get("run_env", {}), str(file), problems),
        origins=origins,
    )
    problems += _unknown(text, str(file))
    if problems:
        raise Invalid("The settings cannot be used:", problems=problems)
    return settings


def check_run_env(name: str, value: object) -> str:
    """What is wrong with a variable for Terraform's environment; "" when nothing is."""
    if not _ENV_NAME.fullmatch(name):
        return f"{name!r} is not the name of an environment variable."
    if name in RESERVED_ENV or name.startswith(("TF_CLI_ARGS", "LANDFORM_")):
        return f"{name} is set by Landform itself and cannot be given."
    if not isinstance(value, str) or "\0" in value:
        return f"The value of {name} is not a string."
    return ""


def _nearest(folder: Path) -> Path | None:
    candidates = (place / CONFIG_FILE for place in (folder, *folder.parents))
    return next((file for file in candidates if file.is_file()), None)


def _read(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} is not valid TOML: {error}") from error


def _layered(
    environ: Mapping[str, str], file: Path | None, text: Mapping[str, object], flags: Mapping[str, str | None]
) -> tuple[dict[str, str], dict[str, str]]:
    values, origins = {}, {}
    for setting in SETTINGS:
        layers = (
            ("command line", flags.get(setting.name)),
            (setting.variable, environ.get(setting.variable) or None),
            (str(file), text.get(setting.name)),
            ("default", setting.default),
        )
        origin, value = next((origin, value) for origin, value in layers if value is not None)
        values[setting.name], origins[setting.name] = str(value), origin
    return values, origins


def _home(value: str, file: Path | None) -> Path:
    if not value:
        import platformdirs

        return Path(platformdirs.user_data_dir("landform"))
    path = Path(value).expanduser()
    return (file.parent / path if file else path).absolute()


def _number(
    values: Mapping[str, str],
    origins: Mapping[str, str],
    name: str,
    problems: list[Problem],
    kind: Callable[[str], _N],
    default: _N,
    *,
    at_least: int,
) -> _N:
    if not values[name]:
        return default
    try:
        number = kind(values[name])
    except ValueError:
        number = None
    if number is None or not at_least <= number < 10**9:
        problems.append(Problem(origins[name], 0, name, f"{values[name]!r} is not a number from {at_least} up."))
        return default
    return number


def _matching(
    values: Mapping[str, str], origins: Mapping[str, str], name: str, problems: list[Problem], pattern: str, what: str
) -> str:
    if not re.fullmatch(pattern, values[name]):
        problems.append(Problem(origins[name], 0, name, f"{values[name]!r} is not {what}."))
    return values[name]


def _run_env(given: object, file: str, problems: list[Problem]) -> dict[str, str]:
    if not isinstance(given, dict):
        problems.append(Problem(file, 0, "run_env", 'must be a table of NAME = "value".'))
        return {}
    for name, value in given.items():
        if wrong := check_run_env(name, value):
            problems.append(Problem(file, 0, f"run_env.{name}", wrong))
    return dict(given)


def _unknown(text: Mapping[str, object], file: str) -> list[Problem]:
    known = {setting.name for setting in SETTINGS} | {"run_env"}
    return [Problem(file, 0, name, "is not a setting.") for name in text if name not in known]


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
