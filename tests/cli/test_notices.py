"""`mailticket notice` as a tired person types it, and where `status` shows what stands in letters."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from tests.cli.conftest import Run
from tests.cli.test_faces import lines


def test_one_line_sets_a_notice_and_says_what_it_does(run: Run) -> None:
    code, out, err = run("notice", "set", "--category", "withdrawal", "--until", "3h", "Withdrawals are delayed.")
    assert (code, err) == (0, "")
    assert "Notice 1 stands first in letters about withdrawal, until " in out and "(in 3 h)" in out
    assert "no text for zh-Hans, zh-Hant: letters in them show en." in out and "mailticket notice end 1" in out
    (face,) = lines(run("notice", "list", "--json")[1])
    assert face["texts"] == {"en": "Withdrawals are delayed."}
    assert (face["id"], face["state"], face["categories"], face["endless"]) == (1, "lasts", ["withdrawal"], False)
    assert datetime.fromisoformat(face["until"]) - datetime.now(UTC) < timedelta(hours=3)
    shown = run("notice", "list")[1]
    assert "1  withdrawal; until " in shown and "en      Withdrawals are delayed." in shown
    assert run("notice", "end", "1")[1] == "Notice 1 about withdrawal has ended.\n"
    code, _, err = run("notice", "end", "1")
    assert code == 1 and "ended" in err
    assert run("notice", "list")[1] == "No notice: letters say what they always say.\n"
    assert lines(run("notice", "list", "--all", "--json")[1])[0]["state"] == "ended"


def test_texts_come_per_language_or_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (face,) = lines(run("notice", "set", "--json", "--text", "en=One = two.", "--text", "zh-CN=公告。")[1])
    assert face["texts"] == {"en": "One = two.", "zh-Hans": "公告。"} and face["until"] is None
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Über *stdin*.\n\n- a\n".encode())))
    (face,) = lines(run("notice", "set", "--json")[1])
    assert face["texts"] == {"en": "Über *stdin*.\n\n- a"}


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("--text", "withdrawals"), 2, "LANG=TEXT"),
        (("--text", "en=a", "--text", "en=b"), 2, "the same language"),
        (("--until", "yesterday", "Text"), 1, "is no time"),
        (("--category", "withdrawls", "Text"), 1, "did you mean withdrawal?"),
    ],
)
def test_what_cannot_be_set_is_said_in_a_line(run: Run, words: tuple[str, ...], code: int, complaint: str) -> None:
    left, out, err = run("notice", "set", *words)
    assert (left, out) == (code, "") and complaint in err
    assert run("notice", "list", "--json", "--all")[1] == ""


def test_status_shows_what_stands_in_letters_and_is_loud_about_one_without_an_end(run: Run, tmp_path: Path) -> None:
    run("notice", "set", "--until", "3d", "--category", "deposit", "Deposits are late. " * 20)
    run("notice", "set", "Moved house.")
    face = json.loads(run("status", "--json")[1])
    assert [(one["id"], one["endless"]) for one in face["notices"]] == [(2, False), (1, False)]
    text = run("status")[1]
    assert "1 (deposit; ends in 3 d): Deposits are late." in " ".join(text.split())
    assert "2 (all letters; no end): Moved house." in text and "notice end" not in text
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        face = json.loads(run("status", "--json")[1])
        assert [one["endless"] for one in face["notices"]] == [True, False]
        text = run("status")[1]
        assert "! Notice 2, set 25 h ago, stands in letters and has no end: Moved house." in text
        assert "→ mailticket notice end 2" in text
