"""The mail to the administrator: what stays broken and what works again, in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from mailticket.letters.mime import content, encoded_text, entity
from mailticket.letters.trouble import Trouble
from mailticket.letters.values import Letterhead
from mailticket.mail.addresses import is_bare_address
from mailticket.text.clean import many_lines, one_line

_LONGEST_NAME = 60
_LONGEST_TEXT = 600  # of one trouble: servers can be talkative
_NAMED_IN_SUBJECT = 3
_CLOSING = """\
`mailticket status` shows how things stand now, `mailticket check` what to do.
One mail is sent when something stays broken, and one when it works again."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What one alert says. to: a bare address. message_id: ours, with angle brackets. date: now, aware."""

    to: str
    message_id: str
    date: datetime
    broken: Sequence[Trouble] = ()
    mended: Sequence[Trouble] = ()


def alert_subject(alert: Alert) -> str:
    """`[mailticket] broken: mailbox support, disk`, or `[mailticket] works again: ...`."""
    names = [one_line(trouble.name, _LONGEST_NAME) for trouble in alert.broken or alert.mended]
    more = f" and {len(names) - _NAMED_IN_SUBJECT} more" if len(names) > _NAMED_IN_SUBJECT else ""
    what = "broken" if alert.broken else "works again"
    return f"[mailticket] {what}: {', '.join(names[:_NAMED_IN_SUBJECT])}{more}"


def text(alert: Alert, head: Letterhead) -> str:
    lines = [f"mailticket for {head.address}", ""]
    if alert.broken:
        lines.append("Broken:")
        lines += [line for trouble in alert.broken for line in _broken(trouble, alert.date)]
    if alert.mended:
        lines.append("Works again:")
        lines += [f"  * {one_line(t.name, _LONGEST_NAME)}, reported {_minute(t.since)}" for t in alert.mended]
        lines.append("")
    return "\n".join([*lines, _CLOSING, ""])


def _broken(trouble: Trouble, now: datetime) -> list[str]:
    text = many_lines(trouble.text, _LONGEST_TEXT).replace("\n", " ")
    since = f"{_minute(trouble.since)}, for {_span(now - trouble.since)}"
    name = one_line(trouble.name, _LONGEST_NAME)
    return [f"  * {name}: {text}", f"    since {since}", *([f"    {trouble.remedy}"] if trouble.remedy else []), ""]


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _span(time: timedelta) -> str:
    minutes = max(0, int(time.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"


def alert_message(alert: Alert, head: Letterhead) -> bytes:
    """The alert as SMTP takes it. Errors: ValueError for an address that cannot stand in a header."""
    if not is_bare_address(alert.to):
        raise ValueError(f"to: {alert.to!r} is not one bare address")
    fields, body = content("plain", text(alert, head))
    built = [
        ("From", f"mailticket <{head.address}>"),
        ("To", alert.to),
        ("Date", format_datetime(alert.date.astimezone(UTC))),
        ("Message-ID", alert.message_id),
        ("Subject", encoded_text(alert_subject(alert), "Subject")),
        ("Auto-Submitted", "auto-generated"),  # RFC 3834 section 5
        ("X-Auto-Response-Suppress", "All"),
        ("X-Loop", encoded_text(head.loop_mark, "X-Loop")),
        ("MIME-Version", "1.0"),
        *fields,
    ]
    return entity(built, body)
