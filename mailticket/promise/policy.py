"""The promise: the configured window, what the forecast makes of it, and the reason in a sentence.

Rules of the room: a window is counted in support hours from arrival, a forecast from now, for it is about those who
wait now. A promise never ends in the past. Beyond the outer limit of the policy a promise is marked `longer` and says
why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mailticket.promise.calendar import SupportCalendar
from mailticket.promise.forecast import Forecast, Load
from mailticket.promise.load import LoadSnapshot
from mailticket.settings import Category, Promise, Window


@dataclass(frozen=True)
class Promised:
    """When a first answer can be expected (UTC, whole minutes), and why.

    `longer`: the load forces an end beyond the policy's outer limit; a letter says "longer than usual".
    """

    promised_from: datetime
    promised_by: datetime
    reason: str
    longer: bool


def window(category: str, priority: str, promise: Promise, categories: Sequence[Category] = ()) -> Window:
    """The configured window: the category's own if it has one and the ticket has the category's priority, else the
    priority's. A priority that is not configured counts as normal."""
    for configured in categories:
        if configured.name == category and configured.window and configured.priority == priority:
            return configured.window
    return promise.windows.get(priority, promise.windows["normal"])


def make_promise(
    now: datetime,
    arrived: datetime,
    category: str,
    priority: str,
    promise: Promise,
    calendar: SupportCalendar,
    load: LoadSnapshot | Load | None = None,
    categories: Sequence[Category] = (),
) -> Promised:
    """The promise to a request that arrived at `arrived` (aware) and is taken in at `now` (aware).

    `load` is what is known of the others, without this request; None gives the bare policy.
    """
    policy = window(category, priority, promise, categories)
    if isinstance(load, LoadSnapshot):
        load = Load.of(load, now, calendar, promise.confidence)
    now = now.astimezone(UTC)
    arrived = min(arrived.astimezone(UTC), now)
    forecast = load.forecast(now, arrived, priority) if load else None
    start, end = calendar.add(arrived, policy.from_hours), calendar.add(arrived, policy.by_hours)
    reason = f"policy: {_hours(policy.from_hours)} to {_hours(policy.by_hours)} support hours"
    forced = False  # whether the end is the forecast's, not the policy's
    if end <= now:
        start, end = now, calendar.add(now, policy.by_hours)
        reason += ", counted from now because the mail came late"
    if forecast is not None:
        earliest, latest = calendar.add(now, forecast.from_hours), calendar.add(now, forecast.by_hours)
        if promise.mode == "forecast":
            start, end, forced, reason = earliest, latest, True, f"forecast: {_because(forecast)}"
        elif latest > end:
            end, forced, reason = latest, True, f"{reason}, widened: {_because(forecast)}"
    limit = max(calendar.add(arrived, max(promise.longest_hours, policy.by_hours)), now)
    longer = forced and end > limit
    if longer:
        reason += f"; longer than the usual {_hours(max(promise.longest_hours, policy.by_hours))} support hours"
    start, end = _minutes(start, now, end)
    return Promised(start, end, reason, longer)


def _because(forecast: Forecast) -> str:
    ahead = "nobody is" if forecast.ahead == 0 else f"{forecast.ahead} {'is' if forecast.ahead == 1 else 'are'}"
    return f"{ahead} ahead, about {forecast.hourly:.2g} first answers a support hour"


def _hours(hours: float) -> str:
    return f"{hours:g}"


def _minutes(start: datetime, now: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The window in whole UTC minutes, widened by rounding, never ending before the minute after now."""
    end = max(end, now).astimezone(UTC)
    whole_end = end.replace(second=0, microsecond=0)
    if whole_end < end or whole_end <= now:
        whole_end += timedelta(minutes=1)
    whole_start = min(max(start, now), end).astimezone(UTC).replace(second=0, microsecond=0)
    return whole_start, whole_end
