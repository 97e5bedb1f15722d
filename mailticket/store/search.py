"""The search index: which terms each ticket has, kept in the transaction that brings its words.

SQLite keeps it as a table of FTS5, PostgreSQL as a tsvector a ticket with a GIN index. Both hold the terms that
`mailticket.text.terms` makes, and nothing else, so that both find the same. Of a ticket count its ID, subject, details
and people, and of its conversation all but the letters that we write by ourselves, whose words are on every ticket, and
answers that are held, which may still go.

FTS5's table has no contents: terms are added under a ticket's number as they come, and taken out by naming them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    TextClause,
    bindparam,
    column,
    false,
    select,
    text,
)
from sqlmodel import Session

from mailticket.models import Address, Attachment, Message, Participant, Requester, Ticket
from mailticket.store.engine import Database
from mailticket.store.rows import Prepared, table_of
from mailticket.store.schema import Progress
from mailticket.text.terms import Sought, index_terms, sought_terms

NEWEST = 2_000  # tickets that `recent` looks at or returns

_PORTION = 500  # tickets
_PARTS = 20  # of the whole, after each of which `fill` says how far it is
_MERGED_PAGES = 250
_MOST_FORMS = 64  # words with one beginning that are asked for by name, which is quicker than by their beginning
_GATHERED = " *"  # FTS5's sign for all words that begin so
_FEW = 100  # tickets that are looked up one by one
_LAST = "\U0010ffff"

_TICKETS, _MESSAGES, _PEOPLE = table_of(Ticket), table_of(Message), table_of(Requester)
_ADDRESSES, _PARTICIPANTS, _FILES = table_of(Address), table_of(Participant), table_of(Attachment)
_SENDER, _READERS = ("from_name", "from_address", "from_raw", "cc_address"), ("to_address", "cc_address")
_ROWS: BindParameter[Any] = bindparam("rows", expanding=True)
# Named column by column: a step of the migrations asks these too, before later steps have added theirs.
_OWN = select(_TICKETS.c.id, _TICKETS.c.key, _TICKETS.c.subject, _TICKETS.c.fields).where(_TICKETS.c.id.in_(_ROWS))
_OF_PEOPLE = (
    select(_TICKETS.c.id, _PEOPLE.c.name, _ADDRESSES.c.address)
    .join(_PEOPLE, _PEOPLE.c.id == _TICKETS.c.requester_id)
    .join(_ADDRESSES, _ADDRESSES.c.requester_id == _PEOPLE.c.id)
    .where(_TICKETS.c.id.in_(_ROWS))
)
_OF_PARTICIPANTS = select(_PARTICIPANTS.c.ticket_id, _PARTICIPANTS.c.address).where(
    _PARTICIPANTS.c.ticket_id.in_(_ROWS)
)
_OF_HOMES = (
    select(_MESSAGES.c.ticket_id, _TICKETS.c.key)
    .join(_TICKETS, _TICKETS.c.id == _MESSAGES.c.home_ticket_id)
    .where(_MESSAGES.c.ticket_id.in_(_ROWS))
    .distinct()
)
_OF_FILES = (
    select(_FILES.c.message_id, _FILES.c.name)
    .join(_MESSAGES, _MESSAGES.c.id == _FILES.c.message_id)
    .where(_MESSAGES.c.ticket_id.in_(_ROWS))
    .order_by(_FILES.c.id)
)
_OF_MESSAGES = select(
    *(_MESSAGES.c[name] for name in ("id", "ticket_id", "direction", "kind", "subject", "text")),
    *(_MESSAGES.c[name] for name in dict.fromkeys((*_SENDER, *_READERS))),
).where(_MESSAGES.c.ticket_id.in_(_ROWS))

_ADDITION = {
    "sqlite": text("INSERT INTO ticket_search (rowid, terms) VALUES (:ticket, :terms)"),
    "postgresql": text(
        "INSERT INTO ticket_search AS old (ticket_id, terms) "
        "VALUES (:ticket, array_to_tsvector(CAST(:terms AS text[]))) "
        "ON CONFLICT (ticket_id) DO UPDATE SET terms = old.terms || excluded.terms "
        # A stored value may be packed; one that was just made says its true size, which must stay below 2**20.
        "WHERE pg_column_size(old.terms || CAST('' AS tsvector)) + pg_column_size(excluded.terms) < 1000000"
    ),
}
_ADD = {kind: Prepared(statement) for kind, statement in _ADDITION.items()}
_REMOVE = {
    "sqlite": Prepared(
        text("INSERT INTO ticket_search (ticket_search, rowid, terms) VALUES ('delete', :ticket, :terms)")
    ),
    "postgresql": Prepared(
        text("UPDATE ticket_search SET terms = ts_delete(terms, CAST(:terms AS text[])) WHERE ticket_id = :ticket")
    ),
}
_FORMS = Prepared(
    text("SELECT term FROM ticket_search_term WHERE term >= :first AND term < :last LIMIT :most").columns(
        column("term", String)
    )
)
_MATCHES = Prepared(
    text(
        "SELECT rowid AS ticket FROM ticket_search WHERE ticket_search MATCH :query AND rowid < :before "
        "ORDER BY rowid DESC LIMIT :most"
    ).columns(column("ticket", Integer))
)
_HAS = Prepared(
    text("SELECT rowid AS ticket FROM ticket_search WHERE ticket_search MATCH :query AND rowid = :ticket").columns(
        column("ticket", Integer)
    )
)
_AMONG_THE_NEWEST = Prepared(
    text(
        "SELECT ticket_id AS ticket, terms @@ CAST(:query AS tsquery) AS matches FROM ticket_search "
        "WHERE ticket_id < :before ORDER BY ticket_id DESC LIMIT :most"
    ).columns(column("ticket", Integer), column("matches", Boolean))
)
# Of two words that many have PostgreSQL expects many tickets with both, and would read all of them.
_BY_INDEX = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true), "
    "set_config('work_mem', '64MB', true)"
)


def _kind(session: Session) -> str:
    return cast(Connection, session.bind).dialect.name


def message_texts(message: Mapping[str, Any], files: Iterable[str]) -> list[str]:
    """What is found of a message: masked, as its columns are. files: the names of its attachments."""
    direction = message["direction"]
    if message["kind"] == "held" or (direction == "out" and message["kind"] != "staff-reply"):
        return []
    people = {"in": _SENDER, "out": _READERS}.get(direction, ())
    # The text stands last: what counts of a message has an end.
    return [*(message.get(name) or "" for name in (*people, "subject")), *files, message.get("text") or ""]


def ticket_texts(names: Iterable[str], subject: str, fields: Mapping[str, Sequence[str]] | None) -> list[str]:
    """What is found of a ticket beside its conversation. names: its ID and its people's."""
    return [*names, subject, *(value for values in (fields or {}).values() for value in values)]


def add(session: Session, ticket_id: int, *groups: Iterable[str]) -> None:
    """Let a ticket be found by what stands in these texts too. Of each group counts what `index_terms` takes."""
    terms = dict.fromkeys(term for group in groups for term in index_terms(group))
    if terms:
        _write(session, _ADD, ticket_id, terms)


def _write(session: Session, statements: Mapping[str, Prepared], ticket_id: int, terms: Collection[str]) -> None:
    kind = _kind(session)
    statements[kind].change(session, **_row(kind, ticket_id, terms))


def _row(kind: str, ticket_id: int, terms: Collection[str]) -> dict[str, Any]:
    return {"ticket": ticket_id, "terms": " ".join(terms) if kind == "sqlite" else list(terms)}


@contextmanager
def following(session: Session, ticket_ids: Iterable[int]) -> Iterator[None]:
    """Around whatever moves, changes or removes words of these tickets: afterwards they are found by those they have.

    All their texts are read twice; what a new message brings is cheaper by `add`.
    """
    numbers = sorted(set(ticket_ids))
    session.flush()
    before = _documents(session.connection(), numbers)
    yield
    session.flush()
    after = _documents(session.connection(), numbers)
    for number in numbers:
        old, new = before.get(number, set()), after.get(number, set())
        if old - new:
            _write(session, _REMOVE, number, sorted(old - new))
        # FTS5 counts one addition for each removal, even an empty one.
        if new and old != new:
            _write(session, _ADD, number, sorted(new - old))


def _documents(connection: Connection, numbers: Sequence[int]) -> dict[int, set[str]]:
    """All terms of these tickets, as their rows are now."""
    rows = {"rows": list(numbers)}
    own = {
        number: ticket_texts([key], subject, fields) for number, key, subject, fields in connection.execute(_OWN, rows)
    }
    for query in (_OF_PEOPLE, _OF_PARTICIPANTS, _OF_HOMES):
        for number, *texts in connection.execute(query, rows):
            own.setdefault(number, []).extend(texts)
    terms = {number: set(index_terms(texts)) for number, texts in own.items()}
    files: dict[int, list[str]] = {}
    for message, name in connection.execute(_OF_FILES, rows):
        files.setdefault(message, []).append(name)
    for row in connection.execute(_OF_MESSAGES, rows):
        texts = message_texts(row._asdict(), files.get(row.id, ()))
        terms.setdefault(row.ticket_id, set()).update(index_terms(texts))
    return terms


def fill(connection: Connection, progress: Progress) -> None:
    """Write the index of all tickets there are, into an empty one."""
    total = int(connection.execute(text("SELECT count(*) FROM ticket")).scalar() or 0)
    done, after = 0, -1
    while numbers := fill_portion(connection, after):
        parts, after = done * _PARTS // total, numbers[-1]
        done += len(numbers)
        if done * _PARTS // total > parts:
            progress(done, total)


def fill_portion(connection: Connection, after: int) -> list[int]:
    """Write the index of some tickets with higher numbers than this, which it has not yet; returns these in order."""
    portion = text("SELECT id FROM ticket WHERE id > :after ORDER BY id LIMIT :most")
    numbers = list(connection.execute(portion, {"after": after, "most": _PORTION}).scalars())
    if numbers:
        kind = connection.dialect.name
        documents = sorted(_documents(connection, numbers).items())
        connection.execute(_ADDITION[kind], [_row(kind, number, terms) for number, terms in documents])
    return numbers


def clear(connection: Connection) -> None:
    """Forget all words."""
    is_sqlite = connection.dialect.name == "sqlite"
    empty = "INSERT INTO ticket_search (ticket_search) VALUES ('delete-all')" if is_sqlite else "TRUNCATE ticket_search"
    connection.execute(text(empty))


def purge(database: Database) -> None:
    """Take out of the database's file what `following` took out of the index.

    FTS5 marks a removed term and keeps it until it is merged with what was written later; SQLite 3.42 could overwrite
    it at once, and older ones could then not read the file. In portions, so that others may write between them.
    """
    if not database.is_sqlite:
        _purge_postgres(database)
        return
    pages = -_MERGED_PAGES  # a negative number begins the merge of everything
    while True:
        with database.write() as session:
            connection = session.connection()
            before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
            merge = text("INSERT INTO ticket_search (ticket_search, rank) VALUES ('merge', :pages)")
            connection.execute(merge, {"pages": pages})
            changes = connection.exec_driver_sql("SELECT total_changes()").scalar_one() - before
        if pages > 0 and changes < 2:
            break
        pages = _MERGED_PAGES
    database.forget_overwritten()


def _purge_postgres(database: Database) -> None:
    """An index of GIN never forgets a key by itself."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for words in (
            "SET statement_timeout = 0",
            "VACUUM ticket_search",
            "REINDEX INDEX CONCURRENTLY ix_ticket_search_terms",
            "RESET statement_timeout",
        ):
            connection.exec_driver_sql(words)


def recent(session: Session, words: Iterable[str], before: int | None) -> tuple[list[int], bool]:
    """Some of the newest tickets below a number that have all these words, and whether these are all that have.

    What many tickets have is found among the newest of them, without a look at the others.
    """
    query = _query(session, words)
    if not query:
        return [], True
    values = {"query": query, "before": 2**62 if before is None else before, "most": NEWEST}
    if _kind(session) == "sqlite":
        numbers = [int(row.ticket) for row in _MATCHES.all(session, **values)]
        return numbers, len(numbers) < NEWEST
    rows = _AMONG_THE_NEWEST.all(session, **values)
    return [int(row.ticket) for row in rows if row.matches], len(rows) < NEWEST


def condition(session: Session, words: Iterable[str], among: Select[Any]) -> ColumnElement[bool] | TextClause:
    """That a row of the table `ticket` has all these words; false where there is nothing to be sought in them.

    among: asks for the numbers of the tickets that fulfil all other conditions.
    """
    query = _query(session, words)
    if not query:
        return false()
    if _kind(session) == "sqlite":
        rows = _MATCHES.all(session, query=query, before=2**62, most=NEWEST)
        if len(rows) < NEWEST:
            return _TICKETS.c.id.in_([row.ticket for row in rows])
        few = list(session.execute(among.limit(_FEW + 1)).scalars())
        if len(few) <= _FEW and _GATHERED not in query:
            return _TICKETS.c.id.in_([number for number in few if _HAS.first(session, query=query, ticket=number)])
        # The sign lets other conditions lead, and each of their rows be looked up among the matches.
        matches = "+ticket.id IN (SELECT rowid FROM ticket_search WHERE ticket_search MATCH :search)"
    else:
        session.execute(_BY_INDEX)
        matches = "ticket.id IN (SELECT ticket_id FROM ticket_search WHERE terms @@ CAST(:search AS tsquery))"
    return text(matches).bindparams(search=query)


def _query(session: Session, words: Iterable[str]) -> str:
    """What is sought in the language of the database; "" for words in which there is nothing to be sought.

    Terms hold neither quotes nor operators, and stand in quotes: whatever the words are, they are no part of the
    language.
    """
    sought = sought_terms(words)
    if _kind(session) == "sqlite":
        return " AND ".join(_alternatives(session, term) for term in sought)
    return " & ".join(f"'{term.term}'{':*' if term.is_prefix else ''}" for term in sought)


def _alternatives(session: Session, sought: Sought) -> str:
    """FTS5 gathers all rows of all words that begin so before it gives the first one; words by name come one by one."""
    if not sought.is_prefix:
        return f'"{sought.term}"'
    rows = _FORMS.all(session, first=sought.term, last=sought.term + _LAST, most=_MOST_FORMS + 1)
    if len(rows) > _MOST_FORMS:
        return f'"{sought.term}"{_GATHERED}'
    forms = [row.term for row in rows] or [sought.term]
    return "(" + " OR ".join(f'"{form}"' for form in forms) + ")"
