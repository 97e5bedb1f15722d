"""Backup and restore: a file that was read back before it counts, and a database that holds its tongue until told."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailticket import __version__
from mailticket.errors import Refused, StoreUnavailable
from mailticket.settings import Settings
from mailticket.site import read_key
from mailticket.store import meta, restored
from mailticket.store.backup import Contents, Note, Progress, copy_database, remove, sync
from mailticket.store.engine import Database
from mailticket.store.restore import Restoration, restore_database
from mailticket.store.restored import Held


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made: what is in the file, and its size in bytes."""

    contents: Contents
    size: int


def make_backup(settings: Settings, target: Path, now: datetime, progress: Progress, *, force: bool = False) -> Backup:
    """Write a backup of the configured database; the daemon may go on working.

    The file appears under its name only when it was written whole, read back and counted. force: it may replace
    another.
    """
    if target.exists() and not force:
        raise Refused(f"{target} exists; choose another name, or replace it with --force")
    key = read_key(settings.support.key_file) if settings.support.key_file is not None else None
    database = Database(settings.database.url)
    partial = target.with_name(f"{target.name}.partial")
    try:
        with _alone(partial):
            contents = copy_database(database, partial, Note(now, __version__), key, progress)
            sync(partial)
            _name(partial, target, force=force)
            sync(target.resolve().parent)
        with database.write() as session:
            meta.set_value(session, "last_backup", now.isoformat())
    finally:
        database.close()
    return Backup(contents, target.stat().st_size)


@contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """An empty file that is ours alone, removed at the end; what a killed backup left is used anew."""
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"{partial} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreUnavailable(f"another backup is being written to {partial}") from None
        os.ftruncate(descriptor, 0)
        os.fchmod(descriptor, 0o600)
        try:
            yield
        finally:
            remove(partial)
    finally:
        os.close(descriptor)


def _name(partial: Path, target: Path, *, force: bool) -> None:
    try:
        if force:
            partial.replace(target)
        else:
            target.hardlink_to(partial)  # which fails where a file of that name appeared meanwhile
    except FileExistsError:
        raise Refused(f"{target} exists by now; choose another name, or replace it with --force") from None
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror}") from error


def restore(settings: Settings, source: Path, now: datetime, progress: Progress, *, moved: bool = False) -> Restoration:
    """Put a backup into the place of the configured database, with the signing key that stood in a file.

    moved: its daemon had stopped for good before it was made, so that nothing need be held.
    """
    database = Database(settings.database.url)
    try:
        restoration = restore_database(database, source, now, progress, moved=moved)
    finally:
        database.close()
    file = settings.support.key_file
    if restoration.key is not None and file is not None and not file.exists():
        _write_key(file, restoration.key)
    return restoration


def _write_key(file: Path, key: bytes) -> None:
    """As root, the group of the folder may read it: that of the daemon, where the folder is /etc/mailticket."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as writer:
            writer.write(key)
            if os.geteuid() == 0:
                os.fchown(writer.fileno(), 0, file.parent.stat().st_gid)
                os.fchmod(writer.fileno(), 0o640)
    except OSError as error:
        raise StoreUnavailable(f"the signing key cannot be written to {file}: {error.strerror}") from error


def what_is_held(database: Database) -> Held | None:
    """What a release would find; None when nothing is held since a restore."""
    with database.read() as session:
        return restored.held(session) if restored.is_held(session) else None


def release(database: Database, now: datetime) -> Held | None:
    """Let mail leave again after a restore; returns what was held, None when nothing was."""
    with database.write() as session:
        if not restored.is_held(session):
            return None
        held = restored.held(session)
        restored.release(session, now)
        return held
