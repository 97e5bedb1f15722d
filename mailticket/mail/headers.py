"""Header text: encoded words (RFC 2047) in every form that mail programs really send, made one clean line."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass

from mailticket.mail import charsets
from mailticket.mail.parts import Headers
from mailticket.text.patterns import lazy_pattern

MAX_TEXT = 4000  # characters of one decoded header that leave the reader
MAX_BARE_QUESTION_MARKS = 20  # in one Q word

_FOLD = lazy_pattern(rb"[\r\n]+[ \t]*")
_WORD_START = lazy_pattern(rb"=\?([^?\s=]{0,60})\?(?:[^?\s=]{3,60}\?(?=[bBqQ]\?))?([bBqQ])\?")
_NAMELESS_START = lazy_pattern(rb"=\?([bBqQ])\?")
_BASE64 = lazy_pattern(rb"[A-Za-z0-9+/=_\-\s]*")
_Q_HEX = lazy_pattern(rb"=([0-9A-Fa-f]{2})")
_Q_MORE = lazy_pattern(rb"[0-9A-Fa-f]{2}[^?]{0,120}\?=")
# Control characters, bidirectional controls, zero-width characters, tags: never part of a name, subject or file name.
_INVISIBLE = lazy_pattern(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SPACE_LIKE = lazy_pattern("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def text(headers: Headers, name: str) -> str:
    """The first field of this lowercased name as one clean line; "" without one."""
    raw = headers.raw(name)
    return clean_line(decode(raw)) if raw else ""


def clean_line(value: str) -> str:
    """One line for display: controls become spaces, bidirectional and zero-width characters go, ends are stripped."""
    if value.isascii() and value.isprintable():
        return value.strip()[:MAX_TEXT]
    value = _INVISIBLE.sub("", _SPACE_LIKE.sub(" ", charsets.scrub(value[: 2 * MAX_TEXT])))
    return unicodedata.normalize("NFC", value).strip()[:MAX_TEXT]


def unfold(raw: bytes) -> bytes:
    """The value without line breaks (RFC 5322 section 2.2.3); a fold becomes one space."""
    if b"\n" in raw or b"\r" in raw:
        raw = _FOLD.sub(b" ", raw)
    return raw.strip()


def decode(raw: bytes) -> str:
    """The text of a raw value: unfolded, encoded words decoded, raw 8-bit bytes in the charset they seem to be in."""
    value = unfold(raw)
    if b"=?" not in value:
        return charsets.decode(value)
    content = _decode_words(value)
    if content.startswith("=?") and content.endswith("?=") and content.isascii():  # encoded twice over
        content = _decode_words(content.encode("ascii"))
    return content


@dataclass(slots=True)
class Word:
    """One encoded word: `text` still encoded, `end` where it ends in the value."""

    charset: str
    base64: bool
    text: bytes
    end: int


def word_at(value: bytes, start: int) -> Word | None:
    """The encoded word that begins at `start`, or None. A missing "?=" ends it at the next word, or at a blank."""
    match = _WORD_START.match(value, start)
    if match:
        charset, encoding = match[1].decode("latin_1"), match[2]
    else:
        match = _NAMELESS_START.match(value, start)
        if not match:
            return None
        charset, encoding = "", match[1]
    begin = match.end()
    in_base64 = encoding in b"bB"
    stop = _BASE64.match(value, begin).end() if in_base64 else _q_end(value, begin)  # type: ignore[union-attr]
    word = value[begin:stop]
    if value.startswith(b"?=", stop):
        return Word(charset, in_base64, word, stop + 2)
    if in_base64 and word.endswith(b"="):
        following = word.find(b" ")
        stop = begin + following if following > 0 else stop
        if value.startswith(b"?", stop):  # "=" of the next "=?" was taken for padding
            stop -= 1
        return Word(charset, True, value[begin:stop], stop)
    if in_base64 and value.startswith(b"?", stop):
        return Word(charset, True, word, stop + 1)
    if in_base64 and stop < len(value) and (blank := value.find(b" ", begin, stop)) > 0:
        return Word(charset, True, value[begin:blank], blank)
    return Word(charset, in_base64, word, stop)


def _q_end(value: bytes, begin: int) -> int:
    """Where the text of a Q word ends: at its "?=", else before the next word, else at a blank, else at the end.

    A question mark that should have been encoded may stand before an encoded byte ("?=3F"), which is no end.
    """
    end = value.find(b"?=", begin, begin + 4000)
    for _ in range(MAX_BARE_QUESTION_MARKS):
        if end < 0 or not _Q_MORE.match(value, end + 2):
            break
        end = value.find(b"?=", end + 2)
    following = value.find(b"=?", begin, end if end >= 0 else begin + 4000)
    while following >= 0 and not _WORD_START.match(value, following):
        following = value.find(b"=?", following + 2, end if end >= 0 else begin + 4000)
    if following >= 0:
        return following
    if end >= 0:
        return end
    blank = value.find(b" ", begin)
    return blank if blank >= 0 else len(value)


def _decode_words(value: bytes) -> str:
    out: list[str] = []
    pending: list[Word] = []
    position = 0
    while True:
        start = value.find(b"=?", position)
        word = word_at(value, start) if start >= 0 else None
        while start >= 0 and word is None:
            start = value.find(b"=?", start + 2)
            word = word_at(value, start) if start >= 0 else None
        between = value[position : start if word else len(value)]
        if between.strip() or not word:
            out.append(_join(pending))
            pending = []
            out.append(charsets.decode(between) if word or between.strip() else "")
        elif not pending:
            out.append(between.decode("latin_1"))
        if not word:
            return "".join(out)
        pending.append(word)
        position = word.end


def _join(words: list[Word]) -> str:
    """The text of adjacent words. Words of one charset are joined as bytes, for a character may be split over two."""
    out: list[str] = []
    index = 0
    while index < len(words):
        group = [words[index]]
        while index + len(group) < len(words):
            following = words[index + len(group)]
            if following.charset.lower() != group[0].charset.lower():
                break
            group.append(following)
        out.append(_join_same(group))
        index += len(group)
    return "".join(out)


def _join_same(words: list[Word]) -> str:
    pieces: list[bytes] = []
    partial = b""  # base64 that was cut in the middle of a group of four
    for number, word in enumerate(words):
        if not word.base64:
            pieces.append(_q_bytes(word.text))
            continue
        partial += re.sub(rb"\s+", b"", word.text)
        following = words[number + 1] if number + 1 < len(words) else None
        if following is None or not following.base64 or partial.endswith(b"=") or len(partial) % 4 == 0:
            pieces.append(_b_bytes(partial))
            partial = b""
    charset = words[0].charset.partition("*")[0]
    return charsets.decode(b"".join(pieces), charset)


def _q_bytes(encoded: bytes) -> bytes:
    return _Q_HEX.sub(lambda m: bytes((int(m[1], 16),)), encoded.replace(b"_", b" "))


def _b_bytes(encoded: bytes) -> bytes:
    """Base64 with whatever padding it has; a broken tail is dropped, what is before it kept."""
    compact = encoded.translate(None, b"=").translate(_URL_SAFE)
    compact = compact[: len(compact) - 1] if len(compact) % 4 == 1 else compact
    try:
        return base64.b64decode(compact + b"=" * (-len(compact) % 4))
    except (binascii.Error, ValueError):
        return b""


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
