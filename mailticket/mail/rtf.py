"""Rich text as Outlook packs it, decompressed (MS-OXRTFCP) and read; HTML inside it is read as HTML (MS-OXRTFEX)."""

from __future__ import annotations

import html as entities
import re

from mailticket.mail import charsets, html
from mailticket.text.patterns import lazy_pattern

MAX_RTF = 4_000_000  # bytes that come out of the compression
MAX_TOKENS = 400_000

_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    + b"\r\n"
    + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_TOKEN = lazy_pattern(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\"
)
_UNSEEN = frozenset((
    b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"header", b"footer", b"listtable",
    b"listoverridetable", b"rsidtbl", b"generator", b"mhtmltag", b"fldinst", b"themedata", b"xmlnstbl",
))  # fmt: skip
_WRITTEN = {
    b"par": "\n", b"line": "\n", b"row": "\n", b"sect": "\n", b"page": "\n", b"tab": "\t", b"cell": "\t",
    b"emdash": "—", b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”",
    b"bullet": "•", b"~": " ", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n", b"\r": "\n",
}  # fmt: skip


def decompress(data: bytes) -> bytes:
    """The rich text in a compressed one, as much as can be read of it; b"" for what is none."""
    kind = data[8:12]
    if kind == b"MELA":
        return data[16:][:MAX_RTF]
    if kind != b"LZFu":
        return b""
    out = bytearray(_DICTIONARY)
    first, position = len(out), 16
    while position < len(data) and len(out) < MAX_RTF:
        control, position = data[position], position + 1
        for bit in range(8):
            if not control >> bit & 1:
                out += data[position : position + 1]
                position += 1
                continue
            if position + 1 >= len(data):
                return bytes(out[first:])
            reference, position = int.from_bytes(data[position : position + 2], "big"), position + 2
            # The dictionary is a ring of 4096 bytes, of which `out` holds the latest turn.
            distance = (len(out) - (reference >> 4)) % 4096
            if distance == 0:
                return bytes(out[first:])
            for _ in range((reference & 15) + 2):
                out.append(out[-distance] if distance <= len(out) else 0x20)
    return bytes(out[first:])


def to_text(rich: bytes) -> str:
    """The readable text of rich text; of HTML packed into it, that of the HTML. Linear and bounded."""
    if not rich.startswith(b"{\\rtf"):
        return ""
    reader = _Reader(is_html=b"\\fromhtml1" in rich[:1000])
    for number, token in enumerate(_TOKEN.finditer(rich[:MAX_RTF])):
        if number > MAX_TOKENS:
            break
        reader.take(token)
    text = reader.text()
    return html.to_text(html.without_pictures(text)) if reader.is_html else text.strip()


class _Reader:
    """What was read, and the state of each open group: unseen, within a tag of the HTML, replaced by the HTML."""

    def __init__(self, *, is_html: bool) -> None:
        self.is_html = is_html
        self.out: list[str] = []
        self.bytes = bytearray()  # of the code page, decoded together, for a character may have two
        self.charset = "cp1252"
        self.unseen, self.in_tag, self.replaced, self.fallback = False, False, False, 1
        self.outer: list[tuple[bool, bool, bool, int]] = []
        self.starred = False
        self.skip = 0  # characters that stand in for a Unicode one before them

    def take(self, token: re.Match[bytes]) -> None:
        word, number, hexadecimal, symbol, brace, text = token.groups()
        if hexadecimal:
            self._add(bytes.fromhex(hexadecimal.decode("ascii")))
        elif text:
            self._add(text)
        elif brace == b"{":
            self._flush()
            self.outer.append((self.unseen, self.in_tag, self.replaced, self.fallback))
        elif brace and self.outer:
            self._flush()
            self.unseen, self.in_tag, self.replaced, self.fallback = self.outer.pop()
        elif symbol == b"*":
            self.starred = True
        elif symbol or word:
            self._control(symbol or word, int(number) if number else None)

    def _control(self, word: bytes, number: int | None) -> None:
        starred, self.starred = self.starred, False
        if word == b"htmltag":
            self._flush()
            self.in_tag = True
        elif word in _UNSEEN or starred:
            self.unseen = True
        elif word == b"htmlrtf":
            self.replaced = number != 0
        elif word == b"ansicpg" and number:
            self.charset = "utf-8" if number == 65001 else f"cp{number}"
        elif word == b"uc" and number is not None:
            self.fallback = min(max(number, 0), 8)
        elif word == b"u" and number is not None:
            self._write(chr(number & 0xFFFF))
            self.skip = self.fallback
        elif word in _WRITTEN:
            self._write(_WRITTEN[word])

    def _add(self, data: bytes) -> None:
        taken = min(self.skip, len(data))
        self.skip -= taken
        if not (self.unseen or self.replaced):
            self.bytes += data[taken:]

    def _write(self, text: str) -> None:
        self.skip = 0
        if not (self.unseen or self.replaced):
            self._flush()
            self.out.append(text)

    def _flush(self) -> None:
        if not self.bytes:
            return
        text = charsets.decode(bytes(self.bytes), self.charset)
        self.bytes.clear()
        self.out.append(entities.escape(text, quote=False) if self.is_html and not self.in_tag else text)

    def text(self) -> str:
        self._flush()
        return charsets.scrub("".join(self.out))
