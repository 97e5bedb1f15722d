"""The two lines of a desk mail that its answer is cut by: where an answer goes, and the marker that it stands above."""

from __future__ import annotations

import re

from mailticket.text.patterns import lazy_pattern

MAX_TEXT = 500_000  # characters that are searched; the reader hands out no more

OPENINGS = {
    "answer": {"en": "Your answer goes to", "zh-Hans": "您的回复将发送给", "zh-Hant": "您的回覆將寄給"},
    "note": {
        "en": "Your answer stays inside",
        "zh-Hans": "您的回复只留在内部",
        "zh-Hant": "您的回覆只留在內部",
    },
    "order": {"en": "Your answer goes to nobody", "zh-Hans": "您的回复不会发送", "zh-Hant": "您的回覆不會寄出"},
}
"""How the first line of a desk mail begins, by where an answer to it goes; in the answer it is known by these words."""

_WORDS = {"en": "write above this line", "zh-Hans": "请在此行上方书写", "zh-Hant": "請在此行上方書寫"}
_GAP = r"[\W_]{0,60}"  # what quoting, wrapping and prettifying put between letters; never a letter or digit
_SYMBOLS = lazy_pattern(r"[a-z0-9]{6,8}")
_PHRASE = "(?:" + "|".join(_GAP.join("".join(words.split())) for words in _WORDS.values()) + ")"
_ANY_MARKER = lazy_pattern(_PHRASE, re.IGNORECASE)
_FULL_WIDTH = {0xFF01 + at: 0x21 + at for at in range(94)}  # as the one character each that they stand for
_OPENING = lazy_pattern(
    r"[\W_]{0,60}(?:"
    + "|".join(r"\s{0,3}".join("".join(line.split())) for lines in OPENINGS.values() for line in lines.values())
    + ")",
    re.IGNORECASE,
)


def marker_line(symbols: str, language: str = "en") -> str:
    """The line above which an answer is written. symbols: `Mark.symbols`, 6 to 8 small letters or digits.

    Of a language that has no words of its own the English ones are taken.
    """
    if not _SYMBOLS.fullmatch(symbols):
        raise ValueError("a marker line needs 6 to 8 small letters or digits")
    return f"--- {_WORDS.get(language, _WORDS['en'])} - {symbols} ---"


def marker_span(text: str, symbols: str) -> tuple[int, int] | None:
    """Where the marker line with these symbols begins, and the end of its symbols; None where there is none.

    Quote marks, blanks, line ends, dashes and the width of letters count for nothing. The beginning is that of the
    first mark or dash before the words on their line, so that all above it is somebody else's.
    """
    if not _SYMBOLS.fullmatch(symbols):
        return None
    pattern = re.compile(f"{_PHRASE}{_GAP}{_GAP.join(symbols)}(?![a-z0-9])", re.IGNORECASE)
    text = text[:MAX_TEXT].translate(_FULL_WIDTH)
    match = pattern.search(text)
    return (_begin(text, match.start()), match.end()) if match else None


def find_any_marker(text: str) -> int | None:
    """Where the words of a marker line begin whatever its symbols: an older mail's, or imitated ones; None for none."""
    text = text[:MAX_TEXT].translate(_FULL_WIDTH)
    match = _ANY_MARKER.search(text)
    return _begin(text, match.start()) if match else None


def is_opening(line: str) -> bool:
    """Whether a line begins as the first line of a desk mail does, quoted or not."""
    return _OPENING.match(line.translate(_FULL_WIDTH)) is not None


def _begin(text: str, start: int) -> int:
    while start and text[start - 1] != "\n" and not text[start - 1].isalnum():
        start -= 1
    return start
