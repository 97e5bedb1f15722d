"""Servers that go away, refuse or fall silent; a full disk; a locked database. Nothing is lost, nothing repeated."""

from __future__ import annotations

import sqlite3
from collections import Counter

import pytest
from sqlalchemy import text

from tests.e2e import post
from tests.e2e.conftest import MakeHouse, MakeSite
from tests.e2e.site import Site
from tests.servers.dovecot import Dovecot
from tests.servers.machine import until
from tests.servers.proxy import Proxy
from tests.servers.smtp import DROP, DROP_KEPT, SmtpSink

pytestmark = pytest.mark.dovecot


def test_an_imap_server_that_was_gone_is_found_again(site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    site.start()
    dovecot.append(post.request("before@example.org"))
    smtp_sink.wait_for(1)
    dovecot.stop()
    until(lambda: _error(site, "mailbox support") is not None, "the trouble to be shown")
    assert "ends with" not in site.told()
    dovecot.start()
    dovecot.append(post.request("after@example.org"))
    assert [mail.recipients[0] for mail in smtp_sink.wait_for(2)] == ["before@example.org", "after@example.org"]
    site.wait_idle(2)
    until(lambda: _error(site, "mailbox support") is None, "the trouble to be over")
    assert site.stop() == 0


def test_f16_a_connection_that_is_cut_at_any_byte_loses_and_repeats_nothing(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    """Each `run --once` comes a little further in its conversation with the IMAP server."""
    dovecot.deliver(post.requests(4))
    site = make_site()
    cuts = 0
    with Proxy(dovecot.plain_port) as proxy:
        site.configure(mailbox={"port": proxy.port})
        proxy.cut_after = 300
        while site.cli("run", "--once", code=None).returncode == 75:
            cuts += 1
            proxy.cut_after += 600
    assert cuts >= 4
    senders = [f"person{n}@example.org" for n in range(1, 5)]
    assert Counter(ticket["requester"] for ticket in site.tickets()) == dict.fromkeys(senders, 1)
    assert Counter(smtp_sink.recipients()) == dict.fromkeys(senders, 1)


def test_mail_is_taken_in_while_the_smtp_server_is_gone_and_answered_when_it_is_back(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    smtp_sink.stop()
    site.start()
    dovecot.deliver(post.requests(3))
    site.wait_incoming(opened=3)
    until(lambda: _error(site, "smtp") is not None, "the trouble to be shown")
    assert set(site.outgoing_states()) <= {"queued", "deferred", "sending"}
    smtp_sink.start()
    smtp_sink.wait_for(3)
    site.wait_outgoing(sent=3)
    assert len(set(smtp_sink.recipients())) == 3
    assert _error(site, "smtp") is None
    assert site.stop() == 0


@pytest.mark.parametrize(
    ("stage", "reply", "state"),
    [
        ("RCPT", "450 4.2.1 greylisted, come again", "deferred"),
        ("RCPT", "550 5.1.1 no such user", "failed"),
        ("DOT", "451 4.3.0 try again later", "deferred"),
        ("DOT", "554 5.7.1 looks like spam", "failed"),
        ("DATA", DROP, "deferred"),
        ("DOT", DROP, "uncertain"),
        ("DOT", DROP_KEPT, "uncertain"),
    ],
)
def test_an_acknowledgement_that_is_refused_or_cut_off_is(
    site: Site, house_of: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink, stage: str, reply: str, state: str
) -> None:
    house = house_of(site)
    smtp_sink.next(stage, reply)
    dovecot.deliver([post.request("refused@example.org")])
    assert house.once().counts["opened"] == 1
    row = site.outbox()[0]
    assert (row["state"], row["attempts"] <= 1) == (state, True)
    assert row["last_error"]
    dovecot.deliver([post.request("other@example.org")])
    house.once()
    kept = 1 if reply == DROP_KEPT else 0
    assert smtp_sink.recipients() == ["refused@example.org"] * kept + ["other@example.org"]
    assert site.outbox()[0]["state"] == state

    # A person may decide to send it all the same.
    site.cli("outbox", "retry", str(row["id"]))
    house.once()
    assert smtp_sink.recipients()[kept + 1 :] == ["refused@example.org"]
    assert len(set(post.message_ids([m for m in smtp_sink.accepted if m.recipients[0] == "refused@example.org"]))) == 1


def test_an_uncertain_staff_answer_is_sent_once_more_with_the_same_message_id(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    dovecot.deliver([post.request()])
    site.once()
    key = post.ticket_id(smtp_sink.accepted[0])
    site.cli("ticket", "reply", key, "--text", "It is on its way.")
    smtp_sink.next("DOT", DROP_KEPT, DROP_KEPT, DROP_KEPT)
    site.start()
    answers = smtp_sink.wait_for(3)[1:]
    site.wait_outgoing(sent=1, uncertain=1)
    assert len(set(post.message_ids(answers))) == 1
    assert site.stop() == 0
    site.once()
    assert len(smtp_sink.accepted) == 3
    assert site.outbox()[1]["state"] == "uncertain"
    assert [e["event"] for e in site.show(key)["history"]].count("staff-reply uncertain") == 2


@pytest.mark.sqlite
def test_f31_a_full_disk_pauses_intake_flags_nothing_and_recovers(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site.start()
    dovecot.append(post.request("early@example.org"))
    smtp_sink.wait_for(1)
    site.wait_outgoing(sent=1)
    until(lambda: "\\Seen" in dovecot.flags()[1], "the first mail to be marked as seen")
    site.limit_files(4096)
    dovecot.deliver(post.requests(3))
    site.wait_log("mailbox support: the disk")
    assert all("\\Seen" not in flags for uid, flags in dovecot.flags().items() if uid > 1)
    assert site.process is not None and site.process.poll() is None
    site.limit_files()
    site.wait_log("mailbox support: works again")
    assert len(smtp_sink.wait_for(4)) == 4
    site.wait_idle(4)
    until(lambda: all("\\Seen" in flags for flags in dovecot.flags().values()), "the mails to be marked as seen")
    assert site.stop() == 0
    assert len(site.tickets()) == 4
    assert len(set(smtp_sink.recipients())) == 4
    assert site.incoming_states() == {"opened": 4}


@pytest.mark.sqlite
def test_f30_a_database_that_another_program_locks_for_a_while_delays_and_loses_nothing(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site.start()
    site.wait_log("first contact")
    other = sqlite3.connect(site.folder / "mailticket.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        dovecot.append(post.request("patient@example.org"))
        assert "locked by another program" in site.wait_log("locked by another program")
        other.execute("ROLLBACK")
    finally:
        other.close()
    smtp_sink.wait_for(1)
    site.wait_idle(1)
    assert site.stop() == 0
    assert len(site.tickets()) == 1
    assert len(smtp_sink.accepted) == 1
    assert site.incoming_states() == {"opened": 1}


@pytest.mark.postgres
def test_a_daemon_that_loses_its_lock_takes_it_anew_and_goes_on(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink, postgres_url: str
) -> None:
    site = make_site(postgres_url)
    site.start(MAILTICKET_HURRY="15")
    dovecot.append(post.request("before@example.org"))
    smtp_sink.wait_for(1)
    site.wait_outgoing(sent=1)
    with site.database.write() as session:
        session.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"))
    site.wait_log("they are taken anew")
    dovecot.append(post.request("after@example.org"))
    assert smtp_sink.wait_for(2)[1].recipients == ("after@example.org",)
    assert site.stop() == 0
    assert site.incoming_states() == {"opened": 2}


def _error(site: Site, part: str) -> str | None:
    status = site.json("status")[0]
    found = [row["error"] for row in status["parts"] if row["name"] == part]
    return found[0] if found else None
