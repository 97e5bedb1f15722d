"""A member's digest: what is theirs, what is next, what slips, what is held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from mailticket.letters.desk_text import Passage, Pen
from mailticket.models import Message, Ticket
from mailticket.outbox.desk_mail import listed_of
from mailticket.settings import Staff
from mailticket.site import Site
from mailticket.store import Session, desk_mail

_MOST = 20  # tickets of a section


def digest(session: Session, site: Site, member: Staff, now: datetime) -> list[Passage]:
    """The sections that have something in them; [] for a member who has nothing to look at."""
    pen, settings = Pen(site.head, now), site.settings
    own = site.roster.teams_of(member.name)
    teams = (*own, "") if own else ()
    late = desk_mail.late_for(
        session, member.name, teams, now + timedelta(hours=settings.promise.warn_staff_hours),
        now - timedelta(hours=settings.desk.followup_hours), _MOST,
    )  # fmt: skip
    sections: list[tuple[str, Sequence[Ticket]]] = [
        ("slipping", late),
        ("mine", desk_mail.tickets_of(session, member.name, _MOST)),
        ("next", [ticket for ticket in desk_mail.queue(session, teams, _MOST) if ticket not in late]),
    ]
    passages = [
        Passage(pen.say(f"section-{name}"), pen.listed([listed_of(session, ticket) for ticket in rows]))
        for name, rows in sections
        if rows
    ]
    held = desk_mail.held_of(session, _writers(site, member), _MOST)
    if held:
        rows = [listed_of(session, ticket, held=_why(message)) for message, ticket in held]
        passages.append(Passage(pen.say("section-held"), pen.listed(rows)))
    return passages


def _writers(site: Site, member: Staff) -> list[str]:
    """Whose held answers a member should know of: their own, and a lead those of their teams."""
    led = [name for team in site.roster.teams if team.lead == member.name for name in team.members]
    return list(dict.fromkeys([member.name, *led]))


def _why(message: Message) -> tuple[str, str]:
    reasons = (message.held or {}).get("reasons", [])
    return ", ".join(str(reason) for reason in reasons), message.by
