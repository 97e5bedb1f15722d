"""A clock that leaps: housekeeping pauses, says so everywhere, and goes on when the clock is sound again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mailticket.store import meta
from mailticket.upkeep import chores
from mailticket.upkeep.checkup import check_state
from mailticket.upkeep.chores import Upkeep
from tests.helpdesk import HelpDesk, OpenDesk, mail

RAW_DAYS = 30


class Clocks:
    """Both clocks of the machine: they go together until a test sets the wall clock."""

    def __init__(self, desk: HelpDesk) -> None:
        self._desk = desk
        self._monotonic = 1000.0

    def monotonic(self) -> float:
        return self._monotonic

    def go(self, **time: float) -> None:
        before = self._desk.now
        self._desk.later(**time)
        self._monotonic += (self._desk.now - before).total_seconds()


@pytest.fixture
def desk(open_desk: OpenDesk) -> HelpDesk:
    return open_desk(retention={"raw_days": RAW_DAYS}, alerts={"to": ["ops@example.net"]})


@pytest.fixture
def clocks(desk: HelpDesk, monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks(desk)
    monkeypatch.setattr(chores, "time", SimpleNamespace(monotonic=clocks.monotonic))
    return clocks


def solved(desk: HelpDesk) -> str:
    """A ticket that was solved just now, to be closed by housekeeping in a week."""
    key = desk.receive(mail()).ticket or ""
    desk.receive(mail(subject=key, text="SOLVED", answers=desk.deliver()[-1]))
    assert desk.ticket(key).row.status == "solved"
    return key


def is_unwell(desk: HelpDesk) -> bool:
    with desk.database.read() as session:
        return meta.is_unwell(session, "clock")


def complaints(desk: HelpDesk) -> list[str]:
    """What `mailticket check` says of the clock."""
    return [
        str(finding) for finding in check_state(desk.site.settings, desk.database, desk.now) if "clock" in str(finding)
    ]


def test_housekeeping_that_has_run_for_a_week_closes_what_is_solved(desk: HelpDesk, clocks: Clocks) -> None:
    key, upkeep = solved(desk), Upkeep(desk.site)
    clocks.go(days=8)
    upkeep.run()
    assert desk.ticket(key).row.status == "closed"
    assert not is_unwell(desk)


@pytest.mark.parametrize("leap", [{"days": 8}, {"days": 3650}])
def test_a_leap_ahead_makes_nothing_old(
    desk: HelpDesk, clocks: Clocks, caplog: pytest.LogCaptureFixture, leap: dict[str, float]
) -> None:
    key, upkeep = solved(desk), Upkeep(desk.site)
    sound = desk.now
    desk.later(**leap)
    upkeep.run()
    assert desk.ticket(key).row.status == "solved"
    assert "housekeeping pauses" in caplog.text
    assert is_unwell(desk)
    assert complaints(desk)
    assert [row.subject for row in desk.outbox() if row.kind == "alert"]

    desk.now = sound
    clocks.go(days=8)
    upkeep.run()
    assert desk.ticket(key).row.status == "closed"
    assert not is_unwell(desk)


@pytest.mark.parametrize(("minutes", "sound"), [(59, True), (61, False), (-59, True), (-61, False)])
def test_the_clocks_may_part_by_an_hour(desk: HelpDesk, clocks: Clocks, minutes: int, sound: bool) -> None:
    key = solved(desk)
    clocks.go(days=6, hours=23, minutes=30)
    upkeep = Upkeep(desk.site)
    clocks.go(hours=2)
    desk.later(minutes=minutes)
    upkeep.run()
    assert is_unwell(desk) is not sound
    assert desk.ticket(key).row.status == ("closed" if sound else "solved")


def test_a_start_before_the_newest_row_pauses_housekeeping_until_the_clock_is_past_it(
    desk: HelpDesk, clocks: Clocks
) -> None:
    key = solved(desk)
    clocks.go(days=8)
    desk.receive(mail("bob@mail.example", subject="My API key", text="The API answers 401."))
    desk.later(hours=-2)
    upkeep = Upkeep(desk.site)
    upkeep.run()
    assert is_unwell(desk)
    assert desk.ticket(key).row.status == "solved"
    clocks.go(hours=1, minutes=1)
    upkeep.run()
    assert not is_unwell(desk)
    assert desk.ticket(key).row.status == "closed"
