"""What the value of a setting looks like, and how it is read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


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
GIT_URL = Form(r"[!-~]{1,2000}", "the address of a Git repository")
API = Form(r"https?://[!-~]{1,2000}", "an address that begins with https://")
HOST = Form("github|gitlab|none", "github, gitlab or none")
PATH_STYLE = Form("documented|nested", "documented or nested")
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
_S3_OPTIONS = r"(\?(region|endpoint|kms)=[^&?\s]+(&(region|endpoint|kms)=[^&?\s]+){0,2})?"
STATE_STORE = Form(_S3 + _S3_OPTIONS, "s3://BUCKET/PREFIX")
BACKEND = Form(f"managed|{_S3}{_S3_OPTIONS}", "managed or s3://BUCKET/PREFIX?region=REGION")
_KMS_KEY = (
    r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[A-Za-z0-9/_-]+|alias/[A-Za-z0-9/_-]+|[A-Za-z0-9-]{36})"
)
_KMS_OPTIONS = r"(\?(region|endpoint)=[^&?\s]+(&(region|endpoint)=[^&?\s]+)?)?"
KMS_KEY = Form(_KMS_KEY + _KMS_OPTIONS, "the ARN, the id or the alias/NAME of a key in AWS KMS")
CREDENTIALS = Form("[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "a name of letters, digits and . _ -")
LEVEL = Form("DEBUG|INFO|WARNING|ERROR", "DEBUG, INFO, WARNING or ERROR")
LOG_FORMAT = Form("text|json", "text or json")
TRACES = Form(r"console|https?://[!#-~]{1,2000}", "console or an address that begins with http:// or https://")


@dataclass(frozen=True)
class Given:
    """The value of one setting, before anybody has looked at it."""

    value: object
    origin: str
    folder: Path
    """What a relative path is relative to."""

    @property
    def is_default(self) -> bool:
        return self.origin == "default"


def absolute(given: Given) -> Path:
    """The path, from the folder that it is relative to."""
    return given.folder / Path(str(given.value)).expanduser()


def text(given: Given) -> str:
    """The value as it was written."""
    return str(given.value)


def count(given: Given) -> int:
    """The number."""
    return int(text(given))


def seconds(given: Given) -> float:
    """The seconds."""
    return float(text(given))


def path(given: Given) -> Path | None:
    """The path; None when there is none."""
    return absolute(given) if given.value else None


def home(given: Given) -> Path:
    """The folder that was named, else the platform's."""
    if given.is_default:
        import platformdirs

        return Path(platformdirs.user_data_dir("landform"))
    return absolute(given)


def program(given: Given) -> str:
    """A name is left to PATH; a path is made absolute, because Terraform is started in other folders."""
    return str(absolute(given)) if "/" in text(given) else text(given)


def cores(given: Given) -> int:
    """The number; without one, as many as the machine has cores."""
    return int(text(given) or os.cpu_count() or 1)


def labels(given: Given) -> tuple[str, ...]:
    """The labels, sorted, each once."""
    return tuple(sorted({label.strip() for label in text(given).split(",")} - {""}))


def folder_url(given: Given) -> str:
    """The address, with a slash at its end; "" when there is none."""
    return f"{text(given).rstrip('/')}/" if given.value else ""


def yes(given: Given) -> bool:
    """Whether it says yes."""
    return text(given) in ("yes", "True")
