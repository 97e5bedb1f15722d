"""Mails to the desk: who hears of what, and each as a row of the outbox. They go to addresses of `[[staff]]` alone.

The rules of the room: a desk mail is written in the transaction of its cause, nobody hears of their own deeds, whoever
has had their mails of the hour hears in a gathering, and what a member whom mail does not reach would get goes to the
lead. Whether an answer to it may reach a requester stands in its mark: see `triage.marks`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailticket.letters import desk_mail as wires
from mailticket.letters.desk_mail import DeskMail, desk_subject
from mailticket.letters.desk_text import Goes, Listed, Passage, Pen, Receipt, TicketView
from mailticket.mail.address import Address
from mailticket.models import Outgoing, Ticket
from mailticket.outbox.desk_view import view_of
from mailticket.settings import Staff
from mailticket.site import Site
from mailticket.store import Session, desk_mail, incoming, meta, outgoing, tickets
from mailticket.triage.marks import Mark, MarkPurpose, make_mark, message_id_of, reply_address_of, sign_root
from mailticket.triage.orders import COMMANDS

log = logging.getLogger("mailticket.outbox.desk_mail")

__all__ = ["Passage", "Receipt", "help_passage", "list_passage", "mentioned", "receipt", "tell", "ticket_passage"]

_HOUR = timedelta(hours=1)
_ASKING = ("new", "reply")  # an answer to these goes to the requester
_OF_TIME = ("new", "reply", "slipping", "late", "follow-up")  # of which nobody hears when the ticket is spam
_WITH_FILES = ("new", "reply", "assigned")
_OFTEN = ("note", "take", "pending", "solved", "close")  # commands that each request names
_ALWAYS = ("mark-died",)  # that no cap holds back
_MENTION = re.compile(r"(?<![\w.@])@([a-z][a-z0-9._-]{0,29})", re.IGNORECASE)


def tell(
    session: Session,
    site: Site,
    ticket: Ticket,
    event: str,
    now: datetime,
    *,
    actor: str = "",
    text: str = "",
    cause_id: int | None = None,
    to: Iterable[str] = (),
) -> list[int]:
    """Tell those whom it concerns what happened to a ticket; returns the rows of the outbox.

    event: new, reply, assigned, note (mentions in its text are told as such), slipping, late, follow-up, held,
    mark-died. actor: who did it and hears nothing; text: what they wrote. to: members by name, in place of those whom
    the event concerns. Nothing happens without `[[staff]]`, nor of mail and time on a ticket that is spam.
    """
    roster = site.roster
    if not roster.staff or (ticket.spam and event in _OF_TIME):
        return []
    named = list(to) or concerned(site, ticket, event)
    mentions = [name for name in mentioned(site, text) if name != actor] if event == "note" else []
    groups = [(event, [n for n in named if n not in mentions]), *([("mention", mentions)] if mentions else [])]
    return [
        number
        for what, names in groups
        for number in _tell(session, site, ticket, what, names, now, actor, text, cause_id)
    ]


def mentioned(site: Site, text: str) -> list[str]:
    """The members whom a note names as `@name`, each once."""
    names = (match[1].lower().rstrip("._-") for match in _MENTION.finditer(text))
    return [name for name in dict.fromkeys(names) if site.roster.member(name) is not None]


def concerned(site: Site, ticket: Ticket, event: str) -> list[str]:
    """Whom an event concerns: by name, each once."""
    roster = site.roster
    owner = [ticket.assigned_to] if roster.member(ticket.assigned_to) else []
    if event in ("assigned", "note"):
        return owner
    team = next((team for team in roster.teams if team.name == ticket.team), None)
    lead = [team.lead] if team and team.lead else []
    # What no team serves is everybody's, or nobody would ever hear of it.
    people = list(team.members) if team else [member.name for member in roster.staff]
    if event == "held":
        return lead or people
    if event == "late":
        return lead  # the others heard when it began to slip
    if owner or event not in ("new", "reply"):
        return owner or people
    wanted = site.settings.desk.new
    return people if wanted == "each" or (wanted == "urgent" and ticket.priority == "urgent") else []


def _tell(
    session: Session, site: Site, ticket: Ticket, event: str, names: Sequence[str], now: datetime, actor: str,
    text: str, cause_id: int | None,
) -> list[int]:  # fmt: skip
    members = _reached(session, site, ticket, names, actor)
    rest = [
        member for member in members if event in _ALWAYS or not _gathered(session, site, ticket, event, member, now)
    ]
    if not rest:
        return []
    sheet = _ticket_sheet(session, site, ticket, event, now, actor, text)
    return [_write(session, site, member, sheet, now, cause_id=cause_id) for member in rest]


def _gathered(session: Session, site: Site, ticket: Ticket, event: str, member: Staff, now: datetime) -> bool:
    """Whether a member hears of it in their next gathering: their mails of the hour are used up, or one is due anyway,
    which nothing newer shall overtake."""
    ticket_id = int(ticket.id or 0)
    if desk_mail.join_news(session, ticket_id, event, now, member.name):
        return True
    if desk_mail.told_since(session, member.name, now - _HOUR) < site.settings.desk.per_person_hour:
        return False
    desk_mail.add_news(session, ticket_id, event, now, member.name)
    return True


def _reached(session: Session, site: Site, ticket: Ticket, names: Sequence[str], actor: str) -> list[Staff]:
    """The members of these names; in place of one whom mail does not reach their lead, and without one the team."""
    roster = site.roster
    lost = desk_mail.unreachable(session) if names else frozenset()
    reached: dict[str, Staff] = {}
    for name in names:
        if roster.member(name) is None:
            continue
        stand_ins = [name] if name not in lost else _stand_ins(site, ticket, name, lost)
        for other in stand_ins:
            substitute = roster.member(other)
            if substitute is not None and other != actor:
                reached[other] = substitute
    return list(reached.values())


def _stand_ins(site: Site, ticket: Ticket | None, name: str, lost: frozenset[str]) -> list[str]:
    """Who gets the mail of somebody whom it does not reach."""
    teams = site.roster.teams
    mine = [team for team in teams if ticket is not None and team.name == ticket.team and name in team.members]
    mine = mine or [team for team in teams if name in team.members]
    leads = [team.lead for team in mine if team.lead and team.lead != name and team.lead not in lost]
    if leads:
        return leads[:1]
    people = [member for team in mine for member in team.members] or [member.name for member in site.roster.staff]
    return [other for other in dict.fromkeys(people) if other != name and other not in lost]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A desk mail but for its reader: what is the same for all who get it."""

    event: str
    subject: str
    page: str
    purpose: MarkPurpose
    goes: Goes
    serial: int
    who: str = ""
    author: str = ""
    ticket: Ticket | None = None
    parts: tuple[bytes, ...] = ()
    held: bool = False
    asked: bool = False
    in_reply_to: str = ""


def _ticket_sheet(
    session: Session, site: Site, ticket: Ticket, event: str, now: datetime, actor: str, text: str
) -> _Sheet:
    pen = Pen(site.head, now)
    view, files = view_of(session, site, ticket, pen.language, with_files=event in _WITH_FILES, new_text=text)
    asks = event in _ASKING and view.answerable
    member = site.roster.member(actor)
    by = (member.signs or member.name) if member else actor
    body = [pen.heading(event, view, by), pen.ticket(view, text)]
    if asks:
        words = " ".join(_command(pen, word) for word in _OFTEN)
        body.append(pen.say("commands", words=words, help=_command(pen, "help")) + "\n")
    return _Sheet(
        event=event,
        subject=desk_subject(ticket.key, ticket.subject),
        page="\n\n".join(body),
        purpose="ask" if asks else "talk",
        goes="answer" if asks else "note",
        serial=tickets.next_serial(session, ticket),
        who=_person(view),
        author=by if event in ("assigned", "note", "mention") else view.requester,
        ticket=ticket,
        parts=wires.encoded_files(files),
    )


def _command(pen: Pen, word: str) -> str:
    """A command as the readers write it."""
    return next(f"#{one.chinese[0] if pen.is_chinese else word}" for one in COMMANDS if one.word == word)


def _person(view: TicketView) -> str:
    name = wires.author_name(view.requester)
    return f"{name} <{view.address}>" if name else view.address


def receipt(
    session: Session,
    site: Site,
    member: Staff,
    receipt: Receipt,
    now: datetime,
    *,
    ticket: Ticket | None,
    cause_id: int | None,
    message_row: int | None = None,
) -> int | None:
    """Say to a member what became of their mail; returns the row of the outbox.

    cause_id: of their mail, which the receipt answers. message_row: the held row, by which an answer to this receipt
    finds it.
    """
    if site.roster.member(member.name) is None:
        return None
    pen = Pen(site.head, now)
    cause = incoming.by_id(session, cause_id) if cause_id is not None else None
    sheet = _Sheet(
        event=desk_mail.RECEIPT + receipt.code,
        subject=desk_subject(ticket.key, ticket.subject) if ticket else f"[{site.head.name}] {pen.say('receipt')}",
        page=pen.receipt(receipt),
        purpose="receipt",
        goes="order",
        serial=tickets.next_serial(session, ticket) if ticket else meta.next_alert(session),
        ticket=ticket,
        held=receipt.hint == "send",
        asked=receipt.code == "confirm",
        in_reply_to=(cause.message_id or "") if cause else "",
    )
    return _write(session, site, member, sheet, now, cause_id=cause_id, message_row=message_row)


def _write(
    session: Session, site: Site, member: Staff, sheet: _Sheet, now: datetime, *, cause_id: int | None = None,
    message_row: int | None = None,
) -> int:  # fmt: skip
    """One row for one member."""
    ticket = sheet.ticket
    mail = _addressed(session, site, member, sheet, now)
    recipient = Address("", mail.to)
    return outgoing.add(
        session,
        ticket_id=ticket.id if ticket else None,
        message_row=message_row,
        cause_id=cause_id,
        kind=outgoing.DESK,
        rank=outgoing.DESK_RANK,
        envelope_from=site.settings.smtp.envelope_from or site.settings.support.address,
        recipient=mail.to,
        recipient_key=recipient.key,
        recipient_domain=recipient.domain,
        subject=mail.subject,
        message_id=mail.message_id,
        wire=wires.desk_message(mail, site.head),
        verified=True,
        created_at=now,
        next_attempt_at=now,
        member=member.name,
        event=sheet.event,
        shown=desk_mail.newest_message(session, int(ticket.id or 0)) if ticket else None,
    )


def _addressed(session: Session, site: Site, member: Staff, sheet: _Sheet, now: datetime) -> DeskMail:
    """The mail with what is its reader's own: the mark, the line above which they answer, their thread."""
    ticket, support = sheet.ticket, site.settings.support
    domain = support.address.rpartition("@")[2]
    mark = make_mark(site.keys[0], ticket.key if ticket else "", sheet.serial, member.name, sheet.purpose, now)
    # Staff read their own language, and the name under which their answer leaves.
    whose = site.of_brand(ticket.brand).head.name if ticket else site.head.name
    pen = Pen(replace(site.head, name=whose), now)
    opening = pen.opening(sheet.goes, mark.symbols, sheet.who, held=sheet.held, asked=sheet.asked)
    references, parent = _thread(session, site, ticket, member, sheet, domain)
    return DeskMail(
        to=member.addresses[0],
        message_id=message_id_of(mark, domain),
        date=now,
        subject=sheet.subject,
        text=f"{opening}\n{sheet.page}",
        language=pen.language,
        event=sheet.event,
        author=sheet.author,
        ticket_key=ticket.key if ticket else "",
        team=ticket.team if ticket else "",
        brand=ticket.brand if ticket else "",
        priority=ticket.priority if ticket else "",
        reply_to=_reply_to(site, mark),
        in_reply_to=parent,
        references=references,
        parts=sheet.parts,
    )


def _reply_to(site: Site, mark: Mark) -> str:
    support = site.settings.support
    return reply_address_of(mark, support.address) if support.signed_reply_address else ""


def _thread(
    session: Session, site: Site, ticket: Ticket | None, member: Staff, sheet: _Sheet, domain: str
) -> tuple[tuple[str, ...], str]:
    """References and In-Reply-To: the ticket's root, the member's last mail of it, and the mail that is answered."""
    if ticket is None:
        return (), sheet.in_reply_to
    root = sign_root(site.keys[0], ticket.key, domain)
    last = desk_mail.newest_on(session, int(ticket.id or 0), member.name) if sheet.event != "new" else ""
    chain = [one for one in (root, last, sheet.in_reply_to) if one]
    return tuple(chain[:-1]), chain[-1]


def not_arrived(session: Session, site: Site, row: Outgoing, why: str, now: datetime) -> None:
    """A desk mail was refused or came back: its member counts as unreachable, and whoever stands in for them gets it.

    One failure is at most one mail to each stand-in, never one to the member; whoever cannot be reached stands in for
    nobody, so that failures of failures come to an end.
    """
    if row.state == "failed":
        return
    outgoing.set_outcome(session, int(row.id or 0), state="failed", begun_at=None, last_error=why)
    is_news = desk_mail.lost(session, row.member, now, why)
    ticket = tickets.led_to(session, row.ticket_id) if row.ticket_id is not None else None
    if ticket is not None:
        tickets.add_event(session, int(ticket.id or 0), now, "desk failed", f"to {row.member}: {why}")
    log.warning("desk mail to %s does not arrive: %s", row.member, why)
    lost = desk_mail.unreachable(session)
    for name in _stand_ins(site, ticket, row.member, lost):
        member = site.roster.member(name)
        has_it = desk_mail.was_told(session, row, name)
        if member is None or (has_it and not is_news):
            continue
        sheet = _returned_sheet(session, site, ticket, row, now)
        _write(session, site, member, sheet, now)


def _returned_sheet(session: Session, site: Site, ticket: Ticket | None, row: Outgoing, now: datetime) -> _Sheet:
    """What a stand-in gets: the ticket, if the mail that failed was of one."""
    if ticket is not None and not row.event.startswith(desk_mail.RECEIPT):
        sheet = _ticket_sheet(session, site, ticket, row.event, now, "", "")
    else:
        sheet = _general_sheet(session, site, "unreachable", (), now)
    pen = Pen(site.head, now)
    heading = pen.say("unreachable", actor=row.member) + pen.say("stop")
    return replace(sheet, event="unreachable", page=f"{heading}\n\n{sheet.page}")


def _general_sheet(
    session: Session, site: Site, event: str, passages: Sequence[Passage], now: datetime, **values: object
) -> _Sheet:
    """A mail that is of no one ticket."""
    pen = Pen(site.head, now)
    parts = [pen.say(event, **values) + pen.say("stop")] if event != "unreachable" else []
    parts += [pen.sections(passages).rstrip(), pen.say("show")] if passages else []
    page = "\n\n".join(parts) + "\n"
    subject = f"[{site.head.name}] {pen.say(f'subject-{event}')}"
    return _Sheet(
        event=event, subject=subject, page=page, purpose="talk", goes="order", serial=meta.next_alert(session)
    )


def list_passage(
    session: Session, site: Site, title: str, rows: Iterable[Ticket], now: datetime, events: Sequence[str] = ()
) -> Passage:
    """Tickets as a part of a mail. events: what is new of each."""
    pen = Pen(site.head, now)
    happened = list(events)
    listed = [
        listed_of(session, ticket, happened[place] if place < len(happened) else "")
        for place, ticket in enumerate(rows)
    ]
    return Passage(title, pen.listed(listed))


def listed_of(session: Session, ticket: Ticket, event: str = "", held: tuple[str, str] | None = None) -> Listed:
    """A ticket as a line of a list."""
    requester = tickets.name_of(session, ticket.requester_id)
    if not requester and ticket.requester_id:
        requester = next((a.address for a in tickets.addresses_of(session, ticket.requester_id)), "")
    promised = ticket.promised_by if ticket.first_response_at is None and ticket.status in ("new", "open") else None
    return Listed(ticket.key, ticket.subject, requester, ticket.priority, event, promised, ticket.waiting_since, held)


def ticket_passage(session: Session, site: Site, ticket: Ticket, now: datetime) -> Passage:
    """A ticket with its conversation as a part of a mail."""
    pen = Pen(site.head, now)
    view, _ = view_of(session, site, ticket, pen.language)
    return Passage(desk_subject(ticket.key, ticket.subject), pen.ticket(view))


def help_passage(site: Site, now: datetime) -> Passage:
    """What the commands do, as a part of a mail."""
    pen = Pen(site.head, now)
    rows = [(one.word, one.chinese[0] if pen.is_chinese else "", one.value, one.query) for one in COMMANDS]
    return Passage("#help", pen.help(rows))


def general(
    session: Session, site: Site, member: Staff, event: str, passages: Sequence[Passage], now: datetime, number: int = 0
) -> int:
    """Write a mail that is of no one ticket: a gathering, a digest, a test. number: how many tickets it names."""
    sheet = _general_sheet(session, site, event, passages, now, number=number)
    return _write(session, site, member, sheet, now)


def reached(session: Session, site: Site, ticket: Ticket | None, name: str) -> list[Staff]:
    """Who gets what a member should get of a ticket: the member, or whoever stands in for them."""
    lost = desk_mail.unreachable(session)
    names = [name] if name not in lost else _stand_ins(site, ticket, name, lost)
    return [member for member in map(site.roster.member, names) if member is not None]
