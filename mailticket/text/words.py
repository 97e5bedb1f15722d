"""Text as words: folded to one form, cut into Latin words by their stems and runs of Chinese characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from mailticket.text.hanzi import FOLD
from mailticket.text.patterns import lazy_pattern

# Zero-width characters and soft hyphens are invisible, and put inside words by mail programs and by tricksters.
_ONE_FORM = dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\u180e\ufe0e\ufe0f", "") | dict.fromkeys("’‘`´＇", "'")
HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_PIECE = lazy_pattern(rf"[{HAN}]+|[^\W_{HAN}]+(?:'[^\W\d_{HAN}]+)?")


def folded(text: str) -> str:
    """The text as it is compared: NFKC, lower case, one kind of apostrophe, nothing invisible, simplified Chinese."""
    if text.isascii():
        return text.replace("`", "'").lower()
    return simplified(unicodedata.normalize("NFKC", replaced(text, _ONE_FORM)).casefold())


def simplified(text: str) -> str:
    """The text with traditional characters folded to simplified ones; everything else, and the length, unchanged."""
    return text if text.isascii() else replaced(text, FOLD)


def replaced(text: str, symbols: Mapping[str, str]) -> str:
    """The text with symbols replaced, one after the other, which is quicker than a look-up a character. Of many symbols
    those that stand in it are found first; that takes as long as it takes to try some hundred."""
    for symbol in symbols if len(symbols) <= _FEW_SYMBOLS else symbols.keys() & set(text):
        text = text.replace(symbol, symbols[symbol])
    return text


_FEW_SYMBOLS = 100


def loosely(text: str) -> str:
    """The text in which a literal is sought before a pattern is tried, with no place in it moved: whatever a pattern
    that ignores case would take for a letter stands here as that letter."""
    if text.isascii():
        return text.lower()
    text = text.replace("ı", "i").replace("ß", "s")
    loose = text.casefold()
    if len(loose) == len(text):
        return loose
    # A letter has become two, as "İ" does.
    longer = {symbol: fold[0] for symbol in set(text) if len(fold := symbol.casefold()) > 1}
    return replaced(text, longer).casefold()


def pieces(text: str) -> list[str]:
    """Words, numbers and Chinese runs of a folded text, in order; "500usdt" is cut into number and word."""
    found = _PIECE.findall(text)
    if not _NUMBER_AND_LETTERS.search(text):
        return found
    return [part for piece in found for part in split_number(piece)]


_NUMBER_AND_LETTERS = lazy_pattern(r"\d[a-z]{2}")
_NUMBER_UNIT = lazy_pattern(r"(\d+)([a-z]{2,6})")


def split_number(piece: str) -> tuple[str, ...]:
    match = _NUMBER_UNIT.fullmatch(piece)
    return match.groups() if match else (piece,)


def is_han(piece: str) -> bool:
    return "\u4e00" <= piece[:1] <= "\u9fff" or "\u3400" <= piece[:1] <= "\u4dbf"


_ENDINGS = lazy_pattern("(?:ations?|ings?|ions?|edly|ies|ied|als?|ers?|ed|es|ly|s)$")


@lru_cache(10_000)
def stem(word: str) -> str:
    """An English word without its commonest endings ("withdrawals", "withdrawing" are "withdraw"); short ones stay.

    A light stemmer: it only has to bring most forms of one word together, and at least four letters always remain.
    """
    word = word.partition("'")[0] if word.endswith("'s") else word.replace("'", "")
    ending = _ENDINGS.search(word)
    if ending and ending.start() >= 4 and not word.endswith(("ss", "us")):
        word = word[: ending.start()]
    if len(word) >= 5 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] if len(word) >= 5 and word[-1] in "ey" else word


def stems(text: str) -> str:
    """A folded text as a line of stems with a blank on both ends of each, so that ` log in ` can be sought in it."""
    return " " + " ".join(piece if is_han(piece) else stem(piece) for piece in pieces(text)) + " "


def bigrams(run: str) -> list[str]:
    """Neighbouring pairs of a Chinese run; a single character stands for itself."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]
