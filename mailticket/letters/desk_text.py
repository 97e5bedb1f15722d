"""What a desk mail says: from plain values to a page of text that reads in 80 columns and on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from mailticket.letters.desk_words import HELP, words_for
from mailticket.letters.values import Letterhead, Quoted
from mailticket.mail.desk_marker import OPENINGS, marker_line
from mailticket.text.clean import many_lines, one_line, sized

_LONGEST_TEXT = 50_000  # characters of what is new
_LONGEST_BEFORE = 20_000  # of all that was before
_LONGEST_LINE = 300
_LONGEST_NAME = 60
_LONGEST_LISTED = 44  # characters of a subject in a list
_MOST_BEFORE = 10  # messages
_MOST_LISTED = 50  # tickets of a list
_INDENT = "  "

Goes = Literal["answer", "note", "order"]
FileState = Literal["attached", "program", "large", "gone", "named"]
EntryKind = Literal["in", "answer", "letter", "note", "held"]


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file of a message: its number for `ticket attachment`, and whether it is attached, or why not."""

    number: int
    name: str
    size: int
    state: FileState = "named"


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of the conversation. hidden: lines of it that the text leaves out. what: the letter's kind."""

    kind: EntryKind
    who: str
    at: datetime
    text: str
    what: str = ""
    hidden: int = 0
    secrets: tuple[str, ...] = ()
    mark: str = ""
    files: tuple[FileLine, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketView:
    """What staff should know of a ticket. newest: the message that is new to them; before: those before it, oldest
    first. warnings: sentences. brand: the name and address that an answer bears, "" where there is but one.
    promised_by, waiting_since: aware or None. labels are in the reader's language.
    """

    key: str
    subject: str
    requester: str
    address: str
    trust: str
    priority: str
    status: str
    category: str = ""
    team: str = ""
    brand: str = ""
    assigned_to: str = ""
    claimed: bool = False
    spam: bool = False
    answerable: bool = True
    promised_by: datetime | None = None
    answered_at: datetime | None = None
    waiting_since: datetime | None = None
    found: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    duplicate_of: str = ""
    bounces: tuple[str, ...] = ()
    newest: Entry | None = None
    before: tuple[Entry, ...] = ()
    earlier: int = 0  # messages that are not among `before`


@dataclass(frozen=True, slots=True)
class Listed:
    """A ticket in a list. event: what is new, "" for nothing in particular. held: the reasons and writer of a held
    answer."""

    key: str
    subject: str
    requester: str
    priority: str
    event: str = ""
    promised_by: datetime | None = None
    waiting_since: datetime | None = None
    held: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a mail under its own heading."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a mail of a member.

    code: which receipt it is. reasons: codes, each with its sentence. text: the member's own, quoted. news: what the
    requester wrote meanwhile. other: what colleagues answered. passages: the answers to questions.
    hint: what its reader can do about it: stop (an answer that waits `number` seconds), send, send-note, deny, or grave
    (only `ticket send number --anyway` helps).
    """

    code: str
    reasons: tuple[tuple[str, str], ...] = ()
    text: str = ""
    news: tuple[Quoted, ...] = ()
    other: tuple[Quoted, ...] = ()
    passages: tuple[Passage, ...] = ()
    hint: str = ""
    number: int | None = None


class Pen:
    """Writes for the readers of one site, in their language and zone, at one moment."""

    def __init__(self, head: Letterhead, now: datetime) -> None:
        self.language, self._words = words_for(head.language)
        self._support = one_line(head.name, _LONGEST_NAME) or head.address
        self._zone: ZoneInfo = head.zone
        self._now = now

    @property
    def is_chinese(self) -> bool:
        return self.language != "en"

    def say(self, word: str, **values: object) -> str:
        """A phrase in the reader's language; a word that has none stands for itself."""
        return self._words.get(word, word).format_map(values) if word in self._words else word

    def knows(self, word: str) -> bool:
        return word in self._words

    def opening(self, goes: Goes, symbols: str, who: str = "", *, held: bool = False, asked: bool = False) -> str:
        """The first line, which says where an answer goes, and the line above which it is written."""
        begin = OPENINGS[goes].get(self.language, OPENINGS[goes]["en"])
        if goes == "answer":
            end = self.say("to-person", who=who, support=self._support)
            end = end if end.startswith(" ") else f" {end}"
        elif goes == "note":
            end = self.say("a-note")
        else:
            end = self.say("send-held" if held else "carry-out" if asked else "to-nobody")
        return f"{begin}{end}\n{marker_line(symbols, self.language)}\n"

    def when(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M %Z}"

    def age(self, span: timedelta) -> str:
        minutes = max(0, int(span.total_seconds() // 60))
        if minutes < 120:
            return self.say("minutes", n=minutes)
        return self.say("hours", n=minutes // 60) if minutes < 48 * 60 else self.say("days", n=minutes // 1440)

    def until(self, at: datetime) -> str:
        """How far off a moment is, ahead or behind."""
        return self.say("in" if at >= self._now else "over", age=self.age(abs(at - self._now)))

    def heading(self, event: str, view: TicketView | None, actor: str) -> str:
        """What happened, in a line."""
        who = self._person(view) if view else ""
        waits = self._now - view.waiting_since if view and view.waiting_since else timedelta()
        when = self.until(view.promised_by) if view and view.promised_by else ""
        line = self.say(event, who=who, actor=actor, when=when, age=self.age(waits))
        return (f"{line}, {self.say(f'priority-{view.priority}')}" if view and event == "new" else line) + self.say(
            "stop"
        )

    def ticket(self, view: TicketView, text: str = "") -> str:
        """All that there is to know of a ticket. text: of a note or the like, which is what is new."""
        parts = ["\n".join(self._facts(view))]
        if text:
            parts.append(_indented(text, _LONGEST_TEXT))
        if view.newest is not None:
            parts.append(self._entry(view.newest, view.key, _LONGEST_TEXT))
        before = self._before(view)
        if before:
            parts.append(self._title(self.say("before")) + "\n\n" + before)
        return "\n\n".join(parts) + "\n"

    def _facts(self, view: TicketView) -> Iterable[str]:
        promise = ""
        if view.answered_at is not None:
            promise = self.say("answered", when=self.when(view.answered_at))
        elif view.promised_by is not None:
            promise = self.say("by", when=self.when(view.promised_by), age=self.until(view.promised_by))
        waits = ""
        if view.waiting_since is not None and view.answered_at is not None:
            age = self.say("ago", age=self.age(self._now - view.waiting_since))
            waits = self.say("since", when=self.when(view.waiting_since), age=age)
        team = f" ({self.say('team', team=view.team)})" if view.team else ""
        facts = [
            ("from", f"{self._person(view, whole=True)} ({self.say(f'trust-{view.trust}')})" if view.address else ""),
            ("kind", ", ".join(part for part in (view.category, *self._state(view)) if part)),
            ("promised", promise),
            ("waits", waits),
            ("assignee", f"{view.assigned_to or self.say('nobody')}{team}"),
            ("answered-as", view.brand),
            ("missing", ", ".join(view.missing)),
        ]
        yield from (f"{self.say(label)}: {one_line(value, _LONGEST_LINE)}" for label, value in facts if value)
        yield from (f"* {label}: {one_line(value, _LONGEST_LINE)}" for label, value in view.found)
        yield from (f"! {one_line(warning, _LONGEST_LINE)}" for warning in self._warnings(view))

    def _state(self, view: TicketView) -> tuple[str, str]:
        return self.say(f"priority-{view.priority}"), self.say(f"status-{view.status}")

    def _warnings(self, view: TicketView) -> Iterable[str]:
        yield from view.marks
        if view.claimed:
            yield self.say("claimed")
        if view.spam:
            yield self.say("spam")
        if view.newest is not None and view.newest.secrets:
            yield self.say("secrets", kinds=", ".join(view.newest.secrets))
        if view.duplicate_of:
            yield self.say("duplicate", key=view.duplicate_of)
        yield from (self.say("bounces", address=address) for address in view.bounces)
        if not view.answerable:
            yield self.say("nobody-to-answer")

    def _person(self, view: TicketView, *, whole: bool = False) -> str:
        name = one_line(view.requester, _LONGEST_NAME)
        if not whole:
            return name or view.address or self.say("nobody")
        return f"{name} <{view.address}>" if name else view.address

    def _before(self, view: TicketView) -> str:
        shown: list[str] = []
        room = _LONGEST_BEFORE
        for entry in reversed(view.before[-_MOST_BEFORE:]):
            if room <= 0:
                break
            shown.append(self._entry(entry, view.key, room))
            room -= len(shown[-1])
        rest = view.earlier + len(view.before) - len(shown)
        if not rest and all(entry.kind == "letter" for entry in view.before):
            return ""  # that there was an acknowledgement goes without saying
        if rest:
            shown.append(self.say("left-out", number=rest, key=view.key))
        return "\n\n".join(shown)

    def _entry(self, entry: Entry, key: str, room: int) -> str:
        who = one_line(entry.who, _LONGEST_NAME) or self.say("nobody")
        title = self._title(f"{self.say(f'entry-{entry.kind}', who=who, kind=entry.what)}, {self.when(entry.at)}")
        lines = [title]
        lines += [f"! {one_line(entry.mark, _LONGEST_LINE)}"] if entry.mark else []
        if entry.kind != "letter":
            lines.append(_indented(entry.text[:room], room))
            if len(entry.text) > room:
                lines.append(self.say("cut-short", key=key))
        if entry.hidden:
            lines.append(self.say("hidden", number=entry.hidden, key=key))
        lines += [self._file(file) for file in entry.files]
        absent = [file.number for file in entry.files if file.state not in ("attached", "gone")]
        lines += [self.say("fetch", number=absent[0])] if absent else []
        return "\n".join(lines)

    def _file(self, file: FileLine) -> str:
        name = one_line(file.name, _LONGEST_NAME) or "file"
        state = "" if file.state == "named" else f", {self.say(file.state)}"
        return f"* {file.number}: {name}, {sized(file.size)}{state}"

    def _title(self, words: str) -> str:
        return f"== {words} =="

    def listed(self, rows: Sequence[Listed]) -> str:
        """Tickets, each in two short lines: they read on a phone as on a wide screen."""
        if not rows:
            return f"{_INDENT}{self.say('none')}"
        lines = [line for row in rows[:_MOST_LISTED] for line in self._listed(row)]
        rest = len(rows) - _MOST_LISTED
        return "\n".join([*lines, *([f"{_INDENT}{self.say('more', number=rest)}"] if rest > 0 else [])])

    def _listed(self, row: Listed) -> Iterable[str]:
        subject = one_line(row.subject, _LONGEST_LISTED) or self.say("no-subject")
        yield f"{row.key}  {subject}"
        times = []
        if row.promised_by is not None:
            times.append(self.say("listed-due", until=self.until(row.promised_by)))
        elif row.waiting_since is not None:
            span = self.say("ago", age=self.age(self._now - row.waiting_since))
            times.append(self.say("listed-waits", span=span))
        event = self.say(f"listed-{row.event}") if self.knows(f"listed-{row.event}") else ""
        held = self.say("held-by", why=row.held[0], who=row.held[1]) if row.held else ""
        requester = one_line(row.requester, _LONGEST_NAME)
        yield _INDENT + " · ".join(
            part for part in (event, self.say(f"priority-{row.priority}"), *times, held, requester) if part
        )

    def sections(self, parts: Sequence[Passage]) -> str:
        """Parts under their headings."""
        return "\n\n".join(f"{self._title(part.title)}\n\n{part.text.rstrip()}" for part in parts) + "\n"

    def receipt(self, receipt: Receipt) -> str:
        """What became of a member's mail, and why."""
        code = f"receipt-{receipt.code}"
        parts = [self.say(code if self.knows(code) else "receipt") + self.say("stop")]
        if receipt.hint:
            parts.append(self.say(f"hint-{receipt.hint}", number=receipt.number))
        if receipt.reasons:
            parts.append("\n".join(f"* {self._reason(*reason)}" for reason in receipt.reasons))
        for title, quotes in (("news", receipt.news), ("other", receipt.other)):
            parts += [
                f"{self._title(f'{self.say(title)}: {one_line(one.author, _LONGEST_NAME)}, {self.when(one.at)}')}\n"
                + _indented(one.text, _LONGEST_BEFORE)
                for one in quotes
            ]
        if receipt.text:
            parts.append(f"{self._title(self.say('your-text'))}\n{_indented(receipt.text, _LONGEST_TEXT)}")
        if receipt.passages:
            parts.append(self.sections(receipt.passages).rstrip())
        return "\n\n".join(parts) + "\n"

    def _reason(self, code: str, sentence: str) -> str:
        """Why something was not done; where the sentence is in another language, what it is about stands before it."""
        about = f"reason-{code}"
        return one_line(f"{self.say(about)}{sentence}" if self.knows(about) else sentence, _LONGEST_LINE)

    def help(self, commands: Iterable[tuple[str, str, str, bool]]) -> str:
        """What the commands do. commands: each with its English and its local word, what follows it, and whether it
        only asks."""
        texts = HELP[self.language]
        rows = [
            (f"#{local or word}{f' (#{word})' if local else ''}{f' {value}' if value else ''}", texts[word], query)
            for word, local, value, query in commands
        ]
        orders, queries = ("\n".join(f"{name}\n    {text}" for name, text, asks in rows if asks is kind)
                           for kind in (False, True))  # fmt: skip
        return f"{texts['top']}\n\n{orders}\n\n{texts['queries']}\n\n{queries}\n"


def _indented(text: str, limit: int) -> str:
    """Somebody's words, set in from what mailticket says, so that they cannot be taken for it."""
    return "\n".join(f"{_INDENT}{line}" if line else "" for line in many_lines(text, limit).split("\n"))
