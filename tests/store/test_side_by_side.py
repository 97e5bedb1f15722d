"""Two at once on PostgreSQL, where nobody waits by himself: what is written is judged by what stands there then."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from mailticket.errors import StoreUnavailable
from mailticket.mail.packing import pack
from mailticket.models import Ticket
from mailticket.store import Session, chores, raws, tickets
from mailticket.store.engine import Database
from tests.servers.machine import PATIENCE
from tests.store.conftest import NOON, after, new_ticket, wait_for_locks

pytestmark = pytest.mark.postgres


def meanwhile(database: Database, first: Callable[[Session], object], second: Callable[[Session], object]) -> object:
    """The second transaction begins and must wait while the first is not committed; returns what it then says."""
    answers: list[object] = []

    def run() -> None:
        try:
            with database.write() as session:
                answers.append(second(session))
        except Exception as error:  # else the test would wait for it
            answers.append(error)

    other = threading.Thread(target=run, name="second", daemon=True)
    with database.write() as session:
        first(session)
        session.flush()
        other.start()
        wait_for_locks(database, 1, unless=lambda: bool(answers))
        assert answers == [], "the second did not wait"
    other.join(PATIENCE)
    return answers[0]


def reopen(session: Session, ticket_id: int) -> Ticket:
    """As a reply of the requester does."""
    ticket = tickets.by_key(session, tickets.by_id(session, ticket_id).key, follow_merge=True, lock=True)
    tickets.set_status(ticket, "open", NOON)
    session.add(ticket)
    return ticket


def test_a_reply_that_is_taken_in_keeps_its_ticket_from_being_closed(postgres_database: Database) -> None:
    with postgres_database.write() as session:
        one, other = (new_ticket(session, status="solved", solved_at=after(-9)) for _ in range(2))
    closed = meanwhile(
        postgres_database, lambda s: reopen(s, one), lambda s: chores.close_solved(s, after(-5), NOON, 50)
    )
    assert closed == [other]
    with postgres_database.read() as session:
        assert [tickets.by_id(session, number).status for number in (one, other)] == ["open", "closed"]


def test_a_reply_to_a_ticket_that_is_being_closed_opens_it_again(postgres_database: Database) -> None:
    """It was read before it was closed: what is written must be what is different from now, not from then."""
    with postgres_database.write() as session:
        number = new_ticket(session, status="solved", solved_at=after(-9))
    meanwhile(postgres_database, lambda s: chores.close_solved(s, after(-5), NOON, 50), lambda s: reopen(s, number))
    with postgres_database.read() as session:
        ticket = tickets.by_id(session, number)
        assert (ticket.status, ticket.closed_at) == ("open", None)


def test_a_lock_shows_what_was_committed_and_keeps_what_waits_to_be_written(postgres_database: Database) -> None:
    with postgres_database.write() as session:
        target = new_ticket(session)
        number = new_ticket(session, merged_into=target)
    with postgres_database.write() as session:
        merged, before = tickets.by_id(session, number), tickets.by_id(session, target)
        before.assigned_to = "ann"
        session.add(before)
        with postgres_database.engine.begin() as connection:
            connection.execute(text("UPDATE ticket SET subject = 'changed' WHERE id = :n"), {"n": target})
        ticket = tickets.by_key(session, merged.key, follow_merge=True, lock=True)
        assert (ticket.id, ticket.subject, ticket.assigned_to) == (target, "changed", "ann")
        with pytest.raises(StoreUnavailable), postgres_database.write() as other:
            other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            tickets.by_key(other, ticket.key, lock=True)


def test_two_letters_of_one_ticket_have_two_numbers(postgres_database: Database) -> None:
    with postgres_database.write() as session:
        number = new_ticket(session)
    with postgres_database.read() as session:
        ticket = tickets.by_id(session, number)
    second = meanwhile(
        postgres_database, lambda s: tickets.next_serial(s, ticket), lambda s: tickets.next_serial(s, ticket)
    )
    assert (second, ticket.serial) == (2, 2)


def test_the_bytes_of_a_mail_that_comes_again_outlive_their_time(postgres_database: Database) -> None:
    packed = pack(b"Subject: x\r\n\r\nx\r\n")
    with postgres_database.write() as session:
        raws.put(session, packed, after(-9))
    removed = meanwhile(
        postgres_database, lambda s: raws.put(s, packed, NOON), lambda s: chores.forget_raw(s, after(-5), after(-5), 50)
    )
    assert removed == 0
    with postgres_database.read() as session:
        assert raws.get(session, packed.digest) is not None


def test_who_reads_locks_nothing_and_is_refused_a_lock(postgres_database: Database) -> None:
    with postgres_database.write() as session:
        key = tickets.by_id(session, new_ticket(session)).key
    with postgres_database.write() as session:
        tickets.by_key(session, key, lock=True)
        with postgres_database.read() as reader:
            assert tickets.by_key(reader, key).key == key
        with pytest.raises(StoreUnavailable, match="read-only"), postgres_database.read() as reader:
            tickets.by_key(reader, key, lock=True)


def test_who_reads_sees_one_moment(postgres_database: Database) -> None:
    with postgres_database.write() as session:
        number = new_ticket(session)
    with postgres_database.read() as reader:
        assert tickets.conversation(reader, number) == []
        with postgres_database.write() as session:
            tickets.add_event(session, number, NOON, "noted")
        assert tickets.events(reader, number) == []
