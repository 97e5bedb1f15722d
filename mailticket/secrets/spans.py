"""What a found secret is, and the reading aids that the rooms of the secrets share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mailticket.text.sieve import Sieve, matches
from mailticket.text.words import loosely

# Full-width letters, digits and signs and the ideographic space, one character for one, so that places stay the same.
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}

_WIDE = re.compile("[\uff01-\uff5e\u3000\u00a0]")


Grade = Literal["sure", "doubtful"]


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret at text[start:end].

    kind: "seed phrase", "private key", "API key", "card number", "password" or "2FA code". grade: a sure one is masked
    for good, and its writer is told; a doubtful one is plausible: it is only masked where the text is shown, and staff
    can look behind the mask.
    """

    kind: str
    start: int
    end: int
    detail: str = ""
    grade: Grade = "sure"

    @property
    def mark(self) -> str:
        words = f"{self.kind}, {self.detail}" if self.detail else self.kind
        return f"[redacted: {words}]" if self.grade == "sure" else f"[redacted: {words}?]"


_DOUBTFUL_MARK = re.compile(r"\[redacted: ([A-Za-z0-9 ]{1,20})(?:, [^\]\n?]{1,20})?\?\]")


def doubtful_kinds(masked: str) -> tuple[str, ...]:
    """The kinds of doubtful secrets that a masked text names in their place, each once."""
    return tuple(dict.fromkeys(_DOUBTFUL_MARK.findall(masked)))


def plain(text: str) -> str:
    """The text with full-width forms as ordinary ones; no place in it moves."""
    return text.translate(_HALF_WIDTH) if _WIDE.search(text) else text


class Reading:
    """A text in which secrets are sought, half-width, and where each pattern of a sieve may match it."""

    __slots__ = ("_places", "text")

    def __init__(self, text: str, patterns: Sequence[re.Pattern[str]], sieve: Sieve) -> None:
        self.text = plain(text)
        self._places = {patterns[number]: places for number, places in sieve.candidates(loosely(self.text))}

    def may_match(self, *patterns: re.Pattern[str]) -> bool:
        """Whether the text can match one of the patterns at all."""
        return not self._places.keys().isdisjoint(patterns)

    def matches(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """The matches of a pattern of the sieve, as `finditer` gives them."""
        return matches(pattern, self.text, self._places.get(pattern, []))


def last_end(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    """Where the last match of the pattern within text[start:end] ends, or -1."""
    place = -1
    for match in pattern.finditer(text, max(0, start), end):
        place = match.end()
    return place
