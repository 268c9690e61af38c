"""Who uses a template: on which versions, how far behind, and what is on its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from engine.catalog.versions import number_of
from engine.core import selection
from engine.core.versions import Number, TemplateKind, TemplateRef, recommended
from engine.errors import NotFound

if TYPE_CHECKING:
    from engine.actions.desk import Desk
    from engine.catalog.tables import Instance, Run, Template, Version
    from engine.catalog.tx import Tx
    from engine.core.located import Json
    from engine.core.selection import Test


@dataclass(frozen=True)
class Coming:
    """A run of an instance that has not ended."""

    id: int
    status: str
    operation: str
    template: str
    """The version that it leads to, `web@1.2`."""


@dataclass(frozen=True)
class User:
    """An instance that is on a version, or that a run leads there."""

    address: str
    version: str
    version_status: str
    environment: str
    status: str
    """Of its last run."""
    is_deployed: bool
    recommended: str | None
    """Of the template; None when nothing is recommended."""
    behind: int
    """How many higher versions everybody may use."""
    run: Coming | None


@dataclass(frozen=True)
class VersionUse:
    """A version, and how much it is used."""

    version: str
    status: str
    message: str
    """Why it is deprecated or yanked."""
    is_below_minimum: bool
    instances: int
    compatible: tuple[str, ...]
    """Of a service version, the environment templates that it runs in, as `name:major`; of an environment version, the
    service versions that run in it, as `web@1.2`.
    """


@dataclass(frozen=True)
class Usage:
    """All that uses a template, or one version of it."""

    template: str
    kind: str
    recommended: str | None
    minimums: dict[str, int]
    versions: tuple[VersionUse, ...]
    users: tuple[User, ...]

    def to_json(self) -> Json:
        """The usage as a result shows it."""
        return asdict(self)


def usage(desk: Desk, ref: TemplateRef, tests: Sequence[Test] = ()) -> Usage:
    """Who uses the template, or the version or major version that `ref` names, among what fulfils the tests.

    Raises NotFound.
    """
    with desk.catalog.read() as tx:
        template = tx.find_template(ref)
        versions = [version for version in tx.versions(template) if _is_meant(ref, number_of(version))]
        if ref.number is not None or ref.major is not None:
            _expect(tx, ref, template, versions)
        offered = tx.published(template)
        users = [user for user in _users(tx, template, offered) if _is_shown(user, versions)]
        if tests:
            chosen = {found.address for found in selection.selected(tx.candidates(), tests)}
            users = [user for user in users if user.address in chosen]
        best = recommended(offered)
        uses = tuple(_use(tx, template, version, users) for version in versions)
        return Usage(
            template.name, template.kind, str(best) if best else None, dict(template.minimums), uses, tuple(users)
        )


def _is_meant(ref: TemplateRef, number: Number) -> bool:
    return ref.number in (None, number) and ref.major in (None, number.major)


def _expect(tx: Tx, ref: TemplateRef, template: Template, found: Sequence[Version]) -> None:
    if not found:
        # it says which there are
        tx.find_version(template, ref.number, ref.major)
        raise NotFound(f"{template.name} has no version {ref}.")


def _is_shown(user: User, versions: Sequence[Version]) -> bool:
    numbers = {str(number_of(version)) for version in versions}
    return user.version in numbers or (user.run is not None and user.run.template.rpartition("@")[2] in numbers)


def _users(tx: Tx, template: Template, offered: Sequence[Number]) -> list[User]:
    known = {version.id: version for version in tx.versions(template)}
    coming: dict[int, Run] = {}
    for run in tx.runs_to(template):
        coming.setdefault(run.instance_id, run)
    best = recommended(offered)
    return [
        _user(tx, instance, known[instance.version_id], coming.get(instance.id or 0), (best, offered))
        for instance in tx.instances_from(template)
    ]


def _user(
    tx: Tx, instance: Instance, version: Version, run: Run | None, offers: tuple[Number | None, Sequence[Number]]
) -> User:
    number, (best, offered) = number_of(version), offers
    home = tx.instance_by_id(instance.environment_id).name if instance.environment_id else ""
    return User(
        instance.address,
        str(number),
        version.status,
        instance.name if instance.kind == TemplateKind.ENVIRONMENT else home,
        instance.last_status,
        instance.deployed_run_id is not None,
        str(best) if best else None,
        sum(other > number for other in offered),
        Coming(run.id or 0, run.status, run.operation, run.template) if run else None,
    )


def _use(tx: Tx, template: Template, version: Version, users: Sequence[User]) -> VersionUse:
    number = number_of(version)
    counted = Counter(user.version for user in users)
    is_environment = template.kind == TemplateKind.ENVIRONMENT
    compatible = _compatible(tx, f"{template.name}:{number.major}") if is_environment else version.compatible
    return VersionUse(
        str(number),
        version.status,
        version.message,
        number.minor < template.minimums.get(str(number.major), 0),
        counted[str(number)],
        tuple(compatible),
    )


def _compatible(tx: Tx, environment: str) -> list[str]:
    """The service versions that say that they run in environments of that version."""
    return [
        f"{template.name}@{number_of(version)}"
        for template in tx.templates(TemplateKind.SERVICE)
        for version in tx.versions(template)
        if environment in version.compatible
    ]
