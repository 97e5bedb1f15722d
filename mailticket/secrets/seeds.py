"""Seed phrases of wallets: runs of words of the BIP-39 lists, by their checksum or by the wording around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib import resources

from mailticket.secrets.spans import Secret, loosely, mentions
from mailticket.text.hanzi import simplified

SIZES = (24, 21, 18, 15, 12)  # BIP-39: 128 to 256 bits of entropy
_LONGEST_GAP = 16  # characters between two words of a phrase: blanks, commas, numbering
_WORDING_BEFORE = 160
_WORDING_AFTER = 80
_LEAST_WORDED = 10  # list words that make a phrase when wording says that it is one: people drop or misspell a word

_WORD = re.compile(r"[A-Za-z]{2,12}|[\u4e00-\u9fff]")
_LETTER = re.compile(r"[A-Za-z\u00c0-\u024f\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff@]")
_WORDING = re.compile(
    r"seed|mnemonic|(?:recovery|backup|back-up|secret|wallet)\s{0,2}(?:phrase|words?|key)|bip-?\s?39|"
    r"(?:12|24|twelve|twenty[ -]?four)\s"
    r"{0,2}words?|助记词|助記詞|助记|注记词|恢复词|恢復詞|种子|種子|词组|詞組|密语|私钥短语|(?:12|24|十二|"
    r"二十四)\s?个(?:单|英文)?(?:单)?词",
    re.IGNORECASE,
)
# One of these is in whatever the wording matches.
_SIGNS = ("seed", "mnemonic", "39", "phrase", "word", "key", "助", "注记", "恢", "种", "種", "词", "詞", "密语", "私钥")


@cache
def _list(name: str) -> dict[str, int]:
    """A word list as word to index. It is read once from the package's own files, and never changes: no input of ours
    can make this read anything else, so the room stays pure for whoever calls it."""
    text = resources.files(__package__).joinpath(f"bip39-{name}.txt").read_text(encoding="utf-8")
    return {word: index for index, word in enumerate(text.split())}


def find(text: str) -> Iterator[Secret]:
    """Seed phrases in a text of half-width characters: 12, 15, 18, 21 or 24 words with a good checksum wherever they
    stand, and at least ten words of the list with wording of a seed phrase near by."""
    for run in _runs(text) if _may_hold_a_run(text) else ():
        indexes = [index for _, _, index in run]
        windows = _valid_windows(indexes) if len(run) >= SIZES[-1] else []
        for first, size in windows:
            yield Secret("seed phrase", run[first][0], run[first + size - 1][1], f"{size} words")
    yield from _worded(text)


_SPACED_CHINESE = re.compile(
    f"(?:[\u4e00-\u9fff][^\u4e00-\u9fff]{{1,{_LONGEST_GAP}}}){{{SIZES[-1] - 1}}}[\u4e00-\u9fff]"
)


def _may_hold_a_run(text: str) -> bool:
    """Whether twelve words of the English list, or twelve Chinese characters set apart, follow each other: most texts
    hold none, and this looks at them without stopping at each word."""
    listed = bytes(map(_list("english").__contains__, map(str.lower, _WORD.findall(text))))
    return bytes([1]) * SIZES[-1] in listed or _SPACED_CHINESE.search(text) is not None


def _runs(text: str, strangers: int = 0) -> Iterator[list[tuple[int, int, int]]]:
    """Runs of list words: (start, end, index) each. Chinese words stand alone, so neighbours must be set apart.

    strangers: how many other words in a row a run bears; 0 keeps to the list strictly.
    """
    english, chinese = _list("english"), _list("chinese-simplified")
    run: list[tuple[int, int, int]] = []
    script, foreign = "", 0
    for match in _WORD.finditer(text):
        word, start, end = match.group().lower(), match.start(), match.end()
        ascii_word = word.isascii()
        index = english.get(word) if ascii_word else chinese.get(simplified(word))
        kind = "english" if ascii_word else "chinese"
        joined = bool(run) and kind == script and _set_apart(text[run[-1][1] : start], strangers)
        if index is not None and joined:
            run.append((start, end, index))
            foreign = 0
        elif index is None and run and foreign < strangers and kind == script:
            foreign += 1
        else:
            if run:
                yield run
            run = [(start, end, index)] if index is not None else []
            script, foreign = kind, 0
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
    found: list[tuple[int, int]] = []
    for place, index in enumerate(indexes, start=1):
        bits = ((bits << 11) | index) & masks[SIZES[0]]
        found += [(place - size, size) for size in SIZES if place >= size and _checksum_holds(bits & masks[size], size)]
    taken: list[tuple[int, int]] = []
    free_from: set[int] = set()
    for first, size in sorted(found, key=lambda window: -window[1]):
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


def _worded(text: str) -> Iterator[Secret]:
    places = [match.span() for match in _WORDING.finditer(text)] if mentions(loosely(text), _SIGNS) else []
    if not places:
        return
    following = 0
    for run in _runs(text, strangers=1):
        if len(run) < _LEAST_WORDED:
            continue
        start, end = run[0][0], run[-1][1]
        while following < len(places) and places[following][1] < start - _WORDING_BEFORE:
            following += 1
        if following < len(places) and places[following][0] <= end + _WORDING_AFTER:
            yield Secret("seed phrase", *_trimmed(text, run, places[following]), f"{_size(len(run))} words")


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
