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
from mailticket.likeness.followup_phrases import LEAST_TEXT
from mailticket.likeness.lexicon import Lexicon

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

    key: str
    similarity: float
    reason: str


def compare(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> Likeness:
    """How alike a new request and an earlier one of the same sender are; equal after normalising is exactly 1.0."""
    if new.exact and new.exact == earlier.exact:
        return Likeness(1.0, "the same text", ("the same text",))
    pieces = comparison.weigh(new, earlier, lexicon)
    odds = sum(piece.odds for piece in pieces)
    similarity = min(0.99, 1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))))
    worded = sorted((piece for piece in pieces if piece.text), key=lambda piece: -abs(piece.odds))
    evidence = tuple(f"{piece.text} ({piece.odds:+.1f})" for piece in worded)
    telling = [piece.text for piece in worded if piece.odds * (similarity - 0.5) > 0][:3]
    return Likeness(round(similarity, 3), "; ".join(telling) or "nothing in common", evidence)


def best(
    new: Fingerprint, earlier: Sequence[tuple[str, Fingerprint]], threshold: float, lexicon: Lexicon
) -> Match | None:
    """The open ticket that the new request repeats most likely, if its similarity reaches the threshold.

    A bare "any news?" that fits several tickets equally well matches none: it cannot be told which one is meant.
    """
    ranked = sorted(
        ((compare(new, other, lexicon), key) for key, other in earlier), key=lambda pair: -pair[0].similarity
    )
    fitting = [(likeness, key) for likeness, key in ranked if likeness.similarity >= threshold]
    if not fitting:
        return None
    likeness, key = fitting[0]
    if _is_bare(new, lexicon) and len(fitting) > 1 and likeness.similarity - fitting[1][0].similarity < 0.05:
        return None
    return Match(key, likeness.similarity, likeness.reason)


def _is_bare(new: Fingerprint, lexicon: Lexicon) -> bool:
    """It asks for news and names nothing by which one matter could be told from another."""
    named = new.identifiers or any(new.fields.get(name) for name in lexicon.fields_of("amount"))
    return new.chaser > 0 and new.length < LEAST_TEXT and not named
