"""Points in time as templates write them: plain numbers in a zone, so that each language's folder words them itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall-clock time in a zone. weekday: Monday is 0. time: HH:MM. offset: "UTC+8". zone: its IANA name."""

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
        return self.zone in ("UTC", "Etc/UTC", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "GMT", "Etc/GMT")


@dataclass(frozen=True, slots=True)
class Span:
    """A window: its end, and its beginning unless it only has an end."""

    start: Moment | None
    end: Moment

    @property
    def one_day(self) -> bool:
        return self.start is not None and self.start.date == self.end.date

    @property
    def one_offset(self) -> bool:
        """False where daylight saving begins or ends inside the window."""
        return self.start is None or self.start.offset == self.end.offset


def moment(at: datetime, zone: ZoneInfo) -> Moment:
    """The aware time `at` as the clocks of `zone` show it. Errors: ValueError for a naive time."""
    if at.tzinfo is None:
        raise ValueError(f"naive time {at!r}")
    local = at.astimezone(zone)
    return Moment(
        local.year, local.month, local.day, local.weekday(), f"{local:%H:%M}", _offset(local), zone.key or "UTC"
    )


def span(start: datetime | None, end: datetime | None, zone: ZoneInfo) -> Span | None:
    """The window between two aware times, or None without an end."""
    if end is None:
        return None
    return Span(None if start is None or start >= end else moment(start, zone), moment(end, zone))


def _offset(local: datetime) -> str:
    offset = local.utcoffset()
    minutes = int(offset.total_seconds()) // 60 if offset is not None else 0
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")
