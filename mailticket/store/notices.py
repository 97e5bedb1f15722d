"""Notices: what requesters should know now, set and ended by staff, and what every letter asks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select
from sqlmodel import Session, col

from mailticket.errors import NotFound
from mailticket.models import Notice
from mailticket.store.rows import Prepared, insert_values, table_of

REMEMBERED = timedelta(days=60)  # after a notice ended, replies that quote it still come
_NOTICES = table_of(Notice)
_RECENT = Prepared(
    select(_NOTICES)
    .where(or_(_NOTICES.c.until.is_(None), _NOTICES.c.until > bindparam("since")),
           or_(_NOTICES.c.ended_at.is_(None), _NOTICES.c.ended_at > bindparam("since")))
    .order_by(_NOTICES.c.id.desc())
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """A notice as it stands. texts: by language. categories: () for all. until, ended_at: aware, or None."""

    id: int
    categories: tuple[str, ...]
    texts: Mapping[str, str]
    set_at: datetime
    set_by: str
    until: datetime | None
    ended_at: datetime | None
    ended_by: str

    @property
    def is_ended(self) -> bool:
        """Whether staff ended it, before or after it would have expired."""
        return self.ended_at is not None

    def lasts(self, now: datetime) -> bool:
        return not self.is_ended and (self.until is None or self.until > now)

    def concerns(self, category: str) -> bool:
        return not self.categories or category in self.categories


def add(
    session: Session, categories: Sequence[str], texts: Mapping[str, str], until: datetime | None, now: datetime,
    actor: str,
) -> int:  # fmt: skip
    """Write a new notice; returns its number."""
    values = {"categories": list(categories), "texts": dict(texts), "until": until, "set_at": now, "set_by": actor}
    return insert_values(session, Notice, values)


def end(session: Session, number: int, now: datetime, actor: str) -> Standing:
    """End a notice now, and return it as it stood before; NotFound where there is none of this number."""
    row: Notice | None = session.get(Notice, number, with_for_update=True)
    if row is None:
        raise NotFound(f"there is no notice {number}; `mailticket notice list` shows them")
    before = _standing(row)
    if before.lasts(now):
        row.ended_at, row.ended_by = now, actor
        session.add(row)
        session.flush()
    return before


def all_of(session: Session) -> list[Standing]:
    """Every notice that was ever set, the newest first."""
    return [_standing(row) for row in session.execute(select(Notice).order_by(col(Notice.id).desc())).scalars()]


def recent(session: Session, now: datetime) -> tuple[Standing, ...]:
    """The notices that last, and those that ended in the last weeks; the newest first."""
    return tuple(_standing(row) for row in _RECENT.all(session, since=now - REMEMBERED))


def lasting(session: Session, now: datetime) -> list[Standing]:
    """The notices that letters show now, the newest first."""
    return [notice for notice in recent(session, now) if notice.lasts(now)]


def _standing(row: Notice) -> Standing:
    return Standing(
        id=int(row.id or 0),
        categories=tuple(row.categories or ()),
        texts=dict(row.texts or {}),
        set_at=row.set_at,
        set_by=row.set_by,
        until=row.until,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
