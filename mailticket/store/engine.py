"""The connection to the database: its settings, its two kinds of transaction, and what its errors mean to us."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlmodel import Session, SQLModel

from mailticket.errors import ConfigurationError, StoreDamaged, StoreFull, StoreUnavailable
from mailticket.extras import how_to_install

_BUSY_SECONDS = 10
_DAMAGE = ("malformed", "not a database")
_FAILED_SYNCS = ("SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC")
# Of PostgreSQL's errors, those outside psycopg's OperationalError that are about the server and not about what was
# written (read-only after a failover, damaged), and those inside it that are about what was written (too large).
_READ_ONLY = "25006"
_WORLD_STATES, _OUR_STATES = (_READ_ONLY, "XX001", "XX002"), ("54",)
_DISK_FULL = "53100"
_QUICK_TO_CHECK = 1024**3  # bytes
_CACHE = 8 * 1024  # KiB a connection: with a million tickets the upper pages of all indexes do not fit in SQLite's 2 MB
_HOSTS = re.compile(r"(?P<before>postgresql(?:\+\w+)?://(?:[^@/?]*@)?)(?P<hosts>[^@/?,]+(?:,[^@/?,]+)+)(?P<after>/.*)")
_LIMITS = "SET lock_timeout = 15000; SET statement_timeout = 60000; SET idle_in_transaction_session_timeout = 60000"
_WAL_LIMIT = 64 * 1024 * 1024
_ROOM_TO_REWRITE = 2.5  # times the size of the file: a second copy, and the log that brings it into place
_SMALL = 64 * 1024**2  # bytes, which takes a few seconds
_TRIES, _PAUSE = 20, 0.5  # seconds
# A line to PostgreSQL on which nothing comes back is given up before the others give us up.
_LIVELINESS = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 20_000}


class WriterLock:
    """One writer at a time in the process, delivery outcomes first: a mail that was sent must be known as sent."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._held = False
        self._urgent_waiting = 0

    @contextmanager
    def hold(self, *, urgent: bool = False) -> Iterator[None]:
        with self._condition:
            self._urgent_waiting += urgent
            try:
                self._condition.wait_for(lambda: not self._held and (urgent or self._urgent_waiting == 0))
                self._held = True
            finally:
                self._urgent_waiting -= urgent
        try:
            yield
        finally:
            with self._condition:
                self._held = False
                self._condition.notify_all()

    @property
    def is_wanted_urgently(self) -> bool:
        """Whether a delivery's outcome waits for the present writer to end."""
        return self._urgent_waiting > 0


class Database:
    """A database by its URL; nothing is opened before the first transaction."""

    def __init__(self, url: str) -> None:
        try:
            self.url = _parsed(url)
        except (ArgumentError, ValueError):  # the text may hold a password
            problem = "[database] url: cannot be read; write sqlite:///FILE or postgresql://USER@HOST:PORT/NAME"
            raise ConfigurationError([problem]) from None
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        # What PostgreSQL calls our connections: by this name they can be ended when we do not answer any more.
        self.sessions = f"mailticket on {socket.gethostname()[:28]} {os.getpid()}/{secrets.token_hex(4)}"
        try:
            self.engine = _sqlite(str(self.url.database)) if self.is_sqlite else _postgres(self.url, self.sessions)
        except ModuleNotFoundError as missing:
            problem = f"[database] url: PostgreSQL needs the package {missing.name}: {how_to_install('postgres')}"
            raise ConfigurationError([problem]) from None
        self._reader = self.engine.execution_options(mailticket_read_only=True)
        self._hasty = self.engine.execution_options(mailticket_durable=False)
        self._writer = WriterLock()
        self._doubt = ""

    @property
    def file(self) -> Path | None:
        """The SQLite file, or None for PostgreSQL."""
        return Path(str(self.url.database)) if self.is_sqlite else None

    @contextmanager
    def write(self, *, urgent: bool = False, durable: bool = True) -> Iterator[Session]:
        """A transaction that writes: all of it or nothing. Raises StoreUnavailable for faults of the world.

        durable: False for what is done again, to the same end, where a power cut undoes it. Its commit does not wait
        for SQLite's disk: it survives the end of the program, and the next durable commit that writes anything keeps
        it as well, since the write-ahead log is in order. On PostgreSQL every commit waits for what its administrator
        has set.
        """
        lock = self._writer.hold(urgent=urgent) if self.is_sqlite else _no_lock()
        self.check()
        with (
            lock,
            self._doubting(),
            translated(),
            (self.engine if durable else self._hasty).connect() as connection,
            connection.begin(),
            _session(connection) as session,
        ):
            yield session
            session.flush()

    def check(self) -> None:
        """Raises StoreUnavailable once the disk has failed to keep what we wrote.

        The system may have dropped what it could not write and report success the next time, so only a new start,
        which reads what is really there, may write again.
        """
        if self._doubt:
            raise StoreUnavailable(self._doubt)

    @contextmanager
    def _doubting(self) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable as error:
            origin = getattr(error.__cause__, "orig", None)
            if getattr(origin, "sqlite_errorname", "") in _FAILED_SYNCS:
                self._doubt = f"{error}; nothing more is written before a new start"
            if getattr(origin, "sqlstate", None) == _READ_ONLY:
                self.engine.dispose()  # the server only reads now: new connections may find the one that writes
            raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A read-only view of one moment; it blocks nobody, for a statement that would lock a row is refused.

        On SQLite it keeps the write-ahead log from being emptied, on PostgreSQL old rows from being cleaned up: nobody
        waits for a person inside.
        """
        with translated(), self._reader.connect() as connection, connection.begin(), _session(connection) as session:
            yield session

    def forget_overwritten(self) -> bool:
        """Empty SQLite's write-ahead log, which still holds what was overwritten; True when it is done.

        False while a reader needs the log. On PostgreSQL the old rows go with its own vacuuming.
        """
        if not self.is_sqlite:
            return True
        connection = self.engine.raw_connection()
        try:
            busy = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()
        return not busy

    @property
    def is_small(self) -> bool:
        """Whether it is written anew within seconds, so that others may well wait."""
        return self.file is not None and self.file.stat().st_size <= _SMALL

    def rewrite(self) -> bool:
        """Write all tables anew, so that nothing that was erased is left between the rows; True when it is done.

        SQLite overwrites what it deletes (secure_delete), but where a row grew and had to move to another page, bytes
        of it may stay in the room between the cells, where no statement reaches them: of 500 rows that were emptied
        later, those of one. PostgreSQL leaves them too. While it lasts nobody else writes. False where SQLite's disk
        has no room for a second copy, or a reader still needs the log.
        """
        if self.file is not None:
            folder, size = self.file.resolve().parent, self.file.stat().st_size
            if shutil.disk_usage(folder).free < _ROOM_TO_REWRITE * size:
                return False
            with translated(), self._writer.hold(), self.engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                try:
                    driver.execute("VACUUM")
                except sqlite3.OperationalError as error:
                    raise StoreUnavailable(f"the database cannot be written anew: {error}") from error
            for _ in range(_TRIES):
                if self.forget_overwritten():
                    return True
                time.sleep(_PAUSE)
            return False
        with translated(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for words in ("SET statement_timeout = 0", "SET lock_timeout = 0", "VACUUM FULL", "RESET ALL"):
                connection.exec_driver_sql(words)
        return True

    @property
    def is_wanted_urgently(self) -> bool:
        """Whether a long transaction should end soon, because the outbox waits for its turn."""
        return self._writer.is_wanted_urgently

    def close(self) -> None:
        self.engine.dispose()


def _parsed(url: str) -> URL:
    """The URL as SQLAlchemy knows it, which takes several hosts (HOST:PORT,HOST:PORT for libpq) as queries."""
    match = _HOSTS.fullmatch(url)
    if match is None:
        return make_url(url)
    hosts = tuple(host if re.search(r":\d+$", host) else f"{host}:5432" for host in match["hosts"].split(","))
    return make_url(match["before"] + match["after"]).update_query_dict({"host": hosts})


def libpq_address(url: URL) -> str:
    """The address of a PostgreSQL as its own client programs take it, without the password."""
    hosts = url.query.get("host", ())
    plain = url.set(drivername="postgresql")._replace(password=None)
    if not hosts or isinstance(hosts, str):
        return plain.render_as_string(hide_password=False)
    words = plain.difference_update_query(["host"]).render_as_string(hide_password=False)
    before, _, after = words.partition("@/" if url.username else "///")
    return f"{before}{'@' if url.username else '//'}{','.join(hosts)}/{after}"


def _session(connection: Connection) -> Session:
    return Session(connection, expire_on_commit=False, autoflush=False)


@contextmanager
def _no_lock() -> Iterator[None]:
    yield


@contextmanager
def translated() -> Iterator[None]:
    """Faults of the world come out as StoreUnavailable; anything else is a defect, ours or the mail's."""
    try:
        yield
    except DBAPIError as error:
        if is_fault_of_the_world(error):
            raise _class_of(error)(_in_words(error)) from error
        raise


def _class_of(error: DBAPIError) -> type[StoreUnavailable]:
    words, state = str(error.orig), str(getattr(error.orig, "sqlstate", None) or "")
    if any(sign in words for sign in _DAMAGE):
        return StoreDamaged
    return StoreFull if "disk is full" in words or state == _DISK_FULL else StoreUnavailable


def is_fault_of_the_world(error: Exception) -> bool:
    """Whether an error inside a transaction is the database's own: then the transaction failed, not what it wrote."""
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    if state.startswith(_OUR_STATES):
        return False
    if isinstance(error, StoreUnavailable | OperationalError | InterfaceError) or state.startswith(_WORLD_STATES):
        return True
    return isinstance(error, DatabaseError) and any(sign in str(error.orig) for sign in _DAMAGE)


def _in_words(error: DBAPIError) -> str:
    words = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    meanings = {
        "database is locked": "the database is locked by another program",
        "database or disk is full": "the disk is full, or the database has reached its limit",
        "attempt to write a readonly database": "the database is read-only",
        "unable to open database file": "cannot open the database file: does its folder exist and may we write there?",
        "disk I/O error": "the disk reports an error",
        "no such module: fts5": "this Python's SQLite was built without FTS5, which searching needs; Debian's has it",
        "malformed": "the database file is damaged; restore a backup",
        "unsupported startup parameter": "PgBouncer stands before PostgreSQL and knows a setting in [database] url not",
        "not a database": "the file is no database of ours; restore a backup or correct [database] url",
    }  # fmt: skip
    fitting = (f"{meaning} ({words})" for sign, meaning in meanings.items() if sign in words)
    return next(fitting, f"the database says: {words}")


def _sqlite(file: str) -> Engine:
    # The connection that was used last has the pages that are asked for next; the others need not fill a cache.
    engine = create_engine(
        f"sqlite:///{file}",
        connect_args={"timeout": _BUSY_SECONDS},
        pool_size=10,
        max_overflow=10,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "do_connect")
    def keep_private(*_: object) -> None:
        # SQLite gives its log and its index the rights of the database, so the file's own decide whatever the umask.
        if file != ":memory:":
            with contextlib.suppress(OSError):  # SQLite says itself what is wrong
                os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves: see below
        if not connection.execute("PRAGMA page_count").fetchone()[0]:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # only before the first table; it locks like a write
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # what is flagged on the server must survive a power cut here
            "foreign_keys=ON",
            "secure_delete=ON",
            f"journal_size_limit={_WAL_LIMIT}",
            f"cache_size=-{_CACHE}",
            f"busy_timeout={_BUSY_SECONDS * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once when another one wrote in between.
        options = connection.get_execution_options()
        if options.get("mailticket_read_only"):
            connection.exec_driver_sql("BEGIN")
            return
        synchronous = "FULL" if options.get("mailticket_durable", True) else "NORMAL"
        if connection.info.get("synchronous", "FULL") != synchronous:
            connection.exec_driver_sql(f"PRAGMA synchronous={synchronous}")
            connection.info["synchronous"] = synchronous
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgres(url: Any, name: str) -> Engine:
    for index in (index for table in SQLModel.metadata.tables.values() for index in table.indexes):
        index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    arguments = {"connect_timeout": 5, "application_name": name, **_LIVELINESS}
    engine = create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=10, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def bound(connection: Any, _record: object) -> None:
        # By statements: PgBouncer refuses a connection that says as much when it begins.
        connection.autocommit = True
        connection.execute(_LIMITS)
        connection.autocommit = False

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # By a statement: the driver's own settings would open every other transaction as one that may write, which a
        # server refuses that has become a standby, and which overrules one that an administrator made read-only.
        if connection.get_execution_options().get("mailticket_read_only"):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return engine


def must_be_sound(database: Database) -> None:
    """After a stop that was none: raises StoreDamaged for a file that SQLite finds damaged, if it is soon checked."""
    if database.file is not None and database.file.exists() and database.file.stat().st_size < _QUICK_TO_CHECK:
        wrong = damage(database)
        if wrong:
            raise StoreDamaged(f"{wrong}; restore a backup")


def damage(database: Database) -> str:
    """What SQLite's own check finds wrong with the file; "" for nothing, and for PostgreSQL, which checks itself."""
    if not database.is_sqlite:
        return ""
    with database.read() as session:
        words = str(session.connection().exec_driver_sql("PRAGMA quick_check(1)").scalar())
    return "" if words == "ok" else f"the database file is damaged: {words}"
