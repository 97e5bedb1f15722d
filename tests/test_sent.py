"""Answers that staff send from a mail program as support: recorded once, by whatever copies they are seen."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from mailticket.desk.answers import Wish
from mailticket.desk.tickets import Desk
from mailticket.intake.filed import Cabinet
from mailticket.intake.take_in import Arrival, Intake
from mailticket.models import Message
from mailticket.store import incoming, outgoing, requests, tickets, watch
from mailticket.upkeep.chores import Upkeep
from mailticket.upkeep.state import state
from tests.helpdesk import BORDER, SUPPORT, HelpDesk, OpenDesk, mail, message_id, parsed
from tests.servers.databases import Databases
from tests.servers.machine import PATIENCE

BOB = "Bob Miller <bob@mail.example>"
SENT = "support/Sent"
TEXT = "Dear Bob, your deposit was credited this morning.\r\nMia, Coin Harbor Support"
STAFF: dict[str, Any] = {
    "staff": [{"name": "mia", "signs": "Mia", "addresses": ["mia@coinharbor.com"]}],
    "mailbox": [{"name": "support", "host": "127.0.0.1", "security": "none", "sent_folder": "auto"}],
}


BORDERED = f"Authentication-Results: {BORDER}; dmarc=pass header.from=coinharbor.com\r\n".encode()


@pytest.fixture
def helpdesk(open_desk: OpenDesk) -> OpenDesk:
    return lambda **tables: open_desk(**{**STAFF, **tables})


@pytest.fixture
def desk(helpdesk: OpenDesk) -> HelpDesk:
    return helpdesk()


def request(desk: HelpDesk, sender: str = BOB, **more: Any) -> tuple[str, str]:
    """A request, acknowledged; returns its ticket and Message-ID."""
    raw = mail(sender, **more)
    key = desk.receive(raw).ticket
    desk.deliver()
    desk.later(minutes=10)
    assert key is not None
    return key, message_id(raw)


def answer(to: str = BOB, *, answers: str = "", sender: str = f"Coin Harbor <{SUPPORT}>", **more: Any) -> bytes:
    """What a mail program sends as support and saves."""
    more = {"result": None, "subject": "Re: Deposit has not arrived", "text": TEXT, **more}
    return mail(sender, To=to, answers=answers, **more)


def answers_of(desk: HelpDesk, key: str) -> list[Message]:
    return [message for message in desk.ticket(key).messages if message.kind == "staff-reply"]


def notices(desk: HelpDesk) -> list[str]:
    return [row.state for row in desk.outbox() if row.kind == "late-notice"]


def test_an_answer_in_the_sent_folder_keeps_the_promise(desk: HelpDesk) -> None:
    key, asked = request(desk)
    desk.later(hours=1)
    raw = answer(answers=asked)
    result = desk.receive(raw, SENT, at=desk.now - timedelta(minutes=5))
    assert (result.state, result.rule, result.ticket, result.letter) == ("appended", "outside answer", key, "")
    stored = desk.ticket(key)
    [message] = answers_of(desk, key)
    assert (message.direction, message.via, message.by) == ("out", "mailbox", "shared mailbox")
    assert message.message_id == message_id(raw)
    assert message.to_address == "bob@mail.example"
    assert message.new_text.startswith("Dear Bob, your deposit was credited")
    assert (stored.row.status, stored.row.waiting_for, stored.row.waiting_since) == ("pending", "them", None)
    assert stored.row.first_response_at == desk.now - timedelta(minutes=5)
    assert [row.kind for row in desk.outbox()] == ["acknowledgement"]
    assert stored.happened("staff-reply") == ["to bob@mail.example, from a mail program"]


def test_a_late_notice_that_has_not_left_is_cancelled(desk: HelpDesk) -> None:
    key, asked = request(desk)
    desk.later(hours=72)
    Upkeep(desk.site).run()
    assert notices(desk) == ["queued"]
    desk.receive(answer(answers=asked), SENT)
    assert notices(desk) == ["cancelled"]
    desk.later(hours=2)
    Upkeep(desk.site).run()
    assert notices(desk) == ["cancelled"]
    assert desk.ticket(key).happened("late notice cancelled")


def test_what_the_requester_wrote_after_the_answer_still_waits(desk: HelpDesk) -> None:
    key, asked = request(desk)
    desk.later(hours=1)
    answered_at = desk.now
    desk.later(minutes=5)
    more = desk.now
    desk.receive(mail(BOB, text="And where is my withdrawal of 12 ETH?", answers=asked))
    desk.later(minutes=5)
    desk.receive(answer(answers=asked), SENT, at=answered_at)
    row = desk.ticket(key).row
    assert (row.status, row.waiting_for, row.waiting_since) == ("open", "us", more)
    assert row.first_response_at == answered_at


@pytest.mark.parametrize("way", ["our letter", "request", "subject", "reply address"])
def test_each_evidence_leads_to_the_ticket(helpdesk: OpenDesk, way: str) -> None:
    desk = helpdesk(support={"signed_reply_address": True})
    key, asked = request(desk)
    letter = desk.outbox()[0].wire
    signed = str(parsed(letter)["Reply-To"])
    raw = {
        "our letter": answer(answers=letter),
        "request": answer(answers=asked),
        "subject": answer(subject=f"Re: [{key}] Deposit"),
        "reply address": answer(Cc=signed),
    }[way]
    assert desk.receive(raw, SENT).ticket == key
    assert len(answers_of(desk, key)) == 1


def test_without_evidence_likeness_ties_nothing_and_nothing_is_opened(desk: HelpDesk) -> None:
    key, _ = request(desk)
    result = desk.receive(answer(), SENT)
    assert (result.state, result.rule, result.ticket) == ("filed", "sent", None)
    assert len(desk.stored()) == 1
    assert desk.ticket(key).row.status == "new"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (lambda key: answer("partner@bank.example", subject=f"[{key}]"), "anybody of the ticket"),
        (lambda key: answer(subject=f"[{key}]", sender="eve@evil.example"), "none of our addresses"),
        (lambda key: answer(subject=f"[{key}]", Auto_Submitted="auto-replied"), "automatic"),
        (lambda key: answer("newsletter@shop.example", subject="Invoice"), "nothing ties it"),
    ],
    ids=["to a stranger", "from a stranger", "automatic", "unrelated"],
)
def test_whatever_else_was_sent_is_filed(desk: HelpDesk, raw: Any, reason: str) -> None:
    key, _ = request(desk)
    result = desk.receive(raw(key), SENT)
    assert (result.state, result.rule) == ("filed", "sent")
    assert reason in result.reason
    assert desk.ticket(key).row.first_response_at is None
    assert len(desk.outbox()) == 1
    assert Cabinet(desk.site).listing() == []
    figures = state(desk.site.settings, desk.database, desk.now)["filed_7_days"]
    assert figures == {"without_ticket": 0, "named_us": 0}


def test_a_block_hits_nothing_that_was_sent(helpdesk: OpenDesk) -> None:
    desk = helpdesk(block=[{"header": ["X-Campaign", "spring"]}])
    key, asked = request(desk)
    assert desk.receive(answer(answers=asked, X_Campaign="spring"), SENT).ticket == key


def test_our_own_mail_that_a_provider_put_there_adds_nothing(desk: HelpDesk) -> None:
    key, _ = request(desk)
    desk.desk.reply(key, "Your deposit was credited.")
    acknowledgement, reply = (row.wire for row in desk.outbox())
    before = desk.ticket(key)
    for raw in (acknowledgement, reply):
        result = desk.receive(raw, SENT)
        assert (result.state, result.rule, result.ticket) == ("known", "own", key)
    assert desk.ticket(key).kinds == before.kinds
    assert len(desk.ticket(key).events) == len(before.events)


def test_an_alert_of_ours_there_is_filed(desk: HelpDesk) -> None:
    raw = answer(X_Loop=desk.site.head.loop_mark, Auto_Submitted="auto-generated")
    assert desk.receive(raw, SENT).reason == "it is our own letter"


@pytest.mark.parametrize("order", ["inbox first", "sent first"])
def test_a_copy_to_ourselves_counts_once(desk: HelpDesk, order: str) -> None:
    key, asked = request(desk)
    raw = answer(answers=asked, Cc=SUPPORT)
    proved = BORDERED + raw
    ways = [(proved, "support"), (raw, SENT)]
    first, second = (desk.receive(one, route) for one, route in (ways if order == "inbox first" else ways[::-1]))
    assert (first.state, first.rule) == ("appended", "outside answer")
    assert (second.state, second.ticket) == ("known", key)
    assert len(answers_of(desk, key)) == 1
    assert desk.record(second).copy_of == first.incoming_id
    assert len(desk.ticket(key).happened("staff-reply")) == 1


@pytest.mark.parametrize("way", ["one", "each"])
def test_a_copy_without_a_verdict_behind_the_one_in_sent_counts_once(helpdesk: OpenDesk, way: str) -> None:
    desk = helpdesk(duplicates={"same_mail_in_several_mailboxes": way})
    _, asked = request(desk)
    raw = answer(answers=asked, Cc=SUPPORT)
    desk.receive(raw, SENT)
    assert desk.receive(b"Received: from relay by mx; Mon, 23 Nov 2026 10:00:00 +0000\r\n" + raw).state == "known"
    assert len(desk.stored()) == 1


RECEIVED = b"Return-Path: <support@coinharbor.com>\r\nReceived: from relay by mx; Mon, 23 Nov 2026 10:00:00 +0000\r\n"


@pytest.mark.parametrize("named", ["our letter", "request", "nothing but the ID"])
def test_a_copy_without_a_verdict_that_comes_before_the_one_in_sent_leaves_nothing(desk: HelpDesk, named: str) -> None:
    """The usual course of Thunderbird: it submits, the inbox has the Cc at once, and then it saves."""
    key, asked = request(desk)
    ways = {"our letter": message_id(desk.outbox()[0].wire), "request": asked, "nothing but the ID": ""}
    raw = answer(answers=ways[named], Cc=SUPPORT, subject=f"Re: [{key}] Deposit")
    copied = desk.receive(RECEIVED + raw)
    assert desk.ticket(key).row.first_response_at is None
    result = desk.receive(raw, SENT)
    assert (result.state, result.ticket) == ("appended", key)
    assert desk.ticket(key).kinds == ["request", "acknowledgement", "staff-reply"]
    record = desk.record(copied)
    assert (record.state, record.rule, record.copy_of) == ("known", "same answer", result.incoming_id)
    assert [stored.row.key for stored in desk.stored(merged=False)] == [key]
    assert {stored.row.status for stored in desk.stored()} <= {"pending", "closed"}
    assert desk.receive(RECEIVED + raw, "billing").state == "known"


def test_a_footer_that_a_server_puts_below_a_proved_copy_makes_no_second_answer(desk: HelpDesk) -> None:
    key, asked = request(desk)
    named = {"answers": asked, "Message_ID": "<one@coinharbor.com>"}
    desk.receive(answer(**named), SENT)
    other = answer(text=TEXT + "\r\n\r\nThis mail is confidential.", **named)
    assert desk.receive(BORDERED + other).rule == "same answer"
    assert len(answers_of(desk, key)) == 1


def test_two_sent_folders_hold_one_answer(desk: HelpDesk) -> None:
    key, asked = request(desk)
    raw = answer(answers=asked)
    desk.receive(raw, SENT)
    assert desk.receive(raw, "billing/Sent").state == "known"
    assert len(answers_of(desk, key)) == 1


def test_a_message_id_that_exchange_replaced_is_known_again(desk: HelpDesk) -> None:
    key, asked = request(desk)
    desk.receive(answer(answers=asked, Message_ID="<mine@laptop.example>"), SENT)
    renamed = answer(
        answers=asked, Message_ID="<new@exchange.example>", X_MS_Exchange_Parent_Message_Id="<mine@laptop.example>",
    )  # fmt: skip
    assert desk.receive(renamed, "billing/Sent").state == "known"
    assert len(answers_of(desk, key)) == 1


def test_two_answers_are_two(desk: HelpDesk) -> None:
    key, asked = request(desk)
    desk.receive(answer(answers=asked), SENT)
    desk.later(hours=1)
    desk.receive(answer(answers=asked, text="One more thing."), SENT)
    assert len(answers_of(desk, key)) == 2


@pytest.mark.parametrize("result", [None, "dmarc=fail", "spf=pass smtp.mailfrom=evil.example"])
def test_forged_mail_from_our_address_in_the_inbox_keeps_no_promise(desk: HelpDesk, result: str | None) -> None:
    key, asked = request(desk)
    desk.receive(answer(answers=asked, Cc=SUPPORT, result=result, subject=f"Re: [{key}]"))
    row = desk.ticket(key).row
    assert (row.status, row.waiting_for, row.first_response_at) == ("new", "us", None)
    assert answers_of(desk, key) == []


def test_a_forger_cannot_hide_a_mail_behind_an_answer(desk: HelpDesk) -> None:
    key, asked = request(desk)
    desk.receive(answer(answers=asked, Message_ID="<one@coinharbor.com>"), SENT)
    forged = answer(text="Send me the money.", Message_ID="<one@coinharbor.com>", Cc=SUPPORT)
    assert desk.receive(forged).state == "opened"
    assert len(answers_of(desk, key)) == 1


def test_what_a_group_sends_as_us_for_a_person_is_no_answer(desk: HelpDesk) -> None:
    key, asked = request(desk)
    raw = answer(answers=asked, Cc=SUPPORT, result="dmarc=pass", Reply_To="eve@evil.example", subject=f"Re: [{key}]")
    desk.receive(raw)
    assert answers_of(desk, key) == []


@pytest.mark.parametrize(
    ("sender", "more"),
    [("Mia <mia@coinharbor.com>", {}), (f"Support <{SUPPORT}>", {"Sender": "Mia <MIA@coinharbor.com>"})],
    ids=["From", "Sender"],
)
def test_the_member_is_known_by_from_or_sender(desk: HelpDesk, sender: str, more: dict[str, str]) -> None:
    key, asked = request(desk)
    desk.receive(answer(answers=asked, sender=sender, **more), SENT)
    assert [message.by for message in answers_of(desk, key)] == ["mia"]
    assert desk.ticket(key).row.assigned_to == ""


def test_the_reply_to_an_outside_answer_joins_its_ticket(desk: HelpDesk) -> None:
    key, asked = request(desk)
    raw = answer(answers=asked)
    desk.receive(raw, SENT)
    desk.later(hours=1)
    reply = mail(BOB, "Thanks", "It is there now, thank you.", answers=raw)
    result = desk.receive(reply)
    assert (result.state, result.rule, result.ticket) == ("appended", "answer to the sender", key)
    assert (desk.ticket(key).row.status, desk.ticket(key).row.waiting_for) == ("open", "us")


def test_who_did_not_get_the_answer_joins_nothing_by_naming_it(desk: HelpDesk) -> None:
    key, asked = request(desk)
    raw = answer(answers=asked)
    desk.receive(raw, SENT)
    result = desk.receive(mail("Eve <eve@evil.example>", "Thanks", "Pay to me instead.", answers=raw))
    assert (result.state, result.ticket == key) == ("opened", False)
    assert desk.ticket(result.ticket).marks == []


def test_who_got_a_copy_is_no_participant(desk: HelpDesk) -> None:
    key, asked = request(desk)
    raw = answer(answers=asked, Cc="Eve <eve@bank.example>")
    desk.receive(raw, SENT)
    result = desk.receive(mail("Eve <eve@bank.example>", "Re: Deposit", "What is this about?", answers=raw))
    assert result.state == "opened"
    assert set(desk.ticket(result.ticket).marks) == {f"mentions {key} without the right to write there"}


def test_a_failed_sender_joins_nothing_by_naming_it(desk: HelpDesk) -> None:
    key, asked = request(desk)
    raw = answer(answers=asked)
    desk.receive(raw, SENT)
    result = desk.receive(mail(BOB, "Thanks", "Pay to me instead.", answers=raw, result="dmarc=fail"))
    assert (result.state, result.ticket == key) == ("opened", False)


def test_a_colleague_who_answers_in_the_shell_hears_of_the_outside_answer(desk: HelpDesk) -> None:
    key, asked = request(desk)
    colleague = Desk(desk.site, "tom")
    seen = int(desk.ticket(key).messages[-1].id or 0)
    desk.receive(answer(answers=asked), SENT)
    answered = colleague.reply(key, "Dear Bob, we are looking into it.", Wish(seen=seen))
    assert answered.held is not None
    assert [one.code for one in answered.held.hindrances] == ["collision"]
    assert answered.held.newer[0].by == "shared mailbox"


def test_an_answer_that_bounces_after_an_outside_answer_wakes_nothing(desk: HelpDesk) -> None:
    key, asked = request(desk)
    desk.desk.reply(key, "A first answer.")
    desk.deliver()
    desk.later(hours=1)
    desk.receive(answer(answers=asked), SENT)
    with desk.database.write() as session:
        row = desk.outbox()[-1]
        outgoing.set_outcome(session, int(row.id or 0), state="failed")
        tickets.take_back_answer(session, int(row.ticket_id or 0), desk.now)
    assert desk.ticket(key).row.status == "pending"
    with desk.database.read() as session:
        assert watch.lost_answers(session) == []


def test_a_split_remembers_when_the_outside_answer_was_given(desk: HelpDesk) -> None:
    key, _ = request(desk, "ann@mail.example")
    other, asked = request(desk)
    answered_at = desk.now
    desk.receive(answer(answers=asked), SENT)
    desk.later(hours=1)
    desk.desk.merge(key, other, anyway=True)  # whose requester still waits, so the promise of both is open again
    assert desk.ticket(other).row.first_response_at is None
    desk.desk.split(key)
    assert desk.ticket(other).row.first_response_at == answered_at
    assert desk.ticket(key).row.first_response_at is None


def test_an_attachment_of_an_outside_answer_is_kept_and_found(desk: HelpDesk) -> None:
    key, asked = request(desk)
    letter = parsed(answer(answers=asked))
    letter.add_attachment(b"%PDF-1.7 statement", maintype="application", subtype="pdf", filename="statement.pdf")
    desk.receive(letter.as_bytes(), SENT)
    with desk.database.read() as session:
        [message] = answers_of(desk, key)
        [attachment] = tickets.attachments_of(session, [int(message.id or 0)])[int(message.id or 0)]
    assert desk.desk.attachment(int(attachment.id or 0)).content == b"%PDF-1.7 statement"


def test_a_secret_in_an_outside_answer_is_masked(desk: HelpDesk) -> None:
    key, asked = request(desk)
    desk.receive(answer(answers=asked, text="Your password: Hunter2!Summer"), SENT)
    [message] = answers_of(desk, key)
    assert "Hunter2" not in message.text
    assert message.secrets


@pytest.mark.postgres
def test_the_same_holds_on_postgresql(helpdesk: OpenDesk, postgres_databases: Databases) -> None:
    desk = helpdesk(on=postgres_databases)
    key, asked = request(desk)
    raw = answer(answers=asked, Cc=SUPPORT)
    copied = desk.receive(RECEIVED + raw)
    desk.receive(raw, SENT)
    assert desk.record(copied).state == "known"
    assert desk.receive(raw, "billing/Sent").state == "known"
    desk.later(hours=1)
    desk.receive(mail(BOB, "Thanks", "It is still not there.", answers=raw))
    desk.later(hours=3)
    desk.receive(answer(answers=asked, text="Now it is."), SENT)
    assert desk.ticket(key).kinds == ["request", "acknowledgement", "staff-reply", "reply", "staff-reply"]
    with desk.database.read() as session:
        assert requests.follow_ups(session, desk.now - timedelta(days=1)) == [3.0]
        assert watch.lost_answers(session) == []


def _see(desk: HelpDesk, raw: bytes, start: threading.Barrier, states: list[str], route: str) -> None:
    with desk.database.write() as session:
        row = incoming.record_file(session, desk.now, len(raw), desk.now, route)
    intake = Intake(desk.site)
    start.wait(PATIENCE)
    [result] = intake.take_in([Arrival(row, raw, desk.now, route, afterwards=False)])
    states.append(result.state)


@pytest.mark.postgres
def test_two_daemons_that_see_one_answer_at_once_record_it_once(
    helpdesk: OpenDesk, postgres_databases: Databases
) -> None:
    desk = helpdesk(on=postgres_databases)
    for number in range(8):
        key, asked = request(desk, f"bob{number}@mail.example")
        raw = answer(f"bob{number}@mail.example", answers=asked)
        start, states = threading.Barrier(2), []
        see = partial(_see, desk, raw, start, states)
        threads = [threading.Thread(target=see, args=(route,)) for route in (SENT, "billing/Sent")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(states) == ["appended", "known"]
        assert len(answers_of(desk, key)) == 1
