"""Whatever is wrong is shown by every face: screen, JSON, metrics, `check`, and one mail to the administrator."""

from __future__ import annotations

import asyncio
import json
import re
from collections import namedtuple
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mailticket.cli import main
from mailticket.config import passwords
from mailticket.config.read import read_settings
from mailticket.errors import StoreFull
from mailticket.imap import Inbox
from mailticket.intake.take_in import Intake
from mailticket.models import Host
from mailticket.outbox.deliver import Outbox
from mailticket.service.once import run_once
from mailticket.smtp import Courier
from mailticket.store import hosts, incoming, meta, outgoing, overview, tickets
from mailticket.upkeep import troubles
from mailticket.upkeep.alerts import Alerts
from mailticket.upkeep.chores import Upkeep
from mailticket.upkeep.troubles import LEAST_DISK, LEAST_ROOM
from tests.helpdesk import BORDER, SUPPORT, HelpDesk, OpenDesk, mail
from tests.servers.smtp import SmtpSink

OPS = "ops@example.net"
_LATER = timedelta(minutes=16)
CONFIGURATION = """
[support]
name = "Coin Harbor Support"
address = "{support}"
[database]
url = "{url}"
[trust]
authserv_id = "{border}"
[[mailbox]]
name = "support"
host = "127.0.0.1"
port = 9
security = "none"
username = "support"
{secret}
[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
{smtp}
[alerts]
to = ["{ops}"]
"""


class Scene:
    """A help desk whose clock is behind the wall's until a test looks, and a shell on its database."""

    def __init__(self, desk: HelpDesk, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.desk = desk
        self.folder = folder
        self._capsys = capsys
        self.desk.now = datetime.now(UTC) - timedelta(days=7)
        self.configure()

    def configure(self, secret: str = 'password = "x"', port: int = 9, smtp: str = "", more: str = "") -> None:
        file = self.folder / "mailticket.toml"
        url = self.desk.url
        text = CONFIGURATION.format(
            support=SUPPORT, border=BORDER, url=url, ops=OPS, secret=secret, port=port, smtp=smtp
        )
        file.write_text(text + more)
        file.chmod(0o600)
        tables = read_settings(file, {}).model_dump(exclude_unset=True)
        tables["mailbox"] = list(tables["mailbox"])
        self.desk.reopen(**tables)

    def shell(self, *words: str) -> tuple[int, str]:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([*words, "--config", str(self.folder / "mailticket.toml")])
        return int(left.value.code or 0), self._capsys.readouterr().out

    def ago(self, **time: float) -> None:
        self.desk.now = datetime.now(UTC) - timedelta(**time)

    def beats(self, at: datetime) -> None:
        """The daemon has run for some time."""
        with self.desk.database.write() as session:
            session.add(Host(kind="daemon", name="desk", pid=7, version="1", beat_at=at,
                             started_at=at - timedelta(hours=2)))  # fmt: skip

    def begins(self, kind: str = "daemon") -> int:
        """A host that gives its only sign of life now; returns its number."""
        with self.desk.database.write() as session:
            return hosts.register(session, kind, "desk", 7, "1", self.desk.now)

    def ends(self, host: int) -> None:
        with self.desk.database.write() as session:
            hosts.leave(session, host, self.desk.now)

    def lives(self) -> None:
        """The daemon runs, and its mailbox was looked at just now."""
        now = datetime.now(UTC)
        self.beats(now)
        with self.desk.database.write() as session:
            meta.went_well(session, "mailbox support", now)

    def status(self) -> dict[str, Any]:
        face: dict[str, Any] = json.loads(self.shell("status", "--json")[1])
        return face

    def names(self) -> list[str]:
        return [trouble["name"] for trouble in self.status()["troubles"]]

    def alerts(self) -> list[str]:
        """The subjects of the mails that housekeeping writes now and a little later."""
        before = len(self.desk.outbox())
        now = datetime.now(UTC)
        for self.desk.now in (now, now + _LATER):
            Alerts(self.desk.site).look(self.desk.now)
            with self.desk.database.write() as session:
                for row in self.desk.outbox("queued"):
                    if row.kind == "alert":
                        outgoing.set_outcome(session, int(row.id or 0), state="sent", sent_at=self.desk.now)
        self.ago()
        return [row.subject for row in self.desk.outbox()[before:]]

    def shows(self, name: str, words: str, remedy: str, *, told: str | None = None) -> None:
        """Every face shows the trouble, and one mail tells of it (told: with what else; "" of what no mail can)."""
        code, screen = self.shell("status")
        assert (code, [line for line in screen.splitlines() if len(line) > 80]) == (0, [])
        flat = " ".join(screen.split())
        assert f"✗ {name}: " in screen
        assert re.search(words, flat), screen
        assert remedy in flat
        assert "All is well" not in screen
        face = self.status()
        trouble = next(trouble for trouble in face["troubles"] if trouble["name"] == name)
        assert face["well"] is False
        assert re.search(words, trouble["text"])
        assert remedy in trouble["remedy"]
        _, metrics = self.shell("status", "--metrics")
        assert "mailticket_well 0\n" in metrics
        assert f'mailticket_trouble_since_timestamp_seconds{{trouble="{name}"}} ' in metrics
        code, out = self.shell("check", "--offline", "--json")
        findings = [finding for finding in json.loads(out)["findings"] if finding["level"] == "wrong"]
        assert code == 1
        assert name in [finding["subject"] for finding in findings]
        if told != "":
            assert self.alerts() == [f"[mailticket] broken: {told or name}"]
            assert self.alerts() == []

    def is_well(self, *, told: str = "") -> None:
        """Nothing is wrong any more; told: what the administrator hears is mended."""
        _, screen = self.shell("status")
        assert "✓ All is well: " in screen, screen
        assert self.shell("check", "--offline")[0] == 0
        assert "mailticket_well 1\n" in self.shell("status", "--metrics")[1]
        if told:
            assert self.alerts() == [f"[mailticket] works again: {told}"]
            assert self.alerts() == []


@pytest.fixture
def scene(open_desk: OpenDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scene:
    return Scene(open_desk(), tmp_path, capsys)


def deliver(desk: HelpDesk) -> None:
    asyncio.run(Outbox(desk.site, Courier(desk.site.settings.smtp, lambda: "")).deliver_due())


def answer(desk: HelpDesk, key: str | None, text: str = "It is on its way.") -> None:
    """An answer that arrives."""
    desk.desk.reply(str(key), text)
    desk.deliver()
    with desk.database.write() as session:
        tickets.set_first_response(session, int(desk.ticket(key).row.id or 0), desk.now)


def promise(desk: HelpDesk, key: str | None, by: datetime) -> None:
    with desk.database.write() as session:
        row = tickets.by_key(session, str(key))
        row.promised_by = by
        session.add(row)


# --- who lives --------------------------------------------------------------------------------------------------------


def test_a_daemon_that_has_been_dead_for_three_days_is_not_well(scene: Scene) -> None:
    scene.ago(days=3)
    scene.begins()
    scene.shows("daemon", "gives no sign of life", "systemctl restart mailticket", told="")
    assert scene.status()["daemon"]["alive"] is False
    assert "mailticket_alive 0\n" in scene.shell("status", "--metrics")[1]
    scene.lives()
    scene.is_well()


def test_a_daemon_that_was_stopped_is_no_trouble_at_once_but_never_well(scene: Scene) -> None:
    scene.ago(minutes=5)
    host = scene.begins()
    scene.ends(host)
    _, screen = scene.shell("status")
    assert "The daemon was stopped 5 min ago: nobody collects mail." in screen
    assert (scene.names(), scene.status()["well"]) == ([], False)
    assert scene.shell("check", "--offline")[0] == 0
    scene.ago(minutes=20)
    scene.ends(host)
    scene.shows("daemon", "was stopped", "systemctl start mailticket", told="")


def test_where_no_daemon_ever_ran_it_is_said_and_is_not_wrong(scene: Scene) -> None:
    _, screen = scene.shell("status")
    assert "No daemon has run on this database yet" in screen
    assert "All is well" not in screen
    code, out = scene.shell("check", "--offline", "--json")
    notes = [finding["subject"] for finding in json.loads(out)["findings"] if finding["level"] == "note"]
    assert code == 0
    assert "daemon" in notes


def test_a_round_by_a_timer_is_a_sign_of_life_for_its_time(scene: Scene) -> None:
    scene.ago(minutes=50)
    host = scene.begins("round")
    scene.ends(host)
    with scene.desk.database.write() as session:
        meta.went_well(session, "mailbox support", scene.desk.now)
    scene.is_well()
    scene.ago(minutes=70)
    scene.ends(host)
    scene.shows("daemon", "the last `mailticket run --once`", "systemctl list-timers", told="")


def test_a_sign_of_life_from_the_future_is_none(scene: Scene) -> None:
    scene.ago(days=-3)
    scene.begins()
    assert scene.names() == ["daemon"]


def test_a_host_whose_clock_differs_by_over_a_minute_is_shown(scene: Scene) -> None:
    scene.lives()
    with scene.desk.database.write() as session:
        [host] = hosts.living(session)
        host.clock_ahead = 59.0
        session.add(host)
    scene.is_well()
    with scene.desk.database.write() as session:
        host.clock_ahead = -61.0
        session.merge(host)
    scene.shows("clock of desk", "it is 61 s behind the database's", "timedatectl set-ntp true")


def test_a_host_that_was_given_up_is_shown_until_it_lives_again(scene: Scene) -> None:
    scene.lives()
    other = Host(kind="daemon", name="other", pid=8, version="1", started_at=scene.desk.now, beat_at=scene.desk.now,
                 dead_at=scene.desk.now)  # fmt: skip
    with scene.desk.database.write() as session:
        session.add(other)
    scene.shows("host other", "gave no sign of life any more", "on other: systemctl restart mailticket")
    with scene.desk.database.write() as session:
        hosts.register(session, "daemon", "other", 9, "1", datetime.now(UTC))
    scene.is_well(told="host other")


def test_several_hosts_are_shown_with_what_each_holds(scene: Scene) -> None:
    scene.lives()
    with scene.desk.database.write() as session:
        now = datetime.now(UTC)
        number = hosts.register(session, "daemon", "other", 8, "1", now)
        hosts.take(session, number, "support", None, now)
    screen = " ".join(scene.shell("status")[1].split())
    assert "host desk: no mailbox; since " in screen
    assert "host other: support (since " in screen
    metrics = scene.shell("status", "--metrics")[1]
    assert 'mailticket_host_mailboxes{host="desk"} 0\n' in metrics
    assert 'mailticket_mailbox_held_timestamp_seconds{host="other",mailbox="support"} ' in metrics
    assert "host other" in scene.shell("check", "--offline")[1]


def test_a_mailbox_that_tells_of_neither_success_nor_trouble_is_shown(scene: Scene) -> None:
    scene.lives()
    scene.ago(minutes=11)
    with scene.desk.database.write() as session:
        meta.went_well(session, "mailbox support", scene.desk.now)
    scene.shows("mailbox support", "no look at it has succeeded", "systemctl reload mailticket")
    scene.lives()
    scene.is_well(told="mailbox support")


def test_a_mailbox_that_the_running_daemon_does_not_know_is_shown(scene: Scene) -> None:
    scene.lives()
    scene.configure(
        more='[[mailbox]]\nname = "sales"\nhost = "127.0.0.1"\nport = 10\nsecurity = "none"\npassword = "x"\n'
    )
    scene.shows("mailbox sales", "no look at it since the daemon began", "systemctl reload mailticket")


# --- signing in, defects ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ('oauth2_token_command = ["false"]', "oauth2_token_command false ended with status 1"),
        ('oauth2_token_command = ["/nowhere/token"]', "there is no program /nowhere/token"),
        ('password_file = "nowhere"', "nowhere"),
    ],
)
def test_a_mailbox_that_nobody_can_sign_in_to_is_shown(scene: Scene, secret: str, words: str) -> None:
    scene.configure(secret)
    summary = run_once(read_settings(scene.folder / "mailticket.toml", {}))
    assert len(summary.troubles) == 1
    assert "mailbox support" in scene.names()
    trouble = next(t for t in scene.status()["troubles"] if t["name"] == "mailbox support")
    assert words in trouble["text"]
    assert scene.shell("check", "--offline")[0] == 1
    assert "mailbox support" in scene.alerts()[0]


def test_a_defect_in_a_mailbox_is_shown_and_the_round_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, smtp_sink: SmtpSink, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_inbox: Inbox) -> None:
        raise KeyError("what a mail said")

    scene.configure(port=smtp_sink.port)
    scene.ago()
    scene.desk.receive(mail())
    monkeypatch.setattr(Inbox, "connect", fail)
    summary = run_once(read_settings(scene.folder / "mailticket.toml", {}))
    assert (summary.counts["sent"], len(summary.troubles)) == (1, 1)
    scene.shows("mailbox support", r"a defect of mailticket: KeyError at .*\.py:\d+", "mailticket check")
    assert "what a mail said" not in json.dumps(scene.status())
    assert [record for record in caplog.records if record.exc_info and "mailbox support" in record.getMessage()]


def test_a_chore_that_fails_stops_no_other_and_is_shown(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_self: Upkeep, _now: datetime) -> int:
        raise ZeroDivisionError

    scene.lives()
    scene.ago()
    long_ago = scene.desk.now - timedelta(hours=2)
    with scene.desk.database.write() as session:
        incoming.record_file(session, long_ago, 10, long_ago)
    monkeypatch.setattr(Upkeep, "_close_solved", fail)
    Upkeep(scene.desk.site).run()
    with scene.desk.database.read() as session:
        assert overview.conservation(session) == {"file": {"vanished": 1}}  # the last chore
    scene.shows("chore closing", "a defect of mailticket: ZeroDivisionError", "journalctl -u mailticket")
    assert [record for record in caplog.records if record.exc_info and "chore closing" in record.getMessage()]
    monkeypatch.undo()
    Upkeep(scene.desk.site).run()
    scene.is_well()


def test_alerts_that_fail_stop_no_chore_and_are_shown(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Alerts, _now: datetime) -> int:
        raise ZeroDivisionError

    scene.lives()
    scene.ago()
    monkeypatch.setattr(Alerts, "look", fail)
    Upkeep(scene.desk.site).run()
    assert scene.names() == ["chore alerts"]


# --- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_that_is_refused_is_shown_with_its_writer_and_on_its_ticket(
    scene: Scene, smtp_sink: SmtpSink
) -> None:
    scene.lives()
    scene.ago(minutes=20)
    scene.configure(port=smtp_sink.port)
    key = str(scene.desk.receive(mail()).ticket)
    scene.desk.deliver()
    scene.desk.desk.actor = "mia"
    scene.desk.desk.reply(key, "It is on its way.")
    smtp_sink.next("DOT", "550 5.7.1 not wanted here")
    deliver(scene.desk)
    name = f"answer to {key}"
    scene.shows(name, "the answer of mia did not reach ann@mail.example: .*550 5.7.1 not wanted",
                f"mailticket ticket show {key}")  # fmt: skip
    assert scene.status()["lost_answers"] == 1
    assert "mailticket_lost_answers 1\n" in scene.shell("status", "--metrics")[1]
    shown = json.loads(scene.shell("ticket", "show", key, "--json")[1])
    assert (shown["waiting_for"], shown["status"], shown["conversation"][-1]["delivery"]["state"]) == (
        "us", "open", "failed",
    )  # fmt: skip
    assert "550 5.7.1 not wanted here" in scene.shell("ticket", "show", key)[1]
    answer(scene.desk, key, "Once more.")
    scene.is_well(told=name)


def test_a_requester_who_wrote_again_is_counted_listed_and_after_a_day_a_trouble(scene: Scene) -> None:
    scene.lives()
    key = scene.desk.receive(mail()).ticket
    [letter] = scene.desk.deliver()
    answer(scene.desk, key)
    scene.ago(hours=2)
    asked_at = scene.desk.now
    scene.desk.receive(mail(subject="Re: it", text="Any news?", answers=letter))
    face = scene.status()
    assert (face["waiting_again"], face["unanswered"], scene.names()) == (1, 0, [])
    assert face["oldest_waiting_again"] == {"id": key, "waiting_since": asked_at.isoformat()}
    screen = " ".join(scene.shell("status")[1].split())
    assert f"1 wrote again after an answer, the oldest {key} 2 h ago" in screen
    _, metrics = scene.shell("status", "--metrics")
    assert "mailticket_waiting_again 1\n" in metrics
    assert "mailticket_oldest_waiting_again_timestamp_seconds " in metrics
    listed = [json.loads(line) for line in scene.shell("ticket", "list", "--waiting", "us", "--json")[1].splitlines()]
    assert [(row["id"], row["waiting_for"], row["waiting_since"], row["position"]) for row in listed] == [
        (key, "us", asked_at.isoformat(), 1)
    ]
    assert "us, 2 h  " in scene.shell("ticket", "list")[1]
    scene.configure(more="[desk]\nfollowup_hours = 1\n")
    scene.shows("follow-ups", f"of 1 requesters who wrote again after an answer, {key}", "ticket list --waiting us")
    answer(scene.desk, key)
    scene.is_well(told="follow-ups")


@pytest.mark.parametrize(
    ("name", "hours", "words"),
    [("promises slipping", 2, "1 promised answers are about to be late"),
     ("promises missed", -2, "1 promised answers are late, the first MT-")],
)  # fmt: skip
def test_a_promise_that_slips_or_slipped_is_shown(scene: Scene, name: str, hours: float, words: str) -> None:
    scene.lives()
    key = scene.desk.receive(mail()).ticket
    scene.desk.deliver()
    promise(scene.desk, key, datetime.now(UTC) + timedelta(hours=hours))
    scene.shows(name, words, "mailticket ticket list --waiting us")
    assert scene.status()["slipping"] == (hours > 0)
    scene.ago()
    answer(scene.desk, key)
    scene.is_well(told=name)


# --- the outbox -------------------------------------------------------------------------------------------------------


def receive_from(desk: HelpDesk, number: int) -> None:
    desk.receive(mail(f"p{number}@far{number}.example", subject=f"Order {number}"))


def test_one_full_mailbox_is_no_trouble_of_the_outbox(scene: Scene, smtp_sink: SmtpSink) -> None:
    scene.lives()
    scene.configure(port=smtp_sink.port)
    scene.ago(minutes=16)
    receive_from(scene.desk, 1)
    smtp_sink.always("RCPT", "452 4.2.2 mailbox full")
    deliver(scene.desk)
    assert [row.state for row in scene.desk.outbox()] == ["deferred"]
    scene.is_well()


def test_a_server_that_puts_off_everybodys_mail_is_a_trouble_until_it_accepts_one(
    scene: Scene, smtp_sink: SmtpSink
) -> None:
    scene.lives()
    scene.configure(port=smtp_sink.port)
    scene.ago(minutes=16)
    for number in range(3):
        receive_from(scene.desk, number)
    smtp_sink.always("RCPT", "451 4.3.0 temporary lookup failure")
    deliver(scene.desk)
    assert [row.state for row in scene.desk.outbox()] == ["deferred"] * 3
    scene.ago()
    assert scene.names() == ["outbox"]
    scene.ago(minutes=15)
    receive_from(scene.desk, 9)
    smtp_sink.always("RCPT", None)
    deliver(scene.desk)
    assert scene.names() == []


def test_mail_that_is_due_and_not_tried_is_a_trouble(scene: Scene) -> None:
    scene.lives()
    scene.ago(minutes=20)
    receive_from(scene.desk, 1)
    scene.shows("outbox", "1 mails are due and not sent", "journalctl -u mailticket")


def test_a_defect_in_a_delivery_is_shown_until_its_mail_gets_through(
    scene: Scene, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("what a mail said")

    scene.lives()
    scene.configure(port=smtp_sink.port)
    scene.ago(minutes=20)
    receive_from(scene.desk, 1)
    broken = Outbox(scene.desk.site, Courier(scene.desk.site.settings.smtp, lambda: ""))
    monkeypatch.setattr(broken.courier, "deliver", fail)
    asyncio.run(broken.deliver_due())
    assert [row.state for row in scene.desk.outbox()] == ["deferred"]
    scene.shows("delivery", r"a defect of mailticket: KeyError at .*\.py:\d+", "journalctl -u mailticket",
                told="delivery, outbox")  # fmt: skip
    deliver(scene.desk)
    assert "sent" in [row.state for row in scene.desk.outbox()]
    scene.is_well(told="delivery, outbox")


def test_a_server_that_nobody_can_sign_in_to_is_shown(scene: Scene) -> None:
    sink = SmtpSink(sign_in=True)
    try:
        scene.lives()
        scene.ago(minutes=20)
        scene.configure(port=sink.port, smtp='username = "support"\npassword_file = "nowhere"')
        receive_from(scene.desk, 1)
        smtp = scene.desk.site.settings.smtp
        asyncio.run(Outbox(scene.desk.site, Courier(smtp, partial(passwords.secret, smtp, {}))).deliver_due())
    finally:
        sink.stop()
    scene.shows("smtp", "nowhere: the password cannot be read", "mailticket check", told="outbox, smtp")


# --- the disk ---------------------------------------------------------------------------------------------------------

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Says how much room the disk has."""

    def set_free(free: int) -> None:
        monkeypatch.setattr(troubles.shutil, "disk_usage", lambda folder: Usage(0, 0, free))

    return set_free


def test_a_disk_that_fills_is_shown_before_any_housekeeping(scene: Scene, disk: Callable[[int], None]) -> None:
    scene.lives()
    disk(LEAST_DISK - 1)
    scene.shows("disk", "only 499 MB are free beside the database", "make room")
    disk(LEAST_DISK)
    assert scene.alerts() == ["[mailticket] works again: disk"]
    scene.is_well()


def test_whoever_takes_mail_in_notes_a_filling_disk_and_pauses_before_it_is_full(
    scene: Scene, disk: Callable[[int], None]
) -> None:
    scene.ago()
    intake = Intake(scene.desk.site)
    disk(LEAST_DISK - 1)
    intake.take_in([])
    with scene.desk.database.read() as session:
        assert meta.is_unwell(session, "disk")
    disk(LEAST_ROOM - 1)
    with pytest.raises(StoreFull, match="intake pauses"):
        intake.take_in([])
    disk(LEAST_DISK)
    intake.take_in([])
    with scene.desk.database.read() as session:
        assert not meta.is_unwell(session, "disk")


# --- mailboxes that are gone ------------------------------------------------------------------------------------------


def test_mail_of_a_mailbox_that_is_gone_is_shown_and_can_be_given_up(scene: Scene) -> None:
    scene.lives()
    scene.ago(minutes=20)
    now, account = scene.desk.now, incoming.Account("imap.example", "old", "INBOX")
    with scene.desk.database.write() as session:
        folder = incoming.enter_folder(session, "old", account, 1, 4, now, timedelta(hours=72))
        incoming.record_listed(session, folder, [incoming.Listed(uid, 10, now) for uid in (1, 2, 3)], now)
        incoming.vanish(session, [1], now)
        meta.went_wrong(session, "mailbox old", now, "the server cannot be reached")
    scene.shows("mail of old", "2 mails were listed and not taken in", "mailticket mail give-up old")
    assert scene.status()["strays"] == {"old": 2}
    assert 'mailticket_strays{mailbox="old"} 2\n' in scene.shell("status", "--metrics")[1]
    assert scene.shell("mail", "give-up", "old", "--dry-run", "--json") == (
        0, '{"mailbox": "old", "uids": [2, 3], "given_up": 0}\n',
    )  # fmt: skip
    assert scene.shell("mail", "give-up", "old")[0] == 0
    assert scene.shell("mail", "give-up", "old")[0] == 1
    assert scene.shell("mail", "give-up", "support")[0] != 0
    with scene.desk.database.read() as session:
        assert overview.conservation(session) == {"old": {"vanished": 3}}
        [row] = incoming.find(session, "old:2")
    assert "its mailbox is not configured any more" in row.reason
    assert row.evidence == [["given up", row.reason]]
    scene.is_well(told="mail of old")


def test_an_answer_that_is_held_is_counted_until_somebody_sends_or_drops_it(scene: Scene) -> None:
    scene.lives()
    key = str(scene.desk.receive(mail()).ticket)
    scene.desk.deliver()
    answer(scene.desk, key)
    assert scene.status()["held"] == 0
    assert "held" not in scene.shell("status")[1]
    code, _ = scene.shell("ticket", "reply", key, "--text", "We look into it, too.")
    assert (code, scene.status()["held"]) == (1, 1)
    screen = " ".join(scene.shell("status")[1].split())
    assert "held 1 answer is held and not sent: mailticket ticket list --held" in screen
    assert "mailticket_held 1\n" in scene.shell("status", "--metrics")[1]
