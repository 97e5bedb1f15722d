"""A team that answers from the mailbox itself: the folder of sent mail of a real server, with people at work in it."""

from __future__ import annotations

import os
import pwd
import signal
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from mailticket.observe.failpoints import FAILPOINTS
from mailticket.store import outgoing, overview
from tests.e2e import post
from tests.e2e.conftest import MakeHouse, MakeSite
from tests.e2e.site import SUPPORT, Site
from tests.servers.dovecot import Dovecot
from tests.servers.machine import until
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot

LOGIN = pwd.getpwuid(os.geteuid()).pw_name
SHARED = {"sent_folder": "auto", "afterwards": "keep"}


def answer(to: str, answers: str, message_id: str = "") -> bytes:
    """What a mail program sends as support."""
    named = {"In-Reply-To": answers, "References": answers}
    text = "It was credited this morning."
    return post.request(SUPPORT, "Re: your request", text, headers=named, message_id=message_id).replace(
        f"To: {SUPPORT}".encode(), f"To: {to}".encode()
    )


def reply(sender: str, answers: str) -> bytes:
    """What a requester writes whose program names only the mail that it answers."""
    headers = {"In-Reply-To": answers, "References": answers}
    return post.request(sender, "Thanks", "It is still not there.", headers=headers)


def at(minutes: int) -> datetime:
    """A moment within the last hour."""
    return datetime.now(UTC) - timedelta(hours=1) + timedelta(minutes=minutes)


def conserved(site: Site) -> dict[str, dict[str, int]]:
    with site.database.read() as session:
        return overview.conservation(session)


def _has_tickets(site: Site, number: int) -> bool:
    return len(site.tickets()) >= number


@pytest.fixture
def shared(make_site: MakeSite, dovecot: Dovecot) -> Site:
    dovecot.create("Sent")
    return make_site(mailbox=SHARED)


def test_answers_from_a_mail_program_are_found_by_the_next_round(
    shared: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    """A round meets the request, the answer and the reply to it at once, and takes them in as they came."""
    asked = "<asked@example.org>"
    first = answer("bob@example.org", asked, "<first@laptop.example>")
    dovecot.append(post.request("bob@example.org", message_id=asked), when=at(1))
    dovecot.append(first, folder="Sent", when=at(2))
    dovecot.append(reply("bob@example.org", "<first@laptop.example>"), when=at(3))
    dovecot.append(answer("stranger@example.org", "<other@example.org>"), folder="Sent", when=at(4))
    counts = shared.once()
    assert (counts["opened"], counts["appended"], counts["answers"], counts["filed"]) == (1, 2, 1, 1)
    [ticket] = shared.tickets()
    assert (ticket["status"], ticket["waiting_for"]) == ("open", "us")
    assert [entry["kind"] for entry in shared.show(ticket["id"])["conversation"]] == [
        "request", "acknowledgement", "staff-reply", "reply",
    ]  # fmt: skip
    assert conserved(shared) == {"support": {"opened": 1, "appended": 1}, "support/Sent": {"appended": 1, "filed": 1}}
    [why] = shared.json("mail", "why", "support/Sent:1")
    assert (why["state"], why["ticket"], why["rule"]) == ("appended", ticket["id"], "outside answer")
    assert dovecot.flags(folder="Sent") == {1: frozenset(), 2: frozenset()}
    shared.cli("check")
    assert shared.once()["fetched"] == 0


def test_a_first_contact_leaves_older_sent_mail_alone(shared: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    dovecot.append(answer("bob@example.org", "<old@example.org>"), folder="Sent", when=at(0) - timedelta(days=30))
    assert shared.once()["fetched"] == 0
    assert conserved(shared)["support/Sent"] == {"before": 1}
    dovecot.bump_uidvalidity(folder="Sent")
    assert shared.once()["fetched"] == 0
    assert conserved(shared)["support/Sent"] == {"before": 2}


def test_a_folder_that_is_not_there_is_shown_and_the_inbox_goes_on(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site = make_site(mailbox={**SHARED, "sent_folder": "Gesendet"})
    dovecot.append(post.request("bob@example.org"))
    assert site.once(code=75)["opened"] == 1
    parts = {part["name"]: part for part in site.json("status")[0]["parts"]}
    assert parts["mailbox support"]["error"] is None
    assert "Gesendet" in parts["mailbox support/Sent"]["error"]
    assert "mailbox support/Sent" in site.cli("check", code=1).stdout
    dovecot.create("Gesendet")
    assert site.once()["fetched"] == 0
    site.cli("check")


def test_two_people_at_work_in_the_mailbox_meanwhile(shared: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    """Requests come in, a colleague answers each from a mail program, another flags and reads: all counts are exact."""
    people = [f"person{number}@example.org" for number in range(12)]
    shared.configure(mailbox={**SHARED, "poll_seconds": 1})
    shared.start()

    def ask() -> None:
        for person in people:
            dovecot.append(post.request(person, message_id=f"<of-{person}>"))

    def read() -> None:
        for _ in range(12):
            dovecot.flag(range(1, 13), "\\Seen \\Flagged")

    def answer_all() -> None:
        for number, person in enumerate(people):
            until(partial(_has_tickets, shared, number + 1), "the request to be there")
            dovecot.append(answer(person, f"<of-{person}>"), folder="Sent", flags=["\\Seen"])

    workers = [threading.Thread(target=work) for work in (ask, read, answer_all)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    until(lambda: conserved(shared).get("support/Sent") == {"appended": 12}, "all answers to be recorded")
    assert shared.stop() == 0
    assert conserved(shared) == {"support": {"opened": 12}, "support/Sent": {"appended": 12}}
    assert Counter(ticket["status"] for ticket in shared.tickets()) == {"pending": 12}
    assert shared.once()["fetched"] == 0
    assert all("\\Answered" in flags for flags in dovecot.flags().values())
    shared.cli("check")


@pytest.mark.parametrize("afterwards", ["keep", "move"])
def test_an_answer_by_shell_is_flagged_and_saved_once(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink, afterwards: str
) -> None:
    dovecot.create("Sent")
    moving = {"move_to": "Done"} if afterwards == "move" else {}
    site = make_site(mailbox={"sent_folder": "auto", "save_sent": True, "afterwards": afterwards, **moving})
    with site.configuration.open("a", encoding="utf-8") as file:
        file.write(f'[[staff]]\nname = "mia"\nsigns = "Mia"\naddresses = ["mia@example.com"]\nlogin = "{LOGIN}"\n')
    dovecot.append(post.request("bob@example.org"))
    site.once()
    [ticket] = site.tickets()
    site.cli("ticket", "reply", ticket["id"], "--text", "It was credited.")
    site.once()
    site.once()
    folder = "Done" if afterwards == "move" else "INBOX"
    [stored] = dovecot.messages(folder=folder)
    assert {"\\Answered", "mt-mia"} <= stored.flags
    [copy] = dovecot.messages(folder="Sent")
    assert copy.raw == smtp_sink.accepted[-1].raw
    assert "\\Seen" in copy.flags
    site.once()
    assert site.once()["fetched"] == 0
    assert conserved(site)["support/Sent"] == {"known": 1}
    assert len(dovecot.messages(folder="Sent")) == 1


def test_what_a_provider_saved_is_not_saved_again(make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    dovecot.create("Sent")
    site = make_site(mailbox={**SHARED, "save_sent": True})
    dovecot.append(post.request("bob@example.org"))
    site.once()
    site.cli("ticket", "reply", site.tickets()[0]["id"], "--text", "It was credited.")
    with site.database.read() as session:
        wire = outgoing.listing(session)[-1][0].wire
    dovecot.append(wire, folder="Sent")
    for _ in range(3):
        site.once()
    assert len(dovecot.messages(folder="Sent")) == 1
    assert conserved(site)["support/Sent"] == {"known": 1}


@pytest.mark.parametrize("place", [p for p in FAILPOINTS if p.startswith(("collect.", "intake."))])
def test_a_kill_at_any_step_leaves_one_answer_and_one_copy(
    make_site: MakeSite, house_of: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink, place: str
) -> None:
    """Once among what comes in and is answered, once more when an answer of ours is saved."""
    dovecot.create("Sent")
    site = make_site(mailbox={"sent_folder": "auto", "save_sent": True, "afterwards": "seen", "poll_seconds": 1})
    dovecot.append(post.request("bob@example.org", message_id="<asked@example.org>"), when=at(1))
    house = house_of(site)
    house.once()
    site.cli("ticket", "reply", site.tickets()[0]["id"], "--text", "We look into it.")
    if place == "collect.saved":
        house.once()  # it has left, and is saved by the next round
    dovecot.append(answer("bob@example.org", "<asked@example.org>"), folder="Sent", when=at(2))
    dovecot.append(post.request("later@example.org"), when=at(3))
    site.start(f"{place}:1:kill", ready=False)
    assert site.ended() == -signal.SIGKILL
    for _ in range(3):
        house.once()
    assert conserved(site) == {"support": {"opened": 2}, "support/Sent": {"appended": 1, "known": 1}}
    ticket = next(row for row in site.tickets() if row["requester"] == "bob@example.org")
    kinds = Counter(entry["kind"] for entry in site.show(ticket["id"])["conversation"])
    assert kinds == {"request": 1, "acknowledgement": 1, "staff-reply": 2}
    assert len(dovecot.messages(folder="Sent")) == 2
    assert "\\Answered" in dovecot.flags()[1]
    assert house.once().counts["fetched"] == 0
    site.cli("check")
