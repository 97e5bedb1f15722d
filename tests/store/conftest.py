"""A fresh database of each kind, with all tables, and the rows that tests begin from."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mailticket.mail.address import Address
from mailticket.store import Session, outgoing, schema, tickets
from mailticket.store.engine import Database
from mailticket.store.incoming import Account
from tests.servers.machine import until
from tests.servers.postgres import Postgres

ACCOUNT = Account("imap.example.com", "support@example.com", "INBOX")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_numbers = itertools.count(1)


KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def ready_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to be copied: making them takes longer than most tests."""
    file = tmp_path_factory.mktemp("store") / "ready.db"
    _prepare(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def ready_url(postgres_server: Postgres) -> str:
    """The same on PostgreSQL."""
    url = postgres_server.database()
    _prepare(url)
    return url


def _prepare(url: str) -> None:
    database = Database(url)
    schema.prepare(database)
    database.close()


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    postgres = request.param == "postgres"
    database = Database(request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path}/store.db")
    yield database
    database.close()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of this release."""
    if request.param == "sqlite":
        file = tmp_path / "store.db"
        shutil.copy(request.getfixturevalue("ready_file"), file)
        database = Database(f"sqlite:///{file}")
        yield database
        database.close()
        return
    yield request.getfixturevalue("postgres_database")


@pytest.fixture
def postgres_database(postgres_server: Postgres, ready_url: str) -> Iterator[Database]:
    """The same, on PostgreSQL only."""
    url = postgres_server.database(ready_url)
    database = Database(url)
    yield database
    database.close()
    postgres_server.drop(url)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def new_ticket(session: Session, sender: str = "ann@example.org", at: datetime = NOON, **more: Any) -> int:
    """A ticket of a person; returns its id."""
    requester = tickets.requester_of(session, Address("", sender), "en", at)
    waiting = {"waiting_for": "us", "waiting_since": at} if more.get("status", "new") in ("new", "open") else {}
    values: dict[str, Any] = {
        "subject": "Deposit",
        "requester_id": requester,
        "created_at": at,
        "updated_at": at,
        **waiting,
        **more,
    }
    return int(tickets.add(session, key=f"MT-{next(_numbers):04d}-TEST", **values).id or 0)


def new_message(session: Session, ticket_id: int, text: str = "Hello", at: datetime = NOON) -> int:
    return tickets.add_message(
        session, ticket_id=ticket_id, direction="in", kind="request", text=text, new_text=text, at=at
    )


def new_outgoing(
    session: Session, ticket_id: int | None = None, due: datetime = NOON, rank: int = outgoing.LETTER_RANK,
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
    return outgoing.add(session, ticket_id=ticket_id, rank=rank, **values)


def wait_for_locks(database: Database, number: int, unless: Callable[[], bool] = lambda: False) -> None:
    """Until so many transactions of a PostgreSQL database wait for one another, or something has happened meanwhile."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )

    def wait() -> bool:
        with database.engine.connect() as connection:
            return unless() or bool(connection.execute(waiting).scalar() == number)

    until(wait, f"{number} transactions to wait for a lock")
