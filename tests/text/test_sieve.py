"""What the sieve lets through is all that the patterns match."""

from __future__ import annotations

import re
import sys

import pytest

from mailticket.text.sieve import Sieve, Sifted, matches, traits
from mailticket.text.words import loosely

PATTERNS = {
    "refund|money back": {"refund", "money back"},
    r"(?<![a-z])log(?:ged|ging)? ?in\b": {"login", "log in", "loggedin", "logged in", "loggingin", "logging in"},
    r"(?:please )?see": {"please see", "see"},
    r"(?:please )?(?:see|look)\w{0,9}": {"please see", "please look", "see", "look"},
    r"(?=x\w)x(?!y)zz": {"xzz"},
    "[提充]现{1,2}": {"提现", "充现", "提现现", "充现现"},
}


@pytest.mark.parametrize(("pattern", "heads"), PATTERNS.items())
def test_heads_are_what_every_match_begins_with(pattern, heads) -> None:
    assert traits(re.compile(pattern))[1] == heads


@pytest.mark.parametrize("pattern", [r"\d{4}", r"\w+ing", "(?:a|refund)", ".*", "x?"])
def test_a_pattern_without_telling_heads_may_match_anywhere(pattern) -> None:
    assert traits(re.compile(pattern))[1] is None
    assert [places for _, places in Sieve([re.compile(pattern)]).candidates("refunding 2026")] in ([None], [])


@pytest.mark.parametrize(
    ("pattern", "solid"),
    [
        (r"\b([0-9a-f](?<!x[0-9a-f])(?:x[0-9a-f]{64}|[0-9A-Z_a-z]{63}))(?![0-9a-z])", 63),
        (r"(?:[a-z]{20}|\d+) ", 0),
        (r"(?:[a-z]\s){30}[!-~]{9}", 9),
        (r"[ -~]{30}|[\w-]{30}|[^ ]{30}|.{30}", 0),
        ("(?:[a-z]{30})?", 0),
    ],
)
def test_a_pattern_is_tried_only_on_texts_with_a_word_as_long_as_it_needs(pattern, solid) -> None:
    assert traits(re.compile(pattern))[2] == solid
    text = f"{'a' * (solid - 1)} {'b' * (solid - 1)}"
    assert list(Sieve([re.compile(pattern)]).candidates(text)) == ([] if solid else [(0, None)])
    assert list(Sieve([re.compile(pattern)]).candidates(f"{text} {'c' * solid}")) == [(0, None)]


def test_a_pattern_that_needs_what_the_text_lacks_is_no_candidate() -> None:
    sieve = Sieve([re.compile(r"\d+ days ago"), re.compile("refund"), "提现"])
    assert [number for number, _ in sieve.candidates("3 days ago")] == [0]
    assert list(sieve.candidates("no refund, refund")) == [(1, [3, 11])]
    assert [number for number, _ in sieve.candidates("我要提现")] == [2]
    assert list(sieve.candidates("")) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("aba|ab", "abababa aba"),
        (r"\border\b (?:no )?\d+", "order 1 ORDER no 2, reorder 3 order\u00a04"),
        ("key", "Key \u212aEY \u212aey ke\u0131y"),
        ("pin|stra\u00dfe|\ufb05", "P\u0131n P\u0130N STRA\u1e9eE stra\u00dfe \ufb05 \ufb06"),
        ("refund", "\ud83d \udce2 refund \udc00"),
        ("(?:see)?", "see a see"),
    ],
)
def test_matches_are_those_of_finditer(pattern, text) -> None:
    compiled = re.compile(pattern, re.IGNORECASE)
    spans = [match.span() for match in compiled.finditer(text)]
    through = [
        match.span()
        for _, places in Sieve([compiled]).candidates(loosely(text))
        for match in matches(compiled, text, places)
    ]
    assert spans
    assert through == spans


@pytest.mark.parametrize("pattern", ["code", r"\bcodes?\b", "co|code", r"[$\u20ac]\d|code", r"\d{4}", "my code|code"])
def test_matches_within_a_stretch_are_those_of_finditer_within_it(pattern) -> None:
    compiled = re.compile(pattern)
    text = "my codecode 1234 code, codes $5 \u20ac6 code"
    sifted = Sifted(text, Sieve([compiled, re.compile("other")]))
    for start in range(len(text)):
        for end in range(start, len(text) + 1):
            stretch = [match.span() for match in compiled.finditer(text, start, end)]
            assert [match.span() for match in sifted.matches(compiled, start, end)] == stretch


def test_where_the_reading_of_a_pattern_fails_it_is_tried_everywhere(monkeypatch) -> None:
    monkeypatch.delattr(re, "_parser")
    pattern = re.compile("refund")
    assert [match.start() for match in Sifted("no refund, refund", Sieve([pattern])).matches(pattern)] == [3, 11]


def test_whatever_ignoring_case_takes_for_a_letter_is_that_letter_loosely() -> None:
    symbols = [chr(code) for code in range(sys.maxunicode + 1)]
    everything = "".join(symbols)
    for letter in "abcdefghijklmnopqrstuvwxyzäöüñéа":
        alike = re.findall(letter, everything, re.IGNORECASE)
        assert {loosely(symbol) for symbol in alike} == {letter}
    assert all(len(loosely(symbol)) == 1 for symbol in symbols)


def test_no_place_moves() -> None:
    assert loosely("Stra\u00dfe \ufb03 \u0130x") == "strase f ix"
