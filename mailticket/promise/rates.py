"""Measured rates: first answers by depth of the queue, and arrivals by priority, with a mark for a sudden surge."""

from __future__ import annotations

import math
from collections import deque

DEPTHS = 24  # classes of depth by powers of two; the last holds everything from 2^22 on
ENOUGH = 30.0  # answers that make a rate
GAP = 10.0  # expected answers that a silence may count for before it is taken for a pause
ARRIVAL_MEMORY = 72.0  # hours
SURGE = 6.0  # times the usual rate
SURGE_SAMPLE = 10  # arrivals that show a surge
SURGE_HOURS = 1.0  # how much longer a surge is expected to last
LEAST_HOURS = 12.0  # of watching, before a surge can be told from a beginning


class AnswerRates:
    """First answers in a working hour by depth of the queue. Agents who wait for requests answer less than they can,
    so the rate of a long queue is measured on long queues as far as possible.

    `memory` is how many answers of its own a class of depth remembers, `longest` how many of all others.
    """

    def __init__(self, memory: float, longest: float) -> None:
        self._keep_own, self._keep_other = 1 - 1 / memory, 1 - 1 / longest
        self._answers = [0.0] * DEPTHS
        self._hours = [0.0] * DEPTHS
        self._rising: list[float] = []

    def passed(self, depth: int, hours: float) -> None:
        self._hours[_class(depth)] += hours

    def answered(self, depth: int) -> None:
        own = _class(depth)
        keep_own, keep = self._keep_own, self._keep_other
        own_answers, hours = self._answers[own] * keep_own + 1, self._hours[own] * keep_own
        self._answers = [value * keep for value in self._answers]
        self._hours = [value * keep for value in self._hours]
        self._answers[own], self._hours[own] = own_answers, hours
        self._rising = []

    def at(self, depth: int) -> float:
        """The rate at `depth`, from the ENOUGH remembered answers at this depth and below that come nearest to it."""
        answers = hours = 0.0
        for index in range(_class(depth), 0, -1):
            here = self._answers[index]
            if answers + here >= ENOUGH:
                return ENOUGH / (hours + self._hours[index] * (ENOUGH - answers) / here + 1e-9)
            answers += here
            hours += self._hours[index]
        return (answers + 1) / (hours + 1)

    def rising(self, depth: int) -> float:
        """The rate at `depth` if a longer queue never slows the agents (isotonic regression, adjacent violators
        pooled): where a long queue goes with few answers, it is the hour that has few, not the depth."""
        if not self._rising:
            blocks: list[tuple[float, float, int]] = []
            for answers, hours in zip(self._answers[1:], self._hours[1:], strict=True):
                block = (answers + 0.1, hours + 0.1, 1)
                while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
                    last = blocks.pop()
                    block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
                blocks.append(block)
            self._rising = [answers / hours for answers, hours, size in blocks for _ in range(size)]
        return self._rising[_class(depth) - 1]


class ArrivalRates:
    """Arrivals in an hour of real time by rank of priority; requests come at night as well."""

    def __init__(self, ranks: int) -> None:
        self._counts = [0.0] * ranks
        self._hours = 0.0
        self._newest: deque[float] = deque(maxlen=SURGE_SAMPLE)

    def passed(self, hours: float) -> None:
        keep = math.exp(-hours / ARRIVAL_MEMORY)
        self._counts = [count * keep for count in self._counts]
        self._hours = self._hours * keep + hours

    def arrived(self, rank: int, at: float) -> None:
        """An arrival at the POSIX time `at`; in a surge it counts for less, so that the usual rate stays usual."""
        self._newest.append(at)
        surge = self.surge(at)
        self._counts[rank] += min(1.0, SURGE / 2 * self._usual / surge) if surge else 1.0

    def above(self, rank: int) -> float:
        """Usual arrivals in an hour of more pressing priorities than `rank`."""
        return sum(self._counts[:rank]) / (self._hours + 10)

    def surge_above(self, rank: int, at: float) -> float:
        """More pressing requests that are still to be expected from a surge, if there is one now."""
        surge = self.surge(at)
        return surge * SURGE_HOURS * sum(self._counts[:rank]) / (sum(self._counts) + 1e-9) if surge else 0.0

    def surge(self, at: float) -> float:
        """Arrivals in an hour of a surge that is on at `at`; 0 when there is none."""
        if len(self._newest) < SURGE_SAMPLE or self._hours < LEAST_HOURS:
            return 0.0
        rate = (SURGE_SAMPLE - 1) / max((at - self._newest[0]) / 3600, 1e-3)
        return rate if rate > SURGE * self._usual else 0.0

    @property
    def _usual(self) -> float:
        return sum(self._counts) / (self._hours + 10)


def _class(depth: int) -> int:
    return min(DEPTHS - 1, depth.bit_length())
