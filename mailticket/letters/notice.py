"""A notice as staff type it becomes blocks that templates print: Markdown's plain part, the rest as it was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mailticket.text.clean import many_lines
from mailticket.text.patterns import lazy_pattern

LONGEST = 2_000  # characters of a notice

_ITEM = lazy_pattern(r"\s{0,3}(?:[-*+•·]|(\d{1,3})[.)、])\s+(?=\S)")
# One pass from left to right; of what overlaps the first wins, so that no mark is looked for inside an address.
_MARKED = lazy_pattern(
    r"\\(?P<escaped>[\\*_\[\]()<>-])"
    r"|\[(?P<label>[^\[\]]{1,200})\]\((?P<target>https?://[^\s()<>]{1,500})\)"
    r"|<(?P<bracketed>https?://[^\s<>]{1,500})>"
    r"|(?P<bare>https?://[^\s<>()\[\]，。；、）」』】]{1,500}(?<![.,;:!?]))"
    r"|\*\*(?P<strong>[^\s*](?:[^*]{0,500}[^\s*])?)\*\*"
    r"|\*(?P<starred>[^\s*](?:[^*]{0,500}[^\s*])?)\*"
    r"|(?<!\w)_(?P<underlined>[^\s_](?:[^_]{0,500}[^\s_])?)_(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a line. address: where they lead, http or https; "" nowhere. weight: how they are stressed."""

    text: str
    weight: Literal["", "strong", "emphasis"] = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, which is one line, or a list with its items; each line is made of pieces."""

    kind: Literal["paragraph", "list", "numbered"]
    lines: tuple[tuple[Piece, ...], ...]


def blocks(text: str) -> tuple[Block, ...]:
    """Paragraphs and lists with emphasis and links; headings, HTML and all else of Markdown stay the words they are.

    Source: CommonMark 0.31, sections 4.8, 5.2, 6.2, 6.3 and 6.5, as far as they make plain mail. An item ends with an
    empty line or where the next begins.
    """
    kinds: list[Literal["paragraph", "list", "numbered"]] = []
    groups: list[list[str]] = []
    is_open = False  # whether the next line goes on with the last paragraph or item
    for line in many_lines(text, LONGEST).split("\n"):
        item = _ITEM.match(line)
        if not line.strip():
            is_open = False
        elif item:
            kind: Literal["list", "numbered"] = "numbered" if item[1] else "list"
            if not kinds or kinds[-1] != kind:
                kinds.append(kind)
                groups.append([])
            groups[-1].append(line[item.end() :])
            is_open = True
        elif is_open:
            groups[-1][-1] += f"\n{line.strip()}"
        else:
            kinds.append("paragraph")
            groups.append([line.strip()])
            is_open = True
    return tuple(
        Block(kind, tuple(tuple(_pieces(line)) for line in lines)) for kind, lines in zip(kinds, groups, strict=True)
    )


def _pieces(line: str) -> Iterator[Piece]:
    at = 0
    for match in _MARKED.finditer(line):
        if match.start() > at:
            yield Piece(line[at : match.start()])
        yield _piece(match)
        at = match.end()
    if at < len(line):
        yield Piece(line[at:])


def _piece(match: re.Match[str]) -> Piece:
    if match["label"]:
        return Piece(match["label"], address=match["target"])
    address = match["bracketed"] or match["bare"]
    if address:
        return Piece(address, address=address)
    if match["strong"]:
        return Piece(match["strong"], "strong")
    emphasis = match["starred"] or match["underlined"]
    return Piece(emphasis, "emphasis") if emphasis else Piece(match["escaped"])


def plain(text: str) -> str:
    """The words of a notice as its letters say them, a line for each paragraph and item."""
    lines = [line for block in blocks(text) for line in block.lines]
    return "\n".join("".join(map(_words, line)) for line in lines)


def _words(piece: Piece) -> str:
    return f"{piece.text} ({piece.address})" if piece.address and piece.address != piece.text else piece.text
