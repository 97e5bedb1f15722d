"""A raw mail made ready to be stored: its digest, and its bytes compressed where that pays."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass

_LEVEL = 1  # the higher ones take longer and save a hundredth more
_WORTH_IT = 0.95  # of the size: below it the compressed form is kept


@dataclass(frozen=True, slots=True)
class Packed:
    """A raw mail ready to be stored. packing: "zstd", "plain", or "zlib", which was used before.

    complete: False when only its beginning is here.
    """

    digest: str
    size: int
    packing: str
    data: bytes
    complete: bool


def pack(raw: bytes, *, complete: bool = True, digest: str = "") -> Packed:
    """Compress a mail where it pays. That is tried with all of them: base64 of a picture shrinks by a quarter."""
    import zstandard  # of which commands that read no mail have no need

    compressed = zstandard.compress(raw, _LEVEL)
    pays = len(compressed) < len(raw) * _WORTH_IT
    return Packed(
        digest=digest or hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        packing="zstd" if pays else "plain",
        data=compressed if pays else raw,
        complete=complete,
    )


def unpack(packing: str, data: bytes) -> bytes:
    """The raw mail again."""
    if packing == "plain":
        return bytes(data)
    if packing == "zlib":
        return zlib.decompress(data)
    import zstandard

    return zstandard.decompress(data)
