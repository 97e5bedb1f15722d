"""The first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "folder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("high_water", sa.BigInteger(), nullable=False),
        sa.Column("first_contact_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folder")),
        sa.UniqueConstraint(
            "mailbox", "uidvalidity", "generation", name=op.f("uq_folder_mailbox_uidvalidity_generation")
        ),
    )
    op.create_table(
        "health",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("error_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("alerted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_health")),
    )
    op.create_table(
        "key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "raw",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("packing", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mask_after", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_raw")),
    )
    with op.batch_alter_table("raw", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_raw_mask_after"), ["mask_after"], unique=False)
        batch_op.create_index(batch_op.f("ix_raw_stored_at"), ["stored_at"], unique=False)

    op.create_table(
        "requester",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requester")),
    )
    op.create_table(
        "address",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("requester_id", sa.Integer(), nullable=False),
        sa.Column("undeliverable_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undeliverable_why", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.ForeignKeyConstraint(["requester_id"], ["requester.id"], name=op.f("fk_address_requester_id_requester")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_address")),
    )
    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_address_requester_id"), ["requester_id"], unique=False)

    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("category_sure", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("requester_id", sa.Integer(), nullable=True),
        sa.Column("trust", sa.String(), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=True),
        sa.Column("assigned_to", sa.String(), nullable=False),
        sa.Column("check_word", sa.String(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promised_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promised_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promise_reason", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("late_notice_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late_warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_response_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("solved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("duplicate_of", sa.Integer(), nullable=True),
        sa.Column("similarity", sa.Float(), nullable=True),
        sa.Column("duplicate_reason", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("linked_to", sa.Integer(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=True),
        sa.Column("missing", sa.JSON(), nullable=True),
        sa.Column("fingerprint", sa.JSON(), nullable=True),
        sa.CheckConstraint("status IN ('new', 'open', 'pending', 'solved', 'closed')", name=op.f("ck_ticket_status")),
        sa.ForeignKeyConstraint(["duplicate_of"], ["ticket.id"], name=op.f("fk_ticket_duplicate_of_ticket")),
        sa.ForeignKeyConstraint(["linked_to"], ["ticket.id"], name=op.f("fk_ticket_linked_to_ticket")),
        sa.ForeignKeyConstraint(["merged_into"], ["ticket.id"], name=op.f("fk_ticket_merged_into_ticket")),
        sa.ForeignKeyConstraint(["requester_id"], ["requester.id"], name=op.f("fk_ticket_requester_id_requester")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("key", name=op.f("uq_ticket_key")),
    )
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_duplicate_of"), ["duplicate_of"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_first_response_at"), ["first_response_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_merged_into"), ["merged_into"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_promised_by"), ["promised_by"], unique=False)
        batch_op.create_index("ix_ticket_requester_id_created_at", ["requester_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_solved_at"), ["solved_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_status"), ["status"], unique=False)
        batch_op.create_index(
            "ix_ticket_unanswered",
            ["priority", "created_at"],
            unique=False,
            sqlite_where=sa.text("first_response_at IS NULL AND status IN ('new', 'open')"),
            postgresql_where=sa.text("first_response_at IS NULL AND status IN ('new', 'open')"),
        )

    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_event_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "incoming",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("folder_id", sa.Integer(), nullable=True),
        sa.Column("uid", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alone_attempts", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("identity", sa.String(), nullable=True),
        sa.Column("raw_digest", sa.String(), nullable=True),
        sa.Column("trust", sa.String(), nullable=False),
        sa.Column("copy_of", sa.Integer(), nullable=True),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("afterwards", sa.String(), nullable=False),
        sa.Column("afterwards_attempts", sa.Integer(), nullable=False),
        sa.Column("afterwards_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("afterwards_error", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.CheckConstraint(
            "state IN ('listed', 'opened', 'appended', 'filed', 'quarantined', 'known', 'before', 'vanished')",
            name=op.f("ck_incoming_state"),
        ),
        sa.ForeignKeyConstraint(["copy_of"], ["incoming.id"], name=op.f("fk_incoming_copy_of_incoming")),
        sa.ForeignKeyConstraint(["folder_id"], ["folder.id"], name=op.f("fk_incoming_folder_id_folder")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_incoming_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming")),
        sa.UniqueConstraint("folder_id", "uid", name=op.f("uq_incoming_folder_id_uid")),
    )
    with op.batch_alter_table("incoming", schema=None) as batch_op:
        batch_op.create_index(
            "ix_incoming_afterwards_due",
            ["folder_id", "afterwards_at"],
            unique=False,
            sqlite_where=sa.text("afterwards = 'due'"),
            postgresql_where=sa.text("afterwards = 'due'"),
        )
        batch_op.create_index(batch_op.f("ix_incoming_identity"), ["identity"], unique=False)
        batch_op.create_index(batch_op.f("ix_incoming_message_id"), ["message_id"], unique=False)
        batch_op.create_index(
            "ix_incoming_pending",
            ["folder_id", "uid"],
            unique=False,
            sqlite_where=sa.text("state = 'listed'"),
            postgresql_where=sa.text("state = 'listed'"),
        )
        batch_op.create_index(
            "ix_incoming_quarantined",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'quarantined'"),
            postgresql_where=sa.text("state = 'quarantined'"),
        )
        batch_op.create_index(batch_op.f("ix_incoming_raw_digest"), ["raw_digest"], unique=False)
        batch_op.create_index("ix_incoming_state_route", ["state", "route"], unique=False)
        batch_op.create_index(batch_op.f("ix_incoming_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "participant",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_participant_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("ticket_id", "key", name=op.f("pk_participant")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("from_name", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("from_address", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("to_address", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("subject", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("text", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("new_text", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trust", sa.String(), nullable=False),
        sa.Column("mark", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=True),
        sa.Column("incoming_id", sa.Integer(), nullable=True),
        sa.Column("raw_digest", sa.String(), nullable=True),
        sa.Column("home_ticket_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("direction IN ('in', 'out', 'note')", name=op.f("ck_message_direction")),
        sa.ForeignKeyConstraint(["home_ticket_id"], ["ticket.id"], name=op.f("fk_message_home_ticket_id_ticket")),
        sa.ForeignKeyConstraint(["incoming_id"], ["incoming.id"], name=op.f("fk_message_incoming_id_incoming")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_message_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_incoming_id"), ["incoming_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("inline", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_attachment_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_message_id"), ["message_id"], unique=False)

    op.create_table(
        "outgoing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("message_row", sa.Integer(), nullable=True),
        sa.Column("cause_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("envelope_from", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("recipient_key", sa.String(), nullable=False),
        sa.Column("recipient_domain", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("wire", sa.LargeBinary(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_as", sa.String(), nullable=True),
        sa.Column("last_error", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("sent_again", sa.Boolean(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'deferred', 'failed', 'uncertain', 'withheld', 'cancelled')",
            name=op.f("ck_outgoing_state"),
        ),
        sa.ForeignKeyConstraint(["cause_id"], ["incoming.id"], name=op.f("fk_outgoing_cause_id_incoming")),
        sa.ForeignKeyConstraint(["message_row"], ["message.id"], name=op.f("fk_outgoing_message_row_message")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_outgoing_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outgoing_message_id")),
    )
    with op.batch_alter_table("outgoing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outgoing_accepted_as"), ["accepted_as"], unique=False)
        batch_op.create_index(batch_op.f("ix_outgoing_cause_id"), ["cause_id"], unique=False)
        batch_op.create_index(
            "ix_outgoing_due",
            ["rank", "next_attempt_at", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('queued', 'deferred')"),
            postgresql_where=sa.text("state IN ('queued', 'deferred')"),
        )
        batch_op.create_index("ix_outgoing_recipient_counted_at", ["recipient_key", "counted_at"], unique=False)
        batch_op.create_index(
            "ix_outgoing_sending",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.create_index("ix_outgoing_state", ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_outgoing_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(
            "ix_outgoing_unverified_counted_at",
            ["counted_at"],
            unique=False,
            sqlite_where=sa.text("NOT verified"),
            postgresql_where=sa.text("NOT verified"),
        )
        batch_op.create_index(
            "ix_outgoing_unverified_domain_counted_at",
            ["recipient_domain", "counted_at"],
            unique=False,
            sqlite_where=sa.text("NOT verified"),
            postgresql_where=sa.text("NOT verified"),
        )
        batch_op.create_index(
            "ix_outgoing_withheld",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'withheld'"),
            postgresql_where=sa.text("state = 'withheld'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("outgoing", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outgoing_withheld",
            sqlite_where=sa.text("state = 'withheld'"),
            postgresql_where=sa.text("state = 'withheld'"),
        )
        batch_op.drop_index(
            "ix_outgoing_unverified_domain_counted_at",
            sqlite_where=sa.text("NOT verified"),
            postgresql_where=sa.text("NOT verified"),
        )
        batch_op.drop_index(
            "ix_outgoing_unverified_counted_at",
            sqlite_where=sa.text("NOT verified"),
            postgresql_where=sa.text("NOT verified"),
        )
        batch_op.drop_index(batch_op.f("ix_outgoing_ticket_id"))
        batch_op.drop_index("ix_outgoing_state")
        batch_op.drop_index(
            "ix_outgoing_sending",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.drop_index("ix_outgoing_recipient_counted_at")
        batch_op.drop_index(
            "ix_outgoing_due",
            sqlite_where=sa.text("state IN ('queued', 'deferred')"),
            postgresql_where=sa.text("state IN ('queued', 'deferred')"),
        )
        batch_op.drop_index(batch_op.f("ix_outgoing_cause_id"))

    op.drop_table("outgoing")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachment_message_id"))

    op.drop_table("attachment")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_ticket_id"))
        batch_op.drop_index(batch_op.f("ix_message_message_id"))
        batch_op.drop_index(batch_op.f("ix_message_incoming_id"))

    op.drop_table("message")
    op.drop_table("participant")
    with op.batch_alter_table("incoming", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incoming_ticket_id"))
        batch_op.drop_index("ix_incoming_state_route")
        batch_op.drop_index(batch_op.f("ix_incoming_raw_digest"))
        batch_op.drop_index(
            "ix_incoming_quarantined",
            sqlite_where=sa.text("state = 'quarantined'"),
            postgresql_where=sa.text("state = 'quarantined'"),
        )
        batch_op.drop_index(
            "ix_incoming_pending",
            sqlite_where=sa.text("state = 'listed'"),
            postgresql_where=sa.text("state = 'listed'"),
        )
        batch_op.drop_index(batch_op.f("ix_incoming_message_id"))
        batch_op.drop_index(batch_op.f("ix_incoming_identity"))
        batch_op.drop_index(
            "ix_incoming_afterwards_due",
            sqlite_where=sa.text("afterwards = 'due'"),
            postgresql_where=sa.text("afterwards = 'due'"),
        )

    op.drop_table("incoming")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_ticket_id"))

    op.drop_table("event")
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_ticket_unanswered",
            sqlite_where=sa.text("first_response_at IS NULL AND status IN ('new', 'open')"),
            postgresql_where=sa.text("first_response_at IS NULL AND status IN ('new', 'open')"),
        )
        batch_op.drop_index(batch_op.f("ix_ticket_status"))
        batch_op.drop_index(batch_op.f("ix_ticket_solved_at"))
        batch_op.drop_index("ix_ticket_requester_id_created_at")
        batch_op.drop_index(batch_op.f("ix_ticket_promised_by"))
        batch_op.drop_index(batch_op.f("ix_ticket_merged_into"))
        batch_op.drop_index(batch_op.f("ix_ticket_first_response_at"))
        batch_op.drop_index(batch_op.f("ix_ticket_duplicate_of"))
        batch_op.drop_index(batch_op.f("ix_ticket_created_at"))
        batch_op.drop_index(batch_op.f("ix_ticket_category"))

    op.drop_table("ticket")
    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_requester_id"))

    op.drop_table("address")
    op.drop_table("requester")
    with op.batch_alter_table("raw", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_raw_stored_at"))
        batch_op.drop_index(batch_op.f("ix_raw_mask_after"))

    op.drop_table("raw")
    op.drop_table("meta")
    op.drop_table("key")
    op.drop_table("health")
    op.drop_table("folder")
