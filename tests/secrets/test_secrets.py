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
from mailticket.secrets.spans import doubtful_kinds

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


B32 = "KZXW2YLO3Q5T7B4RMFSA6C2JH3UEN5DI"


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("my password is hopeless. Now what?", None),
        ("My password is refused on each of my phones", None),
        ("My password is misspeled in your mail", None),
        ("The password is rejcted,says the page.Why?", None),
        ("My password is 14-character and too short", None),
        ("Forgotten password: which page do I open?", None),
        ("密码是对的但是进不去", None),
        ("密码是10位数字", None),
        ("my password is daffodil", "doubtful"),
        ("user: ivo\nmy password is daffodil, please look", "doubtful"),
        ("the password I chose was daffodil, I am sure", "doubtful"),
        ("密码是daffodil", "doubtful"),
        ("my password is 'daffodil'", "sure"),
        ("Password: daffodil", "sure"),
        ("my password is Daff-odil22", "sure"),
        ("my password is d@ffodil and refused", "sure"),
        ("密码：daffodil", "sure"),
        ("login: ivo / daff0dil", "sure"),
        ("the login is ivo / daff0dil", "sure"),
        ("account: ivo / daffodil", "doubtful"),
        ("my account is locked / suspended", None),
        ("my password is now Xy7!daffodil", "sure"),
    ],
)
def test_what_follows_password_is_sure_by_its_looks_and_place(text: str, grade: str | None) -> None:
    masked = masking.mask(text)
    assert (masked.sure, masked.doubtful) == (
        ("password",) if grade == "sure" else (),
        ("password",) if grade == "doubtful" else (),
    )
    assert (masked.text == text) == (grade is None)


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        (f"the authenticator wants this key: {B32}", [B32]),
        (
            f"set-up key {B32[:4]} {B32[4:8]} {B32[8:12]} {B32[12:16]}",
            [f"{B32[:4]} {B32[4:8]} {B32[8:12]} {B32[12:16]}"],
        ),
        (f"两步验证的密钥是{B32.lower()}", [B32.lower()]),
        ("the SMS said G-700431", ["G-700431"]),
        ("My app shows 700 431 in Google Authenticator, code 700 431", ["700 431"]),
        ("backup codes\n1) 7004-3155\n2) 9981 2230", ["7004-3155", "9981 2230"]),
        ("recovery codes: k7m2p-x9w4q, t3n8v-b6z1c", ["k7m2p-x9w4q", "t3n8v-b6z1c"]),
        ("应急码：70043155、99812230", ["70043155", "99812230"]),
    ],
)
def test_second_factor_material_is_masked(text: str, secrets: list[str]) -> None:
    masked = masking.mask(text)
    assert masked.sure == ("2FA code",)
    assert not [secret for secret in secrets if secret in masked.text]


@pytest.mark.parametrize(
    "text",
    [
        f"the reference {B32} is on my bank statement",
        "backup codes do not work. My order is 70043155",
        "order G-700431 is late",
        "I do not have the backup codes any more, UID 70043155",
        "please invoice 700 431 EUR",
        "HELLO THIS IS A TEST WITH 2FA",
    ],
)
def test_what_only_looks_like_second_factor_material_stays(text: str) -> None:
    assert masking.mask(text).text == text


CLOUD = "pR7+kT2m/Zc9Qw4xL8vB1nH6sD3fG5jY0aEuCiOt"


@pytest.mark.parametrize(
    "text",
    [
        f"aws_secret_access_key={CLOUD}",
        f"AKIAEXAMPLE234567ABC / {CLOUD}",
        f"the secret access key is {CLOUD}",
        f"[default]\naws_access_key_id = ASIAEXAMPLE234567ABC\naws_session = x\nkey2 = {CLOUD}",
        f"AccountName=a;AccountKey={CLOUD}{CLOUD}Ab==;EndpointSuffix=x",
        f"GOCSPX-{CLOUD[4:7]}Aa0Bb1Cc2Dd3Ee4Ff5",
    ],
)
def test_secret_keys_of_clouds_are_masked(text: str) -> None:
    masked = masking.mask(text)
    assert masked.sure == ("API key",)
    assert "kT2m" not in masked.text
    assert "Dd3E" not in masked.text


def test_forty_hexadecimal_digits_beside_a_key_s_id_are_a_commit() -> None:
    commit = "4e1243bd22c66e76c2ba9eddc1f91394e57f9f83"
    assert commit in masking.mask(f"AKIAEXAMPLE234567ABC at commit {commit}").text


def test_a_doubtful_secret_stays_where_only_sure_ones_are_masked() -> None:
    text = "my password is daffodil\nPassword: Daff-odil22"
    assert masking.mask(text, least="sure").text == "my password is daffodil\nPassword: [redacted: password]"
    assert masking.mask(text).text == "my password is [redacted: password?]\nPassword: [redacted: password]"
    assert doubtful_kinds(masking.mask(text).text) == ("password",)


@pytest.mark.parametrize(
    "mail", [m for m in judge_all() if m.part in ("former", "tune")], ids=lambda mail: mail.text[:40]
)
def test_no_secret_of_the_labelled_set_is_missed_and_nothing_else_touched(mail: Judged) -> None:
    assert not mail.missed
    assert not mail.touched
    assert mail.graded_right


@pytest.mark.parametrize("part", ["aside", "after"])
def test_of_what_was_kept_aside_nearly_all_is_right(part: str) -> None:
    aside = [mail for mail in judge_all() if mail.part == part]
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
        "123 456 ",
        "4111111111111111 ",
        "123456-",
        "\u0663 123456 ",
        "\uff11\uff12\uff13 ",
        "h\u00e9 a1 ",
        "a1B2",
        "-----BEGIN PRIVATE KEY-----\n",
        "eyJhbGciOi.",
        "seed abandon zzz ",
        "私钥 密码 ",
        "[1,",
        "secret key = ",
        "AKIAABCDEFGHIJKLMNOP ",
        "backup codes 1234 5678, ",
        "2fa abcd efg2 ",
        "password is hunter, user: x ",
        "password i used a b is now ",
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
