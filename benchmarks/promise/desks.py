"""Simulated help desks: arrivals, agents and their shifts; every history is drawn from a seed alone.

Requests arrive as a Poisson process whose rate changes by the hour. Agents take the most pressing priority first and
within it the oldest request; the time an agent needs is log-normal. An agent who goes off duty lays the work down and
takes it up again later. What a desk's administrator wrote into the configuration (support hours) may differ from what
its agents do.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
OFFICE = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), ("09:00-17:00",))
MIX = {"urgent": 0.05, "high": 0.15, "normal": 0.7, "low": 0.1}

Rate = Callable[[int], float]


def steady(value: float) -> Rate:
    """The same in every hour."""
    return lambda hour: value


def office(value: float, otherwise: float = 0.0) -> Rate:
    """Monday to Friday, 9 to 17; `otherwise` in all other hours."""
    return lambda hour: value if hour // 24 % 7 < 5 and 9 <= hour % 24 < 17 else otherwise


def daily(value: float) -> Rate:
    """A day's swing around `value`: a fifth of it at 3 in the night, nearly twice at 15."""
    return lambda hour: value * (1 + 0.8 * math.sin((hour % 24 - 9) / 24 * 2 * math.pi))


def weekend(value: float, share: float) -> Rate:
    """`share` of the value on Saturday and Sunday."""
    return lambda hour: value * (share if hour // 24 % 7 >= 5 else 1)


def spell(rate: Rate, first_day: float, days: float, factor: float) -> Rate:
    """`rate`, multiplied by `factor` for `days` days from `first_day` on."""
    return lambda hour: rate(hour) * (factor if first_day * 24 <= hour < (first_day + days) * 24 else 1)


@dataclass(frozen=True)
class Desk:
    """A scenario. `arrivals` in an hour, `staff` on duty in an hour; hours count from START, times are UTC."""

    name: str
    arrivals: Rate
    staff: Rate
    days: int = 28
    service_hours: float = 0.5
    spread: float = 1.0  # coefficient of variation of the time that a request takes
    mix: Mapping[str, float] = field(default_factory=lambda: dict(MIX))
    pick: str = "priority"  # priority | arrival | any: how the next request is chosen
    hours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what the configuration says
    shifting: bool = False


@dataclass(frozen=True)
class Request:
    """A request of a history; times in hours since START."""

    id: str
    arrived: float
    priority: str
    needs: float


def history(desk: Desk, seed: int) -> list[dict[str, str]]:
    """The events of a desk in order of time, as `promise replay` reads them."""
    requests = list(_requests(desk, random.Random(f"{desk.name}/{seed}/arrivals")))
    answers = _served(desk, requests, random.Random(f"{desk.name}/{seed}/agents"))
    events = [
        (
            r.arrived,
            {"at": _time(r.arrived), "event": "request", "id": r.id, "category": "other", "priority": r.priority},
        )
        for r in requests
    ]
    events += [(at, {"at": _time(at), "event": "first_answer", "id": request}) for request, at in answers.items()]
    return [event for _, event in sorted(events, key=lambda entry: entry[0])]


def _time(hours: float) -> str:
    return (START + timedelta(hours=hours)).isoformat()


def _requests(desk: Desk, chance: random.Random) -> Iterator[Request]:
    sigma = math.sqrt(math.log(1 + desk.spread**2))
    mean = math.log(desk.service_hours) - sigma**2 / 2
    priorities, weights = list(desk.mix), list(desk.mix.values())
    number = 0
    for hour in range(desk.days * 24):
        rate, at = desk.arrivals(hour), 0.0
        while rate > 0 and (at := at + chance.expovariate(rate)) < 1:
            number += 1
            priority = chance.choices(priorities, weights)[0]
            yield Request(f"r{number}", hour + at, priority, chance.lognormvariate(mean, sigma))


def _served(desk: Desk, requests: list[Request], chance: random.Random) -> dict[str, float]:
    """When each request is first answered. One step is an arrival, the end of a piece of work, or a new hour."""
    order = {priority: rank for rank, priority in enumerate(("urgent", "high", "normal", "low"))}
    queue: list[tuple[float, float, Request]] = []
    working: list[tuple[float, Request]] = []
    laid_down: list[tuple[float, Request]] = []
    answers: dict[str, float] = {}
    arrivals, now = iter([*requests, None]), 0.0
    coming = next(arrivals)
    while coming or ((queue or working or laid_down) and now < desk.days * 24 * 3):
        staff = round(desk.staff(int(now)))
        while len(working) > staff:
            ends, request = working.pop()
            laid_down.append((ends - now, request))
        heapq.heapify(working)
        while len(working) < staff and (laid_down or queue):
            needs, request = laid_down.pop() if laid_down else _next(queue, desk.pick, chance)
            heapq.heappush(working, (now + needs, request))
        until = math.floor(now) + 1.0
        until = min(until, coming.arrived if coming else until, working[0][0] if working else until)
        now = until
        if working and working[0][0] <= now:
            ends, request = heapq.heappop(working)
            answers[request.id] = ends
        elif coming and coming.arrived <= now:
            rank = order[coming.priority] if desk.pick == "priority" else 0
            heapq.heappush(queue, (rank, coming.arrived, coming))
            coming = next(arrivals)
    return answers


def _next(queue: list[tuple[float, float, Request]], pick: str, chance: random.Random) -> tuple[float, Request]:
    if pick == "any":
        index = chance.randrange(len(queue))
        queue[index], queue[-1] = queue[-1], queue[index]
        request = queue.pop()[2]
    else:
        request = heapq.heappop(queue)[2]
    return request.needs, request
