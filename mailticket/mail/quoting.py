"""What is new in a mail's text: history, attribution lines and closing signatures cut for display, in doubt kept.

The rules of the room: every word of the writer stays; what cannot be told from the writer's words stays; a mail that
had text never becomes empty; the cost is linear in the text. The whole text is always kept beside the new text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mailticket.mail.attribution import Attribution, attributions, is_wrapped_verb
from mailticket.mail.headings import (
    header_block,
    is_forward_heading,
    is_rule,
    is_separator,
    points_down,
    signature_start,
)
from mailticket.mail.values import Cut

MAX_TEXT = 256 * 1024  # characters that are searched for history; text beyond it shares the fate of the last of these
_QUOTE_MARKS = (">", "＞")


@dataclass(slots=True)
class _Trimming:
    """The state of one pass: lines, what of them is quoted, the lines kept so far and the cuts made so far."""

    lines: list[str]
    quoted: list[bool]
    forwarded: bool
    attributed: dict[int, Attribution]
    new_lines: list[str] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    has_text: bool = False  # whether a kept line has text
    lines_at_last_cut: int = 0

    def keep(self, start: int, end: int) -> int:
        for line in self.lines[start:end]:
            self.new_lines.append(line)
            self.has_text = self.has_text or bool(line.strip())
        return end

    def cut(self, kind: str, start: int, end: int) -> int:
        first = next((line.strip() for line in self.lines[start:end] if line.strip()), "")
        self.cuts.append(Cut(kind, first[:200], end - start))
        self.lines_at_last_cut = len(self.new_lines)
        return end


def trim(text: str, *, marker: str = "", forwarded: bool = False) -> tuple[str, tuple[Cut, ...]]:
    """The new text of a mail and what was cut from it.

    text: the readable text of the mail. marker: the line in our own mails above which people write their answer.
    forwarded: the subject says that this is a forward; then unquoted text below a header block is kept.
    The new text consists of lines of the text (a line shared with an attribution is cut at it), blank ends removed.
    """
    limit = len(text) if len(text) <= MAX_TEXT else text.rfind("\n", 0, MAX_TEXT) + 1
    head, tail = text[:limit], text[limit:]
    lines = head.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    above = _above_marker(lines, marker)
    if above is not None:
        new, cuts, _ = _trim_lines(lines[:above], forwarded, history_follows=True)
        if new:
            first = lines[above].strip()[:200]
            return new, (*cuts, Cut("below the marker", first, len(lines) - above))
    new, cuts, to_the_end = _trim_lines(lines, forwarded, history_follows=False, more_follows=bool(tail))
    if not new:
        return text.strip(), ()
    if tail and not to_the_end:
        new = f"{new}\n{tail.rstrip()}"
    return new, tuple(cuts)


def _above_marker(lines: list[str], marker: str) -> int | None:
    """The index of our own marker line, quoted or not, unless a forward begins above it."""
    mark = "".join(marker.split())
    if len(mark) < 8:
        return None
    for index, line in enumerate(lines):
        if is_forward_heading(line):
            return None
        bare = "".join(line.lstrip(" \t>＞|").split())
        if bare[: len(mark)] == mark:
            return index
        if bare and len(bare) >= 8 and mark.startswith(bare) and index + 1 < len(lines):
            two_lines = bare + "".join(lines[index + 1].lstrip(" \t>＞|").split())
            if two_lines[: len(mark)] == mark:
                return index
    return None


def _trim_lines(
    lines: list[str], forwarded: bool, *, history_follows: bool, more_follows: bool = False
) -> tuple[str, list[Cut], bool]:
    """One pass over the lines: the new text, the cuts, and whether the last cut reaches the end."""
    quoted = [_is_quoted(line) and not is_wrapped_verb(line) for line in lines]
    attributed = attributions(lines, quoted)
    state = _Trimming(lines, quoted, forwarded, attributed)
    index, to_the_end = 0, False
    while index < len(lines):
        line = lines[index]
        if not line.strip():
            index = state.keep(index, index + 1)
        elif is_forward_heading(line):
            index = state.keep(index, len(lines))
        elif index in attributed:
            index, to_the_end = _attributed(state, attributed[index], history_follows=history_follows)
        elif quoted[index]:
            index = _quote(state, index)
        else:
            index, to_the_end = _plain(state, index)
    if not to_the_end and not more_follows:
        _cut_signature(state)
    return _joined(state.new_lines), state.cuts, to_the_end


def _is_quoted(line: str) -> bool:
    bare = line.lstrip(" \t\u00a0")
    return bare.startswith(_QUOTE_MARKS) and len(line) - len(bare) <= 4


def _next_text(lines: list[str], index: int) -> int:
    """The index of the first line from `index` on that has text, or the number of lines."""
    while index < len(lines) and not lines[index].strip():
        index += 1
    return index


def _attributed(state: _Trimming, attribution: Attribution, *, history_follows: bool) -> tuple[int, bool]:
    """Cut an attribution with what it introduces: a quote to its end, unquoted history to the end of the text."""
    following = _next_text(state.lines, attribution.end)
    if attribution.prefix:
        state.new_lines.append(attribution.prefix)
        state.has_text = True
    if following < len(state.lines) and state.quoted[following]:
        end = _quote_end(state, following)
        return state.cut("quote", attribution.start, end), end == len(state.lines)
    if following == len(state.lines):
        if state.has_text or history_follows:
            return state.cut("attribution", attribution.start, following), True
        return state.keep(attribution.start, following), False
    if attribution.certain and _history_to_the_end(state):
        return state.cut("history", attribution.start, len(state.lines)), True
    return state.keep(attribution.start, attribution.end), False


def _history_to_the_end(state: _Trimming) -> bool:
    """Whether unquoted text below may be cut: new text stands above, and it does not point at what is below."""
    return (
        state.has_text
        and not state.forwarded
        and not points_down("\n".join(line[-300:] for line in state.new_lines[-40:]))
    )


def _quote(state: _Trimming, start: int) -> int:
    """Cut a quote without attribution, unless it looks like something that the writer typed."""
    end = _quote_end(state, start)
    run = [line.strip() for line in state.lines[start:end] if line.strip()]
    if any(is_forward_heading(line) for line in run[:3]):
        return state.keep(start, len(state.lines))
    if _is_typed(run):
        return state.keep(start, end)
    return state.cut("quote", start, end)


def _is_typed(run: list[str]) -> bool:
    """A Python prompt, ">>> text <<<", or a single ">100": marks that no mail program set."""
    if all(line.startswith(">>>") and not line.startswith(">>>>") for line in run):
        return True
    return len(run) == 1 and (
        run[0].endswith("<") or (len(run[0]) > 1 and run[0][1] not in "> \t|\u00a0" and run[0][1:2].isdigit())
    )


def _quote_end(state: _Trimming, start: int) -> int:
    """The end (exclusive) of the quote that begins at `start`; blank lines inside it belong to it.

    A line that a gateway broke off a quoted line (a lone end of a link) counts as quoted between quoted lines.
    """
    end = index = start
    while index < len(state.lines):
        if state.quoted[index]:
            index += 1
            end = index
        elif not state.lines[index].strip() or (index == end and _is_broken_link(state, index)):
            index += 1
        else:
            break
    return end if _next_text(state.lines, end) < len(state.lines) else len(state.lines)


def _is_broken_link(state: _Trimming, index: int) -> bool:
    bare = state.lines[index].strip()
    between = 0 < index < len(state.lines) - 1 and state.quoted[index - 1] and state.quoted[index + 1]
    return between and " " not in bare.rstrip("> ") and ("://" in bare or (bare.endswith(")") and "=" in bare))


_BLOCK_STARTS = re.compile(r"[\s>|*_]{0,12}[^\W\d_][^:：|]{0,28}[:：|]|\s*[-_=—–─━*|]")


def _plain(state: _Trimming, index: int) -> tuple[int, bool]:
    """A line that is neither quoted nor an attribution: a separator, a header block, a rule above one, or text."""
    if not _BLOCK_STARTS.match(state.lines[index]):
        return state.keep(index, index + 1), False
    head = index
    while head < min(index + 6, len(state.lines)) and (
        is_separator(state.lines[head])
        or is_rule(state.lines[head])
        or (head > index and not state.lines[head].strip())
    ):
        head += 1
    separated = any(is_separator(line) for line in state.lines[index:head])
    block_end = header_block(state.lines, head)
    if block_end == head and not separated:
        return state.keep(index, index + 1), False
    following = _next_text(state.lines, block_end)
    if following in state.attributed and block_end == head and state.has_text:
        return state.cut("header block", index, following), False
    if following < len(state.lines) and state.quoted[following]:
        end = _quote_end(state, following)
        return state.cut("header block", index, end), end == len(state.lines)
    if _history_to_the_end(state):
        return state.cut("header block", index, len(state.lines)), True
    return state.keep(index, max(block_end, index + 1)), False


def _cut_signature(state: _Trimming) -> None:
    start = signature_start(state.new_lines, state.lines_at_last_cut)
    if start is None or not any(line.strip() for line in state.new_lines[:start]):
        return
    first = next(line.strip() for line in state.new_lines[start:] if line.strip())
    state.cuts.append(Cut("signature", first[:200], len(state.new_lines) - start))
    del state.new_lines[start:]


def _joined(lines: list[str]) -> str:
    """The kept lines as text: blank ends removed, no more than two blank lines together."""
    out: list[str] = []
    blanks = 0
    for line in lines:
        blanks = 0 if line.strip() else blanks + 1
        if blanks <= 2:
            out.append(line.rstrip() if line.strip() else "")
    return "\n".join(out).strip("\n").rstrip()
