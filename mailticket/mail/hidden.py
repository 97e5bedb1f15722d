"""Characters that reverse or hide text where people read names: in From, in the subject, in the names of files."""

from __future__ import annotations

from itertools import islice
from urllib.parse import unquote_to_bytes

from mailticket.mail import headers
from mailticket.mail.parts import Headers, Part
from mailticket.text.patterns import lazy_pattern

# Embeddings, overrides and isolates of direction, and characters without width. The joiners U+200C and U+200D are
# left out, because Persian, Indic scripts and emoji need them, and so are the marks of direction U+200E and U+200F.
_DECEIVING = lazy_pattern("[\u061c\u200b\u202a-\u202e\u2060-\u2069\ufeff]")
_ENCODED = lazy_pattern(rb"[\x80-\xff]|=\?|%[0-9A-Fa-f]{2}")
_MOST_PARTS = 100
_LONGEST = 4000


def warnings(root: Part) -> list[str]:
    """What was removed from the names that people are shown, in words for people, each kind once."""
    sentences = [f"hidden characters in {place}" for place in ("from", "subject") if _has(root.headers, place)]
    parts = islice(root.walk(), _MOST_PARTS)
    if any(_has(part.headers, name) for part in parts for name in ("content-disposition", "content-type")):
        sentences.append("hidden characters in the name of a file")
    return sentences


def _has(part_headers: Headers, name: str) -> bool:
    raw = part_headers.raw(name)
    if raw is None or not _ENCODED.search(raw, 0, _LONGEST):
        return False
    text = headers.decode(raw[:_LONGEST])
    if _DECEIVING.search(text):
        return True
    # RFC 2231 writes other characters of parameters in percent signs.
    return "%" in text and _DECEIVING.search(unquote_to_bytes(text).decode("utf_8", "replace")) is not None
