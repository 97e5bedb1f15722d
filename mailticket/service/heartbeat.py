"""A sign of life in the database, so that others see whether anybody collects and delivers, and since when not."""

from __future__ import annotations

import logging
import os
import socket
import time
from datetime import datetime
from typing import Literal

import mailticket
from mailticket.errors import StoreUnavailable
from mailticket.models import Heartbeat
from mailticket.site import Site
from mailticket.store import meta

log = logging.getLogger("mailticket.service.heartbeat")

BEAT_SECONDS = 60.0


class Pulse:
    """The heartbeat of this process: of a daemon while it runs, or of a round of `run --once`.

    A database that cannot be written is no reason to end; then the beat is missing, which is what others should see.
    """

    def __init__(self, site: Site, kind: Literal["daemon", "round"]) -> None:
        self._site = site
        self._kind = kind
        self._started_at = site.clock()
        self._beaten = float("-inf")  # monotonic
        self._missed = False

    def beat(self) -> None:
        """Write that we live, at most once a minute."""
        if time.monotonic() - self._beaten >= BEAT_SECONDS:
            self._write(None)

    def stop(self) -> None:
        """Write that the end is an orderly one."""
        self._write(self._site.clock())

    def _write(self, stopped_at: datetime | None) -> None:
        beat = Heartbeat(
            kind=self._kind,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=mailticket.__version__,
            started_at=self._started_at,
            beat_at=self._site.clock(),
            stopped_at=stopped_at,
        )
        try:
            with self._site.database.write() as session:
                meta.set_heartbeat(session, beat)
        except StoreUnavailable as error:
            if not self._missed:
                log.warning("the sign of life could not be written: %s", error)
            self._missed = True
        else:
            self._missed = False
        self._beaten = time.monotonic()
