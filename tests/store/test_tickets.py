"""Tickets, people and conversations; the figures that `status` and `check` show."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailticket.errors import NotFound
from mailticket.mail.address import Address
from mailticket.models import Participant
from mailticket.store import incoming, overview, tickets, watch
from mailticket.store.engine import Database
from tests.store.conftest import ACCOUNT, NOON, after, new_message, new_outgoing, new_ticket


def test_a_person_is_known_by_the_address_in_any_case_and_by_the_newest_language(database: Database) -> None:
    with database.write() as session:
        person = tickets.requester_of(session, Address("Ann", "Ann@Example.org"), "en", NOON)
        assert tickets.requester_of(session, Address("", "ann@example.ORG"), "zh-Hans", NOON) == person
        assert tickets.requester_of(session, Address("", "ann+tag@example.org"), "", NOON) != person
    with database.read() as session:
        assert [a.address for a in tickets.addresses_of(session, person)] == ["Ann@Example.org"]


def test_two_addresses_can_become_one_person_s(database: Database) -> None:
    with database.write() as session:
        first, second = new_ticket(session, "ann@example.org"), new_ticket(session, "ann@work.example")
        home, work = Address("", "ann@example.org"), Address("", "ann@work.example")
        tickets.link_addresses(session, home, work)
        tickets.link_addresses(session, home, work)
    with database.read() as session:
        owners = {tickets.by_id(session, number).requester_id for number in (first, second)}
        assert len(owners) == 1
        assert len(tickets.addresses_of(session, owners.pop())) == 2


def test_merged_messages_remember_where_they_lay_and_come_back_through_two_merges(database: Database) -> None:
    with database.write() as session:
        a, b, c = (new_ticket(session) for _ in range(3))
        for ticket in (a, b, c):
            new_message(session, ticket, f"of {ticket}")
        assert tickets.move_messages(session, a, b) == 1
        assert tickets.move_messages(session, b, c) == 2
    with database.read() as session:
        assert [m.text for m in tickets.conversation(session, c)] == [f"of {n}" for n in (a, b, c)]
    with database.write() as session:
        assert tickets.bring_back_messages(session, a) == 1
        assert [m.text for m in tickets.conversation(session, a)] == [f"of {a}"]
        assert [m.text for m in tickets.conversation(session, c)] == [f"of {n}" for n in (b, c)]
        assert tickets.bring_back_messages(session, b) == 1
        assert [m.text for m in tickets.conversation(session, b)] == [f"of {b}"]


def test_a_merged_ticket_leads_to_the_one_it_was_merged_into(database: Database) -> None:
    with database.write() as session:
        target = new_ticket(session)
        middle = new_ticket(session, merged_into=target)
        first = new_ticket(session, merged_into=middle)
        key = tickets.by_id(session, first).key
        assert tickets.by_key(session, key).id == first
        assert tickets.by_key(session, key, follow_merge=True).id == target
        with pytest.raises(NotFound):
            tickets.by_key(session, "MT-0000-0000")
        fresh = iter([key, "MT-AAAA-AAAA"])
        assert tickets.unused_key(session, lambda: next(fresh)) == "MT-AAAA-AAAA"


def test_places_are_given_by_priority_and_arrival_and_end_with_the_first_answer(database: Database) -> None:
    with database.write() as session:
        late = new_ticket(session, at=after(5))
        early = new_ticket(session, at=after(1))
        twin = new_ticket(session, at=after(1))
        urgent = new_ticket(session, at=after(9), priority="urgent")
        new_ticket(session, at=after(0), status="closed")

    def places() -> list[int | None]:
        with database.read() as session:
            return [tickets.position(session, tickets.by_id(session, n)) for n in (urgent, early, twin, late)]

    assert places() == [1, 2, 3, 4]
    with database.write() as session:
        tickets.set_first_response(session, early, after(20))
        tickets.set_first_response(session, early, after(30))
        answered = tickets.by_id(session, early)
        tickets.set_status(answered, "pending", after(20))
    with database.read() as session:
        assert tickets.by_id(session, early).first_response_at == after(20)
    assert places() == [1, None, 2, 3]


def test_mail_to_an_address_stops_when_it_bounces_and_goes_on_when_its_person_writes_again(database: Database) -> None:
    with database.write() as session:
        person = tickets.requester_of(session, Address("", "ann@example.org"), "en", NOON)
        tickets.set_undeliverable(session, "Ann@example.org", NOON, "5.1.1 no such user")
    with database.write() as session:
        assert tickets.addresses_of(session, person)[0].undeliverable_why == "5.1.1 no such user"
        tickets.set_deliverable(session, "ann@example.org")
    with database.read() as session:
        assert tickets.addresses_of(session, person)[0].undeliverable_since is None


def test_participants_are_kept_in_order(database: Database) -> None:
    with database.write() as session:
        ticket = new_ticket(session)
        for minute, address in enumerate(("zoe@example.org", "bob@example.org")):
            tickets.add_participant(
                session, Participant(ticket_id=ticket, key=address, address=address, added_at=after(minute))
            )
    with database.read() as session:
        assert [p.key for p in tickets.participants(session, ticket)] == ["zoe@example.org", "bob@example.org"]


def test_lists_are_filtered_and_paged_newest_first(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "_PAGE", 2)
    with database.write() as session:
        ids = [new_ticket(session, f"p{n}@example.org", after(n)) for n in range(5)]
        duplicate = new_ticket(session, "p0@example.org", after(6), duplicate_of=ids[0], category="deposit")
        merged = new_ticket(session, "p1@example.org", after(7), merged_into=ids[1], status="closed")
        new_message(session, ids[0])

    def found(limit: int | None = None, **wanted: object) -> list[int | None]:
        criteria = overview.Filter(**wanted)  # type: ignore[arg-type]
        return list(overview.ticket_rows(database, criteria, limit, lambda _session, row: row.ticket.id))

    assert found() == [duplicate, *reversed(ids)]
    assert found(3) == [duplicate, ids[4], ids[3]]
    assert found(merged=True)[0] == merged
    assert found(duplicates=True) == found(category="deposit") == [duplicate]
    assert found(requester="P0@example.org") == [duplicate, ids[0]]
    assert found(requester="nobody@example.org") == []
    assert found(since=after(4)) == [duplicate, ids[4]]
    assert found(status=("closed",), merged=True) == [merged]
    with database.read() as session:
        row = overview.ticket_row(session, tickets.by_id(session, duplicate))
        assert (row.requester, row.duplicate_of) == ("p0@example.org", tickets.by_id(session, ids[0]).key)
        assert overview.ticket_row(session, tickets.by_id(session, ids[0])).messages == 1


def test_a_promise_is_missed_after_the_half_hour_that_was_said(database: Database) -> None:
    with database.write() as session:
        for promised, answered in ((7, 30), (7, 31), (30, 30), (30, 31)):
            ticket = new_ticket(session, promised_by=after(promised), status="pending")
            tickets.set_first_response(session, ticket, after(answered))
        new_ticket(session, promised_by=after(7))
    with database.read() as session:
        figures = overview.figures(session, after(30), after(0))
        assert (figures.kept, figures.missed, figures.overdue) == (2, 2, 0)
        assert (watch.missed(session, after(30)).number, watch.slipping(session, after(30), after(90)).number) == (0, 1)
        assert overview.figures(session, after(31), after(0)).overdue == watch.missed(session, after(31)).number == 1


def test_the_figures_add_up(database: Database) -> None:
    with database.write() as session:
        kept = new_ticket(session, promised_by=after(60), status="pending")
        missed = new_ticket(session, promised_by=after(10), status="pending")
        for ticket in (kept, missed):
            tickets.set_first_response(session, ticket, after(31))
        overdue = new_ticket(session, at=after(-5), promised_by=after(-1))
        new_ticket(session, promised_by=after(99))
        new_outgoing(session, created_at=after(-3))
        new_outgoing(session, state="sent", created_at=after(-9))
        folder = incoming.enter_folder(session, "support", ACCOUNT, 1, 1, NOON, timedelta(0))
        incoming.record_listed(session, folder, [incoming.Listed(n, 1, after(n)) for n in range(1, 5)], after(2))
        rows = incoming.pending(session, int(folder.id or 0), 9)
        incoming.finish(session, int(rows[0].id or 0), NOON, state="quarantined")
        incoming.finish(session, int(rows[1].id or 0), NOON, state="opened", afterwards="due", afterwards_at=NOON)
        incoming.afterwards_failed(session, [int(rows[1].id or 0)], NOON, "read-only")
    with database.read() as session:
        figures = overview.figures(session, after(40), after(0))
        oldest = tickets.by_id(session, overdue).key
        conservation = overview.conservation(session)
    assert figures.tickets == {"pending": 2, "new": 2}
    assert (figures.unanswered, figures.overdue, figures.oldest_unanswered) == (2, 1, (oldest, after(-5)))
    assert (figures.kept, figures.missed) == (1, 1)
    assert (figures.outgoing, figures.oldest_due) == ({"queued": 1, "sent": 1}, after(-3))
    assert (figures.quarantined, figures.pending, figures.oldest_pending) == (1, {"support": 2}, after(2))
    assert figures.afterwards_refused == {"support": (1, "read-only")}
    assert conservation == {"support": {"listed": 2, "opened": 1, "quarantined": 1}}
