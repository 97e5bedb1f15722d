"""Desk mails and whose they are, members, marks that are dead, and what is still to be done on the mail server."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TOLD = ("slip_told_at", "lead_told_at", "followup_told_at")
_INDEXES = (
    ("ix_incoming_answered_due", "incoming", ["folder_id"], sa.text("answered = 'due'")),
    ("ix_outgoing_member", "outgoing", ["member", "created_at"], sa.text("member != ''")),
    ("ix_outgoing_receipts", "outgoing", ["message_row"], sa.text("member != '' AND message_row IS NOT NULL")),
    ("ix_outgoing_save_to", "outgoing", ["save_to", "id"], sa.text("save_to != ''")),
)


def upgrade() -> None:
    op.create_table(
        "member",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unreachable_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unreachable_why", sa.Text(), server_default="", nullable=False),
        sa.Column("last_proof", sa.String(), nullable=False),
        sa.Column("last_proof_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_member")),
    )
    op.create_table(
        "dead_mark",
        sa.Column("mac", sa.String(), nullable=False),
        sa.Column("died_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("mac", name=op.f("pk_dead_mark")),
    )
    op.create_table(
        "picture",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("member", "sha256", name=op.f("pk_picture")),
    )
    op.create_table(
        "news",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_news_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news")),
    )
    op.create_index("ix_news_member", "news", ["member"])
    op.create_index("ix_news_ticket_id", "news", ["ticket_id"])
    for name in _TOLD:
        op.add_column("ticket", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("incoming", sa.Column("answered", sa.String(), server_default="none", nullable=False))
    op.add_column("incoming", sa.Column("answered_by", sa.String(), server_default="", nullable=False))
    op.add_column("incoming", sa.Column("answered_attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("outgoing", sa.Column("member", sa.String(), server_default="", nullable=False))
    op.add_column("outgoing", sa.Column("event", sa.String(), server_default="", nullable=False))
    op.add_column("outgoing", sa.Column("shown", sa.Integer(), nullable=True))
    op.add_column("message", sa.Column("waited_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outgoing", sa.Column("save_to", sa.String(), server_default="", nullable=False))
    op.add_column("outgoing", sa.Column("saving_attempts", sa.Integer(), server_default="0", nullable=False))
    for name, table, columns, where in _INDEXES:
        op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _, _ in _INDEXES:
        op.drop_index(name, table_name=table)
    with op.batch_alter_table("outgoing", schema=None) as batch_op:
        for column in ("saving_attempts", "save_to", "shown", "event", "member"):
            batch_op.drop_column(column)
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_column("waited_since")
    with op.batch_alter_table("incoming", schema=None) as batch_op:
        for column in ("answered_attempts", "answered_by", "answered"):
            batch_op.drop_column(column)
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        for column in _TOLD:
            batch_op.drop_column(column)
    op.drop_table("news")
    op.drop_table("picture")
    op.drop_table("dead_mark")
    op.drop_table("member")
