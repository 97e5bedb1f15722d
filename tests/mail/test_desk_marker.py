"""The marker line of a desk mail: found whatever mail programs do to it, and never imitated."""

from __future__ import annotations

import pytest

from mailticket.mail.desk_marker import OPENINGS, find_any_marker, is_opening, marker_line, marker_span

SYMBOLS = "qk3vx7m"
LINE = marker_line(SYMBOLS)
LINE_ZH = marker_line(SYMBOLS, "zh-Hans")


def begin(text: str) -> int | None:
    """Where the marker line with our symbols begins."""
    span = marker_span(text, SYMBOLS)
    return span[0] if span else None


SHAPES = {
    "as it left": LINE,
    "Chinese": LINE_ZH,
    "Taiwan": marker_line(SYMBOLS, "zh-Hant"),
    "quoted": f"> {LINE}",
    "quoted deep": f"> > >> {LINE}",
    "quoted with bars": f"| {LINE}",
    "quoted full width": f"＞ {LINE}",
    "indented": f"    {LINE}",
    "wrapped": "--- write above\nthis line - qk3vx7m ---",
    "wrapped and quoted": "> --- write above this\n> line - qk3vx7m\n> ---",
    "wrapped, only its first line quoted": "> --- write above this line -\nqk3vx7m ---",
    "dashes made one": "— write above this line – qk3vx7m —",
    "dashes lost": "write above this line qk3vx7m",
    "dashes full width": "－－－ write above this line － qk3vx7m －－－",
    "letters full width": "－－－ ｗｒｉｔｅ ａｂｏｖｅ ｔｈｉｓ ｌｉｎｅ － ｑｋ３ｖｘ７ｍ",
    "capital letters": LINE.upper(),
    "blanks that do not break": LINE.replace(" ", "\u00a0"),
    "blanks doubled": LINE.replace(" ", "  "),
    "blanks lost": LINE.replace(" ", ""),
    "bold": f"*{LINE}*",
    "a quote character of its own": "│ " + LINE,
    "Chinese wrapped": "> --- 请在此行\n> 上方书写 - qk3vx7m ---",
    "zero-width blanks": LINE.replace(" ", " \u200b"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_marker_is_found_whatever_was_done_to_it(shape: str) -> None:
    text = f"Done.\n\n{SHAPES[shape]}\nmore"
    assert begin(text) == len("Done.\n\n")
    assert find_any_marker(text) == len("Done.\n\n")


@pytest.mark.parametrize(
    "line",
    [
        marker_line("qk3vx7n"), marker_line("qk3vx7"), marker_line("qk3vx7mm"), "--- write above this line ---",
        "--- write above this line - qk3vx7 m8 ---"[:-5] + "9", "write above the line - qk3vx7m", "qk3vx7m",
    ],
)  # fmt: skip
def test_a_marker_with_other_symbols_is_none(line: str) -> None:
    assert marker_span(f"Done.\n\n{line}\nmore", SYMBOLS) is None


def test_the_first_marker_counts_whatever_others_stand_above() -> None:
    text = f"a\n{marker_line('zzzzzzz')}\nb\n{LINE}\nc\n{LINE}"
    assert begin(text) == text.index(LINE)
    assert find_any_marker(text) == 2


def test_what_stands_before_the_marker_on_its_line_stays_above() -> None:
    assert begin(f"Done. {LINE}") == len("Done")


@pytest.mark.parametrize("symbols", ["", "abc", "ABCDEFG", "a" * 9, "a-b-c-d", ".*.*.*.", "é" * 7])
def test_only_symbols_of_a_mark_make_a_marker(symbols: str) -> None:
    assert marker_span(f"--- write above this line - {symbols} ---", symbols) is None
    with pytest.raises(ValueError, match="6 to 8"):
        marker_line(symbols)


def test_an_unknown_language_has_the_english_words() -> None:
    assert marker_line(SYMBOLS, "de") == LINE


@pytest.mark.parametrize("line", [line for lines in OPENINGS.values() for line in lines.values()])
@pytest.mark.parametrize("mark", ["", "> ", "> > ", "| ", "  ", "* "])
def test_our_first_line_is_known_by_its_beginning(line: str, mark: str) -> None:
    assert is_opening(f"{mark}{line} Bob Miller <bob@mail.example>")
    assert not is_opening(f"{mark}As I said: {line}")
