"""What staff do with mails in quarantine, while somebody else does it too, or something ends the command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from mailticket.errors import Refused
from mailticket.intake import take_in
from mailticket.intake.quarantine import Isolation
from mailticket.intake.take_in import Result
from mailticket.models import Raw
from mailticket.store import incoming
from mailticket.upkeep.chores import Upkeep
from tests.helpdesk import HelpDesk, mail

ANN = "Ann Lee <ann@mail.example>"
plainly = take_in.prepare


class Reading:
    """What happens when a mail is read: a defect at first, later what a test wants."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.meanwhile: Callable[[], object] = self.defect
        monkeypatch.setattr(take_in, "prepare", self._prepare)

    def _prepare(self, raw: bytes, *more: Any) -> Any:
        then, self.meanwhile = self.meanwhile, self.meanwhile if self.meanwhile == self.defect else self.nothing
        then()
        return plainly(raw, *more)

    @staticmethod
    def defect() -> None:
        raise RuntimeError("a defect of ours")

    @staticmethod
    def nothing() -> None:
        """It is simply read."""


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    return Reading(monkeypatch)


def quarantined(desk: HelpDesk, reading: Reading) -> Result:
    result = desk.receive(mail(ANN))
    assert result.state == "quarantined"
    reading.meanwhile = reading.nothing
    return result


def test_a_mail_that_reads_well_at_last_is_a_ticket_and_no_second_time(helpdesk: HelpDesk, reading: Reading) -> None:
    number = quarantined(helpdesk, reading).incoming_id
    assert Isolation(helpdesk.site).retry(number).state == "opened"
    for again in (Isolation(helpdesk.site).retry, Isolation(helpdesk.site).release, Isolation(helpdesk.site).discard):
        with pytest.raises(Refused, match="is not in quarantine: it is opened"):
            again(number)
    assert (len(helpdesk.stored()), len(helpdesk.letters())) == (1, 1)


@pytest.mark.parametrize(("deed", "state"), [("retry", "opened"), ("release", "opened"), ("discard", "filed")])
def test_of_two_commands_at_once_one_settles_it_and_the_other_says_so(
    helpdesk: HelpDesk, reading: Reading, deed: str, state: str
) -> None:
    number = quarantined(helpdesk, reading).incoming_id
    others: list[Result] = []
    reading.meanwhile = lambda: others.append(getattr(Isolation(helpdesk.site), deed)(number))
    result = Isolation(helpdesk.site).retry(number)
    assert [other.state for other in others] == [state]
    assert (result.state, result.ticket) == (state, others[0].ticket)
    assert "another command settled it" in result.reason
    assert len(helpdesk.stored()) == (deed != "discard")
    assert len(helpdesk.letters()) == (deed == "retry")


@pytest.mark.parametrize("deed", ["release", "discard"])
def test_what_was_settled_after_the_look_is_not_settled_again(
    helpdesk: HelpDesk, reading: Reading, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    number = quarantined(helpdesk, reading).incoming_id
    look = Isolation.get

    def look_and_lose(isolation: Isolation, number: int) -> Any:
        seen = look(isolation, number)
        monkeypatch.setattr(Isolation, "get", look)
        isolation.release(number)
        return seen

    monkeypatch.setattr(Isolation, "get", look_and_lose)
    with pytest.raises(Refused, match="is not in quarantine: it is opened"):
        getattr(Isolation(helpdesk.site), deed)(number)
    assert len(helpdesk.stored()) == 1


def test_a_failing_retry_does_not_take_back_what_another_command_made_of_it(
    helpdesk: HelpDesk, reading: Reading
) -> None:
    number = quarantined(helpdesk, reading).incoming_id

    def released_meanwhile() -> None:
        Isolation(helpdesk.site).release(number)
        reading.meanwhile = reading.defect
        raise RuntimeError("a defect of ours")

    reading.meanwhile = released_meanwhile
    assert Isolation(helpdesk.site).retry(number).state == "opened"
    with helpdesk.database.read() as session:
        assert incoming.by_id(session, number).rule == "released"


def test_until_it_has_its_result_it_lies_in_quarantine_with_its_bytes(helpdesk: HelpDesk, reading: Reading) -> None:
    """A kill in the midst of it changes nothing, the running daemon does not touch it, and retention spares it."""
    number = quarantined(helpdesk, reading).incoming_id
    helpdesk.later(days=5000)

    def look_and_die() -> None:
        with helpdesk.database.read() as session:
            assert incoming.by_id(session, number).state == "quarantined"
        raise KeyboardInterrupt

    reading.meanwhile = look_and_die
    with pytest.raises(KeyboardInterrupt):
        Isolation(helpdesk.site).retry(number)
    Upkeep(helpdesk.site).run()
    with helpdesk.database.read() as session:
        row = incoming.by_id(session, number)
        assert row.state == "quarantined"
        assert list(session.execute(select(col(Raw.digest))).scalars()) == [row.raw_digest]
    assert Isolation(helpdesk.site).retry(number).state == "opened"


def test_the_bytes_of_what_is_asked_for_again_are_kept(helpdesk: HelpDesk, reading: Reading) -> None:
    number = quarantined(helpdesk, reading).incoming_id
    with helpdesk.database.write() as session:
        incoming.finish(session, number, helpdesk.now, state="listed")
    helpdesk.later(days=5000)
    Upkeep(helpdesk.site)._forget_raw(helpdesk.now)
    with helpdesk.database.read() as session:
        assert len(list(session.execute(select(col(Raw.digest))).scalars())) == 1
