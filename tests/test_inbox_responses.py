"""What IMAP servers answer, as a table: the thought of the inbox, without any connection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient.exceptions import ProtocolError

from mailticket.imap import responses
from mailticket.imap.responses import Listed
from mailticket.imap.trouble import why

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("uids", "text"),
    [([5], "5"), ([1, 2, 3], "1:3"), ([3, 1, 2, 7], "1:3,7"), ([7, 9, 7], "7,9"), ([2**32 - 1], "4294967295")],
)
def test_a_set_of_uids_joins_runs(uids: list[int], text: str) -> None:
    assert responses.uid_set(uids) == text


@pytest.mark.parametrize("uid", [0, -1, 2**32])
def test_what_is_no_uid_is_refused(uid: int) -> None:
    with pytest.raises(ValueError, match="no UID"):
        responses.uid_set([uid])


@given(st.sets(st.integers(1, 300), min_size=1))
def test_a_set_of_uids_names_exactly_these(uids: set[int]) -> None:
    named: set[int] = set()
    for span in responses.uid_set(uids).split(","):
        low, _, high = span.partition(":")
        named.update(range(int(low), int(high or low) + 1))
    assert named == uids


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ([None], set()),
        ([b""], set()),
        ([b"1 2 3"], {1, 2, 3}),
        ([b"1", b"9 4"], {1, 4, 9}),
        ([b"0 5 5"], {0, 5}),  # the caller takes only what lies above its mark
    ],
)
def test_search_answers_are_read(data: list[bytes | None], found: set[int]) -> None:
    assert responses.search_uids(data) == found


@pytest.mark.parametrize("line", [b"1 x", b"1 (MODSEQ 9)", b"-4", (b"1 {3}", b"2 3")])
def test_search_answers_that_are_no_numbers_are_refused(line: Any) -> None:
    with pytest.raises(ProtocolError):
        responses.search_uids([line])


@pytest.mark.parametrize(
    ("data", "mails"),
    [
        ([None], {}),
        ([b"3 (UID 7 RFC822.SIZE 10)"], {7: {b"RFC822.SIZE": 10}}),
        ([(b"3 (UID 7 BODY[] {4}", b"mail"), b")"], {7: {b"BODY[]": b"mail"}}),
        ([b'3 (BODY[] "mail" UID 7)'], {7: {b"BODY[]": b"mail"}}),
        ([b"3 (UID 7 BODY[] NIL)"], {7: {b"BODY[]": None}}),
        # another mail's answer, and one without any UID whose sequence number happens to be a UID that we want
        ([b"1 (UID 9 RFC822.SIZE 1)", b"7 (FLAGS (\\Seen))", b"3 (UID 7 FLAGS ())"], {7: {b"FLAGS": ()}}),
        # the same sequence number for two mails: one was expunged in between
        ([b"3 (UID 7 RFC822.SIZE 1)", b"3 (UID 8 RFC822.SIZE 2)"], {7: {b"RFC822.SIZE": 1}, 8: {b"RFC822.SIZE": 2}}),
        # flags that changed meanwhile come as a second answer
        ([b"3 (UID 7 RFC822.SIZE 1)", b"3 (UID 7 FLAGS (\\Seen))"], {7: {b"RFC822.SIZE": 1, b"FLAGS": (b"\\Seen",)}}),
    ],
)
def test_fetch_answers_are_told_apart_by_the_uid_inside_them(data: list[Any], mails: dict[int, Any]) -> None:
    assert responses.fetch_items(data, [7, 8]) == mails


@pytest.mark.parametrize(
    "data",
    [
        [(b"3 (UID 7 BODY[] {1}", b"a"), b")", (b"3 (UID 7 BODY[] {1}", b"b"), b")"],
        [(b"3 (UID 7 BODY[] {1}", b"a"), b' BODY[] "b")'],
        [b"3 (UID 7 UID 8)"],
        [b"3 (UID 7 RFC822.SIZE)"],
        [b"3 4 5"],
        [b"3 (UID 7"],
        [b"3"],
        [b"(UID 7) 3"],
        [(b"3 (UID 7 BODY[] {9}", b"short"), b")"],
    ],
)
def test_fetch_answers_that_lie_are_refused(data: list[Any]) -> None:
    with pytest.raises(ProtocolError):
        responses.fetch_items(data, [7, 8])


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"17-Jul-2026 02:44:25 -0700", datetime(2026, 7, 17, 9, 44, 25, tzinfo=UTC)),
        (b" 7-Jul-2026 02:44:25 +0800", datetime(2026, 7, 6, 18, 44, 25, tzinfo=UTC)),
        (b"nonsense", NOW),
        (b"31-Feb-2026 02:44:25 +0000", NOW),
        (b"31-Dec-9999 23:59:59 -1200", NOW),  # later than any datetime in UTC
        (None, NOW),
        (42, NOW),
    ],
)
def test_times_of_arrival_are_utc_and_nonsense_is_now(value: Any, moment: datetime) -> None:
    assert responses.internaldate(value, NOW) == moment


@pytest.mark.parametrize("body", [None, 5, (b"x",)])
def test_an_answer_without_bytes_is_no_mail(body: Any) -> None:
    assert responses.mail(1, {b"BODY[]": body}, Listed(1, NOW)) is None


@pytest.mark.parametrize(
    ("sizes", "alone", "groups"),
    [
        ([], set(), []),
        ([1, 1, 1], set(), [[1, 2], [3]]),  # two mails at most
        ([60, 60, 10], set(), [[1], [2, 3]]),  # 100 bytes at most
        ([500, 1], set(), [[1], [2]]),  # larger than any group: by itself
        ([1, 1, 1], {2}, [[1], [2], [3]]),
    ],
)
def test_mails_are_cut_into_groups(sizes: list[int], alone: set[int], groups: list[list[int]]) -> None:
    mails = {number: Listed(size, NOW) for number, size in enumerate(sizes, 1)}
    assert [list(group) for group in responses.groups(mails, 2, 100, alone)] == groups


@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        ([b"7 1:2 11:12"], {1: 11, 2: 12}),
        ([b"7 1,2 12,11"], {1: 12, 2: 11}),
        ([b"7 2:1 11:12"], {1: 11, 2: 12}),  # RFC 4315: a range the wrong way round is the same range
        ([None], {}),
        ([], {}),
        ([b"7 1:4000000000 1:4000000000"], {}),
        ([b"7 1:2 11"], {}),
        ([b"7 8 9"], {}),  # not what was asked for
        ([b"nonsense"], {}),
    ],
)
def test_copyuid_is_read_or_ignored(data: list[bytes | None], pairs: dict[int, int]) -> None:
    assert responses.copy_uids(data, [1, 2]) == pairs


def test_what_a_server_says_is_shown_on_one_line_without_control_characters() -> None:
    shown = why(ValueError("[ALERT]\x1b[2J\x07 pay\r\nnow \u202egnp\u2066 请稍后再试 " + "x" * 10_000))
    assert shown.startswith("[ALERT] [2J pay now gnp 请稍后再试 xxx")
    assert len(shown) == 300
