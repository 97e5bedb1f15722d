"""Ticket keys, the public IDs that people type: prefix and 8 symbols, the last of which finds typing errors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from mailticket.text.patterns import lazy_pattern

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32: no I, L, O, U
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
_RANDOM_SYMBOLS = 7  # 35 bits: unguessable, and no counter that leaks how much mail we get
_LOOK_ALIKES = str.maketrans("OIL", "011")
_LONGEST_SUBJECT = 2_000
_NO_SYMBOL = lazy_pattern(r"[^0-9A-Z]")
# What stands between symbols once a mail program has folded, wrapped or prettified them: blanks, dashes of all kinds
# (U+2010 to U+2015, the minus sign, the soft hyphen), and what people type for a hyphen.
_GAP = r"[\s\-‐-―−\u00ad_.:#]{0,4}"


def _times_two(value: int) -> int:
    """Multiplication by x in GF(32) with the primitive polynomial x^5 + x^2 + 1."""
    doubled = value << 1
    return doubled ^ 0b100101 if doubled & 0b100000 else doubled


def _check_symbol(symbols: str) -> str:
    """The symbol that makes the sum of x^position * symbol vanish in GF(32).

    The weights are distinct and not zero, so every single wrong symbol and every exchange of two unequal neighbours
    changes the sum. The check symbol stands last with weight 1.
    """
    total = 0
    for symbol in symbols:  # Horner's rule from the left: each step multiplies what is left of the symbol by x
        total = _times_two(total ^ _VALUE[symbol])
    return ALPHABET[total]


def new_key(prefix: str, random_below: Callable[[int], int]) -> str:
    """A fresh ticket ID such as MT-7F3K-92QX; `random_below(n)` must be unpredictable (secrets.randbelow)."""
    symbols = "".join(ALPHABET[random_below(32)] for _ in range(_RANDOM_SYMBOLS))
    return _written(prefix, symbols + _check_symbol(symbols))


def compact(key: str) -> str:
    """The ID in lower case without hyphens, as it stands in addresses and Message-IDs: mt7f3k92qx."""
    return key.replace("-", "").lower()


def find_keys(text: str, prefixes: Sequence[str], longest: int = _LONGEST_SUBJECT) -> tuple[str, ...]:
    """All ticket IDs in a subject, in order, each once, in their written form; of a text so many characters are read.

    Read tolerantly: any case, full-width letters, any brackets or none, blanks or missing hyphens, O for 0, I or L
    for 1. A typing error fails the check symbol, and the ID is not found.
    """
    plain = unicodedata.normalize("NFKC", text[:longest]).upper()
    places = sorted(one for prefix in dict.fromkeys(prefixes) for one in _of_prefix(plain, prefix))
    return tuple(dict.fromkeys(key for _, key in places))


def _of_prefix(plain: str, prefix: str) -> Iterator[tuple[int, str]]:
    """Where the IDs with this prefix begin, and their written forms."""
    pattern = _pattern(prefix)
    match = pattern.search(plain)
    while match is not None:
        symbols = _NO_SYMBOL.sub("", match[1]).translate(_LOOK_ALIKES)
        good = all(symbol in _VALUE for symbol in symbols) and _check_symbol(symbols[:-1]) == symbols[-1]
        if good:
            yield match.start(), _written(prefix, symbols)
        # What only looked like an ID may hide the beginning of a real one ("MT 12 MT-7F3K-92QX").
        match = pattern.search(plain, match.end() if good else match.start() + 1)


@cache
def _pattern(prefix: str) -> re.Pattern[str]:
    classes = {"0": "[0O]", "O": "[0O]", "1": "[1IL]", "I": "[1IL]", "L": "[1IL]"}
    letters = r"\s?".join(classes.get(letter, letter) for letter in prefix)
    return re.compile(rf"(?<![0-9A-Z]){letters}{_GAP}((?:[0-9A-Z]{_GAP}){{7}}[0-9A-Z])(?![0-9A-Z])")


def _written(prefix: str, symbols: str) -> str:
    return f"{prefix}-{symbols[:4]}-{symbols[4:]}"


def from_compact(form: str) -> str:
    """The written form of a compact one: mt7f3k92qx -> MT-7F3K-92QX."""
    upper = form.upper()
    return _written(upper[:-8], upper[-8:])
