"""What tells one mail from another: content identity, dates, Message-IDs, envelope addresses."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

from mailticket.mail import identity, read
from mailticket.mail.parts import Headers

CONTENT = (
    b"From: ann@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: hi\r\n there\r\nDate: x\r\n\r\nBody\r\nmore\r\n"
)


def same(one: bytes, other: bytes) -> bool:
    return read(one).identity == read(other).identity


@pytest.mark.parametrize(
    "trace",
    [
        b"Received: from a by b;\r\n\tMon, 2 Nov 2026 10:00:00 +0000\r\n",
        b"Return-Path: <x@example.net>\r\n",
        b"Delivered-To: support@example.com\r\n",
        b"X-Original-To: support@example.com\r\n",
        b"Envelope-To: support@example.com\r\n",
        b"Authentication-Results: mx; dmarc=pass\r\n",
        b"ARC-Seal: i=1; a=rsa\r\n",
        b"Received-SPF: pass\r\n",
        b"X-Spam-Status: No, score=1\r\n",
        b"From ann@example.org Mon Nov  2 10:00:00 2026\r\n",
        b"Resent-From: desk@example.com\r\nResent-Message-ID: <2@example.com>\r\n",
        b"X-MS-Exchange-CrossTenant-Id: 7\r\nX-OriginatorOrg: example.com\r\n",
        b"DKIM-Signature: v=1; d=example.org;\r\n\tb=QQ==\r\n",
        b"X-Sieve: CMU Sieve 2.4\r\n",
    ],
)
def test_what_transport_adds_is_no_content(trace: bytes) -> None:
    assert same(CONTENT, trace + CONTENT)


def test_what_stands_above_a_server_s_received_is_its_own() -> None:
    below = b"Received: from a by b; Mon, 2 Nov 2026 10:00:00 +0000\r\n" + CONTENT
    assert same(below, b"X-Harbour-Firewall: clean;\r\n\tpolicy 7\r\n" + below)
    assert not same(CONTENT, b"X-Harbour-Firewall: clean\r\n" + CONTENT)
    assert not same(below, b"Reply-To: eve@evil.example\r\n" + below)
    assert not same(below, below.replace(b"Subject: hi", b"X-Case: 7\r\nSubject: hi"))


def test_one_writing_is_known_by_writer_time_name_and_words() -> None:
    base = CONTENT.replace(b"Date: x", b"Date: Mon, 2 Nov 2026 10:00:00 +0000")
    essence = read(base).essence
    assert essence
    changes = [
        (b"Subject: hi", b"Subject: [EXT] hi"),
        (b"10:00:00 +0000", b"11:00:00 +0100"),
        (b"Body\r\nmore", b"Body more"),
    ]
    for old, new in changes:
        assert read(base.replace(old, new)).essence == essence
    for old, new in (
        (b"ann@", b"bob@"),
        (b"<1@", b"<2@"),
        (b"10:00:00", b"10:00:01"),
        (b"Body", b"Bodx"),
        (b"hi", b"ho"),
    ):
        assert read(base.replace(old, new)).essence != essence
    for missing in (b"From: ann@example.org\r\n", b"Message-ID: <1@example.org>\r\n"):
        assert read(base.replace(missing, b"")).origin == ""
    assert read(CONTENT).origin == ""


def test_line_ends_are_no_content() -> None:
    assert same(CONTENT, CONTENT.replace(b"\r\n", b"\n"))
    assert same(CONTENT, CONTENT + b"\r\n\r\n")
    assert same(CONTENT, CONTENT.rstrip())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Message-ID: <1@", b"Message-ID: <2@"),
        (b"Date: x", b"Date: y"),
        (b"Body", b"Bodx"),
        (b" there", b" where"),
        (b"Subject: hi", b"X-Other: hi"),
        (b"ann@", b"bob@"),
        (b"\r\n\r\nBody", b"\r\nReceived-Not: x\r\n\r\nBody"),
    ],
)
def test_whatever_the_writer_chose_is_content(old: bytes, new: bytes) -> None:
    assert not same(CONTENT, CONTENT.replace(old, new))


def test_the_identity_of_a_large_body_does_not_depend_on_where_it_is_cut() -> None:
    body = b"x" * 262_143 + b"\r\n" * 300_000
    assert same(CONTENT + body + b"end", CONTENT + body.replace(b"\r\n", b"\n") + b"end")


def test_header_lines_behind_the_limit_are_still_content() -> None:
    long = b"".join(b"X-%d: y\r\n" % i for i in range(40_000))
    assert not same(long + b"X-A: 1\r\n" + CONTENT, long + b"X-A: 2\r\n" + CONTENT)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 02 Nov 2026 10:00:00 +0100", datetime(2026, 11, 2, 9, tzinfo=UTC)),
        ("2 Nov 2026 10:00 GMT (a comment)", datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ("Mon, 02 Nov 2026 10:00:00 -0000", datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ("2026-11-02T10:00:00+08:00", datetime(2026, 11, 2, 2, tzinfo=UTC)),
        ("2026-11-02 10:00:00", datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("Mon, 99 Nov 2026 10:00:00 +0000", None),
        ("Fri, 31 Dec 9999 23:59:59 -9959", None),
        ("(" * 5000, None),
    ],
)
def test_dates_are_read_in_utc(text: str, moment: datetime | None) -> None:
    assert identity.parse_date(text) == moment


def test_the_topmost_received_says_when_a_mail_arrived() -> None:
    raw = b"Received: by a; Mon, 2 Nov 2026 10:00:00 +0000\nReceived: by b; Sun, 1 Nov 2026 10:00:00 +0000\n\nx"
    assert read(raw).received_at == datetime(2026, 11, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"<a@b>", "<a@b>"),
        (b"  <a@b> (comment)", "<a@b>"),
        (b"\r\n <a@b>", "<a@b>"),
        (b"< a@b >", "<a@b>"),
        (b"a@b", "<a@b>"),
        (b"", ""),
        (b"<<a@b>>", "<a@b>"),
        (b"<long-first-half.\r\n second-half@mx.example>", "<long-first-half.second-half@mx.example>"),
        (b'"<quoted@mx.example>"', "<quoted@mx.example>"),
        (b"'bare@mx.example'", "<bare@mx.example>"),
    ],
)
def test_message_ids_have_their_brackets(value: bytes, expected: str) -> None:
    assert identity.message_id(Headers([("message-id", value)])) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"<a@b> <c@d>\r\n\t<a@b>", ("<a@b>", "<c@d>")),
        (b"Message of Monday <a@b>", ("<a@b>",)),
        (b"a@b, c@d", ("<a@b>", "<c@d>")),
        (b"<a@b><c@d>", ("<a@b>", "<c@d>")),
        (b"nothing", ()),
        (b"<broken", ()),
        (b"<first-half-of\r\n -an-id@mx.example>", ("<first-half-of-an-id@mx.example>",)),
        (
            b"<one@mx.example>\r\n <two-\r\n\tand-more@mx.exa\r\n mple>",
            ("<one@mx.example>", "<two-and-more@mx.example>"),
        ),
        (b'"<one@mx.example>", "< two@mx.example >"', ("<one@mx.example>", "<two@mx.example>")),
        (b"=?us-ascii?q?=3Cone=2E?=\r\n =?us-ascii?q?two@mx.example=3E?=", ("<one.two@mx.example>",)),
        (b"<split@\r\n mx.example\r\n >", ("<split@mx.example>",)),
        (b"Your note of <Mon, 2 Nov 2026> <a@b>", ("<a@b>",)),
        (b"<no-closing@mx.example <other@mx.example>", ("<other@mx.example>",)),
    ],
)
def test_references_are_ids(value: bytes, expected: tuple[str, ...]) -> None:
    assert identity.message_ids(Headers([("references", value)]), "references") == expected


def test_of_many_references_the_first_and_the_last_are_kept() -> None:
    ids = [f"<{i}@x>" for i in range(300)]
    found = identity.message_ids(Headers([("references", " ".join(ids).encode())]), "references")
    assert found == (ids[0], *ids[-49:])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b"<>", ""), (b"< >", ""), (b"<a@b.example>", "a@b.example"), (b"a@b.example", "a@b.example")],
)
def test_the_return_path_loses_its_brackets(value: bytes, expected: str) -> None:
    assert read(b"Return-Path: " + value + b"\r\n\r\nx").return_path == expected


def test_without_a_return_path_there_is_none() -> None:
    assert read(b"From: a@b.example\r\n\r\nx").return_path is None


def test_delivered_to_tells_by_which_addresses_a_mail_came() -> None:
    raw = (
        b"Delivered-To: Support@Example.com\r\nX-Original-To: support@example.com\r\nEnvelope-To: b@c.example\r\n\r\nx"
    )
    assert read(raw).delivered_to == ("support@example.com", "b@c.example")


@pytest.mark.parametrize(
    "header",
    [
        b"Received: from a by b; Mon, 2 Nov 2026 10:00:00 +0100\r\nDate: Mon, 2 Nov 2026 08:00:00 +0000\r\n",
        b"Date: Mon, 2 Nov 2026 08:00:00 +0000\r\n",
        b"Received: from a by b; nonsense\r\nDate: 2026-11-02T08:00:00Z\r\n",
        b"X-Long: " + b"x" * 200_000 + b"\r\nDate: Mon, 2 Nov 2026 08:00:00 +0000\r\n",
        b"Subject: none\r\n",
    ],
)
def test_the_header_alone_says_when_a_mail_arrived(header: bytes) -> None:
    raw = header + b"\r\nDate: Tue, 3 Nov 2026 08:00:00 +0000\r\n" * 30_000
    mail = read(raw)
    assert identity.arrived_at(raw) == (mail.received_at or mail.date)


def test_a_text_without_white_space_is_what_is_left_of_its_words() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert identity.plain_text(every) == "".join(every.split())
    assert identity.plain_text(" a\r\n b\u3000\u4e2d ") == "ab\u4e2d"
