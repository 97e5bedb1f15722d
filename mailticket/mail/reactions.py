"""Reactions: a part that says that a click on an emoji is all that its sender had to say."""

from __future__ import annotations

import json

from mailticket.mail.bodies import part_bytes
from mailticket.mail.parts import Part

_TYPE = "text/vnd.google.email-reaction+json"
_MOST_BYTES = 4_000


def reaction(root: Part, raw: bytes) -> str:
    """The emoji of Gmail's part for reactions ("?" where it names none); "" without such a part.

    Source: https://developers.google.com/workspace/gmail/reactions/format. Attached messages are not entered.
    """
    part = next((part for part in root.walk() if part.type == _TYPE and part.end - part.start <= _MOST_BYTES), None)
    if part is None:
        return ""
    try:
        emoji = json.loads(part_bytes(raw, part).decode("utf-8"))["emoji"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "?"
    return emoji[:20] if isinstance(emoji, str) and emoji.strip() else "?"
