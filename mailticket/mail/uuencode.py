"""Files that were uuencoded into the text of a mail: found, cut out, decoded."""

from __future__ import annotations

import re

from mailticket.mail import transfer

MAX_FILES = 100
MAX_BEGINNINGS = 1000  # lines that look like the start of one

_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,300})\r?\n", re.MULTILINE)


def extract(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The text without its uuencoded files, and those as (name, bytes). Prose that says "begin 644 ..." stays."""
    if b"begin " not in data:
        return data, []
    kept: list[bytes] = []
    files: list[tuple[bytes, bytes]] = []
    position = 0
    for _ in range(MAX_BEGINNINGS):
        begin = _BEGIN.search(data, position)
        if not begin or len(files) >= MAX_FILES:
            break
        end, lines = _body_end(data, begin.end())
        if not lines:
            kept.append(data[position : begin.end()])
        else:
            kept.append(data[position : begin.start()])
            files.append((begin[1].strip(), transfer.decode_uu(data[begin.end() : end])))
        position = end if lines else begin.end()
    kept.append(data[position:])
    return b"".join(kept), files


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
