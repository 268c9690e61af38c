"""The credentials of AWS that one run works with: made when they are needed, renewed while it goes on, gone with it."""

from __future__ import annotations

import json
import logging
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING

from engine.core import credentials
from engine.core.credentials import Errand, Keys, Profile, Role, Source
from engine.errors import ExternalFailure, Invalid, LandformError, Problem
from engine.external import aws_sts, private
from engine.external.aws_sts import Request
from engine.worker import env_files

if TYPE_CHECKING:
    from engine.external.aws import Access
    from engine.settings import Settings

logger = logging.getLogger(__name__)
_LOOK_S = 15.0
"""How often it is looked whether credentials are to be renewed."""
_MARGIN = timedelta(minutes=5)
"""How long before their end they are renewed, or a third of their life, where that is less."""
_NO_REGION = "us-east-1"
"""Where STS is asked when nobody has named a region."""
_PROFILE = "landform"
_KEYS_FILE = "keys.json"
_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
_REPLACED = frozenset(
    {
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_PROFILE"),
        *("AWS_DEFAULT_PROFILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", *_FILES),
    }
)
"""Variables of a run that have no say where there is a profile."""


def profile(settings: Settings, name: str) -> Profile | None:
    """The credentials of that name; None for "". Raises Invalid when this machine does not know them."""
    if not name:
        return None
    return credentials.parse(settings.tables.get(credentials.TABLE), name, str(settings.config_file))


Hide = Callable[[tuple[str, ...]], None]
"""Told of new secrets before anybody can see them."""


@dataclass(frozen=True)
class Means:
    """What a session is made with."""

    base: Path
    """Where relative paths of the profile begin."""
    parent: Path
    """Where private folders are made."""
    now: Callable[[], datetime]
    enough_s: float
    """Credentials that hold for that long are handed over as they are; others are renewed meanwhile."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables of the run: where services of AWS are, and what ambient credentials may be found by."""
    region: str = ""
    """"" leaves it to `env`."""


class Session:
    """The credentials of one run. Nothing is asked for before they are needed; safe to use from several threads."""

    def __init__(self, profile: Profile, errand: Errand, means: Means) -> None:
        self.profile = profile
        self._errand = errand
        self._means = means
        self._lock = RLock()
        self._keys: Keys | None = None
        self._renew_at: datetime | None = None
        self._handed_out: Keys | None = None
        self._folder: Path | None = None
        self._known: dict[str, None] = {}

    @property
    def secrets(self) -> tuple[str, ...]:
        """All texts so far that must not be seen."""
        return tuple(self._known)

    def keys(self) -> Keys:
        """Credentials that are valid now. Raises Invalid for files that cannot be used, ExternalFailure."""
        with self._lock:
            if self._keys is None:
                self._take(self._made())
            elif self._renew_at is not None and self._means.now() >= self._renew_at:
                self._renew()
            assert self._keys is not None
            return self._keys

    def laid_over(self, env: Mapping[str, str]) -> dict[str, str]:
        """The variables of a run with these credentials in place of any others. Raises as keys()."""
        given = {name: value for name, value in env.items() if name not in _REPLACED}
        return {**given, **self._variables()}

    @contextmanager
    def kept(self, hide: Hide) -> Iterator[None]:
        """While the block runs, programs that were started with laid_over() have valid credentials, however long."""
        self.keys()
        hide(self.secrets)
        if self._is_enough():
            yield
            return
        with ExitStack() as kept:
            try:
                self._hand_out(kept.enter_context(private.folder(self._means.parent)))
            except OSError as error:
                raise ExternalFailure(f"Credentials cannot be written for the run: {error.strerror}.") from error
            kept.enter_context(self._renewing(hide))
            yield

    def look(self, hide: Hide) -> None:
        """Renews what is to be renewed, where programs read it from a file."""
        keys = self.keys()
        if keys is not self._handed_out and self._folder is not None:
            hide(self.secrets)
            _write(self._folder / _KEYS_FILE, _as_process(keys))
            self._handed_out = keys

    def _hand_out(self, folder: Path) -> None:
        self._handed_out = self.keys()
        _write(folder / _KEYS_FILE, _as_process(self._handed_out))
        # in a shell and without one: some programs start it by themselves
        command = f"cat {shlex.quote(str(folder / _KEYS_FILE))}"
        _write(folder / "config", f"[profile {_PROFILE}]\ncredential_process = {command}\n")
        self._folder = folder

    @contextmanager
    def _renewing(self, hide: Hide) -> Iterator[None]:
        ended = Event()

        def watch() -> None:
            while not ended.wait(_LOOK_S):
                try:
                    self.look(hide)
                except LandformError as error:
                    logger.warning("credentials have ended: %s", error.message)
                except OSError as error:
                    logger.warning("renewed credentials cannot be written: %s", error.strerror)

        thread = Thread(target=watch, name="credentials", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self._folder = None

    def _variables(self) -> dict[str, str]:
        region = self._means.region
        regions = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region} if region else {}
        # elsewhere the credentials of the machine would be found, were these to end
        rest = {} if self.profile.source is Source.AMBIENT else {"AWS_EC2_METADATA_DISABLED": "true"}
        folder = self._folder
        if folder is None:
            return {**regions, **rest, **self.keys().variables()}
        # the AWS provider looked for profiles in the file of credentials only, before its version 4
        config = {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SDK_LOAD_CONFIG": "1", "AWS_PROFILE": _PROFILE}
        return {**regions, **rest, **config}

    def _is_enough(self) -> bool:
        ends = self.keys().expires_at
        return ends is None or ends - self._means.now() >= timedelta(seconds=self._means.enough_s)

    def _renew(self) -> None:
        """Takes new credentials; when there are none to be had, those that still hold do for a while."""
        assert self._keys is not None
        try:
            self._take(self._made())
        except LandformError as error:
            ends = self._keys.expires_at
            if ends is not None and self._means.now() >= ends:
                raise
            about = {"address": self._errand.address}
            logger.warning("credentials cannot be renewed yet: %s", error.message, extra=about)

    def _take(self, keys: Keys) -> None:
        now, ends = self._means.now(), keys.expires_at
        self._keys, self._renew_at = keys, None if ends is None else ends - min(_MARGIN, (ends - now) / 3)
        self._known |= dict.fromkeys(keys.secrets)

    def _made(self) -> Keys:
        keys = _SOURCES[self.profile.source](self)
        passed_on: tuple[str, ...] = ()
        for role in self.profile.roles:
            tags = credentials.session_tags(role, self._errand, passed_on)
            own = tuple(key for key in role.transitive_tags if key in tags)
            keys = aws_sts.assumed(self._access(keys.variables()), self._request(role, tags, own))
            passed_on += own
        return keys

    def _request(self, role: Role, tags: Mapping[str, str], passed_on: tuple[str, ...]) -> Request:
        external_id = role.external_id
        if role.external_id_file:
            external_id = self._texts({"external_id_file": role.external_id_file})["external_id_file"]
        self._known |= dict.fromkeys(filter(None, [external_id]))
        name = credentials.session_name(role, self._errand)
        return Request(role.arn, name, role.duration_s, external_id, tags, passed_on)

    def _access(self, variables: Mapping[str, str]) -> Access:
        """To AWS, for whoever the variables stand for, at the places that the run is to go to."""
        from engine.external.aws import Access

        env = self._means.env
        places = {name: value for name, value in env.items() if name.startswith("AWS_ENDPOINT_URL")}
        region = self._means.region or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or _NO_REGION
        return Access({**places, **variables}, region)

    def _ambient(self) -> Keys:
        return self._access(self._means.env).keys(f"The credentials {self.profile.name} cannot be had")

    def _of_profile(self) -> Keys:
        files = {name: value for name, value in self._means.env.items() if name in _FILES}
        access = self._access({**files, "AWS_PROFILE": self.profile.profile})
        return access.keys(f"The credentials {self.profile.name} cannot be had")

    def _static(self) -> Keys:
        found = self._texts(self.profile.files)
        token = found.get("session_token_file", "")
        return Keys(found["access_key_id_file"], found["secret_access_key_file"], token)

    def _web_identity(self) -> Keys:
        role = self.profile.web_role
        assert role is not None
        token = self._texts(self.profile.files)["token_file"]
        self._known |= {token: None}
        return aws_sts.assumed_with(self._access({}), self._request(role, {}, ()), token)

    def _texts(self, files: Mapping[str, str]) -> dict[str, str]:
        """Name -> what its file holds. Raises Invalid with every file that cannot be used."""
        found = {name: _text(name, self._means.base / Path(path).expanduser()) for name, path in files.items()}
        problems = [value for value in found.values() if isinstance(value, Problem)]
        if problems:
            raise Invalid(
                f"The credentials {self.profile.name} cannot be read from their files:",
                hint="The files are read where Terraform runs, by the user it runs as.",
                problems=problems,
            )
        return {name: value for name, value in found.items() if isinstance(value, str)}


_SOURCES: Mapping[Source, Callable[[Session], Keys]] = {
    Source.AMBIENT: Session._ambient,
    Source.PROFILE: Session._of_profile,
    Source.STATIC: Session._static,
    Source.WEB_IDENTITY: Session._web_identity,
}


def _text(name: str, path: Path) -> str | Problem:
    try:
        text = env_files.text(str(path)).strip()
    except UnicodeDecodeError:
        return Problem(str(path), 0, name, "is not UTF-8 text.")
    except OSError as error:
        return Problem(str(path), 0, name, f"cannot be read: {error.strerror or error}.")
    return text or Problem(str(path), 0, name, "is empty.")


def _as_process(keys: Keys) -> str:
    """As programs of AWS take it from a credential_process."""
    said = {"Version": 1, "AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key}
    if keys.session_token:
        said["SessionToken"] = keys.session_token
    if keys.expires_at:
        said["Expiration"] = keys.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(said)


def _write(path: Path, text: str) -> None:
    """Writes the file for its owner only; who reads it meanwhile reads the old one or the new one, whole."""
    temporary = path.with_name(f".{path.name}")
    number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(number, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
