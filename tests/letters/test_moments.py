"""How dates and windows read in each language, in any zone, across daylight saving."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mailticket.letters import Letters, moments
from tests.letters import HEAD, sample


def at(day: int, hour: int, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


LINES = [
    ("en", at(24, 10), at(26, 10), "UTC", "Tue 24 Nov 2026 10:00 to Thu 26 Nov 2026 10:00 (UTC)"),
    ("en", at(24, 10), at(24, 18), "UTC", "Tue 24 Nov 2026, 10:00 to 18:00 (UTC)"),
    ("en", None, at(24, 18), "UTC", "by Tue 24 Nov 2026 18:00 (UTC)"),
    ("en", at(24, 18), at(24, 18), "UTC", "by Tue 24 Nov 2026 18:00 (UTC)"),
    # 25 October 2026 01:00 UTC: Berlin leaves summer time, so the two ends have different offsets
    ("en", at(24, 9, 10), at(26, 9, 10), "Europe/Berlin",
     "Sat 24 Oct 2026 11:00 (UTC+2) to Mon 26 Oct 2026 10:00 (UTC+1)"),
    ("en", at(24, 10), at(26, 10), "Asia/Kolkata", "Tue 24 Nov 2026 15:30 to Thu 26 Nov 2026 15:30 (UTC+5:30)"),
    ("en", at(24, 10), at(26, 10), "America/St_Johns", "Tue 24 Nov 2026 06:30 to Thu 26 Nov 2026 06:30 (UTC−3:30)"),
    ("zh-Hans", at(24, 10), at(26, 10), "Asia/Shanghai",
     "2026年11月24日（周二）18:00 至 11月26日（周四）18:00（UTC+8）"),
    ("zh-Hans", at(24, 10), at(24, 12), "UTC", "2026年11月24日（周二）10:00 至 12:00（UTC）"),
    ("zh-Hans", at(31, 10, 12), at(2, 10, 1, 2027), "UTC",
     "2026年12月31日（周四）10:00 至 2027年1月2日（周六）10:00（UTC）"),
    ("zh-Hans", None, at(29, 10), "UTC", "2026年11月29日（周日）10:00（UTC）之前"),
    ("zh-Hant", at(24, 10), at(26, 10), "Asia/Taipei", "2026年11月24日（週二）18:00 至 11月26日（週四）18:00（UTC+8）"),
]  # fmt: skip
SENTENCES = [
    ("en", "UTC", "answer you between Tuesday 24 November 2026 10:00 and Thursday 26 November 2026 10:00 (UTC)."),
    ("en", "Asia/Shanghai", "and Thursday 26 November 2026 18:00 (Shanghai time, UTC+8)."),
    ("en", "America/Argentina/Buenos_Aires", "2026 07:00 (Buenos Aires time, UTC−3)."),
    (
        "zh-Hans",
        "Asia/Shanghai",
        "我们预计于 2026年11月24日（星期二）18:00 至 11月26日（星期四）18:00（北京时间，UTC+8）之间答复您。",
    ),
    ("zh-Hans", "Europe/Berlin", "11:00（Berlin 时间，UTC+1）之间答复您。"),
    (
        "zh-Hant",
        "Asia/Taipei",
        "我們預計於 2026年11月24日（星期二）18:00 至 11月26日（星期四）18:00（台北時間，UTC+8）之間回覆您。",
    ),
]


@pytest.mark.parametrize(("language", "start", "end", "zone", "expected"), LINES)
def test_the_second_line_says_the_window(letters: Letters, language, start, end, zone, expected) -> None:
    letter = replace(sample("acknowledgement", language), promised_from=start, promised_by=end, zone=ZoneInfo(zone))
    second = letters.compose(letter, HEAD).text.split("\n")[1]
    assert second.partition("：" if language != "en" else ": ")[2] == expected


@pytest.mark.parametrize(("language", "zone", "expected"), SENTENCES)
def test_a_sentence_says_the_window_in_full(letters: Letters, language, zone, expected) -> None:
    letter = replace(sample("acknowledgement", language), zone=ZoneInfo(zone))
    composed = letters.compose(letter, HEAD)
    joiner = " " if language == "en" else ""
    assert expected in joiner.join(line.strip() for line in composed.html.split("\n"))


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        moments.moment(datetime(2026, 11, 24, 10), ZoneInfo("UTC"))  # noqa: DTZ001


def test_without_an_end_there_is_no_window() -> None:
    assert moments.span(at(24, 10), None, ZoneInfo("UTC")) is None
