"""The only place that speaks to hosts of repositories: pull requests of GitHub, merge requests of GitLab."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from engine.core.provisioning import Host, Repository, State
from engine.errors import Conflict, ExternalFailure, LandformError, NotFound, Refused, Transient
from engine.external.lines import clean

if TYPE_CHECKING:
    import httpx

CONNECT_S = 10.0
ANSWER_S = 30.0
_ANSWER_MAX = 16 * 1024 * 1024
_PAGE = re.compile(r"https?://[!-~]{1,2000}")
_ERRNO = re.compile(r"^\[Errno -?[0-9]+\] ")
_SAID_MAX = 300
_TOKEN_MAX = 10_000


@dataclass(frozen=True)
class Request:
    """What is to be proposed."""

    branch: str
    base: str
    title: str
    body: str


@dataclass(frozen=True)
class Opened:
    """A pull request as it is."""

    number: int
    url: str
    state: State


class Requests(Protocol):
    """The pull requests of one repository.

    Everything raises Transient when the host does not answer, ExternalFailure when it refuses, NotFound.
    """

    def open(self, request: Request) -> Opened:
        """The pull request for that branch: a new one, where there never was any."""

    def state(self, number: int) -> State:
        """What has become of it."""

    def close(self, number: int) -> State:
        """Closes it without merging; what it is then: one that was merged stays so."""


def of(repository: Repository, token_files: Mapping[Host, Path | None]) -> Requests | None:
    """The pull requests of a repository; None where it has no host. Raises Refused when there is no token for it, so
    that nothing is pushed which nobody would hear of.
    """
    if repository.host is Host.NONE:
        return None
    file = token_files.get(repository.host)
    if file is None:
        setting = f"{repository.host.value}_token_file"
        raise Refused(
            f"There is no token to open pull requests with at {repository.api}.",
            hint=f"Write one to a file that only you can read, and name it with the setting {setting}.",
        )
    api = _Api(repository, file)
    api.token()
    return GitHub(api) if repository.host is Host.GITHUB else GitLab(api)


@dataclass(frozen=True)
class _Api:
    """One repository of a host, asked over HTTP."""

    repository: Repository
    token_file: Path

    def ask(self, method: str, path: str, headers: Mapping[str, str], **content: Any) -> Any:
        """The answer, as JSON. Raises as Requests does; no message has the token in it."""
        import httpx

        url, timeout = f"{self.repository.api}/{path}", httpx.Timeout(ANSWER_S, connect=CONNECT_S)
        try:
            # without TLS, on a loopback address, there are no certificates that would be worth loading
            with (
                httpx.Client(timeout=timeout, headers=headers, verify=url.startswith("https:")) as client,
                client.stream(method, url, **content) as streamed,
            ):
                answer = _Answer(streamed.status_code, streamed.reason_phrase, self._body(streamed))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = _ERRNO.sub("", str(error)).rstrip(".") or type(error).__name__
            hint = "Check the network and the address, which --provisioning-api names."
            message = f"{self.repository.api} does not answer: {reason}."
            raise Transient(message, kind="network", hint=hint) from error
        if not 200 <= answer.status < 300:
            raise self._refusal(answer)
        if answer.json is None:
            raise ExternalFailure(f"{self.repository.api} gave an answer that is not JSON.")
        return answer.json

    def _body(self, streamed: httpx.Response) -> bytes:
        """What the host says, which may be endless, or come byte by byte."""
        body, until_s = bytearray(), time.monotonic() + ANSWER_S
        for chunk in streamed.iter_bytes():
            body += chunk
            if len(body) > _ANSWER_MAX:
                raise ExternalFailure(f"{self.repository.api} gave an answer of more than {_ANSWER_MAX:,} bytes.")
            if time.monotonic() > until_s:
                message = f"{self.repository.api} has not answered within {ANSWER_S:g} seconds."
                raise Transient(message, kind="network")
        return bytes(body)

    def token(self) -> str:
        """The first line of the file. Raises Refused when there is none."""
        try:
            with open(self.token_file, encoding="utf-8") as file:
                text = file.readline(_TOKEN_MAX).strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise Refused(f"The token in {self.token_file} cannot be read: {reason}.", hint=self._named) from error
        if not text or not text.isascii() or not text.isprintable():
            raise Refused(f"The first line of {self.token_file} is no token.", hint=self._named)
        return text

    @property
    def _named(self) -> str:
        return f"The setting {self.repository.host.value}_token_file names it. It is read where the run is carried out."

    def _refusal(self, answer: _Answer) -> LandformError:
        """What an answer means that is no success."""
        where, said = f"{self.repository.project} at {self.repository.api}", _said(answer)
        if answer.status in (401, 403):
            hint = f"The token in {self.token_file} must be valid, and may open pull requests there."
            return Refused(f"Access to {where} was denied: {said}", hint=hint)
        if answer.status == 404:
            return NotFound(
                f"There is no {where}, or the token may not see it.", hint="Check the repository's address."
            )
        if answer.status in (409, 422):
            return Conflict(f"{where} does not take it: {said}")
        if answer.status == 429 or answer.status >= 500:
            return Transient(f"{where} cannot answer now: {said}", kind="network")
        return ExternalFailure(f"{where} gave an unexpected answer: {said}")


@dataclass(frozen=True)
class _Answer:
    """What a host has said."""

    status: int
    phrase: str
    body: bytes

    @cached_property
    def json(self) -> Any:
        """What it says; None where that is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def _first(found: Any, branch: str, *path: str) -> Any:
    """The first pull request of a list that is for the branch, whose name lies there in each of them; None without one.

    What does not know how to ask for a branch answers with those of all branches. Raises ExternalFailure.
    """
    if not isinstance(found, list):
        raise ExternalFailure("A list of pull requests came in a form that is not known.")
    return next((one for one in found if _at(one, *path) == branch), None)


def _at(found: Any, *path: str) -> Any:
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _opened(number: Any, url: Any, state: State) -> Opened:
    """Raises ValueError for what cannot be."""
    if not isinstance(number, int) or number < 1 or not _PAGE.fullmatch(url):
        raise ValueError
    return Opened(number, url, state)


def _said(answer: _Answer) -> str:
    """The host's own words, in one line."""
    words = answer.json if isinstance(answer.json, dict) else {}
    errors = words.get("errors")
    details = [each.get("message", "") for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    parts = [words.get("message") or words.get("error") or "", *details]
    text = " ".join(clean(" ".join(str(part) for part in parts if part)).split())[:_SAID_MAX]
    return f"{text or clean(answer.phrase)} ({answer.status})."


@dataclass(frozen=True)
class GitHub:
    """Pull requests of GitHub, and of GitHub Enterprise."""

    api: _Api

    def open(self, request: Request) -> Opened:
        """As Requests.open()."""
        owner = self.api.repository.project.split("/")[0]
        asked = {"head": f"{owner}:{request.branch}", "base": request.base, "state": "all"}
        if known := _first(self._ask("GET", "", params=asked), request.branch, "head", "ref"):
            return _github(known)
        wanted = {"title": request.title, "body": request.body, "head": request.branch, "base": request.base}
        return _github(self._ask("POST", "", json=wanted))

    def state(self, number: int) -> State:
        """As Requests.state()."""
        return _github(self._ask("GET", f"/{number}")).state

    def close(self, number: int) -> State:
        """As Requests.close()."""
        found = self.state(number)
        if found is not State.OPEN:
            return found
        return _github(self._ask("PATCH", f"/{number}", json={"state": "closed"})).state

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.api.token()}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        return self.api.ask(method, f"repos/{self.api.repository.project}/pulls{path}", headers, **content)


_OF_GITHUB = {"open": State.OPEN, "closed": State.CLOSED}


def _github(found: Any) -> Opened:
    try:
        state = State.MERGED if found["merged_at"] else _OF_GITHUB[found["state"]]
        return _opened(found["number"], found["html_url"], state)
    except (LookupError, TypeError, ValueError) as error:
        raise ExternalFailure("GitHub described a pull request in a form that is not known.") from error


_OF_GITLAB = {"opened": State.OPEN, "locked": State.OPEN, "merged": State.MERGED, "closed": State.CLOSED}


@dataclass(frozen=True)
class GitLab:
    """Merge requests of GitLab."""

    api: _Api

    def open(self, request: Request) -> Opened:
        """As Requests.open()."""
        branches = {"source_branch": request.branch, "target_branch": request.base}
        asked = {**branches, "state": "all"}
        if known := _first(self._ask("GET", "", params=asked), request.branch, "source_branch"):
            return _gitlab(known)
        return _gitlab(self._ask("POST", "", json={**branches, "title": request.title, "description": request.body}))

    def state(self, number: int) -> State:
        """As Requests.state()."""
        return _gitlab(self._ask("GET", f"/{number}")).state

    def close(self, number: int) -> State:
        """As Requests.close()."""
        found = self.state(number)
        if found is not State.OPEN:
            return found
        return _gitlab(self._ask("PUT", f"/{number}", json={"state_event": "close"})).state

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        project = quote(self.api.repository.project, safe="")
        headers = {"PRIVATE-TOKEN": self.api.token()}
        return self.api.ask(method, f"projects/{project}/merge_requests{path}", headers, **content)


def _gitlab(found: Any) -> Opened:
    try:
        return _opened(found["iid"], found["web_url"], _OF_GITLAB[found["state"]])
    except (LookupError, TypeError, ValueError) as error:
        raise ExternalFailure("GitLab described a merge request in a form that is not known.") from error
