"""Marks of desk mails: what a good one says, and that nothing else is one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailticket.triage import marks, signatures

KEY, OTHER = b"k" * 32, b"o" * 32
KEYS = (KEY, OTHER)
NOW = datetime(2026, 11, 26, 21, 30, 5, 999, tzinfo=UTC)
TICKET = "MT-7F3K-92QX"
MARK = marks.make_mark(KEY, TICKET, 31, "mia.b-g", "ask", NOW)
MESSAGE_ID = marks.message_id_of(MARK, "coinharbor.example")


def test_a_mark_says_what_it_was_made_of() -> None:
    mark = marks.read_mark(KEYS, MESSAGE_ID)
    assert mark == MARK
    assert mark is not None
    assert (mark.key, mark.serial, mark.member, mark.purpose) == (TICKET, 31, "mia.b-g", "ask")
    assert mark.made_at == NOW.replace(microsecond=0)
    assert marks.read_mark((OTHER, KEY), MESSAGE_ID.upper()) == MARK  # some programs change the case


def test_a_mark_without_a_ticket_is_of_none() -> None:
    mark = marks.read_mark(KEYS, marks.message_id_of(marks.make_mark(KEY, "", 7, "tom", "receipt", NOW), "a.example"))
    assert mark is not None
    assert (mark.key, mark.ticket, mark.serial) == ("", "", 7)


def test_a_mark_is_read_from_a_reply_address_unless_that_is_too_long() -> None:
    short = marks.make_mark(KEY, TICKET, 1, "mia", "talk", NOW)
    assert marks.read_mark(KEYS, marks.reply_address_of(short, "help@a.example")) == short
    assert marks.reply_address_of(marks.make_mark(KEY, TICKET, 1, "m" * 30, "talk", NOW), "support@a.example") == ""


@pytest.mark.parametrize(
    "altered",
    [
        MESSAGE_ID.replace(".ask.", ".talk."),
        MESSAGE_ID.replace("mia=", "tom="),
        MESSAGE_ID.replace(".1f.", ".20."),
        MESSAGE_ID.replace("mt7f3k92qx", "mt7f3k92qy"),
        MESSAGE_ID.replace(f".{int(NOW.timestamp()):x}.", f".{int(NOW.timestamp()) + 60:x}."),
        MESSAGE_ID.replace(MARK.mac, MARK.mac[:-1] + ("a" if MARK.mac[-1] != "a" else "b")),
        MESSAGE_ID.replace(MARK.mac, ""),
        signatures.sign_message_id(KEY, TICKET, 31, "staff", "coinharbor.example"),
    ],
)
def test_what_is_altered_or_of_another_kind_is_no_mark(altered: str) -> None:
    assert altered != MESSAGE_ID
    assert marks.read_mark(KEYS, altered) is None


def test_a_mark_under_a_foreign_key_is_none_and_looks_like_one() -> None:
    assert marks.read_mark((OTHER,), MESSAGE_ID) is None
    assert marks.looks_like_mark(MESSAGE_ID)
    assert not marks.looks_like_mark("<mt7f3k92qx.1.staff.aaaaaaaaaaaaaaaa@a.example>")


def test_neither_mark_nor_root_is_a_reference_that_gives_the_right_to_append() -> None:
    root = marks.sign_root(KEY, TICKET, "coinharbor.example")
    for message_id in (MESSAGE_ID, root):
        assert signatures.read_message_id(KEYS, message_id) is None
        assert not signatures.looks_like_ours(message_id)
    assert marks.read_root(KEYS, root) == TICKET
    assert marks.read_root(KEYS, MESSAGE_ID) == ""
    assert marks.read_root((OTHER,), root) == ""
    assert marks.read_mark(KEYS, root) is None
