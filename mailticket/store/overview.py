"""Lists and figures for people and programs: tickets, what waits and since when, and the conservation of mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Select, TextClause, and_, case, extract, func, literal_column, select, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from mailticket.mail.address import address_key
from mailticket.models import OUTGOING_STATES, TICKET_STATES, Address, Incoming, Message, Outgoing, Ticket
from mailticket.settings import PRIORITIES
from mailticket.store import search
from mailticket.store.desk import HELD, held_of
from mailticket.store.engine import Database
from mailticket.store.incoming import OUT_OF_SIGHT
from mailticket.store.tickets import UNANSWERED, WAITING
from mailticket.text.times import latest_past
from mailticket.triage.rules import BLOCKED, BOUNCE_UNCLAIMED

T = TypeVar("T")

_PAGE = 500
UNFINISHED = text("ticket.status IN ('new', 'open', 'pending')")  # in the words of the partial index


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tickets to list, and in which order; an empty field asks nothing.

    unfinished: only those that are not at their end. assigned: to whom, "" for nobody, None for anybody. held: on which
    an answer is held. held_by_law: what may not be erased. spam: only what the site's filter holds for it. search:
    words that all occur in the ticket. brand: under which name it is answered, "" for that of [support], None for any.
    sort: by the end of the promise, by who waits longest, or by the newest change.
    """

    status: Sequence[str] = ()
    category: str = ""
    requester: str = ""
    duplicates: bool = False
    merged: bool = False
    since: datetime | None = None
    waiting: Literal["", "us", "them"] = ""
    search: Sequence[str] = ()
    unfinished: bool = False
    assigned: str | None = None
    team: str = ""
    held: bool = False
    spam: bool = False
    held_by_law: bool = False
    brand: str | None = None
    sort: Literal["", "promise", "waiting", "updated"] = ""


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket as lists show it."""

    ticket: Ticket
    requester: str
    messages: int
    duplicate_of: str | None
    merged_into: str | None
    linked_to: str | None
    held: int


def ticket_rows(
    database: Database, criteria: Filter, limit: int | None, face: Callable[[Session, TicketRow], T]
) -> Iterator[T]:
    """Tickets as `face` shows each: newest first, or what waits for us in the order of the queue. Page by page, so that
    the first line comes at once however many there are; between pages no transaction is open, for whoever reads may
    take a pause."""
    pages = _pages_in_order if criteria.sort or criteria.waiting == "us" else _newest
    for ids in pages(database, criteria, limit):
        with database.read() as session:
            shown = [face(session, row) for row in _rows(session, _tickets(session, ids))]
        yield from shown


def _pages_in_order(database: Database, criteria: Filter, limit: int | None) -> Iterator[list[int]]:
    with database.read() as session:
        ids = _in_order(session, criteria, limit)
    for start in range(0, len(ids), _PAGE):
        yield ids[start : start + _PAGE]


def _newest(database: Database, criteria: Filter, limit: int | None) -> Iterator[list[int]]:
    before: int | None = None
    left = limit
    while left is None or left > 0:
        size = min(_PAGE, left) if left is not None else _PAGE
        with database.read() as session:
            page = _page(session, criteria, before, size)
        if page:
            yield page
        if len(page) < size:
            return
        before = page[-1]
        left = None if left is None else left - size


def _order(sort: str) -> tuple[Any, ...]:
    if sort == "promise":  # those first that still have one to keep
        return (case((UNANSWERED, 0), else_=1), col(Ticket.promised_by).is_(None), col(Ticket.promised_by))
    if sort == "waiting":
        return (col(Ticket.waiting_since).is_(None), col(Ticket.waiting_since))
    if sort == "updated":
        return (col(Ticket.updated_at).desc(),)
    rank = case(
        {name: place for place, name in enumerate(PRIORITIES)}, value=col(Ticket.priority), else_=len(PRIORITIES)
    )
    return (col(Ticket.spam), rank, col(Ticket.waiting_since))


def first(session: Session, criteria: Filter, limit: int) -> list[Ticket]:
    """The first tickets of a list, in its order."""
    return _tickets(session, _in_order(session, criteria, limit))


def _in_order(session: Session, criteria: Filter, limit: int | None) -> list[int]:
    query = select(col(Ticket.id)).where(*_conditions(session, criteria))
    query = query.order_by(*_order(criteria.sort), col(Ticket.id)).limit(limit)
    return [int(number or 0) for number in session.execute(query).scalars()]


def _tickets(session: Session, ids: Sequence[int]) -> list[Ticket]:
    """The tickets of these ids, in this order."""
    rows = {row.id: row for row in session.execute(select(Ticket).where(col(Ticket.id).in_(ids))).scalars()}
    return [rows[number] for number in ids if number in rows]


def ticket_row(session: Session, ticket: Ticket) -> TicketRow:
    """One ticket as lists show it."""
    return _rows(session, [ticket])[0]


def _page(session: Session, criteria: Filter, before: int | None, size: int) -> list[int]:
    query = select(col(Ticket.id)).limit(size)
    if before is not None:
        query = query.where(col(Ticket.id) < before)
    # In the order of ids all tickets would be read to find the few of one person; this form keeps off it.
    order = (col(Ticket.id) + 0 if criteria.assigned else col(Ticket.id)).desc()
    if criteria.search:
        candidates, are_all = search.recent(session, criteria.search, before)
        others = _conditions(session, replace(criteria, search=()))
        page = _numbers(session, query.where(col(Ticket.id).in_(candidates), *others).order_by(order))
        if len(page) == size or are_all:
            return page
        order = (col(Ticket.id) + 0).desc()  # or all tickets would be looked at one by one in this order
    return _numbers(session, query.where(*_conditions(session, criteria)).order_by(order))


def _numbers(session: Session, query: Select[Any]) -> list[int]:
    return [int(number or 0) for number in session.execute(query).scalars()]


def _conditions(session: Session, criteria: Filter) -> list[ColumnElement[bool] | TextClause]:
    conditions: list[ColumnElement[bool] | TextClause] = []
    if not criteria.merged:
        merged_into = col(Ticket.merged_into)
        # Nearly every ticket has no merged_into. In the order of their ids its index is as good as any; to find the few
        # that wait, or are one person's, it is the slowest, and this form keeps off it.
        few = criteria.waiting == "us" or criteria.assigned
        conditions.append(func.coalesce(merged_into, 0) == 0 if few else merged_into.is_(None))
    if criteria.status:
        conditions.append(col(Ticket.status).in_(criteria.status))
    if criteria.unfinished:
        conditions.append(UNFINISHED)
    if criteria.assigned is not None:
        conditions.append(col(Ticket.assigned_to) == criteria.assigned)
    if criteria.assigned:
        conditions.append(text("ticket.assigned_to != ''"))  # in the words of the partial index
    if criteria.team:
        conditions.append(col(Ticket.team) == criteria.team)
    if criteria.brand is not None:
        conditions.append(col(Ticket.brand) == criteria.brand)
    if criteria.held:
        conditions.append(col(Ticket.id).in_(select(col(Message.ticket_id)).where(HELD)))
    if criteria.waiting:
        # What waits for us in the words of the partial index, so that it can be used.
        conditions.append(WAITING if criteria.waiting == "us" else col(Ticket.waiting_for) == criteria.waiting)
    if criteria.category:
        conditions.append(col(Ticket.category) == criteria.category)
    if criteria.spam:
        conditions.append(text("ticket.spam"))  # in the words of the partial index
    if criteria.held_by_law:
        conditions.append(text("ticket.legal_hold != ''"))  # in the words of the partial index
    if criteria.duplicates:
        conditions.append(col(Ticket.duplicate_of).is_not(None))
    if criteria.since is not None:
        conditions.append(col(Ticket.created_at) >= criteria.since)
    if criteria.requester:
        address = session.get(Address, address_key(criteria.requester))
        conditions.append(col(Ticket.requester_id) == (address.requester_id if address else -1))
    if criteria.search:
        others = select(col(Ticket.id)).where(*conditions)
        conditions.append(search.condition(session, criteria.search, others))
    return conditions


def _rows(session: Session, page: Sequence[Ticket]) -> list[TicketRow]:
    """The page with what stands in other tables, each asked once for the whole page."""
    if not page:
        return []
    ids = [ticket.id for ticket in page]
    people = {ticket.requester_id for ticket in page}
    other = aliased(Ticket)
    query = select(col(Address.requester_id), func.min(col(Address.address))).where(
        col(Address.requester_id).in_(people)
    )
    addresses = dict(_pairs(session.execute(query.group_by(col(Address.requester_id)))))
    counts = select(col(Message.ticket_id), func.count()).where(col(Message.ticket_id).in_(ids))
    messages = dict(_pairs(session.execute(counts.group_by(col(Message.ticket_id)))))
    links = {link for t in page for link in (t.duplicate_of, t.merged_into, t.linked_to)}
    keys = dict(_pairs(session.execute(select(col(other.id), col(other.key)).where(col(other.id).in_(links)))))
    held = held_of(session, [int(number or 0) for number in ids])
    return [
        TicketRow(t, addresses.get(t.requester_id, ""), messages.get(t.id, 0), keys.get(t.duplicate_of),
                  keys.get(t.merged_into), keys.get(t.linked_to), held.get(int(t.id or 0), 0))
        for t in page
    ]  # fmt: skip


def _pairs(rows: Any) -> list[tuple[Any, Any]]:
    return [(row[0], row[1]) for row in rows]


def conservation(session: Session) -> dict[str, dict[str, int]]:
    """For each mailbox, how many mails were listed and in which state they are: promise 1 in figures."""
    query = select(col(Incoming.route), col(Incoming.state), func.count()).group_by(
        col(Incoming.state), col(Incoming.route)
    )
    table: dict[str, dict[str, int]] = {}
    for route, state, number in session.execute(query):
        table.setdefault(route, {})[state] = number
    return table


@dataclass(frozen=True, slots=True)
class Figures:
    """What `status` shows beside the health of each part."""

    tickets: dict[str, int]
    unanswered: int
    oldest_unanswered: tuple[str, datetime] | None
    overdue: int
    kept: int
    missed: int
    outgoing: dict[str, int]
    oldest_due: datetime | None
    quarantined: int
    oldest_pending: datetime | None
    pending: dict[str, int]
    afterwards_refused: dict[str, tuple[int, str]]
    filed: int
    filed_named_us: int
    unclaimed_bounces: int
    blocked: int
    blocked_answers: int


def figures(session: Session, now: datetime, since: datetime) -> Figures:
    """The figures of the moment; kept and missed promises, and what was filed without a ticket, count since `since`.

    Of what was filed, mail that named us counts until staff dismissed it, and so do delivery reports that belong to no
    letter of ours, however old they are. What was blocked counts apart: in all, and what answered a ticket.
    """
    waiting = (col(Ticket.first_response_at).is_(None), col(Ticket.status).in_(("new", "open")))
    first = select(col(Ticket.key), col(Ticket.created_at)).where(*waiting)
    oldest = session.execute(first.order_by(col(Ticket.created_at), col(Ticket.id)).limit(1)).first()
    kept, missed = _kept_and_missed(session, since)
    under_way = (col(Outgoing.state).in_(("queued", "deferred", "sending")), col(Outgoing.kind) != "desk")
    due = select(func.min(col(Outgoing.created_at))).where(*under_way)
    listed = col(Incoming.state) == "listed"
    filed = text(OUT_OF_SIGHT)
    blocked = col(Incoming.rule) == BLOCKED
    recent, unseen = col(Incoming.decided_at) >= since, col(Incoming.dismissed_at).is_(None)
    return Figures(
        tickets=_states(session, col(Ticket.status), TICKET_STATES, "closed"),
        unanswered=_count(session, Ticket, *waiting),
        oldest_unanswered=(oldest[0], oldest[1]) if oldest else None,
        overdue=_count(session, Ticket, *waiting, col(Ticket.promised_by) <= latest_past(now)),
        kept=kept,
        missed=missed,
        outgoing=_states(session, col(Outgoing.state), OUTGOING_STATES, "sent"),
        oldest_due=session.execute(due).scalar(),
        quarantined=_count(session, Incoming, col(Incoming.state) == "quarantined"),
        oldest_pending=session.execute(select(func.min(col(Incoming.listed_at))).where(listed)).scalar(),
        pending=_tally(session, col(Incoming.route), listed),
        afterwards_refused=_refused(session),
        filed=_count(session, Incoming, filed, recent),
        filed_named_us=_count(session, Incoming, filed, recent, unseen, ~blocked, col(Incoming.names_us).is_(True)),
        unclaimed_bounces=_count(session, Incoming, filed, unseen, col(Incoming.rule) == BOUNCE_UNCLAIMED),
        blocked=_count(session, Incoming, filed, recent, blocked),
        blocked_answers=_count(session, Incoming, filed, recent, unseen, blocked, col(Incoming.names_ticket).is_(True)),
    )


@dataclass(frozen=True, slots=True)
class NameFigures:
    """How the tickets of one name stand that are not at their end: how many, and of them the unanswered and overdue."""

    unfinished: int = 0
    unanswered: int = 0
    overdue: int = 0


def by_brand(session: Session, now: datetime) -> dict[str, NameFigures]:
    """The figures of each name that has tickets which are not at their end; "" is that of [support]."""
    waits = and_(col(Ticket.first_response_at).is_(None), col(Ticket.status).in_(("new", "open")))
    late = and_(waits, col(Ticket.promised_by) <= latest_past(now))
    sums = (func.sum(case((condition, 1), else_=0)) for condition in (waits, late))
    # An expression, or SQLite would read all tickets in the order of an index instead of the few of the partial one.
    brand: ColumnElement[str] = literal_column("ticket.brand || ''")
    query = select(brand, func.count(), *sums).where(UNFINISHED).group_by(brand)
    return {row[0]: NameFigures(int(row[1]), int(row[2]), int(row[3])) for row in session.execute(query)}


_HALF_HOUR = 1800  # seconds


def _kept_and_missed(session: Session, since: datetime) -> tuple[int, int]:
    """Of the first answers since then to those who had a promise, how many came in time and how many late."""
    promised = extract("epoch", col(Ticket.promised_by))
    beyond = promised % _HALF_HOUR  # a promise is said to the next half hour
    said = promised + case((beyond > 0, _HALF_HOUR - beyond), else_=0)
    late = case((extract("epoch", col(Ticket.first_response_at)) > said, 1), else_=0)
    query = select(func.count(), func.sum(late)).where(
        col(Ticket.first_response_at) >= since, col(Ticket.promised_by).is_not(None)
    )
    answered, missed = session.execute(query).one()
    return int(answered) - int(missed or 0), int(missed or 0)


def _refused(session: Session) -> dict[str, tuple[int, str]]:
    """For each mailbox, how many flags or moves the server refused, and its words."""
    # An expression, or SQLite reads all rows in the order of an index that begins with the column.
    route: ColumnElement[str] = literal_column("incoming.route || ''")
    query = (
        select(route, func.count(), func.max(col(Incoming.afterwards_error)))
        .where(col(Incoming.afterwards) == "due", col(Incoming.afterwards_attempts) > 0)
        .group_by(route)
    )
    return {row[0]: (row[1], row[2]) for row in session.execute(query)}


def _tally(session: Session, column: Any, *conditions: ColumnElement[bool]) -> dict[str, int]:
    return dict(_pairs(session.execute(select(column, func.count()).where(*conditions).group_by(column))))


def _states(session: Session, column: Any, states: Sequence[str], end: str) -> dict[str, int]:
    """How many rows are in each state. Nearly all are at their end, and counting a whole table reads no row of it."""
    numbers = _tally(session, column, column.in_([state for state in states if state != end]))
    rest = _count(session, column.class_) - sum(numbers.values())
    return {**numbers, end: rest} if rest else numbers


def _count(session: Session, table: Any, *conditions: ColumnElement[bool] | TextClause) -> int:
    return int(session.execute(select(func.count()).select_from(table).where(*conditions)).scalar() or 0)


_NEWEST_MESSAGES = 20_000  # among which requests and letters are looked for


def recipients_of_requests(session: Session, since: datetime) -> list[tuple[str, str, str]]:
    """To, Cc and brand of the requests since then, of the newest messages alone."""
    newest = select(func.max(col(Message.id)) - _NEWEST_MESSAGES).scalar_subquery()
    query = (
        select(col(Message.to_address), col(Message.cc_address), col(Ticket.brand))
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(col(Message.id) > newest, col(Message.kind) == "request", col(Message.at) >= since)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


Named = Literal["brand", "category", "team", "assigned_to"]  # columns that name something of the configuration


def has_ticket(session: Session, column: Named, value: str) -> bool:
    """Whether there is any ticket with this value in its column."""
    matching: ColumnElement[bool] = col(getattr(Ticket, column)) == value
    return session.execute(select(col(Ticket.id)).where(matching).limit(1)).first() is not None


def senders(session: Session) -> list[tuple[str, datetime]]:
    """The addresses, lower-cased, from which we wrote, each with the time of its last letter; of the newest messages
    alone. Answers that went past us came in as mails, and are left out."""
    newest = select(func.max(col(Message.id)) - _NEWEST_MESSAGES).scalar_subquery()
    sender = func.lower(col(Message.from_address))
    query = (
        select(sender, func.max(col(Message.at)))
        .where(col(Message.id) > newest, col(Message.direction) == "out", col(Message.incoming_id).is_(None))
        .where(col(Message.from_address) != "")
        .group_by(sender)
        .order_by(sender)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


_MOST_PREFIXES = 20


def prefixes_beside(session: Session, known: Sequence[str]) -> list[str]:
    """The prefixes of ticket IDs that are none of these, at most 20: one look into the index for each prefix."""
    prefixes: list[str] = []
    behind = ""
    while len(prefixes) < len(known) + _MOST_PREFIXES:
        key = session.execute(select(func.min(col(Ticket.key))).where(col(Ticket.key) > behind)).scalar()
        prefix = str(key).partition("-")[0]
        if key is None or prefix in prefixes:  # the latter where a collation puts "." before "-"
            break
        prefixes.append(prefix)
        behind = f"{prefix}."  # in ASCII, and in the languages' collations, behind "-"
    return [prefix for prefix in prefixes if prefix not in known]
