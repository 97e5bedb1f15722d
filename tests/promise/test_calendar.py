"""Support hours by table, with the arithmetic in the margin, and as properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.errors import ConfigurationError
from mailticket.promise import SupportCalendar, from_settings
from mailticket.settings import Promise

BERLIN, NEW_YORK, SHANGHAI, SAO_PAULO = map(
    ZoneInfo, ("Europe/Berlin", "America/New_York", "Asia/Shanghai", "America/Sao_Paulo")
)
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")
OFFICE = dict.fromkeys(WEEK, ("09:00-17:00",))
LUNCH = dict.fromkeys(WEEK, ("09:00-12:00", "13:00-17:00"))
NIGHT = dict.fromkeys((*WEEK, "saturday", "sunday"), ("00:00-06:00",))


def at(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


ADDED = [
    # calendar, from, hours, to (local)
    (SupportCalendar(BERLIN), "2026-03-28T12:00", 24, "2026-03-29T13:00"),  # always open; the night has 23 hours
    (SupportCalendar(BERLIN, OFFICE), "2026-11-20T16:00", 3, "2026-11-23T11:00"),  # Fri 1 h, Mon 9 + 2
    (SupportCalendar(BERLIN, OFFICE), "2026-11-20T16:00", 1, "2026-11-20T17:00"),  # ends with the span, not on Monday
    (SupportCalendar(BERLIN, OFFICE), "2026-11-21T03:00", 8, "2026-11-23T17:00"),  # Sat counts nothing, Mon all day
    (SupportCalendar(BERLIN, OFFICE), "2026-11-16T09:00", 40, "2026-11-20T17:00"),  # 5 days of 8 h
    (SupportCalendar(BERLIN, OFFICE), "2026-12-30T15:00", 18, "2027-01-01T17:00"),  # Wed 2 h, Thu 8 h, Fri 8 h
    (SupportCalendar(BERLIN, LUNCH), "2026-11-18T11:30", 1, "2026-11-18T13:30"),  # half before lunch, half after
    (SupportCalendar(BERLIN, NIGHT), "2026-03-29T00:00", 5, "2026-03-29T06:00"),  # 2 is skipped: 5 h from 0 to 6
    (SupportCalendar(BERLIN, NIGHT), "2026-10-25T00:00", 7, "2026-10-25T06:00"),  # 2 comes twice: 7 h from 0 to 6
    (SupportCalendar(NEW_YORK, NIGHT), "2026-03-08T00:00", 5, "2026-03-08T06:00"),  # 2 is skipped
    (SupportCalendar(NEW_YORK, NIGHT), "2026-11-01T00:00", 7, "2026-11-01T06:00"),  # 1 comes twice
    (SupportCalendar(BERLIN, OFFICE, {date(2026, 11, 23)}), "2026-11-20T16:00", 3, "2026-11-24T11:00"),  # Mon is off
    (SupportCalendar(BERLIN, {}, {date(2026, 12, 25)}), "2026-12-24T23:00", 2, "2026-12-26T01:00"),  # a day between
    # Chinese New Year 2026: 15 to 23 February off, Saturday 14 worked instead with Monday's hours.
    (
        SupportCalendar(
            SHANGHAI,
            OFFICE | {"saturday": ("10:00-12:00",)},
            {date(2026, 2, day) for day in range(15, 24)},
            {date(2026, 2, 14)},
        ),
        "2026-02-13T16:00",
        10,  # Fri 1 h, Sat 14 8 h (not 2), then Tue 24 from 9 to 10
        "2026-02-24T10:00",
    ),
    # A make-up workday wins over a holiday of the same date.
    (
        SupportCalendar(SHANGHAI, OFFICE, {date(2026, 11, 23)}, {date(2026, 11, 23)}),
        "2026-11-23T09:00",
        1,
        "2026-11-23T10:00",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("calendar", "start", "hours", "end"), ADDED)
def test_support_hours_added_and_counted(calendar: SupportCalendar, start: str, hours: float, end: str) -> None:
    begin, finish = at(start, calendar.zone), at(end, calendar.zone)
    assert calendar.add(begin, hours) == finish
    assert calendar.between(begin, finish) == pytest.approx(hours)
    assert calendar.between(finish, begin) == pytest.approx(-hours)


@pytest.mark.parametrize(
    ("zone", "day", "hours", "expected"),
    [
        (BERLIN, "2026-03-29", "02:30-04:00", 1.0),  # 2:30 is skipped: from 3:00 to 4:00
        (BERLIN, "2026-03-29", "02:10-02:50", 0.0),  # all of it is skipped
        (BERLIN, "2026-03-29", "01:00-02:30", 1.0),  # until the skip
        (BERLIN, "2026-10-25", "02:30-04:00", 2.5),  # from the first 2:30 to 4:00
        (BERLIN, "2026-10-25", "01:00-02:30", 2.5),  # to the second 2:30
        (SAO_PAULO, "2018-11-04", "00:00-02:00", 1.0),  # midnight is skipped: the day begins at 1:00
        (SAO_PAULO, "2018-02-17", "22:00-24:00", 3.0),  # 23:00 comes twice before midnight
    ],
)
def test_a_span_across_a_clock_change(zone: ZoneInfo, day: str, hours: str, expected: float) -> None:
    calendar = SupportCalendar(zone, {"saturday": (hours,), "sunday": (hours,)})
    noon = at(f"{day}T12:00", zone)
    around = (noon - timedelta(hours=12.5), noon + timedelta(hours=14))
    shown = calendar.between(*around)
    if day == "2018-02-17":
        shown -= calendar.between(at("2018-02-18T00:00", zone), around[1])
    assert shown == pytest.approx(expected)


def test_spans_that_touch_or_overlap_count_once() -> None:
    calendar = SupportCalendar(BERLIN, {"sunday": ("01:00-02:30", "02:30-04:00", "03:00-05:00")})
    day = at("2026-10-25T00:00", BERLIN)
    assert calendar.between(day, day + timedelta(days=1)) == pytest.approx(5)  # 1 to 5, and 2 to 3 twice


def test_a_calendar_that_never_opens_is_refused_with_the_key_to_change() -> None:
    with pytest.raises(ConfigurationError, match=r"\[promise\] hours: .*every day closed"):
        from_settings(Promise(hours={"monday": ()}), "UTC")


def test_a_calendar_that_opens_seldom_ends_the_search() -> None:
    calendar = SupportCalendar(BERLIN, {"monday": ("09:00-09:01",)})
    start = at("2026-11-22T10:00", BERLIN)
    assert calendar.add(start, 8760) == start + timedelta(days=366 * 20)


def test_the_holidays_of_a_country_come_with_its_make_up_workdays() -> None:
    pytest.importorskip("holidays")
    calendar = from_settings(Promise(hours=OFFICE, holiday_country="CN"), "Asia/Shanghai")
    assert date(2026, 2, 17) in calendar.holidays
    assert date(2026, 2, 14) in calendar.working_days
    friday = at("2026-02-13T16:00", SHANGHAI)
    assert calendar.add(friday, 9) == at("2026-02-14T17:00", SHANGHAI)  # Fri 1 h, make-up Sat 8 h


def test_days_of_the_file_win_over_those_of_the_country() -> None:
    pytest.importorskip("holidays")
    given = Promise(holiday_country="CN", working_days=(date(2026, 2, 17),), holidays=(date(2026, 2, 14),))
    calendar = from_settings(given, "Asia/Shanghai")
    assert date(2026, 2, 17) not in calendar.holidays
    assert date(2026, 2, 14) not in calendar.working_days


def test_an_unknown_country_is_named() -> None:
    pytest.importorskip("holidays")
    with pytest.raises(ConfigurationError, match="'DE-ZZ' is not known"):
        from_settings(Promise(holiday_country="DE-ZZ"), "UTC")


CALENDARS = st.sampled_from(
    [
        SupportCalendar(BERLIN),
        SupportCalendar(BERLIN, OFFICE),
        SupportCalendar(NEW_YORK, NIGHT),
        SupportCalendar(SAO_PAULO, NIGHT),
        SupportCalendar(SHANGHAI, LUNCH, {date(2026, 2, day) for day in range(15, 24)}, {date(2026, 2, 14)}),
        SupportCalendar(BERLIN, {}, {date(2026, 12, 25)}),
    ]
)
MOMENTS = st.integers(1_500_000_000, 1_900_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
HOURS = st.floats(0, 2000)


@given(CALENDARS, MOMENTS, HOURS)
def test_between_undoes_add(calendar: SupportCalendar, start: datetime, hours: float) -> None:
    assert calendar.between(start, calendar.add(start, hours)) == pytest.approx(hours, abs=1e-6)


@given(CALENDARS, MOMENTS, HOURS, HOURS)
def test_more_hours_never_end_earlier(calendar: SupportCalendar, start: datetime, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert start <= calendar.add(start, less) <= calendar.add(start, more)


@given(CALENDARS, MOMENTS, MOMENTS, MOMENTS)
def test_hours_between_add_up(calendar: SupportCalendar, one: datetime, two: datetime, three: datetime) -> None:
    parts = calendar.between(one, two) + calendar.between(two, three)
    assert parts == pytest.approx(calendar.between(one, three), abs=1e-6)
