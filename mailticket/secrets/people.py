"""What of a text names a person who is to be forgotten, and the text without it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import copy

from mailticket.text.sieve import Sieve
from mailticket.text.words import loosely

MARK = "[removed]"
_LEAST_NAME = 2  # characters; one letter is nobody's name
_LEAST_WORDS, _LEAST_LINE = 4, 25  # of a line that is sought in the mails of others: a shorter one is anybody's
_MOST_LINES = 50_000
_BETWEEN = r"(?:[\s>|]|<[^<>]{0,200}>|&nbsp;|&#160;){1,20}"  # words of a line that was quoted, wrapped or marked up


def forms(key: str) -> tuple[str, ...]:
    """How an address in its compared form may stand in a text, ASCII-lowercased: an IDN domain (RFC 5891) also in its
    own script."""
    local, _, domain = key.rpartition("@")
    try:
        shown = domain.encode("ascii").decode("idna")
    except UnicodeError:
        shown = domain
    return tuple(dict.fromkeys((key, f"{local}@{shown}")))


def lines_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Of what a person wrote, the lines by which a quotation is known: long enough to be nobody else's."""
    lines: dict[str, None] = {}
    for text in texts:
        for line in text.splitlines():
            if len(line.split()) >= _LEAST_WORDS and len(line.strip()) >= _LEAST_LINE:
                lines[line.strip()] = None
    return tuple(lines)[:_MOST_LINES]


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
        patterns = [rf"(?<![\w.+-])(?:{'|'.join(addresses)})(?![\w-]|\.\w)"] if addresses else []
        words = [_BETWEEN.join(map(re.escape, name.split())) for name in names if len(name.strip()) >= _LEAST_NAME]
        if words:
            patterns.append(rf"(?<!\w)(?:{'|'.join(sorted(words, key=len, reverse=True))})(?!\w)")
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

    def of_value(self, value: object) -> object:
        """A value of JSON, its texts veiled; what a dictionary keeps under a name that is veiled goes with it."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list):
            return [self.of_value(one) for one in value]
        if isinstance(value, dict):
            return {name: self.of_value(one) for name, one in value.items() if self(name) == name}
        return value
