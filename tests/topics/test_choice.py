"""A reply that names a category and nothing else chooses it; a reply that only mentions one chooses nothing."""

from __future__ import annotations

import pytest

from mailticket.settings import Category
from mailticket.topics.choice import chosen
from mailticket.topics.exchange import CATEGORIES

CHOICES = [
    ("withdrawal", "withdrawal"),
    ("Withdrawals", "withdrawal"),
    ("It's about withdrawals", "withdrawal"),
    ("its about withdrawals.", "withdrawal"),
    ("It is about a withdrawal, thanks", "withdrawal"),
    ("Category: withdrawal", "withdrawal"),
    ("CATEGORY WITHDRAWAL", "withdrawal"),
    ("The right category is Identity checks.", "identity"),
    ("Please change it to “API”", "api"),
    ("account-security", "account-security"),
    ("Account security\n\nThank you,\nAnn", "account-security"),
    ("\n> \nDeposits please", "deposit"),
    ("Other", "other"),
    ("提现", "withdrawal"),
    ("「提現」", "withdrawal"),
    ("是提现问题，谢谢", "withdrawal"),
    ("分类：充值", "deposit"),
    ("应该是提现", "withdrawal"),
    ("请改为身份认证", "identity"),
    ("身分認證", "identity"),
    ("關於帳戶安全", "account-security"),
]
OTHERS = [
    "",
    "Hello,\nwithdrawal",
    "My deposit of 250 USDT has not arrived since this morning, please look again.",
    "I have tried the deposit",
    "Not about withdrawals",
    "It is not a deposit",
    "deposit or withdrawal?",
    "deposits and withdrawals",
    "Where is my deposit",
    "My deposit is still missing",
    "The deposit arrived",
    "deposit address please",
    "Another withdrawal failed",
    "不是充值",
    "我的充值还没到账",
    "提现失败",
    "充值还是提现？",
    "提现什么时候到",
    "Thank you for your help",
    "about " * 40 + "deposit",
]


@pytest.mark.parametrize(("text", "name"), CHOICES)
def test_a_reply_that_names_a_category_chooses_it(text: str, name: str) -> None:
    assert chosen(text, CATEGORIES) == name


@pytest.mark.parametrize("text", OTHERS)
def test_a_reply_that_says_anything_else_chooses_nothing(text: str) -> None:
    assert chosen(text, CATEGORIES) is None


def test_what_two_categories_are_called_chooses_neither() -> None:
    twins = (Category(name="bread", labels={"en": "Orders"}), Category(name="cakes", labels={"en": "Orders"}))
    assert chosen("orders", twins) is None
    assert chosen("cakes", twins) == "cakes"
