"""Nothing of a member leaves by accident: what a receipt or a question is answered with, and which commands do what."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailticket.desk import release
from mailticket.desk.tickets import Desk
from mailticket.errors import Refused
from tests.conftest import OpenDesk
from tests.helpdesk import BORDER, SUPPORT, HelpDesk, mail, message_id, parsed, words
from tests.test_desk_by_mail import (
    MIA,
    PEOPLE,
    TOM,
    ask,
    desk_mails,
    forward,
    held_of,
    quote,
    receipts,
    reply,
    stored,
    to_bob,
    told,
)

SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"


@pytest.fixture
def desk(open_desk: OpenDesk) -> HelpDesk:
    return open_desk(**PEOPLE)


def with_desk(open_desk: OpenDesk, **settings: Any) -> HelpDesk:
    return open_desk(**{**PEOPLE, "desk": {**PEOPLE["desk"], **settings}})


def asked(desk: HelpDesk, text: str = "#send\nForged.") -> tuple[str, bytes]:
    """A ticket on which a mail with mia's bare From waits, and the question whether it was hers."""
    key = ask(desk)
    desk.receive(mail(MIA, f"[{key}]", text, result=None))
    return key, told(desk, event="receipt-confirm")


# --- the question whether a mail was theirs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words_",
    ["I did not write this", "That wasn't me", "That wasn\u2019t me", "I never wrote that.", "这不是我写的",
     "Yes, but do not send it", "It is spam", "", "#drop", "#no", "#assgin tom\nyes", "#cc x@y.example\nyes",
     "#note\nyes", "yes\n#stop"],
)  # fmt: skip
def test_what_does_not_plainly_consent_sends_nothing_and_drops_nothing(desk: HelpDesk, words_: str) -> None:
    key, question = asked(desk)
    desk.receive(reply(question, words_))
    assert to_bob(desk) == []
    assert len(held_of(desk, key)) == 1
    assert receipts(desk)[-1] == "refused"
    desk.receive(reply(question, "Yes, it was me."))
    assert len(to_bob(desk)) == 1


@pytest.mark.parametrize("words_", ["No, that was not me!", "yes, please send it", "sure"])
def test_an_answer_below_the_question_never_sends(desk: HelpDesk, words_: str) -> None:
    _, question = asked(desk)
    desk.receive(mail(MIA, "Re: x", f"{quote(question)}\n\n{words_}\n", result=None, answers=question))
    assert to_bob(desk) == []
    assert receipts(desk)[-1] in ("stopped", "refused")


def test_a_mail_that_is_asked_back_with_a_secret_does_not_leave_masked_or_whole(desk: HelpDesk) -> None:
    key, question = asked(desk, f"#send\nYour seed phrase is: {SEED}")
    desk.receive(reply(question, "yes"))
    assert to_bob(desk) == []
    (held,) = [m for m in stored(desk, key).messages if m.kind == "held"]
    release.send(desk.desk, int(held.id or 0), anyway=True)
    assert "sausage" in words(to_bob(desk)[0])


def test_a_note_with_a_secret_does_not_leave_masked(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(mail(MIA, f"[{key}]", f"Your seed phrase is: {SEED}"))
    desk.receive(reply(told(desk, event="receipt-note"), "#send", result="dmarc=pass"))
    assert to_bob(desk) == []
    assert receipts(desk)[-1] == "refused"
    (note,) = [m for m in stored(desk, key).messages if m.kind == "note"]
    with pytest.raises(Refused, match="secret"):
        release.send(Desk(desk.site, "mia"), int(note.id or 0), anyway=True)


# --- #send ------------------------------------------------------------------------------------------------------------


def test_a_note_is_sent_once_however_often_it_is_asked_for(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(mail(MIA, f"[{key}]", "Try the new app."))
    receipt = told(desk, event="receipt-note")
    for text in ("#send", "#send\n\nSent from my iPhone", "#发送"):
        desk.receive(reply(receipt, text, result="dmarc=pass"))
    assert len(to_bob(desk)) == 1
    assert receipts(desk)[-2:] == ["refused", "refused"]


def test_a_note_that_the_guard_holds_when_it_is_sent_has_a_receipt(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(mail(MIA, f"[{key}]", "Try the new app."))
    note = told(desk, event="receipt-note")
    desk.receive(reply(told(desk, "tom"), "Tom has answered.", TOM))
    desk.receive(reply(note, "#send", result="dmarc=pass"))
    assert len(to_bob(desk)) == 1
    assert receipts(desk)[-1] == "held"


def test_the_cap_of_the_hour_holds_what_is_released_too(open_desk: OpenDesk) -> None:
    desk = with_desk(open_desk, per_person_answers_hour=1)
    ask(desk)
    ask(desk, "Eve <eve@mail.example>", "Other matter", "My deposit of 5 BTC is missing since Tuesday.")
    desk.receive(reply(desk_mails(desk)[0].wire, "First.", result="dmarc=pass"))
    desk.receive(reply(desk_mails(desk, event="new")[1].wire, "Second.", result="dmarc=pass"))
    held = told(desk, event="receipt-held")
    desk.receive(reply(held, "#send", result="dmarc=pass"))
    assert to_bob(desk, "eve@mail.example") == []
    assert receipts(desk)[-1] == "refused"
    desk.later(minutes=61)
    desk.receive(reply(held, "#send\n", result="dmarc=pass", Message_ID="<later@coinharbor.com>"))
    assert len(to_bob(desk, "eve@mail.example")) == 1


def _toms_held(desk: HelpDesk) -> tuple[str, bytes]:
    """A ticket that mia answered, and the receipt of tom's answer that came after hers."""
    key = ask(desk)
    toms = told(desk, "tom")
    desk.receive(reply(told(desk), "Mia has blocked it."))
    desk.receive(reply(toms, "Tom says it is blocked.", TOM))
    return key, told(desk, "tom", "receipt-held")


def test_commands_beside_send_are_carried_out_and_its_receipt_shows_what_left(desk: HelpDesk) -> None:
    key, receipt = _toms_held(desk)
    desk.receive(reply(receipt, "#send\n#solved\nAnd something that I forgot.", TOM))
    assert len(to_bob(desk)) == 2
    assert stored(desk, key).row.status == "solved"
    shown = words(told(desk, "tom", "receipt-sent"))
    assert "Tom says it is blocked." in shown
    assert "And something that I forgot." not in shown


@pytest.mark.parametrize("line", ["#cc eve@mail.example", "#canned hello", "#assgin mia", "#solvd"])
def test_a_command_that_cannot_stand_beside_send_sends_nothing(desk: HelpDesk, line: str) -> None:
    key, receipt = _toms_held(desk)
    desk.receive(reply(receipt, f"#send\n{line}", TOM))
    assert len(to_bob(desk)) == 1
    assert stored(desk, key).participants == ()
    assert receipts(desk, "tom")[-1] == "refused"


def test_what_is_released_does_not_wait_and_its_receipt_does_not_offer_to_stop_it(open_desk: OpenDesk) -> None:
    desk = with_desk(open_desk, hold_seconds=60)
    _, receipt = _toms_held(desk)
    desk.receive(reply(receipt, "#send", TOM))
    assert "#stop" not in words(told(desk, "tom", "receipt-sent"))


# --- commands beside words, and without any ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "more"),
    [("#note\n#solved\nWe are done here.", {}), ("#solved\nYou can log in.", {"Cc": "bob@mail.example"})],
    ids=["note", "outside"],
)
def test_a_state_beside_a_note_or_an_outside_answer_is_carried_out(
    desk: HelpDesk, text: str, more: dict[str, str]
) -> None:
    key = ask(desk)
    desk.receive(reply(told(desk), text, **more))
    assert stored(desk, key).row.status == "solved"
    assert to_bob(desk) == []


def test_a_state_above_a_forward_is_carried_out(desk: HelpDesk) -> None:
    result = desk.receive(forward("#solved\nsettled by telephone"))
    assert stored(desk, str(result.ticket)).row.status == "solved"


def test_send_and_note_without_words_say_that_nothing_was_done(desk: HelpDesk) -> None:
    key = ask(desk)
    first = told(desk)
    for raw in (reply(first, "#send"), mail(MIA, f"[{key}]", "#send"), reply(first, "#solved\n#send")):
        desk.receive(raw)
        assert receipts(desk)[-1] == "held"
    assert stored(desk, key).row.status == "new"


def test_a_ready_answer_never_becomes_an_empty_note(open_desk: OpenDesk, tmp_path: Path) -> None:
    (tmp_path / "canned" / "en").mkdir(parents=True)
    (tmp_path / "canned" / "en" / "hello.md").write_text("Hello {name}, all is well.")
    desk = with_desk(open_desk, canned=str(tmp_path / "canned"))
    key = ask(desk)
    desk.receive(reply(told(desk), "#note\n@tom look"))
    desk.receive(reply(told(desk, "tom"), "#canned hello", TOM))
    assert [m.text for m in stored(desk, key).messages if m.kind == "note"] == ["@tom look"]
    assert receipts(desk, "tom") == ["held"]
    desk.receive(reply(told(desk, event="new"), "#canned hello\nYours, Mia", result="dmarc=pass"))
    assert "Hello Bob Miller, all is well." in words(to_bob(desk)[0])


def test_a_held_mail_of_another_is_not_mias_to_send(desk: HelpDesk) -> None:
    key, receipt = _toms_held(desk)
    desk.receive(reply(receipt, "#send", MIA, result="dmarc=pass"))
    assert len(to_bob(desk)) == 1
    assert "tom" in [m.by for m in stored(desk, key).messages if m.kind == "held"]


# --- files ------------------------------------------------------------------------------------------------------------


def with_files(wire: bytes, *files: tuple[str, str, bytes], text: str = "We have blocked it.") -> bytes:
    """Mia's proved answer to a desk mail with files: (type, name, content) each."""
    letter = EmailMessage(policy=policy.SMTP)
    letter["From"], letter["To"], letter["Subject"] = MIA, SUPPORT, f"Re: {parsed(wire)['Subject']}"
    letter["Date"], letter["Message-ID"] = "Mon, 23 Nov 2026 08:59:00 +0000", f"<{len(wire)}-{len(files)}@x.example>"
    letter["In-Reply-To"] = letter["References"] = message_id(wire)
    letter.set_content(f"{text}\n\n{quote(wire)}\n")
    for type_, name, content in files:
        main, _, sub = type_.partition("/")
        if main == "message":
            letter.add_attachment(parsed(content))
        else:
            letter.add_attachment(content, maintype=main, subtype=sub, filename=name)
    verdict = f"Authentication-Results: {BORDER}; dmarc=pass header.from=coinharbor.com\r\n"
    return f"Return-Path: <mia@coinharbor.com>\r\n{verdict}".encode() + letter.as_bytes()


def files_of(wire: bytes) -> list[bytes]:
    parts = [part for part in parsed(wire).walk() if part.get_filename()]
    return [bytes(part.get_payload(decode=True) or b"") for part in parts]  # type: ignore[arg-type]


PDF = b"%PDF-1.7\n\x00\xff\r\n\r\r binary, with the address mia@ nowhere"
CARD = b"BEGIN:VCARD\r\nFN:Mia Berg\r\nEMAIL:mia@coinharbor.com\r\nEND:VCARD\r\n"


def test_a_file_arrives_byte_for_byte_and_what_programs_add_to_each_mail_does_not(desk: HelpDesk) -> None:
    ask(desk)
    raw = with_files(
        told(desk),
        ("application/pdf", "form.pdf", PDF),
        ("application/pkcs7-signature", "smime.p7s", b"0\x82\x01\x00 mia@coinharbor.com"),
        ("application/pgp-keys", "OpenPGP_0x12.asc", b"-----BEGIN PGP PUBLIC KEY BLOCK-----"),
        ("application/pgp-signature", "OpenPGP_signature.asc", b"-----BEGIN PGP SIGNATURE-----"),
        ("text/vcard", "mia.vcf", CARD),
    )
    desk.receive(raw)
    (wire,) = to_bob(desk)
    assert files_of(wire) == [PDF]


@pytest.mark.parametrize(
    ("type_", "content"),
    [
        ("text/plain", b"On Monday support wrote:\n> of mia@coinharbor.com\n"),
        ("text/html", b"<p>mia&#64;coinharbor.com</p>"),
        ("text/calendar", b"BEGIN:VCALENDAR\nORGANIZER:mailto:MIA@coinharbor.com\n"),
        ("application/octet-stream", b"tom @ coinharbor.com"),
        ("text/plain", "mia@coinharbor.com".encode("utf-16")),
        ("message/rfc822", b"From: Tom <tom@coinharbor.com>\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n"),
        ("message/rfc822", b"From: a@b.example\nContent-Transfer-Encoding: base64\n\nbWlhQGNvaW5oYXJib3IuY29t\n"),
    ],
)
def test_a_file_that_shows_an_address_of_staff_is_held(desk: HelpDesk, type_: str, content: bytes) -> None:
    key = ask(desk)
    desk.receive(with_files(told(desk), (type_, "a.txt", content)))
    assert to_bob(desk) == []
    assert held_of(desk, key)[0]["reasons"] == ["staff_address"]


def test_the_desk_mail_that_a_program_attaches_whole_stays_inside(desk: HelpDesk) -> None:
    ask(desk)
    desk.receive(reply(told(desk, "tom"), "#note\n@mia known fraudster for sure", TOM))
    wire = told(desk)
    assert "fraudster" in words(wire)
    desk.receive(reply(told(desk, event="new"), "#take", result="dmarc=pass"))
    desk.receive(with_files(told(desk, event="new"), ("message/rfc822", "original.eml", wire)))
    (answer,) = to_bob(desk)
    assert files_of(answer) == []


def test_words_of_a_note_and_marks_in_a_file_are_held(desk: HelpDesk) -> None:
    key = ask(desk)
    note = "he is a known fraudster and we have told the police about each of his seven accounts already"
    desk.receive(reply(told(desk, "tom"), f"#note\n{note}", TOM))
    wire = desk_mails(desk, event="new")[0].wire
    for content, reason in ((note, "note"), (f"see {message_id(wire)}", "mark")):
        desk.receive(with_files(wire, ("text/plain", "a.txt", content.encode()), text=f"Please read: {reason}."))
        assert held_of(desk, key)[-1]["reasons"] == [reason]
    assert to_bob(desk) == []


def test_a_mark_in_the_text_is_held_by_mail_and_shell(desk: HelpDesk) -> None:
    key = ask(desk)
    mark = message_id(told(desk)).strip("<>").upper()
    desk.receive(reply(told(desk), f"Your reference is {mark}", result="dmarc=pass"))
    assert held_of(desk, key)[0]["reasons"] == ["mark"]
    held = desk.desk.reply(key, f"Your reference is {mark}").held
    assert held is not None
    assert [one.code for one in held.hindrances] == ["mark"]
    assert to_bob(desk) == []


def test_a_file_beside_commands_alone_is_not_lost(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(with_files(told(desk), ("application/pdf", "form.pdf", PDF), text="#solved"))
    assert to_bob(desk) == []
    assert held_of(desk, key)[0]["reasons"] == ["empty"]
    assert stored(desk, key).row.status == "new"
