"""What staff see in 80 columns: no word is broken, and each thing in the way names the command that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailticket.cli import terminal
from mailticket.desk import protocol
from tests.cli.conftest import REQUEST, Run
from tests.cli.test_faces import lines

STAFF = """
[[staff]]
name = "mia"
addresses = ["mia@example.com"]
login = "mberg"
[[staff]]
name = "tom"
addresses = ["tom@example.com"]
login = "tstark"
"""
NOTE = "Seen in the ledger at 08:12; risk wants to see an invoice before we credit it to this account."


@pytest.fixture
def key(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ticket whose text is one long line, on a screen of 80 columns, with two of staff."""
    file = tmp_path / "mailticket.toml"
    file.write_text(file.read_text() + STAFF)
    (tmp_path / "one.eml").write_bytes(REQUEST.rstrip() + b" When will it be there?" * 9 + b"\r\n")
    monkeypatch.setenv("COLUMNS", "80")
    return str(lines(run("mail", "ingest", "--json", "one.eml")[1])[0]["ticket"])


def as_account(monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    monkeypatch.setattr(protocol, "own_account", lambda: account)


def test_nothing_of_a_ticket_is_wider_than_the_screen(run: Run, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_account(monkeypatch, "mberg")
    run("ticket", "note", key, "--text", NOTE)
    run("ticket", "reply", key, "--text", f"We know: {NOTE}")
    for words in (("show", key), ("show", key, "--all"), ("list",), ("next",)):
        _, out, _ = run("ticket", *words)
        assert key in out
        assert [line for line in out.splitlines() if terminal.width(line) > 80] == []
    assert run("ticket", "show", key)[1].count("When will it be there?") < 9, "some of them are broken at a blank"
    monkeypatch.delenv("COLUMNS")
    assert run("ticket", "show", key)[1].count("When will it be there?") == 9, "in a pipe nothing is"


def test_an_answer_that_is_held_names_what_sends_it(run: Run, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_account(monkeypatch, "mberg")
    run("ticket", "take", key)
    as_account(monkeypatch, "tstark")
    code, _, err = run("ticket", "reply", key, "--text", "Soon.")
    assert (code, f"{key} is mia's (`mailticket ticket take {key}` makes it yours)" in err) == (1, True)
    (sends,) = (line.split("  ")[1] for line in err.splitlines() if line.endswith("sends it all the same"))
    assert "--anyway" not in sends
    assert run(*sends.split()[1:])[0] == 0
    run("ticket", "note", key, "--text", NOTE)
    code, _, err = run("ticket", "reply", key, "--text", f"We know: {NOTE}")
    assert (code, "words of a note" in err) == (1, True)
    (sends,) = (line.split("  ")[1] for line in err.splitlines() if line.endswith("sends it all the same"))
    assert run(*sends.split()[1:-1])[0] == 1
    assert run(*sends.split()[1:])[0] == 0
