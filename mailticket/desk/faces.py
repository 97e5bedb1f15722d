"""The JSON faces that other programs rely on, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a face needs no more of these rooms than their names
    from mailticket.intake.filed import Filed
    from mailticket.mail.address import Address
    from mailticket.mail.values import Mail
    from mailticket.models import Attachment, Event, Incoming, Message, Outgoing
    from mailticket.store.notices import Standing
    from mailticket.store.overview import TicketRow
    from mailticket.triage.understanding import Understanding


def moment(at: datetime | None) -> str | None:
    """ISO 8601 with its offset, or null."""
    return at.isoformat() if at else None


def hidden_lines(text: str, new_text: str) -> int:
    """How many lines with words a text has that its new text leaves out."""
    return max(0, _lines(text) - _lines(new_text))


def _lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.split("\n"))


def mail(file: str, read: Mail, meaning: Understanding, ticket_ids: Sequence[str]) -> dict[str, Any]:
    """What `mail explain --json` prints; texts unmasked, for it is the caller's own file."""
    return {
        "file": file,
        "digest": read.digest,
        "message_id": read.message_id,
        "subject": read.subject,
        "from": _address(read.sender_address) if read.sender_address else None,
        "from_raw": read.from_raw,
        "to": [_address(a) for a in read.to],
        "cc": [_address(a) for a in read.cc],
        "reply_to": [_address(a) for a in read.reply_to],
        "claimed": {**_address(read.claimed), "by": read.claimed_by} if read.claimed else None,
        "date": moment(read.date),
        "language": read.language,
        "text": read.text,
        "new_text": read.new_text,
        "hidden_lines": hidden_lines(read.text, read.new_text),
        "attachments": [
            {"name": a.name, "type": a.type, "size": a.size, "sha256": a.sha256, "inline": a.inline}
            for a in read.attachments
        ],
        "automatic": {"kind": read.automatic.kind, "reason": read.automatic.reason} if read.automatic else None,
        "bounce": _bounce(read),
        "sender": "unknown" if read.claimed else read.trust,
        "ticket_ids": list(ticket_ids),
        "category": meaning.verdict.name,
        "priority": meaning.verdict.priority,
        "fields": {name: list(values) for name, values in meaning.fields.items()},
        "missing": list(meaning.missing),
        "secrets": [
            *({"kind": kind, "grade": "sure"} for kind in meaning.secrets),
            *({"kind": kind, "grade": "doubtful"} for kind in meaning.doubtful_secrets),
        ],
        "warnings": list(read.warnings),
    }


def _address(address: Address) -> dict[str, str]:
    return {"name": address.name, "address": address.address}


def _bounce(read: Mail) -> dict[str, Any] | None:
    if read.bounce is None:
        return None
    return {
        "recipients": [
            {"address": r.address, "action": r.action, "status": r.status, "diagnostic": r.diagnostic}
            for r in read.bounce.recipients
        ]
    }


def ticket(row: TicketRow, position: int | None) -> dict[str, Any]:
    """A line of `ticket list --json`."""
    t = row.ticket
    erased = {"texts": t.texts_erased_at, "letters": t.letters_erased_at, "people": t.people_erased_at}
    return {
        "id": t.key,
        "subject": t.subject,
        "status": t.status,
        "priority": t.priority,
        "category": t.category,
        "language": t.language,
        "requester": row.requester or None,
        "created_at": moment(t.created_at),
        "updated_at": moment(t.updated_at),
        "promised_from": moment(t.promised_from),
        "promised_by": moment(t.promised_by),
        "first_response_at": moment(t.first_response_at),
        "waiting_for": t.waiting_for,
        "waiting_since": moment(t.waiting_since),
        "merged_into": row.merged_into,
        "position": position,
        "duplicate_of": row.duplicate_of,
        "linked_to": row.linked_to,
        "claimed": t.claimed,
        "spam": t.spam,
        "similarity": t.similarity,
        "messages": row.messages,
        "fields": t.fields or {},
        "missing": t.missing or [],
        "marks": [*(t.marks or []), *(["longer"] if t.promise_longer else [])],
        "sender": t.trust,
        "assigned_to": t.assigned_to or None,
        "team": t.team or None,
        "brand": t.brand or None,
        "held": row.held,
        "legal_hold": t.legal_hold or None,
        "erased": {what: moment(at) for what, at in erased.items() if at} or None,
    }


def message(
    row: Message,
    attachments: Sequence[Attachment],
    unmasked: tuple[str, str, str] | None = None,
    delivery: Outgoing | None = None,
) -> dict[str, Any]:
    """An entry of a ticket's `conversation`. unmasked: subject, text and new text without doubtful masks. delivery: the
    mail as which it left."""
    from mailticket.secrets.spans import doubtful_kinds  # with all that it takes to find secrets in a text

    subject, text, new_text = unmasked or (row.subject, row.text, row.new_text)
    return {
        "number": row.id,
        "direction": row.direction,
        "kind": row.kind,
        "by": row.by or None,
        "via": row.via or None,
        "proof": row.proof or None,
        "reasons": (row.held or {}).get("reasons", []),
        "message_id": row.message_id,
        "from": row.from_address or row.from_name,
        "from_name": row.from_name,
        "from_raw": row.from_raw or None,
        "to": row.to_address,
        "cc": row.cc_address,
        "subject": subject,
        "text": text,
        "new_text": new_text,
        "hidden_lines": hidden_lines(text, new_text) if row.direction == "in" else 0,
        "at": moment(row.at),
        "sender": row.trust or None,
        "attachments": _files(attachments),
        "files": [a.name for a in attachments],
        "mark": row.mark or None,
        "delivery": {"number": delivery.id, "state": delivery.state, "error": delivery.last_error or None}
        if delivery else None,
        "secrets": row.secrets or [],
        "doubtful_secrets": list(doubtful_kinds(f"{subject}\n{text}")),
    }  # fmt: skip


def _files(attachments: Sequence[Attachment]) -> list[dict[str, Any]]:
    return [
        {"id": a.id, "name": a.name, "type": a.type, "size": a.size, "sha256": a.sha256, "inline": a.inline}
        for a in attachments
    ]


def held(row: Message) -> dict[str, Any]:
    """An answer that is held, and why."""
    return {"number": row.id, "by": row.by, "reasons": (row.held or {}).get("reasons", []), "text": row.text}


def event(row: Event) -> dict[str, Any]:
    """An entry of a ticket's `history`."""
    return {"at": moment(row.at), "event": row.kind, "by": row.actor, "detail": row.detail}


def outgoing(row: Outgoing, ticket_key: str | None) -> dict[str, Any]:
    """A line of `outbox list --json`."""
    return {
        "id": row.id,
        "ticket": ticket_key,
        "kind": row.kind,
        "to": row.recipient,
        "subject": row.subject,
        "message_id": row.message_id,
        "state": row.state,
        "attempts": row.attempts,
        "next_attempt_at": moment(row.next_attempt_at) if row.state in ("queued", "deferred") else None,
        "last_error": row.last_error or None,
        "reason": row.reason or None,
        "created_at": moment(row.created_at),
        "sent_at": moment(row.sent_at),
    }


def filed(mail: Filed) -> dict[str, Any]:
    """A line of `mail list --filed --json`."""
    row = mail.row
    return {
        "id": row.id,
        "at": moment(row.decided_at),
        "arrived_at": moment(row.arrived_at),
        "mailbox": row.route,
        "uid": row.uid,
        "message_id": row.message_id,
        "rule": row.rule,
        "reason": row.reason,
        "from": mail.sender,
        "subject": mail.subject,
        "named_us": mail.names_us,
        "named_ticket": row.names_ticket,
        "sender": row.trust,
        "size": row.size,
        "dismissed_at": moment(row.dismissed_at),
    }


def incoming(row: Incoming, ticket_key: str | None) -> dict[str, Any]:
    """What `mail why` and `quarantine` say of a mail."""
    return {
        "id": row.id,
        "mailbox": row.route,
        "uid": row.uid,
        "message_id": row.message_id,
        "size": row.size,
        "arrived_at": moment(row.arrived_at),
        "listed_at": moment(row.listed_at),
        "decided_at": moment(row.decided_at),
        "state": row.state,
        "rule": row.rule,
        "reason": row.reason,
        "ticket": ticket_key,
        "sender": row.trust,
        "copy_of": row.copy_of,
        "digest": row.raw_digest,
        "evidence": [{"rule": rule, "said": said} for rule, said in row.evidence or []],
        "attempts": row.alone_attempts,
    }


LONG_NOTICE = timedelta(days=1)  # after which a notice without an end is asked about


def notice(row: Standing, now: datetime) -> dict[str, Any]:
    """A notice in JSON's values. state: lasts, expired, ended. endless: whether it has lasted for more than a day and
    has no end."""
    return {
        "id": row.id,
        "state": "lasts" if row.lasts(now) else "ended" if row.ended_at else "expired",
        "categories": list(row.categories),
        "texts": dict(row.texts),
        "set_at": row.set_at.isoformat(),
        "set_by": row.set_by,
        "until": row.until.isoformat() if row.until else None,
        "endless": row.lasts(now) and row.until is None and now - row.set_at > LONG_NOTICE,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "ended_by": row.ended_by or None,
    }
