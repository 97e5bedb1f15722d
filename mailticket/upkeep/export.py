"""A person's data as one ZIP file that is readable without us: mails as they came, files, JSON, and a page."""

from __future__ import annotations

import html
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mailticket.desk import faces
from mailticket.desk.file_names import safe_name
from mailticket.errors import StoreUnavailable
from mailticket.mail import attachment_bytes
from mailticket.models import Attachment, Message
from mailticket.secrets.people import MARK, Veil
from mailticket.secrets.redaction import redact
from mailticket.settings import Settings
from mailticket.store import Session, person, raws, tickets
from mailticket.store.engine import Database
from mailticket.store.person import Person
from mailticket.upkeep.person import Progress, identified
from mailticket.upkeep.whole_file import whole_file

_README = """{name}: what is held about {addresses}, as of {at:%Y-%m-%d %H:%M} UTC.

index.html      all of it to be read in a browser
person.json     names, addresses, language, and how many of what follows there are
tickets/        a file of JSON for each ticket: its facts, its history, its conversation
messages/       every mail that came from them, as it is kept (.eml: any mail program opens it)
letters/        every mail that was sent to them, while its bytes are kept
attachments/    the files of their mails, by ticket

Secrets (passwords, seed phrases, keys) are masked, as they are everywhere here. What others wrote is not in it. {notes}
"""


# Whose details may name somebody else: staff, participants, and whom a ticket belonged to.
_OF_OTHERS = frozenset(
    ("participant", "requester", "assigned", "held", "copy failed", "desk failed", "merged", "split")
)


@dataclass(slots=True)
class Exported:
    """How much an export holds."""

    tickets: int = 0
    messages: int = 0
    letters: int = 0
    attachments: int = 0
    size: int = 0


def export(
    database: Database, settings: Settings, addresses: list[str], target: Path, now: datetime, progress: Progress, *,
    notes: bool = False,
) -> Exported:  # fmt: skip
    """Write what is held about a person; each ticket is read and written by itself. notes: what staff noted too.

    Refused where the file exists, and for whom `identified` refuses. The file is readable by its owner alone, and is
    there under its name only when it is whole.
    """
    with database.read() as session:
        whose = identified(session, settings, addresses)
    exported = Exported()
    with _written(target) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        book = _Book(archive, whose, exported, notes=notes)
        for done, number in enumerate(whose.tickets):
            progress("exporting", done / max(1, len(whose.tickets)))
            with database.read() as session:
                book.add_ticket(session, number)
        with database.read() as session:
            book.add_unfiled(session)
            book.add_letters(session)
            book.add_person(session, settings, now)
    exported.size = target.stat().st_size
    return exported


@contextmanager
def _written(target: Path) -> Iterator[Path]:
    try:
        with whole_file(target) as partial:
            yield partial
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror}") from error


class _Book:
    """The archive while it is written."""

    def __init__(self, archive: zipfile.ZipFile, whose: Person, exported: Exported, *, notes: bool) -> None:
        self._archive, self._whose, self._exported, self._notes = archive, whose, exported, notes
        self._pages: list[str] = []

    def _json(self, name: str, value: object) -> None:
        self._archive.writestr(name, json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")

    def add_ticket(self, session: Session, number: int) -> None:
        """A ticket with what the person wrote and got; of one that is another's nothing else."""
        ticket, is_own = tickets.by_id(session, number), number in self._whose.own
        mine, _ = person.messages_of(session, self._whose, number)
        shown = [row for row in mine if self._notes or row.direction != "note"]
        shown = [row for row in shown if row.kind != "held"]
        files = tickets.attachments_of(session, [int(row.id or 0) for row in shown])
        conversation = []
        for row in shown:
            face = _message(row, files.get(int(row.id or 0), []))
            face["file"] = self._add_mail(session, row)
            face["attachments"] = self._add_files(session, ticket.key, row, files.get(int(row.id or 0), []))
            conversation.append(face)
        if not (is_own or conversation):
            return  # that others wrote about them is nothing of theirs, nor is the ID
        value: dict[str, Any] = {"id": ticket.key, "conversation": conversation}
        if is_own:
            value |= _facts(session, number)
        self._json(f"tickets/{ticket.key}.json", value)
        self._exported.tickets += 1
        subject = ticket.subject if is_own else "a ticket of somebody else"
        self._pages.append(_page(ticket.key, subject, conversation))

    def _add_mail(self, session: Session, row: Message) -> str | None:
        raw = raws.get(session, row.raw_digest) if row.raw_digest and row.direction == "in" else None
        if raw is None:
            return None
        name = f"messages/{row.id:06d}.eml"
        self._archive.writestr(name, redact(raw).raw)
        self._exported.messages += 1
        return name

    def _add_files(self, session: Session, key: str, row: Message, files: list[Attachment]) -> list[dict[str, Any]]:
        raw = raws.get(session, row.raw_digest) if row.raw_digest and files else None
        entries = []
        for file in files:
            name = None
            if raw is not None:
                number = int(file.id or 0)
                name = f"attachments/{key}/{number}-{safe_name(file.name, file.type, number)}"
                self._archive.writestr(name, attachment_bytes(raw, file.part))
                self._exported.attachments += 1
            entries.append({"name": file.name, "type": file.type, "size": file.size, "sha256": file.sha256,
                            "file": name})  # fmt: skip
        return entries

    def add_unfiled(self, session: Session) -> None:
        """The person's mails that became no part of a ticket."""
        for row in person.without_ticket(session, self._whose):
            raw = raws.get(session, row.raw_digest) if row.raw_digest else None
            if raw is None:
                continue
            name = f"messages/without-a-ticket/{row.id:06d}.eml"
            self._archive.writestr(name, redact(raw).raw)
            self._exported.messages += 1
            title = html.escape(row.subject or "a mail without a subject")
            self._pages.append(f'<h2>Without a ticket: <a href="{name}">{title}</a></h2>')

    def add_letters(self, session: Session) -> None:
        """What was sent to the person."""
        rows = []
        veil = Veil(self._whose.keys)
        for row in person.letters_to(session, self._whose):
            name = f"letters/{row.id:06d}.eml" if row.wire else None
            if name is not None:
                self._archive.writestr(name, row.wire)
                self._exported.letters += 1
            copies = [one for one in row.copies or () if veil(one) == MARK]
            rows.append({"kind": row.kind, "to": row.recipient, "cc": copies, "subject": row.subject,
                         "message_id": row.message_id, "state": row.state, "created_at": faces.moment(row.created_at),
                         "sent_at": faces.moment(row.sent_at), "file": name})  # fmt: skip
        self._json("letters.json", rows)

    def add_person(self, session: Session, settings: Settings, now: datetime) -> None:
        """Who it is, and the pages to begin with."""
        whose, name = self._whose, settings.support.name
        self._json("person.json", {
            "at": faces.moment(now), "by": name, "addresses": list(whose.keys), "names": list(whose.names),
            "languages": person.languages(session, whose),
            "tickets": self._exported.tickets, "messages": self._exported.messages,
            "letters": self._exported.letters, "attachments": self._exported.attachments,
        })  # fmt: skip
        noted = "what staff noted for themselves"
        notes = f"{noted.capitalize()} is in it." if self._notes else f"Nor is {noted}."
        text = _README.format(name=name, addresses=", ".join(whose.keys), at=now, notes=notes)
        self._archive.writestr("README.txt", text)
        head = f"<h1>{html.escape(name)}</h1><pre>{html.escape(text)}</pre>"
        page = '<!doctype html><meta charset="utf-8"><title>Personal data</title>'
        style = "<style>body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto}pre{white-space:pre-wrap}</style>"
        with self._archive.open("index.html", "w") as file:
            for part in (page, style, head, *self._pages):
                file.write(part.encode("utf-8", "replace"))


def _facts(session: Session, number: int) -> dict[str, Any]:
    """What a ticket of the person's says beside its conversation: its promise, its details, its history."""
    row = tickets.by_id(session, number)
    return {
        "subject": row.subject, "status": row.status, "category": row.category, "priority": row.priority,
        "language": row.language, "fields": row.fields or {}, "missing": row.missing or [], "claimed": row.claimed,
        "promise": {"from": faces.moment(row.promised_from), "by": faces.moment(row.promised_by),
                    "first_answer": faces.moment(row.first_response_at)},
        "created_at": faces.moment(row.created_at), "closed_at": faces.moment(row.closed_at),
        "history": [{"at": faces.moment(one.at), "event": one.kind,
                     "detail": "" if one.kind in _OF_OTHERS else one.detail}
                    for one in tickets.events(session, number)],
    }  # fmt: skip


def _message(row: Message, files: list[Attachment]) -> dict[str, Any]:
    face = faces.message(row, files)
    names = ("direction", "kind", "message_id", "from", "from_name", "to", "subject", "text", "at", "mark", "secrets")
    return {name: face[name] for name in names}


def _page(key: str, subject: str, conversation: list[dict[str, Any]]) -> str:
    parts = [f"<h2>{html.escape(key)} {html.escape(subject)}</h2>"]
    for entry in conversation:
        link = f' <a href="{html.escape(entry["file"])}">mail</a>' if entry["file"] else ""
        at = f"{entry['at'][:16].replace('T', ' ')} UTC"
        heading = f"{at}, {entry['kind']} from {entry['from']} to {entry['to']}"
        parts.append(f"<h3>{html.escape(heading)}{link}</h3><pre>{html.escape(entry['text'])}</pre>")
        for file in entry["attachments"]:
            name = html.escape(file["name"])
            place = html.escape(file["file"] or "")
            parts.append(f'<p><a href="{place}">{name}</a></p>' if place else f"<p>{name} (kept no more)</p>")
    return "".join(parts)
