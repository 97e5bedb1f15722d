"""Which lines of a reply are ours: compared with the words of our letters, however they were quoted or wrapped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailticket.mail.values import SLOT, OurLetters
from mailticket.text.patterns import lazy_pattern

MAX_PASSAGES = 400_000  # characters of our letters that are compared with
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = lazy_pattern(rf"\0|[{_CJK}]|[^\W_{_CJK}]+")
_LEAD = " \t\u00a0>＞|"
_DECORATION = frozenset("-=_*•·|—–─━ \t\u00a0>＞")
_LONGEST_VALUE = 4  # words of a value that is no date
_LONGEST_DATE = 60  # words of a window of time
_NUMBER = lazy_pattern(r"\d{1,2}|20\d\d")

Run = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Index:
    """The passages as they are looked up: runs of three words, whole lines, and those that a value follows."""

    runs: frozenset[Run]
    lines: frozenset[Run]
    dates: frozenset[str]


def words(text: str) -> Run:
    """The words of a text as they are compared: case and punctuation do not count, a Han character is a word."""
    return tuple(word for word in _WORD.findall(text.casefold()) if word != "mailto")


def lines_of_ours(lines: Sequence[str], letters: OurLetters) -> list[bool]:
    """For each line, whether all of it stands in our letters. Linear in the lines and the letters."""
    index = _index(letters)
    stream: list[str] = []
    spans: list[tuple[int, int]] = []
    for line in lines:
        begin = len(stream)
        stream += words(line.lstrip(_LEAD))
        spans.append((begin, len(stream)))
    covered = _covered(stream, index)
    ours: list[bool] = []
    below_ours = False  # whether the nearest line with words above is ours
    for line, (begin, end) in zip(lines, spans, strict=True):
        if begin == end:
            ours.append(below_ours and line.strip() != "" and set(line) <= _DECORATION)
            continue
        below_ours = all(covered[begin:end]) or tuple(stream[begin:end]) in index.lines
        ours.append(below_ours)
    return ours


def _covered(stream: Sequence[str], index: _Index) -> list[bool]:
    """Which words belong to a run of ours, or to a value in the midst of one."""
    covered = [False] * len(stream)
    for at in range(len(stream) - 2):
        if (stream[at], stream[at + 1], stream[at + 2]) in index.runs:
            covered[at] = covered[at + 1] = covered[at + 2] = True
    for at in range(2, len(stream)):
        if (stream[at - 2], stream[at - 1], SLOT) in index.runs:
            end = _value_end(stream, at, index)
            if end > at:
                covered[at - 2 : end] = [True] * (end - at + 2)
    return covered


def _value_end(stream: Sequence[str], at: int, index: _Index) -> int:
    """Where the value ends that stands at `at`, with our word behind it; without one only a date is known as ours."""
    for end in range(at + 1, min(at + _LONGEST_VALUE + 1, len(stream))):
        if (stream[at - 1], SLOT, stream[end]) in index.runs:
            return end + 1
    end = at
    while end < min(at + _LONGEST_DATE, len(stream)) and _is_of_date(stream[end], index):
        end += 1
    return end


def _is_of_date(word: str, index: _Index) -> bool:
    return word in index.dates or _NUMBER.fullmatch(word) is not None


def _index(letters: OurLetters) -> _Index:
    known = _of_templates(letters.passages, letters.dates)
    if not letters.sent:
        return known
    sent = _build(letters.sent, shortest_line=2)  # "Yes." and "1" are ours only where they stand in a letter
    return _Index(known.runs | sent.runs, known.lines | sent.lines, known.dates)


@lru_cache(maxsize=4)
def _of_templates(passages: tuple[str, ...], dates: str) -> _Index:
    return _build(passages, dates)


def _build(passages: Iterable[str], dates: str = "", *, shortest_line: int = 1) -> _Index:
    runs: set[Run] = set()
    lines: set[Run] = set()
    rest = MAX_PASSAGES
    for passage in passages:
        text = passage[:rest]
        rest -= len(text)
        run = words(text)
        runs.update(zip(run, run[1:], run[2:], strict=False))
        for line in text.split("\n"):
            whole = words(line.lstrip(_LEAD))
            lines |= {whole, tuple(word for word in whole if word != SLOT)}
    full = frozenset(line for line in lines if len(line) >= shortest_line and not all(word.isdigit() for word in line))
    return _Index(frozenset(runs), full, frozenset(_date_words(dates)))


def _date_words(text: str) -> Iterable[str]:
    for word in words(text):
        yield word
        yield word[:3]  # "Mon", "Nov"
