"""Two hosts on one PostgreSQL: who collects what, and who takes over when the other dies, hangs or is cut off."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailticket.store import hosts, schema
from mailticket.store.engine import Database
from tests.e2e import post
from tests.e2e.site import Site
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.machine import until
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
        for one in which or (0, 1):
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
        return f"{name}-{self.dovecot.user}"

    def told(self) -> str:
        return "".join(f"\n--- host {one}: {site.told()}" for one, site in enumerate(self.sites))


@pytest.fixture
def two(tmp_path: Path, dovecot: Dovecot, smtp_sink: SmtpSink, postgres_server: Postgres) -> Iterator[Two]:
    url = postgres_server.database()
    database = Database(url)
    schema.prepare(database)
    with ExitStack() as stack:
        ways = [(stack.enter_context(Proxy(postgres_server.port)), stack.enter_context(Proxy(dovecot.plain_port)))
                for _ in range(2)]  # fmt: skip
        sites = []
        for one, (way, mail) in enumerate(ways):
            folder = tmp_path / f"host{one}"
            folder.mkdir()
            site = Site(folder, dovecot, smtp_sink, url.replace(f":{postgres_server.port}/", f":{way.port}/"))
            stack.callback(site.close)
            _configure(site, dovecot, mail.port)
            sites.append(site)
        pair = Two(sites, [way for way, _ in ways], [mail for _, mail in ways], dovecot, smtp_sink, database)
        stack.callback(postgres_server.drop, url)
        stack.callback(database.close)
        yield pair


def _configure(site: Site, dovecot: Dovecot, port: int, names: tuple[str, ...] = NAMES) -> None:
    site.configure()
    text, _, rest = site.configuration.read_text().partition("[[mailbox]]")
    tables = "".join(
        f'[[mailbox]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
        f'username = "{name}-{dovecot.user}"\npassword = "{PASSWORD}"\ntimeout_seconds = 5\n'
        for name in names
    )
    site.configuration.write_text(f"{text}{tables}[{rest.partition('[')[2]}")


def test_two_hosts_share_mailboxes_and_one_that_ends_hands_over_in_seconds(two: Two) -> None:
    two.start(0)
    two.wait_holders(0, 0)
    two.start(1)
    two.wait_holders(0, 1)
    two.answer_both()
    assert two.sites[0].stop() == 0
    two.wait_holders(1, 1)
    two.answer_both()
    assert not any("ERROR" in line for site in two.sites for line in site.log)


def test_a_killed_host_s_mailbox_is_taken_over(two: Two) -> None:
    two.start()
    two.wait_holders(0, 1)
    two.sites[0].stop(signal.SIGKILL)
    two.wait_holders(1, 1)
    two.answer_both()


def test_a_host_that_stands_still_is_replaced_and_comes_back_as_another(two: Two) -> None:
    two.start()
    two.wait_holders(0, 1)
    first = two.sites[0].process
    assert first is not None
    first.send_signal(signal.SIGSTOP)
    two.wait_holders(1, 1)
    two.answer_both()
    first.send_signal(signal.SIGCONT)
    two.wait_holders(0, 1)
    assert two.sites[0].wait_log("was given up; it starts anew")
    two.answer_both()
    assert [site.stop() for site in two.sites] == [0, 0]


def test_a_host_that_loses_the_database_for_a_while_comes_back(two: Two) -> None:
    two.start()
    two.wait_holders(0, 1)
    two.databases[0].refuse = True
    two.databases[0].cut()
    two.wait_holders(1, 1)
    two.answer_both()
    two.databases[0].refuse = False
    two.wait_holders(0, 1)
    two.answer_both()
    assert [site.stop() for site in two.sites] == [0, 0]


def test_a_mailbox_whose_server_one_host_cannot_reach_goes_to_the_other(two: Two) -> None:
    two.start()
    two.wait_holders(0, 1)
    two.mail[0].refuse = True
    two.mail[0].cut()
    two.wait_holders(1, 1)
    two.answer_both()
