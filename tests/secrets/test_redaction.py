"""A mail in which a secret was found is written anew without it, and keeps its files to the byte."""

from __future__ import annotations

import base64
import binascii
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.mail import attachment_bytes, read
from mailticket.secrets import masking
from mailticket.secrets.redaction import redact

CANARY = "Zebra-7741-quartz"
WORDS = f"Please unlock me. My password: {CANARY}\r\nTXID {'9f' * 32}\r\n"
SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"
ENCODED = base64.b64encode(f"密码：{CANARY}".encode()).decode()
FILE = bytes(range(256)) * 20


def one(body: bytes, *fields: str, subject: str = "Help") -> bytes:
    head = ["From: ann@example.org", "To: support@example.com", f"Subject: {subject}", "Message-ID: <1@example.org>"]
    return "\r\n".join([*head, *fields, "", ""]).encode() + body


def several(*parts: tuple[str, bytes], kind: str = "mixed", preamble: bytes = b"", epilogue: bytes = b"") -> bytes:
    body = preamble + b"".join(b"\r\n--b1\r\n" + fields.encode() + b"\r\n\r\n" + data for fields, data in parts)
    return one(body + b"\r\n--b1--\r\n" + epilogue, f'Content-Type: multipart/{kind}; boundary="b1"')


ATTACHED = "\r\nContent-Disposition: attachment"
PICTURE = (f"Content-Type: image/png; name=a.png{ATTACHED}\r\nContent-Transfer-Encoding: base64",
           base64.encodebytes(FILE).replace(b"\n", b"\r\n"))  # fmt: skip
HTML = "<html><body><p>My password: <b>{}</b></p></body></html>"
UU = (
    b"begin 644 log.bin\r\n"
    + b"\r\n".join(binascii.b2a_uu(FILE[i : i + 45]).rstrip(b"\n") for i in range(0, 450, 45))
    + b"\r\n`\r\nend\r\n"
)
MAILS = {
    "plain": one(WORDS.encode()),
    "no CR": one(WORDS.encode()).replace(b"\r\n", b"\n"),
    "base64": one(base64.encodebytes(WORDS.encode()), "Content-Transfer-Encoding: base64"),
    "quoted-printable": one(quopri.encodestring(f"é {WORDS}".encode()), "Content-Type: text/plain; charset=utf-8",
                            "Content-Transfer-Encoding: quoted-printable"),
    "gb2312": one(f"我的密码是 {CANARY}。请帮忙。\r\n".encode("gbk"), "Content-Type: text/plain; charset=gb2312"),
    "undeclared gbk": one(f"我的账户被锁定了，我的密码是 {CANARY}。请帮忙解锁。\r\n".encode("gbk")),
    "utf-16": one(base64.encodebytes(WORDS.encode("utf-16")), "Content-Type: text/plain; charset=utf-16",
                  "Content-Transfer-Encoding: base64"),
    "flowed": one(f"My password: \r\n{CANARY}\r\n".encode(), "Content-Type: text/plain; format=flowed"),
    "subject": one(b"Please help.\r\n", subject=f"my password: {CANARY}"),
    "encoded subject": one(b"Please help.\r\n", subject=f"=?utf-8?b?{ENCODED}?="),
    "html": one(HTML.format(CANARY).encode(), "Content-Type: text/html; charset=utf-8"),
    "html cut by tags": one(HTML.format("Zebra-<i>7741</i>-quartz").encode(), "Content-Type: text/html"),
    "seed in html": one(f"<div>words: {SEED.replace(' ', '<br>&nbsp;')}</div>".encode(), "Content-Type: text/html"),
    "alternative": several(("Content-Type: text/plain", WORDS.encode()),
                           ("Content-Type: text/html", HTML.format(CANARY).encode()), kind="alternative"),
    "with a file": several(("Content-Type: text/plain", WORDS.encode()), PICTURE),
    "preamble": several(("Content-Type: text/plain", WORDS.encode()), PICTURE, preamble=CANARY.encode(),
                        epilogue=f"password: {CANARY}\r\n".encode()),
    "uuencoded": one(WORDS.encode() + b"\r\n" + UU + b"\r\nthe password again: " + CANARY.encode()),
    "attached text": several(("Content-Type: text/plain", WORDS.encode()),
                             (f"Content-Type: text/plain; name=log.txt{ATTACHED}", b"line 1\r\n")),
    "unclosed": several(("Content-Type: text/plain", WORDS.encode()), PICTURE).replace(b"--b1--", b""),
    "mbox line": b"From ann Sun Nov 22 10:00:00 2026\n" + one(WORDS.encode()),
}  # fmt: skip


def everything(raw: bytes) -> str:
    """All that can be read in a mail: raw, decoded parts, header words, text."""
    mail = read(raw)
    files = [attachment_bytes(raw, a.part) for a in mail.attachments]
    decoded = [raw, *files, mail.subject.encode(), mail.text.encode()]
    return "\n".join(data.decode("utf-8", "replace") for data in decoded)


@pytest.mark.parametrize("name", MAILS)
def test_the_secret_is_gone_and_everything_else_is_there(name: str) -> None:
    raw = MAILS[name]
    before, redacted = read(raw), redact(raw)
    after = read(redacted.raw)
    assert redacted.whole
    for secret in (CANARY, "Zebra-", "7741", "wave sausage"):
        assert secret not in everything(redacted.raw)
    assert "[redacted: " in f"{after.subject} {after.text}"
    assert [(a.part, a.sha256, a.name) for a in after.attachments] == [
        (a.part, a.sha256, a.name) for a in before.attachments
    ]
    for file in before.attachments:
        assert attachment_bytes(redacted.raw, file.part) == attachment_bytes(raw, file.part)
    assert (after.message_id, after.sender_address) == (before.message_id, before.sender_address)
    assert ("9f" * 32 in before.text) == ("9f" * 32 in after.text)


def test_what_is_no_secret_keeps_every_byte() -> None:
    raw = MAILS["with a file"]
    redacted = redact(raw).raw
    start = raw.index(b"\r\n--b1\r\nContent-Type: image/png")
    assert redacted.endswith(raw[start:])
    assert redacted.startswith(raw[: raw.index(CANARY.encode())])


def test_a_mail_without_secrets_comes_back_as_it_is() -> None:
    raw = one(b"My deposit has not arrived.\r\n")
    assert redact(raw).raw is raw


def test_chinese_text_stays_readable_around_the_mask() -> None:
    text = read(redact(MAILS["gb2312"]).raw).text
    assert text.startswith("我的密码是 [redacted: password]")
    assert "请帮忙" in text


def test_redacting_twice_changes_nothing_more() -> None:
    for raw in MAILS.values():
        once = redact(raw).raw
        assert redact(once).raw == once


@given(st.binary(max_size=400), st.sampled_from(sorted(MAILS)))
def test_no_mail_makes_it_raise_or_show_the_secret(noise: bytes, name: str) -> None:
    raw = MAILS[name]
    middle = len(raw) // 2
    broken = raw[:middle] + noise + raw[middle:]
    redacted = redact(broken)
    after = read(redacted.raw)
    assert [masking.mask(text, least="sure").text for text in (after.subject, after.text)] == [
        after.subject,
        after.text,
    ]
    assert redact(redacted.raw).raw == redacted.raw
