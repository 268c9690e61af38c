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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import forms
from engine.errors import Invalid, Problem

CONFIG_FILE = "landform.toml"
_RUN_ENV = "run_env"
_RUN_ENV_FILES = "run_env_files"
TABLES = ("credentials", "events", "provider_overrides", "references")
"""The tables of landform.toml that are read by whoever needs them."""
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
    form: forms.Form
    default: str = ""
    """"" where the default has to be looked up; `help` says where."""
    read: Callable[[forms.Given], object] = forms.text
    """What Settings has, from what was given."""
    is_secret: bool = False
    """Whether there may be a password in it, so that it is never shown."""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"LANDFORM_{self.name.upper()}"


SETTINGS = (
    Setting(
        "home",
        "Folder of the catalog, bundles and workspaces. Default: the platform's data folder.",
        forms.PATH,
        read=forms.home,
    ),
    Setting(
        "catalog",
        "URL of the catalog: postgresql://user@host/database where machines share it. Default: a file in the home.",
        forms.CATALOG,
        is_secret=True,
    ),
    Setting(
        "catalog_file",
        "File that holds the URL of the catalog, for one with a password. Default: none.",
        forms.PATH,
        read=forms.path,
    ),
    Setting(
        "terraform",
        "Terraform program to run. Default: terraform, else tofu, on PATH.",
        forms.PATH,
        read=forms.program,
    ),
    Setting("parallel", "Runs executed side by side. Default: the number of cores.", forms.COUNT, read=forms.cores),
    Setting(
        "max_runs",
        "Runs executed side by side at most by all workers together; 0 means any number.",
        forms.LIMIT,
        "0",
        read=forms.count,
    ),
    Setting(
        "labels", "What a worker may be chosen by, as in prod,eu-1. Default: none.", forms.LABELS, read=forms.labels
    ),
    Setting(
        "lease_s",
        "Seconds a worker goes on without reaching the catalog, before it stops.",
        forms.POSITIVE_SECONDS,
        "30",
        read=forms.seconds,
    ),
    Setting("user", "Name recorded with runs and approvals. Default: the login name.", forms.NAME),
    Setting("account_id", "Twelve digits that stand for the account in names and tags.", forms.ACCOUNT, "000000000000"),
    Setting("region", "Region in names and tags.", forms.REGION, "local"),
    Setting(
        "grace_s",
        "Seconds Terraform gets to stop after being asked, before it is killed.",
        forms.SECONDS,
        "30",
        read=forms.seconds,
    ),
    Setting(
        "cool_off_s",
        "Seconds after run cancel from which --force kills Terraform at once.",
        forms.SECONDS,
        "10",
        read=forms.seconds,
    ),
    Setting("plan_timeout_s", "Seconds a plan may take.", forms.POSITIVE_SECONDS, "1800", read=forms.seconds),
    Setting("apply_timeout_s", "Seconds an apply may take.", forms.POSITIVE_SECONDS, "14400", read=forms.seconds),
    Setting(
        "plan_ttl_s",
        "Seconds after which a plan that was not applied is void; 0 means never.",
        forms.SECONDS,
        "0",
        read=forms.seconds,
    ),
    Setting("idempotency", "Whether changes in a pipeline get a key from its variables: ci or off.", forms.CI, "off"),
    Setting(
        "retries",
        "How often an init or a plan is tried again that failed for a passing reason.",
        forms.RETRIES,
        "3",
        read=forms.count,
    ),
    Setting(
        "provider_mirror",
        "Folder with Terraform providers, laid out as a filesystem mirror; only read. Default: none.",
        forms.PATH,
        read=forms.path,
    ),
    Setting(
        "network_mirror",
        "Address of a Terraform provider network mirror, used in place of registries. Default: none.",
        forms.URL,
        read=forms.folder_url,
    ),
    Setting(
        "offline", "yes: providers come from folders only, never from a network.", forms.YES_NO, "no", read=forms.yes
    ),
    Setting("instances_per_service", "Instances a service may have.", forms.COUNT, "20", read=forms.count),
    Setting(
        "backend",
        "Where Terraform keeps the state of new instances: managed, or s3://BUCKET/PREFIX?region=REGION.",
        forms.BACKEND,
        "managed",
    ),
    Setting(
        "state_store",
        "Where states are kept after every apply: s3://BUCKET/PREFIX. Default: in the home, or in a shared catalog.",
        forms.STATE_STORE,
    ),
    Setting(
        "bundle_store",
        "Where bundles are kept for all machines: s3://BUCKET/PREFIX. Default: in the home, or in a shared catalog.",
        forms.STATE_STORE,
    ),
    Setting(
        "pipeline_credentials",
        "Name of the [credentials.NAME] that pipelines of services are deployed with. Default: those of everybody.",
        forms.CREDENTIALS,
    ),
    Setting(
        "key_file",
        "File with the secret that all machines of a shared catalog have in common. Default: key, in the home.",
        forms.PATH,
        read=forms.path,
    ),
    Setting(
        "kms_key",
        "Key in AWS KMS that wraps what states and plans are encrypted with: its ARN or alias/NAME. Default: none.",
        forms.KMS_KEY,
    ),
    Setting("pipeline_provisioning_repository", "Repository for new pipelines' runs. Default: none.", forms.GIT_URL),
    Setting("pipeline_provisioning_branch", "Branch that they are merged into.", forms.NAME, "main"),
    Setting("pipeline_provisioning_host", "Its host: github, gitlab or none. Default: by its address.", forms.HOST),
    Setting("pipeline_provisioning_api", "Address of the host's REST interface. Default: by the host.", forms.API),
    Setting("github_token_file", "File with a token for pull requests. Default: none.", forms.PATH, read=forms.path),
    Setting("gitlab_token_file", "File with a token for merge requests. Default: none.", forms.PATH, read=forms.path),
    Setting("component_path_style", "Folders of components: documented or nested.", forms.PATH_STYLE, "documented"),
    Setting(
        "forget_destroys",
        "yes: what others destroy counts as gone once that was merged.",
        forms.YES_NO,
        "no",
        read=forms.yes,
    ),
    Setting(
        "poll_s", "Seconds between a worker's looks at pull requests.", forms.POSITIVE_SECONDS, "60", read=forms.seconds
    ),
    Setting(
        "git_token_file",
        "File whose first line is the token for Git repositories over https. Default: none.",
        forms.PATH,
        read=forms.path,
    ),
    Setting(
        "git_ssh_key",
        "File with the key for Git repositories over ssh. Default: the one that ssh takes by itself.",
        forms.PATH,
        read=forms.path,
    ),
    Setting("git_timeout_s", "Seconds a Git repository may take.", forms.POSITIVE_SECONDS, "120", read=forms.seconds),
    Setting("log_level", "DEBUG, INFO, WARNING or ERROR.", forms.LEVEL, "WARNING"),
    Setting("log_format", "text for people, json for programs: one object a line.", forms.LOG_FORMAT, "text"),
    Setting(
        "otel",
        "Where traces go: the address of an OpenTelemetry collector, or console. Default: nowhere.",
        forms.TRACES,
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
    pipeline_provisioning_repository: str
    """"" where Landform runs pipelines itself; the rest as core.provisioning.Wish."""
    pipeline_provisioning_branch: str
    pipeline_provisioning_host: str
    pipeline_provisioning_api: str
    github_token_file: Path | None
    gitlab_token_file: Path | None
    component_path_style: str
    """core.provisioning.Style"""
    forget_destroys: bool
    """Whether what others are to destroy counts as gone once the pull request was merged."""
    poll_s: float
    git_token_file: Path | None
    """None: repositories over https are read without one."""
    git_ssh_key: Path | None
    """None: whichever ssh takes by itself."""
    git_timeout_s: float
    log_level: str
    log_format: str
    """`text` or `json`"""
    otel: str
    """"" for no traces, `console`, or the address of a collector."""
    backend: str
    """Of new instances: `managed`, or an address that core.s3.parse() reads."""
    state_store: str
    """As `backend`; "" means: in the home, or in a catalog that several machines share."""
    bundle_store: str
    """As `state_store`; the home keeps a copy of what is used there."""
    pipeline_credentials: str
    """"" for those that everybody gets."""
    key_file: Path | None
    """None: in the home."""
    kms_key: str
    """What core.kms.parse() reads; "" means that the key file is all there is."""
    path: str
    """PATH of the caller: where programs are looked for."""
    run_env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables for every Terraform of this home, from `[run_env]` of landform.toml; no secrets."""
    run_env_files: Mapping[str, Path] = field(default_factory=dict)
    """The same, but name -> the file that holds the value, from `[run_env_files]`: for secrets."""
    tables: Mapping[str, object] = field(default_factory=dict)
    """The other tables of landform.toml, name (of TABLES) -> as it stands there: whoever needs one reads it."""
    config_file: Path = Path(CONFIG_FILE)
    """The landform.toml in force, which may not be there."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Setting name -> where its value came from: `command line`, a variable, a file, or `default`."""


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
    is_path = isinstance(path, str) and re.fullmatch(forms.PATH.pattern, path)
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
) -> forms.Given:
    layers = (
        forms.Given(flags.get(setting.name), "command line", folder),
        forms.Given(environ.get(setting.variable), setting.variable, folder),
        forms.Given(file.table.get(setting.name), str(file.path), file.path.parent),
        forms.Given(setting.default, "default", folder),
    )
    return next((given for given in layers if given.value not in (None, "")), layers[-1])


def _wrong_values(given: Mapping[str, forms.Given]) -> Iterator[Problem]:
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
    if not isinstance(value, str | int | float) or (isinstance(value, bool) and setting.form is not forms.YES_NO):
        return "must be a string or a number."
    if not re.fullmatch(setting.form.pattern, str(value)):
        return f"{'the value' if setting.is_secret else repr(value)} is not {setting.form.words}."
    if setting.form is forms.PATH and os.path.expanduser(str(value)).startswith("~"):
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
    known = [*(setting.name for setting in SETTINGS), _RUN_ENV, _RUN_ENV_FILES, *TABLES]
    for name in file.table:
        if name not in known:
            yield Problem(str(file.path), 0, name, "is not a setting.", hint=_did_you_mean(name, known))


def _did_you_mean(name: str, known: list[str]) -> str:
    import difflib

    nearest = difflib.get_close_matches(name.lower(), known, n=1)
    return f'Did you mean "{nearest[0]}"?' if nearest else f"Settings are: {', '.join(known)}."


def _settings(given: Mapping[str, forms.Given], environ: Mapping[str, str], file: _File) -> Settings:
    values: dict[str, Any] = {setting.name: setting.read(given[setting.name]) for setting in SETTINGS}
    return Settings(
        **values | {"user": values["user"] or _login(environ)},
        path=environ.get("PATH", os.defpath),
        run_env=_run_env(file),
        run_env_files=_run_env_files(file),
        tables={name: file.table[name] for name in TABLES if name in file.table},
        config_file=file.path,
        origins={name: value.origin for name, value in given.items()},
    )


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
