"""The mailboxes that this host collects, a thread each: taken, given back, left alone while it cannot reach them."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from mailticket.errors import ConfigurationError, SignInRefused, StoreUnavailable, WorldError
from mailticket.intake.collect import Collector
from mailticket.observe.failpoints import hurried
from mailticket.service.member import Member
from mailticket.service.sharing import moves
from mailticket.settings import Mailbox
from mailticket.site import Site
from mailticket.store.hosts import Sharing

log = logging.getLogger("mailticket.service.mailboxes")

_PAUSE = (2.0, 300.0)
_SIGN_IN_PAUSE = (60.0, 1800.0)  # a refused password, tried fast, locks the account
_TROUBLE = 30.0  # seconds after which a mailbox in trouble is left to another host that would collect it
_REST = (300.0, 3600.0)  # seconds for which it is then left alone, longer each time

Beat = Callable[[str, float], None]  # a thread is alive, and may be quiet for so many seconds


@dataclass
class _Worker:
    """The thread of a mailbox. leaves: it was told to end, and the mailbox is then free."""

    collector: Collector
    thread: threading.Thread = field(init=False)
    failing_since: float | None = None  # monotonic
    leaves: bool = False


class Mailboxes:
    """Those that this host holds. All methods belong to the main thread.

    collector: makes the one of a mailbox, with the site as it is. on_beat, on_done: the life of each thread. pins: the
    names of those that this host may collect, None for all that are configured.
    """

    def __init__(
        self,
        site: Site,
        member: Member,
        collector: Callable[[Mailbox], Collector],
        on_beat: Beat,
        on_done: Callable[[str], None],
        pins: Collection[str] | None = None,
    ) -> None:
        self._site, self._member, self._collector = site, member, collector
        self._on_beat, self._on_done, self._pins = on_beat, on_done, pins
        self._workers: dict[str, _Worker] = {}
        self._rests_until: dict[str, float] = {}
        self._rest: dict[str, float] = {}
        self._offered: list[str] | None = None

    def offers(self) -> list[str]:
        """The names of the mailboxes that this host would collect now."""
        now = time.monotonic()
        return sorted(name for name in self._configured() if self._rests_until.get(name, 0.0) <= now)

    def share(self) -> None:
        """Take what is ours to take, and give back what is another's. Raises StoreUnavailable."""
        self._give_what_has_ended()
        sharing, me = self._member.sharing(), self._member.number
        if not self._member.is_alone and me not in sharing.offers:
            return  # given up, or without its lock: the next beat sees to it
        self._leave_what_fails(sharing)
        offers = self.offers()
        if offers != self._offered:
            self._member.offer(offers)
            self._offered = offers
        self._obey(sharing)
        what = moves(me, {**sharing.offers, me: frozenset(offers)}, sharing.holders)
        for name in what.give:
            if name not in offers or not any(worker.leaves for worker in self._workers.values()):
                self._end(name)
        for name in what.take:
            if name not in self._workers and self._member.take(name, sharing.former.get(name)):
                self._start(name)

    def replace(self, site: Site, seconds: float, *, same_secrets: bool) -> None:
        """Go on with another configuration: who is in it as before keeps its connection, the others end in seconds."""
        self._site = site
        configured = self._configured()
        for name, worker in self._workers.items():
            if configured.get(name) == worker.collector.mailbox and same_secrets:
                worker.collector.site = site
                worker.collector.waker.wake()  # one that was refused need not wait any longer
            else:
                worker.collector.stop()
        for name, worker in list(self._workers.items()):
            if worker.collector.stopping and not worker.leaves:
                worker.thread.join(seconds)
                del self._workers[name]  # the mailbox is ours still: `share` begins it anew, or gives it back
        self._rests_until.clear()

    def stop(self, seconds: float) -> None:
        """End after the chunk in hand; each mailbox is free as soon as its thread has ended."""
        for worker in self._workers.values():
            worker.collector.stop()
            worker.leaves = True
        end = time.monotonic() + seconds
        for name, worker in self._workers.items():
            worker.thread.join(max(0.1, end - time.monotonic()))
            if worker.thread.is_alive():
                log.error("mailbox %s did not end in time", name)
                worker.leaves = False
        try:
            self._give_what_has_ended()
        except StoreUnavailable as error:
            log.warning("a mailbox could not be given back: %s", error)
        self._workers.clear()
        self._offered = None

    def _configured(self) -> dict[str, Mailbox]:
        mailboxes = self._site.settings.mailbox
        return {mailbox.name: mailbox for mailbox in mailboxes if self._pins is None or mailbox.name in self._pins}

    def _give_what_has_ended(self) -> None:
        for name, worker in list(self._workers.items()):
            if worker.leaves and not worker.thread.is_alive():
                self._member.give_back(name)
                del self._workers[name]
                log.info("mailbox %s is given back", name)

    def _leave_what_fails(self, sharing: Sharing) -> None:
        """Another host may reach what we do not. Where nobody does, it goes round slowly."""
        now, me = time.monotonic(), self._member.number
        for name, worker in self._workers.items():
            if worker.collector.is_well:
                worker.failing_since = None
                self._rest.pop(name, None)
            others = any(name in offers for host, offers in sharing.offers.items() if host != me)
            if others and worker.failing_since is not None and now - worker.failing_since > hurried(_TROUBLE):
                shortest, longest = _REST
                rest = self._rest[name] = min(longest, 2 * self._rest.get(name, shortest / 2))
                self._rests_until[name] = now + hurried(rest)
                worker.failing_since = None
                log.warning("mailbox %s is left to another host for %.0f s", name, hurried(rest))

    def _obey(self, sharing: Sharing) -> None:
        """What stands in our name runs, and what another has taken does not."""
        me, configured = self._member.number, self._configured()
        for name, host in sharing.holders.items():
            if host == me and name not in self._workers:
                if name in configured:
                    self._start(name)
                else:
                    self._member.give_back(name)
        for name, worker in self._workers.items():
            if sharing.holders.get(name) != me and not worker.leaves:
                log.warning("mailbox %s is held by another host now", name)
                self._end(name)

    def _start(self, name: str) -> None:
        collector = self._collector(self._configured()[name])
        worker = _Worker(collector)
        worker.thread = threading.Thread(target=self._keep_collecting, args=(worker,), name=collector.name, daemon=True)
        self._workers[name] = worker
        self._on_beat(collector.name, 0.0)
        log.info("mailbox %s is collected here", name)
        worker.thread.start()

    def _end(self, name: str) -> None:
        worker = self._workers.get(name)
        if worker is not None and not worker.leaves:
            worker.leaves = True
            worker.collector.stop()

    def _keep_collecting(self, worker: _Worker) -> None:
        """The thread of a mailbox: connections one after the other, with longer pauses the longer the trouble lasts."""
        troubles, collector = 0, worker.collector
        while not collector.stopping:
            began = time.monotonic()
            try:
                collector.stay()
                continue
            except (WorldError, ConfigurationError) as error:
                self._unwell(worker, error)
                shortest, longest = _SIGN_IN_PAUSE if isinstance(error, SignInRefused) else _PAUSE
            except Exception as error:  # a defect of ours in one mailbox must not stop the others
                self._unwell(worker, error)
                shortest, longest = _PAUSE
            troubles = 0 if time.monotonic() - began > longest else troubles + 1
            pause = min(longest, shortest * 2 ** max(0, troubles - 1)) * random.uniform(0.75, 1.25)  # noqa: S311
            log.info("%s: the next try comes in %.0f s", collector.name, pause)
            self._on_beat(collector.name, pause)
            collector.waker.wait(pause)
        self._on_done(collector.name)
        collector.close()

    def _unwell(self, worker: _Worker, error: Exception) -> None:
        collector = worker.collector
        if not isinstance(error, StoreUnavailable) and worker.failing_since is None:
            worker.failing_since = time.monotonic()
        try:
            collector.is_unwell(error)
        except StoreUnavailable as trouble:
            log.warning("%s: %s", collector.name, trouble)
