"""What GitHub and GitLab answer to requests about pull requests, from their documentation, on a loopback address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hosts-token-1234567890"
PROJECT = "team/upstream"


@dataclass
class Pull:
    """One pull request."""

    number: int
    head: str
    base: str
    title: str
    body: str
    state: str = "open"
    """`open`, `merged` or `closed`"""


@dataclass
class Host:
    """A host with one repository, which takes one token."""

    url: str = ""
    pulls: list[Pull] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Method and path of each request."""
    fails_with: int = 0
    """Answers everything with this status; 0: nothing."""
    ignores_queries: bool = False
    says: bytes = b""
    """Answers everything with this; b"": nothing."""

    def opened(self, head: str, base: str, title: str, body: str) -> Pull:
        self.pulls.append(Pull(len(self.pulls) + 1, head, base, title, body))
        return self.pulls[-1]

    def listed(self, head: str, base: str) -> list[Pull]:
        return [pull for pull in self.pulls if self.ignores_queries or (pull.head, pull.base) == (head, base)]

    def github(self, method: str, path: str, query: dict[str, str], given: dict[str, Any]) -> tuple[int, Any]:
        """https://docs.github.com/en/rest/pulls/pulls"""
        if not path.startswith(f"/repos/{PROJECT}/pulls"):
            return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}
        number = path.removeprefix(f"/repos/{PROJECT}/pulls").strip("/")
        if number:
            pull = self.pulls[int(number) - 1]
            if method == "PATCH":
                pull.state = given["state"]
            return 200, self._github(pull)
        if method == "GET":
            head = query["head"].partition(":")[2]
            return 200, [self._github(pull) for pull in self.listed(head, query["base"])]
        if any(pull.head == given["head"] and pull.state == "open" for pull in self.pulls):
            errors = [{"resource": "PullRequest", "code": "custom", "message": "A pull request already exists."}]
            return 422, {"message": "Validation Failed", "errors": errors}
        return 201, self._github(self.opened(given["head"], given["base"], given["title"], given["body"]))

    def _github(self, pull: Pull) -> dict[str, Any]:
        return {
            "number": pull.number,
            "html_url": f"https://github.example/{PROJECT}/pull/{pull.number}",
            "state": "open" if pull.state == "open" else "closed",
            "merged_at": "2026-11-23T12:00:00Z" if pull.state == "merged" else None,
            "head": {"ref": pull.head},
            "base": {"ref": pull.base},
        }

    def gitlab(self, method: str, path: str, query: dict[str, str], given: dict[str, Any]) -> tuple[int, Any]:
        """https://docs.gitlab.com/api/merge_requests/"""
        root, _, number = path.partition("/merge_requests")
        if unquote(root) != f"/projects/{PROJECT}" or "/" in root.removeprefix("/projects/"):
            return 404, {"message": "404 Project Not Found"}
        if number:
            pull = self.pulls[int(number.strip("/")) - 1]
            if method == "PUT":
                pull.state = {"close": "closed"}[given["state_event"]]
            return 200, self._gitlab(pull)
        if method == "GET":
            found = self.listed(query["source_branch"], query["target_branch"])
            return 200, [self._gitlab(pull) for pull in found]
        made = self.opened(given["source_branch"], given["target_branch"], given["title"], given["description"])
        return 201, self._gitlab(made)

    def _gitlab(self, pull: Pull) -> dict[str, Any]:
        return {
            "id": 9000 + pull.number,
            "iid": pull.number,
            "web_url": f"https://gitlab.example/{PROJECT}/-/merge_requests/{pull.number}",
            "state": {"open": "opened"}.get(pull.state, pull.state),
            "source_branch": pull.head,
            "target_branch": pull.base,
        }

    def answer(self, method: str, raw: str, headers: Any, given: dict[str, Any]) -> tuple[int, Any]:
        """Status and content for a request."""
        self.asked.append(f"{method} {raw.partition('?')[0]}")
        if self.fails_with:
            return self.fails_with, {"message": "Not now"}
        if self.says:
            return 200, {}
        url = urlsplit(raw)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.startswith("/api/v4"):
            if headers.get("PRIVATE-TOKEN") != TOKEN:
                return 401, {"message": "401 Unauthorized"}
            return self.gitlab(method, url.path.removeprefix("/api/v4"), query, given)
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}
        return self.github(method, url.path, query, given)


@contextmanager
def host() -> Iterator[Host]:
    """A host under `url`: as GitHub right there, as GitLab below `/api/v4`."""
    found = Host()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            status, content = found.answer(self.command, self.path, self.headers, given)
            body = found.says or json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = answer

        def log_message(self, *_words: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
