"""How data goes: what a row keeps when its words, or its people, are erased. Retention and forgetting share this.

Rows stay as figures: states, kinds, times, and whose turn it was. Of an incoming mail stays the digest of its content
too, by which a copy that still lies on the server is known and opens no second ticket.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, TextClause, delete, func, null, select, text, update
from sqlmodel import Session, col

from mailticket.models import (
    TO_ERASE,
    Address,
    Attachment,
    Event,
    Incoming,
    Message,
    News,
    Outgoing,
    Participant,
    Raw,
    Requester,
    Sight,
    Ticket,
)
from mailticket.store import desk, search
from mailticket.store.engine import Database
from mailticket.store.tickets import merged_from

Matter = Literal["texts", "letters", "people"]
MATTERS: tuple[Matter, ...] = ("texts", "letters", "people")
UNSENT = ("queued", "deferred", "withheld", "uncertain")
_COLUMNS = {"texts": "texts_erased_at", "letters": "letters_erased_at", "people": "people_erased_at"}
HELD_BY_LAW = text("ticket.legal_hold != ''")  # in the words of the partial index


def held_by_law(session: Session) -> list[int]:
    """The rows of tickets that the law has us keep, with those that were merged into them."""
    holders = list(session.execute(select(col(Ticket.id)).where(HELD_BY_LAW)).scalars())
    return [*holders, *(number for holder in holders for number, _ in merged_from(session, holder))]


def blank_messages(session: Session, rows: Iterable[Message], *, texts: bool, people: bool) -> set[str]:
    """Empty messages of their words, of whom they name, or both. Returns the digests of raw mails that they let go."""
    digests: set[str] = set()
    for row in rows:
        if texts and row.kind == "held":  # it never left, and is no figure of anything
            digests |= {row.raw_digest} if row.raw_digest else set()
            desk.remove_held(session, row)
            continue
        if texts:
            digests |= {row.raw_digest} if row.raw_digest else set()
            row.subject = row.text = row.new_text = row.mark = ""
            row.raw_digest = None
            session.execute(delete(Attachment).where(col(Attachment.message_id) == row.id))
            nothing: Any = null()
            row.secrets = row.held = nothing
        if people:
            row.from_name = row.by if row.direction != "in" else ""
            row.from_address = row.from_raw = row.to_address = row.cc_address = ""
            row.message_id = None
        session.add(row)
    session.flush()
    return digests


def blank_letters(session: Session, rows: Iterable[Outgoing], *, people: bool) -> int:
    """Empty mails that left, or that now never will; returns how many."""
    number = 0
    for row in rows:
        number += 1
        row.wire, row.subject, row.last_error, row.save_to = b"", "", "", ""
        if row.state in UNSENT:
            row.state, row.hold, row.reason = "cancelled", "", "erased before it left"
        elif row.reason:
            row.reason = ""
        if people:
            row.recipient = row.recipient_key = row.recipient_domain = ""
            nothing: Any = null()
            row.copies, row.accepted_as = nothing, None
            row.message_id = f"<erased-{row.id}@mailticket.invalid>"  # one of its own, as the table demands
        session.add(row)
    session.flush()
    return number


def blank_incoming(session: Session, *conditions: ColumnElement[bool], people: bool) -> set[str]:
    """Empty the records of mails, with those of their copies. Returns the digests of raw mails that they let go."""
    numbers = list(session.execute(select(col(Incoming.id)).where(*conditions)).scalars())
    copies = select(col(Incoming.id)).where(col(Incoming.copy_of).in_(numbers))
    everyone = sorted({*numbers, *session.execute(copies).scalars()})
    mine = col(Incoming.id).in_(everyone)
    digests = set(session.execute(select(col(Incoming.raw_digest)).where(mine)).scalars()) - {None}
    values: dict[str, Any] = {"subject": "", "reason": "", "evidence": null(), "essence": None, "raw_digest": None,
                              "afterwards_error": ""}  # fmt: skip
    if people:
        values |= {"sender": "", "message_id": None, "origin": None}
    session.execute(update(Incoming).where(mine).values(**values))
    return {str(digest) for digest in digests}


def drop_raws(session: Session, digests: Collection[str]) -> int:
    """Remove raw mails to which no row points any more; returns how many."""
    session.flush()
    gone = 0
    for digest in sorted(digests):
        pointing = (
            select(col(Message.id)).where(col(Message.raw_digest) == digest),
            select(col(Incoming.id)).where(col(Incoming.raw_digest) == digest),
        )
        if not any(session.execute(query.limit(1)).first() for query in pointing):
            gone += session.execute(delete(Raw).where(col(Raw.digest) == digest)).rowcount  # type: ignore[attr-defined]
    return gone


def blank_tickets(session: Session, ids: Sequence[int], *, texts: bool, people: bool) -> None:
    """Empty tickets and their histories; what they were about is no word of anybody, and stays."""
    values: dict[str, Any] = {}
    if texts:
        values |= {"subject": "", "fields": null(), "fingerprint": null(), "marks": null(), "duplicate_reason": "",
                   "check_word": ""}  # fmt: skip
        session.execute(update(Event).where(col(Event.ticket_id).in_(ids)).values(detail=""))
    if people:
        values |= {"requester_id": None, "claimed": False}
        for table in (News, Sight, Participant):
            session.execute(delete(table).where(col(table.ticket_id).in_(ids)))
    if values:
        session.execute(update(Ticket).where(col(Ticket.id).in_(ids)).values(**values))
        session.expire_all()


def drop_people(session: Session, ids: Iterable[int]) -> None:
    """Remove requesters who have no ticket any more, with their addresses."""
    for person in ids:
        if session.execute(select(col(Ticket.id)).where(col(Ticket.requester_id) == person).limit(1)).first() is None:
            session.execute(delete(Address).where(col(Address.requester_id) == person))
            session.execute(delete(Requester).where(col(Requester.id) == person))


def erase(session: Session, ticket_id: int, matters: Collection[Matter], now: datetime) -> None:
    """Erase matters of a ticket that is done, with the tickets that were merged into it.

    texts: what came and what staff noted, with its raw mails and files. letters: what left. people: whose it was.
    """
    group = [ticket_id, *(number for number, _ in merged_from(session, ticket_id))]
    texts, letters, people = ("texts" in matters, "letters" in matters, "people" in matters)
    with search.following(session, group):
        rows = session.execute(select(Message).where(col(Message.ticket_id).in_(group))).scalars().all()
        requesters = select(col(Ticket.requester_id)).where(col(Ticket.id).in_(group))
        persons = set(session.execute(requesters).scalars()) - {None}
        digests = set()
        for row in rows:
            words = letters if row.direction == "out" else texts
            digests |= blank_messages(session, [row], texts=words, people=people)
        if texts or people:
            digests |= blank_incoming(session, col(Incoming.ticket_id).in_(group), people=people)
        if letters or people:
            sent = session.execute(select(Outgoing).where(col(Outgoing.ticket_id).in_(group))).scalars().all()
            blank_letters(session, sent, people=people)
        blank_tickets(session, group, texts=texts, people=people)
        if people:
            drop_people(session, [int(person) for person in persons if person is not None])
        drop_raws(session, digests)
        times = {_COLUMNS[matter]: now for matter in matters}
        session.execute(update(Ticket).where(col(Ticket.id).in_(group)).values(**times))
        session.expire_all()


@dataclass(frozen=True, slots=True)
class Term:
    """How long a matter of closed tickets is kept: until they have been closed since before this time."""

    matter: Matter
    days: int

    def ends(self, closed_at: datetime, grace: timedelta) -> datetime:
        """When the matter of a ticket that was closed then is due; never while a reply opens it again."""
        return closed_at + max(timedelta(days=self.days), grace)


def _conditions(session: Session, term: Term, closed_before: datetime) -> list[ColumnElement[bool] | TextClause]:
    """What is true of the tickets of which a matter is due. Merged ones go with the ticket that they were merged
    into."""
    column: Any = getattr(Ticket, _COLUMNS[term.matter])
    conditions = [text(TO_ERASE), col(Ticket.closed_at) < closed_before, column.is_(None), col(Ticket.legal_hold) == ""]
    if holders := held_by_law(session):
        conditions.append(col(Ticket.id).not_in(holders))
    leaving = select(col(Outgoing.id)).where(
        col(Outgoing.ticket_id) == col(Ticket.id), col(Outgoing.state) == "sending"
    )
    return [*conditions, func.coalesce(col(Ticket.merged_into), 0) == 0, ~leaving.exists()]


def due(session: Session, term: Term, closed_before: datetime, limit: int) -> list[int]:
    """Tickets of which a matter is to go now, those closed first at the front."""
    query = select(col(Ticket.id)).where(*_conditions(session, term, closed_before))
    return [int(row or 0) for row in session.execute(query.order_by(col(Ticket.closed_at)).limit(limit)).scalars()]


def planned(database: Database, term: Term, closed_before: datetime, page: int = 500) -> Iterable[tuple[str, datetime]]:
    """The tickets of which a matter will be due for those closed before a time, each with the moment of its closing."""
    after: tuple[datetime, int] | None = None
    while True:
        with database.read() as session:
            query = select(col(Ticket.id), col(Ticket.key), col(Ticket.closed_at)).where(
                *_conditions(session, term, closed_before)
            )
            if after is not None:
                later = (col(Ticket.closed_at) == after[0]) & (col(Ticket.id) > after[1])
                query = query.where((col(Ticket.closed_at) > after[0]) | later)
            rows = session.execute(query.order_by(col(Ticket.closed_at), col(Ticket.id)).limit(page)).all()
        yield from ((key, closed_at) for _, key, closed_at in rows)
        if len(rows) < page:
            return
        after = (rows[-1][2], int(rows[-1][0]))


def number_due(session: Session, term: Term, closed_before: datetime) -> tuple[int, datetime | None]:
    """How many tickets have a matter that is due for those closed before a time, and when the first was closed."""
    query = select(func.count(), func.min(col(Ticket.closed_at))).where(*_conditions(session, term, closed_before))
    number, first = session.execute(query).one()
    return int(number), first
