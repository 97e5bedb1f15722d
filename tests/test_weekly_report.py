"""The weekly report: one mail a week with the figures of `report`, its plots, and the same as a file."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from mailticket.cli import root
from mailticket.letters.report import Plot, Report, html, report_file, text
from mailticket.promise.kept import Request, tallies
from mailticket.upkeep.chores import Upkeep
from tests.helpdesk import START, HelpDesk, OpenDesk, mail, parsed

LEAD = "lead@example.net"
NOBODY = {"answered": 0, "median_hours": None, "p90_hours": None, "waiting": 0, "oldest_waiting": None}


@pytest.fixture
def helpdesk(open_desk: OpenDesk) -> OpenDesk:
    return lambda **reports: open_desk(reports={"to": (LEAD,), **reports})


def turn(desk: HelpDesk) -> list[EmailMessage]:
    """What reports a turn of housekeeping writes."""
    before = len(reports(desk))
    Upkeep(desk.site).run()
    return reports(desk)[before:]


def reports(desk: HelpDesk) -> list[EmailMessage]:
    return [parsed(row.wire) for row in desk.outbox() if row.kind == "report"]


def test_a_report_is_sent_once_a_week_and_missed_weeks_are_not_made_up_for(
    helpdesk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailticket.upkeep.plots.plots", lambda weeks: ())
    desk = helpdesk(day="tuesday", hour=8)  # START is Monday, 23 November, 9:00
    desk.receive(mail())
    assert turn(desk) == []
    desk.later(hours=22, minutes=59)
    assert turn(desk) == []
    desk.later(minutes=1)
    [first] = turn(desk)
    assert first["To"] == LEAD
    assert "0 requests" in str(first["Subject"])  # of full weeks, and the first has only begun
    for subtype in ("plain", "html"):
        body = " ".join(first.get_body((subtype,)).get_content().split())  # type: ignore[union-attr]
        assert "No request arrived in this time." in body
        assert "The week that began on 2026-11-23 is not over; 1 request has arrived in it so far." in body
        assert "stand in the report of 2026-12-01" in body
        assert "Those who wrote again" not in body
    desk.reopen(reports={"to": (LEAD,), "day": "tuesday", "hour": 8})
    desk.later(days=5)
    assert turn(desk) == []
    desk.later(days=16)  # two reports were missed
    [second] = turn(desk)
    assert "1 request from" in str(second["Subject"])
    assert "is not over" not in second.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert turn(desk) == []


def test_the_hour_is_that_of_supports_zone(helpdesk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailticket.upkeep.plots.plots", lambda weeks: ())
    desk = helpdesk()
    desk.now = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)  # Monday, 7:59 in Shanghai
    desk.reopen(reports={"to": (LEAD,)}, support={"timezone": "Asia/Shanghai"})
    desk.now -= timedelta(0)
    assert turn(desk) == []
    desk.later(minutes=1)
    assert len(turn(desk)) == 1


def test_a_mail_shows_its_plots_and_says_the_same_in_plain_text(helpdesk: Any) -> None:
    desk = helpdesk()
    desk.receive(mail())
    desk.now = START + timedelta(days=7)
    [report] = turn(desk)
    page = report.get_body(("html",)).get_content()  # type: ignore[union-attr]
    words = report.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    pictures = [part for part in report.walk() if part.get_content_type() == "image/png"]
    assert [part.get_content()[:4] for part in pictures] == [b"\x89PNG", b"\x89PNG"]
    for part in pictures:
        assert f"cid:{part['Content-ID'].strip('<>')}" in page
    assert "W48/26" in page
    assert "W48/26" in words
    assert report["Auto-Submitted"] == "auto-generated"


def test_without_the_extra_the_mail_goes_without_plots_and_the_log_says_so(
    helpdesk: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    desk = helpdesk()
    desk.receive(mail())
    desk.now = START + timedelta(days=7)
    [report] = turn(desk)
    assert [part for part in report.walk() if part.get_content_type() == "image/png"] == []
    assert "W48/26" in report.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert [one.message for one in caplog.records if "without plots" in one.message and "matplotlib" in one.message]


def figures(category: str) -> dict[str, Any]:
    at = START - timedelta(days=2)
    requests = [Request(category, at, at + timedelta(hours=48), at + timedelta(hours=h)) for h in (1, 2, 60)]
    return {**tallies(requests, START, ZoneInfo("UTC")), "follow_ups": NOBODY}


def test_page_and_text_say_the_same_figures_and_nothing_of_them_is_markup() -> None:
    report = Report(
        "<b>Bakery</b>", START - timedelta(weeks=1), START, figures("<i>bread"), (Plot("a", "Alt", b"png"),)
    )
    for words in (text(report), report_file(report)):
        for figure in ("2 kept", "1 missed", "66.7 %", "half within 2.0 h, 90 % within 60.0 h"):
            assert figure in words
    page = html(report, ["cid:1"])
    assert "<i>" not in page
    assert "<b>" not in page
    assert "&lt;i&gt;bread" in page
    assert 'src="data:image/png;base64,cG5n"' in report_file(report)


def test_report_writes_a_page_that_holds_its_plots(tmp_path: Path) -> None:
    config = tmp_path / "mailticket.toml"
    config.write_text(
        f'[support]\naddress = "support@example.com"\n[database]\nurl = "sqlite:///{tmp_path}/m.db"\n'
        '[[mailbox]]\nname = "support"\nhost = "127.0.0.1"\nusername = "support"\n[smtp]\nhost = "127.0.0.1"\n'
    )
    file = tmp_path / "page.html"
    outcome = CliRunner().invoke(root, ["--config", str(config), "report", "--html", str(file)])
    assert outcome.exit_code == 0, outcome.output
    assert "No request arrived in this time. The running week is looked at too" in file.read_text(encoding="utf-8")
    assert "The running week is looked at too" in outcome.output
