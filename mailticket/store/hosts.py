"""The processes that share a database: who lives, who holds which mailbox, and who may act no more.

Two rows fence what a host does to the world. Its mailboxes: who is about to flag or move locks the row of the holder
in the transaction that begins it, and so does who takes the mailbox over. Its claims of the outbox: each changes only
while it is still its own. Times are the database's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlmodel import Session, col

from mailticket.errors import Fenced
from mailticket.models import Host, MailboxHolder
from mailticket.store.rows import Prepared, table_of

LEASE_SECONDS = 30.0  # without a beat, after which a host counts as dead
BEAT_SECONDS = 5.0

_OF_A_HOST = " on host "
_LIVES = (col(Host.stopped_at).is_(None), col(Host.dead_at).is_(None))
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


def living(session: Session) -> list[Host]:
    """Those that neither ended nor were given up, in order of their start."""
    return list(session.execute(select(Host).where(*_LIVES).order_by(col(Host.id))).scalars())


def others_live(session: Session, host: int) -> bool:
    """Whether this host shares the database with another just now."""
    return session.execute(select(col(Host.id)).where(*_LIVES, col(Host.id) != host).limit(1)).first() is not None


def part_of(name: str, host: int) -> str:
    """What a part of the system is called whose trouble is one host's and may be no other's."""
    return f"{name}{_OF_A_HOST}{host}"


def past_parts(session: Session, names: Iterable[str]) -> set[str]:
    """Those of these names that are of parts of hosts which live no more: their troubles ended with them."""
    theirs = {name for name in names if _OF_A_HOST in name}
    if not theirs:
        return theirs
    present = {str(host.id) for host in living(session)}
    return {name for name in theirs if name.rpartition(_OF_A_HOST)[2] not in present}


def must_hold(session: Session, host: int, mailbox: str) -> None:
    """Raises Fenced unless the host holds the mailbox; nobody takes it over before the transaction ends.

    A SQLite file has one host, and number 0 is of a process that no host watches: both hold everything.
    """
    if host == 0 or session.connection().dialect.name == "sqlite":
        return
    if _HOLDS.first(session, host=host, mailbox=mailbox) is None:
        raise Fenced(f"mailbox {mailbox} is held by another host now")


def shared_time(session: Session, now: datetime) -> datetime:
    """A time that all who share the database agree on; a SQLite file has one host, whose own time is as good."""
    if session.connection().dialect.name == "sqlite":
        return now
    time: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return time
