"""The queries that every mail asks find their rows by an index, however large the tables grow."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from mailticket.mail import read
from mailticket.mail.address import Address as MailAddress
from mailticket.mail.values import Ourselves
from mailticket.settings import Settings
from mailticket.store import Session, chores, incoming, knowledge, load, outgoing, overview, raws, tickets, watch
from mailticket.store.engine import Database
from mailticket.triage.known import Claims
from tests.store.conftest import ACCOUNT, NOON, new_message, new_outgoing, new_ticket

BIG = ("incoming", "ticket", "message", "outgoing", "raw", "event", "attachment", "address", "requester")
ASKING = ("SELECT", "UPDATE", "DELETE", "WITH")
_SCAN = re.compile(rf"SCAN (?:{'|'.join(BIG)})(?:_\d+)?\b(?! USING)")
SETTINGS = Settings.model_validate({"support": {"address": "s@example.com"}, "smtp": {"host": "127.0.0.1"}})
RAW = b"From: ann@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: x\r\n\r\nText\r\n"


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Everything that is executed inside the block."""
    heard: list[tuple[str, Any]] = []

    def listen(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, many: bool) -> None:
        heard.append((statement, parameters[0] if many else parameters))

    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        yield heard
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)


def _known(session: Session) -> object:
    mail = read(RAW, Ourselves(own_addresses=frozenset()))
    claims = Claims(earlier_ids=("<a@b>",), subject_ids=("MT-0000-TEST",), bounced_id="<c@d>")
    return knowledge.known(session, mail, claims, SETTINGS, NOON)


QUERIES: dict[str, Callable[[Session], object]] = {
    "what bears on a mail": _known,
    "is it owed": lambda s: incoming.is_owed(s, 1),
    "what is pending": lambda s: incoming.pending(s, 1, 50),
    "what is to be flagged": lambda s: incoming.afterwards_due(s, 1, NOON),
    "attempts": lambda s: incoming.begin_attempts(s, [1, 2], NOON),
    "an outcome": lambda s: incoming.finish(s, 1, NOON, state="filed"),
    "why, by Message-ID": lambda s: incoming.find(s, "x@example.org"),
    "raw bytes": lambda s: raws.get(s, "0"),
    "a ticket by its ID": lambda s: tickets.unused_key(s, lambda: "MT-AAAA-AAAA"),
    "a conversation": lambda s: tickets.conversation(s, 1),
    "a history": lambda s: tickets.events(s, 1),
    "a place in the queue": lambda s: tickets.ahead_of(s, "normal", NOON, 1),
    "claiming": lambda s: outgoing.claim(s, NOON, 2),
    "recovering": lambda s: outgoing.recover(s, NOON),
    "held back": lambda s: outgoing.release(s, NOON),
    "closing what is solved": lambda s: chores.close_solved(s, NOON, NOON, 50),
    "answers to a mail": lambda s: outgoing.caused_by(s, 1),
    "the figures of status": lambda s: overview.figures(s, NOON, NOON - timedelta(days=7)),
    "conservation": overview.conservation,
    "a list": lambda s: overview._page(s, overview.Filter(), None, 50),
    "what is one person's": lambda s: overview._page(s, overview.Filter(assigned="mia", unfinished=True), None, 50),
    "a search": lambda s: overview._page(s, overview.Filter(search=("deposit", "到账")), None, 50),
    "a search in the queue": lambda s: overview._in_order(s, overview.Filter(search=("hello",), waiting="us"), 50),
    "the queue": lambda s: overview._in_order(s, overview.Filter(waiting="us"), 50),
    "who wrote again": watch.waiting_again,
    "promises that slip": lambda s: watch.slipping(s, NOON, NOON + timedelta(hours=4)),
    "promises that slipped": lambda s: watch.missed(s, NOON),
    "lost answers": watch.lost_answers,
    "a lost answer": lambda s: tickets.take_back_answer(s, 1, NOON),
    "what no answer followed": lambda s: tickets.oldest_unanswered(s, 1),
    "what is overdue": lambda s: outgoing.overdue(s, NOON),
    "what everybody refuses": watch.refused_by_all,
    "what is not taken in": lambda s: watch.oldest_listed(s, ["support"]),
    "what nobody will take in": lambda s: watch.strays(s, ["other"]),
    "giving up": lambda s: incoming.give_up(s, "support", NOON, "mia"),
    "the load": lambda s: load.snapshot(s, NOON),
    "whether a ticket ID is free": lambda s: tickets.unused_key(s, lambda: "MT-AAAA-AAAB"),
    "who it is from": lambda s: tickets.requester_of(s, MailAddress("", "ann@example.org"), "en", NOON),
    "an address that is deliverable again": lambda s: tickets.set_deliverable(s, "ann@example.org"),
    "letters that have served": lambda s: chores.forget_sent(s, NOON, 200),
    "raw mails that may go": lambda s: chores.forget_raw(s, NOON, NOON, 200),
    "data begun": lambda s: outgoing.set_begun(s, 1, NOON),
    "a delivery's outcome": lambda s: outgoing.set_outcome(s, 1, state="sent", sent_at=NOON),
}


@pytest.fixture
def filled(ready_file: Path, tmp_path: Path) -> Iterator[Database]:
    """A SQLite database with a row of each kind: PostgreSQL's planner would read tables as small as these whole."""
    shutil.copy(ready_file, tmp_path / "plans.db")
    database = Database(f"sqlite:///{tmp_path}/plans.db")
    with database.write() as session:
        folder = incoming.enter_folder(session, "support", ACCOUNT, 1, 1, NOON, timedelta(0))
        incoming.record_listed(session, folder, [incoming.Listed(n, 1, NOON) for n in range(1, 4)], NOON)
        ticket = new_ticket(session)
        new_message(session, ticket)
        new_outgoing(session, ticket)
    yield database
    database.close()


@pytest.mark.parametrize("what", QUERIES)
def test_no_large_table_is_read_whole_for(filled: Database, what: str) -> None:
    with statements(filled) as heard, filled.write() as session:
        QUERIES[what](session)
    asked = [(sql, values) for sql, values in heard if sql.lstrip().split()[0] in ASKING]
    assert asked
    with filled.read() as session:
        connection = session.connection()
        for sql, values in asked:
            plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
            assert not any(_SCAN.search(step) for step in plan), f"{sql}\n{plan}"


@pytest.mark.parametrize(
    ("what", "index"),
    [("the queue", "ix_ticket_waiting"), ("who wrote again", "ix_ticket_waiting"),
     ("what is one person's", "ix_ticket_assigned_to")],
)  # fmt: skip
def test_the_few_are_found_among_the_few(filled: Database, what: str, index: str) -> None:
    """Another index would do, too, and find nearly all tickets that there ever were."""
    with statements(filled) as heard, filled.read() as session:
        QUERIES[what](session)
        asked = [(sql, values) for sql, values in heard if sql.startswith("SELECT")]
        assert asked
        for sql, values in asked:
            plan = [str(row[3]) for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
            assert any(index in step for step in plan), f"{sql}\n{plan}"


@pytest.mark.parametrize("what", QUERIES)
def test_each_database_understands(database: Database, what: str) -> None:
    with database.write() as session:
        ticket = new_ticket(session)
        message = new_message(session, ticket)
        new_outgoing(session, ticket, message_row=message)
        QUERIES[what](session)
