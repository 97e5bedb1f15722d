"""The tables that the steps make are the tables that the models say, on each database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, text
from sqlmodel import SQLModel

from mailticket.errors import ConfigurationError
from mailticket.likeness.duplicates import fingerprint
from mailticket.mail.address import Address
from mailticket.mail.values import Mail
from mailticket.settings import Settings
from mailticket.store import knowledge, outgoing, schema, tickets
from mailticket.store.engine import Database
from mailticket.topics.exchange_trade import EXCHANGE
from mailticket.triage.known import Claims
from tests.servers.postgres import Postgres
from tests.store.conftest import NOON, after, new_ticket
from tests.store.test_knowledge import OWN, SETTINGS, asked, wrote

TABLES = {"include_name": schema.is_modelled}


def test_the_steps_make_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, **TABLES})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_head_is_the_newest_step(database: Database) -> None:
    with database.engine.connect() as connection:
        scripts = ScriptDirectory.from_config(schema.alembic_config(connection))
    assert scripts.get_heads() == [schema.HEAD]


def test_an_empty_database_is_prepared_once(empty: Database) -> None:
    assert schema.current(empty) == ""
    assert schema.prepare(empty) is True
    assert schema.current(empty) == schema.HEAD
    assert schema.prepare(empty) is False


def fill(connection: Connection, name: str, **values: Any) -> None:
    """A row of a table as it is in the database now; what must be given and is not is empty."""
    table = Table(name, MetaData(), autoload_with=connection)
    needed = [c for c in table.columns if not c.nullable and c.server_default is None and not c.primary_key]
    nothing: dict[type, Any] = {str: "", int: 0, bool: False, bytes: b"", datetime: NOON}
    connection.execute(table.insert(), {**{c.name: nothing[c.type.python_type] for c in needed}, **values})


def test_a_database_of_the_first_step_is_brought_up_to_date(empty: Database) -> None:
    holds = {
        "cap reached: 20000 an hour in all": "cap_total",
        "cap reached: 3 an hour to one address": "cap_address",
        "taken in from a file": "",
    }
    with empty.engine.begin() as connection:
        command.upgrade(schema.alembic_config(connection), "0001")
        for number, marks in enumerate((["no usable sender", "longer"], ["no longer here"]), 1):
            fill(connection, "ticket", id=number, key=f"MT-{number}", status="new", marks=marks)
        for reason in holds:
            fill(connection, "outgoing", message_id=reason, state="withheld", reason=reason)
        fill(connection, "incoming", id=1, state="opened", decided_at=NOON)
        for at in (after(60), after(-60)):
            fill(connection, "message", ticket_id=1, direction="in", at=at, incoming_id=1)
        for detail in ("withheld: a cap", "new date 2026-11-24"):
            fill(connection, "event", ticket_id=2, kind="late notice", detail=detail)
    assert schema.current(empty) == "0001"
    assert schema.prepare(empty) is True
    with empty.read() as session:
        connection = session.connection()
        assert compare_metadata(MigrationContext.configure(connection, opts=TABLES), SQLModel.metadata) == []
        assert {row.reason: row.hold for row, _ in outgoing.listing(session)} == holds
        rows = [tickets.by_id(session, number) for number in (1, 2)]
        assert [(row.promise_longer, row.marks) for row in rows] == [
            ("load", ["no usable sender"]), ("", ["no longer here"]),
        ]  # fmt: skip
        assert [message.at for message in tickets.conversation(session, 1)] == [NOON, after(-60)]
        assert [(event.kind, event.detail) for event in tickets.events(session, 2)] == [
            ("late notice withheld", "a cap"), ("late notice", "new date 2026-11-24"),
        ]  # fmt: skip


@pytest.mark.postgres
def test_texts_are_ordered_by_bytes_whatever_the_locale(postgres_server: Postgres) -> None:
    """By the rules of a language "ann+" may come behind "ann,b", and a Turkish I has another small letter."""
    print_ = fingerprint("", "My deposit has not arrived", fields={}, category="deposit", category_sure=True,
                         lexicon=EXCHANGE.lexicon)  # fmt: skip
    url = postgres_server.database(locale="tr")
    database = Database(url)
    try:
        schema.prepare(database)
        with database.write() as session:
            otherwise = text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND "
                "data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C' "
                "AND table_name <> 'alembic_version'"
            )
            assert session.execute(otherwise).all() == []
            for address in ("ann@a.example", "ann+b@a.example", "ANN+A@a.example", "anna@a.example"):
                ticket = new_ticket(session, address, fingerprint=print_.to_json())
            wrote(session, ticket, "INFO@A.example")
            tickets.requester_of(session, Address("", "info@a.example"), "en", NOON)
            tagged = Settings.model_validate({**SETTINGS.model_dump(), "duplicates": {"ignore_address_tags": True}})
            mail = Mail("digest", "identity", 100, sender_address=Address("", "ann+c@a.example"), trust="unknown")
            facts = knowledge.known(session, mail, Claims(), tagged, NOON)
            assert len(facts.open_tickets) == 3
            assert list(asked(session, "info@a.example", OWN).earlier) == [OWN]
    finally:
        database.close()
        postgres_server.drop(url)


def test_a_database_of_a_newer_release_is_refused_and_unchanged(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer mailticket"):
        schema.prepare(database)
    assert schema.current(database) == "9999"


def test_a_step_that_fails_leaves_nothing_behind(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: Connection, *more: Any) -> None:
        upgrade(connection, *more)
        raise RuntimeError("power cut")

    upgrade = schema._upgrade
    monkeypatch.setattr(schema, "_upgrade", fail)
    with pytest.raises(RuntimeError):
        schema.prepare(empty)
    monkeypatch.undo()
    assert schema.current(empty) == ""
    assert schema.prepare(empty) is True


def test_sqlite_keeps_what_was_flagged_and_forgets_what_was_deleted(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("settings of SQLite")
    with database.read() as session:
        connection = session.connection()
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "auto_vacuum", "secure_delete")
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "auto_vacuum": 2, "secure_delete": 1}
