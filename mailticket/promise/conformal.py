"""Adaptive conformal inference: how far beyond the expectation a promise must reach to be kept often enough.

Gibbs and Candès, "Adaptive conformal inference under distribution shift" (2021): the bound is a quantile of what past
expectations were wrong by, and the level of the quantile moves after each outcome, a little down when a bound held and
much up when it failed, so that the share kept comes back to its goal whatever the world does.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

WINDOW = 800  # scores that are remembered: a week or more of a small desk
STEP = 0.005
LOWEST, HIGHEST = -0.5, 0.5
SHARE = 0.7  # of the failures that the confidence allows; the rest is kept for shifts that nobody can foresee


class Recent:
    """The newest values, at most `size` of them, and their quantiles."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._order: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._order)

    def add(self, value: float) -> None:
        self._order.append(value)
        insort(self._sorted, value)
        if len(self._order) > self._size:
            del self._sorted[bisect_left(self._sorted, self._order.popleft())]

    def quantile(self, share: float) -> float:
        """The value that `share` of them do not exceed, with the conformal correction for one value to come. Above
        all values it is the greatest and a little more, the less the more there are."""
        size = len(self._sorted)
        index = math.ceil((size + 1) * share) - 1
        if index >= size:
            return self._sorted[-1] + 2 * abs(self._sorted[-1]) / size
        return self._sorted[max(0, index)]


class Bounds:
    """The scores (outcome less expectation, hours) of the recent past, and the failure rate that is aimed at now."""

    def __init__(self, confidence: float) -> None:
        self._goal = (1 - confidence) * SHARE
        self._failures = self._goal
        self._scores = Recent(WINDOW)

    def __len__(self) -> int:
        return len(self._scores)

    def scored(self, score: float) -> None:
        self._scores.add(score)

    def outcome(self, *, held: bool) -> None:
        """A bound held or failed. The level may sink below nothing: a debt of failures is paid back by as many
        promises that hold."""
        step = STEP * (self._goal - (not held))
        self._failures = min(HIGHEST, max(LOWEST, self._failures + step))

    def upper(self) -> float:
        """What to add to an expectation so that the outcome stays below often enough."""
        return self._scores.quantile(1 - self._failures)

    def lower(self) -> float:
        """The score that few outcomes fall below: a quarter of the failures that the goal allows."""
        return self._scores.quantile(self._goal / 4)
