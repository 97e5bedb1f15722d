"""Notices that letters show, senders whose mail is filed, and tickets that the site's filter holds for spam."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_WAITING, _SPAM = sa.text("waiting_for = 'us'"), sa.text("spam")


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=True),
        sa.Column("texts", sa.JSON(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Text(), server_default="", nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_table(
        "blocked",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_blocked")),
    )
    op.add_column("incoming", sa.Column("names_ticket", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("ticket", sa.Column("spam", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.drop_index("ix_ticket_waiting", table_name="ticket")
    _index("ix_ticket_waiting", ["spam", "priority", "waiting_since"], _WAITING)
    _index("ix_ticket_spam", ["id"], _SPAM)


def _index(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "ticket", columns, unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_ticket_spam", table_name="ticket")
    op.drop_index("ix_ticket_waiting", table_name="ticket")
    _index("ix_ticket_waiting", ["priority", "waiting_since"], _WAITING)
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_column("spam")
    with op.batch_alter_table("incoming", schema=None) as batch_op:
        batch_op.drop_column("names_ticket")
    op.drop_table("blocked")
    op.drop_table("notice")
