"""Whose mail a staff member forwards, what it says, and what was written above it; in doubt nobody's."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from mailticket.mail import attachment_bytes, read
from mailticket.mail.address import Address
from mailticket.mail.forwarded import Forwarded, forwarded
from mailticket.mail.values import Mail, Ourselves
from tests.mail.replies import quoted

SITE = Ourselves(own_addresses=frozenset({"support@coinharbor.example"}))
STAFF = frozenset({"mia@coinharbor.example", "tom@coinharbor.example"})
VICTOR = Address("Victor Crane", "victor@mail.example")
TEXT = "I cannot log in.\n\nVictor"
COVERING = "known fraudster"
MOMENT = datetime(2026, 11, 2, 9, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def raw_of(text: str, subject: str = "Fwd: cannot log in", rich: str = "") -> bytes:
    message = EmailMessage()
    message["From"] = "Mia Berg <mia@coinharbor.example>"
    message["To"] = "support@coinharbor.example"
    message["Subject"] = subject
    message.set_content(text, charset="utf-8", cte="base64")
    if rich:
        message.set_content(rich, subtype="html", charset="utf-8", cte="base64")
    return message.as_bytes()


def forward_of(raw: bytes) -> Forwarded | None:
    return forwarded(read(raw, SITE), raw, SITE, STAFF, BERLIN)


OUTLOOK = "From: Victor Crane <victor@mail.example>\nSent: {date}\nTo: mia\nSubject: cannot log in"
SHAPES = {
    "Gmail": (
        "---------- Forwarded message ---------\nFrom: Victor Crane <victor@mail.example>\n"
        "Date: Mon, Nov 2, 2026 at 10:15 AM\nSubject: cannot log in\nTo: <mia@coinharbor.example>\n\n\n" + TEXT,
        "Fwd: x"),
    "Gmail, Chinese": (
        "---------- Forwarded message ---------\n发件人： Victor Crane <victor@mail.example>\n"
        "Date: 2026年11月2日周一 10:15\nSubject: cannot log in\nTo: <mia@coinharbor.example>\n\n\n" + TEXT, "Fwd: x"),
    "Outlook": (f"{OUTLOOK.format(date='Monday, November 2, 2026 10:15 AM')}\n\n{TEXT}", "FW: cannot log in"),
    "Outlook, rule": (
        f"________________________________\n{OUTLOOK.format(date='Monday, November 2, 2026 10:15:00 AM')}\n\n{TEXT}",
        "FW: cannot log in"),
    "Outlook, plain text": (
        f"-----Original Message-----\n{OUTLOOK.format(date='Monday, November 2, 2026 10:15 AM')}\n\n{TEXT}", "Fw: x"),
    "Outlook, older": (
        "From: Victor Crane [mailto:victor@mail.example]\nSent: Monday, November 2, 2026 10:15 AM\nTo: mia\n"
        f"Subject: cannot log in\n\n{TEXT}", "FW: x"),
    "Outlook, German": (
        "Von: Victor Crane <victor@mail.example>\nGesendet: Montag, 2. November 2026 10:15\nAn: mia\n"
        f"Betreff: cannot log in\n\n{TEXT}", "WG: x"),
    "Outlook, Chinese": (
        "发件人: Victor Crane <victor@mail.example>\n发送时间: 2026年11月2日 10:15\n收件人: mia\n"
        f"主题: cannot log in\n\n{TEXT}", "转发: x"),
    "Outlook, Taiwan": (
        "寄件者: Victor Crane <victor@mail.example>\n寄件日期: 2026年11月2日 上午 10:15\n收件者: mia\n"
        f"主旨: cannot log in\n\n{TEXT}", "轉寄: x"),
    "Apple Mail": (
        "Begin forwarded message:\n\n" + quoted(
            "From: Victor Crane <victor@mail.example>\nSubject: cannot log in\nDate: 2 November 2026 at 10:15:00 CET\n"
            f"To: mia\n\n{TEXT}"), "Fwd: x"),
    "iPhone, Chinese": (
        "开始转发的邮件：\n\n" + quoted(
            "发件人: Victor Crane <victor@mail.example>\n日期: 2026年11月2日 GMT+1 10:15:00\n收件人: mia\n"
            f"主题: cannot log in\n\n{TEXT}"), "转发：x"),
    "Thunderbird": (
        "-------- Forwarded Message --------\nSubject: \tcannot log in\nDate: \tMon, 2 Nov 2026 10:15:00 +0100\n"
        f"From: \tVictor Crane <victor@mail.example>\nTo: \tmia@coinharbor.example\n\n\n\n{TEXT}", "Fwd: x"),
    "Thunderbird, German": (
        "-------- Weitergeleitete Nachricht --------\nBetreff: \tcannot log in\n"
        "Datum: \tMon, 2 Nov 2026 10:15:00 +0100\n"
        f"Von: \tVictor Crane <victor@mail.example>\nAn: \tmia@coinharbor.example\n\n{TEXT}", "Fwd: x"),
    "QQ": (
        '------------------ 原始邮件 ------------------\n发件人: "Victor Crane" <victor@mail.example>;\n'
        '发送时间: 2026年11月2日(星期一) 上午10:15\n收件人: "mia"<mia@coinharbor.example>;\n'
        f"主题: cannot log in\n\n{TEXT}", "转发：x"),
    "163": (
        '-------- 转发邮件信息 --------\n发件人："Victor Crane" <victor@mail.example>\n发送日期：2026-11-02 10:15:00\n'
        f"收件人：mia@coinharbor.example\n主题：cannot log in\n{TEXT}", "转发：x"),
    "NetEase Mail Master": (
        "---- 转发的邮件 ----\n| 发件人 | Victor Crane<victor@mail.example> |\n| 日期 | 2026年11月02日 10:15 |\n"
        f"| 收件人 | mia@coinharbor.example |\n| 主题 | cannot log in |\n{TEXT}", "转发：x"),
    "HCL Notes": (
        "----- Forwarded by Mia Berg/CoinHarbor on 02/11/2026 10:20 -----\n\n"
        "From:\tVictor Crane <victor@mail.example>\n"
        f"To:\tmia@coinharbor.example\nDate:\t2 Nov 2026 10:15\nSubject:\tcannot log in\n\n{TEXT}", "Fw: x"),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_the_author_of_a_forward_is_found(shape: str) -> None:
    text, subject = SHAPES[shape]
    forward = forward_of(raw_of(f"{COVERING}\n\nSent from my iPhone\n\n{text}", subject))
    assert forward == Forwarded(VICTOR, "cannot log in", TEXT, COVERING, MOMENT)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_forward_without_a_covering_word(shape: str) -> None:
    text, subject = SHAPES[shape]
    forward = forward_of(raw_of(text, subject))
    assert forward is not None
    assert (forward.author, forward.covering) == (VICTOR, "")


def test_a_forward_in_html() -> None:
    rich = (
        "<div dir=ltr>known fraudster</div><br><div class=gmail_quote><div dir=ltr class=gmail_attr>---------- "
        "Forwarded message ---------<br>From: <strong class=gmail_sendername>Victor Crane</strong> <span>&lt;"
        "<a href='mailto:victor@mail.example'>victor@mail.example</a>&gt;</span><br>Date: Mon, Nov 2, 2026 at 10:15 AM"
        "<br>Subject: cannot log in<br>To: mia<br></div><br>I cannot log in.<br><br>Victor</div>"
    )
    forward = forward_of(raw_of("", "Fwd: x", rich))
    assert forward == Forwarded(VICTOR, "cannot log in", TEXT, COVERING, MOMENT)


NONE = {
    "no forward": ("Please call Victor.", "Victor"),
    "a forward's subject alone": ("Please look.", "Fwd: x"),
    "a reply that quotes a forward": (f"> Done\n\n{SHAPES['Gmail'][0]}", "Fwd: x"),
    "a quoted forward": (quoted(SHAPES["Gmail"][0]), "Fwd: x"),
    "a reply to a forward": (SHAPES["Gmail"][0], "Re: Fwd: x"),
    "a header block without a forward's subject": (SHAPES["Outlook"][0], "cannot log in"),
    "no address": (SHAPES["Outlook"][0].replace(" <victor@mail.example>", ""), "FW: x"),
    "two addresses": (SHAPES["Outlook"][0].replace("Victor Crane", "b@mail.example on behalf of"), "FW: x"),
    "our own": (SHAPES["Gmail"][0].replace("victor@mail", "support@coinharbor"), "Fwd: x"),
    "our own, tagged": (SHAPES["Gmail"][0].replace("victor@mail", "support+mt1@coinharbor"), "Fwd: x"),
    "staff's": (SHAPES["Gmail"][0].replace("victor@mail", "Tom@CoinHarbor"), "Fwd: x"),
    "nobody's": (SHAPES["Gmail"][0].replace("victor@mail", "no-reply@mail"), "Fwd: x"),
    "a heading without a block": ("---------- Forwarded message ---------\nHello\n\n" + SHAPES["Outlook"][0], "Fwd: x"),
    "encrypted": ("-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----\n" + SHAPES["Gmail"][0], "Fwd: x"),
}


@pytest.mark.parametrize("case", NONE)
def test_what_is_not_plainly_a_forward_of_a_requester_is_none(case: str) -> None:
    text, subject = NONE[case]
    assert forward_of(raw_of(text, subject)) is None


INNER = (
    b"From: Victor Crane <victor@mail.example>\nSubject: cannot log in\nDate: Mon, 2 Nov 2026 10:15:00 +0100\n"
    b"Authentication-Results: mx; dmarc=pass\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=i\n\n"
    b"--i\nContent-Type: text/plain\n\nI cannot log in.\n\nVictor\n--i\nContent-Type: application/pdf; name=bill.pdf\n"
    b"Content-Disposition: attachment; filename=bill.pdf\n\nPDF\n--i--\n"
)


def attached(*messages: bytes, covering: bytes = b"known fraudster\n", subject: bytes = b"look") -> bytes:
    parts = b"".join(b"--o\nContent-Type: message/rfc822\n\n" + message + b"\n" for message in messages)
    return (
        b"From: Mia <mia@coinharbor.example>\nSubject: " + subject + b"\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: text/plain\n\n"
        + covering
        + parts
        + b"--o--\n"
    )


def test_an_attached_mail_is_read_as_any_other_with_its_files() -> None:
    raw = attached(INNER)
    forward = forward_of(raw)
    assert forward is not None
    assert (forward.author, forward.subject, forward.date) == (VICTOR, "cannot log in", MOMENT)
    assert (forward.text, forward.covering) == (TEXT, COVERING)
    assert [file.name for file in forward.files] == ["bill.pdf"]
    inner = attachment_bytes(raw, forward.part)
    assert attachment_bytes(inner, forward.files[0].part) == b"PDF"


def test_an_attached_mail_without_a_covering_word() -> None:
    forward = forward_of(attached(INNER, covering=b""))
    assert forward is not None
    assert (forward.text, forward.covering) == (TEXT, "")


@pytest.mark.parametrize(
    "raw",
    [attached(INNER, INNER), attached(b"Subject: x\n\nno sender"), attached(INNER, subject=b"Re: look"),
     attached(INNER.replace(b"victor@mail", b"tom@coinharbor")),
     attached(INNER).replace(b"Subject: look", b"Auto-Submitted: auto-replied\nSubject: look")],
    ids=["two", "no sender", "a reply", "staff's", "a program's"],
)  # fmt: skip
def test_an_attached_mail_in_doubt_is_none(raw: bytes) -> None:
    assert forward_of(raw) is None


DATES = [
    ("Monday, November 2, 2026 10:15 PM", datetime(2026, 11, 2, 21, 15, tzinfo=UTC)),
    ("Monday, November 2, 2026 12:15 AM", datetime(2026, 11, 1, 23, 15, tzinfo=UTC)),
    ("2026年11月2日(星期一) 下午3:05", datetime(2026, 11, 2, 14, 5, tzinfo=UTC)),
    ("2026年11月2日 中午12:05", datetime(2026, 11, 2, 11, 5, tzinfo=UTC)),
    ("2026-11-02 10:15:22", datetime(2026, 11, 2, 9, 15, 22, tzinfo=UTC)),
    ("02.11.2026 10:15", MOMENT),
    ("Mon, 2 Nov 2026 10:15:00 +0800", datetime(2026, 11, 2, 2, 15, tzinfo=UTC)),
    ("02/11/2026 10:15", None),
    ("2026-13-02 10:15", None),
    ("2026-11-02", None),
    ("yesterday", None),
]


@pytest.mark.parametrize(("date", "moment"), DATES)
def test_dates_are_read_where_they_can_be_read_in_one_way(date: str, moment: datetime | None) -> None:
    forward = forward_of(raw_of(f"{OUTLOOK.format(date=date)}\n\n{TEXT}", "FW: x"))
    assert forward is not None
    assert forward.date == moment


@pytest.mark.parametrize(
    "text",
    ["From: a\n" * 120_000, "________\n" * 100_000, f"{OUTLOOK}\n" * 9_000, "> " * 400_000, "From: " + "a@" * 400_000,
     "---------- Forwarded message ---------\n" * 20_000, "a\n" * 400_000],
)  # fmt: skip
def test_a_hostile_megabyte_costs_little(text: str) -> None:
    mail = Mail("", "", 1, subject="Fwd: x", text=text)
    start = time.process_time()
    forwarded(mail, b"", SITE, STAFF, BERLIN)
    assert time.process_time() - start < 2
