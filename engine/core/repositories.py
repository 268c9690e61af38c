"""The only place that says which addresses of Git repositories, branches and paths in them are taken."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.core.address import quoted
from engine.errors import Invalid

HINT = "Write file:///path, https://host/path, ssh://user@host/path or user@host:path."
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?", re.ASCII)
"""The full name of a commit, by SHA-1 or SHA-256."""
_TEXT_MAX = 2000
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_USER = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PATH = r"[^\x00-\x20\x7f?#\\]+"
_FORMS = (
    ("file", re.compile(rf"file://(?P<host>)(?P<path>/{_PATH})")),
    ("https", re.compile(rf"https://(?P<host>{_HOST}(?::\d{{1,5}})?)/(?P<path>{_PATH})", re.ASCII)),
    ("ssh", re.compile(rf"ssh://(?:{_USER}@)?(?P<host>{_HOST}(?::\d{{1,5}})?)/(?P<path>{_PATH})", re.ASCII)),
    ("ssh", re.compile(rf"(?:{_USER}@)?(?P<host>{_HOST}):(?!//)(?P<path>(?!-){_PATH})", re.ASCII)),
)
_BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]+")
_USERINFO = re.compile(r"(?<=://)[^/@\s]*@|^[^/@\s:]*:[^/@\s]*@")


@dataclass(frozen=True)
class GitUrl:
    """The address of a repository, which git may be given."""

    text: str
    """As it was written; there is no secret in it."""
    scheme: str
    """`file`, `https` or `ssh`"""
    host: str
    """With its port, where one is named; "" for `file`."""

    @property
    def name(self) -> str:
        """The last two parts of its path, as people call it: `acme/shop`."""
        parts = re.split(r"[/:]", self.text.rstrip("/").removesuffix(".git"))
        return "/".join(part for part in parts[-2:] if part)


def parse(text: str) -> GitUrl:
    """The address written as `text`. Raises Invalid for other schemes, for credentials in it, and for nonsense."""
    shown = quoted(without_userinfo(text))
    if len(text) > _TEXT_MAX or text.startswith("-") or not text.isprintable():
        raise Invalid(f"{shown} is not the address of a Git repository.", hint=HINT)
    for scheme, form in _FORMS:
        if found := form.fullmatch(text):
            return GitUrl(text, scheme, found["host"])
    if _USERINFO.search(text):
        raise Invalid(
            f"{shown} must not have credentials in it: it is kept, and shown to others.",
            hint="For https name a file with a token in git_token_file, for ssh a key in git_ssh_key.",
        )
    raise Invalid(f"{shown} is not an address that repositories are read from.", hint=HINT)


def without_userinfo(text: str) -> str:
    """The text without what stands before the @ of an address, which may be a password."""
    return _USERINFO.sub("", text)


def check_branch(name: str) -> str:
    """The name itself, when a branch may have it (by git's own rules). Raises Invalid."""
    parts = name.split("/")
    wrong = (
        not _BRANCH.fullmatch(name)
        or not name.isprintable()
        or len(name) > 200
        or name.startswith("-")
        or name.endswith(".")
        or ".." in name
        or "@{" in name
        or name == "@"
        or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    )
    if wrong:
        raise Invalid(f"{quoted(name)} is not the name of a branch.", hint="Branches are called main or release/2.")
    return name


def inside(path: str) -> str:
    """The path of something in a repository from its root, `./` and doubled slashes left out; "" is the root.

    Raises Invalid for one that leads out of the repository or into `.git`.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    bad = path.startswith("/") or ".." in parts or "\\" in path or not path.isprintable() or len(path) > _TEXT_MAX
    if bad or any(part.lower() == ".git" for part in parts):
        raise Invalid(f"{quoted(path)} is not a path inside a repository.", hint="Write it from the root: services/web")
    return "/".join(parts)
