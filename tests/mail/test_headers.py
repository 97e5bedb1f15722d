"""Encoded words, parameters and file names, in the forms that mail programs really send."""

from __future__ import annotations

import base64

import pytest

from mailticket.mail import headers, parameters
from mailticket.mail.parts import Headers


def b64(text: str, charset: str = "utf-8") -> str:
    return base64.b64encode(text.encode(charset)).decode("ascii")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain words", "plain words"),
        (f"=?utf-8?B?{b64('你好')}?=", "你好"),
        (f"=?UTF-8?b?{b64('你好')}?= world", "你好 world"),
        (f"before =?utf-8?B?{b64('你好')}?= after", "before 你好 after"),
        ("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),  # white space between adjacent words goes: RFC 2047 section 6.2
        ("=?utf-8?Q?a?=\r\n\t=?utf-8?Q?b?=", "ab"),
        ("=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"),
        ("a =?UTF-8?Q?b?= c", "a b c"),
        ("=?utf-8?Q?a_b=5Fc?=", "a b_c"),
        ("=?utf-8?Q?=ZZ?=", "=ZZ"),
        ("=?utf-8?Q?Why?=3F?=", "Why??"),
        ("=?iso-8859-1?Q?J=FCrgen?=", "Jürgen"),
        ("=?gb2312?B?" + b64("镕基", "gbk") + "?=", "镕基"),
        ("=?iso-2022-jp?B?GyRCJF4kXyRgJGEkYhsoQg==?=", "まみむめも"),
        ("=?big5?B?" + b64("帳戶", "big5") + "?=", "帳戶"),
        ("=?x-unknown?B?" + b64("您好，充值", "gbk") + "?=", "您好，充值"),
        ("=?utf-8?B?" + b64("你好").rstrip("=") + "?=", "你好"),
        ("=?utf-8?B?5L2g =?utf-8?B?5aW9?=", "你好"),
        ("=?utf-8?B?5L2g=?utf-8?B?5aW9?=", "你好"),
        ("=?utf-8?B?5L2g\r\n 5aW9?=", "你好"),
        ('"=?utf-8?Q?quoted?="', '"quoted"'),
        ("=?utf-8?Q?" + "=?utf-8?Q?twice?=".replace("=", "=3D").replace("?", "=3F") + "?=", "twice"),
        ("=?bogus?X?text?=", "=?bogus?X?text?="),
        ("a =? b", "a =? b"),
        ("=?", "=?"),
    ],
)
def test_header_text_is_decoded(raw: str, text: str) -> None:
    assert headers.decode(raw.encode()) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\nBcc: x", "a Bcc: x"),
        ("a\x00b", "a b"),
        ("in\u202evoice", "invoice"),
        ("\u200bzero\u2060width\ufeff", "zerowidth"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("  ends  ", "ends"),
        ("e\u0301", "é"),
        ("x" * 10_000, "x" * headers.MAX_TEXT),
    ],
)
def test_a_line_for_display_is_clean(text: str, line: str) -> None:
    assert headers.clean_line(text) == line


def test_raw_bytes_of_an_undeclared_charset_are_read_beside_encoded_words() -> None:
    raw = "您好 ".encode("gbk") + b"=?utf-8?Q?J=C3=BCrgen?="
    assert headers.decode(raw) == "您好 Jürgen"


def test_a_missing_header_is_empty_text() -> None:
    assert headers.text(Headers([("to", b"x")]), "subject") == ""


@pytest.mark.parametrize(
    ("raw", "value", "params"),
    [
        ("text/plain", "text/plain", {}),
        ("Text/Plain; Charset=UTF-8", "text/plain", {"charset": "UTF-8"}),
        ('multipart/mixed; boundary="a b"', "multipart/mixed", {"boundary": "a b"}),
        ("text/plain charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ("text/plain; charset=us-ascii (a comment)", "text/plain", {"charset": "us-ascii"}),
        ("text/plain;;; charset = x ;; format=flowed", "text/plain", {"charset": "x", "format": "flowed"}),
        ("attachment; filename=my file.pdf", "attachment", {"filename": "my file.pdf"}),
        ("attachment; filename=a (1).pdf", "attachment", {"filename": "a (1).pdf"}),
        ('attachment; filename="a "b" c.pdf"; size=3', "attachment", {"filename": 'a "b" c.pdf', "size": "3"}),
        (r'attachment; filename="a\"b.pdf"', "attachment", {"filename": 'a"b.pdf'}),
        (r'attachment; filename="C:\temp\a.txt"', "attachment", {"filename": r"C:\temp\a.txt"}),
        ('attachment; filename="open.pdf; size=3', "attachment", {"filename": "open.pdf", "size": "3"}),
        ('a; name="a" filename="b"', "a", {"name": "a", "filename": "b"}),
        ("a; filename*=utf-8''%E4%BD%A0.txt; filename=x.txt", "a", {"filename": "你.txt"}),
        ("a; filename*0*=UTF-8''%E4%BD; filename*1*=%A0; filename*2=.txt", "a", {"filename": "你.txt"}),
        ("a; filename*1*=%A0.txt; filename*0*=UTF-8''%E4%BD", "a", {"filename": "你.txt"}),
        ("a; filename*1=b.txt; filename*2=c", "a", {"filename": "b.txtc"}),
        ("a; filename*=utf-8'x%20y", "a", {"filename": "x y"}),
        ("a; filename*=x%20y", "a", {"filename": "x y"}),
        ("a; filename*=\"utf-8''x%20y\"", "a", {"filename": "x y"}),
        ("a; filename*=no-such-charset''%E4%BD%A0", "a", {"filename": "你"}),
        ("a; filename*=utf-8''%ZZ", "a", {"filename": "%ZZ"}),
        ('a; filename*0="=?utf-8?B?5L2g"; filename*1="?=.txt"', "a", {"filename": "你.txt"}),
        ("a; x=1; x=2", "a", {"x": "1"}),
        ("; charset=utf-8", "", {"charset": "utf-8"}),
        ("", "", {}),
    ],
)
def test_parameters_are_read_in_every_form(raw: str, value: str, params: dict[str, str]) -> None:
    assert parameters.parse(raw.encode()) == (value, params)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("../../etc/cron.d/x", "x"),
        (r"C:\Users\ann\photo.png", "photo.png"),
        ("..", ""),
        ("a\x00b\r\n.txt", "a b .txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u200b.htaccess", ".htaccess"),
        ("x" * 300 + ".png", "x" * 196 + ".png"),
    ],
)
def test_a_file_name_is_harmless(name: str, cleaned: str) -> None:
    assert parameters.clean_filename(name) == cleaned
