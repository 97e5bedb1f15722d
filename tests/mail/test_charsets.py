"""Character sets: declared, misdeclared, unknown and undeclared."""

from __future__ import annotations

import pytest

from mailticket.mail import charsets

SENTENCES = [
    ("您好，请问我的充值为什么还没有到账？", "gbk"),
    ("您好", "gbk"),
    ("请尽快处理，谢谢", "gb18030"),
    ("請問我的帳戶為什麼無法登入", "big5"),
    ("Здравствуйте, где мои деньги?", "koi8-r"),
    ("Здравствуйте, где мои деньги?", "cp1251"),
    ("こんにちは、ありがとうございます", "shift_jis"),
    ("こんにちは、ありがとうございます", "euc_jp"),
    ("こんにちは", "iso2022_jp"),
    ("안녕하세요, 감사합니다", "euc_kr"),
    ("Grüße aus Köln, schöne Straße", "latin-1"),
    ("It’s “fine” – really", "cp1252"),
    ("¿Qué pasó? Ça va, déjà vu", "latin-1"),
    ("Zażółć gęślą jaźń", "utf-8"),
]


@pytest.mark.parametrize(("text", "charset"), SENTENCES)
@pytest.mark.parametrize("declared", ["", "x-unknown", "DEFAULT", "unknown-8bit", "us-ascii"])
def test_text_is_read_without_a_usable_declaration(text: str, charset: str, declared: str) -> None:
    assert charsets.decode(text.encode(charset), declared) == text


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("gb2312", "gb18030"),
        ("GB2312_CHARSET", "gb18030"),
        ("x-gbk", "gb18030"),
        ("iso-8859-1", "cp1252"),
        ("ISO_8859-1", "cp1252"),
        ("shift_jis", "cp932"),
        ("big5", "big5hkscs"),
        ("ks_c_5601-1987", "cp949"),
        ("utf8", "utf_8"),
        ('"UTF-8"', "utf_8"),
        ("utf-8utf-8", "utf_8"),
        ("3Dutf-8", "utf_8"),
        ("utf-8; format=flowed", "utf_8"),
        ("iso-8859-8-i", "iso8859_8"),
        ("unicode-1-1-utf-7", "utf_7"),
        ("us-ascii", "ascii"),
        ("x-unknown", None),
        ("DEFAULT", None),
        ("", None),
        ("zip", None),
        ("rot13", None),
        ("idna", None),
        ("punycode", None),
        ("unicode_escape", None),
        ("raw_unicode_escape", None),
        ("undefined", None),
        ("mbcs", None),
        ("base64", None),
    ],
)
def test_only_names_of_the_list_become_codecs(declared: str, codec: str | None) -> None:
    assert charsets.codec_name(declared) == codec


def test_the_superset_of_a_declared_charset_is_used() -> None:
    assert charsets.decode("朱镕基".encode("gbk"), "gb2312") == "朱镕基"
    assert charsets.decode(b"\x80 \x93quoted\x94", "iso-8859-1") == "€ “quoted”"
    assert charsets.decode("①".encode("cp932"), "shift_jis") == "①"


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1252", "us-ascii", "gb2312", "big5"])
def test_utf8_under_another_name_is_still_utf8(declared: str) -> None:
    assert charsets.decode("请问我的充值在哪里".encode(), declared) == "请问我的充值在哪里"


def test_gbk_under_the_name_of_utf8_is_read() -> None:
    assert charsets.decode("您好，请问我的充值在哪里".encode("gbk"), "utf-8") == "您好，请问我的充值在哪里"


def test_one_broken_byte_does_not_cost_the_other_characters() -> None:
    assert charsets.decode("请问".encode() + b"\xff" + "充值".encode(), "utf-8") == "请问\ufffd充值"


@pytest.mark.parametrize(
    ("data", "declared", "text"),
    [
        (b"\xef\xbb\xbfabc", "", "abc"),
        ("abc你".encode("utf-16"), "", "abc你"),
        ("abc你".encode("utf-16-le"), "utf-16", "abc你"),
        ("abc你".encode("utf-16-be"), "utf-16be", "abc你"),
        (b"plain", "utf-16", "plain"),
        (b"Hi +Jjo-", "utf-7", "Hi ☺"),
        (b"Hi +Jjo-", "utf-8", "Hi +Jjo-"),
        (b"Hi +Jjo-", "", "Hi +Jjo-"),
        (b"~{Dc:C~}", "hz-gb-2312", "你好"),
        (b"~{Dc:C~}", "", "~{Dc:C~}"),
    ],
)
def test_marks_and_escapes_count_where_they_may(data: bytes, declared: str, text: str) -> None:
    assert charsets.decode(data, declared) == text


@pytest.mark.parametrize(("data", "declared"), [(b"a+2AA-b", "utf-7"), (b"\xd8\x00\x00a", "utf-16-be")])
def test_no_lone_surrogate_leaves(data: bytes, declared: str) -> None:
    text = charsets.decode(data, declared)
    assert "a" in text and not any("\ud800" <= character <= "\udfff" for character in text)
