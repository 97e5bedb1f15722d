"""Rows 1 to 9: the program is killed at each step of a mail's way; the servers show what that cost: nothing."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from mailticket.errors import StoreUnavailable
from tests.e2e import post
from tests.e2e.site import Site
from tests.faults import truth
from tests.faults.house import House
from tests.helpdesk import HelpDesk, mail
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Proxy
from tests.servers.smtp import DROP_KEPT, STALL, STALL_KEPT, SmtpSink

pytestmark = pytest.mark.dovecot

PEOPLE = ["person1@example.org", "person2@example.org"]


def kill_and_go_on(site: Site, dovecot: Dovecot, fail: str) -> None:
    """Two mails wait; the program is killed at a place, and run again to the end."""
    dovecot.deliver(post.requests(2))
    site.start(fail, ready=False)
    assert site.ended() == -signal.SIGKILL
    site.once()


def test_f01_a_kill_between_the_fetch_and_the_record_fetches_again(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    with Proxy(dovecot.plain_port) as wire:
        site.configure(mailbox={"port": wire.port})
        kill_and_go_on(site, dovecot, "collect.fetched:1:kill")
        fetches = [line for _, verb, line in truth.commands(bytes(wire.sent)) if "BODY.PEEK[]" in line]
    assert len(fetches) == 2
    truth.each_was_answered_once(smtp_sink, PEOPLE)
    truth.all_are_flagged(dovecot, 2)


def test_f02_a_kill_between_the_record_and_the_transaction_takes_each_mail_up_once(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    kill_and_go_on(site, dovecot, "intake.attempted:1:kill")
    truth.each_was_answered_once(smtp_sink, PEOPLE)
    truth.all_are_flagged(dovecot, 2)


def test_f03_a_kill_inside_the_transaction_leaves_nothing_of_it(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    kill_and_go_on(site, dovecot, "intake.in_transaction:1:kill")
    truth.each_was_answered_once(smtp_sink, PEOPLE)
    truth.all_are_flagged(dovecot, 2)


def test_f03_whichever_statement_fails_there_is_no_ticket_without_its_answer(helpdesk: HelpDesk) -> None:
    """The disk is full at the first statement of the transaction, then at the second, and so on through all of them."""
    tried = 0
    while True:
        tried += 1
        with _fails_at(tried, helpdesk.full_disk()) as failed:
            outcome = _taken(helpdesk, mail(f"person{tried}@mail.example"))
        assert len(helpdesk.stored()) == len(helpdesk.outbox()), f"statement {tried}"
        assert (outcome is None) == failed(), f"statement {tried}"
        if not failed():
            break
    assert tried > 10
    assert len(helpdesk.stored()) == 1


def _taken(helpdesk: HelpDesk, raw: bytes) -> Any:
    try:
        return helpdesk.receive(raw)
    except StoreUnavailable:
        return None


class _fails_at:
    """The n-th statement that changes anything fails as on a full disk, and nothing after it does."""

    def __init__(self, number: int, fault: Exception) -> None:
        self._left, self._failed, self._fault = number, False, fault

    def __enter__(self) -> Callable[[], bool]:
        event.listen(Engine, "before_cursor_execute", self._count)
        return lambda: self._failed

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._count)

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE")):
            self._left -= 1
            if self._left == 0:
                self._failed = True
                raise self._fault


def test_f04_a_kill_between_the_commit_and_the_flag_only_repeats_the_flag(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    dovecot.deliver(post.requests(1))
    site.start("intake.committed:1:kill", ready=False)
    assert site.ended() == -signal.SIGKILL
    assert truth.unflagged(dovecot) == 1
    assert site.once()["fetched"] == 0
    truth.all_are_flagged(dovecot, 1)
    truth.each_was_answered_once(smtp_sink, PEOPLE[:1])


def test_f05_a_kill_after_the_flag_still_sends_the_answer(site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    smtp_sink.stop()  # so that nothing leaves before the kill
    dovecot.deliver(post.requests(1))
    site.start("collect.flagged:1:kill", ready=False)
    assert site.ended() == -signal.SIGKILL
    truth.all_are_flagged(dovecot, 1)
    smtp_sink.start()
    assert site.once()["fetched"] == 0
    truth.each_was_answered_once(smtp_sink, PEOPLE[:1])


def test_f06_a_kill_before_the_data_sends_the_mail_later_and_once(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    smtp_sink.next("RCPT", STALL)
    dovecot.deliver(post.requests(1))
    site.start()
    smtp_sink.wait_for_command("RCPT")
    assert site.stop(signal.SIGKILL) == -signal.SIGKILL
    smtp_sink.release()
    assert site.once()["sent"] == 1
    truth.each_was_answered_once(smtp_sink, PEOPLE[:1])


def test_f07_a_kill_after_the_final_dot_leaves_an_uncertain_mail_that_is_not_sent_again(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    smtp_sink.next("DOT", STALL_KEPT)
    dovecot.deliver(post.requests(1))
    site.start()
    smtp_sink.wait_for(1)
    assert site.stop(signal.SIGKILL) == -signal.SIGKILL
    site.once()
    truth.each_was_answered_once(smtp_sink, PEOPLE[:1])
    assert [row["state"] for row in site.outbox()] == ["uncertain"]
    assert "1 mail may or may not have been accepted" in site.cli("check", "--offline").stdout


@pytest.mark.parametrize("kept", [True, False])
def test_f08_a_line_that_dies_after_the_final_dot_is_as_uncertain_as_a_kill(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink, kept: bool
) -> None:
    smtp_sink.next("DOT", DROP_KEPT if kept else "drop")
    dovecot.deliver(post.requests(1))
    house.once()
    house.once()
    assert truth.copies(smtp_sink) == ({PEOPLE[0]: 1} if kept else {})
    assert [row["state"] for row in house.site.outbox()] == ["uncertain"]


def test_f09_a_kill_between_the_250_and_its_record_repeats_no_acknowledgement(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    kill_and_go_on(site, dovecot, "outbox.accepted:1:kill")
    copies = truth.copies(smtp_sink)
    assert max(copies.values()) == 1
    assert sorted(row["state"] for row in site.outbox() if copies[row["to"]] == 0) in ([], ["uncertain"])
    assert "uncertain" in {row["state"] for row in site.outbox()}


def test_f09_and_a_staff_answer_at_most_once_under_the_same_message_id(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    dovecot.deliver(post.requests(1))
    site.once()
    site.cli("ticket", "reply", post.ticket_id(smtp_sink.accepted[0]), "--text", "It is on its way.")
    for _ in range(2):
        site.start("outbox.accepted:1:kill", ready=False)
        assert site.ended() == -signal.SIGKILL
    site.once()
    answers = smtp_sink.accepted[1:]
    assert len(answers) == 2
    assert len(set(post.message_ids(answers))) == 1
    assert [row["state"] for row in site.outbox()] == ["sent", "uncertain"]
