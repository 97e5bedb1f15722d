"""Fresh databases for the tests, of the kind that the run is for: copies of one with all tables and no row, whose
making takes half a second."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from mailticket.store import schema
from mailticket.store.engine import Database
from tests.servers.postgres import Postgres


class Databases:
    """Where tests get their databases: files of SQLite, or those of a PostgreSQL server when one is given."""

    def __init__(self, folder: Path, server: Postgres | None = None) -> None:
        self.on_files = server is None
        self._server = server
        self._numbers = itertools.count(1)
        self._template = server.database() if server else f"sqlite:///{folder}/empty.db"
        database = Database(self._template)
        schema.prepare(database)
        database.close()

    def copy(self, folder: Path, name: str = "") -> str:
        """Make a database; returns its URL. folder, name: where a file goes and what it is called."""
        if self._server:
            return self._server.database(self._template)
        file = folder / (name or f"helpdesk-{next(self._numbers)}.db")
        shutil.copy(self._template.removeprefix("sqlite:///"), file)
        return f"sqlite:///{file}"

    def drop(self, url: str) -> None:
        """Remove one of PostgreSQL; files go with their folder."""
        if self._server:
            self._server.drop(url)
