"""The people who write to the demo's help desk, an exchange's: what they send, in English and Chinese."""

from __future__ import annotations

import struct
import zlib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

SUPPORT = "support@demo.example"
BORDER = "mx.demo.example"  # the mail server in front of the inbox, whose word on senders counts

_TXID = "9f2c4be1d07a5c83e6f1420b9ad8375e6c01fb24d95a7e3380c6b1f2e4d7a951"


def _mail(name: str, address: str, subject: str, text: str, **more: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"{name} <{address}>"
    message["To"] = more.pop("To", SUPPORT)
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=address.partition("@")[2])
    for header, value in more.items():
        message[header.replace("_", "-")] = value
    message.set_content(text)
    return message


def _passed(message: EmailMessage) -> bytes:
    """The mail as the border delivers it: with its verdict on the sender on top."""
    domain = str(message["From"].addresses[0].domain)
    verdict = f"Authentication-Results: {BORDER}; dmarc=pass header.from={domain}\r\n"
    return_path = f"Return-Path: <{message['From'].addresses[0].addr_spec}>\r\n"
    return (return_path + verdict).encode() + message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def screenshot(width: int = 320, height: int = 120) -> bytes:
    """A small picture: a grey bar that says 0 % to those who look at it."""
    rows = b"".join(b"\0" + bytes(230 if 40 < y < 80 and x > 20 else 250 for x in range(width)) for y in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def missing_deposit() -> bytes:
    message = _mail(
        "Maria Keller", "maria.keller@mail.example", "Deposit not credited",
        "Hello,\n\nI sent 0.42 BTC to my deposit address this morning and it has six confirmations, but my balance\n"
        f"still shows nothing.\n\nTXID: {_TXID}\n\nA screenshot is attached. Please look into it.\n\nMaria Keller\n",
    )  # fmt: skip
    message.add_attachment(screenshot(), maintype="image", subtype="png", filename="balance.png")
    return _passed(message)


def missing_deposit_again() -> bytes:
    return _passed(_mail(
        "Maria Keller", "maria.keller@mail.example", "my bitcoin is gone??",
        "Hi, I wrote before. The 0.42 BTC I transferred today never showed up in my account, the blockchain says\n"
        f"confirmed ({_TXID}). Where is my money? Please hurry!\n",
    ))  # fmt: skip


def locked_account() -> bytes:
    return _passed(_mail(
        "王小明", "wang.xiaoming@posta.example", "账户被锁定,无法登录",
        "您好:\n\n我的账户今天早上突然被锁定了,登录时提示“账户存在安全风险”。我的用户ID是 20458817。\n"
        "我没有做过任何异常操作,请尽快帮我解除锁定。\n\n谢谢!\n王小明\n",
    ))  # fmt: skip


def reply_to(acknowledgement: EmailMessage) -> bytes:
    """Maria answers the acknowledgement, with its text quoted below as her mail program does."""
    quoted = acknowledgement.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    answer = "Network is Bitcoin mainnet, and my account ID is 77120453.\n\nOn Sunday support wrote:\n"
    message = _mail(
        "Maria Keller", "maria.keller@mail.example", f"Re: {acknowledgement['Subject']}",
        answer + "".join(f"> {line}\n" for line in quoted.splitlines()),
        In_Reply_To=str(acknowledgement["Message-ID"]),
        References=f"{acknowledgement['References'] or ''} {acknowledgement['Message-ID']}".strip(),
    )  # fmt: skip
    return _passed(message)


def out_of_office(acknowledgement: EmailMessage) -> bytes:
    """Wang's mail program is on holiday and answers by itself."""
    return _passed(_mail(
        "王小明", "wang.xiaoming@posta.example", f"自动回复: {acknowledgement['Subject']}",
        "您好,我正在休假,11月30日返回。您的邮件我会尽快回复。\n",
        In_Reply_To=str(acknowledgement["Message-ID"]), Auto_Submitted="auto-replied",
    ))  # fmt: skip


def bounce(acknowledgement: EmailMessage) -> bytes:
    """A delivery report (RFC 3464): the acknowledgement could not be delivered."""
    recipient = str(acknowledgement["To"])
    boundary = "demo-report"
    return "\r\n".join([
        "Return-Path: <>",
        "From: Mail Delivery System <MAILER-DAEMON@relay.example>",
        f"To: {SUPPORT}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Date: {format_datetime(datetime.now(UTC))}",
        f"Message-ID: {make_msgid(domain='relay.example')}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
        "", f"--{boundary}", "Content-Type: text/plain; charset=us-ascii", "",
        f"<{recipient}>: 550 5.1.1 mailbox does not exist",
        "", f"--{boundary}", "Content-Type: message/delivery-status", "",
        "Reporting-MTA: dns; relay.example", "",
        f"Final-Recipient: rfc822; {recipient}", "Action: failed", "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 mailbox does not exist",
        "", f"--{boundary}", "Content-Type: text/rfc822-headers", "",
        f"Message-ID: {acknowledgement['Message-ID']}", f"To: {recipient}",
        "", f"--{boundary}--", "",
    ]).encode()  # fmt: skip


def mistyped_address() -> bytes:
    """Somebody whose own address does not exist: the answer to it will bounce."""
    return _passed(_mail(
        "Tom Brown", "tom.bron@mail.example", "API key stopped working",
        "My API key returns error 401 since yesterday although I changed nothing. Endpoint /v2/orders.\n",
    ))  # fmt: skip


def newsletter() -> bytes:
    return _passed(_mail(
        "Chain Weekly", "news@chainweekly.example", "Chain Weekly #212: what moved the markets",
        "This week in short ...\n", To="weekly@chainweekly.example",
        List_Id="Chain Weekly <weekly.chainweekly.example>", List_Unsubscribe="<mailto:leave@chainweekly.example>",
        Precedence="bulk",
    ))  # fmt: skip


def gbk_without_charset() -> bytes:
    """As old mail programs in China still write: GBK bytes in subject and body, and no word of it."""
    head = (
        f"Return-Path: <zhao.lei@youjian.example>\r\nAuthentication-Results: {BORDER}; dmarc=pass "
        "header.from=youjian.example\r\nFrom: zhao.lei@youjian.example\r\n"
        f"To: {SUPPORT}\r\nDate: {format_datetime(datetime.now(UTC))}\r\n"
        f"Message-ID: {make_msgid(domain='youjian.example')}\r\nSubject: "
    )
    body = (
        "提现申请提交后一直显示“处理中”，已经超过二十四小时了，还没有到账。\r\n"
        "币种是USDT，网络TRC20，数量是3500。请帮忙查一下，谢谢。\r\n"
    )
    return head.encode() + "提现一直没有到账".encode("gbk") + b"\r\n\r\n" + body.encode("gbk")
