"""Verbs of the stories: a template with versions, an environment, an instance, a run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Barrier

from sqlalchemy import text

from engine.catalog.catalog import Catalog
from engine.catalog.tables import Instance, Run, Template, Version
from engine.core import address
from engine.core.runs import Event, Status
from engine.core.versions import Number, TemplateRef, VersionStatus
from engine.errors import LandformError

NOW = datetime(2026, 5, 4, 3, 2, 1, 500000, tzinfo=UTC)
WORKER = {"host": "here", "boot_id": "b", "pid": 7, "started": 1}

# the way from a new run to each status
WAY: dict[Status, tuple[Event, ...]] = {
    Status.QUEUED: (),
    Status.PLANNING: (Event.CLAIM,),
    Status.PROPOSED: (Event.CLAIM, Event.PROPOSE),
    Status.PLANNED: (Event.CLAIM, Event.ASK),
    Status.APPROVED: (Event.CLAIM, Event.ASK, Event.APPROVE),
    Status.APPLYING: (Event.CLAIM, Event.APPROVE, Event.CLAIM),
    Status.SUCCEEDED: (Event.CLAIM, Event.APPROVE, Event.CLAIM, Event.SUCCEED),
    Status.FAILED: (Event.CLAIM, Event.FAIL),
    Status.DISCARDED: (Event.DISCARD,),
    Status.CANCELLED: (Event.CLAIM, Event.CANCEL),
    Status.INTERRUPTED: (Event.CLAIM, Event.APPROVE, Event.CLAIM, Event.LOSE),
}


def now() -> datetime:
    return NOW


def opened(url: str) -> Catalog:
    return Catalog(url, now)


def at_once(act: Callable[[], object], times: int = 8) -> list[object]:
    """What `act` gave, or the error it met, in each of several threads that start together."""
    barrier = Barrier(times)

    def one() -> object:
        barrier.wait()
        try:
            return act()
        except LandformError as error:
            return error

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(one) for _ in range(times)]]


@dataclass
class World:
    """A catalog and what may be known in it."""

    catalog: Catalog

    def execute(self, statement: str) -> None:
        """Does what no transaction of ours would."""
        with self.catalog.write() as tx:
            tx._session.execute(text(statement))

    def template(self, name: str = "web", kind: str = "service") -> Template:
        with self.catalog.write() as tx:
            return tx.add_template(kind, name)

    def version(
        self, template: Template, major: int | None = None, *, publish: bool = True, failed: bool = False
    ) -> Version:
        status = VersionStatus.FAILED if failed else VersionStatus.DRAFT
        with self.catalog.write() as tx:
            version = tx.register_version(template, major, status=status.value)
            return tx.publish(version) if publish and not failed else version

    def environment(self, name: str = "prod") -> Instance:
        with self.catalog.write() as tx:
            known = [row for row in tx.templates("environment") if row.name == "lab"]
            template = known[0] if known else tx.add_template("environment", "lab")
            versions = tx.versions(template) or [tx.register_version(template, None, status="draft")]
            return tx.add_instance(address.environment(name), template_id=template.id, version_id=versions[0].id)

    def instance(self, version: Version, environment: Instance, where: str = "service/orders/prod") -> Instance:
        name = address.parse(where).service
        with self.catalog.write() as tx:
            service = tx.find_service(name) or tx.add_service(name, version.template_id, version.major)
            return tx.add_instance(
                where,
                service_id=service.id,
                environment_id=environment.id,
                template_id=version.template_id,
                version_id=version.id,
            )

    def run(self, instance: Instance, status: Status = Status.QUEUED) -> Run:
        with self.catalog.write() as tx:
            run = tx.add_run(
                instance, operation="deploy", version_id=instance.version_id, template="web@1.0", requested_by="ana"
            )
            assert run.id is not None
            for event in WAY[status]:
                run = tx.move(run.id, event, executor=WORKER)
            return run

    def move(self, run: Run, event: Event, fence: int | None = None, **facts: object) -> Run:
        assert run.id is not None
        with self.catalog.write() as tx:
            return tx.move(run.id, event, fence=fence, **facts)

    def reload(self, run: Run) -> Run:
        assert run.id is not None
        with self.catalog.read() as tx:
            return tx.run(run.id)

    def seen(self, instance: Instance) -> Instance:
        assert instance.id is not None
        with self.catalog.read() as tx:
            return tx.instance_by_id(instance.id)

    def recommended(self, name: str = "web") -> Number | None:
        with self.catalog.read() as tx:
            template = tx.find_template(TemplateRef(name))
            if template.recommended_id is None:
                return None
            version = tx.version_by_id(template.recommended_id)
            return Number(version.major, version.minor)
