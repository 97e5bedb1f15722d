"""How long the next request will wait, from the queue ahead of it and the measured first answers."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime

from mailticket.promise.calendar import SupportCalendar
from mailticket.promise.load import LoadSnapshot, rank_of
from mailticket.settings import PRIORITIES


@dataclass(frozen=True)
class Forecast:
    """A window in support hours from now, the requests ahead, and the measured first answers in a support hour."""

    from_hours: float
    by_hours: float
    ahead: int
    hourly: float


class Load:
    """The queue as it stands."""

    def __init__(self, calendar: SupportCalendar) -> None:
        self._calendar = calendar
        self._waiting: list[list[datetime]] = [[] for _ in PRIORITIES]

    @classmethod
    def of(cls, snapshot: LoadSnapshot, now: datetime, calendar: SupportCalendar) -> Load:
        load = cls(calendar)
        for priority, arrivals in snapshot.waiting.items():
            load._waiting[rank_of(priority)].extend(arrivals)
        for queue in load._waiting:
            queue.sort()
        return load

    def ahead(self, arrived: datetime, priority: str) -> int:
        """How many unanswered requests will be served before one of `priority` that arrived at `arrived`."""
        rank = rank_of(priority)
        return sum(map(len, self._waiting[:rank])) + bisect_right(self._waiting[rank], arrived)

    def forecast(self, now: datetime, arrived: datetime, priority: str, confidence: float) -> Forecast | None:
        """The window for a request, or None when too little is known."""
        return None
