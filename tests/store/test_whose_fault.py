"""Whose fault an error of the database is: the world's, which is waited out, or that of what was written."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError

from mailticket.errors import StoreDamaged, StoreFull, StoreUnavailable
from mailticket.store.engine import is_fault_of_the_world, translated


class _FromPostgres(Exception):
    """An error as psycopg raises it: with the SQLSTATE of the server."""

    def __init__(self, state: str) -> None:
        super().__init__(f"error {state}")
        self.sqlstate = state


@pytest.mark.parametrize(
    ("kind", "state", "world"),
    [
        (OperationalError, "53100", True),  # disk full
        (OperationalError, "57P01", True),  # the administrator shuts the server down
        (OperationalError, "40001", True),  # serialization failure
        (OperationalError, None, True),  # the connection is gone
        (InternalError, "25006", True),  # read-only, as after a failover
        (InternalError, "XX001", True),  # damaged
        (InternalError, "25P02", False),  # in a failed transaction: a mistake of ours
        (OperationalError, "54000", False),  # a row that is too large for an index
    ],
)
def test_a_state_of_postgresql_is_the_world_s_fault(kind: type[DBAPIError], state: str | None, world: bool) -> None:
    error = kind("UPDATE", {}, _FromPostgres(state) if state else Exception("server closed the connection"))
    assert is_fault_of_the_world(error) is world


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("database disk image is malformed", StoreDamaged),
        ("file is not a database", StoreDamaged),
        ("database or disk is full", StoreFull),
        ("attempt to write a readonly database", StoreUnavailable),
    ],
)
def test_damage_is_told_from_what_passes(said: str, kind: type[Exception]) -> None:
    original = sqlite3.DatabaseError(said) if kind is StoreDamaged else sqlite3.OperationalError(said)
    wrapped = DBAPIError.instance("SELECT", {}, original, sqlite3.Error)
    with pytest.raises(StoreUnavailable) as caught, translated():
        raise wrapped
    assert type(caught.value) is kind
