"""Requests as the record of promises counts them, streamed over the index of their arrival."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from mailticket.models import Ticket
from mailticket.promise.kept import Request

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
        )
        .where(col(Ticket.created_at) >= since)
        .order_by(col(Ticket.created_at).desc())
        .limit(limit)
    )
    for row in session.execute(query.execution_options(yield_per=_PAGE)):
        if row.merged_into is None:
            ended = row.status in ("solved", "closed")
            yield Request(row.category, row.created_at, row.promised_by, row.first_response_at, ended)
