"""A host that is paused between any two steps, is given up, and wakes when its successor has done its work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from mailticket.errors import StoreUnavailable
from mailticket.imap import Inbox
from mailticket.intake import collect, places, take_in
from mailticket.intake.sent_folder import collector_of
from mailticket.intake.take_in import Result
from mailticket.models import MailboxHolder
from mailticket.outbox import deliver
from mailticket.outbox.deliver import Outbox
from mailticket.smtp import Outcome
from mailticket.store import Session, hosts, overview, tickets
from mailticket.store.rows import take_turns
from mailticket.triage import ticket_keys
from mailticket.upkeep.chores import Upkeep
from tests.helpdesk import START, HelpDesk, Stored, mail, message_id
from tests.servers.databases import Databases
from tests.servers.dovecot import Dovecot
from tests.servers.machine import PATIENCE
from tests.store.conftest import wait_for_locks

pytestmark = pytest.mark.postgres

SENT = Outcome("sent", "message", 250, "2.0.0", "Ok")


PLACES = (
    "server listed", "collect.listed", "collect.fetched", "intake.attempted", "intake.in_transaction",
    "intake.committed", "fence asked", "collect.flagged", "collect.answered", "collect.saved",
)  # fmt: skip


@pytest.fixture(scope="module")
def desks(
    postgres_databases: Databases, dovecot_server: Dovecot, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[HelpDesk]]:
    """Two with one database, and for each place a mailbox of its own."""
    url = postgres_databases.copy(tmp_path_factory.mktemp("paused"))
    account = {"host": "127.0.0.1", "port": dovecot_server.plain_port, "security": "none"}
    boxes = [
        {**account, "name": f"box{n}", "username": f"paused{n}@example.com", "sent_folder": "auto", "save_sent": True}
        for n in range(len(PLACES))
    ]
    pair = [HelpDesk(url, mailbox=boxes) for _ in range(2)]
    yield pair
    for desk in pair:
        desk.close()
    postgres_databases.drop(url)


@pytest.fixture
def pair(desks: list[HelpDesk]) -> tuple[HelpDesk, HelpDesk]:
    """The two as hosts that have just started, and an empty outbox."""
    for desk in desks:
        with desk.database.write() as session:
            number = hosts.register(session, "daemon", "web", 1, "1", START)
        desk.site = replace(desk.site, host=number)
        desk.deliver()
    return desks[0], desks[1]


class Pause:
    """Pauses the first who comes to a place, while something else happens."""

    def __init__(self, place: str, meanwhile: Callable[[], object]) -> None:
        self._place, self._meanwhile = place, meanwhile
        self.was = False

    def __call__(self, place: str) -> None:
        if place == self._place and not self.was:
            self.was = True
            self._meanwhile()


def hold(session: Session, desk: HelpDesk, mailbox: str) -> None:
    session.merge(MailboxHolder(mailbox=mailbox, host_id=desk.site.host, since=START))


def give_up(host: int, heir: HelpDesk, mailbox: str = "") -> None:
    """As a host does that has not heard of another for a while: its sessions are cut, its mailbox is taken over."""
    with heir.database.write() as session:
        session.execute(text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND state = 'idle in transaction' AND pid <> pg_backend_pid()"
        ))  # fmt: skip
    with heir.database.write() as session:
        session.execute(text("UPDATE host SET dead_at = now() WHERE id = :n"), {"n": host})
        if mailbox:
            hold(session, heir, mailbox)


class Sender:
    """A courier whose server notes what it accepts."""

    def __init__(self, accepted: list[str], at: Callable[[str], None] = lambda place: None) -> None:
        self._accepted, self._at = accepted, at

    async def deliver(
        self, sender: str, recipient: str, message: bytes, before_data: Any, *, notify: str, copies: Sequence[str]
    ) -> Outcome:
        self._at("recipient named")
        await before_data()
        self._at("data")
        self._accepted.append(message_id(message))
        return SENT

    async def close(self) -> None:
        """There is nothing to close."""


def deliver_due(desk: HelpDesk, sender: Sender) -> None:
    """In a thread of its own, since the one that is paused has its loop in this one."""
    outbox = Outbox(desk.site, sender)  # type: ignore[arg-type]
    thread = threading.Thread(target=lambda: asyncio.run(outbox.deliver_due()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize("kind", ["acknowledgement", "staff-reply"])
@pytest.mark.parametrize(
    "place", ["outbox.claimed", "recipient named", "outbox.begun", "data", "outbox.accepted", "outbox.recorded"]
)
def test_what_a_paused_host_had_in_hand_is_sent_once_and_never_lost(
    pair: tuple[HelpDesk, HelpDesk], monkeypatch: pytest.MonkeyPatch, place: str, kind: str
) -> None:
    """Past the last look at the clock nobody can tell: an answer is then sent once more by the successor (promise 4),
    under the same Message-ID, and its ticket says that it was uncertain."""
    paused, heir = pair
    key = paused.receive(mail(f"{place.replace(' ', '-')}-{kind}@mail.example")).ticket or ""
    if kind == "staff-reply":
        paused.deliver()
        paused.desk.reply(key, "It has arrived.")
    accepted: list[str] = []

    def take_over() -> None:
        give_up(paused.site.host, heir)
        deliver_due(heir, Sender(accepted))
        monkeypatch.setattr(deliver, "_LONGEST_BEGINNING", -1.0)  # when it wakes, that time has passed

    pause = Pause(place, take_over)
    monkeypatch.setattr(deliver, "failpoint", pause)
    asyncio.run(Outbox(paused.site, Sender(accepted, pause)).deliver_due())  # type: ignore[arg-type]
    assert pause.was
    monkeypatch.undo()
    deliver_due(heir, Sender(accepted))

    may_double = kind == "staff-reply" and place in ("data", "outbox.accepted")
    assert len(accepted) == 1 + may_double
    assert len(set(accepted)) == 1
    assert {row.state for row in heir.outbox()} == {"sent"}
    told = place in ("outbox.begun", "data", "outbox.accepted")
    assert len(heir.ticket(key).happened(f"{kind} uncertain")) == told


MAILS = ("My deposit", "My API key", "My withdrawal")


@pytest.mark.parametrize("place", PLACES)
def test_what_a_paused_host_had_in_hand_is_taken_in_flagged_and_saved_once(
    pair: tuple[HelpDesk, HelpDesk], monkeypatch: pytest.MonkeyPatch, dovecot_server: Dovecot, place: str
) -> None:
    paused, heir = pair
    box = paused.site.settings.mailbox[PLACES.index(place)]
    user = box.username
    with paused.database.write() as session:
        hold(session, paused, box.name)

    def collect_once(desk: HelpDesk) -> None:
        collector = collector_of(desk.site, box, lambda: dovecot_server.password)
        try:
            collector.collect_once()
        finally:
            collector.close()

    def arrive(subject: str) -> None:
        raw = mail(f"{box.name}@mail.example", subject=f"{subject} {box.name}", text=f"Where is it? {subject}")
        dovecot_server.append(raw, user, when=START)

    dovecot_server.create("Verschickt", user)
    arrive(MAILS[0])
    collect_once(paused)
    paused.desk.reply(of_box(paused, box.name)[0].row.key, "It has arrived.")
    paused.deliver()
    for subject in MAILS[1:]:
        arrive(subject)

    def take_over() -> None:
        give_up(paused.site.host, heir, box.name)
        collect_once(heir)

    pause = Pause(place, take_over)
    pause_at(monkeypatch, pause)
    with suppress(StoreUnavailable):
        collect_once(paused)
    assert pause.was
    with pytest.raises(StoreUnavailable):
        collect_once(paused)
    collect_once(heir)

    assert len(of_box(heir, box.name)) == len(MAILS)
    with heir.database.read() as session:
        assert overview.conservation(session)[box.name] == {"opened": 3}
    flags = dovecot_server.flags(user)
    assert [uid for uid, of_one in sorted(flags.items()) if "\\Seen" in of_one] == [1, 2, 3]
    assert [uid for uid, of_one in flags.items() if "\\Answered" in of_one] == [1]
    assert len(dovecot_server.messages(user, "Verschickt")) == 1


def of_box(desk: HelpDesk, name: str) -> list[Stored]:
    """The tickets of the mails of a mailbox."""
    return [stored for stored in desk.stored() if stored.row.subject.endswith(f" {name}")]


def pause_at(monkeypatch: pytest.MonkeyPatch, pause: Pause) -> None:
    """Let a collector come to a pause at its failpoints, when the server has named what is new, and when it was told
    that it holds the mailbox."""
    for module in (collect, places, take_in):
        monkeypatch.setattr(module, "failpoint", pause)
    list_new, ask = Inbox.list_new, places.Fence.ask

    def listing(inbox: Inbox, above: int) -> list[int]:
        uids = list_new(inbox, above)
        if uids:
            pause("server listed")
        return uids

    def asking(fence: places.Fence, site: Any) -> None:
        ask(fence, site)
        pause("fence asked")

    monkeypatch.setattr(Inbox, "list_new", listing)
    monkeypatch.setattr(places.Fence, "ask", asking)


def test_a_late_notice_that_another_host_has_just_written_is_not_written_again(pair: tuple[HelpDesk, HelpDesk]) -> None:
    one, other = pair
    key = one.receive(mail("late@mail.example")).ticket or ""
    one.deliver()
    number = int(one.ticket(key).row.id or 0)
    due = one.ticket(key).row.promised_by
    assert due is not None
    keeping = threading.Thread(target=Upkeep(other.site)._tell_late, args=(due,), daemon=True)
    with one.database.write() as session:
        take_turns(session, "late notices")
        session.execute(text("UPDATE ticket SET late_notice_at = now() WHERE id = :n"), {"n": number})
        keeping.start()
        wait_for_locks(one.database, 1, unless=lambda: not keeping.is_alive())
        assert keeping.is_alive(), "it did not wait"
    keeping.join(PATIENCE)
    assert [row.kind for row in one.outbox() if row.ticket_id == number] == ["acknowledgement"]


def take_in_at_once(
    pair: tuple[HelpDesk, HelpDesk], monkeypatch: pytest.MonkeyPatch, first: bytes, second: bytes
) -> tuple[Result, Result]:
    """What two hosts make of a mail each, of which the second comes while the rows of the first are not committed."""
    one, other = pair
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.extend(other.receive_all([second])), daemon=True)

    def meanwhile() -> None:
        thread.start()
        wait_for_locks(one.database, 1, unless=lambda: not thread.is_alive())

    pause = Pause("intake.in_transaction", meanwhile)
    monkeypatch.setattr(take_in, "failpoint", pause)
    result = one.receive(first)
    thread.join(PATIENCE)
    assert pause.was
    return result, results[0]


def test_of_two_hosts_that_give_one_ticket_id_the_second_gives_another(
    pair: tuple[HelpDesk, HelpDesk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees the other's row before it is committed; the database refuses the second, which is made again."""
    keys = iter(("MT-0000-0000", "MT-0000-0000", "MT-0000-0001"))
    monkeypatch.setattr(ticket_keys, "new_key", lambda prefix, randbelow: next(keys))
    mails = (mail(f"{name}@mail.example") for name in ("first", "second"))
    assert [result.ticket for result in take_in_at_once(pair, monkeypatch, *mails)] == ["MT-0000-0000", "MT-0000-0001"]


@pytest.mark.parametrize("letters_before", [0, 2])
def test_of_two_requests_of_one_person_on_two_hosts_at_once_one_repeats_the_other(
    pair: tuple[HelpDesk, HelpDesk], monkeypatch: pytest.MonkeyPatch, letters_before: int
) -> None:
    """Whether the person is known or not. The cap of three letters an hour counts both, and each keeps its place."""
    person = f"twice{letters_before}@mail.example"
    for subject in MAILS[:letters_before]:
        pair[0].receive(mail(person, subject=subject, text=f"{subject} does not work at all, since Monday."))
    mails = (mail(person), mail(person))
    first, second = take_in_at_once(pair, monkeypatch, *mails)
    assert (first.letter, second.letter) == ("acknowledgement", "duplicate-notice")
    assert (first.duplicate_of, second.duplicate_of) == (None, first.ticket)
    letters = {row.cause_id: row for row in pair[0].outbox() if row.recipient == person}
    assert letters[first.incoming_id].state == "queued"
    held = letters[second.incoming_id]
    assert (held.state, held.hold) == (("withheld", "cap_address") if letters_before else ("queued", ""))
    rows = [pair[0].ticket(result.ticket).row for result in (first, second)]
    assert rows[0].requester_id == rows[1].requester_id
    with pair[0].database.read() as session:
        before, behind = (tickets.position(session, row) or 0 for row in rows)
    assert behind == before + 1


def test_one_mail_that_two_hosts_bring_at_once_by_two_ways_is_one(
    pair: tuple[HelpDesk, HelpDesk], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = mail("both-ways@mail.example")
    first, second = take_in_at_once(pair, monkeypatch, raw, raw)
    assert (first.state, second.state, second.letter) == ("opened", "known", "")
    assert pair[1].record(second).copy_of == first.incoming_id
    assert len([row for row in pair[0].outbox() if row.recipient == "both-ways@mail.example"]) == 1
