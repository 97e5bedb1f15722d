"""What a staff member wrote in answer to a desk mail: the cut that in doubt says so, for what it keeps may leave.

The cut for requesters (see mail.quoting) keeps in doubt, since nothing is lost by showing too much. Here whatever is
kept goes to a requester, and what they wrote must never pass for a member's word or command.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mailticket.mail.address import address_key
from mailticket.mail.attribution import Attribution, is_wrapped_verb
from mailticket.mail.claimed import is_ours
from mailticket.mail.closing import without_closing
from mailticket.mail.desk_marker import find_any_marker, is_opening, marker_span
from mailticket.mail.headings import MAX_LINE, header_fields, is_forward_heading, is_rule, is_separator
from mailticket.mail.quoting import attributions_with_bars, is_quoted
from mailticket.mail.values import Mail, Ourselves
from mailticket.text.patterns import lazy_pattern

MAX_TEXT = 256 * 1024  # characters that are looked at; an answer longer than that is held

CutCode = Literal[
    "marker", "top-posted", "nothing-quoted",  # sure
    "empty", "bottom-posted", "inline", "points-down", "no-marker", "other-marker", "heading", "forward", "signature",
    "unreadable", "too-long",
]  # fmt: skip

_SURE = frozenset(("marker", "top-posted", "nothing-quoted"))


@dataclass(frozen=True, slots=True)
class StaffCut:
    """What of a staff mail is its writer's.

    text: the new words, which stand above everything else; "" where there are none. sure: whether they may leave as
    they are. why: by what the cut was made, or what makes it doubtful. below_marker: whether the marker was there.
    beneath: of an answer that stands below or between quoted lines, the words that stand there, for its writer to
    look at; never commands.
    """

    text: str
    sure: bool
    why: CutCode
    below_marker: bool = False
    beneath: str = ""


def staff_cut(mail: Mail, ourselves: Ourselves, symbols: str, names: Collection[str] = ()) -> StaffCut:
    """What a member wrote in a mail that answers a desk mail. Linear in the mail.

    symbols: of the desk mail's marker (`Mark.symbols`), "" where the mail leads to none. names: what the desk's mails
    show as sender beside the support address ("via CoinHarbor"), since some programs leave the address out.
    """
    if mail.encrypted or mail.borrowed:
        return StaffCut("", sure=False, why="unreadable" if mail.encrypted else "empty")
    text = mail.text
    start, end = (marker_span(text, symbols) if symbols else None) or (len(text), -1)
    if start > MAX_TEXT:
        return StaffCut("", sure=False, why="too-long", below_marker=end >= 0)
    us = _Us(ourselves, tuple(name.casefold() for name in names if name.strip()))
    if end < 0:
        return _without_marker(_lines(text), us)
    marked = is_quoted(text[start:end])
    beneath = _lines(text[end : end + MAX_TEXT])[1:]  # what the marker's own line ends with says nothing
    return _above_marker(_lines(text[:start]), _unquoted(beneath) if marked else [], marked, us)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


_Kind = Literal["", "text", "quote", "opening", "heading"]
_ADDRESS = lazy_pattern(r"[^\s<>()\[\]\"',;:|@]{1,100}@[^\s<>()\[\]\"',;:|@]{1,200}")
# HCL Notes writes "Ann Lee ---02/11/2026 10:15:22---the first words of the mail" above its header block.
_NOTES = lazy_pattern(r".{0,120}?-{2,3}\s?\d{1,4}[./-]\d{1,2}[./-]\d{1,4}[^-]{0,30}-{2,3}.{0,400}")
_BANNER = lazy_pattern(
    r"\bcaution\b|\bexternal\b|\bwarning\b|\boutside (?:of )?(?:the|your|our)\b|do(?:n't| not) (?:often )?(?:click|get)"
    r"|often get e-?mail|learn why this is important|外部|谨慎|謹慎|警告|来自外|來自外|钓鱼|釣魚",
    re.IGNORECASE,
)
_POINTS_DOWN = lazy_pattern(
    r"(?:comments?|answers?|repl(?:y|ies)|remarks?|mine) (?:\w+ ){0,4}?(?:below|inline|in-line|in (?:red|blue))"
    r"|\bsee (?:\w+ )?below\b|\binline\b|between the lines|见下文|見下文|见下方|見下方|红字|紅字|红色字|蓝字|藍字",
    re.IGNORECASE,
)
_POINTING_END = 250  # characters: who points at what is quoted says little else after it
_NAMING_LINES = 12  # in which an attribution or header of an unknown language may name us


@dataclass(frozen=True, slots=True)
class _Us:
    """By what a heading is known to be of a desk mail."""

    ourselves: Ourselves
    names: tuple[str, ...]

    def named_in(self, text: str) -> bool:
        folded = text.casefold()
        return any(name in folded for name in self.names) or any(
            is_ours(address_key(address.rstrip(".")), self.ourselves) for address in _ADDRESS.findall(text)
        )


@dataclass(slots=True)
class _Page:
    """Lines with the kind of each; what stands before an attribution on its first line; the headings' senders."""

    lines: list[str]
    kinds: list[_Kind] = field(default_factory=list)
    prefixes: dict[int, str] = field(default_factory=dict)
    senders: dict[int, str] = field(default_factory=dict)  # by the first line of each heading

    def own(self, end: int) -> list[str]:
        """The lines above a heading, with the words that stand before it on its line."""
        return self.lines[:end] + ([self.prefixes[end]] if end in self.prefixes else [])


def _page(lines: list[str], marker_below: bool) -> _Page:
    """Each line's kind. marker_below: our marker follows the last line, so that an attribution may end there."""
    quoted = [is_quoted(line) and not is_wrapped_verb(line) for line in lines]
    openings = _openings(lines)
    marks = [mark or at in openings for at, mark in enumerate(quoted)]
    attributed = attributions_with_bars([*lines, "> "], [*marks, marker_below])
    page = _Page(lines)
    page.kinds = [
        "" if not line.strip() else "quote" if mark else "text" for line, mark in zip(lines, marks, strict=True)
    ]
    for at in openings:
        page.kinds[at] = "opening"
    at = 0
    while at < len(lines):
        end = _heading_end(page, at, attributed) if page.kinds[at] == "text" else at
        at = max(at + 1, end)
    _take_rules(page)
    return page


def _heading_end(page: _Page, at: int, attributed: dict[int, Attribution]) -> int:
    """The end of a heading that begins at a line, which is noted in the page; `at` where none does."""
    line, lines = page.lines[at], page.lines
    if at in attributed:
        end, sender = attributed[at].end, " ".join(lines[at : attributed[at].end])
        if attributed[at].prefix:
            page.prefixes[at] = attributed[at].prefix
    elif is_forward_heading(line) or is_separator(line):
        end, sender = at + 1, line
    elif len(line) <= 2 * MAX_LINE and _NOTES.fullmatch(line):
        end, sender = at + 1, line.partition("---")[0]
    else:
        end, fields = header_fields(lines, at)
        sender = fields.get("from", "")
    if end > at:
        page.senders[at] = sender
        page.kinds[at:end] = ["heading" if line.strip() else "" for line in lines[at:end]]
    return end


def _openings(lines: list[str]) -> frozenset[int]:
    """The first line of a desk mail, with the lines that it was wrapped into."""
    numbers: set[int] = set()
    for at, line in enumerate(lines):
        if is_opening(line):
            end = at + 1
            while end < min(at + 3, len(lines)) and lines[end].strip(" \t\u00a0>＞|"):
                end += 1
            numbers.update(range(at, end))
    return frozenset(numbers)


def _take_rules(page: _Page) -> None:
    """A rule right above a heading is part of it."""
    below: _Kind = ""
    for at in range(len(page.lines) - 1, -1, -1):
        if page.kinds[at] == "text" and below in ("heading", "opening") and is_rule(page.lines[at]):
            page.kinds[at] = below
            page.senders[at] = ""
        below = page.kinds[at] or below


def _above_marker(lines: list[str], strangers: list[str], marked: bool, us: _Us) -> StaffCut:
    """The cut where the marker is there; `lines` stand above it.

    marked: it bears quote marks, so that what bears none below it was written by somebody: strangers.
    """
    page = _page(lines, marker_below=True)
    start, headed = _history_start(page)
    end = next((at for at in range(start) if page.kinds[at] not in ("", "text")), start)
    own, sure = without_closing(page.own(end))
    words = _joined(own)
    between = [line for at, line in enumerate(lines[end:start], start=end) if page.kinds[at] == "text"]
    strangers = between + strangers
    code: CutCode = "marker" if sure else "signature"
    if strangers:
        code = "inline"
    elif any(map(is_forward_heading, lines[end:])):
        code = "forward"
    elif not headed and us.named_in("\n".join(own[-_NAMING_LINES:])):
        code = "heading"
    elif not marked and _points_down(words):
        code = "points-down"
    return _result(words, code, strangers, below_marker=True)


def _result(words: str, code: CutCode, strangers: list[str], *, below_marker: bool) -> StaffCut:
    """The cut as it is handed out: none is sure without words, or with the words of another marker above it."""
    other = find_any_marker(words)
    if not words:
        code = "bottom-posted" if strangers else "empty"
    elif other is not None:
        words, code = words[:other].rstrip(), "other-marker"
    return StaffCut(words, code in _SURE, code, below_marker, _joined(strangers))


def _history_start(page: _Page) -> tuple[int, bool]:
    """Where the history begins that reaches down to the marker, and whether a heading stands in it.

    A gateway's warning belongs to it where it stands below a heading, as in a mail that came from outside.
    """
    start, headed = len(page.lines), False
    for at in range(len(page.lines) - 1, -1, -1):
        kind = page.kinds[at]
        if kind == "text" and not _BANNER.search(page.lines[at][:500]):
            break
        if kind in ("quote", "opening", "heading"):
            start = at
            headed = headed or kind != "opening"
    return start, headed


def _without_marker(lines: list[str], us: _Us) -> StaffCut:
    """The cut where no marker is there: sure only where nothing is quoted, or plainly below what was written."""
    page = _page(lines, marker_below=False)
    end = next((at for at, kind in enumerate(page.kinds) if kind not in ("", "text")), len(lines))
    own, sure = without_closing(page.own(end))
    words = _joined(own)
    strangers: list[str] = []
    code: CutCode = "no-marker" if us.named_in(words) else "nothing-quoted"
    if end == len(lines) and code == "nothing-quoted" and find_any_marker("\n".join(lines)) is not None:
        code = "other-marker"
    elif end < len(lines):
        code, strangers = _below_heading(page, end, us, words)
    return _result(words, "signature" if code in _SURE and not sure else code, strangers, below_marker=False)


def _below_heading(page: _Page, start: int, us: _Us, words: str) -> tuple[CutCode, list[str]]:
    """Whether what begins at a line is plainly the desk mail, and the words of somebody between or below its quote."""
    end = start
    senders: list[str] = []
    while end < len(page.lines) and page.kinds[end] in ("", "heading", "opening"):
        senders.append(page.senders.get(end, ""))
        end += 1
    if any(map(is_forward_heading, page.lines[start : end + 1])):
        return "forward", []
    if end < len(page.lines) and page.kinds[end] == "quote":
        strangers = _unquoted(page.lines[end:])
        return ("inline" if strangers else "top-posted"), strangers
    # Our first line alone may be the member's own words; below a heading it is ours.
    if not us.named_in("\n".join(senders)) and not {"heading", "opening"} <= set(page.kinds[start:end]):
        return "no-marker", []
    return ("points-down" if _points_down(words) else "top-posted"), []


def _unquoted(lines: Sequence[str]) -> list[str]:
    """The lines of text that bear no quote mark, without what closes a mail."""
    own = [line for line in lines if not is_quoted(line)]
    kept, _ = without_closing(own)
    return [line for line in kept if line.strip()]


def _points_down(words: str) -> bool:
    """Whether the writer points at what stands below, where answers between the lines cannot be told from them."""
    return _POINTS_DOWN.search(words[-_POINTING_END:]) is not None


def _joined(lines: Sequence[str]) -> str:
    """Lines as text: no blanks at their ends, no empty lines around them, no more than one between."""
    kept = [line.rstrip() for line in lines]
    return "\n".join(line for at, line in enumerate(kept) if line or (at and kept[at - 1])).strip("\n").rstrip()
