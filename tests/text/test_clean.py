"""Other people's text made harmless: what goes, what stays, and that the table is Unicode's."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.text.clean import many_lines, one_line

HARMFUL = ("Cc", "Cf", "Cs", "Co")
JOINERS = "\u200c\u200d"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\tc", "a b c"),
        ("in\u202evoice\u200b", "invoice"),
        ("\ud800x\x00y", "x y"),
        ("abcdef", "abcd…"),
        ("   ", ""),
    ],
)
def test_one_line_is_clean_and_short(text, expected) -> None:
    assert one_line(text, 5 if text == "abcdef" else 50) == expected


def test_many_lines_keeps_lines_and_drops_controls() -> None:
    assert many_lines("a\r\nb\rc\u2028d\x1b[31m\te\u202e", 100) == "a\nb\nc\nd[31m    e"
    assert many_lines("x" * 101, 100) == "x" * 100 + "\n…"


def test_the_table_holds_every_harmful_character_and_no_other() -> None:
    """A code point that this Python's Unicode does not know yet may be in it."""
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        page, line = many_lines(f"a{character}b", 9), one_line(f"a{character}b", 9)
        if category in HARMFUL:
            assert character in "\t\n" + JOINERS or character not in page, hex(code)
            assert character not in line, hex(code)
        elif category not in ("Cn", "Zl", "Zp", "Zs"):
            assert (page, line) == (f"a{character}b", f"a{character}b"), hex(code)


@given(st.text(max_size=200), st.integers(1, 50))
def test_a_line_is_one_clean_line_within_its_limit_whatever_comes(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert not [c for c in line if unicodedata.category(c) in (*HARMFUL, "Zl", "Zp") or c in JOINERS]
    assert line == " ".join(line.split()) == one_line(line, limit)


@given(st.text(max_size=200), st.integers(1, 50))
def test_lines_are_clean_and_bounded_whatever_comes(text: str, limit: int) -> None:
    page = many_lines(text, limit)
    assert len(page) <= 4 * limit + 2
    assert not [c for c in page if unicodedata.category(c) in HARMFUL and c not in "\n" + JOINERS]
    assert page.splitlines() == page.split("\n")[: len(page.splitlines())]


def test_lines_keep_joiners_and_indentation() -> None:
    assert many_lines("\n\n  می\u200cخواهم  \n\tb\n\n", 100) == "  می\u200cخواهم\n    b"


def test_a_mark_shows_where_something_was() -> None:
    assert one_line("in\u202evoice\x1b[2J", 50, "\ufffd") == "in\ufffdvoice [2J"
    assert many_lines("in\u202evoice\x1b[2J", 50, "\ufffd") == "in\ufffdvoice\ufffd[2J"


def test_what_is_cut_ends_with_an_ellipsis() -> None:
    assert one_line("a " * 100, 4) == "a a…"
    assert one_line("abcd", 4) == "abcd"
    assert one_line("\u200b" * 1_000_000 + "a", 10) == ""
