"""The forecast's view of the load, kept between mails: read anew from the store when it has grown old."""

from __future__ import annotations

import time

from mailticket.office import Office
from mailticket.promise import Load
from mailticket.store import Session, load

_REFRESH_SECONDS = 30.0
_SHARE = 50  # reading may take at most this fraction of the time, however many wait


class Expectation:
    """Answers what a new request has to expect; `effects` adds each new ticket to it as it is opened."""

    def __init__(self) -> None:
        self._load: Load | None = None
        self._calendar: object = None
        self._good_until = 0.0

    def load(self, session: Session, office: Office) -> Load:
        """The load as of a moment ago, including the tickets that were opened through this object."""
        began = time.monotonic()
        if self._load is None or began >= self._good_until or self._calendar is not office.calendar:
            now = office.clock()
            self._load = Load.of(load.snapshot(session, now), now, office.calendar, office.settings.promise.confidence)
            self._calendar = office.calendar
            cost = time.monotonic() - began
            self._good_until = time.monotonic() + max(_REFRESH_SECONDS, cost * _SHARE)
        return self._load
