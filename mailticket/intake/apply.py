"""A decision becomes rows: ticket, message, attachments, events, outgoing mails. One transaction, the caller's."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from mailticket.desk import by_mail, outside
from mailticket.desk.by_mail import Became, Post
from mailticket.desk.sorting import sort_as_asked
from mailticket.mail.values import Mail
from mailticket.models import Ticket
from mailticket.outbox import compose, desk_mail
from mailticket.outbox.compose import Dispatch
from mailticket.promise import Load, make_promise
from mailticket.site import Site
from mailticket.store import Session, desk, incoming, outgoing, search, tickets
from mailticket.triage import signatures, ticket_keys
from mailticket.triage.decision import Decision, Hold, brand_of
from mailticket.triage.marks import shows_mark
from mailticket.triage.understanding import Understanding
from mailticket.triage.writer import is_claimed, writers_zone

log = logging.getLogger("mailticket.intake.apply")

_LONGEST_SUBJECT = 500
_LONGEST_MARK = 1_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """A mail on its way in, as read and understood, with the row that records it.

    arrived_at: never after now. route, delivered_to: by which mailbox, and which of our addresses, it came.
    """

    incoming_id: int
    mail: Mail
    meaning: Understanding
    arrived_at: datetime
    route: str
    delivered_to: str
    load: Load | None = field(default=None, repr=False)
    raw: bytes = field(default=b"", repr=False)


def of_staff(session: Session, site: Site, arrived: Arrived, decision: Decision, now: datetime) -> Became | None:
    """Do what a member's mail asks, and let the marks die that it shows to be in other hands; None for other mail."""
    why = decision.reason[:_LONGEST_MARK]
    lost = {(mark.key, mark.member) for mark in decision.dead_marks if desk.kill_mark(session, mark.mac, now, why)}
    for key, member in sorted(lost):
        if key:
            ticket = tickets.by_key(session, key, follow_merge=True)
            desk_mail.tell(session, site, ticket, "mark-died", now, to=(member,), cause_id=arrived.incoming_id)
    if decision.staff is None:
        return None
    post = Post(arrived.incoming_id, arrived.raw, arrived.mail, arrived.meaning, arrived.arrived_at, decision.staff)
    return by_mail.carry_out(session, site, post, decision.ticket, now)


def carry_out(session: Session, site: Site, arrived: Arrived, decision: Decision, now: datetime) -> Ticket | None:
    """Write everything that the decision means; returns the ticket it went to, if any."""
    if decision.action == "open":
        ticket = _open(session, site, arrived, decision, now)
    elif decision.ticket is not None:
        ticket = tickets.by_key(session, decision.ticket, follow_merge=True, lock=True)
        if decision.action == "known":
            _note_way(session, arrived, ticket, decision, now)
            if decision.letter:
                _write_letter(session, site, arrived, ticket, decision, now)
            return ticket
        if decision.action == "answer":
            outside.record(
                session, site, ticket, arrived.mail, arrived.meaning, by=decision.by, via=decision.via,
                proof=decision.proof, incoming_id=arrived.incoming_id, now=now, arrived_at=arrived.arrived_at,
            )  # fmt: skip
            for twin in decision.twins:
                outside.absorb(session, ticket, twin, arrived.incoming_id, now)
            return ticket
        _join(session, site, arrived, ticket, decision, now)
    else:
        ticket = None
    if decision.failed_outgoing is not None:
        _bounced(session, site, decision, now)
    for address in decision.failed_copies:
        why = decision.failed_why[:_LONGEST_MARK]
        if ticket is not None:
            tickets.add_event(session, int(ticket.id or 0), now, "copy failed", f"{address}: {why}")
        if address in decision.dead_copies:
            tickets.set_undeliverable(session, address, now, why)
    if decision.letter and ticket is not None:
        _write_letter(session, site, arrived, ticket, decision, now)
    if ticket is not None:
        _tell_staff(session, site, arrived, ticket, decision, now)
    return ticket


def _tell_staff(
    session: Session, site: Site, arrived: Arrived, ticket: Ticket, decision: Decision, now: datetime
) -> None:
    """The desk hears of a new ticket, and of a mail that somebody wrote to one; never a member of their own."""
    event = {"open": "new", "append": "reply"}.get(decision.action, "")
    if not event or not decision.changes_state or decision.command not in (None, "split"):
        return
    sender = arrived.mail.sender_address
    writer = site.roster.of_address(sender.key) if sender and arrived.mail.trust == "verified" else None
    actor = decision.staff.member.name if decision.staff else writer.name if writer else ""
    desk_mail.tell(session, site, ticket, event, now, actor=actor, cause_id=arrived.incoming_id)


def _note_way(session: Session, arrived: Arrived, ticket: Ticket, decision: Decision, now: datetime) -> None:
    """A copy that came by another way says so once on its ticket, however often it comes."""
    if decision.also_through and not incoming.has_copy(
        session, decision.copy_of or 0, arrived.mail.identity, arrived.route, arrived.delivered_to
    ):
        tickets.add_event(session, int(ticket.id or 0), now, "copy", f"also came through {decision.also_through}")


def _open(session: Session, site: Site, arrived: Arrived, decision: Decision, now: datetime) -> Ticket:
    mail, meaning = arrived.mail, arrived.meaning
    person = None
    if mail.sender_address is not None:
        # A forged mail must not choose the language in which its victim is answered.
        language = "" if mail.trust == "failed" else mail.language
        person = tickets.person_of(session, mail.sender_address, language, now)
    ticket = open_ticket(
        session, site, arrived.arrived_at, f"{decision.rule}: {decision.reason}", now,
        load=arrived.load,
        brand=brand_of(mail, arrived.route, site.settings),
        category=meaning.verdict.name,
        priority=meaning.verdict.priority,
        subject=meaning.subject[:_LONGEST_SUBJECT],
        category_sure=meaning.verdict.sure,
        language=mail.language or decision.language,
        requester_id=person.id if person else None,
        trust=mail.trust,
        claimed=is_claimed(mail),
        spam=mail.spam,
        team=site.roster.team_for(meaning.verdict.name, arrived.route),
        marks=decision.marks,
        fields={name: list(values) for name, values in meaning.fields.items()},
        missing=list(meaning.missing),
        fingerprint=meaning.fingerprint.to_json(),
        serial=int(bool(decision.letter)),  # counted at once: to count it later writes the whole row again
        **_links(session, decision),
    )  # fmt: skip
    if decision.duplicate is not None:
        detail = f"{decision.duplicate.similarity:.2f} like {decision.duplicate.key}: {decision.duplicate.reason}"
        tickets.add_event(session, int(ticket.id or 0), now, "duplicate", detail)
    if decision.linked_to is not None:
        other = tickets.by_key(session, decision.linked_to)
        tickets.add_event(session, int(ticket.id or 0), now, "linked", f"to {other.key}")
        tickets.add_event(session, int(other.id or 0), now, "linked", f"by {ticket.key}")
    _add_message(session, arrived, ticket, decision, (ticket.key, *(person.words if person else ())))
    return ticket


def open_ticket(
    session: Session, site: Site, arrived_at: datetime, reason: str, now: datetime, *,
    load: Load | None = None, category: str = "other", priority: str = "normal", marks: Sequence[str] = (),
    brand: str = "", actor: str = "mailticket", **values: Any,
) -> Ticket:  # fmt: skip
    """Write a new ticket with its ID, its promise and the beginning of its history; returns its row.

    arrived_at gives its place in the queue. load: what bears on the promise beside the policy, if it is known. values:
    further columns. Runs inside the caller's transaction.
    """
    prefix = site.of_brand(brand).settings.support.prefix
    key = tickets.unused_key(session, lambda: ticket_keys.new_key(prefix, secrets.randbelow))
    promised = make_promise(
        now, arrived_at, category, priority, site.settings.promise, site.calendar, load, site.classifier.categories
    )
    ticket = tickets.add(
        session,
        key=key,
        brand=brand,
        category=category,
        priority=priority,
        marks=list(marks),
        check_word=signatures.check_word(site.keys[0], key),
        created_at=arrived_at,
        updated_at=now,
        waiting_for="us",
        waiting_since=arrived_at,
        promised_from=promised.promised_from,
        promised_by=promised.promised_by,
        promise_reason=promised.reason,
        promise_longer="load" if promised.longer else "",
        **values,
    )
    ticket_id = int(ticket.id or 0)
    if load is not None:
        load.request(key, now, priority)
    tickets.add_event(session, ticket_id, now, "opened", reason, actor)
    for mark in marks:
        tickets.add_event(session, ticket_id, now, "marked", mark)
    tickets.add_event(session, ticket_id, now, "promised", promised.reason)
    return ticket


def _links(session: Session, decision: Decision) -> dict[str, Any]:
    links: dict[str, Any] = {}
    if decision.duplicate is not None:
        links["duplicate_of"] = tickets.by_key(session, decision.duplicate.key).id
        links["similarity"] = decision.duplicate.similarity
        links["duplicate_reason"] = decision.duplicate.reason
    if decision.linked_to is not None:
        links["linked_to"] = tickets.by_key(session, decision.linked_to).id
    return links


def _join(session: Session, site: Site, arrived: Arrived, ticket: Ticket, decision: Decision, now: datetime) -> None:
    ticket_id = int(ticket.id or 0)
    if decision.changes_state and not decision.stranger:  # what somebody else names is for staff to judge
        _fill_fields(site, ticket, arrived.meaning)
    _add_message(session, arrived, ticket, decision)
    tickets.add_event(session, ticket_id, now, decision.kind, f"{decision.rule}: {decision.reason}")
    if decision.conflict:
        tickets.add_event(session, ticket_id, now, "conflict", decision.conflict)
    for mark in decision.marks:
        tickets.add_event(session, ticket_id, now, "marked", mark)
    ticket.updated_at = now
    if decision.changes_state:
        _wake(session, ticket, decision, arrived.arrived_at, now)
        # Who was answered, or writes what the filter lets pass, is no spammer.
        ticket.spam = ticket.spam and arrived.mail.spam and ticket.first_response_at is None
        if not decision.stranger:
            _remember_language(session, arrived.mail, ticket, now)
    if decision.category:
        sort_as_asked(session, site, ticket, decision.category, now)
    if decision.command == "split" and ticket.duplicate_of is not None:
        ticket.duplicate_of, ticket.similarity, ticket.duplicate_reason = None, None, ""
        detail = f"no repetition of {decision.split_from}, its requester says"
        tickets.add_event(session, ticket_id, now, "split", detail, "requester")
    session.add(ticket)


def _remember_language(session: Session, mail: Mail, ticket: Ticket, now: datetime) -> None:
    """A requester is answered in the language of the newest mail that shows one."""
    if mail.sender_address is None or not mail.language:
        return
    owners = [address.key for address in tickets.addresses_of(session, ticket.requester_id)]
    if mail.sender_address.key in owners:
        tickets.requester_of(session, mail.sender_address, mail.language, now)
        ticket.language = mail.language


def _wake(session: Session, ticket: Ticket, decision: Decision, arrived_at: datetime, now: datetime) -> None:
    """The requester wrote: whatever waited for them is open again and waits for us, and what was new stays new."""
    before = ticket.status
    if decision.command == "solved":
        tickets.set_status(ticket, "solved", now)
    else:
        if ticket.status != "new":
            tickets.set_status(ticket, "open", now)
        tickets.wait_for_us(ticket, arrived_at)
    if ticket.status != before:
        kind = "reopened" if before == "closed" else "status"
        tickets.add_event(session, int(ticket.id or 0), now, kind, f"{before} -> {ticket.status}", "requester")


def _fill_fields(site: Site, ticket: Ticket, meaning: Understanding) -> None:
    """Details that come later fill what was missing; what was known stays."""
    merged = {name: list(values) for name, values in (ticket.fields or {}).items()}
    for name, values in meaning.fields.items():
        merged[name] = list(dict.fromkeys([*merged.get(name, []), *values]))[:20]
    ticket.fields = merged
    category = site.categories.get(ticket.category)
    if category is not None:
        ticket.missing = [name for name in ticket.missing or [] if not merged.get(name)]


def _add_message(
    session: Session, arrived: Arrived, ticket: Ticket, decision: Decision, names: Sequence[str] = ()
) -> None:
    """names: of a new ticket and its requester."""
    mail, meaning = arrived.mail, arrived.meaning
    sender = mail.sender_address or (mail.from_[0] if mail.from_ else None)
    tickets.add_message(
        session,
        attachments=mail.attachments,
        also=search.ticket_texts(names, ticket.subject, ticket.fields),
        ticket_id=int(ticket.id or 0),
        direction="in",
        kind=decision.kind,
        message_id=mail.message_id or None,
        from_name=sender.name if sender else "",
        from_address=sender.address if sender else "",
        from_raw="" if mail.sender_address else mail.from_raw[:_LONGEST_MARK],
        to_address=", ".join(a.address for a in mail.to[:20]),
        cc_address=", ".join(a.address for a in mail.cc[:20]),
        subject=meaning.subject[:_LONGEST_SUBJECT],
        text=meaning.text,
        new_text=meaning.new_text,
        at=arrived.arrived_at,
        trust=mail.trust,
        mark="; ".join(decision.marks)[:_LONGEST_MARK],
        language=mail.language,
        secrets=list(meaning.secrets),
        incoming_id=arrived.incoming_id,
        raw_digest=mail.digest,
    )


def _bounced(session: Session, site: Site, decision: Decision, now: datetime) -> None:
    """The mail that bounced is failed; when the address itself is at fault, automatic mail to it stops."""
    row = outgoing.by_id(session, int(decision.failed_outgoing or 0))
    why = decision.failed_why[:_LONGEST_MARK]
    if row.kind == outgoing.DESK:
        if decision.failed_sure:  # a requester knows the ticket's ID and may guess the address, and would silence it
            desk_mail.not_arrived(session, site, row, f"bounced: {why}", now)
        return
    outgoing.set_outcome(session, int(row.id or 0), state="failed", last_error=f"bounced: {why}")
    if row.ticket_id is not None:
        tickets.add_event(session, row.ticket_id, now, f"{row.kind} failed", f"to {row.recipient}: {why}")
        if row.kind == "staff-reply":
            tickets.take_back_answer(session, row.ticket_id, now)
    if decision.failed_address:
        tickets.set_undeliverable(session, row.recipient, now, why)


def _write_letter(
    session: Session, site: Site, arrived: Arrived, ticket: Ticket, decision: Decision, now: datetime
) -> None:
    mail = arrived.mail
    if mail.sender_address is None:
        return
    # No mark leaves, not even one that a mail brought with it.
    parents = mail.references or (mail.in_reply_to if len(mail.in_reply_to) == 1 else ())
    dispatch = Dispatch(
        kind=decision.letter,  # type: ignore[arg-type]
        to=mail.sender_address.address,
        verified=mail.trust == "verified",
        in_reply_to=mail.message_id,
        references=tuple(
            parent for parent in parents if not shows_mark(parent)
        ),  # no mark leaves, not even one of theirs
        name=mail.sender_address.name,
        hold=decision.hold,
        incoming_id=arrived.incoming_id,
        zone=_zone(session, arrived, ticket, decision),
        serial=ticket.serial if decision.action == "open" else None,
    )
    if mail.trust == "verified" and decision.hold is None:
        tickets.set_deliverable(session, mail.sender_address.address)
    contents: dict[str, Any] = {"secrets": arrived.meaning.secrets, "state": ticket.status}
    if decision.letter in ("acknowledgement", "duplicate-notice"):
        contents["articles"] = compose.articles_for(site, ticket, arrived.meaning)
    if decision.letter == "status-answer":
        contents["steps"] = compose.steps(session, ticket)
    if decision.duplicate is not None:
        contents |= {"first_ticket_id": decision.duplicate.key, "similarity": decision.duplicate.similarity}
    if decision.split_from is not None:
        contents["first_ticket_id"] = decision.split_from
    if decision.linked_to is not None and not decision.link_is_ours:
        contents["former_ticket_id"] = decision.linked_to
    if decision.hold is not None:
        _note_hold(session, ticket, decision.letter, decision.hold, now)
    compose.write(session, site, ticket, dispatch, now, **contents)


def _zone(session: Session, arrived: Arrived, ticket: Ticket, decision: Decision) -> tzinfo | None:
    """The zone of whoever wrote the mail: by its own clock, else by that of the mail that opened the ticket."""
    zone = writers_zone(arrived.mail, arrived.arrived_at)
    if zone is not None or decision.action == "open" or decision.stranger:
        return zone
    return compose.zone_of(session, ticket)


def _note_hold(session: Session, ticket: Ticket, letter: str, hold: Hold, now: datetime) -> None:
    tickets.add_event(session, int(ticket.id or 0), now, f"{letter} withheld", hold.text)
    if hold.code == "cap_total" and not outgoing.withheld_since(session, hold.code, now - timedelta(hours=1)):
        log.warning(
            "%s: further letters are held back for now, intake goes on; "
            "`mailticket outbox list --withheld` shows them, `mailticket outbox send --withheld` sends them",
            hold.text,
        )
