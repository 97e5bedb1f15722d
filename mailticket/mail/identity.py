"""What tells one mail from another: its content without transport's marks, its dates, its Message-IDs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mailticket.mail import addresses, headers
from mailticket.mail.address import Address, address_key
from mailticket.mail.parts import Headers
from mailticket.mail.structure import MAX_HEADER_BLOCK, canonical, header_start, read_structure
from mailticket.text.patterns import lazy_pattern
from mailticket.text.words import replaced

MAX_REFERENCES = 50
MAX_MESSAGE_ID = 500
_CHUNK = 1 << 18
_NUMERIC_ZONE = lazy_pattern(rb"\s([+-])(\d\d)(\d\d)(?:\s{0,9}\([^()]{0,100}\))?\s*$")
_WESTERNMOST, _EASTERNMOST = -12 * 60, 14 * 60  # minutes; of zones that are kept anywhere

# Headers that transport and filters add on the way: the same mail delivered twice differs in these alone.
_TRACE = frozenset(
    (
        b"return-path",
        b"received",
        b"x-received",
        b"received-spf",
        b"delivered-to",
        b"x-delivered-to",
        b"x-original-to",
        b"envelope-to",
        b"x-envelope-to",
        b"x-envelope-from",
        b"authentication-results",
        b"authentication-results-original",
        b"x-virus-scanned",
        b"x-bogosity",
        b"x-forefront-antispam-report",
        b"dkim-signature",
        b"domainkey-signature",
        b"x-google-dkim-signature",
        b"x-gm-message-state",
        b"x-google-smtp-source",
        b"x-originatororg",
        b"x-ms-traffictypediagnostic",
        b"x-ms-publictraffictype",
        b"x-eopattributedmessage",
        b"x-eoptenantattributedmessage",
        b"x-forwarded-to",
        b"x-forwarded-for",
        b"x-forwarded-encrypted",
        b"x-greylist",
        b"x-scanned-by",
        b"x-antivirus",
        b"x-antivirus-status",
        b"x-uid",
        b"x-uidl",
        b"x-keywords",
        b"status",
        b"x-status",
        b"x-mozilla-status",
        b"x-mozilla-status2",
    )
)
_TRACE_PREFIXES = (
    b"arc-",
    b"x-spam",
    b"x-rspamd",
    b"x-dspam",
    b"x-amavis",
    b"x-microsoft-antispam",
    b"x-ms-exchange-",
    b"x-ms-office365-",
    b"x-microsoft-exchange-",
    b"resent-",
    b"x-sieve",
    b"x-barracuda-",
    b"x-proofpoint-",
    b"x-mimecast-",
    b"x-ironport-",
    b"x-sophos-",
    b"x-getmail-",
    b"x-virus-",
)
# What only the writer's own program puts there: content wherever it stands.
_WRITTEN = frozenset(
    (b"from", b"sender", b"reply-to", b"to", b"cc", b"subject", b"date", b"message-id", b"in-reply-to", b"references",
     b"mime-version", b"auto-submitted", b"precedence", b"x-loop")
)  # fmt: skip
_WRITTEN_PREFIXES = (b"content-", b"list-", b"x-original-")
_RECEIVED = lazy_pattern(rb"^received[ \t]{0,20}:", re.IGNORECASE | re.MULTILINE)
_TAG = lazy_pattern(
    r"\[[^\[\]\n]{1,60}\]|【[^【】\n]{1,60}】|\*{2,5}[^*\n]{1,40}\*{2,5}"
    r"|^\s*\(?(?:external|extern|externe|ext|caution|spam\??|suspected spam|外部|外部邮件)\)?\s?[:：]",
    re.IGNORECASE,
)
_FIELD = lazy_pattern(rb"([!-9;-~]{1,200})[ \t]{0,20}:")
_ID = lazy_pattern(r"<([^<>]{1,600})>")
_BARE_ID = lazy_pattern(r"[^\s<>,;\"]{1,240}@[^\s<>,;\"]{1,240}")
_ISO_DATE = lazy_pattern(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?(?:\.\d{1,9})?\s?(Z|[+-]\d\d:?\d\d)?")


def content_identity(raw: bytes, body_start: int) -> str:
    """SHA-256 (hexadecimal) of the content: trace headers left out, line ends as LF, none at the very end.

    Servers put what they add on top (RFC 5321 section 4.4), so above the lowest Received only what nobody but the
    writer's program writes is content. body_start: where the body of the mail begins in `raw`, as the structure reader
    found it.
    """
    start = header_start(raw)
    digest = hashlib.sha256()
    limit = min(body_start, start + MAX_HEADER_BLOCK)
    lowest_received = max((match.start() for match in _RECEIVED.finditer(raw, start, limit)), default=-1)
    is_content = True
    position = start
    while position < limit:
        line_end = raw.find(b"\n", position, limit)
        line_end = limit if line_end < 0 else line_end + 1
        if raw[position] not in b" \t":
            name = _FIELD.match(raw, position, line_end)
            is_content = not (name and _is_trace(name[1].lower(), position < lowest_received))
        if is_content:
            digest.update(raw[position:line_end].rstrip(b"\r\n") + b"\n")
        position = line_end
    _update_with_lf(digest, raw, position)
    return digest.hexdigest()


def _is_trace(name: bytes, above_received: bool) -> bool:
    if name in _TRACE or name.startswith(_TRACE_PREFIXES):
        return True
    return above_received and name not in _WRITTEN and not name.startswith(_WRITTEN_PREFIXES)


@dataclass(frozen=True, slots=True)
class Writing:
    """By what one mail is known again that changed on its way; both hexadecimal digests, "" where a part is missing.

    origin: of whom, when and under which Message-ID it was written. essence: the same with what it says and its files.
    """

    origin: str = ""
    essence: str = ""


def writing(part_headers: Headers, sender: Address | None, subject: str, text: str, files: Iterable[str]) -> Writing:
    """What stays of a mail whatever gateways do to it: tags in the subject and white space in the text do not count.

    sender: as From says. files: the digests of its attachments. Exchange gives what a rule redirects a Message-ID of
    its own, and names the writer's in X-MS-Exchange-Parent-Message-Id.
    """
    parents = message_ids(part_headers, "x-ms-exchange-parent-message-id")
    name = parents[0] if parents else message_id(part_headers)
    moment = date(part_headers)
    if not name or moment is None or sender is None:
        return Writing()
    origin = hashlib.sha256(f"{name}\n{sender.key}\n{moment.isoformat()}".encode()).hexdigest()
    words = f"{origin}\n{plain_subject(subject)}\n{plain_text(text)}\n{' '.join(sorted(files))}"
    return Writing(origin, hashlib.sha256(words.encode("utf-8", "replace")).hexdigest())


def plain_subject(subject: str) -> str:
    """A subject without the tags that gateways and lists put into it, and without white space."""
    return "".join(_TAG.sub(" ", subject).split()).casefold()


def plain_text(text: str) -> str:
    """A text without white space: gateways wrap lines anew."""
    without_ascii = text.encode("utf-8", "surrogatepass").translate(None, _ASCII_SPACE)
    return replaced(without_ascii.decode("utf-8", "surrogatepass"), _OTHER_SPACE)


_ASCII_SPACE = b" \t\n\r\v\f\x1c\x1d\x1e\x1f"
_OTHER_SPACE = dict.fromkeys(
    "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000", ""
)


def _update_with_lf(digest: hashlib._Hash, raw: bytes, position: int) -> None:
    """Digest the rest in pieces, CRLF as LF, without the line ends at the end (servers add or drop them)."""
    end = len(raw)
    while end > position and raw[end - 1] in b"\r\n":
        end -= 1
    while position < end:
        stop = min(position + _CHUNK, end)
        if stop < end and raw[stop - 1] == 0x0D:
            stop += 1
        digest.update(raw[position:stop].replace(b"\r\n", b"\n"))
        position = stop


def date(part_headers: Headers) -> datetime | None:
    """The Date header in UTC, or None without a readable one."""
    raw = part_headers.raw("date")
    return parse_date(headers.decode(raw[:400])) if raw else None


def date_offset(part_headers: Headers) -> int | None:
    """How many minutes the clock of a mail's writer is ahead of UTC, by its one Date header; None if not sure.

    Sure is a numeric zone (RFC 5322 section 3.3) of a whole quarter of an hour that some country keeps. +0000 is
    what programs in UTC write for whoever uses them, and -0000 says that the zone is not known.
    """
    values = part_headers.all_raw("date")
    zone = _NUMERIC_ZONE.search(headers.unfold(values[0])[:400]) if len(values) == 1 else None
    if zone is None or int(zone[3]) > 59:
        return None
    minutes = (int(zone[2]) * 60 + int(zone[3])) * (-1 if zone[1] == b"-" else 1)
    return minutes if minutes and minutes % 15 == 0 and _WESTERNMOST <= minutes <= _EASTERNMOST else None


def writers_clock(raw: bytes) -> tuple[datetime | None, int | None]:
    """The Date of a raw mail and its offset, read as `date` and `date_offset` do."""
    root, _ = read_structure(canonical(raw[:MAX_HEADER_BLOCK]))
    return date(root.headers), date_offset(root.headers)


def arrived_at(raw: bytes) -> datetime | None:
    """When a raw mail arrived, by its header alone: its topmost Received, else its Date."""
    root, _ = read_structure(canonical(raw[: 2 * MAX_HEADER_BLOCK]))
    return received_at(root.headers) or date(root.headers)


def received_at(part_headers: Headers) -> datetime | None:
    """The time of the topmost Received header (RFC 5321 section 4.4: behind its last semicolon), in UTC, or None."""
    raw = part_headers.raw("received")
    if raw is None or b";" not in raw:
        return None
    return parse_date(headers.unfold(raw.rpartition(b";")[2])[:400].decode("ascii", "replace"))


def parse_date(text: str) -> datetime | None:
    """A date as mails write it (RFC 5322 section 3.3, and ISO 8601), in UTC; a missing zone is UTC."""
    text = text.strip()[:200]
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        match = _ISO_DATE.search(text)
        if not match:
            return None
        try:
            moment = datetime.fromisoformat(match[0].strip())
        except ValueError:
            return None
    try:
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def message_id(part_headers: Headers) -> str:
    """The Message-ID with its angle brackets, "" without one."""
    text = headers.text(part_headers, "message-id")
    ids = _bracketed(text)
    if ids:
        return ids[0]
    bare = text.strip("<> \"'").split()
    return f"<{bare[0][:MAX_MESSAGE_ID]}>" if bare else ""


def message_ids(part_headers: Headers, name: str) -> tuple[str, ...]:
    """The Message-IDs of a header in order, without repeats; of more than MAX_REFERENCES the first and last ones."""
    distinct: dict[str, None] = {}
    for raw in part_headers.all_raw(name)[:10]:
        text = headers.decode(raw)
        ids = _bracketed(text) or [f"<{bare}>" for bare in _BARE_ID.findall(text)]
        distinct.update(dict.fromkeys(headers.clean_line(i) for i in ids))
    ids = list(distinct)
    return tuple(ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[-(MAX_REFERENCES - 1) :]])


def _bracketed(text: str) -> list[str]:
    """What stands in angle brackets, joined where it was folded or blanks got into it: no Message-ID has any.

    With blanks inside only what has an "@" is one: dates and names stand in brackets too.
    """
    ids: list[str] = []
    for inside in _ID.findall(text):
        joined = "".join(inside.split())
        if joined and len(joined) <= MAX_MESSAGE_ID and (joined == inside or "@" in joined):
            ids.append(f"<{joined}>")
    return ids


def return_path(part_headers: Headers) -> str | None:
    """The topmost Return-Path without brackets; "" is the null path, None no such header."""
    raw = part_headers.raw("return-path")
    if raw is None:
        return None
    text = headers.clean_line(headers.decode(raw))
    if text.replace(" ", "") in ("<>", ""):
        return ""
    boxes = addresses.mailboxes([raw])
    return boxes[0].address.address if boxes else text.strip("<> ")[: addresses.MAX_ADDRESS]


def delivered_to(part_headers: Headers) -> tuple[str, ...]:
    """The addresses by which the mail came to us, as they are compared, topmost first, without repeats."""
    names = ("delivered-to", "x-original-to", "envelope-to", "x-delivered-to", "x-envelope-to")
    raws = [value for name, value in part_headers.fields if name in names][:20]
    boxes = addresses.mailboxes(raws)
    return tuple(dict.fromkeys(address_key(m.address.address) for m in boxes if "@" in m.address.address))
