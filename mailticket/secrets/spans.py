"""What a found secret is, and the reading aids that the rooms of the secrets share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mailticket.text.patterns import lazy_pattern
from mailticket.text.sieve import Sieve, Sifted
from mailticket.text.words import replaced

# Full-width letters, digits and signs and the ideographic space, one character for one, so that places stay the same.
_HALF_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | dict.fromkeys("\u3000\u00a0", " ")
_SIGNS = {full: half for full, half in _HALF_WIDTH.items() if not half.isalnum()}  # which Chinese texts are full of
_FULL_WIDTH = lazy_pattern("[\uff01-\uff5e\u3000\u00a0]")
_FULL_WIDTH_WORD = lazy_pattern("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")


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


_DOUBTFUL_MARK = lazy_pattern(r"\[redacted: ([A-Za-z0-9 ]{1,20})(?:, [^\]\n?]{1,20})?\?\]")


def doubtful_kinds(masked: str) -> tuple[str, ...]:
    """The kinds of doubtful secrets that a masked text names in their place, each once."""
    return tuple(dict.fromkeys(_DOUBTFUL_MARK.findall(masked)))


def plain(text: str) -> str:
    """The text with full-width forms as ordinary ones; no place in it moves."""
    if text.isascii() or not _FULL_WIDTH.search(text):
        return text
    return replaced(text, _HALF_WIDTH if _FULL_WIDTH_WORD.search(text) else _SIGNS)


# ASCII, and the scripts that have no digits but those; of the others some have their own, which are digits as well.
_WITHOUT_DIGITS = "\x00-\u065f\u1c5a-\ua61f\uabfa-\uff0f\uff1a-\uffff\U0001f000-\U0001fbef\U00020000-\U0010ffff"
_FOREIGN = lazy_pattern(f"[^{_WITHOUT_DIGITS}]")
_OUTLINE = bytes(ord("0" if chr(c).isdigit() else "a" if chr(c).isalpha() else chr(c)) for c in range(128)).ljust(256)


class Reading(Sifted):
    """A text in which secrets are sought, half-width.

    outline: each character as one byte, digits as 0, Latin letters as a, what is not ASCII as ?, so that runs of digits
    are found by a plain search; None where digits of another script may stand in the text.
    """

    __slots__ = ("outline",)

    def __init__(self, text: str, sieve: Sieve) -> None:
        super().__init__(plain(text), sieve)
        self.outline: bytes | None = None
        if self.text.isascii() or not _FOREIGN.search(self.text):
            self.outline = self.text.encode("ascii", "replace").translate(_OUTLINE)

    def numbers(self, pattern: re.Pattern[str], outline: re.Pattern[bytes]) -> Iterator[re.Match[str]]:
        """What `pattern.finditer` gives. outline: matches in the outline wherever a match of the pattern begins, and
        begins with zeros itself, which is what makes it quick."""
        if self.outline is None:
            yield from pattern.finditer(self.text)
            return
        end = 0
        for begin in outline.finditer(self.outline):
            if begin.start() >= end and (match := pattern.match(self.text, begin.start())):
                yield match
                end = match.end()

    def runs(self, pattern: re.Pattern[str], least: int) -> Iterator[re.Match[str]]:
        """What `pattern.finditer` gives. pattern: of whole runs of at least so many ASCII letters and digits."""
        if self.outline is None:
            yield from pattern.finditer(self.text)
            return
        alike, run = self.outline.replace(b"0", b"a"), b"a" * least
        start = alike.find(run)
        while start >= 0:
            if match := pattern.match(self.text, start):
                yield match
            start = alike.find(run, start + least)

    def near(
        self, wording: re.Pattern[str], pattern: re.Pattern[str], before: int, behind: int,
        hint: re.Pattern[str] | None = None,
    ) -> Iterator[re.Match[str]]:  # fmt: skip
        """The matches of a slow pattern within so many characters before and behind the matches of a wording.

        hint: a quick pattern, by which each match of the slow one begins.
        """
        end = 0
        for match in self.matches(wording):
            start, limit = max(end, match.start() - before), match.end() + behind
            if hint and not hint.search(self.text, start, limit):
                continue
            for near in pattern.finditer(self.text, start, limit):
                end = near.end()
                yield near

    def last_end(self, pattern: re.Pattern[str], start: int, end: int) -> int:
        """Where the last match of a pattern of the sieve within text[start:end] ends, or -1."""
        last = -1
        for match in self.matches(pattern, max(0, start), end):
            last = match.end()
        return last
