"""Running text in lines: English between words, Chinese between characters but not before a full stop."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from mailticket.letters import flow


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  one\n   two  three ", "one two three"),
        ("第一行\n第二行", "第一行第二行"),
        ("第一行\nTXID\n第二行", "第一行 TXID 第二行"),
        ("", ""),
    ],
)
def test_fold_joins_lines_as_the_script_wants(text, expected) -> None:
    assert flow.fold(text) == expected


def test_fold_keeps_markup_markup() -> None:
    assert isinstance(flow.fold(Markup("<b>a</b>\nb")), Markup)
    assert not isinstance(flow.fold("a"), Markup)


def test_wrap_breaks_english_at_72_columns_between_words() -> None:
    lines = flow.wrap("word " * 40).split("\n")
    assert [len(line) for line in lines] == [69, 69, 59]  # 14 words of 4 with 13 blanks; 40 = 14 + 14 + 12
    assert set(" ".join(lines).split()) == {"word"}


def test_wrap_breaks_chinese_by_width_and_never_before_punctuation() -> None:
    lines = flow.wrap("汉" * 36 + "。" + "字" * 10).split("\n")
    assert lines == ["汉" * 35, "汉。" + "字" * 10]  # 36 characters fill 72 columns, but the stop must not stand alone


def test_wrap_never_breaks_an_address_or_an_id() -> None:
    address = "https://help.example.com/" + "a" * 100
    assert address in flow.wrap(f"请看 {address} 这篇文章 MT-7F3K-92QX").split("\n")


def test_wrap_indents_the_lines_of_an_item() -> None:
    lines = flow.wrap("word " * 20, "  * ", "    ").split("\n")
    assert lines[0].startswith("  * word")
    assert lines[1].startswith("    word")


@settings(deadline=None)
@given(st.text(max_size=400))
def test_wrap_loses_nothing_but_blanks(text: str) -> None:
    assert "".join(flow.wrap(text).split()) == "".join(text.split())


@settings(deadline=None)
@given(st.text(alphabet="汉字。，（）ab 12", max_size=400))
def test_wrap_begins_no_line_with_closing_punctuation(text: str) -> None:
    folded = flow.fold(text)
    lines = flow.wrap(text).split("\n")
    assert [line for line in lines[1:] if line[0] in "。，）" and f" {line[0]}" not in folded] == []


def test_lines_as_html_keeps_breaks_and_indentation_and_escapes() -> None:
    assert flow.lines_as_html("a <b>\n  c") == "a &lt;b&gt;<br>\n&nbsp;&nbsp;c"


def test_quote_marks_each_line() -> None:
    assert flow.quote("a\n\nb") == "> a\n>\n> b"
