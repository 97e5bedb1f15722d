"""Which messages point to a raw mail, and which mails are copies of one: asked for each ticket that is erased."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_INDEXES = (("ix_message_raw_digest", "message", "raw_digest"), ("ix_incoming_copy_of", "incoming", "copy_of"))


def upgrade() -> None:
    for name, table, column in _INDEXES:
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _ in _INDEXES:
        op.drop_index(name, table_name=table)
