"""Cut the power at every step: afterwards each mail has one ticket and one acknowledgement, counted on the servers."""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from mailticket.observe.failpoints import FAILPOINTS
from mailticket.settings import Smtp
from tests.e2e import post
from tests.e2e.conftest import MakeHouse, MakeSite
from tests.e2e.site import Site
from tests.faults import truth
from tests.servers.dovecot import Dovecot
from tests.servers.machine import until
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot

# What comes after an answer of staff, who write none here, has tests of its own.
PLACES = [place for place in FAILPOINTS if place not in ("collect.answered", "collect.saved")]
PEOPLE = 3
CONNECTIONS = Smtp.model_fields["connections"].default
EVERYBODY = [*(f"person{n}@example.org" for n in range(1, PEOPLE + 1)), "later@example.org"]
# Between "data begun" and the recorded outcome nobody can know whether the server has the mail: an acknowledgement is
# then shown as uncertain and not sent again by itself. The number is how often the mail is on the wire.
UNKNOWABLE = {"outbox.begun": 0, "outbox.accepted": 1}
POISON = "intake.attempted:1:kill"


@pytest.mark.parametrize("place", PLACES)
def test_a_kill_in_the_first_round_leaves_one_ticket_and_one_answer_a_mail(
    make_site: MakeSite, house_of: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink, place: str
) -> None:
    site = make_site(smtp={"connections": 1})
    dovecot.deliver(post.requests(PEOPLE))
    if not place.startswith("outbox"):  # or the outbox might meet the kill in the midst of a delivery
        smtp_sink.stop()
    site.start(f"{place}:1:kill", ready=False)
    assert site.ended() == -signal.SIGKILL
    if not place.startswith("outbox"):
        smtp_sink.start()

    dovecot.deliver([post.request("later@example.org")])
    house = house_of(site)
    house.start()
    house.settle(len(EVERYBODY))
    truth.all_are_flagged(dovecot, len(EVERYBODY))
    house.stop()

    _each_has_one_ticket(site)
    copies = Counter(smtp_sink.recipients())
    states = Counter(row["state"] for row in site.outbox())
    if place in UNKNOWABLE:
        assert states == {"sent": PEOPLE, "uncertain": 1}
        unsure = next(row["to"] for row in site.outbox() if row["state"] == "uncertain")
        assert copies == Counter({**dict.fromkeys(EVERYBODY, 1), unsure: UNKNOWABLE[place]})
    else:
        assert states == {"sent": PEOPLE + 1}
        assert copies == dict.fromkeys(EVERYBODY, 1)


@pytest.mark.parametrize("place", PLACES)
def test_a_kill_in_a_later_round_leaves_one_ticket_and_one_answer_a_mail(
    site: Site, house_of: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink, place: str
) -> None:
    outgoing = place.startswith("outbox")
    dovecot.deliver(post.requests(PEOPLE))
    site.start(f"{place}:{3 if outgoing and place != 'outbox.claimed' else 2}:kill")
    if not outgoing:  # a slow machine may cut the first chunk in two, and die already there
        until(lambda: site.has_ended or site.outgoing_states().get("sent") == PEOPLE, "the first mails to be answered")
        smtp_sink.stop()  # or the outbox might meet the kill in the midst of a delivery
    dovecot.append(post.request("later@example.org"))
    assert site.ended() == -signal.SIGKILL
    if not outgoing:
        smtp_sink.start()

    house = house_of(site)
    house.start()
    house.settle(len(EVERYBODY))
    truth.all_are_flagged(dovecot, len(EVERYBODY))
    house.stop()

    _each_has_one_ticket(site)
    copies = Counter(smtp_sink.recipients())
    unsure = {row["to"] for row in site.outbox() if row["state"] == "uncertain"}
    assert {row["state"] for row in site.outbox()} <= {"sent", "uncertain"}
    assert len(unsure) <= (CONNECTIONS if outgoing else 0)  # one for each connection, whichever was killed
    assert all(copies[person] == 1 for person in EVERYBODY if person not in unsure)
    assert all(copies[person] <= 1 for person in unsure)


def _each_has_one_ticket(site: Site) -> None:
    assert Counter(ticket["requester"] for ticket in site.tickets()) == dict.fromkeys(EVERYBODY, 1)
    assert site.incoming_states() == {"opened": len(EVERYBODY)}


def test_kills_one_after_the_other_lose_and_double_nothing(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    """The same database is killed at every place in turn, with new mail each time and no pause to recover."""
    site = make_site(smtp={"connections": 1})
    senders = []
    for number, place in enumerate(PLACES):
        senders.append(f"writer{number}@example.org")
        dovecot.deliver([post.request(senders[-1])])
        site.start(f"{place}:1:kill", ready=False)
        assert site.ended() == -signal.SIGKILL
    counts = site.once()
    assert counts["quarantined"] == 0
    assert Counter(ticket["requester"] for ticket in site.tickets()) == dict.fromkeys(senders, 1)
    unsure = [row["to"] for row in site.outbox() if row["state"] == "uncertain"]
    # A kill anywhere may meet the one connection in the midst of another delivery, but never more than that one.
    assert len(UNKNOWABLE) <= len(unsure) <= len(PLACES)
    copies = Counter(smtp_sink.recipients())
    assert all(copies[sender] == 1 for sender in senders if sender not in unsure)
    assert all(copies[sender] <= 1 for sender in unsure)


def test_f37_a_mail_that_ends_the_program_each_time_is_quarantined_and_the_others_go_on(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    poison = post.request("poison@example.org", message_id="<poison@example.org>")
    dovecot.deliver([poison, *post.requests(2)])
    site.start(POISON, ready=False)  # the chunk of all three dies: none of them is blamed
    assert site.ended() == -signal.SIGKILL
    for _ in range(3):  # then the first is taken alone, and dies each time
        site.start(POISON, ready=False)
        assert site.ended() == -signal.SIGKILL

    site.start()
    assert sorted(mail.recipients[0] for mail in smtp_sink.wait_for(2)) == [
        "person1@example.org",
        "person2@example.org",
    ]
    site.wait_incoming(opened=2, quarantined=1)
    quarantined = site.json("quarantine", "list")
    assert [(row["message_id"], row["state"]) for row in quarantined] == [(None, "quarantined")]
    assert quarantined[0]["reason"] == "ended the program each time"
    assert "quarantine: 1 mail lies" in site.cli("check", "--offline", code=1).stdout

    # Its bytes are kept, and staff can have it taken in again.
    number = str(quarantined[0]["id"])
    assert site.cli("quarantine", "show", number, "--raw").stdout.encode() == poison.replace(b"\r\n", b"\n")
    site.cli("quarantine", "retry", number)
    assert "poison@example.org" in [mail.recipients[0] for mail in smtp_sink.wait_for(3)]
    site.wait_incoming(opened=3)
    assert site.stop() == 0


def test_a_mail_that_raises_is_taken_alone_and_stops_nobody(site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    """A defect in the transaction of a chunk: its mails are rolled back, and come again one by one."""
    dovecot.deliver(post.requests(PEOPLE))
    site.start("intake.in_transaction:1:raise")
    assert len({mail.recipients[0] for mail in smtp_sink.wait_for(PEOPLE)}) == PEOPLE
    site.wait_idle(PEOPLE)
    assert site.stop() == 0
    assert len(site.tickets()) == PEOPLE
    assert len(smtp_sink.accepted) == PEOPLE
