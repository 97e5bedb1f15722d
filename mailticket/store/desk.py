"""What the desk alone asks: whose mail is answered, who has seen what, which answers are held, what is next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from sqlalchemy import ColumnElement, TextClause, delete, false, func, select, text, true, update
from sqlmodel import Session, SQLModel, col

from mailticket.errors import NotFound
from mailticket.mail.address import address_key
from mailticket.models import (
    Address,
    Attachment,
    DeadMark,
    Event,
    Incoming,
    Message,
    Outgoing,
    Participant,
    Picture,
    Sight,
    Ticket,
)
from mailticket.settings import PRIORITIES
from mailticket.store.tickets import WAITING
from mailticket.text.times import latest_past

HELD = text("message.kind = 'held'")  # in the words of the partial index


def newest_mail_of(session: Session, ticket_id: int, keys: Sequence[str]) -> Message | None:
    """The latest mail on a ticket that somebody of these addresses wrote: what an answer answers."""
    query = select(Message).where(
        col(Message.ticket_id) == ticket_id, col(Message.direction) == "in", col(Message.kind).in_(("request", "reply"))
    )
    rows = session.execute(query.order_by(col(Message.id).desc())).scalars()
    return next((row for row in rows if address_key(row.from_address) in keys), None)


def undeliverable(session: Session, ticket_id: int, addresses: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Which of these addresses do not take mail, and why."""
    for address in addresses:
        key = address_key(address)
        person, participant = session.get(Address, key), session.get(Participant, (ticket_id, key))
        if person is not None and person.undeliverable_since is not None:
            yield address, person.undeliverable_why
        elif participant is not None and participant.undeliverable_why:
            yield address, participant.undeliverable_why


def mail_copies_again(session: Session, address: str) -> bool:
    """Copies may go to a participant's address again; False if nothing stopped them."""
    stopped = (col(Participant.key) == address_key(address), col(Participant.undeliverable_why) != "")
    again = session.execute(update(Participant).where(*stopped).values(undeliverable_why=""))
    return bool(again.rowcount)  # type: ignore[attr-defined]


def keys_of(session: Session, ticket_ids: Sequence[int]) -> list[str]:
    """The public IDs of tickets."""
    return list(session.execute(select(col(Ticket.key)).where(col(Ticket.id).in_(ticket_ids))).scalars())


def seen(session: Session, actor: str, ticket_id: int) -> int | None:
    """The newest message of a ticket that somebody was shown; None when they were shown nothing."""
    row = session.get(Sight, (actor, ticket_id))
    return row.message_row if row else None


def saw(session: Session, actor: str, ticket_id: int, message_row: int, now: datetime) -> None:
    """Somebody was shown a ticket up to this message."""
    row = session.get(Sight, (actor, ticket_id)) or Sight(actor=actor, ticket_id=ticket_id, message_row=0, at=now)
    row.message_row, row.at = max(row.message_row, message_row), now
    session.add(row)


def forget_sights(session: Session, ticket_id: int) -> None:
    """What anybody was shown of a ticket says nothing of messages that were moved into it."""
    session.execute(delete(Sight).where(col(Sight.ticket_id) == ticket_id))


def message_of(session: Session, outgoing_id: int) -> int:
    """The row of the conversation that an outgoing mail stands in."""
    return int(session.get_one(Outgoing, outgoing_id).message_row or 0)


def set_raw(session: Session, message_row: int, digest: str) -> None:
    """Say in which raw mail the files of a message lie."""
    session.execute(update(Message).where(col(Message.id) == message_row).values(raw_digest=digest))


def stoppable(session: Session, ticket_id: int, by: str) -> int | None:
    """The row of the newest answer of somebody on a ticket that has not begun to leave; None for none."""
    query = select(col(Outgoing.id)).join(Message, col(Message.id) == col(Outgoing.message_row)).where(
        col(Outgoing.ticket_id) == ticket_id, col(Outgoing.kind) == "staff-reply", col(Message.by) == by,
        col(Outgoing.state).in_(("queued", "deferred")),
    )  # fmt: skip
    return session.execute(query.order_by(col(Outgoing.id).desc()).limit(1)).scalar()


def withheld_acknowledgements(session: Session, ticket_id: int) -> list[int]:
    """The rows of a ticket's acknowledgements that are held back."""
    query = select(col(Outgoing.id)).where(
        col(Outgoing.ticket_id) == ticket_id, col(Outgoing.state) == "withheld",
        col(Outgoing.kind).in_(("acknowledgement", "duplicate-notice")),
    )  # fmt: skip
    return [int(number or 0) for number in session.execute(query).scalars()]


def answers_since(session: Session, by: str, since: datetime) -> int:
    """How many answers somebody has given by mail since then."""
    query = select(func.count()).select_from(Message).where(
        text("message.kind = 'staff-reply'"), col(Message.by) == by, col(Message.at) > since, col(Message.via) == "mail"
    )  # fmt: skip
    return int(session.execute(query).scalar() or 0)


def asked_since(session: Session, member: str, since: datetime) -> int:
    """How many mails asked a member since then whether a mail was theirs."""
    query = select(func.count()).select_from(Outgoing).where(
        text("outgoing.member != ''"), col(Outgoing.member) == member, col(Outgoing.created_at) > since,
        col(Outgoing.event) == "receipt-confirm",
    )  # fmt: skip
    return int(session.execute(query).scalar() or 0)


def receipts_since(session: Session, member: str, since: datetime, ticket_id: int | None = None) -> int:
    """How many receipts a member got since then, of one ticket where it is given."""
    query = select(func.count()).select_from(Outgoing).where(
        text("outgoing.member != ''"), col(Outgoing.member) == member, col(Outgoing.created_at) > since,
        col(Outgoing.event).startswith("receipt-"),
    )  # fmt: skip
    if ticket_id is not None:
        query = query.where(col(Outgoing.ticket_id) == ticket_id)
    return int(session.execute(query).scalar() or 0)


def requester_changed_since(session: Session, ticket_id: int, since: datetime) -> bool:
    """Whether staff said since then that a ticket is another's."""
    query = select(col(Event.id)).where(
        col(Event.ticket_id) == ticket_id, col(Event.kind) == "requester", col(Event.at) >= since
    )
    return session.execute(query.limit(1)).first() is not None


def kill_mark(session: Session, mac: str, now: datetime, why: str) -> bool:
    """Let a mark prove nothing any more; False if it is dead already."""
    if session.get(DeadMark, mac) is not None:
        return False
    session.add(DeadMark(mac=mac, died_at=now, why=why))
    session.flush()
    return True


def pictures_of(session: Session, member: str, digests: Collection[str]) -> frozenset[str]:
    """Which of these pictures stood in the text of earlier mails of a member; from now on all of them did."""
    query = select(col(Picture.sha256)).where(col(Picture.member) == member, col(Picture.sha256).in_(digests))
    seen = frozenset(session.execute(query).scalars())
    session.add_all(Picture(member=member, sha256=digest) for digest in set(digests) - seen)
    session.flush()
    return seen


def files_of(session: Session, ticket_id: int) -> frozenset[str]:
    """The SHA-256 of the files that a ticket has."""
    query = select(col(Attachment.sha256)).join(Message, col(Attachment.message_id) == col(Message.id))
    return frozenset(session.execute(query.where(col(Message.ticket_id) == ticket_id)).scalars())


def mailbox_of(session: Session, ticket_id: int) -> str:
    """The mailbox by which the mail came that opened a ticket; "" for none."""
    query = select(col(Incoming.route)).join(Message, col(Message.incoming_id) == col(Incoming.id))
    home = func.coalesce(col(Message.home_ticket_id), col(Message.ticket_id))
    query = query.where(col(Message.ticket_id) == ticket_id, home == ticket_id).order_by(col(Message.id)).limit(1)
    return str(session.execute(query).scalar() or "")


_NOT_TOLD = ("withheld", "cancelled", "failed")


def was_told(session: Session, ticket_id: int) -> bool:
    """Whether a letter that states the promise has left for the requester, or is about to."""
    query = select(col(Outgoing.id)).where(
        col(Outgoing.ticket_id) == ticket_id,
        col(Outgoing.kind).in_(("acknowledgement", "duplicate-notice")),
        col(Outgoing.state).not_in(_NOT_TOLD),
    )
    return session.execute(query.limit(1)).first() is not None


def held(session: Session, number: int) -> Message:
    """A held answer; NotFound if there is none of this number."""
    row: Message | None = session.get(Message, number, populate_existing=True)
    if row is None or row.kind != "held":
        raise NotFound(f"there is no held answer {number}; `mailticket ticket list --held` shows where some are")
    return row


def remove_held(session: Session, row: Message) -> None:
    """Take a held answer out of its conversation."""
    forget_receipts(session, int(row.id or 0))  # its number may be given anew
    session.execute(delete(Attachment).where(col(Attachment.message_id) == row.id))
    session.delete(row)
    session.flush()


def forget_receipts(session: Session, number: int) -> None:
    """Let the receipts that spoke of a message speak of none: an answer to them sends nothing any more."""
    about = (text("outgoing.member != '' AND outgoing.message_row IS NOT NULL"), col(Outgoing.message_row) == number)
    session.execute(update(Outgoing).where(*about).values(message_row=None))


def remove_same_held(session: Session, ticket_id: int, by: str, words: str) -> None:
    """Take out what is held of the same text by the same writer: it was sent, or is held once more."""
    query = select(Message).where(col(Message.ticket_id) == ticket_id, HELD, col(Message.by) == by)
    for row in session.execute(query).scalars().all():
        if row.text == words:
            remove_held(session, row)


def held_of(session: Session, ticket_ids: Sequence[int]) -> dict[int, int]:
    """How many answers are held on each of these tickets."""
    query = select(col(Message.ticket_id), func.count()).where(col(Message.ticket_id).in_(ticket_ids), HELD)
    return {int(row[0]): int(row[1]) for row in session.execute(query.group_by(col(Message.ticket_id)))}


def held_in_all(session: Session) -> int:
    """How many answers are held."""
    return int(session.execute(select(func.count()).select_from(Message).where(HELD)).scalar() or 0)


@dataclass(frozen=True, slots=True)
class Workload:
    """What is a member's: tickets that are not at their end, those of them past their promise, held answers, and when
    they answered last."""

    unfinished: int
    overdue: int
    held: int
    last_answer_at: datetime | None


def workload(session: Session, name: str, now: datetime) -> Workload:
    """How much one member has."""
    mine = (col(Ticket.assigned_to) == name, col(Ticket.status).in_(("new", "open", "pending")))
    late = (col(Ticket.first_response_at).is_(None), col(Ticket.promised_by) <= latest_past(now))

    def number(*conditions: ColumnElement[bool] | TextClause, table: type[SQLModel] = Ticket) -> int:
        return int(session.execute(select(func.count()).select_from(table).where(*conditions)).scalar() or 0)

    last = select(func.max(col(Message.at))).where(col(Message.by) == name, text("message.kind = 'staff-reply'"))
    at: datetime | None = session.execute(last).scalar()
    return Workload(number(*mine), number(*mine, *late), number(HELD, col(Message.by) == name, table=Message), at)


def category_was_set(session: Session, ticket_id: int, but_by: str) -> bool:
    """Whether anybody else than this actor has said what a ticket is about."""
    query = select(col(Event.id)).where(
        col(Event.ticket_id) == ticket_id, col(Event.kind) == "set", col(Event.detail).like("category %"),
        col(Event.actor) != but_by,
    )  # fmt: skip
    return session.execute(query.limit(1)).first() is not None


def next_in_queue(session: Session, people: Sequence[str], teams: Sequence[str], *, lock: bool) -> Ticket | None:
    """The first ticket of the queue that is assigned to one of these people ("" for nobody), of these teams, () for
    any.

    lock: nobody else gets it before the transaction ends; who asks meanwhile gets the one behind it.
    """
    for spam, priority in product((false(), true()), PRIORITIES):
        place = (WAITING, col(Ticket.spam) == spam, col(Ticket.priority) == priority)
        query = select(Ticket).where(*place, col(Ticket.assigned_to).in_(people))
        if teams:
            query = query.where(col(Ticket.team).in_(teams))
        query = query.order_by(col(Ticket.waiting_since), col(Ticket.id)).limit(1)
        if lock:
            query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
        ticket: Ticket | None = session.execute(query).scalar()
        if ticket is not None:
            return ticket
    return None
