"""Which release's tables a database has, and bringing older ones up to date. A newer one is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from mailticket.errors import AlreadyRunning, ConfigurationError
from mailticket.store.engine import Database, translated
from mailticket.store.lock import is_alone, who_runs

HEAD = "0015"  # the newest step below migrations/versions; a test compares
MOVING = "moving"  # in the place of the step while `store.moving` fills a database
# The oldest step whose program can go on working on these tables, while hosts are brought up to date one by one.
OLDEST = "0012"
_WORKS_FROM = "works_from"  # the fact of the database that says so, and of which step
SEARCH = "ticket_search"  # the names of the search index's tables begin so
Progress = Callable[[int, int], None]  # how many tickets a long step has done, of how many

_OTHERWISE_ORDERED = text(
    "SELECT table_name, json_agg(json_build_array(column_name, data_type)) FROM information_schema.columns "
    "WHERE table_schema = current_schema() AND table_name <> 'alembic_version' "
    "AND data_type IN ('character varying', 'text') AND collation_name IS DISTINCT FROM 'C' GROUP BY table_name"
)


def version(connection: Connection) -> str:
    """The step the database is at; "" for an empty one. Asked without Alembic, whose import takes half a second."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def current(database: Database) -> str:
    """The step a database is at, without changing it."""
    with translated(), database.engine.connect() as connection, connection.begin():
        return version(connection)


def fits(database: Database) -> bool:
    """Whether this program can work on the tables as they are: of its own step, or of a later one that allows it."""
    with translated(), database.engine.connect() as connection, connection.begin():
        return _fits(connection, version(connection))


def _fits(connection: Connection, step: str) -> bool:
    return step == HEAD or (step > HEAD and _works_from(connection, step) <= HEAD)


def _works_from(connection: Connection, step: str) -> str:
    """The oldest step whose program works on the tables; their own where nothing is said."""
    if not inspect(connection).has_table("meta"):
        return step
    row = connection.execute(text("SELECT value FROM meta WHERE name = :name"), {"name": _WORKS_FROM}).scalar()
    oldest, _, newest = str(row or "").partition(" ")
    return oldest if newest == step else step


def prepare(database: Database, progress: Progress = lambda _done, _total: None, *, alone: bool = False) -> bool:
    """Bring the database up to date; True if anything was changed.

    progress: is told how far a long step is. alone: the caller holds the run lock. Raises ConfigurationError for a
    newer database, and on PostgreSQL AlreadyRunning while somebody runs who could not work on the new tables.
    """
    with translated(), database.engine.connect() as connection:
        with connection.begin():
            step = version(connection)
            if _fits(connection, step):
                return False
        if wrong := unusable(step):
            raise ConfigurationError([wrong])
        with _foreign_keys_off(database, connection), connection.begin():
            if not database.is_sqlite and not _may_change(connection, alone):
                return False
            _upgrade(connection, progress)
            fact = {"name": _WORKS_FROM, "steps": f"{OLDEST} {HEAD}"}
            forget_oldest(connection)
            connection.execute(text("INSERT INTO meta (name, value) VALUES (:name, :steps)"), fact)
            if not database.is_sqlite:
                _order_by_bytes(connection)
    return True


def forget_oldest(connection: Connection) -> None:
    """Take away what is said of the oldest program that works on the tables."""
    connection.execute(text("DELETE FROM meta WHERE name = :name"), {"name": _WORKS_FROM})


def _may_change(connection: Connection, alone: bool) -> bool:
    """False where another host has brought the tables up to date meanwhile."""
    nobody_runs = is_alone(connection) or alone
    step = version(connection)
    if step == HEAD:
        return False
    if not nobody_runs and _works_from(connection, step) < OLDEST:
        raise AlreadyRunning(
            f"this release changes the tables of the database (from step {step} to {HEAD}), and an earlier one that "
            f"could not work on them runs: {who_runs(connection)}; stop it on every host first, nothing was changed"
        )
    return True


def _order_by_bytes(connection: Connection) -> None:
    """Let texts compare and turn to lower case as on SQLite, by bytes and ASCII letters, in whatever locale a database
    was made: ranges of addresses are asked for, and one person must be the same person everywhere."""
    for table, columns in connection.execute(_OTHERWISE_ORDERED).all():
        changes = ", ".join(f'ALTER "{column}" TYPE {type_} COLLATE "C"' for column, type_ in columns)
        connection.execute(text(f'ALTER TABLE "{table}" {changes}'))


@contextmanager
def _foreign_keys_off(database: Database, connection: Connection) -> Iterator[None]:
    """On SQLite a step copies tables, and foreign keys would follow the copies. Counts only outside a transaction."""
    driver: Any = connection.connection.driver_connection if database.is_sqlite else None
    if driver is not None:
        driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        if driver is not None:
            driver.execute("PRAGMA foreign_keys=ON")


def unusable(step: str) -> str:
    """Why this program cannot work on a database at this step; "" where it can, or can bring it up to date."""
    if step == MOVING:
        return (
            "[database] url: the database is only half filled by `mailticket migrate-database`; run that again, with "
            "the configuration of the former database, to go on"
        )
    if step <= HEAD:
        return ""
    return (
        f"[database] url: the database was written by a newer mailticket (its tables are at step {step}, this program "
        f"knows up to {HEAD}); install that release again, nothing was changed"
    )


def is_modelled(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a table is one that the models say: the index of words has tables of its own on each database."""
    return kind != "table" or not (name or "").startswith(SEARCH)


def alembic_config(connection: Connection) -> Any:
    """Alembic's configuration for this connection; tests use it to compare the models with the steps."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    config.attributes["progress"] = lambda _done, _total: None
    return config


def _upgrade(connection: Connection, progress: Progress) -> None:
    from alembic import command

    config = alembic_config(connection)
    config.attributes["progress"] = progress
    command.upgrade(config, "head")
