"""Which parts of a mail are its text and which its attachments, and the bytes of each."""

from __future__ import annotations

from mailticket.mail import transfer
from mailticket.mail.parts import Part


def part_bytes(raw: bytes, part: Part) -> bytes:
    """The body of a part with its transfer encoding undone; `raw` is what the part was read from."""
    return transfer.decode(raw[part.start : part.end], part.encoding)[0]
