"""How the daemon starts, reloads and ends, and what it tells systemd meanwhile."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e import post
from tests.e2e.conftest import MakeSite
from tests.e2e.site import Site
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import STALL, SmtpSink

pytestmark = pytest.mark.dovecot

BACKLOG = 160


def test_systemd_is_told_of_start_state_reload_life_and_end(site: Site) -> None:
    site.start(WATCHDOG_USEC="1200000")  # a busy machine may keep a thread waiting for a second
    for _ in range(3):
        site.wait_notice("WATCHDOG=1", since=len(site.notices))
    assert site.stop() == 0
    ready = site.wait_notice("READY=1")
    assert "STATUS=" in ready
    assert site.notices[-1].startswith("STOPPING=1")
    assert not any("not heard from" in line for line in site.log)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_daemon_at_once_and_cleanly(site: Site, how: signal.Signals) -> None:
    site.start()
    assert site.stop(how) == 0
    assert not any("ERROR" in line or "CRITICAL" in line for line in site.log)


def test_f41_a_stop_in_the_midst_of_a_backlog_is_clean_and_the_next_start_finishes_it(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    dovecot.deliver(post.requests(BACKLOG))
    site.start()
    smtp_sink.wait_for(1)
    assert site.stop() == 0
    states = site.incoming_states()
    assert states["opened"] > 0
    assert sum(states.values()) == BACKLOG
    assert "sending" not in site.outgoing_states()
    assert not any("ERROR" in line for line in site.log)

    assert site.once()["quarantined"] == 0
    assert site.incoming_states() == {"opened": BACKLOG}
    assert sorted(smtp_sink.recipients()) == sorted(f"person{n}@example.org" for n in range(1, BACKLOG + 1))
    requesters = [ticket["requester"] for ticket in site.tickets()]
    assert requesters == [f"person{n}@example.org" for n in range(1, BACKLOG + 1)]


def test_f41_a_stop_waits_for_the_reply_to_a_mail_that_is_past_its_final_dot(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    smtp_sink.next("DOT", STALL)
    site.start()
    dovecot.append(post.request())
    smtp_sink.wait_for_command("DOT")
    assert site.process is not None
    site.process.send_signal(signal.SIGTERM)
    site.wait_notice("STOPPING=1")
    smtp_sink.release()
    assert site.ended() == 0
    assert site.outgoing_states() == {"sent": 1}


def test_a_hang_up_takes_the_new_configuration_and_templates(site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    letters = site.folder / "letters"
    (letters / "en").mkdir(parents=True)
    site.configure(templates={"folder": "letters"})
    site.start()
    dovecot.append(post.request("old@example.org"))
    assert "Our own words" not in post.text_of(smtp_sink.wait_for(1)[0])

    (letters / "en" / "acknowledgement.j2").write_text(
        '{% extends "default/en/acknowledgement.j2" %}{% block opening %}Our own words{% endblock %}', "utf-8"
    )
    site.configure(templates={"folder": "letters"}, support={"name": "Brave New Support"})
    assert "refused" not in site.hang_up()
    dovecot.append(post.request("new@example.org"))
    second = smtp_sink.wait_for(2)[1]
    assert "Our own words" in post.text_of(second)
    assert "Brave New Support" in str(post.read(second)["From"])
    assert site.stop() == 0


def test_a_hang_up_starts_new_mailboxes_and_another_smtp_server(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    other = SmtpSink()
    try:
        site.start()
        site.configure(smtp={"port": other.port})
        site.hang_up()
        dovecot.append(post.request("other@example.org"))
        assert other.wait_for(1)[0].recipients == ("other@example.org",)
        assert smtp_sink.accepted == []

        dovecot.create("Second")
        site.configure(smtp={"port": other.port}, mailbox={"name": "second", "folder": "Second"})
        site.hang_up()
        dovecot.append(post.request("second@example.org"), folder="Second")
        assert other.wait_for(2)[1].recipients == ("second@example.org",)
        assert site.stop() == 0
    finally:
        other.stop()


BROKEN: list[tuple[dict[str, dict[str, object]], str]] = [
    ({"support": {"adress": "support@example.com"}}, "adress"),
    ({"smtp": {"port": 99999}}, "port"),
    ({"support": {"key_file": "missing.key"}}, "missing.key"),
    ({"templates": {"folder": "missing-letters"}}, "missing-letters"),
]


def test_f39_a_broken_configuration_is_refused_at_a_hang_up_and_the_old_one_stays(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site.start()
    for number, (broken, said) in enumerate(BROKEN, 1):
        heard = len(site.log)
        site.configure(**broken)
        assert "refused" in site.hang_up()
        assert said in site.wait_log("reload refused", since=heard)
        dovecot.append(post.request(f"still{number}@example.org"))
        assert smtp_sink.wait_for(number)[-1].recipients == (f"still{number}@example.org",)
    assert site.stop() == 0


def test_a_broken_template_is_refused_at_a_hang_up_and_replaced_by_the_built_in_one_at_a_start(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    own = site.folder / "letters" / "en" / "acknowledgement.j2"
    own.parent.mkdir(parents=True)
    own.write_text('{% extends "default/en/acknowledgement.j2" %}{% block opening %}Our own words{% endblock %}')
    site.configure(templates={"folder": "letters"})
    site.start()
    own.write_text('{% extends "default/en/acknowledgement.j2" %}{% block opening %}{{ broken')
    assert "refused" in site.hang_up()
    assert "acknowledgement.j2" in site.wait_log("reload refused")
    dovecot.append(post.request("first@example.org"))
    assert "Our own words" in post.text_of(smtp_sink.wait_for(1)[0])
    assert site.stop() == 0

    dovecot.append(post.request("second@example.org"))
    site.start()
    site.wait_log("a template is broken")
    assert post.ticket_id(smtp_sink.wait_for(2)[1])
    assert site.stop() == 0


@pytest.mark.parametrize(
    ("missing", "said"),
    [({"templates": {"folder": "no-letters"}}, "no-letters"), ({"support": {"key_file": "no.key"}}, "no.key")],
)
def test_a_missing_file_that_the_configuration_names_ends_with_78(
    site: Site, missing: dict[str, dict[str, object]], said: str
) -> None:
    site.configure(**missing)
    assert said in site.cli("run", code=78).stderr


@pytest.mark.sqlite
def test_f40_a_bad_configuration_ends_with_78_and_names_every_problem(make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site(f"sqlite:///{tmp_path}/mailticket.db")
    site.configure(
        support={"address": "nobody"}, smtp={"port": 0, "host": "mail.example.com"}, mailbox={"aftewards": "keep"}
    )
    said = site.cli("run", code=78).stderr
    assert all(problem in said for problem in ("address", "port", "aftewards", "security")), said
    assert not (site.folder / "mailticket.db").exists()


@pytest.mark.sqlite
def test_f29_a_second_daemon_on_the_same_database_ends_with_75_and_says_who_holds_it(site: Site) -> None:
    site.start()
    assert site.process is not None
    for words in (("run",), ("run", "--once")):
        said = site.cli(*words, code=75).stderr
        assert "running already" in said
        assert f"process {site.process.pid}" in said
    assert site.stop() == 0
    site.start()  # the lock went with the process
    assert site.stop(signal.SIGKILL) == -signal.SIGKILL
    assert site.once()["opened"] == 0


def test_f45_a_database_of_a_newer_release_is_refused_with_78(site: Site) -> None:
    site.once()
    with site.database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    site.close_database()
    assert "newer" in site.cli("run", code=78).stderr
