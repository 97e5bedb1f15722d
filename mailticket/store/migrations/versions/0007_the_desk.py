"""Who works on a ticket, who wrote what, what each has seen, answers that are held, and copies of answers."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ASSIGNED, _HELD = sa.text("assigned_to != ''"), sa.text("kind = 'held'")
_ANSWERS = sa.text("kind = 'staff-reply'")
_UNFINISHED = sa.text("status IN ('new', 'open', 'pending')")
_WHO = ("by", "via", "proof")


def upgrade() -> None:
    op.add_column("ticket", sa.Column("team", sa.String(), server_default="", nullable=False))
    op.add_column("ticket", sa.Column("team_is_set", sa.Boolean(), server_default=sa.false(), nullable=False))
    for name in _WHO:
        op.add_column("message", sa.Column(name, sa.String(), server_default="", nullable=False))
    op.add_column("message", sa.Column("held", sa.JSON(), nullable=True))
    op.add_column(
        "participant", sa.Column("undeliverable_why", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.add_column("outgoing", sa.Column("copies", sa.JSON(), nullable=True))
    op.create_table(
        "sight",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("message_row", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "ticket_id", name=op.f("pk_sight")),
    )
    for name, table, columns, where in (
        ("ix_ticket_assigned_to", "ticket", ["assigned_to", "status"], _ASSIGNED),
        ("ix_ticket_unfinished", "ticket", ["id"], _UNFINISHED),
        ("ix_message_held", "message", ["ticket_id"], _HELD),
        ("ix_message_answers", "message", ["by", "at"], _ANSWERS),
        ("ix_outgoing_answers", "outgoing", ["waited_since", "ticket_id"], _ANSWERS),
    ):
        op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)
    # Notes bear the name of who wrote them already.
    op.execute("UPDATE message SET by = from_name, via = 'cli' WHERE direction = 'note'")


def downgrade() -> None:
    op.drop_table("sight")
    with op.batch_alter_table("outgoing", schema=None) as batch_op:
        batch_op.drop_index("ix_outgoing_answers")
        batch_op.drop_column("copies")
    with op.batch_alter_table("participant", schema=None) as batch_op:
        batch_op.drop_column("undeliverable_why")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_answers")
        batch_op.drop_index("ix_message_held")
        for name in ("held", *_WHO):
            batch_op.drop_column(name)
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_index("ix_ticket_unfinished")
        batch_op.drop_index("ix_ticket_assigned_to")
        batch_op.drop_column("team_is_set")
        batch_op.drop_column("team")
