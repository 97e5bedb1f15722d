"""A real daemon's sign of life: there while it runs, ended by an orderly stop, left behind by a kill."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest

from mailticket.intake.collect import Collector
from mailticket.models import Host
from mailticket.store import hosts, meta
from tests.e2e import post
from tests.e2e.conftest import MakeHouse
from tests.e2e.site import Site
from tests.servers.dovecot import Dovecot
from tests.servers.machine import until
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot


def newest(site: Site) -> Host:
    with site.database.read() as session:
        return hosts.recent(session)[0]


def screen(site: Site) -> str:
    """What `status` prints, on one line."""
    return " ".join(site.cli("status").stdout.split())


def test_a_daemon_lives_stops_and_is_missed(any_site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    site = any_site
    site.start()
    dovecot.append(post.request())
    smtp_sink.wait_for(1)
    site.wait_idle(1)
    assert site.process is not None
    beat = newest(site)
    assert (beat.kind, beat.pid, beat.stopped_at) == ("daemon", site.process.pid, None)
    assert "All is well: the daemon runs on " in screen(site)
    assert site.stop() == 0
    assert newest(site).stopped_at is not None
    assert "nobody collects mail" in screen(site)

    site.start()
    assert site.stop(signal.SIGKILL) != 0
    assert newest(site).stopped_at is None
    with site.database.write() as session:
        for beat in hosts.recent(session):
            beat.beat_at -= timedelta(days=3)  # time passes
            session.add(beat)
    assert "gives no sign of life" in screen(site)
    assert "gives no sign of life" in " ".join(site.cli("check", "--offline", code=1).stdout.split())
    assert site.json("status")[0]["well"] is False

    site.once()
    with site.database.read() as session:
        assert [beat.kind for beat in hosts.recent(session)] == ["round", "daemon", "daemon"]
    assert "All is well: the last round of `run --once`" in screen(site)


def test_a_defect_in_the_thread_of_a_mailbox_is_shown_and_tried_again_until_it_works(
    site: Site, house_of: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = True
    stay = Collector.stay

    def stay_or_fail(collector: Collector) -> None:
        if broken:
            raise KeyError("what a mail said")
        stay(collector)

    monkeypatch.setattr(Collector, "stay", stay_or_fail)
    house = house_of(site)
    house.start()
    until(lambda: "a defect of mailticket: KeyError" in error(site), "the defect to be shown")
    broken = False
    until(lambda: error(site) == "", "the defect to be over")
    house.stop()


def error(site: Site) -> str:
    with site.database.read() as session:
        rows = [row for row in meta.health(session) if row.name == "mailbox support"]
    return rows[0].error if rows else ""
