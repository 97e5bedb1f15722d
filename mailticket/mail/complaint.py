"""Complaints: a provider tells that one of its users took a mail of ours for spam (RFC 5965, and older forms)."""

from __future__ import annotations

import re

from mailticket.mail import bounce_notice, charsets
from mailticket.mail.address import Address
from mailticket.mail.bodies import part_bytes
from mailticket.mail.bounce import is_notifier
from mailticket.mail.parts import Part
from mailticket.text.patterns import lazy_pattern

_SUBJECT = lazy_pattern(
    r"\s*(?:\[[^\]]{1,40}\]\s*)?(?:complaint about (?:a )?message|(?:e-?mail )?(?:abuse|spam"
    r"|junk(?: mail)?) (?:report|complaint)"
    r"|e-?mail feedback report|feedback (?:loop )?report|arf report|user complaint)",
    re.IGNORECASE,
)
_MARKS = lazy_pattern(
    r"^(?:X-HmXmrOriginalRecipient|X-JMRP-[\w-]{1,40}|X-FBL-[\w-]{1,40}|X-Reporter-IP):", re.IGNORECASE | re.MULTILINE
)


def complaint(raw: bytes, root: Part, *, subject: str, text: str, sender: Address | None) -> str:
    """What shows that a mail is a complaint about one of ours; "" for every other mail.

    text: what its writer said, without the text of attached messages: a person who passes a mail on says something.
    """
    parts = [part for part in root.walk() if part.type.startswith("message/")]
    if any(part.type == "message/feedback-report" for part in parts):
        return "a part message/feedback-report"
    if is_notifier(sender) and bounce_notice.notification(text) == "complaint":
        return "a complaint in Amazon SES's notification"
    returned = next((part for part in parts if part.type in ("message/rfc822", "message/global")), None)
    if returned is None or len(text.strip()) > 2000:
        return ""
    header = charsets.decode(part_bytes(raw, returned)[:20_000]).replace("\r\n", "\n").partition("\n\n")[0]
    mark = _MARKS.search(header)
    if mark and not text.strip():
        return f"{mark.group().rstrip(':')} in the returned message"
    match = _SUBJECT.match(subject[:120])
    return f"Subject: {match.group().strip()}" if match and "?" not in text else ""
