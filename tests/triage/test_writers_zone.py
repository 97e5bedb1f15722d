"""By which zone a requester's clock goes: only a sure clue counts, in the mail at hand and in the one that is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mailticket.mail import read
from mailticket.mail.address import Address
from mailticket.mail.identity import writers_clock
from mailticket.mail.values import Automatic
from mailticket.triage.writer import writers_zone

ARRIVED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def raw(*dates: str) -> bytes:
    return "".join(["From: ann@mail.example\r\n", *(f"Date: {date}\r\n" for date in dates), "\r\nHello\r\n"]).encode()


@pytest.mark.parametrize(
    ("date", "minutes"),
    [
        ("Mon, 23 Nov 2026 16:59:00 +0800", 480),
        ("Mon, 23 Nov 2026 16:59:00 +0800 (CST)", 480),
        ("Mon, 23 Nov 2026 14:44:00 +0545", 345),
        ("Mon, 23 Nov 2026 05:29:00 -0330", -210),
        ("Mon, 23 Nov 2026 22:59:00 +1400", 840),
        ("Sun, 22 Nov 2026 20:59:00 -1200", -720),
        ("Mon, 23 Nov 2026 08:59:00 +0000", None),  # a webmail's, whoever uses it
        ("Mon, 23 Nov 2026 08:59:00 -0000", None),
        ("Mon, 23 Nov 2026 08:59:00 GMT", None),
        ("Mon, 23 Nov 2026 03:59:00 EST", None),
        ("Mon, 23 Nov 2026 08:59:00", None),
        ("Mon, 23 Nov 2026 23:14:00 +1415", None),
        ("Sun, 22 Nov 2026 20:44:00 -1215", None),
        ("Mon, 23 Nov 2026 16:06:00 +0707", None),
        ("Mon, 23 Nov 2026 16:59:00 +0860", None),
        ("Mon, 23 Nov 2026 17:59:00 +0800", None),  # an hour ahead: its clock or its zone is wrong
        ("Mon, 16 Nov 2026 16:59:00 +0800", None),  # a week on its way
        ("Sun, 22 Nov 2026 16:59:00 +0800", 480),
    ],
)
def test_only_a_sure_clue_counts(date: str, minutes: int | None) -> None:
    mail = read(raw(date))
    expected = None if minutes is None else timezone(timedelta(minutes=minutes))
    assert writers_zone(mail, ARRIVED) == expected
    assert writers_clock(raw(date)) == (mail.date, mail.date_offset)


def test_two_dates_are_no_clue() -> None:
    date = "Mon, 23 Nov 2026 16:59:00 +0800"
    assert writers_zone(read(raw(date, date)), ARRIVED) is None
    assert writers_zone(read(raw()), ARRIVED) is None


def test_the_clock_of_a_form_or_a_program_is_not_its_writers() -> None:
    mail = read(raw("Mon, 23 Nov 2026 16:59:00 +0800"))
    assert writers_zone(replace(mail, claimed=Address("", "bob@mail.example")), ARRIVED) is None
    assert writers_zone(replace(mail, automatic=Automatic("auto-generated", "a header")), ARRIVED) is None
