"""Whether a pooler stands before PostgreSQL that hands one connection of the server to several clients.

Locks that a daemon holds belong to a connection of the server. Behind such a pooler (PgBouncer with pool_mode
`transaction` or `statement`) others would hold them too, and nobody would know.
"""

from __future__ import annotations

from sqlalchemy import text

from mailticket.errors import StoreUnavailable
from mailticket.store.engine import Database, translated

REMEDY = (
    "set pool_mode = session for this database in pgbouncer.ini, or name PostgreSQL itself in [database] url: "
    "mailticket keeps few connections, and needs no pooler"
)
# Uneven, so that a pooler that gives its connections in turn cannot give each client the same one every time.
_TURNS = (0, 1, 0, 0, 1, 1, 0, 1)
_EVERY_STATEMENT = "statement pooling mode"  # in which PgBouncer refuses transactions, in these words and no code
_ASK = text("SELECT pg_backend_pid()")


def shared_connections(database: Database) -> str:
    """What is wrong with the way to PostgreSQL, in words; "" where each of our connections is one of the server's.

    Two connections are open at once, and each says again and again which process of the server serves it. Without
    a pooler, and with one that gives a connection for a session, these are two, and never others.
    """
    if database.is_sqlite:
        return ""
    served: tuple[set[int], set[int]] = (set(), set())
    try:
        with translated(), database.engine.connect() as first, database.engine.connect() as second:
            for turn in _TURNS:
                connection = (first, second)[turn]
                with connection.begin():
                    served[turn].add(int(connection.execute(_ASK).scalar_one()))
    except StoreUnavailable as error:
        if _EVERY_STATEMENT not in str(error):
            raise
        served[0].clear()
    if len(served[0]) == len(served[1]) == 1 and not served[0] & served[1]:
        return ""
    return (
        "a pooler before PostgreSQL (PgBouncer with pool_mode = transaction?) gives one connection to several clients, "
        "so no lock of a daemon would hold"
    )
