"""Codes beside the sentences that people read, and no message later than its taking in."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_HOLDS = {
    "cap reached: % an hour to one address": "cap_address",
    "cap reached: % a day to one address": "cap_address",
    "cap reached: % an hour to one domain": "cap_domain",
    "cap reached: % an hour in all": "cap_total",
}


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column("ticket", sa.Column("promise_longer", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("outgoing", sa.Column("hold", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("incoming", sa.Column("delivered_to", sa.Text(), nullable=True))
    for sentence, code in _HOLDS.items():
        held = sa.text("UPDATE outgoing SET hold = :code WHERE state = 'withheld' AND reason LIKE :sentence")
        connection.execute(held, {"code": code, "sentence": sentence})
    marked = sa.text("SELECT id, CAST(marks AS TEXT) FROM ticket WHERE CAST(marks AS TEXT) LIKE '%\"longer\"%'")
    longer = sa.text("UPDATE ticket SET promise_longer = 'load', marks = :marks WHERE id = :id")
    for number, marks in connection.execute(marked).all():
        others = json.dumps([mark for mark in json.loads(marks) if mark != "longer"])
        connection.execute(longer, {"id": number, "marks": others})
    connection.execute(sa.text(
        "UPDATE message SET at = (SELECT decided_at FROM incoming WHERE incoming.id = message.incoming_id) "
        "WHERE direction = 'in' AND at > (SELECT decided_at FROM incoming WHERE incoming.id = message.incoming_id)"
    ))  # fmt: skip


def downgrade() -> None:
    with op.batch_alter_table("incoming", schema=None) as batch_op:
        batch_op.drop_column("delivered_to")
    with op.batch_alter_table("outgoing", schema=None) as batch_op:
        batch_op.drop_column("hold")
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_column("promise_longer")
