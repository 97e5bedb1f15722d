"""Tables fit the screen, whatever is in them, and times say in which zone they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from mailticket.cli import terminal

HEAD = ("TICKET", "STATUS", "NOTE", "REQUESTER", "OPENED", "SUBJECT")
ROWS = [
    ("MT-7F3K-92QX", "new", "", "a.very.long.name@an.even.longer.domain.example", "3 min ago",
     "提现一直没有到账，请帮忙查一下" * 3),
    ("MT-0000-0000", "open", "", "王小明 <wang@posta.example>", "2 d ago", "short"),
]  # fmt: skip


def printed(capsys: pytest.CaptureFixture[str], columns: int, monkeypatch: pytest.MonkeyPatch, **how: object) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal.table(HEAD, ROWS, **how)  # type: ignore[arg-type]
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_screen_and_no_id_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    lines = printed(capsys, columns, monkeypatch, spare=("OPENED",)).splitlines()
    assert max(map(terminal.width, lines)) <= columns
    assert [line.split()[0] for line in lines] == ["TICKET", "MT-7F3K-92QX", "MT-0000-0000"]


def test_an_empty_column_is_left_out_and_a_spare_one_where_there_is_no_room(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = printed(capsys, 200, monkeypatch, spare=("OPENED",))
    assert "NOTE" not in wide and "OPENED" in wide
    assert "OPENED" not in printed(capsys, 80, monkeypatch, spare=("OPENED",))
    assert "OPENED" in printed(capsys, 80, monkeypatch)


@pytest.fixture(params=["UTC", "Asia/Shanghai"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_a_time_is_of_the_terminal_s_zone_and_names_it(zone: str) -> None:
    at = datetime(2026, 11, 26, 16, 2, tzinfo=UTC)
    said = {"UTC": "2026-11-26 16:02 UTC", "Asia/Shanghai": "2026-11-27 00:02 CST"}[zone]
    assert terminal.moment(at) == said
    assert terminal.moment(at.isoformat()) == said
    assert dict(terminal.readable({"created_at": at.isoformat(), "to": "x"})) == {"created at": said, "to": "x"}
    assert terminal.moment(None) == terminal.moment("") == ""
