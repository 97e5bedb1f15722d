"""The processes that share a database: who lives, who holds which mailbox, and who may act no more.

Two rows fence what a host does to the world. Its mailboxes: who is about to flag or move locks the row of the holder
in the transaction that begins it, and so does who takes the mailbox over. Its claims of the outbox: each changes only
while it is still its own. Times are the database's.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlmodel import Session, col

from mailticket.errors import Fenced
from mailticket.models import Host, MailboxHolder
from mailticket.store.rows import Prepared, table_of

LEASE_SECONDS = 30.0  # without a beat, after which a host counts as dead
BEAT_SECONDS = 5.0

_HOLDERS = table_of(MailboxHolder)
_HOLDS = Prepared(
    select(_HOLDERS.c.since)
    .where(_HOLDERS.c.mailbox == bindparam("mailbox"), _HOLDERS.c.host_id == bindparam("host"))
    .with_for_update(read=True)
)


def register(session: Session, kind: str, name: str, pid: int, version: str, now: datetime) -> int:
    """A new host; returns its number."""
    at = shared_time(session, now)
    row = Host(kind=kind, name=name, pid=pid, version=version, started_at=at, beat_at=at)
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def beat(session: Session, host: int, now: datetime) -> None:
    """The host lives. Raises Fenced when it was given up meanwhile: it must register again."""
    at = shared_time(session, now)
    living = update(Host).where(col(Host.id) == host, col(Host.dead_at).is_(None))
    ahead = (now - at).total_seconds()
    if not session.execute(living.values(beat_at=at, clock_ahead=ahead)).rowcount:  # type: ignore[attr-defined]
        raise Fenced("this host was not heard from and was given up; it starts anew")


def must_hold(session: Session, host: int, mailbox: str) -> None:
    """Raises Fenced unless the host holds the mailbox; nobody takes it over before the transaction ends."""
    if _HOLDS.first(session, host=host, mailbox=mailbox) is None:
        raise Fenced(f"mailbox {mailbox} is held by another host now")


def shared_time(session: Session, now: datetime) -> datetime:
    """A time that all who share the database agree on; a SQLite file has one host, whose own time is as good."""
    if session.connection().dialect.name == "sqlite":
        return now
    time: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return time
