"""Notices: what of Markdown is known, and that each letter which shows them shows them first, in both bodies."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.letters import NOTICED, Letters, TemplateSource
from mailticket.letters.notice import LONGEST, Block, Piece, blocks, plain
from tests.letters import HEAD, sample

DELAY = (
    "Withdrawals of **ETH** are *late*: [status](https://status.example.com/eth_1).\n"
    "Your funds are safe.\n\n"
    "- before 14:00:\n  tonight\n- later: tomorrow\n\n1. Wait\n2. Do not ask again"
)


def test_paragraphs_lists_emphasis_and_links_are_known() -> None:
    paragraph, bullets, steps = blocks(DELAY)
    assert paragraph.lines == (
        (
            Piece("Withdrawals of "), Piece("ETH", "strong"), Piece(" are "), Piece("late", "emphasis"), Piece(": "),
            Piece("status", address="https://status.example.com/eth_1"), Piece(".\nYour funds are safe."),
        ),
    )  # fmt: skip
    assert bullets == Block("list", ((Piece("before 14:00:\ntonight"),), (Piece("later: tomorrow"),)))
    assert steps == Block("numbered", ((Piece("Wait"),), (Piece("Do not ask again"),)))


@pytest.mark.parametrize(
    "text",
    ["# No heading", "<b>bold</b> & <script>", "snake_case_word", "2 * 3 * 4", "a ** b", "[x](javascript:alert)",
     "[x](/y)", "`code`", "![pic](data:x)"],
)  # fmt: skip
def test_the_rest_of_markdown_stays_as_it_was_typed(text: str) -> None:
    assert [[piece.text for piece in line] for block in blocks(text) for line in block.lines] == [[text]]


def test_a_mark_behind_a_backslash_is_a_character() -> None:
    assert plain(r"\*not bold\*") == "*not bold*"


@pytest.mark.parametrize("language", ("en", "zh-Hans", "zh-Hant"))
@pytest.mark.parametrize("kind", NOTICED)
def test_a_letter_that_shows_notices_shows_them_before_all_else(letters: Letters, kind, language) -> None:
    letter = replace(sample(kind, language), notices=(blocks(DELAY), blocks("Second <i>one</i>")), secrets=())
    bare = letters.compose(replace(letter, notices=()), HEAD)
    composed = letters.compose(letter, HEAD)
    words = composed.text.split("\n\n")
    title = {"en": "Please read this first", "zh-Hans": "请先阅读", "zh-Hant": "請先閱讀"}[language]
    assert words[1].startswith(title)
    assert words[2] == "Withdrawals of ETH are late: status (https://status.example.com/eth_1).\nYour funds are safe."
    assert words[3:5] == ["  * before 14:00: tonight\n  * later: tomorrow", "  1. Wait\n  2. Do not ask again"]
    assert words[5] == "Second <i>one</i>"
    assert composed.text.split("\n\n", 6)[6] == bare.text.split("\n\n", 1)[1]
    html = composed.html
    assert html.index(title) < html.index("<ul") < html.index("<ol") < html.index("Second &lt;i&gt;one&lt;/i&gt;")
    assert 'status (<a class="tint" href="https://status.example.com/eth_1"' in html
    assert "<strong>ETH</strong>" in html and "<em>late</em>" in html


def test_a_structure_that_leaves_notices_out_is_a_problem(source: TemplateSource) -> None:
    text = source.files["structure/acknowledgement.j2"].replace('"structure/base.j2"', "layout")
    files = {"structure/acknowledgement.j2": text + "{% block secrets %}{% endblock %}{% block panel %}{% endblock %}"
             "{% block articles %}{% endblock %}{% block security %}{% endblock %}"}  # fmt: skip
    problems = Letters(source, TemplateSource("/etc/own", files)).check()
    assert any("a notice" in problem.message for problem in problems)


@given(st.text(alphabet="*_[]()<>\\- \n1.https:/ab", max_size=300))
def test_no_character_of_a_notice_is_lost_but_marks(text: str) -> None:
    words = "".join(piece.text for block in blocks(text) for line in block.lines for piece in line)
    assert [c for c in words if c in "ab"] == [c for c in text if c in "ab"] or "](" in text


def test_the_longest_notice_is_read_at_once() -> None:
    began = time.process_time()
    for text in (
        "*" * LONGEST,
        "_a" * LONGEST,
        "[" * LONGEST,
        "**a" * LONGEST,
        "[a](https://" * LONGEST,
        "- " * LONGEST,
    ):
        blocks(text)
    assert time.process_time() - began < 2
