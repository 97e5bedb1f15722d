"""The search index, filled with the terms of all tickets there are."""

from alembic import op

from mailticket.store import search

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BUILDING = 64 * 1024 * 1024  # bytes of terms that FTS5 gathers before it writes, while all is written


def upgrade() -> None:
    context = op.get_context()
    if context.dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        _upgrade_postgres()


def _fill() -> None:
    config = op.get_context().config
    assert config is not None
    search.fill(op.get_bind(), config.attributes["progress"])


def _upgrade_sqlite() -> None:
    # Terms come ready-made: the tokenizer parts them at blanks, and dots belong to them.
    op.execute(
        "CREATE VIRTUAL TABLE ticket_search USING fts5("
        "terms, content='', columnsize=0, detail='none', tokenize=\"ascii tokenchars '.'\")"
    )
    op.execute("CREATE VIRTUAL TABLE ticket_search_term USING fts5vocab(ticket_search, 'row')")
    # Each commit writes a small tree of its own. Merging eight of a size at a time costs a third of merging four.
    _configure("automerge", 8)
    _configure("crisismerge", 32)
    _configure("hashsize", _BUILDING)
    _fill()
    _configure("hashsize", 1024 * 1024)


def _configure(name: str, value: int) -> None:
    op.execute(f"INSERT INTO ticket_search (ticket_search, rank) VALUES ('{name}', {value})")  # noqa: S608


def _upgrade_postgres() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute("CREATE TABLE ticket_search (ticket_id integer PRIMARY KEY, terms tsvector NOT NULL)")
    _fill()
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    op.execute("CREATE INDEX ix_ticket_search_terms ON ticket_search USING gin (terms)")


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TABLE ticket_search_term")
    op.execute("DROP TABLE ticket_search")
