"""What a help article says in plain words: its first heading, and the beginning of its first paragraph.

CommonMark is read by markdown-it-py, which is pure Python, bounded in depth and passes the standard's own tests; HTML
is left out, and of a link stay its words, so that nothing of an article but text comes into a letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_LONGEST_EXCERPT = 160  # characters
_SENTENCE_ENDS = (". ", "! ", "? ", "。", "！", "？")


def heading_and_excerpt(text: str) -> tuple[str, str]:
    """The first heading of a Markdown text and an excerpt of its first paragraph, "" for what it lacks."""
    from markdown_it import MarkdownIt  # nothing else of the program waits for it

    tokens = MarkdownIt("commonmark").parse(text)
    outermost = [(opening.type, _words(inline)) for opening, inline in pairwise(tokens)
                 if inline.type == "inline" and inline.level == 1]  # fmt: skip
    first = {kind: next((words for one, words in outermost if one == kind and words), "")
             for kind in ("heading_open", "paragraph_open")}  # fmt: skip
    return first["heading_open"], _shortened(first["paragraph_open"])


def _words(inline: Token) -> str:
    parts = []
    for token in inline.children or ():
        if token.type in ("text", "code_inline"):
            parts.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
    return " ".join("".join(parts).split())


def _shortened(text: str) -> str:
    """Whole sentences, as many as fit; else whole words."""
    if len(text) <= _LONGEST_EXCERPT:
        return text
    end = _last_end(text[: _LONGEST_EXCERPT + 1], _SENTENCE_ENDS)
    if end:
        return text[:end].rstrip()
    cut = text[: _LONGEST_EXCERPT - 1]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;:，；：、") + "…"


def _last_end(text: str, ends: Sequence[str]) -> int:
    return max((text.rfind(end) + len(end) for end in ends if end in text), default=0)
