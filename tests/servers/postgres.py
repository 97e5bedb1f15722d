"""Temporary PostgreSQL clusters for the tests: one a session, with a fresh database for each test that asks, and
primaries with a standby that can be promoted."""

from __future__ import annotations

import itertools
import shutil
import signal
import subprocess
from pathlib import Path

from tests.servers.machine import Unprivileged, end, free_port, program, until


def _folders() -> list[str]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    return [str(path) for path in found]


class Postgres:
    """A cluster without durability (it lives for one test session) on a loopback port."""

    def __init__(self, primary: Postgres | None = None, *, durable: bool = False) -> None:
        """primary: of whom this is to be a standby that streams; without, a cluster of its own. durable: as people run
        one, for what is measured."""
        self._durability = "on" if durable else "off"
        self.runner = Unprivileged()
        self.root = self.runner.folder("mailticket-postgres-")
        self.port = free_port()
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        data = str(self.root / "data")
        if primary is None:
            words = ["-U", "mailticket", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
            self.runner.run([self._program("initdb"), "-D", data, *words])
        else:
            words = ["-R", "-X", "stream", "-c", "fast", "--no-sync"]
            self.runner.run([self._program("pg_basebackup"), "-D", data, *primary._where(), *words])
        self.start()

    @staticmethod
    def available() -> bool:
        return program("initdb", *_folders()) is not None

    @staticmethod
    def _program(name: str) -> str:
        path = program(name, *_folders())
        assert path is not None, name
        return path

    def start(self) -> None:
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.root),
            **dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), self._durability),
            "shared_buffers": "32MB",
            "max_connections": "100",
            "wal_retrieve_retry_interval": "100ms",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [self._program("postgres"), "-D", str(self.root / "data"), "-p", str(self.port), *settings]
        self._process = self.runner.start(command, self.root / "log")
        until(self._ready, "PostgreSQL to answer")

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError("PostgreSQL ended at once:\n" + (self.root / "log").read_text(errors="replace"))
        asked = [self._program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False, timeout=10).returncode == 0

    def stop(self) -> None:
        """Stop at once, as a crash of the server looks to its clients."""
        if self._process is not None:
            end(self._process, signal.SIGQUIT)
            self._process = None

    def promote(self) -> None:
        """Make a standby a primary of its own; returns when it takes writes."""
        self.runner.run([self._program("pg_ctl"), "promote", "-D", str(self.root / "data"), "-w"])

    def sql(self, words: str, name: str = "postgres") -> str:
        """What the server says to a statement, a value a line."""
        psql = [self._program("psql"), *self._where(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        return self.runner.run([*psql, "-c", words, name]).strip()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def database(self, template: str = "", locale: str = "") -> str:
        """Make a fresh database, empty or a copy of another one's URL that nobody uses; returns its SQLAlchemy URL.
        locale: of ICU, for an empty one; "C" without."""
        name = f"mailticket_{next(self._numbers)}"
        copied = ["--template", template.rpartition("/")[2]] if template else []
        if locale:
            copied = ["--template", "template0", "--locale-provider", "icu", "--icu-locale", locale]
        self.runner.run([self._program("createdb"), *self._where(), *copied, name])
        return f"postgresql+psycopg://mailticket@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Remove a database of `database`, cutting whoever still uses it."""
        self.runner.run([self._program("dropdb"), *self._where(), "--force", "--if-exists", url.rpartition("/")[2]])

    def _where(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "mailticket"]
