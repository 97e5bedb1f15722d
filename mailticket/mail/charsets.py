"""Bytes to text in whatever character set they really are; no codec outside the list below is ever used."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

from mailticket.mail import japanese
from mailticket.mail.charset_guess import guess, looks_utf8
from mailticket.text.patterns import lazy_pattern

# Real-life supersets stand for what is declared (a "gb2312" mail is full of characters beyond GB 2312).
_CODECS = {
    "utf8": "utf_8 unicode11utf8 utf8n utf8mb4 utf",
    "utf_7": "utf7 unicode11utf7 xunicode11utf7",
    "utf_16": "utf16 ucs2 iso10646ucs2",
    "utf_16_le": "utf16le",
    "utf_16_be": "utf16be",
    "utf_32": "utf32 ucs4 iso10646ucs4",
    "utf_32_le": "utf32le",
    "utf_32_be": "utf32be",
    "cp1252": "usascii ascii iso88591 latin1 l1 cp1252 windows1252 ansix341968 iso646us isoir100 ibm819 cp819 ansi 7bit"
    " iso885911 westerniso88591 xansi win1252 us",
    "iso8859_2": "iso88592 latin2 l2",
    "iso8859_3": "iso88593 latin3",
    "iso8859_4": "iso88594 latin4",
    "iso8859_5": "iso88595 cyrillic",
    "iso8859_6": "iso88596 arabic iso88596i iso88596e",
    "iso8859_7": "iso88597 greek",
    "iso8859_8": "iso88598 iso88598i iso88598e hebrew visual logical",
    "cp1254": "iso88599 latin5 cp1254 windows1254",
    "iso8859_10": "iso885910 latin6",
    "cp874": "tis620 cp874 windows874 thai iso885911",
    "iso8859_13": "iso885913 latin7",
    "iso8859_14": "iso885914 latin8",
    "iso8859_15": "iso885915 latin9 latin0",
    "iso8859_16": "iso885916 latin10",
    "cp1250": "cp1250 windows1250 win1250",
    "cp1251": "cp1251 windows1251 win1251 win",
    "cp1253": "cp1253 windows1253",
    "cp1255": "cp1255 windows1255",
    "cp1256": "cp1256 windows1256",
    "cp1257": "cp1257 windows1257",
    "cp1258": "cp1258 windows1258",
    "koi8_r": "koi8r koi8 koi",
    "koi8_u": "koi8u koi8ru",
    "cp866": "cp866 ibm866 866",
    "cp437": "cp437 ibm437 437",
    "cp850": "cp850 ibm850 850",
    "cp852": "cp852 ibm852",
    "cp855": "cp855 ibm855",
    "cp857": "cp857 ibm857",
    "mac_roman": "macroman macintosh mac xmacroman applemacroman",
    "mac_cyrillic": "maccyrillic xmaccyrillic",
    "mac_latin2": "maccentraleurope xmacce macce maclatin2",
    "gb18030": "gb18030 gbk gb2312 gb231280 gb gbk2312 xgbk cp936 ms936 windows936 euccn xeuccn chinese csgb2312"
    " isoir58 gb18030200 gb180302000 gb180302005 csgb18030 cngb gb2312gbk",
    "hz": "hz hzgb hzgb2312",
    "big5hkscs": "big5 big5hkscs big5tw xbig5 xxbig5 cnbig5 cp950 ms950 windows950 csbig5 big5eten",
    "cp932": "shiftjis sjis xsjis mskanji windows31j cp932 ms932 csshiftjis shiftjis2004 xmsjp windows932",
    "euc_jp": "eucjp xeucjp xeuc ujis cseucpkdfmtjapanese",
    "iso2022_jp_ext": "iso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jpms csiso2022jp cp50220 cp50221 cp50222 jis"
    " iso2022jpesc iso2022jpext",
    "iso2022_kr": "iso2022kr csiso2022kr",
    "cp949": "euckr ksc5601 ksc56011987 ksc56011989 ksc5601 ksc cp949 uhc windows949 ms949 korean cseuckr ksx1001"
    " isoir149 ks",
    "johab": "johab cp1361 ksc56011992",
    "ptcp154": "ptcp154 cp154",
}
_BY_NAME = {name: codec for codec, names in _CODECS.items() for name in names.split()}
_BY_NAME["utf8"] = "utf_8"
# Labels that only say "some bytes": the content is asked instead.
_ASCII_NAMES = frozenset({"usascii", "ascii", "ansix341968", "iso646us", "7bit", "us"})
_BOMS = (
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF32_LE, "utf_32_le"),
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)
_WIDE = frozenset({"utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"})
_SEVEN_BIT = frozenset({"utf_7", "hz", "iso2022_jp_ext", "iso2022_kr"})
_TWO_BYTE = frozenset({"gb18030", "big5hkscs", "cp932", "euc_jp", "cp949", "johab"})
_MAX_NAME = 60
_SAMPLE = 20_000
# One high byte beside an ASCII letter is no UTF-8: somebody pasted a word of an older program.
_LONE = lazy_pattern(rb"(?<=[A-Za-z])[\x80-\xff](?=[\x00-\x7f])|(?<![\x80-\xff])[\x80-\xff](?=[A-Za-z])")
_ASCII_OF_TEXT = lazy_pattern(rb"[A-Za-z \r\n]+")
_ESC = b"\x1b"


@lru_cache(maxsize=256)
def codec_name(declared: str) -> str | None:
    """The codec that a declared charset stands for, or None where the name says nothing that we trust."""
    key = _key(declared)
    if key in _ASCII_NAMES:
        return "ascii"
    return _BY_NAME.get(key)


def _key(declared: str) -> str:
    name = re.split(r"[;,\s\"'*]", declared[:_MAX_NAME].strip().strip("\"'").lower(), maxsplit=1)[0]
    key = re.sub(r"[^a-z0-9]", "", name)
    if key in _BY_NAME:
        return key
    for prefix in ("3d", "charset", "cs", "x", "ibm"):
        if key.startswith(prefix) and key[len(prefix) :] in _BY_NAME:
            return key[len(prefix) :]
    if key.endswith("charset"):
        key = key.removesuffix("charset")
    half = len(key) // 2
    if half and key[:half] == key[half:]:
        key = key[:half]
    return key


def decode(data: bytes, declared: str = "") -> str:
    """Text of `data`, declared to be in `declared` (any string, "" unknown). Total; undecodable bytes become U+FFFD.

    The result may still hold control characters, but no lone surrogate.
    """
    if not declared and data.isascii() and _ESC not in data:
        return data.decode("ascii")
    codec = codec_name(declared)
    for bom, bom_codec in _BOMS:
        if data.startswith(bom) and (codec in (None, "ascii", bom_codec, "utf_16", "utf_32") or bom_codec == "utf_8"):
            return _replaced(data[len(bom) :], bom_codec)
    if codec in _WIDE:
        return _wide(data, codec)
    if codec in _SEVEN_BIT and (data.isascii() or _ESC in data or b"~{" in data):
        return _replaced(data, codec)
    if data.isascii():
        if _ESC in data and (b"\x1b$" in data or b"\x1b(" in data):
            return _replaced(data, "iso2022_kr" if b"\x1b$)C" in data else "iso2022_jp_ext")
        return data.decode("ascii")
    if codec is None or codec == "ascii" or codec in _SEVEN_BIT:
        return _replaced(data, guess(data))
    return _as_declared(data, codec)


def _as_declared(data: bytes, codec: str) -> str:
    """8-bit data under a declared charset, unless the data contradict it plainly."""
    if codec == "utf_8":
        text = data.decode("utf_8", "replace")
        return text if "\ufffd" not in text else _mended_utf8(data, text)
    if looks_utf8(data, declared_wide=codec in _TWO_BYTE):
        return data.decode("utf_8", "replace")
    try:
        return scrub(data.decode(codec))
    except (UnicodeError, ValueError):
        return _replaced(data, codec)


def _mended_utf8(data: bytes, text: str) -> str:
    """Declared UTF-8 that is partly none: that holds unless most of what is not ASCII fails.

    text: the data with U+FFFD for what failed. A single byte beside ASCII letters is read as Windows-1252.
    """
    sample = text[:_SAMPLE]
    wrong = sample.count("\ufffd")
    if wrong * 2 > sum(c > "\x7f" for c in sample):
        return _replaced(data, guess(data))
    if text.index("\ufffd") == len(text) - 1:  # a limit has cut through the last character
        return text
    return _LONE.sub(lambda m: m[0].decode("cp1252", "replace").encode("utf_8"), data).decode("utf_8", "replace")


def is_wide(declared: str) -> bool:
    """Whether a declared charset is one in which no ASCII letter is a single byte (UTF-16, UTF-32)."""
    return codec_name(declared) in _WIDE


def _wide(data: bytes, codec: str) -> str:
    """UTF-16 and UTF-32, unless the bytes show that the text was never widened."""
    if 0 not in data and (codec.startswith("utf_32") or _is_narrow(data)):
        return decode(data)
    if codec == "utf_16" and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        codec = "utf_16_be" if data[:200:2].count(0) > data[1:200:2].count(0) else "utf_16_le"
    return _replaced(data, codec)


def _is_narrow(data: bytes) -> bool:
    """Whether data without a zero byte are 8-bit text: valid UTF-8, mostly ASCII words, or nothing as UTF-16.

    UTF-16 without a zero byte is text of East Asia alone, of which a third of the bytes fall among ASCII letters.
    """
    sample = data[: _SAMPLE // 2 * 2]
    if data.isascii() or looks_utf8(data, declared_wide=True):
        return True
    if sum(map(len, _ASCII_OF_TEXT.findall(sample))) * 10 > len(sample) * 6:
        return True
    readings = [sample.decode(codec, "replace") for codec in ("utf_16_le", "utf_16_be")]
    return max(sum("\u3000" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in r) / len(r) for r in readings) < 0.8


def _replaced(data: bytes, codec: str) -> str:
    if codec == "euc_jp":
        return japanese.decode_euc(data)
    if codec == "iso2022_jp_ext":
        return japanese.decode_iso2022(data)
    try:
        return scrub(data.decode(codec, "replace"))
    except (UnicodeError, ValueError):  # some stateful codecs fail in spite of "replace"
        return data.decode("latin_1")


def scrub(text: str) -> str:
    """Text without lone surrogates (UTF-7 and UTF-16 can spell them), which no database and no encoder takes."""
    try:
        text.encode("utf_8")
    except UnicodeEncodeError:
        return text.encode("utf_16_le", "surrogatepass").decode("utf_16_le", "replace")
    return text
