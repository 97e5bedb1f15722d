"""Texts as the terms of the search index, and what a person seeks as terms that must be there. Pure.

Words and numbers are terms as they stand. Scripts without blanks between words are cut into overlapping pairs of
characters, so that a Chinese word is found wherever it stands: with the last character of each run alone, every single
character begins a term. What dots, hyphens, underlines, plus and @ join (addresses, hosts, ticket IDs, dates) is also
there by neighbours: bob@example.org is "bob", "example", "org", "bob.example" and "example.org", and is so found whole,
by its local part and by its domain.

What is sought must be there whole; only of a single word the beginning is enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice, pairwise
from typing import NamedTuple

from mailticket.text.patterns import lazy_pattern
from mailticket.text.words import HAN, bigrams, folded, split_number

LONGEST_WORD = 100  # characters of a word that count: a transaction ID has up to 88
SHORTEST_PREFIX = 3  # a shorter word finds only itself
MOST_TERMS = 10_000  # of one message; more different words have only logs and floods
_MOST_CHARACTERS = 250_000  # of them all
_MOST_SOUGHT = 100

# Kana, Thai and Lao, Burmese, Khmer, and the rarer blocks of Chinese characters.
UNSPACED = f"{HAN}\u3005\u3007\u3040-\u30ff\uf900-\ufaff\U00020000-\U0003ffff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_FIRST_UNSPACED = "\u0e00"
_JOINTS = "-@._+"
_WORD = rf"[^\W_{UNSPACED}]+"
_TOKEN = lazy_pattern(rf"[{UNSPACED}]+|{_WORD}(?:[{_JOINTS}]{_WORD})*")
_UNSPACED_RUN = lazy_pattern(f"[{UNSPACED}]")
_JOINT = lazy_pattern(f"[{_JOINTS}]")


class Sought(NamedTuple):
    """A term that must be there; with is_prefix one that begins so."""

    term: str
    is_prefix: bool = False


def index_terms(texts: Iterable[str]) -> list[str]:
    """The different terms of texts in their order, at most MOST_TERMS: letters, digits and, inside, dots."""
    terms: dict[str, None] = {}
    left = _MOST_CHARACTERS
    tokens = dict.fromkeys(chain.from_iterable(map(_tokens, texts)))
    for term in chain.from_iterable(map(_terms_of, tokens)):
        if term in terms:
            continue
        left -= len(term)
        if left < 0 or len(terms) == MOST_TERMS:
            break
        terms[term] = None
    return list(terms)


def sought_terms(words: Iterable[str]) -> list[Sought]:
    """What must be in a ticket that has all these words; [] where there is no letter or digit in them.

    Of more than a hundred terms the first hundred count: a ticket that has them is the one that was meant.
    """
    every = (sought for text in words for token in _tokens(text) for sought in _sought_of(token))
    return list(islice(dict.fromkeys(every), _MOST_SOUGHT))


def _tokens(text: str) -> list[str]:
    """Runs of an unspaced script, and words with what is joined to them. An apostrophe parts nothing: "don't".

    Of what stands between blanks each is looked at once: no token reaches across them.
    """
    return _TOKEN.findall(folded(" ".join(dict.fromkeys(text.split()))).replace("'", ""))


def _is_unspaced(token: str) -> bool:
    return token >= _FIRST_UNSPACED and _UNSPACED_RUN.match(token) is not None


def _words_of(token: str) -> list[str]:
    return [word[:LONGEST_WORD] for word in _JOINT.split(token)]


def _neighbours(words: list[str]) -> list[str]:
    return [f"{one}.{other}" for one, other in pairwise(words)]


def _terms_of(token: str) -> tuple[str, ...]:
    if token.isalpha() and token.isascii():  # nearly all
        return (token[:LONGEST_WORD],)
    if _is_unspaced(token):
        return *bigrams(token), token[-1]
    words = _words_of(token)
    numbers = [part for word in words if word[0].isdigit() for part in split_number(word)]  # "500usdt" is "usdt" too
    return *words, *numbers, *_neighbours(words)


def _sought_of(token: str) -> list[Sought]:
    if _is_unspaced(token):
        return [Sought(term, is_prefix=len(term) == 1) for term in bigrams(token)]
    words = _words_of(token)
    if len(words) == 1:
        return [Sought(words[0], is_prefix=len(words[0]) >= SHORTEST_PREFIX)]
    return list(map(Sought, _neighbours(words)))
