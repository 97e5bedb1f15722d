"""What desk mail asks and remembers: whom it reaches, what was proved, how much each got, and what waits to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, case, delete, false, func, or_, select, text, update
from sqlmodel import Session, col

from mailticket.models import Member, Message, News, Outgoing, Ticket
from mailticket.settings import PRIORITIES
from mailticket.store.chores import slips_by
from mailticket.store.desk import HELD
from mailticket.store.rows import Prepared, insert_values, table_of
from mailticket.store.tickets import WAITING

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


_NEWS = table_of(News)
_JOIN_NEWS = Prepared(
    _NEWS.insert().from_select(
        ["member", "ticket_id", "event", "at"],
        select(
            bindparam("name", type_=_NEWS.c.member.type),
            bindparam("ticket", type_=_NEWS.c.ticket_id.type),
            bindparam("what", type_=_NEWS.c.event.type),
            bindparam("now", type_=_NEWS.c.at.type),
        ).where(select(_NEWS.c.id).where(_NEWS.c.member == bindparam("name")).exists()),
    )
)


def join_news(session: Session, ticket_id: int, event: str, now: datetime, name: str) -> bool:
    """Add to what a member hears in their next gathering; False where nothing waits for one, and nothing was added."""
    return _JOIN_NEWS.change(session, name=name, ticket=ticket_id, what=event, now=now) > 0


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


def add_news(session: Session, ticket_id: int, event: str, now: datetime, name: str) -> None:
    """A member is to hear of a ticket in their next gathering."""
    insert_values(session, News, {"member": name, "ticket_id": ticket_id, "event": event, "at": now})


def slips(session: Session, until: datetime, told: str, limit: int) -> list[Ticket]:
    """Unanswered tickets whose promise ends by then and of which nobody was told. told: the column that says so."""
    query = select(Ticket).where(*slips_by(until, getattr(Ticket, told)), col(Ticket.spam) == false())
    return list(session.execute(query.order_by(col(Ticket.promised_by)).limit(limit)).scalars())


def follow_ups(session: Session, before: datetime, limit: int) -> list[Ticket]:
    """Tickets whose requester was answered, waits again since before then, and of whom nobody was told since."""
    told = or_(col(Ticket.followup_told_at).is_(None), col(Ticket.followup_told_at) < col(Ticket.waiting_since))
    query = select(Ticket).where(*_WAITS_AGAIN, col(Ticket.waiting_since) <= before, told)
    return list(session.execute(query.order_by(col(Ticket.waiting_since)).limit(limit)).scalars())


# Nearly every ticket was answered, so the index of that would be the slowest way; these words keep off it.
_WAITS_AGAIN = (WAITING, text("NOT (ticket.first_response_at IS NULL)"), col(Ticket.spam) == false())


def held_before(session: Session, before: datetime) -> list[Message]:
    """Answers that are held since before then, oldest first."""
    query = select(Message).where(HELD, col(Message.at) <= before).order_by(col(Message.id))
    return list(session.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class Piece:
    """Something new that a member has not heard of."""

    ticket: Ticket
    event: str


def who_have_news(session: Session, before: datetime) -> list[str]:
    """The members whose oldest news is from before then."""
    query = select(col(News.member)).group_by(col(News.member)).having(func.min(col(News.at)) <= before)
    return sorted(session.execute(query).scalars())


def take_news(session: Session, name: str) -> list[Piece]:
    """What a member has not heard of, the newest of each ticket, oldest first; from now on it is taken."""
    query = select(News, Ticket).join(Ticket, col(Ticket.id) == col(News.ticket_id)).where(col(News.member) == name)
    rows = [(news, ticket) for news, ticket in session.execute(query.order_by(col(News.id)))]
    if rows:
        taken = delete(News).where(col(News.member) == name, col(News.id) <= rows[-1][0].id)
        session.execute(taken)
    return list({ticket.id: Piece(ticket, news.event) for news, ticket in rows}.values())


def tickets_of(session: Session, name: str, limit: int) -> list[Ticket]:
    """The tickets of a member that wait for us, then their others that are not at their end; the pressing first."""
    query = select(Ticket).where(col(Ticket.assigned_to) == name, col(Ticket.status).in_(("new", "open", "pending")))
    order = (case((col(Ticket.waiting_for) == "us", 0), else_=1), PRESSING, col(Ticket.waiting_since), col(Ticket.id))
    return list(session.execute(query.order_by(*order).limit(limit)).scalars())


PRESSING = case({name: place for place, name in enumerate(PRIORITIES)}, value=col(Ticket.priority))


def queue(session: Session, teams: Sequence[str], limit: int) -> list[Ticket]:
    """The queue of what is nobody's, of these teams, () for any."""
    query = select(Ticket).where(WAITING, col(Ticket.assigned_to) == "", col(Ticket.spam) == false())
    if teams:
        query = query.where(col(Ticket.team).in_(teams))
    return list(
        session.execute(query.order_by(PRESSING, col(Ticket.waiting_since), col(Ticket.id)).limit(limit)).scalars()
    )


def late_for(
    session: Session, name: str, teams: Sequence[str], until: datetime, waiting_before: datetime, limit: int
) -> list[Ticket]:
    """What is a member's, or nobody's of these teams, and breaks its promise by then, or has waited again too long."""
    unowned = [col(Ticket.assigned_to) == "", *([col(Ticket.team).in_(teams)] if teams else [])]
    mine = or_(col(Ticket.assigned_to) == name, and_(*unowned))
    breaks = select(Ticket).where(*slips_by(until), col(Ticket.spam) == false(), mine)
    waits = select(Ticket).where(*_WAITS_AGAIN, col(Ticket.waiting_since) <= waiting_before, mine)
    first = session.execute(breaks.order_by(col(Ticket.promised_by)).limit(limit)).scalars()
    second = session.execute(waits.order_by(col(Ticket.waiting_since)).limit(limit)).scalars()
    return [*first, *second]


def held_of(session: Session, names: Sequence[str], limit: int) -> list[tuple[Message, Ticket]]:
    """The held answers of these members with their tickets, oldest first."""
    query = select(Message, Ticket).join(Ticket, col(Ticket.id) == col(Message.ticket_id))
    query = query.where(HELD, col(Message.by).in_(names)).order_by(col(Message.id)).limit(limit)
    return [(message, ticket) for message, ticket in session.execute(query)]


def member_locked(session: Session, name: str) -> Member:
    """The row of a member, which nobody else changes before the transaction ends."""
    member(session, name)
    query = select(Member).where(col(Member.name) == name).with_for_update()
    row: Member = session.execute(query.execution_options(populate_existing=True)).scalar_one()
    return row
