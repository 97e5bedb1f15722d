"""What is masked as a secret, and what only looks like one and stays."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic

from benchmarks.secrets.__main__ import Judged, judge_all
from mailticket.secrets import masking

TXID = "9f" * 32
KEY = "4c" * 32
WIF = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn"
SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"  # BIP-39, test vector 2


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"words: {SEED}!", "words: [redacted: seed phrase, 12 words]!"),
        (SEED.upper().replace(" ", ", "), "[redacted: seed phrase, 12 words]"),
        (f"private key {KEY}", "private key [redacted: private key]"),
        (f"私钥：0x{KEY}", "私钥：[redacted: private key]"),
        (f"see {WIF} please", "see [redacted: private key] please"),
        ("visa 4111 1111 1111 1111 declined", "visa [redacted: card number] declined"),
        ("number 4111111111111111", "number 411111[redacted: card number]1111"),
        ("password: hunter2, thanks", "password: [redacted: password], thanks"),
        ("我的密码是 Abc12345。", "我的密码是 [redacted: password]。"),
        ("密码：Ａｂｃ１２３", "密码：[redacted: password]"),
        ("2FA code 123456", "2FA code [redacted: 2FA code]"),
        ("验证码 123456", "验证码 [redacted: 2FA code]"),
        ("AKIAIOSFODNN7EXAMPLE", "[redacted: API key]"),
    ],
)
def test_a_secret_is_masked_and_the_rest_stays(text: str, masked: str) -> None:
    assert masking.mask(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        f"TXID: {TXID}",
        f"I never told anybody my private key. TXID: {TXID}",
        f"{TXID} is the transaction",
        "order id 4111111111111111",
        "my password is not working",
        "密码错误，登录不了",
        "UID 55102938, the verification code does not come",
        "MT-7F3K-92QX",
        "spf=pass smtp.mfrom=a@example.org; dkim=pass header.i=@example.org",
        "I sent 500000 USDT on 20261117",
        WIF[:-1] + "m",  # a wrong checksum
        SEED.replace("yellow", "zoo"),  # valid words, wrong checksum, no wording
    ],
)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert masking.mask(text) == masking.Masked(text)


def test_a_seed_phrase_with_a_wrong_checksum_is_masked_when_wording_names_it() -> None:
    masked = masking.mask("my recovery phrase: " + SEED.replace("yellow", "zoo"))
    assert masked.sure == ("seed phrase",)
    assert "winner" not in masked.text


def test_places_of_secrets_do_not_overlap_and_follow_each_other() -> None:
    found = masking.find(f"password: {SEED} private key {KEY} card 4111111111111111 cvv 123")
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert {secret.kind for secret in found} >= {"seed phrase", "private key", "card number"}


@pytest.mark.parametrize("mail", [m for m in judge_all() if m.part != "aside"], ids=lambda mail: mail.text[:40])
def test_no_secret_of_the_labelled_set_is_missed_and_nothing_else_touched(mail: Judged) -> None:
    assert not mail.missed
    assert not mail.touched
    assert mail.graded_right


def test_of_what_was_kept_aside_nearly_all_is_right() -> None:
    aside = [mail for mail in judge_all() if mail.part == "aside"]
    assert sum(mail.right for mail in aside) >= 0.95 * len(aside)
    assert not [mail.text for mail in aside if not mail.leaks and not mail.graded_right]


@given(st.text(max_size=300))
def test_masking_never_raises_and_a_second_time_changes_nothing_outside_marks(text: str) -> None:
    masked = masking.mask(text)
    assert bool(masked.sure or masked.doubtful) == (masked.text != text)


@pytest.mark.parametrize(
    "unit",
    [
        "abandon ",
        "password is ",
        "password for a b c ",
        "code ",
        "1",
        "4111 ",
        "a1B2",
        "-----BEGIN PRIVATE KEY-----\n",
        "eyJhbGciOi.",
        "seed abandon zzz ",
        "私钥 密码 ",
        "[1,",
        "secret key = ",
    ],
)
def test_time_grows_linearly_with_hostile_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        start = time.process_time()
        masking.mask(text)
        return time.process_time() - start

    seconds(2_000)
    short = min(seconds(20_000) for _ in range(3))
    assert min(seconds(80_000) for _ in range(2)) < 4 * 2.5 * short + 0.05


@pytest.mark.parametrize("language", sorted(Mnemonic.list_languages()))
def test_a_seed_phrase_is_masked_in_every_language_of_the_lists(language: str) -> None:
    phrase = Mnemonic(language).to_mnemonic(b"sixteen bytes...")
    plain = unicodedata.normalize("NFC", phrase)
    for written in (phrase, plain, plain.upper(), plain.replace(" ", "\n")):
        masked = masking.mask(f"1234: {written}.")
        assert (masked.text, masked.sure) == ("1234: [redacted: seed phrase, 12 words].", ("seed phrase",))


def test_prose_in_other_languages_is_no_seed_phrase() -> None:
    prose = (
        "我的充值到现在还没有到账请尽快处理谢谢大家我已经等了三天了 " * 20
        + "La mia banca ha rifiutato il bonifico di ieri. " * 20
    )
    assert masking.mask(f"seed phrase? {prose}") == masking.Masked(f"seed phrase? {prose}")
