"""Ticket IDs: what the check symbol finds, and in what shapes an ID is still read."""

from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.triage.ticket_keys import ALPHABET, compact, find_keys, from_compact, new_key

_IDS = st.randoms(use_true_random=False).map(lambda r: new_key("MT", r.randrange))
_SYMBOLS = [3, 4, 5, 6, 8, 9, 10, 11]  # where the symbols stand in MT-xxxx-xxxx


def test_an_id_is_prefix_and_eight_symbols_without_look_alikes() -> None:
    for seed in range(200):
        assert re.fullmatch(
            r"MT-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", new_key("MT", random.Random(seed).randrange)
        )


@given(_IDS)
def test_a_fresh_id_is_valid_and_found(key: str) -> None:
    assert find_keys(key, ("MT",)) == (key,)
    assert from_compact(compact(key)) == key


@given(_IDS)
def test_every_single_wrong_symbol_is_found_out(key: str) -> None:
    for place in _SYMBOLS:
        for symbol in set(ALPHABET) - {key[place]}:
            wrong = key[:place] + symbol + key[place + 1 :]
            assert find_keys(wrong, ("MT",)) == (), wrong


@given(_IDS)
def test_every_exchange_of_unequal_neighbours_is_found_out(key: str) -> None:
    symbols = compact(key)[2:].upper()
    for place in range(7):
        swapped = symbols[:place] + symbols[place + 1] + symbols[place] + symbols[place + 2 :]
        expected = (key,) if swapped == symbols else ()
        assert find_keys(f"MT-{swapped[:4]}-{swapped[4:]}", ("MT",)) == expected


SUBJECTS = [
    ("Re: help [MT-7F3K-92QW]", "as it left"),
    ("RE: AW: SV: Antw: help [MT-7F3K-92QW]", "stacked prefixes"),
    ("回复：答复：转发：回覆: 充值 [MT-7F3K-92QW]", "Chinese prefixes"),
    ("Fwd: Fw: WG: TR: 轉寄: [MT-7F3K-92QW] help", "forwarded"),
    ("Re: 回复: Re[2]: Re(3): help (MT-7F3K-92QW)", "counted prefixes and round brackets"),
    ("re: help mt-7f3k-92qw", "lower case, brackets lost"),
    ("回复：MT-7F3K-92QW", "right behind a full-width colon"),
    ("你好MT-7F3K-92QW谢谢", "between Chinese characters"),
    ("【MT-7F3K-92QW】充值", "lenticular brackets"),
    ("［ＭＴ－７Ｆ３Ｋ－９２ＱＷ］", "full width"),
    ("ｍｔ７ｆ３ｋ９２ｑｗ", "full width, lower case, no hyphens"),
    ("#MT-7F3K-92QW", "number sign"),
    ("#MT7F3K92QW!", "no hyphens"),
    ("MT 7F3K 92QW", "blanks for hyphens"),
    ("MT - 7F3K - 92QW", "blanks around hyphens"),
    ("[MT-7F3K- 92QW]", "folded behind a hyphen"),
    ("[MT-7F3K\r\n -92QW]", "folded before a hyphen"),
    ("[MT-7 F3K-92 QW]", "blanks inside"),
    ("[M T-7F3K-92QW]", "a blank in the prefix"),
    ("MT–7F3K–92QW", "dashes"),
    ("MT—7F3K—92QW", "long dashes"),
    ("MT\u20117F3K\u201192QW", "hyphens that do not break"),
    ("MT−7F3K−92QW", "minus signs"),
    ("MT\u00ad-7F3K-\u00ad92QW", "soft hyphens"),
    ("MT_7F3K_92QW", "underscores"),
    ("MT.7F3K.92QW", "dots"),
    ("MT:7F3K-92QW", "a colon"),
    ("MT#7F3K-92QW", "a number sign inside"),
    ("MT-MT-7F3K-92QW", "the prefix twice"),
    ("MT 12 and MT-7F3K-92QW", "a number that begins like an ID"),
    ("about MT 12 MT 7F3K 92QW", "a number that could be read on into the ID"),
    ("(MT-7F3K-92QW)(MT-7F3K-92QW)", "twice the same"),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "how"), SUBJECTS, ids=[how for _, how in SUBJECTS])
def test_an_id_is_read_however_it_was_written(subject: str, how: str) -> None:
    assert find_keys(subject, ("MT",)) == ("MT-7F3K-92QW",)


NOTHING = [
    "MT-7F3K-92Q7", "MT-7F3K-92Q", "MT-7F3K-92QW2", "XMT-7F3K-92QW", "7F3K-92QW", "MT-7F3U-92QW", "MT", "", "MT-",
    "MX-7F3K-92QW", "SMTP 7F3K 92QW", "MT-7F3K-----92QW", "MT-é7F3K92QW",
]  # fmt: skip


@pytest.mark.parametrize("subject", NOTHING)
def test_what_is_no_id_or_mistyped_finds_nothing(subject: str) -> None:
    assert find_keys(subject, ("MT",)) == ()


def _with(letters: str) -> str:
    """An ID whose symbols hold all of these."""
    return next(
        i for seed in range(100_000) if set(letters) <= set((i := new_key("MT", random.Random(seed).randrange))[3:])
    )


@pytest.mark.parametrize(("symbol", "typed"), [("0", "O"), ("0", "o"), ("1", "I"), ("1", "i"), ("1", "L"), ("1", "l")])
def test_letters_that_look_like_digits_are_read_as_them(symbol: str, typed: str) -> None:
    key = _with(symbol)
    assert find_keys("MT-" + key[3:].replace(symbol, typed), ("MT",)) == (key,)


def test_a_prefix_with_such_letters_is_read_either_way() -> None:
    key = new_key("HELP10", random.Random(1).randrange)
    assert find_keys(f"Re: {key}", ("HELP10",)) == (key,)
    assert find_keys(f"Re: {key.replace('HELP10', 'he1plO')}", ("HELP10",)) == (key,)


def test_several_ids_come_in_their_order_each_once() -> None:
    one, two = (new_key("MT", random.Random(seed).randrange) for seed in (1, 2))
    old = new_key("ALT", random.Random(3).randrange)
    assert find_keys(f"{two} {one} {two.lower()}", ("MT",)) == (two, one)
    assert find_keys(f"[{old}] was [{one}]", ("MT", "ALT")) == (old, one)


def test_a_former_prefix_is_found_only_while_it_is_configured() -> None:
    old = new_key("ALT", random.Random(3).randrange)
    assert find_keys(old, ("MT",)) == ()
    assert find_keys(old, ("MT", "ALT")) == (old,)


def test_an_id_beyond_any_honest_subject_is_not_sought() -> None:
    assert find_keys("x" * 2_000 + " MT-7F3K-92QW", ("MT",)) == ()


@given(st.text(max_size=300))
def test_any_text_at_all_is_read_without_error(text: str) -> None:
    assert all(find_keys(found, ("MT",)) == (found,) for found in find_keys(text, ("MT",)))


@given(
    _IDS, st.text(alphabet="abcxyz 回复：[]()【】#-:", max_size=20), st.text(alphabet=" 充值[]()【】#!。", max_size=20)
)
def test_whatever_stands_around_an_id_does_not_hide_it(key: str, before: str, after: str) -> None:
    assert key in find_keys(f"{before} {key}{after}", ("MT",))


@pytest.mark.parametrize("unit", ["MT", "MT-", "M T ", "MT7F3K92Q", "MT-7F3K-92Q7 ", "7", "- ", "ＭＴ", "ﷺ"])
def test_hostile_subjects_take_no_time(unit: str) -> None:
    began = time.process_time()
    find_keys(unit * 2_000, ("MT", "ALT"))
    assert time.process_time() - began < 1


def test_ids_are_random_without_order_or_repeats() -> None:
    drawn = [new_key("MT", random.Random(seed).randrange) for seed in range(2_000)]
    assert len(set(drawn)) == len(drawn)
    assert drawn not in (sorted(drawn), sorted(drawn, reverse=True))
