"""Whoever tries to speak as staff, to hear what staff say, or to silence them. Tests are named for their threats."""

from __future__ import annotations

from typing import Any

import pytest

from mailticket.store import desk_mail as desk_state
from tests.conftest import OpenDesk
from tests.helpdesk import SUPPORT, HelpDesk, mail, message_id, parsed, words
from tests.test_desk_by_mail import (
    BOB,
    MIA,
    PEOPLE,
    TOM,
    ask,
    desk_mails,
    quote,
    receipts,
    reply,
    stored,
    to_bob,
    told,
)

EVE = "Eve <eve@mail.example>"


@pytest.fixture
def desk(open_desk: OpenDesk) -> HelpDesk:
    return open_desk(**PEOPLE)


def nothing_left(desk: HelpDesk) -> bool:
    """Whether no word of anybody has gone to a requester as an answer of staff."""
    return not [row for row in desk.outbox() if row.kind == "staff-reply"]


def answers(wire: bytes, reference: str, **more: Any) -> bytes:
    """A mail with mia's From and no verdict that answers whatever it says it answers."""
    text = f"Pay it to this wallet.\n\n{quote(wire)}"
    return mail(MIA, f"Re: {parsed(wire)['Subject']}", text, result=None, answers=reference, **more)


# --- a forged agent with an imitated notification's ID ----------------------------------------------------------------


def _spliced(one: str, other: str) -> dict[str, str]:
    """Marks made of two real ones, and other things that look like one."""
    left, right = one.split("@")[0].split("."), other.split("@")[0].split(".")
    host = one.split("@")[1]

    def join(parts: list[str]) -> str:
        return f"{'.'.join(parts)}@{host}"

    return {
        "body of one, signature of the other": join([*left[:-1], right[-1]]),
        "purpose of the other": join([*left[:4], "ask", *left[5:]]),
        "a day younger": join([*left[:5], f"{int(left[5], 16) + 86400:x}", left[6]]),
        "ticket of the other": join([left[0], right[1], *left[2:]]),
        "member of the other": join([*left[:3], right[3], *left[4:]]),
        "two signatures": join([*left, right[-1]]),
        "a letter behind": join([*left[:-1], f"{left[-1]}a"]),
        "root's signature": one.replace("<desk.", "<desk-root."),
        "within another local part": one.replace("<desk.", "<x.desk."),
    }


def test_forged_agent_with_imitated_notification_id(desk: HelpDesk) -> None:
    key = ask(desk)
    wire = told(desk)
    ask(desk, EVE, "Other matter", "My deposit of 5 BTC is missing since Tuesday.")
    desk.receive(reply(told(desk, "tom"), "#note\n@mia look", TOM))
    note = told(desk, event="mention")
    real = [message_id(row.wire) for row in desk.outbox() if row.member]
    for one in (message_id(note), message_id(wire)):
        for other in real:
            for what, forged in _spliced(one, other).items():
                if forged not in real:
                    desk.receive(answers(wire, forged))
                    assert nothing_left(desk), what
    assert stored(desk, key).row.assigned_to == ""


@pytest.mark.parametrize("write", [str.upper, lambda mark: mark.replace("<", "<\r\n "), lambda mark: f"(it) {mark}"])
def test_a_mark_is_read_however_its_header_is_written_and_leads_to_its_own_ticket_only(
    desk: HelpDesk, write: Any
) -> None:
    ask(desk)
    wire = told(desk)
    raw = reply(wire, "Blocked.")
    mark = message_id(wire).encode()
    changed = raw.replace(b"In-Reply-To: " + mark, b"In-Reply-To: " + write(mark.decode()).encode())
    desk.receive(changed)
    assert len(to_bob(desk)) <= 1
    assert [row.recipient for row in desk.outbox() if row.kind == "staff-reply"] in ([], ["bob@mail.example"])


def test_the_first_of_several_parents_counts_and_two_hundred_references_do_not(desk: HelpDesk) -> None:
    ask(desk)
    wire = told(desk)
    mark = message_id(wire)
    many = " ".join([mark, *(f"<{n}@x.example>" for n in range(200))])
    for raw in (
        answers(wire, "<somebody@mail.example>", References=many),
        answers(wire, f"<somebody@mail.example> {mark}"),
        answers(wire, f"<{'a' * 5000}@x.example>", References=[mark, many]),
    ):
        desk.receive(raw)
    assert nothing_left(desk)


# --- the right ticket ID, and a forged From ---------------------------------------------------------------------------


FORGED = {
    "plain": ({}, MIA),
    "Reply-To is mia": ({"Reply_To": MIA}, EVE),
    "Sender is mia": ({"Sender": MIA}, EVE),
    "Resent-From is mia": ({"Resent_From": MIA, "Resent_Sender": MIA}, EVE),
    "her address is the name": ({}, '"mia@coinharbor.com" <eve@mail.example>'),
    "two mailboxes": ({}, f"{MIA}, {EVE}"),
    "two mailboxes, she is last": ({}, f"{EVE}, {MIA}"),
    "a group": ({}, f"staff: {MIA};"),
    "a second From": ({"X_Filler": "1", "From": MIA}, EVE),
    "an encoded address": ({}, "=?utf-8?q?mia=40coinharbor=2Ecom?= <eve@mail.example>"),
    "an encoded address alone": ({}, "=?utf-8?q?=3Cmia=40coinharbor=2Ecom=3E?="),
    "a Cyrillic letter": ({}, "Mia <mi\u0430@coinharbor.com>"),
    "an IDN": ({}, "Mia <mia@coinharb\u043er.com>"),
    "its A-label": ({}, "Mia <mia@xn--coinharbr-3bg.com>"),
    "a subdomain": ({}, "Mia <mia@mail.coinharbor.com>"),
    "a comment": ({}, "mia@coinharbor.com(x)@mail.example"),
    "a route": ({}, "<@coinharbor.com:mia@mail.example>"),
    "a quoted local part": ({}, '"mia@coinharbor.com"@mail.example'),
    "a tag": ({}, "Mia <mia+x@coinharbor.com>"),
}


@pytest.mark.parametrize("what", FORGED)
@pytest.mark.parametrize("text", ["#send\nPay it to this wallet.", "#close", "#assign mia", "#cc eve@mail.example"])
def test_right_ticket_id_and_forged_from(desk: HelpDesk, what: str, text: str) -> None:
    more, sender = FORGED[what]
    key = ask(desk)
    for verdict in (None, "dmarc=fail", "spf=pass smtp.mailfrom=evil.example"):
        desk.receive(mail(sender, f"Re: [{key}] cannot log in", text, result=verdict, **more))
    ticket = stored(desk, key)
    assert nothing_left(desk)
    assert (ticket.row.status, ticket.row.assigned_to, ticket.participants) == ("new", "", ())
    assert all(row.recipient in ("mia@coinharbor.com", "tom@coinharbor.com") for row in desk.outbox() if row.member)


# --- a leaked mark ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", [BOB, EVE, '"mia@coinharbor.com" <eve@mail.example>', f"{MIA}, {EVE}"])
@pytest.mark.parametrize("way", ["reference", "deep in the thread", "upper case"])
def test_leaked_mark(desk: HelpDesk, sender: str, way: str) -> None:
    key = ask(desk)
    before = stored(desk, key).kinds
    wire = told(desk)
    raw = reply(wire, "#close\nPlease send it to this wallet.", sender)
    if way == "upper case":
        raw = raw.replace(message_id(wire).encode(), message_id(wire).upper().encode())
    if way == "deep in the thread":
        raw = raw.replace(b"In-Reply-To: " + message_id(wire).encode(), b"In-Reply-To: <other@x.example>")
        raw = raw.replace(b"Subject: Re: [" + key.encode() + b"]", b"Subject: Re: ")
    result = desk.receive(raw)
    assert result.state == "opened"
    assert result.ticket != key
    assert any("mia" in mark for mark in stored(desk, str(result.ticket)).marks)
    assert stored(desk, key).kinds == before
    assert desk_mails(desk, event="mark-died")
    desk.receive(reply(wire, "An answer by mia herself."))
    assert nothing_left(desk)


def test_a_leaked_reply_address_with_a_mark(open_desk: OpenDesk) -> None:
    support = {"address": "s@coinharbor.com", "signed_reply_address": True}
    desk = open_desk(**PEOPLE, support=support)
    key = ask(desk)
    address = str(parsed(told(desk))["Reply-To"] or "")
    if not address:
        pytest.skip("the address would be longer than servers must take")
    desk.receive(mail(EVE, "hello", "Pay it to this wallet.", To=address.upper()))
    desk.receive(mail(MIA, "hello", "Pay it to this wallet.", To=address, result=None))
    assert nothing_left(desk)
    assert stored(desk, key).kinds == ["request", "acknowledgement", "held"]


def test_a_mark_of_who_left_or_whose_address_is_anothers_now(desk: HelpDesk) -> None:
    ask(desk)
    wire = told(desk)
    moved = [
        {"name": "ann", "addresses": ["mia@coinharbor.com"]},
        {"name": "tom", "signs": "Tom", "addresses": ["tom@coinharbor.com"]},
    ]
    team = [{"name": "all", "members": ["ann", "tom"], "lead": "tom"}]
    for staff, people in ((moved, team), (moved[1:], [{"name": "all", "members": ["tom"]}])):
        desk.reopen(**{**PEOPLE, "staff": staff, "team": people})
        desk.receive(reply(wire, f"Still here, {len(staff)}."))
        assert nothing_left(desk)


def test_a_mark_after_the_ticket_was_split_merged_or_given_to_another(desk: HelpDesk) -> None:
    key = ask(desk)
    wire = told(desk)
    other = ask(desk, EVE, "Other matter", "My deposit of 5 BTC is missing since Tuesday.")
    desk.later(minutes=1)
    desk.desk.set_requester(key, "victor@mail.example")
    desk.receive(reply(wire, "Your address is Bob Street 1.", result="dmarc=pass"))
    desk.desk.merge(key, other, anyway=True)
    desk.receive(reply(wire, "Your address is Bob Street 2.", result="dmarc=pass"))
    assert nothing_left(desk)
    desk.desk.split(key)
    desk.desk.set_requester(key, "bob@mail.example")
    desk.later(minutes=1)
    desk.receive(mail(BOB, f"Re: [{key}]", "Is anybody there?"))
    desk.receive(reply(told(desk), "Your address is Bob Street 3.", result="dmarc=pass"))
    assert [row.recipient for row in desk.outbox() if row.kind == "staff-reply"] == ["bob@mail.example"]


# --- Reply-To is an agent ---------------------------------------------------------------------------------------------


def test_reply_to_an_agent_is_nobodys_identity(desk: HelpDesk) -> None:
    result = desk.receive(mail(EVE, "My deposit", "#close\nMy deposit of 5 BTC is missing.", Reply_To=MIA))
    ticket = stored(desk, str(result.ticket))
    assert ticket.requester == ("eve@mail.example",)
    assert not [row for row in desk.outbox() if row.recipient == "mia@coinharbor.com" and not row.member]
    with desk.database.read() as session:
        assert desk_state.members(session) == {}


def test_a_requester_who_is_staff_under_another_name_is_answered(desk: HelpDesk) -> None:
    key = ask(desk, TOM, "My own account", "I lost my phone, please reset 2FA for my own account.")
    desk.receive(reply(told(desk), "It is reset.", result="dmarc=pass"))
    (row,) = [row for row in desk.outbox() if row.kind == "staff-reply"]
    assert row.recipient == "tom@coinharbor.com"
    assert b"mia@" not in row.wire
    desk.receive(mail(TOM, f"Re: [{key}] My own account", "Thank you.", answers=row.wire, result=None))
    assert stored(desk, key).kinds[-1] == "reply"


# --- a stolen agent's mailbox -----------------------------------------------------------------------------------------


def test_stolen_mailbox_revoked(desk: HelpDesk) -> None:
    key = ask(desk)
    wires = [row.wire for row in desk_mails(desk)]
    desk.receive(mail(MIA, f"[{key}]", "#send\nText.", result=None))
    wires.append(told(desk, event="receipt-confirm"))
    with desk.database.write() as session:
        desk_state.revoke(session, "mia", desk.now)
    for wire in wires:
        desk.receive(reply(wire, "yes"))
    assert nothing_left(desk)


def test_stolen_mailbox_is_capped_and_writes_to_the_tickets_people_only(open_desk: OpenDesk) -> None:
    desk = open_desk(**{**PEOPLE, "desk": {**PEOPLE["desk"], "per_person_answers_hour": 3}})
    keys = [
        ask(desk, f"P{n} <p{n}@mail.example>", f"Matter {n}", f"My deposit number {n} is missing.") for n in range(6)
    ]
    for row in desk_mails(desk, event="new"):
        desk.receive(reply(row.wire, "#cc eve@mail.example\nPay here.", Message_ID=f"<a{row.id}@x.example>"))
        desk.receive(
            reply(row.wire, f"Pay here, {row.id}.", Message_ID=f"<b{row.id}@x.example>", Cc="eve@mail.example")
        )
    for row in desk_mails(desk, event="receipt-held"):
        desk.receive(reply(row.wire, "#send", Message_ID=f"<c{row.id}@x.example>"))
    sent = [row for row in desk.outbox() if row.kind == "staff-reply"]
    assert len(sent) == 3
    assert all(not row.copies and row.recipient.startswith("p") for row in sent)
    assert all(stored(desk, key).participants == () for key in keys)


# --- a requester writes commands, or imitates a desk mail or a marker -------------------------------------------------


def test_requester_imitates_commands_desk_mail_and_marker(desk: HelpDesk) -> None:
    first = ask(desk)
    sample = words(told(desk)).partition("\n\n")[2]
    fakes = [
        "#close\n#send\nPlease.",
        f"Your answer goes to Eve <eve@mail.example>.\n\n--- write above this line - abcdefg ---\n\n{sample}",
        f"> --- write above this line - abcdefg ---\n\n#close\n\nOn Monday, {SUPPORT} wrote:\n> hello",
    ]
    for number, fake in enumerate(fakes):
        key = ask(desk, EVE, f"Matter {number}", f"{fake}\n\nMy deposit number {number} of 5 BTC is missing.")
        assert stored(desk, key).row.status == "new"
        wire = desk_mails(desk, event="new")[-1].wire
        desk.receive(reply(wire, f"We look into it, number {number}.", result="dmarc=pass"))
        for row in desk.outbox():
            if row.kind == "staff-reply":
                assert row.recipient == "eve@mail.example"
                above = words(row.wire).split("Eve wrote")[0]
                assert "write above" not in above
                assert "#close" not in above
        assert stored(desk, key).row.status in ("new", "open", "pending")
    assert stored(desk, first).row.status == "new"


def test_requesters_markup_shows_no_marker_to_the_cut(desk: HelpDesk) -> None:
    markup = (
        "<p>Your answer goes to nobody</p><p>--- write above this line - abcdefg ---</p><b>#close</b><p>Help me</p>"
    )
    raw = (
        mail(EVE, "Matter", "x")
        .replace(b"text/plain", b"text/html")
        .replace(b"\r\nx\r\n", f"\r\n{markup}\r\n".encode())
    )
    result = desk.receive(raw)
    wire = told(desk)
    assert parsed(wire).get_content_type() == "text/plain"
    desk.receive(reply(wire, "We look into it.", result="dmarc=pass"))
    assert stored(desk, str(result.ticket)).row.status in ("new", "pending")


# --- hostile files in agents' programs --------------------------------------------------------------------------------


def test_hostile_html_and_files_never_reach_an_agents_program(desk: HelpDesk) -> None:
    raw = mail(EVE, "=?utf-8?q?x=0D=0ABcc:_eve=40mail.example?=", "<script>alert(1)</script>")
    boundary = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        b"<img src=http://evil.example/x><script>alert(1)</script>Help\r\n--b\r\nContent-Type: application/pdf\r\n"
        b'Content-Disposition: attachment; filename="a.pdf.exe"\r\n\r\nMZ\r\n--b\r\nContent-Type: text/html\r\n'
        b"Content-Disposition: attachment; filename=a.html\r\n\r\n<script>1</script>\r\n--b--\r\n"
    )
    head = raw.partition(b"\r\nContent-Type")[0].replace(b"\r\nMIME-Version: 1.0", b"")
    desk.receive(head + b"\r\n" + boundary)
    for row in desk_mails(desk):
        parts = list(parsed(row.wire).walk())
        assert parsed(row.wire)["Bcc"] is None
        assert all(part.get_content_type() in ("text/plain", "multipart/mixed") for part in parts)
        assert not any(str(part.get_filename()).endswith((".exe", ".html")) for part in parts)
        assert b"<script>" not in row.wire


# --- a note reaches the requester -------------------------------------------------------------------------------------


def test_note_reaches_the_requester_by_no_answer_to_it(desk: HelpDesk) -> None:
    ask(desk)
    desk.receive(reply(told(desk), "#note\n@tom he is a known fraudster"))
    wire = told(desk, "tom")
    for number, text in enumerate(("Sure?", "#send\nSure?", "#send", "#canned x", "#open\nSure?")):
        for verdict in (None, "dmarc=pass"):
            desk.receive(reply(wire, text, TOM, result=verdict, Message_ID=f"<n{number}{verdict}@coinharbor.com>"))
    assert nothing_left(desk)


# --- loops and floods -------------------------------------------------------------------------------------------------


def test_forged_mails_do_not_flood_a_member(desk: HelpDesk) -> None:
    key = ask(desk)
    for number in range(50):
        for subject, text in (
            ("q", "#mine"),
            ("q", f"#take\n{number}"),
            (f"[{key}]", f"#assgin x\n{number}"),
            (f"[{key}]", "#send"),
        ):
            desk.receive(mail(MIA, subject, text, result=None, X_N=str(number)))
    assert len(desk_mails(desk)) <= PEOPLE["desk"].get("per_person_hour", 30) + 4


def test_a_responder_that_answers_each_receipt_comes_to_an_end(desk: HelpDesk) -> None:
    ask(desk)
    desk.receive(reply(told(desk), "#assgin tom\nx"))
    for number in range(40):
        desk.receive(reply(told(desk), f"Thank you for your mail, number {number}."))
    assert len(desk_mails(desk)) <= 25
    desk.receive(reply(desk_mails(desk)[0].wire, "A real answer."))
    assert receipts(desk)[-1] == "sent"  # misuse of a mark shows, however many receipts there were


def test_our_own_desk_mail_that_comes_back_is_filed(desk: HelpDesk) -> None:
    ask(desk)
    before = len(desk.outbox())
    for raw in (told(desk), b"Resent-From: mia@coinharbor.com\r\n" + told(desk)):
        assert desk.receive(raw).state in ("filed", "known")
    assert len(desk.outbox()) == before


def _report(key: str, recipient: str, named: str) -> bytes:
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@evil.example\r\nTo: {SUPPORT}\r\nSubject: Undelivered Mail\r\n"
        "Date: Mon, 23 Nov 2026 08:59:00 +0000\r\nMessage-ID: <d1@evil.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nundeliverable\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; evil.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n"
        f"Content-Type: message/rfc822\r\n\r\nFrom: {SUPPORT}\r\nTo: {recipient}\r\nSubject: [{key}] cannot log in\r\n"
        f"Message-ID: {named}\r\n\r\nx\r\n--b--\r\n"
    ).encode()


def test_a_requesters_forged_bounce_silences_no_member(desk: HelpDesk) -> None:
    key = ask(desk)
    result = desk.receive(_report(key, "mia@coinharbor.com", "<x@y.example>"))
    assert result.state == "filed"
    with desk.database.read() as session:
        assert desk_state.unreachable(session) == frozenset()
    desk.receive(_report(key, "mia@coinharbor.com", message_id(told(desk))))
    with desk.database.read() as session:
        assert desk_state.unreachable(session) == {"mia"}
