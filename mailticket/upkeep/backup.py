"""Backup and restore: a file that was read back before it counts, and a database that holds its tongue until told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailticket import __version__
from mailticket.errors import Refused, StoreUnavailable
from mailticket.settings import Settings
from mailticket.site import read_key
from mailticket.store import meta, restored
from mailticket.store.backup import Contents, Note, Progress, copy_database
from mailticket.store.engine import Database
from mailticket.store.restore import Restoration, restore_database
from mailticket.store.restored import Held
from mailticket.upkeep.whole_file import whole_file


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
    key = read_key(settings.support.key_file) if settings.support.key_file is not None else None
    database = Database(settings.database.url)
    if os.path.lexists(target) and not force:
        raise Refused(f"{target} exists; choose another name, or replace it with --force")
    try:
        with whole_file(target, force=force) as partial:
            contents = copy_database(database, partial, Note(now, __version__), key, progress)
        with database.write() as session:
            meta.set_value(session, "last_backup", now.isoformat())
    finally:
        database.close()
    return Backup(contents, target.stat().st_size)


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
