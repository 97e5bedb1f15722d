"""While a command prints, nothing in the database waits for whoever reads: a pager may stand still for an hour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest

from mailticket.cli import main
from mailticket.desk import looking
from mailticket.models import Ticket
from mailticket.store import Session, incoming, overview, tickets
from mailticket.store.engine import Database
from tests.helpdesk import HelpDesk, mail
from tests.servers.databases import Databases
from tests.test_not_given import CUT

COMMANDS = [
    ("ticket", "list"), ("ticket", "list", "--json"), ("ticket", "list", "--waiting", "us", "--json"),
    ("ticket", "show", "{key}"), ("ticket", "show", "{key}", "--json"),
    ("outbox", "list"), ("outbox", "list", "--json"), ("outbox", "show", "1"), ("outbox", "show", "1", "--json"),
    ("quarantine", "list", "--json"), ("mail", "why", "<one@mail.example>"), ("mail", "why", "support:1", "--json"),
    ("mail", "list", "--filed"), ("mail", "list", "--filed", "--json"),
    ("mail", "explain", "--as-reply-to", "{key}", "one.eml"), ("report",), ("status",), ("status", "--json"),
    ("status", "--metrics"),
]  # fmt: skip


class Transactions:
    """Counts those that are open now, and the words that were printed while one was."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = 0
        self.printed = 0
        self.inside: list[str] = []
        for name in ("read", "write"):
            monkeypatch.setattr(Database, name, self._counted(getattr(Database, name)))
        echo = click.echo

        def listen(message: Any = None, *more: Any, **options: Any) -> None:
            self.printed += 1
            if self.open:
                self.inside.append(str(message))
            echo(message, *more, **options)

        monkeypatch.setattr(click, "echo", listen)

    def _counted(self, plain: Any) -> Any:
        @contextmanager
        def counted(*arguments: Any, **options: Any) -> Iterator[Session]:
            with plain(*arguments, **options) as session:
                self.open += 1
                try:
                    yield session
                finally:
                    self.open -= 1

        return counted


@pytest.fixture
def key(tmp_path: Path, helpdesk: HelpDesk, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with a configuration and a database with something of each kind; the ID of its first ticket."""
    ticket = helpdesk.receive(mail(Message_ID="<one@mail.example>")).ticket or ""
    helpdesk.receive(mail("bob@mail.example", subject="API key", text="The API answers 401."))
    assert helpdesk.receive(mail("robot@mail.example", Auto_Submitted="auto-replied")).state == "filed"
    poison = helpdesk.receive(mail("eve@mail.example", subject="Poison", text="Poison."))
    with helpdesk.database.write() as session:
        incoming.finish(session, poison.incoming_id, helpdesk.now, state="quarantined")
    (tmp_path / "one.eml").write_bytes(CUT[1] + b"Words.\r\n")
    (tmp_path / "mailticket.toml").write_text(
        '[support]\nname = "S"\naddress = "support@coinharbor.com"\n[database]\nurl = "' + helpdesk.url + '"\n'
        '[[mailbox]]\nname = "support"\nhost = "127.0.0.1"\nsecurity = "none"\nusername = "s"\npassword = "x"\n'
        '[smtp]\nhost = "127.0.0.1"\nsecurity = "none"\n'
    )
    (tmp_path / "mailticket.toml").chmod(0o600)
    helpdesk.database.close()
    monkeypatch.chdir(tmp_path)
    return ticket


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_transaction_is_open_while_a_command_prints(
    key: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "_PAGE", 1)
    transactions = Transactions(monkeypatch)
    with pytest.raises(SystemExit):
        main([word.format(key=key) for word in words])
    assert transactions.printed
    assert transactions.inside == []


@pytest.mark.postgres
def test_a_ticket_is_shown_while_somebody_changes_it(tmp_path: Path, postgres_databases: Databases) -> None:
    url = postgres_databases.copy(tmp_path)
    desk = HelpDesk(url)
    try:
        key = desk.receive(mail()).ticket or ""
        with desk.database.write() as session:
            row: Ticket = tickets.by_key(session, key, lock=True)
            row.subject = "changed"
            session.add(row)
            session.flush()
            assert looking.show(desk.desk.onlooker, name=key)["subject"] == "Deposit has not arrived"
    finally:
        desk.close()
