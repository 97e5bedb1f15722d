"""What the requests of a help desk speak of and name: the words that likeness goes by, the general ones and a trade's.

"It never showed up", "not credited" and "没到账" are one concept. Two texts are compared by concepts as well as by
words, so that a request told again in other words, or in the other language, is recognised. What holds for any trade
stands in `concepts` and `frequencies`; what a trade adds comes in as a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mailticket.likeness import concepts, frequencies
from mailticket.likeness.concepts import Wording
from mailticket.likeness.followup_phrases import NO_NOUNS, FollowupPhrases, TradeNouns, followup_phrases
from mailticket.settings import FieldKind
from mailticket.text.patterns import lazy_pattern
from mailticket.text.sieve import Sieve, matches
from mailticket.text.words import loosely

LONGEST_TEXT = 3_000


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept: how much sharing it says (1 is usual for a support mail, 3 is seldom met), and how it is worded.

    pattern: of a folded text; English wordings stand as whole words, Chinese ones anywhere.
    """

    name: str
    weight: float
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Detail:
    """A field whose values bear on likeness. word: what one of them is called in reasons.

    same, other: log-odds of equal and of different values, for the kinds that have no odds in `comparison`.
    """

    kind: FieldKind
    word: str
    same: float = 0.0
    other: float = 0.0


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What likeness goes by; make it with `lexicon`.

    deeds: concepts of what happened or is wanted, as against the thing it happened to. general: concepts that go with
    any matter. opposites: pairs of concepts that exclude each other. details: the fields that bear on likeness.
    weights: how much sharing a stem or pair of characters says. volatile: codes that serve many matters.
    phrases: how a request says that it follows another.
    """

    concepts: tuple[Concept, ...] = field(repr=False)
    sieve: Sieve = field(repr=False)
    deeds: frozenset[str] = field(repr=False)
    general: frozenset[str] = field(repr=False)
    opposites: tuple[tuple[str, str], ...]
    details: Mapping[str, Detail]
    weights: Mapping[str, float] = field(repr=False)
    volatile: re.Pattern[str] | None
    phrases: FollowupPhrases = field(repr=False)

    def concepts_in(self, text: str) -> dict[str, float]:
        """The concepts that a folded text names, with their weights, in the order of the lexicon.

        Only the first LONGEST_TEXT characters count: people name their matter before they paste a log.
        """
        text = text[:LONGEST_TEXT]
        candidates = ((self.concepts[n], places) for n, places in self.sieve.candidates(loosely(text)))
        return {c.name: c.weight for c, places in candidates if any(matches(c.pattern, text, places))}

    def weight(self, term: str) -> float:
        """How much sharing a stem or pair of characters says: the negative logarithm of the share of mails with it."""
        weight = self.weights.get(term)
        return frequencies.rare(term) if weight is None else weight

    def fields_of(self, kind: FieldKind) -> list[str]:
        return [name for name, detail in self.details.items() if detail.kind == kind]


def lexicon(
    wordings: Iterable[Wording] = (),
    *,
    deeds: Iterable[str] = (),
    opposites: tuple[tuple[str, str], ...] = (),
    details: Mapping[str, Detail] | None = None,
    common: Mapping[float, str] | None = None,
    volatile: str = "",
    nouns: TradeNouns = NO_NOUNS,
) -> Lexicon:
    """The general lexicon with what a trade adds to it.

    wordings: concepts; one of a name that is there already words the same concept in further ways. common: the share of
    mails in which words occur, as `frequencies` lists them. volatile: a pattern of codes that say nothing of a matter.
    nouns: what its requesters put into the phrases of any desk.
    """
    merged: dict[str, list[Wording]] = {}
    for wording in (*concepts.WORDINGS, *wordings):
        merged.setdefault(wording[0], []).append(wording)
    worded = tuple(_concept(name, parts) for name, parts in merged.items())
    return Lexicon(
        concepts=worded,
        sieve=Sieve(concept.pattern for concept in worded),
        deeds=concepts.DEEDS | frozenset(deeds),
        general=concepts.GENERAL,
        opposites=opposites,
        details=details or {},
        weights=frequencies.weights(common or {}),
        volatile=lazy_pattern(volatile) if volatile else None,
        phrases=followup_phrases(nouns),
    )


def _concept(name: str, parts: list[Wording]) -> Concept:
    english = "|".join(part[2] for part in parts if part[2])
    chinese = "|".join(part[3] for part in parts if part[3])
    whole_words = [f"(?<![a-z])(?:{english})(?![a-z])"] if english else []
    return Concept(name, parts[0][1], lazy_pattern("|".join([*whole_words, *filter(None, [chinese])])))
