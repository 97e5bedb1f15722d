"""What alerts ask: what waits too long, what was held back by a cap for all, how many alerts a day has seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select, text
from sqlmodel import Session, col

from mailticket.mail.values import address_key
from mailticket.models import Health, Incoming, Outgoing
from mailticket.store import restored

# Rows of the health table that `alerts` writes while a trouble lasts; `status` and `check` show these three by
# figures of their own.
SHOWN_BY_FIGURES = ("intake", "outbox", "quarantine")
WATCHED = (*SHOWN_BY_FIGURES, "answers", "disk")
PASSING = (*WATCHED, "clock", restored.PART)  # parts that are of interest only while they are unwell


def oldest_listed(session: Session) -> datetime | None:
    """Since when the oldest mail without an outcome waits."""
    oldest = select(func.min(col(Incoming.listed_at))).where(col(Incoming.state) == "listed")
    since: datetime | None = session.execute(oldest).scalar()
    return since


def oldest_unsent(session: Session) -> datetime | None:
    """Since when the oldest mail that is owed waits to be sent."""
    waiting = text("state IN ('queued', 'deferred')")  # in the words of the partial index, so that it can be used
    since: datetime | None = session.execute(select(func.min(col(Outgoing.created_at))).where(waiting)).scalar()
    return since


def quarantined(session: Session) -> tuple[int, datetime | None]:
    """How many mails lie in quarantine, and since when the first of them."""
    query = select(func.count(), func.min(col(Incoming.decided_at))).where(col(Incoming.state) == "quarantined")
    row = session.execute(query).one()
    return int(row[0]), row[1]


def capped(session: Session, since: datetime) -> int:
    """How many letters were held back since then because of the cap for all."""
    query = select(func.count()).where(
        col(Outgoing.state) == "withheld",
        col(Outgoing.created_at) > since,
        col(Outgoing.hold) == "cap_total",
    )
    return int(session.execute(query).scalar() or 0)


def alerts_since(session: Session, to: str, since: datetime) -> int:
    """How many alerts were written to an address since then."""
    query = select(func.count()).where(
        col(Outgoing.kind) == "alert", col(Outgoing.recipient_key) == address_key(to), col(Outgoing.created_at) > since
    )
    return int(session.execute(query).scalar() or 0)


def forget_passed(session: Session) -> None:
    """Remove the passing troubles that are over and of whose end nobody needs to hear."""
    over = (col(Health.name).in_(PASSING), col(Health.error) == "", col(Health.alerted_at).is_(None))
    session.execute(delete(Health).where(*over))
