"""What a ticket is about, when somebody says so: staff, or its requester as long as staff have not."""

from __future__ import annotations

from datetime import datetime

from mailticket.models import Ticket
from mailticket.site import Site
from mailticket.store import Session, desk, tickets

_REQUESTER = "requester"


def sort_as_asked(session: Session, site: Site, ticket: Ticket, category: str, now: datetime) -> None:
    """Put a ticket into the category that its requester names. Its place and its promise stay what they are, for nobody
    gets ahead by a word; and what staff have said of it holds."""
    ticket_id, before = int(ticket.id or 0), ticket.category
    if desk.category_was_set(session, ticket_id, but_by=_REQUESTER):
        detail = f"{category}; staff have said {before}"
        tickets.add_event(session, ticket_id, now, "category named", detail, _REQUESTER)
        return
    sort(session, site, ticket, category)
    session.add(ticket)
    tickets.add_event(session, ticket_id, now, "set", f"category {before} -> {category}", _REQUESTER)


def sort(session: Session, site: Site, ticket: Ticket, category: str) -> None:
    """Put a ticket into a category of which somebody is sure; its team is that of the category."""
    ticket.category, ticket.category_sure = category, True
    ticket.missing = [name for name in site.categories[category].needs if not (ticket.fields or {}).get(name)]
    if not ticket.team_is_set:
        ticket.team = site.roster.team_for(category, desk.mailbox_of(session, int(ticket.id or 0)))
