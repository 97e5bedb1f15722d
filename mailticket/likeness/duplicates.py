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

__all__ = ["Earlier", "Fingerprint", "Likeness", "Match", "best", "compare", "fingerprint"]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How likely it is that two requests are the same matter: 0 to 1, in a sentence, and what spoke for and against."""

    similarity: float
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Earlier:
    """An open ticket that a new request might repeat.

    hours: how long before the new request it came, None when unknown. first: the key of the ticket that it repeats
    itself, "" when it stands for itself.
    """

    key: str
    fingerprint: Fingerprint
    hours: float | None = None
    first: str = ""

    @property
    def matter(self) -> str:
        return self.first or self.key

    @property
    def soon(self) -> bool:
        return self.hours is not None and 0 <= self.hours <= comparison.SOON


@dataclass(frozen=True, slots=True)
class Match:
    """The earlier ticket that a new request repeats."""

    key: str
    similarity: float
    reason: str


def compare(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon, *, soon: bool = False) -> Likeness:
    """How alike a new request and an earlier one of the same sender are; equal after normalising is exactly 1.0.

    soon: the new one came within the hour of the earlier one, and of no other matter's.
    """
    if new.exact and new.exact == earlier.exact:
        return Likeness(1.0, "the same text", ("the same text",))
    pieces = comparison.weigh(new, earlier, lexicon, soon=soon)
    odds = sum(piece.odds for piece in pieces)
    similarity = min(0.99, 1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))))
    worded = sorted((piece for piece in pieces if piece.text), key=lambda piece: -abs(piece.odds))
    evidence = tuple(f"{piece.text} ({piece.odds:+.1f})" for piece in worded)
    telling = [piece.text for piece in worded if piece.odds * (similarity - 0.5) > 0][:3]
    return Likeness(round(similarity, 3), "; ".join(telling) or "nothing in common", evidence)


def best(new: Fingerprint, earlier: Sequence[Earlier], threshold: float, lexicon: Lexicon) -> Match | None:
    """The open ticket that the new request repeats most likely, if its similarity reaches the threshold.

    A bare "any news?" that fits several matters equally well matches none: it cannot be told which one is meant,
    unless one of them alone is not an hour old. A mail with hardly a word of its own belongs to the newest ticket of
    that hour, if all tickets of that hour are of one matter.
    """
    recent = [ticket for ticket in earlier if ticket.soon]
    alone = {ticket.matter for ticket in recent}
    newest = min(recent, key=lambda ticket: ticket.hours or 0.0) if len(alone) == 1 else None
    ranked = [(compare(new, t.fingerprint, lexicon, soon=t is newest), t) for t in earlier]
    fitting = [(likeness, ticket) for likeness, ticket in ranked if likeness.similarity >= threshold]
    if not fitting:
        return None
    likeness, ticket = max(fitting, key=lambda pair: pair[0].similarity)
    if _is_bare(new, lexicon):
        close = [pair for pair in fitting if likeness.similarity - pair[0].similarity < 0.05]
        if len({other.matter for _, other in close}) > 1:
            close = [pair for pair in close if newest is not None and pair[1].matter == newest.matter]
            if not close:
                return None
            likeness, ticket = close[0]
    return Match(ticket.key, likeness.similarity, likeness.reason)


def _is_bare(new: Fingerprint, lexicon: Lexicon) -> bool:
    """It asks for news and names nothing by which one matter could be told from another."""
    named = new.identifiers or any(new.fields.get(name) for name in lexicon.fields_of("amount"))
    return new.chaser > 0 and new.length < LEAST_TEXT and not named
