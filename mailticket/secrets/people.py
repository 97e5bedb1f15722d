"""What of a text names a person who is to be forgotten, and the text without it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import copy
from urllib.parse import quote

from mailticket.text.patterns import lazy_pattern
from mailticket.text.sieve import Sieve
from mailticket.text.terms import UNSPACED
from mailticket.text.words import loosely

MARK = "[removed]"
_LEAST_NAME = 2  # characters; one letter is nobody's name
_LEAST_WORDS, _LEAST_LINE = 4, 25  # of a line that is sought in the mails of others: a shorter one is anybody's
# Letters of scripts that put no blank between words: an address or a name stands between them as among blanks. Korean
# puts its particles right behind a name.
_UNSPACED = f"{UNSPACED}\uac00-\ud7af"
_UNSPACED_LETTER = lazy_pattern(f"[{_UNSPACED}]")
_LETTER = rf"[^\W{_UNSPACED}]"
_MOST_LINES = 50_000
_BETWEEN = r"(?:[\s>|]|<[^<>]{0,200}>|&nbsp;|&#160;){1,20}"  # words of a line that was quoted, wrapped or marked up


def forms(key: str) -> tuple[str, ...]:
    """How an address in its compared form may stand in a text, ASCII-lowercased: an IDN domain (RFC 5891) also in its
    own script, and in a link (RFC 3986, section 2.1)."""
    local, _, domain = key.rpartition("@")
    try:
        shown = domain.encode("ascii").decode("idna")
    except UnicodeError:
        shown = domain
    linked = quote(local, errors="replace").lower()
    return tuple(dict.fromkeys((key, f"{local}@{shown}", f"{linked}%40{domain}")))


def lines_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Of what a person wrote, the lines by which a quotation is known: long enough to be nobody else's."""
    lines: dict[str, None] = {}
    for text in texts:
        for line in text.splitlines():
            if _is_telling(line):
                lines[line.strip()] = None
    return tuple(lines)[:_MOST_LINES]


def _is_telling(line: str) -> bool:
    """Whether a line is long enough to be one writer's. Two letters of a script without blanks are about a word, and
    one tells as much as three others."""
    unspaced = len(_UNSPACED_LETTER.findall(line))
    words, length = len(line.split()) + unspaced // 2, len(line.strip()) + 2 * unspaced
    return words >= _LEAST_WORDS and length >= _LEAST_LINE


def _orders(name: str) -> list[str]:
    """A name as it is and, of two words, the other way round: "Ann Lee" is "Lee, Ann" in address books."""
    if len(name.strip()) < _LEAST_NAME:
        return []
    last, comma, first = (word.strip() for word in name.partition(","))
    if comma:
        return [name, f"{first} {last}"] if first and last and "," not in first else [name]
    words = name.split()
    return [name, f"{words[1]}, {words[0]}"] if len(words) == 2 else [name]


def _plain(line: str) -> str:
    return " ".join(line.split())


class Veil:
    """Takes addresses, whole names, Message-IDs and quoted lines of one person out of texts."""

    def __init__(
        self,
        keys: Iterable[str],
        names: Iterable[str] = (),
        message_ids: Iterable[str] = (),
        lines: Iterable[str] = (),
    ) -> None:
        addresses = [re.escape(form) for key in keys for form in forms(key)]
        # The end of a longer address, or the beginning of a longer domain, is another's.
        before, behind = rf"(?:(?<=%[0-9a-f]{{2}})|(?<![.+-])(?<!{_LETTER}))", rf"(?!{_LETTER}|-|\.{_LETTER})"
        patterns = [f"{before}(?:{'|'.join(addresses)}){behind}"] if addresses else []
        words = {_BETWEEN.join(map(re.escape, name.split())) for whole in names for name in _orders(whole)}
        if words:
            patterns.append(f"(?<!{_LETTER})(?:{'|'.join(sorted(words, key=len, reverse=True))})(?!{_LETTER})")
        if ids := [re.escape(one) for one in message_ids if one]:
            patterns.append("|".join(ids))
        self._patterns = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
        self._lines = tuple(lines)
        # Somebody's thousands of lines are one pattern too large to be tried on each text.
        self._sieve = Sieve(loosely(max(line.split(), key=len)) for line in self._lines)
        self._spared: frozenset[str] = frozenset()

    def sparing(self, texts: Iterable[str]) -> Veil:
        """The same, but for the lines that stand in these texts of others too."""
        other = copy(self)
        other._spared = frozenset(_plain(line) for text in texts for line in text.splitlines())
        return other

    def __call__(self, text: str) -> str:
        """The text with a mark in the place of whatever names the person."""
        text = self._without_lines(text)  # first, while the names and addresses in them stand
        for pattern in self._patterns:
            text = pattern.sub(MARK, text)
        return text

    def _without_lines(self, text: str) -> str:
        loose = loosely(text)
        quotations = []
        for number, _ in self._sieve.candidates(loose) if self._lines else ():
            line = self._lines[number]
            if _plain(line) not in self._spared and all(loosely(word) in loose for word in line.split()):
                quotations.append(_BETWEEN.join(map(re.escape, line.split())))
        return re.sub("|".join(quotations), MARK, text, flags=re.IGNORECASE) if quotations else text

    def of_list(self, text: str) -> str:
        """A list of addresses, divided by commas, without those of the person."""
        kept = [one.strip() for one in text.split(",") if one.strip()]
        return ", ".join(one for one in kept if self(one) == one)

    def of_file(self, name: str) -> str:
        """The name of a file; its extension is no part of an address that stands before it."""
        stem, dot, extension = name.rpartition(".")
        return f"{self(stem)}{dot}{extension}" if dot and self(name) == name else self(name)

    def of_value(self, value: object) -> object:
        """A value of JSON, its texts veiled; what a dictionary keeps under a name that is veiled goes with it."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list):
            return [self.of_value(one) for one in value]
        if isinstance(value, dict):
            return {name: self.of_value(one) for name, one in value.items() if self(name) == name}
        return value
