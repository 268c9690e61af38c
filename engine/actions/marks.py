"""What people write on things without a run: tags, and the name of the credentials that an environment works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.actions.desk import raise_all
from engine.core import credentials, tags

if TYPE_CHECKING:
    from engine.actions.desk import Desk

_OPTION = "--tag"


def tagged(before: Mapping[str, str], wishes: Mapping[str, str]) -> dict[str, str]:
    """The tags with those of `wishes` laid over them, where "" takes one away. Raises Invalid with all problems."""
    after = tags.changed(before, wishes)
    wrong = [*tags.problems(wishes, _OPTION)] or [*tags.problems(after, _OPTION)]
    raise_all("The tags cannot be used:", wrong)
    return after


def known_credentials(desk: Desk, name: str) -> str:
    """The name; "" is none. Raises Invalid when landform.toml has no such credentials, or with what is wrong there."""
    if name:
        credentials.parse(desk.settings.tables.get(credentials.TABLE), name, str(desk.settings.config_file))
    return name
