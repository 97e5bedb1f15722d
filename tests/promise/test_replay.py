"""Replaying a history: causal, counted rightly, and clear about bad lines."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailticket.promise import BadHistory, Replay, SupportCalendar
from mailticket.settings import Promise

START = datetime(2026, 11, 2, tzinfo=UTC)
ALWAYS = SupportCalendar(ZoneInfo("UTC"))
FORECAST = Promise(mode="forecast")


def line(hour: float, event: str, request: str, **more: str) -> dict[str, str]:
    return {"at": (START + timedelta(hours=hour)).isoformat(), "event": event, "id": request, **more}


def promises(events: Iterable[dict[str, str]], settings: Promise = FORECAST) -> Iterator[dict[str, str]]:
    return Replay(settings, ALWAYS).promises(events)


def busy_history(requests: int) -> list[dict[str, str]]:
    """One agent, first come, first served; a fifth is urgent by name only."""
    chance = random.Random(7)
    events, arrived, free = [], 0.0, 0.0
    for number in range(requests):
        arrived += chance.expovariate(1)
        free = max(free, arrived) + chance.expovariate(1.2)
        priority = "urgent" if number % 5 == 0 else "normal"
        events.append((arrived, line(arrived, "request", f"r{number}", category="trading", priority=priority)))
        events.append((free, line(free, "first_answer", f"r{number}")))
    return [event for _, event in sorted(events, key=lambda entry: entry[0])]


def test_the_future_changes_nothing() -> None:
    events = busy_history(120)
    whole = list(promises(events))
    for cut in (1, 17, 60, 133, 200):
        part = list(promises(events[:cut]))
        assert part == whole[: len(part)]
        late = [*events[:cut], *(line(9000, "request", f"other{number}") for number in range(30))]
        assert list(promises(late))[: len(part)] == part


def test_a_promise_is_printed_before_the_next_line_is_read() -> None:
    events = iter([line(0, "request", "a"), {"event": "nonsense"}])
    made = promises(events)
    assert next(made)["id"] == "a"
    with pytest.raises(BadHistory, match="line 2"):
        next(made)


def test_lines_look_as_the_design_says() -> None:
    (made,) = promises([line(0, "request", "a", category="deposit", priority="high")], Promise())
    assert made == {
        "id": "a",
        "promised_from": "2026-11-02T12:00:00+00:00",  # 12 to 48 hours
        "promised_by": "2026-11-04T00:00:00+00:00",
        "reason": "policy: 12 to 48 support hours",
    }


def test_the_forecast_keeps_most_promises_with_shorter_windows_than_the_policy() -> None:
    events = busy_history(1500)
    shares, horizons = [], []
    for settings in (FORECAST, Promise()):
        played = Replay(settings, ALWAYS)
        assert len(list(played.promises(events))) == 1500
        summary = played.summary()
        shares.append(summary["kept_share"])
        horizons.append(summary["mean_horizon_hours"])
    assert shares[0] >= 0.9
    assert horizons[0] < horizons[1] / 2


def test_the_summary_counts_by_week_and_category() -> None:
    events = [
        line(0, "request", "kept", category="trading", priority="normal"),
        line(1, "request", "late", category="trading", priority="normal"),
        line(2, "request", "gone", category="api", priority="normal"),
        line(3, "request", "never", category="api", priority="normal"),
        line(30, "first_answer", "kept"),
        line(31, "first_answer", "kept"),  # a second answer says nothing more
        line(40, "closed", "gone"),
        line(80, "first_answer", "late"),  # 79 hours
        line(200, "request", "open", category="api", priority="normal"),
    ]
    played = Replay(Promise(), ALWAYS)
    list(played.promises(events))
    summary = played.summary()
    assert {key: summary[key] for key in ("requests", "kept", "missed", "open", "longer")} == {
        "requests": 5, "kept": 1, "missed": 2, "open": 2, "longer": 0,
    }  # fmt: skip
    assert summary["kept_share"] == 0.3333
    assert (summary["mean_horizon_hours"], summary["mean_width_hours"]) == (72, 48)
    assert (summary["median_wait_hours"], summary["p90_wait_hours"]) == (30, 79)
    assert {week: tally["requests"] for week, tally in summary["weeks"].items()} == {"2026-W45": 4, "2026-W46": 1}
    assert {name: tally["missed"] for name, tally in summary["categories"].items()} == {"trading": 1, "api": 1}
    assert played.summary() == summary


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ([1], "line 8: not a JSON object"),
        (line(1, "reopened", "a"), "line 8: \"event\" is 'reopened'; it must be one of request, first_answer, closed"),
        ({"at": "2026-11-02T01:00:00+00:00", "event": "request"}, 'line 8: "id" is missing'),
        ({"at": "yesterday", "event": "request", "id": "b"}, "line 8: \"at\" is 'yesterday'; write it as"),
        ({"at": "2026-11-02T01:00:00", "event": "request", "id": "b"}, 'line 8: "at" has no time zone'),
        (line(-1, "request", "b"), "line 8: earlier than the line before; sort the history by time"),
        (line(1, "request", "a"), "line 8: request 'a' came before"),
        (line(1, "first_answer", "b"), "line 8: first_answer to 'b', which no line before it requested"),
    ],
)
def test_a_bad_line_is_named_by_its_number(second: Any, message: str) -> None:
    with pytest.raises(BadHistory) as caught:
        list(Replay(Promise(), ALWAYS).promises([line(0, "request", "a"), second], first_line=7))
    assert str(caught.value).startswith(message)
