"""The options that say in whose repository the runs of an environment are proposed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from engine.core.provisioning import Host

if TYPE_CHECKING:
    from engine.actions.provisioned import Chosen

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Text:
    """A repository as typed; None for what was not said."""

    repository: str | None
    branch: str | None
    host: str | None
    api: str | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return self == Text(None, None, None, None)

    def read(self) -> Chosen:
        """The same, as actions take it."""
        from engine.actions.provisioned import Chosen

        return Chosen(self.repository, self.branch, self.host, self.api)


def options(command: F) -> F:
    """Adds the options; the command gets them as `proposed_in`."""

    @wraps(command)
    def take(*args: object, **given: Any) -> object:
        typed = Text(*(given.pop(f"provisioning_{name}") for name in ("repository", "branch", "host", "api")))
        return command(*args, proposed_in=typed, **given)

    wrapped: Callable[..., Any] = take
    for add in reversed(_OPTIONS):
        wrapped = add(wrapped)
    return cast(F, wrapped)


_OPTIONS = (
    click.option(
        "--provisioning-repository",
        metavar="URL",
        help="Others run Terraform: each run is proposed in this Git repository. Cannot be changed once deployed, but "
        "for another repository.",
    ),
    click.option("--provisioning-branch", metavar="BRANCH", help="What this is merged into.  [default: main]"),
    click.option(
        "--provisioning-host",
        type=click.Choice([host.value for host in Host]),
        help="Who takes pull requests for it.  [default: told from the URL]",
    ),
    click.option("--provisioning-api", metavar="URL", help="Address of the host's REST interface, as for your own."),
)
