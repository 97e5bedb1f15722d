"""Several names: the brand of a ticket, and the submission server that a mail leaves by."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("brand", sa.String(), server_default="", nullable=False))
    op.add_column("outgoing", sa.Column("account", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    for table, column in (("outgoing", "account"), ("ticket", "brand")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column)
