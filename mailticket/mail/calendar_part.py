"""What a calendar says in a mail: the METHOD (RFC 5546) of the invitation, answer or cancellation that it carries."""

from __future__ import annotations

import re

from mailticket.mail import bodies
from mailticket.mail.parts import Part
from mailticket.text.patterns import lazy_pattern

MAX_BYTES = 256 * 1024  # of a part, transfer encoding included, in which the METHOD line is looked for
MAX_CALENDARS = 20

# application/ics is no registered type, but what several calendars name the copy that they attach.
TYPES = frozenset(("text/calendar", "application/ics", "text/x-vcalendar"))
_ANSWERS = ("REPLY", "COUNTER", "DECLINECOUNTER", "REFRESH")
_METHOD = lazy_pattern(
    rb"^METHOD(?:;[^:\r\n]{1,100})?[ \t]{0,5}:[ \t]{0,5}([A-Za-z-]{1,30})[ \t\r]{0,9}$", re.MULTILINE | re.IGNORECASE
)
_NAME = lazy_pattern(r"[A-Z-]{1,30}")


def is_calendar(part: Part) -> bool:
    """Whether a part is a calendar: by its type, or by its name where the type says nothing."""
    return part.type in TYPES or (
        part.type == "application/octet-stream" and part.filename.lower().endswith((".ics", ".ical"))
    )


def method(root: Part, raw: bytes) -> str:
    """The METHOD of the calendars in a mail, in upper case: "REPLY", "REQUEST", "CANCEL", ...; "" without any.

    It stands in the parameter of Content-Type (RFC 6047 section 2.4) or in the calendar itself (RFC 5546 section 1.4).
    Of several, one that answers an invitation is told before one that does not. Attached messages are not entered.
    """
    calendars = [part for part in root.walk() if not part.children and is_calendar(part)][:MAX_CALENDARS]
    methods = [method for part in calendars if (method := _method(part, raw))]
    return next((method for method in methods if method in _ANSWERS), methods[0] if methods else "")


def _method(part: Part, raw: bytes) -> str:
    parameter = part.params.get("method", "").strip().upper()
    if _NAME.fullmatch(parameter):
        return parameter
    if part.end - part.start > MAX_BYTES:
        return ""
    line = _METHOD.search(bodies.part_bytes(raw, part))
    return line[1].decode("ascii").upper() if line else ""
