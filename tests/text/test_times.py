"""Times to come, as people type them at night."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.text.times import coming

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, 18, 30, tzinfo=UTC)  # 19:30 in Berlin


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ("2h", "2026-11-26T20:30"), ("90 min", "2026-11-26T20:00"), ("45m", "2026-11-26T19:15"),
        ("3D", "2026-11-29T18:30"),
        ("1w", "2026-12-03T18:30"),
        ("23:15", "2026-11-26T22:15"), ("18:00", "2026-11-27T17:00"), ("7:30", "2026-11-27T06:30"),
        ("20:00 UTC", "2026-11-26T20:00"), ("18:00 UTC", "2026-11-27T18:00"),
        ("2026-11-28", "2026-11-28T23:00"), ("2026-11-28 UTC", "2026-11-29T00:00"),
        ("2026-11-28 18:00", "2026-11-28T17:00"), ("2026-11-28T18:00:00Z", "2026-11-28T18:00"),
        ("2026-11-28T18:00+08:00", "2026-11-28T10:00"), ("2026-11-28 18:00 Asia/Shanghai", "2026-11-28T10:00"),
    ],
)  # fmt: skip
def test_a_time_means_the_moment_that_a_person_means(words: str, at: str) -> None:
    moment = coming(words, NOW, BERLIN)
    assert moment.isoformat() == f"{at}:00+00:00"


@pytest.mark.parametrize("words", ["0h", "2026-11-26 19:29", "2026-11-25", "2026-11-26 18:30 UTC"])
def test_what_is_past_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="is past"):
        coming(words, NOW, BERLIN)


@pytest.mark.parametrize(
    "words",
    ["", "tonight", "25:00", "2026-13-01", "18:00 Mars", "UTC", "2 2h", "9999-12-31", "9999-12-31 23:00 -08:00"],
)
def test_what_is_no_time_is_refused_in_words(words: str) -> None:
    with pytest.raises(ValueError, match=r"is no time|any calendar"):
        coming(words, NOW, BERLIN)


@given(st.text(alphabet="0123456789:-+T hdwmZ/", max_size=24))
def test_whatever_is_typed_is_a_moment_to_come_or_refused(words: str) -> None:
    try:
        assert coming(words, NOW, BERLIN) > NOW
    except ValueError as refusal:
        assert str(refusal)
