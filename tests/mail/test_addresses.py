"""Addresses: strict for identity, lenient for display."""

from __future__ import annotations

import pytest

from mailticket.mail import addresses
from mailticket.mail.parts import Headers


def sender_of(value: str) -> tuple[str, str] | None:
    sender, _, _ = addresses.sender(Headers([("from", value.encode())]))
    return (sender.name, sender.address) if sender else None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ann@example.org", ("", "ann@example.org")),
        ("Ann <ann@example.org>", ("Ann", "ann@example.org")),
        ('"Example, Ann" <ann@example.org>', ("Example, Ann", "ann@example.org")),
        (r'"Ann \"A\" E" <ann@example.org>', ('Ann "A" E', "ann@example.org")),
        ("Ann (Sales) <ann@example.org>", ("Ann (Sales)", "ann@example.org")),
        ("ann@example.org (Ann E)", ("Ann E", "ann@example.org")),
        ("王小明 <wang@example.cn>", ("王小明", "wang@example.cn")),
        ("=?gbk?Q?=CD=F5?= <wang@example.cn>", ("王", "wang@example.cn")),
        ("=?utf-8?Q?Example,_Ann?= <ann@example.org>", ("Example, Ann", "ann@example.org")),
        ("ann@example.org <ann@example.org>", ("ann@example.org", "ann@example.org")),
        ("Ann<ann@example.org>", ("Ann", "ann@example.org")),
        ("ann @ example . org", ("", "ann@example.org")),
        ("Ann <@relay.example,@b.example:ann@example.org>", ("Ann", "ann@example.org")),
        ("<a..b.@docomo.ne.jp>", ("", "a..b.@docomo.ne.jp")),
        ('"ann smith"@example.org', ("", '"ann smith"@example.org')),
        ("ann+tag@example.org", ("", "ann+tag@example.org")),
        ("ann@localhost", ("", "ann@localhost")),
        ("ann@[192.0.2.1]", ("", "ann@[192.0.2.1]")),
        ("ann@bücher.example", ("", "ann@bücher.example")),
        ("电子邮件@例子.中国", ("", "电子邮件@例子.中国")),
        ("=?utf-8?q?a=40bank=2Ecom=2C?= <x@evil.example>", ("a@bank.com,", "x@evil.example")),
        ('"ann@example.org" <bob@example.net>', ("ann@example.org", "bob@example.net")),
        ('"x\u202eevil\u200b" <a@example.org>', ("xevil", "a@example.org")),
    ],
)
def test_one_usable_address_is_the_sender(value: str, expected: tuple[str, str]) -> None:
    assert sender_of(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "@",
        "<>",
        "Ann",
        "undisclosed:;",
        "Friends: ann@example.org;",
        "ann@example.org, bob@example.net",
        "ann@example.org<bob@example.net>",
        "ann@example.org)bob@example.net",
        "ann@example.org(<bob@example.net>)",
        "Ann <ann@example.org> trailing",
        "Ann <ann@example.org> <bob@example.net>",
        "Ann <ann@example.org",
        "<<ann@example.org>>",
        '"never closed <ann@example.org>',
        "(never closed ann@example.org",
        "Ann ann@example.org",
        "ann@example.org\x00",
        "ann@exa\x00mple.org",
        "ann@@example.org",
        "ann@b@example.org",
        "ann@-example.org",
        "ann@example..org",
        "...@example.org",
        "=?utf-8?q?ann=40example.org?=",
        "Team: Ann <ann@example.org>",
        "(" * 2000 + "ann@example.org",
    ],
)
def test_whatever_is_not_exactly_one_address_is_no_identity(value: str) -> None:
    assert sender_of(value) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["ann@example.org", "ann@example.org"], ("", "ann@example.org")),
        (["ann@Example.org", "Ann <ann@example.ORG>"], ("Ann", "ann@example.ORG")),
        (["Weber, Ann <ann@example.org>", '"Weber, Ann" <ann@example.org>'], ("Weber, Ann", "ann@example.org")),
        (["Ann <ann@example.org>"] * 3, ("Ann", "ann@example.org")),
        (["=?utf-8?q?Ann?= <ann@example.org>", "ann@example.org (Ann)"], ("Ann", "ann@example.org")),
        (["Ann <ann@example.org>, ann@example.org"], ("Ann", "ann@example.org")),
        (["ann@example.org", "bob@example.org"], None),
        (["ann@example.org", "Ann@example.org"], ("", "ann@example.org")),
        (["ann@example.org", "ann@example.org.evil.example"], None),
        (["ann@example.org", "Ann <ann@example.org"], None),
        (["ann@example.org", "Team: ann@example.org;"], None),
        (["ann@example.org", "ann@example.org, bob@example.net"], None),
        (["ann@example.org", ""], ("", "ann@example.org")),
    ],
)
def test_several_from_headers_are_one_identity_only_if_all_say_the_same(
    values: list[str], expected: tuple[str, str] | None
) -> None:
    sender, _, reason = addresses.sender(Headers([("from", value.encode()) for value in values]))
    assert (sender and (sender.name, sender.address)) == expected
    assert bool(reason) == (sender is None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Weber, Lena <lena@example.org>", ("Weber, Lena", "lena@example.org")),
        ("Weber; Lena <lena@example.org>", ("Weber; Lena", "lena@example.org")),
        ("Nakamura, Ken, Dr. <ken@example.jp>", ("Nakamura, Ken, Dr.", "ken@example.jp")),
        ("王, 小明 <ming@example.cn>", ("王, 小明", "ming@example.cn")),
        ("=?utf-8?q?M=C3=BCller?=, Jan <jan@example.de>", ("Müller, Jan", "jan@example.de")),
        ("Weber, Lena (Sales) <lena@example.org>", ("Weber, Lena (Sales)", "lena@example.org")),
        ('Weber, "Lena" <lena@example.org>', ("Weber, Lena", "lena@example.org")),
        ("Acme, Inc.; Support; EMEA<desk@example.org>", ("Acme, Inc.; Support; EMEA", "desk@example.org")),
        ("Roy, Anne\r\n <anne@example.org>,", ("Roy, Anne", "anne@example.org")),
        ("eve@evil.example, Lena <lena@example.org>", None),
        ("Weber, Lena <lena@example.org>, <eve@evil.example>", None),
        ("Weber, Lena lena@example.org", None),
        ("Weber, Lena <lena@example.org", None),
        ("Weber, Lena <lena@example.org<eve@evil.example>", None),
        ("Team: Weber, Lena <lena@example.org>;", None),
        ("(eve@evil.example), Lena <lena@example.org>", None),
        ('"eve@evil.example", Lena <lena@example.org>', None),
        ("Eve @ evil.example; Lena <lena@example.org>", None),
        ("Weber, Lena <lena@example.org> and others", None),
        ("Weber, Lena <lena@example.org>, (eve@evil.example)", None),
    ],
)
def test_commas_and_semicolons_in_a_name_are_no_other_mailboxes(value: str, expected: tuple[str, str] | None) -> None:
    assert sender_of(value) == expected


def test_from_is_shown_as_it_came() -> None:
    fields = [("from", b"=?utf-8?q?M=C3=BCller?=, Jan\r\n jan at example"), ("from", b"x@y.example\x1b[2J\xe2\x80\xae")]
    assert addresses.raw_from(Headers(fields)) == "Müller, Jan jan at example | x@y.example [2J"
    assert len(addresses.raw_from(Headers([("from", b"a" * 9000)] * 30))) == addresses.MAX_FROM
    assert addresses.raw_from(Headers([])) == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@example.org, Bob <b@example.org>; c@example.org", ["a@example.org", "b@example.org", "c@example.org"]),
        ("Friends: a@example.org, b@example.org;, c@example.org", ["a@example.org", "b@example.org", "c@example.org"]),
        ("A, B <b@example.org>", ["b@example.org"]),
        ("mailto:a@example.org", ["a@example.org"]),
        ('"unclosed <a@example.org>', ["a@example.org"]),
        (",,;,a@example.org,", ["a@example.org"]),
    ],
)
def test_lists_are_read_leniently(value: str, expected: list[str]) -> None:
    listed = addresses.listed(Headers([("to", value.encode())]), "to")
    assert [address.address for address in listed] == expected


def test_the_number_of_mailboxes_is_bounded() -> None:
    fields = [("to", b"a@b," * 4000)] * 3
    assert len(addresses.listed(Headers(fields), "to")) == addresses.MAX_MAILBOXES
