"""The working clock: support hours weighted by how much is usually answered in that hour of the week.

A desk may be open by its configuration and yet sleep at night. The clock learns the hours of the day and the days of
the week in which answers come, as the ratio of the answers seen to those that the queue gave reason to expect, and
runs faster or slower accordingly. It is trusted only where it explains the answers better than an even pace does, by
the Bayesian information criterion; until then the working clock is the support clock.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime

from mailticket.promise.calendar import SupportCalendar

DAILY_MEMORY = 0.5 ** (1 / 21)  # half of what a day taught is forgotten after three weeks
PRIOR = 2.0  # answers worth of belief that an hour is like the others
SLOWEST = 0.001
CLOSED = 0.15
PARAMETERS = 29  # 24 hours and 7 days, less their two scales
FARTHEST_HOURS = 2 * 8784
CELLS = 168


class WorkingClock:
    """Working hours since the first event, and back to moments."""

    def __init__(self, calendar: SupportCalendar, origin: datetime) -> None:
        self._calendar = calendar
        self._base = origin.astimezone(UTC).replace(minute=0, second=0, microsecond=0).timestamp()
        self._seen = [0.0] * CELLS
        self._due = [0.0] * CELLS
        self._pace = [1.0] * CELLS
        self._cells: list[int] = []  # the hour of the week of each hour since the base
        self._open: list[float] = []  # its support hours
        self._sum = [0.0]  # working hours before it
        self._day = 0

    def at(self, moment: float) -> float:
        """Working hours from the base until the POSIX time `moment`; 0 before the base."""
        hours = max(0.0, (moment - self._base) / 3600)
        whole = int(hours)
        self._extend(whole + 1)
        return self._sum[whole] + (hours - whole) * (self._sum[whole + 1] - self._sum[whole])

    def reached(self, working: float, now: float) -> float:
        """The POSIX time at which `working` hours since the base are over, at most two years after `now`."""
        limit = int((now - self._base) / 3600) + FARTHEST_HOURS
        while self._sum[-1] < working and len(self._sum) <= limit:
            self._extend(len(self._sum) + CELLS)
        index = min(bisect_left(self._sum, working), limit)
        if index == 0:
            return now
        length = self._sum[index] - self._sum[index - 1]
        hours = index - 1 + min(1.0, (working - self._sum[index - 1]) / length if length > 0 else 1.0)
        return max(now, self._base + hours * 3600)

    def expect(self, start: float, end: float, hourly: float) -> None:
        """Between two events the queue gave reason to expect `hourly` answers in a working hour."""
        first, last = ((moment - self._base) / 3600 for moment in (start, end))
        hour = int(first)
        self._extend(int(last) + 1)
        while first < last:
            until = min(last, hour + 1.0)
            self._due[self._cells[hour]] += hourly * (until - first) * self._open[hour]
            first, hour = until, hour + 1

    def answered(self, moment: float) -> None:
        """An answer came at `moment`; once a day the pace is worked out anew."""
        hour = int((moment - self._base) / 3600)
        self._seen[self._cells[hour]] += 1
        if hour // 24 > self._day:
            self._forget(DAILY_MEMORY ** (hour // 24 - self._day))
            self._day = hour // 24
            self._pace = _pace(self._seen, self._due)
            del self._sum[hour + 1 :]

    def _forget(self, share: float) -> None:
        self._seen = [value * share for value in self._seen]
        self._due = [value * share for value in self._due]

    def _extend(self, hours: int) -> None:
        """Make the tables reach `hours` hours after the base."""
        for hour in range(len(self._cells), hours):
            start, end = (datetime.fromtimestamp(self._base + part * 3600, UTC) for part in (hour, hour + 1))
            local = start.astimezone(self._calendar.zone)
            self._cells.append(local.weekday() * 24 + local.hour)
            self._open.append(self._calendar.between(start, end))
        for hour in range(len(self._sum) - 1, hours):
            self._sum.append(self._sum[-1] + self._open[hour] * self._pace[self._cells[hour]])


def _pace(seen: Sequence[float], due: Sequence[float]) -> list[float]:
    """The pace of each hour of the week, a product of hour and weekday fitted by turns; flat if that says as much."""
    total_seen, total_due = sum(seen), sum(due)
    flat = [1.0] * CELLS
    if total_seen < PARAMETERS or total_due <= 0:
        return flat
    scale = total_seen / total_due
    expected = [value * scale for value in due]
    hours, days = [1.0] * 24, [1.0] * 7
    for _ in range(4):
        for hour in range(24):
            basis = sum(expected[day * 24 + hour] * days[day] for day in range(7))
            hours[hour] = (sum(seen[hour::24]) + PRIOR) / (basis + PRIOR)
        for day in range(7):
            basis = sum(expected[day * 24 + hour] * hours[hour] for hour in range(24))
            days[day] = (sum(seen[day * 24 : day * 24 + 24]) + PRIOR) / (basis + PRIOR)
    paces = [max(SLOWEST, hours[cell % 24] * days[cell // 24]) for cell in range(CELLS)]
    mean = sum(map(float.__mul__, expected, paces)) / total_seen
    paces = [value / mean for value in paces]
    gain = sum(count * math.log(value) for count, value in zip(seen, paces, strict=True) if count)
    if gain <= PARAMETERS / 2 * math.log(total_seen):
        return flat
    return [value if value >= CLOSED else SLOWEST for value in paces]
