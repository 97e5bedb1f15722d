"""Parameters of Content-Type and Content-Disposition (RFC 2045, RFC 2231), in the broken forms too."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from mailticket.mail import charsets, headers
from mailticket.text.patterns import lazy_pattern

MAX_PARAMETERS = 200
MAX_FILENAME = 200  # characters

_SEPARATORS = lazy_pattern(rb"[\s;]*")
_NAME = lazy_pattern(rb"([A-Za-z0-9_.*\-]{1,60})\s{0,20}=\s{0,20}")
_AFTER_QUOTE = lazy_pattern(rb"\s*(?:;|$|\(|[A-Za-z0-9_*\-]{1,60}\s{0,20}=)")
_NEXT = lazy_pattern(rb";\s{0,200}[A-Za-z0-9_*\-]{1,60}\s{0,20}=")
_BARE_NEXT = lazy_pattern(rb"\s(?:charset|name|filename|boundary|format|type|size)[0-9*]{0,6}=", re.IGNORECASE)
_SECTION = lazy_pattern(r"^([^*]+)(?:\*(\d{1,4}))?(\*)?$")
_ESCAPED = lazy_pattern(rb'\\(["\\])')


def parse(raw: bytes) -> tuple[str, dict[str, str]]:
    """The lowercased value before the first ";" and the decoded parameters by lowercased name; the first one wins."""
    value = headers.unfold(raw)
    head, _, rest = value.partition(b";")
    broken = _BARE_NEXT.search(head)
    if broken:  # "text/plain charset=utf-8": the semicolon is missing
        rest = value[broken.start() :]
        head = head[: broken.start()]
    kind = charsets.decode(head).split("(", 1)[0]
    kind = "".join(kind.split()).strip("\"'").lower()
    return kind, _join(_pairs(rest)) if rest else {}


def _pairs(rest: bytes) -> list[tuple[str, bytes]]:
    pairs: list[tuple[str, bytes]] = []
    position = 0
    while position < len(rest) and len(pairs) < MAX_PARAMETERS:
        separators = _SEPARATORS.match(rest, position)
        position = separators.end() if separators else position
        match = _NAME.match(rest, position)
        if not match:
            following = rest.find(b";", position)
            if following < 0:
                break
            position = following
            continue
        position = match.end()
        if rest.startswith(b'"', position):
            value, position = _quoted(rest, position + 1)
        else:
            end = rest.find(b";", position)
            end = len(rest) if end < 0 else end
            bare = _BARE_NEXT.search(rest, position, end)
            end = bare.start() if bare else end
            value, position = rest[position:end].strip(), end
            if value.endswith(b")") and b" (" in value:
                value = value[: value.index(b" (")]
        pairs.append((match[1].decode("ascii").lower(), value))
    return pairs


def _quoted(rest: bytes, begin: int) -> tuple[bytes, int]:
    """A quoted value from after its quote. A quote inside, not followed by what may follow a value, belongs to it."""
    position = begin
    while True:
        end = rest.find(b'"', position)
        if end < 0:  # never closed: it ends where the next parameter begins
            following = _NEXT.search(rest, begin)
            end = following.start() if following else len(rest)
            return rest[begin:end].strip(), end
        if _is_escaped(rest, end, begin) or not _AFTER_QUOTE.match(rest, end + 1):
            position = end + 1
            continue
        return _ESCAPED.sub(rb"\1", rest[begin:end]), end + 1


def _is_escaped(rest: bytes, quote: int, begin: int) -> bool:
    backslashes = 0
    while quote - 1 - backslashes >= begin and backslashes < 16 and rest[quote - 1 - backslashes] == 0x5C:
        backslashes += 1
    return backslashes % 2 == 1 and rest.find(b'"', quote + 1) >= 0


def _join(pairs: list[tuple[str, bytes]]) -> dict[str, str]:
    """Plain parameters and RFC 2231 ones, whose sections are put together in the order of their numbers."""
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for name, value in pairs:
        match = _SECTION.match(name)
        if match is None:
            continue
        if match[2] is None and match[3] is None:
            plain.setdefault(match[1], headers.clean_line(headers.decode(value)))
        else:
            number = int(match[2] or 0)
            sections.setdefault(match[1], {}).setdefault(number, (value, match[3] is not None))
    extended = {name: headers.clean_line(_extended(parts)) for name, parts in sections.items()}
    return {**plain, **{name: value for name, value in extended.items() if value}}


def _extended(sections: dict[int, tuple[bytes, bool]]) -> str:
    ordered = [sections[number] for number in sorted(sections)]
    charset = ""
    first, first_encoded = ordered[0]
    if any(encoded for _, encoded in ordered):
        pieces = first.split(b"'", 2)
        if first_encoded and len(pieces) == 3:
            charset, first = pieces[0].decode("latin_1"), pieces[2]
        elif first_encoded and len(pieces) == 2 and charsets.codec_name(pieces[0].decode("latin_1")):
            charset, first = pieces[0].decode("latin_1"), pieces[1]
        value_bytes = unquote_to_bytes(first) if first_encoded else first
        value_bytes += b"".join(unquote_to_bytes(value) if encoded else value for value, encoded in ordered[1:])
        if b"=?" not in value_bytes:
            return charsets.decode(value_bytes, charset)
    else:
        value_bytes = b"".join(value for value, _ in ordered)
    return headers.decode(value_bytes)


def clean_filename(name: str) -> str:
    """A name for people and records: no path, no control, bidirectional or zero-width characters, bounded."""
    name = headers.clean_line(unicodedata.normalize("NFC", name))
    name = name.replace("\\", "/").rstrip("/").rpartition("/")[2].strip()
    if name in (".", ".."):
        return ""
    if len(name) > MAX_FILENAME:
        stem, dot, extension = name.rpartition(".")
        tail = dot + extension if stem and len(extension) <= 16 else ""
        name = name[: MAX_FILENAME - len(tail)] + tail
    return name
