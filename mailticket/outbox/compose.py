"""Letters into the outbox: each is composed, written as a row with its envelope, and shown in the conversation."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from mailticket.letters import ArticleLink, Composed, Found, Letter, LetterKind, Step, StepKind
from mailticket.mail.address import Address, address_key
from mailticket.mail.identity import writers_clock
from mailticket.models import Ticket
from mailticket.outbox.notices import notices_for
from mailticket.settings import Category
from mailticket.site import Site
from mailticket.store import Session, desk, outgoing, raws, tickets
from mailticket.triage import signatures, writer
from mailticket.triage.decision import Hold
from mailticket.triage.signatures import Purpose
from mailticket.triage.understanding import Understanding

log = logging.getLogger("mailticket.outbox.compose")

_PURPOSES: dict[LetterKind, Purpose] = {
    "acknowledgement": "ack",
    "duplicate-notice": "dup",
    "reply-received": "got",
    "late-notice": "late",
    "sooner": "soon",
    "status-answer": "state",
    "solved": "done",
    "split-done": "state",
    "staff-reply": "staff",
}


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What one letter is sent for, beside its ticket.

    to: the bare address. verified: whether it may carry the requester's own words. in_reply_to, references: of the
    mail that is answered. hold: what holds it back; None when it may leave at once.
    """

    kind: LetterKind
    to: str
    verified: bool
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    name: str = ""
    hold: Hold | None = None
    incoming_id: int | None = None  # of the mail that it answers
    copies: tuple[str, ...] = ()
    by: str = ""  # who of staff wrote it, by which way, and what proves it
    via: str = "cli"
    proof: str = ""
    delay: int = 0  # seconds that it waits
    zone: tzinfo | None = None  # by which the reader's clock goes, where it is known
    serial: int | None = None  # of the first letter of a new ticket, which has counted it


def write(session: Session, site: Site, ticket: Ticket, dispatch: Dispatch, now: datetime, **contents: object) -> int:
    """Compose a letter of a ticket and put it into the outbox; returns the outgoing row's id.

    `contents` are the fields of Letter that only this one has. Runs inside the caller's transaction.
    """
    site = site.of_brand(ticket.brand)
    letter = letter_of(session, site, ticket, dispatch, now)
    composed = site.letters.compose(replace(letter, **contents), site.head)  # type: ignore[arg-type]
    for warning in composed.warnings:
        log.warning("a template is broken, the built-in one is used: %s", warning)
    message_row = _add_message(session, site, ticket, dispatch, composed, now, str(contents.get("staff_text", "")))
    return _add_outgoing(session, site, ticket, dispatch, composed, message_row, now)


_STEPS: dict[str, StepKind] = {
    "opened": "received", "reply": "reply-received", "assigned": "taken", "staff-reply": "answered",
    "late notice": "late-notice", "sooner": "sooner", "split": "split", "reopened": "reopened", "closed": "closed",
}  # fmt: skip
_MOST_STEPS = 8


def steps(session: Session, ticket: Ticket) -> tuple[Step, ...]:
    """The latest things that happened to a ticket, as far as its requester may know of them."""
    happened = [Step(e.at, _STEPS[e.kind]) for e in tickets.events(session, int(ticket.id or 0)) if e.kind in _STEPS]
    return tuple(happened[-_MOST_STEPS:])


def articles_for(site: Site, ticket: Ticket, meaning: Understanding) -> tuple[ArticleLink, ...]:
    """The help articles that may answer a request at once, in the language of its letter."""
    site = site.of_brand(ticket.brand)
    language = site.letters.language_for(ticket.language, site.head.language)
    fitting = site.articles.best(meaning.fingerprint, meaning.verdict, language, site.settings.articles.at_most)
    return tuple(ArticleLink(article.title, article.address, article.excerpt) for article in fitting)


def letter_of(session: Session, site: Site, ticket: Ticket, dispatch: Dispatch, now: datetime) -> Letter:
    """What every letter of a ticket says: ID, promise, place, category, details found and missing."""
    language = site.letters.language_for(ticket.language, site.head.language)
    category = site.categories.get(ticket.category)
    signing = site.keys[0]
    domain = site.settings.support.address.rpartition("@")[2]
    serial = dispatch.serial or tickets.next_serial(session, ticket)
    purpose = _PURPOSES[dispatch.kind]
    reply_to = ""
    if site.settings.support.signed_reply_address:
        reply_to = signatures.sign_reply_address(signing, ticket.key, site.settings.support.address)
    return Letter(
        kind=dispatch.kind,
        ticket_id=ticket.key,
        to=dispatch.to,
        message_id=signatures.sign_message_id(signing, ticket.key, serial, purpose, domain),
        date=now,
        language=language,
        verified=dispatch.verified,
        subject=ticket.subject,
        name=dispatch.name,
        promised_from=ticket.promised_from,
        promised_by=ticket.promised_by,
        longer=ticket.promise_longer,
        zone=dispatch.zone,
        position=tickets.position(session, ticket),
        notices=notices_for(session, site, ticket, dispatch.kind, language, now),
        category=_label(category.labels, language, "") if category and ticket.category_sure else "",
        categories=_others(site, ticket, language) if dispatch.kind == "acknowledgement" else (),
        found=_found(ticket, category, language),
        missing=_missing(ticket, category, language),
        check_word=ticket.check_word,
        in_reply_to=dispatch.in_reply_to,
        references=dispatch.references,
        reply_to=reply_to,
        copies=dispatch.copies,
    )


def zone_of(session: Session, ticket: Ticket) -> tzinfo | None:
    """By which zone the clock of a ticket's requester goes, as the mail says that opened it; None where it is not known
    or that mail is not kept any more."""
    opening = None if ticket.claimed else raws.of_opening(session, int(ticket.id or 0))
    if opening is None:
        return None
    raw, arrived_at = opening
    return writer.zone_of(*writers_clock(raw), arrived_at)


def _label(labels: dict[str, str], language: str, name: str) -> str:
    """A label in this language, else in the language without its script, else in English, else the bare name."""
    for tag in (language, language.partition("-")[0], "en"):
        if labels.get(tag):
            return labels[tag]
    return name.replace("_", " ")


def _others(site: Site, ticket: Ticket, language: str) -> tuple[str, ...]:
    """By which words a requester may correct the category of a ticket."""
    if not ticket.category_sure or ticket.category not in site.categories:
        return ()
    return tuple(
        _label(category.labels, language, category.name)
        for name, category in site.categories.items()
        if name != ticket.category
    )


def _field_label(category: Category, name: str, language: str) -> str:
    rule = next((rule for rule in category.fields if rule.name == name), None)
    return _label(rule.labels if rule else {}, language, name)


def _found(ticket: Ticket, category: Category | None, language: str) -> tuple[Found, ...]:
    if category is None:
        return ()
    fields = ticket.fields or {}
    names = [name for name in category.needs if fields.get(name)]
    return tuple(Found(_field_label(category, name, language), ", ".join(fields[name][:3])) for name in names)


def _missing(ticket: Ticket, category: Category | None, language: str) -> tuple[str, ...]:
    if category is None or not ticket.category_sure:
        return ()
    return tuple(_field_label(category, name, language) for name in ticket.missing or ())


def _add_message(
    session: Session, site: Site, ticket: Ticket, dispatch: Dispatch, composed: Composed, now: datetime, new_text: str
) -> int:
    return tickets.add_message(
        session,
        ticket_id=int(ticket.id or 0),
        direction="out",
        kind=composed.kind,
        message_id=composed.message_id,
        from_name=site.head.name,
        from_address=site.head.address,
        to_address=composed.to,
        cc_address=", ".join(dispatch.copies),
        subject=composed.subject,
        text=composed.text,
        new_text=new_text or composed.text,
        at=now,
        language=composed.language,
        by=dispatch.by,
        via=dispatch.via if dispatch.by else "",
        proof=dispatch.proof,
    )


def _save_to(session: Session, site: Site, ticket: Ticket) -> str:
    """The mailbox whose folder of sent mail gets a copy of a ticket's answers: the one by which it came; "" for
    none."""
    wanting = [mailbox.name for mailbox in site.settings.mailbox if mailbox.save_sent and mailbox.sent_folder]
    name = desk.mailbox_of(session, int(ticket.id or 0)) if wanting else ""
    return name if name in wanting else ""


def _add_outgoing(
    session: Session, site: Site, ticket: Ticket, dispatch: Dispatch, composed: Composed, message_row: int,
    now: datetime,
) -> int:  # fmt: skip
    staff = dispatch.kind == "staff-reply"
    recipient = Address("", dispatch.to)
    hold = dispatch.hold
    return outgoing.add(
        session,
        ticket_id=ticket.id,
        message_row=message_row,
        cause_id=dispatch.incoming_id,
        account=ticket.brand if ticket.brand in site.settings.accounts else "",
        kind=dispatch.kind,
        rank=outgoing.STAFF_RANK if staff else outgoing.LETTER_RANK,
        envelope_from=site.settings.smtp.envelope_from or site.settings.support.address,
        recipient=dispatch.to,
        recipient_key=address_key(dispatch.to),
        recipient_domain=recipient.domain,
        copies=list(dispatch.copies) or None,
        subject=composed.subject,
        message_id=composed.message_id,
        wire=composed.message,
        verified=dispatch.verified,
        state="withheld" if hold else "deferred" if dispatch.delay else "queued",
        hold=hold.code if hold else "",
        reason=hold.text if hold else "",
        created_at=now,
        next_attempt_at=now + timedelta(seconds=dispatch.delay),
        waited_since=ticket.waiting_since if staff else None,
        save_to=_save_to(session, site, ticket) if staff else "",
        counted_at=None if hold or staff else now,
    )
