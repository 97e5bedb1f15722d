"""Log lines that nothing can forge or leak through, heartbeats, systemd's protocol, figures."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailticket.errors import StoreUnavailable
from mailticket.observe import Format, Heartbeats, Metrics, Notifier, described, fields, one_line, set_up_logging

LOG = logging.getLogger("mailticket.test")


def logged(form: Format, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    set_up_logging(level, form, stream)
    return stream


# --- log lines --------------------------------------------------------------------------------------------------------


def test_a_text_line_has_time_level_place_event_and_facts() -> None:
    stream = logged("text")
    LOG.info("mail taken in", extra=fields(mailbox="support", uid=7, rule="subject has a ticket ID"))
    time, level, rest = stream.getvalue().split(" ", 2)
    assert time.endswith("+00:00")
    assert level == "INFO"
    assert rest == 'test: mail taken in mailbox=support uid=7 rule="subject has a ticket ID"\n'


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 2)],
)
def test_a_journal_line_begins_with_the_priority(level: int, priority: int) -> None:
    stream = logged("journal", "debug")
    LOG.log(level, "something")
    assert stream.getvalue() == f"<{priority}>test: something\n"


def test_a_json_line_is_one_object() -> None:
    stream = logged("json")
    LOG.warning("refused %s", "it", extra=fields(code=550, text="nö\n"))
    entry = json.loads(stream.getvalue())
    del entry["at"]
    assert entry == {
        "level": "warning",
        "logger": "mailticket.test",
        "event": "refused it",
        "code": 550,
        "text": "nö\\u000a",
    }


@pytest.mark.parametrize("form", ["text", "json", "journal"])
@pytest.mark.parametrize(
    "hostile", ["a\n<0>mailticket: forged", "a\r\nb", "\x1b[2Jgone", "\u202eesrever", "\udc80", "\u2028line", "\x00"]
)
def test_no_text_from_outside_can_forge_a_line_or_act_on_a_terminal(form: Format, hostile: str) -> None:
    stream = logged(form)
    LOG.info("subject %s", hostile, extra=fields(subject=hostile, several=[hostile]))
    assert stream.getvalue().count("\n") == 1
    assert not any(character in stream.getvalue()[:-1] for character in hostile if not character.isprintable())
    stream.getvalue().encode("utf-8")


def test_a_long_value_is_cut() -> None:
    assert len(one_line("x" * 10_000_000)) == 1001


@pytest.mark.parametrize("form", ["text", "json", "journal"])
def test_an_exception_shows_where_it_happened_and_nothing_of_what_it_was_about(form: Format) -> None:
    stream = logged(form)

    def read_mail(seed_phrase: str) -> None:
        raise ValueError(f"cannot read {seed_phrase!r}")

    try:
        read_mail("correct horse battery staple")
    except ValueError:
        LOG.exception("mail not read")
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert "ValueError" in line
    assert "tests/test_observe.py" in line
    assert "read_mail" in line
    assert "horse" not in line


def test_an_exception_of_ours_or_of_the_system_may_speak() -> None:
    assert described(StoreUnavailable("the disk is full")) == "StoreUnavailable: the disk is full"
    assert described(PermissionError(13, "Permission denied", "/home/ann/secret")) == (
        "PermissionError: Permission denied"
    )


def test_the_kind_of_the_cause_is_named() -> None:
    try:
        try:
            raise KeyError("secret")
        except KeyError as error:
            raise RuntimeError("secret") from error
    except RuntimeError as error:
        assert described(error).startswith("RuntimeError; after KeyError at tests/test_observe.py")


def test_the_level_is_ours_and_libraries_are_heard_only_from_warnings_on() -> None:
    stream = logged("text", "debug")
    logging.getLogger("imapclient").debug("> LOGIN ann secret")
    logging.getLogger("imapclient").info("connected")
    LOG.debug("ours")
    logging.getLogger("imapclient").warning("theirs")
    assert [line.split(" ", 2)[2] for line in stream.getvalue().splitlines()] == ["test: ours", "imapclient: theirs"]


def test_a_thread_that_dies_of_an_exception_is_logged() -> None:
    stream = logged("text")
    thread = threading.Thread(target=lambda: 1 / 0, name="mailbox support")
    thread.start()
    thread.join()
    assert 'uncaught exception thread="mailbox support" error="ZeroDivisionError at' in stream.getvalue()


def test_setting_up_twice_does_not_log_twice() -> None:
    first, second = logged("text"), logged("json")
    LOG.info("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


# --- heartbeats -------------------------------------------------------------------------------------------------------


def test_each_thread_has_its_own_allowance_and_is_late_only_after_it() -> None:
    beats = Heartbeats()
    beats.beat("mailbox support", within=600, now=1000)
    beats.beat("outbox", within=30, now=1000)
    assert beats.late(1030) == {}
    assert beats.late(1031) == {"outbox": 1}
    assert set(beats.late(1601)) == {"outbox", "mailbox support"}
    beats.beat("outbox", within=30, now=1601)
    assert beats.late(1610) == {"mailbox support": 10}


def test_a_thread_that_ended_on_purpose_is_not_missed() -> None:
    beats = Heartbeats()
    beats.beat("once", within=1, now=0)
    beats.done("once")
    beats.done("never begun")
    assert beats.late(100) == {}


# --- systemd ----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["file", "abstract"])
def listening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    name = str(tmp_path / "notify")
    address = name if request.param == "file" else f"\0mailticket-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(address)
        channel.settimeout(5)
        yield channel, {"NOTIFY_SOCKET": address.replace("\0", "@")}


def test_what_systemd_hears(listening: tuple[socket.socket, dict[str, str]]) -> None:
    channel, environ = listening
    notifier = Notifier(environ)
    notifier.ready("2 mailboxes")
    notifier.status("queue empty\nREADY=1")
    notifier.alive()
    notifier.reloading()
    notifier.ready()
    notifier.more_time(30)
    notifier.stopping("waiting for the SMTP server")
    heard = [channel.recv(4096).decode() for _ in range(7)]
    assert heard[:3] == ["READY=1\nSTATUS=2 mailboxes", "STATUS=queue empty\\u000aREADY=1", "WATCHDOG=1"]
    assert heard[3].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert heard[4:] == ["READY=1", "EXTEND_TIMEOUT_USEC=30000000", "STOPPING=1\nSTATUS=waiting for the SMTP server"]


def test_without_systemd_or_when_its_socket_is_gone_nothing_happens(tmp_path: Path) -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_time(environ: dict[str, str], seconds: float | None) -> None:
    assert Notifier(environ).watchdog_seconds == seconds


# --- figures ----------------------------------------------------------------------------------------------------------


def test_gauges_in_prometheus_text() -> None:
    metrics = Metrics()
    metrics.declare("mailticket_mails", "Mails taken in, by result.")
    metrics.declare("mailticket_queue", "Mails waiting to leave.")
    metrics.set("mailticket_mails", 1, result="opened")
    metrics.set("mailticket_mails", 3, result="opened")
    metrics.set("mailticket_mails", 1, result='odd "\\\n')
    metrics.set("mailticket_queue", 5)
    metrics.set("mailticket_queue", 1234567890123)
    assert metrics.text() == (
        "# HELP mailticket_mails Mails taken in, by result.\n"
        "# TYPE mailticket_mails gauge\n"
        'mailticket_mails{result="odd \\"\\\\\\n"} 1\n'
        'mailticket_mails{result="opened"} 3\n'
        "# HELP mailticket_queue Mails waiting to leave.\n"
        "# TYPE mailticket_queue gauge\n"
        "mailticket_queue 1234567890123\n"
    )


def test_a_figure_that_was_not_declared_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        Metrics().set("mailticket_misspelt", 1)
