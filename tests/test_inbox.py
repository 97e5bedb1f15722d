"""The inbox against real IMAP servers: what it promises to the daemon, seen from the server's side."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailticket.errors import CommandRefused, MailboxUnavailable, SignInRefused
from mailticket.imap import Fetched, Inbox, Missing, Waker
from mailticket.imap.session import sent_folder
from mailticket.settings import Mailbox
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.proxy import Proxy
from tests.servers.pymap_server import Pymap

pytestmark = pytest.mark.dovecot

WHEN = datetime(2026, 11, 20, 8, 30, 0, tzinfo=UTC)


def mail(number: int = 1, size: int = 0) -> bytes:
    head = f"From: Ann <ann@example.org>\r\nSubject: number {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n"
    return head.encode() + b"deposit missing\r\n" + b"0123456789abcdef\r\n" * (size // 18)


def mailbox(port: int, username: str, **more: object) -> Mailbox:
    given = {"name": "support", "host": "127.0.0.1", "port": port, "security": "none", "username": username}
    return Mailbox.model_validate({**given, "timeout_seconds": 10, **more})


@pytest.fixture
def opened(dovecot: Dovecot) -> Iterator[Callable[..., Inbox]]:
    """Connected and selected inboxes of the test's own user, with settings as given."""
    made: list[Inbox] = []

    def make(**more: object) -> Inbox:
        port = more.pop("port", dovecot.plain_port)
        assert isinstance(port, int)
        inbox = Inbox(mailbox(port, dovecot.user, **more), PASSWORD)
        made.append(inbox)
        inbox.connect()
        inbox.select()
        return inbox

    yield make
    for inbox in made:
        inbox.drop()


def fetched(inbox: Inbox, after: int = 0) -> list[Fetched | Missing]:
    return list(inbox.fetch(inbox.sizes(inbox.list_new(after))))


def test_mails_come_whole_in_order_with_their_time_of_arrival_and_stay_unseen(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    mails = [mail(number, size=number * 1000) for number in range(1, 121)]
    for raw in mails[:3]:
        dovecot.append(raw, when=WHEN)
    dovecot.deliver(mails[3:])
    got = fetched(opened())
    assert [m.raw for m in got if isinstance(m, Fetched)] == mails
    assert [m.uid for m in got] == list(range(1, 121))
    assert [m.internaldate for m in got[:3] if isinstance(m, Fetched)] == [WHEN] * 3
    assert all(m.whole for m in got if isinstance(m, Fetched))
    assert not any("\\Seen" in flags for flags in dovecot.flags().values())


def test_selecting_tells_validity_and_next_uid_and_a_new_validity_is_seen(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    dovecot.append(mail())
    inbox = opened()
    folder, server = inbox.select(), dovecot.status()
    assert (folder.uidvalidity, folder.uidnext, folder.exists) == (server["UIDVALIDITY"], server["UIDNEXT"], 1)
    assert not folder.read_only
    changed = dovecot.bump_uidvalidity()
    inbox.connect()
    assert inbox.select().uidvalidity == changed


def test_only_mails_above_the_given_uid_are_listed(dovecot: Dovecot, opened: Callable[..., Inbox]) -> None:
    dovecot.deliver([mail(n) for n in range(5)])
    inbox = opened()
    assert inbox.list_new(0) == [1, 2, 3, 4, 5]
    assert inbox.list_new(3) == [4, 5]
    # Servers answer "6:*" with the last mail, 5; RFC 3501 section 6.4.8 wants it so.
    assert inbox.list_new(5) == []
    assert inbox.list_new(2**32) == []


def test_a_mail_that_a_human_marked_seen_is_listed_all_the_same(dovecot: Dovecot, opened: Callable[..., Inbox]) -> None:
    dovecot.append(mail(), flags=["\\Seen"])
    assert opened().list_new(0) == [1]


def test_vanished_mails_are_told_from_the_others(dovecot: Dovecot, opened: Callable[..., Inbox]) -> None:
    dovecot.deliver([mail(n) for n in range(1, 6)])
    inbox = opened()
    sizes = inbox.sizes(inbox.list_new(0))
    dovecot.expunge([2, 4])
    assert inbox.still_there([1]) == {1}  # by now the server has told that they are gone
    got = list(inbox.fetch(sizes))
    assert [m.uid for m in got if isinstance(m, Fetched)] == [1, 3, 5]
    assert [(m.uid, m.listed) for m in got if isinstance(m, Missing)] == [(2, False), (4, False)]
    assert sorted(inbox.sizes([1, 2, 3, 4, 5])) == [1, 3, 5]
    assert inbox.still_there([1, 2, 99]) == {1}
    inbox.mark_seen([2, 3])  # a vanished mail is no reason to fail
    assert {uid for uid, flags in dovecot.flags().items() if "\\Seen" in flags} == {3}


def test_a_mail_above_the_limit_comes_as_headers_and_beginning_and_stays_on_the_server(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    large = mail(2, size=3 * 2**20)
    dovecot.deliver([mail(1), large, mail(3)])
    first, head, last = fetched(opened(maximum_size_mb=1))
    assert isinstance(first, Fetched) and isinstance(head, Fetched) and isinstance(last, Fetched)
    assert (first.whole, head.whole, last.whole) == (True, False, True)
    assert large.startswith(head.raw) and 65536 <= len(head.raw) <= 2**20
    assert dovecot.messages()[1].raw == large


def test_marking_as_seen_reaches_the_server(dovecot: Dovecot, opened: Callable[..., Inbox]) -> None:
    dovecot.deliver([mail(n) for n in range(3)])
    opened().mark_seen([1, 3])
    assert {uid for uid, flags in dovecot.flags().items() if "\\Seen" in flags} == {1, 3}


def test_moving_makes_the_missing_folder_once_and_tells_the_new_uids(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    dovecot.deliver([mail(n) for n in range(1, 4)])
    inbox = opened()
    assert inbox.move([1, 2], "已处理 & done") == {1: 1, 2: 2}
    assert inbox.move([3], "已处理 & done") == {3: 3}
    assert [m.raw for m in dovecot.messages(folder="已处理 & done")] == [mail(1), mail(2), mail(3)]
    assert dovecot.messages() == []
    assert "已处理 & done" in inbox.folders()
    assert inbox.move([3], "已处理 & done") == {}  # again, as after a crash: nothing to do


def test_without_move_a_mail_is_copied_and_only_it_is_expunged(dovecot: Dovecot, opened: Callable[..., Inbox]) -> None:
    dovecot.deliver([mail(n) for n in range(1, 4)])
    inbox = opened()
    assert inbox._client is not None
    lacking = tuple(c for c in inbox._client.capabilities() if c != b"MOVE")
    inbox._client._cached_capabilities = lacking
    dovecot.flag([3], "\\Deleted")  # a human marked another one and has not expunged it
    assert inbox.move([1], "Done") == {1: 1}
    assert [m.uid for m in dovecot.messages()] == [2, 3]
    assert [m.raw for m in dovecot.messages(folder="Done")] == [mail(1)]


def test_without_move_and_uidplus_a_move_is_refused_and_nothing_changes(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    dovecot.deliver([mail()])
    inbox = opened()
    assert inbox._client is not None
    inbox._client._cached_capabilities = (b"IMAP4REV1",)
    with pytest.raises(CommandRefused, match="neither MOVE nor UIDPLUS"):
        inbox.move([1], "Done")
    assert dovecot.flags() == {1: frozenset({"\\Recent"})} or dovecot.flags() == {1: frozenset()}


def test_a_read_only_folder_is_recognised_read_and_left_as_it_is(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    dovecot.deliver([mail()])
    dovecot.make_read_only()
    inbox = opened()
    assert inbox.select().read_only
    assert [m.raw for m in fetched(inbox) if isinstance(m, Fetched)] == [mail()]
    with pytest.raises(CommandRefused):
        inbox.mark_seen([1])
    assert inbox.list_new(0) == [1], "a refusal leaves the connection good"


def test_a_folder_that_is_not_there_is_refused_with_its_name(dovecot: Dovecot) -> None:
    inbox = Inbox(mailbox(dovecot.plain_port, dovecot.user, folder="Nowhere"), PASSWORD)
    inbox.connect()
    with pytest.raises(CommandRefused, match="open the folder Nowhere at"):
        inbox.select()
    assert inbox.folders() == ["INBOX"]
    inbox.logout()


@pytest.mark.parametrize("folder", ["a\r\nx DELETE INBOX", "a\nb", "a\0b"])
def test_line_breaks_in_a_folder_name_never_reach_the_wire(
    dovecot: Dovecot, opened: Callable[..., Inbox], folder: str
) -> None:
    dovecot.append(mail())
    with Proxy(dovecot.plain_port) as proxy:
        inbox = opened(port=proxy.port)
        with pytest.raises(CommandRefused):
            inbox.move([1], folder)
        inbox.logout()
        assert b"DELETE" not in proxy.sent
    assert [m.uid for m in dovecot.messages()] == [1]


def test_only_uid_commands_go_over_the_wire(dovecot: Dovecot, opened: Callable[..., Inbox]) -> None:
    dovecot.deliver([mail(n) for n in range(3)])
    with Proxy(dovecot.plain_port) as proxy:
        inbox = opened(port=proxy.port, maximum_size_mb=1)
        list(inbox.fetch(inbox.sizes(inbox.list_new(0))))
        inbox.mark_seen([1])
        inbox.move([2], "Done")
        inbox.logout()
        commands = re.findall(rb"^\S+ ([A-Z]+)", bytes(proxy.sent), re.MULTILINE)
    assert {b"FETCH", b"STORE", b"EXPUNGE", b"SEARCH", b"COPY", b"MOVE", b"CLOSE"}.isdisjoint(commands)
    assert commands.count(b"UID") >= 6


def test_the_password_reaches_only_a_server_whose_certificate_is_good(dovecot: Dovecot) -> None:
    good = mailbox(dovecot.tls_port, dovecot.user, security="tls", ca_file=dovecot.certificate)
    inbox = Inbox(good, lambda: PASSWORD)
    inbox.connect()
    inbox.select()
    inbox.logout()
    with Proxy(dovecot.tls_port) as proxy:
        stranger = Inbox(mailbox(proxy.port, dovecot.user, security="tls"), PASSWORD)
        with pytest.raises(MailboxUnavailable, match="certificate is not to be trusted"):
            stranger.connect()
        assert stranger._client is None


def test_starttls_is_made_before_the_password_is_sent(dovecot: Dovecot, opened: Callable[..., Inbox]) -> None:
    dovecot.append(mail())
    with Proxy(dovecot.plain_port) as proxy:
        inbox = opened(port=proxy.port, security="starttls", ca_file=dovecot.certificate)
        assert inbox.list_new(0) == [1]
        inbox.logout()
        assert b"STARTTLS" in proxy.sent
        assert PASSWORD.encode() not in proxy.sent and b"LOGIN" not in proxy.sent


@pytest.mark.parametrize("password", ["wrong", "пароль", 'with "quotes" and \\'])
def test_a_wrong_password_is_refused_as_such(dovecot: Dovecot, password: str) -> None:
    inbox = Inbox(mailbox(dovecot.plain_port, dovecot.user), password)
    with pytest.raises(SignInRefused, match="refused the user name or password"):
        inbox.connect()
    assert inbox._client is None


def test_a_server_that_is_away_is_told_from_a_wrong_password(dovecot: Dovecot) -> None:
    inbox = Inbox(mailbox(dovecot.plain_port, dovecot.user), PASSWORD)
    dovecot.stop()
    with pytest.raises(MailboxUnavailable) as away:
        inbox.connect()
    assert not isinstance(away.value, SignInRefused)
    assert "Connection refused" in str(away.value)


def test_a_user_name_with_blanks_and_quotes_is_sent_as_one_word(dovecot: Dovecot) -> None:
    inbox = Inbox(mailbox(dovecot.plain_port, 'support "desk" x'), "wrong")
    with pytest.raises(SignInRefused):
        inbox.connect()


def test_idle_tells_of_a_mail_that_arrives_and_is_told_only_once(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    inbox, waker = opened(), Waker()
    assert inbox.can_idle
    inbox.list_new(0)
    late = threading.Timer(0.2, dovecot.append, [mail()])
    late.start()
    assert inbox.idle(20, waker)
    late.join()
    assert inbox.list_new(0) == [1]
    started = time.monotonic()
    assert not inbox.idle(0.2, waker)
    assert time.monotonic() - started >= 0.2
    waker.close()


def test_a_mail_between_the_listing_and_the_idle_is_told_at_once(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    inbox, waker = opened(), Waker()
    assert inbox.list_new(0) == []
    dovecot.append(mail())
    inbox.still_there([1])  # tells of the mail, so that the server will not tell again in IDLE
    started = time.monotonic()
    assert inbox.idle(20, waker)
    assert time.monotonic() - started < 5
    assert inbox.list_new(0) == [1]
    waker.close()


@pytest.mark.parametrize("security", ["none", "tls"])
def test_idle_is_woken_at_once_from_another_thread(
    dovecot: Dovecot, opened: Callable[..., Inbox], security: str
) -> None:
    port = dovecot.tls_port if security == "tls" else dovecot.plain_port
    inbox = opened(port=port, security=security, ca_file=dovecot.certificate if security == "tls" else None)
    waker = Waker()
    inbox.list_new(0)
    for _ in range(3):
        threading.Timer(0.05, waker.wake).start()
        started = time.monotonic()
        assert not inbox.idle(20, waker)
        assert time.monotonic() - started < 5
    waker.wake()  # before the IDLE begins: kept until it is seen
    assert not inbox.idle(20, waker)
    dovecot.append(mail())
    assert inbox.list_new(0) == [1]
    waker.close()


def test_idle_reports_a_server_that_stops(dovecot: Dovecot, opened: Callable[..., Inbox]) -> None:
    inbox, waker = opened(), Waker()
    inbox.list_new(0)
    threading.Timer(0.2, dovecot.stop).start()
    with pytest.raises(MailboxUnavailable):
        inbox.idle(20, waker)
    assert inbox._client is None
    waker.close()


def test_after_a_restart_of_the_server_the_same_inbox_connects_again(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    dovecot.append(mail())
    inbox = opened()
    dovecot.stop()
    with pytest.raises(MailboxUnavailable):
        inbox.list_new(0)
    with pytest.raises(MailboxUnavailable, match="not connected"):
        inbox.list_new(0)
    dovecot.start()
    inbox.connect()
    inbox.select()
    assert inbox.list_new(0) == [1]


def test_half_a_literal_is_never_a_mail_wherever_the_line_is_cut(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    raw = mail(1, size=200)
    dovecot.append(raw)
    with Proxy(dovecot.plain_port) as proxy:
        inbox = opened(port=proxy.port)
        sizes = inbox.sizes(inbox.list_new(0))
        inbox.drop()
        proxy.received.clear()
        whole = opened(port=proxy.port)
        assert [m.raw for m in whole.fetch(sizes) if isinstance(m, Fetched)] == [raw]
        whole.drop()
        body = proxy.received.index(raw)
        for cut in range(body, body + len(raw) - 20, 10):  # Dovecot tells timings, so its answers vary by some bytes
            proxy.cut_after = cut
            cutting = Inbox(mailbox(proxy.port, dovecot.user), PASSWORD)
            with pytest.raises(MailboxUnavailable):
                cutting.connect()
                cutting.select()
                list(cutting.fetch(sizes))
            assert cutting._client is None


def test_a_dead_connection_is_noticed_when_the_idle_ends(dovecot: Dovecot) -> None:
    with Proxy(dovecot.plain_port) as proxy:
        inbox, waker = Inbox(mailbox(proxy.port, dovecot.user, timeout_seconds=5), PASSWORD), Waker()
        inbox.connect()
        inbox.select()
        inbox.list_new(0)
        proxy.swallow = True
        assert inbox._client is not None
        inbox._client.wire._read_timeout = 0.3
        with pytest.raises(MailboxUnavailable, match="did not answer in time"):
            inbox.idle(0.2, waker)
        waker.close()


def test_the_embedded_server_of_the_demo_is_read_moved_and_idled_upon_too(tmp_path: Path) -> None:
    server = Pymap()
    try:
        inbox, waker = Inbox(mailbox(server.port, server.user), server.password), Waker()
        inbox.connect()
        assert inbox.select().exists == 0
        inbox.list_new(0)
        late = threading.Timer(0.1, server.append, [mail(), WHEN])
        late.start()
        assert inbox.idle(20, waker)
        late.join()
        (uid,) = inbox.list_new(0)
        (got,) = inbox.fetch(inbox.sizes([uid]))
        assert isinstance(got, Fetched)
        assert (got.raw, got.internaldate) == (mail(), WHEN)
        inbox.mark_seen([uid])
        assert inbox.move([uid], "Done").keys() == {uid}
        assert inbox.list_new(0) == []
        waker.close()
        inbox.logout()
    finally:
        server.stop()


def test_the_folder_that_the_server_marks_is_the_one_for_sent_mail(dovecot: Dovecot) -> None:
    for folder in ("Sent", "Verschickt"):
        dovecot.create(folder)
    inbox = Inbox(mailbox(dovecot.plain_port, dovecot.user, folder="\\Sent"), PASSWORD)
    inbox.connect()
    assert inbox.select().name == "Verschickt"
    inbox.logout()


def test_a_mail_is_found_by_its_message_id_saved_and_marked_with_a_keyword(
    dovecot: Dovecot, opened: Callable[..., Inbox]
) -> None:
    inbox = opened()
    assert inbox.select().keywords
    raw = mail(7).replace(b"<7@example.org>", b'<we"ird\\7@example.org>')
    inbox.append(raw, WHEN)
    [stored] = dovecot.messages()
    assert (stored.raw, stored.received_at, stored.flags) == (raw, WHEN, frozenset({"\\Seen"}))
    assert inbox.with_message_id('<we"ird\\7@example.org>') == [stored.uid]
    assert inbox.with_message_id("<8@example.org>") == []
    inbox.mark_answered([stored.uid, 99], "mt-mia")
    assert dovecot.flags()[stored.uid] == {"\\Seen", "\\Answered", "mt-mia"}


@pytest.mark.parametrize(
    ("folders", "name"),
    [
        ([({"\\sent"}, "Verschickt"), (set(), "Sent")], "Verschickt"),
        ([(set(), "INBOX"), (set(), "Sent")], "Sent"),
        ([(set(), "INBOX.Sent"), ({"\\noselect"}, "Sent")], "INBOX.Sent"),
        ([(set(), "已发送"), (set(), "草稿箱")], "已发送"),
        ([(set(), "[Gmail]/Sent Mail")], "[Gmail]/Sent Mail"),
    ],
)
def test_without_a_mark_the_usual_name_counts(folders: list[tuple[set[str], str]], name: str) -> None:
    assert sent_folder([(frozenset(attributes), folder) for attributes, folder in folders]) == name


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (["INBOX", "Archive"], "write one as sent_folder: 'INBOX', 'Archive'"),
        (["Sent", "Sent Items"], "'Sent', 'Sent Items'; write one as sent_folder"),
    ],
)
def test_none_and_several_are_refused_with_the_names(folders: list[str], words: str) -> None:
    with pytest.raises(CommandRefused, match=re.escape(words)):
        sent_folder([(frozenset(), folder) for folder in folders])
