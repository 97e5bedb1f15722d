"""How dates and windows read in each language, in any zone, across daylight saving."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from mailticket.letters import KINDS, Letters, TemplateSource, moments
from tests.letters import HEAD, sample


def at(day: int, hour: int, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


LINES = [
    ("en", at(24, 10), at(26, 10), "UTC", "Tue 24 Nov 10:00 to Thu 26 Nov 2026 10:00 (UTC)"),
    ("en", at(24, 10), at(24, 18), "UTC", "Tue 24 Nov 2026, 10:00 to 18:00 (UTC)"),
    ("en", None, at(24, 18), "UTC", "by Tue 24 Nov 2026 18:00 (UTC)"),
    ("en", at(24, 18), at(24, 18), "UTC", "by Tue 24 Nov 2026 18:00 (UTC)"),
    # 25 October 2026 01:00 UTC: Berlin leaves summer time, so the two ends have different offsets
    ("en", at(24, 9, 10), at(26, 9, 10), "Europe/Berlin",
     "Sat 24 Oct 2026 11:00 (UTC+2) to Mon 26 Oct 2026 10:00 (UTC+1)"),
    ("en", at(24, 10), at(26, 10), "Asia/Kolkata", "Tue 24 Nov 15:30 to Thu 26 Nov 2026 15:30 (UTC+5:30)"),
    ("en", at(24, 10), at(26, 10), "America/St_Johns", "Tue 24 Nov 06:30 to Thu 26 Nov 2026 06:30 (UTC−3:30)"),
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
    ("zh-Hans", "Europe/Berlin", "11:00（UTC+1）之间答复您。"),
    (
        "zh-Hant",
        "Asia/Taipei",
        "我們預計於 2026年11月24日（星期二）18:00 至 11月26日（星期四）18:00（台北時間，UTC+8）之間回覆您。",
    ),
]


@pytest.mark.parametrize(("language", "start", "end", "zone", "expected"), LINES)
def test_the_second_line_says_the_window(letters: Letters, language, start, end, zone, expected) -> None:
    letter = replace(sample("acknowledgement", language), promised_from=start, promised_by=end)
    second = letters.compose(letter, replace(HEAD, zone=ZoneInfo(zone))).text.split("\n")[1]
    assert second.partition("：" if language != "en" else ": ")[2] == expected


@pytest.mark.parametrize(("language", "zone", "expected"), SENTENCES)
def test_a_sentence_says_the_window_in_full(source: TemplateSource, language, zone, expected) -> None:
    words = {
        "en": "We expect to answer you {}.",
        "zh-Hans": "我们预计于 {}答复您。",
        "zh-Hant": "我們預計於 {}回覆您。",
    }
    own = words[language].format("{{ dates.span(promise) }}")
    template = f'{{% extends "default/{language}/acknowledgement.j2" %}}{{% block next_promise %}}{own}{{% endblock %}}'
    letters = Letters(source, TemplateSource("own", {f"{language}/acknowledgement.j2": template}))
    composed = letters.compose(sample("acknowledgement", language), replace(HEAD, zone=ZoneInfo(zone)))
    assert composed.warnings == ()
    joiner = " " if language == "en" else ""
    assert expected in joiner.join(line.strip() for line in composed.html.split("\n"))


def offset(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes))


READERS_CLOCK = [
    ("en", at(24, 10), at(26, 10), 480, "Tue 24 Nov 18:00 to Thu 26 Nov 2026 18:00 (UTC+8; in UTC 10:00 and 10:00)"),
    ("en", at(24, 10), at(24, 12), -210, "Tue 24 Nov 2026, 06:30 to 08:30 (UTC−3:30; in UTC 10:00 to 12:00)"),
    ("en", at(24, 20), at(24, 22), 480, "Wed 25 Nov 2026, 04:00 to 06:00 (UTC+8; in UTC Tue 24 Nov 20:00 to 22:00)"),
    ("en", at(24, 10), at(25, 17), 480,
     "Tue 24 Nov 18:00 to Thu 26 Nov 2026 01:00 (UTC+8; in UTC Tue 24 Nov 10:00 to Wed 25 Nov 17:00)"),
    ("en", None, at(24, 17), 480, "by Wed 25 Nov 2026 01:00 (UTC+8; in UTC Tue 24 Nov 17:00)"),
    ("en", None, at(24, 12), 345, "by Tue 24 Nov 2026 17:45 (UTC+5:45; in UTC 12:00)"),
    ("en", at(24, 10), at(26, 10), 0, "Tue 24 Nov 10:00 to Thu 26 Nov 2026 10:00 (UTC)"),
    ("zh-Hans", at(24, 10), at(26, 10), 480,
     "2026年11月24日（周二）18:00 至 11月26日（周四）18:00（UTC+8；即 UTC 10:00 至 10:00）"),
    ("zh-Hant", None, at(24, 17), 480, "2026年11月25日（週三）01:00（UTC+8；即 UTC 11月24日（週二）17:00）之前"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "start", "end", "minutes", "expected"), READERS_CLOCK)
def test_on_a_readers_own_clock_utc_stands_behind(letters: Letters, language, start, end, minutes, expected) -> None:
    letter = replace(sample("acknowledgement", language), promised_from=start, promised_by=end, zone=offset(minutes))
    second = letters.compose(letter, HEAD).text.split("\n")[1]
    assert second.partition("：" if language != "en" else ": ")[2] == expected


def test_a_window_is_said_wider_than_it_is_never_narrower(letters: Letters) -> None:
    start, end = at(24, 10) + timedelta(minutes=29, seconds=59), at(26, 10) + timedelta(minutes=30, seconds=1)
    letter = replace(sample("acknowledgement", "en"), promised_from=start, promised_by=end)
    assert "Tue 24 Nov 10:00 to Thu 26 Nov 2026 11:00 (UTC)" in letters.compose(letter, HEAD).text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_a_window_is_said_once(letters: Letters, kind, language) -> None:
    promise = {"promised_from": at(24, 10), "promised_by": at(26, 13), "earlier_by": None, "steps": ()}
    composed = letters.compose(replace(sample(kind, language), **promise), HEAD)
    visible = composed.html.partition("mso-hide:all")[2].partition("</div>")[2]  # the rest is for lists of mails
    assert [composed.text.count("13:00"), visible.count("13:00")] in ([1, 1], [0, 0])


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        moments.moment(datetime(2026, 11, 24, 10), ZoneInfo("UTC"))  # noqa: DTZ001


def test_without_an_end_there_is_no_window() -> None:
    assert moments.span(at(24, 10), None, ZoneInfo("UTC")) is None
