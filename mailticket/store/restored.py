"""After a restore: since when nothing leaves, which mails stay held back, and the end of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import column, delete, func, select, table, update
from sqlmodel import Session, col

from mailticket.models import Health, Meta, Outgoing, Ticket
from mailticket.store import meta
from mailticket.store.outgoing import RESTORED

PART = "restore"  # the row of the health table that `status`, `check` and alerts show while mail is held
_SINCE, _HELD = "restored_at", "held_since_restore"
# What was sent between backup and restore took serial numbers that this database does not know of. A Message-ID given
# twice would let mail systems drop the second mail as a copy of the first.
_SERIALS = 1_000
# Acts of the time before: nobody knows whether they left after the backup was made.
_UNDER_WAY = ("queued", "sending", "deferred")


@dataclass(frozen=True, slots=True)
class Held:
    """What a release would find. kept: held back for good, until sent by number. waiting: written since, and due.

    oldest: when the first of the waiting ones was written; None for none.
    """

    kept: int
    waiting: int
    oldest: datetime | None


def schemas_put_aside(session: Session) -> list[str]:
    """The schemas of a PostgreSQL database that hold what stood there before a restore."""
    name: Any = column("nspname")
    query = select(name).select_from(table("pg_namespace")).where(name.startswith("replaced_", autoescape=True))
    return list(session.execute(query.order_by(name)).scalars())


def restored_at(session: Session) -> datetime | None:
    """When this database was put into place by `restore`; None when it never was."""
    text = meta.value(session, _SINCE)
    return datetime.fromisoformat(text) if text else None


def is_held(session: Session) -> bool:
    """Whether nothing may leave until somebody says so."""
    return bool(meta.value(session, _HELD))


def hold(session: Session, now: datetime, backup_at: datetime | None) -> int:
    """Make a restored database safe to start: nothing leaves by itself. Returns how many mails are held back.

    backup_at: when the backup was made, None where that is not on record.
    """
    made = f"the backup of {backup_at:%Y-%m-%d %H:%M} UTC" if backup_at else "a backup"
    under_way = update(Outgoing).where(col(Outgoing.state).in_(_UNDER_WAY))
    reason = f"it was in the queue of {made}: it may have left before the restore"
    held = session.execute(
        under_way.values(state="withheld", hold=RESTORED, reason=reason, begun_at=None, counted_at=None)
    )
    session.execute(update(Ticket).values(serial=col(Ticket.serial) + _SERIALS))
    meta.skip_alert_numbers(session, _SERIALS)
    meta.set_value(session, _SINCE, now.isoformat())
    meta.set_value(session, _HELD, now.isoformat())
    text = f"{made} was restored; mail is taken in and nothing leaves before `mailticket restore --go`"
    meta.went_wrong(session, PART, now, text)
    return int(held.rowcount)  # type: ignore[attr-defined]


def held(session: Session) -> Held:
    """What is held back because of the restore, and what waits for its release."""
    kept = select(func.count()).where(col(Outgoing.state) == "withheld", col(Outgoing.hold) == RESTORED)
    waiting = select(func.count(), func.min(col(Outgoing.created_at))).where(
        col(Outgoing.state).in_(("queued", "deferred"))
    )
    number, oldest = session.execute(waiting).one()
    return Held(int(session.execute(kept).scalar() or 0), int(number), oldest)


def release(session: Session, now: datetime) -> None:
    """Let mail leave again; what is held back by its own reason stays so."""
    session.execute(delete(Meta).where(col(Meta.name) == _HELD))
    meta.went_well(session, PART, now)
    # Of the end hears only who heard of the beginning.
    session.execute(delete(Health).where(col(Health.name) == PART, col(Health.alerted_at).is_(None)))
