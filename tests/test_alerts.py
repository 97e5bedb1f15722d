"""The administrator gets one mail when something stays broken, and one when it works again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from mailticket.letters import Alert, Trouble, alert_message, alert_subject
from mailticket.letters.samples import HEAD
from mailticket.models import Outgoing
from mailticket.store import incoming, meta, outgoing
from mailticket.triage import signatures
from mailticket.upkeep.alerts import Alerts
from mailticket.upkeep.checkup import check_state
from mailticket.upkeep.chores import Upkeep
from mailticket.upkeep.troubles import LEAST_DISK
from tests.helpdesk import HelpDesk, OpenDesk, mail, parsed

OPS = "ops@example.net"
PLENTY = 100 * LEAST_DISK
MAILBOXES = [{"name": name, "host": "127.0.0.1", "username": name} for name in ("support", "m0", "m1", "m2", "m3")]


@pytest.fixture
def helpdesk(open_desk: OpenDesk) -> OpenDesk:
    return lambda to=(OPS,), **alerts: open_desk(mailbox=MAILBOXES, alerts={"to": to, **alerts})


def look(desk: HelpDesk, free: int = PLENTY) -> list[str]:
    """The subjects of the alerts that one look writes; they are delivered at once."""
    Alerts(desk.site, lambda folder: free).look(desk.now)
    return sent(desk)


def sent(desk: HelpDesk) -> list[str]:
    rows = [row for row in desk.outbox("queued") if row.kind == "alert"]
    with desk.database.write() as session:
        for row in rows:
            outgoing.set_outcome(session, int(row.id or 0), state="sent", sent_at=desk.now)
    return [row.subject for row in rows]


def breaks(desk: HelpDesk, name: str = "mailbox support", said: str = "the server cannot be reached") -> None:
    with desk.database.write() as session:
        meta.went_wrong(session, name, desk.now, said)


def works(desk: HelpDesk, name: str = "mailbox support") -> None:
    with desk.database.write() as session:
        meta.went_well(session, name, desk.now)


def test_one_mail_when_it_stays_broken_and_one_when_it_works_again(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    breaks(desk)
    assert look(desk) == []
    desk.later(minutes=14)
    assert look(desk) == []
    desk.later(minutes=1)
    assert look(desk) == ["[mailticket] broken: mailbox support"]
    desk.later(hours=5)
    assert look(desk) == []
    works(desk)
    assert look(desk) == ["[mailticket] works again: mailbox support"]
    assert look(desk) == []


def test_a_trouble_that_passes_is_not_worth_a_mail(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    breaks(desk)
    desk.later(minutes=10)
    works(desk)
    desk.later(minutes=10)
    breaks(desk)
    desk.later(minutes=10)
    assert look(desk) == []


def test_what_broke_together_is_told_together_to_everybody(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk(to=(OPS, "second@example.net"))
    breaks(desk)
    breaks(desk, "smtp", "535 5.7.8 sign-in refused")
    desk.later(minutes=15)
    assert look(desk) == ["[mailticket] broken: mailbox support, smtp"] * 2
    assert [row.recipient for row in desk.outbox()] == [OPS, "second@example.net"]


def test_an_outbox_that_does_not_move_is_told(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    desk.receive(mail())
    desk.later(minutes=15)
    assert look(desk) == ["[mailticket] broken: outbox"]
    desk.deliver()
    assert look(desk) == ["[mailticket] works again: outbox"]


def test_mail_that_is_not_taken_in_is_told(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    with desk.database.write() as session:
        row = incoming.record_file(session, desk.now, 10, desk.now, "support")
    desk.later(minutes=15)
    assert look(desk) == ["[mailticket] broken: intake"]
    with desk.database.write() as session:
        incoming.finish(session, row, desk.now, state="filed", rule="test", reason="")
    assert look(desk) == ["[mailticket] works again: intake"]


def test_a_quarantine_that_nobody_empties_is_told(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    with desk.database.write() as session:
        row = incoming.record_file(session, desk.now, 10, desk.now, "support")
        incoming.finish(session, row, desk.now, state="quarantined", rule="poison", reason="ended the program")
    desk.later(minutes=15)
    assert look(desk) == ["[mailticket] broken: quarantine"]
    [finding] = [f for f in check_state(desk.site.settings, desk.database, desk.now) if f.subject == "quarantine"]
    assert finding.level == "wrong"  # said once, by its own figure
    with desk.database.write() as session:
        incoming.finish(session, row, desk.now, state="filed", rule="discarded", reason="")
    assert look(desk) == ["[mailticket] works again: quarantine"]
    look(desk)
    with desk.database.read() as session:
        assert meta.health(session) == []


@pytest.mark.sqlite
def test_a_disk_that_fills_is_told(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    assert look(desk, free=LEAST_DISK - 1) == []
    desk.later(minutes=15)
    assert look(desk, free=LEAST_DISK - 1) == ["[mailticket] broken: disk"]
    assert [f.said for f in check_state(desk.site.settings, desk.database, desk.now) if f.subject == "disk"]
    assert look(desk) == ["[mailticket] works again: disk"]


def test_a_cap_for_all_that_is_reached_is_told(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    desk.reopen(alerts={"to": [OPS]}, caps={"total_hour": 1})
    for number in range(3):
        desk.receive(mail(f"p{number}@mail.example", result=None))
    desk.deliver()
    assert look(desk) == []
    desk.later(minutes=15)
    assert look(desk) == ["[mailticket] broken: answers"]
    desk.later(hours=1)
    assert look(desk) == ["[mailticket] works again: answers"]


def test_at_most_so_many_a_day_and_the_rest_later(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk(per_day=2)
    told = []
    for number in range(4):
        breaks(desk, f"mailbox m{number}")
        desk.later(minutes=20)
        told += look(desk)
    assert told == ["[mailticket] broken: mailbox m0", "[mailticket] broken: mailbox m1"]
    desk.later(days=1)
    assert look(desk) == ["[mailticket] broken: mailbox m2, mailbox m3"]


def test_alerts_do_not_use_up_what_requesters_are_owed(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    desk.reopen(mailbox=MAILBOXES, alerts={"to": ["ann@mail.example"]}, caps={"per_address_hour": 1})
    breaks(desk)
    desk.later(minutes=15)
    assert len(look(desk)) == 1
    desk.receive(mail())
    assert [row.state for row in desk.outbox() if row.kind == "acknowledgement"] == ["queued"]


def test_without_an_address_nobody_is_told(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk(to=())
    breaks(desk)
    desk.later(days=1)
    assert look(desk) == []


def test_housekeeping_sends_alerts_also_while_the_clock_is_wrong(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    woken: list[bool] = []
    house = Upkeep(desk.site, lambda: woken.append(True))
    desk.later(hours=3)
    house.run()
    desk.later(minutes=15)
    house.run()
    assert sent(desk) == ["[mailticket] broken: clock"]
    assert woken == [True]
    Upkeep(desk.site).run()
    assert sent(desk) == ["[mailticket] works again: clock"]


def test_a_bounced_alert_is_recorded_and_an_answer_to_one_opens_a_ticket(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    breaks(desk)
    desk.later(minutes=15)
    look(desk)
    [alert] = desk.outbox()
    assert signatures.read_message_id(desk.site.keys, alert.message_id) is not None
    answer = desk.receive(mail(f"Ops <{OPS}>", "Re: broken", "On it.", answers=alert.wire, result=None))
    assert answer.state == "opened"
    desk.receive(_bounce(alert))
    assert [row.state for row in desk.outbox() if row.kind == "alert"] == ["failed"]


def _bounce(alert: Outgoing) -> bytes:
    return "\r\n".join([
        "Return-Path: <>", "From: Mail Delivery System <MAILER-DAEMON@relay.example>", "To: support@coinharbor.com",
        "Subject: Undelivered Mail Returned to Sender", "Message-ID: <bounce@relay.example>", "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', "",
        "--b", "Content-Type: text/plain", "", "It could not be delivered.", "",
        "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; relay.example", "",
        f"Final-Recipient: rfc822; {alert.recipient}", "Action: failed", "Status: 5.1.1", "",
        "--b", "Content-Type: text/rfc822-headers", "", f"Message-ID: {alert.message_id}", "", "--b--", "",
    ]).encode()  # fmt: skip


NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def an_alert(*broken: Trouble, mended: tuple[Trouble, ...] = ()) -> Alert:
    return Alert(OPS, "<alert.1.alert.abcdefghijklmnop@example.com>", NOW, broken, mended)


def test_an_alert_is_plain_text_that_says_what_since_when_and_what_to_do() -> None:
    hour_ago = NOW - timedelta(hours=1)
    trouble = Trouble("mailbox support", "the server refused\r\nBcc: x@evil.example", hour_ago, "Correct the password.")
    letter = parsed(alert_message(an_alert(trouble, mended=(Trouble("smtp", "", hour_ago),)), HEAD))
    assert letter.get_content_type() == "text/plain"
    assert (letter["Auto-Submitted"], letter["X-Loop"], letter["Bcc"]) == ("auto-generated", HEAD.loop_mark, None)
    said = letter.get_content().replace("\r\n", "\n")
    assert "  * mailbox support: the server refused Bcc: x@evil.example\n" in said
    assert "    since 2026-11-23 09:00 UTC, for 60 minutes\n    Correct the password.\n" in said
    assert "  * smtp, reported 2026-11-23 09:00 UTC\n" in said


def test_the_subject_names_the_first_three() -> None:
    troubles = [Trouble(f"mailbox m{n}", "", NOW) for n in range(5)]
    assert alert_subject(an_alert(*troubles)) == "[mailticket] broken: mailbox m0, mailbox m1, mailbox m2 and 2 more"


def test_an_alert_goes_to_one_bare_address_only() -> None:
    with pytest.raises(ValueError, match="bare address"):
        alert_message(Alert("a@example.net, b@example.net", "<1@example.com>", NOW), HEAD)
