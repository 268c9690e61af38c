"""The real git program on bare repositories: what is read, what is refused, and what a push may do."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from engine.core import repositories
from engine.errors import Conflict, ExternalFailure, Invalid, NotFound, Refused, Transient
from engine.external import git_program
from engine.external.git import Repository
from engine.external.git_program import Access, Git
from tests.repositories import Upstream, git

AUTHOR = "Landform <landform@example.org>"
NOBODY = "0123456789" * 4


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path)


def opened(url: str) -> Repository:
    return Repository(url, environment(Access()), 30)


# Addresses


@pytest.mark.parametrize(
    ("url", "scheme", "host"),
    [
        ("file:///srv/git/shop.git", "file", ""),
        ("https://git.example.org:8443/acme/shop.git", "https", "git.example.org:8443"),
        ("ssh://git@git.example.org/acme/shop", "ssh", "git.example.org"),
        ("git@git.example.org:acme/shop.git", "ssh", "git.example.org"),
    ],
)
def test_an_address_of_an_allowed_scheme_is_taken(url: str, scheme: str, host: str) -> None:
    found = repositories.parse(url)

    assert (found.text, found.scheme, found.host) == (url, scheme, host)


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example.org/shop",
        "git://git.example.org/shop",
        "ext::sh -c whoami",
        "-uupload-pack",
        "--upload-pack=touch x",
        "ssh://-oProxyCommand=x/shop",
        "-oProxyCommand=x:shop",
        "git@host:-x",
        "git@-host:x",
        "file://host/shop",
        "/srv/git/shop.git",
        "https://git.example.org/shop?x=1",
        "https://git.example.org/a b",
        "https://git.example.org/\n",
        "file:///srv/\x9b2J",
        "file:///srv/\udcff",
        "",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(Invalid, match="address"):
        opened(url)


@pytest.mark.parametrize(
    "url", ["https://ana:hunter2@example.org/x", "https://hunter2@example.org/x", "ssh://a:hunter2@h/x"]
)
def test_an_address_with_credentials_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Invalid, match="must not have credentials") as raised:
        opened(url)

    assert "hunter2" not in str(raised.value)
    assert "git_token_file" in raised.value.hint


@pytest.mark.parametrize(
    "branch",
    ["", "-x", "a..b", "a b", "x.lock", "a//b", "/a", "a/", ".a", "a@{1}", "a:b", "@", "a\n", "a\u2028", "\udcff"],
)
def test_what_cannot_be_a_branch_is_refused(branch: str) -> None:
    with pytest.raises(Invalid, match="not the name of a branch"):
        repositories.check_branch(branch)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", ".git/config", "a/.GIT/x", "a\\b", "a\0b"])
def test_a_path_that_leads_out_of_a_repository_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match="not a path inside a repository"):
        repositories.inside(path)


def test_a_path_is_written_from_the_root() -> None:
    assert repositories.inside("./services//web/./spec.yaml") == "services/web/spec.yaml"


# Reading


def test_the_tip_of_a_branch_is_found(upstream: Upstream) -> None:
    commit = upstream.commit({"a": "1"})

    assert opened(upstream.url).branch_head("main") == commit


def test_a_branch_is_checked_out_as_it_is_now(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit({"a": "1", "b/c": "x"})
    commit = upstream.commit({"a": "2"})

    found = opened(upstream.url).checkout("main", tmp_path / "here")

    assert (found.commit, found.read("a"), found.read("./b/c")) == (commit, b"2", b"x")


def test_a_commit_and_a_tag_are_checked_out_too(upstream: Upstream, tmp_path: Path) -> None:
    commit = upstream.commit({"a": "1"})
    git(upstream.work, "tag", "v1.0")
    git(upstream.work, "push", "-q", "origin", "v1.0")
    upstream.commit({"a": "2"})
    repository = opened(upstream.url)

    by_name = repository.checkout(commit, tmp_path / "commit")
    by_tag = repository.checkout("v1.0", tmp_path / "tag")

    assert (by_name.read("a"), by_tag.read("a"), by_tag.commit) == (b"1", b"1", commit)


def test_a_branch_that_is_not_there_is_named(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit({"a": "1"})

    with pytest.raises(NotFound, match="There is no branch gone in file://"):
        opened(upstream.url).branch_head("gone")
    with pytest.raises(NotFound, match="There is no branch gone in file://"):
        opened(upstream.url).checkout("gone", tmp_path / "here")


def test_a_repository_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=f"There is no repository file://{tmp_path}/gone"):
        opened(f"file://{tmp_path}/gone").branch_head("main")


def test_a_repository_that_does_not_answer_is_said_to_be_so() -> None:
    with pytest.raises(Transient, match=r"https://127\.0\.0\.1:1/shop does not answer"):
        opened("https://127.0.0.1:1/shop").branch_head("main")


def test_a_repository_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    slow = programs(tmp_path, "git", "sleep 60")
    repository = Repository("file:///shop", git_program.environment(f"{slow}:/usr/bin:/bin", Access(), {}), 0.2)

    with pytest.raises(Transient, match=r"did not answer within 0\.2 seconds"):
        repository.branch_head("main")


def test_a_link_is_never_followed(upstream: Upstream, tmp_path: Path) -> None:
    (upstream.work / "out").symlink_to("/etc")
    (upstream.work / "passwd").symlink_to("/etc/passwd")
    upstream.push()
    found = opened(upstream.url).checkout("main", tmp_path / "here")

    with pytest.raises(Invalid, match="symbolic link"):
        found.read("out/passwd")
    with pytest.raises(Invalid, match="symbolic link"):
        found.read("passwd")


def test_no_filter_of_the_repository_runs(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit({".gitattributes": "* filter=lfs\n", "a": "version https://git-lfs.github.com/spec/v1\n"})

    found = opened(upstream.url).checkout("main", tmp_path / "here")

    assert found.read("a") == b"version https://git-lfs.github.com/spec/v1\n"


@pytest.mark.parametrize("content", [bytes(2**20), random.Random(1).randbytes(2**20)], ids=["unpacked", "packed"])
def test_a_repository_that_is_larger_than_may_be_read_is_refused(
    upstream: Upstream, tmp_path: Path, content: bytes
) -> None:
    (upstream.work / "large").write_bytes(content)
    upstream.push()
    repository = Repository(upstream.url, environment(Access()), size_max=2**20 - 512)

    with pytest.raises(ExternalFailure, match="has more than 0 MB, which is the most that is read"):
        repository.checkout("main", tmp_path / "here")

    assert not (tmp_path / "here" / "large").exists()


def test_files_are_as_they_were_committed_whatever_the_repository_says_of_them(
    upstream: Upstream, tmp_path: Path
) -> None:
    upstream.commit({".gitattributes": "* text eol=crlf ident\nb working-tree-encoding=UTF-16\n", "a": "$Id$\n"})
    copy = opened(upstream.url).workcopy(tmp_path / "here", "main")

    copy.write("b", b"one\r\n")
    copy.commit("Add b", AUTHOR)
    copy.push("change-1")

    assert (copy.folder / "a").read_bytes() == b"$Id$\n"
    assert git(upstream.bare, "cat-file", "-s", "change-1:b") == "5"


def test_a_small_repository_that_lists_itself_without_end_is_refused(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit({"a": "x"})
    blob = git(upstream.work, "rev-parse", "HEAD:a")
    entries = [f"100644 blob {blob}\t{name}" for name in "abcdefghijklmnop"]
    for _ in range(6):
        tree = git(upstream.bare, "mktree", text="\n".join(entries))
        entries = [f"040000 tree {tree}\t{name}" for name in "abcdefghijklmnop"]
    commit = git(upstream.bare, "commit-tree", "-m", "Bomb", tree)
    git(upstream.bare, "update-ref", "refs/heads/main", commit)

    with pytest.raises(ExternalFailure, match=r"lists more than 64 MB\.$"):
        opened(upstream.url).checkout("main", tmp_path / "here")


# Writing


def test_a_commit_is_pushed_to_a_branch_of_its_own(upstream: Upstream, tmp_path: Path) -> None:
    base = upstream.commit({"a": "1"})
    copy = opened(upstream.url).workcopy(tmp_path / "here", "main")

    copy.write("prod/main.tf", b"# new\n")
    commit = copy.commit("Update prod\n\n-- details", AUTHOR)
    copy.push("change-1")

    assert copy.base == base
    assert copy.exists("prod/main.tf")
    assert git(upstream.bare, "rev-parse", "change-1", "change-1^") == f"{commit}\n{base}"
    assert upstream.show("change-1", "prod/main.tf") == "# new"
    assert git(upstream.bare, "log", "-1", "--format=%an <%ae>|%B", "change-1") == f"{AUTHOR}|Update prod\n\n-- details"


def test_pushing_the_same_commit_again_changes_nothing(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit({"a": "1"})
    copy = opened(upstream.url).workcopy(tmp_path / "here", "main")
    commit = copy.commit("Nothing new", AUTHOR)

    copy.push("change-1")
    copy.push("change-1")

    assert opened(upstream.url).branch_head("change-1") == commit


def test_a_branch_that_moved_meanwhile_is_never_overwritten(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit({"a": "1"})
    copy = opened(upstream.url).workcopy(tmp_path / "here", "main")
    copy.write("a", b"ours")
    copy.commit("Ours", AUTHOR)
    theirs = upstream.commit({"a": "theirs"})

    with pytest.raises(Conflict, match="Branch main moved since it was read"):
        copy.push("main")

    assert opened(upstream.url).branch_head("main") == theirs


def test_what_the_host_does_not_allow_is_said(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit({"a": "1"})
    git(upstream.bare, "config", "receive.denyCurrentBranch", "refuse")
    git(upstream.bare, "config", "transfer.hideRefs", "refs/heads/secret")
    copy = opened(upstream.url).workcopy(tmp_path / "here", "main")
    copy.commit("Ours", AUTHOR)

    with pytest.raises(Refused, match="does not take what was pushed to secret"):
        copy.push("secret")


def test_no_hook_of_the_repository_runs(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit({"a": "1"})
    hook = upstream.bare / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    hook.chmod(0o755)
    copy = opened(upstream.url).workcopy(tmp_path / "here", "main")
    copy.commit("Ours", AUTHOR)

    copy.push("change-1")

    assert not (tmp_path / "ran").exists()


def test_nothing_is_written_through_a_link(upstream: Upstream, tmp_path: Path) -> None:
    (upstream.work / "out").symlink_to(tmp_path)
    upstream.push()
    copy = opened(upstream.url).workcopy(tmp_path / "here", "main")

    with pytest.raises(Invalid, match="symbolic link"):
        copy.write("out/x", b"")


def test_a_commit_is_merged_once_the_branch_holds_it(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit({"a": "1"})
    repository = opened(upstream.url)
    copy = repository.workcopy(tmp_path / "copy", "main")
    commit = copy.commit("Ours", AUTHOR)
    copy.push("change-1")

    before = repository.is_merged(commit, "main", tmp_path / "before")
    git(upstream.work, "pull", "-q", "--no-rebase", "origin", "change-1")
    upstream.commit({"b": "1"})

    assert (before, repository.is_merged(commit, "main", tmp_path / "after")) == (False, True)
    assert not repository.is_merged(NOBODY, "main", tmp_path / "nobody")


# Secrets


def test_a_token_is_handed_over_from_its_file_and_to_its_host_alone(tmp_path: Path) -> None:
    token = tmp_path / "it's a token"
    token.write_text("hunter2\n", encoding="utf-8")
    repository = Git(repositories.parse("https://git.example.org/shop"), environment(Access(token)), 30)
    env = repository.full_env()

    assert filled(env, "git.example.org") == ["username=x-access-token", "password=hunter2"]
    assert filled(env, "evil.example.org") == []
    assert "hunter2" not in str(env)


def test_ssh_gets_a_key_and_no_prompt(tmp_path: Path) -> None:
    ssh = programs(
        tmp_path, "ssh", f'printf "%s\\n" "$@" > {tmp_path}/argv; echo "Permission denied (publickey)." >&2; exit 255'
    )
    key = tmp_path / "a key; touch x"
    env = git_program.environment(f"{ssh}:{os.environ['PATH']}", Access(None, key), {})

    with pytest.raises(ExternalFailure, match=r"Access to git@git.example.org:acme/shop was denied: .*publickey"):
        Repository("git@git.example.org:acme/shop", env, 30).branch_head("main")

    said = (tmp_path / "argv").read_text(encoding="utf-8").splitlines()
    assert said[said.index("-i") + 1] == str(key)
    assert "-oBatchMode=yes" in said
    assert said[-2:] == ["git@git.example.org", "git-upload-pack 'acme/shop'"]


def test_what_a_host_says_is_shown_without_secrets_and_controls(tmp_path: Path) -> None:
    said = r"printf 'fatal: unable to access https://ana:hunter2@example.org/x: \033[31mAuthentication failed\n' >&2"
    path = programs(tmp_path, "git", f"{said}; exit 128")
    env = git_program.environment(f"{path}:/usr/bin:/bin", Access(), {})

    with pytest.raises(ExternalFailure, match=r"Access to https://example\.org/x was denied") as raised:
        Repository("https://example.org/x", env, 30).branch_head("main")

    assert "hunter2" not in raised.value.message
    assert "\033" not in raised.value.message


def environment(access: Access) -> dict[str, str]:
    return git_program.environment(os.environ["PATH"], access, {})


def programs(folder: Path, name: str, script: str) -> Path:
    """A folder for PATH with a program."""
    place = folder / "bin"
    place.mkdir()
    (place / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (place / name).chmod(0o755)
    return place


def filled(env: dict[str, str], host: str) -> list[str]:
    """What git's helpers know of a host."""
    asked = f"protocol=https\nhost={host}\n\n"
    done = subprocess.run(
        ["git", "credential", "fill"], env=env, input=asked, capture_output=True, text=True, check=False
    )
    return [line for line in done.stdout.splitlines() if line.startswith(("username", "password"))]
