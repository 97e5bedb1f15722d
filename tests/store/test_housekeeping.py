"""What housekeeping, alerts and the report ask of the store: the same answers on both databases, by indexes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from mailticket.models import Address, Event, Incoming, Outgoing, Raw, Requester, Ticket
from mailticket.store import chores, outgoing, raws, requests, schema, watch
from mailticket.store.engine import Database

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = request.param == "sqlite"
    made = Database(f"sqlite:///{tmp_path}/m.db" if sqlite else request.getfixturevalue("postgres_url"))
    schema.prepare(made)
    with made.write() as session:
        _fill(session)
    yield made
    made.close()


def _fill(session: Session) -> None:
    session.add(Requester(id=1, created_at=NOW))
    session.flush()
    session.add(Address(key="ann@mail.example", address="ann@mail.example", requester_id=1))
    session.add(Address(key="gone@mail.example", address="gone@mail.example", requester_id=1, undeliverable_since=NOW))
    tickets: list[dict[str, Any]] = [
        {},  # 1: told, late
        {"status": "closed"},
        {"first_response_at": NOW},
        {"trust": "failed"},
        {"promised_by": NOW + 9 * HOUR},  # 5: not late yet
        {"late_notice_at": NOW, "late_warned_at": NOW},
        {},  # 7: its acknowledgement was withheld
        {},  # 8: its address bounces
    ]
    for number, more in enumerate(tickets, 1):
        values = {"promised_by": NOW, "status": "new", **more}
        session.add(
            Ticket(id=number, key=f"MT-{number}", requester_id=1, created_at=NOW - HOUR, updated_at=NOW, **values)
        )
    session.flush()
    session.add(Ticket(id=9, key="MT-9", created_at=NOW - HOUR, updated_at=NOW, promised_by=NOW, merged_into=1))
    for number in range(1, 9):
        state = "withheld" if number == 7 else "sent"
        hold = "cap_total" if number == 7 else ""
        to = "gone@mail.example" if number == 8 else "ann@mail.example"
        session.add(_outgoing(number, "acknowledgement", to, state, hold))
    session.add(_outgoing(None, "alert", "ops@mail.example", "sent", ""))
    session.add(_outgoing(1, "staff-reply", "ann@mail.example", "deferred", ""))
    for number, state in enumerate(("listed", "quarantined", "opened"), 1):
        session.add(Incoming(id=number, route="file", arrived_at=NOW, listed_at=NOW, decided_at=NOW, state=state))
    for digest, due in (("a", NOW - HOUR), ("b", NOW + HOUR), ("c", None)):
        session.add(Raw(digest=digest, size=1, data=b"x", stored_at=NOW, mask_after=due))
    session.add(Event(ticket_id=1, at=NOW - 48 * HOUR, kind="opened"))
    session.add(Event(ticket_id=1, at=NOW, kind="promised"))


def _outgoing(ticket: int | None, kind: str, to: str, state: str, hold: str) -> Outgoing:
    return Outgoing(
        ticket_id=ticket, kind=kind, envelope_from="s@example.com", recipient=to, recipient_key=to, state=state,
        recipient_domain="mail.example", message_id=f"<{ticket}.{kind}@example.com>", wire=b"", hold=hold,
        created_at=NOW, next_attempt_at=NOW,
    )  # fmt: skip


def test_only_those_who_were_told_a_promise_and_can_be_reached_are_late(database: Database) -> None:
    with database.read() as session:
        late = chores.late(session, NOW + HOUR, 10)
        slipping = chores.slipping(session, NOW + HOUR, 10)
    assert [(told.ticket.key, told.recipient, told.message_id) for told in late] == [
        ("MT-1", "ann@mail.example", "<1.acknowledgement@example.com>")
    ]
    assert sorted(ticket.key for ticket in slipping) == ["MT-1", "MT-4", "MT-7", "MT-8"]


def test_what_waits_is_counted(database: Database) -> None:
    with database.read() as session:
        assert watch.oldest_listed(session, ["support"]) == (1, NOW)
        assert outgoing.overdue(session, NOW)[1] == NOW
        assert watch.quarantined(session) == (1, NOW)
        assert (watch.capped(session, NOW - HOUR), watch.capped(session, NOW)) == (1, 0)
        assert watch.alerts_since(session, "OPS@mail.example", NOW - HOUR) == 1
        assert raws.to_mask(session, NOW, 10) == ["a"]


def test_the_history_is_forgotten_from_its_oldest_end(database: Database) -> None:
    with database.write() as session:
        assert chores.forget_events(session, NOW - HOUR, 10) == 1
        assert chores.forget_events(session, NOW - HOUR, 10) == 0


def test_the_record_leaves_merged_tickets_out(database: Database) -> None:
    with database.read() as session:
        found = list(requests.requests(session, NOW - 2 * HOUR))
        assert len(list(requests.requests(session, NOW - 2 * HOUR, 3))) <= 3
        assert list(requests.requests(session, NOW)) == []
    assert len(found) == 8
    assert sum(request.answered_at is not None for request in found) == 1


def test_the_pace_is_what_the_record_says(database: Database) -> None:
    with database.read() as session:
        record = list(requests.requests(session, NOW - 2 * HOUR))
        promised, waits = requests.pace(session, NOW - 2 * HOUR, 100)
        assert requests.pace(session, NOW, 100) == (0, [])
    assert promised == sum(request.promised_by is not None for request in record)
    answered = [request for request in record if request.answered_at]
    assert waits == [(request.answered_at - request.at) / HOUR for request in answered if request.answered_at]


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: chores.late(session, NOW, 10),
        lambda session: chores.slipping(session, NOW, 10),
        lambda session: watch.oldest_listed(session, ["support"]),
        lambda session: outgoing.overdue(session, NOW),
        watch.quarantined,
        lambda session: watch.capped(session, NOW),
        lambda session: watch.alerts_since(session, "ops@mail.example", NOW),
        lambda session: raws.to_mask(session, NOW, 10),
        lambda session: list(requests.requests(session, NOW, 10)),
    ],
)
def test_no_question_scans_a_table(tmp_path: Path, ask: Callable[[Session], object]) -> None:
    database = Database(f"sqlite:///{tmp_path}/m.db")
    schema.prepare(database)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    with database.read() as session:
        ask(session)
        questions = [one for one in asked if one[0].startswith("SELECT")]
        assert questions
        for statement, parameters in questions:
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row[3] for row in plan]
            assert not [step for step in steps if step.startswith(("SCAN", "SEARCH")) and "USING" not in step], steps
    database.close()
