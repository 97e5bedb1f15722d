"""The forecast's view of the load, kept between mails and read anew from the store while nobody waits for it."""

from __future__ import annotations

import time

from mailticket.promise import Load
from mailticket.site import Site
from mailticket.store import Session, load

_FRESH_SECONDS = 30.0
_STALE_SECONDS = 600.0
_SHARE = 50  # reading may take at most this fraction of the time, however many wait


class Expectation:
    """Answers what a new request has to expect; `intake.apply` adds each new ticket to it as it is opened."""

    def __init__(self) -> None:
        self._load: Load | None = None
        self._site: Site | None = None
        self._read_at = 0.0
        self._cost = 0.0

    def load(self, session: Session, site: Site) -> Load:
        """The load as of a moment ago, including the tickets that were opened through this object. Reading it takes
        tens of milliseconds, so one that is not quite fresh is better than a mail that waits for it."""
        if self._load is None or self._site is not site or self._age() > _STALE_SECONDS:
            return self._read(session, site)
        return self._load

    def refresh(self, site: Site) -> bool:
        """Read the load anew if it is no longer fresh; to be called when there is nothing else to do. Returns whether
        it was read."""
        if self._age() <= max(_FRESH_SECONDS, self._cost * _SHARE):
            return False
        with site.database.read() as session:
            self._read(session, site)
        return True

    def _age(self) -> float:
        return time.monotonic() - self._read_at

    def _read(self, session: Session, site: Site) -> Load:
        began, now = time.monotonic(), site.clock()
        confidence = site.settings.promise.confidence
        self._load = Load.of(load.snapshot(session, now), now, site.calendar, confidence)
        self._site, self._read_at = site, time.monotonic()
        self._cost = self._read_at - began
        return self._load
