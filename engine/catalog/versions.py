"""Facts about versions of templates: their numbers, who uses them, and which one is recommended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlmodel import col, select

from engine.catalog import missing
from engine.catalog.tables import Instance, Run, Template, Version
from engine.catalog.templates import Templates
from engine.core import runs
from engine.core.versions import Number, VersionStatus, next_number, recommended
from engine.errors import Conflict, NotFound


def number_of(version: Version) -> Number:
    """The number of a row."""
    return Number(version.major, version.minor)


def _published(rows: Iterable[Version]) -> tuple[Number, ...]:
    return tuple(number_of(row) for row in rows if row.status == VersionStatus.PUBLISHED)


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
        known = {number_of(version): version for version in self.versions(template)}
        published = (found for found in _published(known.values()) if major in (None, found.major))
        wanted = number or recommended(published)
        if wanted in known:
            return known[wanted]
        if number is not None:
            raise missing.no_version(template.name, number, known)
        drafts = (found for found, version in known.items() if version.status == VersionStatus.DRAFT)
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
        """The numbers that are published, lowest first."""
        return _published(self.versions(template))

    def publish(self, version: Version) -> Version:
        """The draft, published. Raises Conflict when it is no draft."""
        template = self._template_to_change(version.template_id)
        row = self.version_by_id(version.id or 0)
        label = f"{template.name}@{number_of(row)}"
        if row.status == VersionStatus.PUBLISHED:
            raise Conflict(f"{label} is published already.")
        if row.status != VersionStatus.DRAFT:
            raise Conflict(
                f"{label} failed its registration and cannot be published.",
                hint=f"See why: landform template show {label}",
            )
        row.status = VersionStatus.PUBLISHED.value
        row.published_at = self._now()
        self.tell_version(template, number_of(row), VersionStatus.PUBLISHED, VersionStatus.DRAFT)
        self._recommend(template)
        return row

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
