"""Where in a TOML file each key stands: tomllib gives values without places, and people need the line."""

from __future__ import annotations

import re

from mailticket.settings import KeyPath

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]")
_ASSIGNMENT = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
_PART = re.compile(_KEY)
# What matters for finding the end of a statement: texts (they may hold brackets, hashes and line ends; up to two quotes
# may stand directly before the closing three: TOML 1.0, "String"), comments, brackets, line ends.
_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'{3}.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|\#[^\n]*|[\[\]{}\n]''', re.DOTALL
)


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line numbers (from 1) of the keys and tables of a TOML text that tomllib has accepted.

    A path is made of names and, for entries of an array of tables, their index from 0: ``("mailbox", 1, "port")``.
    Keys inside inline tables and arrays are not listed; whoever asks falls back to the key that holds them.
    """
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    number, begin, depth = 1, 0, 0
    for token in _TOKEN.finditer(text + "\n"):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if token[0] != "\n" or depth:
            continue
        statement = text[begin : token.start()]
        if header := _HEADER.match(statement):
            table = _enter(_names(header[2]), counts, is_array=header[1] == "[[")
            lines.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(statement):
            path = table + _names(assignment[1])
            for length in range(len(table) + 1, len(path) + 1):
                lines.setdefault(path[:length], number)
        number += statement.count("\n") + 1
        begin = token.end()
    return lines


def line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int | None:
    """The line of a key, else of what holds it: that is where a missing key has to go. None when there is none."""
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)


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
