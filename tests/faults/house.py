"""The daemon in a thread of the tests' own process: real servers, real database, without the cost of a start."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from mailticket.config.read import read_settings
from mailticket.errors import MailticketError
from mailticket.observe import TextFormat
from mailticket.service import daemon, mailboxes
from mailticket.service.daemon import Daemon
from mailticket.service.once import Summary, run_once
from tests.e2e.site import Site
from tests.servers.machine import PATIENCE


class House:
    """One installation at work. `site` holds its configuration, its folder and the eyes on its database."""

    def __init__(self, site: Site, patch: pytest.MonkeyPatch) -> None:
        self.site = site
        self.daemon: Daemon | None = None
        self.error: BaseException | None = None
        self._thread: threading.Thread | None = None
        for room in (daemon, mailboxes):
            patch.setattr(room, "_PAUSE", (0.2, 2.0))
        self._read_only = False
        event.listen(Engine, "begin", self._permit)
        self._log = _Log(site)
        logger = logging.getLogger("mailticket")
        logger.addHandler(self._log)
        logger.setLevel(logging.INFO)

    def start(self) -> None:
        """Returns when the daemon works."""
        self.daemon, self.error = Daemon(self._settings), None
        self._thread = threading.Thread(target=self._run, args=(self.daemon,), name="house", daemon=True)
        self._thread.start()
        while not self.daemon.ready.wait(0.05):
            assert self._thread.is_alive(), f"the daemon ended: {self.error}"

    def stop(self) -> None:
        """Stop the daemon as SIGTERM does; an error that ended it is raised here."""
        if self.daemon is not None and self._thread is not None:
            self.daemon.stop()
            self._thread.join(2 * PATIENCE)
            assert not self._thread.is_alive(), "the daemon did not end"
            self.daemon = self._thread = None
        if self.error is not None:
            raise self.error

    def once(self) -> Summary:
        """One round of everything, as `run --once`."""
        return run_once(self._settings())

    def close(self) -> None:
        try:
            self.error = None
            self.stop()
        finally:
            logging.getLogger("mailticket").removeHandler(self._log)
            event.remove(Engine, "begin", self._permit)

    def _settings(self) -> Any:
        return read_settings(self.site.configuration, {})

    def _run(self, running: Daemon) -> None:
        try:
            running.run()
        except MailticketError as error:
            self.error = error

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """The database takes no writes meanwhile: SQLite itself refuses them."""

        self._read_only = True
        yield
        self._read_only = False

    def _permit(self, connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA query_only={int(self._read_only)}")

    def settle(self, mails: int) -> None:
        """Wait until so many mails have their outcome and nothing waits to be sent."""
        self.site.wait_idle(mails)


class _Log(logging.Handler):
    """What the daemon says goes where the site's tests look for it."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self.setFormatter(TextFormat())

    def emit(self, record: logging.LogRecord) -> None:
        self._site.hear(self.format(record))
