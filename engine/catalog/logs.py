"""Facts about the logs of runs, where readers cannot look into the worker's folder: in chunks that join."""

from __future__ import annotations

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from engine.catalog.metadata import TABLES
from engine.catalog.records import Records
from engine.catalog.tables import Run
from engine.core.runs import Status
from engine.errors import Conflict

_AT_ONCE = 16
"""Chunks that are read at once."""
_CHUNK, _RUN = (TABLES[name] for name in ("logchunk", "run"))
_TAKEN_AWAY = [status.value for status in (Status.QUEUED, Status.INTERRUPTED)]
"""What becomes of a run whose worker was given up; once another has it, its fence says so too."""
_OF = (_CHUNK.c.run_id == bindparam("of"), _CHUNK.c.kind == bindparam("which"))
_END = (
    select(_CHUNK.c.start + func.length(_CHUNK.c.content)).where(*_OF).order_by(_CHUNK.c.start.desc()).limit(1)
).scalar_subquery()
_FIRST = select(func.max(_CHUNK.c.start)).where(*_OF, _CHUNK.c.start <= bindparam("begin")).scalar_subquery()
_PIECE = select(_CHUNK.c.start, _CHUNK.c.content).where(*_OF)
_FROM = _PIECE.where(_CHUNK.c.start >= _FIRST).order_by(_CHUNK.c.start).limit(_AT_ONCE)
_LAST = _PIECE.order_by(_CHUNK.c.start.desc()).limit(1)
# one statement looks at the fence and writes: it may be used beside whoever else writes
_ADD = (
    insert(_CHUNK)
    .from_select(
        ["run_id", "kind", "start", "content"],
        select(
            _RUN.c.id,
            bindparam("which", type_=_CHUNK.c.kind.type),
            bindparam("begin", type_=_CHUNK.c.start.type),
            bindparam("said", type_=_CHUNK.c.content.type),
        ).where(
            _RUN.c.id == bindparam("of"),
            _RUN.c.fence == bindparam("held"),
            _RUN.c.status.not_in(_TAKEN_AWAY),
            func.coalesce(_END, 0) == bindparam("begin"),
        ),
    )
    .returning(_CHUNK.c.id)
)


class Logs(Records):
    """The part of a transaction that speaks of logs. `kind` is `log` or `events`."""

    def add_log(self, run_id: int, kind: str, start: int, content: bytes, *, fence: int) -> bool:
        """Whether the chunk was added: not when what there is does not end at `start`.

        Raises Conflict when the run is no longer the worker's that claimed it with `fence`. Good for Catalog.quick().
        """
        chunk = {"of": run_id, "which": kind, "begin": start, "said": content, "held": fence}
        try:
            with self._session.begin_nested():
                is_added = self._session.execute(_ADD, chunk).first() is not None
        except IntegrityError:
            # somebody else added one at the same moment
            return False
        if not is_added:
            self._expect_ours(run_id, fence)
        return is_added

    def log(self, run_id: int, kind: str, start: int) -> bytes:
        """What the run has said from that byte on: a part, where there is much; b"" when there is nothing."""
        chunks = self._session.execute(_FROM, {"of": run_id, "which": kind, "begin": start})
        return b"".join(content[max(0, start - begin) :] for begin, content in chunks)

    def log_size(self, run_id: int, kind: str) -> int:
        """How many bytes of it there are."""
        return int(self._session.execute(select(func.coalesce(_END, 0)), {"of": run_id, "which": kind}).scalar_one())

    def last_log(self, run_id: int, kind: str) -> tuple[int, bytes]:
        """Where its last chunk begins, and the chunk; (0, b"") when there is none."""
        found = self._session.execute(_LAST, {"of": run_id, "which": kind}).one_or_none()
        return (found[0], found[1]) if found else (0, b"")

    def _expect_ours(self, run_id: int, fence: int) -> None:
        run = self._session.get(Run, run_id)
        if run is None or run.fence != fence or run.status in _TAKEN_AWAY:
            raise Conflict(f"Run {run_id} has been taken from its worker.", hint=f"See it: landform run show {run_id}")
