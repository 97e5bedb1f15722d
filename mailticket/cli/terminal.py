"""How things look on a terminal: tables that fit, colour where people look, nothing that could act on the terminal."""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import click

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
COLOURS = {
    "new": "yellow", "open": "cyan", "pending": "blue", "solved": "green", "closed": "bright_black",
    "sent": "green", "queued": "cyan", "sending": "cyan", "deferred": "yellow", "failed": "red",
    "uncertain": "magenta", "withheld": "yellow", "cancelled": "bright_black",
    "opened": "green", "appended": "cyan", "filed": "bright_black", "quarantined": "red", "known": "bright_black",
    "verified": "green", "unknown": "yellow",
}  # fmt: skip


def clean(text: object) -> str:
    """Text that cannot move the cursor, ring or hide anything; what others wrote goes through here."""
    return _CONTROL.sub("�", str(text)).replace("\t", "    ")


def line(text: object) -> str:
    """`clean`, on one line."""
    return " ".join(clean(text).split())


def hidden(lines: int, option: str) -> str:
    """What stands in the place of lines that are not shown, "" for none; the option shows them."""
    words = f"[{lines} {'line' if lines == 1 else 'lines'} hidden ({option} shows them)]"
    return click.style(words, fg="bright_black") if lines else ""


def width(text: str) -> int:
    """Columns that a text takes; Chinese characters take two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fit(text: str, columns: int) -> str:
    """The text in exactly so many columns: padded, or cut with an ellipsis."""
    if width(text) > columns:
        kept, room = [], max(0, columns - 1)
        for character in text:
            room -= width(character)
            if room < 0:
                break
            kept.append(character)
        text = "".join(kept) + "…"
    return text + " " * max(0, columns - width(text))


def screen() -> int:
    """Columns of the terminal; wide where there is none, so that nothing is cut in pipes."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 200


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, stretch: int = -1) -> None:
    """Print rows in columns as wide as they need, the `stretch` column giving way to the screen."""
    body = [[line(cell) for cell in row] for row in rows]
    columns = [max([width(head[i]), *(width(row[i]) for row in body)]) for i in range(len(head))]
    spare = screen() - sum(columns) - 2 * (len(columns) - 1)
    if spare < 0:
        columns[stretch] = max(8, columns[stretch] + spare)
    click.echo(click.style("  ".join(fit(h, w) for h, w in zip(head, columns, strict=True)).rstrip(), bold=True))
    for row in body:
        cells = [coloured(fit(cell, w), cell) for cell, w in zip(row, columns, strict=True)]
        click.echo("  ".join(cells).rstrip())


def coloured(text: str, word: str) -> str:
    """The text in the colour of a state's name; other words keep theirs."""
    return click.style(text, fg=COLOURS[word]) if word in COLOURS else text


def moment(at: datetime | None) -> str:
    """A time for a table, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if at else ""


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, or until when, in the largest sensible unit."""
    if at is None:
        return "never"
    seconds = (now - at).total_seconds()
    amount = abs(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if amount >= 2 * size or (unit == "min" and amount >= size):
            return f"{amount / size:.0f} {unit} ago" if seconds >= 0 else f"in {amount / size:.0f} {unit}"
    return f"{amount:.0f} s ago" if seconds >= 0 else f"in {amount:.0f} s"


def heading(text: str) -> None:
    click.echo()
    click.echo(click.style(text, bold=True, underline=True))


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values below each other; empty values are left out."""
    visible = [(name, clean(value)) for name, value in pairs if value not in (None, "", (), [])]
    wide = max([width(name) for name, _ in visible], default=0)
    for name, value in visible:
        first, *more = value.splitlines() or [""]
        click.echo(f"{click.style(fit(name, wide), fg='bright_black')}  {first}")
        for rest in more:
            click.echo(f"{' ' * wide}  {rest}")
