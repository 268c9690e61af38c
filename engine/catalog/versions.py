"""Facts about versions of templates: their numbers, who uses them, and which one is recommended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import bindparam
from sqlmodel import col, select

from engine.catalog import missing
from engine.catalog.metadata import TABLES
from engine.catalog.tables import Instance, Run, Template, Version
from engine.catalog.templates import Templates
from engine.core import lifecycle, runs
from engine.core.address import Kind
from engine.core.lifecycle import Use, Verb
from engine.core.runs import Operation
from engine.core.versions import Number, TemplateKind, TemplateRef, VersionStatus, next_number, recommended
from engine.errors import Conflict, NotFound

_VERSION = TABLES["version"].c
# as columns: to choose one by its number, nobody needs to read what their bundles are
_NUMBERS = (
    select(_VERSION.id, _VERSION.major, _VERSION.minor, _VERSION.status)
    .where(_VERSION.template_id == bindparam("of"))
    .order_by(_VERSION.major, _VERSION.minor)
)


def number_of(version: Version) -> Number:
    """The number of a row."""
    return Number(version.major, version.minor)


class _Known(NamedTuple):
    version_id: int
    status: VersionStatus


def _offered(template: Template, known: Mapping[Number, _Known]) -> tuple[Number, ...]:
    published = (number for number, each in known.items() if each.status is VersionStatus.PUBLISHED)
    return lifecycle.offered(published, template.minimums)


def _has_had(instance: Instance) -> bool:
    """Whether the instance has been deployed with the version that it has; it may have been hibernated since."""
    return instance.deployed_run_id is not None or instance.hibernated_at is not None


class Versions(Templates):
    """The part of a transaction that speaks of versions."""

    def register_version(self, template: Template, major: int | None, **fields: Any) -> Version:
        """A new version with the next free number; `fields` are columns of it, `status` among them.

        `major` None asks for a new major version. Numbers never come back. Raises Invalid when `major` does not exist.
        """
        row = self._template_to_change(template.id)
        highest = {int(key): value for key, value in row.highest.items()}
        number = next_number(highest, major)
        row.highest = {**row.highest, str(number.major): number.minor}
        known = {"template_id": row.id, "created_at": self._now()}
        version = Version(**{**known, **fields}, major=number.major, minor=number.minor)
        self._session.add(version)
        self._session.flush()
        self.tell_version(row, number, VersionStatus(version.status), None)
        return version

    def find_version(self, template: Template, number: Number | None, major: int | None = None) -> Version:
        """The version of that number; None means the recommended one, of `major` where that is given.

        Raises NotFound.
        """
        known = self._numbers(template)
        offered = (found for found in _offered(template, known) if major in (None, found.major))
        wanted = number or recommended(offered)
        if wanted in known:
            return self.version_by_id(known[wanted].version_id)
        if number is not None:
            raise missing.no_version(template.name, number, known)
        if any(each.status is VersionStatus.PUBLISHED and major in (None, at.major) for at, each in known.items()):
            raise missing.none_usable(str(TemplateRef(template.name, major=major)))
        drafts = (found for found, each in known.items() if each.status is VersionStatus.DRAFT)
        if major is not None:
            raise missing.none_of_major(template.name, major, known, drafts)
        raise missing.none_published(template.name, drafts)

    def version_by_id(self, version_id: int) -> Version:
        """The version that another row refers to. Raises NotFound when it has gone."""
        version = self._by_id(Version, version_id)
        if version is None:
            raise NotFound(f"There is no version with id {version_id}.")
        return version

    def versions(self, template: Template, major: int | None = None) -> list[Version]:
        """All versions of a template, or those of one major, lowest first."""
        query = select(Version).where(Version.template_id == template.id)
        if major is not None:
            query = query.where(Version.major == major)
        return list(self._session.exec(query.order_by(col(Version.major), col(Version.minor))))

    def published(self, template: Template) -> tuple[Number, ...]:
        """The numbers that everybody may use, lowest first: neither deprecated nor yanked nor below a minimum."""
        return _offered(template, self._numbers(template))

    def _numbers(self, template: Template) -> dict[Number, _Known]:
        """Number -> what is known of every version of a template, lowest first, without what its bundle is."""
        self._session.flush()
        rows = self._session.execute(_NUMBERS, {"of": template.id})
        return {Number(major, minor): _Known(number, VersionStatus(status)) for number, major, minor, status in rows}

    def publish(self, version: Version) -> Version:
        """The draft, published. Raises Conflict when it is no draft."""
        return self.change_version(version, Verb.PUBLISH)

    def change_version(self, version: Version, verb: Verb, why: str = "") -> Version:
        """The version, a step further in its life (core.lifecycle). Raises Conflict when there is no such step."""
        template = self._template_to_change(version.template_id)
        row = self.version_by_id(version.id or 0)
        before = VersionStatus(row.status)
        now = lifecycle.after(f"{template.name}@{number_of(row)}", before, verb)
        row.status, row.message = now.value, why
        if verb is Verb.PUBLISH:
            row.published_at = self._now()
        self.tell_version(template, number_of(row), now, before)
        self._recommend(template)
        return row

    def set_minimum(self, template: Template, major: int, minor: int | None) -> Template:
        """The template, with the lowest minor of a major version that may be used; None: any may."""
        row = self._template_to_change(template.id)
        others = {key: value for key, value in row.minimums.items() if key != str(major)}
        row.minimums = others if minor is None else {**others, str(major): minor}
        self._recommend(row)
        return row

    def use(self, template: Template, version: Version, instance: Instance | None = None) -> Use:
        """The version as something is to be deployed with it; `instance` None stands for one that is not there yet."""
        is_component = template.kind == TemplateKind.COMPONENT
        return Use(
            template.name,
            number_of(version),
            VersionStatus(version.status),
            version.message,
            template.minimums.get(str(version.major), 0),
            # a component's versions are its own: there is nothing to choose from
            () if is_component else self.published(template),
            instance.address if instance else "",
            bool(instance and _has_had(instance) and instance.version_id == version.id),
            bool(instance and instance.hibernated_at is not None),
        )

    def withdrawn(self, run: Run) -> str:
        """Why the run may not deploy its version any more; "" when it may, or deploys none.

        The pipeline of a service stays on what it is on, also where that is below a minimum: what is destroyed has to
        be taken out of it.
        """
        version, instance = self._by_id(Version, run.version_id), self._by_id(Instance, run.instance_id)
        if run.operation != Operation.DEPLOY or version is None or instance is None:
            return ""
        use = self.use(self.template_by_id(version.template_id), version, instance)
        stays = use.is_on_it and instance.kind == Kind.PIPELINE
        error = None if stays else lifecycle.refusal(use)
        return error.message if error else ""

    def runs_to(self, template: Template) -> list[Run]:
        """The runs that have not ended of the instances of a template, oldest first."""
        active = [status.value for status in runs.ACTIVE]
        ours = select(Instance.id).where(Instance.template_id == template.id)
        query = select(Run).where(col(Run.instance_id).in_(ours), col(Run.status).in_(active))
        return list(self._session.exec(query.order_by(col(Run.id))))

    def instances_from(self, template: Template) -> list[Instance]:
        """The instances of a template, whatever their version, by address."""
        query = select(Instance).where(Instance.template_id == template.id)
        return list(self._session.exec(query.order_by(col(Instance.address))))

    def users(self, version: Version) -> list[str]:
        """Addresses that are on the version, or that a run under way takes there, in order."""
        deployed = self._session.exec(select(Instance.address).where(Instance.version_id == version.id))
        active = [status.value for status in runs.ACTIVE]
        coming = select(Run.address).where(Run.version_id == version.id, col(Run.status).in_(active))
        return sorted({*deployed, *self._session.exec(coming)})

    def remove_version(self, version: Version) -> None:
        """Takes a version away (Proton's rules: reference section 4.5); its number stays used.

        Raises Conflict while something uses it, or while it is recommended and has siblings.
        """
        template = self._template_to_change(version.template_id)
        row = self.version_by_id(version.id or 0)
        self._refuse_while_used(template, row)
        self._refuse_while_recommended(template, row)
        self._delete(row)
        self.tell_version(template, number_of(row), None, VersionStatus(row.status))
        self._recommend(template)

    def forget_template(self, template_id: int) -> None:
        """Takes a template away with all its versions, which nothing is made from any more."""
        template = self.template_by_id(template_id)
        for version in self.versions(template):
            self._delete(version)
        self._delete(template)

    def _refuse_while_used(self, template: Template, version: Version) -> None:
        users = self.users(version)
        if users:
            raise Conflict(
                f"{template.name}@{number_of(version)} is in use by {', '.join(users)}.",
                hint="Update them to another version, or delete them first.",
            )

    def _refuse_while_recommended(self, template: Template, version: Version) -> None:
        number = number_of(version)
        others = [number_of(row) for row in self.versions(template) if row.id != version.id]
        siblings = [other for other in others if other.major == number.major]
        in_major = recommended(other for other in self.published(template) if other.major == number.major)
        if siblings and number == in_major:
            role, beside = f"the recommended minor version of major version {number.major}", siblings
        elif others and version.id == template.recommended_id:
            role, beside = "the recommended version", others
        else:
            return
        raise Conflict(
            f"{template.name}@{number} is {role} while there are others: {', '.join(map(str, beside))}.",
            hint="Publish a newer one, or delete the others first.",
        )

    def _recommend(self, template: Template) -> None:
        """Keeps the template's pointer at the highest published version."""
        self._session.flush()
        best, was_published = recommended(self.published(template)), template.recommended_id is not None
        template.recommended_id = self.find_version(template, best).id if best else None
        self._session.flush()
        self.tell_template(template, published=best is not None, before=was_published)
