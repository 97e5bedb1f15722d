"""The tables. Every state a row may be in is said here in a line; times are UTC and aware; texts are masked."""

# No `from __future__ import annotations` here: SQLModel reads the annotations as objects.
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING
SQLModel.model_config["defer_build"] = True  # nobody asks a row to check itself, and preparing for it takes time

INCOMING_STATES: Final = (
    "listed",  # the server named it; not yet taken in
    "opened",  # it opened a ticket
    "appended",  # it was appended to one
    "filed",  # automatic mail, put where it belongs without an answer
    "quarantined",  # could not be taken in; raw bytes and reason are kept
    "known",  # a copy of a mail that was taken in before
    "before",  # was in the folder before first contact
    "vanished",  # was gone before it could be fetched
)
OUTGOING_STATES: Final = (
    "queued",  # waits for its first attempt
    "sending",  # claimed by a connection; begun_at says whether its data was begun
    "sent",  # accepted by the SMTP server
    "deferred",  # refused for now; next_attempt_at says when again
    "failed",  # refused for good, bounced, or given up
    "uncertain",  # data was sent but no reply came: it may have been accepted
    "withheld",  # owed but held back; reason says why
    "cancelled",  # taken out by staff
)
SENT_WITH_BYTES: Final = "state = 'sent' AND length(wire) > 0"  # in the words of the partial index
TO_ERASE: Final = "status = 'closed' AND people_erased_at IS NULL"  # in the words of the partial index
TICKET_STATES: Final = ("new", "open", "pending", "solved", "closed")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on every database; a naive one is refused, for nobody knows what it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(v) for v in values)})", name=column)


def _time(*, nullable: bool = True, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=nullable, index=index))


def _text(default: str = "") -> Any:
    return Field(default=default, sa_column=Column(Text, nullable=False, server_default=text(f"'{default}'")))


def _partial(name: str, *columns: str, where: str) -> Index:
    """An index of some rows only. `store.engine` says so to PostgreSQL, whose dialect takes long to import."""
    return Index(name, *columns, sqlite_where=text(where))


def _json(default: Any = None) -> Any:
    return Field(default=default, sa_column=Column(JSON, nullable=True))


class Meta(SQLModel, table=True):
    """Facts about this database: instance mark, last clean stop, newest time seen."""

    name: str = Field(primary_key=True)
    value: str = _text()


class Key(SQLModel, table=True):
    """Keys of our signatures: the newest signs, all verify."""

    id: int | None = Field(default=None, primary_key=True)
    secret: str
    created_at: datetime = _time(nullable=False)


class Consent(SQLModel, table=True):
    """A consent by which access tokens are had, and the refresh token of it, encrypted; see `store.oauth2`.

    name: whose, at which provider, for which application. generation: grows with each refresh token. key_mark: which
    key encrypted it. expires_at: when the refresh token dies, as the provider said; grows: whether each use puts that
    off (null: not known yet). lease_by, lease_until: who is about to use it. cut_short_at: when one who used it was
    stopped before it could write down what came. refusal: the code of what the provider had against the last use.
    """

    name: str = Field(primary_key=True)
    generation: int = 0
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    key_mark: str = ""
    consented_at: datetime | None = _time()
    rotated_at: datetime | None = _time()
    used_at: datetime | None = _time()
    expires_at: datetime | None = _time()
    grows: bool | None = None
    lease_by: str = ""
    lease_until: datetime | None = _time()
    cut_short_at: datetime | None = _time()
    refusal: str = ""
    refusal_text: str = _text()
    refusal_remedy: str = _text()
    refused_at: datetime | None = _time()


class Folder(SQLModel, table=True):
    """One life of a watched folder. A new UIDVALIDITY, UIDs that went back, or another account begin a new life.

    host, username, path: the account and its folder; null where a former release wrote the row.
    """

    __table_args__ = (UniqueConstraint("mailbox", "uidvalidity", "generation"),)
    id: int | None = Field(default=None, primary_key=True)
    mailbox: str
    host: str | None = None
    username: str | None = None
    path: str | None = None
    uidvalidity: int = Field(sa_type=BigInteger)
    generation: int = 0
    high_water: int = Field(default=0, sa_type=BigInteger)
    first_contact_at: datetime = _time(nullable=False)
    before: datetime = _time(nullable=False)
    retired_at: datetime | None = _time()


class Host(SQLModel, table=True):
    """A process that collects or delivers, from its start to its end; its number is never given again.

    Times are the database's, for the clocks of several machines differ.
    """

    __table_args__ = (_partial("ix_host_live", "id", where="stopped_at IS NULL AND dead_at IS NULL"),)
    id: int | None = Field(default=None, primary_key=True)
    kind: str  # daemon, or round for `run --once`
    name: str  # of the machine
    pid: int
    version: str
    sessions: str = Field(default="", sa_column_kwargs={"server_default": ""})  # its connections' application_name
    mailboxes: list[str] | None = _json()  # those that it would collect now; a round is offered none
    started_at: datetime = _time(nullable=False)
    beat_at: datetime = _time(nullable=False)
    clock_ahead: float = 0.0  # seconds by which its clock is before the database's, at its last beat
    stopped_at: datetime | None = _time()  # null while it runs, and after an end that was none
    dead_at: datetime | None = _time()  # when others gave it up, for it was not heard from: it may act no more


class MailboxHolder(SQLModel, table=True):
    """Which host collects a mailbox, and since when. Whoever acts on the mailbox locks the row first."""

    __tablename__ = "mailbox_holder"
    mailbox: str = Field(primary_key=True)
    host_id: int | None = Field(default=None, foreign_key="host.id")
    since: datetime = _time(nullable=False)


class Health(SQLModel, table=True):
    """How a part of the system fares, for `status`, `check` and alerts: a row a mailbox, and one for the outbox."""

    name: str = Field(primary_key=True)
    last_success_at: datetime | None = _time()
    error: str = _text()
    error_since: datetime | None = _time()
    note: str = _text()
    alerted_at: datetime | None = _time()


class Notice(SQLModel, table=True):
    """What requesters should know now, by language. It ends at `until` by itself, or when staff end it."""

    id: int | None = Field(default=None, primary_key=True)
    categories: list[str] | None = _json()  # whose letters it stands in; none for all
    texts: dict[str, str] | None = _json()
    set_at: datetime = _time(nullable=False)
    set_by: str = _text()
    until: datetime | None = _time()
    ended_at: datetime | None = _time()
    ended_by: str = _text()


class Raw(SQLModel, table=True):
    """Raw mails, each once, under the SHA-256 of its bytes; compressed where that pays."""

    digest: str = Field(primary_key=True)
    size: int
    packing: str = "plain"
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    complete: bool = True
    stored_at: datetime = _time(nullable=False, index=True)
    mask_after: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))


class Incoming(SQLModel, table=True):
    """What became of each mail that a server listed or a file held. `listed` rows are owed an outcome."""

    __table_args__ = (
        UniqueConstraint("folder_id", "uid"),
        _one_of("state", INCOMING_STATES),
        _partial("ix_incoming_pending", "folder_id", "uid", where="state = 'listed'"),
        _partial("ix_incoming_afterwards_due", "folder_id", "afterwards_at", where="afterwards = 'due'"),
        Index("ix_incoming_state_route", "state", "route"),  # the count of conservation reads nothing else
        _partial("ix_incoming_answered_due", "folder_id", where="answered = 'due'"),
        _partial("ix_incoming_quarantined", "id", where="state = 'quarantined'"),
        _partial("ix_incoming_copy_of", "copy_of", where="copy_of IS NOT NULL"),
        _partial("ix_incoming_out_of_sight", "decided_at", "id", where="state = 'filed' AND ticket_id IS NULL"),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    route: str  # name of the mailbox, or "file"
    delivered_to: str | None = Field(default=None, sa_type=Text)  # of our addresses; "" none is named, null unread
    folder_id: int | None = Field(default=None, foreign_key="folder.id")
    uid: int | None = Field(default=None, sa_type=BigInteger)
    size: int = 0
    arrived_at: datetime = _time(nullable=False)
    listed_at: datetime = _time(nullable=False)
    state: str = "listed"
    attempted_at: datetime | None = _time()
    alone_attempts: int = 0
    refusals: int = 0  # how often the server listed it and did not give it
    decided_at: datetime | None = _time()
    rule: str = ""
    reason: str = _text()
    evidence: list[list[str]] | None = _json()
    message_id: str | None = Field(default=None, index=True)
    identity: str | None = Field(default=None, index=True)
    origin: str | None = Field(default=None, index=True)  # of whom, when, under which Message-ID: see mail.identity
    essence: str | None = None
    raw_digest: str | None = Field(default=None, index=True)
    trust: str = "unknown"
    copy_of: int | None = Field(default=None, foreign_key="incoming.id")
    sender: str = _text()  # the From, and masked the subject, of what is filed without a ticket
    subject: str = _text()
    names_us: bool | None = None  # whether To or Cc holds an address of ours; null unread
    names_ticket: bool = Field(default=False, sa_column_kwargs={"server_default": false()})  # blocked, and answers one
    dismissed_at: datetime | None = _time()  # when staff had looked at it, filed without a ticket
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id", index=True)
    afterwards: str = "none"  # none | due | done
    afterwards_attempts: int = 0
    afterwards_at: datetime | None = _time()
    afterwards_error: str = _text()
    answered: str = Field(default="none", sa_column_kwargs={"server_default": "none"})  # none | due | done | given up
    answered_by: str = Field(default="", sa_column_kwargs={"server_default": ""})  # the member, for the keyword
    answered_attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class Requester(SQLModel, table=True):
    """A person who asks, known by one address or several."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = _text()
    language: str = ""
    created_at: datetime = _time(nullable=False)


class Address(SQLModel, table=True):
    """An address of a requester. `key` is how addresses are compared, `address` how it was written."""

    key: str = Field(primary_key=True)
    address: str
    requester_id: int = Field(foreign_key="requester.id", index=True)
    undeliverable_since: datetime | None = _time()
    undeliverable_why: str = _text()


class Ticket(SQLModel, table=True):
    """A matter of one requester."""

    __table_args__ = (
        _one_of("status", TICKET_STATES),
        _partial("ix_ticket_unanswered", "priority", "created_at",
                 where="first_response_at IS NULL AND status IN ('new', 'open')"),
        _partial("ix_ticket_waiting", "spam", "priority", "waiting_since", where="waiting_for = 'us'"),
        _partial("ix_ticket_spam", "id", where="spam"),
        Index("ix_ticket_requester_id_created_at", "requester_id", "created_at"),
        _partial("ix_ticket_assigned_to", "assigned_to", "status", where="assigned_to != ''"),
        _partial("ix_ticket_unfinished", "id", where="status IN ('new', 'open', 'pending')"),
        _partial("ix_ticket_legal_hold", "id", where="legal_hold != ''"),
        _partial("ix_ticket_to_erase", "closed_at", where=TO_ERASE),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    subject: str = _text()
    status: str = Field(default="new", index=True)
    priority: str = "normal"
    category: str = Field(default="other", index=True)
    category_sure: bool = False
    language: str = ""
    requester_id: int | None = Field(default=None, foreign_key="requester.id")
    trust: str = "unknown"
    spam: bool = Field(default=False, sa_column_kwargs={"server_default": false()})  # as the site's filter says
    marks: list[str] | None = _json()
    claimed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})  # its requester, by a form
    assigned_to: str = ""
    brand: str = Field(default="", sa_column_kwargs={"server_default": ""})  # under which name it is answered, for life
    team: str = Field(default="", sa_column_kwargs={"server_default": ""})
    team_is_set: bool = Field(default=False, sa_column_kwargs={"server_default": false()})  # by staff: it then stays
    check_word: str = ""
    serial: int = 0
    created_at: datetime = _time(nullable=False, index=True)
    updated_at: datetime = _time(nullable=False)
    waiting_for: str = Field(default="nobody", sa_column_kwargs={"server_default": "nobody"})  # us | them | nobody
    waiting_since: datetime | None = _time()  # the oldest mail of the requester that no answer followed
    promised_from: datetime | None = _time()
    promised_by: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))
    promise_reason: str = _text()
    promise_longer: str = _text()  # why it ends later than usual: load; "" it does not
    late_notice_at: datetime | None = _time()
    late_warned_at: datetime | None = _time()
    first_response_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))
    solved_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))
    closed_at: datetime | None = _time()
    slip_told_at: datetime | None = _time()  # when staff got a mail of its promise, their lead, and of a follow-up
    lead_told_at: datetime | None = _time()
    followup_told_at: datetime | None = _time()
    merged_into: int | None = Field(default=None, foreign_key="ticket.id", index=True)
    duplicate_of: int | None = Field(default=None, foreign_key="ticket.id", index=True)
    similarity: float | None = None
    duplicate_reason: str = _text()
    linked_to: int | None = Field(default=None, foreign_key="ticket.id", index=True)
    fields: dict[str, list[str]] | None = _json()
    missing: list[str] | None = _json()
    fingerprint: dict[str, Any] | None = _json()
    legal_hold: str = _text()  # why nothing of it may be erased; "" it may
    texts_erased_at: datetime | None = _time()
    letters_erased_at: datetime | None = _time()
    people_erased_at: datetime | None = _time()  # and with names and addresses all that was left


class Erasure(SQLModel, table=True):
    """A person who is being forgotten, so that what was cut short is finished: gone with the last of their bytes.

    keys: their addresses as they are compared. names, message_ids, lines: what else of them stands in mails of others;
    all four go with the last of their rows.
    """

    id: int | None = Field(default=None, primary_key=True)
    keys: list[str] | None = _json()
    names: list[str] | None = _json()
    message_ids: list[str] | None = _json()
    lines: list[str] | None = _json()
    begun_at: datetime = _time(nullable=False)
    begun_by: str = _text()


class Tombstone(SQLModel, table=True):
    """Who was forgotten, by the HMAC of each address: a restored backup is told by it whom it brings back."""

    mac: str = Field(primary_key=True)
    forgotten_at: datetime = _time(nullable=False)


class Blocked(SQLModel, table=True):
    """An address whose mail staff have filed without a letter and a ticket."""

    key: str = Field(primary_key=True)
    address: str
    reason: str = _text()
    blocked_at: datetime = _time(nullable=False)
    blocked_by: str = _text()


class Participant(SQLModel, table=True):
    """An address that staff allowed to write to a ticket beside its requester."""

    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True)
    key: str = Field(primary_key=True)
    address: str
    added_at: datetime = _time(nullable=False)
    undeliverable_why: str = _text()  # why mail to it bounces; nobody writes from it, so no other row says so


class Message(SQLModel, table=True):
    """A row of a ticket's conversation: in, out, or a note. Texts are clean and secrets in them masked."""

    __table_args__ = (
        _one_of("direction", ("in", "out", "note")),
        _partial("ix_message_held", "ticket_id", where="kind = 'held'"),
        _partial("ix_message_answers", "by", "at", where="kind = 'staff-reply'"),
        _partial("ix_message_raw_digest", "raw_digest", where="raw_digest IS NOT NULL"),
    )
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    direction: str
    kind: str
    message_id: str | None = Field(default=None, index=True)
    from_name: str = _text()
    from_address: str = _text()
    from_raw: str = _text()  # what From says, where it gives no usable sender
    to_address: str = _text()
    cc_address: str = _text()
    subject: str = _text()
    text: str = _text()
    new_text: str = _text()
    at: datetime = _time(nullable=False)
    trust: str = ""
    mark: str = _text()
    language: str = ""
    secrets: list[str] | None = _json()
    incoming_id: int | None = Field(default=None, foreign_key="incoming.id", index=True)
    raw_digest: str | None = None
    home_ticket_id: int | None = Field(default=None, foreign_key="ticket.id")  # where it lay before a merge
    by: str = Field(default="", sa_column_kwargs={"server_default": ""})  # the member or account who wrote it
    via: str = Field(default="", sa_column_kwargs={"server_default": ""})  # cli, mail or mailbox; "" of requesters
    proof: str = Field(default="", sa_column_kwargs={"server_default": ""})  # why a staff mail is believed
    waited_since: datetime | None = _time()  # of an answer that went past us: since when its ticket had waited
    held: dict[str, Any] | None = _json()  # of a held answer: what is in its way, and how it was to leave


class Member(SQLModel, table=True):
    """What is known of a member of the desk beside the configuration."""

    name: str = Field(primary_key=True)
    revoked_at: datetime | None = _time()  # marks made until then are worth nothing
    unreachable_since: datetime | None = _time()  # desk mail to them bounces
    unreachable_why: str = _text()
    last_proof: str = ""
    last_proof_at: datetime | None = _time()
    digest_at: datetime | None = _time()


class DeadMark(SQLModel, table=True):
    """The mark of a desk mail that somebody else has used, by its HMAC."""

    __tablename__ = "dead_mark"
    mac: str = Field(primary_key=True)
    died_at: datetime = _time(nullable=False)
    why: str = _text()


class Picture(SQLModel, table=True):
    """A picture that stood in the text of a member's mail: the next time it is their logo."""

    member: str = Field(primary_key=True)
    sha256: str = Field(primary_key=True)


class News(SQLModel, table=True):
    """What a member is to hear of in the next gathering, for their desk mails of the hour are used up."""

    id: int | None = Field(default=None, primary_key=True)
    member: str = Field(index=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    event: str
    at: datetime = _time(nullable=False)


class Sight(SQLModel, table=True):
    """What a person of the desk was last shown of a ticket: its newest message then.

    No foreign key: who looks at a ticket would wait for whoever changes it.
    """

    actor: str = Field(primary_key=True)
    ticket_id: int = Field(primary_key=True)
    message_row: int
    at: datetime = _time(nullable=False)


class Attachment(SQLModel, table=True):
    """A file of a message: a pointer into its raw mail, decoded when asked for."""

    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id", index=True)
    part: str
    name: str = _text()
    type: str
    size: int
    sha256: str
    inline: bool = False


class Outgoing(SQLModel, table=True):
    """A mail that is owed. Envelope and bytes are fixed when it is written; only its state moves."""

    __table_args__ = (
        _one_of("state", OUTGOING_STATES),
        # With the state, which is asked of each, so that no row is read only to be passed over.
        _partial("ix_outgoing_due", "rank", "next_attempt_at", "id", "state", where="state IN ('queued', 'deferred')"),
        Index("ix_outgoing_state", "state"),
        _partial("ix_outgoing_sending", "id", where="state = 'sending'"),
        _partial("ix_outgoing_withheld", "id", where="state = 'withheld'"),
        _partial("ix_outgoing_answers_failed", "ticket_id", where="kind = 'staff-reply' AND state = 'failed'"),
        _partial("ix_outgoing_answers", "waited_since", "ticket_id", where="kind = 'staff-reply'"),
        _partial("ix_outgoing_unverified_counted_at", "counted_at", where="NOT verified"),
        _partial("ix_outgoing_sent_with_bytes", "sent_at", where=SENT_WITH_BYTES),
        Index("ix_outgoing_recipient_counted_at", "recipient_key", "counted_at"),
        _partial("ix_outgoing_member", "member", "created_at", where="member != ''"),
        _partial("ix_outgoing_receipts", "message_row", where="member != '' AND message_row IS NOT NULL"),
        _partial("ix_outgoing_save_to", "save_to", "id", where="save_to != ''"),
        _partial("ix_outgoing_unverified_domain_counted_at", "recipient_domain", "counted_at", where="NOT verified"),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id", index=True)
    message_row: int | None = Field(default=None, foreign_key="message.id")
    cause_id: int | None = Field(default=None, foreign_key="incoming.id", index=True)  # the mail that it answers
    kind: str
    rank: int = 5  # staff answers overtake automatic ones
    envelope_from: str
    recipient: str
    recipient_key: str
    recipient_domain: str
    copies: list[str] | None = _json()  # addresses in Cc, which get the same bytes
    subject: str = _text()
    message_id: str = Field(unique=True)
    wire: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # empty some time after it was sent
    verified: bool = False  # whether the caps for domains and in all leave it out
    state: str = "queued"
    hold: str = _text()  # while withheld: the code of why
    reason: str = _text()  # the same in words
    attempts: int = 0
    created_at: datetime = _time(nullable=False)
    next_attempt_at: datetime = _time(nullable=False)
    begun_at: datetime | None = _time()
    sent_at: datetime | None = _time()
    accepted_as: str | None = Field(default=None, index=True)  # the name under which the server took it
    last_error: str = _text()
    sent_again: bool = False
    waited_since: datetime | None = _time()  # of an answer: since when its ticket had waited when it was written
    counted_at: datetime | None = _time()  # when it began to count towards the caps; null while withheld
    member: str = Field(default="", sa_column_kwargs={"server_default": ""})  # of a desk mail: to whom, and of what
    event: str = Field(default="", sa_column_kwargs={"server_default": ""})
    shown: int | None = None  # and the newest message of its ticket that it showed
    save_to: str = Field(default="", sa_column_kwargs={"server_default": ""})  # whose Sent folder still lacks a copy
    saving_attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    account: str = Field(default="", sa_column_kwargs={"server_default": ""})  # the brand whose own server takes it
    claimed_by: int | None = None  # the host that has it on its way out, or had it last


class Event(SQLModel, table=True):
    """The history of a ticket: what happened, when, by whom, why."""

    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    at: datetime = _time(nullable=False)
    kind: str
    actor: str = "mailticket"
    detail: str = _text()
