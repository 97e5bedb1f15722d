"""Rows 29, 32, 41 and 42: the life of the process; it is paused, loses its disk, is told to stop, hangs."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from mailticket.observe.failpoints import FAILPOINTS
from tests.e2e import post
from tests.e2e.site import Site
from tests.faults import seccomp, truth
from tests.faults.house import House
from tests.servers.dovecot import Dovecot
from tests.servers.machine import require, until
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot

RIGGED = Path(__file__).with_name("rigged.py")
WATCHDOG_SECONDS = 1.0


def test_f29_a_daemon_that_was_paused_is_still_the_only_one(site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    site.start()
    assert site.process is not None
    site.process.send_signal(signal.SIGSTOP)
    dovecot.deliver(post.requests(2))
    assert "running already" in site.cli("run", "--once", code=75).stderr
    assert smtp_sink.accepted == []
    site.process.send_signal(signal.SIGCONT)
    smtp_sink.wait_for(2)
    site.wait_idle(2)
    assert site.stop() == 0
    truth.each_was_answered_once(smtp_sink, ["person1@example.org", "person2@example.org"])


def test_f32_a_disk_that_no_longer_keeps_what_is_written_ends_the_program(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(seccomp.available(), "Linux on x86-64, whose fsync can be made to fail")
    monkeypatch.setattr(site, "_command", lambda *words: _rigged(site, *words))
    site.start(RIGGED="fsync", WATCHDOG_USEC="2000000")  # with it, the main thread looks more often
    dovecot.append(post.request("before@example.org"))
    smtp_sink.wait_for(1)
    site.wait_idle(1)
    truth.all_are_flagged(dovecot, 1)
    assert site.process is not None
    site.process.send_signal(signal.SIGUSR1)
    site.wait_log("rigged: fsync fails")
    dovecot.deliver(post.requests(2))
    assert site.ended() == 75
    assert truth.unflagged(dovecot) == 2
    assert truth.copies(smtp_sink) == {"before@example.org": 1}
    assert sum("works again" in line for line in site.log) == 0
    monkeypatch.undo()
    site.once()
    truth.each_was_answered_once(smtp_sink, ["before@example.org", "person1@example.org", "person2@example.org"])


def _rigged(site: Site, *words: str) -> list[str]:
    return [sys.executable, str(RIGGED), *words, "--config", str(site.configuration)]


@pytest.mark.parametrize("place", [p for p in FAILPOINTS if p not in ("collect.answered", "collect.saved")])
def test_f41_a_stop_at_any_place_ends_what_was_begun_and_loses_nothing(
    site: Site, house: House, dovecot: Dovecot, smtp_sink: SmtpSink, place: str
) -> None:
    dovecot.deliver(post.requests(2))
    site.start(f"{place}:1:stop", ready=False)
    assert site.ended() == 0
    assert [line for line in site.log if "ERROR" in line or "CRITICAL" in line] == []
    assert site.notices[-1].startswith("STOPPING=1")
    assert set(site.outgoing_states()) <= {"sent", "queued"}
    house.once()
    truth.each_was_answered_once(smtp_sink, ["person1@example.org", "person2@example.org"])
    truth.all_are_flagged(dovecot, 2)


@pytest.mark.parametrize("place", ["intake.in_transaction", "collect.fetched", "outbox.begun"])
def test_f42_a_thread_that_hangs_starves_the_watchdog_which_restarts_the_program(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink, place: str
) -> None:
    """The test is systemd: it hears the notices, and sends SIGABRT when none came for WatchdogSec."""
    dovecot.deliver(post.requests(2))
    site.configure(mailbox={"timeout_seconds": 5}, smtp={"connections": 1})
    site.start(f"{place}:1:hang", WATCHDOG_USEC=str(int(WATCHDOG_SECONDS * 1e6)), PYTHONFAULTHANDLER="1")
    site.wait_log(f"hanging at {place}")
    hung = "outbox" if place.startswith("outbox") else "mailbox support"
    assert "not heard from: " in site.wait_log(f"{hung} for ")
    until(lambda: site.quiet_since("WATCHDOG=1") > WATCHDOG_SECONDS, "the watchdog to starve")
    assert site.stop(signal.SIGABRT) == -signal.SIGABRT
    until(lambda: any("in failpoint" in line for line in site.log), "the stacks that show where it hung")
    site.start(WATCHDOG_USEC=str(int(WATCHDOG_SECONDS * 1e6)))
    site.wait_idle(2)
    heard = site.notices.count("WATCHDOG=1")
    until(lambda: site.notices.count("WATCHDOG=1") > heard, "the watchdog to be fed again")
    assert site.stop() == 0
    unsure = [row["to"] for row in site.outbox() if row["state"] == "uncertain"]
    assert len(unsure) == (1 if place == "outbox.begun" else 0)
    people = Counter({"person1@example.org", "person2@example.org"}) - Counter(unsure)
    assert truth.copies(smtp_sink) == people
