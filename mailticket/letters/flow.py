"""How running text fills lines: folding, wrapping and quoting that know how wide Chinese characters are."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from markupsafe import Markup, escape

from mailticket.text.patterns import lazy_pattern

_SHORT = 400  # characters; what is longer is a person's text, and never the same twice
_WIDTH = 72  # columns; the custom of plain-text mail
_NOT_FIRST = "，。、：；！？）》」』】”’…,.:;!?)]"  # must not begin a line
_NOT_LAST = "（《「『【“‘(["  # must not end one


_PIECES = lazy_pattern(r"\s|[!-~]+|.")


@lru_cache(4096)
def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def columns(text: str) -> int:
    """How many columns a text takes in a terminal or a plain-text mail."""
    if text.isascii():
        return len(text)
    return sum(2 if _wide(c) else 0 if unicodedata.combining(c) else 1 for c in text)


def fold(text: str) -> str:
    """Running text on one line: each run of blanks is one blank, or none between Chinese characters at a line break."""
    return _folded_again(text) if len(text) <= _SHORT else _folded(text)


def _folded(text: str) -> str:
    folded = [" ".join(line.split()) for line in text.strip().splitlines()]
    joined = ""
    for line in filter(None, folded):
        tight = joined == "" or (_wide(joined[-1]) and _wide(line[0]))
        joined += line if tight else " " + line
    return Markup(joined) if isinstance(text, Markup) else joined  # noqa: S704 - joins what was markup before


# Most sentences of a letter are those of the letter before. Markup and str are equal, so types are told apart.
_folded_again = lru_cache(1024, typed=True)(_folded)


def wrap(text: str, first: str = "", rest: str = "") -> str:
    """Running text in lines of 72 columns, the first begun with `first`, the others with `rest`."""
    return _wrapped_again(text, first, rest) if len(text) <= _SHORT else _wrapped(text, first, rest)


def _wrapped(text: str, first: str, rest: str) -> str:
    lines: list[str] = []
    line, width, start = "", 0, first
    for atom in _atoms(fold(text)):
        size = columns(atom)
        if line and width + size > _WIDTH - columns(start) and not atom.isspace():
            lines.append(start + line.rstrip())
            line, width, start = "", 0, rest
        if line or not atom.isspace():
            line, width = line + atom, width + size
    return "\n".join([*lines, (start + line).rstrip()])


_wrapped_again = lru_cache(1024, typed=True)(_wrapped)


def _atoms(text: str) -> list[str]:
    """The pieces that a line break may come between: words, blanks, single Chinese characters with their marks."""
    atoms: list[str] = []
    for piece in _PIECES.findall(text):
        last = atoms[-1] if atoms else ""
        stays = last and not last.isspace() and not piece.isspace()
        narrow = stays and not _wide(piece[0]) and not _wide(last[-1])
        if narrow or (stays and (piece[0] in _NOT_FIRST or last[-1] in _NOT_LAST)):
            atoms[-1] += piece
        else:
            atoms.append(piece)
    return atoms


def underline(text: str) -> str:
    """The rule below a plain-text heading, as wide as the heading."""
    return "-" * min(columns(text), _WIDTH)


def quote(text: str) -> str:
    """The text as a quotation: each line behind "> "."""
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def lines_as_html(text: str) -> Markup:
    """Text whose line breaks and leading blanks matter, as HTML."""
    done = []
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        done.append(Markup("&nbsp;") * (len(line) - len(bare)) + escape(bare))
    return Markup("<br>\n").join(done)


def tidy_text(text: str) -> str:
    """A rendered plain-text page: no trailing blanks (but a signature's "-- "), never two empty lines together."""
    lines = [line if line == "-- " else line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def tidy_html(html: str) -> str:
    """A rendered HTML page without the indentation and empty lines of its templates."""
    return "\n".join(line for line in map(str.strip, html.split("\n")) if line) + "\n"
