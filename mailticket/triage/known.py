"""What bears on the judgement of a mail: what it claims about itself, and what the store knows of those claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailticket.likeness.duplicates import Fingerprint
from mailticket.mail.address import address_key
from mailticket.mail.values import Bounce, Mail
from mailticket.triage import signatures, ticket_keys
from mailticket.triage.marks import Mark, looks_like_mark, read_mark, read_root
from mailticket.triage.signatures import Signed

_MOST_REFERENCES = 50
_MOST_PARENTS = 5
_MOST_ADDRESSES = 200


@dataclass(frozen=True, slots=True)
class Claims:
    """What a mail says about where it belongs, before anything is looked up.

    reply_addresses, references: good signatures only, the newest reference last.
    earlier_ids: all other referenced Message-IDs, newest first. subject_ids: written forms, in order.
    bounced_id: Message-ID of the mail that a delivery report returns, when it bears our good signature.
    bounced_keys: tickets that the returned mail names, by our signature in what it answered or in its subject.
    bounced_recipients: whom it failed to reach, in compared form. bounced_queue_ids: names that servers gave it.
    own: the mail bears our signature in its own Message-ID: we wrote it. own_key: of which ticket, "" of none.
    imitations: how many references and reply addresses look like ours but bear no good signature.
    parent: the mark of the desk mail that the mail answers directly; marks: all that it bears, the newest first.
    roots: written IDs of the tickets whose desk mails' thread it is in.
    """

    reply_addresses: tuple[Signed, ...] = ()
    references: tuple[Signed, ...] = ()
    earlier_ids: tuple[str, ...] = ()
    subject_ids: tuple[str, ...] = ()
    bounced_id: str = ""
    bounced_keys: tuple[str, ...] = ()
    bounced_recipients: tuple[str, ...] = ()
    bounced_queue_ids: tuple[str, ...] = ()
    own: bool = False
    own_key: str = ""
    imitations: int = 0
    parent: Mark | None = None
    marks: tuple[Mark, ...] = ()
    roots: tuple[str, ...] = ()

    @property
    def tickets(self) -> tuple[str, ...]:
        """Written forms of all tickets claimed, each once."""
        signed = [ticket_keys.from_compact(s.ticket) for s in (*self.reply_addresses, *self.references)]
        desk = [*(mark.key for mark in self.marks if mark.ticket), *self.roots]
        return tuple(dict.fromkeys([*signed, *desk, *self.subject_ids]))


def claims(mail: Mail, keys: Sequence[bytes], prefixes: Sequence[str]) -> Claims:
    """Read what the mail claims; forged or altered signatures are simply not there."""
    to = dict.fromkeys([*(a.address for a in (*mail.to, *mail.cc)), *mail.delivered_to][:_MOST_ADDRESSES])
    replies = [signatures.read_reply_address(keys, address) for address in to if signatures.looks_like_reply(address)]
    # RFC 5322 section 3.6.4: References grow to the right, and In-Reply-To is the direct parent, so the newest of all.
    parents = mail.in_reply_to[:_MOST_PARENTS]
    referenced = [*(r for r in mail.references[-_MOST_REFERENCES:] if r not in parents), *parents]
    signed = {message_id: signatures.read_message_id(keys, message_id) for message_id in dict.fromkeys(referenced)}
    mine = signatures.read_message_id(keys, mail.message_id)
    return Claims(
        reply_addresses=tuple(dict.fromkeys(s for s in replies if s)),
        references=tuple(s for s in signed.values() if s),
        earlier_ids=tuple(m for m in reversed(signed) if signed[m] is None),
        subject_ids=ticket_keys.find_keys(mail.subject, prefixes),
        **_bounced(mail.bounce, keys, prefixes),
        own=mine is not None or read_mark(keys, mail.message_id) is not None,
        own_key=ticket_keys.from_compact(mine.ticket) if mine and mine.purpose != "alert" else "",
        imitations=replies.count(None) + sum(s is None and signatures.looks_like_ours(m) for m, s in signed.items()),
        **_of_the_desk(mail, keys, to, referenced),
    )


def _is_own(keys: Sequence[bytes], message_id: str) -> bool:
    return (signatures.read_message_id(keys, message_id) or read_mark(keys, message_id)) is not None


def _of_the_desk(mail: Mail, keys: Sequence[bytes], to: Iterable[str], referenced: Sequence[str]) -> dict[str, Any]:
    """What the mail bears of desk mails. Only the mail that it answers directly says what it is to become: below that
    lie marks of a whole thread, which others may have carried on."""
    addressed = [read_mark(keys, address) for address in to if looks_like_mark(address)]
    parents = mail.in_reply_to[:1] or mail.references[-1:]
    direct = [*addressed, *(read_mark(keys, parent) for parent in parents)]
    marks = [*direct, *(read_mark(keys, message_id) for message_id in reversed(referenced))]
    roots = (read_root(keys, message_id) for message_id in referenced)
    return {
        "parent": next((mark for mark in direct if mark), None),
        "marks": tuple(dict.fromkeys(mark for mark in marks if mark)),
        "roots": tuple(dict.fromkeys(root for root in roots if root)),
    }


def _bounced(report: Bounce | None, keys: Sequence[bytes], prefixes: Sequence[str]) -> dict[str, Any]:
    """What a delivery report claims: our letter by its own name; else its ticket, recipient and names in queues."""
    if report is None:
        return {}
    signed = [signatures.read_message_id(keys, answered) for answered in reversed(report.original_references)]
    by_reference = [ticket_keys.from_compact(s.ticket) for s in signed if s]
    by_subject = ticket_keys.find_keys(report.original_subject, prefixes)
    return {
        "bounced_id": report.original_message_id if _is_own(keys, report.original_message_id) else "",
        "bounced_keys": tuple(dict.fromkeys([*by_reference, *by_subject]))[:_MOST_PARENTS],
        "bounced_recipients": tuple(address_key(r.address) for r in report.recipients if r.address)[:_MOST_REFERENCES],
        "bounced_queue_ids": report.queue_ids,
    }


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What must be known of a claimed ticket. `key` is the ticket that a merge led to, else the claimed one.

    owners: address keys of its requester. writers: of those, of participants that staff added, and of whoever could
    write to tickets that were merged into it. duplicate_of: the ticket that it seems to repeat, if it is flagged.
    answered: whether somebody of the desk has answered it.
    """

    key: str
    status: str
    closed_at: datetime | None
    writers: frozenset[str]
    owners: frozenset[str] = frozenset()
    duplicate_of: str | None = None
    trust: str = "unknown"
    category: str = ""
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """A mail taken in before with the same content, or the same Message-ID.

    delivered_to: of our addresses the one that it was delivered to ("" none); None when that is not on record.
    answered: whether a letter of ours answered it, and was not withheld. owed: whether a letter to its ticket's
    request was ever written, withheld ones included. text: masked, of a mail of the same origin that says otherwise.
    rule: by which it was decided.
    """

    incoming_id: int
    route: str
    state: str
    trust: str
    ticket: str | None
    delivered_to: str | None = None
    answered: bool = False
    owed: bool = True
    text: str = ""
    rule: str = ""

    @property
    def is_done_for_staff(self) -> bool:
        """Whether a member wrote it and what it asked is done: a better proof does it no second time."""
        return self.rule.startswith("staff: ") and self.rule != "staff: held"

    @property
    def is_out_of_sight(self) -> bool:
        """Whether it was filed without a ticket."""
        return self.state == "filed" and self.ticket is None


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """An open ticket of the same sender that a new request might repeat.

    first: the ticket that this one repeats itself, when that one is still open; "" when it stands for itself.
    arrived_at: when its request arrived, by the server's clock; None when that is not on record.
    brand: under which name it is answered.
    """

    key: str
    trust: str
    fingerprint: Fingerprint
    first: str = ""
    arrived_at: datetime | None = None
    brand: str = ""


@dataclass(frozen=True, slots=True)
class Bounced:
    """The outgoing mail that a delivery report is about. sure: our signature says so, not what others could know.
    copies: the keys of the addresses that got it in Cc."""

    outgoing_id: int
    ticket: str | None
    recipient_key: str
    sure: bool = True
    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkFacts:
    """What has become of the marks that a mail bears: revoked_at, by member, and the signatures of those that are
    dead. Of the desk mail that it answers: event, of what it told; about, the row of the message that it is about;
    shown, the newest message of its ticket that it showed."""

    revoked_at: Mapping[str, datetime] = field(default_factory=dict)
    dead: frozenset[str] = frozenset()
    event: str = ""
    about: int | None = None
    shown: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Automatic answers that left or are queued: to the address in the last hour and day; and by unverified senders,
    to the domain and in all, in the last hour."""

    address_hour: int = 0
    address_day: int = 0
    domain_hour: int = 0
    total_hour: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was recorded as its reader had it already: its ticket, and the mail by which we know it."""

    key: str
    incoming_id: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows that bears on one mail."""

    copies: tuple[Copy, ...] = ()
    variants: tuple[Copy, ...] = ()  # of the same writer, moment and Message-ID, but of another text
    same_message_id: tuple[Copy, ...] = ()  # other content under the same Message-ID
    tickets: Mapping[str, TicketFacts] = field(default_factory=dict)  # by claimed key; unknown ones are missing
    earlier: Mapping[str, str] = field(default_factory=dict)  # Message-IDs of the sender's own mails -> ticket key
    answers: Mapping[str, str] = field(default_factory=dict)  # Message-IDs of answers that the sender got -> ticket key
    requests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of mail from us: what it answers -> tickets
    answer: Answer | None = None  # of mail from us: the same answer, recorded before
    colleagues: str = ""  # the ticket whose mail this one answers, and which named its sender in To or Cc
    open_tickets: tuple[OpenTicket, ...] = ()
    bounced: Bounced | None = None
    counts: Counts = Counts()
    undeliverable: str = ""  # why automatic mail to the sender is stopped
    language: str = ""  # in which the requester wrote before
    marks: MarkFacts = MarkFacts()
    echoes: int = 0  # how many of the sender's newest mails have the very same new text
