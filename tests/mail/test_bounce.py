"""Delivery reports: RFC 3464, and the servers that say it in words; what is a person's mail all the same."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.mail.address import Address
from mailticket.mail.bodies import part_bytes
from mailticket.mail.bounce import bounce
from mailticket.mail.headers import text as header
from mailticket.mail.structure import read_structure
from mailticket.mail.values import Bounce

OURS = "<ticket.1@support.example.com>"
DAEMON = "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>"


def judged(
    raw: str | bytes, sender: str | None = "MAILER-DAEMON@mx.example.net", path: str | None = ""
) -> Bounce | None:
    data = raw.encode() if isinstance(raw, str) else raw
    root, _ = read_structure(data)
    texts = [part_bytes(data, part).decode("utf-8", "replace") for part in root.walk() if part.type == "text/plain"]
    return bounce(
        data,
        root,
        subject=header(root.headers, "subject"),
        text=texts[0] if texts else "",
        sender=Address("", sender) if sender else None,
        return_path=path,
    )


def report(status: str, *, outer: str = "multipart/report; report-type=delivery-status", sender: str = DAEMON) -> str:
    return (
        f"From: {sender}\nTo: support@example.com\nSubject: Delivery Status Notification\n"
        f'Content-Type: {outer}; boundary="b"\n\n--b\n\nYour message could not be delivered.\n\n'
        f"--b\nContent-Type: message/delivery-status\n\n{status}\n"
        f"--b\nContent-Type: message/rfc822\n\nFrom: support@example.com\nMessage-ID: {OURS}\nSubject: Re: x\n"
        f"\nHello\n--b--\n"
    )


FAILED = (
    "Reporting-MTA: dns; mx.example.net\n\nOriginal-Recipient: rfc822;ann@example.org\n"
    "Final-Recipient: rfc822; ann@example.org\nAction: failed\nStatus: 5.1.1 (no such user)\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <ann@example.org>:\n  User unknown\n"
)


def test_a_report_names_recipient_action_status_diagnostic_and_original() -> None:
    found = judged(report(FAILED))
    assert found is not None
    (one,) = found.recipients
    assert (one.address, one.action, one.status) == ("ann@example.org", "failed", "5.1.1")
    assert one.diagnostic == "550 5.1.1 <ann@example.org>: User unknown"
    assert found.original_message_id == OURS


def test_every_recipient_of_a_report_is_named_once() -> None:
    status = (
        "Reporting-MTA: dns; mx.example.net\n\n"
        "Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.2.2\n\n"
        "Final-Recipient: rfc822; b@example.org\nAction: delayed\nStatus: 4.4.1\n\n"
        "Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.2.2\n\n"
        "Final-Recipient: rfc822;<c@example.org>\nAction: relayed\nStatus: 2.1.9\n"
    )
    found = judged(report(status))
    assert found is not None
    assert [(one.address, one.action, one.status) for one in found.recipients] == [
        ("a@example.org", "failed", "5.2.2"),
        ("b@example.org", "delayed", "4.4.1"),
        ("c@example.org", "relayed", "2.1.9"),
    ]


@pytest.mark.parametrize(
    ("fields", "action", "status"),
    [
        ("Status: 4.2.2", "delayed", "4.2.2"),
        ("Status: 5.2.2", "failed", "5.2.2"),
        ("Action: Failed (really)\nStatus: 5.0.0", "failed", "5.0.0"),
        ("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.7.1 refused", "failed", "5.7.1"),
        ("Action: failed\nDiagnostic-Code: smtp; 552 mailbox is full", "failed", "5.2.2"),
        ("Action: failed\nStatus: five\nDiagnostic-Code: X-Local; unknown user", "failed", "5.1.1"),
        ("Action: delivered\nStatus: 2.0.0", "delivered", "2.0.0"),
    ],
)
def test_what_a_report_leaves_out_is_taken_from_what_it_says(fields: str, action: str, status: str) -> None:
    found = judged(report(f"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; ann@example.org\n{fields}\n"))
    assert found is not None
    assert [(one.action, one.status) for one in found.recipients] == [(action, status)]


def test_statuses_that_a_report_leaves_general_come_from_the_words_of_each_recipient() -> None:
    status = (
        "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.0.0\n\n"
        "Final-Recipient: rfc822; b@example.org\nAction: failed\nStatus: 5.0.0\n"
    )
    words = "Failed:\n\na@example.org: 550 5.1.1 User unknown\nb@example.org: 552 5.2.2 Mailbox full\n"
    found = judged(report(status).replace("Your message could not be delivered.", words))
    assert found is not None
    assert [one.status for one in found.recipients] == ["5.1.1", "5.2.2"]


QMAIL = (
    "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message.\n\n"
    "<ann@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n<bob@example.org>:\n"
    "User is over quota. (#5.2.2)\n\n"
    f"--- Below this line is a copy of the message.\n\nReturn-Path: <support@example.com>\nMessage-ID: {OURS}\n"
    f"To: carl@example.org\n"
)
PROSE = [
    # program, subject, words, [(address, status)], action
    ("qmail", "failure notice", QMAIL, [("ann@example.org", "5.1.1"), ("bob@example.org", "5.2.2")], "failed"),
    (
        "Exim",
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one\n"
        "or more of its recipients. This is a permanent error. The following address(es) failed:\n\n  ann@example.org\n"
        "    host mx.example.org [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<ann@example.org>:\n"
        f"    550 no such user\n\n------ This is a copy of the message, including all the headers. ------\n\n"
        f"Message-ID: {OURS}\n",
        [("ann@example.org", "5.1.1")],
        "failed",
    ),
    (
        "Exim, delayed",
        "Warning: message 1abc-xyz delayed 24 hours",
        "This message was created automatically by mail delivery software.\n"
        "A message that you sent has not yet been delivered to one or "
        "more of its\nrecipients after more than 24 hours on the queue on mx.example.net.\n\n"
        "The address to which the message has not yet "
        "been delivered is:\n\n  ann@example.org\n    Delay reason: connection timed out\n\n"
        "No action is required on your part.\n"
        f"\n--- The header of the original message is following. ---\nMessage-ID: {OURS}\n",
        [("ann@example.org", "4.4.2")],
        "delayed",
    ),
    (
        "Postfix",
        "Undelivered Mail Returned to Sender",
        "This is the mail system at host mx.example.net.\n\n"
        "I'm sorry to have to inform you that your message could not\nbe delivered.\n\n"
        "<ann@example.org>: host mx.example.org[192.0.2.1] said: 550 5.1.1\n"
        "    <ann@example.org>: Recipient address rejected\n"
        f"    (in reply to RCPT TO command)\n\nReturn-Path: <support@example.com>\nMessage-Id: {OURS}\n",
        [("ann@example.org", "5.1.1")],
        "failed",
    ),
    (
        "Sendmail",
        "Returned mail: see transcript for details",
        "The original message was received at Mon, 6 Apr 2026 10:15:00 +0000\n\n"
        "   ----- The following addresses had permanent fatal errors"
        " -----\n<ann@example.org>\n    (reason: 552 5.2.2 Mailbox full)\n\n"
        "   ----- Transcript of session follows -----\n"
        f"<<< 552 5.2.2 Mailbox full\n\n   ----- Original message follows -----\nMessage-ID: {OURS}\n",
        [("ann@example.org", "5.2.2")],
        "failed",
    ),
    (
        "Gmail",
        "Delivery Status Notification (Failure)",
        "Delivery to the following recipient failed permanently:\n\n     ann@example.org\n\n"
        "Technical details of permanent failure: \n"
        f"DNS Error: Domain name not found\n\n----- Original message -----\n\nMessage-ID: {OURS}\n",
        [("ann@example.org", "5.1.2")],
        "failed",
    ),
    (
        "Gmail, delayed",
        "Delivery Status Notification (Delay)",
        "THIS IS A WARNING MESSAGE ONLY.\n\nYOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\n"
        "Delivery to the following recipient has been delayed:\n\n"
        "     ann@example.org\n\nMessage will be retried for 2 more day(s)\n\n"
        "The recipient server did not accept our requests to connect.\n"
        f"\n----- Original message -----\n\nMessage-ID: {OURS}\n",
        [("ann@example.org", "4.4.1")],
        "delayed",
    ),
    (
        "Exchange",
        "Undeliverable: Your request",
        "Your message\n\n  To:      ann@example.org\n  Subject: Your request\n\n"
        "did not reach the following recipient(s):\n\n"
        "ann@example.org on Mon, 6 Apr 2026 10:15:00 -0400\n    The recipient name is not recognized\n",
        [("ann@example.org", "5.1.1")],
        "failed",
    ),
    (
        "Yahoo",
        "Failure Notice",
        "Sorry, we were unable to deliver your message to the following address.\n\n<ann@example.org>:\n"
        "554: 5.7.1 Message refused by policy\n"
        f"\n--- Below this line is a copy of the message.\n\nMessage-ID: {OURS}\n",
        [("ann@example.org", "5.7.1")],
        "failed",
    ),
    (
        "Domino",
        "DELIVERY FAILURE: User Ann not listed in Domino Directory",
        "Your message\n\n  Subject: Your request\n\nwas not delivered to:\n\n  ann@example.org\n\nbecause:\n\n"
        "  User Ann not listed in Domino "
        "Directory\n",
        [("ann@example.org", "5.1.1")],
        "failed",
    ),
    (
        "OpenSMTPD",
        "Delivery status notification: error",
        "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.\n\n"
        "    An error has occurred while attempting to "
        f"deliver a message.\n\nann@example.org: 550 5.1.1 unknown\n\n"
        f"    Below is a copy of the original message:\n\nMessage-ID: {OURS}\n",
        [("ann@example.org", "5.1.1")],
        "failed",
    ),
    (
        "QQ",
        "系统退信",
        "很抱歉您发送的邮件被退回，以下是该邮件的相关信息：\n\n收件人：ann@example.org\n\n退信原因：该邮箱不存在。\n",
        [("ann@example.org", "5.1.1")],
        "failed",
    ),
    (
        "163",
        "系统退信/Systems bounce",
        "抱歉，您的邮件被退回来了……\n\n无法发送到 ann@example.org\n退信原因：收件人邮箱已满，无法接收邮件。\n",
        [("ann@example.org", "5.2.2")],
        "failed",
    ),
    (
        "sina",
        "退信通知",
        "您的邮件无法投递到 ann@example.org\n\n错误原因：对方服务器拒绝，被识别为垃圾邮件。\n",
        [("ann@example.org", "5.7.1")],
        "failed",
    ),
    (
        "a Taiwanese server",
        "郵件無法投遞",
        "以下收件者無法投遞：\n\n<ann@example.org>\n原因：使用者不存在\n",
        [("ann@example.org", "5.1.1")],
        "failed",
    ),
    (
        "Mail.ru",
        "Ваше сообщение не доставлено",
        "Ваше письмо не может быть доставлено:\n\n  ann@example.org\n    ящик получателя переполнен\n",
        [("ann@example.org", "5.2.2")],
        "failed",
    ),
    (
        "a German server",
        "Unzustellbar: Anfrage",
        "Ihre Nachricht konnte nicht zugestellt werden:\n\nann@example.org\nDas Postfach existiert nicht.\n",
        [("ann@example.org", "5.1.1")],
        "failed",
    ),
    (
        "no reason at all",
        "Undeliverable mail",
        "The message could not be delivered to:\n\n  ann@example.org\n",
        [("ann@example.org", "")],
        "failed",
    ),
]


@pytest.mark.parametrize(
    ("subject", "words", "recipients", "action"), [row[1:] for row in PROSE], ids=[row[0] for row in PROSE]
)
def test_words_name_the_recipients_and_mean_a_status(
    subject: str, words: str, recipients: list[tuple[str, str]], action: str
) -> None:
    found = judged(f"From: {DAEMON}\nTo: support@example.com\nSubject: {subject}\n\n{words}")
    assert found is not None
    assert [(one.address, one.status) for one in found.recipients] == recipients
    assert {one.action for one in found.recipients} == {action}
    assert found.original_message_id == (OURS if OURS in words else "")


def test_failed_recipients_of_the_header_come_first() -> None:
    found = judged(
        f"From: {DAEMON}\nX-Failed-Recipients: ann@example.org, bob@example.org\nSubject: Mail delivery failed\n\n"
        "These failed:\n  bob@example.org\n    mailbox is full\n  ann@example.org\n    unknown user\n"
        "sent by carl@example.org"
    )
    assert found is not None
    assert [(one.address, one.status) for one in found.recipients] == [
        ("bob@example.org", "5.2.2"),
        ("ann@example.org", "5.1.1"),
    ]


def test_the_original_is_found_by_what_the_bounce_answers_when_nothing_was_returned() -> None:
    found = judged(f"From: {DAEMON}\nIn-Reply-To: {OURS}\nSubject: Undeliverable\n\nann@example.org was not delivered.")
    assert found is not None
    assert found.original_message_id == OURS


def test_a_report_whose_parts_are_broken_is_read_from_its_bytes() -> None:
    found = judged(
        f"From: {DAEMON}\nContent-Type: multipart/report; report-type=delivery-status; boundary=never\nSubject: x\n\n"
        "Final-Recipient: rfc822;ann@example.org\nAction: failed\nStatus: 5.1.1\n"
    )
    assert found is not None
    assert [(one.address, one.status) for one in found.recipients] == [("ann@example.org", "5.1.1")]


@pytest.mark.parametrize("kind", ["feedback-report", "disposition-notification"])
def test_feedback_reports_and_read_receipts_are_no_bounces(kind: str) -> None:
    fields = "Final-Recipient: rfc822;ann@example.org\nDisposition: manual-action/MDN-sent-manually; displayed\n"
    mail = report(fields, outer=f"multipart/report; report-type={kind}").replace(
        "message/delivery-status", f"message/{kind}"
    )
    assert judged(mail, "ann@example.org", "ann@example.org") is None


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("Re: failure notice", "Why did I get this?\n\n> " + QMAIL.replace("\n", "\n> ")),
        ("Fwd: failure notice", QMAIL),
        ("Your mail came back", "I wrote to bob@example.org and got: 550 5.1.1 user unknown. Is this your server?"),
        (
            "Withdrawal could not be delivered",
            "My withdrawal was not delivered to my wallet. Unknown address, it says.",
        ),
        ("Undelivered parcel", "My hardware wallet was not delivered."),
        ("退信", "我给你们发的邮件被退回了，请问怎么办？"),
        ("Undeliverable", "The mail to bob@example.org could not be delivered, mailbox full. What now?"),
    ],
)
def test_a_person_who_writes_about_a_bounce_is_no_bounce(subject: str, words: str) -> None:
    mail = f"From: Ann <ann@example.org>\nTo: support@example.com\nSubject: {subject}\n\n{words}"
    assert judged(mail, "ann@example.org", "ann@example.org") is None


def test_a_person_who_attaches_a_bounce_is_no_bounce() -> None:
    inner = report(FAILED).replace('"b"', '"c"').replace("--b", "--c")
    mail = (
        "From: Ann <ann@example.org>\nTo: support@example.com\nSubject: I got this\n"
        'Content-Type: multipart/mixed; boundary="o"\n\n--o\n\nWhat does it mean?\n'
        f"--o\nContent-Type: message/rfc822\n\n{inner}\n--o--\n"
    )
    assert judged(mail, "ann@example.org", "ann@example.org") is None
    loose = report(FAILED, outer="multipart/mixed", sender="Ann <ann@example.org>").replace(
        "Delivery Status Notification", "Hi"
    )
    assert judged(loose, "ann@example.org", "ann@example.org") is None


def test_a_postmaster_who_asks_for_help_is_no_bounce() -> None:
    mail = "From: postmaster@corp.example\nSubject: Withdrawal\n\nMy withdrawal was not sent. Unknown address, it says."
    assert judged(mail, "postmaster@corp.example", "postmaster@corp.example") is None


def test_an_ordinary_mail_is_no_bounce() -> None:
    assert judged("From: a@b.example\nSubject: Help\n\nPlease help me.", "a@b.example", "a@b.example") is None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([*(row[2] for row in PROSE), report(FAILED), "\n", "<", "@", "Status: ", "\x00"]), max_size=6
    ),
    st.binary(),
)
def test_any_bytes_have_an_answer(pieces: list[str], noise: bytes) -> None:
    raw = "".join(pieces).encode() + noise
    assert judged(raw) is None or judged(raw) == judged(raw)


@pytest.mark.parametrize(
    "unit",
    [
        "<a@b.c>:\n",
        "a@",
        "a@b.c ",
        "could not ",
        "Final-Recipient: a@b.c\n\n",
        "Final-Recipient: a@b.c\nStatus: 5\n",
        "5.1.1 ",
        "user ",
        "- ",
        "{",
        '{"notificationType":',
        "<<",
        "To: ",
        "message-id: <",
        " ",
        "\n",
        "\t\n",
        "Received: ",
        "用户",
    ],
)
def test_the_cost_of_hostile_words_is_small(unit: str) -> None:
    words = unit * (200_000 // len(unit))
    for mail in (f"From: {DAEMON}\nSubject: failure notice\n\n{words}", report(f"Reporting-MTA: x\n\n{words}")):
        begin = time.process_time()
        judged(mail)
        assert time.process_time() - begin < 1
