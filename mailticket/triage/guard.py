"""The guard before every answer: what is in its way, in codes with a sentence beside each. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from mailticket.mail.address import address_key
from mailticket.secrets import masking
from mailticket.text.words import folded
from mailticket.triage.marks import shows_mark
from mailticket.triage.ticket_keys import find_keys

Code = Literal[
    "collision", "assigned", "recipient", "staff_address", "mark", "ticket_id", "note", "secret", "bounced", "too_large"
]

LOOKED_AT: tuple[Code, ...] = ("collision", "assigned")
"""What a writer who sends a held answer has looked at; whatever else was in its way must be sent anyway."""
_NOTE_LETTERS = 60  # letters of a note that make an answer look like it; a Chinese character counts for two


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One thing in the way of an answer: a code for programs, a sentence for people."""

    code: Code
    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that somebody has given already."""

    by: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before it leaves, with what the desk knows of its ticket.

    writer: the member or account who writes. newer: answers of others that the writer has not seen. own_keys: the IDs
    of this ticket and of those merged into it. enclosed: what a person can read of the files that go with it. notes:
    the texts of the ticket's notes. copies: with a Cc, all whom it shows to each other. strangers: of those who would
    get it, whoever it was not written to, and whom it was written to instead. bounced: which of the recipients'
    addresses do not take mail, and why. size, most: bytes of all files together, and how many may be.
    """

    writer: str
    text: str
    key: str
    assigned_to: str = ""
    newer: tuple[Given, ...] = ()
    own_keys: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    staff_addresses: frozenset[str] = frozenset()
    enclosed: str = ""
    notes: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    meant_for: str = ""
    bounced: tuple[tuple[str, str], ...] = ()
    size: int = 0
    most: int = 0


def hindrances(draft: Draft) -> tuple[Hindrance, ...]:
    """All that is in the way of an answer, the gravest first; () lets it leave."""
    return (*_of_the_ticket(draft), *indiscretions(draft), *_of_the_way(draft))


def _of_the_ticket(draft: Draft) -> Iterable[Hindrance]:
    if draft.newer:
        last = draft.newer[-1]
        yield Hindrance("collision", f"{last.by or 'a colleague'} answered at {last.at:%Y-%m-%d %H:%M} UTC")
    if draft.assigned_to not in ("", draft.writer):
        yield Hindrance("assigned", f"{draft.key} is {draft.assigned_to}'s")
    if draft.strangers:
        yield Hindrance(
            "recipient", f"it was written to {draft.meant_for}, and would go to {', '.join(draft.strangers)}"
        )


def indiscretions(draft: Draft) -> Iterable[Hindrance]:
    """What a text says that its readers may not know, however it is spelt, as long as a person can read it."""
    legible = _legible(draft.text)
    enclosed = _legible(draft.enclosed)
    shown = "\n".join((legible, enclosed, *map(address_key, draft.copies)))
    for address in sorted(draft.staff_addresses):
        if _spellings(address).search(shown):
            yield Hindrance("staff_address", f"it shows {address}, an address of staff")
    if shows_mark(shown):
        yield Hindrance("mark", "it shows the signature of a mail to staff, by which they answer")
    for key in find_keys(legible, draft.prefixes, len(legible)):
        if key not in draft.own_keys:
            yield Hindrance("ticket_id", f"it contains {key}, the ID of another ticket")
    if shares_words(draft.text, draft.notes) or shares_words(enclosed, draft.notes):
        yield Hindrance("note", "it contains words of a note that only staff see")
    kinds = masking.mask(draft.text, least="sure").sure
    if kinds:
        yield Hindrance("secret", f"it contains a secret: {', '.join(kinds)}")


def _of_the_way(draft: Draft) -> Iterable[Hindrance]:
    for address, why in draft.bounced:
        yield Hindrance("bounced", f"mail to {address} bounces: {why}")
    if draft.size > draft.most:
        yield Hindrance("too_large", f"its files have {_megabytes(draft.size)}, and [desk] attach_mb allows "
                        f"{_megabytes(draft.most)}")  # fmt: skip


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def shares_words(text: str, notes: Sequence[str]) -> bool:
    """Whether a text repeats 60 letters of one of the notes in a row, whatever blanks and line ends are between."""
    mine = _letters(text)
    if len(mine) < _NOTE_LETTERS:
        return False
    pieces = {mine[start : start + _NOTE_LETTERS] for start in range(len(mine) - _NOTE_LETTERS + 1)}
    return any(
        theirs[start : start + _NOTE_LETTERS] in pieces
        for theirs in map(_letters, notes)
        for start in range(len(theirs) - _NOTE_LETTERS + 1)
    )


def _letters(text: str) -> str:
    """The letters and digits of a text without case; wide characters twice, for one says as much as two letters."""
    legible = _legible(text)
    return "".join(c * 2 if unicodedata.east_asian_width(c) in "WF" else c for c in legible if c.isalnum())


def _legible(text: str) -> str:
    """A text as a person reads it: no case and width, simplified Chinese, references of HTML resolved, and none of the
    characters that only direct or join others (Unicode's category Cf)."""
    plain = html.unescape(text)
    if not plain.isascii():
        plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    return folded(plain)


_AT = r"(?:@|%40|[(\[{<]\s*at\s*[)\]}>]|\bat\b|艾特)"
_DOT = r"(?:\.|[(\[{<]\s*dot\s*[)\]}>]|\bdot\b|。|点)"


@lru_cache(maxsize=1_000)
def _spellings(address: str) -> re.Pattern[str]:
    """How people write an address, in a legible text: with blanks and line ends, with words for its signs, and with a
    tag behind its name, by which mail reaches it too (RFC 5233)."""
    local, _, domain = _legible(address).rpartition("@")
    name, host, shown = (
        r"\s*".join(_DOT if c == "." else re.escape(c) for c in part) for part in (local, domain, _u_labels(domain))
    )
    return re.compile(rf"(?<![a-z0-9._%+-]){name}\s*(?:\+[\w.+-]{{0,64}}\s*)?{_AT}\s*(?:{host}|{shown})(?![a-z0-9])")


def _u_labels(domain: str) -> str:
    """A domain as people write it, in their own script."""
    try:
        return _legible(domain.encode("ascii").decode("idna"))
    except UnicodeError:
        return domain
