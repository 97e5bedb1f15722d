"""What a calendar in a mail says that it is: an invitation, an answer, a cancellation."""

from __future__ import annotations

import base64

import pytest

from mailticket.mail.calendar_part import method
from mailticket.mail.structure import canonical, read_structure

EVENT = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n%sBEGIN:VEVENT\r\nUID:u-77@cal.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


def in_mixed(*parts: bytes) -> bytes:
    head = b"From: Mia <mia@cal.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=kk\r\n\r\n"
    return head + b"".join(b"--kk\r\n" + part + b"\r\n" for part in parts) + b"--kk--\r\n"


def part(kind: bytes, content: bytes, *more: bytes) -> bytes:
    return b"\r\n".join((b"Content-Type: " + kind, *more, b"", content))


TEXT = part(b"text/plain", b"Mia takes part.")
REPLY = EVENT % b"METHOD:REPLY\r\n"
REQUEST = EVENT % b"METHOD:REQUEST\r\n"
NO_METHOD = EVENT % b""


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (in_mixed(TEXT, part(b"text/calendar; method=REPLY", NO_METHOD)), "REPLY"),
        (in_mixed(TEXT, part(b'text/calendar; charset="utf-8"; Method="counter"', NO_METHOD)), "COUNTER"),
        (in_mixed(TEXT, part(b"text/calendar; charset=utf-8", REPLY)), "REPLY"),
        (in_mixed(TEXT, part(b'application/ics; name="antwort.ics"', REPLY)), "REPLY"),
        (
            in_mixed(
                TEXT,
                part(
                    b"application/octet-stream; name=antwort.ics",
                    base64.encodebytes(REPLY),
                    b"Content-Transfer-Encoding: base64",
                ),
            ),
            "REPLY",
        ),
        (in_mixed(TEXT, part(b"text/calendar", REQUEST)), "REQUEST"),
        (in_mixed(TEXT, part(b"text/calendar", EVENT % b"METHOD;X-NOTE=late:Cancel\r\n")), "CANCEL"),
        (in_mixed(part(b"text/calendar", REQUEST), part(b"text/calendar", REPLY)), "REPLY"),
        (b"From: a@cal.example\r\nContent-Type: text/calendar\r\n\r\n" + REPLY, "REPLY"),
        (in_mixed(TEXT, part(b"text/calendar", NO_METHOD)), ""),
        (in_mixed(part(b"text/plain", b"METHOD:REPLY\r\n is what the log says")), ""),
        (in_mixed(TEXT, part(b"message/rfc822", b"Content-Type: text/calendar; method=REPLY\r\n\r\n" + REPLY)), ""),
        (in_mixed(TEXT, part(b"text/calendar", EVENT % b"DESCRIPTION:say\r\n METHOD:REPLY\r\n")), ""),
    ],
)
def test_the_method_of_a_calendar_is_found_wherever_it_stands(raw: bytes, wanted: str) -> None:
    content = canonical(raw)
    root, _ = read_structure(content)
    assert method(root, content) == wanted
