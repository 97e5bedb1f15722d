"""The values of a judgement: the case as it lies before us, and the decision that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailticket.mail.values import Mail
from mailticket.settings import Settings
from mailticket.triage.commands import Command
from mailticket.triage.duplicates import Fingerprint, Match
from mailticket.triage.known import Claims, Known

Action = Literal["open", "append", "file", "known"]
AnswerKind = Literal[
    "", "acknowledgement", "duplicate-notice", "reply-received", "status-answer", "solved", "split-done"
]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a mail means.

    rule and reason: the rule that decided, and its words for people. evidence: (what was looked at, what it said).
    ticket: written ID of the ticket it goes to; None when it opens one, or is filed without one.
    kind: kind of the conversation's row. mark: a warning that staff see on that row.
    letter: the automatic answer that is owed ("" none); withheld: why it is held back all the same ("" it is not).
    """

    action: Action
    rule: str
    reason: str
    evidence: tuple[tuple[str, str], ...] = ()
    ticket: str | None = None
    kind: str = "request"
    mark: str = ""
    marks: tuple[str, ...] = ()
    reopens: bool = False
    changes_state: bool = True
    linked_to: str | None = None
    duplicate: Match | None = None
    copy_of: int | None = None
    failed_outgoing: int | None = None
    failed_why: str = ""
    command: Command | None = None
    letter: AnswerKind = ""
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a judgement is made from; `arrived_at` is the server's time of arrival, never the Date header."""

    mail: Mail
    claims: Claims
    known: Known
    fingerprint: Fingerprint
    settings: Settings
    now: datetime
    arrived_at: datetime
    route: str
    answerable: bool = True  # False for mail from files, whose answers are withheld unless asked for

    @property
    def sender(self) -> str:
        """The key of the sender's address; "" without an identity."""
        return self.mail.sender_address.key if self.mail.sender_address else ""
