"""The one table of settings, and the only reader of the environment.

A value comes from the command line, else from its environment variable, else from `landform.toml` (the nearest one in
this folder or above it), else from the default. An empty value counts as not given.

`[run_env]` of landform.toml is for what every Terraform of a home needs to reach the world: `HTTPS_PROXY`, `AWS_REGION`
and the like. It is no place for secrets, because the file is easily committed: `[run_env_files]` names files that hold
them.
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
_RUN_ENV_FILES = "run_env_files"
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
CATALOG = Form(r"(sqlite|postgres(ql(\+psycopg)?)?)://\S+", "sqlite:////path or postgresql://user@host/database")
NAME = Form(f"{_TEXT}{{1,100}}", "a line of at most 100 characters")
COUNT = Form("[1-9][0-9]{0,2}", "a whole number from 1 to 999")
RETRIES = Form("[0-9]{1,2}", "a whole number from 0 to 99")
URL = Form(r"https://[!#-~]{1,2000}", "an address that begins with https://")
YES_NO = Form("yes|no|True|False", "yes or no")
"""TOML has words of its own for it, `true` and `false`, which arrive as Python's."""
SECONDS = Form(r"[0-9]{1,8}(\.[0-9]+)?", "a number of seconds")
POSITIVE_SECONDS = Form(r"[1-9][0-9]{0,7}(\.[0-9]+)?", "a number of seconds from 1 up")
ACCOUNT = Form("[0-9]{12}", "twelve digits")
CI = Form("ci|off", "ci or off")
LABELS = Form(r"[a-z0-9][a-z0-9._-]*( *, *[a-z0-9][a-z0-9._-]*)*", "a list of labels like prod,eu-1")
LIMIT = Form("[0-9]{1,3}", "a whole number from 0 to 999")
REGION = Form("[a-z0-9-]+", "made of lower-case letters, digits and -")
_S3 = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()=/-]{0,500})?"
_S3_OPTIONS = r"(\?(region|endpoint)=[^&?\s]+(&(region|endpoint)=[^&?\s]+)?)?"
STATE_STORE = Form(_S3 + _S3_OPTIONS, "s3://BUCKET/PREFIX")
BACKEND = Form(f"managed|{_S3}{_S3_OPTIONS}", "managed or s3://BUCKET/PREFIX?region=REGION")
LEVEL = Form("DEBUG|INFO|WARNING|ERROR", "DEBUG, INFO, WARNING or ERROR")
LOG_FORMAT = Form("text|json", "text or json")
TRACES = Form(r"console|https?://[!#-~]{1,2000}", "console or an address that begins with http:// or https://")


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    name: str
    help: str
    form: Form
    default: str = ""
    """"" where the default has to be looked up; `help` says where."""
    is_secret: bool = False
    """Whether there may be a password in it, so that it is never shown."""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"LANDFORM_{self.name.upper()}"


SETTINGS = (
    Setting("home", "Folder of the catalog, bundles and workspaces. Default: the platform's data folder.", PATH),
    Setting(
        "catalog",
        "URL of the catalog: postgresql://user@host/database where machines share it. Default: a file in the home.",
        CATALOG,
        is_secret=True,
    ),
    Setting("catalog_file", "File that holds the URL of the catalog, for one with a password. Default: none.", PATH),
    Setting("terraform", "Terraform program to run. Default: terraform, else tofu, on PATH.", PATH),
    Setting("parallel", "Runs executed side by side. Default: the number of cores.", COUNT),
    Setting("max_runs", "Runs executed side by side at most by all workers together; 0 means any number.", LIMIT, "0"),
    Setting("labels", "What a worker may be chosen by, as in prod,eu-1. Default: none.", LABELS),
    Setting(
        "lease_s", "Seconds a worker goes on without reaching the catalog, before it stops.", POSITIVE_SECONDS, "30"
    ),
    Setting("user", "Name recorded with runs and approvals. Default: the login name.", NAME),
    Setting("account_id", "Twelve digits that stand for the account in names and tags.", ACCOUNT, "000000000000"),
    Setting("region", "Region in names and tags.", REGION, "local"),
    Setting("grace_s", "Seconds Terraform gets to stop after being asked, before it is killed.", SECONDS, "30"),
    Setting("cool_off_s", "Seconds after run cancel from which --force kills Terraform at once.", SECONDS, "10"),
    Setting("plan_timeout_s", "Seconds a plan may take.", POSITIVE_SECONDS, "1800"),
    Setting("apply_timeout_s", "Seconds an apply may take.", POSITIVE_SECONDS, "14400"),
    Setting("plan_ttl_s", "Seconds after which a plan that was not applied is void; 0 means never.", SECONDS, "0"),
    Setting("idempotency", "Whether changes in a pipeline get a key from its variables: ci or off.", CI, "off"),
    Setting("retries", "How often an init or a plan is tried again that failed for a passing reason.", RETRIES, "3"),
    Setting(
        "provider_mirror",
        "Folder with Terraform providers, laid out as a filesystem mirror; only read. Default: none.",
        PATH,
    ),
    Setting(
        "network_mirror",
        "Address of a Terraform provider network mirror, used in place of registries. Default: none.",
        URL,
    ),
    Setting("offline", "yes: providers come from folders only, never from a network.", YES_NO, "no"),
    Setting("instances_per_service", "Instances a service may have.", COUNT, "20"),
    Setting(
        "backend",
        "Where Terraform keeps the state of new instances: managed, or s3://BUCKET/PREFIX?region=REGION.",
        BACKEND,
        "managed",
    ),
    Setting(
        "state_store",
        "Where states are kept after every apply: s3://BUCKET/PREFIX. Default: in the home, or in a shared catalog.",
        STATE_STORE,
    ),
    Setting(
        "key_file",
        "File with the secret that all machines of a shared catalog have in common. Default: key, in the home.",
        PATH,
    ),
    Setting("log_level", "DEBUG, INFO, WARNING or ERROR.", LEVEL, "WARNING"),
    Setting("log_format", "text for people, json for programs: one object a line.", LOG_FORMAT, "text"),
    Setting(
        "otel", "Where traces go: the address of an OpenTelemetry collector, or console. Default: nowhere.", TRACES
    ),
)


@dataclass(frozen=True)
class Settings:
    """All settings, read once."""

    home: Path
    catalog: str = field(repr=False)
    """The URL, maybe with a password; "" means: in `catalog_file`, or else a file in the home."""
    catalog_file: Path | None
    """None: there is none."""
    terraform: str
    """Path or name of the program; "" means: look for terraform, then tofu, on PATH."""
    parallel: int
    max_runs: int
    """0 means any number."""
    labels: tuple[str, ...]
    lease_s: float
    user: str
    account_id: str
    region: str
    grace_s: float
    cool_off_s: float
    plan_timeout_s: float
    apply_timeout_s: float
    plan_ttl_s: float
    """For environments that have no rule about it; 0 means never."""
    idempotency: str
    """`ci` or `off`"""
    retries: int
    provider_mirror: Path | None
    """None: there is none."""
    network_mirror: str
    """"" where there is none; ends with a slash, as Terraform wants it."""
    offline: bool
    instances_per_service: int
    log_level: str
    log_format: str
    """`text` or `json`"""
    otel: str
    """"" for no traces, `console`, or the address of a collector."""
    backend: str
    """Of new instances: `managed`, or an address that core.s3.parse() reads."""
    state_store: str
    """As `backend`; "" means: in the home, or in a catalog that several machines share."""
    key_file: Path | None
    """None: in the home."""
    path: str
    """PATH of the caller: where programs are looked for."""
    run_env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables for every Terraform of this home, from `[run_env]` of landform.toml; no secrets."""
    run_env_files: Mapping[str, Path] = field(default_factory=dict)
    """The same, but name -> the file that holds the value, from `[run_env_files]`: for secrets."""
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
    if problems := [*_wrong_values(given), *_wrong_run_env(file), *_wrong_run_env_files(file), *_unknown(file)]:
        raise Invalid("The settings cannot be used:", problems=problems)
    return _settings(given, environ, file)


def environ() -> Mapping[str, str]:
    """The caller's environment, for what is no setting of ours (`NO_COLOR`)."""
    return os.environ


def has_password(url: str) -> bool:
    """Whether there is a password in the URL of a database."""
    return re.search(r"://[^/?#]*:[^/?#@]+@|[?&]password=", url) is not None


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


def check_run_env_file(name: str, path: object) -> str:
    """What is wrong with a variable whose value lies in a file; "" when nothing is. Nobody looks into the file."""
    is_path = isinstance(path, str) and re.fullmatch(PATH.pattern, path)
    return check_run_env(name, "") or ("" if is_path else f"The value of {name} is not a path.")


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
        elif setting.is_secret and value.origin.endswith(CONFIG_FILE) and has_password(str(value.value)):
            hint = f"Write it to a file that only you can read, and name that: {setting.name}_file."
            yield Problem(
                value.origin, 0, setting.name, "has a password in it, which this file must not have.", hint=hint
            )


def _wrong(setting: Setting, value: object) -> str:
    if not isinstance(value, str | int | float) or (isinstance(value, bool) and setting.form is not YES_NO):
        return "must be a string or a number."
    if not re.fullmatch(setting.form.pattern, str(value)):
        return f"{'the value' if setting.is_secret else repr(value)} is not {setting.form.words}."
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


def _wrong_run_env_files(file: _File) -> Iterator[Problem]:
    table = file.table.get(_RUN_ENV_FILES, {})
    if not isinstance(table, dict):
        yield Problem(str(file.path), 0, _RUN_ENV_FILES, 'must be a table of NAME = "path of a file".')
        return
    for name, value in table.items():
        wrong = check_run_env_file(name, value)
        if not wrong and name in _run_env(file):
            wrong = f"{name} is in [{_RUN_ENV}] too."
        if wrong:
            yield Problem(str(file.path), 0, f"{_RUN_ENV_FILES}.{name}", wrong)


def _unknown(file: _File) -> Iterator[Problem]:
    known = [*(setting.name for setting in SETTINGS), _RUN_ENV, _RUN_ENV_FILES]
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
        catalog=text["catalog"],
        catalog_file=_absolute(given["catalog_file"]) if text["catalog_file"] else None,
        terraform=_program(given["terraform"]),
        parallel=int(text["parallel"] or os.cpu_count() or 1),
        max_runs=int(text["max_runs"]),
        labels=tuple(sorted({label.strip() for label in text["labels"].split(",")} - {""})),
        lease_s=float(text["lease_s"]),
        user=text["user"] or _login(environ),
        account_id=text["account_id"],
        region=text["region"],
        grace_s=float(text["grace_s"]),
        cool_off_s=float(text["cool_off_s"]),
        plan_timeout_s=float(text["plan_timeout_s"]),
        apply_timeout_s=float(text["apply_timeout_s"]),
        plan_ttl_s=float(text["plan_ttl_s"]),
        idempotency=text["idempotency"],
        retries=int(text["retries"]),
        provider_mirror=_absolute(given["provider_mirror"]) if text["provider_mirror"] else None,
        network_mirror=text["network_mirror"] and f"{text['network_mirror'].rstrip('/')}/",
        offline=text["offline"] in ("yes", "True"),
        instances_per_service=int(text["instances_per_service"]),
        log_level=text["log_level"],
        log_format=text["log_format"],
        otel=text["otel"],
        backend=text["backend"],
        state_store=text["state_store"],
        key_file=_absolute(given["key_file"]) if text["key_file"] else None,
        path=environ.get("PATH", os.defpath),
        run_env=_run_env(file),
        run_env_files=_run_env_files(file),
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


def _run_env_files(file: _File) -> dict[str, Path]:
    table = file.table.get(_RUN_ENV_FILES)
    found = table.items() if isinstance(table, dict) else ()
    return {name: file.path.parent / Path(str(value)).expanduser() for name, value in found}


def _login(environ: Mapping[str, str]) -> str:
    if named := environ.get("LOGNAME") or environ.get("USER"):
        return named
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # a user id without an entry in the password file, as containers often have
        return str(os.getuid())
