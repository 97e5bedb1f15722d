"""What housekeeping removes when it has been kept long enough, and what it must keep."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from mailticket.intake import take_in
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
    assert desk.receive(raw).state == "opened"
    desk.later(days=31)
    keep_house(desk)
    assert digests(desk) == {desk.record(quarantined).raw_digest}


def test_a_file_that_is_being_taken_in_has_an_hour_before_it_is_given_up(helpdesk: HelpDesk) -> None:
    desk = helpdesk
    with desk.database.write() as session:
        number = incoming.record_file(session, desk.now, 100, desk.now)
    for minutes, state in ((59, "listed"), (2, "vanished")):
        desk.later(minutes=minutes)
        keep_house(desk)
        with desk.database.read() as session:
            assert incoming.by_id(session, number).state == state


def test_a_secret_leaves_the_log_of_the_database_as_soon_as_no_reader_needs_it(helpdesk: HelpDesk) -> None:
    desk = helpdesk
    secret = "Zebra-7741-quartz"
    desk.receive(mail(text=f"I cannot sign in. My password: {secret} and my user ID is 20458817."))
    desk.later(hours=25)
    upkeep = Upkeep(desk.site)
    with desk.database.read() as session:
        session.execute(select(col(Raw.digest))).all()
        upkeep.run()
        assert secret.encode() in _files(desk), "the reader still sees the moment before"
    upkeep.run()
    assert secret.encode() not in _files(desk)


def _files(desk: HelpDesk) -> bytes:
    """All bytes that the database keeps on disk."""
    file = desk.database.file
    assert file is not None
    return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
