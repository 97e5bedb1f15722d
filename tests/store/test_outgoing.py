"""The outbox: who is claimed when, by whom, and what a stop leaves behind."""

from __future__ import annotations

import threading

import pytest

from mailticket.store import outgoing, overview, tickets
from mailticket.store.engine import Database
from mailticket.store.outgoing import LETTER_RANK, STAFF_RANK
from tests.servers.machine import PATIENCE
from tests.store.conftest import NOON, after, new_outgoing, new_ticket, wait_for_locks


def test_staff_go_first_then_who_waits_longest_and_only_what_is_due(database: Database) -> None:
    with database.write() as session:
        late = new_outgoing(session, new_ticket(session), after(-1))
        early = new_outgoing(session, new_ticket(session), after(-9))
        staff = new_outgoing(session, new_ticket(session), after(0), STAFF_RANK)
        new_outgoing(session, new_ticket(session), after(1), state="deferred")
        assert [due.id for due in outgoing.claim(session, NOON, 2)] == [staff, early]
    with database.write() as session:
        assert [due.id for due in outgoing.claim(session, NOON, 9)] == [late]
        assert outgoing.claim(session, NOON, 9) == []


def test_the_mails_of_a_ticket_leave_in_order_but_a_staff_answer_never_waits_for_an_automatic_one(
    database: Database,
) -> None:
    with database.write() as session:
        ticket = new_ticket(session)
        first, second = new_outgoing(session, ticket), new_outgoing(session, ticket)
        staff, more = new_outgoing(session, ticket, rank=STAFF_RANK), new_outgoing(session, ticket, rank=STAFF_RANK)
        nobody = new_outgoing(session, None)
        assert [due.id for due in outgoing.claim(session, NOON, 9)] == [staff, first, nobody]
        assert outgoing.claim(session, NOON, 9) == []
        outgoing.set_outcome(session, staff, state="sent")
        outgoing.set_outcome(session, first, state="deferred", next_attempt_at=after(5))
        assert [due.id for due in outgoing.claim(session, NOON, 9)] == [more]  # `second` waits for `first`
        outgoing.set_outcome(session, more, state="sent")
        outgoing.set_outcome(session, first, state="uncertain")
        assert [due.id for due in outgoing.claim(session, NOON, 9)] == [second]


def test_claiming_counts_the_attempts(database: Database) -> None:
    with database.write() as session:
        number = new_outgoing(session)
    for attempt in (1, 2):
        with database.write() as session:
            assert [(d.id, d.attempts) for d in outgoing.claim(session, NOON, 1)] == [(number, attempt)]
            outgoing.set_outcome(session, number, state="deferred", next_attempt_at=NOON)


@pytest.mark.postgres
def test_two_hosts_claim_different_rows(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with database.write() as session:
        first, second = new_outgoing(session), new_outgoing(session)
    with database.write() as one:
        assert [due.id for due in outgoing.claim(one, NOON, 1)] == [first]
        one.flush()
        with database.write() as other:
            assert [due.id for due in outgoing.claim(other, NOON, 9)] == [second]


def test_after_a_stop_what_was_not_begun_waits_again_and_what_was_begun_is_uncertain(database: Database) -> None:
    with database.write() as session:
        ids = [new_outgoing(session, new_ticket(session)) for _ in range(3)]
        outgoing.claim(session, NOON, 2)
    with database.write() as session:
        outgoing.set_begun(session, ids[0], NOON)
    with database.write() as session:
        assert outgoing.recover(session, after(1)) == (1, 1)
        assert outgoing.recover(session, after(1)) == (0, 0)
    with database.read() as session:
        assert [outgoing.by_id(session, number).state for number in ids] == ["uncertain", "queued", "queued"]
        assert overview.figures(session, after(1), NOON).outgoing == {"uncertain": 1, "queued": 2}


@pytest.mark.parametrize(("rank", "states"), [(LETTER_RANK, ["uncertain"]), (STAFF_RANK, ["queued", "uncertain"])])
def test_what_is_uncertain_is_sent_again_once_if_staff_wrote_it_and_else_never(
    database: Database, rank: int, states: list[str]
) -> None:
    with database.write() as session:
        ticket = new_ticket(session)
        number = new_outgoing(session, ticket, rank=rank)
    for state in states:
        with database.write() as session:
            assert len(outgoing.claim(session, NOON, 1)) == 1
            session.flush()
            outgoing.mark_uncertain(session, outgoing.by_id(session, number), NOON, "the line broke")
        with database.read() as session:
            assert outgoing.by_id(session, number).state == state
    with database.read() as session:
        assert len(tickets.events(session, ticket)) == len(states)


def test_held_back_mails_are_listed_oldest_first_and_released_all_or_by_number(database: Database) -> None:
    with database.write() as session:
        first, second, third = (new_outgoing(session, state="withheld", reason="cap") for _ in range(3))
        sent = new_outgoing(session, state="sent")
        assert [row.id for row, _ in outgoing.listing(session, ["withheld"], limit=1)] == [first]
        assert outgoing.release(session, NOON, [second, sent]) == 1
        assert outgoing.release(session, NOON) == 2
        assert [due.id for due in outgoing.claim(session, NOON, 9)] == [first, second, third]


def test_the_place_in_the_queue_outlives_a_stop(database: Database) -> None:
    """Or what was on its way when the program ended would go behind all that came later."""
    with database.write() as session:
        first, second = new_outgoing(session, due=after(-9)), new_outgoing(session, due=after(-5))
        assert [due.id for due in outgoing.claim(session, NOON, 1)] == [first]
    with database.write() as session:
        assert outgoing.recover(session, NOON) == (1, 0)
    with database.write() as session:
        assert [due.id for due in outgoing.claim(session, NOON, 9)] == [first, second]


def test_a_clock_that_was_set_back_holds_nothing_up(database: Database) -> None:
    """What is queued goes at once, and nothing deferred waits longer than a deferral lasts."""
    with database.write() as session:
        queued = new_outgoing(session, due=after(60 * 24))
        deferred = new_outgoing(session, due=after(60 * 25), state="deferred")
        new_outgoing(session, due=after(60 * 5), state="deferred")
    with database.write() as session:
        assert [due.id for due in outgoing.claim(session, NOON, 9)] == [queued, deferred]


@pytest.mark.postgres
def test_a_row_that_is_being_claimed_is_neither_cancelled_nor_queued_again(postgres_database: Database) -> None:
    """On SQLite there is one writer at a time; on PostgreSQL the command waits for the claim and then sees it."""
    with postgres_database.write() as session:
        number = new_outgoing(session, state="deferred")
    answers: list[str] = []

    def command(state: str) -> None:
        with postgres_database.write() as session:
            answers.append(outgoing.change(session, number, ["queued", "deferred"], state=state))

    with postgres_database.write() as session:
        assert [due.id for due in outgoing.claim(session, NOON, 1)] == [number]
        commands = [threading.Thread(target=command, args=(state,)) for state in ("cancelled", "queued")]
        for thread in commands:
            thread.start()
        wait_for_locks(postgres_database, 2)
    for thread in commands:
        thread.join(PATIENCE)
    assert answers == ["sending", "sending"]
    with postgres_database.read() as session:
        assert outgoing.by_id(session, number).state == "sending"
