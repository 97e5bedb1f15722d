"""Several hosts on one PostgreSQL with a standby: kills, pauses, cuts and a failover; then every mail is looked for."""

from __future__ import annotations

import contextlib
import io
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from mailticket.errors import StoreUnavailable
from mailticket.observe.failpoints import FAILPOINTS, HURRY
from mailticket.store import hosts, schema
from mailticket.store.engine import Database
from tests.e2e import post
from tests.e2e.site import Site
from tests.helpdesk import message_id
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.machine import stands_still, until
from tests.servers.postgres import Postgres
from tests.servers.proxy import Proxy
from tests.servers.relay import CommitRelay
from tests.servers.smtp import Accepted, SmtpSink
from tests.soak.proof import Written, broken, figures

NAMES = ("support", "sales")
_PATIENCE, _LAST_PATIENCE = 120.0, 420.0  # seconds; the second for what a server's trouble has put off
_A_TURN = 300  # mails for which everything happens once
_ENDS = {-signal.SIGKILL, 75}  # by a failpoint, and while the database is away at a start
_WORDS = "I ask for the second time: the transfer of {} EUR to my account is missing since Monday."


@dataclass
class Ways:
    """What is between a host and the servers."""

    commits: list[CommitRelay] = field(default_factory=list)
    database: list[Proxy] = field(default_factory=list)
    mail: list[Proxy] = field(default_factory=list)
    smtp: list[Proxy] = field(default_factory=list)

    def port(self, which: list[Proxy], target: int, stack: ExitStack) -> int:
        which.append(stack.enter_context(Proxy(target, keeps_bytes=False)))
        return which[-1].port


class Hosts:
    """The servers and the daemons, each with its own ways to them; and all that was written and done."""

    def __init__(self, folder: Path, seed: int, number: int, hurry: float, stack: ExitStack) -> None:
        self.random, self.hurry, self.lease = random.Random(seed), hurry, hosts.LEASE_SECONDS / hurry
        self.times: dict[str, list[float]] = defaultdict(list)
        self.happened: Counter[str] = Counter()
        self.written: dict[str, Written] = {}  # by Message-ID
        self.answers: dict[str, bool] = {}  # what staff wrote, and whether the command said that it was taken
        self.deliveries = self.starts = 0
        self.problems: list[str] = []
        self._numbers = iter(range(1, 10**9))
        self._answered: set[str] = set()
        self._disturbed = 0  # how often a failpoint has stopped a host
        self._left_alone: set[int] = set()  # hosts that stay as they are for now
        self._paused: dict[int, float] = {}  # processes that a failpoint has paused, and since when
        self._failpoints = self._shuffled_failpoints()
        self._start_servers(stack)
        self.ways: list[Ways] = []
        self.sites: list[Site] = []
        for one in range(number):
            self._install(folder / str(one), stack)
            self._start(one, "", ready=True)

    def _start_servers(self, stack: ExitStack) -> None:
        self.dovecot, self.sink = Dovecot(), SmtpSink()
        stack.callback(self.dovecot.close)
        stack.callback(self.sink.stop)
        self.primary = Postgres()
        stack.callback(self.primary.close)
        self._name = self.primary.database().rpartition("/")[2]
        self.standby = Postgres(self.primary)
        stack.callback(self.standby.close)
        self.primary.sql(f"ALTER DATABASE {self._name} SET synchronous_commit = on")
        self.primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.sql("SELECT pg_reload_conf()")
        until(self._is_synchronous, "the standby to follow")
        self.database = Database(self._url(self.primary.port, self.standby.port))
        stack.callback(self.database.close)
        schema.prepare(self.database)

    def _is_synchronous(self) -> bool:
        """Whether what is committed is on the standby."""
        followers = self.primary.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
        return followers == "1" and self.primary.sql("SHOW synchronous_commit", self._name) == "on"

    def _url(self, *ports: int) -> str:
        where = ",".join(f"127.0.0.1:{port}" for port in ports)
        return f"postgresql://mailticket@{where}/{self._name}?target_session_attrs=read-write"

    def _install(self, folder: Path, stack: ExitStack) -> None:
        ways = Ways()
        for server in (self.primary, self.standby):
            ways.commits.append(CommitRelay(server.port))
            stack.callback(ways.commits[-1].close)
        databases = [ways.port(ways.database, relay.port, stack) for relay in ways.commits]
        mail = ways.port(ways.mail, self.dovecot.plain_port, stack)
        smtp = ways.port(ways.smtp, self.sink.port, stack)
        folder.mkdir()
        site = Site(folder, self.dovecot, self.sink, self._url(*databases))
        stack.callback(_close_quietly, site)
        caps = {"total_hour": 10**6, "per_address_hour": 100, "per_address_day": 1000}
        site.configure(smtp={"port": smtp}, caps=caps, log={"level": "warning"})
        head, _, rest = site.configuration.read_text().partition("[[mailbox]]")
        tables = "".join(
            f'[[mailbox]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {mail}\nsecurity = "none"\n'
            f'username = "{name}@example.com"\npassword = "{PASSWORD}"\ntimeout_seconds = 5\npoll_seconds = 2\n'
            for name in NAMES
        )
        site.configuration.write_text(f"{head}{tables}[{rest.partition('[')[2]}")
        self.ways.append(ways)
        self.sites.append(site)

    def _shuffled_failpoints(self) -> Iterator[str]:
        """Where the next host that is started again stops: first where mails are in hand."""
        yield from ("outbox.begun:2:pause", "outbox.claimed:2:kill", "collect.fetched:1:pause")
        while True:
            places = [place for place in FAILPOINTS if place not in ("collect.answered", "collect.saved")]
            self.random.shuffle(places)
            for place in places:
                yield f"{place}:{self.random.randint(1, 5)}:{self.random.choice(('pause', 'kill'))}"
                yield ""

    def _start(self, one: int, fail: str, *, ready: bool = False) -> None:
        self.starts += 1
        self.sites[one].start(fail, ready=ready, **{HURRY: str(self.hurry)})

    # --- who writes ---------------------------------------------------------------------------------------------------

    def write(self, count: int) -> None:
        boxes: dict[str, list[bytes]] = {name: [] for name in NAMES}
        for _ in range(count):
            one, other = self.random.sample(NAMES, 2)
            dice = self.random.random()
            letters = self._acknowledgements()
            if dice < 0.1 and letters:
                letter = self.random.choice(letters)
                raw = post.reply(letter, f"One thing more, number {next(self._numbers)}.")
                self._note(raw, Written(letter.recipients[0], "reply", ticket=post.ticket_id(letter)))
                boxes[one].append(raw)
                continue
            person = f"p{next(self._numbers)}@example.org"
            if dice < 0.2:
                words = ("My transfer", _WORDS.format(next(self._numbers)))
                first, again = (post.request(person, *words) for _ in range(2))
                self._note(first, Written(person, "request"))
                self._note(again, Written(person, "repeat", first=message_id(first)))
                boxes[one].append(first)
                boxes[other].append(again)
                continue
            raw = post.request(person)
            self._note(raw, Written(person, "copied" if dice < 0.3 else "request"))
            boxes[one].append(raw)
            if dice < 0.3:
                boxes[other].append(raw)
        for name, raws in boxes.items():
            self.deliveries += self.dovecot.deliver(raws, user=f"{name}@example.com")

    def _note(self, raw: bytes, mail: Written) -> None:
        self.written[message_id(raw)] = mail

    def answer(self) -> None:
        """Staff answer a ticket twice by shell: the first answer goes first."""
        self._until(lambda: bool(self._unanswered()), "an acknowledgement")
        keys = self._unanswered()
        running = [site for one, site in enumerate(self.sites) if one not in self._left_alone]
        for key in self.random.sample(keys, min(2, len(keys))):
            self._answered.add(key)
            for _ in range(2):
                words = f"We look into it, number {next(self._numbers)}."
                done = self.random.choice(running).cli(
                    "ticket", "reply", key, "--text", words, "--anyway", "--json", code=None
                )
                self.answers[words] = done.returncode == 0
                self.happened["answers"] += 1

    def _acknowledgements(self) -> list[Accepted]:
        return [mail for mail in self.sink.accepted[-300:] if b"auto-replied" in mail.raw]

    def _unanswered(self) -> list[str]:
        """The keys of tickets that staff may answer now."""
        return sorted({post.ticket_id(mail) for mail in self._acknowledgements()} - self._answered)

    # --- what breaks --------------------------------------------------------------------------------------------------

    def end(self) -> None:
        with self._taken_over("term") as one:
            self.sites[one].stop()

    def kill(self) -> None:
        with self._taken_over("kill") as one:
            self.sites[one].stop(signal.SIGKILL)

    def pause(self) -> None:
        with self._taken_over("stop") as one:
            process = self.sites[one].process
            assert process is not None
            process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGCONT)

    def cut_database(self) -> None:
        """A holder has no way to the database, often for longer than the lease."""
        with self._taken_over("database cut") as one:
            self._refuse(self.ways[one].database)
        end = time.monotonic() + self.random.uniform(0, 2) * self.lease
        self._until(lambda: time.monotonic() > end, "the way to open again")
        self._refuse(self.ways[one].database, refuse=False)

    def cut_mail(self) -> None:
        """A holder does not reach the mail server."""
        with self._taken_over("mail cut") as one:
            self._refuse(self.ways[one].mail)
        self._refuse(self.ways[one].mail, refuse=False)

    def _refuse(self, ways: list[Proxy], *, refuse: bool = True) -> None:
        for way in ways:
            way.refuse = refuse
            if refuse:
                self.happened["connections cut"] += way.cut()

    def cut(self) -> None:
        """All connections of a host to a server are gone, and it may come back at once."""
        ways = self.random.choice(self.ways)
        for way in self.random.choice((ways.database, ways.mail, ways.smtp)):
            self.happened["connections cut"] += way.cut()

    def cut_commits(self) -> None:
        """A host loses the line in the midst of commits, on either side of each."""
        relays = self.random.choice(self.ways).commits
        before = _cuts(relays)
        for relay in relays:
            relay.armed = True
        self._until(
            lambda: all(now > then for now, then in zip(_cuts(relays), before, strict=True)), "commits to be cut"
        )
        for relay in relays:
            relay.armed = False

    def fail_over(self) -> None:
        if not self._is_synchronous():
            self.problems.append("the standby did not follow: what is lost now is PostgreSQL's")
        self.happened["promotion of a synchronous standby"] += 1
        self.primary.stop()
        self.standby.promote()

    @contextmanager
    def _taken_over(self, kind: str) -> Iterator[int]:
        """What the block does to a holder lets others take its mailboxes over; that is awaited and timed."""
        self._until(self._all_is_well, "all hosts to run, and all mailboxes to be held")
        pid = self.random.choice(sorted(self._held().values()))
        one = next(one for one, site in enumerate(self.sites) if site.process is not None and site.process.pid == pid)
        self._left_alone.add(one)
        disturbed, began = self._disturbed, time.monotonic()
        yield one
        self._until(
            lambda: len(self._held()) == len(NAMES) and pid not in self._held().values(), f"{kind}: a take-over"
        )
        self._left_alone.discard(one)
        self.happened["take-overs"] += 1
        if disturbed == self._disturbed:
            self.times[kind].append(time.monotonic() - began)

    def _held(self) -> dict[str, int]:
        """The process of each mailbox."""
        try:
            with self.database.read() as session:
                pids = {host.id: host.pid for host in hosts.living(session)}
                return {name: pids[host] for name, host, _ in hosts.holdings(session) if host in pids}
        except StoreUnavailable:
            return {}

    def _all_is_well(self) -> bool:
        processes = {site.process.pid for site in self.sites if site.process is not None and not site.has_ended}
        held = self._held()
        return (
            len(processes) == len(self.sites) and not self._paused and not any(map(stands_still, processes))
            and len(held) == len(NAMES) and processes.issuperset(held.values())
        )  # fmt: skip

    def _until(self, question: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
        """Wait, while a host that a failpoint has ended is started again and one that it has paused wakes some time."""
        end = time.monotonic() + patience
        while not question():
            self._tend()
            if time.monotonic() > end:
                raise AssertionError(f"waited {patience:.0f} s in vain for {what}\n{self.told()}")
            time.sleep(0.05)

    def _tend(self) -> None:
        for one, site in enumerate(self.sites):
            if one in self._left_alone or site.process is None:
                continue
            pid = site.process.pid
            if site.has_ended:
                self._paused.pop(pid, None)
                self._note_end(site)
                self._start(one, next(self._failpoints))
            elif pid not in self._paused and stands_still(pid):
                self._paused[pid] = time.monotonic()
                self._disturbed += 1
                self.happened["paused at a failpoint"] += 1
            elif time.monotonic() - self._paused.get(pid, time.monotonic()) > 1.5 * self.lease:
                del self._paused[pid]
                site.process.send_signal(signal.SIGCONT)

    def _note_end(self, site: Site) -> None:
        code = site.process.returncode if site.process is not None else 0
        if code:
            self._disturbed += 1
            self.happened[f"ended with {code}"] += 1
        if code and code not in _ENDS:
            self.problems.append(f"a daemon ended with {code}: {site.log[-5:]}")

    # --- the end ------------------------------------------------------------------------------------------------------

    def waiting(self) -> int:
        """How many mails wait to be taken in or sent."""
        try:
            with self.database.read() as session:
                decided, letters = session.connection().execute(text(
                    "SELECT (SELECT count(*) FROM incoming WHERE state <> 'listed'), "
                    "(SELECT count(*) FROM outgoing WHERE state IN ('queued', 'deferred', 'sending'))"
                )).one()  # fmt: skip
        except StoreUnavailable:
            return self.deliveries
        return self.deliveries - int(decided) + int(letters)

    def wait_for_fewer(self, number: int, patience: float = _PATIENCE) -> None:
        self._until(lambda: self.waiting() <= number, f"no more than {number} mails to wait", patience)

    def all_is_flagged(self) -> bool:
        """Whether the servers' copies say that they were taken in."""
        flags = [self.dovecot.flags(f"{name}@example.com").values() for name in NAMES]
        return all("\\Seen" in of_one for of_box in flags for of_one in of_box)

    def calm(self) -> None:
        """Whatever waits is done; then all end in order."""
        self.wait_for_fewer(0, _LAST_PATIENCE)
        self._until(self.all_is_flagged, "every mail to be flagged")
        self._until(self._all_is_well, "all hosts to run")
        for site in self.sites:
            code = site.stop()
            if code not in (0, -signal.SIGKILL):
                self.problems.append(f"a daemon that was asked to stop ended with {code}")

    def told(self) -> str:
        logs = "".join(f"\n--- host {one}:\n" + "\n".join(site.log[-40:]) for one, site in enumerate(self.sites))
        return f"{self.waiting()} wait, {self._held()}, {dict(self.happened)}{logs}"


def _cuts(relays: list[CommitRelay]) -> list[int]:
    """How many commits were cut before the server heard of them, and how many after."""
    return [sum(relay.cuts[side] for relay in relays) for side in ("before", "after")]


def _close_quietly(site: Site) -> None:
    with contextlib.redirect_stdout(io.StringIO()):  # which has the log, for tests
        site.close()


def soak(folder: Path, seed: int, number: int, mails: int, hurry: float) -> list[str]:
    """One run; prints the figures and returns what is broken."""
    with ExitStack() as stack:
        world = Hosts(folder, seed, number, hurry, stack)
        kinds = [world.end, world.kill, world.kill, world.pause, world.cut_database, world.cut_mail,
                 world.cut, world.cut, world.cut_commits, world.answer]  # fmt: skip
        deeds: list[Callable[[], None]] = []
        for _ in range(max(1, mails // _A_TURN)):
            world.random.shuffle(kinds)
            deeds += kinds
        deeds.insert(len(deeds) // 2, world.fail_over)
        portion = -(-mails // len(deeds))
        try:
            for deed in deeds:
                world.write(portion)
                deed()
                world.wait_for_fewer(3 * portion)
            world.calm()
        except AssertionError as error:
            world.problems.append(str(error))
        print(*figures(world), sep="\n")
        problems = [*world.problems, *broken(world)]
        if problems:
            print(world.told(), file=sys.stderr)
        return problems
