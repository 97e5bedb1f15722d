"""The outbox on a real server: what is claimed when, what a letter costs, and that no claim is left over."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from mailticket.errors import Refused
from mailticket.intake.take_in import Result
from mailticket.observe import failpoints
from mailticket.observe.failpoints import FAILPOINTS, InjectedFault
from mailticket.outbox import deliver
from mailticket.outbox.deliver import Outbox
from mailticket.service.daemon import Daemon
from mailticket.settings import Settings
from mailticket.smtp import Courier, Outcome
from mailticket.store import outgoing
from mailticket.store.outgoing import Due
from mailticket.upkeep.troubles import troubles
from tests.helpdesk import HelpDesk, OpenDesk, mail
from tests.servers.machine import PATIENCE, until
from tests.servers.smtp import STALL_KEPT, SmtpSink

PEOPLE = 6


def desk_with_letters(open_desk: OpenDesk, sink: SmtpSink) -> HelpDesk:
    smtp = {"host": "127.0.0.1", "port": sink.port, "security": "none", "connections": 1}
    desk = open_desk(smtp=smtp)
    desk.receive_all(mail(f"person{number}@example.org", subject=f"Matter {number}") for number in range(PEOPLE))
    assert len(desk.letters()) == PEOPLE
    return desk


def outbox_of(desk: HelpDesk, on_sent: Any = lambda due, outcome: None) -> Outbox:
    return Outbox(desk.site, Courier(desk.site.settings.smtp, lambda: ""), on_sent)


def states(desk: HelpDesk) -> Counter[str]:
    return Counter(row.state for row in desk.outbox())


def test_a_letter_costs_two_commits(open_desk: OpenDesk, smtp_sink: SmtpSink) -> None:
    """One before the data, one with the outcome and the claim of the next; and the first and the last look, for what is
    due and for what was left claimed."""
    desk = desk_with_letters(open_desk, smtp_sink)
    counted: list[object] = []
    event.listen(desk.database.engine, "commit", counted.append)
    asyncio.run(outbox_of(desk).deliver_due())
    assert len(counted) == 2 * PEOPLE + 4
    assert states(desk) == {"sent": PEOPLE}
    assert smtp_sink.recipients() == [f"person{number}@example.org" for number in range(PEOPLE)]


@pytest.mark.parametrize("in_trouble", [False, True])
def test_who_waits_for_its_rest_goes_on_when_all_has_left_or_nothing_can(
    open_desk: OpenDesk, smtp_sink: SmtpSink, in_trouble: bool
) -> None:
    desk = desk_with_letters(open_desk, smtp_sink)
    if in_trouble:
        smtp_sink.always("MAIL", "421 4.3.2 shutting down")
    outbox = outbox_of(desk)
    assert outbox.wait_for_rest(0)  # one that does not run holds up nobody

    async def play() -> Counter[str]:
        running = asyncio.create_task(outbox.run())
        await asyncio.sleep(0)
        outbox.wake()
        assert await asyncio.to_thread(outbox.wait_for_rest, PATIENCE)
        found = states(desk)
        outbox.stop()
        await running
        return found

    found = asyncio.run(play())
    assert found == ({"deferred": 1, "queued": PEOPLE - 1} if in_trouble else {"sent": PEOPLE})


@pytest.mark.parametrize(
    ("rested", "letters", "waits"),
    [
        (True, ["acknowledgement"], True),
        (False, ["acknowledgement"], False),  # it may be busy for long
        (True, [""], False),
        (True, ["acknowledgement"] * 2, False),  # more may wait
    ],
)
def test_a_mailbox_lets_only_the_letter_of_a_lone_mail_go_first(
    open_desk: OpenDesk, rested: bool, letters: list[str], waits: bool
) -> None:
    asked: list[float] = []

    class Watched(Outbox):
        def wait_for_rest(self, seconds: float) -> bool:
            asked.append(seconds)
            return rested

    desk = open_desk(smtp={"host": "127.0.0.1", "port": 25, "security": "none"})
    daemon = Daemon(lambda: desk.site.settings)
    daemon._outbox = Watched(desk.site, Courier(desk.site.settings.smtp, lambda: ""))
    daemon._took_in(
        [Result(number, "opened", "new request", "", letter=letter) for number, letter in enumerate(letters)]
    )
    assert [seconds > 0 for seconds in asked] == [False, True][: 1 + waits]


def test_a_stop_claims_nothing_more(open_desk: OpenDesk, smtp_sink: SmtpSink) -> None:
    desk = desk_with_letters(open_desk, smtp_sink)

    def stop(_due: Due, _outcome: Outcome) -> None:
        outbox.stop()

    outbox = outbox_of(desk, stop)
    asyncio.run(outbox.run())
    # The one that was claimed with the first outcome is delivered, and nothing is claimed with its own.
    assert states(desk) == {"sent": 2, "queued": PEOPLE - 2}


def test_a_server_in_trouble_is_asked_once_and_no_row_is_left_claimed(open_desk: OpenDesk, smtp_sink: SmtpSink) -> None:
    desk = desk_with_letters(open_desk, smtp_sink)
    smtp_sink.always("MAIL", "421 4.3.2 shutting down")
    asyncio.run(outbox_of(desk).deliver_due())
    assert states(desk) == {"deferred": 1, "queued": PEOPLE - 1}
    assert [row.attempts for row in desk.outbox()] == [0] * PEOPLE
    smtp_sink.always("MAIL", None)
    asyncio.run(outbox_of(desk).deliver_due())
    assert states(desk) == {"sent": PEOPLE}


def test_a_reply_that_hangs_when_the_outbox_ends_leaves_an_outcome(
    open_desk: OpenDesk, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "_LAST_REPLY", 0.05)
    desk = desk_with_letters(open_desk, smtp_sink)
    smtp_sink.next("DOT", STALL_KEPT)

    async def play() -> None:
        outbox = outbox_of(desk)
        running = asyncio.create_task(outbox.run())
        await asyncio.to_thread(smtp_sink.wait_for, 1)
        outbox.stop()
        await running

    asyncio.run(asyncio.wait_for(play(), PATIENCE))
    assert states(desk) == {"uncertain": 1, "queued": PEOPLE - 1}


@pytest.fixture
def daemon(open_desk: OpenDesk, smtp_sink: SmtpSink) -> Iterator[tuple[HelpDesk, Daemon, dict[str, Any]]]:
    """A daemon without mailboxes at work on a desk's database, and the [smtp] table that it reads again at a reload."""
    desk = desk_with_letters(open_desk, smtp_sink)
    smtp = desk.site.settings.smtp.model_dump(exclude_unset=True)
    tables = desk.site.settings.model_dump(exclude_unset=True) | {
        "database": {"url": desk.url}, "smtp": smtp,
    }  # fmt: skip
    daemon = Daemon(lambda: Settings.model_validate(tables))
    thread = threading.Thread(target=daemon.run, name="daemon", daemon=True)
    thread.start()
    assert daemon.ready.wait(PATIENCE)
    yield desk, daemon, smtp
    daemon.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_reload_of_the_server_leaves_no_mail_that_is_on_its_way(
    daemon: tuple[HelpDesk, Daemon, dict[str, Any]], smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old courier waits for the reply to a mail when the new one takes its place; the others go by the new one."""
    monkeypatch.setattr(deliver, "_LAST_REPLY", 0.05)
    desk, running, smtp = daemon
    smtp_sink.wait_for(PEOPLE)
    until(lambda: states(desk) == {"sent": PEOPLE}, "the outcomes")
    smtp_sink.next("DOT", STALL_KEPT)
    desk.receive_all(mail(f"late{number}@example.org", subject=f"Late matter {number}") for number in range(2))
    smtp_sink.wait_for(PEOPLE + 1)
    smtp["connections"] = 2
    running.reload()
    smtp_sink.wait_for(PEOPLE + 2)
    until(lambda: states(desk) == {"sent": PEOPLE + 1, "uncertain": 1}, "an outcome of each mail")
    assert max(Counter(smtp_sink.recipients()).values()) == 1


def test_what_an_outbox_that_was_cut_short_left_claimed_is_settled_by_the_next(
    open_desk: OpenDesk, smtp_sink: SmtpSink
) -> None:
    desk = desk_with_letters(open_desk, smtp_sink)
    with desk.database.write() as session:
        _, begun = outgoing.claim(session, desk.now, 2)
        outgoing.set_begun(session, begun.id, desk.now)

    async def play() -> None:
        outbox = outbox_of(desk)
        running = asyncio.create_task(outbox.run())
        await asyncio.to_thread(smtp_sink.wait_for, PEOPLE - 1)
        outbox.stop()
        await running

    asyncio.run(asyncio.wait_for(play(), PATIENCE))
    assert [row.state for row in desk.outbox()] == ["sent", "uncertain", *["sent"] * (PEOPLE - 2)]


@pytest.mark.parametrize("place", [name for name in FAILPOINTS if name.startswith("outbox.")])
@pytest.mark.parametrize("time", [1, 2])
def test_a_defect_at_any_place_leaves_no_row_claimed_and_sends_none_twice(
    open_desk: OpenDesk, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, place: str, time: int
) -> None:
    desk = desk_with_letters(open_desk, smtp_sink)
    monkeypatch.setattr(failpoints, "_seen", Counter())
    monkeypatch.setenv(failpoints.VARIABLE, f"{place}:{time}:raise")
    for _ in range(2):
        with contextlib.suppress(InjectedFault):
            asyncio.run(outbox_of(desk).deliver_due())
    rows = states(desk)
    assert rows["sent"] + rows["uncertain"] == PEOPLE
    assert rows["uncertain"] == (place in ("outbox.begun", "outbox.accepted"))
    assert len(set(smtp_sink.recipients())) == len(smtp_sink.accepted) == PEOPLE - (place == "outbox.begun")


def test_what_is_being_sent_is_neither_cancelled_nor_sent_again(open_desk: OpenDesk, smtp_sink: SmtpSink) -> None:
    desk = desk_with_letters(open_desk, smtp_sink)
    smtp_sink.next("DOT", STALL_KEPT)

    async def play() -> None:
        outbox = outbox_of(desk)
        running = asyncio.create_task(outbox.run())
        await asyncio.to_thread(smtp_sink.wait_for, 1)
        for change in (desk.desk.cancel_outgoing, desk.desk.retry_outgoing):
            with pytest.raises(Refused, match="is being sent at this moment"):
                change(1)
        assert desk.desk.release([1]) == 0
        desk.desk.cancel_outgoing(2)
        smtp_sink.release()
        await asyncio.to_thread(smtp_sink.wait_for, PEOPLE - 1)
        outbox.stop()
        await running

    asyncio.run(asyncio.wait_for(play(), PATIENCE))
    assert states(desk) == {"sent": PEOPLE - 1, "cancelled": 1}
    assert smtp_sink.recipients() == [f"person{number}@example.org" for number in (0, 2, 3, 4, 5)]


def test_the_trouble_of_one_account_keeps_only_its_own_mail_and_ends_with_its_brand(
    open_desk: OpenDesk, smtp_sink: SmtpSink
) -> None:
    port = smtp_sink.port
    smtp_sink.always("MAIL", "421 4.3.2 shutting down")
    with contextlib.ExitStack() as ends:
        other = SmtpSink()
        ends.callback(other.stop)
        servers = {name: {"host": "127.0.0.1", "port": at, "security": "none", "connections": 1}
                   for name, at in (("common", port), ("bakery", other.port))}  # fmt: skip
        brand = {"name": "bakery", "title": "Corner Bakery", "address": "sales@bakery.example", "prefix": "BK",
                 "smtp": servers["bakery"]}  # fmt: skip
        desk = open_desk(smtp=servers["common"], brand=[brand])
        for number in range(2):
            desk.receive(mail(f"a{number}@example.org", subject=f"Matter {number}"))
            desk.receive(mail(f"b{number}@example.org", subject=f"Cake {number}", To="sales@bakery.example"))

        def drain() -> list[str]:
            further = {"bakery": Courier(desk.site.settings.accounts["bakery"], lambda: "")}
            outbox = Outbox(desk.site, Courier(desk.site.settings.smtp, lambda: ""), further=further)
            asyncio.run(outbox.deliver_due())
            return outbox.server_troubles

        [trouble] = drain()
        assert trouble.startswith("smtp: ")
        assert "421" in trouble
        assert smtp_sink.recipients() == []
        assert other.recipients() == ["b0@example.org", "b1@example.org"]
        smtp_sink.always("MAIL", None)
        assert drain() == []
        assert smtp_sink.recipients() == ["a0@example.org", "a1@example.org"]
        other.always("MAIL", "421 4.3.2 shutting down")
        desk.receive(mail("b2@example.org", subject="Cake 2", To="sales@bakery.example"))
        [trouble] = drain()
        assert trouble.startswith("smtp bakery: ")
    with desk.database.read() as session:
        names = {trouble.name for trouble in troubles(session, desk.site.settings, desk.database, desk.now)}
        fewer = desk.site.settings.model_copy(update={"brand": ()})
        later = {trouble.name for trouble in troubles(session, fewer, desk.database, desk.now)}
    assert ("smtp bakery" in names, "smtp bakery" in later) == (True, False)
