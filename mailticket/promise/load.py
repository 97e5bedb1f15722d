"""What the store knows of the load: who waits, and how long recent requests waited. Values for the forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mailticket.settings import PRIORITIES

ANSWERS = 1000
"""How many of the newest first answers a snapshot holds."""
ANSWER_DAYS = 28
"""How old the first answers of a snapshot may be."""
RANKS: dict[str, int] = {priority: rank for rank, priority in enumerate(PRIORITIES)}


def rank_of(priority: str) -> int:
    """0 for the most pressing priority; an unknown one counts as normal."""
    return RANKS.get(priority, RANKS["normal"])


@dataclass(frozen=True)
class Answered:
    """A request that has its first answer."""

    created_at: datetime
    first_response_at: datetime
    priority: str


@dataclass(frozen=True)
class LoadSnapshot:
    """The load at one moment, as a store fills it with two indexed queries.

    `waiting`: arrival times of all unanswered tickets by priority, without the request that is to be promised.
    `answered`: the newest ANSWERS first answers that are at most ANSWER_DAYS days old, in any order.
    """

    waiting: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    answered: tuple[Answered, ...] = ()
