"""The inbox against servers that lie, stall, stammer or attack: a scripted IMAP server says it line by line."""

from __future__ import annotations

import base64
import ssl
import threading
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailticket.errors import CommandRefused, MailboxUnavailable, SignInRefused
from mailticket.imap import Fetched, Inbox, Listed, Missing, Waker, wire
from mailticket.settings import Mailbox
from tests.servers.certificate import make_certificate
from tests.servers.scripted_imap import Conversation, Script, ScriptedImap

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_made: list[Inbox] = []
MAIL = b"Subject: a\r\n\r\nb\r\n"


def inbox_for(server: ScriptedImap, **more: object) -> Inbox:
    given = {"name": "support", "host": "127.0.0.1", "port": server.port, "security": "none", "username": "ann"}
    inbox = Inbox(Mailbox.model_validate({**given, "timeout_seconds": 5, "maximum_size_mb": 1, **more}), "secret")
    _made.append(inbox)
    return inbox


@pytest.fixture(autouse=True)
def _closed_after_each_test() -> Iterator[None]:
    yield
    while _made:
        _made.pop().drop()


def opened(server: ScriptedImap) -> Inbox:
    inbox = inbox_for(server)
    inbox.connect()
    inbox.select()
    return inbox


def after_select(script: Script, capabilities: bytes = b"IMAP4rev1 IDLE UIDPLUS MOVE") -> Script:
    def whole(server: Conversation) -> None:
        server.greet(capabilities)
        server.select()
        script(server)
        server.wait_until_gone()

    return whole


def a_fetch_answer(uid: int, raw: bytes = MAIL, sequence: int = 1) -> bytes:
    return b"* %d FETCH (UID %d FLAGS () BODY[] {%d}\r\n%s)" % (sequence, uid, len(raw), raw)


# Signing in


@pytest.mark.parametrize(
    ("ending", "refused"),
    [
        (b"NO [AUTHENTICATIONFAILED] Authentication failed.", True),
        (b"NO [AUTHORIZATIONFAILED] no", True),
        (b"NO [EXPIRED] change your password", True),
        (b"NO LOGIN Login error or password error", True),
        (b"BAD invalid command", True),
        (b"NO [AUTHENTICATIONFAILED] Too many tries, try again with another password", True),
        (b"NO [UNAVAILABLE] Temporary authentication failure.", False),
        (b"NO [ALERT] Too many simultaneous connections. (Failure)", False),
        (b"NO [LIMIT] later", False),
        (b"NO [THROTTLED] Account exceeded command or bandwidth limits.", False),
        (b"NO Server busy, please try again later", False),
    ],
)
def test_refusals_of_the_password_are_told_from_a_server_in_trouble(ending: bytes, refused: bool) -> None:
    def script(server: Conversation) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1")
        server.answer("LOGIN", ending=ending)

    with ScriptedImap(script) as server:
        inbox = inbox_for(server)
        with pytest.raises(MailboxUnavailable) as raised:
            inbox.connect()
        assert isinstance(raised.value, SignInRefused) is refused
        assert "secret" not in str(raised.value)
        assert inbox._client is None


@pytest.mark.parametrize("last", [b"", b"* BYE too many connections\r\n"])
def test_a_connection_that_breaks_during_the_sign_in_is_no_refusal(last: bytes) -> None:
    def script(server: Conversation) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1")
        server.expect("LOGIN")
        server.send(last)

    with ScriptedImap(script) as server:
        with pytest.raises(MailboxUnavailable) as raised:
            inbox_for(server).connect()
        assert type(raised.value) is MailboxUnavailable


def test_a_greeting_that_says_bye_is_a_server_in_trouble() -> None:
    with ScriptedImap(lambda server: server.send(b"* BYE [ALERT] Too many connections\r\n")) as server:
        with pytest.raises(MailboxUnavailable, match="Too many connections") as raised:
            inbox_for(server).connect()
        assert type(raised.value) is MailboxUnavailable


def test_the_id_is_sent_after_the_sign_in_where_offered_and_its_refusal_ignored() -> None:
    def script(server: Conversation) -> None:
        server.greet(b"IMAP4rev1 ID")
        server.answer('ID ("name" "mailticket" "version"', ending=b"NO not now")
        server.select()

    with ScriptedImap(script) as server:
        opened(server).drop()


def test_an_oauth2_token_is_presented_once_and_the_reason_of_a_refusal_is_told() -> None:
    def script(server: Conversation) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2")
        tag = server.expect("AUTHENTICATE XOAUTH2")
        server.send(b"+ \r\n")
        assert base64.b64decode(server.read_line()) == b"user=ann\1auth=Bearer secret\1\1"
        server.send(b"+ " + base64.b64encode(b'{"status":"401","scope":"mail"}') + b"\r\n")
        assert server.read_line() == b""
        server.send(tag.encode() + b" NO [AUTHENTICATIONFAILED] Invalid credentials\r\n")

    with ScriptedImap(script) as server:
        inbox = inbox_for(server, oauth2_token_command=("print-token",))
        with pytest.raises(SignInRefused, match="401"):
            inbox.connect()


def test_a_password_beyond_ascii_goes_by_sasl_plain_as_utf_8() -> None:
    def script(server: Conversation) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1 AUTH=PLAIN")
        tag = server.expect("AUTHENTICATE PLAIN")
        server.send(b"+ \r\n")
        assert base64.b64decode(server.read_line()).decode() == "\0ann\0пароль"
        server.send(tag.encode() + b" OK [CAPABILITY IMAP4rev1] welcome\r\n")

    with ScriptedImap(script) as server:
        inbox = Inbox(inbox_for(server).mailbox, "пароль")
        inbox.connect()
        inbox.drop()


def test_no_password_is_sent_to_a_server_that_wants_none_without_tls() -> None:
    def script(server: Conversation) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED")
        server.wait_until_gone()

    with ScriptedImap(script) as server:
        with pytest.raises(MailboxUnavailable, match="no password without TLS"):
            inbox_for(server).connect()
        assert not any(b"LOGIN" in line for line in server.received)


# TLS stripped, injected, forged (attack S48)


def test_without_starttls_on_offer_no_password_is_sent() -> None:
    def script(server: Conversation) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1")
        server.wait_until_gone()

    with ScriptedImap(script) as server:
        with pytest.raises(MailboxUnavailable, match="offers no STARTTLS"):
            inbox_for(server, security="starttls").connect()
        assert [line.split()[1] for line in server.received] == [b"CAPABILITY"]


def test_a_refused_starttls_sends_no_password() -> None:
    def script(server: Conversation) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS")
        server.answer("STARTTLS", ending=b"NO not today")
        server.wait_until_gone()

    with ScriptedImap(script) as server:
        with pytest.raises(MailboxUnavailable, match="refused STARTTLS"):
            inbox_for(server, security="starttls").connect()
        assert not any(b"LOGIN" in line for line in server.received)


@pytest.mark.parametrize("security", ["starttls", "none"])
def test_a_server_that_signs_us_in_unasked_without_tls_is_left(security: str) -> None:
    def script(server: Conversation) -> None:
        server.send(b"* PREAUTH welcome, ann\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS")
        server.wait_until_gone()

    with ScriptedImap(script) as server, pytest.raises(MailboxUnavailable, match="PREAUTH"):
        inbox_for(server, security=security).connect()


def test_answers_slipped_in_before_tls_begins_end_the_connection() -> None:
    def script(server: Conversation) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS")
        tag = server.expect("STARTTLS").encode()
        server.send(tag + b" OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=EVIL\r\n")
        server.wait_until_gone()

    with ScriptedImap(script) as server:
        with pytest.raises(MailboxUnavailable, match="before TLS began"):
            inbox_for(server, security="starttls").connect()
        assert not any(b"LOGIN" in line for line in server.received)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_for_another_name_is_refused_before_the_password(tmp_path: Path, security: str) -> None:
    certificate, key = make_certificate(tmp_path, "DNS:imap.other.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def script(server: Conversation) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS")
        server.answer("STARTTLS")
        server.start_tls(context)

    with ScriptedImap(script, tls=context if security == "tls" else None) as server:
        with pytest.raises(MailboxUnavailable, match="certificate is not to be trusted"):
            inbox_for(server, security=security, ca_file=certificate).connect()
        assert not any(b"LOGIN" in line for line in server.received)


# Lies and floods (attack S47)


@pytest.mark.parametrize("announced", [4294967296, 3 * 2**20, 10**30])
def test_a_literal_beyond_what_was_announced_is_neither_allocated_nor_read(announced: int) -> None:
    def script(server: Conversation) -> None:
        server.expect("UID FETCH")
        server.send(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n" % announced)

    with ScriptedImap(after_select(script)) as server:
        inbox = opened(server)
        tracemalloc.start()
        try:
            with pytest.raises(MailboxUnavailable, match="bytes where at most"):
                list(inbox.fetch({1: Listed(len(MAIL), NOW)}))
            assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
        finally:
            tracemalloc.stop()
        assert inbox._client is None


@pytest.mark.parametrize(
    "flood", [b"* OK still here\r\n", b"x" * 1000, b"* 1 FETCH (FLAGS ())\r\n", b"* 7 EXPUNGE\r\n", b"((((((((("]
)
def test_endless_answers_end_the_connection_in_little_memory(flood: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_LINES_A_RESPONSE", 5_000)

    def script(server: Conversation) -> None:
        server.expect("UID SEARCH")
        while True:
            server.send(flood * (100_000 // len(flood)))

    with ScriptedImap(after_select(script)) as server:
        inbox = opened(server)
        tracemalloc.start()
        try:
            with pytest.raises(MailboxUnavailable):
                inbox.list_new(0)
            assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
        finally:
            tracemalloc.stop()
        assert inbox._client is None


def test_a_line_of_two_million_bytes_ends_the_connection() -> None:
    with ScriptedImap(after_select(lambda server: server.send(b"* OK " + b"x" * 2_000_000 + b"\r\n"))) as server:
        inbox = opened(server)
        with pytest.raises(MailboxUnavailable):
            inbox.still_there([1])


def test_deeply_nested_answers_are_trouble_and_not_a_crash() -> None:
    def script(server: Conversation) -> None:
        server.answer("UID FETCH", b"* 1 FETCH " + b"(" * 100_000)

    with ScriptedImap(after_select(script)) as server:
        inbox = opened(server)
        with pytest.raises(MailboxUnavailable):
            list(inbox.fetch({1: Listed(10, NOW)}))


def test_bodies_of_other_mails_and_answers_without_uid_are_never_taken_for_ours() -> None:
    def script(server: Conversation) -> None:
        server.answer(
            "UID FETCH 2",
            a_fetch_answer(9, b"of another mail"),
            b"* 2 FETCH (FLAGS () BODY[] {5}\r\nwrong)",
            a_fetch_answer(2),
            b"* 2 EXPUNGE",
        )

    with ScriptedImap(after_select(script)) as server:
        (got,) = opened(server).fetch({2: Listed(len(MAIL), NOW)})
        assert isinstance(got, Fetched)
        assert (got.uid, got.raw) == (2, MAIL)


def test_uids_that_are_nought_double_or_below_the_mark_are_not_listed() -> None:
    def script(server: Conversation) -> None:
        server.answer("UID SEARCH UID 5:*", b"* SEARCH 9 0 9 3 7 5 99999999999 4294967295")

    with ScriptedImap(after_select(script)) as server:
        assert opened(server).list_new(4) == [5, 7, 9, 4294967295]


def test_a_folder_without_uidvalidity_is_not_worked_on() -> None:
    def script(server: Conversation) -> None:
        server.greet()
        server.answer("SELECT", b"* 3 EXISTS", ending=b"OK [READ-WRITE] selected")

    with ScriptedImap(script) as server:
        inbox = inbox_for(server)
        inbox.connect()
        with pytest.raises(MailboxUnavailable, match="no UIDVALIDITY"):
            inbox.select()


def test_one_mail_that_the_server_refuses_to_give_does_not_hold_up_the_others() -> None:
    def script(server: Conversation) -> None:
        server.answer("UID FETCH 1:3", a_fetch_answer(1), ending=b"NO [SERVERBUG] internal error")
        server.answer("UID FETCH 1 ", a_fetch_answer(1))
        server.answer("UID FETCH 2 ", ending=b"NO [SERVERBUG] internal error")
        server.answer("UID SEARCH UID 2", b"* SEARCH 2")
        server.answer("UID FETCH 3 ", a_fetch_answer(3))

    with ScriptedImap(after_select(script)) as server:
        got = list(opened(server).fetch({uid: Listed(20, NOW) for uid in (1, 2, 3)}))
        assert [mail.uid for mail in got] == [1, 2, 3]
        assert isinstance(got[1], Missing)
        assert got[1].listed
        assert "SERVERBUG" in got[1].reason


def test_a_mail_that_is_left_out_but_still_listed_is_not_called_vanished() -> None:
    def script(server: Conversation) -> None:
        server.answer("UID FETCH 1:2", b"* 1 FETCH (UID 1 RFC822.SIZE 20)")
        server.answer("UID SEARCH UID 2", b"* SEARCH 2")
        server.answer("UID FETCH 1:2", a_fetch_answer(1))
        server.answer("UID SEARCH UID 2", b"* SEARCH 2")

    with ScriptedImap(after_select(script)) as server:
        inbox = opened(server)
        sizes = inbox.sizes([1, 2])
        assert [(uid, known.size) for uid, known in sizes.items()] == [(1, 20), (2, 0)]
        whole, missing = inbox.fetch(sizes)
        assert isinstance(whole, Fetched) and whole.uid == 1
        assert isinstance(missing, Missing) and missing.listed


def test_a_target_folder_is_made_once_and_a_second_refusal_is_told() -> None:
    def script(server: Conversation) -> None:
        server.answer("UID MOVE 1", ending=b"NO [TRYCREATE] no such folder")
        server.answer("CREATE", ending=b"NO not allowed")
        server.answer("UID MOVE 1", ending=b"NO [TRYCREATE] no such folder")
        server.answer("UID SEARCH")

    with ScriptedImap(after_select(script)) as server:
        inbox = opened(server)
        with pytest.raises(CommandRefused, match="move mail to Done"):
            inbox.move([1], "Done")
        assert inbox.still_there([1]) == set()
        inbox.drop()


def test_bye_in_the_middle_is_a_lost_connection() -> None:
    def script(server: Conversation) -> None:
        server.expect("UID SEARCH")
        server.send(b"* BYE server is shutting down\r\n")

    with ScriptedImap(after_select(script)) as server:
        inbox = opened(server)
        with pytest.raises(MailboxUnavailable, match="shutting down"):
            inbox.list_new(0)
        assert inbox._client is None


def test_a_server_that_says_nothing_is_given_up_after_the_timeout() -> None:
    with ScriptedImap(after_select(lambda server: None)) as server:
        inbox = opened(server)
        assert inbox._client is not None
        inbox._client.wire._read_timeout = 0.2
        with pytest.raises(MailboxUnavailable, match="did not answer in time"):
            inbox.list_new(0)


def test_a_server_that_drips_is_given_up_in_the_end() -> None:
    def script(server: Conversation) -> None:
        server.expect("NOOP")
        stop = time.monotonic() + 20
        while time.monotonic() < stop:
            server.send(b"*")
            threading.Event().wait(0.02)

    with ScriptedImap(after_select(script)) as server:
        inbox = opened(server)
        assert inbox._client is not None
        line = inbox._client.wire
        line.allow()
        line._deadline = time.monotonic() + 0.3
        with pytest.raises(TimeoutError):
            line.noop()
        inbox.drop()


# IDLE, and the four ways in which IMAPClient's own fails


def idling(script: Script) -> Script:
    def whole(server: Conversation) -> None:
        server.answer("UID SEARCH", b"* SEARCH")
        script(server)

    return after_select(whole)


def test_an_exists_in_the_same_packet_as_the_continuation_is_seen_at_once() -> None:
    def script(server: Conversation) -> None:
        tag = server.expect("IDLE").encode()
        server.send(b"+ idling\r\n* 4 EXISTS\r\n")
        assert server.read_line() == b"DONE"
        server.send(tag + b" OK\r\n")

    _idles_with_news(script)


def test_an_exists_before_the_continuation_is_seen() -> None:
    def script(server: Conversation) -> None:
        tag = server.expect("IDLE").encode()
        server.send(b"* 4 EXISTS\r\n+ idling\r\n")
        assert server.read_line() == b"DONE"
        server.send(tag + b" OK\r\n")

    _idles_with_news(script)


def test_a_line_that_comes_in_pieces_is_waited_for() -> None:
    def script(server: Conversation) -> None:
        tag = server.expect("IDLE").encode()
        for piece in (b"+ id", b"ling\r\n", b"* 4 EX", b"ISTS\r", b"\n"):
            server.send(piece)
            threading.Event().wait(0.03)
        assert server.read_line() == b"DONE"
        server.send(tag + b" OK\r\n")

    _idles_with_news(script)


def test_an_exists_that_comes_after_done_is_seen() -> None:
    def script(server: Conversation) -> None:
        tag = server.expect("IDLE").encode()
        server.send(b"+ idling\r\n* OK still here\r\n* 3 EXPUNGE\r\n")
        assert server.read_line() == b"DONE"
        server.send(b"* 4 EXISTS\r\n" + tag + b" OK\r\n")

    _idles_with_news(script, seconds=0.2)


def _idles_with_news(script: Script, seconds: float = 15) -> None:
    with ScriptedImap(idling(script)) as server:
        inbox, waker = opened(server), Waker()
        inbox.list_new(0)
        started = time.monotonic()
        assert inbox.idle(seconds, waker)
        assert time.monotonic() - started < 5
        waker.close()


@pytest.mark.parametrize("last", [b"", b"* BYE idle for too long\r\n", b"* 4 EXI"])
def test_a_server_that_closes_in_idle_is_noticed_at_once(last: bytes) -> None:
    def script(server: Conversation) -> None:
        server.expect("IDLE")
        server.send(b"+ idling\r\n" + last)
        server.connection.close()

    with ScriptedImap(idling(script)) as server:
        inbox, waker = opened(server), Waker()
        inbox.list_new(0)
        started = time.monotonic()
        with pytest.raises(MailboxUnavailable):
            inbox.idle(15, waker)
        assert time.monotonic() - started < 5
        waker.close()


def test_an_idle_that_the_server_ends_or_refuses_leaves_the_connection_good() -> None:
    def script(server: Conversation) -> None:
        tag = server.expect("IDLE").encode()
        server.send(b"+ idling\r\n" + tag + b" OK enough\r\n")
        server.answer("IDLE", ending=b"NO not for you")
        server.answer("UID SEARCH")

    with ScriptedImap(idling(script)) as server:
        inbox, waker = opened(server), Waker()
        inbox.list_new(0)
        assert not inbox.idle(15, waker)
        with pytest.raises(CommandRefused, match="not for you"):
            inbox.idle(15, waker)
        assert inbox.still_there([1]) == set()
        waker.close()


def test_a_mail_told_in_the_answer_to_another_command_ends_the_next_idle_before_it_begins() -> None:
    def script(server: Conversation) -> None:
        server.answer("UID STORE", b"* 4 EXISTS")
        server.answer("UID SEARCH", b"* SEARCH 4")

    with ScriptedImap(idling(script)) as server:
        inbox, waker = opened(server), Waker()
        inbox.list_new(0)
        inbox.mark_seen([3])
        assert inbox.idle(15, waker)
        assert inbox.list_new(3) == [4]
        waker.close()


def test_a_waker_wakes_once_for_any_number_of_calls_and_never_blocks() -> None:
    waker = Waker()
    for _ in range(200_000):
        waker.wake()
    assert waker.wait(10)
    assert not waker.wait(0)
    threading.Timer(0.05, waker.wake).start()
    assert waker.wait(10)
    waker.close()
    waker.wake()
