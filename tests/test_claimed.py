"""Mail that groups and forms send in our own or nobody's address: whose it is, what it may do, who can be answered."""

from __future__ import annotations

import pytest

from mailticket.errors import Refused
from tests.helpdesk import SUPPORT, HelpDesk, OpenDesk, mail, parsed, words

FORM = "Harbor website <no-reply@coinharbor.com>"
GROUP = f"'Ola Berg' via Desk <{SUPPORT}>"
OLA = "Ola Berg <ola@strict.example>"


@pytest.mark.parametrize(
    ("sender", "headers", "by"),
    [
        (FORM, {"Reply_To": OLA}, "Reply-To of no-reply@coinharbor.com"),
        ("noreply@forms.example", {"Reply_To": "ola@strict.example"}, "Reply-To of noreply@forms.example"),
        (GROUP, {"Reply_To": OLA, "List_Id": "<support.coinharbor.com>"}, f"Reply-To of {SUPPORT}"),
        (GROUP, {"X_Original_From": OLA, "Precedence": "list"}, f"X-Original-From of {SUPPORT}"),
        (f"<{SUPPORT}>", {"X_Original_Sender": "ola@strict.example"}, f"X-Original-Sender of {SUPPORT}"),
        # Written after the mending:
        ("Desk <support+web@coinharbor.com>", {"Reply_To": OLA}, "Reply-To of support+web@coinharbor.com"),
        (FORM, {"Reply_To": f"{SUPPORT}, {OLA}"}, "Reply-To of no-reply@coinharbor.com"),
    ],
)
def test_the_claimed_person_is_the_requester_unverified(
    helpdesk: HelpDesk, sender: str, headers: dict[str, str], by: str
) -> None:
    result = helpdesk.receive(mail(sender, "Köszönöm: login fails", "I cannot log in. Ola", **headers))
    ticket = helpdesk.ticket(result.ticket)
    assert (ticket.requester, ticket.row.trust, ticket.row.claimed) == (("ola@strict.example",), "unknown", True)
    assert ticket.row.marks is not None
    assert f"claimed: by {by}" in ticket.row.marks
    if headers.get("Precedence"):  # distribution withholds letters, where the list is none of ours
        return
    (letter,) = helpdesk.outbox("queued")
    assert letter.recipient == "ola@strict.example"
    assert "Köszönöm" not in words(letter.wire)


@pytest.mark.parametrize(
    "sender", [f"Desk <{SUPPORT}>", FORM, "Desk <support+x@coinharbor.com>", "<noreply@shop.example>"]
)
def test_without_a_claim_there_is_nobody_to_answer(helpdesk: HelpDesk, sender: str) -> None:
    ticket = helpdesk.ticket(helpdesk.receive(mail(sender)).ticket)
    assert (ticket.requester, ticket.row.requester_id, ticket.row.claimed) == ((), None, False)
    assert "no usable sender" in ticket.marks
    assert helpdesk.outbox() == []


def test_a_person_with_a_reply_to_claims_nothing(helpdesk: HelpDesk) -> None:
    ticket = helpdesk.ticket(helpdesk.receive(mail(Reply_To="other@mail.example")).ticket)
    assert (ticket.requester, ticket.row.claimed, ticket.row.trust) == (("ann@mail.example",), False, "verified")


def test_the_caps_hold_for_a_claimed_address(helpdesk: HelpDesk) -> None:
    for number in range(5):
        helpdesk.receive(mail(FORM, f"Matter {number}", f"{number}. matter, all of it new", Reply_To=OLA))
    assert [row.state for row in helpdesk.outbox()].count("queued") == 3


def test_a_claim_gives_no_right_to_a_ticket(helpdesk: HelpDesk) -> None:
    own = helpdesk.receive(mail(OLA, result="dmarc=pass", Message_ID="<o1@strict.example>"))
    for headers in ({"subject": f"Re: {own.ticket}"}, {"answers": "<o1@strict.example>"}):
        result = helpdesk.receive(mail(FORM, text="Pay it to me instead.", Reply_To=OLA, **headers))
        assert (result.state, result.ticket != own.ticket) == ("opened", True)
    assert len(helpdesk.ticket(own.ticket).messages) == 2


def test_a_claim_attaches_nothing_to_a_ticket(open_desk: OpenDesk) -> None:
    desk = open_desk(duplicates={"policy": "attach"})
    first = desk.receive(mail(OLA, result=None))
    assert desk.receive(mail(OLA, result=None)).ticket == first.ticket
    assert desk.receive(mail(FORM, Reply_To=OLA)).ticket != first.ticket


def test_our_signature_brings_a_group_s_mail_to_its_ticket(helpdesk: HelpDesk) -> None:
    own = helpdesk.receive(mail(GROUP, Reply_To=OLA))
    reply = helpdesk.receive(
        mail(GROUP, "Re: it", "Here is the TXID.", answers=helpdesk.deliver()[0], Reply_To=OLA, Precedence="bulk")
    )
    assert (reply.state, reply.ticket, reply.letter) == ("appended", own.ticket, "")
    assert any("claimed: by Reply-To" in message.mark for message in helpdesk.ticket(own.ticket).messages)


def test_what_a_group_s_mail_quotes_of_ours_takes_nothing_from_its_writer(helpdesk: HelpDesk) -> None:
    own = helpdesk.receive(mail(GROUP, Reply_To=OLA)).ticket or ""
    helpdesk.desk.reply(own, "Please fetch the receipt of your bank and its number.")
    letter = helpdesk.deliver()[-1]
    body = parsed(letter).get_body(("plain",))
    assert body is not None
    text = f"See below.\n\n{body.get_content()}\nNo: it is 300 EUR.\n"
    reply = helpdesk.receive(mail(GROUP, "Re: it", text, answers=letter, Reply_To=OLA))
    message = helpdesk.ticket(own).messages[-1]
    assert (reply.ticket, message.from_address, message.trust) == (own, "ola@strict.example", "unknown")
    assert ("300 EUR" in message.new_text, "receipt" in message.new_text) == (True, False)


def test_an_answer_to_nobody_is_refused_and_names_the_claimed_one(helpdesk: HelpDesk) -> None:
    shop = mail("no-reply@shop.example", "Order 7", "Automatic.", Reply_To="desk@shop.example")
    for raw, claimed in ((mail(FORM), "ADDRESS"), (mail(f"<{SUPPORT}>"), "ADDRESS")):
        key = helpdesk.receive(raw).ticket or ""
        with pytest.raises(Refused, match=rf"no requester to answer.*ticket requester {key} {claimed}"):
            helpdesk.desk.reply(key, "Hello")
    key = helpdesk.receive(shop).ticket or ""
    assert helpdesk.desk.reply(key, "Hello").key == key, "its Reply-To can be answered"
    assert helpdesk.outbox("queued")[-1].recipient == "desk@shop.example"


@pytest.mark.parametrize("address", ["no-reply@bank.example", "MAILER-DAEMON@relay.example"])
def test_an_answer_to_an_address_that_nobody_reads_is_refused(helpdesk: HelpDesk, address: str) -> None:
    key = helpdesk.receive(mail(f"<{SUPPORT}>", "Form", "text", Reply_To=f"{OLA}, second@far.example")).ticket or ""
    helpdesk.desk.set_requester(key, address)  # as tickets of former releases have them
    with pytest.raises(Refused, match=r"nobody reads what is sent there.*claims ola@strict.example"):
        helpdesk.desk.reply(key, "Hello")
    helpdesk.desk.set_requester(key, "ola@strict.example")
    helpdesk.desk.reply(key, "Hello")


def test_staff_make_a_claimed_requester_a_true_one(helpdesk: HelpDesk) -> None:
    key = helpdesk.receive(mail(FORM, Reply_To=OLA)).ticket or ""
    helpdesk.desk.set_requester(key, "ola@strict.example")
    assert helpdesk.ticket(key).row.claimed is False


@pytest.mark.parametrize("own", ["support+x@coinharbor.com", "Support@CoinHarbor.com"])
def test_tagged_forms_of_our_address_are_ours(helpdesk: HelpDesk, own: str) -> None:
    key = helpdesk.receive(mail()).ticket or ""
    for act in (helpdesk.desk.set_requester, helpdesk.desk.add_participant):
        with pytest.raises(Refused, match="our own address"):
            act(key, own)


CLICKS = {
    "a reaction": {"subject": "Re: {}", "text": "👍\n\nOla reacted via Gmail\n"},
    "a calendar's answer": {"subject": "Accepted: call {}", "Content_Class": "urn:content-classes:calendarmessage"},
    "an Exchange rule's answer": {
        "subject": "Re: {}", "X_Auto_Response_Suppress": "All", "X_MS_Exchange_Inbox_Rules_Loop": "ola@strict.example",
    },
    "an absence note": {"subject": "Automatic reply: {}", "Auto_Submitted": "auto-replied"},
    # Written after the mending:
    "a recall": {"subject": "Recall: {}", "text": 'Ola would like to recall the message, "Withdrawal".'},
}  # fmt: skip


@pytest.mark.parametrize("click", CLICKS)
@pytest.mark.parametrize("status", ["pending", "closed", "solved"])
def test_a_click_is_a_note_that_changes_no_state(helpdesk: HelpDesk, click: str, status: str) -> None:
    own = helpdesk.receive(mail(OLA)).ticket or ""
    letter = helpdesk.deliver()[0]
    helpdesk.desk.reply(own, "Done.")
    helpdesk.deliver()
    if status == "closed":
        helpdesk.desk.close(own)
    if status == "solved":
        helpdesk.receive(mail(OLA, "Re", "SOLVED", answers=letter))
        helpdesk.deliver()
    headers = {**CLICKS[click], "subject": CLICKS[click]["subject"].format(own)}
    result = helpdesk.receive(mail(OLA, answers=letter, **headers))
    ticket = helpdesk.ticket(own)
    assert (result.state, result.ticket, ticket.row.status, ticket.kinds[-1]) == ("filed", own, status, "auto-reply")
    assert helpdesk.outbox("queued") == []


@pytest.mark.parametrize("headers", [
    {"List_Id": "<team.strict.example>"}, {"Precedence": "bulk"}, {"List_Unsubscribe": "<mailto:u@x.example>"},
    {"Return_Path": ""}, {"To": "list@x.example", "List_Id": "<l.x.example>"},
    {"To": "list@x.example", "Precedence": "list"}, {"To": "list@x.example", "Return_Path": ""},
])  # fmt: skip
def test_a_reply_is_a_reply_by_whatever_way_it_came(helpdesk: HelpDesk, headers: dict[str, str]) -> None:
    own = helpdesk.receive(mail(OLA)).ticket
    letter = helpdesk.deliver()[0]
    helpdesk.desk.close(own or "")
    reply = helpdesk.receive(mail(OLA, "Re: it", "It is still missing.", answers=letter, **headers))
    assert (reply.state, reply.ticket, helpdesk.ticket(own).row.status) == ("appended", own, "open")


@pytest.mark.parametrize("named", [{"Cc": "Kim <kim@strict.example>"}, {"To": f"{SUPPORT}, KIM@strict.example"}])
def test_what_a_colleague_answers_is_linked_and_gives_no_right(helpdesk: HelpDesk, named: dict[str, str]) -> None:
    first = helpdesk.receive(mail(OLA, Message_ID="<o7@strict.example>", **named)).ticket
    helpdesk.deliver()
    kim = mail("Kim <kim@strict.example>", "Re: deposit", "I add: the network was TRON.", answers="<o7@strict.example>")
    second = helpdesk.receive(kim)
    assert (second.state, second.ticket != first) == ("opened", True)
    ticket = helpdesk.ticket(second.ticket)
    assert ticket.row.linked_to == helpdesk.ticket(first).row.id
    assert (ticket.happened("linked"), helpdesk.ticket(first).happened("linked")) == (
        [f"to {first}"], [f"by {second.ticket}"],
    )  # fmt: skip
    (letter,) = helpdesk.outbox("queued")
    assert (letter.recipient, str(first) in words(letter.wire)) == ("kim@strict.example", False)
    again = helpdesk.receive(mail("Kim <kim@strict.example>", f"Re: {first}", "And this?"))
    assert again.ticket != first


def test_nobody_else_is_linked(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail(OLA, Message_ID="<o7@strict.example>", Cc="kim@strict.example"))
    for sender, result in (("eve@evil.example", "dmarc=pass"), ("kim@strict.example", "dmarc=fail")):
        key = helpdesk.receive(
            mail(sender, "Re: deposit", "me too", answers="<o7@strict.example>", result=result)
        ).ticket
        assert helpdesk.ticket(key).row.linked_to is None
