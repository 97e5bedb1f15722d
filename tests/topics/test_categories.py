"""What a request is about, and how sure that is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.categories.__main__ import PARTS, accuracy, judge_all, sure_precision
from mailticket.mail.values import Mail
from mailticket.settings import Category
from mailticket.topics import exchange, exchange_trade
from mailticket.topics.categories import classifier, classifier_of
from mailticket.topics.trade import configured
from mailticket.triage.understanding import understand

READER = classifier(exchange_trade.EXCHANGE)


@pytest.mark.parametrize(
    ("subject", "text", "category"),
    [
        ("Deposit missing", "I sent 500 USDT and it was not credited", "deposit"),
        ("提现", "提现一直审核中", "withdrawal"),
        ("help", "i cant log in to my account", "account-security"),
        ("請問", "帳號被鎖定了，谷歌驗證器換手機後用不了", "account-security"),
        ("API", '{"code": -1021} on /api/v3/order', "api"),
        ("KYC", "selfie rejected 3 times", "identity"),
        ("爆仓", "止损没有触发", "trading"),
        ("hi", "thanks", "other"),
        ("", "", "other"),
    ],
)
def test_the_words_of_a_request_tell_its_category(subject: str, text: str, category: str) -> None:
    assert READER.classify(subject, text).name == category


def test_a_verdict_names_priority_and_reason() -> None:
    verdict = READER.classify("Hacked", "my account was hacked, freeze it")
    assert (verdict.name, verdict.sure, verdict.priority) == ("account-security", True, "urgent")
    assert "hacked" in verdict.reason


def test_traditional_and_simplified_characters_are_the_same_words() -> None:
    assert READER.classify("", "提現一直審核中").scores == READER.classify("", "提现一直审核中").scores


def test_nothing_is_asked_for_unless_the_category_is_sure() -> None:
    def missing(subject: str, text: str) -> tuple[str, ...]:
        return understand(Mail("digest", "identity", 100, subject=subject, text=text, new_text=text), READER).missing

    assert missing("deposit", "my deposit was not credited") == ("account_id", "txid")
    unsure = READER.classify("order", "POST /order returns 500")
    assert (unsure.name, unsure.sure) == ("trading", False)
    assert missing("order", "POST /order returns 500") == ()


def test_the_built_in_classifier_is_made_once() -> None:
    assert classifier_of(()) is classifier_of([])


def test_one_category_of_a_site_replaces_the_built_in_set() -> None:
    cake = Category(name="cake", words=("cake", "蛋糕"), patterns=(r"order\s#\d+",), priority="high")
    bakery = classifier_of((cake,))
    verdict = bakery.classify("Cakes", "order #12, a cake")
    assert (verdict.name, verdict.sure, verdict.priority) == ("cake", True, "high")
    assert bakery.classify("deposit", "my deposit is missing").name == "other"


def test_a_word_that_two_categories_claim_counts_less_for_each() -> None:
    first, second = Category(name="a", words=("order",)), Category(name="b", words=("order", "cake"))
    reader = classifier(configured((first, second)))
    assert reader.classify("", "order").name == "other"
    assert reader.classify("", "cake order").name == "b"


@pytest.mark.parametrize("part", PARTS)
def test_the_built_in_set_reaches_its_goal_on_the_labelled_requests(part: str) -> None:
    chosen = [request for request in judge_all() if request.part == part]
    assert accuracy(chosen) >= 0.90
    assert sure_precision(chosen) >= 0.95


@given(st.text(max_size=100), st.text(max_size=300))
def test_classifying_never_raises(subject: str, text: str) -> None:
    assert READER.classify(subject, text).name in {category.name for category in exchange.CATEGORIES}


def test_every_category_and_field_of_the_design_is_built_in() -> None:
    names = {category.name for category in exchange.CATEGORIES}
    assert names == {"account-security", "trading", "deposit", "withdrawal", "api", "identity", "other"}
    found = {rule.name for rule in exchange.FIELDS}
    assert found >= {"txid", "order_id", "account_id", "network", "coin", "amount", "time"}
    for category in exchange.CATEGORIES:
        assert set(category.needs) <= found
        assert set(category.labels) == {"en", "zh-Hans", "zh-Hant"}
