"""How much a mail asks of the database: statements and commits, counted, since each is a journey to a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from mailticket.intake import take_in
from mailticket.store.engine import Database
from tests.helpdesk import HelpDesk, mail

ANN = "Ann Lee <ann@mail.example>"


@contextmanager
def counted(database: Database) -> Iterator[Counter[str]]:
    """Statements and commits inside the block."""
    numbers: Counter[str] = Counter()

    def execute(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        word = statement.split()[0]
        numbers["statements"] += word not in ("BEGIN", "PRAGMA")  # which only SQLite is sent as statements
        numbers[word] += 1

    def commit(_c: Any) -> None:
        numbers["commits"] += 1

    event.listen(database.engine, "before_cursor_execute", execute)
    event.listen(database.engine, "commit", commit)
    try:
        yield numbers
    finally:
        event.remove(database.engine, "before_cursor_execute", execute)
        event.remove(database.engine, "commit", commit)


def test_a_first_request_costs_a_fixed_number_of_statements(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail("Bob <bob@mail.example>"))  # what is done once is done
    with counted(helpdesk.database) as numbers:
        helpdesk.receive(mail(ANN))
    assert (numbers["statements"], numbers["commits"]) == (22 if helpdesk.database.is_sqlite else 24, 3), numbers


def test_a_reply_costs_a_fixed_number_of_statements(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail(ANN))
    [letter] = helpdesk.letters()
    with counted(helpdesk.database) as numbers:
        helpdesk.receive(mail(ANN, text="It has arrived now.", answers=letter))
    assert (numbers["statements"], numbers["commits"]) == (22, 3), numbers


def test_mails_of_a_backlog_share_their_commits(helpdesk: HelpDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take_in, "_TRANSACTION_SECONDS", 60.0)  # so that the speed of this machine decides nothing
    helpdesk.receive(mail("Bob <bob@mail.example>"))
    with counted(helpdesk.database) as numbers:
        helpdesk.receive_all(mail(f"person{number}@mail.example") for number in range(20))
    assert numbers["statements"] <= 20 * (24 if helpdesk.database.is_sqlite else 26) + 1, numbers
    assert numbers["commits"] == 3, numbers
