"""Requests as the record of promises counts them, streamed over the index of their arrival."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import extract, or_, select, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from mailticket.models import Message, Outgoing, Ticket
from mailticket.promise.kept import Request
from mailticket.store.tickets import LOST, OUTSIDE

_PAGE = 2000


def requests(session: Session, since: datetime, limit: int | None = None) -> Iterator[Request]:
    """Tickets that arrived since then, newest first, at most `limit`; merged ones are counted where they went."""
    query = (
        select(
            col(Ticket.category),
            col(Ticket.created_at),
            col(Ticket.promised_by),
            col(Ticket.first_response_at),
            col(Ticket.status),
            col(Ticket.merged_into),
            col(Ticket.brand),
        )
        .where(col(Ticket.created_at) >= since)
        .order_by(col(Ticket.created_at).desc())
        .limit(limit)
    )
    for row in session.execute(query.execution_options(yield_per=_PAGE)):
        if row.merged_into is None:
            ended = row.status in ("solved", "closed")
            yield Request(row.category, row.created_at, row.promised_by, row.first_response_at, ended, row.brand)


def follow_ups(session: Session, since: datetime) -> list[float]:
    """Of those who wrote again after an answer since then and were answered again: how many hours each had waited.

    An answer counts when it is written; one that is known not to have arrived does not count.
    """
    earlier = aliased(Outgoing)
    outside_before = select(col(Message.id)).where(
        col(Message.ticket_id) == col(Outgoing.ticket_id), col(Message.id) < col(Outgoing.message_row), OUTSIDE
    )
    answered_before = select(col(earlier.id)).where(
        col(earlier.ticket_id) == col(Outgoing.ticket_id), col(earlier.kind) == "staff-reply",
        col(earlier.id) < col(Outgoing.id), col(earlier.state).not_in(LOST),
    )  # fmt: skip
    query = select(col(Outgoing.waited_since), col(Outgoing.created_at)).where(
        text("outgoing.kind = 'staff-reply'"), col(Outgoing.waited_since) >= since, col(Outgoing.state).not_in(LOST),
        or_(answered_before.exists(), outside_before.exists()),
    )  # fmt: skip
    before = aliased(Message)
    any_before = select(col(before.id)).where(
        col(before.ticket_id) == col(Message.ticket_id), col(before.id) < col(Message.id),
        col(before.direction) == "out", col(before.kind) == "staff-reply",
    )  # fmt: skip
    outside = select(col(Message.waited_since), col(Message.at)).where(
        OUTSIDE, col(Message.waited_since) >= since, any_before.exists()
    )
    pairs = [*session.execute(query), *session.execute(outside)]
    return [max(0.0, (answered - waited).total_seconds() / 3600) for waited, answered in pairs]


def pace(session: Session, since: datetime, limit: int) -> tuple[int, list[float]]:
    """Of the newest `limit` tickets that arrived since then, merged ones left out: to how many something was promised,
    and the hours to the first answer of those that have one, to the second."""
    wait = extract("epoch", col(Ticket.first_response_at)) - extract("epoch", col(Ticket.created_at))
    query = (
        select(col(Ticket.promised_by).is_not(None), wait, col(Ticket.merged_into))
        .where(col(Ticket.created_at) >= since)
        .order_by(col(Ticket.created_at).desc())
        .limit(limit)
    )
    rows = [(promised, wait) for promised, wait, merged_into in session.execute(query) if merged_into is None]
    waits = [max(0.0, float(wait)) / 3600 for _, wait in rows if wait is not None]
    return sum(bool(promised) for promised, _ in rows), waits
