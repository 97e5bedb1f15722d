"""Who waits for whom, and since when: no mail of a requester is out of the queue before an answer followed it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from alembic import command
from sqlalchemy import select
from sqlmodel import col

from mailticket.models import Ticket
from mailticket.outbox.deliver import Outbox
from mailticket.smtp import Courier
from mailticket.store import overview, schema, tickets
from mailticket.upkeep.chores import Upkeep
from tests.helpdesk import START, HelpDesk, OpenDesk, mail, parsed
from tests.servers.databases import Databases
from tests.servers.smtp import SmtpSink

HOUR = timedelta(hours=1)


@pytest.fixture
def databases(each_database: Databases) -> Databases:
    return each_database


@pytest.fixture
def desk(open_desk: OpenDesk) -> HelpDesk:
    """A help desk on each kind of database."""
    return open_desk()


def waiting(desk: HelpDesk, key: str | None) -> tuple[str, str, datetime | None]:
    row = desk.ticket(key).row
    return row.status, row.waiting_for, row.waiting_since


def place(desk: HelpDesk, key: str | None) -> int | None:
    with desk.database.read() as session:
        return tickets.position(session, tickets.by_key(session, str(key)))


def request(desk: HelpDesk, subject: str = "Deposit has not arrived", sender: str = "ann@mail.example") -> str:
    key = desk.receive(mail(sender, subject=subject, text=f"{subject}. Please look into it.")).ticket
    desk.deliver()
    return str(key)


def again(desk: HelpDesk, key: str, text: str = "Is there any news?", **more: str) -> None:
    """The requester writes to the ticket once more."""
    letters = [m.message_id for m in desk.ticket(key).messages if m.direction == "out" and m.message_id]
    result = desk.receive(mail(subject=f"Re: {key}", text=text, answers=letters[-1], **more))
    assert result.ticket == key


def send(desk: HelpDesk, sink: SmtpSink) -> None:
    """Deliver what is due through a real server."""
    desk.reopen(smtp={"host": "127.0.0.1", "port": sink.port, "security": "none"})
    asyncio.run(Outbox(desk.site, Courier(desk.site.settings.smtp, lambda: "")).deliver_due())


def test_a_request_waits_since_it_came_and_writing_again_moves_nothing(desk: HelpDesk) -> None:
    key = request(desk)
    assert waiting(desk, key) == ("new", "us", START)
    desk.later(hours=1)
    other = request(desk, sender="bob@mail.example")
    again(desk, key)
    assert waiting(desk, key) == ("new", "us", START)
    assert [place(desk, key), place(desk, other)] == [1, 2]


def test_who_writes_after_an_answer_is_in_the_queue_since_that_mail(desk: HelpDesk) -> None:
    key = request(desk)
    desk.desk.reply(key, "It is on its way.")
    desk.deliver()
    assert (waiting(desk, key), place(desk, key)) == (("pending", "them", None), None)
    desk.later(hours=1)
    other = request(desk, sender="bob@mail.example")
    desk.later(hours=1)
    again(desk, key)
    desk.later(hours=1)
    again(desk, key, "Hello? Is anybody there?")
    assert waiting(desk, key) == ("open", "us", START + 2 * HOUR)
    assert [place(desk, other), place(desk, key)] == [1, 2]
    desk.desk.reply(key, "It has arrived.")
    assert waiting(desk, key) == ("pending", "them", None)


def test_automatic_mail_changes_nothing(desk: HelpDesk) -> None:
    key = request(desk)
    desk.desk.reply(key, "It is on its way.")
    desk.deliver()
    again(desk, key, "I am out of the office.", Auto_Submitted="auto-replied")
    assert waiting(desk, key) == ("pending", "them", None)


def test_a_question_for_the_state_changes_nothing(desk: HelpDesk) -> None:
    key = request(desk)
    desk.desk.reply(key, "It is on its way.")
    desk.deliver()
    again(desk, key, "status")
    assert waiting(desk, key) == ("pending", "them", None)


def test_what_is_at_its_end_waits_for_nobody_until_somebody_opens_it_again(desk: HelpDesk) -> None:
    key = request(desk)
    desk.desk.close(key)
    assert waiting(desk, key) == ("closed", "nobody", None)
    desk.later(hours=1)
    desk.desk.reopen(key)
    assert waiting(desk, key) == ("open", "us", START)
    again(desk, key, "solved")
    assert waiting(desk, key) == ("solved", "nobody", None)
    desk.later(days=9)
    Upkeep(desk.site).run()
    assert waiting(desk, key) == ("closed", "nobody", None)
    again(desk, key, "It came back.")
    assert waiting(desk, key) == ("open", "us", desk.now)


def test_an_answered_ticket_that_staff_open_again_waits_for_them(desk: HelpDesk) -> None:
    key = request(desk)
    desk.desk.reply(key, "It is on its way.")
    desk.later(hours=1)
    desk.desk.reopen(key)
    assert waiting(desk, key) == ("open", "us", desk.now)


@pytest.mark.parametrize("stage", ["RCPT", "DOT"])
def test_an_answer_that_is_refused_puts_its_ticket_back(desk: HelpDesk, smtp_sink: SmtpSink, stage: str) -> None:
    key = request(desk)
    desk.later(hours=1)
    desk.desk.reply(key, "It is on its way.")
    smtp_sink.next(stage, "550 5.7.1 not wanted here")
    send(desk, smtp_sink)
    assert waiting(desk, key) == ("open", "us", START)
    assert desk.ticket(key).happened("status") == ["pending -> open: the answer did not arrive"]


def test_an_answer_that_is_given_up_puts_its_ticket_back_though_it_was_closed(
    desk: HelpDesk, smtp_sink: SmtpSink
) -> None:
    key = request(desk)
    desk.desk.reply(key, "It is on its way.")
    desk.desk.close(key)
    smtp_sink.always("RCPT", "452 4.2.2 mailbox full")
    send(desk, smtp_sink)
    assert waiting(desk, key) == ("closed", "nobody", None)
    desk.later(hours=121)
    send(desk, smtp_sink)
    assert waiting(desk, key) == ("open", "us", START)


def test_an_answer_that_bounces_puts_its_ticket_back(desk: HelpDesk) -> None:
    key = request(desk)
    desk.desk.reply(key, "It is on its way.")
    [wire] = desk.deliver()
    desk.later(hours=1)
    desk.receive(bounce(wire))
    assert waiting(desk, key) == ("open", "us", START)


def bounce(wire: bytes) -> bytes:
    letter = parsed(wire)
    return "\r\n".join([
        "Return-Path: <>", "From: Mail Delivery System <MAILER-DAEMON@relay.example>", "To: support@coinharbor.com",
        "Subject: Undelivered Mail Returned to Sender", "Message-ID: <bounce@relay.example>", "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', "",
        "--b", "Content-Type: text/plain", "", "It could not be delivered.", "",
        "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; relay.example", "",
        f"Final-Recipient: rfc822; {letter['To']}", "Action: failed", "Status: 5.2.2", "",
        "--b", "Content-Type: text/rfc822-headers", "", f"Message-ID: {letter['Message-ID']}", "", "--b--", "",
    ]).encode()  # fmt: skip


def test_a_later_answer_that_arrives_makes_up_for_one_that_does_not(desk: HelpDesk, smtp_sink: SmtpSink) -> None:
    key = request(desk)
    desk.desk.reply(key, "One.")
    desk.desk.reply(key, "Two.")
    smtp_sink.next("RCPT", "550 5.7.1 not wanted here")
    send(desk, smtp_sink)
    send(desk, smtp_sink)
    assert [row.state for row in desk.outbox() if row.kind == "staff-reply"] == ["failed", "sent"]
    assert waiting(desk, key) == ("pending", "them", None)


def test_of_answers_that_all_fail_the_oldest_wait_counts(desk: HelpDesk, smtp_sink: SmtpSink) -> None:
    key = request(desk)
    desk.later(hours=1)
    for answer in ("One.", "Two."):
        desk.desk.reply(key, answer)
    smtp_sink.always("RCPT", "550 5.7.1 not wanted here")
    send(desk, smtp_sink)
    send(desk, smtp_sink)
    assert waiting(desk, key) == ("open", "us", START)


def test_an_answer_that_is_cancelled_puts_its_ticket_back_and_sending_it_again_takes_it_out(desk: HelpDesk) -> None:
    key = request(desk)
    number = desk.desk.reply(key, "It is on its way.").outgoing or 0
    desk.later(hours=1)
    desk.desk.cancel_outgoing(number)
    assert waiting(desk, key) == ("open", "us", START)
    desk.desk.retry_outgoing(number)
    assert waiting(desk, key) == ("pending", "them", None)
    desk.desk.cancel_outgoing(number)
    again(desk, key)
    desk.desk.retry_outgoing(number)
    assert waiting(desk, key) == ("open", "us", START)


def test_of_two_merged_tickets_the_one_that_waits_wins(desk: HelpDesk) -> None:
    waits = request(desk)
    desk.later(hours=1)
    answered = request(desk, "API key is refused", "bob@mail.example")
    desk.desk.reply(answered, "Here is a new one.")
    desk.deliver()
    with desk.database.write() as session:
        tickets.set_first_response(session, int(desk.ticket(answered).row.id or 0), desk.now)
    promised = desk.ticket(waits).row.promised_by
    desk.later(hours=1)
    desk.desk.merge(waits, answered, anyway=True)
    assert waiting(desk, answered) == ("open", "us", START)
    assert waiting(desk, waits) == ("closed", "nobody", None)
    row = desk.ticket(answered).row
    assert (row.first_response_at, row.promised_by) == (None, promised)
    assert place(desk, answered) == 1

    desk.desk.split(waits)
    assert waiting(desk, waits) == ("new", "us", START)
    assert waiting(desk, answered) == ("pending", "them", None)
    assert desk.ticket(answered).row.first_response_at == START + HOUR


def test_no_split_of_a_chain_of_merges_hides_who_waits(desk: HelpDesk) -> None:
    """An answer to one person, given before the merge, is none to the person into whose ticket it was merged."""
    keys = [request(desk, subject, f"{name}@mail.example") for subject, name in
            (("Deposit missing", "ann"), ("API key is refused", "bob"), ("Cannot log in", "cid"))]  # fmt: skip
    answered, waits, target = keys
    desk.later(hours=1)
    desk.desk.reply(answered, "It is on its way.")
    desk.deliver()
    with desk.database.write() as session:
        tickets.set_first_response(session, int(desk.ticket(answered).row.id or 0), desk.now)
    desk.desk.merge(waits, answered, anyway=True)
    desk.desk.merge(answered, target, anyway=True)
    desk.desk.split(waits)
    assert waiting(desk, waits)[1:] == ("us", START)
    assert waiting(desk, target) == ("new", "us", START)

    desk.desk.split(answered)
    assert [waiting(desk, key) for key in keys] == [
        ("pending", "them", None),
        ("new", "us", START),
        ("new", "us", START),
    ]
    assert desk.ticket(answered).row.first_response_at == START + HOUR


def test_a_split_off_ticket_that_waits_is_open(desk: HelpDesk) -> None:
    """The rest had an answer in the merged ticket only: it is in the queue again, and counted as unanswered."""
    source, target = request(desk), request(desk, "API key is refused", "bob@mail.example")
    desk.desk.merge(source, target, anyway=True)
    desk.desk.reply(target, "Both of you: done.")
    assert waiting(desk, target)[:2] == ("pending", "them")
    desk.receive(mail("ann@mail.example", subject=source, text="Still missing"))
    desk.desk.reply(target, "Now it is.")
    desk.desk.split(source)
    assert waiting(desk, source) == ("new", "us", START)
    assert waiting(desk, target)[:2] == ("pending", "them")


def test_an_answered_ticket_takes_nothing_from_the_one_that_it_is_merged_into(desk: HelpDesk) -> None:
    answered = request(desk)
    desk.desk.reply(answered, "It is on its way.")
    desk.later(hours=1)
    waits = request(desk, "API key is refused", "bob@mail.example")
    desk.desk.merge(answered, waits, anyway=True)
    assert waiting(desk, waits) == ("new", "us", START + HOUR)


def test_an_answer_of_a_merged_ticket_that_fails_puts_the_ticket_back_that_it_lies_in(
    desk: HelpDesk, smtp_sink: SmtpSink
) -> None:
    source = request(desk)
    desk.desk.reply(source, "It is on its way.")
    target = request(desk, "API key is refused", "bob@mail.example")
    desk.desk.merge(source, target, anyway=True)
    desk.desk.reply(target, "Here is a new one.")
    smtp_sink.next("RCPT", "550 5.7.1 not wanted here")
    send(desk, smtp_sink)
    assert waiting(desk, target) == ("open", "us", START)


def test_the_list_is_filtered_by_who_waits_and_the_queue_is_in_its_order(desk: HelpDesk) -> None:
    first = request(desk)
    desk.later(hours=1)
    second = request(desk, sender="bob@mail.example")
    desk.desk.reply(first, "It is on its way.")
    desk.deliver()
    desk.later(hours=1)
    again(desk, first)
    third = request(desk, "KYC passport was rejected", "cy@mail.example")
    desk.desk.reply(third, "Which one?")

    def keys(whom: Literal["us", "them"], limit: int | None = None) -> list[str]:
        criteria = overview.Filter(waiting=whom)
        return list(overview.ticket_rows(desk.database, criteria, limit, lambda _session, row: row.ticket.key))

    lists, limited = {"us": keys("us"), "them": keys("them")}, keys("us", 1)
    assert lists == {"us": [second, first], "them": [third]}
    assert limited == [second]


def test_an_older_database_is_brought_to_what_would_have_been_kept(desk: HelpDesk, smtp_sink: SmtpSink) -> None:
    """Everything that moves who waits, done with this release; then the columns are lost and made anew."""
    people = iter(range(100))

    def opened() -> str:
        desk.later(hours=1)
        number = next(people)
        return request(desk, f"Order {number} is lost", f"p{number}@mail.example")

    answered, waits_again, refused, closed, solved, asked = (opened() for _ in range(6))
    opened()
    for key in (answered, waits_again, refused, solved, asked):
        desk.desk.reply(key, f"About {key}.")
        if key == refused:
            smtp_sink.next("RCPT", "550 5.7.1 not wanted here")
        send(desk, smtp_sink)
    desk.later(hours=1)
    for key, text_ in ((waits_again, "Any news?"), (asked, "status"), (solved, "solved")):
        again_from_owner(desk, key, text_)
    desk.desk.close(closed)
    desk.desk.merge(opened(), opened(), anyway=True)
    before = _all(desk)
    assert {whom for _, whom, _ in before.values()} == {"us", "them", "nobody"}
    with (
        desk.database.engine.connect() as connection,
        schema._foreign_keys_off(desk.database, connection),
        connection.begin(),
    ):
        command.downgrade(schema.alembic_config(connection), "0003")
    desk.database.engine.dispose()
    assert schema.prepare(desk.database) is True
    assert _all(desk) == before


def again_from_owner(desk: HelpDesk, key: str, text_: str) -> None:
    [owner] = desk.ticket(key).requester
    letters = [m.message_id for m in desk.ticket(key).messages if m.direction == "out" and m.message_id]
    assert desk.receive(mail(owner, subject="Re: it", text=text_, answers=letters[-1])).ticket == key


def _all(desk: HelpDesk) -> dict[str, Any]:
    with desk.database.read() as session:
        rows = session.execute(select(Ticket).order_by(col(Ticket.id))).scalars()
        return {row.key: (row.status, row.waiting_for, row.waiting_since) for row in rows}
