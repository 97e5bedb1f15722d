"""How often secrets are sought over a text: all wordings in one pass, and the words of seed phrases in another."""

from __future__ import annotations

import re
import sys
from itertools import chain, repeat

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailticket.mail.values import Mail
from mailticket.secrets import cards, keys, masking, passwords, second_factor, seeds
from mailticket.secrets.spans import Reading, plain
from mailticket.text.sieve import Sieve
from mailticket.topics.categories import classifier
from mailticket.topics.exchange_trade import EXCHANGE
from mailticket.triage.understanding import understand

SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"
FILLINGS = {
    "ASCII": "Nothing of the kind is in here, order 8841 neither. ",
    "an accent": "Nothing of the kind is in h\u00e9re, order 8841 neither. ",
    "Chinese": "\u8fd9\u91cc\u4ec0\u4e48\u90fd\u6ca1\u6709\uff0c\u8ba2\u5355\u4e5f\u6ca1\u6709\u3002",
    "combining marks": "Nothing of the kind is in he\u0301re, neither. ",
    "a run of letters": "abcdefghijklmnopqrstuvwxyzlegal 12 ",
}
READER = classifier(EXCHANGE)


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("place", [0, 940, 990, 1040, 2970, 20_000])
def test_a_seed_phrase_is_found_wherever_it_stands_in_a_long_text(filling: str, place: int) -> None:
    before = (FILLINGS[filling] * 1000)[:place] + ". "
    text = before + SEED + ". " + FILLINGS[filling] * 50
    phrase = [secret for secret in masking.find(text) if secret.kind == "seed phrase"]
    assert [(secret.start, secret.end) for secret in phrase] == [(len(before), len(before) + len(SEED))]


def test_a_phrase_that_lost_a_word_is_found_by_the_wording_beside_it_alone() -> None:
    lost = SEED.rpartition(" ")[0]
    filling = FILLINGS["ASCII"] * 200
    text = f"{filling}{lost}. {filling}My seed phrase: {lost}. {filling}"
    secrets = [secret for secret in masking.find(text) if secret.kind == "seed phrase"]
    assert [secret.start <= text.rindex(lost) < secret.end for secret in secrets] == [True]


PIECES = [
    "legal",
    "Winner",
    "a",
    "\u79d8",
    "\u5bc6\u7801",
    "he\u0301",
    "x" * 25,
    "12",
    " ",
    "\n",
    ", ",
    "\u3002",
    "Stra\u00dfe",
    "\u0130zmir",
]


@given(st.lists(st.sampled_from(PIECES), max_size=60), st.sampled_from([1, 7, 1000]))
def test_words_are_marked_stretch_by_stretch_as_they_are_in_one_piece(pieces: list[str], size: int) -> None:
    text = "".join(pieces)
    stretch, seeds._STRETCH = seeds._STRETCH, size
    try:
        words = seeds._Words(text)
    finally:
        seeds._STRETCH = stretch
    tokens = [match.group() for match in words._token.finditer(text)]
    known = seeds._Marks(words._token)
    assert words._marks == b"".join(known[token] for token in tokens)
    spans = [words._span(number, place) for number, place in _numbered(words)]
    assert [text[start:end] for start, end in spans] == tokens


def _numbered(words: seeds._Words) -> list[tuple[int, int]]:
    counts = words._counts
    return list(chain.from_iterable(zip(repeat(n), range(counts[n], counts[n + 1])) for n in range(len(counts) - 1)))


WORDINGS = [
    "code",
    "2fa",
    "order",
    "txid",
    "visa",
    "private key",
    "the number",
    "$",
    "\u9a8c\u8bc1\u7801",
    "ref",
    "id",
    "123456",
    " ",
    "-",
    "s",
]


@given(st.lists(st.sampled_from(WORDINGS), max_size=30), st.integers(0, 120), st.integers(0, 80))
def test_the_wording_before_a_number_is_the_one_that_its_pattern_finds(pieces: list[str], end: int, size: int) -> None:
    text = "".join(pieces)
    end = min(end, len(text))
    reading = Reading(text, masking._SIEVE)
    for pattern in (
        second_factor._CODE_WORDING,
        second_factor._NO_CODE,
        cards._OTHER_NUMBER,
        keys._TRANSACTION_WORDING,
    ):
        ends = [match.end() for match in pattern.finditer(text, max(0, end - size), end)]
        assert reading.last_end(pattern, end - size, end) == max(ends, default=-1)


def test_a_text_goes_through_the_sieve_once_however_many_numbers_stand_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    candidates = Sieve.candidates
    monkeypatch.setattr(Sieve, "candidates", lambda sieve, loose: passes.append(len(loose)) or candidates(sieve, loose))
    masking.find("code 123456, visa 4111 1111 1111 1111, " * 500)
    assert len(passes) == 1


def test_a_text_that_is_new_in_whole_is_masked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    mask = masking.mask
    monkeypatch.setattr(masking, "mask", lambda text, **options: texts.append(text) or mask(text, **options))
    understand(Mail("d", "i", 1, subject="Hello", text="Where is it?", new_text="Where is it?"), READER)
    assert texts == ["Hello", "Where is it?"]


DIGITS = [
    "4111", "1111", " ", "-", "0", "123", "456789", "37", "828224", "6310005", "a", "Z", "_", "#", "\u20ac", ".", "/",
    "\n", "code ", "\u4e2d", "\u0663", "\uff14", "\U0001d7d8",
]  # fmt: skip


@given(st.lists(st.sampled_from(DIGITS), max_size=30))
@example(["4111-1111-1111-1111 4111 1111 1111 1111 3782-822463-10005 3782 822463 10005 4111111111111111"])
@example(["123 456 789 012 123-456-789 123456 123456"])
def test_numbers_are_found_by_the_outline_of_a_text_as_by_their_pattern_alone(pieces: list[str]) -> None:
    reading = Reading("".join(pieces), masking._SIEVE)
    for pattern, outline in (
        (cards._RUN, cards._RUN_OUTLINE),
        (second_factor._DIGITS, second_factor._DIGITS_OUTLINE),
    ):
        spans = [match.span() for match in pattern.finditer(reading.text)]
        assert [match.span() for match in reading.numbers(pattern, outline)] == spans


RUNS = ["5", "K", "c", "x", "0", "H" * 25, "J" * 49, "K" * 50, "L" * 51, " ", "-", "\u4e2d", "\u0663"]


@given(st.lists(st.sampled_from(RUNS), max_size=20))
@example(["K" * 51, " ", "L" * 52, "-", "c" * 51, " ", "5" * 53, " ", "K" * 51])
def test_wallet_keys_are_found_by_the_runs_of_a_text_as_by_their_pattern_alone(pieces: list[str]) -> None:
    reading = Reading("".join(pieces), masking._SIEVE)
    spans = [match.span() for match in keys._WIF.finditer(reading.text)]
    assert [match.span() for match in reading.runs(keys._WIF, keys._SHORTEST_WIF)] == spans


def test_full_width_forms_are_read_as_ordinary_ones_wherever_they_stand() -> None:
    forms = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {"\u3000": " ", "\u00a0": " "}
    for full, half in forms.items():
        assert plain(f"\u4e2d{full}") == f"\u4e2d{half}"
        assert plain(f"\uff0c{full}\uff0c") == f",{half},"
    assert plain("".join(forms)) == "".join(forms.values())
    assert plain("h\u00e9, \u4e2d\u3002\uff5f\uff00") == "h\u00e9, \u4e2d\u3002\uff5f\uff00"


def test_a_text_with_digits_of_another_script_has_no_outline() -> None:
    for code in range(128, sys.maxunicode + 1):
        if chr(code).isdecimal():
            assert Reading(f"{chr(code)}", masking._SIEVE).outline is None or "\uff10" <= chr(code) <= "\uff19"


@pytest.mark.parametrize(
    "filling", ["Nothing of the kind is here. ", "\u8fd9\u91cc\u4ec0\u4e48\u90fd\u6ca1\u6709\u3002", "\u0663 "]
)
def test_a_wallet_key_is_found_in_any_text(filling: str) -> None:
    key = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"
    text = f"{filling * 40}{key} {filling}"
    assert [(secret.kind, secret.start) for secret in masking.find(text)] == [("private key", text.index(key))]


class Copied(str):
    """A text that counts the characters that are copied out of it."""

    count = 0

    def __getitem__(self, place: object) -> str:
        piece = super().__getitem__(place)  # type: ignore[index]
        Copied.count += len(piece)
        return piece


def copied(text: str) -> int:
    Copied.count = 0
    assert list(passwords.find(Reading(Copied(text), masking._SIEVE)))
    return Copied.count


def test_what_is_copied_for_each_password_does_not_grow_with_the_text() -> None:
    line = "my password is Kx7!pLm2 and it works.\n"
    assert copied(line * 400) <= 4.1 * copied(line * 100)


def test_a_token_with_its_mark_inside_is_found_at_the_edges_of_what_is_looked_at() -> None:
    token = "1234567890:AA" + "Bc3_" * 8 + "d"
    assert keys._VENDOR_INSIDE.fullmatch(token)
    for text in (token, f"{token}.", f"x {token} {token}", f"x{token}", f"{token}x", f"{token}:AA"):
        whole = [match.span() for match in keys._VENDOR_INSIDE.finditer(text)]
        assert [(secret.start, secret.end) for secret in masking.find(text) if secret.kind == "API key"] == whole


@pytest.mark.parametrize(
    "text", ["ABCDEFGHIJKLMNOP", "abcd efg2 hijk lmno pqrs", "ABCD-EFG2-HIJK-LMNO", "abcdefghijklmno2"]
)
def test_a_key_of_an_authenticator_begins_as_its_hint_says(text: str) -> None:
    key = second_factor._BASE32.search(text)
    hint = second_factor._LONG_WORD.search(text)
    assert key is not None
    assert hint is not None
    assert hint.start() == key.start()
    assert re.search("set-up key", masking.mask(f"authenticator secret: {text}").text)
