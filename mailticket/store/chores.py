"""What housekeeping asks and removes, each in bounded portions over an index."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session, col

from mailticket.models import Address, Incoming, Raw, Ticket


def newest_row(session: Session) -> datetime | None:
    """The newest time that we wrote ourselves."""
    newest: datetime | None = session.execute(
        select(col(Incoming.listed_at)).order_by(col(Incoming.id).desc()).limit(1)
    ).scalar()
    return newest


def solved_before(session: Session, before: datetime, limit: int) -> list[Ticket]:
    query = select(Ticket).where(col(Ticket.solved_at) < before, col(Ticket.status) == "solved").limit(limit)
    return list(session.execute(query).scalars())


def slipping(session: Session, until: datetime, not_yet: Any, limit: int) -> list[Ticket]:
    """Unanswered tickets whose promise ends by `until` and for which `not_yet` (a time column) has not happened."""
    query = select(Ticket).where(
        col(Ticket.promised_by) <= until,
        col(Ticket.first_response_at).is_(None),
        col(Ticket.status).in_(("new", "open")),
        col(not_yet).is_(None),
        col(Ticket.merged_into).is_(None),
    )
    return list(session.execute(query.order_by(col(Ticket.promised_by)).limit(limit)).scalars())


def deliverable_address(session: Session, ticket: Ticket) -> str | None:
    """The requester's address if mail to it does not bounce."""
    query = select(col(Address.address)).where(
        col(Address.requester_id) == ticket.requester_id, col(Address.undeliverable_since).is_(None)
    )
    address: str | None = session.execute(query.order_by(col(Address.key)).limit(1)).scalar()
    return address


def forget_raw(session: Session, before: datetime, limit: int) -> int:
    """Remove raw mails stored before a time, but none that lies in quarantine; returns how many."""
    needed = select(col(Incoming.id)).where(
        col(Incoming.raw_digest) == col(Raw.digest), col(Incoming.state) == "quarantined"
    )
    query = select(col(Raw.digest)).where(col(Raw.stored_at) < before, ~needed.exists()).limit(limit)
    digests = list(session.execute(query).scalars())
    if digests:
        session.execute(delete(Raw).where(col(Raw.digest).in_(digests)))
    return len(digests)
