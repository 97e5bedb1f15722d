"""The main job: a mail becomes a ticket and an acknowledgement, a reply lands on it, a repetition is flagged."""

from __future__ import annotations

import pytest

from tests.e2e import post
from tests.e2e.site import SUPPORT, Site
from tests.servers.dovecot import Dovecot
from tests.servers.machine import until
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot

TXID = "9f2c4be1d07a5c83e6f1420b9ad8375e6c01fb24d95a7e3380c6b1f2e4d7a951"
DEPOSIT = f"Hello,\n\nI sent 0.42 BTC this morning, and my balance still shows nothing.\n\nTXID: {TXID}\n"
AGAIN = f"Hi, I wrote before. The bitcoin of transaction {TXID} never showed up. Where is my money?\n"


def test_the_main_job(any_site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    site = any_site
    site.start()

    # A new mail, over IDLE: one ticket, one acknowledgement.
    dovecot.append(post.request("maria@example.org", "Deposit not credited", DEPOSIT, message_id="<first@example.org>"))
    acknowledgement = smtp_sink.wait_for(1)[0]
    assert acknowledgement.recipients == ("maria@example.org",)
    assert acknowledgement.sender == SUPPORT
    read = post.read(acknowledgement)
    assert read["To"] == "maria@example.org"
    assert read["Auto-Submitted"] == "auto-replied"
    assert read["In-Reply-To"] == "<first@example.org>"
    assert read["X-Loop"]
    key = post.ticket_id(acknowledgement)
    assert key in "\n".join(post.text_of(acknowledgement).splitlines()[:3])
    site.wait_idle(1)
    listed = site.json("ticket", "list")
    assert [(t["id"], t["status"], t["requester"], t["messages"]) for t in listed] == [
        (key, "new", "maria@example.org", 2)
    ]
    until(lambda: "\\Seen" in dovecot.flags()[1], "the mail to be marked as seen")

    # Her reply lands on that ticket and is not acknowledged again.
    dovecot.append(post.reply(acknowledgement, "The network is Bitcoin mainnet."))
    site.wait_idle(2)
    conversation = site.show(key)["conversation"]
    assert [entry["kind"] for entry in conversation] == ["request", "acknowledgement", "reply"]
    assert conversation[2]["new_text"].strip() == "The network is Bitcoin mainnet."

    # A second request about the same matter stays a ticket of its own, flagged, with the duplicate notice.
    dovecot.append(post.request("maria@example.org", "my bitcoin is gone??", AGAIN))
    notice = smtp_sink.wait_for(2)[1]
    site.wait_idle(3)
    first, second = site.tickets()
    assert (second["duplicate_of"], second["id"]) == (first["id"], post.ticket_id(notice))
    assert second["similarity"] > 0.5
    assert first["id"] in post.text_of(notice)
    assert [row["kind"] for row in site.json("outbox", "list")] == ["acknowledgement", "duplicate-notice"]

    # A restart repeats nothing.
    assert site.stop() == 0
    site.start()
    dovecot.append(post.request("bert@example.org"))
    assert [mail.recipients[0] for mail in smtp_sink.wait_for(3)] == [
        "maria@example.org", "maria@example.org", "bert@example.org",
    ]  # fmt: skip
    site.wait_idle(4)
    assert len(site.tickets()) == 3
    assert site.stop() == 0
    assert len(smtp_sink.accepted) == 3
    site.cli("check", "--offline")


def test_one_round_counts_what_it_did(any_site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    copied = post.request("copy@example.org", "API key is refused")
    dovecot.deliver(
        [
            post.request("maria@example.org", "Deposit not credited", DEPOSIT),
            post.request("maria@example.org", "my bitcoin is gone??", AGAIN),
            copied,
            b"Received: from elsewhere.example by mx.example.com; Sun, 1 Nov 2026 10:00:00 +0000\r\n" + copied,
            post.request("away@example.org", "Out of office", "I am away.", headers={"Auto-Submitted": "auto-replied"}),
            # What a list that the site reads sends to all, and not to us by name.
            post.request("news@example.org", "News", "Read this.", headers={"List-Id": "<news.example.org>"}).replace(
                f"To: {SUPPORT}".encode(), b"To: news@example.org"
            ),
        ]
    )
    assert any_site.once() == {
        "fetched": 6, "opened": 3, "appended": 0, "duplicates": 1, "filed": 2, "quarantined": 0, "already_known": 1,
        "sent": 3, "deferred": 0, "failed": 0, "withheld": 0, "answers": 0, "notes": 0, "held": 0,
    }  # fmt: skip
    assert sorted(smtp_sink.recipients()) == ["copy@example.org", "maria@example.org", "maria@example.org"]
    assert set(any_site.once().values()) == {0}
    assert len(smtp_sink.accepted) == 3


def test_a_staff_reply_reaches_the_requester_and_keeps_the_promise(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site.start()
    dovecot.append(post.request("ann@example.org", message_id="<hers@example.org>"))
    key = post.ticket_id(smtp_sink.wait_for(1)[0])
    site.cli("ticket", "reply", key, "--text", "The withdrawal has left; please look again.")
    answer = smtp_sink.wait_for(2)[1]
    assert "The withdrawal has left" in post.text_of(answer)
    assert post.read(answer)["In-Reply-To"] == "<hers@example.org>"
    assert post.read(answer)["Auto-Submitted"] in (None, "no")
    site.wait_outgoing(sent=2)
    shown = site.show(key)
    assert shown["status"] == "pending"
    assert shown["first_response_at"] is not None

    dovecot.append(post.reply(answer, "Thank you, it is there."))
    site.wait_incoming(appended=1)
    assert site.show(key)["status"] == "open"
    assert site.stop() == 0
