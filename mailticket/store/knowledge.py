"""What the store knows that bears on one mail, gathered under the lock of its requester."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from mailticket.mail.values import Mail
from mailticket.models import Address, Incoming, Message, Outgoing, Participant, Requester, Ticket
from mailticket.settings import Settings
from mailticket.triage.duplicates import Fingerprint
from mailticket.triage.known import Bounced, Claims, Copy, Counts, Known, OpenTicket, TicketFacts

_MOST_OPEN_TICKETS = 50
_MOST_MERGES = 20
_MOST_ADDRESSES = 50  # of one person
_OPEN = ("new", "open", "pending")
TAKEN_IN = ("opened", "appended", "filed", "quarantined")


def known(session: Session, mail: Mail, claims: Claims, settings: Settings, now: datetime) -> Known:
    """Everything that the judgement of this mail may ask for, and nothing else."""
    sender = mail.sender_address.key if mail.sender_address else ""
    address = _lock_requester(session, sender)
    earlier = _earlier(session, claims.earlier_ids, _people(session, address, sender))
    answerable = mail.automatic is None and not mail.suppress
    return Known(
        copies=_copies(session, col(Incoming.identity) == mail.identity),
        same_message_id=_collisions(session, mail),
        tickets=_tickets(session, [*claims.tickets, *earlier.values()]),
        earlier=earlier,
        open_tickets=_open_tickets(session, address, sender, settings, now) if answerable else (),
        bounced=_bounced(session, claims.bounced_id),
        counts=counts(session, sender, now, verified=mail.trust == "verified") if answerable else Counts(),
        undeliverable=address.undeliverable_why if address and address.undeliverable_since else "",
        language=_language(session, address),
    )


def _lock_requester(session: Session, sender: str) -> Address | None:
    """On PostgreSQL, duplicates, caps and places are judged one mail of a requester after the other."""
    if not sender:
        return None
    address: Address | None = session.execute(
        select(Address).where(col(Address.key) == sender).with_for_update()
    ).scalar()
    return address


def _copies(session: Session, *condition: ColumnElement[bool]) -> tuple[Copy, ...]:
    query = select(Incoming, col(Ticket.key)).outerjoin(Ticket, col(Ticket.id) == col(Incoming.ticket_id))
    query = query.where(*condition, col(Incoming.state).in_(TAKEN_IN)).order_by(col(Incoming.id)).limit(20)
    return tuple(
        Copy(int(row.id or 0), row.route, row.state, row.trust, key, _came(row))
        for row, key in session.execute(query)
    )  # fmt: skip


def _came(row: Incoming) -> str:
    """By which way a mail came, as its evidence says."""
    return next((said for rule, said in row.evidence or () if rule == "route"), "")


def _collisions(session: Session, mail: Mail) -> tuple[Copy, ...]:
    if not mail.message_id:
        return ()
    return _copies(session, col(Incoming.message_id) == mail.message_id, col(Incoming.identity) != mail.identity)


def _tickets(session: Session, keys: Iterable[str]) -> dict[str, TicketFacts]:
    found = {}
    for key in dict.fromkeys(keys):
        ticket = session.execute(select(Ticket).where(col(Ticket.key) == key)).scalar()
        if ticket is not None:
            target = merged_into(session, ticket)
            found[key] = facts = _facts(session, target)
            found.setdefault(facts.key, facts)
    return found


def merged_into(session: Session, ticket: Ticket) -> Ticket:
    """The ticket that merges led to; itself when it was never merged."""
    for _ in range(_MOST_MERGES):
        if ticket.merged_into is None:
            break
        ticket = session.get_one(Ticket, ticket.merged_into)
    return ticket


def _facts(session: Session, ticket: Ticket) -> TicketFacts:
    owners = set(session.execute(_addresses_of([ticket.requester_id])).scalars())
    merged = _merged_from(session, ticket)
    guests = select(col(Participant.key)).where(col(Participant.ticket_id).in_([ticket.id, *merged]))
    writers = {*owners, *session.execute(guests).scalars()}
    if merged:
        others = select(col(Ticket.requester_id)).where(col(Ticket.id).in_(merged))
        writers |= set(session.execute(_addresses_of(session.execute(others).scalars())).scalars())
    first = session.get(Ticket, ticket.duplicate_of) if ticket.duplicate_of is not None else None
    return TicketFacts(
        key=ticket.key,
        status=ticket.status,
        closed_at=ticket.closed_at,
        writers=frozenset(writers),
        owners=frozenset(owners),
        duplicate_of=first.key if first else None,
        trust=ticket.trust,
    )


def _addresses_of(requesters: Iterable[int | None]) -> Select[str]:
    people = [requester for requester in requesters if requester is not None]
    return select(col(Address.key)).where(col(Address.requester_id).in_(people))


def _merged_from(session: Session, ticket: Ticket) -> list[int]:
    """The tickets that were merged into this one, directly or through others."""
    found: list[int] = []
    newest = [int(ticket.id or 0)]
    for _ in range(_MOST_MERGES):
        query = select(col(Ticket.id)).where(col(Ticket.merged_into).in_(newest))
        newest = [int(merged or 0) for merged in session.execute(query).scalars() if merged not in found]
        if not newest:
            break
        found += newest
    return found


def _people(session: Session, address: Address | None, sender: str) -> list[str]:
    """The sender's address and the others of the same person."""
    if address is None:
        return [sender] if sender else []
    return list(session.execute(_addresses_of([address.requester_id]).limit(_MOST_ADDRESSES)).scalars())


def _earlier(session: Session, message_ids: tuple[str, ...], people: list[str]) -> dict[str, str]:
    """Of the referenced Message-IDs those of mails that the sender wrote to tickets, with the first ticket of each.

    Only the sender's own are asked for, so that nobody can put another mail under the same Message-ID in their place.
    """
    if not message_ids or not people:
        return {}
    query = (
        select(col(Message.message_id), col(Ticket.key))
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(
            col(Message.message_id).in_(message_ids),
            col(Message.direction) == "in",
            func.lower(col(Message.from_address)).in_(people),
            col(Message.trust) != "failed",
        )
        .order_by(col(Message.id).desc())
        .limit(100)
    )
    return {str(message_id): key for message_id, key in session.execute(query)}


def _open_tickets(
    session: Session, address: Address | None, sender: str, settings: Settings, now: datetime
) -> tuple[OpenTicket, ...]:
    requesters = _requesters(session, address, sender, settings)
    if not requesters:
        return ()
    first = aliased(Ticket)
    query = (
        select(col(Ticket.key), col(Ticket.trust), col(Ticket.fingerprint), col(first.key))
        .outerjoin(first, and_(col(first.id) == col(Ticket.duplicate_of), col(first.status).in_(_OPEN)))
        .where(
            col(Ticket.requester_id).in_(requesters),
            col(Ticket.created_at) > now - timedelta(days=settings.duplicates.window_days),
            col(Ticket.status).in_(_OPEN),
            col(Ticket.trust) != "failed",
            col(Ticket.fingerprint).is_not(None),
        )
        .order_by(col(Ticket.created_at).desc())
        .limit(_MOST_OPEN_TICKETS)
    )
    rows = [OpenTicket(key, trust, Fingerprint.from_json(stored), root or "")
            for key, trust, stored, root in session.execute(query) if stored]  # fmt: skip
    return tuple(reversed(rows))


def _requesters(session: Session, address: Address | None, sender: str, settings: Settings) -> list[int]:
    if not settings.duplicates.ignore_address_tags or not sender:
        return [address.requester_id] if address else []
    local, _, domain = sender.rpartition("@")
    bare = local.partition("+")[0].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    same = or_(col(Address.key) == f"{local.partition('+')[0]}@{domain}",
               col(Address.key).like(f"{bare}+%@{domain}", escape="\\"))  # fmt: skip
    return list(session.execute(select(col(Address.requester_id)).where(same).limit(20)).scalars())


def _bounced(session: Session, message_id: str) -> Bounced | None:
    if not message_id:
        return None
    query = (
        select(col(Outgoing.id), col(Ticket.key), col(Outgoing.recipient_key))
        .outerjoin(Ticket, col(Ticket.id) == col(Outgoing.ticket_id))
        .where(col(Outgoing.message_id) == message_id)
    )
    row = session.execute(query).first()
    return Bounced(int(row[0] or 0), row[1], row[2]) if row else None


def counts(session: Session, sender: str, now: datetime, *, verified: bool = False) -> Counts:
    """How many automatic answers count towards each cap; those for domains and in all bind unverified senders only."""
    if not sender:
        return Counts()
    hour, day = now - timedelta(hours=1), now - timedelta(days=1)
    to_address = select(col(Outgoing.counted_at)).where(
        col(Outgoing.recipient_key) == sender, col(Outgoing.counted_at) > day
    )
    times = list(session.execute(to_address.limit(1000)).scalars())
    mine = Counts(address_hour=sum(at is not None and at > hour for at in times), address_day=len(times))
    if verified:
        return mine
    unverified = _how_many().where(col(Outgoing.counted_at) > hour, col(Outgoing.verified).is_(False))
    domain = sender.rpartition("@")[2]
    return replace(
        mine,
        domain_hour=session.execute(unverified.where(col(Outgoing.recipient_domain) == domain)).scalar() or 0,
        total_hour=session.execute(unverified).scalar() or 0,
    )


def _how_many() -> Select[int]:
    return select(func.count()).select_from(Outgoing)


def _language(session: Session, address: Address | None) -> str:
    requester = session.get(Requester, address.requester_id) if address else None
    return requester.language if requester else ""
