"""Taking in goes wrong in the midst of it: which mail pays, which does not, and what is left in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlmodel import col

from mailticket.errors import StoreUnavailable
from mailticket.intake import take_in
from mailticket.intake.prepare import prepare
from mailticket.intake.take_in import POISON_AFTER, Arrival, Intake
from mailticket.models import Address, Raw, Requester
from mailticket.settings import Category
from mailticket.store import incoming
from mailticket.text import sieve
from tests.helpdesk import HelpDesk, mail

ANN = "Ann Lee <ann@mail.example>"


def defect_at(monkeypatch: pytest.MonkeyPatch, sender: str) -> None:
    """The first writing of this sender's mail ends in a defect, when all its rows are written."""
    plain = take_in.carry_out
    left = [sender]

    def fail(session: Any, site: Any, arrived: Any, *more: Any) -> Any:
        ticket = plain(session, site, arrived, *more)
        if arrived.mail.sender_address.key in left:
            left.remove(arrived.mail.sender_address.key)
            raise RuntimeError("a defect of ours")
        return ticket

    monkeypatch.setattr(take_in, "carry_out", fail)


def test_a_mail_whose_writing_raises_takes_none_of_its_chunk_with_it(
    helpdesk: HelpDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"person{number}@mail.example" for number in range(4)]
    defect_at(monkeypatch, people[1])
    results = helpdesk.receive_all(mail(person, subject=person, text=f"I am {person}.") for person in people)
    assert [result.state for result in results] == ["opened"] * 4
    assert sorted(stored.requester[0] for stored in helpdesk.stored()) == people
    assert sorted(row.recipient for row in helpdesk.outbox("queued")) == people
    assert [helpdesk.record(result).alone_attempts for result in results] == [0, 0, 0, 1]
    assert {helpdesk.record(result).attempted_at for result in results} == {None}


def test_a_full_disk_is_no_fault_of_a_mail_even_when_that_cannot_be_written_down(helpdesk: HelpDesk) -> None:
    """The attempt is committed, then the disk is full: neither the ticket nor the mail's innocence can be written."""
    is_full = True

    def refuse(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        values = parameters.values() if isinstance(parameters, Mapping) else parameters
        forgets = statement.startswith("UPDATE incoming") and next(iter(values)) is None
        if is_full and (forgets or statement.startswith("INSERT INTO ticket")):
            raise helpdesk.full_disk()

    raw = mail(ANN)
    with helpdesk.database.write() as session:
        number = incoming.record_file(session, helpdesk.now, len(raw), helpdesk.now, "support")
    event.listen(helpdesk.database.engine, "before_cursor_execute", refuse)
    intake = Intake(helpdesk.site)
    for _ in range(POISON_AFTER + 1):
        with pytest.raises(StoreUnavailable):
            intake.take_in([_again(helpdesk, number, raw)])
    with helpdesk.database.read() as session:
        row = incoming.by_id(session, number)
    assert row.attempted_at is not None, "the disk kept the attempt and nothing else"
    waiting = incoming.Waiting(number, 1, len(raw), helpdesk.now, row.attempted_at, row.alone_attempts)
    assert not intake.is_suspect(waiting)
    is_full = False
    [result] = intake.take_in([_again(helpdesk, number, raw)])
    assert result.state == "opened"
    assert intake.is_suspect(waiting), "what was forgiven once is not forgiven for ever"


def _again(desk: HelpDesk, number: int, raw: bytes) -> Arrival:
    """The mail as the next round finds it."""
    with desk.database.read() as session:
        row = incoming.by_id(session, number)
    return Arrival(number, raw, desk.now, "support", afterwards=False, alone_attempts=row.alone_attempts)


def test_a_fault_of_the_world_inside_a_chunk_is_taken_back_from_each_of_its_mails(helpdesk: HelpDesk) -> None:
    def refuse(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("INSERT INTO ticket"):
            raise helpdesk.full_disk()

    raws = [mail(f"person{number}@mail.example") for number in range(3)]
    with helpdesk.database.write() as session:
        rows = [incoming.record_file(session, helpdesk.now, len(raw), helpdesk.now, "support") for raw in raws]
    event.listen(helpdesk.database.engine, "before_cursor_execute", refuse)
    intake = Intake(helpdesk.site)
    with pytest.raises(StoreUnavailable):
        intake.take_in([_again(helpdesk, row, raw) for row, raw in zip(rows, raws, strict=True)])
    with helpdesk.database.read() as session:
        found = [incoming.by_id(session, row) for row in rows]
    assert [(row.state, row.attempted_at, row.alone_attempts) for row in found] == [("listed", None, 0)] * 3


def test_a_mail_that_has_its_result_already_is_not_written_again(helpdesk: HelpDesk) -> None:
    raw = mail(ANN)
    result = helpdesk.receive(raw)
    assert Intake(helpdesk.site).take_in([_again(helpdesk, result.incoming_id, raw)]) == []
    assert len(helpdesk.stored()) == 1
    assert helpdesk.record(result).state == "opened"


def test_a_transaction_ends_when_it_has_lasted_long_enough(helpdesk: HelpDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[object] = []
    event.listen(helpdesk.database.engine, "commit", commits.append)

    def cost(mails: int) -> int:
        before = len(commits)
        helpdesk.receive_all(
            mail(f"person{number}@{before}.example", subject=f"No {number}") for number in range(mails)
        )
        return len(commits) - before

    monkeypatch.setattr(take_in, "_TRANSACTION_SECONDS", 60.0)
    together = cost(5)
    monkeypatch.setattr(take_in, "_TRANSACTION_SECONDS", 0.0)
    assert cost(5) == together + 4, "a transaction for each mail: never for less than one"


def test_of_a_copy_nothing_is_kept_but_its_record(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(mail(ANN, Message_ID="<one@mail.example>"))
    copy = helpdesk.receive(b"Received: from elsewhere\r\n" + mail(ANN, Message_ID="<one@mail.example>"))
    assert (first.state, copy.state) == ("opened", "known")
    with helpdesk.database.read() as session:
        assert session.execute(select(func.count()).select_from(Raw)).scalar() == 1
    assert (helpdesk.record(copy).copy_of, helpdesk.record(copy).raw_digest) == (first.incoming_id, None)


GERMAN = "Guten Tag, meine Einzahlung ist seit heute Morgen nicht angekommen. Bitte helfen Sie mir. Vielen Dank."


def test_a_forged_mail_does_not_choose_the_language_of_its_victim(helpdesk: HelpDesk) -> None:
    def language() -> str:
        with helpdesk.database.read() as session:
            query = select(col(Requester.language)).join(Address).where(col(Address.key) == "ann@mail.example")
            return str(session.execute(query).scalar_one())

    helpdesk.receive(mail(ANN, subject="Hello", text="Hello, how high are the fees for trading futures with you?"))
    assert language() == "en"
    helpdesk.receive(mail(ANN, subject="Einzahlung", text=GERMAN, result="dmarc=fail"))
    assert language() == "en"
    helpdesk.receive(mail(ANN, subject="Einzahlung", text=GERMAN))
    assert language() == "de"


def test_a_stranger_s_words_fill_no_details_and_choose_no_language(helpdesk: HelpDesk) -> None:
    key = helpdesk.receive(mail(ANN)).ticket
    letter = helpdesk.deliver()[-1]
    before = helpdesk.ticket(key).row
    text = f"{GERMAN} My order ID is 918273645546372819 and my user ID is 20458817."
    result = helpdesk.receive(mail("ann@home.example", answers=letter, text=text))
    assert (result.state, result.ticket) == ("appended", key)
    after = helpdesk.ticket(key).row
    assert (after.fields, after.missing, after.language) == (before.fields, before.missing, before.language)
    helpdesk.receive(mail(ANN, answers=letter, text=text + " Ann"))
    assert helpdesk.ticket(key).row.fields != before.fields


def test_a_mail_from_the_future_arrived_now(helpdesk: HelpDesk) -> None:
    arrived = helpdesk.now.replace(year=2099)
    key = helpdesk.receive(mail(ANN), at=arrived).ticket
    assert helpdesk.ticket(key).row.created_at == helpdesk.now


def test_a_rest_makes_ready_once_what_the_first_mail_of_these_settings_would_wait_for(
    helpdesk: HelpDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = Intake(helpdesk.site)
    assert intake.rest()
    own = Category(name="cakes", labels={"en": "Cakes"}, words=("frosting",))
    settings = helpdesk.site.settings.model_copy(update={"category": (own,)})
    intake.site = replace(helpdesk.site, reading=replace(helpdesk.site.reading, settings=settings))
    assert intake.rest()
    assert not intake.rest()
    monkeypatch.setattr(sieve, "traits", lambda _: pytest.fail("a sieve is built while a mail waits"))
    preparation = prepare(mail(ANN, text="The frosting is gone."), True, intake.site.brief)
    assert preparation.meaning.verdict.name == "cakes"
