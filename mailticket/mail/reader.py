"""One reading of one mail: each aspect is read by its own room, and a fault in one leaves the others standing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from mailticket.mail import addresses, bodies, calendar_part, headers, hidden, identity, structure, trust
from mailticket.mail.address import Address
from mailticket.mail.automatic import automatic, first_of, or_bounce, suppress
from mailticket.mail.bodies import Bodies
from mailticket.mail.bounce import bounce
from mailticket.mail.claimed import claimed
from mailticket.mail.complaint import complaint
from mailticket.mail.headings import is_forward_subject, is_reply_subject
from mailticket.mail.language import language
from mailticket.mail.parts import Headers, Part
from mailticket.mail.quoting import has_marker, trim
from mailticket.mail.values import Cut, Mail, Ourselves, Sender

MAX_SUBJECT = 1000  # characters
MAX_WARNINGS = 20

_T = TypeVar("_T")


def read(raw: bytes, ourselves: Ourselves = Ourselves()) -> Mail:  # noqa: B008 (a frozen value)
    """A raw mail as read for this site (`ourselves`). Never raises; what could not be read is in `warnings`.

    raw: the mail as it came, of any size and content. The cost is linear in its length, the memory a small multiple.
    """
    content = structure.canonical(raw)
    attempt = _Attempts()
    root, odd = attempt("structure", lambda: structure.read_structure(content), _no_structure(content))
    attempt.warnings += odd
    part = root.headers
    sender, from_, broken = attempt("sender", lambda: addresses.sender(part), _NO_SENDER)
    body = attempt("bodies", lambda: bodies.read(content, root), Bodies())
    attempt.warnings += [*([broken] if broken else []), *body.warnings]
    deceptions: list[str] = attempt("hidden characters", lambda: hidden.warnings(root), [])
    attempt.warnings += deceptions
    return_path = attempt("return path", lambda: identity.return_path(part), None)
    verdict, reason = attempt("trust", lambda: trust.judge(part, sender, ourselves), _NO_VERDICT)
    fields = _fields(part, attempt)
    files = [file.sha256 for file in body.attachments]
    inside = [ourselves.internal_header] if ourselves.internal_header else []
    writing = attempt(
        "writing", lambda: identity.writing(part, sender, fields["subject"], body.text, files), identity.Writing()
    )
    return Mail(
        digest=hashlib.sha256(raw).hexdigest(),
        identity=attempt("identity", lambda: identity.content_identity(content, root.start), ""),
        origin=writing.origin,
        essence=writing.essence,
        size=len(raw),
        sender_address=sender,
        from_=from_,
        from_raw=attempt("From", lambda: addresses.raw_from(part), ""),
        return_path=return_path,
        text=body.text,
        attachments=tuple(body.attachments),
        encrypted=body.encrypted,
        borrowed=body.borrowed,
        reaction=body.reaction,
        trust=verdict,
        trust_reason=reason,
        from_trust=verdict,
        suppress=attempt("suppress", lambda: suppress(part, ourselves, return_path), ""),
        spam=attempt("spam", lambda: first_of(part, ourselves.spam_headers), None) is not None,
        block_header=attempt("block", lambda: first_of(part, ourselves.block_headers), None),
        internal=attempt("internal", lambda: first_of(part, inside), None) is not None,
        **fields,
        **_meaning(content, root, body, fields, sender, return_path, ourselves, attempt),
        warnings=tuple(dict.fromkeys(attempt.warnings))[:MAX_WARNINGS],
        deceptions=tuple(deceptions),
    )


def _fields(part: Headers, attempt: _Attempts) -> dict[str, Any]:
    """What single header fields say."""
    return {
        "message_id": attempt("Message-ID", lambda: identity.message_id(part), ""),
        "subject": attempt("subject", lambda: headers.text(part, "subject"), "")[:MAX_SUBJECT],
        "to": attempt("To", lambda: addresses.listed(part, "to"), _NOBODY),
        "cc": attempt("Cc", lambda: addresses.listed(part, "cc"), _NOBODY),
        "reply_to": attempt("Reply-To", lambda: addresses.listed(part, "reply-to"), _NOBODY),
        "agent": next(iter(attempt("Sender", lambda: addresses.listed(part, "sender"), _NOBODY)), None),
        "date": attempt("Date", lambda: identity.date(part), None),
        "date_offset": attempt("Date", lambda: identity.date_offset(part), None),
        "in_reply_to": attempt("In-Reply-To", lambda: identity.message_ids(part, "in-reply-to"), _NOTHING),
        "references": attempt("References", lambda: identity.message_ids(part, "references"), _NOTHING),
        "delivered_to": attempt("Delivered-To", lambda: identity.delivered_to(part), _NOTHING),
        "received_at": attempt("Received", lambda: identity.received_at(part), None),
    }


def _meaning(
    content: bytes, root: Part, body: Bodies, fields: dict[str, Any], sender: Address | None,
    return_path: str | None, ourselves: Ourselves, attempt: _Attempts,
) -> dict[str, Any]:  # fmt: skip
    """What the words say: what is new, in which language, and whether a program or a mail server speaks."""
    uncut: tuple[str, tuple[Cut, ...]] = (body.text, ())
    subject, marker = fields["subject"], ourselves.reply_marker
    names_parents = bool(fields["in_reply_to"] or fields["references"])
    new_text, cuts = attempt("new text", lambda: _cut(body.text, subject, names_parents, ourselves), uncut)
    envelope: dict[str, Any] = {"subject": subject, "sender": sender, "return_path": return_path}
    report: dict[str, Any] = {"root_type": root.type, "report_type": root.params.get("report-type", "").lower()}
    own_text, own_new_text = ("", "") if body.borrowed else (body.text, new_text)
    delivery_report = attempt(
        "bounce", lambda: bounce(content, root, text=own_text, **envelope, own_addresses=ourselves.own_addresses), None
    )
    report["calendar_method"] = attempt("calendar", lambda: calendar_part.method(root, content), "")
    report["reaction"] = body.reaction
    report["complaint"] = attempt(
        "complaint", lambda: complaint(content, root, subject=subject, text=own_text, sender=sender), ""
    )
    claim = attempt("claimed sender", lambda: claimed(root.headers, sender, ourselves), None)
    report["claimed"] = claim[0] if claim else None
    machine = attempt(
        "automatic", lambda: automatic(root.headers, text=own_new_text, **report, **envelope, ourselves=ourselves), None
    )
    return {
        "new_text": new_text,
        "cuts": cuts,
        "quotes_us": attempt("marker", lambda: has_marker(body.text, marker), False),
        "language": attempt("language", lambda: language(new_text or body.text), ""),
        "automatic": or_bounce(machine, delivery_report),
        "bounce": delivery_report,
        "claimed": claim[0] if claim else None,
        "claimed_by": claim[1] if claim else "",
    }


def _cut(text: str, subject: str, names_parents: bool, ourselves: Ourselves) -> tuple[str, tuple[Cut, ...]]:
    return trim(
        text,
        marker=ourselves.reply_marker,
        letters=ourselves.letters,
        forwarded=is_forward_subject(subject),
        answers=names_parents or bool(ourselves.letters.sent) or is_reply_subject(subject),
    )


def new_text_beside(mail: Mail, ourselves: Ourselves) -> str:
    """The new text that `read` would find now in a mail that it has read when less was known of our letters.

    For the price of cutting alone: what else a mail says depends on our letters only by its new text.
    """
    names_parents = bool(mail.in_reply_to or mail.references)
    return _Attempts()("new text", lambda: _cut(mail.text, mail.subject, names_parents, ourselves)[0], mail.text)


_NOBODY: tuple[Address, ...] = ()
_NOTHING: tuple[str, ...] = ()
_NO_SENDER: tuple[Address | None, tuple[Address, ...], str] = (None, (), "")
_NO_VERDICT: tuple[Sender, str] = ("unknown", "it could not be read")


def _no_structure(content: bytes) -> tuple[Part, list[str]]:
    """A mail without header or parts, whose text is all of its bytes."""
    return Part("", Headers([]), "text/plain", {}, "", "", "", 0, len(content)), []


class _Attempts:
    """Calls a reader of one aspect; whatever it raises becomes a warning, and the aspect its empty value."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def __call__(self, aspect: str, reader: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return reader()
        except Exception as fault:  # the mail must be taken in whatever one room stumbles over
            self.warnings.append(f"{aspect} could not be read: {type(fault).__name__}")
            return otherwise


def attachment_bytes(raw: bytes, part: str) -> bytes:
    """The decoded bytes of an attachment, found again by `Attachment.part`. KeyError if the mail has no such part."""
    content = structure.canonical(raw)
    root, _ = structure.read_structure(content)
    return bodies.attachment_bytes(content, root, part)
