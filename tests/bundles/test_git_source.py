"""Bundles in Git repositories: which commit and folder a name means, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.bundles import git_source
from engine.bundles.sources import Fetched
from engine.errors import Invalid, NotFound
from engine.external.git import Repository
from engine.external.git_program import Access, environment
from tests.repositories import Upstream

FILES: dict[str, str | None] = {"net/schema/schema.yaml": "a: 1", "net/infrastructure/main.tf": "# code"}


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path)


def fetch(text: str, folder: Path) -> Fetched:
    env = environment(os.environ["PATH"], Access(), {})
    return git_source.fetch(text, lambda url: Repository(url, env), folder / "scratch")


def test_a_bundle_is_named_with_the_commit_that_it_was_read_from(upstream: Upstream, tmp_path: Path) -> None:
    commit = upstream.commit(FILES)
    upstream.commit({"net/infrastructure/main.tf": "# newer"}, branch="dev")

    found = fetch(f"git::{upstream.url}//net", tmp_path)
    newer = fetch(f"git::{upstream.url}//net?ref=dev", tmp_path)

    assert found.files == {"schema/schema.yaml": b"a: 1", "infrastructure/main.tf": b"# code"}
    assert found.source == f"git::{upstream.url}//net?ref={commit}"
    assert newer.files["infrastructure/main.tf"] == b"# newer"
    assert fetch(found.source, tmp_path) == found
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("ending", "kind", "message"),
    [
        ("//gone", NotFound, "There is no folder gone in file://"),
        ("//../x", Invalid, "not a path inside a repository"),
        ("//net?ref=gone", NotFound, "There is no branch gone in file://"),
        ("//net?ref=--upload-pack=x", Invalid, "not the name of a branch"),
        ("//net?depth=1", Invalid, "does not name a bundle in a Git repository"),
        ("//net?ref=", Invalid, "does not name a bundle in a Git repository"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(
    upstream: Upstream, tmp_path: Path, ending: str, kind: type[Exception], message: str
) -> None:
    upstream.commit(FILES)

    with pytest.raises(kind, match=message):
        fetch(f"git::{upstream.url}{ending}", tmp_path)


@pytest.mark.parametrize("text", ["git::", "git::ext::sh -c x", "git::http://h/x", "git::https://ana:hunter2@h/x//net"])
def test_an_address_that_is_not_taken_is_refused_without_its_secrets(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid) as raised:
        fetch(text, tmp_path)

    assert "hunter2" not in str(raised.value)
