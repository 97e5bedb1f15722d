"""The outbox: mails that are owed, claimed one connection at a time, each with its outcome.

A claim is its host's: its data is begun, and its outcome written, by no other. What a host leaves behind that lives no
more is recovered by those that do, and a delivery of which it still knows when it wakes finds its claim gone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, literal, or_, select, text, update
from sqlmodel import Session, col

from mailticket.errors import NotFound
from mailticket.models import SENT_WITH_BYTES, Event, Host, Message, Outgoing, Ticket, UtcDateTime
from mailticket.store.rows import Prepared, execute, insert_values, table_of, update_row

STAFF_RANK = 1
ALERT_RANK = 3  # before letters, behind people's
LETTER_RANK = 5
DESK_RANK = 7  # mail to staff delays no letter
_LONGEST_WAIT = timedelta(hours=6)  # longer than any deferral lasts
DESK = "desk"  # the kind of mail to staff
RESTORED = "restored"  # the code of what is held back because it may have left before a restore
# The words of the partial index: SQLite does not see that a list of bound values is the same.
_WAITING = text("outgoing.state IN ('queued', 'deferred')")


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed row: what the courier needs, and what the outcome depends on."""

    id: int
    kind: str
    rank: int
    envelope_from: str
    recipient: str
    wire: bytes
    message_id: str
    attempts: int
    created_at: datetime
    sent_again: bool
    ticket_id: int | None
    copies: list[str] | None = None
    account: str = ""


def add(session: Session, **values: Any) -> int:
    """Write a row of these columns now, the others by their defaults; returns its id."""
    return insert_values(session, Outgoing, values)


_TABLE = table_of(Outgoing)
_EARLIER = _TABLE.alias("earlier")
_BEHIND_ANOTHER = (
    select(_EARLIER.c.id)
    .where(
        _EARLIER.c.ticket_id == _TABLE.c.ticket_id,
        _EARLIER.c.id < _TABLE.c.id,
        text("earlier.state IN ('queued', 'deferred', 'sending')"),
        _EARLIER.c.rank <= _TABLE.c.rank,
        # Staff and requesters do not wait for each other's mail; each member's comes in order.
        _EARLIER.c.member == _TABLE.c.member,
    )
    .exists()
)
# After a restore nothing leaves until somebody says so, but for alerts, which tell of that too (store.restored).
_MAY_LEAVE = text("(outgoing.kind = 'alert' OR NOT EXISTS (SELECT 1 FROM meta WHERE name = 'held_since_restore'))")
# What waits for its first attempt is due whatever the clock says, and so is what would wait longer than anything may:
# the clock was set back since.
_IS_DUE = or_(
    _TABLE.c.state == literal("queued"),
    _TABLE.c.next_attempt_at <= bindparam("now"),
    _TABLE.c.next_attempt_at > bindparam("beyond"),
)
_DUE_ROWS = (
    select(*(_TABLE.c[field.name] for field in fields(Due)))
    .where(_WAITING, _IS_DUE, ~_BEHIND_ANOTHER, _MAY_LEAVE)
    .order_by(_TABLE.c.rank, _TABLE.c.next_attempt_at, _TABLE.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_DUE = Prepared(_DUE_ROWS)
_DUE_ELSEWHERE = _DUE_ROWS.where(_TABLE.c.account.not_in(bindparam("left", expanding=True)))
_DUE_OF = Prepared(_DUE_ROWS.where(_TABLE.c.account == bindparam("account")))
_CLAIM = Prepared(
    _TABLE.update()
    .where(_TABLE.c.id == bindparam("mail"))
    .values(state="sending", begun_at=None, attempts=_TABLE.c.attempts + 1, claimed_by=bindparam("host"))
)
_CLAIMED = (_TABLE.c.id == bindparam("mail"), _TABLE.c.claimed_by == bindparam("host"))
_BEGIN = Prepared(
    _TABLE.update()
    .where(*_CLAIMED, _TABLE.c.state == literal("sending"), _TABLE.c.begun_at.is_(None))
    .values(begun_at=bindparam("now"))
)
# Whoever sent the data knows better than those who gave its host up, unless another host has taken the mail since.
_IS_KNOWN = (*_CLAIMED, _TABLE.c.state.in_([literal(state) for state in ("sending", "uncertain", "queued")]))
_SENT = Prepared(
    _TABLE.update()
    .where(*_IS_KNOWN)
    .values(state="sent", sent_at=bindparam("now"), begun_at=None, last_error="", accepted_as=bindparam("name"))
)
_LET_GO = Prepared(
    _TABLE.update().where(*_IS_KNOWN).values(state="queued", begun_at=None, attempts=_TABLE.c.attempts - 1)
)
_HOLD = select(_TABLE.c.id).with_for_update()
_HOLD_BEGUN, _HOLD_SENDING = (
    Prepared(_HOLD.where(*conditions)) for conditions in (_IS_KNOWN, (*_CLAIMED, _TABLE.c.state == literal("sending")))
)


def claim(
    session: Session, now: datetime, limit: int, host: int = 0, left: Sequence[str] = (), only: str = ""
) -> list[Due]:
    """Claim for a host the due rows that go first: staff answers before letters, and within a ticket in order.

    Due is what is queued, and what was deferred until `now`. What another host claims at this moment is passed over,
    and what waits behind it in its ticket waits on: one statement sees one moment, and in each a mail is either waiting
    or on its way. left: accounts whose mail stays where it is; only: the one account that is
    meant.
    """
    values = {"now": now, "beyond": now + _LONGEST_WAIT, "most": limit}
    if only:
        rows = _DUE_OF.all(session, **values, account=only)
    elif left:
        rows = list(execute(session, _DUE_ELSEWHERE, {**values, "left": list(left)}))
    else:
        rows = _DUE.all(session, **values)
    for row in rows:
        _CLAIM.change(session, mail=row.id, host=host)
    return [replace(Due(*row), attempts=row.attempts + 1) for row in rows]


_OWED = Prepared(select(_TABLE.c.id).where(text("outgoing.state IN ('queued', 'deferred', 'sending')")).limit(1))


def is_owed(session: Session) -> bool:
    """Whether a mail waits for its turn, or is claimed and has no outcome yet."""
    return _OWED.first(session) is not None


_OVERDUE = select(func.count(), func.min(_TABLE.c.next_attempt_at)).where(
    _WAITING,
    _TABLE.c.next_attempt_at <= bindparam("before"),
    _TABLE.c.kind != literal(DESK),  # waits for every letter, and that is no fault
    ~_BEHIND_ANOTHER,
    _MAY_LEAVE,
)


def overdue(session: Session, before: datetime) -> tuple[int, datetime | None]:
    """How many mails were due by then and were not tried, and since when the first of them is due.

    A mail that its recipient's server puts off has its time for the next try and is not among them.
    """
    row = execute(session, _OVERDUE, {"before": before}).one()
    return int(row[0]), row[1]


def set_begun(session: Session, outgoing_id: int, now: datetime, host: int = 0) -> bool:
    """From here on the outcome is uncertain until the server replies. False when the host has no claim on the mail any
    more, or has begun already: then nothing of it may be sent."""
    return bool(_BEGIN.change(session, mail=outgoing_id, host=host, now=now))


def let_go(session: Session, outgoing_id: int, host: int) -> bool:
    """Nothing of a mail was sent though it was begun: queue it again, in its old place. False when another host has
    taken it meanwhile."""
    return bool(_LET_GO.change(session, mail=outgoing_id, host=host))


def set_sent(session: Session, outgoing_id: int, host: int, now: datetime, accepted_as: str | None) -> bool:
    """The server accepted what a host sent; False when another host has taken the mail meanwhile."""
    return bool(_SENT.change(session, mail=outgoing_id, host=host, now=now, name=accepted_as))


def hold_claim(session: Session, outgoing_id: int, host: int, *, begun: bool) -> bool:
    """Whether the outcome of a delivery is the host's to write; nobody else changes the row before the transaction
    ends. begun: whether it sent the data, so that it knows what others can only call uncertain."""
    held = _HOLD_BEGUN if begun else _HOLD_SENDING
    return held.first(session, mail=outgoing_id, host=host) is not None


def set_outcome(session: Session, outgoing_id: int, **values: object) -> None:
    update_row(session, Outgoing, outgoing_id, values)


def change(session: Session, outgoing_id: int, states: Sequence[str], **values: object) -> str:
    """Change a row if it is in one of these states: one statement, so that no connection claims it in between.

    Returns "", or the state in which it is instead; NotFound where there is no such row.
    """
    fitting = update(Outgoing).where(col(Outgoing.id) == outgoing_id, col(Outgoing.state).in_(states))
    if session.execute(fitting.values(**values)).rowcount:  # type: ignore[attr-defined]
        return ""
    return by_id(session, outgoing_id).state


def release(session: Session, now: datetime, ids: Sequence[int] | None = None) -> int:
    """Queue rows that are held back: those of the given numbers, or all but what may have left before a restore, for
    of those a person decides one by one. Returns how many. They count from now on."""
    held = update(Outgoing).where(col(Outgoing.state) == "withheld")
    held = held.where(col(Outgoing.hold) != RESTORED) if ids is None else held.where(col(Outgoing.id).in_(ids))
    counted = case((col(Outgoing.kind) == DESK, None), else_=literal(now, UtcDateTime()))
    released = session.execute(held.values(state="queued", next_attempt_at=now, counted_at=counted))
    return int(released.rowcount)  # type: ignore[attr-defined]


def cancel_late_notice(session: Session, ticket_id: int) -> bool:
    """Take out the late notice of a ticket that was answered before it left. Returns whether there was one."""
    waiting = col(Outgoing.state).in_(("queued", "deferred", "withheld"))
    notice = update(Outgoing).where(col(Outgoing.ticket_id) == ticket_id, col(Outgoing.kind) == "late-notice", waiting)
    reason = "answered before it left"
    return bool(session.execute(notice.values(state="cancelled", reason=reason)).rowcount)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """An answer of which a folder of sent mail still lacks a copy."""

    id: int
    message_id: str
    wire: bytes
    sent_at: datetime | None


_MOST_SAVING = 5  # attempts


def to_save(session: Session, mailbox: str, limit: int = 20) -> list[Unsaved]:
    """The answers that have left and are to be put into a mailbox's folder of sent mail."""
    query = select(col(Outgoing.id), col(Outgoing.message_id), col(Outgoing.wire), col(Outgoing.sent_at)).where(
        text("outgoing.save_to != ''"), col(Outgoing.save_to) == mailbox, text(SENT_WITH_BYTES)
    )
    return [Unsaved(*row) for row in session.execute(query.order_by(col(Outgoing.id)).limit(limit))]


def saved(session: Session, outgoing_id: int, *, refused: bool) -> None:
    """A copy is there; or the server refused it, and is asked again a few times."""
    row = update(Outgoing).where(col(Outgoing.id) == outgoing_id)
    if not refused:
        session.execute(row.values(save_to=""))
        return
    session.execute(row.values(saving_attempts=col(Outgoing.saving_attempts) + 1))
    session.execute(row.where(col(Outgoing.saving_attempts) >= _MOST_SAVING).values(save_to=""))


_CLAIMER = table_of(Host)
_IS_ORPHAN = (
    ~select(_CLAIMER.c.id)
    .where(_CLAIMER.c.id == _TABLE.c.claimed_by, _CLAIMER.c.dead_at.is_(None), _CLAIMER.c.stopped_at.is_(None))
    .exists()
)


def recover(session: Session, now: datetime, host: int = 0, but: Collection[int] = ()) -> tuple[int, int]:
    """Settle the claims of a host on what is not under way, and those of hosts that live no more: rows whose data was
    not begun are queued again, in their old place; begun ones are uncertain.

    but: the rows that are under way. Returns how many of each.
    """
    mine = (_TABLE.c.claimed_by == host) & _TABLE.c.id.not_in(but)
    return _recover(session, now, or_(mine, _IS_ORPHAN & (func.coalesce(_TABLE.c.claimed_by, -1) != host)))


def recover_orphans(session: Session, now: datetime) -> tuple[int, int]:
    """The same for claims whose host ended or was given up only, and for those of a release that knew no hosts."""
    return _recover(session, now, _IS_ORPHAN)


def _recover(session: Session, now: datetime, whose: ColumnElement[bool]) -> tuple[int, int]:
    sending = (col(Outgoing.state) == "sending", whose)
    again = update(Outgoing).where(*sending, col(Outgoing.begun_at).is_(None))
    queued = session.execute(again.values(state="queued")).rowcount  # type: ignore[attr-defined]
    # Locked, for its host may live after all and write the outcome at this moment.
    begun = select(Outgoing).where(*sending, col(Outgoing.begun_at).is_not(None)).order_by(col(Outgoing.id))
    unsure = begun.with_for_update(of=Outgoing).execution_options(populate_existing=True)
    rows = session.execute(unsure).scalars().all()
    for row in rows:
        mark_uncertain(session, row, now, "its delivery ended before the server's reply to the data")
    return int(queued), len(rows)


def mark_uncertain(session: Session, row: Outgoing, now: datetime, why: str) -> None:
    """Nobody knows whether it was accepted: a letter stays so, a staff answer is sent once more."""
    row.last_error, row.begun_at = why, None
    if row.rank == STAFF_RANK and not row.sent_again:
        row.state, row.sent_again, row.next_attempt_at = "queued", True, now
    else:
        row.state = "uncertain"
    session.add(row)
    if row.ticket_id is not None:
        session.add(Event(ticket_id=row.ticket_id, at=now, kind=f"{row.kind} uncertain", detail=why))
    session.flush()


def by_id(session: Session, outgoing_id: int) -> Outgoing:
    row: Outgoing | None = session.get(Outgoing, outgoing_id)
    if row is None:
        raise NotFound(f"there is no outgoing mail number {outgoing_id}; `mailticket outbox list` shows them")
    return row


def withheld_since(session: Session, hold: str, since: datetime) -> bool:
    """Whether a letter was held back since a moment by what has this code (triage.decision.Hold)."""
    query = select(col(Outgoing.id)).where(
        col(Outgoing.state) == "withheld", col(Outgoing.hold) == hold, col(Outgoing.created_at) > since
    )
    return session.execute(query.order_by(col(Outgoing.id).desc()).limit(1)).first() is not None


def listing(
    session: Session, states: Sequence[str] = (), ticket_id: int | None = None, limit: int | None = None
) -> list[tuple[Outgoing, str | None]]:
    """Rows with the ID of their ticket, oldest first."""
    query = select(Outgoing, col(Ticket.key)).outerjoin(Ticket, col(Ticket.id) == col(Outgoing.ticket_id))
    if states:
        query = query.where(col(Outgoing.state).in_(states))
    if ticket_id is not None:
        query = query.where(col(Outgoing.ticket_id) == ticket_id)
    query = query.order_by(col(Outgoing.id)).limit(limit)
    return [(row, key) for row, key in session.execute(query)]


def of_messages(session: Session, messages: Sequence[Message]) -> dict[int, Outgoing]:
    """The mails as which messages left, by the message's id: those of these messages, wherever a merge put them."""
    homes = {home for message in messages for home in (message.ticket_id, message.home_ticket_id) if home}
    letters = (col(Outgoing.ticket_id).in_(homes), col(Outgoing.kind) != DESK)
    rows = session.execute(select(Outgoing).where(*letters)).scalars()
    return {row.message_row: row for row in rows if row.message_row is not None}


def caused_by(session: Session, incoming_id: int) -> list[tuple[Outgoing, str | None]]:
    """The mails that an incoming mail caused."""
    query = (
        select(Outgoing, col(Ticket.key))
        .outerjoin(Ticket, col(Ticket.id) == col(Outgoing.ticket_id))
        .where(col(Outgoing.cause_id) == incoming_id)
        .order_by(col(Outgoing.id))
    )
    return [(row, key) for row, key in session.execute(query)]
