"""Files that were uuencoded into the text of a mail: found, cut out, decoded."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailticket.mail import transfer
from mailticket.text.patterns import lazy_pattern

MAX_FILES = 100

_BEGIN = lazy_pattern(rb"^begin [0-7]{3,4} ([^\r\n]{1,300})\r?\n", re.MULTILINE)


def extract(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The text without its uuencoded files, and those as (name, bytes). Prose that says "begin 644 ..." stays."""
    texts: list[bytes] = []
    files: list[tuple[bytes, bytes]] = []
    position = 0
    for span in spans(data):
        texts.append(data[position : span.start])
        files.append((span.name, transfer.decode_uu(data[span.body : span.end])))
        position = span.end
    texts.append(data[position:])
    return b"".join(texts), files


@dataclass(frozen=True, slots=True)
class Span:
    """A uuencoded file at data[start:end]; its lines of data begin at `body`."""

    name: bytes
    start: int
    body: int
    end: int


def spans(data: bytes) -> list[Span]:
    """Where the uuencoded files in a text stand, in order, at most MAX_FILES."""
    if b"begin " not in data:
        return []
    files: list[Span] = []
    position = 0
    while len(files) < MAX_FILES and (begin := _BEGIN.search(data, position)):
        end, lines = _body_end(data, begin.end())
        if lines:
            files.append(Span(begin[1].strip(), begin.start(), begin.end(), end))
        position = end if lines else begin.end()
    return files


def _body_end(data: bytes, position: int) -> tuple[int, int]:
    """Where the encoded lines and their "end" stop, and how many lines carry data."""
    lines = 0
    while position < len(data):
        line_end = data.find(b"\n", position, position + 200)
        line_end = len(data) if line_end < 0 else line_end
        line = data[position:line_end].rstrip(b"\r\n")
        if line.strip() == b"end":
            return min(line_end + 1, len(data)), lines
        if line.strip() in (b"`", b""):
            position = line_end + 1
            continue
        if not _is_encoded(line):
            return position, lines
        lines += 1
        position = line_end + 1
    return len(data), lines


def _is_encoded(line: bytes) -> bool:
    """Whether the first character tells the length of the rest (blanks at the end may have been lost)."""
    count = line[0] - 32
    if not 1 <= count <= 45 or len(line) > 66:
        return False
    wanted = (count + 2) // 3 * 4
    return len(line) - 1 <= wanted + 2 and len(line.rstrip()) - 1 >= wanted * 3 // 4 and max(line) <= 96
