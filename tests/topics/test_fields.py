"""Which details a text names, and in which form they are kept."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.settings import Category, FieldRule
from mailticket.topics import exchange, fields

TXID = "ab12" * 16

RULES = fields.compile_rules(exchange.FIELDS, exchange.EXCHANGE.forms)


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
    assert fields.extract(text, RULES).get(name, ()) == values


def test_values_stand_in_the_order_of_the_text_without_repeats() -> None:
    details = fields.extract("5 ETH, then 3 BTC, again 5 ETH", RULES)
    assert details["amount"] == ("5", "3")
    assert details["coin"] == ("ETH", "BTC")


def test_the_number_of_values_is_bounded() -> None:
    text = " ".join(f"{number} USDT," for number in range(1, 500))
    assert len(fields.extract(text, RULES)["amount"]) == fields.MOST_VALUES


def test_a_site_s_own_rule_keeps_the_words_as_written() -> None:
    rule = FieldRule(name="cake", patterns=(r"cake:\s*(\w+ \w+)",))
    assert fields.extract("Cake:  Black Forest please", fields.compile_rules([rule], {})) == {"cake": ("Black Forest",)}


def test_what_is_missing_follows_the_order_of_the_category() -> None:
    category = Category(name="deposit", needs=("account_id", "txid", "coin"))
    assert fields.missing(category, {"txid": ("x",)}) == ("account_id", "coin")


@given(st.text(max_size=400))
def test_extracting_never_raises_and_never_finds_empty_values(text: str) -> None:
    assert all(value for values in fields.extract(text, RULES).values() for value in values)


@pytest.mark.parametrize(
    "unit", ["1", "1,", "order id ", "2026-1-", "amount ", "百万", "USDT ", "5 ", "jan 1 ", "0x", "a-1_"]
)
def test_time_grows_linearly_with_hostile_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        start = time.process_time()
        fields.extract(text, RULES)
        return time.process_time() - start

    seconds(2_000)
    short = min(seconds(10_000) for _ in range(3))
    assert min(seconds(40_000) for _ in range(2)) < 4 * 2.5 * short + 0.05
