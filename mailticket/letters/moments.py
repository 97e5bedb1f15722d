"""Points in time as templates write them: plain numbers in a zone, so that each language's folder words them itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from mailticket.text.times import half_hour_after, half_hour_before

_UTC = frozenset({"UTC", "Etc/UTC", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "GMT", "Etc/GMT"})


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall-clock time in a zone. weekday: Monday is 0. time: HH:MM. offset: "UTC+8".

    zone: its IANA name, or "" where only the offset is known, by which the reader's own clock shows.
    """

    year: int
    month: int
    day: int
    weekday: int
    time: str
    offset: str
    zone: str

    @property
    def date(self) -> tuple[int, int, int]:
        return (self.year, self.month, self.day)

    @property
    def city(self) -> str:
        """The place that the zone is named after: "Buenos Aires" for America/Argentina/Buenos_Aires."""
        return self.zone.rpartition("/")[2].replace("_", " ")

    @property
    def is_utc(self) -> bool:
        return self.zone in _UTC or (not self.zone and self.offset == "UTC")


@dataclass(frozen=True, slots=True)
class Span:
    """A window: its end, and its beginning unless it only has an end. utc: the same in UTC, where the zone is another
    and the reader's own."""

    start: Moment | None
    end: Moment
    utc: Span | None = None

    @property
    def one_day(self) -> bool:
        return self.start is not None and self.start.date == self.end.date

    @property
    def one_offset(self) -> bool:
        """False where daylight saving begins or ends inside the window."""
        return self.start is None or self.start.offset == self.end.offset


def moment(at: datetime, zone: tzinfo) -> Moment:
    """The aware time `at` as the clocks of `zone` show it. Errors: ValueError for a naive time."""
    if at.tzinfo is None:
        raise ValueError(f"naive time {at!r}")
    local = at.astimezone(zone)
    name = getattr(zone, "key", "") or ""
    return Moment(local.year, local.month, local.day, local.weekday(), f"{local:%H:%M}", _offset(local), name)


def span(start: datetime | None, end: datetime | None, zone: tzinfo, *, with_utc: bool = False) -> Span | None:
    """The window between two aware times, or None without an end, rounded outwards to half hours.

    What is said is never narrower than what was promised. with_utc: whether UTC stands behind another zone.
    """
    if end is None:
        return None
    end = half_hour_after(end)
    start = half_hour_before(start) if start is not None else None
    start = None if start is not None and start >= end else start
    behind = span(start, end, UTC) if with_utc and end.astimezone(zone).utcoffset() != timedelta(0) else None
    return Span(moment(start, zone) if start is not None else None, moment(end, zone), behind)


def _offset(local: datetime) -> str:
    offset = local.utcoffset()
    minutes = int(offset.total_seconds()) // 60 if offset is not None else 0
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")
