"""Pictures written into HTML as data: URLs (RFC 2397), which is what a pasted screenshot often becomes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote_to_bytes

from mailticket.mail import transfer
from mailticket.text.patterns import lazy_pattern

MAX_PICTURES = 50  # of one part
MAX_CANDIDATES = 2000  # data: URLs that are looked at
MAX_BYTES = 32_000_000  # of encoded pictures in one part
MAX_TAG = 2000  # bytes of a tag around its picture in which its name is looked for

_SCHEME = lazy_pattern(rb"data:(image/[a-z0-9.+-]{1,60})((?:;[a-z0-9=_.%\"-]{1,100}){0,5});base64,", re.IGNORECASE)
_ENCODED = lazy_pattern(rb"[A-Za-z0-9+/=_%\s-]*")
_TAG = lazy_pattern(rb"<(?:img|image|v:imagedata|input|source)\b[^>]*$", re.IGNORECASE)
_NAMES = lazy_pattern(
    rb"\b(?:data-file-?name|data-name|name|title|alt)\s{0,5}=\s{0,5}[\"']([^\"'<>]{1,200})", re.IGNORECASE
)
_NAMED = lazy_pattern(r"[^/\\]{1,150}\.(?:png|jpe?g|gif|webp|bmp|tiff?|svg|heic)", re.IGNORECASE)
_SIDE = lazy_pattern(rb"\b(?:width|height)\s{0,5}[=:]\s{0,5}[\"']?0{0,3}[012](?:px)?\s{0,5}[\"';\s/>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in HTML: the name that it is given ("" without one), its type, its bytes."""

    name: str
    type: str
    data: bytes


def extract(markup: bytes) -> list[Picture]:
    """The pictures of an HTML body in order; dots of one or two pixels, which watch the reader, are left out."""
    if b"ata:" not in markup and b"ATA:" not in markup:
        return []
    return list(_pictures(markup))


def _pictures(markup: bytes) -> Iterator[Picture]:
    number, room = 0, MAX_BYTES
    for scheme in islice(_SCHEME.finditer(markup), MAX_CANDIDATES):
        tag = markup.rfind(b"<", max(0, scheme.start() - MAX_TAG), scheme.start())
        before = _TAG.match(markup[tag : scheme.start()]) if tag >= 0 else None
        encoded = _ENCODED.match(markup, scheme.end(), scheme.end() + room) if before else None
        if before is None or encoded is None:
            continue
        around = before[0] + b" " + markup[encoded.end() : encoded.end() + MAX_TAG].partition(b">")[0] + b">"
        data = _decoded(encoded[0])
        if not data or _SIDE.search(around) or _is_dot(data):
            continue
        number, room = number + 1, room - len(encoded[0])
        yield Picture(_name(around + scheme[2]), scheme[1].decode("ascii").lower(), data)
        if number >= MAX_PICTURES or room <= 0:
            return


def _decoded(encoded: bytes) -> bytes:
    if b"%" in encoded:
        encoded = unquote_to_bytes(encoded)
    return transfer.decode_base64(encoded.translate(bytes.maketrans(b"-_", b"+/")))[0]


def _name(tag: bytes) -> str:
    """The first attribute that is the name of a picture file."""
    for value in _NAMES.findall(tag):
        text = html.unescape(value.decode("utf_8", "replace")).strip()
        if _NAMED.fullmatch(text):
            return text
    return ""


def _is_dot(data: bytes) -> bool:
    """Whether a GIF or PNG says that it is at most two pixels wide and high."""
    if data.startswith(b"GIF8") and len(data) >= 10:
        return max(int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")) <= 2
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and len(data) >= 24:
        return max(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) <= 2
    return False
