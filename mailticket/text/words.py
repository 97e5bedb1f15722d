"""Text as words: folded to one form, cut into Latin words by their stems and runs of Chinese characters."""

from __future__ import annotations

import re
import unicodedata

from mailticket.text.hanzi import simplified

# Zero-width characters and soft hyphens: invisible, and put inside words by mail programs and by tricksters.
_INVISIBLE = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x180E, 0xFE0E, 0xFE0F])
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "＇": "'"})
HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_HAN_RUN = re.compile(f"[{HAN}]+")
_PIECE = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:'[^\W\d_{HAN}]+)?")


def folded(text: str) -> str:
    """The text as it is compared: NFKC, lower case, one kind of apostrophe, nothing invisible, simplified Chinese."""
    text = unicodedata.normalize("NFKC", text.translate(_INVISIBLE).translate(_APOSTROPHES))
    return simplified(text.casefold())


def pieces(text: str) -> list[str]:
    """Words, numbers and Chinese runs of a folded text, in order; "500usdt" is cut into number and word."""
    return [part for piece in _PIECE.findall(text) for part in _split_number(piece)]


_NUMBER_UNIT = re.compile(r"(\d+)([a-z]{2,6})")


def _split_number(piece: str) -> tuple[str, ...]:
    match = _NUMBER_UNIT.fullmatch(piece)
    return match.groups() if match else (piece,)


def is_han(piece: str) -> bool:
    return _HAN_RUN.match(piece) is not None


_ENDINGS = re.compile("(?:ations?|ings?|ions?|edly|ies|ied|als?|ers?|ed|es|ly|s)$")


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
