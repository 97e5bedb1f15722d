"""What of a requester's mail is not shown is counted, and shown on demand; so are Cc and a From that is unusable."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mailticket.cli import main

CONFIGURATION = """
[support]
name = "Bakery Help"
address = "help@bakery.example"
[database]
url = "sqlite:///bakery.db"
[[mailbox]]
name = "help"
host = "127.0.0.1"
username = "help@bakery.example"
password = "x"
[smtp]
host = "127.0.0.1"
username = "help@bakery.example"
password = "x"
"""
FIRST = (
    "From: Ole Krog <ole@guest.example>\nTo: help@bakery.example\nCc: ida@guest.example\nSubject: Burnt rolls\n"
    "Message-ID: <rolls@guest.example>\nDate: Tue, 3 Mar 2026 08:00:00 +0000\n\nMy rolls were burnt.\n"
)
Call = Callable[..., str]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mailticket.toml").write_text(CONFIGURATION)

    def run(*words: str) -> str:
        with pytest.raises(SystemExit):
            main(list(words))
        return capsys.readouterr().out

    return run


def _reply(call: Call, tmp_path: Path, below: Callable[[str], str]) -> str:
    """A ticket with its letter and a reply around the letter's text; returns the ticket's ID."""
    (tmp_path / "first.eml").write_text(FIRST)
    key = json.loads(call("mail", "ingest", "--json", "--acknowledge", "first.eml"))["ticket"]
    entries = json.loads(call("ticket", "show", "--json", key))["conversation"]
    letter = next(entry for entry in entries if entry["direction"] == "out")
    (tmp_path / "reply.eml").write_text(
        "From: Ole Krog <ole@guest.example>\nTo: help@bakery.example\nSubject: Re: Burnt rolls\n"
        f"Message-ID: <more@guest.example>\nIn-Reply-To: {letter['message_id']}\n"
        f"Date: Tue, 3 Mar 2026 09:00:00 +0000\nContent-Type: text/plain; charset=utf-8\n\n{below(letter['text'])}\n"
    )
    return str(key)


def test_words_around_our_letter_are_shown_and_the_rest_is_counted(call: Call, tmp_path: Path) -> None:
    key = _reply(call, tmp_path, lambda text: f"Hi\n\n{text}\n\nThe order was 77-41.")
    read = json.loads(call("mail", "explain", "--json", "--as-reply-to", key, "reply.eml"))
    assert read["new_text"].split() == ["Hi", "The", "order", "was", "77-41."]
    call("mail", "ingest", "reply.eml")
    reply = next(e for e in json.loads(call("ticket", "show", "--json", key))["conversation"] if e["kind"] == "reply")
    assert (reply["new_text"], reply["hidden_lines"]) == (read["new_text"], read["hidden_lines"])
    assert reply["hidden_lines"] > 10
    assert f"[{reply['hidden_lines']} lines hidden (--all shows them)]" in call("ticket", "show", key)
    assert "lines hidden" not in call("ticket", "show", "--all", key)


def test_a_line_typed_into_the_quoted_letter_is_shown(call: Call, tmp_path: Path) -> None:
    def typed(text: str) -> str:
        quoted = [f"> {line}" for line in text.splitlines()]
        return "\n".join(["See inside.", "", *quoted[:8], ">", "> The order was 77-41.", ">", *quoted[8:]])

    key = _reply(call, tmp_path, typed)
    call("mail", "ingest", "reply.eml")
    reply = next(e for e in json.loads(call("ticket", "show", "--json", key))["conversation"] if e["kind"] == "reply")
    assert re.sub(r"\s+", " ", reply["new_text"]) == "See inside. > The order was 77-41."


def test_the_requesters_name_and_cc_are_shown(call: Call, tmp_path: Path) -> None:
    key = _reply(call, tmp_path, lambda text: text)
    shown = call("ticket", "show", key)
    assert "Ole Krog <ole@guest.example>" in shown
    assert "Cc: ida@guest.example" in shown
