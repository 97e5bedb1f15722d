"""A time to come as people type it, and the moment that it means."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from mailticket.text.patterns import lazy_pattern

_HALF_HOUR = timedelta(minutes=30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN = lazy_pattern(r"(\d{1,4})\s?(min|m|h|d|w)")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOMENT = lazy_pattern(r"(?:(\d{4}-\d\d-\d\d)(?:[T\s]\s*|$))?(?:(\d{1,2}:\d\d)(?::00)?)?\s*(\S+)?")
FORMS = "write 2h, 3d, 18:00, 2026-11-28, or 2026-11-28 18:00 with or without a zone such as UTC, +08:00, Europe/Berlin"


def half_hour_before(at: datetime) -> datetime:
    """The last full or half hour (of UTC) that is not after `at`, aware; where an earliest time is said to people."""
    return at - (at - _EPOCH) % _HALF_HOUR


def half_hour_after(at: datetime) -> datetime:
    """The first full or half hour (of UTC) that is not before `at`, aware; where a latest time is said to people."""
    return at + (_EPOCH - at) % _HALF_HOUR


def latest_past(now: datetime) -> datetime:
    """The latest time of which the half hour that is said for it, `half_hour_after`, lies before `now`."""
    return half_hour_before(now - timedelta(microseconds=1))


def coming(words: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment that somebody means: after so long (90min, 2h, 3d, 1w), at the next such time of day, at the end of a
    day, or at a time of a day, in `zone` unless the words name another.

    now: aware. Returns an aware UTC time. Errors: ValueError, in words for people, for what is no time or is past.
    """
    text = " ".join(words.split())
    span = _SPAN.fullmatch(text.lower())
    try:
        at = now + timedelta(**{_UNITS[span[2]]: int(span[1])}) if span else _moment(text, now, zone)
        at = at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is further away than any calendar reaches") from None
    if at <= now:
        raise ValueError(f"{text!r} is past")
    return at


def _moment(text: str, now: datetime, zone: tzinfo) -> datetime:
    match = _MOMENT.fullmatch(text)
    if not match or not (match[1] or match[2]):
        raise ValueError(f"{text!r} is no time; {FORMS}")
    if match[3]:
        zone = _zone(match[3])
    try:
        day = date.fromisoformat(match[1]) if match[1] else None
        hour = time.fromisoformat(match[2].zfill(5)) if match[2] else None
        if hour is None:
            return datetime.combine((day or now.date()) + timedelta(days=1), time(), zone)
        at = datetime.combine(day or now.astimezone(zone).date(), hour, zone)
        if day is None and at <= now:  # of a time alone the next is meant, and at night that is often tomorrow's
            at = datetime.combine(at.date() + timedelta(days=1), hour, zone)
    except ValueError:
        raise ValueError(f"{text!r} is no time of any day; {FORMS}") from None
    return at


def _zone(name: str) -> tzinfo:
    if name.upper() in ("Z", "UTC", "GMT"):
        return UTC
    if re.fullmatch(r"[+-]\d\d:?\d\d", name):
        return datetime.strptime(name, "%z").tzinfo or UTC
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; {FORMS}")
    return ZoneInfo(name)
