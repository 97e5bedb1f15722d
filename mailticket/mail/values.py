"""What a read mail is made of: the frozen values that the reader hands out, and nothing that computes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mailticket.mail.address import Address

Sender = Literal["verified", "failed", "unknown"]
AutomaticKind = Literal["bounce", "auto-reply", "auto-generated", "list", "feedback-report", "read-receipt", "own"]


SLOT = "\0"  # in a passage of our letters: here stands a value


@dataclass(frozen=True, slots=True)
class OurLetters:
    """What our letters say, by which our own words are known below our marker.

    passages: sentences of the templates with SLOT for each value. dates: the words that dates in letters are made of.
    sent: the texts of the ticket's own letters, () while the ticket is not known; with them, what is neither in them
    nor in the passages is not ours, quoted or not. said: what the requester wrote before, known where it is quoted.
    """

    passages: tuple[str, ...] = ()
    dates: str = ""
    sent: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ourselves:
    """What the reader must know about the site it reads for; the defaults fit a site that says nothing.

    own_addresses: support addresses, now and formerly, ASCII-lowercased.
    loop_mark: the value of our own X-Loop header ("" recognises none).
    authserv_id: whose Authentication-Results count (RFC 8601 section 2.5); "" none, "microsoft365" its headless form.
    spam_headers: (header name, value prefix) pairs by which the site's filter marks spam, lowercased.
    block_headers: (header name, value prefix) pairs by which the site blocks mail, lowercased.
    internal_header: the header name, lowercased, and value prefix that only mail from inside bears; None for none.
    reply_marker: the line in our own mails above which people write their answer. letters: what stands below it.
    """

    own_addresses: frozenset[str] = frozenset()
    loop_mark: str = ""
    authserv_id: str = ""
    spam_headers: tuple[tuple[str, str], ...] = (("x-spam-flag", "yes"), ("x-spam-status", "yes"))
    block_headers: tuple[tuple[str, str], ...] = ()
    internal_header: tuple[str, str] | None = None
    reply_marker: str = ""
    letters: OurLetters = OurLetters()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the text of the mail. `part` finds it again in the raw bytes (see mail.attachment_bytes)."""

    # Path of the part: "2", "2.1". Inside one: "1#uu0" the first uuencoded file, "1#data0" the first picture in HTML,
    # "2#tnef0" the first file of a winmail.dat, "2#cms/1.2" a part of the mail that was signed as one file.
    part: str
    name: str
    type: str
    size: int  # decoded bytes
    sha256: str  # of the decoded bytes
    inline: bool


@dataclass(frozen=True, slots=True)
class Automatic:
    """Why a mail is no person's: the kind, and the header or words that said so.

    distribution: only the way says so by which it came (a list, bulk, the null path): that withholds letters, and does
    not unmake a reply. our_address: only our own address in From says so, from which our people write too.
    """

    kind: AutomaticKind
    reason: str
    distribution: bool = False
    our_address: bool = False


@dataclass(frozen=True, slots=True)
class BounceRecipient:
    """One recipient of a delivery report (RFC 3464 section 2.3); "" where the report does not say."""

    address: str
    action: str  # failed | delayed | delivered | relayed | expanded
    status: str  # enhanced status code, RFC 3463: "5.1.1"
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report: its recipients, and what it says of the mail that it is about.

    original_message_id: "" where unknown; a relay may have put its own in place of ours. original_references: what
    the returned mail answered, with angle brackets, the newest last. original_subject: decoded. queue_ids: names under
    which servers had accepted it, as its returned header tells.
    """

    recipients: tuple[BounceRecipient, ...]
    original_message_id: str = ""
    original_references: tuple[str, ...] = ()
    original_subject: str = ""
    queue_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut for display: kind ("quote", "signature", "header block", ...), its first line, how many lines."""

    kind: str
    first_line: str
    lines: int


@dataclass(frozen=True, slots=True)
class Mail:
    """An incoming mail as read. Every text is clean: valid Unicode, no NUL, no lone surrogate.

    digest: SHA-256 of the raw bytes. identity: SHA-256 of the content without transport's trace headers (promise 2).
    origin, essence: digests by which it is known again when gateways changed it; "" where it lacks their parts.
    message_id, in_reply_to, references: with angle brackets, as written; "" or () where there is none.
    sender_address: the one usable From mailbox, else None (no From, several, a group, a broken address).
    from_: all mailboxes of From, whatever they are worth. from_raw: From as it came, decoded, for people to judge.
    claimed: for whom a group or form writes that has our own or a no-reply address in From, unverified; claimed_by: the
    header that says so.
    agent: who sent it for From, as Sender says (RFC 5322 section 3.6.2), or None: a delegate of a shared mailbox.
    return_path: the topmost Return-Path without brackets; "" is the null path, None is no such header.
    date: the Date header, aware, or None; date_offset: by how many minutes its writer's clock is ahead of UTC, where
    that is sure (see mail.identity). language: "en", "zh-Hans", "zh-Hant", another ISO 639-1 code, or "".
    trust: what the site's own Authentication-Results say of sender_address; trust_reason says it in words.
    from_trust: what they say of From itself, whoever is taken for the writer.
    deceptions: those of the warnings that staff beware of: what reverses or hides text in names.
    encrypted: the text cannot be read, so nothing can be missing from it. reaction: the emoji of a mail that is one.
    borrowed: the mail has no words of its own; its text is that of the messages attached to it.
    suppress: why no automatic answer may be sent though a person may have written ("" if it may): spam marks, wishes.
    spam: whether the site's filter marked it so. block_header: the first of the site's block_headers, or None.
    internal: whether it bears the header of mail from inside, which the site's border strips from all other.
    quotes_us: our marker stands in the text, so that the ticket's letters tell better what of it is ours.
    """

    digest: str
    identity: str
    size: int
    message_id: str = ""
    subject: str = ""
    sender_address: Address | None = None
    from_: tuple[Address, ...] = ()
    from_raw: str = ""
    claimed: Address | None = None
    claimed_by: str = ""
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    agent: Address | None = None
    return_path: str | None = None
    date: datetime | None = None
    date_offset: int | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    new_text: str = ""
    cuts: tuple[Cut, ...] = ()
    language: str = ""
    attachments: tuple[Attachment, ...] = ()
    encrypted: bool = False
    borrowed: bool = False
    reaction: str = ""
    automatic: Automatic | None = None
    bounce: Bounce | None = None
    trust: Sender = "unknown"
    trust_reason: str = ""
    from_trust: Sender = "unknown"
    suppress: str = ""
    spam: bool = False
    block_header: tuple[str, str] | None = None
    internal: bool = False
    quotes_us: bool = False
    delivered_to: tuple[str, ...] = ()  # Delivered-To, X-Original-To, Envelope-To: by which of our addresses it came
    origin: str = ""
    essence: str = ""
    received_at: datetime | None = None  # of the topmost Received header
    warnings: tuple[str, ...] = field(default=())
    deceptions: tuple[str, ...] = ()
