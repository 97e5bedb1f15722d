"""Where in a TOML file each key stands: tomllib gives values without places, and people need the line."""

from __future__ import annotations

import re

KeyPath = tuple[str | int, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]")
_ASSIGNMENT = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
_PART = re.compile(_KEY)
# What matters for finding the end of a value: strings (they may hold brackets and hashes), comments, brackets.
_TOKEN = re.compile(
    r'''"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#[^\n]*|[\[\]{}]''',
)


def key_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Line numbers (from 1) of the keys and tables of a TOML text that tomllib has accepted.

    A path is made of names and, for entries of an array of tables, their index from 0: ``("mailbox", 1, "port")``.
    Keys inside inline tables and arrays are not listed; whoever asks falls back to the key that holds them.
    """
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    inside = _Value()
    for number, line in enumerate(text.split("\n"), start=1):
        if inside.open:
            inside.read(line, 0)
            continue
        if header := _HEADER.match(line):
            table = _enter(_names(header[2]), counts, is_array=header[1] == "[[")
            lines.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            path = table + _names(assignment[1])
            for length in range(len(table) + 1, len(path) + 1):
                lines.setdefault(path[:length], number)
            inside.read(line, assignment.end())
    return lines


def _names(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _enter(names: KeyPath, counts: dict[KeyPath, int], *, is_array: bool) -> KeyPath:
    """The path of a table header: names that stand for an array of tables mean its latest entry."""
    path: KeyPath = ()
    for position, name in enumerate(names):
        path = (*path, name)
        is_new_entry = is_array and position == len(names) - 1
        if is_new_entry:
            counts[path] = counts.get(path, 0) + 1
        if path in counts:
            path = (*path, counts[path] - 1)
    return path


class _Value:
    """Whether a value that began on an earlier line is still open: within brackets or a multi-line string."""

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""

    @property
    def open(self) -> bool:
        return self._depth > 0 or bool(self._quote)

    def read(self, line: str, position: int) -> None:
        while position < len(line):
            if self._quote:
                end = _closing(line, position, self._quote)
                if end < 0:
                    return
                self._quote, position = "", end
            token = _TOKEN.search(line, position)
            if token is None:
                return
            position = token.end()
            if token[0] in ('"""', "'''"):
                self._quote = token[0]
            elif token[0] in "[{":
                self._depth += 1
            elif token[0] in "]}":
                self._depth -= 1


def _closing(line: str, position: int, quote: str) -> int:
    """The position after the closing quote; -1 when the string goes on. A backslash escapes in basic strings only."""
    while position < len(line):
        if quote == '"""' and line[position] == "\\":
            position += 2
        elif line.startswith(quote, position):
            # Up to two quotes may stand directly before the closing three (TOML 1.0, "String").
            end = position + 3
            while end < len(line) and end - position < 5 and line[end] == quote[0]:
                end += 1
            return end
        else:
            position += 1
    return -1
