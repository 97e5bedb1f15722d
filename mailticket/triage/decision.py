"""The values of a judgement: the case as it lies before us, and the decision that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the values name these rooms and need nothing of them: who only shows tickets does not load them
    from mailticket.likeness.duplicates import Fingerprint, Match
    from mailticket.likeness.lexicon import Lexicon
    from mailticket.mail.values import Mail
    from mailticket.settings import Settings
    from mailticket.triage.commands import Command
    from mailticket.triage.known import Claims, Known
    from mailticket.triage.marks import Mark
    from mailticket.triage.staff_mail import Office, StaffMail

Action = Literal["open", "append", "answer", "file", "known"]
AnswerKind = Literal[
    "", "acknowledgement", "duplicate-notice", "reply-received", "status-answer", "solved", "split-done"
]
HoldCode = Literal[
    "failed_sender",
    "disabled",
    "forwarded",
    "from_file",
    "restored",
    "age",
    "bounces",
    "echo",
    "cap_address",
    "cap_domain",
    "cap_total",
]


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a letter that is owed is held back: a code for programs, and the same in words for people."""

    code: HoldCode
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What a mail means.

    rule and reason: the rule that decided, and its words for people. evidence: (what was looked at, what it said), in
    the order in which it was looked at.
    ticket: written ID of the ticket it goes to; None when it opens one, or is filed without one.
    kind: kind of the conversation's row. marks: warnings that staff see on that row, and on the ticket it opens.
    stranger: it writes by our signature, from an address that is none of the ticket's.
    changes_state: it wakes the ticket as a requester's mail does. linked_to: the closed ticket that it continues, or
    with link_is_ours the one of somebody who wrote to its sender too, of which no letter may speak.
    also_through: the other way by which a copy of a known mail came, for the history of its ticket.
    failed_outgoing, failed_why, failed_address: the outgoing mail that bounced, why, and whether its address is dead.
    failed_sure: our signature says which mail it is.
    failed_copies, dead_copies: whose copies of an answer bounced, and which of those addresses are dead.
    category: what its requester says that the ticket is about, who was told what it was taken for.
    split_from: the ticket that its requester says this one does not repeat.
    language: in which its requester wrote before, for a mail that does not show one.
    letter: the automatic answer that is owed ("" none); hold: what holds it back all the same.
    repeats_letter: the same mail came by another way and was answered then.
    names_ticket: a blocked mail that good evidence led to a ticket.
    conflict: what weaker evidence said otherwise, or "".
    staff: what a member of the desk wrote, who is no requester here. dead_marks: marks of desk mails that die by it.
    settled: filed without a ticket, and nobody need look at it.
    by, via, proof: of an answer that its reader has already: whose it is, from where we know it, and why we believe it.
    twins: the mails by which it came before, when nothing proved that it was ours.
    """

    action: Action
    rule: str
    reason: str
    evidence: tuple[tuple[str, str], ...] = ()
    ticket: str | None = None
    kind: str = "request"
    marks: tuple[str, ...] = ()
    stranger: bool = False
    changes_state: bool = True
    linked_to: str | None = None
    link_is_ours: bool = False
    duplicate: Match | None = None
    copy_of: int | None = None
    also_through: str = ""
    failed_outgoing: int | None = None
    failed_why: str = ""
    failed_address: bool = False
    failed_sure: bool = False
    failed_copies: tuple[str, ...] = ()
    dead_copies: tuple[str, ...] = ()
    command: Command | None = None
    split_from: str | None = None
    category: str = ""
    language: str = ""
    letter: AnswerKind = ""
    hold: Hold | None = None
    conflict: str = ""
    repeats_letter: bool = False
    names_ticket: bool = False
    staff: StaffMail | None = None
    dead_marks: tuple[Mark, ...] = ()
    settled: bool = False
    by: str = ""
    via: str = ""
    proof: str = ""
    twins: tuple[int, ...] = ()

    @property
    def withheld(self) -> str:
        """Why the letter is held back, in words; "" when it is not."""
        return self.hold.text if self.hold else ""


def brand_of(mail: Mail, route: str, settings: Settings) -> str:
    """Under which name a mail asks to be answered, by whom it names and how it came; "" for that of [support]."""
    return settings.brand_for(route, (address.key for address in (*mail.to, *mail.cc)), mail.delivered_to)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a judgement is made from; `arrived_at` is the server's time of arrival, never the Date header.

    office: who works the desk; None where nobody is configured.
    """

    mail: Mail
    claims: Claims
    known: Known
    fingerprint: Fingerprint
    settings: Settings
    lexicon: Lexicon
    now: datetime
    arrived_at: datetime
    route: str
    answerable: bool = True  # False for mail from files, whose answers are withheld unless asked for
    restored_at: datetime | None = None  # when the database was put back from a backup, if ever
    block: str = ""  # what blocks the mail, in words; see triage.blocks
    office: Office | None = None

    @property
    def sender(self) -> str:
        """The key of the sender's address; "" without an identity."""
        return self.mail.sender_address.key if self.mail.sender_address else ""

    @property
    def brand(self) -> str:
        return brand_of(self.mail, self.route, self.settings)

    @property
    def delivered_to(self) -> str:
        """Of our addresses the one that the mail was delivered to; "" where it names none: others could be invented."""
        own = self.settings.own_addresses
        return next((address for address in self.mail.delivered_to if address in own), "")
