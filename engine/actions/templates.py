"""Intentions of admins about templates and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.actions.desk import Desk, Target
from engine.core.versions import TemplateRef, VersionStatus
from engine.errors import Invalid

if TYPE_CHECKING:
    from engine.catalog.tables import Template
    from engine.catalog.tx import Tx
    from engine.core.asked import Asked


def publish(desk: Desk, ref: TemplateRef, asked: Asked | None = None) -> Target:
    """Makes a draft usable for everybody. Raises NotFound, or Conflict when it is no draft."""

    def act(tx: Tx) -> list[int]:
        version = tx.publish(named(tx, ref).version)
        assert version.id is not None
        return [version.id]

    return by_id(desk, desk.once(asked, act)[0])


def by_id(desk: Desk, version_id: int) -> Target:
    """The version of that id. Raises NotFound when it has been deleted since."""
    with desk.catalog.read() as tx:
        version = tx.version_by_id(version_id)
        return Target(tx.template_by_id(version.template_id), version)


def delete(desk: Desk, refs: Sequence[TemplateRef]) -> list[str]:
    """Removes versions, and templates named without a version that have none left; says what went, in that order.

    Raises Conflict while something uses one of them (Proton's rules: reference section 4.5), and Invalid for a major
    version without its minor; nothing is removed then.
    """
    if vague := [ref for ref in refs if ref.major is not None]:
        see = f"See them: landform template versions {vague[0].name}"
        raise Invalid(f"{vague[0]} names no version.", hint=f"Write {vague[0]}.MINOR. {see}")
    with desk.catalog.write() as tx:
        targets = [named(tx, ref) for ref in refs if ref.number is not None]
        for target in sorted(targets, key=_leaves):
            tx.remove_version(target.version)
        templates = [tx.find_template(ref) for ref in refs if ref.number is None]
        for template in templates:
            tx.remove_template(template)
        return [*(target.label for target in targets), *(template.name for template in templates)]


def describe(desk: Desk, ref: TemplateRef, description: str | None, display_name: str | None) -> Template:
    """Changes what a template says about itself; None leaves a text as it is."""
    with desk.catalog.write() as tx:
        template = tx.find_template(ref)
        if description is not None:
            template.description = description
        if display_name is not None:
            template.display_name = display_name
        tx.save(template)
        return template


def named(tx: Tx, ref: TemplateRef) -> Target:
    """The version that `ref` names; without a number, the recommended one. Raises NotFound."""
    template = tx.find_template(ref)
    return Target(template, tx.find_version(template, ref.number, ref.major))


def _leaves(target: Target) -> tuple[bool, int, int]:
    """Its place among versions that go together: the recommended one goes last, as it goes only without siblings."""
    version = target.version
    return version.status == VersionStatus.PUBLISHED, version.major, version.minor
