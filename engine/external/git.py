"""Repositories, read and written with the real git program: checked out, and changed by one commit that is pushed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.core import repositories
from engine.core.repositories import COMMIT, check_branch, inside
from engine.errors import ExternalFailure, Invalid, LandformError, NotFound
from engine.external.git_program import DENIED, MOVED, SIZE_MAX, Access, Git, denied, environment, megabytes, moved
from engine.settings import Settings, environ

TIMEOUT_S = 120.0
FILE_MAX = 2 * 1024 * 1024
_FILES_MAX = 100_000
_AS_COMMITTED = "* -text -ident !filter !working-tree-encoding\n"
"""Counts before what a repository says of its own files: they are read and written byte by byte."""
_AUTHOR = re.compile(r"(?P<name>[^<>\x00-\x1f]+) <(?P<email>[^<>\x00-\x20]+)>")
_NO_REF = re.compile(r"couldn't find remote ref|not our ref|no such remote ref", re.IGNORECASE)


def repository(url: str, settings: Settings) -> Repository:
    """The repository at that address, opened with what the settings name.

    Raises Invalid for an address that is not taken, and LandformError when the token cannot be read.
    """
    if settings.git_token_file and url.startswith("https:") and not os.access(settings.git_token_file, os.R_OK):
        raise LandformError(f"The git_token_file {settings.git_token_file} cannot be read.")
    reached_by = {name: value for name, value in environ().items() if name == _AGENT} | {
        name: value for name, value in settings.run_env.items() if name.upper() in _NETWORK
    }
    access = Access(settings.git_token_file, settings.git_ssh_key)
    return Repository(url, environment(settings.path, access, reached_by), settings.git_timeout_s)


_AGENT = "SSH_AUTH_SOCK"
_NETWORK = {
    *("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE"),
}
"""Variables of `[run_env]` that a git needs too to reach the world."""


@dataclass(frozen=True)
class Repository:
    """A repository somewhere else. Raises Invalid for an address that is not taken (core.repositories.parse).

    Whatever asks it raises NotFound when there is none, Transient when it does not answer, ExternalFailure when it
    says no or is too large.
    """

    url: str
    env: Mapping[str, str]
    """git_program.environment()"""
    timeout_s: float = TIMEOUT_S
    """For each command."""
    size_max: int = SIZE_MAX

    def __post_init__(self) -> None:
        repositories.parse(self.url)

    @cached_property
    def _git(self) -> Git:
        return Git(repositories.parse(self.url), self.env, self.timeout_s, self.size_max)

    def branch_head(self, branch: str) -> str:
        """The commit at the tip of the branch. Raises NotFound when the branch or the repository is not there."""
        ref = f"refs/heads/{check_branch(branch)}"
        lines = [
            line.split("\t") for line in self._git("ls-remote", *self._upload_pack(), "--", self.url, ref).splitlines()
        ]
        found = next((line[0] for line in lines if line[1:] == [ref] and COMMIT.fullmatch(line[0])), None)
        if found is None:
            raise _no_ref(self.url, branch)
        return found

    def checkout(self, ref: str, folder: Path) -> Revision:
        """The files of a branch, a tag, a commit or `HEAD` in a folder that is made for it.

        Submodules stay empty, files of LFS stay pointers, links are kept and lead nowhere by Revision.read().
        Raises NotFound when there is no such thing.
        """
        commit = self._fetch(ref, folder, "--depth=1")
        self._refuse_large(commit, folder)
        self._git("checkout", "-q", "--detach", "--no-recurse-submodules", commit, cwd=folder)
        return Revision(commit, folder)

    def workcopy(self, folder: Path, branch: str) -> WorkCopy:
        """The files of a branch in a folder that is made for it, to be changed by a commit. Raises as checkout()."""
        base = self.checkout(check_branch(branch), folder)
        return WorkCopy(base.commit, folder, self._git)

    def is_merged(self, commit: str, branch: str, folder: Path) -> bool:
        """Whether the branch holds the commit. `folder` is made for its history, and is the caller's to remove.

        A commit that was squashed or rebased on its way is another one. Raises NotFound when the branch is gone.
        """
        if not COMMIT.fullmatch(commit):
            raise Invalid(f"{commit!r} is not the name of a commit.")
        tip = self._fetch(check_branch(branch), folder, "--filter=tree:0")
        return commit in self._git("rev-list", tip, "--", cwd=folder).split()

    def _fetch(self, ref: str, folder: Path, how: str) -> str:
        """The commit that `ref` is, fetched into a new repository."""
        self._git("init", "-q", "--template=", "--", str(folder))
        attributes = folder / ".git/info/attributes"
        attributes.parent.mkdir()
        attributes.write_text(_AS_COMMITTED, encoding="utf-8")
        for found in _refs(ref):
            fetch = ("fetch", "-q", "--no-tags", "--no-recurse-submodules", "--no-write-commit-graph", how)
            code, said = self._git.ended(*fetch, *self._upload_pack(), "--", self.url, found, cwd=folder)
            if code == 0:
                return self._git("rev-parse", "--verify", "-q", "FETCH_HEAD^{commit}", cwd=folder).strip()
            if not _NO_REF.search(said):
                raise self._git.error(said)
        raise _no_ref(self.url, ref)

    def _upload_pack(self) -> tuple[str, ...]:
        # a folder that many may write to has many owners; to read from it runs nothing that lies in it
        return ("--upload-pack=git -c safe.directory='*' upload-pack",) if self._git.url.scheme == "file" else ()

    def _refuse_large(self, commit: str, folder: Path) -> None:
        """Raises before anything is unpacked: a small pack may hold very large files."""
        listed = self._git("ls-tree", "-r", "-l", "-z", "--full-tree", commit, cwd=folder).split("\0")
        sizes = [entry.partition("\t")[0].split()[-1] for entry in listed if entry]
        total = sum(int(size) for size in sizes if size.isdigit())
        if total > self.size_max or len(sizes) > _FILES_MAX:
            much = megabytes(self.size_max) if total > self.size_max else f"{_FILES_MAX:,} files"
            hint = "Move templates and specs to a repository of their own."
            message = f"The repository {self.url} has more than {much}, which is the most that is read."
            raise ExternalFailure(message, hint=hint)


@dataclass(frozen=True)
class Revision:
    """The files of one commit, on disk."""

    commit: str
    folder: Path

    def read(self, path: str, most: int = FILE_MAX) -> bytes:
        """The content of a file. Raises NotFound when it is not there, Invalid for a link, a folder or a large one."""
        place = self.place(path)
        try:
            handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(handle, "rb") as stream:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise Invalid(f"{path} is not a file.")
                content = stream.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"There is no {path} at {self.commit[:12]}.") from None
        except OSError as error:
            raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
        if len(content) > most:
            raise Invalid(f"{path} is larger than {most:,} bytes.")
        return content

    def place(self, path: str) -> Path:
        """Where the file or folder of that path lies on disk, if it does. Raises Invalid outside, and behind a link."""
        parts = [part for part in inside(path).split("/") if part]
        for place in _ways(self.folder, parts):
            if place.is_symlink():
                raise Invalid(f"{path} is, or lies behind, a symbolic link.")
        return self.folder.joinpath(*parts)


@dataclass(frozen=True)
class WorkCopy:
    """The files of a branch, to be changed and pushed."""

    base: str
    """The commit that was read."""
    folder: Path
    git: Git

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder. Raises Invalid for a path outside, or behind a link."""
        return self._place(path).exists()

    def write(self, path: str, content: bytes) -> None:
        """Writes a file; folders are made. Raises Invalid for a path outside, or behind a link, or that is a folder."""
        place = self._place(path)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        except OSError as error:
            raise Invalid(f"{path} cannot be written in the repository: {error.strerror}.") from error
        self.git("add", "--force", "--", f":(top,literal){inside(path)}", cwd=self.folder)

    def commit(self, message: str, author: str) -> str:
        """A commit with what was written, also when that changes nothing; its name. `author` is `Name <email>`."""
        who = _AUTHOR.fullmatch(author)
        if who is None:
            raise Invalid(f"{author!r} is not an author.", hint="Write Name <name@example.org>.")
        roles = ("AUTHOR", "COMMITTER")
        env = {f"GIT_{role}_{part.upper()}": who[part] for role in roles for part in ("name", "email")}
        words = ("--no-verify", "--allow-empty", "--cleanup=verbatim", f"--message={message}")
        self.git("commit", "-q", *words, cwd=self.folder, env=env)
        return self.git("rev-parse", "--verify", "HEAD^{commit}", cwd=self.folder).strip()

    def push(self, branch: str) -> None:
        """Gives the commit to a branch of the repository, which is made where there is none; never by force.

        Raises Conflict when somebody else has pushed to the branch meanwhile, Refused when the host does not allow it.
        To push the same commit again changes nothing.
        """
        ref = f"HEAD:refs/heads/{check_branch(branch)}"
        words = ("--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
        code, said = self.git.ended(
            "push", *words, *self._receive_pack(), "--", self.git.url.text, ref, cwd=self.folder
        )
        if code == 0:
            return
        if DENIED.search(said) and not MOVED.search(said):
            raise denied(self.git.url, branch, said)
        raise moved(branch) if MOVED.search(said) else self.git.error(said)

    def _receive_pack(self) -> tuple[str, ...]:
        # git would run the hooks of a folder on this machine as us
        if self.git.url.scheme != "file":
            return ()
        return ("--receive-pack=git -c core.hooksPath=/dev/null receive-pack",)

    def _place(self, path: str) -> Path:
        return Revision(self.base, self.folder).place(path)


def _ways(folder: Path, parts: list[str]) -> Iterator[Path]:
    for end in range(1, len(parts) + 1):
        yield folder.joinpath(*parts[:end])


def _refs(ref: str) -> tuple[str, ...]:
    """What to ask a repository for, one after the other."""
    if ref == "HEAD" or COMMIT.fullmatch(ref):
        return (ref,)
    return (f"refs/heads/{check_branch(ref)}", f"refs/tags/{ref}")


def _no_ref(url: str, ref: str) -> NotFound:
    noun = "commit" if COMMIT.fullmatch(ref) else "branch"
    hint = f"See those that there are: git ls-remote {url}"
    return NotFound(f"There is no {noun} {ref} in {url}.", hint=hint)
