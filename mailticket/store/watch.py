"""What alerts and `status` ask: what waits too long, what was lost or held back, how many alerts a day has seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, TextClause, delete, func, or_, select, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from mailticket.mail.address import address_key
from mailticket.models import Event, Health, Incoming, Message, Outgoing, Ticket
from mailticket.store import tickets
from mailticket.store.tickets import UNANSWERED, WAITING
from mailticket.text.times import latest_past

CHORE = "chore "  # begins the names of the health rows that housekeeping writes for chores that fail
_NEWEST = 500  # outgoing mails among which the last one that was accepted is looked for
_MOST_ANSWERS = 20
_AT_ITS_END = ("solved", "closed")


@dataclass(frozen=True, slots=True)
class Number:
    """How many there are, and the oldest of them: its ticket and its time."""

    number: int
    key: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """An answer that was refused, given up or bounced, and that no later one made up for."""

    key: str
    recipient: str
    writer: str
    error: str
    at: datetime


def oldest_listed(session: Session, mailboxes: Collection[str]) -> tuple[int, datetime | None]:
    """How many mails of these mailboxes, or of files, are without an outcome, and since when the oldest of them."""
    watched = or_(col(Incoming.route).in_(mailboxes), col(Incoming.folder_id).is_(None))
    row = session.execute(
        select(func.count(), func.min(col(Incoming.listed_at))).where(text("incoming.state = 'listed'"), watched)
    ).one()
    return int(row[0]), row[1]


def strays(session: Session, mailboxes: Collection[str]) -> dict[str, tuple[int, datetime]]:
    """Mails without an outcome that no configured mailbox will ever fetch: how many, since when, by mailbox."""
    route = func.coalesce(col(Incoming.route), "")  # an expression, or SQLite takes an index that begins with it
    query = select(route, func.count(), func.min(col(Incoming.listed_at))).where(
        text("incoming.state = 'listed'"), col(Incoming.folder_id).is_not(None), col(Incoming.route).not_in(mailboxes)
    )
    return {row[0]: (row[1], row[2]) for row in session.execute(query.group_by(route))}


def refused_by_all(session: Session) -> tuple[int, datetime | None]:
    """How many people's mails were put off since the last one that the server accepted, and since when.

    One full mailbox is its owner's trouble; when nobody's mail is accepted any more it is the server's.
    """
    first = select(func.max(col(Outgoing.id)) - _NEWEST).scalar_subquery()
    accepted: datetime | None = session.execute(
        select(func.max(col(Outgoing.sent_at))).where(col(Outgoing.id) > first)
    ).scalar()
    query = select(func.count(func.distinct(col(Outgoing.recipient_key))), func.min(col(Outgoing.created_at))).where(
        text("outgoing.state IN ('queued', 'deferred')"),
        col(Outgoing.state) == "deferred",
        col(Outgoing.kind) != "desk",  # one server takes all mail to staff, and may be the one in trouble
    )
    row = session.execute(query if accepted is None else query.where(col(Outgoing.created_at) > accepted)).one()
    return int(row[0]), row[1]


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


def lost_answers(session: Session) -> list[LostAnswer]:
    """The newest answer of each ticket that is not at its end, where it did not reach its reader; the latest few."""
    later = aliased(Outgoing)
    query = (
        select(Outgoing, Ticket)
        .join(Ticket, col(Ticket.id) == col(Outgoing.ticket_id))
        .where(
            text("outgoing.kind = 'staff-reply' AND outgoing.state = 'failed'"),
            or_(col(Ticket.status).not_in(_AT_ITS_END), col(Ticket.merged_into).is_not(None)),
            ~select(col(later.id))
            .where(
                col(later.ticket_id) == col(Outgoing.ticket_id),
                col(later.kind) == "staff-reply",
                col(later.id) > col(Outgoing.id),
            )
            .exists(),
            ~select(col(Message.id))
            .where(
                func.coalesce(col(Message.home_ticket_id), col(Message.ticket_id)) == col(Outgoing.ticket_id),
                col(Message.id) > col(Outgoing.message_row),
                tickets.OUTSIDE,
            )
            .exists(),
        )
        .order_by(col(Outgoing.id).desc())
        .limit(_MOST_ANSWERS)
    )
    rows = [
        (row, ticket, tickets.by_key(session, ticket.key, follow_merge=True)) for row, ticket in session.execute(query)
    ]
    return [_lost(session, row, ticket, lies_in) for row, ticket, lies_in in rows if lies_in.status not in _AT_ITS_END]


def _lost(session: Session, row: Outgoing, ticket: Ticket, lies_in: Ticket) -> LostAnswer:
    written, failed = (_newest_event(session, ticket, kind) for kind in ("staff-reply", "staff-reply failed"))
    writer, at = written.actor if written else "", failed.at if failed else row.created_at
    return LostAnswer(lies_in.key, row.recipient, writer, row.last_error, at)


def _newest_event(session: Session, ticket: Ticket, kind: str) -> Event | None:
    query = select(Event).where(col(Event.ticket_id) == ticket.id, col(Event.kind) == kind)
    event: Event | None = session.execute(query.order_by(col(Event.id).desc()).limit(1)).scalar()
    return event


def missed(session: Session, now: datetime) -> Number:
    """Unanswered tickets whose promise has passed as it was said, and the one whose promise passed first."""
    return _oldest(session, col(Ticket.promised_by), UNANSWERED, col(Ticket.promised_by) <= latest_past(now))


def slipping(session: Session, now: datetime, until: datetime) -> Number:
    """Unanswered tickets whose promise passes from now until then, and the next one."""
    promised_by = col(Ticket.promised_by)
    return _oldest(session, promised_by, UNANSWERED, promised_by > latest_past(now), promised_by <= until)


def waiting_again(session: Session) -> Number:
    """Tickets whose requester wrote again after an answer and waits, and the one that has waited longest."""
    # Nearly every ticket was answered, so the index of that would be the slowest way; these words keep off it.
    answered = text("NOT (ticket.first_response_at IS NULL)")
    return _oldest(session, col(Ticket.waiting_since), WAITING, answered)


def _oldest(session: Session, time: Any, *conditions: ColumnElement[bool] | TextClause) -> Number:
    number = session.execute(select(func.count()).select_from(Ticket).where(*conditions)).scalar()
    query = select(col(Ticket.key), time).where(*conditions).order_by(time, col(Ticket.id)).limit(1)
    first = session.execute(query).first()
    return Number(int(number or 0), *first) if first else Number(0)


def alerts_since(session: Session, to: str, since: datetime) -> int:
    """How many alerts were written to an address since then."""
    query = select(func.count()).where(
        col(Outgoing.kind) == "alert", col(Outgoing.recipient_key) == address_key(to), col(Outgoing.created_at) > since
    )
    return int(session.execute(query).scalar() or 0)


def forget(session: Session, names: Collection[str]) -> None:
    """Remove health rows of these names."""
    session.execute(delete(Health).where(col(Health.name).in_(names)))
