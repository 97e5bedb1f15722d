"""What runs when, and how it stops: a thread a mailbox, one for the outbox, housekeeping, signals, the watchdog."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler

from mailticket import observe
from mailticket.desk.protocol import socket_path
from mailticket.errors import ConfigurationError, MailticketError, SignInRefused, StoreUnavailable, WorldError
from mailticket.intake.collect import Collector
from mailticket.intake.sent_folder import collector_of
from mailticket.intake.take_in import Result
from mailticket.oauth2.tokens import Tokens
from mailticket.outbox.deliver import DELIVERY, Outbox
from mailticket.service import memory, reload
from mailticket.service.desk_door import DeskDoor
from mailticket.service.heartbeat import Pulse
from mailticket.settings import Mailbox, Settings
from mailticket.site import Site, broken_letters, open_site
from mailticket.smtp import Courier, Outcome
from mailticket.store import schema
from mailticket.store.engine import Database, must_be_sound
from mailticket.store.lock import RunLock, run_lock
from mailticket.store.outgoing import Due
from mailticket.upkeep.chores import Upkeep
from mailticket.upkeep.troubles import note_defect

log = logging.getLogger("mailticket.service.daemon")

_PAUSE = (2.0, 300.0)
_SIGN_IN_PAUSE = (60.0, 1800.0)  # a refused password, tried fast, locks the account
_PATIENCE = 300.0  # seconds without a sign of life after which a thread that has work to do counts as hung
_WATCHDOG_PATIENCE = 5  # the same in turns of feeding the watchdog: 300 s with the unit's WatchdogSec=120
_STOP_SECONDS = 45.0
_PREPARE_SECONDS = 600.0  # a migration or a check of a large database may take longer than a start usually does
_UPKEEP_MINUTES = 5
_STATUS_SECONDS = 10.0


@dataclass
class Watchers:
    """Who is told what happens, beside the log: the demo shows it, `run --once` counts it."""

    taken: Callable[[Sequence[Result]], None] = lambda results: None
    delivered: Callable[[Due, Outcome], None] = lambda due, outcome: None


@dataclass
class _Worker:
    """A thread and how it is told to stop."""

    thread: threading.Thread
    stop: Callable[[], None]
    collector: Collector | None = field(default=None)


class Daemon:
    """The running program. `read` reads the configuration, at start and on SIGHUP."""

    def __init__(self, read: Callable[[], Settings], watchers: Watchers | None = None) -> None:
        self._read = read
        self._watchers = watchers or Watchers()
        self._settings = read()
        self._beats = observe.Heartbeats()
        self._notifier = observe.Notifier(os.environ)
        fed_every = self._notifier.watchdog_seconds
        self._patience = _WATCHDOG_PATIENCE * fed_every if fed_every else _PATIENCE
        self._stopping = threading.Event()
        self._reload_wanted = threading.Event()
        self._wake_main = threading.Event()
        self._workers: dict[str, _Worker] = {}
        self._counts: Counter[str] = Counter()
        self._outbox: Outbox | None = None
        self._door: DeskDoor | None = None
        self.ready = threading.Event()

    def run(self) -> None:
        """Run until told to stop. Raises AlreadyRunning, ConfigurationError or StoreUnavailable at the start."""
        memory.give_large_blocks_back()
        database = Database(self._settings.database.url)
        try:
            with run_lock(database) as lock:
                if lock.after_crash:
                    must_be_sound(database)
                self._tokens = Tokens(database)
                site = self._open(database)
                self._start(site)
                try:
                    self._watch(lock)
                finally:
                    self._stop()
                self._pulse.stop()
        finally:
            database.close()

    def stop(self) -> None:
        """Ask the daemon to end; callable from any thread and from a signal handler."""
        self._stopping.set()
        self._wake_main.set()

    def reload(self) -> None:
        """Ask for the configuration and the templates to be read again."""
        self._reload_wanted.set()
        self._wake_main.set()

    def handle_signals(self) -> None:
        """SIGTERM and SIGINT end, SIGHUP reloads. Only the main thread may call this."""
        signal.signal(signal.SIGTERM, lambda *_: self.stop())
        signal.signal(signal.SIGINT, lambda *_: self.stop())
        signal.signal(signal.SIGHUP, lambda *_: self.reload())

    def _open(self, database: Database) -> Site:
        self._notifier.more_time(_PREPARE_SECONDS)
        if schema.prepare(database, self._preparing):
            log.info("the database is at step %s now", schema.HEAD)
        site = open_site(self._settings, database)
        for problem in broken_letters(self._settings, site.letters):
            log.error("a template is broken, the built-in one is used instead: %s", problem)
        return site

    def _preparing(self, done: int, total: int) -> None:
        self._notifier.more_time(_PREPARE_SECONDS)
        log.info("the search index is built for this release: %d of %d tickets", done, total)

    def _start(self, site: Site) -> None:
        self._site = site
        self._pulse = Pulse(site, "daemon")
        self._pulse.beat()
        self._start_outbox()
        for mailbox in site.settings.mailbox:
            self._start_mailbox(site, mailbox)
        self._upkeep = Upkeep(site, self._wake_outbox)
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        self._scheduler.add_job(self._keep_house, "interval", minutes=_UPKEEP_MINUTES)
        self._scheduler.start()
        self._open_door()
        memory.keep_what_is_there()
        log.info("mailticket is running, mailboxes: %d", len(site.settings.mailbox))
        self._notifier.ready(self._summary())
        self.ready.set()

    def _open_door(self) -> None:
        path = socket_path(os.environ)
        if path is not None:
            self._door = DeskDoor(path, lambda: self._site, self._wake_outbox)
            self._door.open()

    def _start_mailbox(self, site: Site, mailbox: Mailbox) -> None:
        name = f"mailbox {mailbox.name}"
        collector = collector_of(
            site,
            mailbox,
            self._tokens.secret(site.settings, mailbox),
            self._took_in,
            partial(self._beat, name),
        )
        thread = threading.Thread(target=self._keep_collecting, args=(collector,), name=name, daemon=True)
        self._workers[name] = _Worker(thread, collector.stop, collector)
        self._beat(name)
        thread.start()

    def _start_outbox(self) -> None:
        thread = threading.Thread(target=self._keep_delivering, name="outbox", daemon=True)
        self._workers["outbox"] = _Worker(thread, self._stop_outbox)
        self._beat("outbox")
        thread.start()

    def _beat(self, name: str, quiet: float = 0.0) -> None:
        """A thread is alive; `quiet` seconds of what comes now may be waiting for others."""
        self._beats.beat(name, quiet + self._patience)

    def _keep_collecting(self, collector: Collector) -> None:
        """The thread of a mailbox: connections one after the other, with longer pauses the longer the trouble lasts."""
        troubles = 0
        while not collector.stopping:
            began = time.monotonic()
            try:
                collector.stay()
                continue
            except (WorldError, ConfigurationError) as error:
                self._unwell(collector, error)
                shortest, longest = _SIGN_IN_PAUSE if isinstance(error, SignInRefused) else _PAUSE
            except Exception as error:  # a defect of ours in one mailbox must not stop the others
                self._unwell(collector, error)
                shortest, longest = _PAUSE
            troubles = 0 if time.monotonic() - began > longest else troubles + 1
            pause = min(longest, shortest * 2 ** max(0, troubles - 1)) * random.uniform(0.75, 1.25)  # noqa: S311
            log.info("%s: the next try comes in %.0f s", collector.name, pause)
            self._beat(collector.name, pause)
            collector.waker.wait(pause)
        self._beats.done(collector.name)
        collector.close()

    def _unwell(self, collector: Collector, error: Exception) -> None:
        try:
            collector.is_unwell(error)
        except StoreUnavailable as trouble:
            log.warning("%s: %s", collector.name, trouble)

    def _keep_delivering(self) -> None:
        shortest, longest = _PAUSE
        pause = shortest
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                asyncio.run(self._deliver())
            except Exception as error:
                note_defect(self._site, DELIVERY, error)
                pause = shortest if time.monotonic() - began > longest else min(longest, 2 * pause)
                self._beat("outbox", pause)
                self._stopping.wait(pause)
        self._beats.done("outbox")

    async def _deliver(self) -> None:
        site = self._site
        courier = Courier(site.settings.smtp, self._tokens.secret(site.settings, site.settings.smtp))
        self._outbox = Outbox(site, courier, self._delivered, partial(self._beat, "outbox"))
        # A stop or a reload may have come before there was anything to stop.
        if not self._stopping.is_set() and site is self._site:
            await self._outbox.run()

    def _stop_outbox(self) -> None:
        if self._outbox is not None:
            self._outbox.stop()

    def _wake_outbox(self) -> None:
        if self._outbox is not None:
            self._outbox.wake()

    def _took_in(self, results: Sequence[Result]) -> None:
        self._wake_outbox()
        for result in results:
            self._counts[result.state] += 1
        self._watchers.taken(results)

    def _delivered(self, due: Due, outcome: Outcome) -> None:
        self._counts[outcome.kind] += 1
        self._watchers.delivered(due, outcome)

    def _keep_house(self) -> None:
        try:
            self._upkeep.run()
        except Exception:
            log.exception("housekeeping: a defect")

    def _watch(self, lock: RunLock) -> None:
        """The main thread: feeds the watchdog while every thread beats, reloads, and tells systemd how it goes."""
        every = min(self._notifier.watchdog_seconds or _STATUS_SECONDS, _STATUS_SECONDS)
        while not self._stopping.is_set():
            self._wake_main.wait(every)
            self._wake_main.clear()
            if self._reload_wanted.is_set():
                self._reload_wanted.clear()
                self._reload()
            lock.check()
            self._site.database.check()
            self._pulse.beat()
            late = self._beats.late(time.monotonic())
            if not late:
                self._notifier.alive()
            else:
                log.error("not heard from: %s", ", ".join(f"{name} for {s:.0f} s" for name, s in late.items()))
            self._notifier.status(self._summary())

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
            site = open_site(settings, self._site.database)
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
        old, self._site = self._site, site
        same_key = site.settings.oauth2 == old.settings.oauth2
        self._upkeep.site = site
        if self._outbox is not None:
            if site.settings.smtp == old.settings.smtp and same_key:
                self._outbox.site = site
            else:  # the courier is made anew by the thread's loop
                self._outbox.stop()
        mailboxes = {f"mailbox {m.name}": m for m in site.settings.mailbox}
        for name, worker in list(self._workers.items()):
            if worker.collector is None:
                continue
            if mailboxes.get(name) == worker.collector.mailbox and same_key:
                worker.collector.site = site
                worker.collector.waker.wake()  # one that was refused need not wait any longer
                mailboxes.pop(name)
            else:
                worker.stop()
                worker.thread.join(_STOP_SECONDS)
                del self._workers[name]
        for mailbox in mailboxes.values():
            self._start_mailbox(site, mailbox)

    def _stop(self) -> None:
        """Mailboxes end after the chunk in hand, the outbox after the replies it waits for."""
        self._stopping.set()
        self._notifier.stopping("stopping")
        self._scheduler.shutdown(wait=False)
        if self._door is not None:
            self._door.close()
        for worker in self._workers.values():
            worker.stop()
        end = time.monotonic() + _STOP_SECONDS
        for name, worker in self._workers.items():
            worker.thread.join(max(0.1, end - time.monotonic()))
            if worker.thread.is_alive():
                log.error("%s did not end in time", name)
        log.info("mailticket has stopped: %s", self._summary())
