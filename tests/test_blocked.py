"""Blocked senders: filed without a letter and a ticket, kept whole, counted, and taken in when somebody says so."""

from __future__ import annotations

from typing import Any

import pytest

from mailticket.desk.blocks import block, list_blocked, unblock
from mailticket.errors import Refused
from mailticket.intake.filed import Cabinet
from mailticket.intake.take_in import Result
from mailticket.site import open_site
from mailticket.store import overview, raws
from tests.helpdesk import SUPPORT, HelpDesk, OpenDesk, mail, words

EVE = "Eve Moss <eve@mail.example>"
NOISE = ("Buy now", "Our offer for your support team, only today.")


def figures(desk: HelpDesk) -> overview.Figures:
    with desk.database.read() as session:
        return overview.figures(session, desk.now, desk.now.replace(month=1))


def blocked(desk: HelpDesk) -> list[int]:
    return [int(filed.row.id or 0) for filed in Cabinet(desk.site).listing(rule="blocked")]


def is_blocked(desk: HelpDesk, result: Result) -> bool:
    return (result.state, result.rule, result.ticket, result.letter) == ("filed", "blocked", None, "")


def test_mail_of_a_blocked_address_is_filed_whole_without_a_letter_and_a_ticket(helpdesk: HelpDesk) -> None:
    block(helpdesk.site, "mia", "Eve@Mail.example", "threatens us")
    raw = mail(EVE, *NOISE)
    result = helpdesk.receive(raw)
    assert is_blocked(helpdesk, result)
    assert (helpdesk.stored(), helpdesk.outbox()) == ([], [])
    row = helpdesk.record(result)
    assert row.reason == "person block eve@mail.example by mia: threatens us"
    assert (row.sender, row.subject, row.names_us, row.names_ticket) == (EVE, "Buy now", True, False)
    with helpdesk.database.read() as session:
        assert raws.get(session, row.raw_digest or "") == raw
        assert overview.conservation(session)["support"] == {"filed": 1}
    assert helpdesk.receive(mail("Ann Lee <ann@mail.example>")).state == "opened"
    unblock(helpdesk.site, "eve@mail.example")
    assert helpdesk.receive(mail(EVE, *NOISE)).state == "opened"


@pytest.mark.parametrize("trust", ["dmarc=pass", "dmarc=fail", None])
def test_it_counts_what_from_says_whether_it_is_proved_or_not(helpdesk: HelpDesk, trust: str | None) -> None:
    block(helpdesk.site, "mia", "eve@mail.example")
    assert is_blocked(helpdesk, helpdesk.receive(mail(EVE, *NOISE, result=trust)))
    assert is_blocked(helpdesk, helpdesk.receive(mail(f"Ann <ann@mail.example>, {EVE}", *NOISE, result=trust)))


def test_the_person_whom_a_form_claims_is_blocked_and_the_form_is_not(helpdesk: HelpDesk) -> None:
    block(helpdesk.site, "mia", "eve@mail.example")
    form = "Web form <no-reply@coinharbor.com>"
    assert is_blocked(helpdesk, helpdesk.receive(mail(form, *NOISE, Reply_To=EVE)))
    assert not is_blocked(helpdesk, helpdesk.receive(mail(form, *NOISE, Reply_To="Ann <ann@mail.example>")))


@pytest.mark.parametrize(
    ("table", "hit", "missed"),
    [
        ({"address": "eve@mail.example"}, {}, {"sender": "Ann <ann@mail.example>"}),
        ({"address": "eve@mail.example"}, {}, {"sender": "eve+1@mail.example"}),
        ({"domain": "Mail.example"}, {}, {"sender": "eve@email.example"}),
        ({"domain": "mail.example"}, {"sender": "eve@lists.MAIL.example"}, {"sender": "eve@mail.example.org"}),
        ({"domain": "bücher.example"}, {"sender": "eve@xn--bcher-kva.example"}, {"sender": "eve@bucher.example"}),
        ({"header": ["X-Campaign", "Spring"]}, {"X_Campaign": "spring-2026"}, {"X_Campaign": "late spring"}),
        ({"header": ["X-Campaign", ""]}, {"X_Campaign": "any"}, {}),
    ],
)
def test_a_table_of_the_configuration_blocks(open_desk: OpenDesk, table: Any, hit: Any, missed: Any) -> None:
    desk = open_desk(block=[{**table, "reason": "newsletters"}])
    result = desk.receive(mail(hit.pop("sender", EVE), *NOISE, **hit))
    assert is_blocked(desk, result)
    assert result.reason.startswith(f"[[block]] {next(iter(table))} = ") and result.reason.endswith(": newsletters")
    assert not is_blocked(desk, desk.receive(mail(missed.pop("sender", EVE), *NOISE, **missed)))


def test_a_reply_of_a_blocked_sender_is_filed_too_and_status_counts_it(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail(EVE))
    [letter] = helpdesk.letters()
    key = helpdesk.stored()[0].row.key
    block(helpdesk.site, "mia", "eve@mail.example")
    answer = helpdesk.receive(mail(EVE, "Re: x", "And now?", answers=letter))
    helpdesk.receive(mail(EVE, *NOISE))
    assert is_blocked(helpdesk, answer) and answer.reason.endswith(f"; it answers {key}")
    assert helpdesk.stored()[0].kinds == ["request", "acknowledgement"]
    numbers = figures(helpdesk)
    assert (numbers.blocked, numbers.blocked_answers, numbers.filed, numbers.filed_named_us) == (2, 1, 2, 0)
    Cabinet(helpdesk.site, "mia").dismiss(answer.incoming_id)
    assert (figures(helpdesk).blocked, figures(helpdesk).blocked_answers) == (2, 0)


def test_no_receipt_is_owed_where_replies_get_one(open_desk: OpenDesk) -> None:
    desk = open_desk(acknowledge={"replies": True})
    desk.receive(mail(EVE))
    [letter] = desk.letters()
    block(desk.site, "mia", "eve@mail.example")
    assert is_blocked(desk, desk.receive(mail(EVE, "Re: x", "STATUS", answers=letter)))
    assert [row.kind for row in desk.outbox()] == ["acknowledgement"]


def test_a_bounce_from_a_blocked_domain_still_fails_our_letter(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.receive(mail(EVE))
    [letter] = desk.deliver()
    block(desk.site, "mia", "mailer-daemon@mail.example")
    report = (
        b"From: <mailer-daemon@mail.example>\r\nTo: support@coinharbor.com\r\nSubject: Undelivered\r\n"
        b"Message-ID: <dsn@mail.example>\r\nReturn-Path: <>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nNo such user.\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example\r\n\r\n"
        b"Final-Recipient: rfc822; eve@mail.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + letter + b"\r\n--b--\r\n"
    )
    assert desk.receive(report).rule == "automatic: bounce"
    assert [row.state for row in desk.outbox()] == ["failed"]


def test_a_released_mail_is_taken_in_as_any_mail(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail(EVE))
    [letter] = helpdesk.letters()
    block(helpdesk.site, "mia", "eve@mail.example")
    request = helpdesk.receive(mail(EVE, "API keys", "How do I rotate my API keys?"))
    reply = helpdesk.receive(mail(EVE, "Re: x", "It is here now.", answers=letter))
    robot = helpdesk.receive(mail(EVE, "Away", "I am away.", Auto_Submitted="auto-replied"))
    assert blocked(helpdesk) == [robot.incoming_id, reply.incoming_id, request.incoming_id]
    cabinet = Cabinet(helpdesk.site, "tom")
    opened, appended, filed = (cabinet.release(one.incoming_id) for one in (request, reply, robot))
    assert (opened.state, opened.letter, opened.withheld) == ("opened", "acknowledgement", "")
    assert (appended.state, appended.ticket) == ("appended", helpdesk.stored()[0].row.key)
    assert (filed.state, filed.rule) == ("filed", "automatic: auto-reply")
    assert helpdesk.stored()[0].messages[-1].new_text == "It is here now."
    assert "was person block eve@mail.example by mia" in helpdesk.ticket(opened.ticket).happened("released")[0]
    assert blocked(helpdesk) == []
    with pytest.raises(Refused):
        cabinet.release(request.incoming_id)
    assert is_blocked(helpdesk, helpdesk.receive(mail(EVE, *NOISE)))  # its sender stays blocked


def test_the_answer_to_a_mail_released_too_late_is_withheld(helpdesk: HelpDesk) -> None:
    block(helpdesk.site, "mia", "eve@mail.example")
    result = helpdesk.receive(mail(EVE, "API keys", "How do I rotate my API keys?"))
    helpdesk.later(hours=73)
    released = Cabinet(helpdesk.site, "tom").release(result.incoming_id)
    assert (released.letter, released.withheld) == ("acknowledgement", "arrived more than 72 hours ago")
    assert helpdesk.stored()[0].row.created_at == helpdesk.record(result).arrived_at


def test_a_copy_of_what_was_blocked_is_known_and_opens_a_ticket_when_nothing_blocks_it(helpdesk: HelpDesk) -> None:
    block(helpdesk.site, "mia", "eve@mail.example")
    raw = mail(EVE, *NOISE)
    helpdesk.receive(raw)
    assert helpdesk.receive(raw).state == "known"
    unblock(helpdesk.site, "eve@mail.example")
    assert helpdesk.receive(raw).state == "opened"


def test_a_block_of_another_process_is_seen_within_seconds(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail("Ann Lee <ann@mail.example>"))
    block(open_site(helpdesk.site.settings, helpdesk.database, lambda: helpdesk.now), "mia", "eve@mail.example")
    helpdesk.later(seconds=5)
    assert is_blocked(helpdesk, helpdesk.receive(mail(EVE, *NOISE)))


STAFF = [{"name": "mia", "addresses": ["mia@desk.example"]}]


def test_neither_we_nor_staff_can_be_blocked(open_desk: OpenDesk) -> None:
    desk = open_desk(staff=STAFF)
    for address in (SUPPORT, "Mia@desk.example", "no address", "a@b.example, c@d.example", "@mail.example"):
        with pytest.raises(Refused):
            block(desk.site, "tom", address)
    assert list_blocked(desk.site) == []
    for table in (
        {"address": SUPPORT},
        {"domain": "coinharbor.com"},
        {"domain": "example"},
        {"address": "mia@desk.example"},
    ):
        with pytest.raises(ValueError, match="contradict"):
            open_desk(staff=STAFF, block=[table])


def test_who_was_blocked_and_became_staff_is_not_blocked(helpdesk: HelpDesk) -> None:
    block(helpdesk.site, "tom", "mia@desk.example")
    helpdesk.reopen(staff=STAFF)
    assert helpdesk.receive(mail("Mia <mia@desk.example>")).state == "opened"


def test_blocks_of_both_kinds_are_listed(open_desk: OpenDesk) -> None:
    desk = open_desk(block=[{"domain": "spam.example", "reason": "spam"}, {"header": ["X-Campaign", "x"]}])
    assert block(desk.site, "mia", "eve@mail.example")["new"] is True
    assert block(desk.site, "tom", "eve@mail.example", "because")["new"] is False
    assert [(face["kind"], face["value"], face["blocked_by"], face["reason"]) for face in list_blocked(desk.site)] == [
        ("address", "eve@mail.example", "tom", "because"),
        ("domain", "spam.example", None, "spam"),
        ("header", "X-Campaign: x", None, ""),
    ]
    unblock(desk.site, "EVE@mail.example")
    with pytest.raises(Refused, match="not blocked by command"):
        unblock(desk.site, "eve@mail.example")


def test_a_secret_in_a_blocked_mail_is_masked_as_in_any(helpdesk: HelpDesk) -> None:
    block(helpdesk.site, "mia", "eve@mail.example")
    result = helpdesk.receive(mail(EVE, "My password: Hunter2xyz!9", "My password: Hunter2xyz!9"))
    assert "Hunter2xyz" not in helpdesk.record(result).subject
    released = Cabinet(helpdesk.site, "tom").release(result.incoming_id)
    assert "Hunter2xyz" not in words(helpdesk.outbox()[-1].wire) and released.state == "opened"
