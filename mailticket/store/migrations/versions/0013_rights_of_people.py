"""What people may ask of us: to be forgotten, and what the law has us keep all the same."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ERASED = ("texts_erased_at", "letters_erased_at", "people_erased_at")


def upgrade() -> None:
    op.add_column("ticket", sa.Column("legal_hold", sa.Text(), server_default="", nullable=False))
    for name in _ERASED:
        op.add_column("ticket", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name, column, words in (
        ("ix_ticket_legal_hold", "id", "legal_hold != ''"),
        ("ix_ticket_to_erase", "closed_at", "status = 'closed' AND people_erased_at IS NULL"),
    ):
        where = sa.text(words)
        op.create_index(name, "ticket", [column], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "erasure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=True),
        sa.Column("names", sa.JSON(), nullable=True),
        sa.Column("message_ids", sa.JSON(), nullable=True),
        sa.Column("lines", sa.JSON(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_table(
        "tombstone",
        sa.Column("mac", sa.String(), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mac", name=op.f("pk_tombstone")),
    )


def downgrade() -> None:
    op.drop_table("tombstone")
    op.drop_table("erasure")
    op.drop_index("ix_ticket_to_erase", table_name="ticket")
    op.drop_index("ix_ticket_legal_hold", table_name="ticket")
    for name in (*_ERASED, "legal_hold"):
        op.drop_column("ticket", name)
