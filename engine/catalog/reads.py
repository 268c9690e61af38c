"""What lists and `show` read from the catalog, one statement a list.

Without SQLAlchemy, whose import alone would cost a list half a second. Rows are dicts ready for JSON: times are
ISO 8601 in UTC, versions are `major.minor`.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from engine.catalog import missing, schema, sqlite, statements
from engine.core import plans
from engine.core.address import Address, Kind, parse
from engine.core.runs import Status, is_terminal, next_actions, waiting_on
from engine.core.versions import Number, TemplateKind, TemplateRef, VersionStatus, parse_ref
from engine.errors import NotFound

Row = dict[str, Any]
ALL = -1
"""As a limit: every row."""
_LAST = "\U0010ffff"
_JSON = (
    *("inputs", "outputs", "upstream", "stale", "run_env", "inhabitants", "statuses"),
    *("summary", "fingerprint", "executor", "facts", "compatible", "component_sources"),
)
_CLAIMS = ("is_stale", "outdated", "recommended_minor")


class Reads:
    """Lists over the catalog file at `path`. Where there is no catalog yet, lists are empty."""

    def __init__(self, path: Path) -> None:
        self._path = path

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
        return [_version(row) for row in rows]

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
        return _version(rows[0])

    def environments(self, after: str | None = None, limit: int = ALL, *, outdated: bool = False) -> list[Row]:
        """Environments by name, those after the name `after`; `outdated`: only those below the recommended version."""
        place = f"{Kind.ENVIRONMENT.value}/"
        conditions = [statements.IS_BEHIND] if outdated else []
        return self._instances(conditions, place, f"{place}{after or ''}", limit)

    def services(self, after: str | None = None, limit: int = ALL) -> list[Row]:
        """Services by name, those after the name `after`, with how their instances are."""
        return [_service(row) for row in self._rows(statements.SERVICES, after=after or "", name=None, limit=limit)]

    def service(self, name: str) -> Row:
        """A service, as services() lists it. Raises NotFound."""
        rows = self._rows(statements.SERVICES, after="", name=name, limit=1)
        if not rows:
            raise missing.no_service(name, self.names("service", "", missing.CANDIDATES_MAX))
        return _service(rows[0])

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

    def instance(self, address: Address | str) -> Row:
        """Everything about an instance. Raises NotFound, or Invalid for a text that is no address."""
        rows = self._rows(statements.INSTANCE, address=str(address))
        if not rows:
            raise self._no_instance(address)
        return rows[0]

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
        return [_run(row) for row in rows]

    def run(self, run_id: int) -> Row:
        """Everything about a run, its plan resource by resource in `summary`. Raises NotFound."""
        rows = self._rows(statements.RUN, id=run_id)
        if not rows:
            raise missing.no_run(run_id)
        return _run(rows[0]) | {"summary": rows[0]["summary"]}

    def history(self, address: Address | str, before: int | None = None, limit: int = ALL) -> list[Row]:
        """The runs of an address, newest first, those of an instance that has gone included.

        Raises NotFound for an address that nothing has or had.
        """
        rows = self.runs(address, before=before, limit=limit)
        if not rows and before is None:
            self.instance(address)
        return rows

    def names(self, kind: str, prefix: str, limit: int) -> list[str]:
        """Names that start with `prefix`, for shell completion.

        `kind`: template, version (`web@1.2`), environment, service, instance (`orders/prod`), address or run.
        """
        rows = self._rows(statements.NAMES[kind], first=prefix, last=prefix + _LAST, limit=limit)
        return [str(next(iter(row.values()))) for row in rows]

    def _instances(self, conditions: list[str], place: str, after: str, limit: int, **values: object) -> list[Row]:
        """The page of the addresses that start with `place` and come after `after`."""
        bounds = ["i.address > :after", "i.address >= :first", "i.address < :last"]
        statement = statements.instances([*bounds, *conditions])
        return self._rows(statement, after=after, first=place, last=place + _LAST, limit=limit, **values)

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
        drafts = [_number(row) for row in known if row["status"] == VersionStatus.DRAFT]
        if template.major is not None:
            return missing.none_of_major(template.name, template.major, map(_number, known), drafts)
        return missing.none_published(template.name, drafts)

    def _rows(self, statement: str, **values: object) -> list[Row]:
        """Raises Conflict when the catalog is newer than this program, LandformError when it cannot be read."""
        if not sqlite.exists(self._path):
            return []
        clean = {name: _storable(value) for name, value in values.items()}
        try:
            with closing(self._connection()) as connection:
                return _shaped(connection.execute(statement, clean))
        except sqlite3.Error as error:
            raise sqlite.explain(self._path, error) or error from error

    def _connection(self) -> sqlite3.Connection:
        connection = sqlite.read_only(self._path)
        try:
            if schema.fits(connection):
                return connection
        except sqlite3.Error:
            connection.close()
            raise
        connection.close()
        schema.ensure(self._path)
        return sqlite.read_only(self._path)


def _storable(value: object) -> object:
    """The value, without what a shell may pass on but no name can hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _shaped(found: sqlite3.Cursor) -> list[Row]:
    columns = [(column[0], _converter(column[0])) for column in found.description]
    return [
        {name: value if value is None else convert(value) for (name, convert), value in zip(columns, row, strict=True)}
        for row in found
    ]


def _converter(column: str) -> Callable[[Any], object]:
    if column.endswith("_at"):
        return _time
    if column in _JSON:
        return json.loads
    return bool if column in _CLAIMS else _as_it_is


def _ref(template: TemplateRef | str) -> TemplateRef:
    return template if isinstance(template, TemplateRef) else parse_ref(template)


def _time(stored: str) -> str:
    return stored.replace(" ", "T").removesuffix(".000000") + "Z"


def _as_it_is(value: object) -> object:
    return value


def _number(row: Mapping[str, Any]) -> Number:
    return Number(row["major"], row["minor"])


def _version(row: Row) -> Row:
    return row | {"recommended": bool(row["recommended"])}


def _service(row: Row) -> Row:
    statuses = dict(sorted(Counter(row["statuses"] or ()).items()))
    counted = [f"{count} {status}" for status, count in statuses.items()]
    status = ", ".join(statuses if len(statuses) == 1 else counted)
    return row | {"instances": sum(statuses.values()), "statuses": statuses, "status": status}


def _run(row: Row) -> Row:
    """The run with what follows from its status, and with its plan as a sentence and as counts."""
    status, summary = Status(row["status"]), plans.from_json(row["summary"]) if row["summary"] else None
    return {name: value for name, value in row.items() if name != "summary"} | {
        "plan": summary.sentence() if summary else None,
        "changes": summary.counts() if summary else None,
        "is_terminal": is_terminal(status),
        "waiting_on": waiting_on(status),
        "next_actions": list(next_actions(status)),
    }
