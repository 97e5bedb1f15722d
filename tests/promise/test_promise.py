"""The promise: policy windows by table, what the forecast makes of them, and the sentences that go with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.promise import Answered, Load, LoadSnapshot, Promised, SupportCalendar, make_promise, window
from mailticket.settings import Category, Promise, Window

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday
ALWAYS = SupportCalendar(ZoneInfo("UTC"))
OFFICE = SupportCalendar(
    ZoneInfo("UTC"), dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), ("09:00-17:00",))
)
FORECAST = Promise(mode="forecast")


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def regular(answers: int, every: float, wait: float, waiting: int = 0, until: datetime = NOW) -> LoadSnapshot:
    """A desk that answered one request each `every` hours, each after `wait` hours; `waiting` came in the last hour."""
    answered = tuple(
        Answered(until - hours(every * number + wait), until - hours(every * number), "normal")
        for number in range(1, answers + 1)
    )
    return LoadSnapshot({"normal": tuple(until - hours(number / waiting) for number in range(waiting))}, answered)


def promise(load: LoadSnapshot | Load | None, settings: Promise = FORECAST, now: datetime = NOW) -> Promised:
    return make_promise(now, now, "other", "normal", settings, ALWAYS, load)


def basis(made: Promised) -> str:
    """Whose window it is: the policy's, the policy's with the end that the load demands, or the forecast's."""
    return "load" if "widened" in made.reason else made.reason.partition(":")[0]


def horizon(load: LoadSnapshot | Load | None, now: datetime = NOW) -> float:
    return (promise(load, now=now).promised_by - now).total_seconds() / 3600


CATEGORIES = (
    Category(name="account-security", priority="urgent", window=Window(from_hours=1, by_hours=8)),
    Category(name="trading", priority="normal"),
)


@pytest.mark.parametrize(
    ("category", "priority", "expected"),
    [
        ("account-security", "urgent", (1, 8)),  # the category's own
        ("account-security", "low", (48, 120)),  # staff lowered it: the priority's
        ("trading", "normal", (24, 72)),  # the category has none
        ("unheard-of", "high", (12, 48)),
        ("trading", "unheard-of", (24, 72)),  # counts as normal
    ],
)
def test_the_configured_window(category: str, priority: str, expected: tuple[float, float]) -> None:
    found = window(category, priority, Promise(), CATEGORIES)
    assert (found.from_hours, found.by_hours) == expected


@pytest.mark.parametrize("mode", ["policy", "forecast"])
@pytest.mark.parametrize("load", [None, LoadSnapshot(), regular(3, every=1, wait=0.5)])
def test_with_few_data_the_policy_stands(mode: str, load: LoadSnapshot | None) -> None:
    made = promise(load, Promise.model_validate({"mode": mode}))
    assert (made.promised_from, made.promised_by) == (NOW + hours(24), NOW + hours(72))
    assert (basis(made), made.longer) == ("policy", False)
    assert made.reason == "policy: 24 to 72 support hours"


def test_a_window_is_counted_in_support_hours() -> None:
    made = make_promise(NOW, NOW, "other", "urgent", Promise(), OFFICE)
    assert made.promised_from == NOW + hours(2)
    assert made.promised_by == datetime(2026, 11, 26, 10, 0, tzinfo=UTC)  # Mon 7, Tue 8, Wed 8, Thu 1: 24


def test_a_window_counts_from_arrival_and_not_from_now() -> None:
    made = make_promise(NOW, NOW - hours(10), "other", "normal", Promise(), ALWAYS)
    assert (made.promised_from, made.promised_by) == (NOW + hours(14), NOW + hours(62))


def test_a_window_that_has_passed_is_counted_from_now_and_says_so() -> None:
    made = make_promise(NOW, NOW - hours(100), "other", "normal", Promise(), ALWAYS)
    assert (made.promised_from, made.promised_by) == (NOW, NOW + hours(72))
    assert made.reason.endswith("counted from now because the mail came late")


def test_policy_is_widened_where_the_load_demands_it_and_says_why() -> None:
    made = promise(regular(60, every=1, wait=1, waiting=100), Promise())
    assert made.promised_from == NOW + hours(24)
    assert made.promised_by >= NOW + hours(100)  # 100 ahead, one an hour
    assert (basis(made), made.longer) == ("load", True)
    assert "100 are ahead" in made.reason
    assert "longer than the usual 120 support hours" in made.reason


def test_policy_is_not_narrowed_by_a_quick_desk() -> None:
    made = promise(regular(60, every=1, wait=1), Promise())
    assert (made.promised_from, made.promised_by) == (NOW + hours(24), NOW + hours(72))
    assert basis(made) == "policy"


def test_mode_forecast_promises_what_the_desk_does() -> None:
    made = promise(regular(60, every=1, wait=1))
    assert NOW + hours(1) <= made.promised_by <= NOW + hours(3)
    assert made.promised_from <= NOW + hours(1)
    assert (basis(made), made.longer) == ("forecast", False)
    assert made.reason.startswith("forecast: nobody is ahead, about 1 first answers a support hour")


def test_the_place_counts_more_pressing_requests_and_earlier_ones() -> None:
    waiting = {
        "urgent": (NOW - hours(1),),
        "normal": (NOW - hours(5), NOW - hours(2)),
        "low": (NOW - hours(50),),
    }
    load = Load.of(LoadSnapshot(waiting, regular(60, every=1, wait=1).answered), NOW, ALWAYS, 0.9)
    forecast = load.forecast(NOW, NOW - hours(3), "normal")
    assert forecast is not None
    assert forecast.ahead == 2  # the urgent one and the one of five hours ago


def test_more_ahead_never_means_an_earlier_promise() -> None:
    ends = [horizon(regular(60, every=0.5, wait=1, waiting=count)) for count in (0, 1, 5, 20, 100, 400)]
    assert ends == sorted(ends)
    assert ends[-1] > 200  # 400 ahead, two an hour


def test_a_surge_widens_the_promise_and_its_end_brings_it_back() -> None:
    load, now = Load(ALWAYS, 0.9, NOW), NOW
    for number in range(100):  # a calm desk: one an hour, answered after half an hour
        now = NOW + hours(number)
        load.request(number, now, "normal")
        load.answer(number, now + hours(0.5))
    calm = horizon(load, now + hours(0.6))
    for number in range(100, 200):  # a hundred in an hour
        load.request(number, now + hours(1 + (number - 100) / 100), "normal")
    assert horizon(load, now + hours(2)) > 50
    for number in range(100, 200):  # now the agents are busy: ten an hour
        load.answer(number, now + hours(2 + (number - 99) / 10))
    now += hours(12)
    for number in range(200, 300):
        load.request(number, now + hours(number - 199), "normal")
        load.answer(number, now + hours(number - 198.5))
    assert horizon(load, now + hours(101)) <= max(3 * calm, 15)  # what the surge taught wears off


def test_a_silence_delays_the_promise_by_about_as_long_again() -> None:
    snapshot = regular(100, every=0.5, wait=1)
    before = horizon(snapshot)
    late = LoadSnapshot({"normal": (NOW,)}, snapshot.answered)
    assert horizon(late, NOW + hours(30)) > before + 15


def test_a_snapshot_and_the_events_themselves_say_the_same() -> None:
    snapshot = regular(80, every=0.7, wait=2, waiting=7)
    built = Load.of(snapshot, NOW, ALWAYS, 0.9)
    events = [(answered.created_at, 0, answered) for answered in snapshot.answered]
    events += [(answered.first_response_at, 1, answered) for answered in snapshot.answered]
    events.sort(key=lambda event: event[:2])
    lived = Load(ALWAYS, 0.9, events[0][0])
    for at, answer, key in events:
        if answer:
            lived.answer(key, at)
        else:
            lived.request(key, at, "normal")
    for number, at in enumerate(sorted(snapshot.waiting["normal"])):
        lived.request(number, at, "normal")
    assert horizon(lived) == pytest.approx(horizon(built), rel=0.25)


def test_those_who_leave_without_an_answer_no_longer_count() -> None:
    load = Load.of(regular(60, every=1, wait=1), NOW, ALWAYS, 0.9)
    for number in range(50):
        load.request(f"new {number}", NOW, "normal")
    full = horizon(load)
    for number in range(50):
        load.gone(f"new {number}", NOW)
    assert "nobody is ahead" in promise(load).reason
    assert horizon(load) < full


TIMES = st.floats(0, 27 * 24)
DESKS = st.lists(st.tuples(TIMES, st.floats(0, 200), st.sampled_from(["urgent", "high", "normal", "low", "odd"])))


@given(DESKS, DESKS, st.sampled_from([ALWAYS, OFFICE]), st.floats(0, 200), st.sampled_from(["policy", "forecast"]))
def test_no_load_makes_a_promise_in_the_past_or_backwards(
    answered: Sequence[tuple[float, float, str]],
    waiting: Sequence[tuple[float, float, str]],
    calendar: SupportCalendar,
    age: float,
    mode: str,
) -> None:
    load = LoadSnapshot(
        {name: tuple(NOW - hours(ago) for ago, _, priority in waiting if priority == name) for name in ("high", "odd")},
        tuple(Answered(NOW - hours(ago + wait), NOW - hours(ago), priority) for ago, wait, priority in answered),
    )
    settings = Promise.model_validate({"mode": mode})
    made = make_promise(NOW, NOW - hours(age), "other", "normal", settings, calendar, load)
    assert made.promised_from >= NOW or basis(made) == "policy"
    assert made.promised_from <= made.promised_by
    assert made.promised_by > NOW
    assert made.reason
