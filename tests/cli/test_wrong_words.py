"""Words that mean nothing, files that are not there, lists that are empty: what the commands say to them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import CONFIGURATION, Run

STAFF = '[[staff]]\nname = "mia"\naddresses = ["mia@example.com"]\n'

# What is typed ("KEY" stands for a ticket's ID), the exit code, and what is said about it.
WRONG = [
    (["tickets", "list"], 2, "there is no command 'tickets'; did you mean 'ticket'?"),
    (["ticket", "shwo"], 2, "there is no command 'shwo'; did you mean 'show'?"),
    (["ticket", "x-y-z"], 2, "there is no command 'x-y-z'\n"),
    (["ticket", "list", "--limit", "-1"], 2, "-1 is not in the range from 0 to 2147483647"),
    (["ticket", "list", "--limit", "two"], 2, "'two' is not a valid integer."),
    (["ticket", "list", "--category", "foo"], 1, "there is no category 'foo'; there are: account-security, trading,"),
    (["ticket", "list", "--team", "foo"], 1, "there is no team 'foo'; there are: none"),
    (["ticket", "list", "--assigned", "foo"], 1, "there is no member 'foo'; there are: mia, none"),
    (["ticket", "set", "KEY", "--subject", " "], 2, "--subject is empty"),
    (["ticket", "set", "KEY"], 2, "say what to set"),
    (["mail", "explain", "one.eml"], 0, "2026-11-22 10:00 UTC"),
    (["run", "--once"], 75, "\nmailticket: mailbox support: cannot connect"),
    (["report", "--weeks", "0"], 2, "0 is not in the range from 1 to 520"),
    (["status", "--metrics", "--json"], 2, "--metrics and --json exclude each other"),
    (["mail", "release", "999"], 1, "999: refused: there is no incoming mail number 999; `mailticket mail list"),
    (["mail", "take-up", "foo"], 1, "there is no mailbox 'foo'; there are: support"),
    (["mail", "take-up", "support"], 1, "No mail of support will be taken in: none was left alone"),
    (["mail", "give-up", "foo"], 1, "No mail of a mailbox foo waits."),
    (["outbox", "send", "1", "999"], 1, "1 of these is not held back"),
    (["person", "export", "ann@example.org"], 2, "name the addresses of one person, and then the ZIP file"),
    (["person", "export", "ann@example.org", "no/x.zip"], 75, "no/x.zip cannot be written: there is no folder no\n"),
    (["backup", "no/b"], 75, "no/b cannot be written: there is no folder no\n"),
]  # fmt: skip


@pytest.fixture
def key(run: Run, tmp_path: Path) -> str:
    """The ID of the only ticket of a desk on which Mia works."""
    (tmp_path / "mailticket.toml").write_text(CONFIGURATION + STAFF)
    ticket: str = json.loads(run("mail", "ingest", "--json", "one.eml")[1])["ticket"]
    return ticket


def test_each_wrong_word_is_answered_by_what_is_wrong_with_it(run: Run, key: str) -> None:
    for words, code, text in WRONG:
        typed = [key if word == "KEY" else word for word in words]
        left, out, err = run(*typed)
        assert (words, left) == (words, code)
        assert text in out + err, f"{typed}: {out}{err}"


def test_a_list_asks_nothing_of_what_tickets_have_though_no_setting_names_it(
    run: Run, key: str, tmp_path: Path
) -> None:
    run("ticket", "assign", "mia", key)
    (tmp_path / "mailticket.toml").write_text(
        CONFIGURATION + STAFF.replace("mia", "tom") + '[[category]]\nname = "bread"\n'
    )
    for words in (["--category", "deposit"], ["--assigned", "mia"], ["--category", "other"], ["--category", "bread"]):
        assert (words, run("ticket", "list", *words)[0]) == (words, 0)
    assert "there is no category 'trading'" in run("ticket", "list", "--category", "trading")[2]


def test_a_ticket_that_is_put_back_is_nobodys(run: Run, key: str) -> None:
    assert run("ticket", "assign", "mia", key)[1] == f"{key} is mia's.\n"
    assert run("ticket", "assign", "", key)[1] == f"{key} is nobody's (it was mia's).\n"


def test_what_is_in_the_way_of_an_answer_comes_with_the_command_that_ends_it(run: Run, key: str) -> None:
    assert run("ticket", "reply", key, "--text", "Ask mia@example.com.")[0] == 1
    screen = " ".join(run("ticket", "show", key)[1].split())
    assert re.search(r"held for: staff address; `mailticket ticket send (\d+)`, or `mailticket ticket drop \1`", screen)
    assert re.search(r"withheld, outgoing mail (\d+): see `mailticket outbox show \1`", screen)


def test_what_was_sent_of_what_was_held_back_is_counted_in_words(run: Run, key: str) -> None:
    sent = run("outbox", "send", "--withheld")[1]
    assert sent == "1 held-back mail is in the queue; the running daemon sends it.\n"
    assert run("outbox", "send", "--withheld")[1] == "Nothing is held back.\n"


def test_help_of_a_group_has_each_command_in_a_whole_sentence(run: Run) -> None:
    for group in ("ticket", "mail", "person", "key", "notice"):
        text = run(group, "--help")[1]
        assert "..." not in text.partition("Commands:")[2]
        assert "2147483647" not in run("ticket", "list", "--help")[1]


def test_an_empty_history_is_no_table(run: Run, tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("")
    assert run("promise", "replay", "history.jsonl")[1] == "There is no request in this history.\n"
    (tmp_path / "history.jsonl").write_text('{"id": 1}\n')
    assert 'line 1: "event" is missing' in run("promise", "replay", "history.jsonl")[2]
