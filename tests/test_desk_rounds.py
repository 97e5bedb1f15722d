"""What staff hear of by the clock: slipping promises, requesters who wait again, held answers, gatherings, digests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from mailticket.desk import members
from mailticket.desk.tickets import Desk
from mailticket.errors import NotFound, Refused
from mailticket.models import News, Outgoing
from mailticket.store import desk_mail as state
from mailticket.store import tickets
from mailticket.upkeep.chores import Upkeep
from mailticket.upkeep.desk_findings import desk_notes
from mailticket.upkeep.desk_rounds import newest_slot
from mailticket.upkeep.troubles import troubles
from tests.helpdesk import HelpDesk, mail, words
from tests.servers.databases import Databases
from tests.test_desk_mail import BOB, PANIC, STAFF, TEAMS, OpenDesk, ask, newest, told


@pytest.fixture
def databases(each_database: Databases) -> Databases:
    return each_database


@pytest.fixture
def open_desk(open_desk: OpenDesk) -> OpenDesk:
    def open_(**tables: Any) -> HelpDesk:
        quiet = {"new": "none", "digests": [], **tables.pop("desk", {})}
        return open_desk(**{"staff": STAFF, "team": TEAMS, "desk": quiet, **tables})

    return open_


@pytest.fixture
def desk(open_desk: OpenDesk) -> HelpDesk:
    return open_desk()


def turn(desk: HelpDesk) -> list[tuple[str, str]]:
    """A turn of housekeeping; returns what it told."""
    before = len(told(desk))
    Upkeep(desk.site).run()
    return told(desk)[before:]


def before_its_end(desk: HelpDesk, key: str, **time: float) -> None:
    """Turn the clock to so long before the ticket's promise ends."""
    end = desk.ticket(key).row.promised_by
    assert end is not None
    desk.now = end - timedelta(**time)


# --- promises and follow-ups ------------------------------------------------------------------------------------------


def test_before_a_promise_ends_the_team_hears_and_then_the_lead_each_once(desk: HelpDesk) -> None:
    key = ask(desk)
    assert turn(desk) == []
    before_its_end(desk, key, hours=4, minutes=5)
    assert turn(desk) == []
    before_its_end(desk, key, hours=3, minutes=50)
    assert turn(desk) == [("mia", "slipping"), ("tom", "slipping")]
    assert turn(desk) == []
    before_its_end(desk, key, minutes=50)
    assert turn(desk) == [("tom", "late")]
    assert turn(desk) == []
    row = newest(desk, "tom")
    assert ".talk." in row.message_id and "the promise ends in 50 min" in words(row.wire)


def test_whose_ticket_it_is_hears_alone(desk: HelpDesk) -> None:
    key = ask(desk)
    Desk(desk.site, "ann").assign(key, "ann")
    before_its_end(desk, key, hours=3)
    assert turn(desk) == [("ann", "slipping")]


def test_an_answered_or_spam_ticket_breaks_no_promise(desk: HelpDesk) -> None:
    key = ask(desk)
    spam = desk.receive(mail(BOB, "Another one", PANIC, X_Spam_Flag="YES")).ticket
    assert spam and desk.ticket(spam).row.spam
    Desk(desk.site, "mia").reply(key, "We look into it.")
    with desk.database.write() as session:
        tickets.set_first_response(session, int(desk.ticket(key).row.id or 0), desk.now)
    before_its_end(desk, key, minutes=10)
    assert turn(desk) == []


def test_several_that_are_due_are_one_mail_a_person(desk: HelpDesk) -> None:
    keys = [ask(desk, f"{PANIC} {n}", f"person{n}@mail.example", f"Trouble {n}") for n in range(5)]
    before_its_end(desk, keys[0], hours=3)
    assert turn(desk) == [("mia", "due"), ("tom", "due")]
    shown = words(newest(desk, "mia").wire)
    assert all(key in shown for key in keys)
    assert "Tickets that wait too long: 5" in shown and newest(desk, "mia").ticket_id is None


def test_who_waits_again_too_long_is_told_once_for_each_wait(desk: HelpDesk) -> None:
    key = ask(desk)
    number = int(desk.ticket(key).row.id or 0)

    def answered_and_asked_again() -> None:
        Desk(desk.site, "mia").reply(key, f"We look into it, {desk.now}.")
        with desk.database.write() as session:
            tickets.set_first_response(session, number, desk.now)
        ours = desk.deliver()[-1]
        desk.later(hours=1)
        desk.receive(mail(BOB, "Re: cannot log in", f"And now? It is {desk.now}.", answers=ours))

    answered_and_asked_again()
    desk.later(hours=23)
    assert turn(desk) == []
    desk.later(hours=2)
    assert turn(desk) == [("mia", "follow-up")]
    assert turn(desk) == []
    assert "waits again, for 25 h" in words(newest(desk, "mia").wire)
    answered_and_asked_again()
    desk.later(hours=25)
    assert turn(desk) == [("mia", "follow-up")]


def test_whom_mail_does_not_reach_is_stood_in_for(desk: HelpDesk) -> None:
    key = ask(desk)
    with desk.database.write() as session:
        state.lost(session, "mia", desk.now, "bounced")
    before_its_end(desk, key, hours=3)
    assert turn(desk) == [("tom", "slipping")]


def test_without_staff_nothing_is_marked_as_told(open_desk: OpenDesk) -> None:
    desk = open_desk(staff=[], team=[])
    key = ask(desk)
    before_its_end(desk, key, hours=1)
    assert turn(desk) == []
    assert desk.ticket(key).row.slip_told_at is None


# --- held answers -----------------------------------------------------------------------------------------------------


def test_an_answer_that_is_held_for_an_hour_is_the_leads_matter_once(desk: HelpDesk) -> None:
    key = ask(desk)
    Desk(desk.site, "tom").reply(key, "I have answered.")
    held = Desk(desk.site, "mia").reply(key, "Me too, with other words.").held
    assert held is not None
    desk.later(minutes=55)
    assert turn(desk) == []
    desk.later(minutes=10)
    assert turn(desk) == [("tom", "held")]
    assert turn(desk) == []
    shown = words(newest(desk, "tom").wire)
    assert f"ticket send {held.number}" in shown and "Me too, with other words." in shown and "collision" in shown


# --- gathering --------------------------------------------------------------------------------------------------------


def test_what_was_too_much_comes_in_one_mail_a_quarter_of_an_hour(open_desk: OpenDesk) -> None:
    desk = open_desk(desk={"new": "each", "per_person_hour": 2}, team=[])
    keys = [ask(desk, f"{PANIC} {n}", f"person{n}@mail.example", f"Trouble {n}") for n in range(6)]
    desk.later(minutes=10)
    assert turn(desk) == []
    desk.later(minutes=6)
    assert turn(desk) == [("ann", "gathering"), ("mia", "gathering"), ("tom", "gathering")]
    shown = words(newest(desk, "mia").wire)
    assert all(key in shown for key in keys[2:]) and keys[0] not in shown and "Trouble 3" in shown
    with desk.database.read() as session:
        assert list(session.execute(select(News)).scalars()) == []
    assert turn(desk) == []


# --- digests ----------------------------------------------------------------------------------------------------------


def at(desk: HelpDesk, hour: int, minute: int, day: int = 24) -> None:
    desk.now = datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_a_digest_comes_once_a_slot_to_who_has_something_in_it(open_desk: OpenDesk) -> None:
    tables: dict[str, Any] = {"desk": {"new": "none", "digests": ["08:30", "13:30"]},
                              "support": {"timezone": "Asia/Shanghai"}}  # fmt: skip
    desk = open_desk(**tables)
    turn(desk)  # the members are new: what was before is not owed
    key = ask(desk, "When will my deposit of 250 USDT arrive? I wait since Monday.", subject="Deposit")
    assert desk.ticket(key).row.team == "money"
    at(desk, 0, 25)  # 08:25 in Shanghai
    assert turn(desk) == []
    at(desk, 0, 32)
    assert turn(desk) == [("mia", "digest"), ("ann", "digest")]
    assert turn(desk) == []
    desk.reopen(staff=STAFF, team=TEAMS, **tables)  # as after a restart
    assert turn(desk) == []
    at(desk, 5, 31)
    assert turn(desk) == [("mia", "digest"), ("ann", "digest")]
    shown = words(newest(desk, "mia").wire)
    assert key in shown and "Next in the queue" in shown and "Yours" not in shown


def test_a_digest_of_long_ago_is_not_made_up_for(open_desk: OpenDesk) -> None:
    desk = open_desk(desk={"digests": ["08:30"]})
    ask(desk)
    turn(desk)
    at(desk, 12, 31)
    assert "digest" not in [event for _, event in turn(desk)]
    at(desk, 12, 29, day=25)
    assert [event for _, event in turn(desk)].count("digest") == 2


def test_no_digest_without_times(desk: HelpDesk) -> None:
    ask(desk)
    turn(desk)
    at(desk, 8, 31)
    assert "digest" not in [event for _, event in turn(desk)]
    assert newest_slot(desk.site, desk.now) is None


def test_a_digest_names_what_slips_what_is_held_and_what_is_mine(desk: HelpDesk) -> None:
    first, second = ask(desk), ask(desk, f"{PANIC} Twice.", "eve@post.example", "Twice")
    Desk(desk.site, "tom").assign(second, "mia")
    Desk(desk.site, "tom").reply(first, "I have answered.")
    Desk(desk.site, "mia").reply(first, "Me too.")
    before_its_end(desk, second, hours=1)
    for name in ("mia", "tom"):  # tom leads the team
        text = members.digest(desk.site, name)["text"]
        assert "Held answers" in text and "held by mia (collision, assigned)" in text
    text = members.digest(desk.site, "mia")["text"]
    assert text.count(second) == 2 and "About to break a promise" in text and "Yours" in text
    assert max(map(len, text.splitlines())) <= 80


# --- members ----------------------------------------------------------------------------------------------------------


def test_a_test_mail_a_digest_by_mail_and_a_revocation(desk: HelpDesk) -> None:
    face = members.test(desk.site, "ann")
    row = newest(desk, "ann")
    assert (row.id, row.event, row.recipient) == (face["outgoing"], "test", "ann@coinharbor.com")
    assert "A test" in words(row.wire)
    assert members.digest(desk.site, "mia", mail=True)["outgoing"] is None  # nothing is in it
    ask(desk)
    assert members.digest(desk.site, "mia", mail=True)["outgoing"] == newest(desk, "mia").id
    members.revoke(desk.site, "mia")
    with desk.database.read() as session:
        assert state.members(session)["mia"].revoked_at == desk.now
    with pytest.raises(NotFound, match="mia, tom, ann"):
        members.test(desk.site, "bob")


def test_without_staff_there_is_nobody_to_test(open_desk: OpenDesk) -> None:
    with pytest.raises(Refused, match="no \\[\\[staff\\]\\]"):
        members.test(open_desk(staff=[], team=[]).site, "mia")


def test_who_cannot_be_reached_stands_in_status_and_in_the_list(desk: HelpDesk) -> None:
    with desk.database.write() as session:
        state.lost(session, "mia", desk.now, "bounced: no such user")
        state.proved(session, "tom", "verified", desk.now)
    with desk.database.read() as session:
        wrong = {t.name: t for t in troubles(session, desk.site.settings, desk.database, desk.now)}
    assert "no such user" in wrong["desk mail to mia"].text
    assert "mailticket staff test mia" in wrong["desk mail to mia"].remedy
    from mailticket.desk.looking import staff

    faces = {face["name"]: face for face in staff(desk.desk.onlooker)}
    assert faces["mia"]["unreachable_since"] and faces["tom"]["last_proof"] == "verified"
    assert faces["ann"]["last_proof"] is None and faces["ann"]["unreachable_since"] is None


def test_check_names_who_can_prove_nothing_and_teams_without_a_lead(open_desk: OpenDesk) -> None:
    good = open_desk()
    assert list(desk_notes(good.site.settings)) == []
    teams = [{**TEAMS[0], "lead": ""}]
    bad = open_desk(trust={"authserv_id": ""}, desk={"proof": "verified"}, team=teams)
    notes = [text for text, _ in desk_notes(bad.site.settings)]
    assert len(notes) == 2 and "mia, tom, ann" in notes[0] and "'money' has no lead" in notes[1]


def test_nothing_by_the_clock_goes_to_an_address_that_is_not_of_staff(open_desk: OpenDesk) -> None:
    desk = open_desk(desk={"new": "each", "per_person_hour": 1, "digests": ["08:30"]})
    for number in range(4):
        ask(desk, f"{PANIC} {number}", f"person{number}@mail.example", f"Trouble {number}")
    for _ in range(30):
        desk.later(hours=1)
        turn(desk)
    rows: list[Outgoing] = [row for row in desk.outbox() if row.kind == "desk"]
    assert {row.event for row in rows} >= {"new", "due", "gathering", "digest"}
    assert {row.recipient for row in rows} <= {"mia@coinharbor.com", "tom@coinharbor.com", "ann@coinharbor.com"}
