"""Facts about letters: events on their way to those who want to hear of them, and which of them have arrived."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, delete, exists, literal, select, update
from sqlalchemy.sql.selectable import Exists

from engine.catalog import missing
from engine.catalog.metadata import TABLES
from engine.catalog.outside_tables import Delivery, Notice
from engine.catalog.records import Records
from engine.core.notices import Letter, State
from engine.errors import Conflict

KEPT = timedelta(days=30)
"""How long it is remembered what was told, whether it arrived or not."""
_NOTICE, _DELIVERY = (TABLES[row.__name__.lower()] for row in (Notice, Delivery))
_COLUMNS = (
    *(_DELIVERY.c.id, _DELIVERY.c.target, _DELIVERY.c.attempts),
    *(_NOTICE.c.uid, _NOTICE.c.kind, _NOTICE.c.resource, _NOTICE.c.detail, _NOTICE.c.created_at),
)
_LETTERS: Select[Any] = select(*_COLUMNS).select_from(_DELIVERY.join(_NOTICE, _NOTICE.c.id == _DELIVERY.c.notice_id))


def _is_behind() -> Exists:
    """Whether something about the same thing goes to the same target before it."""
    earlier, told = _DELIVERY.alias(), _NOTICE.alias()
    return (
        exists(literal(1))
        .select_from(earlier.join(told, told.c.id == earlier.c.notice_id))
        .where(
            earlier.c.state == State.WAITING.value,
            earlier.c.target == _DELIVERY.c.target,
            earlier.c.notice_id < _DELIVERY.c.notice_id,
            told.c.resource == _NOTICE.c.resource,
        )
        .correlate(_DELIVERY, _NOTICE)
    )


_DUE = (
    _LETTERS.where(
        _DELIVERY.c.state == State.WAITING.value,
        _DELIVERY.c.due_at <= bindparam("now"),
        _DELIVERY.c.target.in_(bindparam("targets", expanding=True)),
        ~_is_behind(),
    )
    .order_by(_DELIVERY.c.notice_id, _DELIVERY.c.id)
    .limit(1)
)
_AS_SENT = update(_DELIVERY).where(
    _DELIVERY.c.id == bindparam("of"),
    _DELIVERY.c.attempts == bindparam("seen"),
    _DELIVERY.c.state == State.WAITING.value,
)
_DEAD = select(_DELIVERY.c.id).where(_DELIVERY.c.state == State.DEAD.value).order_by(_DELIVERY.c.id)


class Letters(Records):
    """The part of a transaction that speaks of events on their way."""

    def has_due_letter(self, targets: Collection[str]) -> bool:
        """Whether something should be sent to one of them now."""
        return self._due(targets, self._now()) is not None

    def next_letter(self, targets: Collection[str], lease: timedelta) -> Letter | None:
        """What is to be sent to one of the targets next; None when nothing is due.

        It is the caller's for as long as `lease` lasts: if nothing has been said of it then, it is due again. What is
        about one thing goes to a target in the order in which it came to be.
        """
        now = self._now()
        row = self._due(targets, now)
        if row is None:
            return None
        found = _letter(row, now, attempts=row.attempts + 1)
        values = {"attempts": found.attempts, "due_at": now + lease}
        self._session.execute(_AS_SENT, {**values, "of": row.id, "seen": row.attempts})
        return found

    def letter_arrived(self, letter: Letter) -> None:
        """Notes that the target has it."""
        self._note(letter, state=State.DELIVERED.value, ended_at=self._now(), message="")

    def letter_failed(self, letter: Letter, message: str, again_in: timedelta | None) -> None:
        """Notes why it was not taken, and that it is sent again after that time; None: never by itself."""
        now = self._now()
        if again_in is None:
            self._note(letter, state=State.DEAD.value, ended_at=now, message=message)
        else:
            self._note(letter, due_at=now + again_in, message=message)

    def letter(self, number: int) -> Letter:
        """The letter of that number. Raises NotFound."""
        row = self._session.execute(_LETTERS.where(_DELIVERY.c.id == number)).first()
        if row is None:
            raise missing.no_event(number)
        return _letter(row, self._now(), attempts=row.attempts)

    def send_again(self, numbers: Iterable[int]) -> None:
        """Has them sent now, as if nobody had tried. Raises NotFound, or Conflict for one that has arrived."""
        fresh = {"state": State.WAITING.value, "attempts": 0, "message": "", "due_at": self._now(), "ended_at": None}
        for number in numbers:
            found = self._by_id(Delivery, number)
            if found is None:
                raise missing.no_event(number)
            if found.state == State.DELIVERED:
                raise Conflict(f"Event {number} has arrived at {found.target}: there is nothing to send.")
            for column, value in fresh.items():
                setattr(found, column, value)
            self._session.add(found)
        self._session.flush()

    def dead_letters(self) -> Sequence[int]:
        """The numbers of those that nobody sends any more, in order."""
        return self._session.execute(_DEAD).scalars().all()

    def forget_letters(self) -> None:
        """Forgets what is too old, wherever it stands."""
        bound = self._now() - KEPT
        old = select(_NOTICE.c.id).where(_NOTICE.c.created_at < bound)
        self._session.execute(delete(_DELIVERY).where(_DELIVERY.c.notice_id.in_(old)))
        self._session.execute(delete(_NOTICE).where(_NOTICE.c.created_at < bound))

    def _due(self, targets: Collection[str], now: datetime) -> Any:
        return self._session.execute(_DUE, {"now": now, "targets": sorted(targets)}).first()

    def _note(self, letter: Letter, **values: object) -> None:
        """Nothing when somebody else has taken the letter since, and says what came of it."""
        self._session.execute(_AS_SENT, {**values, "of": letter.number, "seen": letter.attempts})


def _letter(row: Any, now: datetime, attempts: int) -> Letter:
    return Letter(row.id, row.target, attempts, row.uid, row.kind, row.resource, row.detail, row.created_at, now)
