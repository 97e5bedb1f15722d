"""Statements of the way of every mail: built and compiled once, run past SQLAlchemy's execution and unit of work.

SQLAlchemy takes ten times as long to execute a short statement as SQLite does. What a `Prepared` keeps of it is the
compiled text and what converts values on their way in and out; connection, transaction and errors stay SQLAlchemy's.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import blake2b
from typing import Any, TypeVar, cast

from sqlalchemy import BigInteger, ClauseElement, Connection, Table, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.orm import class_mapper, make_transient_to_detached
from sqlmodel import Session, SQLModel

_Convert = Callable[[Any], Any]
_Row = TypeVar("_Row", bound=SQLModel)


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a model: statements over it skip the mapper, and are built once."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


class Prepared:
    """A statement over tables, whose parameters are given by name at each call. What the session holds is not flushed.

    Of lists (`expanding` parameters) it knows nothing: their number would be part of the text.
    """

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None = None) -> None:
        """columns: of an INSERT, those that are given; else all parameters are named in the statement."""
        self._statement = statement
        self._columns = columns
        self._shapes: dict[str, _Shape] = {}

    def all(self, session: Session, **values: Any) -> list[Any]:
        """The rows, as tuples that also have the columns' names."""
        shape, cursor = self._run(session, values)
        rows = cursor.fetchall()
        cursor.close()
        return shape.rows(rows)

    def first(self, session: Session, **values: Any) -> Any:
        """The first row, or None."""
        shape, cursor = self._run(session, values)
        row = cursor.fetchone()
        cursor.close()
        return None if row is None else shape.rows([row])[0]

    def scalar(self, session: Session, **values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.first(session, **values)
        return None if row is None else row[0]

    def change(self, session: Session, **values: Any) -> int:
        """How many rows were written."""
        _, cursor = self._run(session, values)
        number: int = cursor.rowcount
        cursor.close()
        return number

    def change_each(self, session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write as often as there are rows of values."""
        connection = cast(Connection, session.bind)
        self._shape(connection).execute_many(connection, rows).close()

    def _run(self, session: Session, values: Mapping[str, Any]) -> tuple[_Shape, Any]:
        connection = cast(Connection, session.bind)
        shape = self._shape(connection)
        return shape, shape.execute(connection, values)

    def _shape(self, connection: Connection) -> _Shape:
        name = connection.dialect.name
        shape = self._shapes.get(name)
        if shape is None:
            shape = self._shapes[name] = _Shape(connection, self._statement, self._columns)
        return shape


class _Shape:
    """What one database makes of a statement: its text, and the conversions of parameters and columns."""

    def __init__(self, connection: Connection, statement: Any, columns: Sequence[str] | None) -> None:
        dialect = connection.dialect
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        if compiled.post_compile_params:
            raise TypeError(f"a statement with lists cannot be prepared: {compiled}")
        self._text = str(compiled)
        self._positional = bool(compiled.positional)
        names = compiled.positiontup if self._positional else list(compiled.binds)
        processors: Mapping[str, _Convert] = compiled._bind_processors
        self._names = tuple(names)
        self._parameters = [_parameter(compiled.binds[name], processors.get(name)) for name in names]
        self._dialect, self._error = dialect, dialect.loaded_dbapi.Error
        entries = compiled._result_columns
        self._row: Any = namedtuple("Row", [str(e.keyname) for e in entries], rename=True)  # type: ignore[misc]
        convert = [entry.type._cached_result_processor(dialect, None) for entry in entries]
        self._converted = [(place, function) for place, function in enumerate(convert) if function is not None]

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The cursor after the statement ran. Errors: SQLAlchemy's, without the parameters, which are users' texts."""
        return self._send(connection, self._bound(values), many=False)

    def execute_many(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> Any:
        """The same after it ran for each row of values, in one exchange where the driver can."""
        return self._send(connection, [self._bound(values) for values in rows], many=True)

    def _bound(self, values: Mapping[str, Any]) -> Any:
        bound = [
            constant if key is None else values[key] if process is None else process(values[key])
            for key, process, constant in self._parameters
        ]
        return tuple(bound) if self._positional else dict(zip(self._names, bound, strict=True))

    def _send(self, connection: Connection, parameters: Any, *, many: bool) -> Any:
        cursor = connection.connection.cursor()
        try:
            for listener in connection.dispatch.before_cursor_execute:
                listener(connection, cursor, self._text, parameters, None, many)
            (cursor.executemany if many else cursor.execute)(self._text, parameters)
        except self._error as error:
            raise DBAPIError.instance(
                self._text, None, error, self._error, hide_parameters=True, dialect=self._dialect
            ) from error  # fmt: skip
        return cursor

    def rows(self, raw: Iterable[Sequence[Any]]) -> list[Any]:
        if not self._converted:
            return [self._row._make(row) for row in raw]
        return [self._row._make(self._convert(row)) for row in raw]

    def _convert(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, function in self._converted:
            values[place] = function(values[place])
        return values


def _parameter(bind: Any, process: _Convert | None) -> tuple[str | None, _Convert | None, Any]:
    """Under which name a parameter is given and what converts it; without a name the value that stands in the
    statement itself, converted."""
    if bind.required:
        return bind.key, process, None
    return None, None, bind.effective_value if process is None else process(bind.effective_value)


_SAVEPOINT, _ROLLBACK, _RELEASE = (
    Prepared(text(f"{command} part")) for command in ("SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT")
)
_LOCK = Prepared(select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger))))


def take_turns(session: Session, what: str) -> None:
    """On PostgreSQL wait for those who have the same in hand, whose transactions must end first; a SQLite file has one
    writer at a time anyway."""
    if session.connection().dialect.name == "postgresql":
        digest = blake2b(what.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        _LOCK.first(session, number=int.from_bytes(digest, signed=True))


@contextmanager
def savepoint(session: Session) -> Iterator[None]:
    """A part of the transaction that is taken back by itself when it raises; what the session knew goes with it."""
    session.flush()  # what was there before is no part of it
    _SAVEPOINT.change(session)
    try:
        yield
        session.flush()
    except BaseException:
        # A fault of the world has ended the whole transaction, or the connection, and says so itself.
        with suppress(DBAPIError, PendingRollbackError):
            _ROLLBACK.change(session)
            _RELEASE.change(session)  # or one around it of the same name is not reached
        session.expunge_all()  # what was taken back must not stand in the way of the next
        raise
    _RELEASE.change(session)


def insert_values(session: Session, model: type[SQLModel], values: Mapping[str, Any]) -> int:
    """Insert a row of these values and the model's defaults; returns its id."""
    statement, defaults = _insertion(model)
    return int(statement.scalar(session, **{**defaults, **values}))


def insert_many(session: Session, model: type[SQLModel], rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows, each of its values and the model's defaults."""
    _, defaults = _insertion(model)
    _insertion_of_many(model).change_each(session, [{**defaults, **row} for row in rows])


def insert_tracked(session: Session, model: type[_Row], values: Mapping[str, Any]) -> _Row:
    """Insert a row of these values and the model's defaults; the session follows what is changed in its object later.

    The object is made as the mapper makes what it reads: the model's own way costs as much as the insert.
    """
    statement, defaults = _insertion(model)
    row_values = {**defaults, **values}
    number = int(statement.scalar(session, **row_values))
    row: _Row = class_mapper(model).class_manager.new_instance()
    row.__dict__.update(row_values, id=number)
    make_transient_to_detached(row)
    session.add(row)
    return row


@cache
def _insertion(model: type[SQLModel]) -> tuple[Prepared, dict[str, Any]]:
    """The statement, and the default of every column but the id; None for those that must be given."""
    table = table_of(model)
    fields = {column.key: model.model_fields[column.key] for column in table.columns if column.key != "id"}
    defaults = {name: None if field.is_required() else field.get_default() for name, field in fields.items()}
    return Prepared(table.insert().returning(table.c.id), tuple(defaults)), defaults


@cache
def _insertion_of_many(model: type[SQLModel]) -> Prepared:
    return Prepared(table_of(model).insert(), tuple(_insertion(model)[1]))


def update_row(session: Session, model: type[SQLModel], number: int, values: Mapping[str, Any]) -> None:
    """Set these columns of the row with this id. An object of it that the session holds does not notice."""
    _change(model, tuple(values)).change(session, **values, the_row=number)


@cache
def _change(model: type[SQLModel], names: tuple[str, ...]) -> Prepared:
    table = table_of(model)
    statement = table.update().where(table.c.id == bindparam("the_row")).values({n: bindparam(n) for n in names})
    return Prepared(statement)


def execute(session: Session, statement: Any, values: dict[str, Any]) -> Any:
    """Run a statement that was built once over tables, past the mapper. What the session holds is not flushed."""
    return session.connection().execute(statement, values)
