"""The bytes of letters that have served are found without a look at each letter that was ever sent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SENT_WITH_BYTES = sa.text("state = 'sent' AND length(wire) > 0")


def upgrade() -> None:
    op.create_index(
        "ix_outgoing_sent_with_bytes", "outgoing", ["sent_at"],
        unique=False, sqlite_where=_SENT_WITH_BYTES, postgresql_where=_SENT_WITH_BYTES,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_outgoing_sent_with_bytes", table_name="outgoing")
