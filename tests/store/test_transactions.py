"""All or nothing; whose fault an error is; one writer at a time; group commits; the lock of a running daemon."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from mailticket.errors import AlreadyRunning, StoreUnavailable
from mailticket.store import Session, meta
from mailticket.store.engine import Database, WriterLock
from mailticket.store.ledger import Ledger
from mailticket.store.lock import run_lock
from mailticket.store.rows import savepoint
from tests.store.conftest import NOON


class Defect(Exception):
    """An error of ours."""


def names(database: Database) -> set[str]:
    with database.read() as session:
        return {name for name in ("a", "b", "c") if meta.value(session, name)}


def test_a_transaction_that_raises_writes_nothing(database: Database) -> None:
    with pytest.raises(Defect), database.write() as session:
        meta.set_value(session, "a", "1")
        raise Defect
    assert names(database) == set()


def test_a_savepoint_that_raises_takes_only_its_own_writes_back(database: Database) -> None:
    with database.write() as session:
        meta.set_value(session, "a", "1")
        with pytest.raises(Defect), savepoint(session):
            meta.set_value(session, "b", "1")
            raise Defect
        with savepoint(session):
            meta.set_value(session, "c", "1")
    assert names(database) == {"a", "c"}


def test_a_savepoint_survives_an_error_of_the_database(database: Database) -> None:
    with database.write() as session:
        meta.set_value(session, "a", "1")
        session.flush()
        with pytest.raises(IntegrityError), savepoint(session):
            session.execute(text("INSERT INTO meta (name, value) VALUES ('a', '2')"))
        meta.set_value(session, "b", "1")
    assert names(database) == {"a", "b"}


def test_a_reader_sees_one_moment_and_blocks_no_writer(database: Database) -> None:
    with database.read() as session:
        assert meta.value(session, "a") == ""
        with database.write() as other:
            meta.set_value(other, "a", "1")
    assert names(database) == {"a"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_only_a_durable_commit_waits_for_the_disk(database: Database) -> None:
    """2 is FULL, 1 is NORMAL; both on the one connection that is used again and again."""
    asked = "PRAGMA synchronous"
    found = []
    for durable in (True, False, False, True):
        with database.write(durable=durable) as session:
            meta.set_value(session, "a", str(len(found)))
            found.append(session.execute(text(asked)).scalar())
    assert found == [2, 1, 1, 2]
    with database.write(durable=False):
        pass
    with database.engine.begin() as connection:  # as upgrades do
        assert connection.execute(text(asked)).scalar() == 2
    assert names(database) == {"a"}


@pytest.mark.parametrize(("durable", "waits"), [([False, False], [1, 1]), ([False, True], [2, 2])])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_written_together_is_as_durable_as_any_of_it_must_be(
    database: Database, durable: list[bool], waits: list[int]
) -> None:
    ledger = Ledger(database)

    def ask(session: Session) -> int:
        return int(session.execute(text("PRAGMA synchronous")).scalar_one())

    async def write() -> list[int]:
        return await asyncio.gather(*(ledger.write(ask, durable=one) for one in durable))

    assert asyncio.run(write()) == waits


def test_a_database_that_is_not_there_is_the_world_s_fault() -> None:
    for url in ("sqlite:////nonexistent/folder/x.db", "postgresql+psycopg://nobody@127.0.0.1:1/x"):
        database = Database(url)
        with pytest.raises(StoreUnavailable), database.write():
            pass
        database.close()


def test_a_savepoint_does_not_hide_a_server_that_went_away(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite is no server")
    with pytest.raises(StoreUnavailable), database.write() as session, savepoint(session):
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with database.write() as session:
        meta.set_value(session, "a", "1")
    assert names(database) == {"a"}


def test_urgent_writers_go_before_those_that_wait_longer() -> None:
    lock, order = WriterLock(), list[str]()
    waiting = threading.Semaphore(0)

    def write(name: str, urgent: bool) -> None:
        waiting.release()
        with lock.hold(urgent=urgent):
            order.append(name)

    with lock.hold():
        threads = []
        for name, urgent in (("intake", False), ("outcome", True)):
            threads.append(threading.Thread(target=write, args=(name, urgent)))
            threads[-1].start()
            waiting.acquire()
        while lock._urgent_waiting == 0:
            pass
    for thread in threads:
        thread.join()
    assert order == ["outcome", "intake"]


def test_writes_that_wait_together_are_committed_together(database: Database) -> None:
    async def play() -> list[str]:
        ledger = Ledger(database)
        return await asyncio.gather(*(ledger.write(partial(_count, name=n)) for n in "abc"))

    seen = asyncio.run(play())
    assert names(database) == {"a", "b", "c"}
    # The first was written alone, while the two others gathered: they saw each other.
    assert [len(names_seen) for names_seen in seen] in ([1, 2, 3], [1, 1, 2])


def _count(session: Session, name: str) -> str:
    meta.set_value(session, name, "1")
    session.flush()
    return "".join(n for n in "abc" if meta.value(session, n))


def test_a_defect_in_a_group_commit_falls_on_its_own_entry_only(database: Database) -> None:
    def break_down(session: Session) -> None:
        meta.set_value(session, "b", "1")
        raise Defect

    async def play() -> list[object]:
        ledger = Ledger(database)
        works = (lambda s: meta.set_value(s, "a", "1"), break_down, lambda s: meta.set_value(s, "c", "1"))
        return await asyncio.gather(*(ledger.write(work) for work in works), return_exceptions=True)

    results = asyncio.run(play())
    assert [type(result) for result in results] == [type(None), Defect, type(None)]
    assert names(database) == {"a", "c"}


def test_two_troubles_of_one_part_in_one_transaction_are_one_row(database: Database) -> None:
    with database.write() as session:
        meta.went_wrong(session, "smtp", NOON, "refused")
        meta.went_wrong(session, "smtp", NOON, "refused again")
    with database.read() as session:
        assert [(row.name, row.error, row.error_since) for row in meta.health(session)] == [
            ("smtp", "refused again", NOON)
        ]
    with database.write() as session:
        assert meta.went_well(session, "smtp", NOON) is True
        assert meta.went_well(session, "smtp", NOON) is False


def test_one_daemon_at_a_time_holds_the_lock_of_a_database(database: Database) -> None:
    other = Database(database.url.render_as_string(hide_password=False))
    with run_lock(database) as lock:
        lock.check()
        with pytest.raises(AlreadyRunning, match="running already"), run_lock(other):
            pass
    with run_lock(other) as lock:
        lock.check()
    other.close()


def test_a_lost_connection_loses_the_lock_and_says_so(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("a file lock stays as long as the process")
    with run_lock(database) as lock:
        with database.write() as session:
            session.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
            )
        with pytest.raises(StoreUnavailable):
            lock.check()
    with run_lock(database) as again:
        again.check()


def test_keys_and_mark_are_made_once_and_the_newest_key_signs(database: Database) -> None:
    with database.write() as session:
        first, mark = meta.signing_keys(session, NOON), meta.instance_mark(session)
    with database.write() as session:
        newer = meta.add_key(session, NOON)
    with database.write() as session:
        assert meta.signing_keys(session, NOON) == (newer, *first)
        assert meta.instance_mark(session) == mark
