"""The processes that share a database: who lives, who holds which mailbox, and who may act no more.

Two rows fence what a host does to the world. Its mailboxes: who is about to flag or move locks the row of the holder
in the transaction that begins it, and so does who takes the mailbox over. Its claims of the outbox: each changes only
while it is still its own. Times are the database's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, or_, select, text, update
from sqlmodel import Session, col

from mailticket.errors import Fenced
from mailticket.models import Host, MailboxHolder
from mailticket.store import lock
from mailticket.store.rows import Prepared, table_of

LEASE_SECONDS = 30.0  # without a beat, after which a host counts as dead
BEAT_SECONDS = 5.0
_KEPT = {"daemon": timedelta(days=7), "round": timedelta(days=1)}  # after the last beat, for people to look at
_RECENT = 50

_OF_A_HOST = " on host "
_LIVES = (col(Host.stopped_at).is_(None), col(Host.dead_at).is_(None))
_HOLDERS = table_of(MailboxHolder)
_HOLDS = Prepared(
    select(_HOLDERS.c.since)
    .where(_HOLDERS.c.mailbox == bindparam("mailbox"), _HOLDERS.c.host_id == bindparam("host"))
    .with_for_update(read=True)
)


@dataclass(frozen=True)
class Sharing:
    """Who is there, and who has what, at one moment.

    offers: the mailboxes that each daemon would collect, by its number. holders: the host of each mailbox that one
    holds which is there. former: the host that stands in the row of a mailbox and is not there any more.
    """

    offers: dict[int, frozenset[str]]
    holders: dict[str, int]
    former: dict[str, int]


def register(
    session: Session, kind: str, name: str, pid: int, version: str, now: datetime,
    sessions: str = "", mailboxes: Sequence[str] = (),
) -> int:  # fmt: skip
    """A new host; returns its number."""
    at = shared_time(session, now)
    row = Host(
        kind=kind, name=name, pid=pid, version=version, sessions=sessions, mailboxes=list(mailboxes),
        started_at=at, beat_at=at, clock_ahead=(now - at).total_seconds(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    assert row.id is not None
    _forget(session, row.id, at)
    return row.id


def _forget(session: Session, newest: int, at: datetime) -> None:
    """Hosts that ended long ago, but never the newest row: its number would be given again."""
    for kind, kept in _KEPT.items():
        over = (col(Host.kind) == kind, col(Host.id) < newest, col(Host.beat_at) < at - kept)
        held = select(col(MailboxHolder.host_id)).where(col(MailboxHolder.host_id).is_not(None))
        ended = or_(col(Host.stopped_at).is_not(None), col(Host.dead_at).is_not(None))
        session.execute(delete(Host).where(*over, ended, col(Host.id).not_in(held)))


def beat(session: Session, host: int, now: datetime, mailboxes: Sequence[str] | None = None) -> None:
    """The host lives, and would collect these mailboxes (None: as before).

    Raises Fenced when it was given up meanwhile: it must register again.
    """
    at = shared_time(session, now)
    values = {"beat_at": at, "clock_ahead": (now - at).total_seconds()}
    more = {} if mailboxes is None else {"mailboxes": list(mailboxes)}
    living = update(Host).where(col(Host.id) == host, *_LIVES)
    if not session.execute(living.values(**values, **more)).rowcount:  # type: ignore[attr-defined]
        raise Fenced("this host was not heard from and was given up; it starts anew")


def leave(session: Session, host: int, now: datetime) -> None:
    """An orderly end: its mailboxes are free, and it is not expected any more."""
    _free(session, [host], now)
    at = shared_time(session, now)
    session.execute(update(Host).where(col(Host.id) == host).values(beat_at=at, stopped_at=at))


def living(session: Session) -> list[Host]:
    """Those that neither ended nor were given up, in order of their start."""
    return list(session.execute(select(Host).where(*_LIVES).order_by(col(Host.id))).scalars())


def others_live(session: Session, host: int) -> bool:
    """Whether this host shares the database with another just now; number 0 is of none."""
    if host == 0:
        return False
    return session.execute(select(col(Host.id)).where(*_LIVES, col(Host.id) != host).limit(1)).first() is not None


def part_of(name: str, host: int) -> str:
    """What a part of the system is called whose trouble is one host's and may be no other's."""
    return f"{name}{_OF_A_HOST}{host}"


def is_of(name: str, part: str) -> bool:
    """Whether this is what a part is called where it is one host's."""
    return name.startswith(f"{part}{_OF_A_HOST}")


def past_parts(session: Session, names: Iterable[str]) -> set[str]:
    """Those of these names that are of parts of hosts which live no more: their troubles ended with them."""
    theirs = {name for name in names if _OF_A_HOST in name}
    if not theirs:
        return theirs
    present = {str(host.id) for host in living(session)}
    return {name for name in theirs if name.rpartition(_OF_A_HOST)[2] not in present}


def recent(session: Session) -> list[Host]:
    """Those that were heard from last, the newest sign of life first."""
    return list(
        session.execute(select(Host).order_by(col(Host.beat_at).desc(), col(Host.id).desc()).limit(50)).scalars()
    )


def holdings(session: Session) -> list[tuple[str, int | None, datetime]]:
    """Each mailbox with who holds it, and since when."""
    rows = session.execute(select(MailboxHolder).order_by(col(MailboxHolder.mailbox))).scalars()
    return [(row.mailbox, row.host_id, row.since) for row in rows]


def sharing(session: Session) -> Sharing:
    """How the mailboxes are shared out just now. Who lost its lock is not there, though it may live."""
    hosts = {int(host.id or 0): host for host in living(session)}
    if session.connection().dialect.name != "sqlite":
        there = lock.present(session.connection())
        hosts = {number: host for number, host in hosts.items() if number in there}
    offers = {number: frozenset(host.mailboxes or ()) for number, host in hosts.items() if host.kind == "daemon"}
    rows = [(mailbox, host) for mailbox, host, _ in holdings(session) if host is not None]
    holders = {mailbox: host for mailbox, host in rows if host in hosts}
    return Sharing(offers, holders, {mailbox: host for mailbox, host in rows if host not in hosts})


def take(session: Session, host: int, mailbox: str, former: int | None, now: datetime) -> bool:
    """Take a mailbox that nobody holds, or that stands with a former host; False where another was quicker.

    Waits for what a former holder has begun in a transaction.
    """
    at = shared_time(session, now)
    session.execute(
        text("INSERT INTO mailbox_holder (mailbox, since) VALUES (:mailbox, :at) ON CONFLICT DO NOTHING").bindparams(
            bindparam("at", type_=_HOLDERS.c.since.type)
        ),
        {"mailbox": mailbox, "at": at},
    )
    free = or_(col(MailboxHolder.host_id).is_(None), col(MailboxHolder.host_id) == former)
    row = update(MailboxHolder).where(col(MailboxHolder.mailbox) == mailbox, free)
    return bool(session.execute(row.values(host_id=host, since=at)).rowcount)  # type: ignore[attr-defined]


def give_back(session: Session, host: int, mailbox: str, now: datetime) -> None:
    """Let another take a mailbox, if it is still ours to give."""
    row = update(MailboxHolder).where(col(MailboxHolder.mailbox) == mailbox, col(MailboxHolder.host_id) == host)
    session.execute(row.values(host_id=None, since=shared_time(session, now)))


def silent(session: Session, but: int, lease: float, now: datetime) -> list[Host]:
    """Hosts other than one that were not heard from for longer than the lease, in seconds."""
    before = shared_time(session, now) - timedelta(seconds=lease)
    hosts = select(Host).where(*_LIVES, col(Host.id) != but, col(Host.beat_at) < before)
    return list(session.execute(hosts).scalars())


def gone_from(session: Session, but: int, name: str) -> list[Host]:
    """Hosts of this machine that hold nothing any more by which the others would see them; on a SQLite file, whose
    lock we have, all others."""
    others = [host for host in living(session) if host.id != but]
    if session.connection().dialect.name == "sqlite":
        return others
    there = lock.present(session.connection())
    return [host for host in others if host.name == name and host.id not in there]


def give_up(session: Session, hosts: Sequence[int], lease: float, now: datetime) -> list[int]:
    """Declare those of these hosts dead that are still silent for longer than the lease; their mailboxes are free.

    Returns their numbers: what they had claimed is to be recovered in the same transaction.
    """
    at = shared_time(session, now)
    silent = (col(Host.id).in_(hosts), col(Host.beat_at) <= at - timedelta(seconds=lease))
    dead = update(Host).where(*_LIVES, *silent).values(dead_at=at).returning(col(Host.id))
    numbers = [int(number or 0) for number in session.execute(dead).scalars()]
    _free(session, numbers, now)
    return numbers


def cut(session: Session, host: Host) -> None:
    """End the connections of a host that is given up, so that nobody waits for what it has begun."""
    if host.sessions and session.connection().dialect.name != "sqlite":
        lock.cut_sessions(session.connection(), host.sessions)


def _free(session: Session, hosts: Sequence[int], now: datetime) -> None:
    held = update(MailboxHolder).where(col(MailboxHolder.host_id).in_(hosts))
    session.execute(held.values(host_id=None, since=shared_time(session, now)))


def end_all(session: Session, now: datetime) -> None:
    """Let no host count as running: in a restored database they are those of the backup."""
    numbers = [int(host.id or 0) for host in living(session)]
    _free(session, numbers, now)
    at = shared_time(session, now)
    session.execute(update(Host).where(col(Host.id).in_(numbers)).values(stopped_at=at))


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
