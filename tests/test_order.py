"""Order is the order of writing, not of clocks: a mail server's clock is ahead, behind, or counts whole seconds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from mailticket.store.tickets import by_key, position
from tests.helpdesk import HelpDesk, mail, message_id, parsed, words

ANN = "Ann Lee <ann@mail.example>"
BOB = "Bob <bob@mail.example>"
HOUR = timedelta(hours=1)
CLOCKS = {"an hour ahead": HOUR, "an hour behind": -HOUR, "right": timedelta(0)}
SAME = "My deposit of 250 USDT over TRON has not arrived since Monday."


def by_server(now: datetime, differs: timedelta) -> datetime:
    """The time that an IMAP server gives to what arrives now: INTERNALDATE has whole seconds."""
    return (now + differs).replace(microsecond=0)


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_conversation_is_in_the_order_in_which_it_was_written(helpdesk: HelpDesk, clock: str) -> None:
    helpdesk.later(milliseconds=700)
    request = mail(ANN, subject="Deposit missing", text=SAME)
    opened = helpdesk.receive(request, at=by_server(helpdesk.now, CLOCKS[clock]))
    ticket = opened.ticket or ""
    (letter,) = helpdesk.deliver()
    helpdesk.later(milliseconds=100)
    first = mail(ANN, answers=letter, text="The TXID follows.")
    helpdesk.receive(first, at=by_server(helpdesk.now, CLOCKS[clock]))
    helpdesk.later(milliseconds=100)
    helpdesk.desk.reply(ticket, "Thank you.")
    (answer,) = helpdesk.deliver()
    helpdesk.later(milliseconds=50)
    second = mail(ANN, answers=answer, text="You are welcome.")
    helpdesk.receive(second, at=by_server(helpdesk.now, CLOCKS[clock]))
    helpdesk.desk.reply(ticket, "Solved.")
    stored = helpdesk.ticket(ticket)
    assert stored.kinds == ["request", "acknowledgement", "reply", "staff-reply", "reply", "staff-reply"]
    assert all(message.at <= helpdesk.now for message in stored.messages)
    last = helpdesk.letters()[-1]
    written = [message_id(raw) for raw in (request, letter, first, answer, second)]
    assert str(parsed(last)["References"]).split() == written
    assert "You are welcome." in words(last)


def test_a_clock_ahead_neither_gives_nor_costs_a_place(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(mail(ANN), at=by_server(helpdesk.now, HOUR))
    helpdesk.later(minutes=1)
    second = helpdesk.receive(mail(BOB), at=by_server(helpdesk.now, timedelta(0)))
    helpdesk.later(minutes=1)
    with helpdesk.database.read() as session:
        places = [position(session, by_key(session, result.ticket or "")) for result in (first, second)]
    assert places == [1, 2]
    assert all(stored.row.created_at < helpdesk.now for stored in helpdesk.stored())


def test_two_that_arrived_in_the_same_second_are_served_as_they_were_written(helpdesk: HelpDesk) -> None:
    second = by_server(helpdesk.now, timedelta(0))
    results = [helpdesk.receive(mail(sender), at=second) for sender in (BOB, ANN)]
    with helpdesk.database.read() as session:
        assert [position(session, by_key(session, result.ticket or "")) for result in results] == [1, 2]


def test_a_reply_through_a_server_whose_clock_is_behind_gives_no_earlier_place(helpdesk: HelpDesk) -> None:
    one = helpdesk.receive(mail(ANN)).ticket or ""
    (letter,) = helpdesk.deliver()
    came = helpdesk.ticket(one).row.created_at
    helpdesk.later(minutes=1)
    helpdesk.receive(mail(ANN, answers=letter, text="More."), "sales", at=by_server(helpdesk.now, -HOUR))
    two = helpdesk.receive(mail(BOB)).ticket or ""
    helpdesk.desk.merge(two, one, anyway=True)
    helpdesk.desk.split(two)
    assert helpdesk.ticket(one).row.created_at == came


def test_a_repetition_is_of_the_ticket_that_was_opened_first(helpdesk: HelpDesk) -> None:
    helpdesk.later(hours=2)
    first = helpdesk.receive(mail(ANN, subject="Deposit missing", text=SAME)).ticket
    again = mail(ANN, subject="Deposit missing", text=SAME)
    second = helpdesk.receive(again, "sales", at=by_server(helpdesk.now, -HOUR))
    assert second.duplicate_of == first
    helpdesk.desk.split(second.ticket or "")
    assert helpdesk.receive(mail(ANN, subject="Deposit missing", text=SAME)).duplicate_of == first
