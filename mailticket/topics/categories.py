"""What a request is about: one of a trade's categories, by the words that betray it, and how sure that is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from mailticket.settings import Category, Priority
from mailticket.text.patterns import lazy_pattern
from mailticket.text.sieve import Places, Sieve, matches
from mailticket.text.words import folded, is_han, loosely, pieces, simplified, stems
from mailticket.topics import fields
from mailticket.topics.exchange_trade import EXCHANGE
from mailticket.topics.trade import Trade, configured

OTHER = "other"
LONGEST_TEXT = 6_000  # characters of the text that are looked at
OPENING = 240  # characters in which most people name their matter

_WORD_WEIGHT = 1.0
_PHRASE_WEIGHT = 1.6  # two words or more, three Chinese characters or more: seldom meant otherwise
_PATTERN_WEIGHT = 3.0  # somebody took the trouble to write one
_SUBJECT_FACTOR = 1.5
_OPENING_FACTOR = 1.25
_LEAST_SCORE = 1.0
_SURE_SCORE = 2.0
_SURE_LEAD = 1.4


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request was judged to be about.

    name: a configured category or "other". sure: whether it is safe to ask for missing details on the strength of it.
    scores: category and score, best first, those without a hit left out. reason: the judgement in a sentence.
    """

    name: str
    sure: bool
    priority: Priority
    scores: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Clue:
    """One word or pattern: what it weighs for which category. `text` names it in reasons."""

    category: str
    text: str
    weight: float
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Classifier:
    """A trade's categories and their fields, compiled once; make it with `classifier`."""

    trade: Trade
    clues: tuple[_Clue, ...] = field(repr=False)
    sieve: Sieve = field(repr=False)
    rules: fields.Rules = field(repr=False)

    def classify(self, subject: str, text: str) -> Verdict:
        """The category of a request. `text` is the mail's new text. Never raises; time grows linearly."""
        places = (
            (_Folded(text[OPENING:LONGEST_TEXT]), 1.0),
            (_Folded(text[:OPENING]), _OPENING_FACTOR),
            (_Folded(subject[:400]), _SUBJECT_FACTOR),
        )
        hits: dict[int, tuple[float, str]] = {}
        for place, factor in places:
            for number, places_in_it in self.sieve.candidates(place.loose):
                if hit := place.find(self.clues[number], places_in_it):
                    hits[number] = factor, hit
        scores: dict[str, float] = {}
        named: dict[str, list[str]] = {}
        for number, (factor, hit) in sorted(hits.items()):
            clue = self.clues[number]
            scores[clue.category] = scores.get(clue.category, 0.0) + clue.weight * factor
            named.setdefault(clue.category, []).append(hit)
        return self._verdict(scores, named)

    @property
    def categories(self) -> tuple[Category, ...]:
        return self.trade.categories

    def extract(self, text: str) -> dict[str, tuple[str, ...]]:
        """The details that a text names, by the rules of all categories."""
        return self.rules.extract(text)

    def identifiers(self, text: str) -> dict[str, tuple[str, ...]]:
        """Only what identifies a matter or an account, of all the details that a text names."""
        return self.rules.extract(text, ("identifier", "account"))

    def category(self, name: str) -> Category | None:
        return next((category for category in self.categories if category.name == name), None)

    def _verdict(self, scores: dict[str, float], named: dict[str, list[str]]) -> Verdict:
        ranked = tuple((name, round(score, 2)) for name, score in sorted(scores.items(), key=lambda item: -item[1]))
        if not ranked or ranked[0][1] < _LEAST_SCORE:
            return Verdict(OTHER, False, self._priority(OTHER), ranked, "no word of a category is in it")
        name, best = ranked[0]
        second = ranked[1][1] if len(ranked) > 1 else 0.0
        sure = best >= _SURE_SCORE and best >= _SURE_LEAD * second
        reason = f"{name} by {', '.join(dict.fromkeys(repr(clue) for clue in named[name][:6]))}"
        if not sure:
            reason += f"; not sure, {ranked[1][0]} is close" if second * _SURE_LEAD > best else "; not sure, few words"
        return Verdict(name, sure, self._priority(name), ranked, reason)

    def _priority(self, name: str) -> Priority:
        category = self.category(name)
        return category.priority if category else "normal"


class _Folded:
    """A place where clues are sought: the folded text, and the same as a line of stems."""

    __slots__ = ("loose", "stems", "text")

    def __init__(self, text: str) -> None:
        self.text = folded(text)
        self.stems = stems(self.text)
        self.loose = loosely(f"{self.text}\n{self.stems}")

    def find(self, clue: _Clue, places: Places | None) -> str:
        """What of the clue stands here, for people to read; "" if nothing does."""
        if clue.pattern is not None:
            match = next(matches(clue.pattern, self.text, places), None)
            return " ".join(match.group().split())[:60] if match else ""
        return clue.text.strip() if clue.text in (self.stems if clue.text.startswith(" ") else self.text) else ""


def classifier(trade: Trade) -> Classifier:
    """A classifier of a trade's requests. A word that several categories claim counts for each the less."""
    categories = trade.categories
    words = [(category.name, _sought(word)) for category in categories for word in dict.fromkeys(category.words)]
    words = [(name, word) for name, word in dict.fromkeys(words) if word.strip()]
    claims = Counter(word for _, word in words)
    clues = [_Clue(name, word, _weight(word) / claims[word]) for name, word in words]
    clues += [
        _Clue(category.name, pattern, _PATTERN_WEIGHT, lazy_pattern(simplified(pattern), re.IGNORECASE))
        for category in categories
        for pattern in category.patterns
    ]
    sieve = Sieve(clue.pattern or clue.text for clue in clues)
    rules = fields.compile_rules((rule for category in categories for rule in category.fields), trade.forms)
    return Classifier(trade, tuple(clues), sieve, rules)


def classifier_of(categories: Sequence[Category]) -> Classifier:
    """The classifier of a configuration's categories; where it has none that of the built-in trade, which is made
    once."""
    return classifier(configured(categories)) if categories else _built_in()


@cache
def _built_in() -> Classifier:
    return classifier(EXCHANGE)


def _sought(word: str) -> str:
    """A configured word as it is sought: Chinese anywhere in the text, others as whole words by their stems."""
    word = folded(word).strip()
    return word if any(is_han(piece) for piece in pieces(word)) else stems(word)


def _weight(word: str) -> float:
    long = len(word) >= 3 if not word.startswith(" ") else word.count(" ") > 2
    return _PHRASE_WEIGHT if long else _WORD_WEIGHT
