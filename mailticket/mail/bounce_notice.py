"""Amazon SES's notifications in JSON, as SNS sends them by mail, bare or in its envelope: bounces and complaints."""

from __future__ import annotations

import json
from typing import Any, Literal

from mailticket.mail import bounce_words
from mailticket.mail.delivery_status import MAX_DIAGNOSTIC, MAX_RECIPIENTS
from mailticket.mail.values import Bounce, BounceRecipient

_LONGEST = 200_000  # characters
_KINDS = ('"notificationType"', '\\"notificationType\\"', '"eventType"', '\\"eventType\\"')


def notification(text: str) -> Bounce | Literal["complaint"] | None:
    """What a notification tells: whom a mail did not or did reach, or that somebody complained; None for other texts.

    Source: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html and event-publishing ("eventType").
    """
    start = text.find("{")
    if start < 0 or not any(kind in text[start : start + 4000] for kind in _KINDS):
        return None
    try:
        content = _object(text[start : start + _LONGEST].replace("\r", "").replace("\n", ""))
        if "Message" in content:  # the envelope of SNS
            content = _object(str(content["Message"])[:_LONGEST])
        kind = content.get("notificationType") or content.get("eventType")
        if kind == "Complaint":
            return "complaint"
        recipients = _recipients(content, str(kind))
        return _about(recipients, content["mail"]) if recipients else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _object(text: str) -> dict[str, Any]:
    content, _ = json.JSONDecoder().raw_decode(text)
    return dict(content)


def _recipients(content: dict[str, Any], kind: str) -> tuple[BounceRecipient, ...]:
    if kind == "Bounce":
        entries = content["bounce"]["bouncedRecipients"][:MAX_RECIPIENTS]
        return tuple(_bounced(entry) for entry in entries)
    if kind == "Delivery":
        response = str(content["delivery"].get("smtpResponse", ""))
        status = bounce_words.written_status(response)
        reached = content["delivery"]["recipients"][:MAX_RECIPIENTS]
        return tuple(BounceRecipient(str(a), "delivered", status, response[:MAX_DIAGNOSTIC]) for a in reached)
    return ()


def _bounced(entry: dict[str, Any]) -> BounceRecipient:
    diagnostic = str(entry.get("diagnosticCode", ""))
    status = str(entry.get("status", "")) or bounce_words.written_status(diagnostic)
    return BounceRecipient(
        str(entry["emailAddress"]), str(entry.get("action", "failed")), status, diagnostic[:MAX_DIAGNOSTIC]
    )


def _about(recipients: tuple[BounceRecipient, ...], mail: dict[str, Any]) -> Bounce:
    """SES puts its own Message-ID in place of ours, and tells ours only where it was asked to give headers."""
    common = dict(mail.get("commonHeaders") or {})
    fields = {str(field["name"]).lower(): str(field["value"]) for field in mail.get("headers") or ()}
    original = str(common.get("messageId") or fields.get("message-id") or "").strip("<> ")
    references = f"{fields.get('references', '')} {fields.get('in-reply-to', '')}".split()
    return Bounce(
        recipients,
        f"<{original}>" if original else "",
        tuple(dict.fromkeys(references))[-20:],
        str(common.get("subject") or fields.get("subject") or "")[:500],
        tuple(name for name in (str(mail.get("messageId") or ""),) if len(name) >= 8),
    )
