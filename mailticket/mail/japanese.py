"""EUC-JP and ISO-2022-JP with the characters that Windows and phones write and the standards lack.

Python's codecs hold the standards. Mail programs write the repertoire of code page 932 under the same names (CP51932,
CP50221, eucJP-ms): row 13 of NEC, the kanji that IBM added, half-width kana in every shift.
"""

from __future__ import annotations

from functools import lru_cache

from mailticket.text.patterns import lazy_pattern

_EUC = lazy_pattern(rb"[\x00-\x7f]+|\x8f[\xa1-\xfe]{2}|\x8e[\xa1-\xdf]|[\xa1-\xfe]{2}|[\x80-\xff]")
_SHIFT = lazy_pattern(rb"(\x1b(?:\$\([@-D]|\$[@-B]|\([A-Z]|\.[A-F])|[\x0e\x0f])+")  # of several the last one counts
_PAIRS = {b"\x1b$@": "jis", b"\x1b$B": "jis", b"\x1b$(@": "jis", b"\x1b$(B": "jis", b"\x1b$(D": "jis0212"}
# 0x8FF3F3 to 0x8FF4FE of eucJP-ms: what IBM added beyond JIS X 0212.
_IBM_FIRST = 0xF3F3
_IBM = (
    "ⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ＇＂㈱№℡炻仼僴凬匇匤﨎咊坙﨏塚增寬峵嵓﨑德悅愠敎昻晥晴朗栁﨓﨔橫櫢淸淲瀨凞猪甁皂皞益礰礼神祥福竧靖精綠緖羽荢﨟"
    "薰蘒﨡蠇諸譿賴赶﨣﨤逸郞都鄕﨧﨨閒隆﨩霻靍靑飯飼館馞髙魲鶴黑"
)


def decode_euc(data: bytes) -> str:
    """EUC-JP with the vendors' characters; what is none becomes U+FFFD."""
    try:
        return data.decode("euc_jp")
    except UnicodeDecodeError:
        return "".join(_euc_character(token) for token in _EUC.findall(data))


@lru_cache(maxsize=4096)
def _euc_character(token: bytes) -> str:
    try:
        return token.decode("euc_jp")
    except UnicodeDecodeError:
        pass
    if len(token) == 2:
        return _of_cp932(token[0] & 0x7F, token[1] & 0x7F)
    number = (token[1] - 0xF3) * 94 + token[2] - 0xF3 if len(token) == 3 and token[1] >= 0xF3 else -1
    return _IBM[number] if 0 <= number < len(_IBM) else "\ufffd"


def _of_cp932(row: int, cell: int) -> str:
    """The character of code page 932 at a place of JIS X 0208 (both 0x21 to 0x7E), for the rows of NEC and IBM."""
    lead = ((row - 0x21) >> 1) + 0x81
    trail = (cell + 0x1F + (cell >= 0x60)) if row & 1 else cell + 0x7E
    return bytes((lead + (0x40 if lead > 0x9F else 0), trail)).decode("cp932", "replace")


def decode_iso2022(data: bytes) -> str:
    """ISO-2022-JP (RFC 1468, RFC 1554) with the vendors' characters; what is none becomes U+FFFD."""
    for codec in ("iso2022_jp_ext", "iso2022_jp_2"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    text: list[str] = []
    charset, position = b"\x1b(B", 0
    kana = False  # shifted out (SO), which some programs do for half-width kana
    for shift in (*_SHIFT.finditer(data), None):
        text.append(_run(data[position : shift.start() if shift else len(data)], charset, kana=kana))
        if shift is None:
            break
        position = shift.end()
        if shift[1] in b"\x0e\x0f":
            kana = shift[1] == b"\x0e"
        else:
            charset, kana = shift[1], False
    return "".join(text)


def _run(run: bytes, charset: bytes, *, kana: bool) -> str:
    """The characters between two shifts."""
    if not run:
        return ""
    if kana or charset == b"\x1b(I":
        return "".join(chr(0xFF40 + byte) if 0x21 <= byte <= 0x5F else chr(byte & 0x7F) for byte in run)
    if charset in _PAIRS:
        return _pairs(run, b"\x8f" if _PAIRS[charset] == "jis0212" else b"")
    if charset.startswith(b"\x1b$"):
        return (charset + run).decode("iso2022_jp_2", "replace")
    return run.decode("ascii") if run.isascii() else run.decode("cp932", "replace")


def _pairs(run: bytes, prefix: bytes) -> str:
    """Characters of two bytes each; a line end ends the shift that a program forgot to take back (RFC 1468)."""
    lines = run.split(b"\n")
    first = lines[0].rstrip(b"\r")
    text: list[str] = []
    position = 0
    while position < len(first):
        row, cell = first[position], first[position + 1] if position + 1 < len(first) else 0
        if 0x21 <= row & 0x7F <= 0x7E and 0x21 <= cell & 0x7F <= 0x7E:
            text.append(_euc_character(prefix + bytes((row | 0x80, cell | 0x80))))
            position += 2
        else:
            text.append(chr(row) if row <= 0x20 else "\ufffd")
            position += 1
    if len(lines) > 1:
        rest = b"\n".join((lines[0][len(first) :], *lines[1:]))
        text.append(rest.decode("ascii") if rest.isascii() else rest.decode("cp932", "replace"))
    return "".join(text)
