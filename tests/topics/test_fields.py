"""Which details a text names, and in which form they are kept."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.settings import Category, FieldRule
from mailticket.topics import exchange, exchange_trade, fields

TXID = "ab12" * 16

RULES = fields.compile_rules(exchange.FIELDS, exchange_trade.EXCHANGE.forms)


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        (f"TXID 0x{TXID.upper()}", "txid", (TXID,)),
        (f"哈希：{TXID}，已确认", "txid", (TXID,)),
        (f"{TXID}ff is too long", "txid", ()),
        ("order id: abc-12345", "order_id", ("ABC-12345",)),
        ("订单号：20261117883201，请查", "order_id", ("20261117883201",)),
        ("Order #10482 is late", "order_id", ("10482",)),
        ("I want to order 2 BTC", "order_id", ()),
        ("what about order 5519 of last week", "order_id", ("5519",)),
        ("my order (no. 5519) is stuck", "order_id", ("5519",)),
        ("orders 73310421, 73310422 and 73310467 are open", "order_id", ("73310421", "73310422", "73310467")),
        ("the withdrawal WD20260301-88 hangs", "order_id", ("WD20260301-88",)),
        ("昨天的委托单73310421还没成交", "order_id", ("73310421",)),
        ("提现单W20260301-7卡住了", "order_id", ("W20260301-7",)),
        ("my order was 45000 USDT", "order_id", ()),
        ("deposit 1200000 to my account", "order_id", ()),
        ("my account 6120553 is blocked", "account_id", ("6120553",)),
        ("the account with the number 6120553 is frozen", "account_id", ("6120553",)),
        ("my uid, 6120553, cannot trade", "account_id", ("6120553",)),
        ("Since Friday customer 6120553 sees nothing", "account_id", ("6120553",)),
        ("我的用户6120553登录不了", "account_id", ("6120553",)),
        ("会员6120553的余额", "account_id", ("6120553",)),
        ("my account has 60000 DOGE", "account_id", ()),
        ("用户60000人参加活动", "account_id", ()),
        (f"is ({TXID}) confirmed?", "txid", (TXID,)),
        (f"交易{TXID}没到账", "txid", (TXID,)),
        (f"TXID{TXID}.", "txid", (TXID,)),
        ("UID: 8837261", "account_id", ("8837261",)),
        ("帳號 88120034", "account_id", ("88120034",)),
        ("my account is locked", "account_id", ()),
        ("sent by TRC-20 or trc20", "network", ("TRC20",)),
        ("用波场转的", "network", ("TRC20",)),
        ("the Polygon network", "network", ("POLYGON",)),
        ("some bitcoin and usdt", "coin", ("BTC", "USDT")),
        ("转了500个U和比特币", "coin", ("USDT", "BTC")),
        ("the link is near", "coin", ()),
        ("1,500.00 USDT", "amount", ("1500",)),
        ("两万U", "amount", ("20000",)),
        ("NT$85,000", "amount", ("85000",)),
        ("0.0842 BTC and $199", "amount", ("0.0842", "199")),
        ("on 20 November 2026", "time", ("2026-11-20",)),
        ("Nov 20th at noon", "time", ("11-20",)),
        ("11月16日14:20", "time", ("11-16 14:20",)),
        ("2026/11/20", "time", ("2026-11-20",)),
        ("20/11/2026", "time", ("2026-11-20",)),
        ("昨晚开始", "time", ("昨晚",)),
        ("app version 5.12.3", "app_version", ("5.12.3",)),
    ],
)
def test_a_detail_is_found_and_normalised(text: str, name: str, values: tuple[str, ...]) -> None:
    assert RULES.extract(text).get(name, ()) == values


def test_values_stand_in_the_order_of_the_text_without_repeats() -> None:
    details = RULES.extract("5 ETH, then 3 BTC, again 5 ETH")
    assert details["amount"] == ("5", "3")
    assert details["coin"] == ("ETH", "BTC")


def test_the_number_of_values_is_bounded() -> None:
    text = " ".join(f"{number} USDT," for number in range(1, 500))
    assert len(RULES.extract(text)["amount"]) == fields.MOST_VALUES


def test_a_site_s_own_rule_keeps_the_words_as_written() -> None:
    rule = FieldRule(name="cake", patterns=(r"cake:\s*(\w+ \w+)",))
    assert fields.compile_rules([rule], {}).extract("Cake:  Black Forest please") == {"cake": ("Black Forest",)}


def test_what_is_missing_follows_the_order_of_the_category() -> None:
    category = Category(name="deposit", needs=("account_id", "txid", "coin"))
    assert fields.missing(category, {"txid": ("x",)}) == ("account_id", "coin")


@given(st.text(max_size=400))
def test_extracting_never_raises_and_never_finds_empty_values(text: str) -> None:
    assert all(value for values in RULES.extract(text).values() for value in values)


@pytest.mark.parametrize(
    "unit", ["1", "1,", "order id ", "2026-1-", "amount ", "百万", "USDT ", "5 ", "jan 1 ", "0x", "a-1_"]
)
def test_time_grows_linearly_with_hostile_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        start = time.process_time()
        RULES.extract(text)
        return time.process_time() - start

    seconds(2_000)
    short = min(seconds(10_000) for _ in range(3))
    assert min(seconds(40_000) for _ in range(2)) < 4 * 2.5 * short + 0.05


@pytest.mark.parametrize("category", exchange.CATEGORIES, ids=lambda category: category.name)
def test_the_built_in_categories_are_what_a_configuration_may_say(category: Category) -> None:
    """They are made without being checked, for that takes a tenth of a second of each start."""
    assert Category.model_validate(category.model_dump()) == category
