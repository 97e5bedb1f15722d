"""A desk moves from one database to another and back: row by row the same, whatever happens on the way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, DateTime, Float, Integer, LargeBinary, Table, event, text
from sqlmodel import SQLModel

from mailticket.errors import AlreadyRunning, ConfigurationError, Refused, StoreDamaged, StoreUnavailable
from mailticket.models import INCOMING_STATES, OUTGOING_STATES, TICKET_STATES, UtcDateTime
from mailticket.store import Session, meta, moving, schema, search
from mailticket.store.engine import Database
from mailticket.store.lock import run_lock
from mailticket.store.moving import Moved, move_database
from tests.servers.postgres import Postgres
from tests.store.conftest import NOON, new_message, new_outgoing, new_ticket

pytestmark = pytest.mark.postgres

TABLES = SQLModel.metadata.sorted_tables
EACH = 12
TEXTS = (
    "",
    "plain",
    "größer 充值未到账 🙂",
    "line\nline\tand \\N \\. \"quotes\" 'more'",
    "\u200b\x1b[2J",
    "x" * 70_000,
)
STATES = {"incoming.state": INCOMING_STATES, "outgoing.state": OUTGOING_STATES, "ticket.status": TICKET_STATES,
          "message.direction": ("in", "out", "note")}  # fmt: skip


class Killed(BaseException):
    """Nothing runs behind it."""


def silent(_work: str, _share: float) -> None:
    """Nobody watches."""


def fill(session: Session, dice: random.Random, each: int = EACH) -> None:
    """Rows of every table that use what its columns allow, and name one another, later ones too."""
    session.connection().exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    for table in TABLES:
        if table.name == "meta":
            continue
        rows = [{c.name: _value(table, c, number, dice, each) for c in table.columns} for number in range(1, each + 1)]
        for row in rows:  # to some columns nothing is given: NULL, where JSON has `null` else
            names = tuple(n for n in row if not (isinstance(table.c[n].type, JSON) and dice.random() < 0.3))
            session.connection().execute(table.insert(), {n: row[n] for n in names})
    meta.set_value(session, "instance", "mailticket-0123456789abcdef")
    search.fill(session.connection(), lambda _done, _total: None)


def _value(table: Table, column: Any, number: int, dice: random.Random, each: int) -> Any:
    if column.nullable and dice.random() < 0.3:
        return None
    kind = column.type
    choices = STATES.get(f"{table.name}.{column.name}")
    if choices:
        return dice.choice(choices)
    if column.foreign_keys:
        return number if column.primary_key else dice.randint(1, each)
    if isinstance(kind, UtcDateTime | DateTime):
        return NOON + timedelta(microseconds=dice.randrange(10**15))
    if isinstance(kind, JSON):
        odd = {"n": [1.5, None, 2**70, "\ud800", [True]]} if column.name == "fingerprint" else {}
        return dice.choice(({"a": ["ä", "\0"]}, odd, None))
    if isinstance(kind, LargeBinary):
        return dice.randbytes(dice.choice((0, 5, 3_000, 20_000)))
    if isinstance(kind, Boolean):
        return dice.random() < 0.5
    if isinstance(kind, Float):
        return dice.random() / 3
    if isinstance(kind, Integer | BigInteger):
        return number if column.primary_key else dice.randrange(2**62 if isinstance(kind, BigInteger) else 2**31)
    unique = column.primary_key or column.unique or column.name == "key"
    return f"{number:03d} {dice.choice(TEXTS[:4])}" if unique else dice.choice(TEXTS)


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All rows as the driver gives them to the models, JSON and what is no value told apart."""
    with database.read() as session:
        rows = {table.name: list(moving._rows(session.connection(), table)) for table in TABLES}
    assert all(value.tzinfo is UTC for row in rows["event"] for value in row if isinstance(value, datetime))
    return rows


@pytest.fixture(scope="session")
def filled_file(ready_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("moving") / "filled.db"
    file.write_bytes(ready_file.read_bytes())
    database = Database(f"sqlite:///{file}")
    with database.write() as session:
        fill(session, random.Random(16))
    assert database.forget_overwritten()
    database.close()
    return file


@pytest.fixture
def source(filled_file: Path, tmp_path: Path) -> Iterator[Database]:
    file = tmp_path / "source.db"
    file.write_bytes(filled_file.read_bytes())
    database = Database(f"sqlite:///{file}")
    yield database
    database.close()


@pytest.fixture
def target(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.close()


def schema_objects(database: Database) -> set[str]:
    """Every index, foreign key and check of a PostgreSQL database, in its words."""
    with database.read() as session:
        query = (
            "SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = current_schema()::regnamespace "
            "UNION SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()"
        )
        return set(session.execute(text(query)).scalars())


def test_a_desk_moves_to_postgresql_and_back_and_is_the_same(
    source: Database, target: Database, postgres_database: Database, tmp_path: Path
) -> None:
    before = contents(source)
    moved = move_database(source, target, silent)
    assert moved == Moved({name: len(rows) for name, rows in before.items()}, sum(map(len, before.values())), 0)
    assert contents(target) == before
    assert schema.current(target) == schema.HEAD
    assert schema_objects(target) == schema_objects(postgres_database)
    with pytest.raises(Killed), target.write() as session:
        assert new_ticket(session) == EACH + 1, "numbers go on behind the highest"
        raise Killed
    back = Database(f"sqlite:///{tmp_path}/back.db")
    try:
        move_database(target, back, silent)
        assert contents(back) == before == contents(source)
        assert _words(back) == _words(source)
    finally:
        back.close()


def _words(database: Database) -> list[tuple[str, int]]:
    with database.read() as session:
        rows = session.execute(text("SELECT term, doc FROM ticket_search_term ORDER BY term")).all()
    return [(str(term), int(number)) for term, number in rows]


def test_what_was_moved_is_found_by_its_words(source: Database, target: Database) -> None:
    with source.write() as session:
        ticket = new_ticket(session, subject="A parrot is missing")
        new_message(session, ticket, "It answers to the name of Polynesia")
    move_database(source, target, silent)
    with target.read() as session:
        assert search.recent(session, ["polynesia", "parrot"], None) == ([ticket], True)


@pytest.mark.parametrize("moment", ["copying", "indexing", "comparing", "finishing"])
def test_a_move_that_is_cut_short_goes_on_where_it_was(
    source: Database, target: Database, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    monkeypatch.setattr(moving, "_BATCH_ROWS", 7)
    monkeypatch.setattr(search, "_PORTION", 7)

    def die(work: str, share: float) -> None:
        if work == moment and (share < 0 or share > 0.3):
            raise Killed

    with pytest.raises(Killed):
        move_database(source, target, die)
    with pytest.raises(ConfigurationError, match="half filled"):
        schema.prepare(target)
    total = sum(len(rows) for rows in contents(source).values())
    moved = move_database(source, target, silent)
    assert 0 < moved.written < 0.75 * total if moment == "copying" else moved.written == 0
    assert contents(target) == contents(source)
    assert _found(target) == _found(source)


def _found(database: Database) -> tuple[list[int], bool]:
    with database.read() as session:
        return search.recent(session, ["plain"], None)


def test_a_source_that_has_changed_since_is_refused_until_one_begins_afresh(
    source: Database, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(work: str, _share: float) -> None:
        if work == "indexing":
            raise Killed

    with pytest.raises(Killed):
        move_database(source, target, die)
    with source.write() as session:
        session.execute(text("UPDATE ticket SET updated_at = '2999-01-01 00:00:00.000000' WHERE id = 3"))
    with pytest.raises(Refused, match="--afresh"):
        move_database(source, target, silent)
    move_database(source, target, silent, afresh=True)
    assert contents(target) == contents(source)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE ticket SET subject = 'x' WHERE id = 5", "ticket with id 5 differs in subject"),
        ("DELETE FROM raw WHERE digest = (SELECT max(digest) FROM raw)", "is missing"),
        ("INSERT INTO picture VALUES ('zoe', 'zz')", "is not in the source"),
    ],
)
def test_a_row_that_is_damaged_at_the_target_is_noticed(
    source: Database, target: Database, damage: str, words: str
) -> None:
    def harm(work: str, _share: float) -> None:
        if work == "indexing":
            with target.write() as session:
                session.execute(text(damage))

    with pytest.raises(StoreDamaged, match=words):
        move_database(source, target, harm)
    with pytest.raises(ConfigurationError, match="half filled"):
        schema.prepare(target)


def test_nobody_writes_into_the_source_meanwhile(source: Database, target: Database, tmp_path: Path) -> None:
    back = Database(f"sqlite:///{tmp_path}/back.db")
    tries: list[str] = []

    def write(database: Database, work: str) -> None:
        if work == "finishing":
            other = Database(database.url.render_as_string())
            words = "PRAGMA busy_timeout=50" if other.is_sqlite else "SET lock_timeout = 50"
            event.listen(other.engine, "connect", lambda connection, _record: connection.execute(words))
            with pytest.raises(StoreUnavailable), other.write() as session:
                new_ticket(session)
            other.close()
            tries.append(work)

    try:
        move_database(source, target, lambda work, _share: write(source, work))
        move_database(target, back, lambda work, _share: write(target, work))
    finally:
        back.close()
    assert len(tries) == 2


def test_a_daemon_that_runs_is_named(source: Database, target: Database) -> None:
    other = Database(target.url.render_as_string())
    for database, name in ((source, "source"), (other, "target")):
        with run_lock(database), pytest.raises(AlreadyRunning, match=rf"^{name}: .*stop it first"):
            move_database(source, target, silent)
    other.close()


def test_what_postgresql_cannot_keep_is_altered_and_counted(source: Database, target: Database) -> None:
    with source.write() as session:
        session.execute(text("UPDATE ticket SET subject = 'a' || char(0) || 'b' WHERE id = 4"))
        session.execute(text("UPDATE ticket SET subject = CAST(x'61eda08062' AS TEXT) WHERE id = 5"))
    assert move_database(source, target, silent).altered == 1
    with target.read() as session:
        subjects = session.execute(text("SELECT subject FROM ticket WHERE id IN (4, 5) ORDER BY id")).scalars().all()
    assert subjects == ["a\ufffdb", "a\ufffd\ufffd\ufffdb"]


def test_a_number_that_the_target_has_no_room_for_is_named(source: Database, target: Database) -> None:
    with source.write() as session:
        session.execute(text("UPDATE ticket SET serial = 3000000000 WHERE id = 4"))
    with pytest.raises(Refused, match=r"out of range.*ticket"):
        move_database(source, target, silent)


def test_a_large_file_is_moved_whole(ready_file: Path, target: Database, tmp_path: Path) -> None:
    (tmp_path / "large.db").write_bytes(ready_file.read_bytes())
    source = Database(f"sqlite:///{tmp_path}/large.db")
    blob = random.Random(1).randbytes(25 * 1024**2)
    with source.write() as session:
        new_outgoing(session, wire=blob)
    move_database(source, target, silent)
    with target.read() as session:
        assert session.execute(text("SELECT wire FROM outgoing ORDER BY id DESC LIMIT 1")).scalar() == blob
    source.close()


def test_a_target_that_is_in_use_or_unfit_is_refused(
    source: Database, postgres_database: Database, postgres_server: Postgres, tmp_path: Path
) -> None:
    with postgres_database.write() as session:
        new_ticket(session)
    for target, words in (
        (postgres_database, "holds a database of its own"),
        (Database(source.url.render_as_string()), "the same"),
    ):
        for afresh in (False, True):
            with pytest.raises(Refused, match=words):
                move_database(source, target, silent, afresh=afresh)
    url = postgres_server.database()
    unfit = Database(url.rpartition("/")[0] + "/not_there")
    with pytest.raises(StoreUnavailable, match="does not exist"):
        move_database(source, unfit, silent)
    unfit.close()
    with postgres_database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.exec_driver_sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        admin.exec_driver_sql("CREATE ROLE guest LOGIN")
    guest = url.replace("mailticket@", "guest@")
    for bad, words in ((url.rpartition("/")[0] + "/latin", "LATIN1"), (guest, "lacks a right")):
        unfit = Database(bad)
        with pytest.raises(Refused, match=words):
            move_database(source, unfit, silent)
        unfit.close()
