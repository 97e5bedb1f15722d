"""How promises were kept: requests counted by week, category and brand, with how long their first answers took."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from mailticket.settings import FIRST_NAME
from mailticket.text.times import half_hour_after


@dataclass(frozen=True, slots=True)
class Request:
    """What bears on how one promise was kept; times are aware. ended: closed or solved, so no answer is waited for.

    brand: under which name it is answered, "" for that of [support].
    """

    category: str
    at: datetime
    promised_by: datetime | None
    answered_at: datetime | None
    ended: bool = False
    brand: str = ""


@dataclass(slots=True)
class Tally:
    """A group of requests. open: the promise still runs. unanswered: ended without an answer, which breaks nothing."""

    requests: int = 0
    promised: int = 0
    kept: int = 0
    missed: int = 0
    open: int = 0
    unanswered: int = 0
    waits: list[float] = field(default_factory=list, repr=False)

    def add(self, request: Request, now: datetime) -> None:
        self.requests += 1
        if request.answered_at is not None:
            self.waits.append(max(0.0, (request.answered_at - request.at).total_seconds() / 3600))
        if request.promised_by is None:
            return
        self.promised += 1
        until = half_hour_after(request.promised_by)  # as the requester was told
        if request.answered_at is not None:
            self.kept += request.answered_at <= until
            self.missed += request.answered_at > until
        elif request.ended:
            self.unanswered += 1
        else:
            self.open += now <= until
            self.missed += now > until

    def as_dict(self) -> dict[str, Any]:
        """The counts, the share kept of what is decided, and the waits in hours; null where there is nothing."""
        decided = self.kept + self.missed
        return {
            "requests": self.requests,
            "promised": self.promised,
            "kept": self.kept,
            "missed": self.missed,
            "open": self.open,
            "unanswered": self.unanswered,
            "kept_share": round(self.kept / decided, 4) if decided else None,
            "median_hours": percentile(self.waits, 0.5),
            "p90_hours": percentile(self.waits, 0.9),
        }


def tallies(requests: Iterable[Request], now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The whole, and the same by ISO week of arrival in `zone` (with its categories), by category, and by brand.

    Where all have one brand there are none of brands.
    """
    total = Tally()
    weeks: dict[str, Tally] = {}
    categories: dict[str, Tally] = {}
    brands: dict[str, Tally] = {}
    cells: dict[str, dict[str, Tally]] = {}
    for request in requests:
        year, number, _ = request.at.astimezone(zone).isocalendar()
        week = f"{year}-W{number:02}"
        cell = cells.setdefault(week, {}).setdefault(request.category, Tally())
        groups = ((weeks, week), (categories, request.category), (brands, request.brand or FIRST_NAME))
        for tally in (total, cell, *(group.setdefault(name, Tally()) for group, name in groups)):
            tally.add(request, now)
    return {
        **total.as_dict(),
        "weeks": {
            week: {**tally.as_dict(), "categories": _dicts(cells[week])} for week, tally in sorted(weeks.items())
        },
        "categories": _dicts(categories),
        "brands": _dicts(brands) if len(brands) > 1 else {},
    }


def _dicts(groups: dict[str, Tally]) -> dict[str, Any]:
    return {name: tally.as_dict() for name, tally in sorted(groups.items())}


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that `share` of the values do not exceed, rounded to hundredths; None without values."""
    if not values:
        return None
    return round(sorted(values)[max(0, math.ceil(len(values) * share) - 1)], 2)
