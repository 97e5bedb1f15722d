"""Row 47: the power goes. What of the database had not reached the disk is lost, and is done again to the same end."""

from __future__ import annotations

import shutil
import signal
import sys
from collections import Counter

import pytest

from mailticket.observe.failpoints import FAILPOINTS
from tests.e2e import post
from tests.e2e.site import Site
from tests.faults import rigged, truth
from tests.faults.house import House
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpSink

pytestmark = [pytest.mark.dovecot, pytest.mark.sqlite]

PLACES = [place for place in FAILPOINTS if place not in ("collect.answered", "collect.saved")]
EVERYBODY = [*(f"person{n}@example.org" for n in range(1, 4)), "later@example.org"]
# How many mails of those there were are on record at each place, when the power is back: none before the first durable
# commit, which is that of their tickets.
ON_RECORD = {"collect.listed": 0, "collect.fetched": 0, "intake.attempted": 0, "intake.in_transaction": 0}
COPIES = {"outbox.begun": 0, "outbox.accepted": 1}  # of what nobody can know


@pytest.mark.parametrize("place", PLACES)
def test_f47_a_power_cut_at_any_place_loses_and_doubles_nothing(
    site: Site, house: House, dovecot: Dovecot, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    site.configure(smtp={"connections": 1})
    dovecot.deliver(post.requests(3))
    if not place.startswith("outbox"):  # or the outbox might meet the cut in the midst of a delivery
        smtp_sink.stop()
    _run_until_the_cut(site, monkeypatch, place)
    assert sum(site.incoming_states().values()) == ON_RECORD.get(place, 3)

    if not place.startswith("outbox"):
        smtp_sink.start()
    dovecot.deliver([post.request("later@example.org")])
    house.start()
    house.settle(len(EVERYBODY))
    truth.all_are_flagged(dovecot, len(EVERYBODY))
    house.stop()
    assert Counter(ticket["requester"] for ticket in site.tickets()) == dict.fromkeys(EVERYBODY, 1)
    unsure = [row["to"] for row in site.outbox() if row["state"] == "uncertain"]
    assert len(unsure) == (place in COPIES)
    once = dict.fromkeys(EVERYBODY, 1) | dict.fromkeys(unsure, COPIES.get(place, 0))
    assert truth.copies(smtp_sink) == Counter(once)


def _run_until_the_cut(site: Site, patch: pytest.MonkeyPatch, place: str) -> None:
    """Kill the daemon at a place, and leave of its database what a power cut would."""
    file = site.database.file
    assert file is not None
    site.close_database()
    with patch.context() as rigging:
        words = [sys.executable, rigged.__file__]
        rigging.setattr(site, "_command", lambda *more: [*words, *more, "--config", str(site.configuration)])
        site.start(f"{place}:1:kill", ready=False, RIGGED="power", RIGGED_FILE=str(file))
        assert site.ended() == -signal.SIGKILL
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)
    for left in rigged.kept(file).iterdir():
        shutil.copy(left, file.parent)
