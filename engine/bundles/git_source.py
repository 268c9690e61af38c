"""A bundle in a Git repository, named as Terraform names modules there: `git::ADDRESS//PATH?ref=BRANCH`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from engine.bundles import pack
from engine.bundles.limits import DEFAULT, Limits
from engine.bundles.sources import Fetched
from engine.core import repositories
from engine.core.address import quoted
from engine.errors import Invalid, NotFound
from engine.external.scratch import scratch

if TYPE_CHECKING:
    from engine.external.git import Repository

PREFIX = "git::"
_FORM = re.compile(r"git::(?P<url>(?:[a-z]+://)?.+?)(?://(?P<path>[^?]*))?(?:\?(?P<query>.*))?", re.DOTALL)
_HINT = "Write git::https://host/repository.git//folder?ref=BRANCH; a tag or a commit will do too."


def fetch(text: str, opened: Callable[[str], Repository], folder: Path, limits: Limits = DEFAULT) -> Fetched:
    """The bundle that `text` names, and the same name with the commit in it. `folder` is where others are made.

    Raises Invalid with every problem, NotFound, and as Repository.checkout().
    """
    found = _FORM.fullmatch(text)
    name, equals, value = (found["query"] or "" if found else "").partition("=")
    ref = unquote(value)
    if found is None or (found["query"] is not None and (name != "ref" or not equals or "&" in value or not ref)):
        shown = quoted(repositories.without_userinfo(text.removeprefix(PREFIX)))
        raise Invalid(f"{shown} does not name a bundle in a Git repository.", hint=_HINT)
    path = repositories.inside(unquote(found["path"] or "").strip("/"))
    repository = opened(found["url"])
    with scratch(folder, "bundle") as place:
        revision = repository.checkout(ref or "HEAD", place / "repository")
        root = revision.place(path)
        if not root.is_dir():
            raise NotFound(f"There is no folder {path} in {found['url']}, {ref or 'HEAD'}.", hint=_HINT)
        files = pack.read_folder(root, limits, name=text)
    below = f"//{path}" if path else ""
    return Fetched(pack.rooted(files, text), f"{PREFIX}{found['url']}{below}?ref={revision.commit}")
