"""A bakery with categories of its own: nothing of the exchange decides anything there."""

from __future__ import annotations

import re

import pytest

from mailticket.likeness.duplicates import Earlier, Match, best
from mailticket.mail.values import Mail
from mailticket.settings import Category, FieldRule
from mailticket.topics.articles import Article, matcher
from mailticket.topics.categories import classifier
from mailticket.topics.exchange_trade import EXCHANGE
from mailticket.topics.trade import configured
from mailticket.triage.understanding import Understanding, understand

THRESHOLD = 0.5
ORDER = FieldRule(name="order_number", patterns=(r"\bB-(\d{6})\b",))
FLAVOUR = FieldRule(name="flavour", kind="choice", patterns=(r"\b(chocolate|lemon)\b",))
BAKERY = configured((
    Category(name="cakes", words=("cake", "tart", "candles", "蛋糕"), fields=(ORDER, FLAVOUR), needs=("order_number",)),
    Category(name="delivery", words=("delivery", "deliver", "driver"), fields=(ORDER,), priority="high"),
    Category(name="invoices", words=("invoice", "receipt", "deposit"), fields=(ORDER,)),
))  # fmt: skip
READER = classifier(BAKERY)


def read(subject: str, text: str) -> Understanding:
    return understand(Mail("digest", "identity", 100, subject=subject, text=text, new_text=text), READER)


def repeated(new: Understanding, **earlier: Understanding) -> Match | None:
    prints = [Earlier(key, meaning.fingerprint) for key, meaning in earlier.items()]
    return best(new.fingerprint, prints, THRESHOLD, BAKERY.lexicon)


CAKE = read("Cake", "Where is the cake of order B-482913? The party begins at noon and nobody came.")
OTHER = read("Cake", "Where is the cake of order B-482977? The party begins at noon and nobody came.")


@pytest.mark.parametrize(
    ("subject", "text", "category", "missing"),
    [
        ("Birthday", "I would like candles on the cake.", "cakes", ("order_number",)),
        ("生日", "我的蛋糕没到，蛋糕在哪里", "cakes", ()),
        ("Late", "The driver did not deliver B-482913.", "delivery", ()),
        ("Deposit", "I paid the deposit, please send an invoice.", "invoices", ()),
        ("Wallet", "I left my wallet in your shop. USDT, TXID, withdrawal, KYC.", "other", ()),
    ],
)
def test_its_own_words_sort_its_requests(subject: str, text: str, category: str, missing: tuple[str, ...]) -> None:
    meaning = read(subject, text)
    assert (meaning.verdict.name, meaning.missing) == (category, missing)


def test_no_word_of_the_exchange_means_anything() -> None:
    meaning = read(
        "Deposit", f"My deposit, wallet, withdrawal of 250 USDT by TRC20, txid {'ab12' * 16}, order no. 88110022"
    )
    assert meaning.fields == {}
    assert meaning.fingerprint.fields == {}
    assert set(meaning.fingerprint.concepts) == {"invoices", "order"}
    assert BAKERY.lexicon.opposites == ()
    assert all(
        BAKERY.lexicon.weight(word) == BAKERY.lexicon.weight("unheard") for word in ("withdraw", "wallet", "usdt")
    )


def test_no_pattern_of_the_general_concepts_names_a_coin() -> None:
    words = re.compile("crypto|wallet|coin|blockchain|deposit|withdrawal|usdt|txid|币|充值|提现|链上|钱包")
    general = [c for c in BAKERY.lexicon.concepts if c.name not in ("cakes", "delivery", "invoices")]
    assert [concept.name for concept in general if words.search(concept.pattern.pattern)] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("another deposit, a new position", "other"),
        ("another order, a different delivery", "other"),
        ("wrong txid in my mail", "correction"),
        ("wrong number in my mail", "correction"),
        ("又充了一笔", "other"),
        ("又来了一笔", "other"),
        ("今天爆仓", "reports"),
        ("今天失败", "reports"),
        ("can staked ada take part", "asks"),
        ("can the shop take cards", "asks"),
    ],
)
def test_phrases_of_the_exchange_say_nothing_to_a_bakery(text: str, says: str) -> None:
    general = not re.search("deposit|txid|充|爆仓|staked", text)
    assert bool(getattr(EXCHANGE.lexicon.phrases.stance(text), says))
    assert bool(getattr(BAKERY.lexicon.phrases.stance(text), says)) == general


def test_the_same_order_number_speaks_for_the_same_matter() -> None:
    again = read("Still nothing", "I am asking about B-482913 once more, what happened to it?")
    match = repeated(again, first=OTHER, second=CAKE)
    assert match is not None
    assert match.key == "second"
    assert "same identifier 482913" in match.reason


def test_another_order_number_is_another_matter_whatever_the_words() -> None:
    assert repeated(OTHER, only=CAKE) is None
    same_words = read("Cake", "Where is the cake of order? The party begins at noon and nobody came at all.")
    assert repeated(same_words, only=CAKE) is not None


def test_another_choice_speaks_against_it() -> None:
    lemon, chocolate = (
        read("Cake", f"The {kind} cake was broken when I opened the box.") for kind in ("lemon", "chocolate")
    )
    assert repeated(lemon, only=chocolate) is None


def test_articles_fit_by_the_bakery_s_words() -> None:
    article = Article("Candles on your cake", "en", (), "https://bakery.example/candles")
    shelf = matcher([article, Article("Deposits and wallets", "en", (), "https://bakery.example/x")], BAKERY.lexicon)
    meaning = read("Birthday", "I would like candles on the cake.")
    assert shelf.best(meaning.fingerprint, meaning.verdict, "en", 3) == (article,)
