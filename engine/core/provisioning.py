"""Where others are asked to carry runs out: the repository, one branch a run, and what its files are called there.

The layout, the names and the title are those of reference sections 2.2 and 6.3, so that pipelines which were written
for Proton's pull requests find what they look for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from engine.core import arns, repositories
from engine.core.address import Address, Kind, quoted
from engine.core.metadata import DELETED
from engine.core.repositories import GitUrl
from engine.errors import Conflict, Invalid, Problem

T = TypeVar("T")
ENVIRONMENTS = "environments"
"""A repository that has this folder at its root has its environments in there."""
_API = re.compile(r"(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[!\"$->A-~]*)?")
_NOUNS = {
    Kind.ENVIRONMENT: "environment",
    Kind.SERVICE_INSTANCE: "service_instance",
    Kind.PIPELINE: "pipeline",
    Kind.COMPONENT: "component",
}


class Host(StrEnum):
    """Who takes pull requests for a repository."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"
    """Nobody that we can talk to: there is a branch, and somebody merges it."""


class State(StrEnum):
    """What has become of a proposal."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class Style(StrEnum):
    """Where components lie in the folder of their environment."""

    DOCUMENTED = "documented"
    """Directly in it, where the public workflow looks for them."""
    NESTED = "nested"
    """In its folder `components`."""


_KNOWN_HOSTS = {"github.com": Host.GITHUB, "gitlab.com": Host.GITLAB}
_KNOWN_APIS = {"github.com": "https://api.github.com", "gitlab.com": "https://gitlab.com/api/v4"}
_API_PATHS = {Host.GITHUB: "api/v3", Host.GITLAB: "api/v4"}


@dataclass(frozen=True)
class Repository:
    """A repository that gets a branch for each run."""

    url: str
    """As git takes it, without any password."""
    branch: str
    """What is proposed is to be merged into this one."""
    host: Host = Host.NONE
    api: str = ""
    """Address of the host's REST interface, without a slash at its end; "" where there is none."""
    project: str = ""
    """What the host calls the repository: `team/infra`; "" where there is no host."""

    def to_json(self) -> dict[str, object]:
        """A JSON form that repository() reads back."""
        return {
            "url": self.url,
            "branch": self.branch,
            "host": self.host.value,
            "api": self.api,
            "project": self.project,
        }


@dataclass(frozen=True)
class Proposal:
    """What others were asked to carry out for one run."""

    repository: Repository
    branch: str
    deployment_id: str
    """A UUID, which whoever reports gives back; DELETED in a proposal to destroy."""
    folder: str = ""
    """Where in the repository; "" before it has been looked at."""
    commit: str = ""
    """"" before the branch was pushed."""
    url: str = ""
    """Of the pull request; "" where there is none."""
    number: int = 0
    """Of the pull request; 0 where there is none."""
    state: State = State.OPEN
    """As it was last seen."""

    @property
    def is_awaited(self) -> bool:
        """Whether somebody still has to merge it."""
        return self.state is State.OPEN

    @property
    def place(self) -> str:
        """Where to look at it, for people."""
        return self.url or f"branch {self.branch} of {self.repository.url}"

    def to_json(self) -> dict[str, object]:
        """A JSON form that proposal() reads back."""
        return {
            "repository": self.repository.to_json(),
            "branch": self.branch,
            "deployment_id": self.deployment_id,
            "folder": self.folder,
            "commit": self.commit,
            "url": self.url,
            "number": self.number,
            "state": self.state.value,
        }


def repository(stored: Mapping[str, object]) -> Repository:
    """The repository that to_json() wrote."""
    known = {name: str(value) for name, value in stored.items()}
    return Repository(known["url"], known["branch"], Host(known["host"]), known["api"], known["project"])


def proposal(stored: Mapping[str, object]) -> Proposal:
    """The proposal that to_json() wrote."""
    known = {name: str(value) for name, value in stored.items() if name not in ("repository", "number", "state")}
    where, number = stored["repository"], stored["number"]
    assert isinstance(where, Mapping)
    assert isinstance(number, int)
    return Proposal(repository(where), **known, number=number, state=State(str(stored["state"])))


@dataclass(frozen=True)
class Wish:
    """A repository as typed; "" for what was not said."""

    url: str
    branch: str = ""
    host: str = ""
    api: str = ""
    option: str = "--provisioning-"
    """How what was typed begins: that of options, or of settings."""


def chosen(wish: Wish) -> Repository:
    """The repository; its host and what that needs follow from the address where they were not given.

    Raises Invalid with everything that is wrong.
    """
    problems: list[Problem] = []
    branch = wish.branch or "main"
    if not wish.url:
        raise Invalid("No provisioning repository is named.", hint=f"Name one with {wish.option}repository.")
    url = _without(problems, f"{wish.option}repository", lambda: repositories.parse(wish.url))
    _without(problems, f"{wish.option}branch", lambda: repositories.check_branch(branch))
    name = _web(url) if url else ""
    host = _without(problems, f"{wish.option}host", lambda: _host(wish.host, name)) or Host.NONE
    if wrong := _wrong_api(wish.api, host, name):
        problems.append(Problem(f"{wish.option}api", 0, "", wrong))
    if url is None or problems:
        raise Invalid("The provisioning repository cannot be used:", problems=problems)
    if host is Host.NONE:
        return Repository(url.text, branch)
    api = wish.api or _KNOWN_APIS.get(name) or f"https://{name}/{_API_PATHS[host]}"
    return Repository(url.text, branch, host, api.rstrip("/"), _project(url))


def _without(problems: list[Problem], option: str, read: Callable[[], T]) -> T | None:
    """What is read; None after noting why it cannot be."""
    try:
        return read()
    except Invalid as error:
        problems.append(Problem(option, 0, "", error.message, hint=error.hint))
        return None


def _host(text: str, name: str) -> Host:
    """The host that was named, else the one that is known to have that name."""
    if text and text not in list(Host):
        raise Invalid(f"{quoted(text)} is not one of {', '.join(Host)}.")
    return Host(text) if text else _KNOWN_HOSTS.get(name, Host.NONE)


def _wrong_api(api: str, host: Host, name: str) -> str:
    """What is wrong with the address of a host's REST interface; "" when nothing is."""
    if api and not _API.fullmatch(api):
        shown = quoted(repositories.without_userinfo(api))
        return f"{shown} is not an address that begins with https://, without credentials, ? and #."
    if api and host is Host.NONE:
        return "names the REST interface of a host, and there is none: name that too."
    if host is not Host.NONE and not api and not name:
        return f"is needed: the address of the repository does not say where {host.value} is."
    return ""


def _web(url: GitUrl) -> str:
    """The name under which the host of a repository is a web site; that of ssh has a port of its own."""
    return (url.host.partition(":")[0] if url.scheme == "ssh" else url.host).lower()


def _project(url: GitUrl) -> str:
    """What a host calls the repository: `team/infra`, on GitLab with all the groups above."""
    if url.scheme == "file":
        return url.name
    return url.text.split(url.host, 1)[1].strip(":/").removesuffix(".git")


def folder(where: Address, environment: str, style: Style, *, nested: bool) -> str:
    """Where the files of an instance lie; `nested`: the repository has a folder ENVIRONMENTS.

    `environment` is the one that it lives in, "" for a pipeline.
    """
    if where.kind is Kind.PIPELINE:
        return f"{where.name}/pipeline"
    home = f"{ENVIRONMENTS}/{environment}" if nested else environment
    if where.kind is Kind.ENVIRONMENT:
        return home
    if where.kind is Kind.SERVICE_INSTANCE:
        return f"{home}/{where.service}-{where.name}"
    return f"{home}/components/{where.name}" if style is Style.NESTED else f"{home}/{where.name}"


def refuse_same_folder(where: Address, others: Iterable[Address], style: Style) -> None:
    """Raises Conflict when one of the others, who live in the same environment, has the folder of `where`."""
    wanted = folder(where, "", style, nested=False)
    taken = next((one for one in others if one != where and folder(one, "", style, nested=False) == wanted), None)
    if taken is not None:
        raise Conflict(
            f"{where} would have the same folder in the repository as {taken}: {wanted.removeprefix('/')}.",
            hint="Give it another name.",
        )


def branch(kind: Kind, uid: str) -> str:
    """The branch that proposes one run; `uid` is a UUID of its own, not the deployment's."""
    return f"proton--proton-{_NOUNS[kind]}-{uid}"


def title(where: Address) -> str:
    """The title of a pull request, and the subject of its commit."""
    return f"Update requested for Proton - {arns.resource(where)}"


def what_to_do(run_id: int, proposal: Proposal) -> str:
    """What somebody has to do now that it is proposed, and where."""
    if proposal.state is State.MERGED:
        return f"Said in {proposal.folder} of {proposal.repository.url} before. {_notify(run_id)}"
    what = "Merge" if proposal.url else f"Merge into {proposal.repository.branch}"
    return f"{what}: {proposal.place}. Then: {_notify(run_id)}"


def _notify(run_id: int) -> str:
    return f"landform run notify {run_id} --status succeeded"


def body(run_id: int, where: Address, text: str, proposal: Proposal) -> str:
    """What a pull request says; `text` is what is to happen, as in `deploy web@1.2`."""
    status = "--status succeeded" + ("" if proposal.deployment_id == DELETED else " --outputs outputs.json")
    return "\n".join(
        [
            f"Landform run {run_id}: {text} as `{where}`, in `{proposal.folder}`.",
            "",
            "Merge it to have it carried out, or close it to cancel the run. When Terraform has ended, say how:",
            "",
            "```",
            f"landform run notify {run_id} --deployment-id '{proposal.deployment_id}' {status}",
            "```",
        ]
    )
