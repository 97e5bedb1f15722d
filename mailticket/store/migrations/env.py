"""How Alembic runs the steps: over the connection that `schema` hands in, inside its transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel, sql

from mailticket import models
from mailticket.store.schema import is_modelled


def plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our column types into a step as what they are in the database, so that a step never needs our code."""
    if kind == "type" and isinstance(item, models.UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sql.sqltypes.AutoString):
        return "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_name=is_modelled,
    render_as_batch=True,  # SQLite cannot alter tables in place
    render_item=plain_types,
    transactional_ddl=False,  # the transaction is the caller's
)
context.run_migrations()
