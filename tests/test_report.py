"""How promises were kept, by week and by category, from the store and on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from mailticket.cli import root
from mailticket.cli.report import say_follow_ups
from mailticket.models import Ticket
from mailticket.promise.kept import Request, tallies
from mailticket.store import schema
from mailticket.store.engine import Database

NOW = datetime.now(UTC)
MONDAY = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)  # week 47
ZONE = ZoneInfo("UTC")


def request(
    category: str = "deposit", days: int = 0, wait: float | None = 10, promised: float = 48, **more: bool
) -> Request:
    at = MONDAY + timedelta(days=days)
    answered = None if wait is None else at + timedelta(hours=wait)
    return Request(category, at, at + timedelta(hours=promised), answered, **more)


def test_kept_missed_open_and_unanswered_are_told_apart() -> None:
    now = MONDAY + timedelta(hours=50)
    found = tallies(
        [
            request(wait=10),  # kept
            request(wait=48),  # kept in the last minute
            request(wait=49),  # missed by an hour
            request(wait=None, promised=48),  # nobody answered in time: missed
            request(wait=None, promised=60),  # still running
            request(wait=None, ended=True),  # closed without an answer
            Request("deposit", MONDAY, None, None),  # nothing was promised
        ],
        now,
        ZONE,
    )
    assert {name: found[name] for name in ("requests", "promised", "kept", "missed", "open", "unanswered")} == {
        "requests": 7, "promised": 6, "kept": 2, "missed": 2, "open": 1, "unanswered": 1,
    }  # fmt: skip
    assert found["kept_share"] == 0.5


def test_a_promise_is_kept_by_the_half_hour_that_was_said() -> None:
    until = 48 + 7 / 60  # said as 48.5 hours
    now = MONDAY + timedelta(hours=48.5)
    found = tallies([request(wait=48.5, promised=until), request(wait=None, promised=until)], now, ZONE)
    assert (found["kept"], found["open"], found["missed"]) == (1, 1, 0)
    late = [request(wait=48.51, promised=until), request(wait=None, promised=until)]
    later = tallies(late, now + timedelta(seconds=1), ZONE)
    assert (later["kept"], later["open"], later["missed"]) == (0, 0, 2)


def test_waits_are_given_by_median_and_90th_percentile() -> None:
    found = tallies([request(wait=hours) for hours in range(1, 11)], MONDAY + timedelta(days=9), ZONE)
    assert (found["median_hours"], found["p90_hours"]) == (5.0, 9.0)


def test_nothing_has_no_shares() -> None:
    found = tallies([], MONDAY, ZONE)
    assert (found["kept_share"], found["median_hours"], found["weeks"], found["categories"]) == (None, None, {}, {})


def test_weeks_begin_on_monday_in_the_zone_of_support() -> None:
    at = datetime(2026, 11, 15, 23, 30, tzinfo=UTC)  # Sunday in UTC, Monday in Shanghai
    one = Request("deposit", at, None, None)
    assert list(tallies([one], MONDAY, ZONE)["weeks"]) == ["2026-W46"]
    assert list(tallies([one], MONDAY, ZoneInfo("Asia/Shanghai"))["weeks"]) == ["2026-W47"]


def test_each_week_is_split_by_category() -> None:
    found = tallies([request("deposit"), request("api"), request("api", days=7)], MONDAY + timedelta(days=20), ZONE)
    assert {week: list(tally["categories"]) for week, tally in found["weeks"].items()} == {
        "2026-W47": ["api", "deposit"], "2026-W48": ["api"],
    }  # fmt: skip
    assert found["categories"]["api"]["requests"] == 2


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "mailticket.toml"
    file.write_text(
        f'[support]\naddress = "support@example.com"\n[database]\nurl = "sqlite:///{tmp_path}/m.db"\n'
        '[smtp]\nhost = "127.0.0.1"\nsecurity = "none"\n'
    )
    database = Database(f"sqlite:///{tmp_path}/m.db")
    schema.prepare(database)
    with database.write() as session:
        for number, (weeks, wait, merged) in enumerate([(0, 5, None), (1, 60, None), (1, 20, 1), (30, 5, None)], 1):
            at = NOW - timedelta(weeks=weeks)
            session.add(
                Ticket(
                    key=f"MT-{number}",
                    category="deposit",
                    created_at=at,
                    updated_at=at,
                    status="pending",
                    promised_by=at + timedelta(hours=48),
                    first_response_at=at + timedelta(hours=wait),
                    merged_into=merged,
                )
            )
            session.flush()
    database.close()
    yield file


def run(site: Path, *words: str) -> str:
    done = CliRunner().invoke(root, [*words, "--config", str(site)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_report_counts_the_asked_weeks_without_merged_tickets(site: Path) -> None:
    found = json.loads(run(site, "report", "--json", "--weeks", "4"))
    assert (found["requests"], found["kept"], found["missed"]) == (2, 1, 1)
    assert json.loads(run(site, "report", "--json", "--weeks", "1"))["requests"] == 1
    assert json.loads(run(site, "report", "--json", "--weeks", "52"))["requests"] == 3


def test_the_table_has_a_line_for_the_whole_each_week_and_each_category(site: Path) -> None:
    lines = run(site, "report").splitlines()
    assert "KEPT" in lines[2]
    assert lines[3].split()[0] == "all"
    assert lines[-1].split()[0] == "deposit"
    assert len(lines) == 3 + 1 + 2 + 1


def test_the_table_fits_on_eighty_columns_without_what_the_others_add_up_to(site: Path) -> None:
    done = CliRunner().invoke(root, ["report", "--config", str(site)], env={"COLUMNS": "80"})
    table = done.output.splitlines()[2:]
    assert max(map(len, table)) <= 80
    assert table[0].split("  ")[-1] == "90 %"
    assert "PROMISED" not in table[0] and "NO ANSWER" in table[0]


@pytest.mark.parametrize(
    ("answered", "waiting", "words"),
    [
        (0, 1, "Follow-ups: 1 who wrote again after an answer waits, the longest MT-1 since"),
        (0, 2, "Follow-ups: 2 who wrote again after an answer wait, the longest MT-1 since"),
        (1, 0, "Follow-ups: 1 who wrote again after an answer was answered again, half of them within 1.0 h"),
        (2, 1, "Follow-ups: 2 who wrote again after an answer were answered again, half of them within 1.0 h, 90 % "
               "within 2.0 h; 1 waits, the longest MT-1 since"),
        (0, 0, ""),
    ],
)  # fmt: skip
def test_follow_ups_are_a_sentence(answered: int, waiting: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    oldest = {"id": "MT-1", "waiting_since": NOW} if waiting else None
    say_follow_ups(
        {"answered": answered, "waiting": waiting, "oldest_waiting": oldest, "median_hours": 1, "p90_hours": 2}
    )
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith(words) and bool(text) == bool(words)


def test_status_gives_the_same_figures_briefly(site: Path) -> None:
    figures = json.loads(run(site, "status", "--json"))["promises_7_days"]
    assert (figures["promised"], figures["median_hours"], figures["p90_hours"]) == (1, 5.0, 5.0)
    assert "first answers after 5.0 h" in run(site, "status")
