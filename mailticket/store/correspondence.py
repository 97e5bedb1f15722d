"""What was written on a ticket so far: by which a reply's new words are told from what it repeats."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from mailticket.models import Message, Outgoing

_MOST_LETTERS = 20  # the newest: nobody quotes more of them
_MOST_MESSAGES = 60


@dataclass(frozen=True, slots=True)
class Correspondence:
    """The newest letters of a ticket as texts and as they went over the wire, and what its requester wrote."""

    letters: tuple[str, ...]
    wires: tuple[bytes, ...]
    said: tuple[str, ...]


def of_ticket(session: Session, ticket_id: int) -> Correspondence:
    """What mailticket and staff wrote to the requester of a ticket, and what came from there."""
    messages = session.execute(
        select(col(Message.direction), col(Message.text), col(Message.new_text))
        .where(col(Message.ticket_id) == ticket_id, col(Message.direction).in_(("in", "out")))
        .order_by(col(Message.id).desc())
        .limit(_MOST_MESSAGES)
    ).all()
    wires = session.execute(
        select(col(Outgoing.wire))
        .where(col(Outgoing.ticket_id) == ticket_id)
        .order_by(col(Outgoing.id).desc())
        .limit(_MOST_LETTERS)
    ).scalars()
    letters = [text for direction, text, _ in messages if direction == "out"][:_MOST_LETTERS]
    return Correspondence(
        letters=tuple(letters),
        wires=tuple(bytes(wire) for wire in wires),
        said=tuple(new_text for direction, _, new_text in messages if direction == "in"),
    )
