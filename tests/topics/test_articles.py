"""Which help articles are named for a request, and when none is."""

from __future__ import annotations

import pytest

from benchmarks.articles.__main__ import choose_all, measure
from mailticket.likeness.duplicates import fingerprint
from mailticket.topics import exchange_trade
from mailticket.topics.articles import Article, Matcher, matcher
from mailticket.topics.categories import Verdict, classifier

READER = classifier(exchange_trade.EXCHANGE)
DEPOSIT = Article("Deposit not credited: confirmations", "en", ("deposit",), "https://help.example/deposit")
DEPOSIT_ZH = Article("充值未到账：区块确认需要多久", "zh-Hans", ("deposit",), "https://help.example/zh/deposit")
SECOND_FACTOR = Article("Lost phone: how to reset 2FA", "en", ("account-security",), "https://help.example/2fa")
BREAD = Article("How to reheat sourdough bread", "en", (), "https://help.example/bread")
LEXICON = exchange_trade.EXCHANGE.lexicon
SHELF = matcher([DEPOSIT, DEPOSIT_ZH, SECOND_FACTOR, BREAD], LEXICON)


def best(
    subject: str,
    text: str,
    language: str = "en",
    shelf: Matcher = SHELF,
    at_most: int = 3,
    verdict: Verdict | None = None,
) -> list[str]:
    verdict = verdict or READER.classify(subject, text)
    request = fingerprint(subject, text, fields={}, category=verdict.name, category_sure=verdict.sure, lexicon=LEXICON)
    return [
        article.address.removeprefix("https://help.example/")
        for article in shelf.best(request, verdict, language, at_most)
    ]


@pytest.mark.parametrize(
    ("subject", "text", "language", "named"),
    [
        ("Deposit missing", "My deposit has 30 confirmations and is not credited.", "en", ["deposit"]),
        ("充值没到账", "链上已经确认，余额没有。", "zh-Hans", ["zh/deposit"]),
        ("充值沒到帳", "鏈上已經確認，餘額沒有。", "zh-Hant", ["zh/deposit"]),  # the same language in its other script
        ("充值没到账", "链上已经确认，余额没有。", "en", ["deposit"]),  # by concepts, which have no language
        ("2FA", "I lost my phone, please reset the authenticator.", "en", ["2fa"]),
        ("Reheating", "How do I reheat my sourdough without drying it out?", "en", ["bread"]),  # by rare words alone
        ("Question", "Is your company licensed in Germany?", "en", []),
        ("hello", "are you there?", "en", []),
        ("", "", "en", []),
        ("Deposit missing", "My deposit is not credited.", "tr", []),
    ],
)  # fmt: skip
def test_what_fits_is_named_and_nothing_else(subject: str, text: str, language: str, named: list[str]) -> None:
    assert best(subject, text, language) == named


def test_an_article_of_another_category_is_not_named_when_the_category_is_sure() -> None:
    words = ("Deposit not credited", "Deposit not credited after ten confirmations.")
    assert best(*words, verdict=Verdict("withdrawal", True, "high")) == []
    assert best(*words, verdict=Verdict("withdrawal", False, "high")) == ["deposit"]


def test_at_most_so_many_are_named() -> None:
    parts = [
        Article(f"Deposit not credited, part {n}", "en", ("deposit",), f"https://help.example/{n}") for n in range(5)
    ]
    alike = matcher(parts, LEXICON)
    words = ("Deposit not credited", "My deposit is not credited.")
    assert best(*words, shelf=alike) == ["0", "1", "2"]
    assert best(*words, shelf=alike, at_most=1) == ["0"]
    assert best(*words, shelf=alike, at_most=0) == []


def test_an_empty_shelf_has_nothing_to_name() -> None:
    assert best("Deposit missing", "My deposit is not credited.", shelf=matcher([], LEXICON)) == []


def test_the_labelled_requests_get_right_articles_or_none() -> None:
    aside = measure([chosen for chosen in choose_all() if chosen.part == "aside"])
    assert aside.precision >= 0.9
    assert aside.silent >= 0.9
    assert aside.recall >= 0.75
