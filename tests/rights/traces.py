"""Where a word can still stand after it was erased: every byte that a database keeps, and whatever it packs."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterator, Sequence

from sqlalchemy import select, text
from sqlmodel import SQLModel, col

from mailticket.mail.packing import unpack
from mailticket.models import Outgoing, Raw
from mailticket.store.engine import Database


def forms(word: str) -> Iterator[bytes]:
    """The bytes as which a word may be kept. Base64 at each of the three places at which it may begin."""
    plain = word.encode()
    yield plain
    yield word.encode("utf-16-le")
    yield word.encode("utf-16-be")
    yield quopri.encodestring(plain).rstrip(b"=\n")
    for shift in range(3):
        code = base64.b64encode(b"x" * shift + plain).rstrip(b"=")
        yield code[4 if shift else 0 : len(code) - 2]


def traces(database: Database, words: Sequence[str], *, bytes_too: bool = True) -> list[str]:
    """Each word with the place at which it still stands, whatever its case. bytes_too: also between the rows."""
    places = dict(_files(database) if bytes_too else _rows(database)) | dict(_packed(database))
    return [
        f"{word} in {place}"
        for word in words
        for form in forms(word)
        for place, content in places.items()
        if form.lower() in content.lower()
    ]


def _files(database: Database) -> Iterator[tuple[str, bytes]]:
    file = database.file
    if file is not None:
        for path in file.parent.glob(f"{file.name}*"):
            yield path.name, path.read_bytes()
        return
    yield from _relations(database)


def _relations(database: Database) -> Iterator[tuple[str, bytes]]:
    """The files of all relations of a PostgreSQL database, read by the server, and all rows as text."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        names = connection.execute(
            text(
                "SELECT oid::regclass::text, pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class WHERE "
                "relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) "
                "AND pg_relation_filepath(oid) IS NOT NULL"
            )
        )
        for name, content in names:
            yield f"file of {name}", bytes(content)
    yield from _rows(database)


def _rows(database: Database) -> Iterator[tuple[str, bytes]]:
    with database.read() as session:
        for table in SQLModel.metadata.sorted_tables:
            rows = session.execute(select(table)).all()
            yield f"rows of {table.name}", "\n".join(map(str, rows)).encode("utf-8", "replace")


def _packed(database: Database) -> Iterator[tuple[str, bytes]]:
    with database.read() as session:
        for row in session.execute(select(Raw)).scalars():
            yield f"raw mail {row.digest[:8]}", unpack(row.packing, row.data)
        for number, wire in session.execute(select(col(Outgoing.id), col(Outgoing.wire))):
            yield f"letter {number}", bytes(wire)
