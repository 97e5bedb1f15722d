"""Whatever bytes a server sends, the inbox ends in a result or in MailboxUnavailable, soon, and in nothing else."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailticket.errors import MailboxUnavailable
from mailticket.imap import Fetched, Inbox, Waker
from mailticket.settings import Mailbox

MAIL = b"Subject: a\r\n\r\nhello\r\n"

# FAAA begins imaplib's tags when its random number is 20480: a script must know them in advance.
TRANSCRIPT = [
    b"* OK ready\r\n",
    b"* CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE ID\r\nFAAA0 OK done\r\n",
    b"FAAA1 OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE ID] in\r\n",
    b'* ID ("name" "x")\r\nFAAA2 OK done\r\n',
    b"* FLAGS (\\Seen)\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] kept\r\n* 2 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n"
    b"* OK [UIDNEXT 9] next\r\nFAAA3 OK [READ-WRITE] selected\r\n",
    b"* SEARCH 7 8\r\nFAAA4 OK done\r\n",
    b'* 1 FETCH (UID 7 RFC822.SIZE 21 INTERNALDATE "17-Jul-2026 02:44:25 -0700")\r\n'
    b'* 2 FETCH (UID 8 RFC822.SIZE 21 INTERNALDATE "17-Jul-2026 02:44:25 -0700")\r\nFAAA5 OK done\r\n',
    b'* 1 FETCH (UID 7 FLAGS (\\Seen) INTERNALDATE "17-Jul-2026 02:44:25 -0700" BODY[] {21}\r\n' + MAIL + b")\r\n"
    b"* 2 FETCH (UID 8 FLAGS () BODY[] {21}\r\n" + MAIL + b")\r\nFAAA6 OK done\r\n",
    b"FAAA7 OK stored\r\n",
    b"* OK [COPYUID 3 7:8 1:2] moved\r\n* 2 EXPUNGE\r\n* 1 EXPUNGE\r\nFAAA8 OK done\r\n",
    b"+ idling\r\n* 3 EXISTS\r\nFAAA9 OK idled\r\n",
]


@contextlib.contextmanager
def _server_that_says(script: bytes) -> Iterator[None]:
    """Every new connection finds these bytes and then the end; what the client sends goes nowhere."""
    ours, theirs = socket.socketpair()
    theirs.sendall(script)
    theirs.shutdown(socket.SHUT_WR)
    try:
        with (
            mock.patch("socket.create_connection", lambda *_: ours),
            mock.patch.object(random, "randint", lambda *_: 20480),
        ):
            yield
    finally:
        ours.close()
        theirs.close()


def _work(waker: Waker) -> tuple[list[object], dict[int, int], bool]:
    """The whole of a daemon's round."""
    inbox = Inbox(Mailbox(name="x", host="127.0.0.1", security="none", timeout_seconds=5, username="ann"), "secret")
    try:
        inbox.connect()
        inbox.select()
        mails = list(inbox.fetch(inbox.sizes(inbox.list_new(6))))
        inbox.mark_seen([7])
        return [*mails], inbox.move([7, 8], "Done"), inbox.idle(0, waker)
    finally:
        inbox.drop()


@pytest.fixture(scope="module")
def waker() -> Iterator[Waker]:
    waker = Waker()
    yield waker
    waker.close()


def test_the_unspoilt_conversation_works(waker: Waker) -> None:
    with _server_that_says(b"".join(TRANSCRIPT)):
        mails, moved, news = _work(waker)
    assert [(m.uid, m.raw) for m in mails if isinstance(m, Fetched)] == [
        (7, MAIL),
        (8, MAIL),
    ]
    assert (moved, news) == ({7: 1, 8: 2}, True)


SPOILT = st.sampled_from(
    [
        *(b"", b"(", b")", b'"', b"{", b"{5}\r\n", b"NIL", b"\r\n", b"\0", b"\xff", b"0", b"-1", b"[", b"]", b"()"),
        *(
            b"99999999999999999999",
            b"9" * 5000,
            b"* ",
            b"* BYE x\r\n",
            b"+ \r\n",
            b"FAAA6 NO x\r\n",
            b"FAAA99 OK x\r\n",
        ),
        *(b"* SEARCH\r\n", b"* 5 EXISTS\r\n", b"* OK [READ-ONLY] now\r\n", b"* 1 FETCH (UID 7 BODY[] 5)\r\n"),
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 12), SPOILT | st.binary(max_size=6)), max_size=4))
def test_a_spoilt_conversation_ends_in_a_result_or_in_a_mailbox_unavailable(
    waker: Waker, changes: list[tuple[int, int, bytes]]
) -> None:
    script = b"".join(TRANSCRIPT)
    for place, removed, put in changes:
        at = place % len(script)
        script = script[:at] + put + script[at + removed :]
    with _server_that_says(script), contextlib.suppress(MailboxUnavailable):
        mails, _, _ = _work(waker)
        assert all(m.uid > 6 and isinstance(m.raw, bytes) for m in mails if isinstance(m, Fetched))
