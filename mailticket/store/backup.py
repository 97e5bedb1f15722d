"""Copies of the database: made while a daemon works, whole as of one moment, and read back before they count.

Of SQLite the copy is a database file, of PostgreSQL an archive of pg_dump; both hold the signing keys.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, text

from mailticket.errors import StoreDamaged, StoreUnavailable
from mailticket.store import Session, meta, schema
from mailticket.store.engine import Database, libpq_address, translated

Progress = Callable[[str, float], None]  # what is done, and how much of it: 0 to 1, below 0 where nobody knows

_NOTE = "backup"  # the row of meta that says what a copy is
_STEP_PAGES = 1_024
_STEP_PAUSE = 0.002  # seconds that the disk belongs to others after each step
_SQLITE, _ARCHIVE = b"SQLite format 3\0", b"PGDMP"
_COPY = re.compile(rb'^COPY (?:[\w"]+\.)?"?(\w+)"? \(')


@dataclass(frozen=True, slots=True)
class Note:
    """What a copy says of itself. key_file: the row of the key that stood in [support] key_file; None for none."""

    at: datetime
    program: str
    key_file: int | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a copy: rows by table, the step of its tables, and its note, which other copies lack."""

    database: str
    step: str
    counts: dict[str, int] = field(default_factory=dict)
    note: Note | None = None


def copy_database(database: Database, target: Path, note: Note, key: bytes | None, progress: Progress) -> Contents:
    """Copy into a file that is there and empty, and read the copy back; returns what it holds.

    key: the signing key that stands in a file and not in the database. Raises StoreUnavailable, StoreDamaged for a
    copy that is not whole.
    """
    if database.is_sqlite:
        counts = _copy_sqlite(database, target, progress)
        copy = Database(f"sqlite:///{target}")
        try:
            with copy.write() as session:
                _enter(session, note, key)
        finally:
            copy.close()
        with translated_sqlite(), closing(_open(target)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")  # or reading the copy would need two more files
    else:
        with database.write() as session:
            _enter(session, note, key)
        counts = _dump(database, target, progress)
    contents = contents_of(target, progress)
    for table, number in counts.items():
        extra = table in ("meta", "key")  # the note and the key came after the count
        if contents.counts.get(table, -1) < number or (contents.counts[table] != number and not extra):
            found = contents.counts.get(table)
            raise StoreDamaged(f"the copy is not whole: it holds {found} rows of {table}, the database {number}")
    return contents


def contents_of(file: Path, progress: Progress) -> Contents:
    """Read a copy from end to end. Raises StoreDamaged for one that is damaged or none of ours."""
    try:
        with file.open("rb") as handle:
            head = handle.read(16)
    except OSError as error:
        raise StoreUnavailable(f"{file} cannot be read: {error.strerror}") from error
    if head == _SQLITE:
        return _read_sqlite(file, progress)
    if head.startswith(_ARCHIVE):
        return _read_archive(file, progress)
    raise StoreDamaged(f"{file} is no backup of mailticket: neither a SQLite file nor an archive of pg_dump")


def _enter(session: Session, note: Note, key: bytes | None) -> None:
    number = meta.keep_key(session, key, note.at) if key else None
    meta.set_value(session, _NOTE, json.dumps({**asdict(note), "at": note.at.isoformat(), "key_file": number}))


def _note(written: str) -> Note | None:
    values = json.loads(written) if written else None
    return Note(**{**values, "at": datetime.fromisoformat(values["at"])}) if values else None


@contextmanager
def translated_sqlite() -> Iterator[None]:
    """Errors of a bare SQLite connection as faults of the world."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        kind = StoreUnavailable if isinstance(error, sqlite3.OperationalError) else StoreDamaged
        raise kind(f"the database says: {error}") from error


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=10, isolation_level=None)


def _copy_sqlite(database: Database, target: Path, progress: Progress) -> dict[str, int]:
    """Copy page by page as of one moment; returns its rows by table.

    The open reading transaction holds that moment, so that no write of the daemon begins the copy anew, and in WAL mode
    it keeps nobody from writing.
    """
    if database.file is None or not database.file.exists():
        raise StoreUnavailable(f"there is no database at {database.file}; is [database] url right?")

    def step(_status: int, remaining: int, total: int) -> None:
        progress("copying", (total - remaining) / max(1, total))
        time.sleep(_STEP_PAUSE)

    with translated_sqlite(), closing(_open(database.file)) as source, closing(_open(target)) as copy:
        source.execute("BEGIN")
        counts = _sqlite_counts(source)
        source.backup(copy, pages=_STEP_PAGES, progress=step)
        source.execute("ROLLBACK")
    return counts


def _sqlite_counts(connection: sqlite3.Connection) -> dict[str, int]:
    # A virtual table is only another view of rows that are counted where they lie.
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND rootpage != 0"
    )
    names = [str(row[0]) for row in tables]
    return {name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}  # noqa: S608


def _read_sqlite(file: Path, progress: Progress) -> Contents:
    progress("checking", -1)
    log = companions(file)[0]
    if log.exists() and log.stat().st_size:
        raise StoreDamaged(f"{file} has a log beside it, {log.name}: it is a database in use, and no backup")
    unchanging = f"{file.resolve().as_uri()}?immutable=1"  # so that it is read on a read-only medium too
    with translated_sqlite(), closing(sqlite3.connect(unchanging, uri=True, isolation_level=None)) as connection:
        words = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
        if words != "ok":
            raise StoreDamaged(f"{file} is damaged: {words}")
        counts = _sqlite_counts(connection)
        if "alembic_version" not in counts or "meta" not in counts:
            raise StoreDamaged(f"{file} is a SQLite file, and no database of mailticket")
        step = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        note = connection.execute("SELECT value FROM meta WHERE name = ?", (_NOTE,)).fetchone()
    return Contents("sqlite", str(step[0]) if step else "", counts, _note(note[0] if note else ""))


def client(database: Database, name: str) -> tuple[list[str], dict[str, str]]:
    """How a client program of PostgreSQL is called: its path and the database, and its environment with the password.

    Raises StoreUnavailable where the program is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise StoreUnavailable(f"{name} is not installed on this host; `apt install postgresql-client` brings it")
    url = database.url
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    address = libpq_address(url)
    return [path, f"--dbname={address}"], {**os.environ, **password}


def schema_of(connection: Connection) -> str:
    """The schema of PostgreSQL in which our tables are, or would be made."""
    return str(connection.execute(text("SELECT current_schema()")).scalar() or "public")


def _dump(database: Database, target: Path, progress: Progress) -> dict[str, int]:
    """Let pg_dump write what one transaction sees; returns that transaction's rows by table."""
    call, environ = client(database, "pg_dump")
    progress("copying", -1)
    with translated(), database.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
        connection.execute(text("SET statement_timeout = 0"))
        snapshot = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar())
        home = schema_of(connection)
        names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = :home"), {"home": home})
        counts = {
            str(name): int(connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar() or 0)  # noqa: S608
            for name in list(names.scalars())
        }
        words = ["--format=custom", "--no-owner", "--no-privileges", f"--schema={home}", f"--snapshot={snapshot}"]
        run_client([*call, *words, f"--file={target}"], environ)
    return counts


def run_client(call: list[str], environ: dict[str, str]) -> None:
    """Run a client program of PostgreSQL to its end; raises StoreUnavailable with its first words."""
    done = subprocess.run(call, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise StoreUnavailable(f"{Path(call[0]).name} failed: {_first_line(done.stderr)}")


def _first_line(words: bytes) -> str:
    lines = words.decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else "it gave no reason"


def _read_archive(file: Path, progress: Progress) -> Contents:
    """Have pg_restore write the archive out as a script, whose rows are counted and thrown away."""
    path = shutil.which("pg_restore")
    if path is None:
        raise StoreUnavailable("pg_restore is not installed; `apt install postgresql-client` brings it")
    progress("checking", -1)
    call = [path, "--file=-", str(file)]
    with subprocess.Popen(call, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        assert process.stderr is not None
        counts, step, note = _count(process.stdout)
        words = process.stderr.read()
    if process.returncode:
        raise StoreDamaged(f"{file} is damaged: {_first_line(words)}")
    if not step:
        raise StoreDamaged(f"{file} is an archive of pg_dump, and holds no database of mailticket")
    return Contents("postgresql", step, counts, note)


def _count(script: IO[bytes]) -> tuple[dict[str, int], str, Note | None]:
    counts: dict[str, int] = {}
    table, step, note = "", "", None
    for line in script:
        if table and line == b"\\.\n":
            table = ""
        elif table:
            counts[table] += 1
            if table == "alembic_version":
                step = line.decode().strip()
            elif table == "meta" and line.startswith(f"{_NOTE}\t".encode()):
                note = _note(line.decode().partition("\t")[2].strip())
        elif match := _COPY.match(line):
            table = match[1].decode()
            counts[table] = 0
    return counts, step, note


def step_is_too_new(step: str) -> str:
    """Why a copy cannot be used by this program; "" where it can."""
    if step <= schema.HEAD:
        return ""
    steps = f"its tables are at step {step}, this program knows up to {schema.HEAD}"
    return f"the backup is of a newer mailticket ({steps})"


def remove(file: Path) -> None:
    """Remove a file, and what SQLite may have left beside it."""
    for name in (file, *companions(file)):
        with suppress(OSError):
            name.unlink()


def companions(file: Path) -> tuple[Path, Path]:
    """The files that SQLite keeps beside a database in WAL mode."""
    return file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")


def sync(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
