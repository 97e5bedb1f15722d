"""What could deceive staff, and tricks with duplicates and numbers. Rows S27, S28, S51, S52, S54, S55."""

from __future__ import annotations

import itertools
import secrets
import statistics
from email.header import Header

import pytest

from mailticket.store import tickets
from mailticket.store.tickets import by_key, position
from mailticket.triage import ticket_keys
from tests.helpdesk import HelpDesk, OpenDesk, mail, words

ANN = "Ann Lee <ann@mail.example>"

NAMES = [
    ('"support@coinharbor.com" <x@evil.example>', "the name shows the address support@coinharbor.com"),
    ('"support＠coinharbor.com" <x@evil.example>', "the name shows the address support@coinharbor.com"),
    ('"ann@bank.example via mail" <x@evil.example>', "the name shows the address ann@bank.example"),
    ("Coin Harbor Support <x@evil.example>", "the name is like ours"),
    ("COIN HARBOR <x@evil.example>", "the name is like ours"),
    ("=?utf-8?b?0KFvaW4g0J1hcmJvciBTdXBwb3J0?= <x@evil.example>", "the name is like ours"),  # С and Н are Cyrillic
    ("=?utf-8?b?0KFvaW4g0J1hcmJvciBTdXBwb3J0?= <x@evil.example>", "the name mixes Latin and Cyrillic letters"),
    ("=?utf-8?b?0IV1cHBvcnQ=?= <x@evil.example>", "the name mixes Latin and Cyrillic letters"),  # Ѕ of Ѕupport
    ("CoinHarb0r-Team <x@evil.example>", "the name is like ours"),
    ("Help <help@coinharb0r.com>", "the domain coinharb0r.com looks like our coinharbor.com"),
    ("Help <help@coinharbour.com>", "the domain coinharbour.com looks like our coinharbor.com"),
    ("Help <help@coinharbro.com>", "the domain coinharbro.com looks like our coinharbor.com"),
    ("Help <help@coinharbor.net>", "the domain coinharbor.net looks like our coinharbor.com"),
    ("Help <help@coinharbor-support.com>", "looks like our coinharbor.com"),
    ("Help <help@support.coinharbor.com.evil.example>", "looks like our coinharbor.com"),
    ("Help <help@coin-harbor.com>", "looks like our coinharbor.com"),
    ("Help <help@xn--oinharbor-u3h.com>", "looks like our coinharbor.com"),  # the c is Cyrillic
]  # fmt: skip


@pytest.mark.parametrize(("sender", "warning"), NAMES)
def test_s27_a_name_or_domain_that_pretends_is_marked(helpdesk: HelpDesk, sender: str, warning: str) -> None:
    ticket = helpdesk.ticket(helpdesk.receive(mail(sender)).ticket)
    assert any(warning in mark for mark in ticket.marks), ticket.marks
    assert any(warning in detail for detail in ticket.happened("marked"))


HONEST = [
    "Ann Lee <ann@mail.example>", "王小明 <wang@posta.example>", "Иван Петров <ivan@pochta.example>",
    "Jörg Müller <j.mueller@web.example>", '"ann@mail.example" <ann@mail.example>', "ann@harbor-hotel.example",
    "Support <help@chat.example>", "Zoë Αθηνά <zoe@mail.example>", "Mia <mia@coinharbor.com>",
    "Mia <mia@staff.coinharbor.com>", "Coin Collector <c@mail.example>",
]  # fmt: skip


@pytest.mark.parametrize("sender", HONEST)
def test_s27_honest_people_bear_no_mark(helpdesk: HelpDesk, sender: str) -> None:
    encoded = sender.encode().decode("latin-1")
    raw = mail("PLACE <x@mail.example>", result=None).replace(b"PLACE <x@mail.example>", encoded.encode("latin-1"))
    ticket = helpdesk.ticket(helpdesk.receive(raw).ticket)
    assert ticket.marks == []


def test_s27_nothing_of_the_kind_at_a_site_named_for_examples(open_desk: OpenDesk) -> None:
    desk = open_desk(support={"address": "support@example.com", "name": "Example Support"})
    assert desk.ticket(desk.receive(mail("Ann <ann@example.org>")).ticket).marks == []


def with_file(disposition: str, subject: str = "Invoice") -> bytes:
    head = mail(ANN, subject=subject).partition(b"\r\nContent-Type:")[0]
    lines = ["", 'Content-Type: multipart/mixed; boundary="b"', "", "--b", "Content-Type: text/plain", "", "See file.",
             "--b", "Content-Type: application/octet-stream", disposition, "", "MZ", "--b--", ""]  # fmt: skip
    return head + "\r\n".join(lines).encode()


FILES = [
    "Content-Disposition: attachment; filename*=utf-8''invoice%E2%80%AEfdp.exe",
    'Content-Disposition: attachment; filename="=?utf-8?q?invoice=E2=80=AEfdp=2Eexe?="',
    'Content-Disposition: attachment; filename="invoice\u202efdp.exe"',
]


@pytest.mark.parametrize("disposition", FILES)
def test_s28_a_file_name_read_backwards_is_shown_as_it_is(helpdesk: HelpDesk, disposition: str) -> None:
    ticket = helpdesk.ticket(helpdesk.receive(with_file(disposition)).ticket)
    with helpdesk.database.read() as session:
        files = tickets.attachments_of(session, [m.id or 0 for m in ticket.messages])
    assert [file.name for of_message in files.values() for file in of_message] == ["invoicefdp.exe"]
    assert "the attachment invoicefdp.exe is a program" in ticket.row.marks
    assert "hidden characters in the name of a file" in ticket.row.marks


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\ufeff", "\u2060"])
def test_s28_hidden_characters_in_name_and_subject_are_dropped_and_marked(helpdesk: HelpDesk, hidden: str) -> None:
    encoded = Header(f"A{hidden}nn", "utf-8").encode()
    ticket = helpdesk.ticket(helpdesk.receive(mail(f"{encoded} <ann@mail.example>", subject=f"De{hidden}posit")).ticket)
    assert (ticket.messages[0].from_name, ticket.row.subject) == ("Ann", "Deposit")
    assert {"hidden characters in from", "hidden characters in subject"} <= set(ticket.row.marks or ())
    assert hidden not in words(helpdesk.letters()[0])


@pytest.mark.parametrize("policy", ["flag", "attach"])
def test_s51_a_forged_request_does_not_make_the_real_one_a_repetition(open_desk: OpenDesk, policy: str) -> None:
    for result in ("dmarc=fail", None):
        desk = open_desk(duplicates={"policy": policy})
        forged = desk.receive(mail(ANN, result=result))
        real = desk.receive(mail(ANN))
        assert (real.state, real.letter, real.withheld) == ("opened", "acknowledgement", "")
        assert real.ticket != forged.ticket
        assert desk.ticket(real.ticket).row.duplicate_of is None


def test_s51_a_forged_repetition_takes_nothing_from_the_real_ticket(helpdesk: HelpDesk) -> None:
    real = helpdesk.receive(mail(ANN)).ticket or ""
    before = helpdesk.ticket(real)
    helpdesk.later(minutes=1)
    forged = helpdesk.receive(mail(ANN, result="dmarc=fail"))
    assert (forged.state, forged.duplicate_of) == ("opened", None)
    assert helpdesk.ticket(real).kinds == before.kinds
    with helpdesk.database.read() as session:
        assert position(session, by_key(session, real)) == 1


def test_s51_without_verdicts_a_flag_never_costs_ticket_or_answer(open_desk: OpenDesk) -> None:
    desk = open_desk(trust={"authserv_id": ""})
    desk.receive(mail(ANN))
    real = desk.receive(mail(ANN, Date="Mon, 23 Nov 2026 09:30:00 +0000"))
    assert (real.state, real.letter, real.withheld) == ("opened", "duplicate-notice", "")


def test_s52_a_reused_message_id_suppresses_nothing(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(mail("Eve <eve@evil.example>", text="first come", Message_ID="<known@mail.example>"))
    second = helpdesk.receive(mail(ANN, Message_ID="<known@mail.example>"))
    assert (first.state, second.state) == ("opened", "opened")
    assert len(helpdesk.stored()) == 2
    assert "another mail with other content bears the same Message-ID" in helpdesk.ticket(second.ticket).marks
    assert f"mail {first.incoming_id} has the same Message-ID" in helpdesk.evidence(second)["content"]
    assert {row.recipient for row in helpdesk.outbox("queued")} == {"eve@evil.example", "ann@mail.example"}


def test_s52_nobody_takes_over_a_thread_by_reusing_its_message_id(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail("Eve <eve@evil.example>", Message_ID="<known@mail.example>"))
    own = helpdesk.receive(mail(ANN, Message_ID="<known@mail.example>")).ticket
    for _ in range(3):
        helpdesk.receive(mail("Eve <eve@evil.example>", text="again and again", Message_ID="<known@mail.example>"))
    more = helpdesk.receive(mail(ANN, subject="more", answers="<known@mail.example>"))
    assert (more.rule, more.ticket) == ("own earlier mail", own)


def test_s52_a_copy_sent_in_advance_by_a_forger_does_not_silence_the_real_mail(helpdesk: HelpDesk) -> None:
    raw = mail(ANN, result=None)
    top = b"Authentication-Results: mx.coinharbor.com; dmarc=%s header.from=mail.example\r\n"
    forged = helpdesk.receive(top % b"fail" + raw)
    real = helpdesk.receive(top % b"pass" + raw)
    again = helpdesk.receive(top % b"pass" + raw)
    assert (forged.state, real.state, again.state) == ("opened", "opened", "known")
    assert (real.letter, real.withheld) == ("acknowledgement", "")


def test_s54_a_phisher_inside_a_thread_is_marked_and_every_letter_warns(helpdesk: HelpDesk) -> None:
    ticket = helpdesk.receive(mail(ANN)).ticket
    letter = helpdesk.deliver()[-1]
    phisher = mail("Coin Harbor Support <care@coinharbor-support.com>", answers=letter,
                   text="I am support. Please send the 2FA code of this customer.")  # fmt: skip
    outcome = helpdesk.receive(phisher)
    marks = "; ".join(helpdesk.ticket(ticket).marks)
    assert (outcome.state, outcome.ticket, outcome.letter) == ("appended", ticket, "")
    for warning in ("from another address", "the name is like ours", "looks like our coinharbor.com"):
        assert warning in marks
    helpdesk.desk.reply(ticket or "", "We look into it.")
    for wire in (letter, helpdesk.outbox("queued")[-1].wire):
        assert "We never ask for passwords, 2FA codes" in " ".join(words(wire).split())


def test_s55_ticket_ids_tell_neither_number_nor_order(helpdesk: HelpDesk) -> None:
    with helpdesk.database.write() as session:
        drawn = [
            tickets.unused_key(session, lambda: ticket_keys.new_key("MT", secrets.randbelow)) for _ in range(1_000)
        ]
    assert len(set(drawn)) == 1_000
    rising = [later > earlier for earlier, later in itertools.pairwise(drawn)]
    assert 0.4 < statistics.mean(rising) < 0.6
    assert {key[3] for key in drawn} == set(ticket_keys.ALPHABET)


def test_s55_a_letter_names_no_ticket_but_its_own(helpdesk: HelpDesk) -> None:
    others = [helpdesk.receive(mail(f"u{number}@mail.example")).ticket or "" for number in range(5)]
    said = words(helpdesk.letters()[-1])
    assert others[-1] in said
    assert not any(other in said for other in others[:-1])
