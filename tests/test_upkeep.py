"""Housekeeping with a clock that tests turn: promises that slip, secrets that are masked, what is kept long enough."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlmodel import col

from mailticket.mail import read
from mailticket.mail.packing import unpack
from mailticket.models import Event, Raw
from mailticket.outbox import compose
from mailticket.store import tickets
from mailticket.upkeep.chores import Upkeep
from tests.helpdesk import HelpDesk, OpenDesk, mail, parsed, words

CANARY = "Zebra-7741-quartz"


@pytest.fixture
def helpdesk(open_desk: OpenDesk) -> OpenDesk:
    return open_desk


def keep_house(desk: HelpDesk) -> None:
    """A turn of housekeeping, as by a daemon that has run with a sound clock all the time."""
    Upkeep(desk.site).run()


def late_notices(desk: HelpDesk) -> list[Any]:
    return [row for row in desk.outbox() if row.kind == "late-notice"]


def overdue(desk: HelpDesk, key: str | None) -> None:
    """Turn the clock to shortly before the ticket's promise ends."""
    desk.now = desk.ticket(key).row.promised_by  # type: ignore[assignment]
    desk.later(minutes=-30)


def test_a_slipping_promise_warns_staff_and_tells_the_requester_once(helpdesk: Any) -> None:
    desk = helpdesk()
    key = desk.receive(mail()).ticket
    desk.deliver()
    promised = desk.ticket(key).row.promised_by
    desk.now = promised
    desk.later(hours=-3)
    keep_house(desk)
    assert len(desk.ticket(key).happened("promise slipping")) == 1
    assert late_notices(desk) == []

    overdue(desk, key)
    keep_house(desk)
    keep_house(desk)
    desk.later(days=3)
    keep_house(desk)
    [notice] = late_notices(desk)
    letter = parsed(notice.wire)
    assert (notice.recipient, notice.state, letter["Auto-Submitted"]) == (
        "ann@mail.example",
        "queued",
        "auto-generated",
    )
    assert str(key) in str(letter["Subject"])
    stored = desk.ticket(key)
    assert len(stored.happened("promise slipping")) == 1
    assert len(stored.happened("late notice")) == 1
    assert stored.row.promised_by == promised  # what was promised stays on record
    assert f"{promised:%H:%M}" in words(notice.wire)


def test_a_late_answer_counts_as_missed_whatever_was_said_meanwhile(helpdesk: Any) -> None:
    from mailticket.store import overview

    desk = helpdesk()
    key = desk.receive(mail()).ticket
    desk.deliver()
    overdue(desk, key)
    keep_house(desk)
    desk.later(hours=2)
    with desk.database.write() as session:
        tickets.set_first_response(session, desk.ticket(key).row.id, desk.now)
    with desk.database.read() as session:
        figures = overview.figures(session, desk.now, desk.now.replace(year=2025))
    assert (figures.kept, figures.missed) == (0, 1)


@pytest.mark.parametrize("how", ["answered", "closed", "merged", "solved"])
def test_who_was_answered_or_whose_ticket_is_done_gets_no_late_notice(helpdesk: Any, how: str) -> None:
    desk = helpdesk()
    key = desk.receive(mail()).ticket
    desk.deliver()
    if how == "answered":
        desk.desk.reply(key, "It has arrived.")
    elif how == "closed":
        desk.desk.close(key)
    elif how == "merged":
        other = desk.receive(mail(subject="My API key is refused", text="Every call of the API fails with 401.")).ticket
        desk.desk.merge(key, other, anyway=True)
        desk.desk.close(other)
    else:
        answer = desk.outbox()[0].wire
        desk.receive(mail(subject="Re: it", text="solved", answers=answer))
    overdue(desk, key)
    keep_house(desk)
    assert late_notices(desk) == []


@pytest.mark.parametrize(
    "raw",
    [
        mail(result="dmarc=fail"),
        mail(Auto_Submitted="auto-generated"),
        mail(sender="noreply@mail.example"),
        mail(X_Spam_Flag="YES"),
    ],
    ids=["failed sender", "automaton", "no-reply", "spam"],
)
def test_who_was_never_told_a_promise_hears_nothing_of_its_end(helpdesk: Any, raw: bytes) -> None:
    desk = helpdesk()
    key = desk.receive(raw).ticket
    desk.deliver()
    overdue(desk, key)
    keep_house(desk)
    assert desk.ticket(key).happened("promise slipping")
    assert late_notices(desk) == []


def test_an_acknowledgement_that_was_withheld_promised_nothing(helpdesk: Any) -> None:
    desk = helpdesk(acknowledge={"enabled": False})
    key = desk.receive(mail()).ticket
    overdue(desk, key)
    keep_house(desk)
    assert late_notices(desk) == []


def test_an_address_whose_mail_bounces_gets_no_late_notice(helpdesk: Any) -> None:
    desk = helpdesk()
    key = desk.receive(mail()).ticket
    desk.deliver()
    with desk.database.write() as session:
        tickets.set_undeliverable(session, "ann@mail.example", desk.now, "5.1.1 no such user")
    overdue(desk, key)
    keep_house(desk)
    assert late_notices(desk) == []


def test_late_notices_can_be_switched_off(helpdesk: Any) -> None:
    desk = helpdesk(promise={"late_notice": False})
    key = desk.receive(mail()).ticket
    desk.deliver()
    overdue(desk, key)
    keep_house(desk)
    assert late_notices(desk) == []


def test_a_late_notice_is_withheld_while_piloting(helpdesk: Any) -> None:
    desk = helpdesk()
    key = desk.receive(mail()).ticket
    desk.deliver()
    overdue(desk, key)
    desk.reopen(acknowledge={"enabled": False})
    keep_house(desk)
    assert [(row.state, row.reason) for row in late_notices(desk)] == [("withheld", "[acknowledge] enabled is false")]
    with desk.database.read() as session:
        told = compose.steps(session, tickets.by_key(session, key))
    assert [step.kind for step in told] == ["received"], "who asks for the status hears only of what was sent"


def test_late_notices_keep_to_the_caps(helpdesk: Any) -> None:
    desk = helpdesk(caps={"per_address_hour": 2})
    matters = ("Deposit of BTC has not arrived", "API key is refused with 401", "KYC passport was rejected")
    keys = []
    for matter in matters:
        keys.append(desk.receive(mail(subject=matter, text=matter)).ticket)
        desk.later(hours=2)
        desk.deliver()
    desk.now = max(desk.ticket(key).row.promised_by for key in keys)
    keep_house(desk)
    assert sorted(row.state for row in late_notices(desk)) == ["queued", "queued", "withheld"]
    assert [row.reason for row in late_notices(desk)][-1].startswith("cap reached: 2 an hour to one address")


def secret_mail(**more: str) -> bytes:
    letter = EmailMessage()
    letter.set_content(f"I cannot sign in. My password: {CANARY} and my user ID is 20458817.")
    letter.add_attachment(bytes(range(256)) * 8, maintype="application", subtype="pdf", filename="proof.pdf")
    letter["From"], letter["To"] = "Ann Lee <ann@mail.example>", "support@coinharbor.com"
    letter["Subject"], letter["Message-ID"] = f"password: {CANARY}", "<secret@mail.example>"
    verdict = b"Authentication-Results: mx.coinharbor.com; dmarc=pass header.from=mail.example\r\n"
    return verdict + letter.as_bytes()


def files_of(desk: HelpDesk) -> bytes:
    """All bytes that the database keeps on disk."""
    file = desk.database.file
    assert file is not None
    return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))


def raws(desk: HelpDesk) -> list[bytes]:
    with desk.database.read() as session:
        rows = session.execute(select(col(Raw.packing), col(Raw.data))).all()
    return [unpack(packing, data) for packing, data in rows]


@pytest.mark.sqlite
def test_a_secret_is_nowhere_in_the_database_after_its_retention(helpdesk: Any) -> None:
    desk = helpdesk()
    taken = desk.receive(secret_mail())
    assert CANARY.encode() in raws(desk)[0]
    [message] = desk.ticket(taken.ticket).messages[:1]
    before = desk.desk.attachment(1)
    desk.later(hours=23)
    keep_house(desk)
    assert CANARY.encode() in raws(desk)[0]
    desk.later(hours=2)
    keep_house(desk)
    assert CANARY.encode() not in b"".join(raws(desk))
    assert CANARY.encode() not in files_of(desk)
    assert desk.desk.attachment(1) == before
    assert message.secrets == ["password"]
    assert read(raws(desk)[0]).subject == "password: [redacted: password]"


def test_a_doubtful_secret_is_masked_where_it_shows_and_nowhere_else(helpdesk: Any) -> None:
    desk = helpdesk()
    taken = desk.receive(mail(text="I cannot sign in any more. Please help.\nmy password is daffodil\n"))
    [message] = desk.ticket(taken.ticket).messages[:1]
    assert "daffodil" not in message.text + message.new_text
    assert message.secrets == []
    [acknowledgement] = desk.outbox()
    assert "something secret" not in words(acknowledgement.wire)
    desk.later(hours=25)
    keep_house(desk)
    assert b"my password is daffodil" in raws(desk)[0]


def test_an_ordinary_sentence_about_a_password_stays_as_it_is(helpdesk: Any) -> None:
    desk = helpdesk()
    taken = desk.receive(mail(subject="My password is gone", text="My password is suspended. What can I do?"))
    [message] = desk.ticket(taken.ticket).messages[:1]
    assert (message.subject, message.text.strip()) == (
        "My password is gone",
        "My password is suspended. What can I do?",
    )
    assert "something secret" not in words(desk.outbox()[0].wire)


def test_a_secret_is_in_nothing_that_people_or_logs_see(helpdesk: Any, caplog: pytest.LogCaptureFixture) -> None:
    desk = helpdesk()
    caplog.set_level("DEBUG")
    taken = desk.receive(secret_mail())
    stored = desk.ticket(taken.ticket)
    seen = [
        *(words(row.wire) + row.subject for row in desk.outbox()),
        *(f"{m.subject} {m.text} {m.new_text} {m.from_name}" for m in stored.messages),
        *(f"{e.kind} {e.detail}" for e in stored.events),
        str(stored.row), str(desk.record(taken)), caplog.text,
    ]  # fmt: skip
    assert not [text for text in seen if CANARY in text]
    [acknowledgement] = desk.outbox()
    assert "your message contained something secret" in words(acknowledgement.wire)
    assert "Password: change it" in words(acknowledgement.wire)


def test_a_quarantined_mail_that_is_taken_in_after_all_is_masked_too(helpdesk: Any) -> None:
    from mailticket.mail.packing import pack
    from mailticket.store import raws as store

    desk = helpdesk()
    raw = secret_mail()
    with desk.database.write() as session:
        store.put(session, pack(raw), desk.now)
    desk.receive(raw)
    desk.later(hours=25)
    keep_house(desk)
    assert CANARY.encode() not in b"".join(raws(desk))


def test_old_history_is_forgotten(helpdesk: Any) -> None:
    desk = helpdesk(retention={"events_days": 30})
    desk.receive(mail())
    desk.later(days=31)
    keep_house(desk)
    with desk.database.read() as session:
        kinds = list(session.execute(select(col(Event.kind))).scalars())
    assert set(kinds) == {"promise slipping"}


def test_a_new_reader_does_not_wait_for_a_writer(helpdesk: Any) -> None:
    desk = helpdesk()
    desk.receive(mail())
    desk.database.engine.dispose()
    with desk.database.write() as session:
        tickets.set_undeliverable(session, "ann@mail.example", desk.now, "5.1.1")
        with desk.database.read() as other:
            assert tickets.addresses_of(other, 1)[0].undeliverable_since is None


def test_a_requesters_letters_are_in_their_own_zone_late_notices_and_answers_too(helpdesk: Any) -> None:
    desk = helpdesk(support={"timezone": "Europe/Berlin"})
    key = desk.receive(mail(Date="Mon, 23 Nov 2026 16:59:00 +0800")).ticket
    [acknowledgement] = desk.deliver()
    assert "(UTC+8; in UTC " in words(acknowledgement)
    overdue(desk, key)
    keep_house(desk)
    [notice] = late_notices(desk)
    assert "(UTC+8; in UTC " in words(notice.wire)
    assert "UTC+1" not in words(notice.wire)
    desk.deliver()
    desk.desk.reply(key, "It is there now.")
    [answer] = desk.deliver()
    assert "17:00 (your time, UTC+8), Ann Lee wrote:" in words(answer)


def test_without_a_clue_or_the_mail_that_gave_it_letters_are_in_supports_zone(helpdesk: Any) -> None:
    desk = helpdesk(support={"timezone": "Europe/Berlin"})
    desk.receive(mail())
    [acknowledgement] = desk.deliver()
    assert "(UTC+1)" in words(acknowledgement)
    key = desk.receive(
        mail("bob@mail.example", "My API key", "It fails", Date="Mon, 23 Nov 2026 16:59:00 +0800")
    ).ticket
    [own] = desk.deliver()
    assert "(UTC+8; in UTC " in words(own)
    with desk.database.write() as session:
        session.execute(delete(Raw))
    overdue(desk, key)
    keep_house(desk)
    assert "(UTC+1)" in words(late_notices(desk)[-1].wire)
