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


class Bounds:
    """The scores (outcome less expectation, hours) of the recent past, and the failure rate that is aimed at now."""

    def __init__(self, confidence: float) -> None:
        self._goal = (1 - confidence) * SHARE
        self._failures = self._goal
        self._order: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._order)

    def scored(self, score: float) -> None:
        self._order.append(score)
        insort(self._sorted, score)
        if len(self._order) > WINDOW:
            del self._sorted[bisect_left(self._sorted, self._order.popleft())]

    def outcome(self, *, held: bool) -> None:
        """A bound held or failed. The level may sink below nothing: a debt of failures is paid back by as many
        promises that hold."""
        step = STEP * (self._goal - (not held))
        self._failures = min(HIGHEST, max(LOWEST, self._failures + step))

    def upper(self) -> float:
        """What to add to an expectation. Above all scores it is the greatest of them and a little more."""
        size = len(self._sorted)
        index = math.ceil((size + 1) * (1 - self._failures)) - 1
        if index >= size:
            return self._sorted[-1] + 2 * abs(self._sorted[-1]) / size
        return self._sorted[max(0, index)]

    def lower(self) -> float:
        """The score that few outcomes fell below, a quarter of the failures that the goal allows."""
        return self._sorted[int(len(self._sorted) * self._goal / 4)]
