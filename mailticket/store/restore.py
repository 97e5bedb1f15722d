"""A backup into the place of the database. What was there stays beside it, and what is restored is held."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import text

from mailticket.errors import Refused, StoreUnavailable
from mailticket.models import Consent
from mailticket.store import hosts, meta, oauth2, restored, schema, tombstones
from mailticket.store.backup import (
    Contents,
    Progress,
    client,
    companions,
    contents_of,
    remove,
    run_client,
    schema_of,
    step_is_too_new,
    sync,
)
from mailticket.store.engine import Database, translated
from mailticket.store.lock import lock_file, run_lock

_CHUNK = 4 * 1024 * 1024
Settled = tuple[int, bytes | None, tuple[str, ...]]  # mails held back, a key that stood in a file, who is back
Settle = Callable[[Database], Settled]  # makes restored tables fit to be used


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a restore did. replaced: where the former database is, "" for none. held: how many mails are held back.
    returned: addresses of people who had been forgotten and whose data is back.

    key: the signing key that stood in a file when the backup was made; None for none.
    """

    contents: Contents
    replaced: str
    held: int
    key: bytes | None
    returned: tuple[str, ...] = ()


def restore_database(
    database: Database, source: Path, now: datetime, progress: Progress, *, moved: bool = False
) -> Restoration:
    """Put a backup into the place of the database, and hold it. Nothing is changed before the backup was read whole.

    moved: nothing left after the backup was made, for its daemon had stopped for good: nothing is held.
    Raises AlreadyRunning while a daemon runs, StoreDamaged or Refused for a backup that cannot be used.
    """
    contents = contents_of(source, progress)
    if why := step_is_too_new(contents.step):
        raise Refused(f"{why}; install that release first")
    kind = "sqlite" if database.is_sqlite else "postgresql"
    if contents.database != kind:
        raise Refused(f"{source} is a backup of {contents.database}, and [database] url names {kind}")
    with run_lock(database):
        settle = partial(_settle, contents=contents, now=now, moved=moved, legacy=_legacy_of(database))
        if database.file is not None:
            replaced, (held, key, returned) = _restore_file(database.file, source, settle, now, progress)
        else:
            replaced, (held, key, returned) = _restore_archive(database, source, settle, now, progress)
    return Restoration(contents, replaced, held, key, returned)


@dataclass(frozen=True, slots=True)
class _Legacy:
    """What a restored database takes over from the one that it replaces.

    consents: their refresh tokens may be newer than those of the backup, which the provider then takes no more.
    tombstones: who was forgotten since the backup was made.
    """

    consents: list[Consent] = field(default_factory=list)
    tombstones: tombstones.Tombstones = field(default_factory=tombstones.Tombstones)


def _legacy_of(database: Database) -> _Legacy:
    """None of a database that cannot be read, or is of another release."""
    if database.file is not None and not database.file.exists():
        return _Legacy()
    try:
        if schema.current(database) != schema.HEAD:
            return _Legacy()
        with database.read() as session:
            return _Legacy(oauth2.consents(session), tombstones.standing(session))
    except StoreUnavailable:
        return _Legacy()
    finally:
        if database.is_sqlite:  # whose file is about to be replaced; on PostgreSQL the lock lies in a connection
            database.close()


def _settle(database: Database, contents: Contents, now: datetime, moved: bool, legacy: _Legacy) -> Settled:
    """Bring restored tables up to date and hold what is in them, before any daemon can see them."""
    schema.prepare(database, alone=True)
    note = contents.note
    with database.write() as session:
        key = meta.key_by_id(session, note.key_file) if note and note.key_file is not None else None
        hosts.end_all(session, now)
        oauth2.carry_over(session, legacy.consents)
        tombstones.carry_over(session, legacy.tombstones)
        held = 0 if moved else restored.hold(session, now, note.at if note else None)
        returned = tuple(tombstones.returned(session))
    return held, key, returned


def _restore_file(file: Path, source: Path, settle: Settle, now: datetime, progress: Progress) -> tuple[str, Settled]:
    fresh = file.with_name(f"{file.name}.restoring")
    size, free = source.stat().st_size, shutil.disk_usage(file.parent).free
    if free < size + size // 10:
        need, room = size // 1024**2, free // 1024**2
        raise StoreUnavailable(f"the backup needs {need} MB in {file.parent}, where {room} MB are free; make room")
    remove(fresh)
    try:
        with _written(file):
            _copy(source, fresh, progress)
            copy = Database(f"sqlite:///{fresh}")
            try:
                result = settle(copy)
            finally:
                copy.close()
            for path in (fresh, lock_file(file)):
                _give_to_owner(path)
            sync(fresh)
            replaced = _exchange(file, fresh, f"{file.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    finally:
        remove(fresh)
    return replaced, result


@contextmanager
def _written(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"the backup cannot be put in place of {file}: {error.strerror}") from error


def _copy(source: Path, target: Path, progress: Progress) -> None:
    size, done = max(1, source.stat().st_size), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        while chunk := reader.read(_CHUNK):
            writer.write(chunk)
            done += len(chunk)
            progress("restoring", min(1.0, done / size))


def _give_to_owner(path: Path) -> None:
    """As root, what is new belongs to whom the state folder belongs: the daemon's user."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def _exchange(file: Path, fresh: Path, name: str) -> str:
    """Put the fresh file in the place of the other, which stays beside it under this name; returns where, or "".

    There is a database under the old name at every moment: else a daemon started after a kill would make an empty one.
    """
    aside = file.with_name(name)
    if file.exists():
        _must_be_alone(file)
        aside.hardlink_to(file)
        for companion, moved in zip(companions(file), companions(aside), strict=True):
            if companion.exists():
                companion.rename(moved)
    fresh.replace(file)
    sync(file.parent)
    return str(aside) if aside.exists() else ""


def _must_be_alone(file: Path) -> None:
    """Fold SQLite's log into the file, which succeeds only where nobody else has it open.

    Whoever had it open would remove the log of the new database when it closes, by its name. A damaged file has no
    log worth keeping in order; it is moved with its log as it is.
    """
    with closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                open_elsewhere = "another program has the database open, such as a command whose output is paged"
                raise StoreUnavailable(f"{open_elsewhere}; end it and try again") from error
        except sqlite3.DatabaseError:
            pass


def _restore_archive(
    database: Database, source: Path, settle: Settle, now: datetime, progress: Progress
) -> tuple[str, Settled]:
    """The former tables are moved into a schema of their own; a restore that fails moves them back."""
    call, environ = client(database, "pg_restore")
    progress("restoring", -1)
    with translated(), database.engine.begin() as connection:
        home = schema_of(connection)
        query = text("SELECT 1 FROM pg_tables WHERE schemaname = :home")
        holds_tables = connection.execute(query, {"home": home}).first() is not None
        aside = f"replaced_{now:%Y%m%dt%H%M%Sz}"
        if holds_tables:
            connection.execute(text(f'ALTER SCHEMA "{home}" RENAME TO "{aside}"'))
            connection.execute(text(f'CREATE SCHEMA "{home}"'))
    words = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", f"--schema={home}"]
    try:
        run_client([*call, *words, str(source)], environ)
        result = settle(database)
    except BaseException:
        with translated(), database.engine.begin() as connection:
            if holds_tables:
                connection.execute(text(f'DROP SCHEMA "{home}" CASCADE'))
                connection.execute(text(f'ALTER SCHEMA "{aside}" RENAME TO "{home}"'))
        raise
    return (f"schema {aside}" if holds_tables else ""), result
