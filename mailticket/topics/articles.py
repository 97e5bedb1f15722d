"""Which help articles fit a request: few and right, or none. A wrong one costs trust, a missing one costs nothing.

An article fits when the request speaks of what its title speaks of, by the same concepts or rare words. What a request
speaks of that stands nowhere in the article counts against it. Articles of another language, or of a category that the
request surely does not belong to, are not considered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailticket.likeness.fingerprint import Fingerprint
from mailticket.likeness.lexicon import Lexicon
from mailticket.text.words import bigrams, folded, is_han, pieces, stem
from mailticket.topics.categories import Verdict

LONGEST_TEXT = 20_000  # characters of an article that are looked at

_LEAST_WEIGHT = 2.2  # of a word that counts: one that fewer than a ninth of all mails have
_WORD_SHARE = 0.22  # a word says less than a concept, and several words often stand for one concept
_DEED_FACTOR = 1.5  # what happened tells more than what it happened to
_FOREIGN_SHARE = 0.25  # how much what the request speaks of beside the article counts against it
_HOME_BONUS = 0.4
_LEAST_SCORE = 2.2
_LEAST_COVERAGE = 0.27
_NEAR_BEST = 0.7


@dataclass(frozen=True, slots=True)
class Article:
    """A help article.

    language: as letters call theirs ("en", "zh-Hans"). categories: names of those it belongs to, () for any.
    address: http or https. text: its Markdown, without the front matter.
    excerpt: the beginning of its first paragraph as plain text.
    """

    title: str
    language: str
    categories: tuple[str, ...]
    address: str
    text: str = ""
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class _Indexed:
    """An article with what its title speaks of (units and their weights), and all that it speaks of."""

    article: Article
    title: Mapping[str, float]
    whole: float  # weight of the whole title
    units: frozenset[str]


@dataclass(frozen=True, slots=True)
class Matcher:
    """All articles of a site, read once by the words of its trade; make it with `matcher`."""

    indexed: tuple[_Indexed, ...]
    lexicon: Lexicon

    def best(self, request: Fingerprint, verdict: Verdict, language: str, at_most: int) -> tuple[Article, ...]:
        """The articles that fit best, the best first; () when nothing fits. `language` is that of the letter."""
        spoken = _weighted(request.concepts, request.terms, self.lexicon)
        scored = []
        for entry in self._in_language(language):
            score = _score(entry, spoken, verdict)
            if score >= _LEAST_SCORE:
                scored.append((score, entry.article))
        scored.sort(key=lambda pair: (-pair[0], pair[1].address))
        return tuple(article for score, article in scored[:at_most] if score >= scored[0][0] * _NEAR_BEST)

    def _in_language(self, language: str) -> list[_Indexed]:
        """Articles in exactly this language, else in the same one in another script."""
        exact = [entry for entry in self.indexed if entry.article.language == language]
        base = language.partition("-")[0]
        return exact or [entry for entry in self.indexed if entry.article.language.partition("-")[0] == base]


def matcher(articles: Iterable[Article], lexicon: Lexicon) -> Matcher:
    """Read the articles once, for all requests to come."""
    return Matcher(tuple(_indexed(article, lexicon) for article in articles), lexicon)


def _indexed(article: Article, lexicon: Lexicon) -> _Indexed:
    title, text = (_units(part, lexicon) for part in (article.title, article.text[:LONGEST_TEXT]))
    return _Indexed(article, title, sum(title.values()), frozenset((*title, *text)))


def _units(text: str, lexicon: Lexicon) -> dict[str, float]:
    plain = folded(text)
    words = [unit for piece in pieces(plain) for unit in (bigrams(piece) if is_han(piece) else (stem(piece),))]
    weights = {word: lexicon.weight(word) for word in words if not word.isdecimal()}
    return _weighted(lexicon.concepts_in(plain), weights, lexicon)


def _weighted(concepts: Mapping[str, float], words: Mapping[str, float], lexicon: Lexicon) -> dict[str, float]:
    """What a text speaks of: its concepts (marked by a colon, which no word holds) and its telling words, weighed."""
    units = {f":{name}": weight * (_DEED_FACTOR if name in lexicon.deeds else 1.0) for name, weight in concepts.items()}
    units |= {word: weight * _WORD_SHARE for word, weight in words.items() if weight >= _LEAST_WEIGHT}
    return units


def _score(entry: _Indexed, spoken: Mapping[str, float], verdict: Verdict) -> float:
    """How well an article fits; 0 where it must not be named."""
    article = entry.article
    at_home = verdict.name in article.categories
    if article.categories and not at_home and verdict.sure:
        return 0.0
    named = sum(weight for unit, weight in entry.title.items() if unit in spoken)
    coverage = named / entry.whole if entry.whole else 0.0
    if coverage < _LEAST_COVERAGE:
        return 0.0
    foreign = sum(weight for unit, weight in spoken.items() if unit[0] == ":" and unit not in entry.units)
    return named * (0.5 + coverage) - _FOREIGN_SHARE * foreign + (_HOME_BONUS if at_home else 0.0)
