"""What housekeeping removes when it has been kept long enough, and what it must keep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from mailticket.desk.answers import Wish
from mailticket.errors import Refused
from mailticket.intake import take_in
from mailticket.letters import File
from mailticket.models import Raw
from mailticket.store import incoming
from mailticket.upkeep.chores import Upkeep
from tests.helpdesk import HelpDesk, OpenDesk, mail

POISON = "Poison-5521"


def digests(desk: HelpDesk) -> set[str]:
    with desk.database.read() as session:
        return set(session.execute(select(col(Raw.digest))).scalars())


def keep_house(desk: HelpDesk) -> None:
    """A turn of housekeeping, as by a daemon that has run with a sound clock all the time."""
    Upkeep(desk.site).run()


@pytest.fixture
def poisoned(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> HelpDesk:
    """A desk that keeps raw mails for 30 days, and that cannot read one mail."""
    plain = take_in.prepare

    def fail(raw: bytes, *more: Any) -> Any:
        if POISON.encode() in raw:
            raise RuntimeError(POISON)
        return plain(raw, *more)

    monkeypatch.setattr(take_in, "prepare", fail)
    return open_desk(retention={"raw_days": 30})


def test_raw_mails_go_after_their_time_but_none_that_lies_in_quarantine(poisoned: HelpDesk) -> None:
    desk = poisoned
    opened = desk.receive(mail())
    quarantined = desk.receive(mail(subject=POISON))
    desk.desk.close(str(opened.ticket))
    assert (opened.state, quarantined.state) == ("opened", "quarantined")
    digest = {one: desk.record(one).raw_digest for one in (opened, quarantined)}
    desk.later(days=29)
    keep_house(desk)
    assert digests(desk) == set(digest.values())
    desk.later(days=2)
    keep_house(desk)
    assert digests(desk) == {digest[quarantined]}
    desk.later(days=3650)
    keep_house(desk)
    assert digests(desk) == {digest[quarantined]}


def test_bytes_that_a_ticket_and_a_quarantined_mail_share_stay(poisoned: HelpDesk, monkeypatch: Any) -> None:
    desk = poisoned
    raw = mail(subject=POISON)
    quarantined = desk.receive(raw)
    monkeypatch.undo()
    opened = desk.receive(raw)
    assert opened.state == "opened"
    desk.desk.close(str(opened.ticket))
    desk.later(days=31)
    keep_house(desk)
    assert digests(desk) == {desk.record(quarantined).raw_digest}


def test_the_files_of_a_ticket_stay_as_long_as_it_is_not_done(open_desk: OpenDesk) -> None:
    desk = open_desk(retention={"raw_days": 30}, support={"grace_days": 14})
    first, second = desk.receive(mail()), desk.receive(mail(subject="Sign-in", text="The code is refused."))
    digest = {one: desk.record(one).raw_digest for one in (first, second)}
    key = str(first.ticket)
    acts = (lambda: None, lambda: desk.desk.reply(key, "Soon."), lambda: desk.desk.assign(key, "kim"))
    for act in acts:
        act()
        desk.later(days=100)
        keep_house(desk)
        assert digests(desk) == set(digest.values())
    desk.desk.close(str(first.ticket))
    desk.later(days=13)
    keep_house(desk)
    assert digests(desk) == set(digest.values()), "a reply could still open it again"
    desk.later(days=2)
    keep_house(desk)
    assert digests(desk) == {digest[second]}


def test_the_files_of_a_merged_ticket_follow_its_messages(open_desk: OpenDesk) -> None:
    desk = open_desk(retention={"raw_days": 30})
    first, second = desk.receive(mail()), desk.receive(mail(subject="Sign-in", text="The code is refused."))
    desk.desk.merge(str(first.ticket), str(second.ticket), anyway=True)
    desk.later(days=60)
    keep_house(desk)
    assert len(digests(desk)) == 2
    desk.desk.close(str(second.ticket))
    desk.later(days=15)
    keep_house(desk)
    assert digests(desk) == set()


def test_the_files_of_answers_stay_while_they_are_held_or_their_ticket_is_open(open_desk: OpenDesk) -> None:
    desk = open_desk(retention={"raw_days": 30})
    key = str(desk.receive(mail()).ticket)
    desk.desk.reply(key, "Here is it.", Wish(files=(File("bill.pdf", "application/pdf", b"%PDF"),)))
    desk.desk.assign(key, "tom")
    held = desk.desk.reply(key, "And this.", Wish(files=(File("more.pdf", "application/pdf", b"%PDF 2"),))).held
    desk.later(days=100)
    keep_house(desk)
    assert len(digests(desk)) == 3
    desk.desk.close(key)
    desk.later(days=100)
    keep_house(desk)
    assert held and held.number and len(digests(desk)) == 1
    assert desk.desk.send_held(held.number).outgoing


def test_the_bytes_of_a_letter_go_when_it_has_served(open_desk: OpenDesk) -> None:
    desk = open_desk(retention={"sent_raw_days": 30}, promise={"late_notice": False})
    desk.receive(mail())
    letter = desk.deliver()[0]
    held = desk.receive(mail(sender="Bob <bob@mail.example>", subject="Sign-in"), at=desk.now - timedelta(days=9))
    assert held.withheld
    desk.later(days=29)
    keep_house(desk)
    assert [bool(row.wire) for row in desk.outbox()] == [True, True]
    desk.later(days=2)
    keep_house(desk)
    assert [(row.state, bool(row.wire)) for row in desk.outbox()] == [("sent", False), ("withheld", True)]
    sent = desk.outbox()[0]
    bounced = desk.receive(bounce_of(letter))
    assert (bounced.state, desk.outbox()[0].state) == ("filed", "failed"), "it is known by its Message-ID"
    with pytest.raises(Refused, match="retention"):
        desk.desk.retry_outgoing(int(sent.id or 0))


def bounce_of(letter: bytes) -> bytes:
    """A delivery report as a mail server writes it (RFC 3464)."""
    head = letter.partition(b"\r\n\r\n")[0]
    return (
        b"Return-Path: <>\r\nFrom: MAILER-DAEMON@mail.example\r\nTo: support@coinharbor.com\r\nSubject: Undelivered\r\n"
        b"Message-ID: <report@mail.example>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.mail.example\r\n\r\n"
        b"Final-Recipient: rfc822; ann@mail.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" + head + b"\r\n\r\n--b--\r\n"
    )


def test_a_file_that_is_being_taken_in_has_an_hour_before_it_is_given_up(helpdesk: HelpDesk) -> None:
    desk = helpdesk
    with desk.database.write() as session:
        number = incoming.record_file(session, desk.now, 100, desk.now)
    for minutes, state in ((59, "listed"), (2, "vanished")):
        desk.later(minutes=minutes)
        keep_house(desk)
        with desk.database.read() as session:
            assert incoming.by_id(session, number).state == state


@pytest.mark.sqlite
def test_a_secret_leaves_the_log_of_the_database_as_soon_as_no_reader_needs_it(helpdesk: HelpDesk) -> None:
    desk = helpdesk
    secret = "Zebra-7741-quartz"
    desk.receive(mail(text=f"I cannot sign in. My password: {secret} and my user ID is 20458817."))
    desk.later(hours=25)
    upkeep = Upkeep(desk.site)
    with desk.database.read() as session:
        with_secret = bytes(session.execute(select(col(Raw.data))).scalar_one())  # compressed: no word of it
        upkeep.run()
        assert with_secret in _files(desk), "the reader still sees the moment before"
    upkeep.run()
    assert with_secret not in _files(desk)
    assert secret.encode() not in _files(desk)


def _files(desk: HelpDesk) -> bytes:
    """All bytes that the database keeps on disk."""
    file = desk.database.file
    assert file is not None
    return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
