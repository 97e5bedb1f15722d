"""Tickets, their conversation and their people: what is written of them, and how one is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, select, text, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col

from mailticket.errors import NotFound
from mailticket.mail.values import Address as MailAddress
from mailticket.mail.values import Attachment as MailAttachment
from mailticket.mail.values import address_key
from mailticket.models import Address, Attachment, Event, Message, Participant, Requester, Ticket
from mailticket.store import raws
from mailticket.store.knowledge import merged_from
from mailticket.store.rows import execute, insert_tracked, insert_values, table_of

_REQUESTERS, _ADDRESSES, _TICKETS = table_of(Requester), table_of(Address), table_of(Ticket)
_NEW_REQUESTER, _NEW_ADDRESS = _REQUESTERS.insert(), _ADDRESSES.insert()
_NEW_ATTACHMENT, _NEW_EVENT = table_of(Attachment).insert(), table_of(Event).insert()
_REQUESTER_OF = (
    select(_REQUESTERS.c.id, _REQUESTERS.c.language)
    .join(_ADDRESSES, _ADDRESSES.c.requester_id == _REQUESTERS.c.id)
    .where(_ADDRESSES.c.key == bindparam("sender"))
)
_REMEMBER_LANGUAGE = (
    _REQUESTERS.update().where(_REQUESTERS.c.id == bindparam("requester")).values(language=bindparam("language"))
)
_BEARER = select(_TICKETS.c.id).where(_TICKETS.c.key == bindparam("ticket"))
_DELIVERABLE = (
    _ADDRESSES.update()
    .where(_ADDRESSES.c.key == bindparam("sought"), _ADDRESSES.c.undeliverable_since.is_not(None))
    .values(undeliverable_since=None, undeliverable_why="")
)
_NEXT_SERIAL = (
    _TICKETS.update()
    .where(_TICKETS.c.id == bindparam("ticket"))
    .values(serial=_TICKETS.c.serial + 1)
    .returning(_TICKETS.c.serial)
)
# In the words of the partial index over the few tickets that wait, so that it can be used.
UNANSWERED = text("ticket.first_response_at IS NULL AND ticket.status IN ('new', 'open')")


def _waiting(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(_TICKETS).where(UNANSWERED, *conditions).scalar_subquery()


_AHEAD = select(
    _waiting(_TICKETS.c.priority.in_(bindparam("pressing", expanding=True))),
    _waiting(_TICKETS.c.priority == bindparam("priority"), _TICKETS.c.created_at < bindparam("arrived")),
    _waiting(
        _TICKETS.c.priority == bindparam("priority"),
        _TICKETS.c.created_at == bindparam("arrived"),
        _TICKETS.c.id < bindparam("ticket"),
    ),
)


def requester_of(session: Session, sender: MailAddress, language: str, now: datetime) -> int:
    """The id of the person behind an address, made at first sight; the newest language is remembered."""
    person = execute(session, _REQUESTER_OF, {"sender": sender.key}).first()
    if person is not None:
        if language and person.language != language:
            execute(session, _REMEMBER_LANGUAGE, {"requester": person.id, "language": language})
        return int(person.id)
    addition = execute(session, _NEW_REQUESTER, {"name": sender.name, "language": language, "created_at": now})
    number: int = addition.inserted_primary_key[0]
    execute(session, _NEW_ADDRESS, {"key": sender.key, "address": sender.address, "requester_id": number})
    return number


def unused_key(session: Session, make: Callable[[], str]) -> str:
    """A fresh ticket ID that no ticket bears."""
    while True:
        key = make()
        if execute(session, _BEARER, {"ticket": key}).first() is None:
            return key


def by_key(session: Session, key: str, *, follow_merge: bool = False, lock: bool = False) -> Ticket:
    """The ticket with this written ID; NotFound if there is none.

    follow_merge: the one that merges led to. lock: nobody else changes it before the transaction ends.
    """
    ticket = _one(session, col(Ticket.key) == key, lock)
    if ticket is None:
        raise NotFound(f"there is no ticket {key}; `mailticket ticket list` shows them all")
    while follow_merge and ticket.merged_into is not None:
        ticket = _one(session, col(Ticket.id) == ticket.merged_into, lock) or ticket
    return ticket


def _one(session: Session, condition: ColumnElement[bool], lock: bool) -> Ticket | None:
    """A ticket; a locked one as it is at the moment of the lock, whatever the session read of it before."""
    query = select(Ticket).where(condition)
    if lock:
        session.flush()  # or what waits to be written would be read over
        query = query.with_for_update().execution_options(populate_existing=True)
    ticket: Ticket | None = session.execute(query).scalar()
    return ticket


def add(session: Session, row: Ticket) -> int:
    """Write a new ticket now; returns its id. What is changed in it afterwards is written too."""
    return insert_tracked(session, row)


def add_message(session: Session, **values: Any) -> int:
    """Write a message of these columns now, the others by their defaults; returns its id."""
    return insert_values(session, Message, values)


def add_participant(session: Session, row: Participant) -> None:
    session.add(row)
    session.flush()


def add_attachments(session: Session, message_row: int, attachments: Sequence[MailAttachment]) -> None:
    rows = [
        {"message_id": message_row, "part": a.part, "name": a.name, "type": a.type, "size": a.size,
         "sha256": a.sha256, "inline": a.inline}
        for a in attachments
    ]  # fmt: skip
    if rows:
        session.connection().execute(_NEW_ATTACHMENT, rows)


def add_event(
    session: Session, ticket_id: int, now: datetime, kind: str, detail: str = "", actor: str = "mailticket"
) -> None:
    values = {"ticket_id": ticket_id, "at": now, "kind": kind, "actor": actor, "detail": detail}
    execute(session, _NEW_EVENT, values)


def next_serial(session: Session, ticket: Ticket) -> int:
    """The number of the ticket's next outgoing mail: it makes our Message-IDs unique."""
    serial = int(execute(session, _NEXT_SERIAL, {"ticket": ticket.id}).scalar_one())
    set_committed_value(ticket, "serial", serial)
    return serial


def set_first_response(session: Session, ticket_id: int, at: datetime) -> None:
    """The first answer of a person was accepted for delivery: the promise is kept or missed by this moment."""
    first = update(Ticket).where(col(Ticket.id) == ticket_id, col(Ticket.first_response_at).is_(None))
    session.execute(first.values(first_response_at=at))


def conversation(session: Session, ticket_id: int) -> list[Message]:
    """The messages of a ticket in the order in which they were written here; the clocks of servers differ."""
    query = select(Message).where(col(Message.ticket_id) == ticket_id).order_by(col(Message.id))
    return list(session.execute(query).scalars())


def attachments_of(session: Session, message_rows: Iterable[int]) -> dict[int, list[Attachment]]:
    attachments: dict[int, list[Attachment]] = {}
    query = select(Attachment).where(col(Attachment.message_id).in_(list(message_rows))).order_by(col(Attachment.id))
    for row in session.execute(query).scalars():
        attachments.setdefault(row.message_id, []).append(row)
    return attachments


def attachment_source(session: Session, number: int) -> tuple[Attachment, bytes | None]:
    """An attachment and the raw mail it lies in; None for the bytes when retention has removed them."""
    row: Attachment | None = session.get(Attachment, number)
    if row is None:
        raise NotFound(f"there is no attachment number {number}; `mailticket ticket show` gives the numbers")
    digest = session.get_one(Message, row.message_id).raw_digest
    return row, raws.get(session, digest) if digest else None


def by_id(session: Session, ticket_id: int) -> Ticket:
    return session.get_one(Ticket, ticket_id)


def message_text(session: Session, message_row: int | None) -> str:
    """The text of a message; "" for none."""
    row = session.get(Message, message_row) if message_row else None
    return row.text if row else ""


def events(session: Session, ticket_id: int) -> list[Event]:
    query = select(Event).where(col(Event.ticket_id) == ticket_id).order_by(col(Event.id))
    return list(session.execute(query).scalars())


def participants(session: Session, ticket_id: int) -> list[Participant]:
    query = select(Participant).where(col(Participant.ticket_id) == ticket_id).order_by(col(Participant.added_at))
    return list(session.execute(query).scalars())


def name_of(session: Session, requester_id: int | None) -> str:
    """How a requester calls themselves; "" for none."""
    person = session.get(Requester, requester_id) if requester_id else None
    return person.name if person else ""


def addresses_of(session: Session, requester_id: int | None) -> list[Address]:
    query = select(Address).where(col(Address.requester_id) == requester_id).order_by(col(Address.key))
    return list(session.execute(query).scalars())


def linked_by(session: Session, ticket_id: int) -> list[str]:
    """The keys of the tickets that are linked to this one, oldest first."""
    query = select(col(Ticket.key)).where(col(Ticket.linked_to) == ticket_id).order_by(col(Ticket.id))
    return list(session.execute(query).scalars())


def newest_incoming(session: Session, ticket_id: int) -> Message | None:
    """The requester's latest mail: what a staff reply answers."""
    query = select(Message).where(
        col(Message.ticket_id) == ticket_id, col(Message.direction) == "in", col(Message.kind).in_(("request", "reply"))
    )
    row: Message | None = session.execute(query.order_by(col(Message.id).desc()).limit(1)).scalar()
    return row


def position(session: Session, ticket: Ticket) -> int | None:
    """The place in the queue, 1 for the next to be answered; None once answered or no longer waiting.

    First come, first served within a priority; the more pressing priorities go before.
    """
    if ticket.first_response_at is not None or ticket.status not in ("new", "open") or ticket.merged_into:
        return None
    ahead = ahead_of(session, ticket.priority, ticket.created_at, ticket.id)
    return ahead + 1


def ahead_of(session: Session, priority: str, created_at: datetime, ticket_id: int | None) -> int:
    """How many unanswered tickets are served before one of this priority and time of arrival."""
    ranks = ("urgent", "high", "normal", "low")
    values = {
        "pressing": ranks[: ranks.index(priority)],
        "priority": priority,
        "arrived": created_at,
        "ticket": ticket_id if ticket_id is not None else 2**62,
    }
    return sum(execute(session, _AHEAD, values).one())


def set_undeliverable(session: Session, address: str, now: datetime, why: str) -> None:
    """Stop automatic mail to an address whose mail bounced for good."""
    values = {"undeliverable_since": now, "undeliverable_why": why[:500]}
    session.execute(update(Address).where(col(Address.key) == address_key(address)).values(**values))


def set_deliverable(session: Session, address: str) -> bool:
    """Somebody verified wrote from the address, or staff said so: mail may go there. False if nothing stopped it."""
    return bool(execute(session, _DELIVERABLE, {"sought": address_key(address)}).rowcount)


def move_messages(session: Session, source: int, target: int) -> int:
    """Put the messages of one ticket into another, remembering where they lay; returns how many."""
    own = (col(Message.ticket_id) == source, col(Message.home_ticket_id).is_(None))
    session.execute(update(Message).where(*own).values(home_ticket_id=source))
    moved = session.execute(update(Message).where(col(Message.ticket_id) == source).values(ticket_id=target))
    return int(moved.rowcount)  # type: ignore[attr-defined]


def bring_back_messages(session: Session, home: int, away: int) -> int:
    """Undo `move_messages` for a ticket that merges had brought into `away`, and whose merge is undone already: the
    messages that lay in it first, or in those merged into it before, and what their requesters wrote since. Returns how
    many."""
    inner = merged_from(session, home)
    theirs = _addresses(session, [home, *inner]) - _addresses(session, [away, *merged_from(session, away)])
    kept = update(Message).where(col(Message.home_ticket_id).in_(inner)).values(ticket_id=home)
    own = update(Message).where(col(Message.home_ticket_id) == home).values(ticket_id=home, home_ticket_id=None)
    since = (
        col(Message.ticket_id) == away, col(Message.kind) == "reply", func.lower(col(Message.from_address)).in_(theirs)
    )  # fmt: skip
    replies = update(Message).where(*since).values(ticket_id=home, home_ticket_id=None)
    moved = 0
    for back in (kept, own, replies):
        moved += session.execute(back).rowcount  # type: ignore[attr-defined]
    return moved


def _addresses(session: Session, ticket_ids: Sequence[int]) -> set[str]:
    """Of the requesters of some tickets."""
    people = select(col(Ticket.requester_id)).where(col(Ticket.id).in_(ticket_ids))
    return set(session.execute(select(col(Address.key)).where(col(Address.requester_id).in_(people))).scalars())


def restore_arrival(session: Session, ticket_id: int) -> None:
    """Let a ticket have come when the first came of the mails in it that opened one; a reply gives no place."""
    openings = (col(Message.ticket_id) == ticket_id, col(Message.kind).in_(("request", "automatic")))
    query = select(func.min(col(Message.at))).where(*openings)
    first = session.execute(query).scalar()
    if first is not None:
        session.execute(update(Ticket).where(col(Ticket.id) == ticket_id).values(created_at=first))


def point_duplicates(session: Session, source: int, target: int) -> None:
    """What seemed to repeat a merged ticket seems to repeat the one that it was merged into."""
    others = (col(Ticket.duplicate_of) == source, col(Ticket.id) != target)
    session.execute(update(Ticket).where(*others).values(duplicate_of=target))


def link_addresses(session: Session, one: MailAddress, other: MailAddress) -> None:
    """Let two addresses belong to one requester: the tickets of both become that person's."""
    first, second = session.get(Address, one.key), session.get(Address, other.key)
    if first is None:
        raise NotFound(f"nobody has written from {one.address} yet")
    if second is None:
        session.add(Address(key=other.key, address=other.address, requester_id=first.requester_id))
        return
    gone = second.requester_id
    if gone != first.requester_id:
        session.execute(update(Ticket).where(col(Ticket.requester_id) == gone).values(requester_id=first.requester_id))
        session.execute(
            update(Address).where(col(Address.requester_id) == gone).values(requester_id=first.requester_id)
        )
