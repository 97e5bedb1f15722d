"""A folder knows its account, what is due is found without a look at the rest, and a late notice held back is no step."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_DUE = ["rank", "next_attempt_at", "id"]
_WAITING = sa.text("state IN ('queued', 'deferred')")
_ACCOUNT = ("host", "username", "path")


def _due_by(columns: list[str]) -> None:
    op.drop_index("ix_outgoing_due", table_name="outgoing")
    op.create_index(
        "ix_outgoing_due", "outgoing", columns, unique=False, sqlite_where=_WAITING, postgresql_where=_WAITING
    )


def upgrade() -> None:
    for name in _ACCOUNT:
        op.add_column("folder", sa.Column(name, sa.String(), nullable=True))
    _due_by([*_DUE, "state"])
    op.execute(
        "UPDATE event SET kind = 'late notice withheld', detail = substr(detail, 11) "
        "WHERE kind = 'late notice' AND detail LIKE 'withheld: %'"
    )


def downgrade() -> None:
    _due_by(_DUE)
    with op.batch_alter_table("folder", schema=None) as batch_op:
        for name in _ACCOUNT:
            batch_op.drop_column(name)
