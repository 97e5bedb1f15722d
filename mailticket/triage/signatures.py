"""Our own marks with an HMAC in them: Message-IDs and reply addresses that prove which ticket a mail belongs to."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mailticket.text.patterns import lazy_pattern
from mailticket.triage import ticket_keys

Purpose = Literal["ack", "dup", "got", "late", "soon", "state", "done", "staff", "alert", "reply-to"]
_MAC_SYMBOLS = 16  # of base 32: 80 bits
_MESSAGE_ID = lazy_pattern(r"^<?([a-z0-9]{4,20})\.([0-9a-z]{1,10})\.([a-z-]{1,10})\.([a-z2-7]{16})@[^@<>\s]{1,255}>?$")
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_REPLY_TO = lazy_pattern(r"^[^@\s]{1,64}\+([a-z0-9]{4,20})\.([a-z2-7]{16})@")


@dataclass(frozen=True, slots=True)
class Signed:
    """What a good signature says: the ticket (see ticket_keys.compact), our serial number, and the purpose."""

    ticket: str
    serial: str
    purpose: str


def sign_message_id(key: bytes, ticket: str, serial: int, purpose: Purpose, domain: str) -> str:
    """A Message-ID (RFC 5322 section 3.6.4) whose left side ends in an HMAC over all that stands before it."""
    left = f"{ticket_keys.compact(ticket)}.{serial:x}.{purpose}"
    return f"<{left}.{mac(key, 'message-id', left)}@{domain}>"


def read_message_id(keys: Sequence[bytes], message_id: str) -> Signed | None:
    """What one of our Message-IDs says, or None for any other, altered or forged one. Case does not matter."""
    match = _MESSAGE_ID.match(message_id.strip().lower())
    if match is None or not good_mac(keys, "message-id", f"{match[1]}.{match[2]}.{match[3]}", match[4]):
        return None
    return Signed(match[1], match[2], match[3])


def looks_like_ours(message_id: str) -> bool:
    """Whether a Message-ID has the form of ours, whatever its signature is worth."""
    return _MESSAGE_ID.match(message_id.strip().lower()) is not None


def sign_reply_address(key: bytes, ticket: str, support_address: str) -> str:
    """An address that reaches the ticket whatever the subject says: support+mt7f3k92qx.<hmac>@example.com."""
    local, _, domain = support_address.rpartition("@")
    left = ticket_keys.compact(ticket)
    return f"{local}+{left}.{mac(key, 'reply-to', left)}@{domain}"


def read_reply_address(keys: Sequence[bytes], address: str) -> Signed | None:
    """What one of our signed reply addresses says, or None."""
    match = _REPLY_TO.match(address.strip().lower())
    if match is None or not good_mac(keys, "reply-to", match[1], match[2]):
        return None
    return Signed(match[1], "", "reply-to")


def looks_like_reply(address: str) -> bool:
    """Whether an address has the form of our reply addresses, whatever its signature is worth."""
    return _REPLY_TO.match(address.strip().lower()) is not None


def mac(key: bytes, use: str, left: str) -> str:
    """The HMAC of what stands left of it, as symbols; `use` keeps one kind of signature from serving as another."""
    digest = hmac.digest(key, f"{use}:{left}".encode(), "sha256")
    return base64.b32encode(digest).decode("ascii").lower()[:_MAC_SYMBOLS]


def good_mac(keys: Sequence[bytes], use: str, left: str, symbols: str) -> bool:
    """Whether one of the keys has signed this."""
    # Every key is tried, and each comparison takes constant time, so that timing tells nothing.
    return sum(hmac.compare_digest(mac(key, use, left), symbols) for key in keys) > 0


def check_word(key: bytes, ticket: str) -> str:
    """A pronounceable word that only we can derive: the same in every genuine mail of the ticket."""
    digest = hmac.digest(key, f"check-word:{ticket_keys.compact(ticket)}".encode(), "sha256")
    syllables = [
        _CONSONANTS[digest[i] % len(_CONSONANTS)] + _VOWELS[digest[i + 1] % len(_VOWELS)] for i in (0, 2, 4, 6)
    ]
    return "".join(syllables)
