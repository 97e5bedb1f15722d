"""What happens to the mail on the IMAP server, and what happens when somebody else changes it."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from mailticket.store import raws
from tests.e2e import post
from tests.e2e.conftest import MakeSite
from tests.e2e.site import Site
from tests.servers.dovecot import Dovecot
from tests.servers.machine import until
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot


def test_f21_a_new_uidvalidity_doubles_nothing(site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    dovecot.deliver(post.requests(3))
    site.start()
    smtp_sink.wait_for(3)
    site.wait_idle(3)
    dovecot.bump_uidvalidity()
    dovecot.kick()
    dovecot.append(post.request("new@example.org"))
    assert smtp_sink.wait_for(4)[3].recipients == ("new@example.org",)
    site.wait_incoming(opened=4, known=3)
    assert site.stop() == 0
    assert site.once()["fetched"] == 0
    assert len(smtp_sink.accepted) == 4
    assert len(site.tickets()) == 4
    site.cli("check")


def test_f21_a_new_uidvalidity_while_the_daemon_is_down_keeps_what_was_pending(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    dovecot.deliver(post.requests(2))
    site.start("collect.listed:1:kill", ready=False)
    assert site.ended() == -signal.SIGKILL
    dovecot.bump_uidvalidity()
    assert site.once()["opened"] == 2
    assert site.incoming_states() == {"vanished": 2, "opened": 2}
    assert len(smtp_sink.accepted) == 2


@pytest.mark.parametrize(
    ("afterwards", "seen", "left"), [("keep", False, True), ("seen", True, True), ("move", False, False)]
)
def test_afterwards_the_server_s_copy_is(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink, afterwards: str, seen: bool, left: bool
) -> None:
    target = {"move_to": "Archive/已处理"} if afterwards == "move" else {}
    site = make_site(mailbox={"afterwards": afterwards, **target})
    dovecot.deliver(post.requests(2))
    site.once()
    dovecot.deliver([post.request("third@example.org")])
    site.once()
    assert Counter(smtp_sink.recipients()) == dict.fromkeys(
        ["person1@example.org", "person2@example.org", "third@example.org"], 1
    )
    stored = dovecot.messages()
    assert len(stored) == (3 if left else 0)
    assert all(("\\Seen" in mail.flags) is seen for mail in stored)
    if not left:
        assert len(dovecot.messages(folder="Archive/已处理")) == 3
    assert site.once()["fetched"] == 0


def test_a_refused_move_is_shown_and_never_the_mail_s_end(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site = make_site(mailbox={"afterwards": "move", "move_to": "Archive"})
    dovecot.create("Archive")
    dovecot.make_read_only(folder="Archive")
    dovecot.deliver([post.request()])
    assert site.once()["opened"] == 1
    assert len(dovecot.messages()) == 1
    part = site.json("status")[0]["parts"][0]
    assert (part["not_flagged"], bool(part["not_flagged_because"])) == (1, True)
    assert len(smtp_sink.accepted) == 1
    assert site.once()["fetched"] == 0


def test_a_read_only_folder_counts_as_keep(site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    dovecot.deliver(post.requests(2))
    dovecot.make_read_only()
    site.start()
    smtp_sink.wait_for(2)
    site.wait_idle(2)
    until(lambda: "read-only" in (site.json("status")[0]["parts"][0]["note"] or ""), "the note in `status`")
    assert site.stop() == 0
    assert all("\\Seen" not in flags for flags in dovecot.flags().values())
    assert site.once()["fetched"] == 0


def test_f44_an_oversized_mail_is_kept_as_headers_and_first_part_and_its_copy_is_left(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site = make_site(mailbox={"maximum_size_mb": 1, "afterwards": "move", "move_to": "Archive"})
    large = post.request("large@example.org", message_id="<large@example.org>", attachment=bytes(2 * 1024 * 1024))
    dovecot.deliver([post.request("one@example.org"), large, post.request("two@example.org")])
    assert site.once()["opened"] == 3
    assert Counter(smtp_sink.recipients()) == dict.fromkeys(
        ["one@example.org", "large@example.org", "two@example.org"], 1
    )
    assert [mail.raw for mail in dovecot.messages()] == [large]
    assert len(dovecot.messages(folder="Archive")) == 2
    row = site.raw_of("<large@example.org>")
    with site.database.read() as session:
        kept = raws.get(session, row.raw_digest)
    assert kept is not None
    assert large.startswith(kept)
    assert len(kept) < 1024 * 1024
    shown = site.show(next(t["id"] for t in site.tickets() if t["requester"] == "large@example.org"))
    assert "customer number" in shown["conversation"][0]["text"]


def test_f23_a_mail_that_somebody_took_away_meanwhile_has_vanished(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    dovecot.deliver(post.requests(3))
    site.start("collect.listed:1:kill", ready=False)
    assert site.ended() == -signal.SIGKILL
    dovecot.expunge([2])
    site.start()
    site.wait_incoming(opened=2, vanished=1)
    assert sorted(mail.recipients[0] for mail in smtp_sink.wait_for(2)) == [
        "person1@example.org",
        "person3@example.org",
    ]
    assert site.stop() == 0
    assert site.json("mail", "why", "support:2")[0]["state"] == "vanished"
    site.cli("check")


def test_f24_mails_that_somebody_read_flagged_or_answered_are_taken_in_all_the_same(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    for number, flags in enumerate(["\\Seen", "\\Answered", "\\Flagged \\Seen"], 1):
        dovecot.append(post.request(f"flagged{number}@example.org"), flags=[flags])
    assert site.once()["opened"] == 3
    assert len(smtp_sink.accepted) == 3


def test_first_contact_leaves_old_mail_alone_and_acknowledges_no_late_one(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site = make_site(acknowledge={"within_hours": 1})
    now = datetime.now(UTC)
    dovecot.append(post.request("ancient@example.org"), when=now - timedelta(days=9))
    dovecot.append(post.request("late@example.org"), when=now - timedelta(hours=5))
    dovecot.append(post.request("fresh@example.org"), when=now)
    counts = site.once()
    assert (counts["opened"], counts["withheld"], counts["sent"]) == (2, 1, 1)
    assert smtp_sink.recipients() == ["fresh@example.org"]
    assert site.incoming_states() == {"before": 1, "opened": 2}
    held = [row for row in site.outbox() if row["state"] == "withheld"]
    assert [row["to"] for row in held] == ["late@example.org"]
    assert held[0]["reason"]
    site.cli("outbox", "send", "--withheld")
    site.once()
    assert smtp_sink.recipients() == ["fresh@example.org", "late@example.org"]
