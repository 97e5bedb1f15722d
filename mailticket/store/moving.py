"""One database into another: every row of every table, read back and compared, and gone on with after a kill.

The source is one moment that nobody changes meanwhile. Rows are committed in batches, each with its place, so that a
move that was cut short goes on from there. Until the last transaction the target counts as half filled, and no command
uses it. The index of words is made anew, for each database has its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from typing import Any

from sqlalchemy import JSON, Connection, LargeBinary, Table, Text, cast, event, func, literal, select, text, tuple_
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, col

from mailticket.errors import AlreadyRunning, ConfigurationError, Refused, StoreDamaged, StoreUnavailable
from mailticket.models import Meta, UtcDateTime
from mailticket.store import meta, schema, search
from mailticket.store.engine import Database, must_be_sound, translated
from mailticket.store.lock import run_lock

Progress = Callable[[str, float], None]  # what is done, and how much of it, 0 to 1
Row = tuple[Any, ...]

_NOTE, _PLACE = "moving", "moving place"  # rows of the target's meta table while it is half filled
_BATCH_ROWS, _BATCH_BYTES = 5_000, 4 * 1024 * 1024
_PORTION, _PORTION_WITH_BLOBS = 500, 8  # rows that a server sends at once; a blob may have 25 MB
_NO_RIGHT = "42501"

# What is in the way of a quick load and of rows that name later ones, and how it is made again.
_BYWORK = {
    "postgresql": text(
        "SELECT 'ALTER TABLE ' || conrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(conname), "
        "'ALTER TABLE ' || conrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(conname) || ' ' "
        "|| pg_get_constraintdef(oid) "
        "FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace "
        "UNION ALL "
        "SELECT 'DROP INDEX ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid) "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "WHERE NOT i.indisunique AND c.relnamespace = current_schema()::regnamespace"
    ),
    "sqlite": text(
        "SELECT 'DROP INDEX ' || name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT LIKE 'CREATE UNIQUE%'"
    ),
}
_SEQUENCES = text(
    "SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name) "
    "FROM information_schema.columns WHERE table_schema = current_schema() "
    "AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved: rows by table, how many of them by this call, and how many held NUL, which became a mark."""

    counts: dict[str, int]
    written: int
    altered: int


@dataclass(slots=True)
class _Place:
    """How far a move has come: the table and the key of its last row there, the last ticket that is indexed, and how
    many rows were altered."""

    table: str = ""
    key: list[Any] = field(default_factory=list)
    indexed: int = -1
    altered: int = 0


def move_database(source: Database, target: Database, progress: Progress, *, afresh: bool = False) -> Moved:
    """Fill an empty database, or go on filling one, with all that the source holds; it can be used afterwards.

    afresh: throw away what a former move has left in the target. Raises Refused and ConfigurationError for what a
    person must change, AlreadyRunning while a daemon works on either, StoreDamaged where a row came out otherwise,
    StoreUnavailable for faults of the world, after which the same call goes on.
    """
    if _is_same(source, target):
        raise Refused("source and target are the same database")
    if source.file is not None and not source.file.exists():
        raise StoreUnavailable(f"source: there is no database at {source.file}; is [database] url right?")
    with _alone(source, "source"), _unchanging(source) as reader, _alone(target, "target"):
        counts = {table.name: _count(reader, table) for table in _tables()}
        filling = _Filling(target, sum(counts.values()), progress)
        filling.begin(_fingerprint(reader, counts), afresh=afresh)
        for table in filling.tables_left():
            filling.copy(reader, table)
        filling.index()
        filling.compare(reader)
        filling.end()
    return Moved(counts, filling.written, filling.place.altered)


def _is_same(source: Database, target: Database) -> bool:
    if source.file is not None and target.file is not None:
        return source.file.resolve() == target.file.resolve()
    return source.url.render_as_string(hide_password=False) == target.url.render_as_string(hide_password=False)


def _tables() -> list[Table]:
    """All tables, those first that others refer to; meta last, whose rows say how far we are."""
    return sorted(SQLModel.metadata.sorted_tables, key=lambda table: table.name == Meta.__tablename__)


@contextmanager
def _alone(database: Database, name: str) -> Iterator[None]:
    """With nobody at work on the database."""
    with ExitStack() as stack:
        try:
            with _of(name):
                holder = stack.enter_context(run_lock(database))
        except AlreadyRunning as error:
            raise AlreadyRunning(f"{name}: {error}; stop it first") from None
        if holder.after_crash:
            must_be_sound(database)
        yield


@contextmanager
def _of(name: str) -> Iterator[None]:
    """Errors of a database, with which of the two it was, and what a person can do about them."""
    try:
        with translated():
            yield
    except StoreUnavailable as error:
        raise type(error)(f"{name}: {error}") from error
    except DBAPIError as error:
        state = str(getattr(error.orig, "sqlstate", None) or "")
        words = str(error.orig).strip().splitlines()[0]
        if state == _NO_RIGHT:
            raise Refused(f"{name}: the user lacks a right there: {words}; let it own the database") from error
        context = str(getattr(getattr(error.orig, "diag", None), "context", None) or "").partition(": ")[0]
        raise Refused(f"{name}: a row is refused: {words}" + (f" ({context})" if context else "")) from error


@contextmanager
def _unchanging(source: Database) -> Iterator[Connection]:
    """One moment of the source. Nobody writes there until the end, and we cannot."""
    with _of("source"):
        step = schema.current(source)
    if unusable := schema.unusable(step):
        raise ConfigurationError([unusable])
    if step != schema.HEAD:
        raise Refused("source: its tables are of an older release; `mailticket status` brings them up to date")
    with source.engine.connect() as connection, connection.begin() as transaction:
        with _of("source"):
            _freeze(connection)
        try:
            yield connection
        finally:
            transaction.rollback()
            connection.invalidate()  # it is set up for reading only


def _freeze(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":  # the transaction that has begun keeps all other writers out
        driver: Any = connection.connection.driver_connection
        driver.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.exec_driver_sql("PRAGMA query_only=ON")
        return
    _without_limits(connection)
    names = ", ".join(f'"{table.name}"' for table in _tables())
    connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE MODE")
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def _without_limits(connection: Connection) -> None:
    """A transaction as long as it takes."""
    if connection.dialect.name == "postgresql":
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {name} = 0")


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar() or 0)


def _fingerprint(reader: Connection, counts: dict[str, int]) -> str:
    """By which a source is known again that has not changed: its rows' number, highest keys and newest times.

    Of tables with blobs the times are left out, for which whole rows would be read; a change there has its event, its
    heartbeat or its ticket. The comparison at the end leaves nothing out.
    """
    signs: list[object] = [counts]
    for table in _tables():
        has_blobs = any(isinstance(column.type, LargeBinary) for column in table.columns)
        asked = [c for c in table.columns if c.primary_key or (isinstance(c.type, UtcDateTime) and not has_blobs)]
        signs.append([str(value) for value in reader.execute(select(*(func.max(c) for c in asked))).one()])
    signs.append([[str(value) for value in row] for row in reader.execute(select(*_columns(_meta())))])
    return hashlib.sha256(json.dumps(signs, sort_keys=True).encode()).hexdigest()


def _meta() -> Table:
    table: Table = SQLModel.metadata.tables[str(Meta.__tablename__)]
    return table


def _columns(table: Table) -> list[Any]:
    """What is asked of each row. JSON as it is written: `null` and no value are two things."""
    return [cast(c, Text).label(c.name) if isinstance(c.type, JSON) else c for c in table.columns]


def _rows(connection: Connection, table: Table, after: Sequence[Any] = ()) -> Generator[Row, None, None]:
    """The rows of a table in the order of their keys, those of a half-filled target's own excepted."""
    keys = list(table.primary_key.columns)
    query = select(*_columns(table)).order_by(*keys)
    if after:
        query = query.where(tuple_(*keys) > tuple_(*(literal(value) for value in after)))
    if table is _meta():
        query = query.where(table.c.name.not_in((_NOTE, _PLACE)))
    has_blobs = any(isinstance(column.type, LargeBinary) for column in table.columns)
    portion = _PORTION_WITH_BLOBS if has_blobs else _PORTION
    with connection.execute(query, execution_options={"yield_per": portion}) as result:
        for row in result:
            yield tuple(row)


def _harmless(row: Row) -> Row:
    """The row as PostgreSQL takes it, whose texts cannot hold NUL."""
    return tuple(value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in row)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows by the hundred or thousand, or fewer that are large: memory is bounded by the largest row."""
    for first in rows:
        batch, size = [first], _size(first)
        while size < _BATCH_BYTES and len(batch) < _BATCH_ROWS and (row := next(rows, None)) is not None:
            batch.append(row)
            size += _size(row)
        yield batch


def _size(row: Row) -> int:
    return sum(len(value) for value in row if isinstance(value, str | bytes))


class _Filling:
    """A target on its way from empty to full."""

    def __init__(self, target: Database, total: int, progress: Progress) -> None:
        self._target = target
        self._total = max(1, total)
        self._progress = progress
        self._tables = _tables()
        self._bywork: list[str] = []
        self._done = 0
        self.written = 0
        self.place = _Place()

    # --- the beginning ------------------------------------------------------------------------------------------------

    def begin(self, fingerprint: str, *, afresh: bool) -> None:
        """Make the tables, or take up the place of a former move of the same source."""
        with _of("target"):
            step = schema.current(self._target)
            if step == schema.MOVING:
                self._go_on(fingerprint, afresh)
            elif unusable := schema.unusable(step):
                raise ConfigurationError([unusable.replace("[database] url", "target")])
            elif step not in ("", schema.HEAD):
                raise Refused("target: it holds a database of an older release; name an empty one")
            else:
                self._make(fingerprint)

    def _make(self, fingerprint: str) -> None:
        self._must_be_utf8()
        schema.prepare(self._target, alone=True)
        self._let_rows_name_later_ones()
        with self._target.write() as session:
            connection = session.connection()
            schema.forget_oldest(connection)  # that of the source comes with its rows
            if any(_count(connection, table) for table in self._tables):
                raise Refused("target: it holds a database of its own already; name an empty one")
            bywork = connection.execute(_BYWORK[connection.dialect.name]).all()
            for drop, _ in bywork:
                connection.exec_driver_sql(drop)
            self._bywork = [make for _, make in bywork]
            self._keep_note(session, fingerprint)
            connection.execute(text("UPDATE alembic_version SET version_num = :step"), {"step": schema.MOVING})

    def _keep_note(self, session: Session, fingerprint: str) -> None:
        note = {"fingerprint": fingerprint, "bywork": self._bywork}
        meta.set_value(session, _NOTE, json.dumps(note))
        self._keep_place(session)

    def _keep_place(self, session: Session) -> None:
        meta.set_value(session, _PLACE, json.dumps(asdict(self.place)))

    def _must_be_utf8(self) -> None:
        if self._target.is_sqlite:
            return
        with self._target.read() as session:
            encoding = str(session.execute(text("SHOW server_encoding")).scalar())
        if encoding != "UTF8":
            make = "createdb --encoding=UTF8 --template=template0 NAME"
            raise Refused(f"target: its texts are in {encoding}, which has no room for every language; {make}")

    def _let_rows_name_later_ones(self) -> None:
        """On PostgreSQL the foreign keys are taken away for the time; SQLite looks away in each new connection."""
        if self._target.is_sqlite:
            self._target.engine.dispose()
            event.listen(self._target.engine, "connect", _look_away)

    def _go_on(self, fingerprint: str, afresh: bool) -> None:
        self._let_rows_name_later_ones()
        with self._target.read() as session:
            note = json.loads(meta.value(session, _NOTE))
            self.place = _Place(**json.loads(meta.value(session, _PLACE)))
        self._bywork = note["bywork"]
        if afresh:
            self._empty(fingerprint)
        elif note["fingerprint"] != fingerprint:
            changed = "the source has changed since this move began (or it is another one)"
            raise Refused(f"{changed}; begin anew with --afresh, which empties the target first")

    def _empty(self, fingerprint: str) -> None:
        self.place = _Place()
        with self._target.write() as session:
            connection = session.connection()
            _without_limits(connection)
            for table in reversed(self._tables):
                connection.execute(table.delete() if self._target.is_sqlite else text(f'TRUNCATE "{table.name}"'))
            search.clear(connection)
            self._keep_note(session, fingerprint)

    # --- the rows -----------------------------------------------------------------------------------------------------

    def tables_left(self) -> Iterator[Table]:
        """Tables whose rows are not all there, the one first in whose midst the former move ended."""
        names = [table.name for table in self._tables]
        start = names.index(self.place.table) if self.place.table else 0
        with _of("target"), self._target.read() as session:
            self._done = sum(_count(session.connection(), table) for table in self._tables[: start + 1])
        yield from self._tables[start:]

    def copy(self, reader: Connection, table: Table) -> None:
        """Write what is missing of a table."""
        keys = [list(table.columns).index(key) for key in table.primary_key.columns]
        after = self.place.key if self.place.table == table.name else []
        with closing(_rows(reader, table, after)) as olds:
            for batch in _batches(olds):
                rows = batch if self._target.is_sqlite else [_harmless(row) for row in batch]
                self.place.altered += sum(old != new for old, new in zip(batch, rows, strict=True))
                self.place.table, self.place.key = table.name, [rows[-1][place] for place in keys]
                with _of("target"), self._target.write() as session:
                    _insert(session.connection(), table, rows)
                    self._keep_place(session)
                self.written += len(rows)
                self._done += len(rows)
                self._progress("copying", min(1.0, self._done / self._total))

    def index(self) -> None:
        """Let the tickets be found by their words."""
        with _of("target"), self._target.read() as session:
            tickets = max(1, _count(session.connection(), SQLModel.metadata.tables["ticket"]))
        done = 0
        while True:
            with _of("target"), self._target.write() as session:
                numbers = search.fill_portion(session.connection(), self.place.indexed)
                if not numbers:
                    return
                self.place.indexed = numbers[-1]
                self._keep_place(session)
            done += len(numbers)
            self._progress("indexing", min(1.0, done / tickets))

    def compare(self, reader: Connection) -> None:
        """Read all back, value by value. Raises StoreDamaged for the first row that is not as it was."""
        done = 0
        with _of("target"), self._target.read() as session:
            connection = session.connection()
            _without_limits(connection)
            for table in self._tables:
                with closing(_rows(reader, table)) as olds, closing(_rows(connection, table)) as news:
                    for old, new in zip_longest(olds, news):
                        if old != new and (self._target.is_sqlite or old is None or _harmless(old) != new):
                            raise StoreDamaged(_difference(table, old, new))
                        done += 1
                        if done % _BATCH_ROWS == 0:
                            self._progress("comparing", min(1.0, done / self._total))

    # --- the end ------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Indexes, foreign keys and sequences; in the same transaction the target counts as whole."""
        self._progress("finishing", -1)
        with _of("target"), self._target.write() as session:
            connection = session.connection()
            _without_limits(connection)
            if not self._target.is_sqlite:
                connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
            for statement in sorted(self._bywork):  # foreign keys first: both are lists of ALTER and CREATE
                connection.exec_driver_sql(statement)
            self._must_refer_rightly(connection)
            if not self._target.is_sqlite:
                _set_sequences(connection)
            connection.execute(_meta().delete().where(col(Meta.name).in_((_NOTE, _PLACE))))
            connection.execute(text("UPDATE alembic_version SET version_num = :step"), {"step": schema.HEAD})
            connection.exec_driver_sql("ANALYZE")

    def _must_refer_rightly(self, connection: Connection) -> None:
        """What PostgreSQL sees when it makes the foreign keys."""
        wrong = connection.exec_driver_sql("PRAGMA foreign_key_check").first() if self._target.is_sqlite else None
        if wrong is not None:
            raise StoreDamaged(
                f"target: a row of {wrong[0]} (rowid {wrong[1]}) names one of {wrong[2]} that is not there"
            )


def _set_sequences(connection: Connection) -> None:
    """Let PostgreSQL number on behind the highest number of each table."""
    for table, column, sequence in connection.execute(_SEQUENCES).all():
        highest = connection.execute(select(func.max(SQLModel.metadata.tables[table].c[column]))).scalar()
        if highest is not None and highest > 0:
            connection.execute(select(func.setval(sequence, highest)))


def _look_away(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")


def _difference(table: Table, old: Row | None, new: Row | None) -> str:
    row = old or new or ()
    key = ", ".join(
        f"{column.name} {value!r}" for column, value in zip(table.columns, row, strict=True) if column.primary_key
    )
    if old is None or new is None:
        what = "is not in the source" if old is None else "is missing"
    else:
        columns = [c.name for c, a, b in zip(table.columns, old, new, strict=True) if a != b]
        what = f"differs in {', '.join(columns)}"
    return f"target: the row of {table.name} with {key} {what}; begin anew with --afresh"


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows with the driver's own means: COPY, or one prepared statement."""
    dialect = connection.dialect
    columns = list(table.columns)
    convert = [
        None if isinstance(c.type, JSON) else c.type.dialect_impl(dialect).bind_processor(dialect) for c in columns
    ]
    names = ", ".join(f'"{column.name}"' for column in columns)
    bound = (tuple(v if f is None else f(v) for f, v in zip(convert, row, strict=True)) for row in rows)
    driver: Any = connection.connection.driver_connection
    try:
        if dialect.name == "sqlite":
            marks = ", ".join("?" * len(columns))
            driver.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', bound)  # noqa: S608
            return
        with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in bound:
                copy.write_row(row)
    except dialect.loaded_dbapi.Error as error:
        kind = dialect.loaded_dbapi.Error
        raise DBAPIError.instance(None, None, error, kind, hide_parameters=True, dialect=dialect) from error
