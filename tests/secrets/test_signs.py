"""The signs by which a pattern is tried at all are in everything that the pattern matches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailticket.secrets import cards, keys, passwords, second_factor, seeds
from mailticket.secrets.spans import loosely, mentions, plain

SETS = Path(__file__).resolve().parents[2] / "benchmarks"
PAIRS = [
    (seeds._WORDING, seeds._SIGNS),
    (keys._WORDED_TOKEN, keys._TOKEN_SIGNS),
    (cards._CODE, cards._CODE_SIGNS),
    (second_factor._KEY_WORDING, second_factor._KEY_SIGNS),
    (second_factor._BACKUP_WORDING, second_factor._BACKUP_SIGNS),
    (passwords._MARKED, passwords._NAME_SIGNS),
    (passwords._SPOKEN, passwords._NAME_SIGNS),
    (passwords._PIN, ("pin",)),
]
TEXTS = [
    *(json.loads(line)["text"] for line in (SETS / "secrets" / "mails.jsonl").read_text("utf-8").splitlines()),
    "PA\u017f\u017fWORD: hunter22x",
    "P\u0131N: 4711",
    "AP\u0130 \u212aey = aaaaaaaaaaaaaaaaaaaaaaaa",
    "CVV: 123, csc 4711",
    "bip-39: one two",
    "Wallet \u212aey, wallet phrase, 24 Words",
    "恢復詞, 十二个词",
    "私鑰: abcdefghijklmnopqrst",
]


def test_whatever_a_vendor_s_pattern_matches_mentions_a_sign_in_its_own_case() -> None:
    matches = [match.group() for text in TEXTS for match in keys._VENDOR.finditer(text)]
    assert len(matches) > 15
    assert [match for match in matches if not mentions(match, keys._VENDOR_SIGNS)] == []


@pytest.mark.parametrize(("pattern", "signs"), PAIRS)
def test_whatever_a_pattern_matches_mentions_a_sign(pattern, signs) -> None:
    matches = [match.group() for text in TEXTS for match in pattern.finditer(plain(text))]
    assert matches
    assert [match for match in matches if not mentions(loosely(match), signs)] == []
