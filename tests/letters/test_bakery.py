"""A bakery: with categories of its own no letter speaks of the exchange, and `[letters]` says what the bakery says."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mailticket.letters import KINDS, Composed, LetterKind, Letters, samples
from mailticket.settings import Category, FieldRule, LetterSample, LettersText, Settings
from mailticket.site import letterhead

LANGUAGES = ("en", "zh-Hans", "zh-Hant")
# ETH, UID and the like as words, in capitals: "whether" and "together" hold "eth".
CRYPTO = re.compile(
    r"(?i:seed phrase|private key|wallet|usdt|txid|transaction id|withdrawal|deposit|crypto|coin|blockchain|exchange"
    r"|trading)|\b(?:ETH|BTC|KYC|TRON|TRC-20)\b"
    r"|助[记記][词詞]|私[钥鑰]|[钱錢]包|充值|提[现現]|入金|出金|[币幣]|哈希|雜湊|[转轉][账帳]"
)
ORDERS = Category(
    name="order",
    labels={"en": "Bread orders", "zh-Hans": "面包订单"},
    words=("bread",),
    needs=("order_number", "delivery_day"),
    fields=(FieldRule(name="order_number", patterns=(r"\bB-(\d{6})\b",), labels={"en": "loaf number"}),),
)


def bakery(**tables: object) -> Settings:
    support = {"name": "The Bakery", "address": "bread@example.com"}
    return Settings.model_validate({"support": support, "smtp": {"host": "localhost"}, "category": (ORDERS,), **tables})


def compose(letters: Letters, settings: Settings, kind: LetterKind, language: str) -> Composed:
    head = letterhead(settings)
    return letters.compose(letters.sample(kind, language, head), head)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_letter_of_a_bakery_holds_a_word_of_the_exchange(letters: Letters, kind, language) -> None:
    head = letterhead(bakery())
    forms = samples.variants(kind, language, head.wording)
    secrets = ("seed phrase", "private key", "api key", "password", "2fa code", "card number")
    for form in [*forms, *(replace(form, secrets=secrets) for form in forms)]:
        composed = letters.compose(form, head)
        assert composed.warnings == ()
        # Chinese is wrapped inside words, English between them.
        text = composed.text.replace("\n", " " if composed.language == "en" else "")
        for page in (composed.subject, text, composed.html):
            assert CRYPTO.findall(page) == []


def test_the_words_that_are_looked_for_are_those_of_the_exchange(letters: Letters) -> None:
    exchange = bakery(category=())
    for language in LANGUAGES:
        assert len(set(CRYPTO.findall(compose(letters, exchange, "acknowledgement", language).text))) >= 3


def test_a_preview_shows_the_first_category_and_its_details(letters: Letters) -> None:
    text = compose(letters, bakery(), "acknowledgement", "en").text
    assert "“Bread orders”" in text
    assert "  * loaf number\n" in text
    assert "  * delivery day: 12345\n" in text
    assert "“面包订单”" in compose(letters, bakery(), "acknowledgement", "zh-Hans").html


def test_the_texts_of_the_configuration_replace_the_built_in_ones_whole(letters: Letters) -> None:
    texts = LettersText(
        secrets={"password": {"en": "Password: bake a new one."}},
        never_ask={"en": "We never ask for your recipes."},
        sample={"en": LetterSample(subject="My bread", category="Rolls", missing=("loaf",))},
    )
    for settings in (bakery(letters=texts), bakery(letters=texts, category=())):
        head = letterhead(settings)
        form = replace(letters.sample("acknowledgement", "en", head), secrets=("password", "card number"))
        composed = letters.compose(form, head)
        assert "Re: My bread [" in composed.subject
        assert "“Rolls”" in composed.text
        assert "  * loaf\n" in composed.text
        for page in (composed.text, composed.html):
            assert "Password: bake a new one." in page
            assert "Anything else that is secret" in page
            assert "Card number" not in page
            assert "We never ask for your recipes." in page
            assert "never ask for passwords" not in page
    assert "We never ask for your recipes." in compose(letters, settings, "solved", "zh-Hans").text


def test_an_empty_sentence_leaves_out_what_support_never_asks_for(letters: Letters) -> None:
    settings = bakery(letters=LettersText(never_ask={"en": ""}))
    for language in LANGUAGES:
        composed = compose(letters, settings, "solved", language)
        assert not re.search("never ask|索要|索取", composed.text + composed.html)
        assert composed.warnings == ()


def test_one_key_leaves_the_other_texts_of_the_exchange(letters: Letters) -> None:
    settings = bakery(category=(), letters=LettersText(never_ask={"en": "We never ask for your recipes."}))
    assert "USDT" in compose(letters, settings, "acknowledgement", "en").subject
