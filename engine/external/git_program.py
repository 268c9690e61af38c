"""The only place that starts git: with nothing of the caller's configuration, without prompts, hooks or filters."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.core.repositories import GitUrl, without_userinfo
from engine.errors import Conflict, ExternalFailure, LandformError, NotFound, Refused, Transient
from engine.external import launch
from engine.external.lines import clean

SIZE_MAX = 250 * 1024 * 1024
"""Bytes of a repository that is read."""
_SAID_MAX = 300
_OUTPUT_MAX = 64 * 1024 * 1024
"""Bytes that one command may say: a small repository can list itself for ever, and a host can talk for ever."""
_HOME = "/nonexistent"
_LEAST_SPEED = 1000
_SILENCE_S = 60
# The largest file that git may write, in blocks of 512 bytes: the one check that holds while a repository comes in.
# A repository arrives as one pack (fetch.unpackLimit), and what is unpacked from it is measured before.
# With the signal ignored, git says that the file is too large instead of dying without a word.
# Where somebody has set a lower limit, that one stays.
_LIMITED = 'trap "" XFSZ; ulimit -f "$0" 2>/dev/null; exec git "$@"'
_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "protocol.ext.allow": "never",
    "fetch.unpackLimit": "1",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "transfer.fsckObjects": "false",
    "advice.detachedHead": "false",
    "commit.gpgSign": "false",
    "push.gpgSign": "false",
    "http.followRedirects": "initial",
    "http.lowSpeedLimit": str(_LEAST_SPEED),
    "http.lowSpeedTime": str(_SILENCE_S),
    "credential.helper": "",
}


@dataclass(frozen=True)
class Access:
    """What opens repositories to us: places of secrets, never a secret itself."""

    token_file: Path | None = None
    """Its first line is the token for https; None: repositories are read without one."""
    ssh_key: Path | None = None
    """None: the key that ssh takes by itself."""


def environment(path: str, access: Access, others: Mapping[str, str]) -> dict[str, str]:
    """The environment of every git: built from nothing, but for PATH and `others` (proxies, an agent of ssh)."""
    return {
        **others,
        "PATH": path,
        "HOME": _HOME,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:https:ssh",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_ASKPASS": "/bin/false",
        "GIT_SSH_COMMAND": _ssh(access.ssh_key),
        "GIT_SSH_VARIANT": "ssh",
        **({TOKEN_FILE: str(access.token_file.absolute())} if access.token_file else {}),
    }


TOKEN_FILE = "LANDFORM_GIT_TOKEN_FILE"  # noqa: S105 - the name of a variable that holds a path
# git asks its helper once the host has said that it wants a password, and the helper reads the file: the token is in no
# argument, no variable and no log. It is configured for the host of the address alone, so that a redirection gets none.
_HELPER = (
    '!f() { test "$1" = get || return 0; echo username=x-access-token; '
    f'printf "password=%s\\n" "$(head -n 1 "${TOKEN_FILE}" | tr -d "\\r")"; }}; f'
)


def _ssh(key: Path | None) -> str:
    """The command line of ssh, for the shell that git hands it to."""
    words = ["ssh", "-oBatchMode=yes", "-oConnectTimeout=30", "-oServerAliveInterval=15", "-oForwardAgent=no"]
    if key is not None:
        words += ["-oIdentitiesOnly=yes", "-i", str(key.absolute())]
    return shlex.join(words)


@dataclass(frozen=True)
class Git:
    """The git program, for one repository."""

    url: GitUrl
    env: Mapping[str, str]
    """Made by environment()."""
    timeout_s: float
    size_max: int = SIZE_MAX

    def __call__(self, *arguments: str, cwd: Path = Path("/"), env: Mapping[str, str] | None = None) -> str:
        """What git says on its standard output. Raises an error in words of what git said."""
        code, said = self.ended(*arguments, cwd=cwd, env=env)
        if code:
            raise self.error(said)
        return said

    def ended(self, *arguments: str, cwd: Path = Path("/"), env: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Exit code and output; with what it complains about where the code is not 0. Raises Transient when late."""
        argv = ("/bin/sh", "-c", _LIMITED, str(self.size_max // 512), *arguments)
        try:
            full_env = {**self.full_env(), **(env or {})}
            return launch.capture(argv, full_env, self.timeout_s, cwd, bytes_max=_OUTPUT_MAX)
        except launch.Late:
            message = f"The repository {self.url.text} did not answer within {self.timeout_s:g} seconds."
            raise Transient(message, kind="network", hint="Try again, or raise git_timeout_s.") from None
        except launch.TooMuch:
            message = f"The repository {self.url.text} lists more than {megabytes(_OUTPUT_MAX)}."
            raise ExternalFailure(message, hint="Move templates and specs to a repository of their own.") from None

    def full_env(self) -> dict[str, str]:
        """The environment with all configuration: by variables, so that every program that git starts gets it."""
        rows = list(_CONFIG.items())
        if self.url.scheme == "https" and self.env.get(TOKEN_FILE):
            rows.append((f"credential.https://{self.url.host}.helper", _HELPER))
        named = [(f"GIT_CONFIG_KEY_{at}", key) for at, (key, _) in enumerate(rows)]
        values = [(f"GIT_CONFIG_VALUE_{at}", value) for at, (_, value) in enumerate(rows)]
        return {**self.env, "GIT_CONFIG_COUNT": str(len(rows)), **dict(named), **dict(values)}

    def error(self, said: str) -> LandformError:
        """What git said, in words, as the error to raise."""
        for pattern, kind, sentence, hint in _ERRORS:
            if found := re.search(pattern, said, re.IGNORECASE):
                words = {"url": self.url.text, "reason": _reason(said, found.start()), "most": megabytes(self.size_max)}
                return kind(sentence.format(**words), hint=hint.format(**words))
        return ExternalFailure(f"git failed with {self.url.text}: {_reason(said)}")


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size // (1024 * 1024)} MB"


def _transient(message: str, *, hint: str) -> LandformError:
    return Transient(message, kind="network", hint=hint)


_ERRORS = (
    (
        r"file too large",
        ExternalFailure,
        "The repository {url} has more than {most}, which is the most that is read.",
        "Move templates and specs to a repository of their own.",
    ),
    (r"git: not found", NotFound, "There is no git on PATH.", "Install git."),
    (
        r"host key verification failed",
        ExternalFailure,
        "The host of {url} is not known to ssh: {reason}",
        "Add its key to ~/.ssh/known_hosts, once you have compared it.",
    ),
    (
        r"authentication failed|permission denied|could not read (username|password)|error: 40[13]|access denied"
        r"|not authorized|invalid credentials",
        ExternalFailure,
        "Access to {url} was denied: {reason}",
        "For https name a file with a token in git_token_file, for ssh a key in git_ssh_key.",
    ),
    (r"dubious ownership", Refused, "{url} belongs to another user: {reason}", "Let its owner be the one who reads."),
    (
        r"could not resolve host|connection (refused|timed out|reset|closed)|network is unreachable|failed to connect"
        r"|couldn't connect|no route to host|operation too slow|early eof|error: 5\d\d",
        _transient,
        "The repository {url} does not answer: {reason}",
        "Check the address and the network, then try again: git ls-remote {url}",
    ),
    (
        r"not found|does not appear to be a git repository|does not exist|no such",
        NotFound,
        "There is no repository {url}, or it is not to be seen from here: {reason}",
        "Check the address: git ls-remote {url}",
    ),
)
"""What git says -> the error, its sentence and its hint; the first that fits."""
MOVED = re.compile(r"\[rejected\]|non-fast-forward|fetch first|stale info|cannot lock ref|failed to update ref")
DENIED = re.compile(r"\[remote rejected\]")


def moved(branch: str) -> Conflict:
    """For a branch that somebody else has pushed to meanwhile."""
    return Conflict(f"Branch {branch} moved since it was read.", hint="Start again from what is there now.")


def denied(url: GitUrl, branch: str, said: str) -> Refused:
    """For a branch that the host does not let us write."""
    return Refused(f"{url.text} does not take what was pushed to {branch}: {_reason(said)}")


def _reason(said: str, at: int | None = None) -> str:
    """The one line of git's that says most, or the one around `at`, safe to be shown and without secrets."""
    if at is not None:
        said = said[said.rfind("\n", 0, at) + 1 :].partition("\n")[0]
    lines = [line.strip() for line in clean(without_userinfo(said)).splitlines() if line.strip()]
    marks = ("fatal:", "error:", "remote:", "!", "ssh:")
    said_most = next((line for mark in marks for line in lines if line.startswith(mark)), lines[-1] if lines else "")
    text = re.sub(r"^(fatal|error|remote): ", "", said_most)
    return f"{text[:_SAID_MAX].rstrip('.')}." if text else "it said nothing."
