"""What a report says: how promises were kept and how long first answers took, from the record of promises."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mailticket.promise.kept import percentile, tallies
from mailticket.store import Session, watch
from mailticket.store.requests import follow_ups, requests


def monday_of(now: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the week, in its zone."""
    local = now.astimezone(zone)
    first = local.date() - timedelta(days=local.weekday())
    return datetime(first.year, first.month, first.day, tzinfo=zone)


def figures(session: Session, since: datetime, until: datetime, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """How promises were kept and how long first answers took, of requests that arrived from `since` to before `until`;
    of those who wrote again, all since then and those who wait now."""
    summary = tallies((one for one in requests(session, since) if one.at < until), now, zone)
    waits, waiting = follow_ups(session, since), watch.waiting_again(session)
    summary["follow_ups"] = {
        "answered": len(waits),
        "median_hours": percentile(waits, 0.5),
        "p90_hours": percentile(waits, 0.9),
        "waiting": waiting.number,
        "oldest_waiting": {"id": waiting.key, "waiting_since": waiting.since} if waiting.since else None,
    }
    return summary
