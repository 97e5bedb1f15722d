"""Signed Message-IDs and reply addresses: what proves itself, and that nothing else does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.triage import signatures, ticket_keys

KEY, OLD, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
TICKET = ticket_keys.new_key("MT", random.Random(1).randrange)
ANOTHER = ticket_keys.new_key("MT", random.Random(2).randrange)
GOOD = signatures.sign_message_id(KEY, TICKET, 1, "ack", "coinharbor.com")
ADDRESS = signatures.sign_reply_address(KEY, TICKET, "support@coinharbor.com")


def test_a_message_id_says_ticket_serial_and_purpose() -> None:
    found = signatures.read_message_id([KEY], GOOD)
    assert found == signatures.Signed(ticket_keys.compact(TICKET), "1", "ack")
    assert ticket_keys.from_compact(found.ticket) == TICKET


@pytest.mark.parametrize("change", [str.upper, str.title, lambda m: m.strip("<>"), lambda m: f" {m} "])
def test_case_brackets_and_blanks_do_not_matter(change: object) -> None:
    assert signatures.read_message_id([KEY], change(GOOD)) is not None  # type: ignore[operator]


def test_another_domain_does_not_matter_for_former_addresses() -> None:
    assert signatures.read_message_id([KEY], GOOD.replace("coinharbor.com", "old.example")) is not None


@given(st.data())
def test_every_changed_character_left_of_the_at_sign_is_found_out(data: st.DataObject) -> None:
    left, at, domain = GOOD.strip("<>").partition("@")
    place = data.draw(st.integers(0, len(left) - 1))
    other = data.draw(st.sampled_from(sorted(set("abcdefghijklmnopqrstuvwxyz0123456789.-") - {left[place]})))
    forged = f"<{left[:place]}{other}{left[place + 1 :]}{at}{domain}>"
    assert signatures.read_message_id([KEY], forged) is None


@pytest.mark.parametrize("kept", range(16))
def test_a_truncated_signature_is_none(kept: int) -> None:
    left, _, domain = GOOD.strip("<>").partition("@")
    stem, _, mac = left.rpartition(".")
    assert signatures.read_message_id([KEY], f"<{stem}.{mac[:kept]}@{domain}>") is None


def _mac_of(message_id: str) -> str:
    return message_id.partition("@")[0].rpartition(".")[2]


def test_a_signature_taken_from_another_mail_is_none() -> None:
    for other in (
        signatures.sign_message_id(KEY, ANOTHER, 1, "ack", "coinharbor.com"),
        signatures.sign_message_id(KEY, TICKET, 2, "ack", "coinharbor.com"),
        signatures.sign_message_id(KEY, TICKET, 1, "staff", "coinharbor.com"),
    ):
        assert signatures.read_message_id([KEY], GOOD.replace(_mac_of(GOOD), _mac_of(other))) is None


def test_a_signature_for_one_use_does_not_serve_another() -> None:
    mac = ADDRESS.partition("@")[0].rpartition(".")[2]
    assert signatures.read_message_id([KEY], GOOD.replace(_mac_of(GOOD), mac)) is None
    assert signatures.read_reply_address([KEY], ADDRESS.replace(mac, _mac_of(GOOD))) is None


def test_old_keys_verify_until_they_are_gone() -> None:
    old = signatures.sign_message_id(OLD, TICKET, 1, "ack", "coinharbor.com")
    assert signatures.read_message_id([KEY, OLD], old) is not None
    assert signatures.read_message_id([KEY], old) is None
    assert signatures.read_message_id([], GOOD) is None
    assert signatures.read_message_id([OTHER], GOOD) is None


@pytest.mark.parametrize(
    "message_id",
    ["", "<>", "<a@b>", "<mt7f3k92qx.1.ack@coinharbor.com>", "<mt7f3k92qx.1.ack.@coinharbor.com>", GOOD[:-1] + "@x>",
     "<" + "a" * 100_000 + "@b>", "<mt7f3k92qx.1.ack.ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ@x>"],
)  # fmt: skip
def test_other_peoples_message_ids_are_nothing(message_id: str) -> None:
    assert signatures.read_message_id([KEY], message_id) is None


def test_what_looks_like_ours_is_told_from_what_does_not() -> None:
    forged = signatures.sign_message_id(OTHER, TICKET, 1, "ack", "coinharbor.com")
    assert signatures.looks_like_ours(forged)
    assert not signatures.looks_like_ours("<CAB12@mail.example>")
    assert signatures.looks_like_reply(ADDRESS)
    assert not signatures.looks_like_reply("ann+tag@mail.example")


def test_a_reply_address_names_its_ticket_and_stands_in_lower_case() -> None:
    assert ADDRESS.lower() == ADDRESS
    assert ADDRESS.startswith("support+")
    assert len(ADDRESS.partition("@")[0]) <= 64, "RFC 5321 section 4.5.3.1.1"
    tagged = signatures.sign_reply_address(KEY, TICKET, "support+sales@coinharbor.com")
    for written in (ADDRESS, ADDRESS.upper(), tagged):
        found = signatures.read_reply_address([KEY], written)
        assert found is not None
        assert ticket_keys.from_compact(found.ticket) == TICKET


@given(st.data())
def test_every_changed_character_of_a_reply_address_is_found_out(data: st.DataObject) -> None:
    tag = ADDRESS.partition("@")[0].partition("+")[2]
    place = data.draw(st.integers(0, len(tag) - 1))
    other = data.draw(st.sampled_from(sorted(set("abcdefghijklmnopqrstuvwxyz0123456789.") - {tag[place]})))
    assert (
        signatures.read_reply_address([KEY], f"support+{tag[:place]}{other}{tag[place + 1 :]}@coinharbor.com") is None
    )


def test_the_check_word_is_the_tickets_own_and_can_be_pronounced() -> None:
    word = signatures.check_word(KEY, TICKET)
    assert word == signatures.check_word(KEY, TICKET.lower().replace("-", ""))
    assert word != signatures.check_word(KEY, ANOTHER)
    assert word != signatures.check_word(OTHER, TICKET)
    assert len(word) == 8
    assert all(letter in "aeiou" for letter in word[1::2])
