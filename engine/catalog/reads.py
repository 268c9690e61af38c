"""What lists and `show` read from the catalog, one statement a list.

Without SQLAlchemy, whose import alone would cost a list half a second. Rows are dicts ready for JSON: times are
ISO 8601 in UTC, versions are `major.minor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.catalog import campaign_statements, missing, places, schema, shapes, statements, wire_statements
from engine.catalog.shapes import Row as Row
from engine.core import guards
from engine.core.address import Address, Kind, parse
from engine.core.runs import Status
from engine.core.versions import Number, TemplateKind, TemplateRef, VersionStatus, parse_ref
from engine.errors import NotFound

ALL = -1
"""As a limit: every row."""
_FAR = 2**62
"""Beyond every number."""
_LAST = "\U0010ffff"


class Reads:
    """Lists over the catalog of that URL. Where there is no catalog yet, lists are empty."""

    def __init__(self, url: str, plan_ttl_s: float = 0) -> None:
        """Raises as places.place(); nothing is opened before something is read. `plan_ttl_s` as in the settings."""
        self._place = places.place(url)
        self._plan_ttl_s = plan_ttl_s

    def templates(self, kind: TemplateKind | str | None = None) -> list[Row]:
        """All templates, or those of one kind, by kind and name."""
        return self._rows(statements.TEMPLATES, kind=kind)

    def versions(self, template: TemplateRef | str) -> list[Row]:
        """The versions of a template, lowest first; of both kinds when the reference names none.

        Raises NotFound, or Invalid for a text that names no template.
        """
        ref = _ref(template)
        rows = self._rows(statements.VERSIONS, name=ref.name, kind=ref.kind)
        if not rows:
            self._expect_template(ref)
        return [shapes.version(row) for row in rows]

    def version(self, template: TemplateRef | str) -> Row:
        """Everything about a version, or about the recommended one, of a major version where one is named.

        Raises as versions(), and Conflict when no kind is named and both kinds have it.
        """
        ref = _ref(template)
        major, minor = (ref.number.major, ref.number.minor) if ref.number else (ref.major, None)
        rows = self._rows(statements.VERSION, name=ref.name, kind=ref.kind, major=major, minor=minor)
        if not rows:
            raise self._no_version(ref)
        if len(rows) > 1:
            raise missing.two_kinds(ref.name)
        return shapes.version(rows[0])

    def environments(self, after: str | None = None, limit: int = ALL, *, outdated: bool = False) -> list[Row]:
        """Environments by name, those after the name `after`; `outdated`: only those below the recommended version."""
        place = f"{Kind.ENVIRONMENT.value}/"
        conditions = [statements.IS_BEHIND] if outdated else []
        return self._instances(conditions, place, f"{place}{after or ''}", limit)

    def services(self, after: str | None = None, limit: int = ALL) -> list[Row]:
        """Services by name, those after the name `after`, with how their instances are."""
        return [
            shapes.service(row) for row in self._rows(statements.SERVICES, after=after or "", name=None, limit=limit)
        ]

    def service(self, name: str) -> Row:
        """A service, as services() lists it. Raises NotFound."""
        rows = self._rows(statements.SERVICES, after="", name=name, limit=1)
        if not rows:
            raise missing.no_service(name, self.names("service", "", missing.CANDIDATES_MAX))
        return shapes.service(rows[0])

    def service_instances(
        self,
        service: str | None = None,
        environment: str | None = None,
        *,
        outdated: bool = False,
        stale: bool = False,
        after: str | None = None,
        limit: int = ALL,
    ) -> list[Row]:
        """Service instances by address, those after the address `after`, that meet every condition given.

        `outdated`: on a version below the recommended one. `stale`: an environment output that it reads has changed.
        """
        chosen = (
            (statements.IN_ENVIRONMENT, environment is not None),
            (statements.IS_BEHIND, outdated),
            ("i.is_stale = true", stale),
        )
        place = f"{Kind.SERVICE_INSTANCE.value}/" + (f"{service}/" if service is not None else "")
        conditions = [condition for condition, wanted in chosen if wanted]
        return self._instances(conditions, place, after or place, limit, environment=f"environment/{environment}")

    def pipelines(self, after: str | None = None, limit: int = ALL, *, outdated: bool = False) -> list[Row]:
        """Pipelines by address, those after the address `after`; `outdated` as in environments()."""
        place = f"{Kind.PIPELINE.value}/"
        return self._instances([statements.IS_BEHIND] if outdated else [], place, after or place, limit)

    def components(
        self, environment: str | None = None, attached: str | None = None, after: str | None = None, limit: int = ALL
    ) -> list[Row]:
        """Components by address, those after the address `after`: of an environment, and attached to the instance of
        an address, where these are given.
        """
        chosen = ((statements.IN_ENVIRONMENT, environment), (statements.IS_ATTACHED, attached))
        conditions = [condition for condition, value in chosen if value is not None]
        place, where = f"{Kind.COMPONENT.value}/", f"environment/{environment}"
        return self._instances(conditions, place, after or place, limit, environment=where, attached=attached)

    def instance(self, address: Address | str) -> Row:
        """Everything about an instance. Raises NotFound, or Invalid for a text that is no address."""
        rows = self._rows(statements.INSTANCE, address=str(address))
        if not rows:
            raise self._no_instance(address)
        return shapes.shown(rows[0])

    def drift(self) -> list[Row]:
        """What is known about the drift of each instance, by address."""
        return [{"address": row["address"], **shapes.drifting(row)} for row in self._rows(statements.DRIFT)]

    def runs(
        self,
        address: Address | str | None = None,
        status: Status | str | None = None,
        before: int | None = None,
        limit: int = ALL,
    ) -> list[Row]:
        """Runs, newest first, those before the run `before`, that meet every condition given."""
        chosen = (("address = :address", address), ("status = :status", status), ("id < :before", before))
        statement = statements.runs([condition for condition, value in chosen if value is not None])
        rows = self._rows(statement, address=str(address), status=status, before=before, limit=limit)
        return [shapes.run(row, self._plan_ttl_s) for row in rows]

    def run(self, run_id: int) -> Row:
        """Everything about a run, its plan resource by resource in `summary`. Raises NotFound."""
        rows = self._rows(statements.RUN, id=run_id)
        if not rows:
            raise missing.no_run(run_id)
        return shapes.run(rows[0], self._plan_ttl_s) | {
            "summary": rows[0]["summary"],
            "approvals": self.approvals(run_id),
            "exceptions_needed": list(guards.denied(guards.refusals_from_json(rows[0]["refusals"]))),
        }

    def history(self, address: Address | str, before: int | None = None, limit: int = ALL) -> list[Row]:
        """The runs of an address, newest first, those of an instance that has gone included; each with what it changed
        of what was deployed before it, who has said yes to what, and whether it is what is there.

        Raises NotFound for an address that nothing has or had.
        """
        chosen = ["address = :address", *(["id < :before"] if before is not None else [])]
        rows = self._rows(statements.history(chosen), address=str(address), before=before, limit=limit)
        if not rows and before is None:
            self.instance(address)
        return [shapes.past(row, self._plan_ttl_s) for row in rows]

    def approvals(self, run_id: int) -> list[Row]:
        """Who has said yes to the plan of a run, in order: `user_name`, `reason`, `exceptions`, `created_at`."""
        return self._rows(statements.APPROVALS, id=run_id)

    def campaigns(self, status: str | None = None, before: int | None = None, limit: int = ALL) -> list[Row]:
        """Campaigns, newest first, those before the number `before`, of one status where that is given."""
        values = {"status": status, "before": _FAR if before is None else before}
        return [shapes.campaign(row) for row in self._rows(campaign_statements.CAMPAIGNS, limit=limit, **values)]

    def campaign(self, campaign_id: int) -> Row:
        """Everything about a campaign, with its steps in order. Raises NotFound."""
        found = self.campaign_standing(campaign_id)
        steps = self._rows(campaign_statements.STEPS, id=campaign_id)
        return found | {"steps": [shapes.step(step) for step in steps]}

    def campaign_standing(self, campaign_id: int) -> Row:
        """As campaign(), with no more of the steps than where each stands: for whoever looks again and again."""
        rows = self._rows(campaign_statements.CAMPAIGN, id=campaign_id)
        if not rows:
            raise missing.no_campaign(campaign_id)
        return shapes.campaign(rows[0]) | {"steps": self._rows(campaign_statements.STANDING, id=campaign_id)}

    def workers(self, limit: int = ALL) -> list[Row]:
        """Who executes runs or did, newest first, with how many `runs` each works on now."""
        return [shapes.worker(row) for row in self._rows(statements.WORKERS, limit=limit)]

    def states(self, address: Address | str, limit: int = ALL) -> list[Row]:
        """The states that were kept under an address, newest first, those of an instance that has gone included."""
        return self._rows(statements.STATES, address=str(address), limit=limit)

    def syncs(self, kind: str | None = None, name: str | None = None) -> list[Row]:
        """What follows a branch, by kind and name."""
        return self._rows(statements.SYNCS, kind=kind, name=name)

    def attempts(self, sync_id: int) -> list[Row]:
        """The last attempt of each thing that a sync takes over: major version or instance."""
        return self._rows(statements.ATTEMPTS, id=sync_id)

    def blockers(self, service: str) -> list[Row]:
        """Why a service, or an instance of it, was not followed, newest first; without `resolved_at` still so."""
        return self._rows(statements.BLOCKERS, service=service)

    def events(
        self, state: str | None = None, target: str | None = None, before: int | None = None, limit: int = ALL
    ) -> list[Row]:
        """Events and where they stand on their way, newest first, those before the number `before`, that meet every
        condition given. `state` is core.notices.State.
        """
        chosen = (("d.state = :state", state), ("d.target = :target", target), ("d.id < :before", before))
        statement = statements.events([condition for condition, value in chosen if value is not None])
        rows = self._rows(statement, state=state, target=target, before=before, limit=limit)
        return [shapes.event(row) for row in rows]

    def event(self, number: int) -> Row:
        """An event and where it stands. Raises NotFound."""
        rows = self._rows(statements.events(["d.id = :id"]), id=number, limit=1)
        if not rows:
            raise missing.no_event(number)
        return shapes.event(rows[0])

    def run_counts(self) -> Row:
        """How many runs there are and how long they took, over all time; looks at every run.

        `runs`: [{"operation", "status", "count"}], `oldest_queued_at` (None when nothing waits), `plans` and `applies`:
        {"count", "seconds"} of those that came to their end, `workers`: state -> how many.
        """
        return shapes.run_counts(self._rows(statements.RUN_COUNTS), self._rows(statements.WORKER_COUNTS))

    def wired(self) -> tuple[list[Row], list[Row]]:
        """Every instance with what it takes to tell who feeds it, by address, and the `facts` of each `id` that is the
        `version_id` of one.
        """
        return self._rows(wire_statements.INSTANCES), self._rows(wire_statements.FACTS)

    def offerings(self) -> list[Row]:
        """Every version that something may be made from, with its `facts` and which ones it is `compatible` with."""
        return self._rows(wire_statements.VERSIONS)

    def names(self, kind: str, prefix: str, limit: int) -> list[str]:
        """Names that start with `prefix`, for shell completion.

        `kind`: template, version (`web@1.2`), environment, service, instance (`orders/prod`), component, address, run.
        """
        rows = self._rows(statements.NAMES[kind], first=prefix, last=prefix + _LAST, limit=limit)
        return [str(next(iter(row.values()))) for row in rows]

    def _instances(self, conditions: list[str], place: str, after: str, limit: int, **values: object) -> list[Row]:
        """The page of the addresses that start with `place` and come after `after`."""
        bounds = ["i.address > :after", "i.address >= :first", "i.address < :last"]
        statement = statements.instances([*bounds, *conditions])
        rows = self._rows(statement, after=after, first=place, last=place + _LAST, limit=limit, **values)
        return [shapes.listed(row) for row in rows]

    def _no_instance(self, address: Address | str) -> NotFound:
        place = parse(str(address))
        return missing.no_instance(place, self.names("address", f"{place.kind.value}/", missing.CANDIDATES_MAX))

    def _expect_template(self, template: TemplateRef) -> None:
        kinds = {row["name"]: row["kind"] for row in self.templates()}
        names = {row["name"] for row in self.templates(template.kind)}
        if template.name in kinds and template.name not in names:
            raise missing.other_kind(template, kinds[template.name])
        if template.name not in names:
            raise missing.no_template(template, names)

    def _no_version(self, template: TemplateRef) -> NotFound:
        known = self.versions(template)
        if template.number is not None:
            return missing.no_version(template.name, template.number, map(_number, known))
        majors = (None, *{row["major"] for row in known if row["status"] == VersionStatus.PUBLISHED})
        if len(majors) > 1 and template.major in majors:
            return missing.none_usable(str(replace(template, kind=None)))
        drafts = [_number(row) for row in known if row["status"] == VersionStatus.DRAFT]
        if template.major is not None:
            return missing.none_of_major(template.name, template.major, map(_number, known), drafts)
        return missing.none_published(template.name, drafts)

    def _rows(self, statement: str, **values: object) -> list[Row]:
        """Raises Conflict when the catalog does not fit this program, LandformError when it cannot be read."""
        clean = {name: _storable(value) for name, value in values.items()}
        found = self._found(statement, clean)
        if found is None:
            # an older one, which may be brought up to date
            schema.ensure(self._place)
            found = self._found(statement, clean)
        assert found is not None
        return found

    def _found(self, statement: str, values: Mapping[str, object]) -> list[Row] | None:
        """None where the schema does not fit."""
        with self._place.door() as door:
            revision = door.revision() if door else None
            if door is None or revision is None:
                return []
            return shapes.shaped(*door.rows(statement, values)) if revision == schema.HEAD else None


def _storable(value: object) -> object:
    """The value, without what a shell may pass on but no name can hold."""
    return value.encode("utf-8", "replace").decode().replace("\0", "?") if isinstance(value, str) else value


def _ref(template: TemplateRef | str) -> TemplateRef:
    return template if isinstance(template, TemplateRef) else parse_ref(template)


def _number(row: Mapping[str, Any]) -> Number:
    return Number(row["major"], row["minor"])
