"""Rows written without the session's unit of work, which costs eight times the insert itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table, Update, bindparam
from sqlalchemy.orm import make_transient_to_detached
from sqlmodel import Session, SQLModel


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a model: statements over it skip the mapper, and are built once."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


def insert_values(session: Session, model: type[SQLModel], values: Mapping[str, Any]) -> int:
    """Insert a row of these values and the model's defaults; returns its id.

    Without an object in between, whose making costs twice the insert.
    """
    statement, defaults = _insertion(model)
    result = session.connection().execute(statement, {**defaults, **values})
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def insert_many(session: Session, model: type[SQLModel], rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows, each of its values and the model's defaults."""
    statement, defaults = _insertion(model)
    session.connection().execute(statement, [{**defaults, **row} for row in rows])


def insert_tracked(session: Session, row: SQLModel) -> int:
    """Insert a new row now, and let the session follow what is changed in the object later."""
    values = row.__dict__
    number = insert_values(session, type(row), {name: values[name] for name in _insertion(type(row))[1]})
    row.id = number
    make_transient_to_detached(row)
    session.add(row)
    return number


@cache
def _insertion(model: type[SQLModel]) -> tuple[Insert, dict[str, Any]]:
    """The statement, and the default of every column but the id; None for those that must be given."""
    table = table_of(model)
    fields = {column.key: model.model_fields[column.key] for column in table.columns if column.key != "id"}
    defaults = {name: None if field.is_required() else field.get_default() for name, field in fields.items()}
    return table.insert(), defaults


def update_row(session: Session, model: type[SQLModel], number: int, values: Mapping[str, Any]) -> None:
    """Set these columns of the row with this id. An object of it that the session holds does not notice."""
    session.connection().execute(_change(model, tuple(values)), {**values, "the_row": number})


@cache
def _change(model: type[SQLModel], names: tuple[str, ...]) -> Update:
    table = table_of(model)
    return table.update().where(table.c.id == bindparam("the_row")).values({n: bindparam(n) for n in names})


def execute(session: Session, statement: Any, values: dict[str, Any]) -> Any:
    """Run a statement that was built once over tables, past the mapper. What the session holds is not flushed."""
    return session.connection().execute(statement, values)
