"""Rows 17 to 28: what an IMAP server, a network and people in the mailbox can do to us."""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter

import pytest

from mailticket.service import mailboxes
from tests.e2e import post
from tests.faults import truth
from tests.faults.conftest import MakeHouse
from tests.faults.house import House
from tests.faults.mailbox import Mailbox
from tests.servers.dovecot import Dovecot
from tests.servers.machine import until
from tests.servers.proxy import Proxy
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot


def test_f17_an_idle_that_died_silently_costs_no_more_than_the_next_look(
    make_house: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    with Proxy(dovecot.plain_port) as network:
        house = make_house(mailbox={"port": network.port, "poll_seconds": 1, "timeout_seconds": 5})
        house.start()
        until(lambda: b"IDLE" in network.sent, "the daemon to idle")
        network.swallow = True
        dovecot.append(post.request("unheard@example.org"))
        until(lambda: network.connections == 2, "a second connection")
        network.swallow = False
        smtp_sink.wait_for(1)
        house.settle(1)
        house.stop()
    truth.each_was_answered_once(smtp_sink, ["unheard@example.org"])


def test_f18_a_mail_between_the_listing_and_the_idle_is_found_though_nobody_tells_of_it(
    make_house: MakeHouse, smtp_sink: SmtpSink
) -> None:
    box = Mailbox()

    def arrive() -> None:
        if not box.mails:
            box.mails[1] = post.request("between@example.org")

    box.after["SEARCH"] = arrive  # and its IDLE says nothing of it
    with box.serve() as server:
        house = make_house(mailbox={"port": server.port, "poll_seconds": 1})
        house.start()
        smtp_sink.wait_for(1)
        house.settle(1)
        house.stop()
    truth.each_was_answered_once(smtp_sink, ["between@example.org"])


def test_f19_a_server_that_says_bye_is_tried_again_at_growing_intervals(
    make_house: MakeHouse, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "_PAUSE", (0.1, 300.0))
    box = Mailbox(post.request("patient@example.org"))
    box.greeting = b"* BYE [UNAVAILABLE] come back later"
    tried: list[float] = []
    with box.serve() as server:
        house = make_house(mailbox={"port": server.port})
        house.start()
        for number in range(1, 6):
            until(lambda wanted=number: len(server.conversations) >= wanted, "the next try")  # type: ignore[misc]
            tried.append(time.monotonic())
        box.greeting = b"* OK ready"
        smtp_sink.wait_for(1)
        house.site.wait_log("mailbox support: works again")
        house.stop()
    waits = [later - sooner for sooner, later in itertools.pairwise(tried)]
    assert waits[3] > 0.5, waits  # 0.1 s doubled three times, less a quarter at most
    truth.each_was_answered_once(smtp_sink, ["patient@example.org"])


def test_f20_too_many_connections_is_trouble_and_never_an_empty_mailbox(
    make_house: MakeHouse, smtp_sink: SmtpSink
) -> None:
    box = Mailbox(post.request("patient@example.org"))
    box.refuse["LOGIN"] = b"NO [ALERT] Too many simultaneous connections. (Failure)"
    with box.serve() as server:
        house = make_house(mailbox={"port": server.port})
        (trouble,) = house.once().troubles
        assert "Too many simultaneous connections" in trouble
        assert len(server.conversations) == 1
        box.refuse["LOGIN"] = b"NO [AUTHENTICATIONFAILED] Invalid credentials"
        house.start()
        # A refused password, tried fast, would lock the account: a minute at least.
        pause = re.search(r"next try comes in (\d+) s", house.site.wait_log("next try comes in"))
        assert pause is not None
        assert int(pause[1]) >= 45
        assert len(server.conversations) == 2
        house.stop()
        box.refuse.clear()
        assert house.once().troubles == []
    truth.each_was_answered_once(smtp_sink, ["patient@example.org"])


def test_f22_uids_that_go_back_under_the_same_uidvalidity_double_nothing(
    make_house: MakeHouse, smtp_sink: SmtpSink
) -> None:
    kept, lost = post.request("kept@example.org"), post.request("lost@example.org")
    box = Mailbox(kept, lost)
    with box.serve() as server:
        house = make_house(mailbox={"port": server.port})
        house.once()
        box.mails = {1: kept, 2: post.request("new@example.org")}  # restored from before the second mail
        box.uidnext = 2
        house.once()
        house.once()
    truth.each_was_answered_once(smtp_sink, ["kept@example.org", "lost@example.org", "new@example.org"])


def test_f23_a_mail_that_a_human_removes_while_we_work_on_it_keeps_its_ticket(
    make_house: MakeHouse, smtp_sink: SmtpSink
) -> None:
    box = Mailbox(post.request("removed@example.org"), post.request("stays@example.org"))

    def remove() -> None:
        if any(b"BODY" in line for line in server.received):
            box.mails.pop(1, None)

    box.after["FETCH"] = remove
    with box.serve() as server:
        house = make_house(mailbox={"port": server.port})
        house.once()
        house.once()
        stores = [line for line in server.received if b"STORE" in line]
    assert len(stores) == 1
    assert box.seen == {2}
    truth.each_was_answered_once(smtp_sink, ["removed@example.org", "stays@example.org"])


@pytest.mark.parametrize("command", ["MOVE", "STORE"])
def test_f23_and_one_that_the_server_will_not_flag_or_move_causes_no_storm(
    make_house: MakeHouse, smtp_sink: SmtpSink, command: str
) -> None:
    box = Mailbox(post.request("unmoved@example.org"))
    box.refuse[command] = b"NO [EXPUNGEISSUED] some of them are gone"
    how = {"afterwards": "move", "move_to": "Done"} if command == "MOVE" else {"afterwards": "seen"}
    with box.serve() as server:
        house = make_house(mailbox={"port": server.port, **how})
        for _ in range(3):
            house.once()
        assert sum(command.encode() in line.split(b"+")[0] for line in server.received) == 1
    truth.each_was_answered_once(smtp_sink, ["unmoved@example.org"])


def test_f25_an_old_mail_that_a_human_moves_back_is_known(house: House, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    dovecot.deliver(post.requests(2))
    dovecot.create("Elsewhere")
    house.start()
    house.settle(2)
    truth.all_are_flagged(dovecot, 2)
    dovecot.move([1], "Elsewhere")
    dovecot.move([1], "INBOX", folder="Elsewhere")
    house.settle(3)
    truth.all_are_flagged(dovecot, 2)
    house.stop()
    truth.each_was_answered_once(smtp_sink, ["person1@example.org", "person2@example.org"])


@pytest.mark.parametrize("afterwards", ["seen", "move"])
def test_f26_only_uids_are_ever_named_and_nothing_is_expunged_but_by_uid(
    make_house: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink, afterwards: str
) -> None:
    """A human expunges mails meanwhile, which shifts all sequence numbers."""
    target = {"move_to": "Done"} if afterwards == "move" else {}
    with Proxy(dovecot.plain_port) as wire:
        house = make_house(mailbox={"port": wire.port, "afterwards": afterwards, **target})
        dovecot.deliver(post.requests(3))
        house.start()
        smtp_sink.wait_for(3)
        house.settle(3)
        dovecot.append(post.request("nuisance@example.org"), flags=["\\Deleted"])
        with dovecot.session() as human:
            human.select("INBOX")
            human.expunge()
        dovecot.append(post.request("last@example.org"))
        until(lambda: "last@example.org" in smtp_sink.recipients(), "the last answer")
        house.stop()
        sent = truth.commands(bytes(wire.sent))
    assert {verb for _, verb, _ in sent} >= {"SEARCH", "FETCH", "MOVE" if afterwards == "move" else "STORE"}
    assert [line for by_uid, _, line in sent if not by_uid] == []
    assert max(truth.copies(smtp_sink).values()) == 1


def test_f27_a_mail_in_two_folders_has_one_ticket_and_nothing_is_ever_deleted(
    make_house: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    """As Gmail shows one mail in INBOX and in All Mail."""
    dovecot.create("All Mail")
    raw = post.request("label@example.org")
    dovecot.append(raw)
    dovecot.append(raw, folder="All Mail")
    with Proxy(dovecot.plain_port) as wire:
        house = make_house(mailbox={"port": wire.port})
        with house.site.configuration.open("a") as file:
            file.write(
                f'[[mailbox]]\nname = "all"\nhost = "127.0.0.1"\nport = {wire.port}\nsecurity = "none"\n'
                f'username = "{dovecot.user}"\npassword = "correct-horse"\nfolder = "All Mail"\n'
            )
        house.once()
        assert re.search(rb"EXPUNGE|\\Deleted", wire.sent, re.IGNORECASE) is None
    truth.each_was_answered_once(smtp_sink, ["label@example.org"])
    assert len(dovecot.messages()) == len(dovecot.messages(folder="All Mail")) == 1


def test_f28_the_same_mail_twice_is_one_and_the_same_message_id_twice_are_two(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    raw = post.request("alias@example.org")
    other = post.request("other@example.org", message_id="<chosen@example.org>")
    copied = post.request("thief@example.org", message_id="<chosen@example.org>")
    dovecot.deliver([raw, b"Received: by list.example.org; Sun, 22 Nov 2026 10:00:00 +0000\r\n" + raw, other, copied])
    house.once()
    truth.each_was_answered_once(smtp_sink, ["alias@example.org", "other@example.org", "thief@example.org"])
    assert Counter(house.site.incoming_states()) == {"opened": 3, "known": 1}


def test_f44_of_a_mail_of_200_mb_only_the_beginning_is_asked_for(make_house: MakeHouse, smtp_sink: SmtpSink) -> None:
    box = Mailbox(post.request("huge@example.org"), post.request("small@example.org"))
    box.size_of[1] = 200 * 2**20
    with box.serve() as server:
        house = make_house(mailbox={"port": server.port, "afterwards": "move", "move_to": "Done"})
        house.once()
        house.once()
        fetches = [line.decode() for line in server.received if b"BODY" in line]
        moves = [line.decode() for line in server.received if b"MOVE" in line]
    assert len(fetches) == 2
    assert all(re.search(r"FETCH 2 .*BODY\.PEEK\[\]\)|FETCH 1 .*BODY\.PEEK\[\]<0\.\d+>", line) for line in fetches)
    assert [re.search(r"MOVE (\S+)", line)[1] for line in moves] == ["2"]  # type: ignore[index]
    assert box.seen == {1}
    truth.each_was_answered_once(smtp_sink, ["huge@example.org", "small@example.org"])
