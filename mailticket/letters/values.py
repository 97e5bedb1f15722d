"""What a letter must say, on whose paper, and what comes out: frozen values that compute nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

from mailticket.letters.notice import Block
from mailticket.settings import TINT, LettersText

LetterKind = Literal[
    "acknowledgement",
    "duplicate-notice",
    "reply-received",
    "late-notice",
    "sooner",
    "status-answer",
    "solved",
    "split-done",
    "staff-reply",
]
KINDS: tuple[LetterKind, ...] = get_args(LetterKind)
# RFC 3834 section 5: auto-replied answers one mail, auto-generated answers none. What a person wrote has neither.
AUTO_SUBMITTED: Mapping[LetterKind, Literal["auto-replied", "auto-generated"]] = {
    "acknowledgement": "auto-replied",
    "duplicate-notice": "auto-replied",
    "reply-received": "auto-replied",
    "status-answer": "auto-replied",
    "split-done": "auto-replied",
    "late-notice": "auto-generated",
    "sooner": "auto-generated",
    "solved": "auto-generated",
}
# The letters that notices stand in: what answers a request or a question at once, never what staff write.
NOTICED: tuple[LetterKind, ...] = ("acknowledgement", "duplicate-notice", "status-answer")
State = Literal["new", "open", "pending", "solved", "closed"]
StepKind = Literal[
    "received",
    "acknowledged",
    "reply-received",
    "taken",
    "answered",
    "late-notice",
    "sooner",
    "split",
    "solved",
    "reopened",
    "closed",
]

# Begins the first line of each letter, in every language; that line and all below it is ours. The middle dot exists in
# the charsets that mail programs of Europe and China reply in (ISO 8859-1, GBK, Big5), so the marker survives a reply.
REPLY_MARKER = "· · · · · · · ·"


NO_WORDING = LettersText.model_construct()


@dataclass(frozen=True, slots=True)
class Letterhead:
    """On whose paper letters are written.

    name, address: the support's, for From. loop_mark: value of X-Loop. reply_marker: see REPLY_MARKER.
    language: for requesters whose language is unknown or not offered. zone: in which times are written.
    wording: what letters say that depends on the trade; where it says nothing, the words of the templates hold.
    signature: lines at the foot of each letter. colour, dark_colour: of the head, links and
    panels, and of these on dark ground ("": made of the other); see letters/colours.py.
    """

    name: str
    address: str
    loop_mark: str
    zone: ZoneInfo
    language: str = "en"
    reply_marker: str = REPLY_MARKER
    wording: LettersText = NO_WORDING
    signature: str = ""
    colour: str = TINT
    dark_colour: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A detail found in the request: its label in the letter's language, and its value as the requester wrote it.

    Administrators' templates know these as `letter.found`; the name is public.
    """

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class ArticleLink:
    """A help article: title in the letter's language, its address (http or https), and how it begins, as plain text."""

    title: str
    address: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a ticket and that its requester may know; `at` is aware."""

    at: datetime
    kind: StepKind


@dataclass(frozen=True, slots=True)
class Quoted:
    """An earlier mail quoted below a staff reply: who wrote it, when (aware), and its text."""

    author: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class File:
    """A file that an answer carries: its name, its media type, its bytes."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What one letter must say. Only kind, ticket_id, to, message_id and date are always needed.

    to: bare address of the requester. message_id: ours, with angle brackets. date: now, aware.
    verified: whether the requester's address is ; if not, subject, name, found and history
    are left out whatever they hold, because they are text that the sender chose.
    language: as the reader of mail says it; "" or one without templates takes the letterhead's.
    promised_from, promised_by: the window of the promise, aware. earlier_by: the end that was promised before.
    longer: why it takes longer than usual ("" it does not): "load", "hours", or any other word for no stated reason.
    position: place in the queue from 1. category, missing: labels in the letter's language. categories: those of the
    other categories, with which a requester may correct it.
    first_ticket_id, similarity (0 to 1): what a duplicate notice is about. former_ticket_id: a closed ticket before it.
    secrets: kinds of secrets that the mail exposed, as triage names them ("seed phrase", "password", ...).
    check_word: the ticket's own word. staff_name, staff_text, history: for a staff reply.
    notices: what requesters should know now, each as its blocks, for kinds in NOTICED.
    state, steps: for a status answer, oldest step first.
    in_reply_to: the Message-ID that is answered. references: that mail's own References, or where it has none its
    In-Reply-To if that names exactly one (RFC 5322 section 3.6.4).
    reply_to: a signed reply address, where the site uses them. zone: the requester's, where it is
    known; UTC then stands behind it.
    copies: bare addresses for Cc. files: what is attached.
    """

    kind: LetterKind
    ticket_id: str
    to: str
    message_id: str
    date: datetime
    language: str = ""
    verified: bool = False
    subject: str = ""
    name: str = ""
    promised_from: datetime | None = None
    promised_by: datetime | None = None
    earlier_by: datetime | None = None
    zone: tzinfo | None = None
    longer: str = ""
    position: int | None = None
    category: str = ""
    categories: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    missing: tuple[str, ...] = ()
    articles: tuple[ArticleLink, ...] = ()
    first_ticket_id: str = ""
    similarity: float | None = None
    former_ticket_id: str = ""
    secrets: tuple[str, ...] = ()
    check_word: str = ""
    staff_name: str = ""
    staff_text: str = ""
    history: Quoted | None = None
    notices: tuple[tuple[Block, ...], ...] = ()
    state: State = "new"
    steps: tuple[Step, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    reply_to: str = ""
    copies: tuple[str, ...] = ()
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Composed:
    """A finished letter. message: wire bytes with CRLF. warnings: what an administrator's template did wrong."""

    kind: LetterKind
    language: str
    to: str
    message_id: str
    subject: str
    message: bytes
    text: str
    html: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """The template files of one folder: `origin` names the folder in messages, `files` is name to text."""

    origin: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a template. `gap` marks what is only missing, and replaced by another language's."""

    file: str
    line: int
    message: str
    gap: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


_Text = TypeVar("_Text")


def in_language(texts: Mapping[str, _Text], language: str) -> _Text | None:
    """What is said in this language, else in the language without its script, else in English, else None."""
    return next((texts[one] for one in (language, language.partition("-")[0], "en") if one in texts), None)
