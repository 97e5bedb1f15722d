"""What the store knows that bears on one mail, gathered under the lock of its requester."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import and_, bindparam, func, literal, or_, select, text
from sqlmodel import Session, col

from mailticket.likeness.duplicates import Fingerprint
from mailticket.mail.address import address_key
from mailticket.mail.values import Mail
from mailticket.models import Address, DeadMark, Incoming, Member, Message, Outgoing, Participant, Requester, Ticket
from mailticket.settings import Caps, Settings
from mailticket.store.rows import Prepared, execute, table_of, take_turns
from mailticket.store.tickets import OUTSIDE, merged_from
from mailticket.triage.known import (
    Answer,
    Bounced,
    Claims,
    Copy,
    Counts,
    Known,
    MarkFacts,
    OpenTicket,
    TicketFacts,
)
from mailticket.triage.marks import message_id_of
from mailticket.triage.sent import is_from_us

_MOST_OPEN_TICKETS = 50
_ECHOING_TICKETS = 10
_MOST_ADDRESSES = 50  # of one person
_MOST_TAGS = 200  # addresses that differ behind the first "+" only
_OPEN = ("new", "open", "pending")
_IN_FLIGHT = 1_000  # letters that transactions of others may have written and not yet committed
_BOUNCES_WITHIN = timedelta(days=14)  # of sending; servers give up after five days
TAKEN_IN = ("opened", "appended", "filed", "quarantined")

# Statements that every mail runs, built once over the tables: building one costs three times its execution.
_INCOMING, _TICKETS, _OUTGOING = table_of(Incoming), table_of(Ticket), table_of(Outgoing)
_ADDRESSES, _REQUESTERS, _MESSAGES = table_of(Address), table_of(Requester), table_of(Message)
_PARTICIPANTS = table_of(Participant)
_FIRST = _TICKETS.alias("first")

_SENDER = Prepared(
    select(_ADDRESSES.c.requester_id, _ADDRESSES.c.undeliverable_since, _ADDRESSES.c.undeliverable_why,
           _REQUESTERS.c.language)
    .join(_REQUESTERS, _REQUESTERS.c.id == _ADDRESSES.c.requester_id)
    .where(_ADDRESSES.c.key == bindparam("sender"))
    .with_for_update(of=_REQUESTERS)
)  # fmt: skip
_COPIES = (
    select(_INCOMING.c.id, _INCOMING.c.route, _INCOMING.c.state, _INCOMING.c.trust, _TICKETS.c.key,
           _INCOMING.c.delivered_to, _INCOMING.c.rule)
    .outerjoin_from(_INCOMING, _TICKETS, _TICKETS.c.id == _INCOMING.c.ticket_id)
    .where(_INCOMING.c.state.in_([literal(state) for state in TAKEN_IN]))
    .order_by(_INCOMING.c.id)
    .limit(20)
)  # fmt: skip
_ANSWERED = (
    select(_OUTGOING.c.id)
    .where(
        _OUTGOING.c.cause_id == _INCOMING.c.id,
        _OUTGOING.c.kind != literal("desk"),
        _OUTGOING.c.state.not_in([literal("withheld"), literal("cancelled")]),
    )
    .exists()
)
_OWED = (
    select(_OUTGOING.c.id)
    .where(
        _OUTGOING.c.ticket_id == _INCOMING.c.ticket_id,
        _OUTGOING.c.kind.in_([literal("acknowledgement"), literal("duplicate-notice")]),
    )
    .exists()
)
_ANSWERED_COPIES = _COPIES.add_columns(_ANSWERED.label("answered"), _OWED.label("owed"))
# What has the same Message-ID, or is one mail by its origin: see mail.identity.
_KINDRED = Prepared(
    _ANSWERED_COPIES.add_columns(_INCOMING.c.message_id, _INCOMING.c.origin, _INCOMING.c.essence, _MESSAGES.c.text)
    .outerjoin(_MESSAGES, _MESSAGES.c.incoming_id == _INCOMING.c.id)
    .where(
        or_(_INCOMING.c.message_id == bindparam("named"), _INCOMING.c.origin == bindparam("writing")),
        _INCOMING.c.identity != bindparam("content"),
    )
)
_SAME_CONTENT = Prepared(_ANSWERED_COPIES.where(_INCOMING.c.identity == bindparam("content")))
_OPEN_TICKETS = (
    select(
        _TICKETS.c.id,
        _TICKETS.c.key,
        _TICKETS.c.trust,
        _TICKETS.c.fingerprint,
        _TICKETS.c.created_at,
        _TICKETS.c.brand,
        _FIRST.c.key.label("root"),
    )
    .outerjoin_from(
        _TICKETS,
        _FIRST,
        and_(_FIRST.c.id == _TICKETS.c.duplicate_of, _FIRST.c.status.in_([literal(state) for state in _OPEN])),
    )
    .where(
        _TICKETS.c.requester_id.in_(bindparam("people", expanding=True)),
        _TICKETS.c.created_at > bindparam("since"),
        _TICKETS.c.status.in_([literal(state) for state in _OPEN]),
        _TICKETS.c.trust != "failed",
        _TICKETS.c.fingerprint.is_not(None),
    )
    .order_by(_TICKETS.c.created_at.desc(), _TICKETS.c.id.desc())
    .limit(_MOST_OPEN_TICKETS)
)
_NEWEST_TICKETS = (
    select(_TICKETS.c.id)
    .where(_TICKETS.c.requester_id == bindparam("person"))
    .order_by(_TICKETS.c.created_at.desc(), _TICKETS.c.id.desc())
    .limit(_ECHOING_TICKETS)
)
_ECHOES = Prepared(
    select(func.count())
    .select_from(_MESSAGES)
    .where(_MESSAGES.c.ticket_id.in_(_NEWEST_TICKETS), _MESSAGES.c.direction == "in",
           _MESSAGES.c.new_text == bindparam("text"))
)  # fmt: skip
_PARENTS = (
    select(_MESSAGES.c.message_id, _MESSAGES.c.to_address, _MESSAGES.c.cc_address, _TICKETS.c.key)
    .join(_TICKETS, _TICKETS.c.id == _MESSAGES.c.ticket_id)
    .where(_MESSAGES.c.message_id.in_(bindparam("parents", expanding=True)))
    .order_by(_MESSAGES.c.id.desc())
)
_INWARD = _PARENTS.where(_MESSAGES.c.direction == literal("in"), _MESSAGES.c.trust != literal("failed"))
_EARLIER = _INWARD.where(func.lower(_MESSAGES.c.from_address).in_(bindparam("people", expanding=True))).limit(100)
_ANSWERS = _PARENTS.where(OUTSIDE).limit(100)
_OF_COLLEAGUES = _INWARD.where(func.lower(_MESSAGES.c.from_address) != bindparam("sender")).limit(20)
_TAGGED = Prepared(
    select(_ADDRESSES.c.key, _ADDRESSES.c.requester_id)
    .where(_ADDRESSES.c.key > bindparam("lowest"), _ADDRESSES.c.key < bindparam("highest"))
    .limit(_MOST_TAGS)
)
_TICKET = select(
    *(
        _TICKETS.c[name]
        for name in (
            "id",
            "key",
            "status",
            "closed_at",
            "trust",
            "requester_id",
            "duplicate_of",
            "merged_into",
            "category",
            "first_response_at",
        )
    )
)
_TICKET_BY_KEY = Prepared(_TICKET.where(_TICKETS.c.key == bindparam("ticket")))
_TICKET_BY_ID = Prepared(_TICKET.where(_TICKETS.c.id == bindparam("ticket")))
_GUESTS = Prepared(select(_PARTICIPANTS.c.key).where(_PARTICIPANTS.c.ticket_id == bindparam("ticket")))
_ADDRESSES_OF = Prepared(select(_ADDRESSES.c.key).where(_ADDRESSES.c.requester_id == bindparam("person")))
_TO_ADDRESS = Prepared(
    select(_OUTGOING.c.counted_at)
    .where(_OUTGOING.c.recipient_key == bindparam("sender"), _OUTGOING.c.counted_at > bindparam("day"))
    .limit(1000)
)
# The words of the partial indexes; with a parameter in their place SQLite would not see that they apply.
_COUNTED = (
    select(func.count())
    .select_from(_OUTGOING)
    .where(text("NOT outgoing.verified"), _OUTGOING.c.counted_at > bindparam("hour"))
)
_UNVERIFIED = Prepared(_COUNTED)
_UNVERIFIED_OF_DOMAIN = Prepared(_COUNTED.where(_OUTGOING.c.recipient_domain == bindparam("domain")))


@dataclass(frozen=True, slots=True)
class _Sender:
    """What is known of an address that wrote before."""

    requester_id: int
    undeliverable: str
    language: str


def known(session: Session, mail: Mail, claims: Claims, settings: Settings, now: datetime) -> Known:
    """Everything that the judgement of this mail may ask for, and nothing else."""
    sender = mail.sender_address.key if mail.sender_address else ""
    address = _lock_requester(session, sender)
    people = _people(session, address, sender)
    earlier = _earlier(session, claims.earlier_ids, people)
    answers = _answers(session, claims.earlier_ids, people)
    ours = _ours(session, mail, claims) if is_from_us(mail, settings) else {}
    keys = [*claims.tickets, *earlier.values(), *answers.values(), *chain(*ours.get("requests", {}).values())]
    may_have_letter = mail.automatic is None and not mail.suppress
    return Known(
        **_same_mail(session, mail),
        tickets=_tickets(session, [*keys, *([claims.own_key] if claims.own_key else [])]),
        earlier=earlier,
        answers=answers,
        **ours,
        colleagues=_colleagues(session, [m for m in claims.earlier_ids if m not in earlier], sender),
        open_tickets=_open_tickets(session, address, sender, settings, now) if mail.automatic is None else (),
        bounced=_bounced(session, claims, now),
        counts=counts(session, sender, now, settings.caps, verified=mail.trust == "verified")
        if may_have_letter
        else Counts(),
        undeliverable=address.undeliverable if address else "",
        language=address.language if address else "",
        marks=_mark_facts(session, claims, settings) if claims.marks else MarkFacts(),
        echoes=_echoes(session, address, mail.new_text) if may_have_letter else 0,
    )


def _mark_facts(session: Session, claims: Claims, settings: Settings) -> MarkFacts:
    names, macs = {mark.member for mark in claims.marks}, [mark.mac for mark in claims.marks]
    revoked = session.execute(
        select(col(Member.name), col(Member.revoked_at)).where(
            col(Member.name).in_(names), col(Member.revoked_at).is_not(None)
        )
    )
    dead = session.execute(select(col(DeadMark.mac)).where(col(DeadMark.mac).in_(macs)))
    facts = MarkFacts({row[0]: row[1] for row in revoked}, frozenset(dead.scalars()))
    if claims.parent is None:
        return facts
    message_id = message_id_of(claims.parent, settings.support.address.rpartition("@")[2])
    mail = select(_OUTGOING.c.event, _OUTGOING.c.message_row, _OUTGOING.c.shown)
    row = session.execute(mail.where(_OUTGOING.c.message_id == message_id)).first()
    return replace(facts, event=row.event, about=row.message_row, shown=row.shown) if row else facts


def _lock_requester(session: Session, sender: str) -> _Sender | None:
    """On PostgreSQL, duplicates, caps and places are judged one mail of a requester after the other.

    Who has no row yet is locked by the digest of the address: of two first mails one sees what the other led to.
    """
    row = _SENDER.first(session, sender=sender) if sender else None
    if row is None and sender and session.connection().dialect.name == "postgresql":
        take_turns(session, sender)
        row = _SENDER.first(session, sender=sender)
    if row is None:
        return None
    return _Sender(row.requester_id, row.undeliverable_why if row.undeliverable_since else "", row.language)


def _same_mail(session: Session, mail: Mail) -> dict[str, Any]:
    """The mail as it came before: its copies, with those that gateways changed; those with another text; and what has
    nothing in common with it but the Message-ID."""
    copies = [_copy(row) for row in _SAME_CONTENT.all(session, content=mail.identity)]
    if not (mail.message_id or mail.origin):
        return {"copies": tuple(copies)}
    kindred = _KINDRED.all(
        session, named=mail.message_id or None, writing=mail.origin or None, content=mail.identity
    )  # fmt: skip
    ways = [row for row in kindred if mail.origin and row.origin == mail.origin]
    return {
        "copies": (*copies, *(_copy(row) for row in ways if row.essence == mail.essence)),
        "variants": tuple(_copy(row, row.text or "") for row in ways if row.essence != mail.essence),
        "same_message_id": tuple(
            _copy(row) for row in kindred if row.message_id == mail.message_id and row.essence != mail.essence
        ),
    }


def _copy(row: Any, text: str = "") -> Copy:
    return Copy(
        int(row.id or 0), row.route, row.state, row.trust, row.key, row.delivered_to,
        answered=bool(row.answered), owed=bool(row.owed), text=text,
        rule=row.rule,
    )  # fmt: skip


def _tickets(session: Session, keys: Iterable[str]) -> dict[str, TicketFacts]:
    facts_by_key: dict[str, TicketFacts] = {}
    for key in dict.fromkeys(keys):
        ticket = _TICKET_BY_KEY.first(session, ticket=key)
        if ticket is not None:
            facts_by_key[key] = facts = _facts(session, _followed(session, ticket))
            facts_by_key.setdefault(facts.key, facts)
    return facts_by_key


def _followed(session: Session, ticket: Any) -> Any:
    """The row of the ticket that merges led to; itself when it was never merged."""
    while ticket.merged_into is not None:
        ticket = _TICKET_BY_ID.first(session, ticket=ticket.merged_into)
    return ticket


def _facts(session: Session, ticket: Any) -> TicketFacts:
    owners = _addresses_of(session, ticket.requester_id)
    merged = merged_from(session, ticket.id)
    writers = set(owners)
    for number, person in ((ticket.id, None), *merged):
        writers |= _addresses_of(session, person)
        writers.update(row.key for row in _GUESTS.all(session, ticket=number))
    first = _TICKET_BY_ID.first(session, ticket=ticket.duplicate_of) if ticket.duplicate_of is not None else None
    return TicketFacts(
        key=ticket.key,
        status=ticket.status,
        closed_at=ticket.closed_at,
        writers=frozenset(writers),
        owners=frozenset(owners),
        duplicate_of=first.key if first else None,
        trust=ticket.trust,
        category=ticket.category,
        answered=ticket.first_response_at is not None,
    )


def _addresses_of(session: Session, person: int | None) -> set[str]:
    return set() if person is None else {row.key for row in _ADDRESSES_OF.all(session, person=person)}


def _people(session: Session, address: _Sender | None, sender: str) -> list[str]:
    """The sender's address and the others of the same person."""
    if address is None:
        return [sender] if sender else []
    return sorted(_addresses_of(session, address.requester_id))[:_MOST_ADDRESSES]


def _earlier(session: Session, message_ids: tuple[str, ...], people: list[str]) -> dict[str, str]:
    """Of the referenced Message-IDs those of mails that the sender wrote to tickets, with the first ticket of each.

    Only the sender's own are asked for, so that nobody can put another mail under the same Message-ID in their place.
    """
    if not message_ids or not people:
        return {}
    rows = execute(session, _EARLIER, {"parents": message_ids, "people": people})
    return {row.message_id: row.key for row in rows}


def _answers(session: Session, message_ids: Sequence[str], people: list[str]) -> dict[str, str]:
    """Of the referenced Message-IDs those of answers that went past us and named the sender in To or Cc, with the
    ticket of each. What left through us is known by its signature."""
    if not message_ids or not people:
        return {}
    rows = execute(session, _ANSWERS, {"parents": message_ids})
    return {
        row.message_id: row.key for row in rows if not _addressees(row.to_address, row.cc_address).isdisjoint(people)
    }


def _addressees(to: str, cc: str) -> set[str]:
    return {address_key(address.strip()) for address in f"{to},{cc}".split(",")}


def _ours(session: Session, mail: Mail, claims: Claims) -> dict[str, Any]:
    """What bears on a mail from one of our addresses: the tickets of the mails that it answers, and whether it is on
    record as an answer. On PostgreSQL, of two copies one sees what became of the other."""
    take_turns(session, f"answer {mail.message_id or mail.origin}")
    requests: dict[str, tuple[str, ...]] = {}
    query = (
        select(col(Message.message_id), col(Ticket.key))
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(
            col(Message.message_id).in_(claims.earlier_ids),
            or_(col(Message.direction) == "in", OUTSIDE),
            col(Message.trust) != "failed",
        )
        .order_by(col(Message.id).desc())
        .limit(100)
    )
    for message_id, key in session.execute(query) if claims.earlier_ids else ():
        requests[message_id] = (*requests.get(message_id, ()), key)
    return {"requests": requests, "answer": _recorded(session, mail)}


def _recorded(session: Session, mail: Mail) -> Answer | None:
    """The answer that a mail from us is, if it is on record: under its Message-ID, or the one that it had before a
    server gave it another (see mail.identity.writing); in any case from the same address."""
    same = [col(Message.message_id) == mail.message_id] if mail.message_id else []
    if mail.origin:
        mails = select(col(Incoming.id)).where(col(Incoming.origin) == mail.origin)
        same.append(col(Message.incoming_id).in_(mails))
    if not same:
        return None
    query = (
        select(col(Message.from_address), col(Message.incoming_id), col(Ticket.key))
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(or_(*same), OUTSIDE)
        .order_by(col(Message.id))
        .limit(20)
    )
    for sender, incoming_id, key in session.execute(query):
        if address_key(sender) == mail.from_[0].key:
            return Answer(key, incoming_id)
    return None


def _colleagues(session: Session, message_ids: Sequence[str], sender: str) -> str:
    """The ticket of a mail of somebody else among these that named the sender in To or Cc: of the newest of several."""
    if not message_ids or not sender:
        return ""
    for row in execute(session, _OF_COLLEAGUES, {"parents": message_ids, "sender": sender}):
        if sender in _addressees(row.to_address, row.cc_address):
            return str(row.key)
    return ""


def _open_tickets(
    session: Session, address: _Sender | None, sender: str, settings: Settings, now: datetime
) -> tuple[OpenTicket, ...]:
    requesters = _requesters(session, address, sender, settings)
    if not requesters:
        return ()
    since = now - timedelta(days=settings.duplicates.window_days)
    rows = execute(session, _OPEN_TICKETS, {"people": requesters, "since": since}).all()
    # In the order in which they were opened here: times of arrival are of servers whose clocks differ.
    return tuple(
        OpenTicket(row.key, row.trust, Fingerprint.from_json(row.fingerprint), row.root or "", row.created_at,
                   row.brand)
        for row in sorted(rows, key=lambda row: int(row.id)) if row.fingerprint
    )  # fmt: skip


def _requesters(session: Session, address: _Sender | None, sender: str, settings: Settings) -> list[int]:
    if not settings.duplicates.ignore_address_tags or not sender:
        return [address.requester_id] if address else []
    local, _, domain = sender.rpartition("@")
    bare = local.partition("+")[0]
    plain = _SENDER.first(session, sender=f"{bare}@{domain}")
    # A range of the primary key, which LIKE would not use: "," is the character after "+".
    tagged = _TAGGED.all(session, lowest=f"{bare}+", highest=f"{bare},")
    same = [number for key, number in tagged if key.endswith(f"@{domain}")][:20]
    return [plain.requester_id, *same] if plain else same


def _bounced(session: Session, claims: Claims, now: datetime) -> Bounced | None:
    """The mail that a delivery report returns: by our Message-ID; where a relay put its own in that place, by ticket
    and failed recipient, or by the name under which a server had accepted it. The newest of several is meant."""
    if not (claims.bounced_id or claims.bounced_keys or claims.bounced_queue_ids):
        return None
    query = (
        select(col(Outgoing.id), col(Ticket.key), col(Outgoing.recipient_key), col(Outgoing.copies))
        .outerjoin(Ticket, col(Ticket.id) == col(Outgoing.ticket_id))
        .order_by(col(Outgoing.id).desc())
        .limit(1)
    )
    if claims.bounced_id:
        row = session.execute(query.where(col(Outgoing.message_id) == claims.bounced_id)).first()
        if row is not None:
            return _bounced_mail(row, sure=True)
    conditions = []
    sent = col(Outgoing.sent_at) > now - _BOUNCES_WITHIN
    people = col(Outgoing.recipient_key).in_(claims.bounced_recipients)
    if claims.bounced_keys and claims.bounced_recipients:
        conditions.append(and_(col(Ticket.key).in_(claims.bounced_keys), people, sent))
    if claims.bounced_queue_ids:
        accepted = and_(col(Outgoing.accepted_as).in_(claims.bounced_queue_ids), sent)
        conditions.append(and_(accepted, people) if claims.bounced_recipients else accepted)
    for condition in conditions:
        row = session.execute(query.where(condition)).first()
        if row is not None:
            return _bounced_mail(row, sure=False)
    return None


def _bounced_mail(row: Any, *, sure: bool) -> Bounced:
    return Bounced(int(row[0] or 0), row[1], row[2], sure, tuple(address_key(copy) for copy in row[3] or ()))


def _echoes(session: Session, address: _Sender | None, text: str) -> int:
    """How many of the sender's newest mails say exactly this. A text with secrets in it was masked: it never does."""
    if address is None or not text.strip():
        return 0
    return int(_ECHOES.scalar(session, person=address.requester_id, text=text) or 0)


def counts(session: Session, sender: str, now: datetime, caps: Caps, *, verified: bool = False) -> Counts:
    """How many letters count towards each cap that is set; those for domains and in all bind unverified
    senders only.

    On PostgreSQL, where a cap is near, who counts goes one after the other: each sees what the other wrote.
    """
    if not sender:
        return Counts()
    hour, day = now - timedelta(hours=1), now - timedelta(days=1)
    times = [row.counted_at for row in _TO_ADDRESS.all(session, sender=sender, day=day)]
    mine = Counts(address_hour=sum(at is not None and at > hour for at in times), address_day=len(times))
    if verified:
        return mine
    ours = _unverified(session, sender, hour, caps)
    near = any(cap - _IN_FLIGHT <= number < cap for number, cap in zip(ours, _for_many(caps), strict=True) if cap)
    if near and session.connection().dialect.name == "postgresql":
        take_turns(session, "caps")
        ours = _unverified(session, sender, hour, caps)
    return replace(mine, domain_hour=ours[0], total_hour=ours[1])


def _for_many(caps: Caps) -> tuple[int, int]:
    return caps.per_domain_hour, caps.total_hour


def _unverified(session: Session, sender: str, hour: datetime, caps: Caps) -> tuple[int, int]:
    """How many letters to unverified senders of a domain, and in all, since an hour; 0 where there is no cap."""
    name = sender.rpartition("@")[2]
    domain = _UNVERIFIED_OF_DOMAIN.scalar(session, hour=hour, domain=name) if caps.per_domain_hour else 0
    total = _UNVERIFIED.scalar(session, hour=hour) if caps.total_hour else 0
    return domain or 0, total or 0
