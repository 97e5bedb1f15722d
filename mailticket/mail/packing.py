"""A raw mail made ready to be stored: its digest, and its bytes compressed where that pays."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass

# Of the size: below it the compressed form is kept. Text shrinks to a half or a third; base64 of a picture to three
# quarters, which is not worth a millisecond a mail.
_WORTH_IT = 0.7
_TOO_SMALL = 200  # bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """A raw mail ready to be stored. packing: "zlib" or "plain". complete: False when only its beginning is here."""

    digest: str
    size: int
    packing: str
    data: bytes
    complete: bool


def pack(raw: bytes, *, complete: bool = True, digest: str = "") -> Packed:
    """Compress a mail where it pays. A sample tells for long mails, whose attachments mostly do not shrink."""
    digest = digest or hashlib.sha256(raw).hexdigest()
    if len(raw) > _TOO_SMALL and _shrinks(raw):
        compressed = zlib.compress(raw, 1)
        if len(compressed) < len(raw) * _WORTH_IT:
            return Packed(digest, len(raw), "zlib", compressed, complete)
    return Packed(digest, len(raw), "plain", raw, complete)


def unpack(packing: str, data: bytes) -> bytes:
    """The raw mail again."""
    return zlib.decompress(data) if packing == "zlib" else bytes(data)


def _shrinks(raw: bytes) -> bool:
    middle = len(raw) // 2
    sample = raw[:2000] + raw[middle : middle + 2000] if len(raw) > 20_000 else raw
    return len(zlib.compress(sample, 1)) < len(sample) * _WORTH_IT
