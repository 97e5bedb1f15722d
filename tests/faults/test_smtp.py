"""Rows 10 to 15: what an SMTP server can do to us, seen from what it accepted and how often it was asked."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from mailticket.outbox import deliver
from tests.e2e import post
from tests.faults import truth
from tests.faults.conftest import MakeHouse
from tests.faults.house import House
from tests.faults.postfix import PostfixSink
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import STALL, SmtpSink

pytestmark = pytest.mark.dovecot

ANN = "person1@example.org"
GREYLISTED = "450 4.2.1 greylisted, come again"


def a_while_later(**time: float) -> time_machine.travel:
    """The clock of this process, daemon included, so much later; it goes on."""
    return time_machine.travel(datetime.now(UTC) + timedelta(**time))


def test_f10_a_greylisted_mail_waits_five_minutes_and_is_sent_once(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    smtp_sink.always("RCPT", GREYLISTED)
    dovecot.deliver(post.requests(1))
    began = datetime.now(UTC)
    house.once()
    waits = datetime.fromisoformat(house.site.outbox()[0]["next_attempt_at"]) - began
    assert timedelta(minutes=5) <= waits <= timedelta(minutes=8)
    smtp_sink.always("RCPT", None)
    with a_while_later(minutes=4):
        house.once()
    assert smtp_sink.accepted == []
    with a_while_later(minutes=9):
        house.once()
        house.once()
    truth.each_was_answered_once(smtp_sink, [ANN])


def test_f11_a_mail_that_is_refused_for_now_after_its_dot_was_never_sent(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    smtp_sink.next("DOT", "452 4.3.1 out of storage")
    dovecot.deliver(post.requests(1))
    house.once()
    assert smtp_sink.accepted == []
    with a_while_later(hours=1):
        house.once()
        house.once()
    truth.each_was_answered_once(smtp_sink, [ANN])


@pytest.mark.parametrize(("stage", "reply"), [("RCPT", "550 5.1.1 no such user"), ("DOT", "554 5.7.1 spam")])
def test_f12_a_mail_that_is_refused_for_good_is_not_tried_again_and_causes_no_other(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink, stage: str, reply: str
) -> None:
    smtp_sink.always(stage, reply)
    dovecot.deliver(post.requests(1))
    house.once()
    smtp_sink.always(stage, None)
    with a_while_later(hours=200):
        house.once()
    assert smtp_sink.accepted == []
    assert smtp_sink.commands.count("RCPT") == 1
    (ticket,) = house.site.tickets()
    assert "acknowledgement failed" in [event["event"] for event in house.site.show(ticket["id"])["history"]]


def test_f13_one_of_two_recipients_refused_leaves_the_other_sent_once(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    smtp_sink.for_recipient(ANN, GREYLISTED)
    dovecot.deliver(post.requests(2))
    house.once()
    truth.each_was_answered_once(smtp_sink, ["person2@example.org"])
    smtp_sink.for_recipient(ANN, None)
    with a_while_later(minutes=9):
        house.once()
    truth.each_was_answered_once(smtp_sink, [ANN, "person2@example.org"])


def test_f14_a_stalled_smtp_server_does_not_stop_intake(house: House, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    smtp_sink.always("EHLO", STALL)
    house.start()
    dovecot.append(post.request("first@example.org"))
    smtp_sink.wait_for_command("EHLO")
    dovecot.deliver(post.requests(3))
    truth.all_are_flagged(dovecot, 4)
    smtp_sink.always("EHLO", None)
    smtp_sink.release()
    smtp_sink.wait_for(4)
    house.settle(4)
    house.stop()
    truth.each_was_answered_once(smtp_sink, ["first@example.org", *(f"person{n}@example.org" for n in (1, 2, 3))])


def test_f15_a_refused_sign_in_keeps_the_queue_and_does_not_hammer(
    make_house: MakeHouse, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "_SERVER_PAUSE", (2.0, 300.0))
    guarded = SmtpSink(sign_in=True)
    try:
        house = make_house(
            smtp={"port": guarded.port, "username": "support@example.com", "password": "correct-horse"},
        )
        guarded.always("AUTH", "535 5.7.8 the password has expired")
        dovecot.deliver(post.requests(6))
        house.start()
        house.site.wait_log("the outbox waits 2 s for the SMTP server")
        truth.all_are_flagged(dovecot, 6)
        assert guarded.commands.count("AUTH") == 1  # not one for each mail, nor for each connection
        assert guarded.accepted == []
        guarded.always("AUTH", None)
        guarded.wait_for(6)
        house.settle(6)
        house.stop()
        truth.each_was_answered_once(guarded, [f"person{n}@example.org" for n in range(1, 7)])
    finally:
        guarded.stop()


@pytest.mark.parametrize(
    ("option", "state"),
    [(("-r", "rcpt"), "deferred"), (("-r", "."), "deferred"), (("-f", "."), "failed"), (("-q", "."), "uncertain")],
)
def test_f08_f10_f11_f12_postfix_s_own_sink_sees_the_same(
    make_house: MakeHouse, dovecot: Dovecot, option: tuple[str, ...], state: str
) -> None:
    if not PostfixSink.available():  # a second witness beside aiosmtpd, asked where it happens to be
        pytest.skip("Postfix's smtp-sink is not installed")
    with PostfixSink(*option) as sink:
        house = make_house(smtp={"port": sink.port})
        dovecot.deliver(post.requests(1))
        house.once()
        house.once()
        assert Counter(row["state"] for row in house.site.outbox()) == {state: 1}
        assert sink.times_told() <= 1
