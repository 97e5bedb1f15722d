"""Answers that requesters have already, sent from a mail program as support: the one place that records them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mailticket.mail.address import address_key
from mailticket.mail.values import Mail
from mailticket.models import Message, Ticket
from mailticket.site import Site
from mailticket.store import Session, incoming, outgoing, tickets
from mailticket.triage.sent import SAME
from mailticket.triage.understanding import Understanding

_LONGEST_SUBJECT = 500
_MOST_RECIPIENTS = 20


def record(
    session: Session, site: Site, ticket: Ticket, mail: Mail, meaning: Understanding, *,
    by: str, via: str, proof: str, incoming_id: int, now: datetime, arrived_at: datetime,
) -> int:  # fmt: skip
    """Let an answer that went past us count as one of ours, in the caller's transaction; returns its message's id.

    ticket: locked, the one that merges led to. by: the member, or "shared mailbox". via: mailbox or mail. proof: why it
    is believed, "" of the Sent folder, into which only our people can put anything. arrived_at: when the server had the
    mail, by which the promise is kept or missed; what a requester wrote later stays unanswered.
    """
    ticket_id = int(ticket.id or 0)
    origin = {"by": by, "via": via, "proof": proof, "incoming_id": incoming_id, "at": arrived_at}
    message_row = _add_message(session, ticket, mail, meaning, waited_since=ticket.waiting_since, **origin)
    news = _written_since(session, ticket_id, mail, arrived_at)
    before = ticket.status
    tickets.set_status(ticket, "open" if news else "pending", now)
    if news:
        ticket.waiting_for, ticket.waiting_since = "us", min(message.at for message in news)
    session.add(ticket)
    session.flush()
    tickets.set_first_response(session, ticket_id, arrived_at)
    recipients = ", ".join(address.address for address in (*mail.to, *mail.cc)[:_MOST_RECIPIENTS])
    tickets.add_event(session, ticket_id, now, "staff-reply", f"to {recipients}, from a mail program", by)
    if ticket.status != before:
        tickets.add_event(session, ticket_id, now, "status", f"{before} -> {ticket.status}", by)
    if outgoing.cancel_late_notice(session, ticket_id):
        tickets.add_event(session, ticket_id, now, "late notice cancelled", "the answer was there before it left")
    member = by if site.roster.member(by) is not None else ""
    incoming.mark_answered(session, ticket_id, member, without=[int(message.id or 0) for message in news])
    return message_row


def absorb(session: Session, ticket: Ticket, twin: int, incoming_id: int, now: datetime) -> None:
    """The same mail had come by an inbox, where nothing proved that it was ours. Now the folder of sent mail does: what
    became of it there is taken back, and it counts as known. A ticket that it had opened goes into the answer's."""
    row = incoming.by_id(session, twin)
    if row.state not in ("opened", "appended", "filed"):
        return
    tickets.take_out_mail(session, twin)
    if row.state == "opened" and row.ticket_id not in (None, ticket.id):
        opened = tickets.by_id(session, int(row.ticket_id or 0))
        if opened.requester_id is None and opened.merged_into is None:
            tickets.set_status(opened, "closed", now)
            opened.merged_into = ticket.id
            session.add(opened)
            tickets.add_event(
                session, int(opened.id or 0), now, "merged", f"into {ticket.key}: it was our answer there"
            )
    incoming.finish(
        session, twin, now, state="known", rule=SAME, reason=f"it is the answer on {ticket.key}, mail {incoming_id}",
        copy_of=incoming_id, ticket_id=ticket.id,
    )  # fmt: skip


def _add_message(session: Session, ticket: Ticket, mail: Mail, meaning: Understanding, **values: Any) -> int:
    sender = mail.from_[0] if mail.from_ else None
    return tickets.add_message(
        session,
        attachments=mail.attachments,
        ticket_id=int(ticket.id or 0),
        direction="out",
        kind="staff-reply",
        message_id=mail.message_id or None,
        from_name=sender.name if sender else "",
        from_address=sender.address if sender else "",
        to_address=", ".join(address.address for address in mail.to[:_MOST_RECIPIENTS]),
        cc_address=", ".join(address.address for address in mail.cc[:_MOST_RECIPIENTS]),
        subject=meaning.subject[:_LONGEST_SUBJECT],
        text=meaning.text,
        new_text=meaning.new_text,
        trust=mail.trust,
        language=mail.language,
        secrets=list(meaning.secrets),
        raw_digest=mail.digest,
        **values,
    )


def _written_since(session: Session, ticket_id: int, mail: Mail, arrived_at: datetime) -> list[Message]:
    """What those who got the answer had written after it: it cannot answer that."""
    readers = {address.key for address in (*mail.to, *mail.cc)}
    return [
        message
        for message in tickets.conversation(session, ticket_id)
        if message.direction == "in"
        and message.kind in ("request", "reply")
        and message.at > arrived_at
        and address_key(message.from_address) in readers
    ]
