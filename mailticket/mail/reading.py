"""One reading of one mail: each aspect is read by its own room, and a fault in one leaves the others standing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

from mailticket.mail import addresses, bodies, headers, hidden, identity, structure, trust
from mailticket.mail.automatic import automatic, or_bounce, suppress
from mailticket.mail.bodies import Bodies
from mailticket.mail.bounce import bounce
from mailticket.mail.headings import is_forward_subject
from mailticket.mail.language import language
from mailticket.mail.parts import Headers, Part
from mailticket.mail.quoting import trim
from mailticket.mail.values import Address, Cut, Mail, Sender, Site

MAX_SUBJECT = 1000  # characters
MAX_WARNINGS = 20

# How mail programs begin the subject of a forwarded mail, behind list tags if there are any.
_FORWARD = re.compile(
    r"\s*(?:\[[^\[\]]{0,40}\]\s{0,3}){0,3}"
    r"(?:fwd?|wg|tr|rv|reenv|enc|i|doorst|vb|vl|pd|转发|轉寄|轉發|转寄|轉送|転送|전달)\s?[:：]",
    re.IGNORECASE,
)

_T = TypeVar("_T")


def read(raw: bytes, site: Site = Site()) -> Mail:  # noqa: B008 (a frozen value)
    """The reading of a raw mail for a site. Never raises; what could not be read is in `warnings`.

    raw: the mail as it came, of any size and content. The cost is linear in its length, the memory a small multiple.
    """
    content = structure.canonical(raw)
    warnings: list[str] = []
    attempt = _Attempts(warnings)
    root, odd = attempt("structure", lambda: structure.read_structure(content), _no_structure(content))
    warnings += odd
    part = root.headers
    sender, from_, broken = attempt("sender", lambda: addresses.sender(part), _NO_SENDER)
    warnings += [broken] if broken else []
    body = attempt("bodies", lambda: bodies.read(content, root), Bodies())
    warnings += body.warnings
    warnings += attempt("hidden characters", lambda: hidden.warnings(root), [])
    subject = attempt("subject", lambda: headers.text(part, "subject"), "")[:MAX_SUBJECT]
    return_path = attempt("return path", lambda: identity.return_path(part), None)
    uncut: tuple[str, tuple[Cut, ...]] = (body.text, ())
    forwarded = is_forward_subject(subject)
    trimmed = attempt("new text", lambda: trim(body.text, marker=site.reply_marker, forwarded=forwarded), uncut)
    new_text, cuts = trimmed
    verdict, reason = attempt("trust", lambda: trust.judge(part, sender, site), _NO_VERDICT)
    found: dict[str, Any] = {
        "subject": subject,
        "sender": sender,
        "return_path": return_path,
    }
    report: dict[str, Any] = {"root_type": root.type, "report_type": root.params.get("report-type", "").lower()}
    own_text, own_new_text = ("", "") if body.borrowed else (body.text, new_text)
    bounced = attempt("bounce", lambda: bounce(content, root, text=own_text, **found), None)
    machine = attempt("automatic", lambda: automatic(part, text=own_new_text, **report, **found, site=site), None)
    return Mail(
        digest=hashlib.sha256(raw).hexdigest(),
        identity=attempt("identity", lambda: identity.content_identity(content, root.start), ""),
        size=len(raw),
        message_id=attempt("Message-ID", lambda: identity.message_id(part), ""),
        subject=subject,
        sender_address=sender,
        from_=from_,
        to=attempt("To", lambda: addresses.listed(part, "to"), ()),
        cc=attempt("Cc", lambda: addresses.listed(part, "cc"), ()),
        reply_to=attempt("Reply-To", lambda: addresses.listed(part, "reply-to"), ()),
        return_path=return_path,
        date=attempt("Date", lambda: identity.date(part), None),
        in_reply_to=attempt("In-Reply-To", lambda: identity.message_ids(part, "in-reply-to"), ()),
        references=attempt("References", lambda: identity.message_ids(part, "references"), ()),
        text=body.text,
        new_text=new_text,
        cuts=cuts,
        language=attempt("language", lambda: language(new_text or body.text), ""),
        attachments=tuple(body.attachments),
        automatic=or_bounce(machine, bounced),
        bounce=bounced,
        trust=verdict,
        trust_reason=reason,
        suppress=attempt("suppress", lambda: suppress(part, site), ""),
        delivered_to=attempt("Delivered-To", lambda: identity.delivered_to(part), ()),
        received_at=attempt("Received", lambda: identity.received_at(part), None),
        warnings=tuple(dict.fromkeys(warnings))[:MAX_WARNINGS],
    )


_NO_SENDER: tuple[Address | None, tuple[Address, ...], str] = (None, (), "")
_NO_VERDICT: tuple[Sender, str] = ("unknown", "it could not be read")


def _no_structure(content: bytes) -> tuple[Part, list[str]]:
    """A mail without header or parts, whose text is all of its bytes."""
    return Part("", Headers([]), "text/plain", {}, "", "", "", 0, len(content)), []


class _Attempts:
    """Calls a reader of one aspect; whatever it raises becomes a warning, and the aspect its empty value."""

    def __init__(self, warnings: list[str]) -> None:
        self.warnings = warnings

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
