"""A letter on the wire: header fields as the standards want them, both bodies encoded, and the result checked.

The standard library encodes. It does not put the mail together: of values that are encoded already nothing is left to
do but to join lines, and its header registry would parse each field again, and encode long Message-IDs in References.
"""

from __future__ import annotations

import hashlib
import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.header import Header, decode_header, make_header
from email.utils import format_datetime
from urllib.parse import quote

from mailticket.letters.values import AUTO_SUBMITTED, File, Letter, Letterhead
from mailticket.mail.addresses import is_bare_address
from mailticket.text.clean import one_line
from mailticket.text.patterns import lazy_pattern

_MESSAGE_ID = lazy_pattern(r"<[!-;=?-~]{1,400}@[!-;=?-~]{1,400}>")
_MOST_REFERENCES = 21  # the first and the last 20
_LINE = 76  # columns of a header line, and of an encoded body (RFC 2045 section 6.7)
_PIECE = 48  # columns of a file's name in a line
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
    pair = (entity(*content("plain", pages.text)), entity(*content("html", pages.html)))
    kind, body = "multipart/alternative", multipart(boundary.encode(), pair)
    if letter.files:
        texts = entity([("Content-Type", f'{kind};\r\n boundary="{boundary}"')], body)
        kind, boundary = "multipart/mixed", f"{boundary}-files"
        body = multipart(boundary.encode(), (texts, *map(enclosed, letter.files)))
    fields = [
        *intended,
        ("MIME-Version", "1.0"),
        ("Content-Type", f'{kind};\r\n boundary="{boundary}"'),
        ("Content-Language", pages.language),
    ]
    wire = entity(fields, body)
    _check(wire, intended, pages.subject)
    return wire


def container(files: Sequence[File]) -> bytes:
    """Files as parts of one mail without a text: how those of an answer are kept."""
    digest = hashlib.sha256(b"".join(file.content for file in files)).hexdigest()
    kind = f'multipart/mixed;\r\n boundary="=_{digest[:40]}"'
    body = multipart(f"=_{digest[:40]}".encode(), map(enclosed, files))
    return entity([("MIME-Version", "1.0"), ("Content-Type", kind)], body)


_MEDIA_TYPE = lazy_pattern(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,90}")
_LONGEST_NAME = 150  # characters of a file's name


def enclosed(file: File) -> bytes:
    """A file as a part."""
    name = one_line(file.name.replace("/", "_").replace("\\", "_"), _LONGEST_NAME) or "file"
    media = file.type.lower() if _MEDIA_TYPE.fullmatch(file.type.lower()) else "application/octet-stream"
    if media.startswith(("multipart/", "message/")):  # would be read as part of our own letter
        media = "application/octet-stream"
    plain = re.fullmatch(r"[A-Za-z0-9 !#$&'()+,.;=@^_`{}~-]{1,60}", name)
    names = f'attachment;\r\n filename="{name}"' if plain else f"attachment;\r\n {_in_utf8(name)}"
    fields = [("Content-Type", media), ("Content-Transfer-Encoding", "base64"), ("Content-Disposition", names)]
    return entity(fields, encodebytes(file.content).replace(b"\n", b"\r\n"))


def _in_utf8(name: str) -> str:
    """A file's name as a parameter in UTF-8, in pieces of a line each (RFC 2231 sections 3 and 4)."""
    pieces = [""]
    for character in name:
        escaped = quote(character, safe="")
        if len(pieces[-1]) + len(escaped) > _PIECE:
            pieces.append("")
        pieces[-1] += escaped
    if len(pieces) == 1:
        return f"filename*=utf-8''{pieces[0]}"
    pieces[0] = f"utf-8''{pieces[0]}"
    return ";\r\n ".join(f"filename*{number}*={piece}" for number, piece in enumerate(pieces))


def entity(fields: Iterable[Field], body: bytes) -> bytes:
    """A mail or a part of one, of header values and a body that are encoded already (RFC 2045 section 2.4)."""
    header = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return header.encode() + b"\r\n" + body


def multipart(boundary: bytes, parts: Iterable[bytes]) -> bytes:
    """Parts between their delimiters (RFC 2046 section 5.1.1)."""
    return b"--%b\r\n" % boundary + (b"\r\n--%b\r\n" % boundary).join(parts) + b"\r\n--%b--\r\n" % boundary


def header_fields(letter: Letter, head: Letterhead, pages: Pages) -> list[Field]:
    """The header fields of a letter in their order, values encoded and folded, before those that MIME adds."""
    copies = [("copies", address) for address in letter.copies]
    for what, address in (("to", letter.to), ("reply_to", letter.reply_to), ("support address", head.address), *copies):
        if address and not is_bare_address(address):
            raise ValueError(f"{what}: {address!r} is not one bare address")
    if not letter.to:
        raise ValueError("to: a letter needs an address")
    if not _MESSAGE_ID.fullmatch(letter.message_id):
        raise ValueError(f"message_id: {letter.message_id!r} is not a Message-ID")
    references = thread(letter.in_reply_to, letter.references)
    fields = [
        ("From", sender_field(head.name, head.address)),
        ("To", letter.to),
        ("Cc", ",\r\n ".join(letter.copies)),
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


def sender_field(shown_name: str, address: str) -> str:
    """From, of a name and a bare address; the name may be anything, and "" stands for none."""
    name = " ".join(shown_name.split())
    if not name:
        return address
    if name.isascii() and len(name) <= 60 and "=?" not in name:
        shown = name if re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+", name) else _quoted(name)
    else:
        shown = encoded_text(name, "From")
    together = f"{shown} <{address}>"
    return together if len(together) < _LINE - 6 and "\n" not in shown else f"{shown}\r\n <{address}>"


def _quoted(name: str) -> str:
    escaped = re.sub(r'([\\"])', r"\\\1", name)
    return f'"{escaped}"'


def encoded_text(text: str, name: str) -> str:
    """Unstructured text as a header value: folded; as encoded words (RFC 2047) unless it is plain ASCII."""
    line = " ".join(text.split())
    plain = line.isascii() and line.isprintable() and "=?" not in line and max(map(len, line.split()), default=0) <= 60
    if plain and len(name) + 2 + len(line) <= _LINE:
        return line
    header = Header(line, "us-ascii" if plain else "utf-8", maxlinelen=_LINE, header_name=name)
    return header.encode(linesep="\r\n", splitchars=" ")


def content(subtype: str, page: str) -> tuple[list[Field], bytes]:
    """The header fields of a body part, and the page encoded, with CRLF.

    Quoted-printable stays readable in the raw mail; mostly Chinese text would be twice as long in it as in base64.
    """
    data = page.replace("\n", "\r\n").encode("utf-8", "replace")
    wide = len(page) - len(page.encode("ascii", "ignore"))
    readable = wide * 6 < len(page)
    encoded = _quoted_printable(data) if readable else encodebytes(data).replace(b"\n", b"\r\n")
    fields = [
        ("Content-Type", f'text/{subtype}; charset="utf-8"'),
        ("Content-Transfer-Encoding", "quoted-printable" if readable else "base64"),
    ]
    return fields, encoded


# A leading dot (SMTP's end of data) and "From " (mbox), encoded so that no careless relay can be fooled by them.
_RISKY_START = lazy_pattern(rb"\n(\.{1,24}|F(?=rom ))")


def _quoted_printable(data: bytes) -> bytes:
    """Lines of at most 76 columns: what follows an encoded start goes to a line of its own, so that none grows."""
    encoded = b"\n" + b2a_qp(data, istext=True)
    while _RISKY_START.search(encoded):
        encoded = _RISKY_START.sub(lambda start: b"\n" + b"".join(b"=%02X" % c for c in start[1]) + b"=\r\n", encoded)
    return encoded[1:]


def _check(wire: bytes, intended: list[Field], subject: str) -> None:
    """Read the header block again: exactly the intended fields, and nothing that a server could take for a line end."""
    ends = wire.count(b"\r\n")
    if wire.count(b"\n") != ends or wire.count(b"\r") != ends or b"\0" in wire:
        raise WireError("a bare CR, a bare LF or a NUL in the letter")
    if max(map(len, wire.split(b"\r\n"))) > _LONGEST_LINE:
        raise WireError("a line beyond 998 octets in the letter")
    block = wire.partition(b"\r\n\r\n")[0].decode("utf-8")
    lines = (line.partition(":") for line in re.split(r"\r\n(?![ \t])", block))
    fields = [(name, value.strip()) for name, _, value in lines]
    names = [name for name, _ in fields]
    if fields[: len(intended)] != intended or names[len(intended) :] != _MIME_FIELDS:
        raise WireError(f"the header fields are not the intended ones: {names}")
    value = dict(fields)["Subject"]
    reading = str(make_header(decode_header(value))) if "=?" in value else value
    if " ".join(reading.split()) != " ".join(subject.split()):
        raise WireError(f"the subject reads {reading!r}, not {subject!r}")
