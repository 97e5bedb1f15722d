"""A folder of small mails, each named for its trait, and how each must read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from mailticket.mail import attachment_bytes, read

FOLDER = Path(__file__).parent / "eml"
ANN = "ann@example.org"
MALLORY = "mallory@example.net"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(40))
ZH = "您好，请问我的充值为什么还没有到账？谢谢。"
TW = "您好，請問我的帳戶為什麼無法登入？謝謝。"
SHOT = ["截图.png"]

# What each mail must read as; only what is named is compared. "sender" is the address, "names" those of attachments.
EXPECTED: dict[str, dict[str, Any]] = {
    "alternative": {"text": "Plain words", "names": []},
    "alternative-with-empty-plain": {"text": "Rich words"},
    "alternative-with-placeholder-plain": {"text": ("These are the real words of the mail. " * 20).strip()},
    "attached-message": {"text": "See the attached mail", "names": ["内部.eml"]},
    "attached-message-in-base64": {"text": "See the attached mail", "names": ["内部.eml"]},
    "attached-message-without-a-word": {"text": "Inner text", "new_text": "Inner text", "names": ["内部.eml"]},
    "bare-cr-line-ends": {"subject": "Old Macintosh", "text": "Line one\nLine two", "sender": ANN},
    "base64-damaged": {"names": ["a.bin"], "sizes": [11], "warns": "base64"},
    "base64-with-form-feed": {"text": "Hello"},
    "body-with-a-file-name": {"text": "The only words", "names": ["body.txt", "a.png"]},
    "base64-with-footer": {"text": "Hello from base64", "warns": "base64"},
    "big5-without-charset": {"text": TW, "language": "zh-Hant"},
    "boundary-is-a-prefix-of-another": {"text": "Plain", "names": ["a.png"]},
    "boundary-missing": {"text": "Hello", "names": ["a.png"], "warns": "boundary"},
    "boundary-never-closed": {"text": "Hello", "names": ["a.png"], "warns": "never closed"},
    "boundary-never-used": {"text": "Hello", "names": ["a.png"], "warns": "boundary"},
    "calendar-invitation": {"text": "Please come", "names": ["invite.ics"]},
    "charset-is-a-codec-bomb": {"text": r"back\x41slash", "subject": "uryybxœ"},
    "digest": {"text": "First\n\nSecond", "names": ["one.eml", "two.eml"]},
    "empty": {"text": "", "subject": "", "sender": None},
    "encoded-word-doubled-charset": {"subject": "Jürgen"},
    "encoded-word-injects-header": {"subject": "x Bcc: evil@example.net"},
    "encoded-word-never-closed": {"subject": "你好"},
    "encoded-word-split-bytes": {"subject": "你好"},
    "encoded-word-split-character": {"subject": "你好"},
    "encoded-word-with-blanks": {"subject": "Jürgen asks again"},
    "encoded-word-with-language": {"subject": "Jürgen"},
    "encoded-word-without-charset": {"subject": "Jürgen"},
    "encoded-words-of-two-charsets": {"subject": "你好Jürgen"},
    "encrypted-pgp": {"text": "", "names": ["pgp-version.txt", "encrypted.asc"], "warns": "encrypted"},
    "filename-continued": {"names": SHOT},
    "filename-encoded-word": {"names": SHOT},
    "filename-encoded-word-unquoted": {"names": SHOT},
    "filename-quote-never-closed": {"names": ["my photo.png"]},
    "filename-quotes-missing": {"names": ["my holiday photo.png"]},
    "filename-raw-gbk": {"names": SHOT},
    "filename-rfc2231": {"names": SHOT},
    "filename-twice": {"names": ["first.png"]},
    "filename-with-bidi": {"names": ["invoicegnp.exe"]},
    "filename-with-path": {"names": ["evil.png"]},
    "first-line-is-no-header": {"subject": "Still here", "sender": ANN, "text": "Hello", "warns": "first line"},
    "forward": {
        "subject": "转发：充值",
        "new_text": ("请看下面\n\n发件人：王小明\n发送时间：2026年11月2日\n收件人：李四\n主题：充值\n\n这是转发的内容"),
    },
    "format-flowed-delsp": {"text": "您好，请问我的充值。\n> quotedline\n-- \nAnn"},
    "from-address-in-name": {"sender": MALLORY},
    "from-bidi-name": {"sender": MALLORY, "name": "Support"},
    "from-comma-in-encoded-word": {"sender": ANN, "name": "Example, Ann"},
    "from-comment-name": {"sender": ANN, "name": "Ann Example"},
    "from-comment-with-address": {"sender": None},
    "from-docomo-dots": {"sender": "ann..b.@docomo.ne.jp"},
    "from-encoded-address": {"sender": MALLORY},
    "from-group": {"sender": None, "warns": "group"},
    "from-missing": {"sender": None, "warns": "no From"},
    "from-obsolete-route": {"sender": ANN, "name": "Ann"},
    "from-quoted-local": {"sender": '"ann smith"@example.org'},
    "from-several": {"sender": None, "warns": "several mailboxes"},
    "from-stray-parenthesis": {"sender": None},
    "from-twice": {"sender": None, "warns": "several From"},
    "from-two-addresses-glued": {"sender": None},
    "gb2312-charset-unknown-name": {"text": ZH},
    "gbk-declared-gb2312": {"text": f"朱镕基 {ZH}", "subject": "镕基的问题"},
    "gbk-without-charset": {"text": ZH, "subject": "充值没有到账", "language": "zh-Hans"},
    "header-ends-without-blank-line": {
        "subject": "No gap",
        "text": "Hello, there was no blank line above me.\nSecond line.",
        "warns": "blank line",
    },
    "header-line-without-colon-inside": {"sender": ANN, "text": "Hello", "message_id": "<1@example.org>"},
    "html-only": {
        "text": "Dear support,\n\nsee my page (https://example.org/a).\n\n- one\n- two\n\nOrder | 17\n\n> your words"
    },
    "koi8-without-charset": {"text": "Здравствуйте, где мои деньги? Жду ответа."},
    "latin1-declared-ascii": {"subject": "Grüße", "text": "Grüße aus Köln, schöne Straße"},
    "mbox-from-line": {"subject": "From a file", "sender": ANN, "text": "Hello"},
    "mixed-line-ends": {"subject": "Mixed", "text": "Line one\nLine two\nLine three"},
    "mixed-with-two-texts": {"text": "First text\n\nSecond text", "names": ["a.png"], "sizes": [48]},
    "nul-bytes": {"subject": "N ul", "text": "ab"},
    "only-a-header": {"subject": "just this", "text": "", "sender": ANN},
    "part-without-blank-line": {"text": "Hello"},
    "quoted-printable-damaged": {"text": "Jürgen =ZZ joinedagain"},
    "related-with-inline-picture": {"text": "See", "names": ["logo.png"], "inline": [True]},
    "signed-smime": {"text": "Signed words", "names": ["smime.p7s"]},
    "tnef-without-name": {"text": "Hello", "names": ["winmail.dat"]},
    "transfer-encoding-unknown": {"text": "Hello", "warns": "transfer encoding"},
    "utf16-with-bom": {"subject": "Wide", "text": "Hello wide", "sender": ANN},
    "utf7-declared": {"text": "Hi Mom ☺!"},
    "utf8-bom-before-header": {"subject": "Marked", "sender": ANN},
    "utf8-declared-latin1": {"text": ZH},
    "uuencode-in-text": {
        "text": "Before the file\nAfter the file\nbegin 644 is also a phrase",
        "names": ["data.bin"],
        "sizes": [48],
    },
}


def test_every_mail_of_the_folder_has_an_expectation() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in FOLDER.glob("*.eml"))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_mail_reads_as_expected(name: str) -> None:
    mail = read((FOLDER / f"{name}.eml").read_bytes())
    sender = mail.sender_address
    got: dict[str, Any] = {
        "subject": mail.subject,
        "text": mail.text,
        "new_text": mail.new_text,
        "language": mail.language,
        "message_id": mail.message_id,
        "sender": sender.address if sender else None,
        "name": sender.name if sender else "",
        "names": [a.name for a in mail.attachments],
        "sizes": [a.size for a in mail.attachments],
        "inline": [a.inline for a in mail.attachments],
    }
    expected = dict(EXPECTED[name])
    warning = expected.pop("warns", "")
    assert {key: got[key] for key in expected} == expected
    assert any(warning in w for w in mail.warnings) or not warning


@pytest.mark.parametrize("name", EXPECTED)
def test_an_attachment_is_found_again_with_the_bytes_that_were_digested(name: str) -> None:
    raw = (FOLDER / f"{name}.eml").read_bytes()
    for attachment in read(raw).attachments:
        data = attachment_bytes(raw, attachment.part)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (attachment.size, attachment.sha256)


def test_an_uuencoded_file_is_decoded() -> None:
    raw = (FOLDER / "uuencode-in-text.eml").read_bytes()
    assert attachment_bytes(raw, "#uu0") == PNG


def test_an_attached_message_keeps_its_bytes_as_they_came() -> None:
    raw = (FOLDER / "attached-message.eml").read_bytes()
    data = attachment_bytes(raw, "2")
    assert data.startswith(b"From: bob@example.net\r\nSubject: =?utf-8?B?") and data.endswith(b"--in--\r\n")
    assert data in raw


def test_an_attached_message_in_base64_is_decoded_to_the_same_bytes() -> None:
    plain = attachment_bytes((FOLDER / "attached-message.eml").read_bytes(), "2")
    encoded = attachment_bytes((FOLDER / "attached-message-in-base64.eml").read_bytes(), "2")
    assert encoded == plain


@pytest.mark.parametrize("part", ["7", "2#uu0", "#uu9", "#uux", "x"])
def test_an_attachment_that_is_not_there_is_a_key_error(part: str) -> None:
    with pytest.raises(KeyError):
        attachment_bytes((FOLDER / "uuencode-in-text.eml").read_bytes(), part)
