"""The outbox on a real server: what is claimed when, and how many commits a letter costs."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from sqlalchemy import event

from mailticket.outbox.deliver import Outbox
from mailticket.smtp import Courier, Outcome
from mailticket.store.outgoing import Due
from tests.helpdesk import HelpDesk, OpenDesk, mail
from tests.servers.smtp import SmtpSink

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
    """One before the data, one with the outcome and the claim of the next; and the first and the last look."""
    desk = desk_with_letters(open_desk, smtp_sink)
    counted: list[object] = []
    event.listen(desk.database.engine, "commit", counted.append)
    asyncio.run(outbox_of(desk).deliver_due())
    assert len(counted) == 2 * PEOPLE + 2
    assert states(desk) == {"sent": PEOPLE}
    assert smtp_sink.recipients() == [f"person{number}@example.org" for number in range(PEOPLE)]


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
