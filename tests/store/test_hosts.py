"""Hosts as rows and locks: who lives, who holds a mailbox, who is given up, and who may change the tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from mailticket.errors import AlreadyRunning, ConfigurationError, Fenced, StoreUnavailable
from mailticket.models import Host
from mailticket.service.member import Member
from mailticket.store import hosts, lock, outgoing, schema
from mailticket.store.engine import Database
from mailticket.store.hosts import Sharing
from mailticket.store.lock import host_lock, run_lock
from tests.servers.machine import until
from tests.store.conftest import NOON, after, new_outgoing

LEASE = 30.0


def register(database: Database, *mailboxes: str, kind: str = "daemon", **values: Any) -> int:
    with database.write() as session:
        number = hosts.register(session, kind, "desk", 7, "1", NOON, database.sessions, mailboxes)
        if values:
            row = session.get(Host, number)
            assert row is not None
            row.sqlmodel_update(values)
            session.add(row)
    return number


def take(database: Database, host: int, mailbox: str, former: int | None = None) -> bool:
    with database.write() as session:
        return hosts.take(session, host, mailbox, former, NOON)


def holders(database: Database) -> dict[str, int | None]:
    with database.read() as session:
        return {mailbox: host for mailbox, host, _ in hosts.holdings(session)}


def test_a_mailbox_is_taken_once_and_given_back(database: Database) -> None:
    one, other = register(database), register(database)
    assert take(database, one, "support")
    assert not take(database, other, "support")
    assert not take(database, other, "support", former=other)
    with database.write() as session:
        hosts.give_back(session, other, "support", NOON)  # whose it is not
    assert holders(database) == {"support": one}
    with database.write() as session:
        hosts.give_back(session, one, "support", NOON)
    assert take(database, other, "support")


def test_who_is_gone_is_succeeded_by_one(database: Database) -> None:
    gone, one, other = (register(database) for _ in range(3))
    assert take(database, gone, "support")
    assert take(database, one, "support", former=gone)
    assert not take(database, other, "support", former=gone)
    assert holders(database) == {"support": one}


def test_a_host_that_was_given_up_holds_nothing_and_may_beat_no_more(database: Database) -> None:
    host, mail = register(database), 0
    assert take(database, host, "support")
    with database.write() as session:
        mail = new_outgoing(session, state="sending", claimed_by=host)
        hosts.beat(session, host, NOON, ["support"])
        row = session.get(Host, host)
        assert row is not None
        row.beat_at -= timedelta(seconds=LEASE + 1)
        session.add(row)
    with database.write() as session:
        assert [silent.id for silent in hosts.silent(session, 0, LEASE, NOON)] == [host]
        assert hosts.silent(session, host, LEASE, NOON) == []
        assert hosts.give_up(session, [host], LEASE, NOON) == [host]
        outgoing.recover_orphans(session, NOON)
    assert holders(database) == {"support": None}
    with database.write() as session:
        assert outgoing.by_id(session, mail).state == "queued"
        with pytest.raises(Fenced):
            hosts.beat(session, host, NOON)


def test_a_host_that_was_slow_and_beats_again_is_not_given_up(database: Database) -> None:
    host = register(database)
    with database.write() as session:
        assert hosts.give_up(session, [host], LEASE, after(0.25)) == []
        hosts.beat(session, host, NOON)


def test_a_host_that_left_is_expected_no_more(database: Database) -> None:
    host = register(database)
    take(database, host, "support")
    with database.write() as session:
        hosts.leave(session, host, NOON)
        assert hosts.living(session) == []
        assert hosts.silent(session, 0, LEASE, after(60)) == []
    assert holders(database) == {"support": None}


def test_old_hosts_are_forgotten_but_never_the_newest_number(database: Database) -> None:
    old, round_ = register(database), register(database, kind="round")
    with database.write() as session:
        for number in (old, round_):
            hosts.leave(session, number, NOON)
            session.flush()
            row = session.get(Host, number)
            assert row is not None
            row.beat_at -= timedelta(days=2)
            session.add(row)
    newest = register(database)
    with database.read() as session:
        assert sorted(int(host.id or 0) for host in hosts.recent(session)) == [old, newest]


def test_a_clock_is_measured_at_each_beat(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("one host, one clock")
    host = register(database)
    with database.write() as session:
        now = hosts.shared_time(session, NOON)
        hosts.beat(session, host, now + timedelta(seconds=90))
    with database.read() as session:
        assert hosts.living(session)[0].clock_ahead == pytest.approx(90, abs=10)


# --- on PostgreSQL ----------------------------------------------------------------------------------------------------


@pytest.fixture
def other(postgres_database: Database) -> Iterator[Database]:
    """The same database as another process sees it."""
    database = Database(postgres_database.url.render_as_string(hide_password=False))
    yield database
    database.close()


@pytest.mark.postgres
def test_only_who_is_there_shares(postgres_database: Database, other: Database) -> None:
    here, gone = register(postgres_database, "a", "b"), register(other, "a", "b")
    round_ = register(other, kind="round")
    for host, mailbox in ((here, "a"), (gone, "b"), (round_, "c")):
        take(postgres_database, host, mailbox)
    with host_lock(postgres_database) as mine, host_lock(other) as theirs:
        mine.appear(here)
        theirs.appear(round_)
        with postgres_database.read() as session:
            assert hosts.sharing(session) == Sharing({here: frozenset("ab")}, {"a": here, "c": round_}, {"b": gone})


@pytest.mark.postgres
def test_a_lost_connection_is_replaced_with_its_locks(postgres_database: Database, other: Database) -> None:
    host = register(postgres_database)
    with host_lock(postgres_database) as mine, host_lock(other) as theirs:
        mine.appear(host)
        assert (mine.has_chores(), theirs.has_chores()) == (True, False)
        with other.write() as session:
            lock.cut_sessions(session.connection(), postgres_database.sessions)
        until(theirs.has_chores, "the chores to be free")
        mine.again()
        assert (mine.has_chores(), theirs.has_chores()) == (False, True)
        with other.read() as session:
            assert lock.present(session.connection()) == {host}


@pytest.mark.postgres
def test_whoever_notices_first_that_the_connection_is_lost_all_hear_of_it(
    postgres_database: Database, other: Database
) -> None:
    """Housekeeping, in a thread of its own, may come before the beat, which would not take the locks anew."""
    with host_lock(postgres_database) as mine:
        assert mine.has_chores()
        with other.write() as session:
            lock.cut_sessions(session.connection(), postgres_database.sessions)
        for ask in (mine.has_chores, mine.check, mine.has_chores, lambda: mine.appear(7)):
            with pytest.raises(StoreUnavailable):
                ask()
        mine.again()
        assert mine.has_chores()


@pytest.mark.postgres
def test_who_joins_after_its_connection_was_lost_takes_it_anew_and_leaves_one_row(
    postgres_database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with host_lock(postgres_database) as mine:
        member = Member(postgres_database, mine, "daemon")
        with other.write() as session:
            lock.cut_sessions(session.connection(), postgres_database.sessions)
        with monkeypatch.context() as patch:
            patch.setattr(mine, "again", refuse)
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    member.join([])
        assert numbers(other) == []
        with monkeypatch.context() as patch:
            patch.setattr(hosts, "gone_from", refuse)
            with pytest.raises(StoreUnavailable):
                member.join([])
        assert member.is_given_up, "it has not come so far that it may work"
        number = member.join([])
        try:
            assert numbers(other) == [number]
            with other.read() as session:
                assert lock.present(session.connection()) == {number}
        finally:
            member.leave()


def refuse(*_: object) -> Any:
    raise StoreUnavailable("the database says: no")


@pytest.mark.postgres
def test_hosts_hold_one_lock_together_that_others_take_alone(postgres_database: Database, other: Database) -> None:
    shared = host_lock(postgres_database), host_lock(other)
    with shared[0], shared[1], pytest.raises(AlreadyRunning, match="mailticket on "), run_lock(other):
        pass
    with run_lock(other), pytest.raises(AlreadyRunning), host_lock(postgres_database):
        pass


def set_back(database: Database, works_from: str = "") -> None:
    """The tables as an earlier release left them, as far as its step says."""
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0011'"))
        session.execute(text("UPDATE meta SET value = :steps WHERE name = 'works_from'"), {"steps": works_from})


@pytest.mark.postgres
def test_the_tables_are_not_changed_while_an_earlier_release_works_on_them(
    postgres_database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_upgrade", lambda connection, _: connection.execute(
        text("UPDATE alembic_version SET version_num = :head"), {"head": schema.HEAD}))  # fmt: skip
    set_back(other)
    with host_lock(postgres_database):
        with pytest.raises(AlreadyRunning, match=r"step 0011 to .*mailticket on .*stop it on every host"):
            schema.prepare(other)
        assert schema.current(other) == "0011"
        monkeypatch.setattr(schema, "OLDEST", "0010")
        set_back(other, "0009 0011")  # so a program of step 0009 may run
        with pytest.raises(AlreadyRunning):
            schema.prepare(other)
        set_back(other, "0010 0011")
        assert schema.prepare(other) is True
    set_back(other)
    assert schema.prepare(other) is True


def test_a_program_works_on_newer_tables_that_say_so(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        fact = {"steps": f"{schema.HEAD} 9999"}
        session.execute(text("UPDATE meta SET value = :steps WHERE name = 'works_from'"), fact)
    assert schema.fits(database)
    assert schema.prepare(database) is False
    with database.write() as session:
        session.execute(text("UPDATE meta SET value = '9998 9999' WHERE name = 'works_from'"))
    assert not schema.fits(database)
    with pytest.raises(ConfigurationError, match="newer mailticket"):
        schema.prepare(database)


@pytest.mark.postgres
def test_a_silent_host_is_given_up_by_who_saw_the_database_for_the_lease(
    postgres_database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILTICKET_HURRY", "10")  # a lease of three seconds
    silent = register(other, beat_at=NOON, name="elsewhere")
    with (
        host_lock(postgres_database) as mine,
        pytest.raises(StoreUnavailable, match="terminating"),
        other.read() as session,
    ):
        member = Member(postgres_database, mine, "daemon")
        member.join([])
        try:
            member.offer([])  # a sign of life, and a look at the others
            early = numbers(postgres_database)
            until(lambda: silent not in numbers(postgres_database), "the silent host to be given up")
        finally:
            member.leave()
        session.connection().execute(text("SELECT 1"))
    assert silent in early


def numbers(database: Database) -> list[int]:
    with database.read() as session:
        return [int(host.id or 0) for host in hosts.living(session)]
