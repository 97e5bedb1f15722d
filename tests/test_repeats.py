"""What is done with requests that say again what an open ticket says, and with one mail that comes by several ways."""

from __future__ import annotations

import pytest

from tests.attacks.test_intruders import report
from tests.helpdesk import HelpDesk, OpenDesk, mail, message_id, words

ANN = "Ann Lee <ann@mail.example>"
TXID = "9f2c4be1d07a5c83e6f1420b9ad8375e6c01fb24d95a7e3380c6b1f2e4d7a951"
FIRST = f"My deposit of 250 USDT over TRON has not arrived since Monday morning.\n\nTXID: {TXID}"
AGAIN = f"Hello? 250 USDT, TXID {TXID}, still not in my account. Where is my deposit?"
OTHER = "The API answers 401 invalid signature for my trading bot since the last release."


def ask(text: str, sender: str = ANN, subject: str = "Deposit", **more: str | None) -> bytes:
    return mail(sender, subject=subject, text=text, **more)  # type: ignore[arg-type]


def test_flag_opens_links_and_says_so(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(ask(FIRST)).ticket or ""
    helpdesk.deliver()
    second = helpdesk.receive(ask(AGAIN))
    assert (second.state, second.letter, second.duplicate_of) == ("opened", "duplicate-notice", first)
    ticket = helpdesk.ticket(second.ticket)
    assert ticket.row.duplicate_of == helpdesk.ticket(first).row.id
    assert ticket.row.similarity is not None
    assert ticket.row.similarity >= 0.5
    assert first in ticket.happened("duplicate")[0]
    assert first in words(helpdesk.letters()[0])
    assert helpdesk.evidence(second)["duplicate"].startswith(f"{ticket.row.similarity:.2f} like {first}: ")


def test_a_third_is_linked_to_the_first(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(ask(FIRST)).ticket
    second = helpdesk.receive(ask(AGAIN)).ticket
    third = helpdesk.receive(ask(AGAIN, subject="Deposit again"))
    assert first != second
    assert third.duplicate_of == first


def test_attach_appends_to_the_first_and_the_letter_says_so(open_desk: OpenDesk) -> None:
    desk = open_desk(duplicates={"policy": "attach"})
    first = desk.receive(ask(FIRST)).ticket or ""
    desk.deliver()
    second = desk.receive(ask(AGAIN))
    assert (second.state, second.rule, second.ticket, second.letter) == (
        "appended",
        "duplicate",
        first,
        "reply-received",
    )
    assert [stored.row.key for stored in desk.stored()] == [first]
    ticket = desk.ticket(first)
    assert ticket.kinds == ["request", "acknowledgement", "reply", "reply-received"]
    assert ticket.row.duplicate_of is None
    (letter,) = desk.letters()
    assert f"added your message to ticket {first}" in " ".join(words(letter).split())
    assert desk.receive(ask(OTHER, subject="API")).state == "opened"


def test_attach_after_a_late_reply_goes_to_the_open_ticket(open_desk: OpenDesk) -> None:
    desk = open_desk(duplicates={"policy": "attach"})
    desk.receive(ask(OTHER, subject="API"))
    old = desk.deliver()[-1]
    desk.desk.close(desk.stored()[0].row.key)
    desk.later(days=20)
    current = desk.receive(ask(FIRST)).ticket
    late = desk.receive(ask(AGAIN, answers=old))
    assert (late.state, late.rule, late.ticket) == ("appended", "duplicate", current)
    assert "closed" in desk.evidence(late)


def test_off_compares_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(duplicates={"policy": "off"})
    desk.receive(ask(FIRST))
    second = desk.receive(ask(AGAIN))
    assert (second.letter, second.duplicate_of) == ("acknowledgement", None)
    assert "duplicate" not in desk.evidence(second)


def test_another_matter_or_another_person_is_no_repetition(helpdesk: HelpDesk) -> None:
    helpdesk.receive(ask(FIRST))
    assert helpdesk.receive(ask(OTHER, subject="API")).duplicate_of is None
    assert helpdesk.receive(ask(FIRST, "Bob <bob@mail.example>")).duplicate_of is None


def test_closed_and_old_tickets_are_not_repeated(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(ask(FIRST)).ticket or ""
    helpdesk.desk.close(first)
    second = helpdesk.receive(ask(AGAIN))
    assert second.duplicate_of is None
    helpdesk.later(days=8)
    assert helpdesk.receive(ask(FIRST)).duplicate_of is None


@pytest.mark.parametrize("word", ["SPLIT", "split.", "拆分", "**Split**"])
def test_split_by_reply_undoes_the_link(helpdesk: HelpDesk, word: str) -> None:
    first = helpdesk.receive(ask(FIRST)).ticket or ""
    second = helpdesk.receive(ask(AGAIN)).ticket
    notice = helpdesk.deliver()[-1]
    outcome = helpdesk.receive(mail(ANN, answers=notice, text=word))
    assert (outcome.state, outcome.ticket, outcome.letter) == ("appended", second, "split-done")
    ticket = helpdesk.ticket(second)
    assert (ticket.row.duplicate_of, ticket.row.similarity, ticket.row.status) == (None, None, "new")
    assert ticket.happened("split") == [f"no repetition of {first}, its requester says"]
    said = words(helpdesk.letters()[0])
    assert first in said
    assert ticket.row.key in said
    again = helpdesk.receive(mail(ANN, answers=notice, text=word))
    assert again.letter == "", "there is nothing left to split: it is text"


def test_split_needs_a_verified_sender_or_our_signature(helpdesk: HelpDesk) -> None:
    helpdesk.receive(ask(FIRST))
    second = helpdesk.receive(ask(AGAIN)).ticket or ""
    notice = helpdesk.deliver()[-1]
    helpdesk.receive(mail(ANN, subject=second, text="SPLIT", result=None))
    assert helpdesk.ticket(second).row.duplicate_of is not None
    helpdesk.receive(mail("Eve <eve@evil.example>", subject=second, text="SPLIT"))
    assert helpdesk.ticket(second).row.duplicate_of is not None
    helpdesk.receive(mail(ANN, answers=notice, text="SPLIT", result=None))
    assert helpdesk.ticket(second).row.duplicate_of is None


def test_split_of_what_staff_merged_is_text(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(ask(FIRST)).ticket or ""
    second = helpdesk.receive(ask(AGAIN)).ticket or ""
    notice = helpdesk.deliver()[-1]
    helpdesk.desk.merge(second, first)
    outcome = helpdesk.receive(mail(ANN, answers=notice, text="SPLIT"))
    assert (outcome.ticket, outcome.letter) == (first, "")
    assert helpdesk.ticket(second).row.merged_into is not None


def test_staff_split_undoes_a_flag(helpdesk: HelpDesk) -> None:
    helpdesk.receive(ask(FIRST))
    second = helpdesk.receive(ask(AGAIN)).ticket or ""
    helpdesk.desk.split(second)
    assert helpdesk.ticket(second).row.duplicate_of is None


def test_what_repeats_a_merged_ticket_repeats_its_target(helpdesk: HelpDesk) -> None:
    target = helpdesk.receive(ask(OTHER, subject="API")).ticket or ""
    first = helpdesk.receive(ask(FIRST)).ticket or ""
    second = helpdesk.receive(ask(AGAIN)).ticket or ""
    helpdesk.desk.merge(first, target)
    assert helpdesk.ticket(second).row.duplicate_of == helpdesk.ticket(target).row.id


@pytest.mark.parametrize(("ignored", "found"), [(True, True), (False, False)])
def test_address_tags_tell_people_apart_unless_they_are_ignored(
    open_desk: OpenDesk, ignored: bool, found: bool
) -> None:
    desk = open_desk(duplicates={"ignore_address_tags": ignored})
    first = desk.receive(ask(FIRST, "ann+exchange@mail.example")).ticket
    for sender in ("ann@mail.example", "ann+other@mail.example"):
        assert (desk.receive(ask(AGAIN, sender)).duplicate_of == first) is found
    assert desk.receive(ask(AGAIN, "annx@mail.example")).duplicate_of is None
    assert desk.receive(ask(AGAIN, "ann@other.example")).duplicate_of is None


def test_linked_addresses_are_one_person(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(ask(FIRST)).ticket
    helpdesk.desk.link_addresses("ann@mail.example", "ann@home.example")
    assert helpdesk.receive(ask(AGAIN, "ann@home.example")).duplicate_of == first


def test_one_mail_by_two_mailboxes_is_one_ticket_with_both_ways_on_record(helpdesk: HelpDesk) -> None:
    raw = ask(FIRST)
    first = helpdesk.receive(raw, "support")
    second = helpdesk.receive(b"Delivered-To: sales@coinharbor.com\r\n" + raw, "sales")
    assert (second.state, second.ticket) == ("known", first.ticket)
    for _ in range(3):
        helpdesk.receive(raw, "sales")
    assert helpdesk.ticket(first.ticket).happened("copy") == ["also came through sales"]
    assert len(helpdesk.outbox()) == 1


def test_one_mail_by_two_addresses_of_one_mailbox_too(open_desk: OpenDesk) -> None:
    desk = open_desk(support={"former_addresses": ["help@coinharbor.com"]})
    raw = ask(FIRST)
    first = desk.receive(b"Delivered-To: support@coinharbor.com\r\n" + raw)
    desk.receive(b"Delivered-To: help@coinharbor.com\r\n" + raw)
    desk.receive(b"Delivered-To: invented@evil.example\r\n" + raw)
    assert desk.ticket(first.ticket).happened("copy") == [
        "also came through support, delivered to help@coinharbor.com",
        "also came through support",
    ]


def test_the_same_mail_listed_again_says_nothing(helpdesk: HelpDesk) -> None:
    raw = ask(FIRST)
    first = helpdesk.receive(raw)
    assert helpdesk.receive(raw).state == "known"
    assert helpdesk.ticket(first.ticket).happened("copy") == []


def test_each_mailbox_may_have_its_own_ticket(open_desk: OpenDesk) -> None:
    desk = open_desk(duplicates={"same_mail_in_several_mailboxes": "each"})
    raw = ask(FIRST)
    states = [desk.receive(raw, route).state for route in ("support", "sales", "support", "sales")]
    assert states == ["opened", "opened", "known", "known"]


def test_a_dead_address_is_shown_and_can_be_used_again(helpdesk: HelpDesk) -> None:
    helpdesk.receive(ask(FIRST))
    helpdesk.receive(report(message_id(helpdesk.deliver()[0])))
    held = helpdesk.receive(ask(OTHER, subject="API", result=None))
    assert held.withheld.startswith("mail to this address bounces")
    helpdesk.desk.mail_again("ann@mail.example")
    assert helpdesk.receive(ask("How high are the fees?", subject="Fees", result=None)).withheld == ""


def test_a_screenshot_sent_within_the_hour_is_linked_and_one_of_the_next_day_is_not(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(ask(FIRST)).ticket
    helpdesk.later(minutes=40)
    assert helpdesk.receive(ask("see the screenshot", subject="Picture")).duplicate_of == first
    helpdesk.later(days=1)
    assert helpdesk.receive(ask("see the attached screenshot", subject="Picture")).duplicate_of is None
