"""What housekeeping asks and removes, each in bounded portions over an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, TextClause, delete, func, or_, select, text, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from mailticket.models import SENT_WITH_BYTES, Address, Event, Incoming, Message, Outgoing, Raw, Ticket
from mailticket.store.desk import HELD
from mailticket.store.erasing import HELD_BY_LAW, held_by_law
from mailticket.store.tickets import UNANSWERED


def newest_row(session: Session) -> datetime | None:
    """The newest time that we wrote ourselves."""
    newest: datetime | None = session.execute(
        select(col(Incoming.listed_at)).order_by(col(Incoming.id).desc()).limit(1)
    ).scalar()
    return newest


def close_solved(session: Session, before: datetime, now: datetime, limit: int) -> list[int]:
    """Close tickets that were solved before a time and still are; returns their ids.

    One statement looks and writes, so that a reply that is taken in meanwhile keeps its ticket open.
    """
    solved = (col(Ticket.solved_at) < before, col(Ticket.status) == "solved")
    closing = update(Ticket).where(col(Ticket.id).in_(select(col(Ticket.id)).where(*solved).limit(limit)), *solved)
    closed = closing.values(status="closed", closed_at=now, updated_at=now).returning(col(Ticket.id))
    return sorted(session.execute(closed, execution_options={"synchronize_session": False}).scalars())


def slipping(session: Session, until: datetime, limit: int) -> list[Ticket]:
    """Unanswered tickets whose promise ends by `until` and of which staff were not warned."""
    query = select(Ticket).where(*slips_by(until, col(Ticket.late_warned_at)))
    return list(session.execute(query.order_by(col(Ticket.promised_by)).limit(limit)).scalars())


@dataclass(frozen=True, slots=True)
class Promisee:
    """A ticket whose requester was told a promise: the address and the Message-ID of the mail that told it."""

    ticket: Ticket
    recipient: str
    recipient_key: str
    message_id: str


def late(session: Session, until: datetime, limit: int) -> list[Promisee]:
    """Slipping tickets whose requester knows of the promise, can be reached, and has had no late notice."""
    row = aliased(Outgoing)
    telling = (
        select(func.max(col(row.id)))
        .where(
            col(row.ticket_id) == col(Ticket.id),
            col(row.kind).in_(("acknowledgement", "duplicate-notice")),
            col(row.state).in_(("sent", "uncertain")),
        )
        .correlate(Ticket)
        .scalar_subquery()
    )
    bounces = select(col(Address.key)).where(
        col(Address.key) == col(Outgoing.recipient_key), col(Address.undeliverable_since).is_not(None)
    )
    query = (
        select(Ticket, col(Outgoing.recipient), col(Outgoing.recipient_key), col(Outgoing.message_id))
        .join(Outgoing, col(Outgoing.id) == telling)
        .where(*slips_by(until, col(Ticket.late_notice_at)), col(Ticket.trust) != "failed", ~bounces.exists())
    )
    return [Promisee(*row) for row in session.execute(query.order_by(col(Ticket.promised_by)).limit(limit))]


def slips_by(until: datetime, not_yet: Any = None) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """What is true of unanswered tickets whose promise ends by then. not_yet: the column of when that was told, where
    only those count of which it was not."""
    return (
        UNANSWERED,
        col(Ticket.promised_by) <= until,
        *([not_yet.is_(None)] if not_yet is not None else []),
        # Nearly every ticket has no merged_into, so its index would be the slowest way; this form keeps off it.
        func.coalesce(col(Ticket.merged_into), 0) == 0,
    )


def forget_events(session: Session, before: datetime, limit: int) -> int:
    """Remove the history of tickets from before a time; returns how many entries.

    Only the oldest rows are looked at: entries are written in order of time, and there may be millions.
    """
    oldest = session.execute(
        _outside_the_law(session, select(col(Event.id), col(Event.at)), col(Event.ticket_id))
        .order_by(col(Event.id))
        .limit(limit)
    )
    old = [number for number, at in oldest if at < before]
    if old:
        session.execute(delete(Event).where(col(Event.id).in_(old)))
    return len(old)


def _outside_the_law(session: Session, query: Any, ticket: Any) -> Any:
    """The query without rows of tickets that the law has us keep."""
    held = held_by_law(session)
    return query.where(or_(ticket.is_(None), ticket.not_in(held))) if held else query


def forget_raw(session: Session, before: datetime, closed_before: datetime, limit: int) -> int:
    """Remove raw mails stored before a time; returns how many.

    Those stay that lie in quarantine or wait for an outcome, and those of a ticket that is not closed, or was closed
    after `closed_before`: its attachments lie in them. The files of answers lie in raw mails that never came in: those
    of held answers stay, and those of a ticket that is not at its end.
    """
    mail = col(Incoming.raw_digest) == col(Raw.digest)
    unsettled = select(col(Incoming.id)).where(mail, col(Incoming.state).in_(("quarantined", "listed")))
    # A merge moves messages from ticket to ticket, while the mail keeps the one that it went to first.
    conversation = (
        select(col(Incoming.id))
        .join(Message, col(Message.incoming_id) == col(Incoming.id))
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(mail, or_(col(Ticket.status) != "closed", col(Ticket.closed_at) >= closed_before, HELD_BY_LAW))
    )
    written = select(col(Message.raw_digest)).where(col(Message.raw_digest).is_not(None))
    unfinished = written.join(Ticket, col(Ticket.id) == col(Message.ticket_id)).where(
        text("(ticket.status IN ('new', 'open', 'pending') OR ticket.legal_hold != '')"),
        col(Message.incoming_id).is_(None),
    )
    query = (
        select(col(Raw.digest))
        .where(col(Raw.stored_at) < before, ~unsettled.exists(), ~conversation.exists())
        .where(col(Raw.digest).not_in(unfinished), col(Raw.digest).not_in(written.where(HELD)))
        .limit(limit)
    )
    digests = list(session.execute(query).scalars())
    if not digests:
        return 0
    # Looked at once more, for the same bytes may have come again meanwhile.
    removed = session.execute(delete(Raw).where(col(Raw.digest).in_(digests), col(Raw.stored_at) < before))
    return int(removed.rowcount)  # type: ignore[attr-defined]


def forget_sent(session: Session, before: datetime, limit: int) -> int:
    """Empty the bytes of what was sent before a time; returns how many.

    The text stands in the conversation, and a bounce finds the row by its Message-ID.
    """
    kept = text(SENT_WITH_BYTES)
    query = select(col(Outgoing.id)).where(kept, col(Outgoing.sent_at) < before).order_by(col(Outgoing.sent_at))
    query = _outside_the_law(session, query, col(Outgoing.ticket_id))
    numbers = list(session.execute(query.limit(limit)).scalars())
    if numbers:
        session.execute(update(Outgoing).where(col(Outgoing.id).in_(numbers)).values(wire=b""))
    return len(numbers)
