"""Rows 30 to 38 and 43: what a disk, a database, a clock, a mail or a template can do to us."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import create_engine, text

import mailticket.mail
from mailticket.errors import StoreDamaged, StoreUnavailable
from mailticket.intake import prepare
from tests.e2e import post
from tests.e2e.site import Site
from tests.faults import truth
from tests.faults.conftest import MakeHouse
from tests.faults.house import House
from tests.helpdesk import OpenDesk, mail, message_id
from tests.servers.dovecot import Dovecot
from tests.servers.machine import until
from tests.servers.proxy import Proxy
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_f31_a_read_only_database_pauses_intake_flags_nothing_and_recovers(
    make_house: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink, kind: str, request: pytest.FixtureRequest
) -> None:
    house = make_house(request.getfixturevalue("postgres_url") if kind == "postgres" else "")
    house.start()
    dovecot.append(post.request("before@example.org"))
    smtp_sink.wait_for(1)
    house.settle(1)
    truth.all_are_flagged(dovecot, 1)
    with house.read_only() if kind == "sqlite" else _standby(house.site):
        dovecot.deliver(post.requests(3))
        house.site.wait_log("mailbox support: the database")
        house.site.wait_log("the outbox waits for the database")
        assert truth.unflagged(dovecot) == 3
    house.site.wait_log("mailbox support: works again")
    house.site.wait_log("the outbox works again")
    house.settle(4)
    truth.all_are_flagged(dovecot, 4)
    house.stop()
    truth.each_was_answered_once(smtp_sink, ["before@example.org", *(f"person{n}@example.org" for n in (1, 2, 3))])
    assert house.site.incoming_states() == {"opened": 4}


@contextmanager
def _standby(site: Site) -> Iterator[None]:
    """PostgreSQL as after a failover to a host that only reads."""
    engine = create_engine(site.url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as admin:
            admin.execute(text("ALTER SYSTEM SET default_transaction_read_only = on"))
            admin.execute(text("SELECT pg_reload_conf()"))
            yield
            admin.execute(text("ALTER SYSTEM RESET default_transaction_read_only"))
            admin.execute(text("SELECT pg_reload_conf()"))
    finally:
        engine.dispose()


@pytest.mark.sqlite
def test_f33_a_damaged_database_ends_the_program_and_the_mailbox_is_not_touched(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    dovecot.deliver(post.requests(1))
    house.once()
    file = house.site.folder / "mailticket.db"
    _damage(file)
    file.with_name(file.name + ".lock").write_text("process 1 on here, since the power was cut\n")
    dovecot.deliver([post.request("later@example.org")])
    with Proxy(dovecot.plain_port) as wire:
        house.site.configure(mailbox={"port": wire.port})
        with pytest.raises(StoreDamaged, match="restore a backup"):
            house.once()
        assert "restore a backup" in house.site.cli("run", code=78).stderr
        assert wire.connections == 0
    assert truth.unflagged(dovecot) == 1
    assert truth.copies(smtp_sink) == {"person1@example.org": 1}


def _damage(file: Path) -> None:
    """Overwrite a page in the midst of the file, once all is in it."""
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size, pages = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count"))
        root = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'incoming'").fetchone()[0]
    database.close()
    assert root < pages
    with file.open("r+b") as raw:
        raw.seek((root - 1) * size)
        raw.write(b"\xa5" * size)


@pytest.mark.sqlite
def test_f33_a_file_that_is_no_database_ends_the_program_too(house: House, dovecot: Dovecot) -> None:
    dovecot.deliver(post.requests(1))
    (house.site.folder / "mailticket.db").write_bytes(b"To whom it may concern. " * 1000)
    with pytest.raises(StoreDamaged, match="no database of ours"):
        house.once()
    assert truth.unflagged(dovecot) == 1


@pytest.mark.sqlite
@pytest.mark.parametrize("held", [False, True])
def test_f34_after_a_restore_newer_mail_is_found_again_and_not_answered_again_if_one_asks_for_it(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink, held: bool
) -> None:
    """`[acknowledge] enabled = false` for the first round is what the manual says to set after a restore."""
    site = house.site
    dovecot.deliver([post.request("before@example.org")])
    house.once()
    site.close_database()
    backup = site.folder / "backup.db"
    with sqlite3.connect(site.folder / "mailticket.db") as now, sqlite3.connect(backup) as then:
        now.backup(then)
    for connection in (now, then):
        connection.close()
    dovecot.deliver([post.request("after@example.org")])
    house.once()
    for file in site.folder.glob("mailticket.db*"):
        file.unlink()
    shutil.copy(backup, site.folder / "mailticket.db")

    if held:
        site.configure(acknowledge={"enabled": False})
        house.once()
        site.configure()
    dovecot.deliver([post.request("new@example.org")])
    house.once()
    people = {"before@example.org": 1, "after@example.org": 1 if held else 2, "new@example.org": 1}
    assert truth.copies(smtp_sink) == people
    assert [t["requester"] for t in site.tickets()] == list(people)
    assert len({post.ticket_id(mail) for mail in smtp_sink.accepted}) == len(smtp_sink.accepted)


@pytest.mark.parametrize("days", [-1, 1])
def test_f35_a_clock_that_jumps_by_a_day_repeats_and_withholds_nothing(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink, days: int
) -> None:
    dovecot.deliver(post.requests(2))
    house.start()
    smtp_sink.wait_for(2)
    house.settle(2)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=days)):
        dovecot.deliver([post.request("meanwhile@example.org")], when=datetime.now(UTC) - timedelta(days=days))
        smtp_sink.wait_for(3)
        house.settle(3)
    dovecot.append(post.request("after@example.org"))
    smtp_sink.wait_for(4)
    house.settle(4)
    house.stop()
    people = ["person1@example.org", "person2@example.org", "meanwhile@example.org", "after@example.org"]
    truth.each_was_answered_once(smtp_sink, people)


def test_f36_a_date_in_1970_or_2099_or_none_at_all_changes_nothing(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    dates = ["Thu, 1 Jan 1970 00:00:00 +0000", "Fri, 1 May 2099 10:00:00 +0000", "yesterday, I think", ""]
    mails = [post.request(f"person{n}@example.org", headers={"X-Date": date}) for n, date in enumerate(dates)]
    dovecot.deliver(raw.replace(b"X-Date:", b"Date:") for raw in mails)
    began = datetime.now(UTC)
    house.once()
    truth.each_was_answered_once(smtp_sink, [f"person{n}@example.org" for n in range(4)])
    for ticket in house.site.tickets():
        assert abs(datetime.fromisoformat(ticket["created_at"]) - began) < timedelta(minutes=5)


@pytest.mark.parametrize("error", [RecursionError, MemoryError, ValueError])
def test_f37_a_mail_that_cannot_be_read_is_quarantined_and_the_others_go_on(
    house: House, dovecot: Dovecot, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    reader = mailticket.mail.read

    def read(raw: bytes, *rest: Any) -> Any:
        if b"poison@example.org" in raw:
            raise error("too much")
        return reader(raw, *rest)

    monkeypatch.setattr(prepare, "read", read)
    first, second = post.requests(2)
    dovecot.deliver([first, post.request("poison@example.org"), second])
    house.once()
    truth.each_was_answered_once(smtp_sink, ["person1@example.org", "person2@example.org"])
    assert house.site.incoming_states() == {"opened": 2, "quarantined": 1}
    assert len(dovecot.messages()) == 3


@pytest.mark.parametrize(
    "words",
    ["{{ foo.bar }", "{{ no_such_thing }}", "{{ 'much' * 999999 }}",
     "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}"],
    ids=["syntax", "unknown name", "too much", "recursive"],
)  # fmt: skip
def test_f38_a_broken_template_is_replaced_by_ours_and_the_answer_goes_out(
    make_house: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink, tmp_path: Path, words: str
) -> None:
    folder = tmp_path / "letters" / "en"
    folder.mkdir(parents=True)
    (folder / "acknowledgement.j2").write_text(
        '{% extends "default/en/acknowledgement.j2" %}{% block headline %}' + words + "{% endblock %}", "utf-8"
    )
    house = make_house(templates={"folder": "letters"})
    dovecot.deliver(post.requests(1))
    house.once()
    truth.each_was_answered_once(smtp_sink, ["person1@example.org"])


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_f43_replies_that_come_at_once_by_two_ways_are_all_on_the_ticket(
    make_house: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink, kind: str, request: pytest.FixtureRequest
) -> None:
    house = make_house(request.getfixturevalue("postgres_url") if kind == "postgres" else "")
    dovecot.deliver([post.request("ann@example.org", verified=True)])
    house.once()
    (ours,) = smtp_sink.accepted
    words = [f"This is remark number {number} of mine." for number in range(24)]
    replies = [post.reply(ours, said, verified=True) for said in words]
    dovecot.create("Second")
    with house.site.configuration.open("a") as file:
        file.write(
            f'[[mailbox]]\nname = "second"\nhost = "127.0.0.1"\nport = {dovecot.plain_port}\nsecurity = "none"\n'
            f'username = "{dovecot.user}"\npassword = "correct-horse"\nfolder = "Second"\n'
        )
    for raw in replies[::2]:
        dovecot.append(raw, folder="Second")
    dovecot.deliver(replies[1::2])
    house.start()
    until(lambda: _appended(house) == len(words), f"all replies to be appended{house.site.told()}")
    house.stop()
    (ticket,) = house.site.tickets()
    conversation = house.site.show(ticket["id"])["conversation"]
    said = [entry["new_text"].strip() for entry in conversation if entry["kind"] == "reply"]
    assert Counter(said) == dict.fromkeys(words, 1)
    truth.each_was_answered_once(smtp_sink, ["ann@example.org"])


def _appended(house: House) -> int:
    with house.site.database.read() as session:
        found = session.connection().exec_driver_sql("SELECT count(*) FROM incoming WHERE state = 'appended'").scalar()
    return int(found or 0)


def test_f43_fifty_replies_at_the_same_moment_lose_none(open_desk: OpenDesk) -> None:
    """Fifty threads, each with an intake of its own, on one ticket."""
    helpdesk = open_desk()
    helpdesk.receive(mail("Ann Lee <ann@mail.example>"))
    (letter,) = helpdesk.deliver()
    together = threading.Barrier(10)
    failed: list[BaseException] = []

    def reply(number: int) -> None:
        try:
            together.wait(10)
            for turn in range(5):
                raw = mail("Ann Lee <ann@mail.example>", text=f"Remark {number}.{turn}", answers=message_id(letter))
                helpdesk.receive(raw)
        except (AssertionError, StoreUnavailable, threading.BrokenBarrierError) as error:
            failed.append(error)

    threads = [threading.Thread(target=reply, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    (stored,) = helpdesk.stored()
    remarks = [message.new_text.strip() for message in stored.messages if message.kind == "reply"]
    assert Counter(remarks) == {f"Remark {number}.{turn}": 1 for number in range(10) for turn in range(5)}
