"""Makes a template version ready before anything is made from it: providers and modules are fetched ahead of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core import address
from engine.core.bundle import PART_OF
from engine.core.runs import Operation
from engine.errors import Invalid
from engine.external.process import Stop
from engine.terraform import backends, mirror
from engine.worker import previews
from engine.worker.following import Step, Watch
from engine.worker.journal import Journal
from engine.worker.work import Repository, Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.address import Address
    from engine.core.bundle import Facts
    from engine.core.schema import Schema
    from engine.terraform.mirror import Package
    from engine.worker.ground import Ground


def warm(ground: Ground, work: Work, schema: Schema, watch: Watch) -> list[Package]:
    """Fetches what an instance needs, as an init of its first run would; the providers that it uses, [] for none.

    `work` is what example() made. Raises what following.follow() raises, and Invalid where the code cannot be rendered.
    """
    part = work.part
    if part is None:
        return []
    wish = previews.Wish(work.facts, schema, ground.store.get(work.bundle), work.inputs)
    given = previews.example(wish, part, ground.settings)
    with ground.elsewhere() as folder, Journal(folder, ground.secrets(work, given), watch) as journal:
        try:
            _, prepared = ground.prepared(Step(work, part, Stop(), journal, ground.patience), given)
        except Invalid as error:
            error.hint = error.hint or "Code that Jinja writes may need inputs: give them with --spec or --set."
            raise
    return mirror.used(prepared.data_dir)


def examples(ground: Ground, version: Mapping[str, str], facts: Facts, inputs: Mapping[str, object]) -> list[Work]:
    """A first deploy for each part of a version, whose row has `template` and `bundle`; the inputs are without
    defaults.
    """
    name = previews.EXAMPLE
    places = (address.environment(name), address.service_instance(name, name), address.pipeline(name))
    return [
        _example(ground, version, facts, inputs, where)
        for where in places
        if facts.part(PART_OF[where.kind]) is not None
    ]


def _example(
    ground: Ground, version: Mapping[str, str], facts: Facts, inputs: Mapping[str, object], where: Address
) -> Work:
    return Work(
        run_id=0,
        fence=0,
        address=where,
        operation=Operation.DEPLOY,
        template=version["template"],
        bundle=version["bundle"],
        facts=facts,
        inputs=inputs,
        environment=None,
        repository=Repository(),
        run_env={},
        planned_with={},
        backend=backends.chosen(ground.settings.backend, str(where)),
    )
