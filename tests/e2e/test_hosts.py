"""Two hosts on one PostgreSQL: who collects what, and who takes over when the other dies, hangs or is cut off."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from mailticket.config.read import read_settings
from mailticket.desk.answers import Wish
from mailticket.desk.tickets import Desk
from mailticket.site import open_site
from mailticket.store import hosts, schema
from mailticket.store.engine import Database
from tests.e2e import post
from tests.e2e.site import Site
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.machine import stands_still, until
from tests.servers.postgres import Postgres
from tests.servers.proxy import Proxy
from tests.servers.smtp import SmtpSink

pytestmark = [pytest.mark.dovecot, pytest.mark.postgres]

HURRY = {"MAILTICKET_HURRY": "15"}  # a beat each third of a second, a lease of 2 s
NAMES = ("support", "sales")


@dataclass
class Two:
    """Two hosts, each with its own way to the database and to the mail server."""

    sites: list[Site]
    databases: list[Proxy]
    mail: list[Proxy]
    dovecot: Dovecot
    smtp: SmtpSink
    database: Database
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 100)))

    def start(self, *which: int) -> None:
        for one in which:
            self.sites[one].start(**HURRY)

    def holders(self) -> dict[str, int]:
        """Which host (0 or 1, by its process) holds each mailbox."""
        pids = {site.process.pid: one for one, site in enumerate(self.sites) if site.process is not None}
        with self.database.read() as session:
            hosts_ = {host.id: pids.get(host.pid, -1) for host in hosts.living(session)}
            return {name: hosts_[host] for name, host, _ in hosts.holdings(session) if host in hosts_}

    def wait_holders(self, *which: int) -> None:
        """Until support and sales are held by these hosts, in whatever order."""
        until(lambda: sorted(self.holders().get(name, -1) for name in NAMES) == sorted(which),
              f"the mailboxes to be held by {which}, not {self.holders()}{self.told()}")  # fmt: skip

    def answer_both(self) -> None:
        """A mail to each mailbox is answered once."""
        number = next(self.numbers)
        people = [f"{name}{number}@example.org" for name in NAMES]
        before = len(self.smtp.accepted)
        for name, person in zip(NAMES, people, strict=True):
            self.dovecot.append(post.request(person), user=self.user(name))
        self.smtp.wait_for(before + 2)
        assert sorted(self.smtp.recipients()[before:]) == sorted(people), self.told()

    def user(self, name: str) -> str:
        return f"{name}-hosts@example.com"

    def told(self) -> str:
        return "".join(f"\n--- host {one}: {site.told()}" for one, site in enumerate(self.sites))


@pytest.fixture(scope="module")
def started(
    tmp_path_factory: pytest.TempPathFactory, dovecot_server: Dovecot, postgres_server: Postgres
) -> Iterator[Two]:
    """Two hosts that run, for all tests of this file."""
    url = postgres_server.database()
    database, smtp = Database(url), SmtpSink()
    schema.prepare(database)
    with ExitStack() as stack:
        stack.callback(smtp.stop)
        stack.callback(postgres_server.drop, url)
        stack.callback(database.close)
        pair = Two([], [], [], dovecot_server, smtp, database)
        for one in range(2):
            for server, ways in ((postgres_server.port, pair.databases), (dovecot_server.plain_port, pair.mail)):
                ways.append(stack.enter_context(Proxy(server)))
            way = url.replace(f":{postgres_server.port}/", f":{pair.databases[one].port}/")
            site = Site(tmp_path_factory.mktemp(f"host{one}"), dovecot_server, smtp, way)
            stack.callback(site.close)
            _configure(site, pair.mail[one].port)
            pair.sites.append(site)
        yield pair


@pytest.fixture
def two(started: Two) -> Two:
    """The hosts, each with a mailbox, whatever a test before did to them."""
    if not started.dovecot.running:
        started.dovecot.start()
    for ways in (started.databases, started.mail):
        for way in ways:
            way.refuse = False
    started.start(*(one for one, site in enumerate(started.sites) if site.has_ended))
    started.wait_holders(0, 1)
    return started


def _configure(site: Site, port: int) -> None:
    text, _, rest = site.configuration.read_text().partition("[[mailbox]]")
    tables = "".join(
        f'[[mailbox]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
        f'username = "{name}-hosts@example.com"\npassword = "{PASSWORD}"\ntimeout_seconds = 5\n'
        for name in NAMES
    )
    site.configuration.write_text(f"{text}{tables}[{rest.partition('[')[2]}")


def test_two_hosts_share_mailboxes_and_both_are_shown(two: Two) -> None:
    two.answer_both()
    [face] = two.sites[0].json("status")
    assert [len(host["mailboxes"]) for host in face["hosts"]] == [1, 1]
    assert [host["pid"] for host in face["hosts"]] == [site.process.pid for site in two.sites if site.process]
    assert face["daemon"]["pid"] == two.sites[1].process.pid if two.sites[1].process else False
    assert face["well"], face["troubles"]


def test_a_round_beside_daemons_leaves_them_their_mailboxes_and_says_so(two: Two) -> None:
    words = two.sites[0].cli("run", "--once").stderr
    assert all(f"mailbox {name} is left to the host that collects it" in words for name in NAMES)
    assert sorted(two.holders().values()) == [0, 1]


def test_a_host_that_ends_hands_over_in_seconds(two: Two) -> None:
    heard = [len(site.log) for site in two.sites]
    assert two.sites[0].stop() == 0
    two.wait_holders(1, 1)
    two.answer_both()
    assert not any("ERROR" in line for site, at in zip(two.sites, heard, strict=True) for line in site.log[at:])


def test_a_killed_host_s_mailbox_is_taken_over(two: Two) -> None:
    two.sites[0].stop(signal.SIGKILL)
    two.wait_holders(1, 1)
    two.answer_both()


def test_a_host_that_stands_still_is_replaced_and_comes_back_as_another(two: Two) -> None:
    first, heard = two.sites[0].process, len(two.sites[0].log)
    assert first is not None
    first.send_signal(signal.SIGSTOP)
    two.wait_holders(1, 1)
    two.answer_both()
    first.send_signal(signal.SIGCONT)
    two.sites[0].wait_log("was given up; it starts anew", heard)
    two.wait_holders(0, 1)
    two.answer_both()


def stand_still_at(two: Two, place: str, write: Callable[[], object], is_answered: Callable[[], bool]) -> None:
    """The first host comes to a stand at a failpoint with something in hand, and wakes when the other has done it."""
    two.sites[0].start(f"{place}:1:pause", **HURRY)
    two.wait_holders(0, 1)
    first, heard = two.sites[0].process, len(two.sites[0].log)
    assert first is not None

    def comes_to_a_stand() -> bool:
        if is_answered():  # the other host was quicker
            write()
        return stands_still(first.pid)

    until(comes_to_a_stand, f"a stop at {place}{two.told()}")
    two.wait_holders(1, 1)
    until(is_answered, f"what the other host sends{two.told()}")
    first.send_signal(signal.SIGCONT)
    two.sites[0].wait_log("was given up; it starts anew", heard)
    two.wait_holders(0, 1)
    two.answer_both()
    names = post.message_ids(two.smtp.accepted)
    assert sorted(names) == sorted(set(names)), two.told()


def test_a_host_that_stands_still_in_the_midst_of_a_mail_repeats_nothing_when_it_wakes(two: Two) -> None:
    """Its open transaction is ended by the other."""
    two.sites[0].stop()
    two.wait_holders(1, 1)
    people: list[str] = []

    def write() -> None:
        people.append(f"midst{len(people)}@example.org")
        for name in NAMES:  # of which the first host has one
            two.dovecot.append(post.request(f"{name}-{people[-1]}"), user=two.user(name))

    def recipients() -> list[str]:
        return [to for to in two.smtp.recipients() if "-midst" in to]

    stand_still_at(two, "intake.in_transaction", write, lambda: len(recipients()) == 2 * len(people))
    requesters = [ticket["requester"] for ticket in two.sites[1].tickets() if "-midst" in ticket["requester"]]
    assert sorted(requesters) == sorted(recipients()) == sorted({*recipients()})


def test_an_answer_that_was_begun_by_a_host_that_stands_still_is_sent_by_the_other_alone(two: Two) -> None:
    two.sites[0].stop()
    two.wait_holders(1, 1)
    two.answer_both()
    letter, answers = two.smtp.accepted[-1], iter(range(1, 100))
    desk = Desk(open_site(read_settings(two.sites[1].configuration, {}), two.database))
    written: list[str] = []

    def write() -> None:
        written.append(f"It has arrived, number {next(answers)}.")
        desk.reply(post.ticket_id(letter), written[-1], Wish(anyway=True))

    def is_answered() -> bool:
        return two.smtp.recipients().count(letter.recipients[0]) > len(written)

    stand_still_at(two, "outbox.begun", write, is_answered)
    history = [event["event"] for event in two.sites[1].show(post.ticket_id(letter))["history"]]
    assert history.count("staff-reply uncertain") == 1


def test_a_host_that_loses_the_database_for_a_while_comes_back(two: Two) -> None:
    two.databases[0].refuse = True
    two.databases[0].cut()
    two.wait_holders(1, 1)
    two.answer_both()
    two.databases[0].refuse = False
    two.wait_holders(0, 1)
    two.answer_both()


def test_a_reload_ends_a_mailbox_on_the_host_alone_that_does_not_know_it_any_more(two: Two) -> None:
    whole = two.sites[0].configuration.read_text()
    mine = next(name for name, host in two.holders().items() if host == 0)
    start = whole.index(f'[[mailbox]]\nname = "{mine}"')
    end = whole.index("[", start + 2)
    two.sites[0].configuration.write_text(whole[:start] + whole[end:])
    try:
        two.sites[0].hang_up()
        until(lambda: two.holders().get(mine) == 1, "the mailbox to go to the other host" + two.told())
        two.answer_both()
    finally:
        two.sites[0].configuration.write_text(whole)
        two.sites[0].hang_up()


def test_a_mailbox_whose_server_one_host_cannot_reach_goes_to_the_other(two: Two) -> None:
    two.mail[0].refuse = True
    two.mail[0].cut()
    two.wait_holders(1, 1)
    two.answer_both()
