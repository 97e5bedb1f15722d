"""What is new in a mail's text: history, attribution lines and closing signatures cut for display, in doubt kept.

The rules of the room: every word of the writer stays; what cannot be told from the writer's words stays; a mail that
answers nothing has no history; below our own marker only our own lines are history; a mail that had text never becomes
empty; the cost is linear in the text. The whole text is always kept beside the new text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
from mailticket.mail.ours import lines_of_ours
from mailticket.mail.values import Cut, OurLetters
from mailticket.text.patterns import lazy_pattern

MAX_TEXT = 256 * 1024  # characters that are searched for history; text beyond it shares the fate of the last of these
_QUOTE_MARKS = (">", "＞")
_QUOTES_AND_BLANKS = " \t\u00a0>＞|"
_KNOWN_SHARE = 0.6  # of the quoted lines below our marker
_LEAST_MARKER = 8  # characters of our marker that tell it
_LINES_ABOVE = 4  # our marker, in which what our HTML hides may stand, or a gateway's warning


@dataclass(slots=True)
class _Trimming:
    """The state of one pass: lines, what of them is history by its mark, the lines kept and the cuts made so far.

    below: the line from which on only marked lines are history, for our marker stands right above it.
    """

    lines: list[str]
    quoted: list[bool]
    below: int
    forwarded: bool
    attributed: dict[int, Attribution]
    new_lines: list[str] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    has_text: bool = False  # whether a kept line has text
    has_others_text: bool = False  # whether words of somebody else were kept, which may end in their signature
    last_cuts: list[int] = field(default_factory=list)  # the number of kept lines at each cut

    def keep(self, start: int, end: int) -> int:
        kept = self.lines[start:end]
        self.new_lines += kept
        self.has_text = self.has_text or any(map(str.strip, kept))
        return end

    def keep_plain(self, index: int) -> int:
        """Keep a single line, which is known to have text."""
        self.new_lines.append(self.lines[index])
        self.has_text = True
        return index + 1

    def keep_others(self, start: int, end: int) -> int:
        self.has_others_text = True
        return self.keep(start, end)

    def marker_follows(self, index: int) -> bool:
        """Whether our marker stands a few lines below a line, with a gateway's warning in between."""
        return self.below < len(self.lines) and 0 < self.below - index <= 2 * _LINES_ABOVE

    def cut(self, kind: str, start: int, end: int) -> int:
        first = next((line.strip() for line in self.lines[start:end] if line.strip()), "")
        self.cuts.append(Cut(kind, first[:200], end - start))
        self.last_cuts.append(len(self.new_lines))
        return end


def trim(
    text: str, *, marker: str = "", letters: OurLetters = OurLetters(),  # noqa: B008 (a frozen value)
    forwarded: bool = False, answers: bool = True,
) -> tuple[str, tuple[Cut, ...]]:  # fmt: skip
    """The new text of a mail and what was cut from it.

    text: the readable text of the mail. marker: the line in our own mails above which people write their answer.
    letters: what stands below it in them. forwarded: the subject says that this is a forward; then unquoted text below
    a header block is kept. answers: whether the mail answers another; if not, all that it quotes is what it is about.
    The new text consists of lines of the text (a line shared with an attribution is cut at it), blank ends removed.
    """
    limit = len(text) if len(text) <= MAX_TEXT else text.rfind("\n", 0, MAX_TEXT) + 1
    head, tail = text[:limit], text[limit:]
    lines = head.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ours = _marker_lines(lines, marker) if answers and _may_have_marker(head, marker) else None
    state, to_the_end = _pass(lines, ours, letters, forwarded)
    if not answers and state.cuts:
        return text.strip(), ()
    if not state.has_others_text and (to_the_end or not tail):
        _cut_signature(state)
    new = _joined(state.new_lines)
    if not new:
        return text.strip(), ()
    if tail and not to_the_end:
        new = f"{new}\n{tail.rstrip()}"
    return new, tuple(state.cuts)


def has_marker(text: str, marker: str) -> bool:
    """Whether our own marker line stands in the text, quoted or not."""
    head = text[:MAX_TEXT]
    return _may_have_marker(head, marker) and _marker_lines(head.splitlines(), marker) is not None


def _may_have_marker(text: str, marker: str) -> bool:
    """Whether the marker's first characters stand in the text with nothing but white space between them: few texts
    have them, and only those are looked at line by line."""
    begin = "".join(marker.split())[:_LEAST_MARKER]
    return len(begin) == _LEAST_MARKER and re.search(r"\s*".join(map(re.escape, begin)), text) is not None


def _marker_lines(lines: list[str], marker: str) -> tuple[int, int] | None:
    """The lines (end exclusive) of our own marker, quoted or not, unless a forward begins above it."""
    mark = "".join(marker.split())
    for index, line in enumerate(lines):
        if is_forward_heading(line):
            return None
        bare = "".join(line.lstrip(" \t>＞|").split())
        if bare[: len(mark)] == mark:
            return index, index + 1
        if len(bare) >= _LEAST_MARKER and mark.startswith(bare) and index + 1 < len(lines):
            two_lines = bare + "".join(lines[index + 1].lstrip(" \t>＞|").split())
            if two_lines[: len(mark)] == mark:
                return index, index + 2
    return None


def _pass(
    lines: list[str], marker: tuple[int, int] | None, letters: OurLetters, forwarded: bool
) -> tuple[_Trimming, bool]:
    """One pass over the lines: the lines kept and cut, and whether the last cut reaches the end."""
    quoted = [(">" in line or "＞" in line) and is_quoted(line) and not is_wrapped_verb(line) for line in lines]
    if marker is not None:
        _mark_ours(lines, quoted, marker, letters)
    attributed = attributions_with_bars(lines, quoted)
    below = len(lines) if marker is None else marker[1]
    state = _Trimming(lines, quoted, below, forwarded, attributed)
    plain: set[str] = set()  # lines that by themselves are neither history nor its beginning; short ones come again
    index, to_the_end = 0, False
    while index < len(lines):
        line = lines[index]
        if line in plain and not quoted[index] and index not in attributed:
            index, to_the_end = state.keep_plain(index), False
        elif not line.strip():
            index = state.keep(index, index + 1)
        elif is_forward_heading(line) and index < below:
            index = state.keep_others(index, len(lines))
        elif index in attributed:
            index, to_the_end = _attributed(state, attributed[index])
        elif quoted[index]:
            index = _quote(state, index)
            to_the_end = index == len(lines) and bool(state.cuts)
        elif not _BLOCK_STARTS.match(line):
            plain.add(line)
            index, to_the_end = state.keep_plain(index), False
        else:
            index, to_the_end = _block(state, index)
    return state, to_the_end


def _mark_ours(lines: list[str], quoted: list[bool], marker: tuple[int, int], letters: OurLetters) -> None:
    """Our own lines from the marker on become history; where all our letters are known, nothing else does."""
    start, below = marker
    first = max(start - _LINES_ABOVE, 0)
    ours = lines_of_ours(lines[first:], letters)
    again = lines_of_ours(lines[first:], OurLetters(sent=letters.said)) if letters.said else [False] * len(ours)
    history = [mine or (mark and old) for mine, mark, old in zip(ours, quoted[first:], again, strict=True)]
    marks = [at for at in range(below, len(lines)) if quoted[at] and lines[at].strip(_QUOTES_AND_BLANKS)]
    # Of a quote that we hardly know the mail program made something else: then its marks alone say what it is.
    strict = bool(letters.sent) and sum(history[at - first] for at in marks) >= _KNOWN_SHARE * len(marks)
    strangers = [at for at in marks if not history[at - first]]
    for run in _runs(strangers):
        # Of letters that are not at hand only the sentences are known, and what is written right beside one of those.
        sides = [at for at in (run[0] - 1, run[-1] + 1) if at < len(lines) and lines[at].strip(_QUOTES_AND_BLANKS)]
        beside = any(history[at - first] for at in sides if at >= below)
        for at in run:
            quoted[at] = not (strict or beside)
    for at in range(below, len(lines)):
        quoted[at] = quoted[at] or history[at - first]
    quoted[start:below] = [True] * (below - start)
    # What our HTML hides above the marker, some programs show when they quote it.
    at = start - 1
    while at >= first and (history[at - first] or not lines[at].strip()):
        quoted[at] = history[at - first]
        at -= 1


def _runs(numbers: Sequence[int]) -> Iterator[list[int]]:
    """Numbers in order, as runs of those that follow each other."""
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def is_quoted(line: str) -> bool:
    """Whether a line bears a mail program's quote mark at its beginning."""
    bare = line.lstrip(" \t\u00a0")
    return bare.startswith(_QUOTE_MARKS) and len(line) - len(bare) <= 4


def _next_text(lines: list[str], index: int) -> int:
    """The index of the first line from `index` on that has text, or the number of lines."""
    while index < len(lines) and not lines[index].strip():
        index += 1
    return index


def attributions_with_bars(lines: list[str], quoted: list[bool]) -> dict[int, Attribution]:
    """The attributions; runs of lines with bars that stand right below one are quotes too, and are marked so."""
    bars = [line[:1] == "|" and not mark for line, mark in zip(lines, quoted, strict=True)]
    if not any(bars):
        return attributions(lines, quoted)
    attributed = attributions(lines, [mark or bar for mark, bar in zip(quoted, bars, strict=True)])
    for attribution in attributed.values():
        at = _next_text(lines, attribution.end)
        while at < len(lines) and bars[at]:
            quoted[at], at = True, at + 1
    return attributions(lines, quoted)


def _attributed(state: _Trimming, attribution: Attribution) -> tuple[int, bool]:
    """Cut an attribution with what it introduces: a quote to its end, unquoted history to the end of the text."""
    following = _next_text(state.lines, attribution.end)
    if attribution.prefix:
        state.new_lines.append(attribution.prefix)
        state.has_text = True
    if following < len(state.lines) and state.quoted[following]:
        end = _quote_end(state, following)
        return state.cut("quote", attribution.start, end), end == len(state.lines)
    if following == len(state.lines):
        if state.has_text:
            return state.cut("attribution", attribution.start, following), True
        return state.keep(attribution.start, following), False
    if attribution.certain and state.marker_follows(attribution.end):
        return state.cut("attribution", attribution.start, attribution.end), False
    if attribution.certain and _history_to_the_end(state, attribution.start):
        return state.cut("history", attribution.start, len(state.lines)), True
    return state.keep_others(attribution.start, attribution.end), False


def _history_to_the_end(state: _Trimming, start: int) -> bool:
    """Whether unquoted text below may be cut: new text stands above, and it does not point at what is below."""
    return (
        state.has_text
        and start < state.below == len(state.lines)
        and not state.forwarded
        and not points_down("\n".join(line[-300:] for line in state.new_lines[-40:]))
    )


def _quote(state: _Trimming, start: int) -> int:
    """Cut a quote without attribution, unless it looks like something that the writer typed."""
    end = _quote_end(state, start)
    run = [line.strip() for line in state.lines[start:end] if line.strip()]
    if start < state.below and any(is_forward_heading(line) for line in run[:3]):
        return state.keep_others(start, len(state.lines))
    if is_quoted(state.lines[start]) and _is_typed(run):
        return state.keep(start, end)
    return state.cut("quote" if start < state.below - 1 else "below the marker", start, end)


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


_BLOCK_STARTS = lazy_pattern(r"[\s>|*_]{0,12}[^\W\d_][^:：|]{0,28}[:：|]|\s*[-_=—–─━*|]")


def _block(state: _Trimming, index: int) -> tuple[int, bool]:
    """A line that may begin a block of history: a separator, a header block, a rule above one, or text after all."""
    head, separated = index, False
    for line in state.lines[index : index + 6]:
        if not is_rule(line) and (line.strip() or head == index):
            if not is_separator(line):
                break
            separated = True
        head += 1
    block_end = header_block(state.lines, head)
    if block_end == head and not separated:
        return state.keep(index, index + 1), False
    following = _next_text(state.lines, block_end)
    if following in state.attributed and block_end == head and state.has_text:
        return state.cut("header block", index, following), False
    if following < len(state.lines) and state.quoted[following]:
        end = _quote_end(state, following)
        return state.cut("header block", index, end), end == len(state.lines)
    if block_end > head and state.marker_follows(block_end):
        return state.cut("header block", index, block_end), False
    if _history_to_the_end(state, index):
        return state.cut("header block", index, len(state.lines)), True
    return state.keep_others(index, max(block_end, index + 1)), False


def _cut_signature(state: _Trimming) -> None:
    """Cut the signature that ends the new text, whatever history stands below it."""
    last = len(state.new_lines)
    while last and not state.new_lines[last - 1].strip():
        last -= 1
    begin = max((at for at in state.last_cuts if at < last), default=0)
    start = signature_start(state.new_lines[:last], begin)
    if start is None or not any(line.strip() for line in state.new_lines[:start]):
        return
    first = next(line.strip() for line in state.new_lines[start:last] if line.strip())
    state.cuts.append(Cut("signature", first[:200], last - start))
    del state.new_lines[start:]


def _joined(lines: list[str]) -> str:
    """The kept lines as text: blank ends removed, no more than two blank lines together."""
    out: list[str] = []
    blanks = 0
    for line in map(str.rstrip, lines):
        blanks = 0 if line else blanks + 1
        if blanks <= 2:
            out.append(line)
    return "\n".join(out).strip("\n").rstrip()
