"""Whether a new request repeats an open one of the same sender: fingerprints of requests, and how alike two are.

Words alone do not decide it: two deposits of one person are told with the same words. So each request is reduced to
what it says (words by their rarity, concepts), what it names (transactions, orders, amounts, coins, dates) and how it
stands to others ("any news?", "another one"). Equal details speak for a repeat and different ones against; the
evidence adds up as log-odds, and the similarity is their logistic, so that 0.5 is where the odds are even.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mailticket.likeness import comparison
from mailticket.likeness.fingerprint import Fingerprint, fingerprint

__all__ = ["Fingerprint", "Likeness", "Match", "best", "compare", "fingerprint"]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How likely it is that two requests are the same matter: 0 to 1, in a sentence, and what spoke for and against."""

    similarity: float
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """The earlier ticket that a new request repeats."""

    ticket_id: str
    similarity: float
    reason: str


def compare(new: Fingerprint, earlier: Fingerprint) -> Likeness:
    """How alike a new request and an earlier one of the same sender are; equal after normalising is exactly 1.0."""
    if new.exact and new.exact == earlier.exact:
        return Likeness(1.0, "the same text", ("the same text",))
    found = comparison.weigh(new, earlier)
    odds = sum(piece.odds for piece in found)
    similarity = min(0.99, 1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))))
    spoken = sorted((piece for piece in found if piece.text), key=lambda piece: -abs(piece.odds))
    pieces = tuple(f"{piece.text} ({piece.odds:+.1f})" for piece in spoken)
    telling = [piece.text for piece in spoken if piece.odds * (similarity - 0.5) > 0][:3]
    return Likeness(round(similarity, 3), "; ".join(telling) or "nothing in common", pieces)


def best(new: Fingerprint, earlier: Sequence[tuple[str, Fingerprint]], threshold: float) -> Match | None:
    """The open ticket that the new request repeats most likely, if its similarity reaches the threshold.

    A bare "any news?" that fits several tickets equally well matches none: it cannot be told which one is meant.
    """
    ranked = sorted(
        ((compare(new, other), ticket_id) for ticket_id, other in earlier), key=lambda pair: -pair[0].similarity
    )
    fitting = [(likeness, ticket_id) for likeness, ticket_id in ranked if likeness.similarity >= threshold]
    if not fitting:
        return None
    likeness, ticket_id = fitting[0]
    if new.bare_chaser and len(fitting) > 1 and likeness.similarity - fitting[1][0].similarity < 0.05:
        return None
    return Match(ticket_id, likeness.similarity, likeness.reason)
