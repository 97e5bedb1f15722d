"""What was written on a ticket so far: by which a reply's new words are told from what it repeats."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select, text
from sqlmodel import Session

from mailticket.models import Message, Outgoing
from mailticket.store.rows import Prepared, table_of

_MOST_LETTERS = 20  # the newest: nobody quotes more of them
_MOST_MESSAGES = 60

_MESSAGES, _OUTGOING = table_of(Message), table_of(Outgoing)
_NEWEST_MESSAGES = Prepared(
    select(_MESSAGES.c.direction, _MESSAGES.c.text, _MESSAGES.c.new_text)
    .where(_MESSAGES.c.ticket_id == bindparam("ticket"), text("message.direction IN ('in', 'out')"))
    .order_by(_MESSAGES.c.id.desc())
    .limit(_MOST_MESSAGES)
)
_NEWEST_WIRES = Prepared(
    select(_OUTGOING.c.wire)
    .where(_OUTGOING.c.ticket_id == bindparam("ticket"), text("outgoing.kind != 'desk'"))
    .order_by(_OUTGOING.c.id.desc())
    .limit(_MOST_LETTERS)
)


@dataclass(frozen=True, slots=True)
class Correspondence:
    """The newest letters of a ticket as texts and as they went over the wire, and what its requester wrote."""

    letters: tuple[str, ...]
    wires: tuple[bytes, ...]
    said: tuple[str, ...]


def of_ticket(session: Session, ticket_id: int) -> Correspondence:
    """What mailticket and staff wrote to the requester of a ticket, and what came from there."""
    messages = _NEWEST_MESSAGES.all(session, ticket=ticket_id)
    letters = [text for direction, text, _ in messages if direction == "out"][:_MOST_LETTERS]
    return Correspondence(
        letters=tuple(letters),
        wires=tuple(bytes(row.wire) for row in _NEWEST_WIRES.all(session, ticket=ticket_id)),
        said=tuple(new_text for direction, _, new_text in messages if direction == "in"),
    )
