"""What of a text names a person, and is taken out of it."""

from __future__ import annotations

import pytest

from mailticket.secrets.people import MARK, Veil, lines_of

WORDS = "I am Annabel Leeward and my quincunx deposit is gone"
VEIL = Veil(["annabel@wharf.example"], ["Annabel Leeward"], ["<a.1@wharf.example>"], lines_of([WORDS]))


@pytest.mark.parametrize(
    "quotation",
    [
        f"> {WORDS}",
        f"> > {WORDS.upper()}",
        "> I am Annabel Leeward and my\n> quincunx deposit is gone",
        "<p>I am <b>Annabel</b> Leeward and my&nbsp;quincunx<br>deposit is gone</p>",
    ],
)
def test_a_quoted_line_goes_whole_though_it_names_its_writer(quotation: str) -> None:
    veiled = VEIL(f"Indeed.\n{quotation}\nBob")
    assert [word for word in ("annabel", "deposit", "gone") if word in veiled.lower()] == []
    assert veiled.startswith("Indeed.") and MARK in veiled and veiled.endswith("Bob")


def test_each_of_many_thousand_lines_is_known() -> None:
    lines = lines_of(f"Deposit {number} of the quincunx has not arrived" for number in range(8_000))
    quoting = (
        "Bob: Deposit 7999 of the quincunx has not arrived, he wrote, and Deposit 0 of the quincunx has not arrived."
    )
    assert Veil([], lines=lines)(quoting) == f"Bob: {MARK}, he wrote, and {MARK}."


def test_a_line_that_others_wrote_too_is_nobodys() -> None:
    line = "Please tell me when the office opens"
    veil = Veil([], lines=(line, WORDS)).sparing([f"Hello,\n  {line}\n"])
    assert veil(f"> {line}\n> {WORDS}") == f"> {line}\n> {MARK}"


def test_case_is_no_hiding_place_in_any_script() -> None:
    line = "Straße İzmir ſoll Kelvin weit ſein wie ΣΑΣ"
    assert Veil([], lines=lines_of([line]))("> straße izmir soll kelvin weit sein wie σας") == f"> {MARK}"


@pytest.mark.parametrize(
    "text",
    [
        "我的邮箱是annabel@wharf.example谢谢",
        "您好李晓明先生",
        "이메일은 annabel@wharf.example입니다",
        "他说我上周提交的提现申请还没有到账，请查",
        '<a href="mailto:annabel%40wharf.example">',
        "?to=%3Cannabel%40wharf.example%3E",
        "From: Leeward, Annabel",
    ],
)
def test_letters_right_beside_a_name_and_other_ways_to_write_it_hide_nobody(text: str) -> None:
    veil = Veil(
        ["annabel@wharf.example"], ["李晓明", "Annabel Leeward"], (), lines_of(["我上周提交的提现申请还没有到账"])
    )
    veiled = veil(text).lower()
    assert MARK in veiled
    assert [word for word in ("annabel", "晓明", "提现") if word in veiled] == []


@pytest.mark.parametrize(
    "text", ["hannabel@wharf.example", "annabel@wharf.example.org", "x.annabel@wharf.example", "Annabel Leewards"]
)
def test_what_only_contains_the_address_or_the_name_is_anothers(text: str) -> None:
    assert VEIL(text) == text


def test_a_short_line_is_anybodys_in_any_script() -> None:
    assert lines_of(["Where is my money?", "我的钱在哪里？", "你好，谢谢"]) == ()
