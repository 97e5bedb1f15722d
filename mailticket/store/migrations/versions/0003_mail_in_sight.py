"""What is filed can be listed, one mail by two routes is recognised, and a bounce finds its letter by queue ID."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OUT_OF_SIGHT = sa.text("state = 'filed' AND ticket_id IS NULL")


def upgrade() -> None:
    for name in ("sender", "subject"):
        op.add_column("incoming", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))
    for name in ("origin", "essence"):
        op.add_column("incoming", sa.Column(name, sa.String(), nullable=True))
    op.add_column("incoming", sa.Column("names_us", sa.Boolean(), nullable=True))
    op.add_column("incoming", sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_incoming_origin", "incoming", ["origin"], unique=False)
    op.create_index(
        "ix_incoming_out_of_sight", "incoming", ["decided_at", "id"],
        unique=False, sqlite_where=_OUT_OF_SIGHT, postgresql_where=_OUT_OF_SIGHT,
    )  # fmt: skip
    op.add_column("ticket", sa.Column("claimed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_ticket_linked_to", "ticket", ["linked_to"], unique=False)
    for name in ("cc_address", "from_raw"):
        op.add_column("message", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("outgoing", sa.Column("accepted_as", sa.String(), nullable=True))
    op.create_index("ix_outgoing_accepted_as", "outgoing", ["accepted_as"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_column("from_raw")
        batch_op.drop_column("cc_address")
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_index("ix_ticket_linked_to")
        batch_op.drop_column("claimed")
    with op.batch_alter_table("outgoing", schema=None) as batch_op:
        batch_op.drop_index("ix_outgoing_accepted_as")
        batch_op.drop_column("accepted_as")
    with op.batch_alter_table("incoming", schema=None) as batch_op:
        batch_op.drop_index("ix_incoming_out_of_sight")
        batch_op.drop_index("ix_incoming_origin")
        for name in ("dismissed_at", "names_us", "essence", "origin", "subject", "sender"):
            batch_op.drop_column(name)
