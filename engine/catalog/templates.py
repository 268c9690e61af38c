"""Facts about templates."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam
from sqlmodel import col, select

from engine.catalog import missing
from engine.catalog.notices import Notices
from engine.catalog.syncs import Syncs
from engine.catalog.tables import Service, Template, Version
from engine.core.syncs import Kind
from engine.core.versions import REGISTERED, Number, TemplateKind, TemplateRef
from engine.errors import Conflict, NotFound

_NAMED = (
    select(Template)
    .where(Template.name == bindparam("of"), col(Template.kind).in_([kind.value for kind in REGISTERED]))
    .order_by(col(Template.kind))
)


class Templates(Syncs, Notices):
    """The part of a transaction that speaks of templates."""

    def add_template(self, kind: str, name: str, **fields: Any) -> Template:
        """A template without versions; `fields` are columns of it. Raises Conflict when the name is taken."""
        template = Template(kind=kind, name=name, created_at=self._now(), **fields)
        added = self._insert(template, lambda: self._taken(kind, name))
        self.tell_template(added, published=False, before=None)
        return added

    def find_template(self, ref: TemplateRef) -> Template:
        """The template that `ref` names, whatever version it names.

        Raises NotFound, or Conflict when no kind is named and both kinds have the name.
        """
        named = self._named(ref.name)
        found = [row for row in named if ref.kind is None or row.kind == ref.kind.value]
        if named and not found:
            raise missing.other_kind(ref, named[0].kind)
        if not found:
            raise missing.no_template(ref, {row.name for row in self.templates(ref.kind)})
        if len(found) > 1:
            raise missing.two_kinds(ref.name)
        return found[0]

    def template_by_id(self, template_id: int) -> Template:
        """The template that another row refers to. Raises NotFound when it has gone."""
        template = self._by_id(Template, template_id)
        if template is None:
            raise NotFound(f"There is no template with id {template_id}.")
        return template

    def templates(self, kind: TemplateKind | str | None = None) -> list[Template]:
        """All templates that are registered, or those of one kind, by kind and name."""
        kinds = REGISTERED if kind is None else (kind,)
        query = select(Template).where(col(Template.kind).in_([str(one) for one in kinds]))
        return list(self._session.exec(query.order_by(col(Template.kind), col(Template.name))))

    def update_template(self, template: Template, **fields: Any) -> Template:
        """The template with columns replaced."""
        row = self._template_to_change(template.id)
        for name, value in fields.items():
            setattr(row, name, value)
        self._session.flush()
        return row

    def remove_template(self, template: Template) -> None:
        """Takes the template away, and what it follows. Raises Conflict while it has versions or services."""
        row = self._template_to_change(template.id)
        self._refuse_while_versions_exist(row)
        self._refuse_while_services_exist(row)
        self.forget_sync(Kind.TEMPLATE, f"{row.kind}/{row.name}")
        self._delete(row)
        self.tell_template(row, published=None, before=False)

    def _template_to_change(self, template_id: int | None) -> Template:
        """The template as it is now, held until the end of the transaction by databases that lock rows."""
        self._session.flush()
        row = self._session.get(Template, template_id, with_for_update=True)
        if row is None:
            raise NotFound(f"There is no template with id {template_id}.")
        return row

    def _named(self, name: str) -> list[Template]:
        return list(self._session.execute(_NAMED, {"of": name}).scalars())

    def _taken(self, kind: str, name: str) -> Conflict | None:
        if all(row.kind != kind for row in self._named(name)):
            return None
        article = "An" if kind == TemplateKind.ENVIRONMENT else "A"
        return Conflict(
            f"{article} {kind} template {name} exists already.",
            hint=f"See it: landform template show {kind}/{name}",
        )

    def _refuse_while_versions_exist(self, template: Template) -> None:
        pairs = self._session.exec(select(Version.major, Version.minor).where(Version.template_id == template.id))
        numbers = sorted(Number(major, minor) for major, minor in pairs)
        if numbers:
            labels = " ".join(f"{template.name}@{number}" for number in numbers)
            raise Conflict(
                f"{template.kind.capitalize()} template {template.name} has versions {', '.join(map(str, numbers))}.",
                hint=f"Delete them first: landform template delete {labels}",
            )

    def _refuse_while_services_exist(self, template: Template) -> None:
        query = select(Service.name).where(Service.template_id == template.id).order_by(col(Service.name))
        names = list(self._session.exec(query))
        if names:
            raise Conflict(
                f"Service template {template.name} is in use by {', '.join(names)}.",
                hint=f"Delete them first: landform service delete {' '.join(names)}",
            )
