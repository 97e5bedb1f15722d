"""The tables that the steps make are the tables that the models say, on each database."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from mailticket.errors import ConfigurationError
from mailticket.store import schema
from mailticket.store.engine import Database


def test_the_steps_make_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
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


def test_a_database_of_a_newer_release_is_refused_and_unchanged(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer mailticket"):
        schema.prepare(database)
    assert schema.current(database) == "9999"


def test_a_step_that_fails_leaves_nothing_behind(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: Connection) -> None:
        upgrade(connection)
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
