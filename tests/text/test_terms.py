"""What of a text is found by which words: addresses, numbers, Chinese, and that whatever is sought is data."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.text import terms
from mailticket.text.terms import LONGEST_WORD, MOST_TERMS, index_terms, sought_terms
from mailticket.text.words import folded

HASH = "0xAB54a98ceb1f0ad2c5d2f1c5e24c1a6e7a1f2b3c4d5e6f708192a3b4c5d6e7f8"


def is_found(text: str, *words: str) -> bool:
    """Whether a ticket with this text has all these words."""
    found = index_terms([text])
    sought = sought_terms(words)
    return bool(sought) and all(
        any(term.startswith(s.term) if s.is_prefix else term == s.term for term in found) for s in sought
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("My DEPOSIT has not arrived", "deposit"),
        ("My deposits have not arrived", "deposit"),
        ("My deposit has not arrived", "arrived deposit"),
        ("ＵＳＤＴ　到账", "usdt"),
        ("Bob Lee <bob@example.org>", "bob@example.org"),
        ("Bob Lee <Bob@Example.org>", "bob"),
        ("bob.lee+shop@mail.example.org", "bob.lee+shop@mail.example.org"),
        ("bob@mail.example.org", "@example.org"),
        ("bob@mail.example.org", "example.org"),
        ("bob@example.org", "bob@"),
        (f"txid: {HASH}", HASH),
        (f"txid:{HASH}", HASH[:9].upper()),
        ("see MT-7F3K-92QX", "mt-7f3k-92qx"),
        ("see MT-7F3K-92QX", "7F3K"),
        ("account_id=12345678", "account_id"),
        ("account_id=12345678", "12345"),
        ("提现500USDT未到账", "usdt"),
        ("提现500USDT未到账", "500usdt"),
        ("提现500USDT未到账", "500"),
        ("我的提现没有到账", "提现"),
        ("我的提现没有到账", "到账"),
        ("我的提現沒有到賬", "到账"),
        ("我的提现没有到账", "提現"),
        ("我的提现没有到账", "提现没有到账"),
        ("我的提现没有到账", "账"),
        ("我的提现没有到账", "我"),
        ("币", "币"),
        ("don’t know", "don't"),
        ("O'Brien", "obrien"),
        ("на счёт", "СЧЁТ"),
        ("入金が反映されない", "反映"),
        ("ฝากเงินไม่เข้า", "เงิน"),
        ("가상자산 출금", "출금"),
    ],
)
def test_a_text_is_found_by(text: str, words: str) -> None:
    assert is_found(text, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("My deposit has not arrived", "withdrawal"),
        ("My deposit has not arrived", "deposit withdrawal"),
        ("My deposit has not arrived", "posit"),  # a word is not found by its middle
        ("oracle", "or"),  # nor a long one by two letters
        ("bob@notexample.org", "example.org"),
        ("提款没有到账", "提现"),
        ("提早 出现", "提现"),
        ("anything", ""),
        ("anything", "*"),
        ("anything 🚀", "🚀"),
    ],
)
def test_a_text_is_not_found_by(text: str, words: str) -> None:
    assert not is_found(text, words)


def test_a_word_joined_to_nothing_is_sought_by_its_beginning_and_what_is_joined_whole() -> None:
    assert sought_terms(["deposit"]) == [("deposit", True)]
    assert sought_terms(["to"]) == [("to", False)]
    assert sought_terms(["a@b.example"]) == [("a.b", False), ("b.example", False)]


@given(st.lists(st.text(max_size=200), max_size=3))
def test_terms_hold_no_sign_of_any_query_language(texts: list[str]) -> None:
    terms = {*index_terms(texts), *(sought.term for sought in sought_terms(texts))}
    assert not [term for term in terms if not term or re.search(r"[\s\0\"'*\\:&|!()<>^{}+-]", term)]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_every_text_is_found_by_itself(text: str) -> None:
    assert is_found(text, text) == bool(sought_terms([text]))


PIECES = [
    "a", "B", "don't", "\u2019", "e", "\u0301", "\u3000", " ", "\u00b4", "\u200b", "\x1c", "\u4e2d", "\uff21", ".", "-",
    "\u0345", "\u00a0", "\uac00", "\u11a8",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_no_term_reaches_across_a_blank(pieces: list[str]) -> None:
    text = "".join(pieces)
    whole = terms._TOKEN.findall(folded(text).replace("'", ""))
    assert list(dict.fromkeys(terms._tokens(text))) == list(dict.fromkeys(whole))


def test_long_words_and_floods_are_bounded() -> None:
    assert index_terms(["x" * 1_000_000]) == ["x" * LONGEST_WORD]
    assert is_found("x" * 1_000_000, "x" * 10_000)
    found = index_terms([" ".join(f"w{number}" for number in range(2 * MOST_TERMS))])
    assert len(found) == MOST_TERMS
    assert sum(map(len, index_terms([" ".join(f"{n:0100d}" for n in range(MOST_TERMS))]))) <= 250_000
    assert len(sought_terms([" ".join(f"w{number}" for number in range(2_000))])) == 100
