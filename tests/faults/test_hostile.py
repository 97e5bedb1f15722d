"""Rows S33 to S38 and S47 to S49 of the attack table in the running daemon: a bomb delays and breaks nobody."""

from __future__ import annotations

import re
import ssl
import time
import tracemalloc
from pathlib import Path

import pytest

from mailticket.errors import ConfigurationError
from tests.e2e import post
from tests.faults import truth
from tests.faults.conftest import MakeHouse
from tests.faults.house import House
from tests.faults.mailbox import Mailbox
from tests.mail.hostile import ATTACKS
from tests.servers.certificate import make_certificate
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Proxy
from tests.servers.scripted_imap import Conversation, ScriptedImap
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot

PIECES = 20_000
BOMBS = {name: bomb for name, bomb in ATTACKS.items() if re.search(r"\(S3[3-8]\)", name)}
FAIR_SHARE = 1.0  # seconds of the processor that one bomb may cost, whatever the machine does besides


@pytest.mark.parametrize("row", ["S33", "S34", "S35", "S36", "S37", "S38"])
def test_s33_to_s38_a_bomb_is_taken_in_and_the_honest_mail_behind_it_is_answered(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink, row: str
) -> None:
    """The bombs of one row of the attack table, with an honest mail after each."""
    bombs = [bomb(PIECES) for name, bomb in BOMBS.items() if f"({row})" in name]
    assert bombs
    honest = [f"person{n}@example.org" for n in range(1, len(bombs) + 1)]
    for bomb, mail in zip(bombs, post.requests(len(bombs)), strict=True):
        dovecot.deliver([bomb, mail])
    began = time.process_time()
    house.once()
    assert time.process_time() - began < FAIR_SHARE * len(bombs) + 2
    answered = truth.copies(smtp_sink)
    assert {person: answered[person] for person in honest} == dict.fromkeys(honest, 1)
    states = house.site.incoming_states()
    assert sum(states.values()) == 2 * len(bombs)
    assert "quarantined" not in states
    truth.all_are_flagged(dovecot, 2 * len(bombs))


@pytest.mark.parametrize(
    "lie",
    [
        b"* 1 FETCH (UID 1 BODY[] {4294967296}\r\n",
        b"* 1 FETCH (UID 1 BODY[] {9999999}\r\n" + b"x" * 100,
        b"* OK " + b"x" * 2_000_000 + b"\r\n",
        b"* 1 FETCH (UID 1 FLAGS ())\r\n" * 200_000,
        b"* BYE \x1b]0;owned\x07 [ALERT] \x1b[2J\r\n",
    ],
    ids=["literal of 4 GB", "literal beyond the size", "endless line", "endless answers", "control characters"],
)
def test_s47_a_server_that_lies_ends_its_connection_and_nothing_else(
    make_house: MakeHouse, smtp_sink: SmtpSink, lie: bytes
) -> None:
    box = Mailbox(post.request("honest@example.org"))

    def hostile(server: Conversation) -> None:
        server.greet(b"IMAP4rev1 IDLE UIDPLUS MOVE")
        server.select(exists=1, uidnext=2)
        server.answer("SEARCH", b"* SEARCH 1")
        server.answer("FETCH", b"* 1 FETCH (UID 1 INTERNALDATE %s RFC822.SIZE 300)" % box.arrived)
        server.expect("FETCH")
        server.send(lie)
        server.wait_until_gone()

    with ScriptedImap(hostile, box.session) as server:
        house = make_house(mailbox={"port": server.port, "timeout_seconds": 5})
        tracemalloc.start()
        house.start()
        smtp_sink.wait_for(1)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        house.settle(1)
        house.stop()
    assert most < 64 * 2**20
    assert not any("\x1b" in line for line in house.site.log)
    truth.each_was_answered_once(smtp_sink, ["honest@example.org"])


def test_s47_mails_that_nobody_asked_for_and_uids_that_cannot_be_make_no_ticket(
    make_house: MakeHouse, smtp_sink: SmtpSink
) -> None:
    wanted, forced = post.request("wanted@example.org"), post.request("forced@example.org")
    box = Mailbox(wanted)
    unsolicited = b"* 9 FETCH (UID 9 FLAGS () BODY[] {%d}\r\n%s)\r\n" % (len(forced), forced)
    box.before["FETCH"] = unsolicited
    box.before["SEARCH"] = b"* SEARCH 0 1 1 4294967296 1\r\n"
    with box.serve() as server:
        house = make_house(mailbox={"port": server.port})
        house.once()
        house.once()
    truth.each_was_answered_once(smtp_sink, ["wanted@example.org"])
    assert [ticket["requester"] for ticket in house.site.tickets()] == ["wanted@example.org"]


@pytest.mark.parametrize("how", ["no STARTTLS", "refused", "injected", "preauth", "foreign certificate"])
def test_s48_no_password_leaves_before_tls_is_sure(make_house: MakeHouse, tmp_path: Path, how: str) -> None:
    certificate, key = make_certificate(tmp_path, "DNS:mail.elsewhere.example")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)

    def strip(server: Conversation) -> None:
        server.send(b"* PREAUTH ready\r\n" if how == "preauth" else b"* OK ready\r\n")
        offered = b"" if how == "no STARTTLS" else b" STARTTLS"
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1" + offered)
        if how == "refused":
            server.answer("STARTTLS", ending=b"NO not today")
        elif how == "injected":
            tag = server.expect("STARTTLS").encode()
            server.send(tag + b" OK go on\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")
        elif how == "foreign certificate":
            server.answer("STARTTLS")
            server.start_tls(tls)
        server.wait_until_gone()

    with ScriptedImap(strip) as server:
        house = make_house(mailbox={"port": server.port, "security": "starttls", "timeout_seconds": 5})
        (trouble,) = house.once().troubles
        assert trouble.startswith("mailbox support: ")
        sent = b"\n".join(server.received)
    assert b"LOGIN" not in sent
    assert b"AUTHENTICATE" not in sent
    assert b"correct-horse" not in sent


def test_s49_no_word_of_a_mail_becomes_a_command(house: House, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    with Proxy(dovecot.plain_port) as imap, Proxy(smtp_sink.port) as smtp:
        house.site.configure(mailbox={"port": imap.port}, smtp={"port": smtp.port})
        evil = b"<a>\r\n A2 DELETE INBOX\r\n\tRCPT TO:<victim@example.net>"
        raw = post.request("eve@example.org", message_id="<plain@example.org>")
        dovecot.deliver([raw.replace(b"<plain@example.org>", evil)])
        house.once()
        house.once()
        assert b"DELETE INBOX" not in imap.sent
        assert b"\r\nRCPT TO:<victim" not in smtp.sent
    truth.each_was_answered_once(smtp_sink, ["eve@example.org"])


@pytest.mark.parametrize("folder", ["INBOX\r\nA2 DELETE INBOX", "INBOX\nA2 LOGOUT", "INBOX\0"])
def test_s49_a_folder_name_with_line_breaks_is_refused_when_the_configuration_is_read(
    house: House, folder: str
) -> None:
    house.site.configure(mailbox={"folder": folder})
    with pytest.raises(ConfigurationError):
        house.once()
