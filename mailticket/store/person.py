"""A person by their addresses: what is held about them, and how it goes without what others wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, String, Text, cast, delete, func, null, or_, select, update
from sqlmodel import Session, SQLModel, col

from mailticket.mail import read
from mailticket.mail.address import address_key
from mailticket.mail.packing import pack
from mailticket.models import (
    Address,
    Attachment,
    Blocked,
    Erasure,
    Event,
    Incoming,
    Message,
    Outgoing,
    Participant,
    Raw,
    Requester,
    Ticket,
)
from mailticket.secrets import redaction
from mailticket.secrets.people import Veil, forms, lines_of
from mailticket.store import raws, search, tombstones
from mailticket.store.erasing import (
    UNSENT,
    blank_incoming,
    blank_letters,
    blank_messages,
    blank_tickets,
    drop_raws,
    held_by_law,
)

FORGOTTEN = "forgotten"  # the rule of a mail that was filed away with a person's data
_LEFT_ALONE = frozenset(("alembic_version", "consent", "erasure", "folder", "heartbeat", "key", "meta", "tombstone"))
_UNFINISHED = ("new", "open")
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever has these addresses.

    keys: addresses as they are compared, with those that staff linked to them. requesters: rows. names: as they called
    themselves. message_ids: of their mails. lines: by which a quotation of them is known. own: rows of the tickets that
    are theirs. others: rows of other tickets in which they stand. veil: takes all of that out of texts.
    """

    keys: tuple[str, ...]
    requesters: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    own: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    is_known: bool = False
    veil: Veil = field(default_factory=lambda: Veil(()), compare=False)

    @property
    def tickets(self) -> tuple[int, ...]:
        return (*self.own, *self.others)


def _contains(column: Any, keys: Iterable[str]) -> ColumnElement[bool]:
    text = func.lower(cast(column, Text))
    return or_(*(text.contains(form, autoescape=True) for key in keys for form in forms(key)))


def _is_one_of(column: Any, keys: Iterable[str]) -> ColumnElement[bool]:
    return func.lower(column).in_([form for key in keys for form in forms(key)])


_SPOKEN = (Message.text, Message.subject, Message.from_raw, Message.to_address, Message.cc_address, Message.mark)


def identify(session: Session, addresses: Iterable[str]) -> Person:
    """Who is meant by these addresses. What was cut short while they were being forgotten counts as theirs still."""
    journal = _journal(session, {address_key(address) for address in addresses})
    keys = {address_key(address) for address in addresses}.union(*(row.keys or () for row in journal))
    people = set(session.execute(select(col(Address.requester_id)).where(col(Address.key).in_(keys))).scalars())
    keys |= set(session.execute(select(col(Address.key)).where(col(Address.requester_id).in_(people))).scalars())
    own = set(session.execute(select(col(Ticket.id)).where(col(Ticket.requester_id).in_(people))).scalars())
    written = _is_one_of(Message.from_address, keys)
    mails = session.execute(
        select(
            col(Message.from_name), col(Message.message_id), col(Message.ticket_id),
            col(Message.subject), col(Message.new_text),
        ).where(written, col(Message.direction) == "in")
    ).all()  # fmt: skip
    lines = lines_of(text for row in mails for text in (row.subject, row.new_text))
    names = {row.from_name.strip() for row in mails}.union(*(row.names or () for row in journal))
    called = session.execute(select(col(Requester.name)).where(col(Requester.id).in_(people))).scalars()
    names |= {name.strip() for name in called}
    ids = {str(row.message_id) for row in mails if row.message_id}.union(*(row.message_ids or () for row in journal))
    places = {int(row.ticket_id) for row in mails} | _mentioning(session, keys, own)
    blocked = session.execute(select(col(Blocked.key)).where(col(Blocked.key).in_(keys)).limit(1)).first()
    shown = sorted(name for name in names if name and address_key(name) not in keys)
    lines = tuple(dict.fromkeys((*_of_journal(journal), *lines)))
    return Person(
        keys=tuple(sorted(keys)), requesters=tuple(sorted(int(one) for one in people)),
        names=tuple(shown), message_ids=tuple(sorted(ids)), lines=lines,
        veil=Veil(sorted(keys), shown, sorted(ids), lines),
        own=tuple(sorted(int(number or 0) for number in own)), others=tuple(sorted(places - own)),
        is_known=bool(people or places or journal or blocked or _without_ticket(session, keys)),
    )  # fmt: skip


def _of_journal(journal: Iterable[Erasure]) -> list[str]:
    return [line for row in journal for line in row.lines or ()]


def _mentioning(session: Session, keys: Collection[str], own: Collection[int]) -> set[int]:
    """The tickets in which an address stands, and those into which messages of the person's own were merged."""
    sure = (
        select(col(Message.ticket_id)).where(col(Message.home_ticket_id).in_(own)),
        select(col(Participant.ticket_id)).where(col(Participant.key).in_(keys)),
        select(col(Outgoing.ticket_id)).where(
            col(Outgoing.recipient_key).in_(keys), col(Outgoing.ticket_id).is_not(None)
        ),
    )
    numbers = {int(number) for query in sure for number in session.execute(query.distinct()).scalars()}
    veil = Veil(keys)
    for number_of, *columns in (
        (Message.ticket_id, *_SPOKEN),
        (Outgoing.ticket_id, Outgoing.copies),
        (Ticket.id, Ticket.subject, Ticket.fields),
        (Event.ticket_id, Event.detail),
    ):
        query = select(col(number_of), *map(col, columns)).where(or_(*(_contains(column, keys) for column in columns)))
        for number, *values in session.execute(query.execution_options(yield_per=_PAGE)):
            # The database finds the end of another's longer address too.
            if number is not None and number not in numbers and veil.of_value(values) != values:
                numbers.add(int(number))
    return numbers


def without_ticket(session: Session, person: Person) -> list[Incoming]:
    """The records of the person's mails that became no part of a ticket, oldest first: filed, or in quarantine."""
    return _without_ticket(session, person.keys)


def _without_ticket(session: Session, keys: Collection[str]) -> list[Incoming]:
    unfiled = (_contains(Incoming.sender, keys), col(Incoming.ticket_id).is_(None))
    rows = session.execute(select(Incoming).where(*unfiled).order_by(col(Incoming.id))).scalars()
    veil = Veil(keys)
    return [row for row in rows if row.state in ("filed", "quarantined") and veil(row.sender) != row.sender]


@dataclass(frozen=True, slots=True)
class Hindrances:
    """What keeps a person from being forgotten now: IDs of tickets, numbers of outgoing mails.

    held: by law. waiting: for an answer of us. leaving: being sent at this moment. unsent: to others, not sent yet.
    """

    held: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    leaving: tuple[int, ...] = ()
    unsent: tuple[int, ...] = ()


def hindrances(session: Session, person: Person) -> Hindrances:
    """What is in the way of forgetting."""
    law = set(held_by_law(session)).intersection(person.tickets)
    waiting = (
        col(Ticket.id).in_(person.own), col(Ticket.merged_into).is_(None),
        or_(col(Ticket.waiting_for) == "us", col(Ticket.status).in_(_UNFINISHED)),
    )  # fmt: skip
    mails = select(col(Outgoing.id), col(Outgoing.state), col(Outgoing.recipient_key)).where(
        col(Outgoing.ticket_id).in_(person.tickets)
    )
    theirs = or_(col(Outgoing.recipient_key).in_(person.keys), _contains(Outgoing.copies, person.keys))
    leaving = mails.where(col(Outgoing.state) == "sending", or_(theirs, col(Outgoing.ticket_id).in_(person.own)))
    unsent = mails.where(col(Outgoing.state).in_(("queued", "deferred")), col(Outgoing.kind) != "desk")
    waiting_for_others = [row for row in session.execute(unsent) if row.recipient_key not in person.keys]
    return Hindrances(
        held=_keys(session, law),
        waiting=tuple(session.execute(select(col(Ticket.key)).where(*waiting).order_by(col(Ticket.id))).scalars()),
        leaving=tuple(int(row.id or 0) for row in session.execute(leaving)),
        unsent=tuple(int(row.id or 0) for row in waiting_for_others),
    )


def _keys(session: Session, ids: Collection[int]) -> tuple[str, ...]:
    return tuple(session.execute(select(col(Ticket.key)).where(col(Ticket.id).in_(ids))).scalars())


def _journal(session: Session, keys: Collection[str]) -> list[Erasure]:
    return [row for row in tombstones.unfinished(session) if set(row.keys or ()) & set(keys)]


def begin(session: Session, person: Person, now: datetime, by: str) -> None:
    """Write down who is to be forgotten, and let nothing to them leave any more."""
    row = next(iter(_journal(session, person.keys)), None) or Erasure(begun_at=now, begun_by=by)
    row.keys, row.names, row.message_ids = list(person.keys), list(person.names), list(person.message_ids)
    row.lines = list(person.lines)
    session.add(row)
    to_them = update(Outgoing).where(col(Outgoing.recipient_key).in_(person.keys), col(Outgoing.state).in_(UNSENT))
    session.execute(to_them.values(state="cancelled", hold="", reason="erased before it left"))
    session.flush()


@dataclass(slots=True)
class Toll:
    """What was erased: rows that were emptied or removed.

    changed: messages of others out of which something was taken. broken: those of them of which the files could not be
    kept. overwritten: whether no byte of it all is left on the disk.
    """

    tickets: int = 0
    messages: int = 0
    letters: int = 0
    raws: int = 0
    attachments: int = 0
    changed: int = 0
    broken: int = 0
    overwritten: bool = True

    def add(self, other: Toll) -> None:
        """Add what was erased in another place."""
        for name in ("tickets", "messages", "letters", "raws", "attachments", "changed", "broken"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def _theirs(person: Person, row: Message) -> bool:
    """Whether a message is the person's: they wrote it, it was sent to them, or it stands on a ticket of theirs and
    nobody else wrote it or got it."""
    at_home = (row.home_ticket_id or row.ticket_id) in person.own
    if row.direction == "in":
        sender = address_key(row.from_address) if row.from_address else ""
        return sender in person.keys or (at_home and (not sender or row.kind not in ("request", "reply")))
    if row.direction == "out":
        readers = {address_key(one.strip()) for one in row.to_address.split(",") if one.strip()}
        return bool(readers & set(person.keys)) or (at_home and not readers)
    return at_home


@dataclass(slots=True)
class _Place:
    """A ticket, and what of it is the person's."""

    person: Person
    ticket: Ticket
    rows: Sequence[Message]
    mine: list[Message] = field(default_factory=list)
    veil: Veil = field(default_factory=lambda: Veil(()))

    def __post_init__(self) -> None:
        self.mine = [row for row in self.rows if _theirs(self.person, row)]
        theirs = {row.id for row in self.mine}
        others = [row.new_text for row in self.rows if row.id not in theirs]
        self.veil = self.person.veil.sparing(others)

    @property
    def kept(self) -> list[Message]:
        mine = {row.id for row in self.mine}
        return [row for row in self.rows if row.id not in mine]

    @property
    def is_own(self) -> bool:
        return self.ticket.id in self.person.own

    @property
    def opened_by_them(self) -> bool:
        """Whether the ticket is about what the person wrote, whoever has it now."""
        first = next(
            (row for row in self.rows if row.kind in ("request", "automatic") and not row.home_ticket_id), None
        )
        return first is not None and first in self.mine


def forget_in_ticket(
    session: Session, person: Person, ticket_id: int, now: datetime, new_key: Callable[[], str]
) -> Toll:  # fmt: skip
    """Take a person out of a ticket. One of theirs becomes a figure under another ID, to which no mail of theirs leads;
    in others' tickets what they wrote and got is emptied, and their name and address are taken out of the rest."""
    ticket = session.get_one(Ticket, ticket_id)
    toll = Toll()
    with search.following(session, [ticket_id]):
        rows = session.execute(select(Message).where(col(Message.ticket_id) == ticket_id).order_by(col(Message.id)))
        place = _Place(person, ticket, rows.scalars().all())
        toll.messages, toll.tickets = len(place.mine), int(place.is_own)
        mails = {row.incoming_id for row in place.mine if row.incoming_id is not None}
        toll.attachments = _number(session, Attachment, col(Attachment.message_id).in_([row.id for row in place.mine]))
        _veil_messages(session, place, toll)
        digests = blank_messages(session, place.mine, texts=True, people=True)
        digests |= _forget_mails(session, place, mails)
        toll.letters = _forget_letters(session, place)
        _forget_facts(session, place, now, new_key)
        toll.raws = drop_raws(session, digests)
    return toll


def _number(session: Session, table: Any, *conditions: Any) -> int:
    return int(session.execute(select(func.count()).select_from(table).where(*conditions)).scalar() or 0)


def _veil_messages(session: Session, place: _Place, toll: Toll) -> None:
    """What others wrote and got, without the person: the texts, and the raw mails that are kept of them."""
    veil = place.veil
    for row in place.kept:
        before = (row.subject, row.text, row.new_text, row.mark, row.to_address, row.cc_address, row.from_raw)
        row.subject, row.text, row.new_text, row.mark = map(veil, before[:4])
        row.to_address, row.cc_address = veil.of_list(row.to_address), veil.of_list(row.cc_address)
        row.from_raw = veil(row.from_raw)
        if row.held:
            row.held = dict(veil.of_value(row.held))  # type: ignore[call-overload]
        after = (row.subject, row.text, row.new_text, row.mark, row.to_address, row.cc_address, row.from_raw)
        changed = _veil_raw(session, row.raw_digest, veil, toll) if row.raw_digest else False
        toll.changed += changed or before != after
        session.add(row)
        for file in session.execute(select(Attachment).where(col(Attachment.message_id) == row.id)).scalars():
            file.name = veil.of_file(file.name)
            session.add(file)
    session.flush()


def _veil_raw(session: Session, digest: str, veil: Veil, toll: Toll) -> bool:
    raw = raws.get(session, digest)
    if raw is None:
        return False
    veiled = redaction.without(raw, veil)
    if veiled.raw == raw:
        return False
    raws.rewrite(session, digest, pack(veiled.raw, complete=veiled.whole, digest=digest))
    toll.broken += not veiled.whole
    return True


def _forget_mails(session: Session, place: _Place, mails: set[int]) -> set[str]:
    """The records of the person's mails, and of all that came to a ticket of theirs and is nobody else's."""
    digests = blank_incoming(session, col(Incoming.id).in_(mails), people=True) if mails else set()
    if place.is_own:
        others = {row.incoming_id for row in place.kept if row.incoming_id is not None}
        came = (col(Incoming.ticket_id) == place.ticket.id, col(Incoming.id).not_in(others))
        elsewhere = select(col(Message.id)).where(  # a merge moved it
            col(Message.incoming_id) == col(Incoming.id), col(Message.ticket_id) != place.ticket.id
        )
        digests |= blank_incoming(session, *came, ~elsewhere.exists(), people=True)
    return digests


def _forget_letters(session: Session, place: _Place) -> int:
    """The mails to the person, and those of a ticket of theirs that went to nobody else but staff."""
    sent = session.execute(select(Outgoing).where(col(Outgoing.ticket_id) == place.ticket.id)).scalars().all()
    keys = set(place.person.keys)
    theirs = [row for row in sent if row.recipient_key in keys or (place.is_own and row.kind == "desk")]
    for row in sent:
        if row not in theirs:
            _veil_letter(row, place.veil)
            session.add(row)
    return blank_letters(session, theirs, people=True)


def _veil_letter(row: Outgoing, veil: Veil) -> None:
    row.subject, row.reason, row.last_error = veil(row.subject), veil(row.reason), veil(row.last_error)
    if row.copies:
        row.copies = [one for one in row.copies if veil(one) == one]
    if row.wire:
        veiled = redaction.without(bytes(row.wire), veil)
        if veiled.raw != row.wire:
            row.wire = veiled.raw if veiled.whole else b""
            if row.state in UNSENT:  # changed bytes do not leave any more
                row.state, row.hold, row.reason = "cancelled", "", "changed when a person was forgotten"


def _forget_facts(session: Session, place: _Place, now: datetime, new_key: Callable[[], str]) -> None:
    """The row of the ticket, its people and its history."""
    ticket, veil, number = place.ticket, place.veil, int(place.ticket.id or 0)
    if place.is_own:
        if ticket.status != "closed":
            ticket.status, ticket.closed_at, ticket.solved_at = "closed", now, None
        ticket.waiting_for, ticket.waiting_since, ticket.key = "nobody", None, new_key()
        ticket.texts_erased_at = ticket.letters_erased_at = ticket.people_erased_at = now
        session.flush()
        kept = place.kept
        guests = [] if not kept else list(
            session.execute(select(Participant).where(col(Participant.ticket_id) == number)).scalars()
        )  # fmt: skip
        others = [{name: getattr(g, name) for name in Participant.model_fields} for g in guests]
        blank_tickets(session, [number], texts=True, people=True)
        session.add_all(Participant(**g) for g in others if g["key"] not in place.person.keys)
        session.flush()
        return
    if place.opened_by_them:
        nothing: Any = None
        ticket.subject, ticket.fields, ticket.fingerprint, ticket.duplicate_reason = "", nothing, nothing, ""
    else:
        ticket.subject, ticket.duplicate_reason = veil(ticket.subject), veil(ticket.duplicate_reason)
        ticket.fields = _fields_of_others(place)
        if _knows(ticket.fingerprint, place.person):
            ticket.fingerprint = None
    session.add(ticket)
    gone = (col(Participant.ticket_id) == number, col(Participant.key).in_(place.person.keys))
    session.execute(delete(Participant).where(*gone))
    for event in session.execute(select(Event).where(col(Event.ticket_id) == number)).scalars():
        event.detail = veil(event.detail)
        session.add(event)
    session.flush()


def _fields_of_others(place: _Place) -> dict[str, list[str]] | None:
    """The details of a ticket that somebody else named too; those that only the person named go with their words."""
    words = "\n".join(f"{row.subject}\n{row.text}" for row in place.kept)
    if not place.mine or not place.ticket.fields:
        return place.ticket.fields
    kept = {name: [one for one in values if one in words] for name, values in place.ticket.fields.items()}
    return {name: values for name, values in kept.items() if values}


def _knows(fingerprint: object, person: Person) -> bool:
    """Whether a word of the name or the address may be among the terms of a fingerprint."""
    text = str(fingerprint or "").lower()
    words = [word for name in person.names for word in name.lower().split()]
    words += [word for key in person.keys for word in key.rpartition("@")[0].split(".")]
    return any(word in text for word in words if len(word) > 1)


def forget_unfiled(session: Session, person: Person, after: int, now: datetime) -> int | None:
    """A portion of the mails that stand in no conversation: filed, in quarantine, refused. Returns the number of the
    last one that was looked at, None when there is none behind it."""
    query = (
        select(Incoming)
        .outerjoin(Message, col(Message.incoming_id) == col(Incoming.id))
        .where(col(Incoming.id) > after, col(Message.id).is_(None))
        .where(or_(col(Incoming.raw_digest).is_not(None), col(Incoming.sender) != ""))
        .order_by(col(Incoming.id))
        .limit(_PAGE)
    )
    rows = session.execute(query).scalars().all()
    by_address = Veil(person.keys, (), person.message_ids)
    for row in rows:
        _forget_mail(session, person, row, by_address, now)
    return int(rows[-1].id or 0) if len(rows) == _PAGE else None


def _forget_mail(session: Session, person: Person, row: Incoming, by_address: Veil, now: datetime) -> None:
    raw = raws.get(session, row.raw_digest) if row.raw_digest else None
    words, senders = _words(raw or b"")
    if set(person.keys) & senders or by_address(row.sender) != row.sender:
        digests = blank_incoming(session, col(Incoming.id) == row.id, people=True)
        if row.state == "quarantined":
            values = {"state": "filed", "rule": FORGOTTEN, "decided_at": now, "dismissed_at": now}
            session.execute(update(Incoming).where(col(Incoming.id) == row.id).values(**values))
        drop_raws(session, digests)
    elif raw is not None and row.raw_digest and by_address(words) != words:
        _veil_raw(session, row.raw_digest, person.veil, Toll())
        row.subject, row.sender, row.reason = map(person.veil, (row.subject, row.sender, row.reason))
        session.add(row)


def _words(raw: bytes) -> tuple[str, set[str]]:
    """All that stands in a mail, and who wrote it; of one that cannot be read, what its bytes show."""
    plain = raw.decode("latin-1")
    if raw:
        with suppress(Exception):  # what lies in quarantine for it could not be read
            mail = read(raw)
            people = (*mail.from_, *mail.reply_to, *mail.to, *mail.cc)
            shown = " ".join(f"{one.name} {one.address} {one.key}" for one in people)
            return f"{plain}\n{mail.subject}\n{mail.text}\n{shown}", {one.key for one in mail.from_}
    head = plain.replace("\r\n", "\n").partition("\n\n")[0]
    line = next((one for one in head.split("\n") if one.lower().startswith("from:")), "")
    return plain, {address_key(word.strip("<>,;\"' ")) for word in line.split()}


@dataclass(frozen=True, slots=True)
class Remnant:
    """A text in which an address of a person still stands: its column, and the row's primary key."""

    column: Column[Any]
    key: tuple[Any, ...]


def remnants(session: Session, person: Person) -> list[Remnant]:
    """Where the addresses stand in any text of any table, whatever it is for: errors, reasons, alerts, notices."""
    places = []
    for table in SQLModel.metadata.sorted_tables:
        texts = [c for c in table.columns if isinstance(c.type, String | JSON) and not c.primary_key and not c.unique]
        for column in texts if table.name not in _LEFT_ALONE else ():
            rows = session.execute(select(*table.primary_key.columns).where(_contains(column, person.keys)))
            places += [Remnant(column, tuple(row)) for row in rows]
    return places


def sweep(session: Session, person: Person, places: Sequence[Remnant]) -> None:
    """Take the addresses out of these texts."""
    veil = Veil(person.keys, (), person.message_ids)
    with search.following(session, _indexed_tickets(session, places)):
        for place in places:
            table = place.column.table
            same = [c == one for c, one in zip(table.primary_key.columns, place.key, strict=True)]
            value = session.execute(select(place.column).where(*same)).scalar()
            without = veil.of_file(str(value)) if table.name == "attachment" else veil.of_value(value)
            session.execute(update(table).where(*same).values({place.column.name: without}))


def _indexed_tickets(session: Session, places: Iterable[Remnant]) -> set[int]:
    """The tickets that are found by these texts."""
    rows: dict[str, list[int]] = {}
    for place in places:
        rows.setdefault(place.column.table.name, []).append(place.key[0])
    messages = select(col(Attachment.message_id)).where(col(Attachment.id).in_(rows.get("attachment", ())))
    queries = (
        select(col(Message.ticket_id)).where(
            or_(col(Message.id).in_(rows.get("message", ())), col(Message.id).in_(messages))
        ),
        select(col(Ticket.id)).where(col(Ticket.requester_id).in_(rows.get("requester", ()))),
    )
    numbers = {int(number) for query in queries for number in session.execute(query.distinct()).scalars()}
    return numbers.union(rows.get("ticket", ()), rows.get("participant", ()))


def opened_since(session: Session, person: Person) -> tuple[str, ...]:
    """IDs of tickets that are the person's again: they wrote while they were being forgotten."""
    theirs = select(col(Ticket.key)).join(Address, col(Address.requester_id) == col(Ticket.requester_id))
    return tuple(session.execute(theirs.where(col(Address.key).in_(person.keys)).distinct()).scalars())


def finish(session: Session, person: Person, now: datetime) -> None:
    """Remove the person's own rows, and leave a tombstone for each address. The journal says no more than that their
    bytes are still to be overwritten: see `tombstones.overwritten`."""
    session.execute(delete(Blocked).where(col(Blocked.key).in_(person.keys)))
    session.execute(delete(Participant).where(col(Participant.key).in_(person.keys)))
    for requester in person.requesters:
        session.execute(update(Ticket).where(col(Ticket.requester_id) == requester).values(requester_id=None))
        session.execute(delete(Address).where(col(Address.requester_id) == requester))
        session.execute(delete(Requester).where(col(Requester.id) == requester))
    for row in _journal(session, person.keys):
        nothing: Any = null()
        row.keys = row.names = row.message_ids = row.lines = nothing
        session.add(row)
    tombstones.put(session, person.keys, now)


def messages_of(session: Session, person: Person, ticket_id: int) -> tuple[list[Message], list[Message]]:
    """The messages of a ticket that are the person's, and the others."""
    rows = session.execute(select(Message).where(col(Message.ticket_id) == ticket_id).order_by(col(Message.id)))
    place = _Place(person, session.get_one(Ticket, ticket_id), rows.scalars().all())
    return place.mine, place.kept


def letters_to(session: Session, person: Person) -> Iterator[Outgoing]:
    """The mails that were written to the person, oldest first, each read by itself."""
    theirs = select(col(Outgoing.id)).where(col(Outgoing.recipient_key).in_(person.keys)).order_by(col(Outgoing.id))
    for number in list(session.execute(theirs).scalars()):
        row = session.get_one(Outgoing, number)
        yield row
        session.expunge(row)


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much is held about a person, by kind of row."""

    messages: int
    mentions: int
    attachments: int
    raws: int
    raw_bytes: int
    letters: int
    desk_mails: int
    events: int
    promises: int
    held: int
    filed: int
    quarantined: int
    blocked: bool


def holdings(session: Session, person: Person) -> Holdings:
    """Count what is held about a person."""
    mine: list[Message] = []
    mentions = 0
    veil = Veil(person.keys, person.names)
    for number in person.tickets:
        theirs, others = messages_of(session, person, number)
        mine += theirs
        mentions += sum(
            any(veil(text) != text for text in (row.text, row.subject, row.to_address, row.cc_address))
            for row in others
        )
    numbers, digests = [row.id for row in mine], {row.raw_digest for row in mine if row.raw_digest}
    size = select(func.count(), func.sum(col(Raw.size))).where(col(Raw.digest).in_(digests))
    number, total = session.execute(size).one()
    unfiled = Counter(row.state for row in without_ticket(session, person))
    quoting = or_(col(Outgoing.ticket_id).in_(person.own), col(Outgoing.message_row).in_(numbers))
    return Holdings(
        messages=len(mine), mentions=mentions,
        attachments=_number(session, Attachment, col(Attachment.message_id).in_(numbers)),
        raws=int(number), raw_bytes=int(total or 0),
        letters=_number(session, Outgoing, col(Outgoing.recipient_key).in_(person.keys)),
        desk_mails=_number(session, Outgoing, quoting, col(Outgoing.kind) == "desk"),
        events=_number(session, Event, col(Event.ticket_id).in_(person.own)),
        promises=_number(session, Ticket, col(Ticket.id).in_(person.own), col(Ticket.promised_by).is_not(None)),
        held=sum(row.kind == "held" for row in mine),
        filed=unfiled["filed"], quarantined=unfiled["quarantined"],
        blocked=_number(session, Blocked, col(Blocked.key).in_(person.keys)) > 0,
    )  # fmt: skip


def languages(session: Session, person: Person) -> list[str]:
    """The languages in which a person is known to write."""
    query = select(col(Requester.language)).where(col(Requester.id).in_(person.requesters))
    return sorted({language for language in session.execute(query).scalars() if language})
