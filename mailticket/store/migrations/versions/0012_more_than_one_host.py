"""Hosts that share a database: who runs, who holds which mailbox, and whose claim an outgoing mail is."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_LIVE = sa.text("stopped_at IS NULL AND dead_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "host",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("sessions", sa.String(), server_default="", nullable=False),
        sa.Column("mailboxes", sa.JSON(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_ahead", sa.Float(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_host")),
    )
    op.create_index("ix_host_live", "host", ["id"], sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_table(
        "mailbox_holder",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name=op.f("fk_mailbox_holder_host_id_host")),
        sa.PrimaryKeyConstraint("mailbox", name=op.f("pk_mailbox_holder")),
    )
    op.add_column("outgoing", sa.Column("claimed_by", sa.Integer(), nullable=True))
    op.drop_table("heartbeat")


def downgrade() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_heartbeat")),
    )
    with op.batch_alter_table("outgoing", schema=None) as batch_op:
        batch_op.drop_column("claimed_by")
    op.drop_table("mailbox_holder")
    op.drop_index("ix_host_live", table_name="host")
    op.drop_table("host")
