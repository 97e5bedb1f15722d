"""Several hosts on one PostgreSQL with a standby: kills, pauses, cuts and a failover; then every mail is counted."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import text

from mailticket.store import hosts, schema
from mailticket.store.engine import Database
from tests.e2e import post
from tests.e2e.site import Site
from tests.helpdesk import message_id
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.machine import until
from tests.servers.postgres import Postgres
from tests.servers.proxy import Proxy
from tests.servers.smtp import SmtpSink

_HURRY = {"MAILTICKET_HURRY": "15"}  # a lease of 2 s
_NAMES = ("support", "sales")
_PATIENCE = 120


class Hosts:
    """The servers and the daemons, each with its own ways to them."""

    def __init__(self, folder: Path, seed: int, number: int, stack: ExitStack) -> None:
        self.random, self.times, self.happened = random.Random(seed), list[float](), Counter[str]()
        self.people: list[str] = []
        self.dovecot, self.sink = Dovecot(), SmtpSink()
        stack.callback(self.dovecot.close)
        stack.callback(self.sink.stop)
        self.primary = Postgres()
        stack.callback(self.primary.close)
        url = self.primary.database()
        self.standby = Postgres(self.primary)
        stack.callback(self.standby.close)
        self.primary.sql(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = on")
        self.primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.sql("SELECT pg_reload_conf()")
        self.ways: list[list[Proxy]] = []
        self.sites: list[Site] = []
        self.database = Database(self._url(url, self.primary.port, self.standby.port))
        stack.callback(self.database.close)
        schema.prepare(self.database)
        for one in range(number):
            ports = (self.primary.port, self.standby.port, self.dovecot.plain_port, self.sink.port)
            ways = [stack.enter_context(Proxy(port)) for port in ports]
            self.ways.append(ways)
            place = folder / str(one)
            place.mkdir()
            site = Site(place, self.dovecot, self.sink, self._url(url, ways[0].port, ways[1].port))
            stack.callback(site.close)
            site.configure(smtp={"port": ways[3].port}, caps={"total_hour": 10**6}, log={"level": "warning"})
            head, _, rest = site.configuration.read_text().partition("[[mailbox]]")
            tables = "".join(
                f'[[mailbox]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {ways[2].port}\nsecurity = "none"\n'
                f'username = "{name}@example.com"\npassword = "{PASSWORD}"\ntimeout_seconds = 5\npoll_seconds = 2\n'
                for name in _NAMES
            )
            site.configuration.write_text(f"{head}{tables}[{rest.partition('[')[2]}")
            self.sites.append(site)
            site.start(**_HURRY)

    @staticmethod
    def _url(url: str, *ports: int) -> str:
        where = ",".join(f"127.0.0.1:{port}" for port in ports)
        return f"postgresql://mailticket@{where}/{url.rpartition('/')[2]}?target_session_attrs=read-write"

    def write(self, count: int) -> None:
        for name in _NAMES:
            people = [f"p{len(self.people) + number}@example.org" for number in range((count + 1) // 2)]
            self.people += people
            self.dovecot.deliver([post.request(person) for person in people], user=f"{name}@example.com")

    def _held(self) -> dict[str, int]:
        with self.database.read() as session:
            pids = {host.id: host.pid for host in hosts.living(session)}
            return {name: pids[host] for name, host, _ in hosts.holdings(session) if host in pids}

    def replace(self) -> None:
        """A holder is killed, or stands still for longer than the lease, and is replaced."""
        until(lambda: len(self._held()) == len(_NAMES), "all mailboxes to be held", _PATIENCE)
        pid = self.random.choice(sorted(self._held().values()))
        site = next(site for site in self.sites if site.process is not None and site.process.pid == pid)
        how = self.random.choice((signal.SIGKILL, signal.SIGSTOP))
        self.happened[how.name] += 1
        assert site.process is not None
        begun = time.monotonic()
        site.process.send_signal(how)
        until(lambda: len(self._held()) == len(_NAMES) and pid not in self._held().values(), "a take-over", _PATIENCE)
        self.times.append(time.monotonic() - begun)
        if how is signal.SIGSTOP:
            site.process.send_signal(signal.SIGCONT)
        else:
            site.process.wait()
            site.start(ready=False, **_HURRY)

    def cut(self) -> None:
        self.happened["cut"] += 1
        self.random.choice(self.random.choice(self.ways)).cut()

    def fail_over(self) -> None:
        self.happened["promotion"] += 1
        self.primary.stop()
        self.standby.promote()

    def rest(self) -> str:
        """What still waits, in words; empty when nothing does."""
        with self.database.read() as session:
            run = session.connection().execute
            listed = run(text("SELECT count(*) FROM incoming WHERE state = 'listed'")).scalar_one()
            tickets = run(text("SELECT count(*) FROM ticket")).scalar_one()
            waiting = run(
                text("SELECT count(*) FROM outgoing WHERE state IN ('queued', 'deferred', 'sending')")
            ).scalar_one()
        if listed or waiting or tickets < len(self.people):
            return f"{listed} listed, {waiting} waiting, {tickets} tickets of {len(self.people)}"
        return ""


def soak(folder: Path, seed: int, number: int, mails: int) -> list[str]:
    """One run; prints the figures and returns what is broken."""
    with ExitStack() as stack:
        world = Hosts(folder, seed, number, stack)
        deeds = [world.replace] * 4 + [world.cut] * 8
        world.random.shuffle(deeds)
        deeds.insert(len(deeds) // 2, world.fail_over)
        for deed in deeds:
            world.write(mails // len(deeds))
            deed()
        end = time.monotonic() + _PATIENCE
        while world.rest() and time.monotonic() < end:
            time.sleep(0.5)
        return [*([world.rest()] if world.rest() else []), *_broken(world)]


def _broken(world: Hosts) -> list[str]:
    with world.database.read() as session:
        run = session.connection().execute
        arrived = dict(run(text("SELECT state, count(*) FROM incoming GROUP BY 1")).tuples().all())
        sent = dict(run(text("SELECT state, count(*) FROM outgoing GROUP BY 1")).tuples().all())
        tickets = run(text("SELECT count(*) FROM ticket")).scalar_one()
    copies = Counter(message_id(mail.raw) for mail in world.sink.accepted)
    doubled = [name for name, count in copies.items() if count > 1]
    times = sorted(world.times)
    print(f"mails {len(world.people)}, tickets {tickets}, incoming {arrived}, outgoing {sent}, {dict(world.happened)}")
    print(f"sent twice {len(doubled)}, uncertain {sent.get('uncertain', 0)}")
    print(f"take-over: median {times[len(times) // 2]:.1f} s, worst {times[-1]:.1f} s")
    problems = [f"sent more than once: {doubled[:5]}"] if doubled else []
    if sum(arrived.values()) != len(world.people) or tickets != len(world.people):
        problems.append(f"{len(world.people)} mails, {arrived}, {tickets} tickets")
    return problems
