"""Who may write to a ticket: guessed, stolen and forged references, invitations, reports. Rows S7 to S14, S22, S50."""

from __future__ import annotations

import re
import secrets
from email.message import EmailMessage

import pytest

from mailticket.store import outgoing
from mailticket.triage import signatures, ticket_keys
from tests.helpdesk import SUPPORT, HelpDesk, OpenDesk, Stored, mail, message_id, parsed, words

ANN = "Ann Lee <ann@mail.example>"
EVE = "Eve <eve@evil.example>"


def anns_ticket(desk: HelpDesk) -> tuple[Stored, bytes]:
    """Ann's ticket and the letter that she got."""
    outcome = desk.receive(mail(ANN))
    return desk.ticket(outcome.ticket), desk.deliver()[-1]


def untouched(desk: HelpDesk, before: Stored) -> bool:
    """Whether nothing at all happened to a ticket."""
    after = desk.ticket(before.row.key)
    return (after.kinds, after.row.status, len(after.events), after.row.updated_at) == (
        before.kinds, before.row.status, len(before.events), before.row.updated_at,
    )  # fmt: skip


VARYING = [
    r"MT-\w{4}-\w{4}", r"<[^<>\s]+@[^<>\s]+>", r"(?<=Check word: )\w+", r"(?<=nowrap;\">)\w{8}(?=<)",
    r'boundary="[^"]+"',
    r"You are (?:next|number \d+) in the queue", r"mailto:\S+", r"mailticket-[0-9a-f]{16}",
]  # fmt: skip


def comparable(wire: bytes) -> str:
    """A letter without what may differ: ticket IDs, Message-IDs, check words, places in the queue."""
    said = words(wire)
    for pattern in VARYING:
        said = re.sub(pattern, "*", said)
    return re.sub(r"(?<=queue</td>).*?</td>", "*", said, flags=re.DOTALL)


@pytest.mark.parametrize("result", ["dmarc=pass", None])
def test_s07_a_ticket_number_guessed_by_a_stranger_opens_his_own_ticket(helpdesk: HelpDesk, result: str | None) -> None:
    before, _ = anns_ticket(helpdesk)
    outcome = helpdesk.receive(mail(EVE, subject=f"Re: Deposit [{before.row.key}]", result=result))
    assert outcome.state == "opened"
    assert untouched(helpdesk, before)
    assert helpdesk.ticket(outcome.ticket).marks == [f"mentions {before.row.key} without the right to write there"] * 2
    (letter,) = helpdesk.outbox("queued")
    assert letter.recipient == "eve@evil.example"
    assert "somebody else" in helpdesk.evidence(outcome)["subject"]


@pytest.mark.parametrize("result", ["dmarc=pass", None])
def test_s07_the_answer_does_not_tell_whether_a_ticket_exists(open_desk: OpenDesk, result: str | None) -> None:
    there, elsewhere = open_desk(), open_desk()
    before, _ = anns_ticket(there)
    anns_ticket(elsewhere)
    claimed = f"Re: Deposit [{before.row.key}]"
    for desk in (there, elsewhere):  # only in the first is there such a ticket
        desk.receive(mail(EVE, subject=claimed, result=result, Message_ID="<same@evil.example>"))
    (real,), (control,) = there.letters(), elsewhere.letters()
    assert comparable(real) == comparable(control)
    assert len(real) == len(control)


def test_s08_a_right_number_from_a_forged_participant_changes_nothing(helpdesk: HelpDesk) -> None:
    before, letter = anns_ticket(helpdesk)
    for raw in (
        mail(ANN, subject=f"Re: Deposit [{before.row.key}]", result="dmarc=fail"),
        mail(ANN, subject="Re: Deposit", answers=letter, result="dmarc=fail"),
    ):
        outcome = helpdesk.receive(raw)
        assert outcome.state == "opened"
        assert untouched(helpdesk, before)
        assert "sender failed authentication" in helpdesk.ticket(outcome.ticket).marks
    assert helpdesk.letters() == []


def test_s08_what_is_not_verified_is_marked_on_a_verified_ticket(helpdesk: HelpDesk) -> None:
    before, _ = anns_ticket(helpdesk)
    outcome = helpdesk.receive(mail(ANN, subject=f"Re: Deposit [{before.row.key}]", result=None))
    assert (outcome.state, outcome.ticket) == ("appended", before.row.key)
    assert "the sender is not verified, as the ticket's first mail was" in helpdesk.ticket(before.row.key).marks


@pytest.mark.parametrize("status", ["new", "open", "pending", "solved", "closed"])
def test_s09_the_verified_requester_is_appended_by_the_number_alone(helpdesk: HelpDesk, status: str) -> None:
    before, _ = anns_ticket(helpdesk)
    if status == "open":
        helpdesk.desk.assign(before.row.key, "mia")
    if status == "pending":
        helpdesk.desk.reply(before.row.key, "We look into it.")
    if status == "solved":
        helpdesk.receive(mail(ANN, subject=before.row.key, text="SOLVED"))
    if status == "closed":
        helpdesk.desk.close(before.row.key)
    outcome = helpdesk.receive(mail(ANN, subject=f"AW: {before.row.key.lower()}", text="One more thing."))
    assert (outcome.state, outcome.rule, outcome.ticket) == ("appended", "subject", before.row.key)
    after = helpdesk.ticket(before.row.key)
    assert after.row.status == ("new" if status == "new" else "open")
    assert after.messages[-1].new_text == "One more thing."


def test_s10_a_good_reference_from_another_address_is_appended_and_marked(helpdesk: HelpDesk) -> None:
    before, letter = anns_ticket(helpdesk)
    outcome = helpdesk.receive(mail("Ann <ann@home.example>", answers=letter, text="From my other address."))
    after = helpdesk.ticket(before.row.key)
    assert (outcome.state, outcome.ticket) == ("appended", before.row.key)
    assert after.marks == ["from another address: ann@home.example"]
    assert (after.requester, after.participants) == (("ann@mail.example",), ())
    assert helpdesk.letters() == [], "no history and no answer goes to the other address"
    again = helpdesk.receive(mail("Ann <ann@home.example>", subject=before.row.key))
    assert again.state == "opened", "it did not become a participant"
    assert helpdesk.desk.reply(before.row.key, "Thank you.")
    assert helpdesk.outbox("queued")[-1].recipient == "ann@mail.example"


@pytest.mark.parametrize("word", ["STATUS", "SOLVED"])
def test_s10_another_address_may_not_give_commands(helpdesk: HelpDesk, word: str) -> None:
    before, letter = anns_ticket(helpdesk)
    helpdesk.receive(mail("Ann <ann@home.example>", answers=letter, text=word))
    assert helpdesk.letters() == []
    assert helpdesk.ticket(before.row.key).row.status == "new"


def test_s10_a_signed_reply_address_counts_as_a_good_reference(open_desk: OpenDesk) -> None:
    desk = open_desk(support={"signed_reply_address": True})
    before, letter = anns_ticket(desk)
    address = str(parsed(letter)["Reply-To"])
    assert desk.receive(mail(ANN, To=address)).ticket == before.row.key
    other = desk.receive(mail("Ann <ann@home.example>", To=address))
    assert (other.ticket, other.rule) == (before.row.key, "reply address")
    delivered = desk.receive(mail(ANN, Delivered_To=address))
    assert delivered.ticket == before.row.key
    forged = desk.receive(mail(EVE, To=address[:-20] + ("a" if address[-20] != "a" else "b") + address[-19:]))
    assert forged.state == "opened"


def _forgeries(genuine: str, other: str) -> dict[str, str]:
    left, _, domain = genuine.strip("<>").partition("@")
    ticket, serial, purpose, mac = left.split(".")
    foreign = other.strip("<>").partition("@")[0].split(".")
    flipped = ("b" if mac[0] == "a" else "a") + mac[1:]
    return {
        "no signature": f"<{ticket}.{serial}.{purpose}@{domain}>",
        "empty signature": f"<{ticket}.{serial}.{purpose}.@{domain}>",
        "one letter flipped": f"<{ticket}.{serial}.{purpose}.{flipped}@{domain}>",
        "truncated": f"<{ticket}.{serial}.{purpose}.{mac[:-1]}@{domain}>",
        "longer": f"<{ticket}.{serial}.{purpose}.{mac}a@{domain}>",
        "another ticket's signature": f"<{ticket}.{serial}.{purpose}.{foreign[3]}@{domain}>",
        "another ticket": f"<{foreign[0]}.{serial}.{purpose}.{mac}@{domain}>",
        "another serial": f"<{ticket}.9.{purpose}.{mac}@{domain}>",
        "another purpose": f"<{ticket}.{serial}.staff.{mac}@{domain}>",
        "another key": signatures.sign_message_id(b"x" * 32, ticket_keys.from_compact(ticket), 1, "ack", domain),
    }  # fmt: skip


@pytest.mark.parametrize("how", list(_forgeries("<a.1.ack.b@c>", "<d.1.ack.e@f>")))
def test_s11_a_forged_reference_links_nothing(helpdesk: HelpDesk, how: str) -> None:
    before, letter = anns_ticket(helpdesk)
    helpdesk.receive(mail(EVE, subject="mine"))
    forged = _forgeries(message_id(letter), message_id(helpdesk.deliver()[-1]))[how]
    outcome = helpdesk.receive(mail("Mallory <m@evil.example>", answers=forged))
    assert outcome.state == "opened"
    assert untouched(helpdesk, before)
    assert helpdesk.ticket(outcome.ticket).marks == []
    said = helpdesk.evidence(outcome)["signed reference"]
    assert (
        "no good signature" if how not in ("no signature", "empty signature", "truncated", "longer") else "none of ours"
    ) in said


def test_s11_key_rotation_keeps_old_letters_good(helpdesk: HelpDesk) -> None:
    from mailticket.store import meta

    before, letter = anns_ticket(helpdesk)
    with helpdesk.database.write() as session:
        meta.add_key(session, helpdesk.now)
    helpdesk.reopen()
    assert helpdesk.receive(mail(EVE, answers=letter)).ticket == before.row.key
    helpdesk.receive(mail(ANN, subject="Another matter: my API key is refused", text="It says invalid signature."))
    new = helpdesk.letters()[-1]
    assert helpdesk.receive(mail(ANN, answers=new)).state == "appended"


def test_s12_a_stolen_reference_gives_words_but_no_sight(helpdesk: HelpDesk) -> None:
    before, letter = anns_ticket(helpdesk)
    helpdesk.desk.reply(before.row.key, "Your account 4711 holds 250 USDT.")
    helpdesk.deliver()
    outcome = helpdesk.receive(mail(EVE, answers=letter, text="Please send the funds to another address."))
    assert (outcome.state, outcome.letter) == ("appended", "")
    assert helpdesk.letters() == []
    assert helpdesk.ticket(before.row.key).marks == ["from another address: eve@evil.example"]
    helpdesk.desk.reply(before.row.key, "To whom it may concern.")
    (reply,) = helpdesk.outbox("queued")
    assert reply.recipient == "ann@mail.example"


def test_s13_nobody_invites_himself_by_cc(helpdesk: HelpDesk) -> None:
    outcome = helpdesk.receive(mail(ANN, Cc="eve@evil.example", result=None))
    ticket = helpdesk.ticket(outcome.ticket)
    assert (ticket.requester, ticket.participants) == (("ann@mail.example",), ())
    (row,) = helpdesk.outbox("queued")
    assert row.recipient == "ann@mail.example"
    assert b"evil.example" not in row.wire
    assert helpdesk.receive(mail(EVE, subject=ticket.row.key)).state == "opened"
    helpdesk.desk.reply(ticket.row.key, "Hello.")
    assert {row.recipient for row in helpdesk.outbox()} == {"ann@mail.example", "eve@evil.example"}
    assert b"evil.example" not in helpdesk.outbox("queued")[-1].wire


def test_s14_reply_to_is_shown_and_never_answered(helpdesk: HelpDesk) -> None:
    outcome = helpdesk.receive(mail(ANN, Reply_To="eve@evil.example"))
    ticket = helpdesk.ticket(outcome.ticket)
    assert "Reply-To names another domain: eve@evil.example" in ticket.marks
    helpdesk.desk.reply(ticket.row.key, "Hello.")
    assert {row.recipient for row in helpdesk.outbox()} == {"ann@mail.example"}
    assert all(b"evil.example" not in row.wire for row in helpdesk.outbox())


def report(original: str, *, status: str = "5.1.1", action: str = "failed", to: str = "ann@mail.example") -> bytes:
    """A delivery report (RFC 3464) about one of our mails."""
    lines = [
        "Return-Path: <>", "From: Mail Delivery System <mailer-daemon@mail.example>", f"To: {SUPPORT}",
        "Subject: Undelivered Mail Returned to Sender", f"Message-ID: <{secrets.token_hex(6)}@mail.example>",
        "Auto-Submitted: auto-replied", "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', "",
        "--b", "Content-Type: text/plain", "", "I could not deliver your message.", "",
        "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mail.example", "",
        f"Final-Recipient: rfc822; {to}", f"Action: {action}", f"Status: {status}",
        "Diagnostic-Code: smtp; 550 5.1.1 no such user", "",
        "--b", "Content-Type: text/rfc822-headers", "", f"Message-ID: {original}", f"To: {to}", "", "--b--", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def test_s22_a_genuine_report_fails_its_mail_and_stops_automatic_mail(helpdesk: HelpDesk) -> None:
    before, letter = anns_ticket(helpdesk)
    outcome = helpdesk.receive(report(message_id(letter)))
    assert (outcome.state, outcome.rule, outcome.ticket) == ("filed", "automatic: bounce", before.row.key)
    (failed,) = helpdesk.outbox("failed")
    assert failed.last_error.startswith("bounced: 5.1.1")
    after = helpdesk.ticket(before.row.key)
    assert (after.kinds, after.row.status) == (["request", "acknowledgement", "bounce"], "new")
    assert after.happened("acknowledgement failed")
    unsure = helpdesk.receive(mail(ANN, subject="Still there?", text="My card was refused at the shop.", result=None))
    assert unsure.withheld.startswith("mail to this address bounces: 5.1.1")
    alive = helpdesk.receive(mail(ANN, subject="A question", text="How high are the fees for trading futures?"))
    assert (alive.letter, alive.withheld) == ("acknowledgement", "")


@pytest.mark.parametrize("original", ["<forged.1.ack.aaaaaaaaaaaaaaaa@coinharbor.com>", "<any@mail.example>", ""])
def test_s22_a_forged_report_is_filed_and_does_nothing(helpdesk: HelpDesk, original: str) -> None:
    before, _ = anns_ticket(helpdesk)
    outcome = helpdesk.receive(report(original))
    assert (outcome.state, outcome.ticket) == ("filed", None)
    assert untouched(helpdesk, before)
    assert helpdesk.outbox("failed") == []
    assert helpdesk.receive(mail(ANN, subject="Other", text="What are the fees?")).withheld == ""


@pytest.mark.parametrize(("action", "status"), [("delayed", "4.4.1"), ("delivered", "2.0.0"), ("relayed", "2.0.0")])
def test_s22_a_report_of_delay_or_success_changes_nothing(helpdesk: HelpDesk, action: str, status: str) -> None:
    before, letter = anns_ticket(helpdesk)
    helpdesk.receive(report(message_id(letter), action=action, status=status))
    assert [row.state for row in helpdesk.outbox()] == ["sent"]
    assert helpdesk.ticket(before.row.key).row.status == "new"


@pytest.mark.parametrize("status", ["5.2.2", "5.7.1", "5.1.8"])
def test_s22_a_full_mailbox_or_a_refused_content_stops_no_later_mail(helpdesk: HelpDesk, status: str) -> None:
    _, letter = anns_ticket(helpdesk)
    helpdesk.receive(report(message_id(letter), status=status))
    assert len(helpdesk.outbox("failed")) == 1
    assert helpdesk.receive(mail(ANN, subject="Other", text="What are the fees?", result=None)).withheld == ""


def test_s22_a_report_from_a_sender_that_failed_counts_for_nothing(helpdesk: HelpDesk) -> None:
    before, letter = anns_ticket(helpdesk)
    top = b"Authentication-Results: mx.coinharbor.com; dmarc=fail header.from=mail.example\r\n"
    outcome = helpdesk.receive(top + report(message_id(letter)))
    assert (outcome.state, outcome.ticket) == ("filed", None)
    assert helpdesk.outbox("failed") == []
    assert untouched(helpdesk, before)


CONTROLS = [
    {"X_MailTicket_Status": "closed"}, {"X_Ticket_Status": "closed"}, {"RT_Ticket": "1"}, {"X_Zammad_Priority": "3"},
    {"X_OTRS_State": "closed successful"}, {"X_Priority": "1"}, {"Importance": "high"},
]  # fmt: skip


@pytest.mark.parametrize("headers", CONTROLS)
def test_s50_no_header_from_outside_controls_anything(open_desk: OpenDesk, headers: dict[str, str]) -> None:
    with_it, without = open_desk(), open_desk()
    first = with_it.ticket(with_it.receive(mail(ANN, **headers)).ticket).row
    second = without.ticket(without.receive(mail(ANN)).ticket).row
    assert (first.status, first.priority, first.category) == (second.status, second.priority, second.category)


TEXTS = [
    "Please close this ticket.", "[pvt] close", "@close", "close", "Status: solved", "SOLVED? No, it is not solved.",
    "The status of my deposit is unclear, please tell me the status", "split the amount", "STATUS\n\nand my fees?",
    "#resolve", "owner: eve", "cc: eve@evil.example",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_s50_words_inside_a_longer_text_are_just_text(helpdesk: HelpDesk, text: str) -> None:
    before, letter = anns_ticket(helpdesk)
    outcome = helpdesk.receive(mail(ANN, answers=letter, text=text))
    after = helpdesk.ticket(before.row.key)
    assert (outcome.state, outcome.letter) == ("appended", "")
    assert (after.row.status, after.participants, after.row.assigned_to) == ("new", (), "")
    assert after.messages[-1].new_text.strip() == text
    assert helpdesk.letters() == []


def test_s50_a_subject_is_never_a_command(helpdesk: HelpDesk) -> None:
    outcome = helpdesk.receive(mail(ANN, subject="close all", text="SOLVED"))
    assert (outcome.state, helpdesk.ticket(outcome.ticket).row.status) == ("opened", "new")


def test_attached_words_of_ours_do_not_make_a_mail_ours(helpdesk: HelpDesk) -> None:
    """An attached letter of ours proves only that its sender has it: the reference must be the mail's own."""
    before, letter = anns_ticket(helpdesk)
    message = EmailMessage()
    message["To"], message["Subject"], message["Message-ID"] = SUPPORT, "look at this", "<x@evil.example>"
    message.set_content("See the attached mail.")
    message.add_attachment(parsed(letter))
    raw = b"Return-Path: <eve@evil.example>\r\nFrom: eve@evil.example\r\n" + message.as_bytes()
    assert helpdesk.receive(raw).state == "opened"
    assert untouched(helpdesk, before)


def rewritten(references: str, subject: str, *, to: str = "ann@mail.example", header: str = "") -> bytes:
    """A delivery report whose returned mail bears a relay's Message-ID instead of ours."""
    original = (
        f"<0101019c-4242-000000@relay.example>\r\nReferences: {references}\r\nSubject: {subject}\r\nX-Note: {header}"
    )
    return report(original, to=to)


def test_a_report_after_a_relay_rewrote_our_message_id_finds_its_mail(helpdesk: HelpDesk) -> None:
    before, _ = anns_ticket(helpdesk)
    outcome = helpdesk.receive(rewritten("<other@mail.example>", f"Re: Hello [{before.row.key}]"))
    assert (outcome.rule, outcome.ticket) == ("automatic: bounce", before.row.key)
    assert len(helpdesk.outbox("failed")) == 1
    later = helpdesk.receive(mail(ANN, subject="Other", text="What are the fees?", result=None))
    assert later.withheld == "", "what others could know as well stops no mail to an address"


def test_a_report_is_found_by_what_the_server_answered_when_it_took_the_mail(helpdesk: HelpDesk) -> None:
    before, _ = anns_ticket(helpdesk)
    (row,) = helpdesk.outbox("sent")
    with helpdesk.database.write() as session:
        outgoing.set_outcome(session, int(row.id or 0), accepted_as="0101019c-4242-000000")
    stranger = helpdesk.receive(rewritten("<other@mail.example>", "Re: Hello", to="bob@mail.example"))
    assert stranger.rule == "bounce-unclaimed", "the recipient must be the same"
    assert helpdesk.receive(rewritten("<other@mail.example>", "Re: Hello")).ticket == before.row.key
    assert len(helpdesk.outbox("failed")) == 1


def test_a_report_that_returns_our_reference_finds_its_mail(helpdesk: HelpDesk) -> None:
    before, letter = anns_ticket(helpdesk)
    outcome = helpdesk.receive(rewritten(message_id(letter), "Re: Hello"))
    assert outcome.ticket == before.row.key
    assert len(helpdesk.outbox("failed")) == 1


@pytest.mark.parametrize(
    ("subject", "to"), [("Re: Hello", "ann@mail.example"), ("Re: [{}]", "bob@mail.example"), ("Re: [{}]", "")]
)
def test_a_report_without_a_way_back_waits_for_somebody_to_look(helpdesk: HelpDesk, subject: str, to: str) -> None:
    before, _ = anns_ticket(helpdesk)
    outcome = helpdesk.receive(rewritten("<other@mail.example>", subject.format(before.row.key), to=to))
    assert (outcome.state, outcome.rule, outcome.ticket) == ("filed", "bounce-unclaimed", None)
    assert helpdesk.outbox("failed") == []
    assert untouched(helpdesk, before)


def test_a_mail_with_our_own_signed_message_id_is_ours(helpdesk: HelpDesk) -> None:
    _, letter = anns_ticket(helpdesk)
    outcome = helpdesk.receive(mail(ANN, subject="Came back", Message_ID=message_id(letter)))
    assert (outcome.state, outcome.rule) == ("filed", "automatic: own")


@pytest.mark.parametrize("headers", [{"List_Id": "<team.mail.example>"}, {"Precedence": "bulk"}, {"Return_Path": ""}])
def test_a_reply_with_evidence_is_a_reply_by_whatever_way_it_came(helpdesk: HelpDesk, headers: dict[str, str]) -> None:
    before, letter = anns_ticket(helpdesk)
    reply = mail(ANN, text="Here is the TXID.", answers=letter, To="team@mail.example", **headers)
    outcome = helpdesk.receive(reply)
    assert (outcome.state, outcome.ticket, outcome.letter) == ("appended", before.row.key, "")
