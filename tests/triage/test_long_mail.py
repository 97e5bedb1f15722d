"""A mail of a megabyte is read and understood in time linear in its length, whatever its text is made of."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from mailticket.mail import read
from mailticket.mail.values import Mail
from mailticket.topics.categories import classifier
from mailticket.topics.exchange_trade import EXCHANGE
from mailticket.triage.understanding import understand

READER = classifier(EXCHANGE)
HEAD = b"From: ann@example.org\r\nSubject: deposit\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
ENGLISH = "my deposit of 500 usdt has not arrived since Monday please check the order 8841 with account".split()  # noqa: SIM905
CHINESE = "您好我的充值还没有到账请问订单号码如下麻烦尽快处理密码助记词，。"
SHORT, LONG = 60_000, 480_000  # characters; what is longer is cut by the reader
TRIES = 3


def words(size: int) -> str:
    dice = random.Random(7)
    return " ".join(dice.choice(ENGLISH) for _ in range(size // 5))[:size]


def characters(size: int) -> str:
    dice = random.Random(7)
    return "\n".join("".join(dice.choice(CHINESE) for _ in range(39)) for _ in range(size // 40))


TEXTS: dict[str, Callable[[int], str]] = {
    "plain": words,
    "lines": lambda size: words(size).replace(" my ", "\n"),
    "Chinese": characters,
    "no blank": lambda size: "a1" * (size // 2),
    "one letter": lambda size: "a" * size,
    "one character": lambda size: "密" * size,
    "set apart": lambda size: "密 " * (size // 2),
    "digits": lambda size: "1234 " * (size // 5),
    "amounts": lambda size: "1,234.5678 123456 17\t" * (size // 21),
    "digits of another script": lambda size: "\u0661\u0662\u0663\u0664 123456 " * (size // 12),
    "words of two scripts": lambda size: "caf\u00e9\u4e2d\u6587 order " * (size // 13),
    "short lines": lambda size: "ok\n1\n" * (size // 5),
    "history": lambda size: (
        "Please help.\n\nOn Monday, 2 March 2026, Ann wrote:\n> " + words(size).replace(" my ", "\n> ")
    ),
}


def seconds(text: str) -> float:
    raw = HEAD + text.encode()
    began = time.process_time()
    understand(read(raw), READER)
    return time.process_time() - began


@pytest.mark.parametrize("kind", TEXTS)
def test_eight_times_the_text_takes_at_most_about_eight_times_as_long(kind: str) -> None:
    short, long = TEXTS[kind](SHORT), TEXTS[kind](LONG)
    seconds(short)
    # Taken in turns, so that a busy moment of the machine hits both.
    assert any(seconds(long) < 2.5 * LONG / SHORT * seconds(short) for _ in range(TRIES))


def test_an_id_deep_in_a_long_history_is_not_looked_for_and_those_at_its_ends_are() -> None:
    filling = "\n".join(["> nothing to see here"] * 1000)
    ids = ["11" * 32, "22" * 32, "33" * 32]
    history = f"> {ids[0]}\n{filling}\n> {ids[1]}\n{filling}\n> {ids[2]}"
    mail = Mail("d", "i", 1, text=f"Where is it?\n{history}", new_text="Where is it?")
    assert understand(mail, READER).fields["txid"] == (ids[0], ids[2])
