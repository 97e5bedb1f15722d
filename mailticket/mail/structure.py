"""The structure reader: one linear pass over the raw bytes that yields headers and parts as slices, within limits.

Rules of the room: no byte is looked at more than a bounded number of times, no recursion, nothing is decoded but the
headers that say how a part is built. RFC 5322 section 2, RFC 2046 section 5.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

from mailticket.mail import charsets
from mailticket.mail.description import describe
from mailticket.mail.parts import Headers, Part
from mailticket.text.patterns import lazy_pattern

MAX_HEADER_BLOCK = 256 * 1024
MAX_HEADER = 16 * 1024
MAX_HEADERS = 1000
MAX_DEPTH = 30
MAX_PARTS = 500
MAX_BOUNDARY = 200
MAX_MISSES = 2000  # lines like delimiters that are looked at one by one

_FIELD = lazy_pattern(rb"([!-9;-~]{1,200})[ \t]{0,20}:")
_KNOWN = lazy_pattern(
    rb"(?:[A-Za-z0-9]{1,30}-[A-Za-z0-9-]{1,60}|From|To|Cc|Bcc|Subject|Date|Received|Sender|Precedence|Keywords|Comments)"
    rb"[ \t]{0,5}:",
    re.IGNORECASE,
)
_GUESSED_DELIMITER = lazy_pattern(
    rb"(?:\A|\n)--([^\r\n]{1,200})\r*\n(?=Content-[A-Za-z-]{2,40}[ \t]{0,5}:)", re.IGNORECASE
)


def canonical(raw: bytes) -> bytes:
    """The bytes that all readers of one mail share: as they came, unless wholly in UTF-16 or with bare CR line ends."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf_16", "replace").encode("utf_8", "replace")
    head = raw[:65536]
    if b"\n" not in head and b"\r" in head:
        return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return raw


def read_structure(raw: bytes) -> tuple[Part, list[str]]:
    """The tree of parts of a mail (as `canonical` gives it) and what was odd about it. Total and linear."""
    return _Reader(raw).read()


def header_start(raw: bytes) -> int:
    """Where the header begins: behind a byte order mark, the "From " line of an mbox, a few blank lines."""
    start = 3 if raw.startswith(codecs.BOM_UTF8) else 0
    if raw.startswith((b"From ", b">From "), start):
        line_end = raw.find(b"\n", start)
        start = line_end + 1 if line_end >= 0 else len(raw)
    while raw.startswith((b"\n", b"\r\n"), start) and start < 64:
        start = raw.find(b"\n", start) + 1
    return start


@dataclass(slots=True)
class _Open:
    """A multipart whose end was not seen yet; `boundary` is its delimiter without the leading dashes."""

    part: Part
    boundary: bytes
    leaf: Part | None = None  # the child whose body is running
    children: int = field(default=0)


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.warnings: list[str] = []
        self.stack: list[_Open] = []
        self.delimiters: dict[bytes, int] = {}
        self.firsts: set[bytes] = set()  # the first byte of each open boundary
        self.misses = 0  # lines that began as delimiters do and were none
        self.finder: re.Pattern[bytes] | None = None  # finds the delimiters of the open boundaries
        self.parts = 1

    def warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)

    def read(self) -> tuple[Part, list[str]]:
        raw = self.raw
        root = self._begin("", header_start(raw), "text/plain", None)
        self._scan(root, root.start, len(raw))
        self._guess_boundaries(root)
        return root, self.warnings

    def _guess_boundaries(self, root: Part) -> None:
        """Read multiparts whose declared boundary never came by the first delimiter line that a header follows."""
        waiting = [part for part in root.walk() if part.type.startswith("multipart/") and not part.children]
        budget = 2 * len(self.raw) + 65536
        while waiting and self.parts <= MAX_PARTS:
            part = waiting.pop()
            budget -= part.end - part.start
            if budget < 0:
                return
            delimiter = _GUESSED_DELIMITER.search(self.raw, max(0, part.start - 1), part.end)
            boundary = delimiter[1].rstrip() if delimiter else b""
            if not boundary:
                self.warn("a multipart has no parts")
                continue
            self.warn("a multipart does not use the boundary it declares")
            part.params["boundary"] = charsets.decode(boundary)
            self._scan(part, part.start, part.end, boundary)
            waiting += [p for p in part.walk() if p.type.startswith("multipart/") and not p.children and p is not part]

    def _scan(self, top: Part, position: int, end: int, boundary: bytes = b"") -> None:
        """Follow the delimiter lines from `position` to `end`, building the tree below `top`."""
        raw = self.raw
        self.stack, self.delimiters, self.firsts = [], {}, set()
        self._open(top, boundary)
        at_start = True
        while self.stack:
            if at_start and raw.startswith(b"--", position):
                dashes = position
            else:
                dashes = self._next_dashes(position - 1 if position else 0, end)
                if dashes < 0:
                    break
            line_end = raw.find(b"\n", dashes, end)
            line_end = end if line_end < 0 else line_end
            level, closing = self._delimiter(raw[dashes : min(line_end, dashes + MAX_BOUNDARY + 8)])
            if level is None:
                position, at_start = dashes + 2, False
                continue
            position = self._at_delimiter(level, closing, dashes, min(line_end + 1, end))
            at_start = True
            if self.parts > MAX_PARTS:
                self.warn(f"more than {MAX_PARTS} parts: the rest was left in the last one")
                break
        self._close(0, end, whole=True)

    def _next_dashes(self, position: int, end: int) -> int:
        """Where the next line begins that may be a delimiter; -1 without one.

        A mail with many lines that only look like delimiters is searched by one expression for the real ones.
        """
        raw, firsts = self.raw, self.firsts
        while self.misses < MAX_MISSES:
            dashes = raw.find(b"\n--", position, end)
            if dashes < 0:
                return -1
            if raw[dashes + 3 : dashes + 4] in firsts:
                self.misses += 1  # taken back where it proves to be a delimiter
                return dashes + 1
            self.misses += 1
            position = dashes + 3
        if self.finder is None:
            boundaries = b"|".join(re.escape(boundary) for boundary in self.delimiters)
            self.finder = re.compile(b"\n--(?:" + boundaries + b")[ \t]{0,50}(?:--)?[ \t\r\v\f]{0,50}(?:\n|\\Z)")
        match = self.finder.search(raw, position, end)
        return match.start() + 1 if match else -1

    def _delimiter(self, line: bytes) -> tuple[int | None, bool]:
        """The level in the stack that this line delimits, and whether it closes it."""
        line = line[2:].rstrip()
        level = self.delimiters.get(line)
        if level is not None:
            return level, False
        if line.endswith(b"--"):
            return self.delimiters.get(line[:-2].rstrip()), True
        return None, False

    def _at_delimiter(self, level: int, closing: bool, dashes: int, after: int) -> int:
        """End what runs above this level; begin its next part unless it closes. Returns where to go on."""
        raw = self.raw
        body_end = dashes - 1 if dashes and raw[dashes - 1] == 0x0A else dashes
        if body_end and body_end < dashes and raw[body_end - 1] == 0x0D:
            body_end -= 1
        self.misses -= 1
        self._close(level + 1, body_end, whole=False)
        multipart = self.stack[level]
        if multipart.leaf:
            multipart.leaf.end = max(multipart.leaf.start, body_end)
            multipart.leaf = None
        if closing:
            return after
        multipart.children += 1
        parent = multipart.part
        path = f"{parent.path}.{multipart.children}" if parent.path else str(multipart.children)
        default = "message/rfc822" if parent.type == "multipart/digest" else "text/plain"
        child = self._begin(path, after, default, parent)
        parent.children.append(child)
        multipart.leaf = child
        self.parts += 1
        self._open(child)
        return child.start

    def _open(self, part: Part, boundary: bytes = b"") -> None:
        """Put a multipart on the stack, if it is one, has a boundary and is not too deep."""
        if not part.type.startswith("multipart/"):
            return
        if len(self.stack) >= MAX_DEPTH or part.path.count(".") >= MAX_DEPTH:
            self.warn(f"parts nested deeper than {MAX_DEPTH}: the rest was left closed")
            return
        boundary = boundary or part.params.get("boundary", "").strip().encode("utf_8", "replace")
        if not boundary or len(boundary) > MAX_BOUNDARY:
            return
        self.stack.append(_Open(part, boundary))
        self.delimiters[boundary] = len(self.stack) - 1
        self.firsts.add(boundary[:1])
        self.finder = None

    def _close(self, level: int, end: int, *, whole: bool) -> None:
        """End the multiparts from the top of the stack down to `level`."""
        ending = self.stack[level:]
        if not ending:
            return
        del self.stack[level:]
        self.delimiters = {multipart.boundary: i for i, multipart in enumerate(self.stack)}
        self.firsts = {boundary[:1] for boundary in self.delimiters}
        self.finder = None
        for multipart in reversed(ending):
            multipart.part.end = max(multipart.part.start, end)
            if multipart.leaf:
                multipart.leaf.end = max(multipart.leaf.start, end)
                if whole:
                    self.warn("a multipart was never closed")

    def _begin(self, path: str, start: int, default: str, parent: Part | None) -> Part:
        headers, body = self._headers(start, root=parent is None)
        return describe(headers, path, body, len(self.raw), default)

    def _headers(self, start: int, *, root: bool) -> tuple[Headers, int]:
        """The header fields from `start` on, and where the body begins."""
        raw, size = self.raw, len(self.raw)
        fields: list[tuple[str, bytes]] = []
        position, limit = start, start + MAX_HEADER_BLOCK
        while position < size:
            line_end = raw.find(b"\n", position)
            line_end = size if line_end < 0 else line_end
            if position >= limit or len(fields) >= MAX_HEADERS:
                self.warn("the header is too long: its rest was left out")
                return Headers(fields), self._skip_header(position)
            first = raw[position]
            if first in b"\r\n" and not raw[position:line_end].strip(b"\r"):
                return Headers(fields), min(line_end + 1, size)
            if first in b" \t" and fields:
                if not raw[position : min(line_end, position + 200)].strip() and not self._header_goes_on(line_end + 1):
                    return Headers(fields), min(line_end + 1, size)
                self._continue(fields, position, line_end)
                position = line_end + 1
                continue
            match = _FIELD.match(raw, position, line_end)
            if match:
                end = line_end - 1 if line_end > position and raw[line_end - 1] == 0x0D else line_end
                value = raw[match.end() : min(end, match.end() + MAX_HEADER)]
                if end - match.end() > MAX_HEADER:
                    self.warn("a header was longer than 16 KB and was cut")
                fields.append((match[1].decode("ascii").lower(), value))
            elif (
                raw.startswith(b"--", position)
                and self._delimiter(raw[position:line_end][: MAX_BOUNDARY + 8])[0] is not None
            ):
                return Headers(fields), position
            elif not self._header_goes_on(line_end + 1):
                if root and fields:
                    self.warn("the header ended without a blank line")
                return Headers(fields), position
            elif fields:
                self.warn("a header line was no header; it was read as part of the one before")
                self._continue(fields, position, line_end)
            else:
                self.warn("the first line was no header")
            position = line_end + 1
        return Headers(fields), size

    def _continue(self, fields: list[tuple[str, bytes]], start: int, end: int) -> None:
        """Add a continuation line to the last field, within the limit of one header."""
        name, value = fields[-1]
        if end > start and self.raw[end - 1] == 0x0D:
            end -= 1
        room = MAX_HEADER - len(value)
        if room > 0:
            fields[-1] = (name, value + b"\n" + self.raw[start : min(end, start + room)])
        else:
            self.warn("a header was longer than 16 KB and was cut")

    def _header_goes_on(self, position: int) -> bool:
        """Whether a known header stands in the next three lines, before any blank one."""
        raw = self.raw
        for _ in range(3):
            if _KNOWN.match(raw, position, position + 200):
                return True
            line_end = raw.find(b"\n", position, position + 2000)
            if line_end < 0 or not raw[position:line_end].strip():
                return False
            position = line_end + 1
        return False

    def _skip_header(self, position: int) -> int:
        """The start of the body, where the header was too long to read whole."""
        match = _BLANK_LINE.search(self.raw, max(0, position - 1))
        return match.end() if match else len(self.raw)


_BLANK_LINE = lazy_pattern(rb"\n\r*\n")
