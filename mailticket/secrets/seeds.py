"""Seed phrases of wallets: runs of words of a BIP-39 list, by their checksum or by the wording around them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256

from mnemonic import Mnemonic

from mailticket.secrets.spans import Reading, Secret
from mailticket.text.words import HAN, is_han

SIZES = (24, 21, 18, 15, 12)  # BIP-39: 128 to 256 bits of entropy
_LONGEST_GAP = 16  # characters between two words of a phrase: blanks, commas, numbering
_WORDING_BEFORE = 160
_WORDING_AFTER = 80
_LEAST_WORDED = 10  # list words that make a phrase when wording says that it is one: people drop or misspell a word

_MARKS = "\u0300-\u036f\u3099\u309a"  # combining ones, where a mail program has taken letters apart
_LETTERED = rf"(?:[^\W\d_{HAN}][{_MARKS}]*){{2,20}}"
_WORD = re.compile(rf"[{HAN}]|{_LETTERED}")
_TOKEN = re.compile(rf"[{HAN}]+|{_LETTERED}")
_TOKEN_WITHOUT_MARKS = re.compile(rf"[{HAN}]+|[^\W\d_{HAN}]{{2,20}}")  # a fifth of the time
_COMBINING = re.compile(f"[{_MARKS}]")
_LETTER = re.compile(r"[^\W\d_]|@")
_ACCENT = re.compile("[\u0300-\u036f]")
_WORDING = re.compile(
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
    token = _TOKEN if _COMBINING.search(text) else _TOKEN_WITHOUT_MARKS
    marks = _marked(token.findall(text), plain=text.isascii())
    wordings = [match.span() for match in reading.matches(_WORDING)]
    strict, loose = ({kind: pattern.search(marks) for kind, pattern in kinds.items()} for kinds in (_STRICT, _LOOSE))
    if not any(strict.values()) and not (wordings and any(loose.values())):
        return
    spans = [match.span() for match in token.finditer(text)]

    def places(pattern: re.Pattern[bytes]) -> _Spans:
        stretches = (match.span() for match in pattern.finditer(marks))
        return [(spans[first][0], spans[behind - 1][1]) for first, behind in stretches]

    for language, words in _lists().items():
        kind = "Chinese" if language == "chinese" else "lettered"
        for run in _runs(text, words, places(_STRICT[kind]), strangers=0):
            windows = _valid_windows([index for _, _, index in run]) if len(run) >= SIZES[-1] else []
            for first, size in windows:
                yield Secret("seed phrase", run[first][0], run[first + size - 1][1], f"{size} words")
        if wordings:
            yield from _worded(text, wordings, _runs(text, words, places(_LOOSE[kind]), strangers=1))


# Where a phrase can stand at all, by marks of a text's words: listed ones behind one another, with at most one stranger
# between two, and Chinese characters that are set apart. Only there words are looked at one by one.
_LISTED, _ALONE, _FEW = 1, 2, 3  # a listed word, a single Chinese character, two or three of them
_STRICT = {"lettered": re.compile(b"\1{%d,}" % SIZES[-1]), "Chinese": re.compile(b"\2{%d,}" % SIZES[-1])}
_LOOSE = {"lettered": re.compile(b"(?:\1[^\1]?){%d,}" % _LEAST_WORDED), "Chinese": re.compile(b"(?:[\2\3][\0\1]?){4,}")}
_Spans = list[tuple[int, int]]


def _marked(tokens: Iterable[str], *, plain: bool) -> bytes:
    listed = _lettered()
    if plain:
        return bytes(map(listed.__contains__, map(str.lower, tokens)))
    return bytes(_HAN_MARKS.get(len(t), 0) if is_han(t) else _plain(t) in listed for t in tokens)


_HAN_MARKS = {1: _ALONE, 2: _FEW, 3: _FEW}
_Run = list[tuple[int, int, int]]


def _runs(text: str, words: Mapping[str, int], places: _Spans, strangers: int) -> Iterator[_Run]:
    """Runs of words of a list: (start, end, index) each. Chinese words stand alone, so neighbours must be set apart.

    strangers: how many other words in a row a run bears; 0 keeps to the list strictly.
    """
    for start, end in places:
        yield from _runs_within(_WORD.finditer(text, start, end), words, strangers)


def _runs_within(found: Iterable[re.Match[str]], words: Mapping[str, int], strangers: int) -> Iterator[_Run]:
    run: _Run = []
    foreign = 0
    for match in found:
        start, end = match.span()
        index = words.get(_plain(match.group()))
        joined = bool(run) and _set_apart(match.string[run[-1][1] : start], strangers)
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
    """(first, size) of all windows with a good checksum, longest first, without overlaps."""
    masks = {size: (1 << (11 * size)) - 1 for size in SIZES}
    bits = 0
    good: list[tuple[int, int]] = []
    for place, index in enumerate(indexes, start=1):
        bits = ((bits << 11) | index) & masks[SIZES[0]]
        good += [(place - size, size) for size in SIZES if place >= size and _checksum_holds(bits & masks[size], size)]
    taken: list[tuple[int, int]] = []
    free_from: set[int] = set()
    for first, size in sorted(good, key=lambda window: -window[1]):
        if free_from.isdisjoint(range(first, first + size)):
            free_from.update(range(first, first + size))
            taken.append((first, size))
    return sorted(taken)


def _checksum_holds(bits: int, size: int) -> bool:
    """BIP-39: the last size/3 bits are the first bits of the SHA-256 of the others."""
    length = size // 3
    entropy = bits >> length
    digest = sha256(entropy.to_bytes(length * 4, "big")).digest()
    return digest[0] >> (8 - length) == bits & ((1 << length) - 1)


def _worded(text: str, wordings: _Spans, runs: Iterable[_Run]) -> Iterator[Secret]:
    following = 0
    for run in runs:
        if len(run) < _LEAST_WORDED:
            continue
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
