"""Secrets that people mail in (seed phrases, keys, cards, passwords, codes): where they stand, and their masking.

A transaction ID looks like a private key and an order ID like a card or a code, and support needs both. So what has
an unmistakable shape (checksum, prefix) is a secret wherever it stands, and everything else only with wording.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailticket.secrets import cards, keys, passwords, second_factor, seeds
from mailticket.secrets.spans import Grade, Reading, Secret
from mailticket.text.sieve import Sieve

__all__ = ["Masked", "Secret", "find", "mask"]

_SIEVE = Sieve((*seeds.PATTERNS, *second_factor.PATTERNS, *keys.PATTERNS, *cards.PATTERNS, *passwords.PATTERNS))
LONGEST_TEXT = 1_000_000  # characters; what a mail's text holds behind that is not looked at


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without its secrets, and the kinds of those, each once; a kind that is sure somewhere is not doubtful."""

    text: str
    sure: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


def find(text: str, *, heading: bool = False) -> tuple[Secret, ...]:
    """The secrets in a text, in its order and without overlaps. Never raises; time grows linearly.

    heading: whether the text is a subject, in which a single word has no line to itself.
    """
    reading = Reading(text[:LONGEST_TEXT], _SIEVE)
    found = [
        *seeds.find(reading), *second_factor.find(reading), *keys.find(reading),
        *cards.find(reading), *passwords.find(reading, heading=heading),
    ]  # fmt: skip
    return _without_overlaps(found)


def mask(text: str, *, heading: bool = False, least: Grade = "doubtful") -> Masked:
    """The text with a mark such as "[redacted: seed phrase, 12 words]" for each secret, and the kinds.

    least: "sure" leaves doubtful secrets as they stand.
    """
    secrets = [secret for secret in find(text, heading=heading) if least == "doubtful" or secret.grade == "sure"]
    pieces: list[str] = []
    last = 0
    for secret in secrets:
        pieces += [text[last : secret.start], secret.mark]
        last = secret.end
    sure = tuple(dict.fromkeys(secret.kind for secret in secrets if secret.grade == "sure"))
    doubtful = tuple(dict.fromkeys(secret.kind for secret in secrets if secret.kind not in sure))
    return Masked("".join([*pieces, text[last:]]), sure, doubtful)


def _without_overlaps(found: Iterable[Secret]) -> tuple[Secret, ...]:
    """Of secrets that overlap the longest stays: it covers the others or most of them. It is as sure as any of them."""
    kept: list[Secret] = []
    for secret in sorted(found, key=lambda s: (s.start, -s.end, s.grade == "doubtful")):
        if not kept or secret.start >= kept[-1].end:
            kept.append(secret)
            continue
        last = kept[-1]
        longer = max(last, secret, key=lambda s: s.end - s.start)  # the first of two that are as long
        grade: Grade = "sure" if "sure" in (last.grade, secret.grade) else "doubtful"
        kept[-1] = Secret(longer.kind, last.start, max(last.end, secret.end), longer.detail, grade)
    return tuple(kept)
