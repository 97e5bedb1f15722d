"""How things look on a terminal: tables that fit, colour where people look, nothing that could act on the terminal."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import click

from mailticket.text.clean import counted

_BAR = 30  # columns
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
    words = f"[{counted(lines, 'line')} hidden ({option} shows them)]"
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
    """Columns of the terminal, or as COLUMNS says; wide where there is neither, so that nothing is cut in pipes."""
    return shutil.get_terminal_size().columns if _has_edge() else 200


def _has_edge() -> bool:
    return sys.stdout.isatty() or bool(os.environ.get("COLUMNS"))


def wrapped(text: str, room: int = 0, others: str = "") -> str:
    """Text whose lines break between words before the edge of the screen, less `room`; as it is where there is none.

    others: what the further lines of a line begin with.
    """
    if not _has_edge():
        return text
    columns = max(20, screen() - room)
    lines = []
    for one in text.split("\n"):
        parts = textwrap.wrap(one, columns, subsequent_indent=others, break_long_words=False, break_on_hyphens=False)
        lines += parts if width(one) > columns else [one]
    return "\n".join(lines)


def paragraph(text: str, first: str, others: str, columns: int) -> list[str]:
    """Text in lines of at most so many columns, without control characters; `first` and `others` open its lines."""
    return textwrap.wrap(line(text), columns, initial_indent=first, subsequent_indent=others, break_on_hyphens=False)


_GAP = 2
_NARROWEST = 8  # columns to which a cell is cut
_STRETCHED = 24  # columns that the text of a row should keep before others are left out
_NEVER_CUT = ("NUMBER", "TICKET", "DUPLICATE OF")  # what people copy


def table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, stretch: int = -1, spare: Sequence[str] = ()
) -> None:
    """Print rows in columns as wide as they need, within the screen.

    A column without any content is left out. Where the screen is too narrow the `stretch` column gives way first, then
    the `spare` ones are left out in their order, then the widest is cut.
    """
    body = [[line(cell) for cell in row] for row in rows]
    stretched = head[stretch]
    kept = [i for i in range(len(head)) if i == 0 or any(row[i] for row in body)]
    widths = {i: max([width(head[i]), *(width(row[i]) for row in body)]) for i in kept}
    for name in spare:
        least = sum(min(widths[i], _STRETCHED) if head[i] == stretched else widths[i] for i in widths)
        if least + _GAP * (len(widths) - 1) <= screen():
            break
        widths = {i: wide for i, wide in widths.items() if head[i] != name}
    _squeeze(widths, head.index(stretched), [i for i in widths if i and head[i] not in _NEVER_CUT])
    click.echo(click.style((" " * _GAP).join(fit(head[i], w) for i, w in widths.items()).rstrip(), bold=True))
    for row in body:
        cells = [coloured(fit(row[i], w), row[i]) for i, w in widths.items()]
        click.echo((" " * _GAP).join(cells).rstrip())


def _squeeze(widths: dict[int, int], stretch: int, others: Sequence[int]) -> None:
    """Take from the columns what is too much for the screen: from the stretched one, then from whichever is widest."""
    excess = sum(widths.values()) + _GAP * (len(widths) - 1) - screen()
    if excess > 0 and stretch in widths:
        taken = min(excess, max(0, widths[stretch] - min(_STRETCHED, widths[stretch])))
        widths[stretch] -= taken
        excess -= taken
    while excess > 0 and others:
        widest = max(others, key=lambda i: widths[i])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
        excess -= 1


def coloured(text: str, word: str) -> str:
    """The text in the colour of a state's name; other words keep theirs."""
    return click.style(text, fg=COLOURS[word]) if word in COLOURS else text


def moment(at: datetime | str | None) -> str:
    """A time as a person reads it, in the zone of the terminal, whose name stands beside it; ISO 8601 is taken too."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at) if at else None
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}" if at else ""


def readable(face: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The names and values of a JSON face for `facts`, its times as a person reads them."""
    for name, value in face.items():
        words = moment(value) if name.endswith("_at") and isinstance(value, str) else value
        yield name.replace("_", " "), words


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
        first, *more = wrapped(value, wide + _GAP).splitlines() or [""]
        click.echo(f"{click.style(fit(name, wide), fg='bright_black')}  {first}")
        for rest in more:
            click.echo(f"{' ' * wide}  {rest}")


class Bar:
    """Progress on a terminal, on standard error; elsewhere silence."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = ""

    def __call__(self, work: str, share: float) -> None:
        filled = round(_BAR * share)
        text = f"{work} ..." if share < 0 else f"{work} [{'#' * filled}{'-' * (_BAR - filled)}] {share:4.0%}"
        if self._shown and text != self._last:
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)
            self._last = text

    def clear(self) -> None:
        if self._last:
            click.echo("\r\x1b[K", nl=False, err=True)
