"""The one lock that a running daemon holds. It dies with the process, so no crash ever leaves it behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from mailticket.errors import AlreadyRunning, StoreUnavailable
from mailticket.store.engine import Database, translated

_LOCK_NUMBER = 0x6D61696C7469636B  # "mailtick": the advisory lock of PostgreSQL that is ours
_WHO = (
    "SELECT a.application_name || ' from ' || coalesce(host(a.client_addr), 'this host') "
    "|| ', since ' || a.backend_start "
    "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.classid = :high AND l.objid = :low AND l.granted"
)


class RunLock:
    """Held while a daemon runs. `check` raises StoreUnavailable once it is lost.

    after_crash: whether the last holder was cut short, as by a kill or a power cut; never told of PostgreSQL, which
    looks after itself.
    """

    def __init__(self, connection: Connection | None = None, *, after_crash: bool = False) -> None:
        self._connection = connection
        self.after_crash = after_crash

    def check(self) -> None:
        """A session lock of PostgreSQL is gone when its connection is; a file lock stays as long as we live."""
        if self._connection is not None:
            with translated():
                self._connection.execute(text("SELECT 1"))


@contextmanager
def run_lock(database: Database) -> Iterator[RunLock]:
    """Hold the lock for the time of the block; AlreadyRunning says who has it."""
    lock = _file_lock(database.file) if database.file is not None else _advisory_lock(database)
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
def _advisory_lock(database: Database) -> Iterator[RunLock]:
    with translated():
        connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with translated():
            connection.execute(text(f"SET application_name = 'mailticket on {socket.gethostname()[:40]}'"))
            is_ours = connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": _LOCK_NUMBER}).scalar()
            if not is_ours:
                halves = {"high": _LOCK_NUMBER >> 32, "low": _LOCK_NUMBER & 0xFFFFFFFF}
                who = connection.execute(text(_WHO), halves).scalar() or "another host"
                raise AlreadyRunning(f"mailticket is running already on this database: {who}")
        yield RunLock(connection)
    finally:
        with contextlib.suppress(SQLAlchemyError):  # a connection that was lost took the lock with it
            connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": _LOCK_NUMBER})
        connection.close()
