"""This process among those that share the database: its number, its sign of life, and its mailboxes."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal

import mailticket
from mailticket.errors import AlreadyRunning, ConfigurationError, Fenced, MailticketError, StoreUnavailable
from mailticket.models import Host
from mailticket.observe.failpoints import hurried
from mailticket.site import wall_clock
from mailticket.store import hosts, outgoing, schema
from mailticket.store.engine import Database
from mailticket.store.hosts import BEAT_SECONDS, LEASE_SECONDS, Sharing
from mailticket.store.lock import RunLock

log = logging.getLogger("mailticket.service.member")

_ALONE_BEAT = 60.0  # seconds: on a SQLite file the beat is for people only
_ROUND_LEASES = 10  # a round does not last long enough to tell a dead host from a database that was away


class Member:
    """A daemon, or a round of `run --once`, as the others see it. It beats in a thread of its own.

    A database that cannot be written is no reason to end; then the beat is missing, which is what others should see.
    """

    def __init__(
        self,
        database: Database,
        lock: RunLock,
        kind: Literal["daemon", "round"],
        is_well: Callable[[], bool] = lambda: True,
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        """is_well: no beat is written while it says no. on_news: called when `is_given_up` or `trouble` has changed."""
        self.number = 0
        self.is_given_up = True  # by the others, or not there yet: we hold nothing, `join` begins anew
        self.trouble: MailticketError | None = None  # somebody works on the database alone, or did: we may not go on
        self._database, self._lock, self._kind = database, lock, kind
        self._is_well, self._on_news = is_well, on_news
        self.is_alone = database.is_sqlite
        self._lease = hurried(LEASE_SECONDS)
        self._every = hurried(_ALONE_BEAT if self.is_alone else BEAT_SECONDS)
        self._mailboxes: Sequence[str] | None = None
        self._watching_since = 0.0  # monotonic: how long the database has been there without a break
        self._missed = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, name="beat", daemon=True)

    def join(self, mailboxes: Sequence[str]) -> int:
        """Become a host, or another one after we were given up; returns its number.

        Raises StoreUnavailable, and what `trouble` may be.
        """
        self._hold_on()  # before there is a row, of which each try would leave one
        now = wall_clock()
        with self._database.write() as session:
            number = hosts.register(
                session, self._kind, socket.gethostname(), os.getpid(), mailticket.__version__, now,
                self._database.sessions, mailboxes,
            )  # fmt: skip
        self._lock.appear(number)
        self.number, self._mailboxes = number, None
        self._watching_since = time.monotonic()
        self._bury_predecessors()
        self.is_given_up = False  # last, for who could not come so far must begin anew
        if not self._thread.is_alive():
            self._thread.start()
        return number

    def offer(self, mailboxes: Sequence[str]) -> None:
        """Which mailboxes we would collect from now on."""
        self._mailboxes = mailboxes
        self._beat()

    def sharing(self) -> Sharing:
        """Who is there and has what."""
        with self._database.read() as session:
            return hosts.sharing(session)

    def take(self, mailbox: str, former: int | None) -> bool:
        """Take a mailbox; False where another was quicker."""
        with self._database.write() as session:
            return hosts.take(session, self.number, mailbox, former, wall_clock())

    def give_back(self, mailbox: str) -> None:
        with self._database.write() as session:
            hosts.give_back(session, self.number, mailbox, wall_clock())

    def leave(self) -> None:
        """An orderly end: all that we hold is free."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._every)
        try:
            with self._database.write() as session:
                hosts.leave(session, self.number, wall_clock())
        except StoreUnavailable as error:
            log.warning("the end could not be written; the others notice it later: %s", error)

    def _keep_beating(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                if self._is_well() and not self.is_given_up:
                    self._beat()
            except Exception:  # a host that does not beat any more is given up by the others
                log.exception("the beat: a defect")

    def _beat(self) -> None:
        try:
            self._hold_on()
            with self._database.write(urgent=True) as session:
                hosts.beat(session, self.number, wall_clock(), self._mailboxes)
            self._bury_silent()
            self._missed = False
        except Fenced as error:
            log.error("host %d: %s", self.number, error)
            self.is_given_up = True
            self._on_news()
        except (AlreadyRunning, ConfigurationError) as error:
            self.trouble = error
            self._on_news()
        except StoreUnavailable as error:
            if not self._missed:
                log.warning("the sign of life could not be written: %s", error)
            self._missed = True
            self._watching_since = time.monotonic()

    def _hold_on(self) -> None:
        """Have our locks, anew where their connection is gone. Others may have taken mailboxes meanwhile."""
        try:
            self._lock.check()
        except StoreUnavailable as error:
            if not self._missed:
                log.warning("the connection that holds our locks is gone, they are taken anew: %s", error)
            self._lock.again()
            if not schema.fits(self._database):
                raise ConfigurationError([schema.unusable(schema.current(self._database))]) from error
            self._watching_since = time.monotonic()

    def _bury_silent(self) -> None:
        """Declare dead who was silent for the lease, if the database was there for us all that time: after it was away
        for everybody, the first who is back must not take the others for dead."""
        lease = self._lease * _ROUND_LEASES if self._kind == "round" else self._lease
        if self.is_alone or (self._kind == "daemon" and time.monotonic() - self._watching_since < lease):
            return
        with self._database.read() as session:
            silent = hosts.silent(session, self.number, lease, wall_clock())
        self._bury(silent, lease)

    def _bury_predecessors(self) -> None:
        """Whoever ran here before and is no process any more will not be heard from again."""
        with self._database.read() as session:
            gone = hosts.gone_from(session, self.number, socket.gethostname())
        self._bury([host for host in gone if self.is_alone or not _runs(host.pid)], 0.0)

    def _bury(self, candidates: Sequence[Host], lease: float) -> None:
        if not candidates:
            return
        for host in candidates:
            if host.sessions == self._database.sessions:  # of a try of ours to join that did not come to its end
                continue
            with self._database.write() as session:
                hosts.cut(session, host)
        with self._database.write() as session:
            now = wall_clock()
            dead = hosts.give_up(session, [int(host.id or 0) for host in candidates], lease, now)
            again, unsure = outgoing.recover_orphans(session, now) if dead else (0, 0)
        for host in candidates:
            if host.id in dead:
                log.warning(
                    "host %d (process %d on %s) was not heard from and is given up", host.id, host.pid, host.name
                )
        if again or unsure:
            log.warning("of mails that were on their way out %d are queued again, %d uncertain", again, unsure)


def _runs(pid: int) -> bool:
    """Whether another process of this machine has the number."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
