"""What every action works with, and the look-ups that more than one of them needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from engine.core import bundle, lifecycle, registered
from engine.core.bundle import Facts
from engine.core.schema import Schema
from engine.core.versions import TemplateKind, TemplateRef
from engine.errors import Invalid, Problem

if TYPE_CHECKING:
    from engine.bundles.store import Store
    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Instance, Template, Version
    from engine.catalog.tx import Tx
    from engine.core.asked import Asked
    from engine.settings import Settings


@dataclass(frozen=True)
class Desk:
    """The catalog and the bundle store, on behalf of one user."""

    catalog: Catalog
    store: Store
    settings: Settings
    confirm: Callable[[bytes], bool] | None = None
    """Whether Terraform can read the text of a `.tf` file; None: nobody can be asked."""
    also: Callable[[Tx, list[int]], None] | None = None
    """What is done in the transaction of each change besides, with the ids that it gives."""

    @property
    def user(self) -> str:
        """Who asks."""
        return self.settings.user

    def on_behalf_of(self, user: str) -> Desk:
        """The same desk for another user: what goes on by itself is asked for by whoever began it."""
        return replace(self, settings=replace(self.settings, user=user))

    def once(self, asked: Asked | None, act: Callable[[Tx], list[int]]) -> list[int]:
        """The ids of the runs that `act` records in one transaction, or of a version; what was asked for before is not
        done again, and gives the ids of that time.

        Of two that ask at once with one key, the second finds what the first has done, and a crash leaves either both
        the change and its key, or neither.
        Raises what `act` raises, and Conflict when the key was used for another wish.
        """
        with self.catalog.write() as tx:
            before = _done(tx, asked)
            if before is not None:
                return before
            ids = act(tx)
            if self.also is not None:
                self.also(tx, ids)
            if asked is not None:
                tx.add_request(asked.key, asked.digest, ids, self.user)
            return ids

    def done(self, asked: Asked | None) -> list[int] | None:
        """The ids that once() has given for what is asked; None when it has not been asked for, or has no key.

        For those who would do much before they come to once(). Raises Conflict as that does.
        """
        with self.catalog.read() as tx:
            return _done(tx, asked)


def _done(tx: Tx, asked: Asked | None) -> list[int] | None:
    known = tx.request(asked.key) if asked else None
    if asked is None or known is None:
        return None
    asked.refuse_other(known.digest)
    return known.run_ids


@dataclass(frozen=True)
class Target:
    """A template version that something is to be made from."""

    template: Template
    version: Version

    @property
    def label(self) -> str:
        """`web@1.2`"""
        return f"{self.template.name}@{self.version.major}.{self.version.minor}"

    @cached_property
    def facts(self) -> Facts:
        """What was learned from the bundle at registration."""
        return bundle.from_json(self.version.facts)

    @property
    def schema(self) -> Schema:
        """The input schema."""
        return registered.schema_of(self.version.schema_text, customer_managed=self.template.provisioning == "customer")


def usable(tx: Tx, ref: TemplateRef, kind: TemplateKind) -> Target:
    """The version named by `ref`, or the recommended one, when something may be made from it.

    Drafts are used only when named. Raises NotFound, and as refuse_withdrawn().
    """
    template = tx.find_template(TemplateRef(ref.name, kind=ref.kind or kind))
    target = Target(template, tx.find_version(template, ref.number, ref.major))
    refuse_withdrawn(tx, target)
    return target


def refuse_withdrawn(tx: Tx, target: Target, instance: Instance | None = None) -> None:
    """Raises Refused when nothing may be deployed with the version any more, Conflict when its registration failed.

    `instance` is what is to be deployed: where it is on a yanked version already, it may go on. None: a new one.
    """
    if error := lifecycle.refusal(tx.use(target.template, target.version, instance)):
        raise error


def target_of(tx: Tx, instance: Instance) -> Target:
    """The version an instance is deployed with, or was created for."""
    return Target(tx.template_by_id(instance.template_id), tx.version_by_id(instance.version_id))


def raise_all(message: str, problems: Iterable[Problem], hint: str = "") -> None:
    """Raises Invalid with all problems by file and line, when there are any."""
    found = sorted(problems)
    if found:
        raise Invalid(message, hint=hint, problems=found)


def in_words(addresses: Iterable[str]) -> str:
    """Addresses as a sentence lists them, without the kind: `orders/prod and billing/prod`."""
    names = [address.partition("/")[2] for address in addresses]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""
