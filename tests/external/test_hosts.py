"""Pull requests of GitHub and merge requests of GitLab, asked of a server that answers as they document it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.provisioning import Host, Repository, State
from engine.errors import Conflict, ExternalFailure, LandformError, NotFound, Refused, Transient
from engine.external import hosts
from engine.external.hosts import Opened, Request, Requests
from tests.hosts import PROJECT, TOKEN, host
from tests.hosts import Host as Server

WANTED = Request("proton--1", "main", "Update requested", "Merge it.")
API = {Host.GITHUB: "", Host.GITLAB: "/api/v4"}
PAGE = {
    Host.GITHUB: f"https://github.example/{PROJECT}/pull/1",
    Host.GITLAB: f"https://gitlab.example/{PROJECT}/-/merge_requests/1",
}


@pytest.fixture
def server() -> Iterator[Server]:
    with host() as found:
        yield found


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    return file


@pytest.fixture(params=list(API), ids=str)
def kind(request: pytest.FixtureRequest) -> Host:
    return Host(request.param)


@pytest.fixture
def repository(server: Server, kind: Host) -> Repository:
    return Repository("file:///team/upstream.git", "main", kind, f"{server.url}{API[kind]}", PROJECT)


@pytest.fixture
def requests(repository: Repository, token: Path) -> Requests:
    found = hosts.of(repository, {repository.host: token})
    assert found is not None
    return found


def test_a_pull_request_is_opened_with_what_it_says(requests: Requests, server: Server, kind: Host) -> None:
    assert requests.open(WANTED) == Opened(1, PAGE[kind], State.OPEN)
    [pull] = server.pulls
    assert (pull.head, pull.base, pull.title, pull.body) == ("proton--1", "main", "Update requested", "Merge it.")


@pytest.mark.parametrize("state", State, ids=str)
def test_a_branch_that_had_a_pull_request_never_gets_a_second_one(
    requests: Requests, server: Server, kind: Host, state: State
) -> None:
    requests.open(WANTED)
    server.pulls[0].state = state.value

    assert requests.open(WANTED) == Opened(1, PAGE[kind], state)
    assert len(server.pulls) == 1


@pytest.mark.parametrize("state", State, ids=str)
def test_what_became_of_it_is_told(requests: Requests, server: Server, state: State) -> None:
    requests.open(WANTED)
    server.pulls[0].state = state.value

    assert requests.state(1) is state


def test_an_open_one_is_closed(requests: Requests, server: Server) -> None:
    requests.open(WANTED)

    assert requests.close(1) is State.CLOSED
    assert server.pulls[0].state == "closed"


def test_a_merged_one_is_left_alone(requests: Requests, server: Server) -> None:
    requests.open(WANTED)
    server.pulls[0].state = "merged"

    assert requests.close(1) is State.MERGED
    assert {word.split()[0] for word in server.asked[2:]} == {"GET"}


def test_a_wrong_token_is_refused_without_being_shown(repository: Repository, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong-token-0987654321\n", encoding="utf-8")
    requests = hosts.of(repository, {repository.host: wrong})
    assert requests is not None

    with pytest.raises(Refused, match=rf"^Access to team/upstream at {repository.api} was denied: ") as caught:
        requests.open(WANTED)
    assert caught.value.hint == f"The token in {wrong} must be valid, and may open pull requests there."
    assert "wrong-token" not in f"{caught.value}{caught.value.hint}{caught.value.__cause__}"


def test_a_project_that_is_not_there_is_not_found(repository: Repository, token: Path) -> None:
    requests = hosts.of(replace(repository, project="team/other"), {repository.host: token})
    assert requests is not None

    with pytest.raises(NotFound, match=r"^There is no team/other at http://.*, or the token may not see it\.$"):
        requests.open(WANTED)


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (403, Refused, "was denied: Not now (403)."),
        (422, Conflict, "does not take it: Not now (422)."),
        (429, Transient, "cannot answer now: Not now (429)."),
        (502, Transient, "cannot answer now: Not now (502)."),
        (301, ExternalFailure, "gave an unexpected answer: Not now (301)."),
    ],
)
def test_every_other_refusal_is_told_in_the_words_of_the_host(
    requests: Requests, server: Server, status: int, error: type[LandformError], said: str
) -> None:
    server.fails_with = status

    with pytest.raises(error) as caught:
        requests.state(1)
    assert caught.value.message.endswith(said)


def test_a_host_that_does_not_answer_is_a_passing_failure(repository: Repository, token: Path) -> None:
    requests = hosts.of(replace(repository, api="http://127.0.0.1:9"), {repository.host: token})
    assert requests is not None

    with pytest.raises(Transient, match=r"^http://127\.0\.0\.1:9 does not answer: "):
        requests.state(1)


def test_without_a_token_nothing_is_asked(repository: Repository) -> None:
    with pytest.raises(Refused, match=rf"^There is no token to open pull requests with at {repository.api}\.$"):
        hosts.of(repository, {repository.host: None})


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is no token"), (b"a b\tc\n", "is no token"), (b"\xff\xfe", "it is not text")]
)
def test_a_file_that_holds_no_token_is_refused(
    repository: Repository, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "empty"
    file.write_bytes(content)

    with pytest.raises(Refused, match=said):
        hosts.of(repository, {repository.host: file})


def test_a_repository_without_a_host_has_no_pull_requests() -> None:
    assert hosts.of(Repository("file:///team/upstream.git", "main"), {}) is None


ODD = "came in a form that is not known|described a .* in a form that is not known"


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (b"<html>", "gave an answer that is not JSON"),
        (b"[" * 100_000, "gave an answer that is not JSON"),
        (b" " * (16 * 2**20 + 1), "gave an answer of more than 16,777,216 bytes"),
        (b"{}", ODD),
        (b'[{"head": {"ref": "proton--1"}, "source_branch": "proton--1"}]', ODD),
    ],
    ids=["html", "deep", "large", "no list", "no request"],
)
def test_nonsense_is_told_as_such(requests: Requests, server: Server, says: bytes, told: str) -> None:
    server.says = says

    with pytest.raises(ExternalFailure, match=told):
        requests.open(WANTED)


ONE = {"state": "open", "merged_at": None, "number": 1, "html_url": "https://h/1", "iid": 1, "web_url": "https://h/1"}


@pytest.mark.parametrize(
    "odd",
    [
        {"number": float("inf"), "iid": float("inf")},
        {"number": 0, "iid": 0},
        {"html_url": "javascript:alert(1)", "web_url": "javascript:alert(1)"},
        {"html_url": "https://h/\x1b[2J", "web_url": "https://h/\x1b[2J"},
        {"state": "gone"},
    ],
    ids=["endless", "no number", "no address", "terminal", "no state"],
)
def test_what_no_pull_request_can_be_is_not_kept(requests: Requests, server: Server, odd: dict[str, object]) -> None:
    server.says = json.dumps({**ONE, **odd}).encode()

    with pytest.raises(ExternalFailure, match=ODD):
        requests.state(1)


def test_a_host_that_answers_with_all_there_are_has_nobody_elses_taken(requests: Requests, server: Server) -> None:
    server.opened("feature", "main", "Something else", "")
    server.ignores_queries = True

    assert requests.open(WANTED).number == 2
