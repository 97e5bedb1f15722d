"""Commands of staff mail carried out, and what they ask looked up. What one of them refuses, the whole mail refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from mailticket.desk.hands import Change
from mailticket.desk.looking import Onlooker
from mailticket.errors import NotFound, Refused
from mailticket.outbox.desk_mail import Passage, help_passage, list_passage, ticket_passage
from mailticket.site import Site
from mailticket.store import Session, desk, outgoing, overview
from mailticket.triage.orders import Order, Word

if TYPE_CHECKING:
    from mailticket.desk.tickets import Desk

WITH_ANSWER: tuple[Word, ...] = ("note", "send", "canned", "cc", "open", "pending", "solved")
"""What says how an answer leaves, and is no deed of its own then."""
WITH_WORDS: tuple[Word, ...] = ("note", "send", "canned", "cc")
"""What says where the words of a mail go, and which."""
QUERIES: tuple[Word, ...] = ("mine", "next", "find", "show", "help")
_LISTED = 50


def obey(desk_: Desk, key: str, orders: Iterable[Order]) -> None:
    """Carry out commands on a ticket, in their order. Raises Refused or NotFound, and then none may stay done."""
    for order in orders:
        deed = _DEEDS.get(order.word)
        if deed is not None:
            deed(desk_, key, order.value)


def _stop(desk_: Desk, key: str, _value: str) -> None:
    """Take back the member's newest answer that has not left."""
    with desk_.writing() as session:
        ticket = desk_.find(session, key)
        number = desk.stoppable(session, int(ticket.id or 0), desk_.actor)
        if number is None:
            raise Refused(f"no answer of yours on {ticket.key} waits: it has left, or there was none")
        desk_.cancel_outgoing(number)


def _acknowledge(desk_: Desk, key: str, _value: str) -> None:
    """Let the acknowledgement leave that was withheld for a forwarded request."""
    with desk_.writing() as session:
        ticket = desk_.find(session, key)
        held_back = desk.withheld_acknowledgements(session, int(ticket.id or 0))
        if not held_back:
            raise Refused(f"no acknowledgement of {ticket.key} is held back")
        outgoing.release(session, desk_.site.clock(), held_back)
        desk_.event(session, ticket, desk_.site.clock(), "acknowledgement released")


def _end(desk_: Desk, key: str, status: str) -> None:
    with desk_.writing() as session:
        present = desk_.find(session, key).status
    if present == "closed" and status == "solved":
        raise Refused("the ticket is closed already")
    if present != status:
        (desk_.solve if status == "solved" else desk_.close)(key)


_DEEDS: Mapping[Word, Callable[[Desk, str, str], object]] = {
    "take": lambda desk_, key, _value: desk_.assign(key, desk_.actor),
    "assign": lambda desk_, key, value: desk_.assign(key, value),
    "team": lambda desk_, key, value: desk_.change(key, Change(team=value)),
    "category": lambda desk_, key, value: desk_.change(key, Change(category=value)),
    "priority": lambda desk_, key, value: desk_.change(key, Change(priority=value)),
    "open": lambda desk_, key, _value: desk_.leave(key, "open"),
    "pending": lambda desk_, key, _value: desk_.leave(key, "pending"),
    "solved": lambda desk_, key, _value: _end(desk_, key, "solved"),
    "close": lambda desk_, key, _value: _end(desk_, key, "closed"),
    "merge": lambda desk_, key, value: desk_.merge(key, value),
    "cc": lambda desk_, key, value: desk_.add_participant(key, value),
    "stop": _stop,
    "ack": _acknowledge,
}


def answers_to(
    session: Session, site: Site, onlooker: Onlooker, orders: Iterable[Order], now: datetime
) -> tuple[Passage, ...]:
    """What the queries among commands ask for. A ticket that is not there is said so, and hinders nothing."""
    return tuple(_answer(session, site, onlooker, order, now) for order in orders if order.word in QUERIES)


def _answer(session: Session, site: Site, onlooker: Onlooker, order: Order, now: datetime) -> Passage:
    title = order.line or f"#{order.word}"
    if order.word == "help":
        return help_passage(site, now)
    if order.word == "show":
        try:
            return ticket_passage(session, site, onlooker.find(session, order.value), now)
        except NotFound as error:
            return Passage(title, str(error))
    if order.word == "next":
        first = desk.next_in_queue(session, ("", onlooker.actor), onlooker.teams(""), lock=False)
        return ticket_passage(session, site, first, now) if first else list_passage(session, site, title, (), now)
    criteria = overview.Filter(
        assigned=onlooker.actor if order.word == "mine" else None, unfinished=order.word == "mine", sort="waiting",
        search=tuple(order.value.split()),
    )  # fmt: skip
    return list_passage(session, site, title, overview.first(session, criteria, _LISTED), now)
