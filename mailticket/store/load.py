"""The load as the forecast wants it: who waits, and how long recent requests waited."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from mailticket.models import Ticket
from mailticket.promise.load import ANSWER_DAYS, ANSWERS, Answered, LoadSnapshot


def snapshot(session: Session, now: datetime) -> LoadSnapshot:
    """All unanswered tickets and the newest first answers, from two indexes."""
    waiting: dict[str, list[datetime]] = {}
    query = select(col(Ticket.priority), col(Ticket.created_at)).where(
        col(Ticket.first_response_at).is_(None), col(Ticket.status).in_(("new", "open"))
    )
    for priority, created_at in session.execute(query.order_by(col(Ticket.priority), col(Ticket.created_at))):
        waiting.setdefault(priority, []).append(created_at)
    recent = (
        select(col(Ticket.created_at), col(Ticket.first_response_at), col(Ticket.priority))
        .where(col(Ticket.first_response_at) > now - timedelta(days=ANSWER_DAYS))
        .order_by(col(Ticket.first_response_at).desc())
        .limit(ANSWERS)
    )
    answered = tuple(Answered(*row) for row in session.execute(recent))
    return LoadSnapshot({priority: tuple(times) for priority, times in waiting.items()}, answered)
