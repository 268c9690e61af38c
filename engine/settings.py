"""The one table of settings, and the only reader of the environment.

A value comes from the command line, else from its environment variable, else from `landform.toml` (the nearest one in
this folder or above it), else from the default. An empty value counts as not given.

`[run_env]` of landform.toml is for what every Terraform of a home needs to reach the world: `HTTPS_PROXY`, `AWS_REGION`
and the like. It is no place for secrets, because the file is easily committed: name a credentials file instead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import Invalid, Problem

CONFIG_FILE = "landform.toml"
_RUN_ENV = "run_env"
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
class Form:
    """What the value of a setting looks like."""

    pattern: str
    words: str
    """The pattern, as in "'x' is not ..."."""


_TEXT = r"[^\x00-\x1f\x7f]"
PATH = Form(f"{_TEXT}+", "a path")
"""A leading ~ stands for a user's own folder."""
NAME = Form(f"{_TEXT}{{1,100}}", "a line of at most 100 characters")
COUNT = Form("[1-9][0-9]{0,2}", "a whole number from 1 to 999")
SECONDS = Form(r"[0-9]{1,8}(\.[0-9]+)?", "a number of seconds")
POSITIVE_SECONDS = Form(r"[1-9][0-9]{0,7}(\.[0-9]+)?", "a number of seconds from 1 up")
ACCOUNT = Form("[0-9]{12}", "twelve digits")
REGION = Form("[a-z0-9-]+", "made of lower-case letters, digits and -")
LEVEL = Form("DEBUG|INFO|WARNING|ERROR", "DEBUG, INFO, WARNING or ERROR")


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    name: str
    help: str
    form: Form
    default: str = ""
    """"" where the default has to be looked up; `help` says where."""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"LANDFORM_{self.name.upper()}"


SETTINGS = (
    Setting("home", "Folder of the catalog, bundles and workspaces. Default: the platform's data folder.", PATH),
    Setting("terraform", "Terraform program to run. Default: terraform, else tofu, on PATH.", PATH),
    Setting("parallel", "Runs executed side by side. Default: the number of cores.", COUNT),
    Setting("user", "Name recorded with runs and approvals. Default: the login name.", NAME),
    Setting("account_id", "Twelve digits that stand for the account in names and tags.", ACCOUNT, "000000000000"),
    Setting("region", "Region in names and tags.", REGION, "local"),
    Setting("grace_s", "Seconds Terraform gets to stop after being asked, before it is killed.", SECONDS, "30"),
    Setting("plan_timeout_s", "Seconds a plan may take.", POSITIVE_SECONDS, "1800"),
    Setting("apply_timeout_s", "Seconds an apply may take.", POSITIVE_SECONDS, "14400"),
    Setting("instances_per_service", "Instances a service may have.", COUNT, "20"),
    Setting("log_level", "DEBUG, INFO, WARNING or ERROR.", LEVEL, "WARNING"),
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
    instances_per_service: int
    log_level: str
    path: str
    """PATH of the caller: where programs are looked for."""
    run_env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables for every Terraform of this home, from `[run_env]` of landform.toml; no secrets."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Setting name -> where its value came from: `command line`, a variable, a file, or `default`."""


@dataclass(frozen=True)
class _Given:
    """The value of one setting, before anybody has looked at it."""

    value: object
    origin: str
    folder: Path
    """What a relative path is relative to."""

    @property
    def is_default(self) -> bool:
        return self.origin == "default"


@dataclass(frozen=True)
class _File:
    """The landform.toml in force; without one, an empty table."""

    path: Path
    table: Mapping[str, object] = field(default_factory=dict)


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None, **flags: str | None) -> Settings:
    """The settings in force in `folder`. `flags` are values from the command line, None where not given.

    Raises Invalid with every wrong value.
    """
    environ = os.environ if environ is None else environ
    folder = (folder or Path.cwd()).absolute()
    file = _file(folder)
    given = {setting.name: _given(setting, flags, environ, file, folder) for setting in SETTINGS}
    if problems := [*_wrong_values(given), *_wrong_run_env(file), *_unknown(file)]:
        raise Invalid("The settings cannot be used:", problems=problems)
    return _settings(given, environ, file)


def environ() -> Mapping[str, str]:
    """The caller's environment, for what is no setting of ours (`NO_COLOR`)."""
    return os.environ


def check_run_env(name: str, value: object) -> str:
    """What is wrong with a variable for Terraform's environment; "" when nothing is."""
    if not _ENV_NAME.fullmatch(name):
        return f"{name!r} is not the name of an environment variable."
    if name in RESERVED_ENV or name.startswith(("TF_CLI_ARGS", "LANDFORM_")):
        return f"{name} is set by Landform itself and cannot be given."
    if not isinstance(value, str):
        return f"The value of {name} is not a string."
    if "\0" in value:
        return f"The value of {name} has a NUL character in it."
    return ""


def _file(folder: Path) -> _File:
    candidates = (place / CONFIG_FILE for place in (folder, *folder.parents))
    # unlike Path.is_file(), this is False, not an error, where a folder above may not be looked into
    path = next((path for path in candidates if os.path.isfile(path)), None)
    return _File(path, _read(path)) if path else _File(folder / CONFIG_FILE)


def _read(path: Path) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text.", hint="Save the file as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{path} is not valid TOML: {error}") from error


def _given(
    setting: Setting, flags: Mapping[str, str | None], environ: Mapping[str, str], file: _File, folder: Path
) -> _Given:
    layers = (
        _Given(flags.get(setting.name), "command line", folder),
        _Given(environ.get(setting.variable), setting.variable, folder),
        _Given(file.table.get(setting.name), str(file.path), file.path.parent),
        _Given(setting.default, "default", folder),
    )
    return next((given for given in layers if given.value not in (None, "")), layers[-1])


def _wrong_values(given: Mapping[str, _Given]) -> Iterator[Problem]:
    for setting in SETTINGS:
        value = given[setting.name]
        if not value.is_default and (wrong := _wrong(setting, value.value)):
            yield Problem(value.origin, 0, setting.name, wrong)


def _wrong(setting: Setting, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "must be a string or a number."
    if not re.fullmatch(setting.form.pattern, str(value)):
        return f"{value!r} is not {setting.form.words}."
    if setting.form is PATH and os.path.expanduser(str(value)).startswith("~"):
        return f"{value!r} starts with a ~ that stands for no folder."
    return ""


def _wrong_run_env(file: _File) -> Iterator[Problem]:
    table = file.table.get(_RUN_ENV, {})
    if not isinstance(table, dict):
        yield Problem(str(file.path), 0, _RUN_ENV, 'must be a table of NAME = "value".')
        return
    for name, value in table.items():
        if wrong := check_run_env(name, value):
            yield Problem(str(file.path), 0, f"{_RUN_ENV}.{name}", wrong)


def _unknown(file: _File) -> Iterator[Problem]:
    known = [*(setting.name for setting in SETTINGS), _RUN_ENV]
    for name in file.table:
        if name not in known:
            yield Problem(str(file.path), 0, name, "is not a setting.", hint=_did_you_mean(name, known))


def _did_you_mean(name: str, known: list[str]) -> str:
    import difflib

    nearest = difflib.get_close_matches(name.lower(), known, n=1)
    return f'Did you mean "{nearest[0]}"?' if nearest else f"Settings are: {', '.join(known)}."


def _settings(given: Mapping[str, _Given], environ: Mapping[str, str], file: _File) -> Settings:
    text = {name: str(value.value) for name, value in given.items()}
    return Settings(
        home=_home(given["home"]),
        terraform=_program(given["terraform"]),
        parallel=int(text["parallel"] or os.cpu_count() or 1),
        user=text["user"] or _login(environ),
        account_id=text["account_id"],
        region=text["region"],
        grace_s=float(text["grace_s"]),
        plan_timeout_s=float(text["plan_timeout_s"]),
        apply_timeout_s=float(text["apply_timeout_s"]),
        instances_per_service=int(text["instances_per_service"]),
        log_level=text["log_level"],
        path=environ.get("PATH", os.defpath),
        run_env=_run_env(file),
        origins={name: value.origin for name, value in given.items()},
    )


def _home(given: _Given) -> Path:
    if given.is_default:
        import platformdirs

        return Path(platformdirs.user_data_dir("landform"))
    return _absolute(given)


def _program(given: _Given) -> str:
    """A name is left to PATH; a path is made absolute, because Terraform is started in other folders."""
    text = str(given.value)
    return str(_absolute(given)) if "/" in text else text


def _absolute(given: _Given) -> Path:
    return given.folder / Path(str(given.value)).expanduser()


def _run_env(file: _File) -> dict[str, str]:
    table = file.table.get(_RUN_ENV)
    return {name: str(value) for name, value in table.items()} if isinstance(table, dict) else {}


def _login(environ: Mapping[str, str]) -> str:
    if named := environ.get("LOGNAME") or environ.get("USER"):
        return named
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # a user id without an entry in the password file, as containers often have
        return str(os.getuid())
