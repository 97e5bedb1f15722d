"""S/MIME as one file (RFC 8551 section 3.5.2): what was signed is read out of it. Nothing is verified or decrypted.

A bounded walk over BER (X.690): mail programs write indefinite lengths and strings in pieces, which DER forbids.
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_PIECES = 100_000  # of one string in pieces; Outlook and OpenSSL write pieces of 1 to 16 KB
MAX_ELEMENTS = 10_000  # that are passed over inside one of indefinite length
MAX_DEPTH = 5

_SIGNED = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2, RFC 5652 section 5.1
_LOCKED = (
    bytes.fromhex("2a864886f70d010703"),  # EnvelopedData, RFC 5652 section 6.1
    bytes.fromhex("2a864886f70d010706"),  # EncryptedData, section 8
    bytes.fromhex("2a864886f70d0109100117"),  # AuthEnvelopedData, RFC 5083
)
_OBJECT_ID, _OCTETS, _SEQUENCE, _CONTENT = 0x06, 0x04, 0x30, 0xA0
_CONSTRUCTED = 0x20


class _Element:
    """One element at `position`: its tag, where its content lies, and where the next one begins (None: unknown)."""

    def __init__(self, data: bytes, position: int) -> None:
        self.tag = data[position]
        length = data[position + 1]
        self.begin = position + 2
        self.end: int | None
        if length == 0x80:
            self.end = None
        else:
            if length > 0x80:
                octets = length & 0x7F
                length = int.from_bytes(data[self.begin : self.begin + octets], "big") if octets <= 8 else len(data)
                self.begin += octets
            self.end = min(self.begin + length, len(data))  # one that was cut short gives what it has


def is_encrypted(data: bytes) -> bool:
    """Whether the file is encrypted S/MIME. False for whatever cannot be read."""
    try:
        return _content_type(data) in _LOCKED
    except (IndexError, ValueError):
        return False


def signed_content(data: bytes) -> bytes | None:
    """The MIME entity that was signed, or None where the file holds none (encrypted, certificates only, broken)."""
    try:
        if _content_type(data) != _SIGNED:
            return None
        outer = _Element(data, 0)
        wrapper = _Element(data, _end(data, outer.begin))
        signed = _Element(data, wrapper.begin)
        position = _end(data, signed.begin)  # past the version
        position = _end(data, position)  # past the digest algorithms
        encapsulated = _Element(data, position)
        position = _end(data, encapsulated.begin)  # past the type of the content
        content = _Element(data, position)
        if (encapsulated.tag, content.tag) != (_SEQUENCE, _CONTENT):
            return None
        return b"".join(_pieces(data, content.begin, MAX_DEPTH)) or None
    except (IndexError, ValueError):
        return None


def _content_type(data: bytes) -> bytes:
    outer = _Element(data, 0)
    kind = _Element(data, outer.begin)
    return data[kind.begin : kind.end] if outer.tag == _SEQUENCE and kind.tag == _OBJECT_ID and kind.end else b""


def _end(data: bytes, position: int) -> int:
    """Where the element at `position` ends; one of indefinite length by its end marks. ValueError beyond the limits."""
    open_ends = 0
    for _ in range(MAX_ELEMENTS):
        element = _Element(data, position)
        if element.end is None:
            open_ends += 1
            position = element.begin
        else:
            open_ends -= element.tag == 0 and element.end == element.begin
            position = element.end
        if open_ends <= 0:
            return position
    raise ValueError("too many elements")


def _pieces(data: bytes, position: int, depth: int) -> Iterator[bytes]:
    """The octet string at `position`: whole, or in pieces that may be in pieces themselves."""
    string = _Element(data, position)
    if string.tag == _OCTETS and string.end is not None:
        yield data[string.begin : string.end]
        return
    if string.tag != _OCTETS | _CONSTRUCTED or depth <= 0:
        return
    position, end = string.begin, len(data) if string.end is None else string.end
    for _ in range(MAX_PIECES):
        if position >= end:
            return
        piece = _Element(data, position)
        if piece.tag == 0:
            return
        yield from _pieces(data, position, depth - 1)
        position = _end(data, position) if piece.end is None else piece.end
