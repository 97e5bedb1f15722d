"""What would have been promised over a recorded history, line by line, and how much of it would have been kept.

Strictly causal: the promise to a request is made from the lines before its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mailticket.errors import MailticketError
from mailticket.promise.calendar import SupportCalendar
from mailticket.promise.forecast import Load
from mailticket.promise.kept import percentile
from mailticket.promise.policy import Promised, make_promise
from mailticket.settings import Category, Promise

EVENTS = ("request", "first_answer", "closed")


class BadHistory(MailticketError):
    """A line of the history cannot be used; the text names the line and what is wrong with it."""


@dataclass
class Tally:
    """Counts of one group of requests; hours are real hours from arrival."""

    requests: int = 0
    kept: int = 0
    missed: int = 0
    longer: int = 0
    horizons: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for printing; `open` are the requests whose promise was neither kept nor missed in the
        history, `kept_share` is None when none was either."""
        decided = self.kept + self.missed
        return {
            "requests": self.requests,
            "kept": self.kept,
            "missed": self.missed,
            "open": self.requests - decided,
            "kept_share": round(self.kept / decided, 4) if decided else None,
            "longer": self.longer,
            "mean_horizon_hours": _mean(self.horizons),
            "mean_width_hours": _mean(self.widths),
            "median_wait_hours": percentile(self.waits, 0.5),
            "p90_wait_hours": percentile(self.waits, 0.9),
        }


@dataclass
class _Open:
    at: datetime
    promised: Promised
    groups: tuple[Tally, ...]


class Replay:
    """One pass over a history with the settings of an administrator.

    Iterate over `promises(events)`; afterwards `summary()` says what was kept. Raises BadHistory.
    """

    def __init__(self, promise: Promise, calendar: SupportCalendar, categories: Sequence[Category] = ()) -> None:
        self._promise = promise
        self._calendar = calendar
        self._categories = categories
        self._load: Load | None = None
        self._open: dict[str, _Open] = {}
        self._seen: set[str] = set()
        self._now: datetime | None = None
        self._total = Tally()
        self._weeks: defaultdict[str, Tally] = defaultdict(Tally)
        self._by_category: defaultdict[str, Tally] = defaultdict(Tally)

    def promises(self, events: Iterable[Mapping[str, Any]], first_line: int = 1) -> Iterator[dict[str, str]]:
        """For each request of `events` (decoded JSON lines in order of time) what it would have been promised."""
        for line, event in enumerate(events, first_line):
            at, kind, request = self._read(line, event)
            self._now = at
            if kind == "request":
                yield self._request(at, request, str(event.get("category", "")), str(event.get("priority", "normal")))
            else:
                self._ended(at, request, answered=kind == "first_answer")

    def summary(self) -> dict[str, Any]:
        """Counts in all, by ISO week of arrival in the calendar's zone, and by category. Promises whose end has
        passed by the last line without an answer are missed."""
        for request in self._open.values():
            if self._now is not None and request.promised.promised_by < self._now:
                for tally in request.groups:
                    tally.missed += 1
                request.groups = ()
        return {
            **self._total.as_dict(),
            "weeks": {week: tally.as_dict() for week, tally in sorted(self._weeks.items())},
            "categories": {name: tally.as_dict() for name, tally in sorted(self._by_category.items())},
        }

    def _read(self, line: int, event: Mapping[str, Any]) -> tuple[datetime, str, str]:
        if not isinstance(event, Mapping):
            raise BadHistory(f"line {line}: not a JSON object")
        kind, request = event.get("event"), event.get("id")
        if kind not in EVENTS:
            state = "missing" if kind is None else repr(kind)
            raise BadHistory(f'line {line}: "event" is {state}; it must be one of {", ".join(EVENTS)}')
        if not isinstance(request, (str, int)) or request == "":
            raise BadHistory(f'line {line}: "id" is missing')
        request = str(request)
        try:
            at = datetime.fromisoformat(str(event.get("at")))
        except ValueError:
            state = repr(event["at"]) if "at" in event else "missing"
            raise BadHistory(f'line {line}: "at" is {state}; write it as 2026-11-22T10:00:00+00:00') from None
        if at.tzinfo is None:
            raise BadHistory(f'line {line}: "at" has no time zone; write it as 2026-11-22T10:00:00+00:00')
        if self._now is not None and at < self._now:
            raise BadHistory(f"line {line}: earlier than the line before; sort the history by time")
        if kind == "request" and request in self._seen:
            raise BadHistory(f"line {line}: request {request!r} came before")
        if kind != "request" and request not in self._seen:
            raise BadHistory(f"line {line}: {kind} to {request!r}, which no line before it requested")
        return at.astimezone(UTC), str(kind), request

    def _request(self, at: datetime, request: str, category: str, priority: str) -> dict[str, str]:
        if self._load is None:
            self._load = Load(self._calendar, self._promise.confidence, at)
        promised = make_promise(at, at, category, priority, self._promise, self._calendar, self._load, self._categories)
        self._load.request(request, at, priority)
        self._seen.add(request)
        year, week, _ = at.astimezone(self._calendar.zone).isocalendar()
        groups = (self._total, self._weeks[f"{year}-W{week:02}"], self._by_category[category])
        self._open[request] = _Open(at, promised, groups)
        for tally in groups:
            tally.requests += 1
            tally.longer += promised.longer
            tally.horizons.append(_hours(at, promised.promised_by))
            tally.widths.append(_hours(promised.promised_from, promised.promised_by))
        return {
            "id": request,
            "promised_from": promised.promised_from.isoformat(),
            "promised_by": promised.promised_by.isoformat(),
            "reason": promised.reason,
        }

    def _ended(self, at: datetime, request: str, *, answered: bool) -> None:
        open_request = self._open.pop(request, None)
        if open_request is None or self._load is None:
            return
        if not answered:
            self._load.gone(request, at)
            return
        self._load.answer(request, at)
        for tally in open_request.groups:
            tally.waits.append(_hours(open_request.at, at))
            if at <= open_request.promised.promised_by:
                tally.kept += 1
            else:
                tally.missed += 1


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 2) if values else None


def _hours(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / 3600
