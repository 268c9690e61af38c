"""What static-site makes, changes, survives and leaves: real Terraform."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terraform._shipped import (
    HOSTILE,
    SITES,
    TERRAFORM,
    ending,
    free_port,
    get,
    is_free,
    kill,
)
from tests.terraform._site import Site

pytestmark = [pytest.mark.terraform, pytest.mark.skipif(not TERRAFORM, reason="there is no Terraform here")]


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    yield lambda bundle, **outputs: Site(tmp_path / "workspace", bundle, **outputs)
    # a server ends when its folder has gone, also where a test failed
    shutil.rmtree(tmp_path / "lab", ignore_errors=True)


@pytest.mark.parametrize("bundle", SITES)
def test_destroying_a_site_leaves_no_process_and_no_folder(new_site: Callable[..., Site], bundle: str) -> None:
    site = new_site(bundle)
    site.apply()

    with ending(site.pid):
        site.destroy()

    assert is_free(site.port)
    assert list(site.lab.iterdir()) == []


@pytest.mark.parametrize("bundle", SITES[::2])
def test_a_new_text_is_shown_by_the_same_process(new_site: Callable[..., Site], bundle: str) -> None:
    site = new_site(bundle)
    site.apply()
    pid = site.pid
    site.set(title="New words")

    assert site.planned() == {("terraform_data.content", "replace")}
    site.apply()

    assert "<h1>New words</h1>" in site.get()[1]
    assert site.pid == pid


@pytest.mark.parametrize("bundle", SITES[::2])
def test_a_new_port_moves_the_site(new_site: Callable[..., Site], bundle: str) -> None:
    site = new_site(bundle)
    site.apply()
    old_port, old_pid = site.port, site.pid
    site.port = free_port()
    site.set()

    with ending(old_pid):
        site.apply()

    assert site.get()[0] == 200
    assert is_free(old_port)


def test_a_port_that_is_taken_is_refused_in_words_and_can_be_tried_again(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[0])
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        site.port = other.getsockname()[1]
        site.set()
        ended = site.run("apply", "-auto-approve", "-no-color")

    assert ended.code == 1
    assert f"Port {site.port} is taken by another program. Choose another port." in ended.text
    assert "Traceback" not in ended.text
    site.apply()
    assert site.get()[0] == 200


def test_a_site_that_could_not_start_is_destroyed_without_a_trace(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[0])
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        site.port = other.getsockname()[1]
        site.set()
        site.run("apply", "-auto-approve")

        site.destroy()

    assert list(site.lab.iterdir()) == []


def test_a_server_that_dies_at_once_is_told_with_its_last_words(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[0])
    script = site.folder / "files/serve.py"
    script.write_text(script.read_text().replace("    server.serve_forever()", '    sys.exit("out of cheese")'))

    ended = site.run("apply", "-auto-approve", "-no-color")

    assert ended.code == 1
    assert f"The process of {site.content} ended at once with exit code 1. Its last words:" in ended.text
    assert "out of cheese" in ended.text
    assert not (site.content / "process.pid").exists()


@pytest.mark.parametrize("bundle", SITES[::2])
def test_a_server_that_was_started_but_not_written_down_is_replaced(new_site: Callable[..., Site], bundle: str) -> None:
    site = new_site(bundle)
    site.apply()
    site.forget("terraform_data.server")

    with ending(site.pid):
        site.apply()

    assert site.get()[0] == 200


@pytest.mark.parametrize("bundle", SITES[::2])
def test_a_server_that_was_started_but_not_written_down_is_destroyed(
    new_site: Callable[..., Site], bundle: str
) -> None:
    site = new_site(bundle)
    site.apply()
    site.forget("terraform_data.server")

    with ending(site.pid):
        site.destroy()

    assert list(site.lab.iterdir()) == []


def test_a_run_that_is_killed_while_the_server_starts_can_be_repeated(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[0])
    script = site.folder / "files/serve.py"
    script.write_text(script.read_text().replace("    daemon.wait_until_ready(", HANG))
    site.cut_off("HANGS HERE", "apply", "-auto-approve", "-no-color")
    site.use(SITES[0])

    with ending(site.pid):
        site.apply()

    assert site.get()[0] == 200


HANG = """
    daemon.wait_until_ready(place, process, lambda: _answers(host, port))
    print("HANGS HERE", flush=True)
    __import__("signal").pause()
    daemon.wait_until_ready("""


def test_a_site_that_crashed_is_destroyed_quietly(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[0])
    site.apply()
    kill(site.pid)

    site.destroy()

    assert list(site.lab.iterdir()) == []


def test_a_site_that_crashed_starts_again_when_asked(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[0])
    site.apply()
    kill(site.pid)
    site.set(restart=1)

    assert site.planned() == {("terraform_data.server", "replace")}
    site.apply()

    assert site.get()[0] == 200


def test_a_program_that_got_the_pid_of_a_crashed_server_is_left_alone(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[0])
    site.apply()
    kill(site.pid)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        (site.content / "process.pid").write_text(f"{bystander.pid}\n1\n")

        site.destroy()

        assert bystander.poll() is None
        bystander.communicate(b"\n")
    assert bystander.returncode == 0


def test_a_server_ends_by_itself_when_its_folder_is_gone(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[0])
    site.apply()

    with ending(site.pid):
        shutil.rmtree(site.content)

    site.destroy()


def test_a_folder_of_something_else_is_neither_used_nor_removed(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[0])
    site.content.mkdir(parents=True)
    (site.content / "thesis.txt").write_text("ten years of work")

    ended = site.run("apply", "-auto-approve", "-no-color")
    text = site.destroy()

    assert f"{site.content} holds files of something else." in " ".join(ended.text.split())
    assert f"Left {site.content} alone: it holds files of something else." in text
    assert [path.name for path in site.content.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_do_nothing_but_appear(new_site: Callable[..., Site], text: str) -> None:
    site = new_site(SITES[0])
    site.set(title=text, message=text, colour='red"><script>')

    site.apply()

    page = (site.content / "public/index.html").read_bytes().decode()
    shown = text.replace("'", "&#x27;").replace('"', "&quot;")
    assert f"<h1>{shown}</h1>" in page
    assert "<script>" not in page
    assert list(site.folder.parent.rglob("pwned")) == []


def test_upgrades_keep_the_process_and_draw_the_page_anew(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[0])
    site.apply()
    pid = site.pid

    site.upgrade(SITES[1], theme="framed")
    site.apply()
    minor_page = site.get()[1]
    site.upgrade(SITES[2], theme="dark")
    site.apply()

    assert 'class="framed"' in minor_page
    assert "<footer>blue.web.lab.localhost in lab (dev)</footer>" in minor_page
    assert 'class="dark"' in site.get()[1]
    assert site.pid == pid


@pytest.mark.parametrize("bundle", SITES[1:])
def test_a_site_logs_where_the_environment_wants_it_and_takes_the_log_away(
    new_site: Callable[..., Site], bundle: str, tmp_path: Path
) -> None:
    site = new_site(bundle, log_root=str(tmp_path / "logs"))
    site.apply()
    site.get("/seen")
    log = tmp_path / "logs/web.blue.log"

    assert site.outputs()["log_file"] == str(log)
    assert "/seen" in log.read_text()
    site.destroy()
    assert list((tmp_path / "logs").iterdir()) == []


def test_version_2_listens_where_it_is_told(new_site: Callable[..., Site]) -> None:
    site = new_site(SITES[2])
    site.set(listen={"port": site.port, "host": "0.0.0.0"})

    site.apply()

    assert get(f"http://127.0.0.2:{site.port}/healthz") == (200, "ok\n")
    assert site.outputs()["url"] == f"http://127.0.0.1:{site.port}/"
