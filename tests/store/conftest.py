"""A fresh database of each kind, with all tables, and the rows that tests begin from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailticket.mail.values import Address
from mailticket.models import Message, Outgoing, Ticket
from mailticket.store import Session, outgoing, schema, tickets
from mailticket.store.engine import Database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def empty(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def database(empty: Database) -> Database:
    """A database of this release."""
    schema.prepare(empty)
    return empty


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def new_ticket(session: Session, sender: str = "ann@example.org", at: datetime = NOON, **more: Any) -> int:
    """A ticket of a person; returns its id."""
    requester = tickets.requester_of(session, Address("", sender), "en", at)
    values: dict[str, Any] = {
        "subject": "Deposit",
        "requester_id": requester,
        "created_at": at,
        "updated_at": at,
        **more,
    }
    return tickets.add(session, Ticket(key=f"MT-{next(_numbers):04d}-TEST", **values))


def new_message(session: Session, ticket_id: int, text: str = "Hello", at: datetime = NOON) -> int:
    return tickets.add(
        session, Message(ticket_id=ticket_id, direction="in", kind="request", text=text, new_text=text, at=at)
    )


def new_outgoing(
    session: Session, ticket_id: int | None = None, due: datetime = NOON, rank: int = outgoing.ANSWER_RANK,
    **more: Any,
) -> int:  # fmt: skip
    """A mail that waits to be sent; returns its id."""
    values: dict[str, Any] = {
        "kind": "staff-reply" if rank == outgoing.STAFF_RANK else "acknowledgement",
        "envelope_from": "support@example.com",
        "recipient": "ann@example.org",
        "recipient_key": "ann@example.org",
        "recipient_domain": "example.org",
        "message_id": f"<{next(_numbers)}@example.com>",
        "wire": b"Subject: x\r\n\r\nx\r\n",
        "created_at": NOON,
        "next_attempt_at": due,
        **more,
    }
    return outgoing.add(session, Outgoing(ticket_id=ticket_id, rank=rank, **values))
