"""A mail that somebody forwards: whose it is, what it says, and the words that stand above it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from mailticket.mail import addresses, reader
from mailticket.mail.address import Address
from mailticket.mail.claimed import NOBODY, is_ours
from mailticket.mail.closing import without_closing
from mailticket.mail.headings import (
    header_fields,
    is_forward_heading,
    is_forward_subject,
    is_reply_subject,
    is_rule,
    is_separator,
)
from mailticket.mail.identity import parse_date
from mailticket.mail.quoting import is_quoted
from mailticket.mail.values import Attachment, Mail, Ourselves
from mailticket.text.clean import one_line
from mailticket.text.patterns import lazy_pattern

MAX_TEXT = 256 * 1024  # characters in which a forward is sought
MESSAGE_TYPES = frozenset(("message/rfc822", "message/global"))
_MOST_BLANKS = 4  # lines between a forward's heading and its header block


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A forwarded mail, as the one who forwards it says it was: nothing of it is proved.

    author: who wrote it. date: aware, None where it cannot be read. text: the author's words. covering: the words of
    the one who forwards it. files: the author's. part: where the mail was attached as one, the Attachment.part of it,
    and then each file's part is one of that mail (see mail.attachment_bytes); "" for a mail pasted into the text.
    """

    author: Address
    subject: str
    text: str
    covering: str
    date: datetime | None = None
    files: tuple[Attachment, ...] = ()
    part: str = ""


def forwarded(
    mail: Mail, raw: bytes, ourselves: Ourselves, staff: Collection[str] = (), zone: tzinfo = UTC
) -> Forwarded | None:
    """What a mail forwards; None unless it plainly forwards one mail of one author who is neither ours nor staff's.

    raw: the mail's bytes. staff: addresses of staff as they are compared. zone: of dates that name none.
    """
    messages = [file for file in mail.attachments if file.type in MESSAGE_TYPES]
    if (
        mail.encrypted
        or (mail.automatic and not mail.automatic.distribution)
        or is_reply_subject(mail.subject)
        or len(messages) > 1
    ):
        return None
    forward = _attached(mail, raw, messages[0], ourselves) if messages else _pasted(mail, zone)
    return forward if forward and _is_requester(forward.author, ourselves, staff) else None


def _is_requester(author: Address, ourselves: Ourselves, staff: Collection[str]) -> bool:
    return (
        addresses.is_address(author.address)
        and addresses.is_bare_address(author.address)
        and not is_ours(author.key, ourselves)
        and author.key not in staff
        and not NOBODY.match(author.address)
    )


def _attached(mail: Mail, raw: bytes, message: Attachment, ourselves: Ourselves) -> Forwarded | None:
    """The mail that was attached as a file; its own files are its author's."""
    try:
        inner = reader.read(reader.attachment_bytes(raw, message.part), ourselves)
    except KeyError:
        return None
    if inner.sender_address is None:
        return None
    covering = "" if mail.borrowed else _covering(mail.text[:MAX_TEXT].split("\n"))
    return Forwarded(
        inner.sender_address, inner.subject, inner.text, covering, inner.date, inner.attachments, message.part
    )


def _pasted(mail: Mail, zone: tzinfo) -> Forwarded | None:
    """The mail that was put into the text below a header block, as all programs do it that do not attach."""
    lines = mail.text[:MAX_TEXT].split("\n")
    place = _block(lines, is_forward_subject(mail.subject))
    if place is None:
        return None
    above, end, fields = place
    author = _author(fields.get("from", ""))
    if author is None:
        return None
    return Forwarded(
        author=author,
        subject=one_line(fields.get("subject", "").strip(" |"), reader.MAX_SUBJECT),
        text=_unquoted(lines[end:]) + mail.text[MAX_TEXT:],
        covering=_covering(lines[:above]),
        date=_date(fields.get("sent", "") or fields.get("date", ""), zone),
        files=mail.attachments,
    )


def _block(lines: list[str], by_subject: bool) -> tuple[int, int, dict[str, str]] | None:
    """The first line of a forward's heading, the end of its header block, and the block's fields.

    by_subject: the subject says that this is a forward; then the block alone is a heading, as in Outlook. None where
    something is quoted above: then the forward is in what somebody answers.
    """
    for at, line in enumerate(lines):
        if is_quoted(line):
            return None
        titled = is_forward_heading(line)
        if titled or (by_subject and (is_separator(line) or is_rule(line))):
            start = next((n for n in range(at + 1, min(at + _MOST_BLANKS + 2, len(lines))) if lines[n].strip("> ")), at)
        else:
            start = at
        if titled or start > at or by_subject:
            end, fields = header_fields(lines, start)
            if fields:
                return at, end, fields
        if titled:
            return None
    return None


_ADDRESS = lazy_pattern(r"[^\s<>()\[\]\"',;:|@]{1,100}@[^\s<>()\[\]\"',;:|@]{1,200}")


def _author(value: str) -> Address | None:
    """The one address of a From line, which programs write in angle, round or square brackets, with the name before."""
    value = value[:1000]
    matches = list(_ADDRESS.finditer(value))
    if len({match[0].lower() for match in matches}) != 1:
        return None
    name = re.sub(r"mailto:|[<>()\[\]\"|]", " ", value[: matches[0].start()], flags=re.IGNORECASE)
    return Address(one_line(name.strip(" ,;'"), addresses.MAX_NAME), matches[0][0].rstrip("."))


def _unquoted(lines: Sequence[str]) -> str:
    """Lines as text, without the quote marks that some programs set before all of a forwarded mail."""
    body = [line for line in lines if line.strip()]
    if body and all(map(is_quoted, body)):
        lines = [line.lstrip(" \t").removeprefix(">").removeprefix(" ") for line in lines]
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _covering(lines: list[str]) -> str:
    kept, _ = without_closing(lines)
    return "\n".join(line.rstrip() for line in kept).strip("\n")


_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mär", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"), start=1
    )
    for name in names.split()
}
_YEAR_FIRST = lazy_pattern(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})")
_DAY_FIRST = lazy_pattern(r"(\d{1,2})(?:\.|st|nd|rd|th)?[ -]([^\W\d_]{3,9})\.?,?[ -](\d{4})")
_MONTH_FIRST = lazy_pattern(r"([^\W\d_]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_POINTS = lazy_pattern(r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
_TIME = lazy_pattern(
    r"([上下]午|晚上|凌晨|早上|中午)?\s?(\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?(?:\s?([ap])\.?m\b)?", re.IGNORECASE
)
_ZONED = lazy_pattern(r"[+-]\d{2}:?\d{2}\b|\b(?:GMT|UTC|Z)\b")


def _date(value: str, zone: tzinfo) -> datetime | None:
    """The moment that a Date or Sent line names, in UTC; None where day and month cannot be told apart, or no time is
    given. What names no zone is in `zone`, that of the program which forwarded the mail."""
    value = value.strip(" |")[:200]
    if (
        _ZONED.search(value)
        and not re.search(r"\b[ap]\.?m\b|午", value, re.IGNORECASE)
        and (moment := parse_date(value))
    ):
        return moment
    day, time = _day(value), _TIME.search(value)
    if day is None or time is None:
        return None
    hour = int(time[2])
    afternoon = time[1] in ("下午", "晚上", "中午") or (time[5] or "").lower() == "p"
    morning = time[1] in ("上午", "凌晨", "早上") or (time[5] or "").lower() == "a"
    hour = hour + 12 if afternoon and hour < 12 and not (time[1] == "中午" and hour > 10) else hour
    hour = 0 if morning and hour == 12 else hour
    try:
        return datetime(*day, hour, int(time[3]), int(time[4] or 0), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _day(value: str) -> tuple[int, int, int] | None:
    if match := _YEAR_FIRST.search(value):
        return int(match[1]), int(match[2]), int(match[3])
    if match := _POINTS.search(value):
        return int(match[3]), int(match[2]), int(match[1])
    if (match := _DAY_FIRST.search(value)) and (month := _MONTHS.get(match[2][:3].lower())):
        return int(match[3]), month, int(match[1])
    if (match := _MONTH_FIRST.search(value)) and (month := _MONTHS.get(match[1][:3].lower())):
        return int(match[3]), month, int(match[2])
    return None
