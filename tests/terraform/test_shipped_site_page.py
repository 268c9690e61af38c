"""What a running static-site shows, and to whom: real Terraform, one site a version."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terraform._shipped import (
    SITES,
    TERRAFORM,
)
from tests.terraform._site import Site

pytestmark = [pytest.mark.terraform, pytest.mark.skipif(not TERRAFORM, reason="there is no Terraform here")]


@pytest.fixture(scope="module", params=SITES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that runs; for tests that only look."""
    running = Site(tmp_path_factory.mktemp("site") / "workspace", request.param)
    running.set(title="Tom & <b>Jerry</b>", message='<script>alert("1")</script>\nsecond line')
    running.apply()
    yield running
    shutil.rmtree(running.lab)


def test_a_site_shows_its_texts_as_text(site: Site) -> None:
    status, page = site.get()

    assert status == 200
    assert "<h1>Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;</h1>" in page
    assert "<p>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;\nsecond line</p>" in page


def test_a_site_says_where_everything_is(site: Site) -> None:
    assert site.outputs() == {
        "url": f"http://127.0.0.1:{site.port}/",
        "health_url": f"http://127.0.0.1:{site.port}/healthz",
        "address": "blue.web.lab.localhost",
        "content_dir": str(site.content / "public"),
        "pid_file": str(site.content / "process.pid"),
        "log_file": str(site.content / "server.log"),
    }


def test_a_site_answers_for_its_health(site: Site) -> None:
    assert site.get("/healthz") == (200, "ok\n")


@pytest.mark.parametrize("path", ["/../owner", "/%2e%2e/owner", "/../process.pid", "/missing", "//etc/passwd"])
def test_a_site_serves_nothing_but_its_content(site: Site, path: str) -> None:
    assert site.get(path) == (404, "")


def test_a_folder_without_a_page_is_not_listed(site: Site) -> None:
    (site.content / "public/drafts").mkdir(mode=0o700)

    assert site.get("/drafts/") == (404, "")


def test_a_site_answers_this_machine_only(site: Site) -> None:
    with socket.socket() as asked:
        assert asked.connect_ex(("127.0.0.2", site.port)) != 0


def test_a_second_apply_changes_nothing(site: Site) -> None:
    assert site.planned() == set()


def test_the_server_has_nothing_of_the_run_that_started_it(site: Site) -> None:
    process = Path(f"/proc/{site.pid}")

    assert os.getsid(site.pid) == site.pid
    assert b"SECRET" not in (process / "environ").read_bytes()
    assert os.readlink(process / "cwd") == "/"
    assert [os.readlink(process / f"fd/{number}") for number in (0, 1, 2)] == [
        "/dev/null",
        str(site.content / "server.log"),
        str(site.content / "server.log"),
    ]


def test_the_requests_are_logged_but_not_the_health_checks(site: Site) -> None:
    site.get("/healthz?x=1")
    site.get("/logged")

    log = (site.content / "server.log").read_text()

    assert '"GET /logged HTTP/1.1" 404' in log
    assert "healthz" not in log


def test_only_the_owner_can_read_the_folder(site: Site) -> None:
    assert {oct(path.stat().st_mode & 0o077) for path in [site.content, *site.content.rglob("*")]} == {"0o0"}


def test_no_byte_code_is_left_in_the_workspace(site: Site) -> None:
    assert list(site.folder.rglob("__pycache__")) == []
