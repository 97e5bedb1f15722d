"""Which of many patterns a text can match at all, and where, found in one pass, so that little of it need be tried.

Most patterns of a desk match no text but one that holds one of a few literals: "refund\\w{0,3}|money back" needs
"refund" or "money back", and begins with it. All literals of all patterns are sought together by an automaton (Aho and
Corasick, 1975), in time linear in the text whatever the text is. Only what comes through the sieve is tried, so that
the results are those of trying everything.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, product
from operator import itemgetter
from typing import Any, NamedTuple

from ahocorasick_rs import AhoCorasick

from mailticket.text.words import loosely

_MOST_LITERALS = 64  # that one stretch of a pattern may stand for
_MOST_SYMBOLS = 16  # of a set such as [dl]; a longer one stands for anything
_MOST_REPEATS = 4
_HAN_WEIGHT = 3  # a Chinese character tells about as much as so many letters

Literals = frozenset[str]
Places = list[int]


class Sieve:
    """Over patterns, or words that are sought as they stand (as `loosely` makes them); it knows them by their order.

    It is made when it is first asked, since many commands never ask.
    """

    def __init__(self, patterns: Iterable[re.Pattern[str] | str]) -> None:
        self.patterns = tuple(patterns)

    @cached_property
    def _index(self) -> _Index:
        numbers: dict[str, int] = {}
        index = _Index()
        for number, pattern in enumerate(self.patterns):
            need, heads, solid = (Literals([pattern]), None, 0) if isinstance(pattern, str) else traits(pattern)
            for literal in need or ():
                index.owners.setdefault(numbers.setdefault(literal, len(numbers)), []).append(number)
            if need is None:
                index.others[number] = solid
            begins = [numbers.setdefault(literal, len(numbers)) for literal in heads or ()]
            index.heads.append(frozenset(begins) if heads else None)
        index.automaton = AhoCorasick(list(numbers))
        return index

    def candidates(self, loose: str) -> Iterator[tuple[int, Places | None]]:
        """The numbers of the patterns that a text may match, in their order, and the places where a match may begin:
        None where it may begin anywhere. loose: the text as `loosely` makes it."""
        index = self._index
        places: dict[int, Places] = {}
        without_surrogates = loose if loose.isascii() else loose.encode("utf-8", "replace").decode()
        for literal, start, _ in index.automaton.find_matches_as_indexes(without_surrogates, overlapping=True):
            places.setdefault(literal, []).append(start)
        longest = max(map(len, loose.split()), default=0) if index.others else 0
        others = (number for number, solid in index.others.items() if solid <= longest)
        for number in sorted({*others, *(n for literal in places for n in index.owners.get(literal, ()))}):
            heads = index.heads[number]
            if heads is None:
                yield number, None
            else:
                begun = [places[literal] for literal in heads & places.keys()]
                yield number, begun[0] if len(begun) == 1 else sorted({*chain.from_iterable(begun)})


@dataclass(slots=True)
class _Index:
    """owners: of a literal, which patterns need it or another one; heads: of a pattern, the literals it begins with;
    others: of a pattern that needs none, how long a word it needs."""

    automaton: AhoCorasick = field(default_factory=lambda: AhoCorasick([]))
    owners: dict[int, list[int]] = field(default_factory=dict)
    heads: list[frozenset[int] | None] = field(default_factory=list)
    others: dict[int, int] = field(default_factory=dict)


def matches(
    pattern: re.Pattern[str], text: str, places: Places | None, start: int = 0, end: int = sys.maxsize
) -> Iterator[re.Match[str]]:
    """What `finditer` gives within text[start:end]. places: where the sieve says that matches may begin in it."""
    if places is None:
        yield from pattern.finditer(text, start, end)
        return
    for place in places:
        if place >= start and (match := pattern.match(text, place, end)):
            yield match
            start = match.end()


class Sifted:
    """A text that went through a sieve of patterns once, whatever number of them is then asked for."""

    __slots__ = ("_places", "text")

    def __init__(self, text: str, sieve: Sieve) -> None:
        self.text = text
        self._places = {sieve.patterns[number]: places for number, places in sieve.candidates(loosely(text))}

    def matches(self, pattern: re.Pattern[str], start: int = 0, end: int = sys.maxsize) -> Iterator[re.Match[str]]:
        """The matches of one of the patterns within text[start:end], as `finditer` gives them."""
        places = self._places.get(pattern, [])
        if places and end < sys.maxsize:
            places = places[bisect_left(places, start) : bisect_left(places, end)]
        if places is not None and not places:
            return iter(())
        return matches(pattern, self.text, places, start, end)


class _Traits(NamedTuple):
    """What is known of the texts that a part of a pattern matches: all of them, if they are few; literals of which each
    has one; literals of which each begins with one; how many characters without a blank stand together in each."""

    whole: Literals | None
    need: Literals | None
    heads: Literals | None
    solid: int = 0


def traits(pattern: re.Pattern[str]) -> tuple[Literals | None, Literals | None, int]:
    """Literals of which every match has one, and literals of which every match begins with one; None: none are known.
    And how many characters without a blank every match has together: 64 of a hash, of which few texts have as many.

    It goes by how Python's own compiler reads a pattern; were that to change, all patterns would be tried everywhere.
    """
    try:
        _, need, heads, solid = _of_sequence(re._parser.parse(pattern.pattern, pattern.flags))  # type: ignore[attr-defined]
    except Exception:
        return None, None, 0
    return need, heads if heads and _worth(heads) else None, solid


def _of_sequence(items: Iterable[tuple[Any, Any]]) -> _Traits:
    """Pieces one behind the other: neighbours that match little are joined to longer literals."""
    run, first = _NOTHING, True
    needs: list[Literals | None] = []
    heads: Literals | None = None
    whole, solid = True, 0
    for piece in _pieces(items):
        needs.append(piece.need)
        solid = max(solid, piece.solid)
        if piece.whole is not None and len(run) * len(piece.whole) <= _MOST_LITERALS:
            run = Literals([before + behind for before in run for behind in piece.whole])
            continue
        needs.append(run)
        if first:
            heads = _joined(run, piece)
        run, first, whole = piece.whole or _NOTHING, False, False
    need = _best([*needs, run])
    return _Traits(run, need, run, solid) if whole else _Traits(None, need, heads, solid)


def _pieces(items: Iterable[tuple[Any, Any]]) -> Iterator[_Traits]:
    """The pieces of a sequence; letters behind each other are one."""
    letters = ""
    for operation, argument in items:
        name = str(operation)
        if name == "LITERAL":
            letters += chr(argument)
            continue
        if letters:
            yield _few(Literals([loosely(letters)]))
            letters = ""
        yield _of_piece(name, argument)
    if letters:
        yield _few(Literals([loosely(letters)]))


def _joined(run: Literals, piece: _Traits) -> Literals | None:
    """How a run begins that is followed by a piece of many kinds: where the run may be empty, as that piece does."""
    if "" not in run:
        return run
    behind = piece.heads if piece.whole is None else piece.whole
    return None if behind is None else (run - _NOTHING) | behind


def _of_piece(operation: str, argument: Any) -> _Traits:
    match operation:
        case "IN":
            return _of_set(argument)
        case "BRANCH":
            return _of_branches([_of_sequence(branch) for branch in argument[1]])
        case "SUBPATTERN":
            return _of_sequence(argument[3])
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return _of_repeat(*argument)
        case "AT" | "ASSERT" | "ASSERT_NOT":
            return _few(_NOTHING)
    return _ANYTHING


def _of_repeat(least: int, most: int, repeated: Iterable[tuple[Any, Any]]) -> _Traits:
    once = _of_sequence(repeated)
    if once.whole is not None and int(most) <= _MOST_REPEATS and len(once.whole) ** int(most) <= _MOST_LITERALS:
        times = (product(once.whole, repeat=count) for count in range(least, most + 1))
        return _few(Literals("".join(literals) for literals in chain.from_iterable(times)))
    if once.whole is not None and len(once.whole) == 1 and least:
        literals = Literals([next(iter(once.whole)) * least])
        return _Traits(None, literals, literals)
    is_set = [str(operation) for operation, _ in repeated] == ["IN"]
    solid = once.solid * least if is_set else once.solid
    return _Traits(None, once.need, once.heads, solid) if least else _ANYTHING


def _few(literals: Literals) -> _Traits:
    return _Traits(literals, literals, literals)


def _of_set(members: Sequence[tuple[Any, Any]]) -> _Traits:
    spans: list[tuple[int, int]] = []
    for kind, argument in members:
        if str(kind) not in ("LITERAL", "RANGE"):
            return _ANYTHING
        spans.append((argument, argument) if str(kind) == "LITERAL" else argument)
    solid = int(all(chr(low) > " " and chr(high) <= "~" for low, high in spans))
    if sum(high - low + 1 for low, high in spans) > _MOST_SYMBOLS:
        return _Traits(None, None, None, solid)
    symbols = Literals(loosely(chr(code)) for low, high in spans for code in range(low, high + 1))
    return _Traits(symbols, symbols, symbols, solid)


def _of_branches(branches: Sequence[_Traits]) -> _Traits:
    wholes, needs, heads, solids = zip(*branches, strict=True)
    whole = _union(wholes)
    few = whole if whole is not None and len(whole) <= _MOST_LITERALS else None
    return _Traits(few, _union(needs), _union(heads), min(solids))


def _union(each: Sequence[Literals | None]) -> Literals | None:
    literals = [part for part in each if part is not None]
    return Literals().union(*literals) if len(literals) == len(each) else None


def _best(needs: Iterable[Literals | None]) -> Literals | None:
    """Of several needs the one that fewest texts fulfil by chance: it is its shortest literal that tells."""
    worth, need = max(((_worth(need), need) for need in needs if need), key=itemgetter(0), default=((), None))
    return need if worth else None


def _worth(literals: Literals) -> tuple[int, ...]:
    """How much it tells that a text has one of the literals; () for nothing."""
    least = min(map(_weight, literals))
    return (least, -len(literals)) if least else ()


def _weight(literal: str) -> int:
    if literal.isascii():
        return 0 if len(literal) == 1 and literal.isalnum() else len(literal)  # single letters stand anywhere
    return sum(_HAN_WEIGHT if symbol > "\u2e80" else 1 for symbol in literal)


_NOTHING = Literals([""])
_ANYTHING = _Traits(None, None, None)
