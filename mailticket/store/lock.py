"""The locks of those who run. They die with the process or its connection, so no crash ever leaves one behind.

A SQLite file has one lock, for one process. On PostgreSQL hosts that share a database hold one together; who changes
the tables or puts others in their place holds it alone. Each host also has a lock of its number, by which the others
see that it is there, and one of them has that of the chores.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from mailticket.errors import AlreadyRunning, StoreUnavailable
from mailticket.store.engine import Database, translated

_LOCK_NUMBER = 0x6D61696C7469636B  # "mailtick": the advisory lock of PostgreSQL that is ours
_STEP_NUMBER = 0x6D61696C73746570  # "mailstep": who brings the tables up to date
_HOSTS = 0x6D746B68  # "mtkh": the class of the locks of hosts, each by its number
_CHORES = 0x6D746B63
# The advisory locks that are held in this database.
_HELD = (
    "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND "
)
_CALLED = (
    "SELECT string_agg(a.application_name || ' from ' || coalesce(host(a.client_addr), 'this host') "
    "|| ', since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ'), '; ' ORDER BY a.backend_start) "
)
_WHO = text(_CALLED + _HELD + "l.objsubid = 1 AND l.classid = :high AND l.objid = :low AND l.pid <> pg_backend_pid()")
_PRESENT = text("SELECT l.objid " + _HELD + "l.objsubid = 2 AND l.classid = :hosts")
_CUT = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name = :sessions AND pid <> pg_backend_pid()"
)
_CUT_OF = (
    "SELECT pg_terminate_backend(l.pid, 5000) "
    + _HELD
    + "l.objsubid = 2 AND l.classid = :hosts AND l.objid = :host AND l.pid <> pg_backend_pid()"
)


class RunLock:
    """Held while a process runs. `check` raises StoreUnavailable once it is lost; then `again` takes it anew.

    after_crash: whether the last holder was cut short, as by a kill or a power cut; never told of PostgreSQL, which
    looks after itself.
    """

    def __init__(self, *, after_crash: bool = False) -> None:
        self.after_crash = after_crash

    def check(self) -> None:
        """A session lock of PostgreSQL is gone when its connection is; a file lock stays as long as we live."""

    def again(self) -> None:
        """Take anew what was lost. Raises AlreadyRunning where somebody works alone meanwhile."""

    def appear(self, host: int) -> None:
        """Let the others see that the host of this number is there."""

    def has_chores(self) -> bool:
        """Whether the chores are ours to do: whoever asks first has them until its end."""
        return True


class _SessionLock(RunLock):
    """The locks of a PostgreSQL session, which several threads ask about."""

    def __init__(self, database: Database, *, alone: bool) -> None:
        super().__init__()
        self._database = database
        self._kind = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
        self._mutex = threading.Lock()
        self._host = 0
        self._does_chores = False
        self._connection: Connection | None = self._connect()

    def check(self) -> None:
        with self._mutex:
            self._ask("SELECT 1")

    def again(self) -> None:
        with self._mutex:
            self._drop()
            self._connection = self._connect()
            if self._host:
                self._appear()

    def appear(self, host: int) -> None:
        with self._mutex:
            if self._host:
                self._ask("SELECT pg_advisory_unlock(:hosts, :host)", hosts=_HOSTS, host=self._host)
            self._host = host
            self._appear()

    def has_chores(self) -> bool:
        with self._mutex:
            if self._does_chores:
                self._ask("SELECT 1")
            else:
                self._does_chores = bool(self._ask("SELECT pg_try_advisory_lock(:chores, 0)", chores=_CHORES))
            return self._does_chores

    def release(self) -> None:
        with self._mutex:
            with contextlib.suppress(StoreUnavailable, SQLAlchemyError):  # a lost connection took the locks with it
                self._ask("SELECT pg_advisory_unlock_all()")
            if self._connection is not None:
                self._connection.close()

    def _connect(self) -> Connection:
        with translated():
            connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            is_ours = connection.execute(text(f"SELECT {self._kind}(:n)"), {"n": _LOCK_NUMBER}).scalar()
            if is_ours:
                return connection
            who = _who(connection)
            connection.close()
        raise AlreadyRunning(f"mailticket is running already on this database: {who}")

    def _appear(self) -> None:
        names = {"hosts": _HOSTS, "host": self._host}
        if not self._ask("SELECT pg_try_advisory_lock(:hosts, :host)", **names):
            # The server has not noticed yet that our last connection is gone.
            self._ask(_CUT_OF, **names)
            if not self._ask("SELECT pg_try_advisory_lock(:hosts, :host)", **names):
                raise StoreUnavailable("the database still keeps our last connection")

    def _ask(self, statement: str, **values: Any) -> Any:
        if self._connection is None:
            raise StoreUnavailable("there is no connection that could hold locks")
        try:
            with translated():
                return self._connection.execute(text(statement), values).scalar()
        except StoreUnavailable:
            self._drop()  # whoever asks next, also another thread, hears that it is lost, until it is taken anew
            raise

    def _drop(self) -> None:
        self._does_chores = False
        connection, self._connection = self._connection, None
        with contextlib.suppress(SQLAlchemyError):
            if connection is not None:
                connection.invalidate()
                connection.close()


def is_alone(connection: Connection) -> bool:
    """On PostgreSQL, for the transaction: whether nobody runs, nor will begin to before its end. One at a time asks."""
    connection.execute(text("SET LOCAL lock_timeout = '10min'"))
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _STEP_NUMBER})
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": _LOCK_NUMBER}).scalar())


def who_runs(connection: Connection) -> str:
    """Who holds the run lock on PostgreSQL, in words."""
    return _who(connection)


def _who(connection: Connection) -> str:
    halves = {"high": _LOCK_NUMBER >> 32, "low": _LOCK_NUMBER & 0xFFFFFFFF}
    return connection.execute(_WHO, halves).scalar() or "another host"


def present(connection: Connection) -> set[int]:
    """The numbers of the hosts whose lock is held, on PostgreSQL."""
    return {int(number) for number in connection.execute(_PRESENT, {"hosts": _HOSTS}).scalars()}


def cut_sessions(connection: Connection, sessions: str) -> None:
    """End the connections of a host that is given up: its locks and open transactions go with them."""
    connection.execute(_CUT, {"sessions": sessions})


@contextmanager
def run_lock(database: Database) -> Iterator[RunLock]:
    """Hold the lock alone for the time of the block; AlreadyRunning says who has it."""
    lock = _file_lock(database.file) if database.file is not None else _session_lock(database, alone=True)
    with lock as holder:
        yield holder


@contextmanager
def host_lock(database: Database) -> Iterator[RunLock]:
    """Hold the lock of who collects and delivers: on a SQLite file alone, on PostgreSQL together with other hosts."""
    lock = _file_lock(database.file) if database.file is not None else _session_lock(database, alone=False)
    with lock as holder:
        yield holder


def lock_file(file: Path) -> Path:
    """The lock file beside a SQLite database."""
    return file.with_name(file.name + ".lock")


@contextmanager
def _file_lock(file: Path) -> Iterator[RunLock]:
    path = lock_file(file)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"the lock file {path} cannot be opened: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _written(descriptor) or "another process"
            raise AlreadyRunning(f"mailticket is running already on this database: {holder}") from None
        after_crash = bool(_written(descriptor))
        holder = f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n"
        with contextlib.suppress(OSError):  # a full disk must not keep a daemon from sending what it has
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder.encode(), 0)
        yield RunLock(after_crash=after_crash)
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _written(descriptor: int) -> str:
    """Who holds the lock, or held it and did not come to its end."""
    return os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()


@contextmanager
def _session_lock(database: Database, *, alone: bool) -> Iterator[RunLock]:
    lock = _SessionLock(database, alone=alone)
    try:
        yield lock
    finally:
        lock.release()
