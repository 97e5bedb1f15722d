"""What the store knows of a mail's claims: the sender's own only, and one mail of a requester after the other."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from mailticket.likeness.duplicates import fingerprint
from mailticket.mail.address import Address
from mailticket.mail.values import Mail
from mailticket.settings import Settings
from mailticket.store import Session, knowledge, tickets
from mailticket.store.engine import Database
from mailticket.topics.exchange_trade import EXCHANGE
from mailticket.triage.known import Claims, Known
from tests.servers.machine import PATIENCE
from tests.store.conftest import NOON, after, new_outgoing, new_ticket, wait_for_locks

SETTINGS = Settings.model_validate({"support": {"address": "support@example.com"}, "smtp": {"host": "localhost"}})
ANN, EVE = "ann@example.org", "eve@evil.example"
OWN = "<own@example.org>"


def asked(session: Session, sender: str = ANN, *references: str, now: datetime = NOON, **more: Any) -> Known:
    """What is known for a mail of this sender that refers to some Message-IDs."""
    mail = Mail("digest", "identity", 100, sender_address=Address("", sender), trust="unknown", **more)
    return knowledge.known(session, mail, Claims(earlier_ids=references), SETTINGS, now)


def wrote(session: Session, ticket: int, sender: str = ANN, **more: Any) -> None:
    """A mail of this sender lies on a ticket."""
    values: dict[str, Any] = {"direction": "in", "kind": "request", "message_id": OWN, "from_address": sender,
                              "trust": "unknown", "at": NOON, **more}  # fmt: skip
    tickets.add_message(session, ticket_id=ticket, text="Hello", new_text="Hello", **values)


def test_a_reference_leads_to_a_ticket_only_whoever_wrote_what_it_names(database: Database) -> None:
    with database.write() as session:
        ticket = new_ticket(session)
        new_ticket(session, EVE)
        wrote(session, ticket, "Ann@Example.org")
        key = tickets.by_id(session, ticket).key
    with database.write() as session:
        assert asked(session, ANN, "<other@example.org>", OWN).earlier == {OWN: key}
        assert asked(session, EVE, OWN).earlier == {}
        assert asked(session, "nobody@example.org", OWN).earlier == {}
        assert asked(session, ANN, "<other@example.org>").earlier == {}


@pytest.mark.parametrize("what", [{"trust": "failed"}, {"direction": "out"}])
def test_neither_a_forged_mail_nor_one_of_ours_is_the_sender_s_own(database: Database, what: dict[str, str]) -> None:
    with database.write() as session:
        wrote(session, new_ticket(session), **what)
    with database.write() as session:
        assert asked(session, ANN, OWN).earlier == {}


def test_of_several_mails_under_one_message_id_the_first_counts(database: Database) -> None:
    with database.write() as session:
        first, second = new_ticket(session), new_ticket(session)
        wrote(session, first)
        wrote(session, second)
        key = tickets.by_id(session, first).key
    with database.write() as session:
        assert asked(session, ANN, OWN).earlier == {OWN: key}


def test_what_bounces_is_known_of_the_sender_alone(database: Database) -> None:
    with database.write() as session:
        new_ticket(session)
        new_ticket(session, EVE)
        tickets.set_undeliverable(session, ANN, NOON, "5.1.1 no such user")
    with database.write() as session:
        assert asked(session, ANN).undeliverable == "5.1.1 no such user"
        assert asked(session, EVE).undeliverable == ""


def test_open_tickets_are_the_sender_s_own_within_the_window_and_none_that_was_forged(database: Database) -> None:
    print_ = fingerprint("", "My deposit has not arrived", fields={}, category="deposit", category_sure=True,
                         lexicon=EXCHANGE.lexicon)  # fmt: skip
    with database.write() as session:
        mine = new_ticket(session, fingerprint=print_.to_json())
        for more in ({"trust": "failed"}, {"status": "closed"}, {"created_at": after(-60 * 24 * 400)}):
            new_ticket(session, fingerprint=print_.to_json(), **more)
        new_ticket(session, EVE, fingerprint=print_.to_json())
        key = tickets.by_id(session, mine).key
    with database.write() as session:
        assert [ticket.key for ticket in asked(session).open_tickets] == [key]


@pytest.mark.parametrize(
    ("minutes", "hour", "day"), [(-59, 1, 1), (-61, 0, 1), (-60 * 24 + 1, 0, 1), (-60 * 24 - 1, 0, 0)]
)
def test_letters_count_for_an_hour_and_a_day(database: Database, minutes: float, hour: int, day: int) -> None:
    with database.write() as session:
        new_outgoing(session, counted_at=after(minutes))
    with database.write() as session:
        counts = asked(session).counts
    assert (counts.address_hour, counts.address_day) == (hour, day)


@pytest.mark.postgres
@pytest.mark.parametrize("other_sender", ["ann@example.org", "ann@work.example", "new@example.org"])
def test_two_intakes_of_one_requester_at_once_judge_one_after_the_other(
    postgres_database: Database, other_sender: str
) -> None:
    """Or both would find the same number of letters below the cap, and no open ticket that they repeat. One requester:
    whoever writes from any address of a person, and who has never written before."""
    database = postgres_database
    with database.write() as session:
        new_ticket(session)
        tickets.link_addresses(session, Address("", ANN), Address("", "ann@work.example"))
    later: list[Known] = []

    def judge_too() -> None:
        with database.write() as session:
            later.append(asked(session, other_sender))

    other = threading.Thread(target=judge_too, name="other intake", daemon=True)
    with database.write() as session:
        sender = other_sender if other_sender.startswith("new") else ANN
        assert asked(session, sender).counts.address_hour == 0
        other.start()
        wait_for_locks(database, 1, unless=lambda: bool(later))
        assert later == [], "the other intake did not wait for the requester"
        new_outgoing(session, counted_at=NOON, recipient_key=other_sender)
    other.join(PATIENCE)
    assert [known.counts.address_hour for known in later] == [1]


@pytest.mark.postgres
def test_intakes_of_different_requesters_do_not_wait_for_each_other(postgres_database: Database) -> None:
    database = postgres_database
    with database.write() as session:
        new_ticket(session)
        new_ticket(session, EVE)
    with database.write() as one, database.write() as two:
        two.execute(text("SET LOCAL lock_timeout = '5s'"))
        assert asked(one).counts == asked(two, EVE).counts
