"""What of closed tickets is to go, and when: the terms of [retention], and what is due by them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from mailticket.desk.faces import moment
from mailticket.settings import Settings
from mailticket.store import Session, erasing
from mailticket.store.engine import Database
from mailticket.store.erasing import Term


def terms(settings: Settings) -> list[Term]:
    """The terms that are set, in the order in which they end."""
    kept = settings.retention
    days = {"texts": kept.texts_days, "letters": kept.letters_days, "people": kept.addresses_days}
    return [Term(matter, days[matter]) for matter in erasing.MATTERS if days[matter]]


def closed_before(settings: Settings, term: Term, now: datetime) -> datetime:
    """Tickets that were closed before then are due; none that a reply still opens again."""
    return now - max(timedelta(days=term.days), timedelta(days=settings.support.grace_days))


def plan(database: Database, settings: Settings, now: datetime, within: timedelta) -> Iterator[dict[str, Any]]:
    """What is due by `now + within`, ticket by ticket, in JSON's values."""
    grace = timedelta(days=settings.support.grace_days)
    for term in terms(settings):
        for key, closed_at in erasing.planned(database, term, closed_before(settings, term, now + within)):
            yield {"id": key, "what": "addresses" if term.matter == "people" else term.matter,
                   "closed_at": moment(closed_at), "due_at": moment(term.ends(closed_at, grace))}  # fmt: skip


def soon(session: Session, settings: Settings, now: datetime) -> dict[str, Any]:
    """How many tickets have something that goes within a day, and when the first does."""
    grace, number, first = timedelta(days=settings.support.grace_days), 0, None
    for term in terms(settings):
        limit = closed_before(settings, term, now + timedelta(days=1))
        many, closed_at = erasing.number_due(session, term, limit)
        number += many
        if closed_at is not None:
            at = term.ends(closed_at, grace)
            first = min(first, at) if first else at
    return {"due_1_day": number, "first_at": moment(first)}
