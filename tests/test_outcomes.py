"""What the outbox writes down of a delivery, and that nothing else is claimed before it is written."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from mailticket.models import Address
from mailticket.outbox import deliver
from mailticket.outbox.deliver import Outbox
from mailticket.smtp import Courier, Outcome
from mailticket.store import outgoing, tickets
from tests.helpdesk import SUPPORT, HelpDesk, OpenDesk, mail
from tests.servers.machine import PATIENCE
from tests.servers.smtp import SmtpSink

SENT = Outcome("sent", "message", 250, "2.0.0", "queued")
UNKNOWN = {"result": None}  # a sender of whom the border says nothing


def desk_on(open_desk: OpenDesk, sink: SmtpSink) -> HelpDesk:
    return open_desk(smtp={"host": "127.0.0.1", "port": sink.port, "security": "none", "connections": 1})


def deliver_due(desk: HelpDesk) -> None:
    asyncio.run(Outbox(desk.site, Courier(desk.site.settings.smtp, lambda: "")).deliver_due())


def undeliverable(desk: HelpDesk, key: str = "ann@mail.example") -> str:
    """Why mail to an address is held back; "" when it is not."""
    with desk.database.read() as session:
        row = session.execute(select(Address).where(col(Address.key) == key)).scalar_one()
    return row.undeliverable_why if row.undeliverable_since else ""


def test_only_what_staff_write_is_the_first_response(open_desk: OpenDesk, smtp_sink: SmtpSink) -> None:
    desk = desk_on(open_desk, smtp_sink)
    key = desk.receive(mail()).ticket or ""
    deliver_due(desk)
    desk.now = desk.ticket(key).row.promised_by  # type: ignore[assignment]
    desk.receive(mail(subject=key, text="STATUS"))
    deliver_due(desk)
    assert [(row.kind, row.state) for row in desk.outbox()] == [("acknowledgement", "sent"), ("status-answer", "sent")]
    assert desk.ticket(key).row.first_response_at is None

    desk.desk.reply(key, "It has arrived.")
    assert desk.ticket(key).row.first_response_at is None, "what is not sent yet was not answered"
    desk.later(minutes=5)
    deliver_due(desk)
    assert desk.ticket(key).row.first_response_at == desk.now


def test_an_address_that_the_server_calls_dead_gets_no_more_letters(open_desk: OpenDesk, smtp_sink: SmtpSink) -> None:
    desk = desk_on(open_desk, smtp_sink)
    desk.receive(mail(**UNKNOWN))
    smtp_sink.for_recipient("ann@mail.example", "550 5.1.1 no such user")
    deliver_due(desk)
    assert [row.state for row in desk.outbox()] == ["failed"]
    assert "5.1.1" in undeliverable(desk)

    again = desk.receive(mail(subject="My API key", text="The API answers 401 to my bot.", **UNKNOWN))
    assert again.state == "opened"
    assert [row.state for row in desk.outbox()] == ["failed", "withheld"]
    assert again.withheld.startswith("mail to this address bounces")


def test_who_is_verified_and_writes_from_a_dead_address_has_a_mailbox_again(
    open_desk: OpenDesk, smtp_sink: SmtpSink
) -> None:
    desk = desk_on(open_desk, smtp_sink)
    desk.receive(mail())
    smtp_sink.for_recipient("ann@mail.example", "550 5.1.1 no such user")
    deliver_due(desk)
    assert undeliverable(desk)
    desk.receive(mail(subject="My API key", text="The API answers 401 to my bot."))
    assert [row.state for row in desk.outbox()] == ["failed", "queued"]
    assert undeliverable(desk) == ""


@pytest.mark.parametrize(
    ("stage", "reply"),
    [("RCPT", "550 5.7.1 not from you"), ("RCPT", "552 5.2.2 mailbox full"), ("DOT", "550 5.1.1 says a filter")],
)
def test_a_refusal_that_is_not_about_the_address_fails_the_mail_alone(
    open_desk: OpenDesk, smtp_sink: SmtpSink, stage: str, reply: str
) -> None:
    desk = desk_on(open_desk, smtp_sink)
    desk.receive(mail(**UNKNOWN))
    smtp_sink.next(stage, reply)
    deliver_due(desk)
    assert [row.state for row in desk.outbox()] == ["failed"]
    assert undeliverable(desk) == ""


def test_a_report_that_an_address_is_dead_stops_its_letters(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail(**UNKNOWN))
    [letter] = helpdesk.deliver()
    helpdesk.receive(_report(letter, "5.1.1"))
    assert "5.1.1" in undeliverable(helpdesk)
    again = helpdesk.receive(mail(subject="My API key", text="The API answers 401 to my bot.", **UNKNOWN))
    assert (again.state, again.letter) == ("opened", "acknowledgement")
    assert again.withheld.startswith("mail to this address bounces")
    assert helpdesk.letters() == []


def _report(letter: bytes, status: str) -> bytes:
    """A delivery report (RFC 3464) that returns the letter."""
    report = (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\n"
        f"To: {SUPPORT}\r\nSubject: Undelivered\r\nMessage-ID: <report-{status}@mx.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; ann@mail.example\r\nAction: failed\r\nStatus: {status}\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    return report.encode() + letter + b"\r\n--b--\r\n"


class Counter:
    """A courier that delivers without a server; `turn` is awaited with the number of each mail before its outcome."""

    def __init__(self, turn: Callable[[int], Awaitable[None]]) -> None:
        self._turn = turn
        self.delivered: list[str] = []
        self.reports: list[str] = []

    async def deliver(
        self, sender: str, recipient: str, message: bytes, before_data: Any, *, notify: str, copies: Sequence[str]
    ) -> Outcome:
        number = len(self.delivered)
        self.delivered.append(recipient)
        self.reports.append(notify)
        await before_data()
        await self._turn(number)
        return SENT

    async def close(self) -> None:
        """There is nothing to close."""


class Book:
    """Watches what the outbox writes, in order: claim, begun, outcome. While `closed`, no outcome can be written."""

    def __init__(self, desk: HelpDesk) -> None:
        self.closed = False
        self.on_refusal: Callable[[], object] = lambda: None
        self.entries: list[str] = []
        event.listen(desk.database.engine, "before_cursor_execute", self._look)

    def _look(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if not statement.startswith("UPDATE outgoing"):
            return
        is_outcome = "sent_at" in statement
        if is_outcome and self.closed:
            self.on_refusal()
            raise OperationalError(statement, parameters, sqlite3.OperationalError("database or disk is full"))
        self.entries.append("outcome" if is_outcome else "claim" if "attempts" in statement else "begun")


def desk_with_letters(open_desk: OpenDesk, letters: int) -> HelpDesk:
    desk = open_desk(smtp={"host": "127.0.0.1", "port": 25, "security": "none", "connections": 2})
    desk.receive_all(mail(f"person{number}@example.org", subject=f"Matter {number}") for number in range(letters))
    assert len(desk.letters()) == letters
    return desk


def states(desk: HelpDesk) -> list[str]:
    return [row.state for row in desk.outbox()]


def test_nothing_is_claimed_while_an_outcome_is_not_durable(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or, with a full disk and a server that is well, a stop would leave one uncertain mail after the other."""
    monkeypatch.setattr(deliver, "_STORE_PAUSE", 0.01)
    desk = desk_with_letters(open_desk, 1)
    book = Book(desk)

    async def close_at_first(number: int) -> None:
        book.closed = number == 0

    async def play() -> None:
        loop = asyncio.get_running_loop()
        looks, sent, refused = asyncio.Semaphore(0), asyncio.Semaphore(0), asyncio.Event()
        book.on_refusal = lambda: loop.call_soon_threadsafe(refused.set)
        outbox = Outbox(desk.site, courier, lambda due, outcome: sent.release(), looks.release)  # type: ignore[arg-type]
        running = asyncio.create_task(outbox.run())
        await refused.wait()
        desk.receive(mail("late@example.org", subject="Matter of the hour"))
        while not looks.locked():
            await looks.acquire()
        for _ in range(3):
            outbox.wake()
            await looks.acquire()
        assert states(desk) == ["sending", "queued"]
        book.closed = False
        await sent.acquire()
        await sent.acquire()
        outbox.stop()
        await running

    courier = Counter(close_at_first)
    asyncio.run(asyncio.wait_for(play(), PATIENCE))
    assert states(desk) == ["sent", "sent"]
    assert courier.delivered == ["person0@example.org", "late@example.org"]


def test_of_two_deliveries_that_end_together_neither_claims_before_both_are_written(open_desk: OpenDesk) -> None:
    desk = desk_with_letters(open_desk, 4)
    book = Book(desk)

    async def play() -> None:
        both = asyncio.Barrier(2)

        async def together(number: int) -> None:
            if number < 2:
                await both.wait()

        await Outbox(desk.site, Counter(together)).deliver_due()  # type: ignore[arg-type]

    asyncio.run(asyncio.wait_for(play(), PATIENCE))
    assert states(desk) == ["sent"] * 4
    first, second, *_ = (n for n, entry in enumerate(book.entries) if entry == "outcome")
    assert "claim" not in book.entries[first:second]


def test_only_of_what_staff_write_a_report_is_wanted(open_desk: OpenDesk) -> None:
    """RFC 3461: nobody reads a report of an acknowledgement that did not arrive."""
    desk = desk_with_letters(open_desk, 1)
    [stored] = desk.stored()
    desk.desk.reply(stored.row.key, "It has arrived.")

    async def at_once(_number: int) -> None:
        return None

    courier = Counter(at_once)
    asyncio.run(Outbox(desk.site, courier).deliver_due())  # type: ignore[arg-type]
    assert courier.reports == ["failure", "never"]


def test_a_round_ends_with_what_was_due_when_it_began(open_desk: OpenDesk) -> None:
    """Or a round with a server that defers everything would never end."""
    desk = desk_with_letters(open_desk, 2)
    with desk.database.write() as session:
        outgoing.set_outcome(session, 2, state="deferred", next_attempt_at=desk.now + timedelta(minutes=5))

    async def slowly(_number: int) -> None:
        desk.later(minutes=10)

    asyncio.run(Outbox(desk.site, Counter(slowly)).deliver_due())  # type: ignore[arg-type]
    assert states(desk) == ["sent", "deferred"]


def test_an_attempt_that_the_database_could_not_note_is_made_again_later(open_desk: OpenDesk) -> None:
    desk = desk_with_letters(open_desk, 1)
    left = ["one refusal"]

    def refuse(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.startswith("UPDATE outgoing SET begun_at") and left:
            left.clear()
            raise desk.full_disk()

    async def never(_number: int) -> None:
        raise AssertionError("the mail left although nobody knows that it began to")

    event.listen(desk.database.engine, "before_cursor_execute", refuse)
    asyncio.run(Outbox(desk.site, Counter(never)).deliver_due())  # type: ignore[arg-type]
    [row] = desk.outbox()
    assert (row.state, row.begun_at, row.attempts) == ("deferred", None, 1)
    assert "could not note the attempt" in row.last_error


class Stumbling(Counter):
    """A courier with a defect: it raises for one mail, before or after its data was begun."""

    def __init__(self, number: int, *, begun: bool) -> None:
        super().__init__(self._stumble)
        self._stumbles, self._begun = number, begun

    async def deliver(
        self, sender: str, recipient: str, message: bytes, before_data: Any, *, notify: str, copies: Sequence[str]
    ) -> Outcome:
        if not self._begun:
            await self._stumble(len(self.delivered))
        return await super().deliver(sender, recipient, message, before_data, notify=notify, copies=copies)

    async def _stumble(self, number: int) -> None:
        if number == self._stumbles:
            self._stumbles = -1
            raise LookupError("a defect")


@pytest.mark.parametrize(("begun", "state"), [(False, "deferred"), (True, "uncertain")])
def test_a_defect_in_a_delivery_is_its_outcome_and_the_others_go_on(
    open_desk: OpenDesk, begun: bool, state: str
) -> None:
    desk = desk_with_letters(open_desk, 4)
    asyncio.run(Outbox(desk.site, Stumbling(1, begun=begun)).deliver_due())  # type: ignore[arg-type]
    assert sorted(states(desk)) == sorted(["sent", "sent", "sent", state])
    [row] = desk.outbox(state)
    assert "a defect of mailticket (LookupError)" in row.last_error
    assert row.begun_at is None
    assert (row.next_attempt_at > desk.now) == (not begun)


def test_a_staff_answer_that_met_a_defect_is_sent_once_more(open_desk: OpenDesk) -> None:
    desk = desk_with_letters(open_desk, 1)
    desk.deliver()
    [stored] = desk.stored()
    number = desk.desk.reply(stored.row.key, "It has arrived.").outgoing or 0
    courier = Stumbling(0, begun=True)
    asyncio.run(Outbox(desk.site, courier).deliver_due())  # type: ignore[arg-type]
    [row] = [row for row in desk.outbox() if row.id == number]
    assert (row.state, row.sent_again, len(courier.delivered)) == ("sent", True, 2)


def test_a_defect_in_writing_an_outcome_down_leaves_the_outcome(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_with_letters(open_desk, 1)
    desk.deliver()
    [stored] = desk.stored()
    number = desk.desk.reply(stored.row.key, "It has arrived.").outgoing or 0

    def break_down(*_arguments: object, **_options: object) -> None:
        raise LookupError("a defect")

    async def at_once(_number: int) -> None:
        return None

    monkeypatch.setattr(tickets, "set_first_response", break_down)
    courier = Counter(at_once)
    asyncio.run(Outbox(desk.site, courier).deliver_due())  # type: ignore[arg-type]
    [row] = [row for row in desk.outbox() if row.id == number]
    assert (row.state, row.sent_at, len(courier.delivered)) == ("sent", desk.now, 1)


def test_after_a_defect_in_claiming_what_is_under_way_ends_and_nothing_more_is_claimed(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the mail past its final dot would be cut off, or one claimed by an outbox that nobody runs any more."""
    desk = desk_with_letters(open_desk, 1)
    plain = outgoing.claim

    async def play() -> None:
        begun, broken, reply = asyncio.Event(), asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def break_down(*_arguments: object, **_options: object) -> None:
            monkeypatch.setattr(outgoing, "claim", plain)
            loop.call_soon_threadsafe(broken.set)
            raise LookupError("a defect")

        async def hang(_number: int) -> None:
            begun.set()
            await reply.wait()

        outbox = Outbox(desk.site, Counter(hang))  # type: ignore[arg-type]
        running = asyncio.create_task(outbox.run())
        await begun.wait()
        desk.receive(mail("late@example.org", subject="Matter of the hour"))
        monkeypatch.setattr(outgoing, "claim", break_down)
        outbox.wake()
        await broken.wait()
        reply.set()
        with pytest.raises(LookupError):
            await running

    asyncio.run(asyncio.wait_for(play(), PATIENCE))
    assert states(desk) == ["sent", "queued"]
