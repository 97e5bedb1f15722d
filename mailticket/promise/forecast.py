"""How long the next request will wait, from the queue ahead of it and the measured first answers.

The expectation is the queue-length estimator of the literature on delay announcements (Ibrahim and Whitt, "Real-time
delay estimation based on delay history", 2009, and its queue-length relatives): those ahead, and those of more pressing
priorities who will still come, divided by the measured rate of answers, in working hours. The estimators from delay
history (last to enter service, head of line) were tried as experts beside it, chosen by their recent loss, and dropped:
in a crash that choice favours estimators which do not see the queue. A silence that is too long for chance counts as a
pause which lasts as long again, not as a slow rate. What the expectation misses is added by adaptive conformal
inference.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mailticket.promise.calendar import SupportCalendar
from mailticket.promise.conformal import Bounds, Recent
from mailticket.promise.load import ANSWER_DAYS, LoadSnapshot, rank_of
from mailticket.promise.pace import WorkingClock
from mailticket.promise.rates import GAP, AnswerRates, ArrivalRates
from mailticket.settings import PRIORITIES

FEWEST = 5  # scores that make a forecast; with fewer the policy stands
FIRST_ANSWERS = 1  # before them an expectation is not worth scoring
SAFETY = 1.6  # on the expectation, so that its error may grow with the queue
LEAST_SAFETY = 1.4  # whatever the scores say
WAITS = 100  # recent waits ...
QUICKEST = 0.2  # ... whose lowest fifth no promise undercuts
OVERTAKING = 4.0  # times its own queue, the most that more pressing requests may add


@dataclass(frozen=True)
class Forecast:
    """A window in support hours from now, the requests ahead, and the measured first answers in a support hour."""

    from_hours: float
    by_hours: float
    ahead: int
    hourly: float


@dataclass
class _Waiting:
    arrived: float  # working hours
    rank: int
    expected: float  # working hours of waiting
    scored: bool
    failed: bool = False


class Load:
    """The queue and what its past teaches, kept up to date event by event; events must come in order of time.

    `Load.of` builds it from a snapshot. `confidence` is the share of promises that are to be kept.
    """

    def __init__(self, calendar: SupportCalendar, confidence: float, start: datetime) -> None:
        self._calendar = calendar
        self._clock = WorkingClock(calendar, start)
        self._now = start.timestamp()
        self._working = self._clock.at(self._now)
        self._measured_from = self._now
        self._queues: list[list[float]] = [[] for _ in PRIORITIES]
        self._waiting: dict[Hashable, _Waiting] = {}
        self._rates = AnswerRates(memory=50, longest=400)
        self._slow_rates = AnswerRates(memory=500, longest=2000)
        self._arrivals = ArrivalRates(len(PRIORITIES))
        self._bounds = Bounds(confidence)
        self._waits = Recent(WAITS)
        self._depth = 0  # of the queue while time last passed
        self._deadlines: list[tuple[float, int, Hashable]] = []
        self._serial = 0
        self._answers = 0
        self._silence = 0.0
        self._longest_silence = float("inf")

    @classmethod
    def of(cls, snapshot: LoadSnapshot, now: datetime, calendar: SupportCalendar, confidence: float) -> Load:
        """The load at `now`, by living through the snapshot once more."""
        events: list[tuple[datetime, int, int, str]] = []
        for priority, arrivals in snapshot.waiting.items():
            events += [(at, 0, len(events) + index, priority) for index, at in enumerate(arrivals)]
        for answered in snapshot.answered:
            key = len(events)
            events.append((answered.created_at, 0, key, answered.priority))
            events.append((max(answered.created_at, answered.first_response_at), 1, key, answered.priority))
        events.sort()
        oldest = now - timedelta(days=2 * ANSWER_DAYS)
        load = cls(calendar, confidence, min(now, max(events[0][0], oldest)) if events else now)
        load._measured_from = min((at for at, answer, _, _ in events if answer), default=now).timestamp()
        for at, answer, key, priority in events:
            if answer:
                load.answer(key, at)
            else:
                load.request(key, at, priority)
        load._advance(now)
        return load

    def forecast(self, now: datetime, arrived: datetime, priority: str) -> Forecast | None:
        """The window for a request that is not yet in the queue, or None when too little is known."""
        self._advance(now)
        if len(self._bounds) < FEWEST:
            return None
        rank = rank_of(priority)
        ahead = self._ahead(rank, self._clock.at(arrived.timestamp()))
        expected = self._expected(rank, ahead)
        earliest = max(0.0, min(expected, SAFETY * expected + self._bounds.lower()))
        hours = [self._support_hours(now, working) for working in (earliest, self._bound(expected))]
        return Forecast(hours[0], hours[1], ahead, self._rates.at(len(self._waiting) + 1))

    def request(self, key: Hashable, at: datetime, priority: str) -> None:
        """A request came in. One that already waits keeps its place."""
        if key in self._waiting:
            return
        self._advance(at)
        rank = rank_of(priority)
        expected = self._expected(rank, self._ahead(rank, self._working))
        self._waiting[key] = _Waiting(self._working, rank, expected, self._answers >= FIRST_ANSWERS)
        insort(self._queues[rank], self._working)
        self._arrivals.arrived(rank, self._now)
        if len(self._bounds) >= FEWEST:
            self._serial += 1
            deadline = self._clock.reached(self._working + self._bound(expected), self._now)
            heapq.heappush(self._deadlines, (deadline, self._serial, key))

    def answer(self, key: Hashable, at: datetime) -> None:
        """A request got its first answer; one that does not wait is passed over."""
        if key not in self._waiting:
            return
        self._advance(at)
        # Answers belong to the depth that time passed with: many may bear the same time.
        depth = max(1, self._depth)
        self._rates.answered(depth)
        self._slow_rates.answered(depth)
        self._clock.answered(self._now)
        self._answers += 1
        self._silence = 0.0
        if self._answers > FEWEST:
            self._longest_silence = GAP / self._rates.at(depth)
        request = self._leave(key)
        wait = self._working - request.arrived
        self._waits.add(wait)
        if request.scored:
            self._bounds.scored(wait - SAFETY * request.expected)
        if not request.failed:
            self._bounds.outcome(held=True)

    def gone(self, key: Hashable, at: datetime) -> None:
        """A request left the queue without an answer: closed, merged."""
        if key in self._waiting:
            self._advance(at)
            self._leave(key)

    def _leave(self, key: Hashable) -> _Waiting:
        request = self._waiting.pop(key)
        queue = self._queues[request.rank]
        del queue[bisect_left(queue, request.arrived)]
        return request

    def _advance(self, now: datetime) -> None:
        """Let the time until `now` pass: measure it, and count the deadlines that it broke."""
        at = now.timestamp()
        if at <= self._now:
            return
        working = self._clock.at(at)
        if self._now >= self._measured_from:
            self._measure(at, working - self._working)
        self._now, self._working = at, working
        while self._deadlines and self._deadlines[0][0] < at:
            request = self._waiting.get(heapq.heappop(self._deadlines)[2])
            if request and not request.failed:
                request.failed = True
                self._bounds.outcome(held=False)

    def _measure(self, at: float, working: float) -> None:
        self._arrivals.passed((at - self._now) / 3600)
        depth = self._depth = len(self._waiting)
        if depth == 0:
            return
        silence = self._silence + working
        active = min(silence, self._longest_silence) - min(self._silence, self._longest_silence)
        self._silence = silence
        self._rates.passed(depth, active)
        self._slow_rates.passed(depth, working)
        self._clock.expect(self._now, at, self._slow_rates.rising(depth))

    def _ahead(self, rank: int, arrived: float) -> int:
        return sum(map(len, self._queues[:rank])) + bisect_right(self._queues[rank], arrived)

    def _expected(self, rank: int, ahead: int) -> float:
        """Working hours until a request of `rank` with `ahead` before it is answered, as far as can be expected."""
        rate = self._rates.at(len(self._waiting) + 1)
        expected = ahead / rate
        if rank:
            overtaking = self._arrivals.above(rank)
            known = ahead + self._arrivals.surge_above(rank, self._now)
            for _ in range(3):
                hours = (self._clock.reached(self._working + expected, self._now) - self._now) / 3600
                expected = min(known + overtaking * hours, OVERTAKING * (known + 1)) / rate
        return expected + max(0.0, self._silence - self._longest_silence)

    def _bound(self, expected: float) -> float:
        return max(self._waits.quantile(QUICKEST), LEAST_SAFETY * expected, SAFETY * expected + self._bounds.upper())

    def _support_hours(self, now: datetime, working: float) -> float:
        until = self._clock.reached(self._working + working, self._now)
        return max(0.0, self._calendar.between(now, datetime.fromtimestamp(until, UTC)))
