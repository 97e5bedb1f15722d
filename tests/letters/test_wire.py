"""The bytes that leave: header fields as the standards want them, and nothing in them that a stranger put there."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.config.files import read_templates, shipped_folder
from mailticket.letters import (
    KINDS,
    Found,
    Letter,
    Letterhead,
    Letters,
    Quoted,
    TemplateSource,
    mime,
)
from mailticket.letters.mime import thread
from mailticket.mail.addresses import is_bare_address
from tests.letters import HEAD, sample

AUTOMATIC = [
    "From",
    "To",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Loop",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
]
HUMAN = [name for name in AUTOMATIC if name not in ("Auto-Submitted", "X-Auto-Response-Suppress", "X-Loop")]
LETTERS = Letters(TemplateSource("templates", read_templates(shipped_folder("templates"))))


def read(message: bytes) -> EmailMessage:
    return email.message_from_bytes(message, policy=email.policy.default)  # type: ignore[return-value]


def body(message: bytes, kind: str) -> str:
    part = read(message).get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def header_names(message: bytes) -> list[str]:
    block = message.partition(b"\r\n\r\n")[0]
    return [line.partition(b":")[0].decode() for line in re.split(rb"\r\n(?![ \t])", block)]


def is_sound(message: bytes) -> bool:
    """No bare CR or LF, no NUL, no line over 998 octets, none that ends SMTP's data."""
    lines = message.split(b"\r\n")
    return not any(b"\r" in line or b"\n" in line or b"\0" in line or len(line) > 998 or line == b"." for line in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_the_header_fields_are_exactly_the_intended_ones(kind) -> None:
    composed = LETTERS.compose(sample(kind, "zh-Hans"), HEAD)
    assert header_names(composed.message) == (HUMAN if kind == "staff-reply" else AUTOMATIC)
    assert is_sound(composed.message)


def test_an_acknowledgement_carries_the_values_that_rfc_3834_asks_for() -> None:
    mail = read(LETTERS.compose(sample("acknowledgement", "en"), HEAD).message)
    assert mail["From"] == "Example Support <support@example.com>"
    assert mail["To"] == "ann@example.org"
    assert mail["Date"] == "Mon, 23 Nov 2026 10:00:00 +0000"
    assert mail["Message-ID"] == "<mt7f3k92qx.1.ack.abcdefghijklmnop@example.com>"
    assert mail["In-Reply-To"] == mail["References"] == "<request-1@example.org>"
    assert mail["Subject"] == "Re: USDT deposit has not arrived [MT-7F3K-92QX]"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["X-Loop"] == "support@example.com"
    assert mail["Content-Language"] == "en"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("acknowledgement", "auto-replied"),
        ("duplicate-notice", "auto-replied"),
        ("reply-received", "auto-replied"),
        ("status-answer", "auto-replied"),
        ("split-done", "auto-replied"),
        ("late-notice", "auto-generated"),
        ("sooner", "auto-generated"),
        ("solved", "auto-generated"),
        ("staff-reply", None),
    ],
)
def test_what_a_machine_wrote_says_so_and_what_a_person_wrote_does_not(kind, value) -> None:
    assert read(LETTERS.compose(sample(kind, "en"), HEAD).message)["Auto-Submitted"] == value


def test_the_same_letter_is_the_same_bytes() -> None:
    letter = sample("acknowledgement", "zh-Hant")
    assert LETTERS.compose(letter, HEAD).message == LETTERS.compose(letter, HEAD).message


def test_the_date_is_utc_whatever_zone_now_comes_in() -> None:
    now = datetime(2026, 11, 23, 18, 0, tzinfo=timezone(timedelta(hours=8)))
    letter = replace(sample("acknowledgement", "en"), date=now)
    assert read(LETTERS.compose(letter, HEAD).message)["Date"] == "Mon, 23 Nov 2026 10:00:00 +0000"


def test_a_signed_reply_address_becomes_reply_to() -> None:
    letter = replace(sample("acknowledgement", "en"), reply_to="support+mt7f3k92qx.abcdefghijklmnop@example.com")
    composed = LETTERS.compose(letter, HEAD)
    assert read(composed.message)["Reply-To"] == "support+mt7f3k92qx.abcdefghijklmnop@example.com"
    assert header_names(composed.message) == [*AUTOMATIC[:2], "Reply-To", *AUTOMATIC[2:]]


def test_both_bodies_arrive_as_they_were_rendered() -> None:
    for language in ("en", "zh-Hans"):
        composed = LETTERS.compose(sample("acknowledgement", language), HEAD)
        assert body(composed.message, "plain") == composed.text
        assert body(composed.message, "html") == composed.html


@pytest.mark.parametrize("name", ["示例交易所客服", "Support, Example Inc.", 'The "best" <support>', "=?utf-8?q?x?="])
def test_a_support_name_is_one_mailbox_whatever_it_holds(name) -> None:
    sender = read(LETTERS.compose(sample("solved", "en"), replace(HEAD, name=name)).message)["From"].addresses
    assert [(a.display_name, a.addr_spec) for a in sender] == [(name, "support@example.com")]


def test_a_very_long_support_name_is_folded() -> None:
    composed = LETTERS.compose(sample("solved", "en"), replace(HEAD, name="很长的名字" * 20))
    value = re.split(rb"\r\n(?![ \t])", composed.message)[0].decode().removeprefix("From: ")
    assert str(make_header(decode_header(value))) == "很长的名字" * 20 + " <support@example.com>"
    assert is_sound(composed.message)


def test_an_address_beyond_ascii_is_written_as_utf8() -> None:
    letter = replace(sample("solved", "en"), to="李明@example.org")
    assert "\r\nTo: 李明@example.org\r\n".encode() in LETTERS.compose(letter, HEAD).message


IDS = [f"<{number}@example.org>" for number in range(100)]


@pytest.mark.parametrize(
    ("parent", "references", "expected"),
    [
        ("", ("<a@b>",), ()),
        ("<p@q>", (), ("<p@q>",)),
        ("<p@q>", ("<a@b>", "<c@d>"), ("<a@b>", "<c@d>", "<p@q>")),
        ("<p@q>", ("<a@b>", "<a@b>", "<p@q>"), ("<a@b>", "<p@q>")),
        ("<p@q>", ("a@b", "<no-at>", "<a b@c>", "<a@b\r\nBcc: e@x>", "<@b>", "<ü@b>"), ("<p@q>",)),
        ("<p@q>", tuple(IDS), (IDS[0], *IDS[81:], "<p@q>")),
        ("not an id", ("<a@b>",), ()),
    ],
)
def test_references_follow_rfc_5322(parent, references, expected) -> None:
    assert thread(parent, references) == expected


def test_long_references_are_folded_between_ids_and_never_encoded() -> None:
    ids = tuple(f"<{number:0>200}@example.org>" for number in range(30))
    letter = replace(sample("acknowledgement", "en"), in_reply_to=ids[-1], references=ids[:-1])
    composed = LETTERS.compose(letter, HEAD)
    block = re.split(rb"\r\n(?![ \t])", composed.message.partition(b"\r\n\r\n")[0])
    value = next(line for line in block if line.startswith(b"References:"))
    assert value.removeprefix(b"References: ").decode().split("\r\n ") == [ids[0], *ids[-20:]]


@pytest.mark.parametrize("address", ["b@x", "b.c+d@example.org", "o'brien@example.org", "李明@例子.cn"])
def test_bare_addresses_are_sendable(address) -> None:
    assert is_bare_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "b",
        "@x",
        "b@",
        "B <b@x>",
        "<b@x>",
        '"b c"@x',
        "a@x,b@x",
        "a@x b@x",
        "a@x\r\nBcc: b@x",
        "a@b@x",
        "a@x;",
        "a(c)@x",
        "g:a@x;",
        "a" * 65 + "@x",
        "a@" + "x" * 254,
    ],
)
def test_anything_else_is_refused_before_it_reaches_a_header(address) -> None:
    assert not is_bare_address(address)
    with pytest.raises(ValueError, match="to"):
        LETTERS.compose(replace(sample("solved", "en"), to=address), HEAD)


@pytest.mark.parametrize("message_id", ["", "a@b", "<a@b>\r\nBcc: e@x", "<a b@c>", "<>"])
def test_a_message_id_of_ours_must_be_one(message_id) -> None:
    with pytest.raises(ValueError, match="message_id"):
        LETTERS.compose(replace(sample("solved", "en"), message_id=message_id), HEAD)


def _hostile(text: str, *, verified: bool, kind: str = "acknowledgement") -> Letter:
    """A letter in which every text that a sender chooses is `text`."""
    return replace(
        sample(kind, "en"),  # type: ignore[arg-type]
        verified=verified,
        subject=text,
        name=text,
        found=(Found("TXID", text),),
        history=Quoted(text, datetime(2026, 11, 22, tzinfo=UTC), text),
        in_reply_to=text,
        references=(text, text),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_s17_nothing_of_an_unverified_sender_is_echoed(kind) -> None:
    composed = LETTERS.compose(_hostile("FREE BTC http://evil.example/", verified=False, kind=kind), HEAD)
    everything = composed.message.decode() + body(composed.message, "plain") + body(composed.message, "html")
    assert "evil" not in everything
    assert "FREE" not in everything
    assert composed.subject.endswith("[MT-7F3K-92QX]")


def test_s17_the_neutral_form_is_the_same_for_every_sender() -> None:
    one = LETTERS.compose(_hostile("FREE BTC", verified=False), HEAD)
    other = LETTERS.compose(_hostile("something else", verified=False), HEAD)
    assert one.message == other.message


INJECTIONS = [
    "x\r\nBcc: e@evil.example",
    "x\nBcc: e@evil.example",
    "x\rBcc: e@evil.example",
    "x\x0bBcc: e@evil.example",
    "x\x0cBcc: e@evil.example",
    "x\x1eBcc: e@evil.example",
    "x\x85Bcc: e@evil.example",
    "x\u2028Bcc: e@evil.example",
    "x\r\n\r\n<script>alert(1)</script>",
    "=?utf-8?q?x=0D=0ABcc:_e@evil.example?=",
    "=?utf-8?b?eA0KQmNjOiBlQGV2aWwuZXhhbXBsZQ==?=",
    "a\0b",
    "\ud800 lone",
    "\u202egpj.exe",
    "x" * 100_000,
    "很" * 100_000,
    "Re: " * 20_000,
    " ",
    "a" * 77 + "=?utf-8?q?" + "b" * 200,
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_s23_a_decoded_subject_or_name_adds_no_header(text) -> None:
    for kind in KINDS:
        composed = LETTERS.compose(_hostile(text, verified=True, kind=kind), HEAD)
        names = [n for n in header_names(composed.message) if n not in ("In-Reply-To", "References")]
        assert names == [n for n in (HUMAN if kind == "staff-reply" else AUTOMATIC) if n in names]
        assert composed.warnings == ()
        assert is_sound(composed.message)
        assert read(composed.message)["Subject"] == composed.subject


@settings(deadline=None)
@given(st.text(max_size=300))
def test_s23_no_text_at_all_adds_a_header(text: str) -> None:
    composed = LETTERS.compose(_hostile(text, verified=True), HEAD)
    assert set(header_names(composed.message)) <= set(AUTOMATIC)
    assert is_sound(composed.message)
    assert "MT-7F3K-92QX" in composed.subject
    assert body(composed.message, "plain") == composed.text


def test_s24_a_long_display_name_never_becomes_a_recipient() -> None:
    name = "a " * 60 + ", evil@evil.example"
    composed = LETTERS.compose(replace(_hostile(name, verified=True), to="b@x.example"), HEAD)
    assert b"\r\nTo: b@x.example\r\n" in composed.message
    assert [a.addr_spec for a in read(composed.message)["To"].addresses] == ["b@x.example"]


SMUGGLED = ["\n.\nMAIL FROM:<x>\n", "\r\n.\r\nMAIL FROM:<x>\r\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\n.\r", "\nFrom me\n"]


@pytest.mark.parametrize("text", SMUGGLED)
def test_s25_no_text_ends_the_data_or_leaves_a_bare_line_break(text) -> None:
    letter = replace(_hostile(text, verified=True, kind="staff-reply"), staff_text=f"Before{text}after")
    composed = LETTERS.compose(letter, HEAD)
    assert is_sound(composed.message)
    assert not re.search(rb"(?m)^(\.|From )", composed.message.partition(b"\r\n\r\n")[2])
    assert "after" in body(composed.message, "plain")


TEMPLATES = [
    "{{ 7*7 }}",
    "{{ ''.__class__ }}",
    "{% for x in range(9) %}x{% endfor %}",
    "%(x)s",
    "{0.__init__}",
    "$x",
    "{# gone #}",
]


@pytest.mark.parametrize("text", TEMPLATES)
def test_s42_a_template_in_a_mail_stays_text(text) -> None:
    composed = LETTERS.compose(_hostile(text, verified=True, kind="acknowledgement"), HEAD)
    assert f"TXID: {text}" in " ".join(composed.text.split())
    assert f"Hello {text}," in composed.text
    assert composed.subject == f"Re: {text} [MT-7F3K-92QX]"


@pytest.mark.parametrize("kind", ["acknowledgement", "staff-reply"])
def test_s42_html_in_a_mail_stays_text(kind) -> None:
    text = '<img src=x onerror="alert(1)"> & <b>bold</b>'
    letter = replace(_hostile(text, verified=True, kind=kind), staff_text=text)
    html = LETTERS.compose(letter, HEAD).html
    assert "<img" not in html
    assert "<b>" not in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Re: AW: Fwd: 回复：转发：help", "Re: help [MT-7F3K-92QX]"),
        ("Re: [MT-7F3K-92QX] help", "Re: help [MT-7F3K-92QX]"),
        ("help 【mt-7f3k-92qx】", "Re: help [MT-7F3K-92QX]"),
        ("", "We have received your request [MT-7F3K-92QX]"),
        ("Re:", "We have received your request [MT-7F3K-92QX]"),
        ("\u200b\u202e", "We have received your request [MT-7F3K-92QX]"),
        ("x" * 81, "Re: " + "x" * 79 + "… [MT-7F3K-92QX]"),
        ("a  b\tc", "Re: a b c [MT-7F3K-92QX]"),
    ],
)
def test_a_verified_subject_is_kept_clean_and_short(given, expected) -> None:
    letter = replace(sample("acknowledgement", "en"), subject=given)
    assert LETTERS.compose(letter, HEAD).subject == expected


def test_a_name_that_looks_like_an_address_or_a_link_is_not_greeted() -> None:
    for name in ("ann@example.org", "www.evil.example/x", "A" * 200):
        letter = replace(sample("acknowledgement", "en"), name=name)
        assert "\nHello,\n" in LETTERS.compose(letter, HEAD).text


@pytest.mark.parametrize("value", ["x\r\nBcc: e@evil.example", "x\nBcc: e@evil.example", "x" * 1_000])
def test_a_header_that_came_out_otherwise_than_intended_is_never_sent(monkeypatch, value) -> None:
    fields = [("From", "support@example.com"), ("Subject", value)]
    monkeypatch.setattr(mime, "header_fields", lambda *_: fields)
    with pytest.raises(mime.WireError):
        mime.message(sample("solved", "en"), HEAD, mime.Pages(value, "text\n", "<p>html</p>\n", "en"))


def test_a_letter_whose_bytes_fail_the_check_is_sent_in_the_neutral_form(monkeypatch) -> None:
    message = mime.message

    def checked(letter: Letter, head: Letterhead, pages: mime.Pages) -> bytes:
        if "USDT" in pages.subject:
            raise mime.WireError("the subject reads otherwise")
        return message(letter, head, pages)

    monkeypatch.setattr(mime, "message", checked)
    composed = LETTERS.compose(sample("acknowledgement", "en"), HEAD)
    assert composed.subject == "We have received your request [MT-7F3K-92QX]"
    assert composed.warnings == ("acknowledgement: the subject reads otherwise; the neutral form was used",)
