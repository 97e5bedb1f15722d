"""Several names, and mail that would have one speak for the other: chosen by whoever writes, or by a loop."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpdesk import SUPPORT, HelpDesk, OpenDesk, mail, message_id, words

SALES, FISH = "sales@bakery.example", "fish@sea.example"
BAKERY: dict[str, Any] = {"name": "bakery", "title": "Corner Bakery", "address": SALES, "prefix": "BK",
                          "signature": "Open from six"}  # fmt: skip
SEA: dict[str, Any] = {"name": "sea", "title": "Fish and Sons", "address": FISH, "prefix": "FI"}
ANN, EVE = "Ann Lee <ann@mail.example>", "Eve <eve@evil.example>"
MIA: dict[str, Any] = {"name": "mia", "addresses": ("mia@desk.example",)}


@pytest.fixture
def three(open_desk: OpenDesk) -> HelpDesk:
    return open_desk(brand=[BAKERY, SEA])


def names_of(desk: HelpDesk) -> list[str]:
    return [stored.row.brand for stored in desk.stored()]


@pytest.mark.parametrize("result", ["dmarc=pass", "dmarc=fail", None])
@pytest.mark.parametrize("to", [SUPPORT, FISH])
def test_a_stranger_who_names_anothers_ticket_hears_only_of_their_own(
    three: HelpDesk, to: str, result: str | None
) -> None:
    victim = three.receive(mail(ANN, To=SALES))
    three.deliver()
    outcome = three.receive(mail(EVE, f"Re: [{victim.ticket}]", "STATUS", result=result, To=to))
    assert outcome.state == "opened"
    assert three.ticket(victim.ticket).kinds == ["request", "acknowledgement"]
    for letter in three.letters():
        # Who is verified reads their own subject back, and nothing beside it tells of the ticket.
        text = words(letter).replace(f"Re: [{victim.ticket}]", "")
        assert str(victim.ticket) not in text
        assert "Corner Bakery" not in text


@pytest.mark.parametrize(
    ("headers", "brand"),
    [
        ({"To": f"{SALES}, {FISH}, {SUPPORT}"}, "bakery"),
        ({"To": f"nobody@else.example, {FISH}", "Cc": SALES}, "sea"),
        ({"To": f'"{SALES}" <{FISH}>'}, "sea"),
        ({"To": "Undisclosed recipients:;"}, ""),
        ({"To": f"sales+tag@bakery.example, {FISH}"}, "bakery"),
        ({"To": f"{SALES}.evil.example"}, ""),
    ],
)
def test_a_mail_to_several_names_is_one_ticket_and_one_letter(
    three: HelpDesk, headers: dict[str, str], brand: str
) -> None:
    three.receive(mail(ANN, **headers))
    assert names_of(three) == [brand]
    assert [row.kind for row in three.outbox()] == ["acknowledgement"]


def test_the_same_mail_by_the_mailboxes_of_two_names_is_one_ticket(open_desk: OpenDesk) -> None:
    boxes = [{"name": name, "host": "127.0.0.1", "username": name} for name in ("shop", "port")]
    desk = open_desk(mailbox=boxes, brand=[{**BAKERY, "mailboxes": ["shop"]}, {**SEA, "mailboxes": ["port"]}])
    raw = mail(ANN, To=f"{FISH}, {SALES}", Message_ID="<one@mail.example>")
    first = desk.receive(b"Delivered-To: sales@bakery.example\r\n" + raw, route="shop")
    second = desk.receive(b"Delivered-To: fish@sea.example\r\n" + raw, route="port")
    assert (first.state, second.state) == ("opened", "known")
    assert names_of(desk) == ["sea"], "whom its writer named first"
    assert len(desk.outbox()) == 1


@pytest.mark.parametrize("delivered", [SALES, FISH, "victim@bank.example"])
@pytest.mark.parametrize("header", ["Delivered_To", "X_Original_To", "Envelope_To"])
def test_what_a_writer_puts_into_trace_headers_overrules_nobody(three: HelpDesk, delivered: str, header: str) -> None:
    three.receive(mail(ANN, To=SUPPORT, **{header: delivered}))
    assert names_of(three) == [""]
    (row,) = three.outbox()
    assert (row.recipient, row.envelope_from) == ("ann@mail.example", SUPPORT)


def test_trace_headers_do_not_overrule_the_mailbox(open_desk: OpenDesk) -> None:
    box = {"name": "shop", "host": "127.0.0.1", "username": "shop"}
    desk = open_desk(mailbox=[box], brand=[{**BAKERY, "mailboxes": ["shop"]}, SEA])
    desk.receive(mail(ANN, To="list@else.example", Delivered_To=FISH), route="shop")
    assert names_of(desk) == ["bakery"]


@pytest.mark.parametrize("result", ["dmarc=pass", None])
@pytest.mark.parametrize(("sender", "to"), [(SALES, SUPPORT), (SUPPORT, SALES), (SALES, FISH), (SALES, SALES)])
def test_mail_in_an_address_of_ours_to_another_is_not_answered(
    three: HelpDesk, sender: str, to: str, result: str | None
) -> None:
    """Each name would thank the other for ever."""
    three.receive(mail(f"Corner Bakery <{sender}>", To=to, result=result))
    assert three.letters() == []


def test_a_letter_of_one_name_that_reaches_another_ends_there(three: HelpDesk) -> None:
    """Sales asked support by mail, and each name's own letter comes back by the other's mailbox."""
    three.receive(mail(ANN, To=SALES))
    (letter,) = three.deliver()
    outcome = three.receive(letter.replace(b"ann@mail.example", SUPPORT.encode()))
    assert outcome.state == "filed"
    assert three.letters() == []
    assert len(three.stored()) == 1


def test_a_bounce_finds_the_letter_of_another_name(three: HelpDesk) -> None:
    asked = three.receive(mail(ANN, To=SALES))
    (letter,) = three.deliver()
    report = (
        b"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: " + SUPPORT.encode() + b"\r\nSubject: Failed\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ann@mail.example\r\nAction: failed\r\n"
        b"Status: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + letter + b"\r\n--b--\r\n"
    )  # fmt: skip
    outcome = three.receive(report)
    assert (outcome.state, outcome.ticket) == ("filed", asked.ticket)
    assert [row.state for row in three.outbox()] == ["failed"]
    assert len(three.stored()) == 1


def test_staff_answer_by_any_of_our_addresses_as_the_tickets_name(open_desk: OpenDesk) -> None:
    desk = open_desk(brand=[BAKERY, SEA], staff=[MIA], desk={"new": "each", "hold_seconds": 0})
    asked = desk.receive(mail(ANN, To=SALES))
    told = next(row.wire for row in desk.outbox() if row.kind == "desk")
    desk.deliver()
    desk.receive(mail("Mia <mia@desk.example>", "Re: yours", "It is baked.", answers=told, To=FISH))
    (answer,) = [row for row in desk.outbox("queued") if row.kind == "staff-reply"]
    assert (answer.envelope_from, answer.recipient) == (SALES, "ann@mail.example")
    assert "Corner Bakery" in words(answer.wire)
    assert desk.ticket(asked.ticket).row.brand == "bakery"


def test_who_poses_as_staff_at_another_name_answers_nobody(open_desk: OpenDesk) -> None:
    desk = open_desk(brand=[BAKERY], staff=[MIA], desk={"new": "each", "hold_seconds": 0})
    asked = desk.receive(mail(ANN, To=SALES))
    desk.deliver()
    desk.receive(mail("Mia <mia@desk.example>", f"Re: {asked.ticket}", "Send me your seed.", result=None, To=SUPPORT))
    assert [row.kind for row in desk.outbox("queued") if row.recipient == "ann@mail.example"] == []


def test_the_same_words_to_three_names_are_three_linked_tickets_and_a_fourth_repeats(three: HelpDesk) -> None:
    keys = [three.receive(mail(ANN, To=to)).ticket for to in (SALES, FISH, SUPPORT)]
    again = three.receive(mail(ANN, To=FISH))
    tickets = {stored.row.key: stored.row for stored in three.stored()}
    assert [tickets[key].duplicate_of for key in keys if key] == [None, None, None]
    assert tickets[again.ticket].duplicate_of == tickets[keys[1]].id  # type: ignore[index]
    assert tickets[again.ticket].brand == "sea"  # type: ignore[index]


def test_a_forged_reference_leads_to_no_name(three: HelpDesk) -> None:
    asked = three.receive(mail(ANN, To=SALES))
    (letter,) = three.deliver()
    own = message_id(letter)
    for forged in (own.replace("bakery.example", "coinharbor.com")[:-20] + "aaaa@coinharbor.com>", own[:-18] + "x>"):
        outcome = three.receive(mail(EVE, "Hello", "Give me that.", answers=forged, To=FISH))
        assert outcome.ticket != asked.ticket
