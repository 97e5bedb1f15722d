"""Claims of several hosts on one outbox: whose each is, what is begun by whom, and what the dead leave behind."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from mailticket.models import Host
from mailticket.store import Session, hosts, outgoing
from mailticket.store.engine import Database
from mailticket.store.outgoing import STAFF_RANK
from tests.store.conftest import NOON, after, new_outgoing, new_ticket
from tests.store.test_side_by_side import meanwhile


def new_host(session: Session) -> int:
    return hosts.register(session, "daemon", "web", 1, "1", NOON)


def end(session: Session, host: int, **how: Any) -> None:
    session.execute(update(Host).where(col(Host.id) == host).values(**how))


def state(database: Database, number: int) -> str:
    with database.read() as session:
        return outgoing.by_id(session, number).state


def claimed(database: Database, **more: Any) -> tuple[int, int, int]:
    """A mail that the first of two hosts has claimed: its number and theirs."""
    with database.write() as session:
        one, other = new_host(session), new_host(session)
        number = new_outgoing(session, new_ticket(session), **more)
        assert [due.id for due in outgoing.claim(session, NOON, 9, one)] == [number]
    return number, one, other


@pytest.mark.postgres
@pytest.mark.parametrize("outcome", ["", "sent", "deferred"])
def test_what_waits_behind_a_mail_that_another_host_has_in_hand_is_claimed_by_nobody(
    postgres_database: Database, outcome: str
) -> None:
    """Whether it is just being claimed, or its outcome just being written: until that is committed, it goes first."""
    with postgres_database.write() as session:
        ticket = new_ticket(session)
        first, second = new_outgoing(session, ticket), new_outgoing(session, ticket)
        if outcome:
            assert [due.id for due in outgoing.claim(session, NOON, 9, 1)] == [first]
    with postgres_database.write() as one:
        if outcome:
            outgoing.set_outcome(one, first, state=outcome, next_attempt_at=after(5))
        else:
            assert [due.id for due in outgoing.claim(one, NOON, 9, 1)] == [first]
        with postgres_database.write() as other:
            assert outgoing.claim(other, NOON, 9, 2) == []
    with postgres_database.write() as other:
        assert [due.id for due in outgoing.claim(other, NOON, 9, 2)] == ([second] if outcome == "sent" else [])


def test_the_claims_of_a_host_are_recovered_when_it_died_or_ended_and_never_while_it_lives(database: Database) -> None:
    number, one, other = claimed(database)
    with database.write() as session:
        assert outgoing.recover_orphans(session, after(600)) == (0, 0)
        assert outgoing.recover(session, after(600), other) == (0, 0), "slow is not dead"
        for ending in ({"dead_at": NOON}, {"stopped_at": NOON}):
            end(session, one, dead_at=None, stopped_at=None)
            outgoing.set_outcome(session, number, state="sending")
            end(session, one, **ending)
            assert outgoing.recover_orphans(session, NOON) == (1, 0)
    assert state(database, number) == "queued"


def test_a_host_settles_its_own_claims_but_not_what_is_under_way(database: Database) -> None:
    number, one, _ = claimed(database)
    with database.write() as session:
        assert outgoing.recover(session, NOON, one, [number]) == (0, 0)
        assert outgoing.recover(session, NOON, one) == (1, 0)


def test_nothing_is_begun_whose_claim_was_recovered_or_is_another_hosts_or_was_begun_before(database: Database) -> None:
    number, one, other = claimed(database)
    with database.write() as session:
        end(session, one, dead_at=NOON)
        assert outgoing.recover_orphans(session, NOON) == (1, 0)
        assert not outgoing.set_begun(session, number, NOON, one), "it waits again"
        assert len(outgoing.claim(session, NOON, 1, other)) == 1
        assert not outgoing.set_begun(session, number, NOON, one), "it is another's"
        assert outgoing.set_begun(session, number, NOON, other)
        assert not outgoing.set_begun(session, number, NOON, other), "one delivery of it is past that"


@pytest.mark.postgres
def test_a_beginning_and_a_recovery_at_once_leave_one_of_the_two(postgres_database: Database) -> None:
    number, one, _ = claimed(postgres_database)
    with postgres_database.write() as session:
        end(session, one, dead_at=NOON)
    begun = meanwhile(
        postgres_database,
        lambda s: outgoing.recover_orphans(s, NOON),
        lambda s: outgoing.set_begun(s, number, NOON, one),
    )
    assert (begun, state(postgres_database, number)) == (False, "queued")
    with postgres_database.write() as session:
        outgoing.set_outcome(session, number, state="sending")
    recovered = meanwhile(
        postgres_database,
        lambda s: outgoing.set_begun(s, number, NOON, one),
        lambda s: outgoing.recover_orphans(s, NOON),
    )
    assert (recovered, state(postgres_database, number)) == ((0, 1), "uncertain")


@pytest.mark.postgres
def test_an_outcome_that_is_being_written_is_not_made_uncertain(postgres_database: Database) -> None:
    number, one, _ = claimed(postgres_database)
    with postgres_database.write() as session:
        outgoing.set_begun(session, number, NOON, one)
        end(session, one, dead_at=NOON)
    recovered = meanwhile(
        postgres_database,
        lambda s: outgoing.set_sent(s, number, one, NOON, None),
        lambda s: outgoing.recover_orphans(s, NOON),
    )
    assert (recovered, state(postgres_database, number)) == ((0, 0), "sent")


@pytest.mark.parametrize("rank", [outgoing.LETTER_RANK, STAFF_RANK])
def test_who_sent_it_knows_better_than_those_who_gave_it_up_unless_another_has_taken_it(
    database: Database, rank: int
) -> None:
    number, one, other = claimed(database, rank=rank)
    with database.write() as session:
        outgoing.set_begun(session, number, NOON, one)
        end(session, one, dead_at=NOON)
        assert outgoing.recover_orphans(session, NOON) == (0, 1)
        assert not outgoing.hold_claim(session, number, one, begun=False)
        assert outgoing.hold_claim(session, number, one, begun=True)
        assert outgoing.set_sent(session, number, one, NOON, "4XYZ")
    assert state(database, number) == "sent"
    with database.write() as session:
        outgoing.set_outcome(session, number, state="queued")
        assert len(outgoing.claim(session, NOON, 1, other)) == 1
        assert not outgoing.hold_claim(session, number, one, begun=True)
        assert not outgoing.set_sent(session, number, one, NOON, None)
        assert not outgoing.let_go(session, number, one)
    assert state(database, number) == "sending"


def test_what_was_begun_and_surely_not_sent_waits_again_in_its_place(database: Database) -> None:
    number, one, _ = claimed(database)
    with database.write() as session:
        outgoing.set_begun(session, number, NOON, one)
        end(session, one, dead_at=NOON)
        outgoing.recover_orphans(session, NOON)
        assert outgoing.let_go(session, number, one)
        row = outgoing.by_id(session, number)
    assert (row.state, row.begun_at, row.attempts, row.next_attempt_at) == ("queued", None, 0, NOON)


@pytest.mark.postgres
@pytest.mark.parametrize("states", [("deferred", "failed", "uncertain"), ("queued", "deferred", "withheld")])
def test_staff_change_nothing_that_is_being_claimed_and_nobody_claims_what_they_change(
    postgres_database: Database, states: tuple[str, ...]
) -> None:
    """`outbox retry` and `outbox cancel` against a host that takes the mail at the same moment."""
    with postgres_database.write() as session:
        number = new_outgoing(session, new_ticket(session), state="deferred")

    def change(session: Session) -> str:
        return outgoing.change(session, number, states, state="cancelled", reason="by mia")

    answer = meanwhile(postgres_database, lambda s: outgoing.claim(s, NOON, 9, 1), change)
    assert (answer, state(postgres_database, number)) == ("sending", "sending")
    with postgres_database.write() as session:
        outgoing.set_outcome(session, number, state="deferred")
    with postgres_database.write() as session:
        assert change(session) == ""
        with postgres_database.write() as other:
            assert outgoing.claim(other, NOON, 9, 2) == []
    assert state(postgres_database, number) == "cancelled"
