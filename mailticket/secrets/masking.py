"""Secrets that people mail in (seed phrases, keys, cards, passwords, codes): where they stand, and their masking.

A transaction ID looks like a private key and an order ID like a card or a code, and support needs both. So what has
an unmistakable shape (checksum, prefix) is a secret wherever it stands, and everything else only with wording.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailticket.secrets import cards, keys, passwords, seeds
from mailticket.secrets.spans import Secret, plain

__all__ = ["Secret", "find", "mask"]

LONGEST_TEXT = 1_000_000  # characters; what a mail's text holds behind that is not looked at


def find(text: str) -> tuple[Secret, ...]:
    """The secrets in a text, in its order and without overlaps. Never raises; time grows linearly."""
    sought = plain(text[:LONGEST_TEXT])
    found = [*seeds.find(sought), *keys.find(sought), *cards.find(sought), *passwords.find(sought)]
    return _without_overlaps(found)


def mask(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with a mark such as "[redacted: seed phrase, 12 words]" for each secret, and the kinds, each once."""
    secrets = find(text)
    pieces: list[str] = []
    last = 0
    for secret in secrets:
        pieces += [text[last : secret.start], secret.mark]
        last = secret.end
    return "".join([*pieces, text[last:]]), tuple(dict.fromkeys(secret.kind for secret in secrets))


def _without_overlaps(found: Iterable[Secret]) -> tuple[Secret, ...]:
    """Of secrets that overlap the longest stays: it covers the others or most of them."""
    kept: list[Secret] = []
    for secret in sorted(found, key=lambda s: (s.start, -s.end)):
        if not kept or secret.start >= kept[-1].end:
            kept.append(secret)
        elif secret.end > kept[-1].end:
            longer = max(kept[-1], secret, key=lambda s: s.end - s.start)
            kept[-1] = Secret(longer.kind, kept[-1].start, secret.end, longer.detail)
    return tuple(kept)
