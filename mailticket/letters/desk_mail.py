"""A desk mail: what mailticket writes to a member of the desk, as plain text on the wire. Never a requester's HTML."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from mailticket.letters import clean
from mailticket.letters.mime import content, enclosed, encoded_text, entity, multipart, sender_field, thread
from mailticket.letters.values import File, Letterhead
from mailticket.mail.addresses import is_bare_address
from mailticket.text.clean import one_line
from mailticket.text.patterns import lazy_pattern

_LONGEST_NAME = 40  # of a person in From
_LONGEST_VALUE = 60  # of a header field for filters
_MESSAGE_ID = lazy_pattern(r"<[!-;=?-~]{1,400}@[!-;=?-~]{1,400}>")


@dataclass(frozen=True, slots=True)
class DeskMail:
    """One desk mail.

    to: a bare address. message_id: ours, with angle brackets. date: now, aware. author: who is named in From beside the
    support, "" for nobody. subject, text: as they are shown. event, ticket_key, team, brand, priority: for filters, ""
    is left out. reply_to: a signed address, "" for none. in_reply_to, references: as of a letter. parts: the files,
    each encoded by `mime.enclosed`.
    """

    to: str
    message_id: str
    date: datetime
    subject: str
    text: str
    language: str
    event: str
    author: str = ""
    ticket_key: str = ""
    team: str = ""
    brand: str = ""
    priority: str = ""
    reply_to: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    parts: tuple[bytes, ...] = ()


def desk_subject(key: str, subject: str) -> str:
    """The subject of all desk mails of a ticket: it never changes, so that a ticket is one thread."""
    return f"[{key}] {clean.subject(subject, key)}".rstrip()


def author_name(name: str) -> str:
    """A name for From; "" where it rather looks like an address, a link or the form of one."""
    line = one_line(name, _LONGEST_NAME)
    return "" if re.search(r"[@＠﹫/<>]", line) else line


def desk_message(mail: DeskMail, head: Letterhead) -> bytes:
    """The mail as SMTP takes it. Errors: ValueError for an address or Message-ID that cannot stand in a header."""
    for address in (mail.to, head.address, *([mail.reply_to] if mail.reply_to else [])):
        if not is_bare_address(address):
            raise ValueError(f"{address!r} is not one bare address")
    if not _MESSAGE_ID.fullmatch(mail.message_id):
        raise ValueError(f"message_id: {mail.message_id!r} is not a Message-ID")
    fields, body = content("plain", mail.text)
    if mail.parts:
        boundary = "=_" + hashlib.sha256(mail.message_id.encode()).hexdigest()[:40]
        body = multipart(boundary.encode(), (entity(fields, body), *mail.parts))
        fields = [("Content-Type", f'multipart/mixed;\r\n boundary="{boundary}"')]
    return entity([*_header(mail, head), ("MIME-Version", "1.0"), *fields], body)


def _header(mail: DeskMail, head: Letterhead) -> list[tuple[str, str]]:
    author = author_name(mail.author)
    name = " ".join(head.name.split())
    references = thread(mail.in_reply_to, mail.references)
    built = [
        ("From", sender_field(f"{author} via {name}" if author and name else name, head.address)),
        ("To", mail.to),
        ("Reply-To", mail.reply_to),
        ("Date", format_datetime(mail.date.astimezone(UTC))),
        ("Message-ID", mail.message_id),
        ("In-Reply-To", mail.in_reply_to if references else ""),
        ("References", "\r\n ".join(references)),
        ("Subject", encoded_text(mail.subject, "Subject")),
        ("Auto-Submitted", "auto-generated"),  # RFC 3834 section 5
        ("X-Auto-Response-Suppress", "All"),
        ("X-Loop", encoded_text(head.loop_mark, "X-Loop")),
        ("X-Mailticket-Event", _value(mail.event)),
        ("X-Mailticket-Ticket", _value(mail.ticket_key)),
        ("X-Mailticket-Team", _value(mail.team)),
        ("X-Mailticket-Brand", _value(mail.brand)),
        ("X-Mailticket-Priority", _value(mail.priority)),
        ("Content-Language", mail.language),
    ]
    return [(field, value) for field, value in built if value]


def _value(word: str) -> str:
    """A word of ours for a header field: printable ASCII alone."""
    return re.sub(r"[^!-~ ]", "", word)[:_LONGEST_VALUE].strip()


def encoded_files(files: Sequence[File]) -> tuple[bytes, ...]:
    """Files as parts of a mail: made once for all who get them."""
    return tuple(enclosed(file) for file in files)
