"""What runs when, and how it stops: mailboxes, a thread for the outbox, housekeeping, signals, the watchdog."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Literal

from apscheduler.schedulers.background import BackgroundScheduler

import mailticket.service.whole  # noqa: F401 - in the daemon all that others load late is loaded at the start
from mailticket import observe
from mailticket.desk.protocol import socket_path
from mailticket.errors import ConfigurationError, MailticketError, StoreUnavailable
from mailticket.intake.collect import Collector
from mailticket.intake.sent_folder import collector_of
from mailticket.oauth2.tokens import Tokens
from mailticket.observe.failpoints import hurried
from mailticket.outbox.couriers import couriers_of
from mailticket.outbox.deliver import DELIVERY, Outbox
from mailticket.service import memory, reload
from mailticket.service.desk_door import DeskDoor
from mailticket.service.mailboxes import Mailboxes
from mailticket.service.member import Member
from mailticket.settings import Mailbox, Settings
from mailticket.site import Site, broken_letters, open_site
from mailticket.smtp import Outcome
from mailticket.store import schema
from mailticket.store.engine import Database, must_be_sound
from mailticket.store.hosts import BEAT_SECONDS
from mailticket.store.lock import RunLock, host_lock
from mailticket.store.outgoing import Due
from mailticket.upkeep.chores import Upkeep
from mailticket.upkeep.troubles import note_defect

if TYPE_CHECKING:
    from mailticket.intake.take_in import Result

log = logging.getLogger("mailticket.service.daemon")

_PAUSE = (2.0, 300.0)
_PATIENCE = 300.0  # seconds without a sign of life after which a thread that has work to do counts as hung
_WATCHDOG_PATIENCE = 5  # the same in turns of feeding the watchdog: 300 s with the unit's WatchdogSec=120
_LETTER_FIRST = 0.02  # seconds that a mailbox leaves the interpreter to the letter of a mail that came alone
_STOP_SECONDS = 45.0
_PREPARE_SECONDS = 600.0  # a migration or a check of a large database may take longer than a start usually does
_UPKEEP_MINUTES = 5
_STATUS_SECONDS = 10.0

Wish = Literal["stop", "reload", "look"]


@dataclass
class Watchers:
    """Who is told what happens, beside the log: the demo shows it, `run --once` counts it."""

    taken: Callable[[Sequence[Result]], None] = lambda results: None
    delivered: Callable[[Due, Outcome], None] = lambda due, outcome: None


class Daemon:
    """The running program.

    read: reads the configuration, at start and on SIGHUP. mailboxes: the names of those that it may collect; None for
    all that are configured.
    """

    def __init__(
        self,
        read: Callable[[], Settings],
        watchers: Watchers | None = None,
        mailboxes: Collection[str] | None = None,
    ) -> None:
        self._read = read
        self._pins = mailboxes
        self._watchers = watchers or Watchers()
        self._settings = read()
        self._beats = observe.Heartbeats()
        self._notifier = observe.Notifier(os.environ)
        fed_every = self._notifier.watchdog_seconds
        self._patience = _WATCHDOG_PATIENCE * fed_every if fed_every else _PATIENCE
        # A signal handler may interrupt the main thread at its wait. `put` of this queue can do that; `set` of an Event
        # would wait for a lock that the interrupted wait holds, and so for ever.
        self._wishes: SimpleQueue[Wish] = SimpleQueue()
        self._counts: Counter[str] = Counter()
        self._outbox: Outbox | None = None
        self._delivering: threading.Thread | None = None
        self._outbox_ends = threading.Event()
        self._waits_for_store = False
        self._door: DeskDoor | None = None
        self.ready = threading.Event()

    def run(self) -> None:
        """Run until told to stop. Raises AlreadyRunning, ConfigurationError or StoreUnavailable at the start."""
        memory.give_large_blocks_back()
        database = Database(self._settings.database.url)
        try:
            if not database.is_sqlite:  # under the lock of this process alone the tables could not be changed
                self._prepare(database)
            with host_lock(database) as lock:
                if lock.after_crash:
                    must_be_sound(database)
                self._tokens = Tokens(database)
                self._start(self._open(database), lock)
                try:
                    self._watch()
                finally:
                    self._stop()
        finally:
            database.close()

    def stop(self) -> None:
        """Ask the daemon to end; callable from any thread and from a signal handler."""
        self._wishes.put("stop")

    def reload(self) -> None:
        """Ask for the configuration and the templates to be read again."""
        self._wishes.put("reload")

    def handle_signals(self) -> None:
        """SIGTERM and SIGINT end, SIGHUP reloads. Only the main thread may call this."""
        signal.signal(signal.SIGTERM, lambda *_: self.stop())
        signal.signal(signal.SIGINT, lambda *_: self.stop())
        signal.signal(signal.SIGHUP, lambda *_: self.reload())

    def _prepare(self, database: Database) -> None:
        self._notifier.more_time(_PREPARE_SECONDS)
        if schema.prepare(database, self._preparing):
            log.info("the database is at step %s now", schema.HEAD)

    def _open(self, database: Database) -> Site:
        self._prepare(database)
        site = open_site(self._settings, database)
        for problem in broken_letters(self._settings, site.letters):
            log.error("a template is broken, the built-in one is used instead: %s", problem)
        return site

    def _preparing(self, done: int, total: int) -> None:
        self._notifier.more_time(_PREPARE_SECONDS)
        log.info("the search index is built for this release: %d of %d tickets", done, total)

    def _start(self, site: Site, lock: RunLock) -> None:
        self._site = site
        self._upkeep = Upkeep(site, self._wake_outbox)
        self._lock = lock
        self._member = Member(site.database, lock, "daemon", self._is_well, partial(self._wishes.put, "look"))
        self._mailboxes = Mailboxes(site, self._member, self._collector, self._beat, self._beats.done, self._pins)
        self._enter()
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        self._scheduler.add_job(self._keep_house, "interval", minutes=_UPKEEP_MINUTES)
        self._scheduler.start()
        self._open_door()
        memory.seek_garbage_seldom()
        log.info("mailticket is running, mailboxes: %d", len(site.settings.mailbox))
        self._notifier.ready(self._summary())
        self.ready.set()

    def _enter(self) -> None:
        """Become a host, or another one, and begin to work. A database that takes no writes now is asked again."""
        try:
            number = self._member.join(self._mailboxes.offers())
        except StoreUnavailable as error:
            self._note_waiting("work begins", error)
            return
        self._put_in_place(replace(self._site, host=number))
        self._start_outbox()
        self._share()

    def _begin_anew(self) -> None:
        """The others have given us up: let go of all, and come back as another host."""
        self._let_go()
        self._enter()

    def _let_go(self) -> None:
        """Mailboxes end after the chunk in hand, the outbox after the replies it waits for."""
        end = time.monotonic() + _STOP_SECONDS
        self._outbox_ends.set()
        if self._outbox is not None:
            self._outbox.stop()
        self._mailboxes.stop(_STOP_SECONDS)
        if self._delivering is not None:
            self._delivering.join(max(0.1, end - time.monotonic()))
            if self._delivering.is_alive():
                log.error("outbox did not end in time")

    def _put_in_place(self, site: Site) -> None:
        self._site = self._upkeep.site = site

    def _is_well(self) -> bool:
        return not self._beats.late(time.monotonic())

    def _share(self) -> None:
        try:
            self._mailboxes.share()
            self._waits_for_store = False
        except StoreUnavailable as error:
            self._note_waiting("mailboxes are shared out", error)

    def _note_waiting(self, what: str, error: StoreUnavailable) -> None:
        if not self._waits_for_store:
            log.warning("%s when the database can be asked and written: %s", what, error)
        self._waits_for_store = True

    def _open_door(self) -> None:
        path = socket_path(os.environ)
        if path is not None:
            self._door = DeskDoor(path, lambda: self._site, self._wake_outbox)
            self._door.open()

    def _collector(self, mailbox: Mailbox) -> Collector:
        site, name = self._site, f"mailbox {mailbox.name}"
        secret = self._tokens.secret(site.settings, mailbox)
        return collector_of(site, mailbox, secret, self._took_in, partial(self._beat, name))

    def _start_outbox(self) -> None:
        self._outbox_ends = threading.Event()
        self._delivering = threading.Thread(
            target=self._keep_delivering, args=(self._outbox_ends,), name="outbox", daemon=True
        )
        self._beat("outbox")
        self._delivering.start()

    def _beat(self, name: str, quiet: float = 0.0) -> None:
        """A thread is alive; `quiet` seconds of what comes now may be waiting for others."""
        self._beats.beat(name, quiet + self._patience)

    def _keep_delivering(self, ends: threading.Event) -> None:
        shortest, longest = _PAUSE
        pause = shortest
        while not ends.is_set():
            began = time.monotonic()
            try:
                asyncio.run(self._deliver(ends))
            except Exception as error:
                note_defect(self._site, DELIVERY, error)
                pause = shortest if time.monotonic() - began > longest else min(longest, 2 * pause)
                self._beat("outbox", pause)
                ends.wait(pause)
        self._beats.done("outbox")

    async def _deliver(self, ends: threading.Event) -> None:
        site = self._site
        couriers = couriers_of(site.settings, self._tokens)
        self._outbox = Outbox(site, couriers.pop(""), self._delivered, partial(self._beat, "outbox"), couriers)
        # A stop or a reload may have come before there was anything to stop.
        if not ends.is_set() and site is self._site:
            await self._outbox.run()

    def _wake_outbox(self) -> None:
        if self._outbox is not None:
            self._outbox.wake()

    def _took_in(self, results: Sequence[Result]) -> None:
        rested = self._outbox is not None and self._outbox.wait_for_rest(0)
        self._wake_outbox()
        for result in results:
            self._counts[result.state] += 1
        self._watchers.taken(results)
        # Somebody waits for the letter, and nobody for what is left to do in the mailbox. Where more is to be sent or
        # taken in, there is no end to wait for.
        if rested and self._outbox is not None and len(results) == 1 and results[0].letter:
            self._outbox.wait_for_rest(_LETTER_FIRST)

    def _delivered(self, due: Due, outcome: Outcome) -> None:
        self._counts[outcome.kind] += 1
        self._watchers.delivered(due, outcome)

    def _keep_house(self) -> None:
        try:
            if self._lock.has_chores():
                self._upkeep.run()
        except StoreUnavailable as error:
            log.warning("housekeeping waits: %s", error)
        except Exception:
            log.exception("housekeeping: a defect")

    def _watch(self) -> None:
        """The main thread: feeds the watchdog while every thread beats, shares mailboxes, reloads, tells systemd."""
        every = min(self._notifier.watchdog_seconds or _STATUS_SECONDS, _STATUS_SECONDS)
        if not self._member.is_alone:
            every = min(every, hurried(BEAT_SECONDS))
        while "stop" not in (wishes := self._wait(every)):
            if "reload" in wishes:
                self._reload()
            self._site.database.check()
            if self._member.trouble is not None:
                raise self._member.trouble
            if self._member.is_given_up:
                self._begin_anew()
            elif not self._member.is_alone:
                self._share()
            late = self._beats.late(time.monotonic())
            if not late:
                self._notifier.alive()
            else:
                log.error("not heard from: %s", ", ".join(f"{name} for {s:.0f} s" for name, s in late.items()))
            self._notifier.status(self._summary())

    def _wait(self, seconds: float) -> set[Wish]:
        """What is wished of the main thread: all of now, or the first that comes within so many seconds."""
        wishes: set[Wish] = set()
        with suppress(Empty):
            wishes.add(self._wishes.get(timeout=seconds))
            for _ in range(self._wishes.qsize()):
                wishes.add(self._wishes.get_nowait())
        return wishes

    def _summary(self) -> str:
        counts = self._counts
        return (
            f"{counts['opened']} opened, {counts['appended']} appended, {counts['filed']} filed, "
            f"{counts['quarantined']} quarantined, {counts['sent']} sent since start"
        )

    def _reload(self) -> None:
        """Take the new configuration if it is good, else keep the old one; who asked hears which."""
        self._notifier.reloading()
        mark = reload.asked(os.environ)
        notes = []
        try:
            settings = self._read()
            if settings.database != self._site.settings.database:
                notes.append("[database] takes effect only at a restart; the old one stays in use")
            site = open_site(settings, self._site.database, host=self._member.number)
            if broken := broken_letters(settings, site.letters):
                raise ConfigurationError(broken)
        except MailticketError as error:
            log.error("reload refused, the old configuration stays: %s", error)
            self._notifier.ready("reload refused: see the log; the old configuration stays")
            problems = error.problems if isinstance(error, ConfigurationError) else [str(error)]
            reload.tell(reload.Reloaded(problems=problems), mark, os.environ)
            return
        for note in notes:
            log.warning(note)
        self._replace(site)
        log.info("configuration and templates were read again")
        self._notifier.ready(self._summary())
        reload.tell(reload.Reloaded(notes=notes), mark, os.environ)

    def _replace(self, site: Site) -> None:
        old = self._site
        self._put_in_place(site)
        same_key = site.settings.oauth2 == old.settings.oauth2
        if self._outbox is not None:
            if site.settings.accounts == old.settings.accounts and same_key:
                self._outbox.site = site
            else:  # the courier is made anew by the thread's loop
                self._outbox.stop()
        self._mailboxes.replace(site, _STOP_SECONDS, same_secrets=same_key)
        self._share()

    def _stop(self) -> None:
        """Hand everything over, in order."""
        self._notifier.stopping("stopping")
        self._scheduler.shutdown(wait=False)
        if self._door is not None:
            self._door.close()
        self._let_go()
        self._member.leave()
        log.info("mailticket has stopped: %s", self._summary())
