"""Staff answer by mail through real servers: one mail to the requester, whatever dies on its way."""

from __future__ import annotations

import signal

import pytest

from tests.e2e import post
from tests.e2e.site import SUPPORT, Site
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Accepted, SmtpSink

pytestmark = pytest.mark.dovecot
PEOPLE = """
[desk]
new = "each"
hold_seconds = 0
digests = []
[[staff]]
name = "mia"
signs = "Mia"
addresses = ["mia@desk.example"]
[[staff]]
name = "tom"
signs = "Tom"
addresses = ["tom@desk.example"]
[[team]]
name = "all"
members = ["mia", "tom"]
lead = "tom"
"""
STEPS = [
    "collect.listed", "collect.fetched", "intake.attempted", "intake.in_transaction", "intake.committed",
    "collect.flagged", "outbox.claimed", "outbox.recorded", "outbox.begun", "outbox.accepted",
]  # fmt: skip


def staffed(site: Site, more: str = "") -> None:
    site.configuration.write_text(site.configuration.read_text() + PEOPLE + more)


def asked(site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> Accepted:
    """Bob has asked; returns the desk mail that mia got of it."""
    dovecot.deliver([post.request("bob@example.org")])
    assert site.once()["sent"] == 3
    return to(smtp_sink, "mia@desk.example")[0]


def to(smtp_sink: SmtpSink, address: str) -> list[Accepted]:
    return [mail for mail in smtp_sink.accepted if list(mail.recipients) == [address]]


def test_one_request_one_answer_and_nothing_of_the_desk_in_it(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    staffed(site)
    told = asked(site, dovecot, smtp_sink)
    assert sorted(smtp_sink.recipients()) == ["bob@example.org", "mia@desk.example", "tom@desk.example"]
    key = post.ticket_id(told)
    counts = (dovecot.deliver([post.reply(told, "It is on its way, Bob.", verified=True)]), site.once())[1]
    assert (counts["answers"], counts["notes"], counts["held"], counts["sent"]) == (1, 0, 0, 1)
    answer = to(smtp_sink, "bob@example.org")[-1]
    assert "It is on its way, Bob." in post.text_of(answer)
    assert str(post.read(answer)["From"].addresses[0].addr_spec) == SUPPORT
    for inside in (b"mia@", b"desk.example", b"Your answer goes", b"write above"):
        assert inside not in answer.raw
    ticket = site.show(key)
    assert (ticket["status"], ticket["assigned_to"]) == ("pending", "mia")
    assert ticket["first_response_at"] is not None


@pytest.mark.parametrize("step", STEPS)
def test_whatever_step_it_dies_at_the_requester_gets_one_answer(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink, step: str
) -> None:
    staffed(site)
    told = asked(site, dovecot, smtp_sink)
    before = len(to(smtp_sink, "bob@example.org"))
    dovecot.deliver([post.reply(told, "It is on its way, Bob.", verified=True)])
    site.start(f"{step}:1:kill", ready=False)
    assert site.ended() == -signal.SIGKILL
    site.once()
    site.once()
    answers = to(smtp_sink, "bob@example.org")[before:]
    assert len(answers) in ((1, 2) if step == "outbox.accepted" else (1,))
    assert len(set(post.message_ids(answers))) == 1
    conversation = site.show(post.ticket_id(told))["conversation"]
    assert [message["kind"] for message in conversation].count("staff-reply") == 1


def test_an_answer_waits_so_long_that_it_can_be_stopped(site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    staffed(site)
    site.configuration.write_text(site.configuration.read_text().replace("hold_seconds = 0", "hold_seconds = 600"))
    told = asked(site, dovecot, smtp_sink)
    dovecot.deliver([post.reply(told, "Too early, Bob.")])
    assert site.once()["sent"] == 1  # the receipt
    receipt = to(smtp_sink, "mia@desk.example")[-1]
    assert "Too early, Bob." in post.text_of(receipt)
    dovecot.deliver([post.reply(receipt, "#stop")])
    site.once()
    assert len(to(smtp_sink, "bob@example.org")) == 1
    assert [row["state"] for row in site.outbox() if row["kind"] == "staff-reply"] == ["cancelled"]
