"""Machines that answer machines, relays, floods. Rows S15 to S20, S53."""

from __future__ import annotations

import logging

import pytest

from tests.helpdesk import BORDER, SUPPORT, HelpDesk, OpenDesk, mail, message_id, parsed, words

ANN = "Ann Lee <ann@mail.example>"


@pytest.mark.parametrize("sender", ["no-reply@chat.example", "Chat <noreply@chat.example>", "accounts@chat.example"])
@pytest.mark.parametrize("mark", [{"Auto_Submitted": "auto-generated"}, {"Return_Path": ""}])
def test_s15_another_services_verification_mail_is_neither_threaded_nor_answered(
    helpdesk: HelpDesk, sender: str, mark: dict[str, str]
) -> None:
    ticket = helpdesk.receive(mail(ANN)).ticket
    helpdesk.deliver()
    before = helpdesk.ticket(ticket)
    outcome = helpdesk.receive(mail(sender, subject=f"[{ticket}] Your sign-in code is 493021", text="493021", **mark))
    assert outcome.state == "opened"
    assert outcome.letter == ""
    assert helpdesk.ticket(ticket).kinds == before.kinds
    # A null path alone withholds letters: it does not unmake a mail that names us.
    by_way = "Return_Path" in mark and sender == "accounts@chat.example"
    assert helpdesk.ticket(outcome.ticket).kinds == ["request" if by_way else "automatic"]
    assert helpdesk.letters() == []


def test_s15_one_sent_to_a_signed_address_is_filed_for_staff_alone(open_desk: OpenDesk) -> None:
    desk = open_desk(support={"signed_reply_address": True})
    ticket = desk.receive(mail(ANN)).ticket
    address = str(parsed(desk.deliver()[-1])["Reply-To"])
    outcome = desk.receive(mail("no-reply@chat.example", subject="Your code", text="493021", To=address))
    assert (outcome.state, outcome.ticket, outcome.letter) == ("filed", ticket, "")
    assert desk.ticket(ticket).row.status == "new"
    assert desk.letters() == []
    status = desk.receive(mail(ANN, subject=ticket or "", text="STATUS"))
    assert status.letter == "status-answer"
    assert "493021" not in words(desk.letters()[-1])


def test_s16_one_forged_victim_hears_three_times_an_hour_and_ten_a_day(helpdesk: HelpDesk) -> None:
    def forged(number: int) -> bytes:
        return mail("victim@bank.example", subject=f"Number {number}", text=f"{number} " * 5, result=None)

    helpdesk.receive_all(forged(number) for number in range(50))
    assert len(helpdesk.stored()) == 50
    assert len(helpdesk.deliver()) == 3
    assert {row.reason for row in helpdesk.outbox("withheld")} == {"cap reached: 3 an hour to one address"}
    for hour in range(1, 6):
        helpdesk.later(hours=1, minutes=1)
        helpdesk.receive_all(forged(100 * hour + number) for number in range(5))
    assert len(helpdesk.outbox("queued", "sent")) == 10


def test_s16_the_cap_outlives_a_restart(helpdesk: HelpDesk) -> None:
    for number in range(6):
        helpdesk.reopen()
        helpdesk.receive(mail("victim@bank.example", subject=f"No {number}", text=f"{number} " * 9, result=None))
    assert len(helpdesk.letters()) == 3


def test_s16_a_cap_for_domains_binds_unverified_senders_only(open_desk: OpenDesk) -> None:
    desk = open_desk(caps={"per_domain_hour": 4})
    desk.receive_all(mail(f"u{number}@bank.example", result=None) for number in range(10))
    assert len(desk.deliver()) == 4
    assert "an hour to one domain" in desk.outbox("withheld")[0].reason
    desk.receive_all(mail(f"v{number}@bank.example") for number in range(10))
    assert len(desk.letters()) == 10


def flood(number: int, start: int = 0) -> list[bytes]:
    return [
        mail(f"user{i}@host{i % 97}.example", subject=f"Help {i}", text=f"Matter number {i}, please help.", result=None)
        for i in range(start, start + number)
    ]


@pytest.mark.parametrize(("cap", "senders"), [(10, 60), (150, 500)])
def test_s16_the_cap_in_all_holds_while_intake_goes_on(
    open_desk: OpenDesk, caplog: pytest.LogCaptureFixture, cap: int, senders: int
) -> None:
    desk = open_desk(caps={"total_hour": cap})
    with caplog.at_level(logging.WARNING):
        outcomes = desk.receive_all(flood(senders))
    assert {outcome.state for outcome in outcomes} == {"opened"}
    assert len(desk.stored()) == senders
    assert len(desk.deliver()) == cap
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1, "one line for the administrator"
    assert "outbox send --withheld" in told[0]
    verified = desk.receive(mail(ANN))
    assert (verified.letter, verified.withheld) == ("acknowledgement", ""), "who is verified is served all the same"
    desk.deliver()

    held = [row.id for row in desk.outbox("withheld")]
    assert len(held) == senders - cap
    assert desk.desk.release() == senders - cap
    assert [row.id for row in desk.outbox("queued")] == held, "the oldest first"


def test_s16_the_line_for_the_administrator_comes_again_after_a_quiet_hour(
    open_desk: OpenDesk, caplog: pytest.LogCaptureFixture
) -> None:
    desk = open_desk(caps={"total_hour": 2})
    desk.receive_all(flood(5))
    desk.later(minutes=50)
    desk.receive_all(flood(5, 100))
    assert len(caplog.records) == 1
    desk.later(hours=2)
    desk.receive_all(flood(5, 200))
    assert len(caplog.records) == 2


def test_s17_an_unverified_advert_is_not_relayed(helpdesk: HelpDesk) -> None:
    advert = "=?utf-8?q?FREE_BTC_http=3A//evil=2Eexample?= <victim@bank.example>"
    helpdesk.receive(
        mail(advert, subject="FREE BTC at http://evil.example", text="Get FREE BTC at http://evil.example now",
             result=None, Reply_To="FREE <win@evil.example>", Message_ID="<FREE.http.evil.example@evil.example>")
    )  # fmt: skip
    (letter,) = helpdesk.letters()
    said = words(letter)
    answered = (
        "In-Reply-To: <FREE.http.evil.example@evil.example>",
        "References: <FREE.http.evil.example@evil.example>",
    )
    for header in answered:  # a Message-ID is no text that anybody reads, and threading needs it
        said = said.replace(header, "")
    assert "evil.example" not in said
    assert "FREE" not in said
    assert str(parsed(letter)["To"]) == "victim@bank.example"


def test_s17_a_verified_sender_reads_his_own_subject(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail(ANN, subject="Deposit of 250 USDT"))
    assert "Deposit of 250 USDT" in str(parsed(helpdesk.letters()[0])["Subject"])


ANSWERS = [
    {"Auto_Submitted": "auto-replied"}, {"Auto_Submitted": "Auto-Replied (vacation)"},
    {"Auto_Submitted": "auto-generated; x=y"}, {"Return_Path": ""}, {"Precedence": "auto_reply"},
    {"X_Autoreply": "yes"}, {"X_Autorespond": "1"}, {"X_Auto_Response_Suppress": "All"}, {"Precedence": "bulk"},
    {"Precedence": "junk"}, {"List_Id": "<news.mail.example>"}, {"X_Autogenerated": "Reply"},
]  # fmt: skip


@pytest.mark.parametrize("headers", ANSWERS, ids=str)
@pytest.mark.parametrize("threaded", [True, False])
def test_s18_an_automatic_answer_is_never_answered(helpdesk: HelpDesk, headers: dict[str, str], threaded: bool) -> None:
    ticket = helpdesk.receive(mail(ANN)).ticket
    letter = helpdesk.deliver()[-1]
    helpdesk.desk.close(ticket or "")
    text = "I am out of the office until Monday and read your mail then."
    away = mail(ANN, subject="Out of office", text=text, answers=letter if threaded else "", **headers)
    outcome = helpdesk.receive(away)
    assert outcome.letter == ""
    assert helpdesk.letters() == []
    if threaded and "X_Auto_Response_Suppress" not in headers:
        assert helpdesk.ticket(ticket).row.status == "closed", "it reopens nothing"
        assert (outcome.state, outcome.ticket) == ("filed", ticket)


def test_s18_out_of_office_moves_no_promise_and_counts_as_nobodys_answer(helpdesk: HelpDesk) -> None:
    ticket = helpdesk.receive(mail(ANN)).ticket or ""
    helpdesk.desk.reply(ticket, "Please send the TXID.")
    before = helpdesk.ticket(ticket).row
    helpdesk.receive(mail(ANN, answers=helpdesk.deliver()[-1], Auto_Submitted="auto-replied", text="I am away."))
    after = helpdesk.ticket(ticket)
    assert (after.row.status, after.row.promised_by) == ("pending", before.promised_by)
    assert after.kinds[-1] == "auto-reply"
    helpdesk.later(hours=1)
    quoted = helpdesk.desk.reply(ticket, "Are you there?") and words(helpdesk.outbox("queued")[-1].wire)
    assert "I am away" not in quoted


GREETING = "Thank you for your message! We will be back."


def rounds_with(desk: HelpDesk, minutes: float, most: int, text: str = GREETING) -> int:
    """How often we answer a responder that bears no mark, cites nothing, and has a new subject each time."""
    desk.receive(mail("bot@shop.example", subject="Order 1", text=text.format(0)))
    for number in range(most):
        if not desk.deliver():
            return number
        desk.later(minutes=minutes)
        desk.receive(mail("bot@shop.example", subject=f"Case {number} is registered", text=text.format(number * 7919)))
    return most


@pytest.mark.parametrize("minutes", [0, 5, 25, 400, 3_000])
@pytest.mark.parametrize("policy", ["flag", "attach", "off"])
def test_s19_a_dumb_responder_that_changes_its_subject_is_answered_four_times_at_most(
    open_desk: OpenDesk, minutes: float, policy: str
) -> None:
    assert rounds_with(open_desk(duplicates={"policy": policy}), minutes, 12) <= 4


@pytest.mark.parametrize(("minutes", "most"), [(0, 3), (5, 4), (25, 10)])
def test_s19_one_that_changes_its_text_too_meets_the_caps(helpdesk: HelpDesk, minutes: float, most: int) -> None:
    assert rounds_with(helpdesk, minutes, 25, "Thank you. This is about {} and other things.") <= most


def test_s19_one_that_cites_our_mail_is_answered_once(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail("bot@shop.example", text="Thank you for your message!"))
    rounds = 0
    while (sent := helpdesk.deliver()) and rounds < 30:
        rounds += 1
        subject = f"Case {rounds} registered"
        helpdesk.receive(mail("bot@shop.example", subject=subject, text=f"Thanks {rounds}", answers=sent[-1]))
    assert rounds == 1


@pytest.mark.parametrize("result", ["dmarc=pass", None])
def test_s20_two_of_our_own_systems_exchange_two_mails_at_most(open_desk: OpenDesk, result: str | None) -> None:
    ours = open_desk()
    theirs = open_desk(support={"address": "help@other.example", "name": "Other"})

    def arriving(wire: bytes, at: str) -> bytes:
        sender = str(parsed(wire)["From"])
        domain = sender.rpartition("@")[2].rstrip(">")
        verdict = f"Authentication-Results: {BORDER}; {result} header.from={domain}\r\n" if result else ""
        return (
            f"Return-Path: <{sender.rpartition('<')[2].rstrip('>')}>\r\nDelivered-To: {at}\r\n{verdict}".encode() + wire
        )

    ours.receive(mail("Other <help@other.example>", subject="A question", text="How do you do?", result=result))
    exchanged = 0
    for _ in range(10):
        for here, there, address in ((ours, theirs, "help@other.example"), (theirs, ours, SUPPORT)):
            for wire in here.deliver():
                exchanged += 1
                there.receive(arriving(wire, address))
    assert exchanged <= 2


def test_s20_our_own_mark_coming_back_is_filed(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail(ANN))
    letter = helpdesk.deliver()[-1]
    outcome = helpdesk.receive(
        b"Return-Path: <support@coinharbor.com>\r\nDelivered-To: support@coinharbor.com\r\n" + letter
    )
    assert (outcome.state, outcome.rule) == ("filed", "automatic: own")
    assert len(helpdesk.stored()) == 1


def test_s53_a_flood_of_one_leaves_the_places_of_others_alone(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(mail(ANN)).ticket
    helpdesk.receive_all(
        mail("mallory@evil.example", subject=f"x {n}", text=f"{n} " * 9, result=None) for n in range(60)
    )
    last = helpdesk.receive(mail("Bob <bob@mail.example>", text="My withdrawal hangs."))
    assert (last.letter, last.withheld) == ("acknowledgement", "")
    with helpdesk.database.read() as session:
        from mailticket.store import tickets

        assert tickets.position(session, tickets.by_key(session, first or "")) == 1
    assert message_id(helpdesk.letters()[0])
