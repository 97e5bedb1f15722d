"""Forgetting a person: nothing of theirs stays anywhere, and nothing of others goes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlmodel import col

from mailticket.desk.answers import Wish
from mailticket.errors import NotFound, Refused, WorldError
from mailticket.intake import take_in
from mailticket.letters import File
from mailticket.models import Erasure, Incoming, Requester
from mailticket.observe.failpoints import OF_RIGHTS, VARIABLE, InjectedFault
from mailticket.settings import Database as DatabaseSettings
from mailticket.store import overview, requests, tombstones
from mailticket.upkeep import person
from mailticket.upkeep.backup import make_backup, restore
from mailticket.upkeep.checkup import check_state
from mailticket.upkeep.troubles import troubles
from tests.helpdesk import SUPPORT, HelpDesk, OpenDesk, mail
from tests.rights.traces import traces
from tests.servers.databases import Databases

ANN = "Annabel Leeward <annabel@wharf.example>"
BOB = "Bob Stone <bob@hill.example>"
SECRETS = ("annabel@wharf.example", "Annabel Leeward", "zanzibar", "quincunx", "xylograph", "passport-scan")
OF_BOB = ("bob@hill.example", "Bob Stone", "gooseberry")


def no_progress(_work: str, _share: float) -> None:
    """Nobody looks."""


def forget(desk: HelpDesk, *addresses: str, anyway: bool = False) -> Any:
    settings = desk.site.settings
    return person.forget(desk.database, settings, addresses, desk.now, "root", no_progress, anyway=anyway)


def with_file(raw: bytes, name: str, content: bytes) -> bytes:
    """The mail with a file attached."""
    from email import message_from_bytes, policy

    letter: Any = message_from_bytes(raw, policy=policy.SMTP)
    letter.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return bytes(letter.as_bytes())


def shared_desk(desk: HelpDesk) -> tuple[str, str]:
    """Ann has a ticket; Bob has one to which Ann was let in, and quotes her. Returns both IDs, all closed."""
    opening = with_file(
        mail(ANN, "Zanzibar deposit", "My quincunx deposit of 250 USDT has not arrived at all since monday."),
        "passport-scan.pdf", b"%PDF xylograph",
    )  # fmt: skip
    own = str(desk.receive(opening).ticket)
    desk.deliver()
    desk.desk.note(own, "Annabel Leeward called, quincunx again.")
    desk.desk.reply(own, "Dear Annabel Leeward, we look at the zanzibar.", Wish(files=(File("x.pdf", "x/y", b"%"),)))
    answer = desk.deliver()[-1]
    desk.receive(mail(ANN, "Re: Zanzibar deposit", "Thank you, the quincunx came.", answers=answer))
    request = mail(BOB, "Gooseberry account", "My gooseberry account 77821345 is locked. Please open it. Bob Stone")
    bobs = str(desk.receive(request).ticket)
    bobs_letter = desk.deliver()[-1]
    desk.desk.add_participant(bobs, "annabel@wharf.example")
    words = "I can confirm what Bob says, I saw the zanzibar lock with my own eyes on monday."
    from_ann = mail(ANN, "Re: Gooseberry account", words, answers=bobs_letter)
    assert desk.receive(from_ann).ticket == bobs
    quoting = f"Indeed a gooseberry.\n\nOn Monday, {ANN} wrote:\n> {words}\n"
    assert desk.receive(mail(BOB, "Re: Gooseberry account", quoting, answers=bobs_letter, Cc=ANN)).ticket == bobs
    elsewhere = desk.receive(mail(BOB, "Gooseberry and papers", f"{quoting}\nWhere do I send my papers?"))
    assert elsewhere.ticket != bobs
    desk.desk.reply(bobs, "We opened the gooseberry, Bob Stone. Greetings to Annabel Leeward.")
    desk.deliver()
    for key in (own, bobs):
        desk.desk.close(key)
    return own, bobs


def figures(desk: HelpDesk) -> Any:
    """What reports and `check` count."""
    with desk.database.read() as session:
        counted = overview.figures(session, desk.now, desk.now.replace(year=2020))
        return (
            overview.conservation(session), sorted(requests.requests(session, desk.now.replace(year=2020)), key=repr),
            requests.follow_ups(session, desk.now.replace(year=2020)), counted.tickets, counted.kept, counted.missed,
        )  # fmt: skip


@pytest.fixture
def desk(open_desk: OpenDesk, each_database: Databases) -> HelpDesk:
    """A help desk on each database."""
    return open_desk(each_database)


def test_nothing_of_a_person_is_left_and_all_of_the_others_is(desk: HelpDesk) -> None:
    own, bobs = shared_desk(desk)
    assert {trace.partition(" in ")[0] for trace in traces(desk.database, SECRETS)} == set(SECRETS)
    before, conversation = figures(desk), [row.new_text for row in desk.ticket(bobs).messages if "Bob" in row.from_name]
    toll = forget(desk, "ANNABEL@wharf.example")
    assert traces(desk.database, SECRETS) == []
    assert (toll.tickets, toll.broken) == (1, 0)
    assert figures(desk) == before
    assert own not in [stored.row.key for stored in desk.stored()]
    after = desk.ticket(bobs)
    assert [row.new_text for row in after.messages if "Bob" in row.from_name] == conversation
    assert after.requester == ("bob@hill.example",) and after.participants == ()
    assert after.row.subject == "Gooseberry account"
    assert {trace.partition(" in ")[0] for trace in traces(desk.database, OF_BOB)} == set(OF_BOB)
    with pytest.raises(NotFound, match="nothing is held"):
        forget(desk, "annabel@wharf.example")


@pytest.fixture
def house(open_desk: OpenDesk) -> HelpDesk:
    """A help desk whose tickets are closed."""
    desk = open_desk()
    shared_desk(desk)
    return desk


@pytest.mark.parametrize("place", [place for place in OF_RIGHTS if place != "forget.finished"])
def test_what_was_cut_short_is_finished_by_the_next_call(
    house: HelpDesk, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    before = figures(house)
    monkeypatch.setenv(VARIABLE, f"{place}:1:raise")
    monkeypatch.setattr("mailticket.observe.failpoints._seen", Counter())
    with pytest.raises(InjectedFault):
        forget(house, "annabel@wharf.example")
    monkeypatch.delenv(VARIABLE)
    assert person.again(house.database) == [["annabel@wharf.example"]]
    with house.database.read() as session:
        (trouble,) = [t for t in troubles(session, house.site.settings, house.database, house.now)
                      if t.name == "forgetting"]  # fmt: skip
    assert trouble.remedy == "mailticket person forget --again"
    forget(house, "annabel@wharf.example")
    assert traces(house.database, SECRETS) == []
    assert figures(house) == before and person.again(house.database) == []


KILLS = ("forget.ticket:2", "forget.swept:1", "forget.finished:1")


def test_a_kill_in_the_midst_is_mended_by_the_same_command(house: HelpDesk, tmp_path: Path) -> None:
    before = figures(house)
    (bobs,) = [s.row.key for s in house.stored() if s.row.subject == "Gooseberry account"]
    words = [row.new_text for row in house.ticket(bobs).messages if "Bob" in row.from_name]
    house.close()
    config = tmp_path / "mailticket.toml"
    config.write_text(
        f'[support]\naddress = "{SUPPORT}"\n[smtp]\nhost = "127.0.0.1"\n[database]\nurl = "{house.database.url}"\n'
    )
    call = [sys.executable, "-m", "mailticket", "--config", str(config), "person", "forget", "--yes"]
    for number, kill in enumerate(KILLS):
        who = ["--again"] if number % 2 else ["annabel@wharf.example"]
        killed = subprocess.run([*call, *who], capture_output=True, timeout=60, env={**os.environ, VARIABLE: kill})
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        with house.database.read() as session:
            (trouble,) = [t for t in troubles(session, house.site.settings, house.database, house.now)
                          if t.name == "forgetting"]  # fmt: skip
    assert "bytes may still lie" in trouble.text
    assert "annabel" in "".join(traces(house.database, SECRETS)), "the kill came before the overwriting"
    mended = subprocess.run([*call, "annabel@wharf.example"], capture_output=True, text=True, timeout=60)
    assert (mended.returncode, mended.stdout) == (0, "Nothing of them is left.\n"), mended.stderr
    assert traces(house.database, SECRETS) == []
    assert figures(house) == before and not person.must_overwrite(house.database)
    assert [row.new_text for row in house.ticket(bobs).messages if "Bob" in row.from_name] == words


def test_forgetting_is_refused_while_a_ticket_waits_unless_anyway(helpdesk: HelpDesk) -> None:
    key = helpdesk.receive(mail(ANN)).ticket
    helpdesk.deliver()
    with pytest.raises(Refused, match=f"waiting for an answer: {key}"):
        forget(helpdesk, "annabel@wharf.example")
    forget(helpdesk, "annabel@wharf.example", anyway=True)
    (stored,) = helpdesk.stored()
    assert (stored.row.status, stored.row.waiting_for, stored.row.requester_id) == ("closed", "nobody", None)


def test_nothing_leaves_to_somebody_forgotten(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = open_desk(staff=[{"name": "kim", "addresses": ["kim@desk.example"]}], desk={"new": "each"})
    key = str(desk.receive(mail(ANN)).ticket)
    desk.desk.reply(key, "A zanzibar answer that is still on its way.")
    assert {row.state for row in desk.outbox()} == {"queued"} and len(desk.outbox()) >= 2
    monkeypatch.setenv(VARIABLE, "forget.begun:1:raise")
    monkeypatch.setattr("mailticket.observe.failpoints._seen", Counter())
    with pytest.raises(InjectedFault):
        forget(desk, "annabel@wharf.example", anyway=True)
    monkeypatch.delenv(VARIABLE)
    assert {row.state for row in desk.outbox() if "annabel" in row.recipient} == {"cancelled"}, "from the first moment"
    forget(desk, "annabel@wharf.example", anyway=True)
    assert {row.state for row in desk.outbox()} == {"cancelled"}
    desk.later(days=3)
    assert desk.deliver() == []
    assert traces(desk.database, SECRETS) == []


@pytest.mark.parametrize(
    ("sender", "asked"),
    [("Ann@Wharf.Example", "ANN@wharf.example"), ("ann+shop@wharf.example", "ann+shop@WHARF.example"),
     ("ann@xn--mnchen-3ya.example", "ann@MÜNCHEN.example")],
)  # fmt: skip
def test_an_address_is_forgotten_however_it_is_written(helpdesk: HelpDesk, sender: str, asked: str) -> None:
    key = str(helpdesk.receive(mail(f"Ann <{sender}>")).ticket)
    helpdesk.desk.close(key)
    assert forget(helpdesk, asked, anyway=True).tickets == 1
    assert traces(helpdesk.database, (sender,)) == []


def test_who_only_stands_in_copy_or_in_a_quotation_is_taken_out_and_the_rest_stays(helpdesk: HelpDesk) -> None:
    text = f"See what I got.\n\nOn Monday, {ANN} wrote:\n> Meet me at the old zanzibar harbour at nine.\n"
    key = str(helpdesk.receive(mail(BOB, "Gooseberry", text, Cc=f"{ANN}, eve@host.example")).ticket)
    helpdesk.deliver()
    helpdesk.desk.close(key)
    toll = forget(helpdesk, "annabel@wharf.example")
    assert (toll.tickets, toll.messages, toll.changed) == (0, 0, 1)
    assert traces(helpdesk.database, ("annabel@wharf.example",)) == []
    (message,) = [row for row in helpdesk.ticket(key).messages if row.direction == "in"]
    assert "See what I got." in message.text and message.cc_address == "eve@host.example"


def test_letters_right_beside_an_address_hide_it_nowhere(helpdesk: HelpDesk) -> None:
    text = '我朋友的邮箱是annabel@wharf.example谢谢\n<a href="mailto:annabel%40wharf.example">, Leeward, Annabel'
    key = str(helpdesk.receive(mail(BOB, "订单annabel@wharf.example的问题", text)).ticket)
    helpdesk.deliver()
    helpdesk.desk.close(key)
    forget(helpdesk, "annabel@wharf.example")
    assert traces(helpdesk.database, ("annabel@wharf.example", "annabel%40wharf.example")) == []
    with pytest.raises(NotFound, match="nothing is held"):
        forget(helpdesk, "annabel@wharf.example")


def test_an_address_as_the_name_of_another_goes_from_the_search_too(desk: HelpDesk) -> None:
    gina = '"annabel@wharf.example" <gina@hill.example>'
    file = with_file(mail(gina, "Gooseberry"), "annabel@wharf.example.pdf", b"%PDF")
    keys = [str(desk.receive(raw).ticket) for raw in (file, mail(ANN))]
    desk.deliver()
    for key in keys:
        desk.desk.close(key)
    forget(desk, "annabel@wharf.example")
    numbers = [
        len(list(overview.ticket_rows(desk.database, overview.Filter(search=(word,)), None, lambda _, row: row)))
        for word in ("annabel", "wharf", "gooseberry")
    ]
    assert numbers == [0, 0, 1]
    (message,) = [row for row in desk.ticket(keys[0]).messages if row.direction == "in"]
    assert (message.from_name, message.from_address) == ("[removed]", "gina@hill.example")


def test_a_merge_keeps_the_record_of_what_another_wrote_to_their_ticket(helpdesk: HelpDesk) -> None:
    own = str(helpdesk.receive(mail(ANN)).ticket)
    letter = helpdesk.deliver()[-1]
    bobs = str(helpdesk.receive(mail(BOB, "Gooseberry", "My gooseberry is locked.")).ticket)
    helpdesk.desk.add_participant(own, "bob@hill.example")
    reply = helpdesk.receive(mail(BOB, "Re: it", "I saw the gooseberry too.", answers=letter))
    assert reply.ticket == own
    helpdesk.desk.merge(own, bobs, anyway=True)
    helpdesk.deliver()
    helpdesk.desk.close(bobs)
    before = helpdesk.record(reply).message_id
    forget(helpdesk, "annabel@wharf.example")
    assert (helpdesk.record(reply).message_id, bool(helpdesk.record(reply).raw_digest)) == (before, True)
    assert traces(helpdesk.database, ("annabel@wharf.example",)) == []


def test_several_addresses_of_one_person_go_at_once(helpdesk: HelpDesk) -> None:
    for address in ("ann@one.example", "ann@two.example"):
        helpdesk.desk.close(str(helpdesk.receive(mail(f"Ann <{address}>")).ticket))
    assert forget(helpdesk, "ann@one.example", "ann@two.example", anyway=True).tickets == 2
    assert traces(helpdesk.database, ("ann@one.example", "ann@two.example")) == []


def test_what_is_held_by_law_is_kept_from_everybody(house: HelpDesk) -> None:
    (own,) = [s.row.key for s in house.stored() if s.requester == ("annabel@wharf.example",)]
    house.desk.hold_by_law(own, "lawsuit 7")
    with pytest.raises(Refused, match=f"kept by law: {own}"):
        forget(house, "annabel@wharf.example", anyway=True)
    house.desk.lift_hold_by_law(own)
    assert forget(house, "annabel@wharf.example").tickets == 1


@pytest.mark.parametrize(
    ("address", "words"),
    [("nobody@wharf.example", "nothing is held"), ("support@coinharbor.com", "our own"), ("x", "is not one e-mail"),
     ("Kim@Desk.example", "a member of staff")],
)  # fmt: skip
def test_who_cannot_be_forgotten_is_said(open_desk: OpenDesk, address: str, words: str) -> None:
    desk = open_desk(staff=[{"name": "kim", "addresses": ["kim@desk.example"]}])
    with pytest.raises((Refused, NotFound), match=words):
        forget(desk, address)


def test_a_domain_in_its_own_script_is_forgotten_in_both_forms(helpdesk: HelpDesk) -> None:
    key = str(helpdesk.receive(mail("Ute <ute@xn--mnchen-3ya.example>")).ticket)
    helpdesk.deliver()
    helpdesk.desk.note(key, "call ute@münchen.example")
    helpdesk.desk.close(key)
    forget(helpdesk, "UTE@München.example")
    assert traces(helpdesk.database, ("ute@xn--mnchen-3ya.example", "ute@münchen.example")) == []


def test_what_answers_a_letter_to_somebody_forgotten_opens_a_ticket(helpdesk: HelpDesk) -> None:
    own = helpdesk.receive(mail(ANN)).ticket
    letter = helpdesk.deliver()[0]
    helpdesk.desk.close(str(own))
    forget(helpdesk, "annabel@wharf.example")
    again = helpdesk.receive(mail(ANN, f"Re: [{own}] Deposit", "I have another question.", answers=letter))
    assert (again.state, again.ticket != own) == ("opened", True)
    assert people_back(helpdesk) == [], "who writes anew is no return of what was erased"


def test_who_writes_while_being_forgotten_loses_no_mail(house: HelpDesk) -> None:
    done: list[Any] = []

    def progress(work: str, _share: float) -> None:
        if work.startswith("looking") and not done:
            done.append(house.receive(mail(ANN, "One more thing", "Where is my invoice?")).ticket)

    settings = house.site.settings
    with pytest.raises(WorldError, match="they wrote meanwhile"):
        person.forget(house.database, settings, ["annabel@wharf.example"], house.now, "root", progress)
    assert house.ticket(done[0]).messages[0].text == "Where is my invoice?"


def people_back(desk: HelpDesk) -> list[str]:
    with desk.database.read() as session:
        return tombstones.returned(session)


def test_a_mail_that_lies_on_the_server_still_opens_no_second_ticket(helpdesk: HelpDesk) -> None:
    raw = mail(ANN)
    first = helpdesk.receive(raw)
    helpdesk.deliver()
    helpdesk.desk.close(str(first.ticket))
    forget(helpdesk, "annabel@wharf.example")
    assert helpdesk.receive(raw).state == "known"


def test_quarantine_and_filed_mail_are_forgotten_too(helpdesk: HelpDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    helpdesk.receive(mail(ANN, "Away zanzibar", "I am away, quincunx.", Auto_Submitted="auto-replied"))
    plain = take_in.prepare

    def fail(raw: bytes, *more: Any) -> Any:
        if b"xylograph" in raw:
            raise RuntimeError("poison")
        return plain(raw, *more)

    monkeypatch.setattr(take_in, "prepare", fail)
    poisoned = helpdesk.receive(mail(ANN, "Deposit", "a xylograph"))
    assert helpdesk.record(poisoned).state == "quarantined"
    monkeypatch.undo()
    for stored in helpdesk.stored():
        helpdesk.desk.close(stored.row.key)
    helpdesk.deliver()
    forget(helpdesk, "annabel@wharf.example")
    assert traces(helpdesk.database, SECRETS) == []
    assert helpdesk.record(poisoned).state == "filed"


def test_who_comes_back_with_a_backup_is_named_and_forgotten_again(house: HelpDesk, tmp_path: Path) -> None:
    settings = house.site.settings.model_copy(update={"database": DatabaseSettings(url=str(house.database.url))})
    make_backup(settings, tmp_path / "old.backup", house.now, no_progress)
    house.later(minutes=1)
    forget(house, "annabel@wharf.example")
    house.close()
    restoration = restore(settings, tmp_path / "old.backup", house.now, no_progress)
    assert restoration.returned == ("annabel@wharf.example",)
    findings = list(check_state(settings, house.database, house.now))
    assert [f.remedy for f in findings if f.subject == "forgotten"] == ["mailticket person forget --again"]
    assert person.again(house.database) == [["annabel@wharf.example"]]
    forget(house, "annabel@wharf.example", anyway=True)
    assert people_back(house) == []


def test_a_backup_holds_no_address_for_its_tombstones(house: HelpDesk) -> None:
    forget(house, "annabel@wharf.example")
    with house.database.read() as session:
        standing = tombstones.standing(session)
        assert session.execute(select(func.count()).select_from(Erasure)).scalar() == 0
        assert session.execute(select(func.count()).select_from(Requester)).scalar() == 1
        blank = session.execute(select(col(Incoming.message_id)).where(col(Incoming.raw_digest).is_(None))).scalars()
        assert set(blank) == {None}
    assert len(standing.times) == 1 and len(standing.secret) == 64


@pytest.mark.parametrize("seed", range(3))
def test_of_many_people_in_shared_tickets_one_goes_and_the_others_stay(open_desk: OpenDesk, seed: int) -> None:
    desk, chance = open_desk(caps={"per_address_hour": 0, "per_address_day": 0}), random.Random(seed)
    everyone = [(f"Person{n} Surname{n}", f"p{n}@host{n}.example", f"uniqueword{n}") for n in range(4)]
    keys, answers = [], {}
    for round_ in range(14):
        name, address, word = chance.choice(everyone)
        sender = f"{name} <{address}>"
        words = f"This is the {word} matter number {round_} and I would like to know of it."
        if keys and chance.random() < 0.6:
            key = chance.choice(keys)
            desk.receive(mail(sender, "Re: it", words, answers=answers[key]))
        else:
            key = str(desk.receive(mail(sender, f"{word} {round_}", words)).ticket)
            answers[key] = desk.letters()[-1] if desk.letters() else ""
            keys.append(key)
        if chance.random() < 0.4:
            desk.desk.reply(key, f"An answer to {word}.")
        desk.deliver()
    for key in keys:
        if desk.ticket(key).row.status != "closed":
            desk.desk.close(key)
    gone, before = chance.choice(everyone), figures(desk)
    kept = {row.id: row.new_text for s in desk.stored() for row in s.messages
            if row.direction == "in" and row.from_address != gone[1]}  # fmt: skip
    forget(desk, gone[1])
    assert traces(desk.database, gone[:2]) == []
    assert figures(desk) == before
    after = {row.id: row.new_text for s in desk.stored() for row in s.messages if row.id in kept}
    assert after == kept


def test_what_waits_is_held_or_is_queued_goes_with_the_person(open_desk: OpenDesk) -> None:
    staff = [{"name": "kim", "addresses": ["kim@desk.example"]}]
    desk = open_desk(staff=staff)
    key = str(desk.receive(mail(ANN, "Zanzibar deposit", "My quincunx deposit of 250 USDT has not arrived.")).ticket)
    held = desk.desk.reply(key, "Dear Annabel Leeward, write to kim@desk.example about the zanzibar.").held
    assert held is not None and [row.state for row in desk.outbox()] == ["queued"]
    toll = forget(desk, "annabel@wharf.example", anyway=True)
    (stored,) = desk.stored()
    assert (stored.row.status, stored.row.waiting_for) == ("closed", "nobody")
    assert [row.kind for row in stored.messages if row.kind == "held"] == []
    assert [(row.state, bytes(row.wire)) for row in desk.outbox()] == [("cancelled", b"")]
    desk.later(days=3)
    assert (desk.deliver(), traces(desk.database, SECRETS), toll.tickets) == ([], [], 1)


def test_a_held_answer_to_another_stays_without_the_person(open_desk: OpenDesk) -> None:
    desk = open_desk()
    own, bobs = shared_desk(desk)
    desk.desk.reopen(bobs)
    assert desk.desk.reply(bobs, f"Annabel Leeward says so too, Bob; see {own}.").held is not None
    forget(desk, "annabel@wharf.example")
    (row,) = [row for row in desk.ticket(bobs).messages if row.kind == "held"]
    assert row.text == f"[removed] says so too, Bob; see {own}."
    assert traces(desk.database, SECRETS) == []


def test_a_letter_to_another_that_waits_to_leave_is_in_the_way(open_desk: OpenDesk) -> None:
    desk = open_desk()
    _, bobs = shared_desk(desk)
    desk.desk.reopen(bobs)
    outgoing = desk.desk.reply(bobs, "We look at the gooseberry again, Bob.").outgoing
    with pytest.raises(WorldError, match=rf"about to leave is in the way \(outgoing {outgoing}\)"):
        forget(desk, "annabel@wharf.example", anyway=True)
    assert [row.state for row in desk.outbox() if row.id == outgoing] == ["queued"]
    desk.deliver()
    assert forget(desk, "annabel@wharf.example", anyway=True).tickets == 1


def test_former_databases_that_a_restore_put_aside_are_named(desk: HelpDesk) -> None:
    file = desk.database.file
    if file is not None:
        former = f"{file}.replaced-20261127T084612Z"
        Path(former).touch()
    else:
        former = "replaced_20261127t084612z"
        with desk.database.write() as session:
            session.execute(text(f"CREATE SCHEMA {former}"))
    assert person.copies_beside(desk.database) == [former]
