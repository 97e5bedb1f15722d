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


def jis(text: str) -> bytes:
    """The text in ISO-2022-JP as Windows writes it, made from code page 932 by the arithmetic of JIS."""
    out = bytearray(b"\x1b$B")
    for character in text:
        lead, trail = character.encode("cp932")
        row = 2 * (lead - (0x81 if lead < 0xA0 else 0xC1)) + 0x21
        if trail >= 0x9F:
            out += bytes((row + 1, trail - 0x7E))
        else:
            out += bytes((row, trail - (0x20 if trail > 0x7F else 0x1F)))
    return bytes(out) + b"\x1b(B"


def euc(text: str) -> bytes:
    return bytes(byte | 0x80 for byte in jis(text)[3:-3])


VENDOR = ["①②③の件、至急", "㈲サクラ商店の№５", "ⅡとⅣの㌔と㍑", "約２０㎡の㍼", "昭和㍽年∮∑∟⊿"]


@pytest.mark.parametrize("text", VENDOR)
@pytest.mark.parametrize("label", ["iso-2022-jp", "ISO-2022-JP-MS", "cp50221", "us-ascii", ""])
def test_characters_of_nec_are_read_in_iso_2022_jp(text: str, label: str) -> None:
    assert charsets.decode(jis(text) + b" 12 EUR", label) == f"{text} 12 EUR"


@pytest.mark.parametrize("text", VENDOR)
def test_characters_of_nec_are_read_in_euc_jp(text: str) -> None:
    assert charsets.decode(euc(text) + b" 12 EUR", "euc-jp") == f"{text} 12 EUR"


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        (b"\x1b$B|b9b\x1b(B", "iso-2022-jp", "髙高"),  # a kanji of IBM as NEC placed it, and the ordinary one
        (b"\xfc\xe2\xb9\xe2", "euc-jp", "髙高"),
        (b"\x8f\xf4\xfb\x8f\xf3\xf3", "eucjp", "髙ⅰ"),  # the same by eucJP-ms, and a Roman numeral
        (b"\x8e\xb1\x8e\xdd \xad\xa5", "euc-jp", "ｱﾝ ⑤"),
        (b"\x1b(I1]\x1b$B-%\x1b(B", "iso-2022-jp", "ｱﾝ⑤"),
        (b"\x1b$B-%\x1b(B \x0e1]\x0f ok", "iso-2022-jp", "⑤ ｱﾝ ok"),
        (b"\x1b$B-%\r\nnext line", "iso-2022-jp", "⑤\r\nnext line"),
        (b"\x1b$(D0!\x1b(B", "iso-2022-jp-1", "丂"),
        (b"\x1b$B-%\x1b(B\xb1\xdd", "iso-2022-jp", "⑤ｱﾝ"),
        (b"\x1b$B\xff!", "iso-2022-jp", "\ufffd\ufffd"),
    ],
)
def test_vendors_and_kana_in_every_shift(data: bytes, label: str, text: str) -> None:
    assert charsets.decode(data, label) == text


@pytest.mark.parametrize("text", ["お客様の①番の注文について、ご確認ください。", "㈱サクラ運輸の件でご連絡いたします"])
def test_euc_jp_with_characters_of_nec_is_guessed(text: str) -> None:
    assert charsets.decode(euc(text)) == text


@pytest.mark.parametrize("label", ["utf-16", "UTF-16LE", "utf-16be", "ucs-2", "utf-32"])
@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Où est mon dépôt de 20 € ?".encode(), "Où est mon dépôt de 20 € ?"),
        ("我的提现还没有到账".encode(), "我的提现还没有到账"),
        ("Où est mon dépôt, s'il vous plaît ?".encode("cp1252"), "Où est mon dépôt, s'il vous plaît ?"),
        ("Где мой перевод? Пожалуйста, проверьте.".encode("cp1251"), "Где мой перевод? Пожалуйста, проверьте."),
        ("Gdzie są moje środki? Proszę o pomoc.".encode(), "Gdzie są moje środki? Proszę o pomoc."),
        (b"no accents at all", "no accents at all"),
    ],
)
def test_a_label_of_utf_16_does_not_hold_over_bytes_that_were_never_widened(data: bytes, text: str, label: str) -> None:
    assert charsets.decode(data, label) == text


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", ["Where is it?", "我的提现还没有到账，请处理", "出金が届いていません", "Где деньги\r\n", "출금이 안 됩니다"]
)
def test_utf_16_is_read_where_it_is(text: str, codec: str) -> None:
    assert charsets.decode(text.encode(codec), codec) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Mein Auftrag über 5 € fehlt. ".encode() + b"Stra\xdfe 7", "Mein Auftrag über 5 € fehlt. Straße 7"),
        ("你好，我的订单没有到。".encode() + b" Andr\xe9 Roy", "你好，我的订单没有到。 André Roy"),
        ("Déjà payé, ".encode() + b"don\x92t ask", "Déjà payé, don’t ask"),
        ("充值成功".encode() + b"\xe4\xb8", "充值成功\ufffd"),
        ("Здравствуйте ".encode() + b"\xff " + "где перевод".encode(), "Здравствуйте \ufffd где перевод"),
        ("café ".encode() + b"\xc9cole", "café École"),
        (b"Andr\xe9 R\xf6y", "André Röy"),
        ("请尽快处理我的提现问题".encode("gbk"), "请尽快处理我的提现问题"),
    ],
)
def test_declared_utf_8_holds_unless_most_of_it_fails(data: bytes, text: str) -> None:
    assert charsets.decode(data, "utf-8") == text


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Jürgen schließt die Tür. Schöne Grüße aus der Straße", "latin-1"),
        ("Où êtes-vous? J'ai payé à Noël.", "cp1252"),
        ("Größe und Füße: Maße", "latin-1"),
        ("El niño comió piñones mañana", "latin-1"),
        ("Når kommer pengene på kontoen? Vær så snill", "latin-1"),
        ("Björn Åkesson väntar på återbetalning", "latin-1"),
        ("order 4711 退款 还没有到账 please help", "gbk"),
        ("我買了A股和B股，帳戶沒有到帳", "big5"),
        ("Order A71 未到账, K线 也不对", "gbk"),
    ],
)
def test_single_bytes_inside_latin_words_are_western_and_runs_are_chinese(text: str, codec: str) -> None:
    assert charsets.decode(text.encode(codec)) == text
