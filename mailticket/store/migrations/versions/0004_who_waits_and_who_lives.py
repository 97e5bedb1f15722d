"""Who waits for whom and since when, and a sign of life of what collects and delivers."""

# ruff: noqa: S608 - every word of these statements is our own

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WAITING = sa.text("waiting_for = 'us'")
_ANSWERS_FAILED = sa.text("kind = 'staff-reply' AND state = 'failed'")
_ANSWER = (
    "SELECT max(answer.id) FROM message AS answer "
    "WHERE answer.ticket_id = ticket.id AND answer.direction = 'out' AND answer.kind = 'staff-reply'"
)
# An answer counts unless its mail is known not to have arrived.
_ANSWER_THAT_COUNTS = (
    f"{_ANSWER} AND answer.id NOT IN (SELECT message_row FROM outgoing "
    "WHERE kind = 'staff-reply' AND state IN ('failed', 'cancelled') AND message_row IS NOT NULL)"
)
# What came to a pending ticket after the newest answer did not wake it: it was a question for its state.
_OLDEST_UNANSWERED = (
    "SELECT min(mail.at) FROM message AS mail WHERE mail.ticket_id = ticket.id AND mail.direction = 'in' "
    f"AND mail.kind IN ('request', 'reply') AND mail.id > coalesce(({_ANSWER_THAT_COUNTS}), 0) "
    f"AND (ticket.status != 'pending' OR mail.id < ({_ANSWER}))"
)
_ALIVE = "merged_into IS NULL AND status IN ('new', 'open', 'pending')"


def upgrade() -> None:
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
    op.add_column("ticket", sa.Column("waiting_for", sa.String(), server_default="nobody", nullable=False))
    op.add_column("ticket", sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outgoing", sa.Column("waited_since", sa.DateTime(timezone=True), nullable=True))
    _find_out_who_waits()
    op.create_index(
        "ix_ticket_waiting", "ticket", ["priority", "waiting_since"],
        unique=False, sqlite_where=_WAITING, postgresql_where=_WAITING,
    )  # fmt: skip
    op.create_index(
        "ix_outgoing_answers_failed", "outgoing", ["ticket_id"],
        unique=False, sqlite_where=_ANSWERS_FAILED, postgresql_where=_ANSWERS_FAILED,
    )  # fmt: skip


def _find_out_who_waits() -> None:
    """From the conversations: who has had no answer since their oldest mail waits for us, the others for nobody."""
    op.execute(f"UPDATE ticket SET waiting_since = ({_OLDEST_UNANSWERED}) WHERE {_ALIVE}")
    op.execute(
        f"UPDATE ticket SET waiting_since = created_at WHERE {_ALIVE} AND status != 'pending' "
        f"AND waiting_since IS NULL AND ({_ANSWER_THAT_COUNTS}) IS NULL"
    )
    op.execute(
        f"UPDATE ticket SET waiting_for = CASE WHEN waiting_since IS NULL THEN 'them' ELSE 'us' END WHERE {_ALIVE}"
    )
    op.execute("UPDATE ticket SET status = 'open' WHERE waiting_for = 'us' AND status = 'pending'")


def downgrade() -> None:
    with op.batch_alter_table("outgoing", schema=None) as batch_op:
        batch_op.drop_index("ix_outgoing_answers_failed")
        batch_op.drop_column("waited_since")
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_index("ix_ticket_waiting")
        batch_op.drop_column("waiting_since")
        batch_op.drop_column("waiting_for")
    op.drop_table("heartbeat")
