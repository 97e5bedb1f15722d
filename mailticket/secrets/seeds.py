"""Seed phrases of wallets: runs of words of a BIP-39 list, by their checksum or by the wording around them."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from itertools import repeat
from string import ascii_lowercase

from mnemonic import Mnemonic

from mailticket.secrets.spans import Reading, Secret
from mailticket.text.patterns import lazy_pattern
from mailticket.text.words import HAN, is_han

SIZES = (24, 21, 18, 15, 12)  # BIP-39: 128 to 256 bits of entropy
_LONGEST_GAP = 16  # characters between two words of a phrase: blanks, commas, numbering
_WORDING_BEFORE = 160
_WORDING_AFTER = 80
_LEAST_WORDED = 10  # list words that make a phrase when wording says that it is one: people drop or misspell a word

_MARKS = "\u0300-\u036f\u3099\u309a"  # combining ones, where a mail program has taken letters apart
_LETTERED = rf"(?:[^\W\d_{HAN}][{_MARKS}]*){{2,20}}"
_WORD = lazy_pattern(rf"[{HAN}]|{_LETTERED}")
_TOKEN = lazy_pattern(rf"[{HAN}]+|{_LETTERED}")
_TOKEN_WITHOUT_MARKS = lazy_pattern(rf"[{HAN}]+|[^\W\d_{HAN}]{{2,20}}")  # a fifth of the time
# All of Unicode's combining blocks: the engine looks characters of several ranges up at once, in half the time.
_COMBINING = lazy_pattern(f"[{_MARKS}\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_LETTER = lazy_pattern(r"[^\W\d_]|@")
_ACCENT = lazy_pattern("[\u0300-\u036f]")
_WORDING = lazy_pattern(
    r"seed|mnemonic|(?:recovery|backup|back-up|secret|wallet)\s{0,2}(?:phrase|words?|key)|bip-?\s?39|"
    r"(?:12|24|twelve|twenty[ -]?four)\s"
    r"{0,2}words?|助记词|助記詞|助记|注记词|恢复词|恢復詞|种子|種子|词组|詞組|密语|私钥短语|(?:12|24|十二|"
    r"二十四)\s?个(?:单|英文)?(?:单)?词",
    re.IGNORECASE,
)
PATTERNS = (_WORDING,)


@cache
def _lists() -> Mapping[str, Mapping[str, int]]:
    """The word lists, as language to word to index; both forms of Chinese have the same indexes. They are read once
    from a package's own files, and never change: no input of ours can make this read anything else, so the room stays
    pure for whoever calls it."""
    lists: dict[str, dict[str, int]] = {}
    for language in sorted(Mnemonic.list_languages()):
        words = {_plain(word): index for index, word in enumerate(Mnemonic(language).wordlist)}
        lists.setdefault(language.partition("_")[0], {}).update(words)
    return lists


@cache
def _lettered() -> frozenset[str]:
    """The words of all lists but the Chinese one, whose words are any text's characters."""
    return frozenset().union(*(words for language, words in _lists().items() if language != "chinese"))


def _plain(word: str) -> str:
    """A word without case and accents, which people leave out: no two words of a list differ by them alone."""
    if word.isascii():
        return word.lower()
    if is_han(word):
        return word
    bare = _ACCENT.sub("", unicodedata.normalize("NFKD", word.casefold().replace("ı", "i")))
    return unicodedata.normalize("NFC", bare)


def find(reading: Reading) -> Iterator[Secret]:
    """Seed phrases in a text: 12, 15, 18, 21 or 24 words with a good checksum wherever they stand, and at least ten
    words of the list with wording of a seed phrase near by."""
    text = reading.text
    words = _Words(text)
    wordings = [match.span() for match in reading.matches(_WORDING)]
    strict = {kind: list(words.passages(kind, _STRICT, [])) for kind in _STRICT}
    loose = {kind: list(words.passages(kind, _LOOSE, wordings)) if wordings else [] for kind in _LOOSE}
    for language, words_of_list in _lists().items():
        kind = "Chinese" if language == "chinese" else "lettered"
        for run in _runs(text, words_of_list, strict[kind], strangers=0, least=SIZES[-1]):
            windows = _valid_windows([index for _, _, index in run])
            for first, size in windows:
                yield Secret("seed phrase", run[first][0], run[first + size - 1][1], f"{size} words")
        yield from _worded(text, wordings, _runs(text, words_of_list, loose[kind], strangers=1, least=_LEAST_WORDED))


# Where a phrase can stand at all, by marks of a text's words: listed ones behind one another, with at most one stranger
# between two, and Chinese characters that are set apart. Only there words are looked at one by one.
_LISTED, _ALONE, _FEW = 1, 2, 3  # a listed word, a single Chinese character, two or three of them
_SINGLE = 4  # a Latin letter, which is no word
_STRICT = {"lettered": lazy_pattern(b"\1{%d,}" % SIZES[-1]), "Chinese": lazy_pattern(b"\2{%d,}" % SIZES[-1])}
_LOOSE = {
    "lettered": lazy_pattern(b"(?:\1[^\1]?){%d,}" % _LEAST_WORDED),
    "Chinese": lazy_pattern(b"(?:[\2\3][\0\1]?){4,}"),
}
_NEEDED = {"lettered": (_LISTED,), "Chinese": (_ALONE, _FEW)}  # of these marks a passage has at least one
_HAN_MARKS = {1: _ALONE, 2: _FEW, 3: _FEW}
_Span = tuple[int, int]
_Passage = list[tuple[int, int, str]]  # start, end and plain form of each word

_STRETCH = 2_000  # characters
_NO_TOKEN = lazy_pattern(r"[\s\d,.，。]")  # characters that no word holds
_ONLY_LETTERS = bytes(code if chr(code).isalpha() else ord(" ") for code in range(128)).ljust(256)
_ALIKE = bytes(ord("a") if chr(code).isalpha() else code for code in range(128)).ljust(256)
_TOO_LONG = b"a" * 21  # letters, of which a run is several words
_ASCII_TOKEN = lazy_pattern(rb"[a-z]{2,20}")


class _Words:
    """The words of a text, each as a mark, and the passages whose marks are those of a phrase.

    They are marked and counted stretch by stretch of the text, in which a word is found again by its number: hardly any
    is ever looked at alone.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._token = _TOKEN if not text.isascii() and _COMBINING.search(text) else _TOKEN_WITHOUT_MARKS
        self._starts = [0]  # of the stretches, and the end of the last one
        self._counts = [0]  # of the words before each of them
        marks: list[bytes] = []
        known = _Marks(self._token)
        while (start := self._starts[-1]) < len(text):
            gap = _NO_TOKEN.search(text, start + _STRETCH)
            end = gap.end() if gap else len(text)
            stretch = text[start:end]
            if stretch.isascii():
                marks.append(_ascii_marks(stretch))
            else:
                marks.append(b"".join(map(known.__getitem__, stretch.split())))
            self._starts.append(end)
            self._counts.append(self._counts[-1] + len(marks[-1]))
        self._marks = b"".join(marks)
        self._spans: tuple[int, list[_Span]] = (-1, [])  # of one stretch, for that next to it

    def passages(
        self, kind: str, patterns: Mapping[str, re.Pattern[bytes]], wordings: list[_Span]
    ) -> Iterator[_Passage]:
        """The passages whose marks match, of them only those near one of the wordings, if there are any."""
        ends = [end for _, end in wordings]
        if not any(mark in self._marks for mark in _NEEDED[kind]):
            return
        for match in patterns[kind].finditer(self._marks):
            first, last = (bisect_right(self._counts, number) - 1 for number in (match.start(), match.end() - 1))
            near = bisect_left(ends, self._starts[first] - _WORDING_BEFORE)
            if wordings and (near == len(ends) or wordings[near][0] > self._starts[last + 1] + _WORDING_AFTER):
                continue
            start, end = self._span(first, match.start())[0], self._span(last, match.end() - 1)[1]
            yield [(*word.span(), _plain(word.group())) for word in _WORD.finditer(self._text, start, end)]

    def _span(self, stretch: int, number: int) -> _Span:
        if self._spans[0] != stretch:
            within = self._starts[stretch : stretch + 2]
            self._spans = stretch, [word.span() for word in self._token.finditer(self._text, *within)]
        return self._spans[1][number - self._counts[stretch]]


class _Marks(dict[str, bytes]):
    """The marks of the words in what stands between two blanks, worked out once: people use the same words again."""

    def __init__(self, token: re.Pattern[str]) -> None:
        super().__init__()
        self._token = token
        self._of_words: dict[str, int] = {}

    def __missing__(self, piece: str) -> bytes:
        self[piece] = marks = bytes(map(self._mark, self._token.findall(piece)))
        return marks

    def _mark(self, word: str) -> int:
        mark = self._of_words.get(word)
        if mark is None:
            mark = _HAN_MARKS.get(len(word), 0) if is_han(word) else int(_plain(word) in _lettered())
            self._of_words[word] = mark
        return mark


@cache
def _ascii_words() -> Mapping[bytes, int]:
    singles = {letter.encode(): _SINGLE for letter in ascii_lowercase}
    return singles | {word.encode(): _LISTED for word in _lettered() if word.isascii()}


def _ascii_marks(text: str) -> bytes:
    """The marks of the words of an ASCII text, in a third of the time."""
    letters = text.lower().encode().translate(_ONLY_LETTERS)
    words = _ASCII_TOKEN.findall(letters) if _TOO_LONG in letters.translate(_ALIKE) else letters.split()
    return bytes(map(_ascii_words().get, words, repeat(0))).translate(None, bytes([_SINGLE]))


_Run = list[tuple[int, int, int]]


def _runs(
    text: str, words: Mapping[str, int], passages: Iterable[_Passage], strangers: int, least: int
) -> Iterator[_Run]:
    """Runs of at least so many words of a list: (start, end, index) each. Chinese words stand alone, so neighbours must
    be set apart.

    strangers: how many other words in a row a run bears; 0 keeps to the list strictly.
    """
    for passage in passages:
        if sum(word in words for _, _, word in passage) >= least:
            yield from (run for run in _runs_within(text, passage, words, strangers) if len(run) >= least)


def _runs_within(text: str, passage: _Passage, words: Mapping[str, int], strangers: int) -> Iterator[_Run]:
    run: _Run = []
    foreign = 0
    for start, end, word in passage:
        index = words.get(word)
        joined = bool(run) and _set_apart(text[run[-1][1] : start], strangers)
        if index is not None and joined:
            run.append((start, end, index))
            foreign = 0
        elif index is None and run and foreign < strangers:
            foreign += 1
        else:
            if run:
                yield run
            run = [(start, end, index)] if index is not None else []
            foreign = 0
    if run:
        yield run


def _set_apart(gap: str, strangers: int) -> bool:
    if len(gap) > _LONGEST_GAP * (1 + strangers):
        return False
    if not strangers and _LETTER.search(gap):
        return False
    return bool(gap)


def _valid_windows(indexes: list[int]) -> list[tuple[int, int]]:
    """(first, size) of all windows with a good checksum, longest first, without overlaps.

    BIP-39: the last size/3 bits are the first bits of the SHA-256 of the others.
    """
    bits = 0
    good: list[tuple[int, int]] = []
    for place, index in enumerate(indexes, start=1):
        bits = ((bits << 11) | index) & _LONGEST_WINDOW
        for size, window, length, checksum in _WINDOWS:
            digest = sha256(((bits & window) >> length).to_bytes(length * 4, "big")).digest()
            if digest[0] >> (8 - length) == bits & checksum and place >= size:
                good.append((place - size, size))
    taken: list[tuple[int, int]] = []
    free_from: set[int] = set()
    for first, size in sorted(good, key=lambda window: -window[1]):
        if free_from.isdisjoint(range(first, first + size)):
            free_from.update(range(first, first + size))
            taken.append((first, size))
    return sorted(taken)


# Of each size the bits of its words, how many of them are its checksum, and those.
_WINDOWS = tuple((size, (1 << 11 * size) - 1, size // 3, (1 << size // 3) - 1) for size in SIZES)
_LONGEST_WINDOW = (1 << 11 * SIZES[0]) - 1


def _worded(text: str, wordings: list[_Span], runs: Iterable[_Run]) -> Iterator[Secret]:
    following = 0
    for run in runs:
        start, end = run[0][0], run[-1][1]
        while following < len(wordings) and wordings[following][1] < start - _WORDING_BEFORE:
            following += 1
        if following < len(wordings) and wordings[following][0] <= end + _WORDING_AFTER:
            yield Secret("seed phrase", *_trimmed(text, run, wordings[following]), f"{_size(len(run))} words")


def _trimmed(text: str, run: list[tuple[int, int, int]], wording: tuple[int, int]) -> tuple[int, int]:
    """The run without the words of the sentence that leads to it: "my seed phrase is: ...". What follows the last
    colon or line end after the wording is the phrase, if enough of the run does."""
    start = run[0][0]
    lead = max(text.rfind(mark, wording[1], run[-1][0]) for mark in (":", "\n\n", "is "))
    if wording[1] <= lead and sum(place >= lead for place, _, _ in run) >= _LEAST_WORDED and _numbered_not(text, lead):
        start = next(place for place, _, _ in run if place >= lead)
    return start, run[-1][1]


def _numbered_not(text: str, lead: int) -> bool:
    """The colon is not that of a numbering ("1: abandon")."""
    return not text[max(0, lead - 1) : lead].isdigit()


def _size(words: int) -> int:
    return min(SIZES, key=lambda size: abs(size - words))
