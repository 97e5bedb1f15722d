"""Two at once on PostgreSQL, where nobody waits by himself: what is written is judged by what stands there then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from mailticket.errors import Fenced, StoreUnavailable
from mailticket.mail.packing import pack
from mailticket.models import MailboxHolder, Ticket
from mailticket.settings import Caps
from mailticket.store import Session, chores, hosts, incoming, knowledge, meta, raws, tickets
from mailticket.store.engine import Database
from mailticket.store.rows import take_turns
from mailticket.triage.known import Counts
from tests.servers.machine import PATIENCE
from tests.store.conftest import ACCOUNT, NOON, after, new_outgoing, new_ticket, wait_for_locks

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


def test_of_two_letters_at_once_the_second_is_counted_after_the_first(postgres_database: Database) -> None:
    """Near a cap for domains or in all, which binds people who know nothing of each other."""

    def count(session: Session, caps: Caps) -> Counts:
        return knowledge.counts(session, "bob@example.org", NOON, caps)

    def write(session: Session, caps: Caps) -> None:
        count(session, caps)
        new_outgoing(session, counted_at=NOON)

    for number, caps in enumerate((Caps(total_hour=9), Caps(total_hour=0, per_domain_hour=9)), 1):
        counts = meanwhile(postgres_database, lambda s, caps=caps: write(s, caps), lambda s, caps=caps: count(s, caps))
        assert isinstance(counts, Counts)
        assert max(counts.total_hour, counts.domain_hour) == number


def test_far_from_a_cap_nobody_waits_to_be_counted(postgres_database: Database) -> None:
    caps = Caps(total_hour=20_000)
    with postgres_database.write() as one:
        knowledge.counts(one, "ann@example.org", NOON, caps)
        with postgres_database.write() as other:
            other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            assert knowledge.counts(other, "bob@example.org", NOON, caps).total_hour == 0


def test_two_hosts_at_their_first_start_have_one_key_and_one_mark(postgres_database: Database) -> None:
    with postgres_database.write() as session:
        session.execute(text("DELETE FROM key"))
        session.execute(text("DELETE FROM meta WHERE name = 'instance'"))
    made: list[object] = []

    def make(session: Session) -> object:
        made.append((meta.signing_keys(session, NOON), meta.instance_mark(session)))
        return made[-1]

    other = meanwhile(postgres_database, make, make)
    assert other == made[0]


@pytest.mark.parametrize("exists", [False, True])
def test_two_hosts_write_of_the_same_part(postgres_database: Database, exists: bool) -> None:
    with postgres_database.write() as session:
        if exists:
            meta.went_well(session, "smtp", after(-9))
    recovered = meanwhile(
        postgres_database,
        lambda s: meta.went_wrong(s, "smtp", NOON, "refused"),
        lambda s: meta.went_well(s, "smtp", after(1)),
    )
    assert recovered is True
    with postgres_database.read() as session:
        [row] = meta.health(session)
        assert (row.error, row.last_success_at) == ("", after(1))


def test_two_alerts_have_two_numbers(postgres_database: Database) -> None:
    assert meanwhile(postgres_database, meta.next_alert, meta.next_alert) == 2


def test_a_trouble_that_only_one_host_has_ends_with_that_host(database: Database) -> None:
    with database.write() as session:
        one, other = (hosts.register(session, "daemon", "web", 1, "1", NOON) for _ in range(2))
        assert hosts.others_live(session, one)
        meta.went_wrong(session, hosts.part_of("smtp", one), NOON, "refused")
        meta.went_well(session, "smtp", NOON)
        assert [(row.name, row.error) for row in meta.health(session)] == [
            ("smtp", ""), (f"smtp on host {one}", "refused"),
        ]  # fmt: skip
        session.execute(text("UPDATE host SET dead_at = beat_at WHERE id = :n"), {"n": one})
        assert [row.name for row in meta.health(session)] == ["smtp"]
        assert not hosts.others_live(session, other)


def holder(session: Session, host: int) -> None:
    """Let a host hold the mailbox, as one that takes it over does."""
    session.merge(MailboxHolder(mailbox="support", host_id=host, since=NOON))
    session.flush()


def test_who_lost_a_mailbox_acts_on_it_no_more_and_who_takes_it_waits_for_what_was_begun(
    postgres_database: Database,
) -> None:
    with postgres_database.write() as session:
        one, other = (hosts.register(session, "daemon", "web", 1, "1", NOON) for _ in range(2))
        holder(session, one)
    meanwhile(postgres_database, lambda s: hosts.must_hold(s, one, "support"), lambda s: holder(s, other))
    with postgres_database.write() as session:
        hosts.must_hold(session, other, "support")
        with pytest.raises(Fenced):
            hosts.must_hold(session, one, "support")
    refused = meanwhile(postgres_database, lambda s: holder(s, one), lambda s: hosts.must_hold(s, other, "support"))
    assert isinstance(refused, Fenced)


def test_two_hosts_that_enter_a_folder_begin_one_life(postgres_database: Database) -> None:
    """The second has lost the mailbox, or the first had: whoever holds it begins the life, and the other is refused."""

    def enter(session: Session, host: int) -> int:
        hosts.must_hold(session, host, "support")
        return int(incoming.enter_folder(session, "support", ACCOUNT, 1, 1, NOON, timedelta(0)).id or 0)

    with postgres_database.write() as session:
        one, other = (hosts.register(session, "daemon", "web", 1, "1", NOON) for _ in range(2))
        holder(session, one)

    def take_over(session: Session) -> int:
        holder(session, other)
        return enter(session, other)

    life = meanwhile(postgres_database, lambda s: enter(s, one), take_over)
    with postgres_database.write() as session:
        assert enter(session, other) == life
        with pytest.raises(Fenced):
            enter(session, one)


def test_a_chore_that_two_hosts_do_at_once_is_done_once(postgres_database: Database) -> None:
    def warn(session: Session) -> int:
        take_turns(session, "warnings")
        due = chores.slipping(session, after(9), 50)
        for ticket in due:
            ticket.late_warned_at = NOON
            session.add(ticket)
        return len(due)

    with postgres_database.write() as session:
        new_ticket(session, promised_by=after(5))
    assert meanwhile(postgres_database, warn, warn) == 0


def test_what_was_taken_in_does_not_vanish(database: Database) -> None:
    """A host that was paused finds that the mail is gone from the folder: its successor has moved it."""
    with database.write() as session:
        folder = incoming.enter_folder(session, "support", ACCOUNT, 1, 1, NOON, timedelta(0))
        incoming.record_listed(session, folder, [incoming.Listed(1, 1, NOON)], NOON)
        [row] = incoming.pending(session, int(folder.id or 0), 9)
        incoming.finish(session, row.id, NOON, state="opened")
        incoming.vanish(session, [row.id], NOON)
        assert not incoming.count_refusal(session, row.id, 1, "no", NOON)
        assert incoming.by_id(session, row.id).state == "opened"
