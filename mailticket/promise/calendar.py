"""Support hours: when people answer, and how many such hours lie between two instants. Arithmetic is on UTC instants.

A day's spans are given in local time and turned into instants one day at a time, so that a day with a clock change is
as long as it really is. A span runs from the first moment at which the local clock shows its beginning to the last at
which it shows its end; a time that the clock skips stands for the moment of the skip.

Which spans hold on a day, first match wins:

1. a make-up workday (`working_days`): on Saturday and Sunday the hours of the first of Monday to Friday that has any,
   on other days the weekday's own (the notices that order such days name no hours, only that people work as usual);
2. a holiday: closed;
3. the hours of its weekday; without any configured hours every day is open round the clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from mailticket.errors import ConfigurationError
from mailticket.extras import how_to_install
from mailticket.settings import Promise

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ALWAYS = dict.fromkeys(WEEKDAYS, ("00:00-24:00",))
FARTHEST_YEARS = 20
"""How far `add` looks ahead: a calendar that opens so seldom has no date worth promising."""
HOLIDAY_YEARS = range(2015, 2051)
"""The years whose public holidays are looked up by country; the library knows make-up workdays only as announced."""


@dataclass(frozen=True)
class _Year:
    """The open spans of one local year as POSIX times, and the open seconds before each; the last entry is the sum."""

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    before: tuple[float, ...]

    @property
    def total(self) -> float:
        return self.before[-1]

    def elapsed(self, at: float) -> float:
        """Open seconds of this year until the POSIX time `at`."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0.0
        return self.before[index] + min(at, self.ends[index]) - self.starts[index]

    def reached(self, seconds: float) -> float:
        """The earliest POSIX time at which `seconds` of this year, more than 0 and at most the total, are over."""
        index = max(0, bisect_right(self.before, seconds, hi=len(self.starts)) - 1)
        if seconds <= self.before[index] and index > 0:
            index -= 1
        return self.starts[index] + seconds - self.before[index]


@dataclass(frozen=True)
class SupportCalendar:
    """The hours in which people answer. Years are worked out when first asked for and then remembered.

    `hours` maps weekdays (`monday` to `sunday`) to spans such as `09:00-17:30`, in the local time of `zone`; empty
    means always. Raises ValueError when no day of the week would ever be open.
    """

    zone: ZoneInfo
    hours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    holidays: Collection[date] = frozenset()
    working_days: Collection[date] = frozenset()
    _years: dict[int, _Year] = field(default_factory=dict, init=False, repr=False, compare=False)
    _always: bool = field(default=False, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.hours and not any(self.hours.values()):
            raise ValueError("the support hours leave every day closed; give at least one weekday a span of hours")
        object.__setattr__(self, "holidays", frozenset(self.holidays))
        object.__setattr__(self, "working_days", frozenset(self.working_days))
        object.__setattr__(self, "_always", not self.hours and not self.holidays)

    def between(self, start: datetime, end: datetime) -> float:
        """Support hours from `start` to `end` (aware); negative when `end` is the earlier."""
        # POSIX times, for Python compares and subtracts times of one zone by their clock faces.
        begins, ends = start.timestamp(), end.timestamp()
        if self._always:
            return (ends - begins) / 3600
        if ends < begins:
            return -self.between(end, start)
        first, last = self._year_of(start), self._year_of(end)
        seconds = self._year(last).elapsed(ends) - self._year(first).elapsed(begins)
        return (seconds + sum(self._year(year).total for year in range(first, last))) / 3600

    def add(self, start: datetime, hours: float) -> datetime:
        """The earliest instant (UTC) by which `hours` of support, 0 or more, have passed since `start` (aware).

        It ends with the span in which the last hour is over, not with the opening after. At most FARTHEST_YEARS years
        after `start`, even if the calendar opens too seldom for `hours`.
        """
        if hours < 0:
            raise ValueError(f"cannot go back {-hours} support hours")
        start = start.astimezone(UTC)
        farthest = start + timedelta(days=366 * FARTHEST_YEARS)
        if hours == 0:
            return start
        if self._always:
            return farthest if hours > 8784 * FARTHEST_YEARS else start + timedelta(hours=hours)
        first = self._year_of(start)
        seconds = hours * 3600 + self._year(first).elapsed(start.timestamp())
        for number in range(first, first + FARTHEST_YEARS + 1):
            year = self._year(number)
            if seconds <= year.total:
                return max(start, datetime.fromtimestamp(year.reached(seconds), UTC))
            seconds -= year.total
        return farthest

    def _year_of(self, at: datetime) -> int:
        """The local year in which `at` lies; spans never cross midnight, so each belongs to one year."""
        return at.astimezone(self.zone).year

    def _year(self, number: int) -> _Year:
        year = self._years.get(number)
        if year is None:
            year = self._years.setdefault(number, _merged(self._spans(number)))
        return year

    def _spans(self, year: int) -> Iterator[tuple[float, float]]:
        day = date(year, 1, 1)
        while day.year == year:
            for span in self._hours_on(day):
                opening, _, closing = span.partition("-")
                yield _instant(day, opening, self.zone, last=False), _instant(day, closing, self.zone, last=True)
            day += timedelta(days=1)

    def _hours_on(self, day: date) -> tuple[str, ...]:
        hours = self.hours or ALWAYS
        own = hours.get(WEEKDAYS[day.weekday()], ())
        if day in self.working_days:
            if day.weekday() < 5:
                return own
            return next((hours[name] for name in WEEKDAYS[:5] if hours.get(name)), own)
        return () if day in self.holidays else own


def from_settings(promise: Promise, timezone: str) -> SupportCalendar:
    """The calendar of the `[promise]` table in the zone of `[support] timezone`. Raises ConfigurationError."""
    holidays, working_days = set(promise.holidays), set(promise.working_days)
    if promise.holiday_country:
        public, make_up = _of_country(promise.holiday_country)
        holidays |= public - working_days
        working_days |= make_up - set(promise.holidays)
    try:
        return SupportCalendar(ZoneInfo(timezone), promise.hours, holidays, working_days)
    except ValueError as error:
        raise ConfigurationError([f"[promise] hours: {error}"]) from None


def _of_country(code: str) -> tuple[set[date], set[date]]:
    """Public holidays and make-up workdays of a country (ISO 3166, such as `CN` or `DE-BY`)."""
    try:
        import holidays
    except ImportError:
        raise ConfigurationError(
            [f"[promise] holiday_country needs the package holidays: {how_to_install('holidays')}; or list the days"]
        ) from None
    country, _, subdivision = code.partition("-")
    try:
        days = holidays.country_holidays(country, subdiv=subdivision or None, years=HOLIDAY_YEARS, expand=False)
    except NotImplementedError:
        raise ConfigurationError(
            [f"[promise] holiday_country: {code!r} is not known; write a code such as DE, DE-BY or CN"]
        ) from None
    return set(days), set(getattr(days, "weekend_workdays", ()))


def _merged(spans: Iterator[tuple[float, float]]) -> _Year:
    """Spans in order, overlapping and touching ones made one, empty ones left out."""
    starts: list[float] = []
    ends: list[float] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    lengths = (end - start for start, end in zip(starts, ends, strict=True))
    return _Year(tuple(starts), tuple(ends), tuple(accumulate(lengths, initial=0.0)))


def _instant(day: date, clock: str, zone: ZoneInfo, *, last: bool) -> float:
    """The POSIX time at which the local clock shows `clock`: the first or the last such moment (PEP 495)."""
    hour, minute = int(clock[:2]), int(clock[3:5])
    midnight = datetime(day.year, day.month, day.day) + timedelta(hours=hour, minutes=minute)  # noqa: DTZ001
    local = midnight.replace(tzinfo=zone, fold=int(last))
    seconds = local.timestamp()
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return seconds
    clock_face = datetime.fromtimestamp(seconds, zone).replace(tzinfo=None, fold=0)
    return seconds if clock_face == midnight else _skip(local, zone)


def _skip(local: datetime, zone: ZoneInfo) -> float:
    """The moment at which the clock jumps over `local`, found by halving to the second."""
    low, high = sorted(local.replace(fold=fold).timestamp() for fold in (0, 1))
    after = datetime.fromtimestamp(high, zone).utcoffset()
    early, late = int(low), int(high)
    while early < late:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == after:
            late = middle
        else:
            early = middle + 1
    return float(early)
