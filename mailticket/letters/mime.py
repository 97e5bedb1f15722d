"""A letter on the wire: header fields as the standards want them, both bodies encoded, and the result checked."""

from __future__ import annotations

import hashlib
import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from email.header import Header, decode_header, make_header
from email.quoprimime import body_encode
from email.utils import format_datetime

from mailticket.letters.values import AUTO_SUBMITTED, Letter, Letterhead
from mailticket.mail.addresses import is_bare_address

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,400}@[!-;=?-~]{1,400}>")
_MOST_REFERENCES = 21  # the first and the last 20
_LINE = 76  # columns of a header line, and of an encoded body (RFC 2045 section 6.7)
_LONGEST_LINE = 998  # octets, RFC 5322 section 2.1.1

_MIME_FIELDS = ["MIME-Version", "Content-Type", "Content-Language"]

Field = tuple[str, str]


class WireError(Exception):
    """The bytes that came out are not the letter that went in. Ours to mend; nothing of the kind is ever sent."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The rendered pages of a letter, and the language that they are really in."""

    subject: str
    text: str
    html: str
    language: str


def thread(parent_id: str, parent_references: Iterable[str]) -> tuple[str, ...]:
    """The References of an answer (RFC 5322 section 3.6.4): those of the parent, then the parent's Message-ID.

    Malformed Message-IDs are dropped; of many the first and the last 20 stay. Without a usable parent_id there is no
    thread.
    """
    if not _MESSAGE_ID.fullmatch(parent_id):
        return ()
    usable = dict.fromkeys(i for i in parent_references if i != parent_id and _MESSAGE_ID.fullmatch(i))
    chain = [*usable, parent_id]
    return tuple(chain if len(chain) <= _MOST_REFERENCES else [chain[0], *chain[1 - _MOST_REFERENCES :]])


def message(letter: Letter, head: Letterhead, pages: Pages) -> bytes:
    """The letter as SMTP takes it, CRLF, every line under 998 octets.

    Errors: ValueError for an address or Message-ID that cannot stand in a header, WireError if the check fails.
    """
    intended = header_fields(letter, head, pages)
    # From the Message-ID, so that the same letter is the same bytes; nobody who writes to us can know it beforehand.
    boundary = "=_" + hashlib.sha256(letter.message_id.encode()).hexdigest()[:40]
    fields = [
        *intended,
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'),
        ("Content-Language", pages.language),
    ]
    head_block = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("utf-8", "surrogatepass")
    divider = f"--{boundary}".encode("ascii")
    plain, marked_up = _part("plain", pages.text), _part("html", pages.html)
    wire = b"\r\n".join((head_block, divider, plain, divider, marked_up, divider + b"--", b""))
    _check(wire, intended, pages.subject)
    return wire


def header_fields(letter: Letter, head: Letterhead, pages: Pages) -> list[Field]:
    """The header fields of a letter in their order, values encoded and folded, before those that MIME adds."""
    for what, address in (("to", letter.to), ("reply_to", letter.reply_to), ("support address", head.address)):
        if address and not is_bare_address(address):
            raise ValueError(f"{what}: {address!r} is not one bare address")
    if not letter.to:
        raise ValueError("to: a letter needs an address")
    if not _MESSAGE_ID.fullmatch(letter.message_id):
        raise ValueError(f"message_id: {letter.message_id!r} is not a Message-ID")
    references = thread(letter.in_reply_to, letter.references)
    fields = [
        ("From", _sender(head)),
        ("To", letter.to),
        ("Reply-To", letter.reply_to),
        ("Date", format_datetime(letter.date.astimezone(UTC))),
        ("Message-ID", letter.message_id),
        ("In-Reply-To", letter.in_reply_to if references else ""),
        ("References", "\r\n ".join(references)),
        ("Subject", encoded_text(pages.subject, "Subject")),
        *_automatic(letter, head),
    ]
    return [(name, value) for name, value in fields if value]


def _automatic(letter: Letter, head: Letterhead) -> list[Field]:
    kind = AUTO_SUBMITTED.get(letter.kind)
    if kind is None:
        return []
    mark = encoded_text(head.loop_mark, "X-Loop")
    return [("Auto-Submitted", kind), ("X-Auto-Response-Suppress", "All"), ("X-Loop", mark)]


def _sender(head: Letterhead) -> str:
    name = " ".join(head.name.split())
    if not name:
        return head.address
    if name.isascii() and len(name) <= 60 and "=?" not in name:
        shown = name if re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+", name) else _quoted(name)
    else:
        shown = encoded_text(name, "From")
    together = f"{shown} <{head.address}>"
    return together if len(together) < _LINE - 6 and "\n" not in shown else f"{shown}\r\n <{head.address}>"


def _quoted(name: str) -> str:
    escaped = re.sub(r'([\\"])', r"\\\1", name)
    return f'"{escaped}"'


def encoded_text(text: str, name: str) -> str:
    """Unstructured text as a header value: folded; as encoded words (RFC 2047) unless it is plain ASCII."""
    line = " ".join(text.split())
    plain = line.isascii() and line.isprintable() and "=?" not in line and max(map(len, line.split()), default=0) <= 60
    header = Header(line, "us-ascii" if plain else "utf-8", maxlinelen=_LINE, header_name=name)
    return header.encode(linesep="\r\n", splitchars=" ")


def _part(subtype: str, page: str) -> bytes:
    """A body part: its own header, an empty line, the page encoded.

    Quoted-printable stays readable in the raw mail; mostly Chinese text would be twice as long in it as in base64.
    """
    data = page.replace("\n", "\r\n").encode("utf-8", "replace")
    wide = len(page) - len(page.encode("ascii", "ignore"))
    way = "quoted-printable" if wide * 6 < len(page) else "base64"
    body = _quoted_printable(data) if way == "quoted-printable" else encodebytes(data).replace(b"\n", b"\r\n")
    header = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {way}\r\n\r\n'
    return header.encode("ascii") + body


# A leading dot (SMTP's end of data) and "From " (mbox), encoded so that no careless relay can be fooled by them.
_RISKY_START = re.compile(rb"^(?:\.|F(?=rom ))", re.MULTILINE)
_STAND_INS = {b".": b"\x01", b"F": b"\x02"}  # are encoded where the sign itself would stay as it is


def _quoted_printable(data: bytes) -> bytes:
    if b"\x01" in data or b"\x02" in data:
        return _narrow(data)
    marked = _RISKY_START.sub(lambda start: _STAND_INS[start[0]], data) if _is_risky(data) else data
    encoded = b2a_qp(marked, istext=True).replace(b"=01", b"=2E").replace(b"=02", b"=46")
    # A line may also begin with one of them where it was broken.
    return _narrow(data) if _is_risky(encoded) else encoded


def _is_risky(data: bytes) -> bool:
    """Whether any line begins so; seeking the few bytes is faster than trying the pattern at each line."""
    return data.startswith((b".", b"From ")) or b"\n." in data or b"\nFrom " in data


def _narrow(data: bytes) -> bytes:
    """The same by the library, which is slower, in lines that leave room for an encoded start."""
    narrow = body_encode(data.decode("latin-1"), maxlinelen=_LINE - 2, eol="\r\n").encode("ascii")
    return _RISKY_START.sub(lambda start: b"=%02X" % start[0][0], narrow)


def _check(wire: bytes, intended: list[Field], subject: str) -> None:
    """Read the header block again: exactly the intended fields, and nothing that a server could take for a line end."""
    ends = wire.count(b"\r\n")
    if wire.count(b"\n") != ends or wire.count(b"\r") != ends or b"\0" in wire:
        raise WireError("a bare CR, a bare LF or a NUL in the letter")
    if max(map(len, wire.split(b"\r\n"))) > _LONGEST_LINE:
        raise WireError("a line beyond 998 octets in the letter")
    block = wire.partition(b"\r\n\r\n")[0].decode("utf-8")
    found = [(name, value.strip()) for name, _, value in (f.partition(":") for f in re.split(r"\r\n(?![ \t])", block))]
    mime = [name for name, _ in found[len(intended) :]]
    if found[: len(intended)] != intended or mime != _MIME_FIELDS:
        raise WireError(f"the header fields are not the intended ones: {[name for name, _ in found]}")
    written = str(make_header(decode_header(dict(found)["Subject"])))
    if " ".join(written.split()) != " ".join(subject.split()):
        raise WireError(f"the subject reads {written!r}, not {subject!r}")
