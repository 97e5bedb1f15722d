"""What desk mail asks and remembers: whom it reaches, what was proved, how much each got, and what waits to be told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, func, select, text, update
from sqlmodel import Session, col

from mailticket.models import Member, Message, News, Outgoing
from mailticket.store.rows import Prepared, insert_many, table_of

KIND = "desk"
RECEIPT = "receipt-"  # begins the event of a receipt, which is no news and counts towards no cap

_OUTGOING, _MEMBERS, _MESSAGES = table_of(Outgoing), table_of(Member), table_of(Message)
_MEMBER_ROWS = Prepared(select(_MEMBERS.c.name, _MEMBERS.c.unreachable_since))
_TOLD_SINCE = Prepared(
    select(func.count())
    .select_from(_OUTGOING)
    .where(
        text("outgoing.member != ''"),
        _OUTGOING.c.member == bindparam("member"),
        _OUTGOING.c.created_at > bindparam("since"),
        text(f"outgoing.event NOT LIKE '{RECEIPT}%'"),
    )
)
_NEWEST_ON = Prepared(
    select(_OUTGOING.c.message_id)
    .where(_OUTGOING.c.ticket_id == bindparam("ticket"), _OUTGOING.c.member == bindparam("member"))
    .order_by(_OUTGOING.c.id.desc())
    .limit(1)
)
_NEWEST_MESSAGE = Prepared(select(func.max(_MESSAGES.c.id)).where(_MESSAGES.c.ticket_id == bindparam("ticket")))


def unreachable(session: Session) -> frozenset[str]:
    """The members to whom desk mail bounces."""
    return frozenset(row.name for row in _MEMBER_ROWS.all(session) if row.unreachable_since is not None)


def told_since(session: Session, member: str, since: datetime) -> int:
    """How many desk mails a member got since then, receipts aside."""
    return int(_TOLD_SINCE.scalar(session, member=member, since=since))


def was_told(session: Session, row: Outgoing, name: str) -> bool:
    """Whether another member was told the same at the same moment."""
    same = select(col(Outgoing.id)).where(
        col(Outgoing.ticket_id) == row.ticket_id,
        col(Outgoing.member) == name,
        col(Outgoing.event) == row.event,
        col(Outgoing.created_at) == row.created_at,
    )
    return row.ticket_id is not None and session.execute(same.limit(1)).first() is not None


def newest_on(session: Session, ticket_id: int, member: str) -> str:
    """The Message-ID of the last desk mail of a ticket to a member; "" for none."""
    return str(_NEWEST_ON.scalar(session, ticket=ticket_id, member=member) or "")


def newest_message(session: Session, ticket_id: int) -> int | None:
    """The newest message of a ticket."""
    number = _NEWEST_MESSAGE.scalar(session, ticket=ticket_id)
    return None if number is None else int(number)


def members(session: Session) -> dict[str, Member]:
    """What is known of each member beside the configuration, of those of whom anything is."""
    return {row.name: row for row in session.execute(select(Member)).scalars()}


def member(session: Session, name: str) -> Member:
    """The row of a member, made at first need."""
    row: Member | None = session.get(Member, name)
    if row is None:
        row = Member(name=name)
        session.add(row)
        session.flush()
    return row


def reachable(session: Session, name: str, now: datetime) -> bool:
    """A mail of a member came: desk mail goes to them again. Returns whether it had not."""
    lost = (col(Member.name) == name, col(Member.unreachable_since).is_not(None))
    again = session.execute(update(Member).where(*lost).values(unreachable_since=None, unreachable_why=""))
    return bool(again.rowcount)  # type: ignore[attr-defined]


def lost(session: Session, name: str, now: datetime, why: str) -> bool:
    """Desk mail to a member does not arrive. Returns whether that is new."""
    row = member(session, name)
    if row.unreachable_since is not None:
        return False
    row.unreachable_since, row.unreachable_why = now, why[:500]
    session.add(row)
    session.flush()
    return True


def proved(session: Session, name: str, proof: str, now: datetime) -> None:
    """A mail of a member was believed, and why."""
    row = member(session, name)
    row.last_proof, row.last_proof_at = proof, now
    session.add(row)
    session.flush()


def revoke(session: Session, name: str, now: datetime) -> None:
    """Every mark that a member was given until now is worth nothing."""
    row = member(session, name)
    row.revoked_at = now
    session.add(row)
    session.flush()


def add_news(session: Session, ticket_id: int, event: str, now: datetime, names: Iterable[str]) -> None:
    """Members are to hear of a ticket in their next gathering."""
    rows = [{"member": name, "ticket_id": ticket_id, "event": event, "at": now} for name in names]
    if rows:
        insert_many(session, News, rows)
