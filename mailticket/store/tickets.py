"""Tickets, their conversation and their people: what is written of them, and how one is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    bindparam,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col

from mailticket.errors import NotFound
from mailticket.mail.address import Address as MailAddress
from mailticket.mail.address import address_key
from mailticket.models import Address, Attachment, Event, Message, Outgoing, Participant, Requester, Ticket
from mailticket.store import raws, search
from mailticket.store.rows import Prepared, insert_tracked, insert_values, table_of

if TYPE_CHECKING:  # the values of a mail that is read: who only shows tickets reads none
    from mailticket.mail.values import Attachment as MailAttachment

_REQUESTERS, _ADDRESSES, _TICKETS = table_of(Requester), table_of(Address), table_of(Ticket)
_NEW_ADDRESS = Prepared(_ADDRESSES.insert(), ("key", "address", "requester_id"))
_SENDERS = _ADDRESSES.alias("sender")
_PERSON_OF = Prepared(
    select(_REQUESTERS.c.id, _REQUESTERS.c.language, _REQUESTERS.c.name, _ADDRESSES.c.address)
    .join(_SENDERS, _SENDERS.c.requester_id == _REQUESTERS.c.id)
    .join(_ADDRESSES, _ADDRESSES.c.requester_id == _REQUESTERS.c.id)
    .where(_SENDERS.c.key == bindparam("sender"))
)
_REMEMBER_LANGUAGE = Prepared(
    _REQUESTERS.update().where(_REQUESTERS.c.id == bindparam("requester")).values(language=bindparam("language"))
)
_BEARER = Prepared(select(_TICKETS.c.id, _TICKETS.c.merged_into).where(_TICKETS.c.key == bindparam("ticket")))
_NEXT_BEARER = Prepared(select(_TICKETS.c.id, _TICKETS.c.merged_into).where(_TICKETS.c.id == bindparam("ticket")))
_DELIVERABLE = Prepared(
    _ADDRESSES.update()
    .where(_ADDRESSES.c.key == bindparam("sought"), _ADDRESSES.c.undeliverable_since.is_not(None))
    .values(undeliverable_since=None, undeliverable_why="")
)
_MERGED_INTO = Prepared(
    select(_TICKETS.c.id, _TICKETS.c.requester_id).where(_TICKETS.c.merged_into == bindparam("ticket"))
)
_NEXT_SERIAL = Prepared(
    _TICKETS.update()
    .where(_TICKETS.c.id == bindparam("ticket"))
    .values(serial=_TICKETS.c.serial + 1)
    .returning(_TICKETS.c.serial)
)
_UNKNOWN = "there is no ticket {key}; `mailticket ticket list` shows them all"
# In the words of the partial index over the few tickets that wait, so that it can be used.
UNANSWERED = text("ticket.first_response_at IS NULL AND ticket.status IN ('new', 'open')")
WAITING = text("ticket.waiting_for = 'us'")
LOST = ("failed", "cancelled")  # states of an answer that its reader will never see


def _waiting(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(_TICKETS).where(WAITING, *conditions).scalar_subquery()


def _ahead(pressing: Sequence[str], spam: bool) -> Prepared:
    """Who goes before a ticket: all of the more pressing priorities, of its own who waits longer; and before spam all
    that is none."""
    kin = _TICKETS.c.spam == (true() if spam else false())
    mine = kin & (_TICKETS.c.priority == bindparam("priority"))
    return Prepared(
        select(
            _waiting(kin, _TICKETS.c.priority.in_([literal(rank) for rank in pressing])) if pressing else literal(0),
            _waiting(mine, _TICKETS.c.waiting_since < bindparam("since")),
            _waiting(mine, _TICKETS.c.waiting_since == bindparam("since"), _TICKETS.c.id < bindparam("ticket")),
            _waiting(_TICKETS.c.spam == false()) if spam else literal(0),
        )
    )


_RANKS = ("urgent", "high", "normal", "low")
_AHEAD = {(rank, spam): _ahead(_RANKS[:place], spam) for place, rank in enumerate(_RANKS) for spam in (False, True)}


@dataclass(frozen=True, slots=True)
class Person:
    """A requester. words: the name and all addresses."""

    id: int
    words: tuple[str, ...]


def person_of(session: Session, sender: MailAddress, language: str, now: datetime) -> Person:
    """The person behind an address, made at first sight; the newest language is remembered."""
    rows = _PERSON_OF.all(session, sender=sender.key)
    if rows:
        person = rows[0]
        if language and person.language != language:
            _REMEMBER_LANGUAGE.change(session, requester=person.id, language=language)
        return Person(int(person.id), (person.name, *(row.address for row in rows)))
    number = insert_values(session, Requester, {"name": sender.name, "language": language, "created_at": now})
    _NEW_ADDRESS.change(session, key=sender.key, address=sender.address, requester_id=number)
    return Person(number, (sender.name, sender.address))


def requester_of(session: Session, sender: MailAddress, language: str, now: datetime) -> int:
    """The id of the person behind an address, as `person_of` knows them."""
    return person_of(session, sender, language, now).id


def unused_key(session: Session, make: Callable[[], str]) -> str:
    """A fresh ticket ID that no ticket bears."""
    while True:
        key = make()
        if _BEARER.first(session, ticket=key) is None:
            return key


def by_key(session: Session, key: str, *, follow_merge: bool = False, lock: bool = False) -> Ticket:
    """The ticket with this written ID; NotFound if there is none.

    follow_merge: the one that merges led to. lock: nobody else changes it before the transaction ends.
    """
    ticket = _one(session, col(Ticket.key) == key, lock)
    if ticket is None:
        raise NotFound(_UNKNOWN.format(key=key))
    return _followed(session, ticket, lock) if follow_merge else ticket


def id_of(session: Session, key: str) -> int:
    """The row number of the ticket with this written ID, or that merges led to from it; NotFound if there is none."""
    row = _BEARER.first(session, ticket=key)
    while row is not None and row.merged_into is not None:
        row = _NEXT_BEARER.first(session, ticket=row.merged_into)
    if row is None:
        raise NotFound(_UNKNOWN.format(key=key))
    return int(row.id)


def merged_from(session: Session, ticket_id: int) -> list[tuple[int, int | None]]:
    """The tickets that were merged into this one, directly or through others, each with its requester."""
    sources: dict[int, int | None] = {}
    newest = [ticket_id]
    while newest:
        rows = [row for number in newest for row in _MERGED_INTO.all(session, ticket=number)]
        newest = [row.id for row in rows if row.id not in sources]
        sources |= {row.id: row.requester_id for row in rows}
    return list(sources.items())


def led_to(session: Session, ticket_id: int) -> Ticket:
    """The ticket to which merges led from this one, locked like those between; itself when it was never merged."""
    return _followed(session, _one(session, col(Ticket.id) == ticket_id, lock=True), lock=True)


def _followed(session: Session, ticket: Ticket | None, lock: bool) -> Ticket:
    while ticket is not None and ticket.merged_into is not None:
        ticket = _one(session, col(Ticket.id) == ticket.merged_into, lock)
    if ticket is None:
        raise LookupError("a merge led to no ticket")
    return ticket


def _one(session: Session, condition: ColumnElement[bool], lock: bool) -> Ticket | None:
    """A ticket; a locked one as it is at the moment of the lock, whatever the session read of it before."""
    query = select(Ticket).where(condition)
    if lock:
        session.flush()  # or what waits to be written would be read over
        query = query.with_for_update().execution_options(populate_existing=True)
    ticket: Ticket | None = session.execute(query).scalar()
    return ticket


def add(session: Session, **values: Any) -> Ticket:
    """Write a new ticket of these columns now, the others by their defaults; returns its row, whose changes are written
    too."""
    return insert_tracked(session, Ticket, values)


def add_message(
    session: Session, *, attachments: Sequence[MailAttachment] = (), also: Iterable[str] = (), **values: Any
) -> int:
    """Write a message of these columns now, the others by their defaults, with its attachments; returns its id.

    From now on its ticket is found by its words. also: what came with it by which the ticket is to be found too.
    """
    message_row = insert_values(session, Message, values)
    add_attachments(session, message_row, attachments)
    texts = search.message_texts(values, [attachment.name for attachment in attachments])
    search.add(session, values["ticket_id"], also, texts)
    return message_row


def add_participant(session: Session, row: Participant) -> None:
    session.add(row)
    session.flush()
    search.add(session, row.ticket_id, [row.address])


def add_attachments(
    session: Session, message_row: int, attachments: Sequence[MailAttachment], found_on: int | None = None
) -> None:
    """Write the files of a message. found_on: the ticket that is found by their names from now on."""
    for file in attachments:
        insert_values(session, Attachment, {"message_id": message_row, **asdict(file)})
    if attachments and found_on is not None:
        search.add(session, found_on, [attachment.name for attachment in attachments])


def take_out_mail(session: Session, incoming_id: int) -> None:
    """Take what a mail brought out of the conversation in which it stands: it was no requester's."""
    query = select(Message).where(col(Message.incoming_id) == incoming_id, col(Message.direction) != "out")
    for row in session.execute(query).scalars().all():
        with search.following(session, [row.ticket_id]):
            session.execute(delete(Attachment).where(col(Attachment.message_id) == row.id))
            session.delete(row)


def add_event(
    session: Session, ticket_id: int, now: datetime, kind: str, detail: str = "", actor: str = "mailticket"
) -> None:
    values = {"ticket_id": ticket_id, "at": now, "kind": kind, "actor": actor, "detail": detail}
    insert_values(session, Event, values)


def next_serial(session: Session, ticket: Ticket) -> int:
    """The number of the ticket's next outgoing mail: it makes our Message-IDs unique."""
    serial = int(_NEXT_SERIAL.scalar(session, ticket=ticket.id))
    set_committed_value(ticket, "serial", serial)
    return serial


def set_first_response(session: Session, ticket_id: int, at: datetime) -> None:
    """An answer of a person was accepted for delivery: the promise is kept or missed by the moment of the first, of
    which we may hear after a later one."""
    first = update(Ticket).where(
        col(Ticket.id) == ticket_id, or_(col(Ticket.first_response_at).is_(None), col(Ticket.first_response_at) > at)
    )
    session.execute(first.values(first_response_at=at))


def wait_for_us(ticket: Ticket, since: datetime) -> None:
    """A mail of the requester has no answer: the ticket waits since the oldest such mail, and writing again moves
    nothing."""
    if ticket.waiting_for != "us" or ticket.waiting_since is None or since < ticket.waiting_since:
        ticket.waiting_since = since
    ticket.waiting_for = "us"


def set_status(ticket: Ticket, status: str, now: datetime) -> None:
    """Give a ticket a state. A pending one waits for its requester, one that is at its end for nobody."""
    ticket.status = status
    ticket.closed_at = now if status == "closed" else None
    ticket.solved_at = now if status == "solved" else None
    ticket.updated_at = now
    if status != "closed":  # what is written from now on is kept for a time of its own
        ticket.texts_erased_at = ticket.letters_erased_at = ticket.people_erased_at = None
    if status in ("pending", "solved", "closed"):
        ticket.waiting_for, ticket.waiting_since = "them" if status == "pending" else "nobody", None


def oldest_unanswered(session: Session, ticket_id: int) -> tuple[datetime | None, bool]:
    """When the oldest mail of a requester came that no answer followed, and whether there was any answer. Answers
    that are known not to have arrived do not count.

    Of merged tickets, an answer counts for those whose mails lay where it was written: what one person was told before
    the merge is no answer to another.
    """
    home = func.coalesce(col(Message.home_ticket_id), col(Message.ticket_id))
    lost = select(col(Outgoing.message_row)).where(
        col(Outgoing.ticket_id).in_(select(home).where(col(Message.ticket_id) == ticket_id)),
        col(Outgoing.kind) == "staff-reply",
        col(Outgoing.state).in_(LOST),
        col(Outgoing.message_row).is_not(None),
    )
    answers = select(home, func.max(col(Message.id))).where(
        col(Message.ticket_id) == ticket_id,
        col(Message.direction) == "out",
        col(Message.kind) == "staff-reply",
        col(Message.id).not_in(lost),
    )
    newest = {int(place): int(number) for place, number in session.execute(answers.group_by(home))}
    reach: dict[int, int] = {}  # the newest answer to the mails of each merged ticket
    for place, number in newest.items():
        for source in (place, *(inner for inner, _ in merged_from(session, place))):
            reach[source] = max(reach.get(source, 0), number)
    mails = select(home, col(Message.id), col(Message.at)).where(*_of_the_requester(ticket_id))
    open_since = [at for place, number, at in session.execute(mails) if number > reach.get(int(place), 0)]
    return min(open_since, default=None), bool(newest)


def _of_the_requester(ticket_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Message.ticket_id) == ticket_id, col(Message.direction) == "in", col(Message.kind).in_(("request", "reply"))
    )  # fmt: skip


def take_back_answer(session: Session, ticket_id: int, now: datetime) -> None:
    """An answer did not reach its reader: unless a later one does, its ticket waits again, since when it had waited.

    A ticket that its requester has solved meanwhile stays so.
    """
    query = select(col(Outgoing.state), col(Outgoing.waited_since), col(Outgoing.created_at)).where(
        col(Outgoing.ticket_id) == ticket_id, col(Outgoing.kind) == "staff-reply"
    )
    query = query.where(col(Outgoing.message_row) > _newest_outside(ticket_id))
    answers = session.execute(query.order_by(col(Outgoing.id).desc())).all()
    failures = list(takewhile(lambda answer: answer.state in LOST, answers))
    ticket = led_to(session, ticket_id)
    if not failures or ticket.status == "solved":
        return
    before = ticket.status
    if before in ("pending", "closed"):
        set_status(ticket, "open", now)
        add_event(session, int(ticket.id or 0), now, "status", f"{before} -> open: the answer did not arrive")
    for answer in failures:
        wait_for_us(ticket, answer.waited_since or answer.created_at)
    session.add(ticket)


# An answer that went past the outbox came in as a mail.
OUTSIDE = text("message.kind = 'staff-reply' AND message.incoming_id IS NOT NULL")


def _newest_outside(ticket_id: int) -> ScalarSelect[int]:
    """The newest answer that went past the outbox, and so did arrive: 0 for none."""
    home = func.coalesce(col(Message.home_ticket_id), col(Message.ticket_id))
    query = select(func.coalesce(func.max(col(Message.id)), 0)).where(home == ticket_id, OUTSIDE)
    return query.scalar_subquery()


def give_answer_again(session: Session, answer: Outgoing, now: datetime) -> None:
    """An answer that had not arrived is sent once more: its ticket waits for the requester, unless they wrote since."""
    if answer.kind != "staff-reply" or answer.ticket_id is None:
        return
    ticket = led_to(session, answer.ticket_id)
    newer = select(col(Message.id)).where(
        *_of_the_requester(int(ticket.id or 0)), col(Message.id) > (answer.message_row or 0)
    )
    if ticket.waiting_for == "us" and session.execute(newer.limit(1)).first() is None:
        set_status(ticket, "pending", now)
        session.add(ticket)


def first_answer_at(session: Session, ticket_id: int) -> datetime | None:
    """When the first answer that was written on this ticket was accepted for delivery, by us or past us."""
    answers = select(func.min(col(Outgoing.sent_at))).where(
        col(Outgoing.ticket_id) == ticket_id, col(Outgoing.kind) == "staff-reply", col(Outgoing.state) == "sent"
    )
    outside = select(func.min(col(Message.at))).where(col(Message.ticket_id) == ticket_id, OUTSIDE)
    times = [session.execute(query).scalar() for query in (answers, outside)]
    return min((at for at in times if at is not None), default=None)


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


def position(session: Session, ticket: Ticket) -> int | None:
    """The place in the queue, 1 for the next to be answered; None for a ticket that does not wait for us.

    First come, first served within a priority; the more pressing priorities go before, and what the site's filter holds
    for spam comes last. Who wrote again after an answer waits since that mail.
    """
    if ticket.waiting_for != "us" or ticket.waiting_since is None:
        return None
    return ahead_of(session, ticket.priority, ticket.waiting_since, ticket.id, spam=ticket.spam) + 1


def ahead_of(session: Session, priority: str, since: datetime, ticket_id: int | None, *, spam: bool = False) -> int:
    """How many tickets are served before one of this priority that has waited since then."""
    number = ticket_id if ticket_id is not None else 2**62
    return sum(_AHEAD[priority, spam].first(session, priority=priority, since=since, ticket=number))


def set_undeliverable(session: Session, address: str, now: datetime, why: str) -> None:
    """Stop automatic mail to an address whose mail bounced for good."""
    values = {"undeliverable_since": now, "undeliverable_why": why[:500]}
    key = address_key(address)
    session.execute(update(Address).where(col(Address.key) == key).values(**values))
    session.execute(update(Participant).where(col(Participant.key) == key).values(undeliverable_why=why[:500]))


def set_deliverable(session: Session, address: str) -> bool:
    """Somebody verified wrote from the address, or staff said so: mail may go there. False if nothing stopped it."""
    return bool(_DELIVERABLE.change(session, sought=address_key(address)))


def move_messages(session: Session, source: int, target: int) -> int:
    """Put the messages of one ticket into another, remembering where they lay; returns how many."""
    own = (col(Message.ticket_id) == source, col(Message.home_ticket_id).is_(None))
    with search.following(session, (source, target)):
        session.execute(update(Message).where(*own).values(home_ticket_id=source))
        moved = session.execute(update(Message).where(col(Message.ticket_id) == source).values(ticket_id=target))
    return int(moved.rowcount)  # type: ignore[attr-defined]


def bring_back_messages(session: Session, home: int) -> int:
    """Undo `move_messages` for the messages that lay in this ticket first, and in those merged into it before."""
    inner = [number for number, _ in merged_from(session, home)]
    kept = update(Message).where(col(Message.home_ticket_id).in_(inner)).values(ticket_id=home)
    own = update(Message).where(col(Message.home_ticket_id) == home).values(ticket_id=home, home_ticket_id=None)
    away = select(col(Message.ticket_id)).where(col(Message.home_ticket_id).in_([home, *inner])).distinct()
    moved = 0
    with search.following(session, [home, *session.execute(away).scalars()]):
        for back in (kept, own):
            moved += session.execute(back).rowcount  # type: ignore[attr-defined]
    return moved


def restore_arrival(session: Session, ticket: Ticket) -> None:
    """Let a ticket have come when the first came of the mails in it that opened one; a reply gives no place."""
    openings = (col(Message.ticket_id) == ticket.id, col(Message.kind).in_(("request", "automatic")))
    query = select(func.min(col(Message.at))).where(*openings)
    first = session.execute(query).scalar()
    if first is not None:
        ticket.created_at = first
        session.add(ticket)


def point_duplicates(session: Session, source: int, target: int) -> None:
    """What seemed to repeat a merged ticket seems to repeat the one that it was merged into."""
    others = (col(Ticket.duplicate_of) == source, col(Ticket.id) != target)
    session.execute(update(Ticket).where(*others).values(duplicate_of=target))


def link_addresses(session: Session, one: MailAddress, other: MailAddress) -> None:
    """Let two addresses belong to one requester: the tickets of both become that person's."""
    first, second = session.get(Address, one.key), session.get(Address, other.key)
    if first is None:
        raise NotFound(f"nobody has written from {one.address} yet")
    person, gone = first.requester_id, second.requester_id if second else None
    if gone == person:
        return
    of_both = select(col(Ticket.id)).where(col(Ticket.requester_id).in_([person, gone]))
    with search.following(session, session.execute(of_both).scalars()):
        if gone is None:
            session.add(Address(key=other.key, address=other.address, requester_id=person))
            return
        session.execute(update(Ticket).where(col(Ticket.requester_id) == gone).values(requester_id=person))
        session.execute(update(Address).where(col(Address.requester_id) == gone).values(requester_id=person))
