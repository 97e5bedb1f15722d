"""What a desk mail shows of a ticket, gathered from its rows: facts, the conversation with notes, and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from mailticket.letters import File, in_language
from mailticket.letters.desk_text import Entry, EntryKind, FileLine, FileState, TicketView
from mailticket.letters.programs import is_program
from mailticket.mail import attachment_bytes
from mailticket.mail.address import address_key
from mailticket.models import Attachment, Message, Ticket
from mailticket.site import Site
from mailticket.store import Session, desk, raws, tickets

_MOST_BEFORE = 10  # messages beside the newest
_MEGABYTE = 1_000_000
_MOST_FILES = 20  # attached to one mail

Fate = File | Literal["program", "large", "gone"]


def view_of(
    session: Session, site: Site, ticket: Ticket, language: str, *, with_files: bool = False, new_text: str = ""
) -> tuple[TicketView, list[File]]:
    """A ticket as staff should see it, and the files of its newest mail that may be attached.

    with_files: whether any are wanted. new_text: of a note that is shown by itself.
    """
    ticket_id = int(ticket.id or 0)
    conversation = tickets.conversation(session, ticket_id)
    newest = next((m for m in reversed(conversation) if m.direction == "in"), None)
    before = [m for m in conversation if m is not newest and not (m.kind == "note" and m.new_text == new_text)]
    shown = before[-_MOST_BEFORE:]
    attached = tickets.attachments_of(session, [int(m.id or 0) for m in (*shown, *([newest] if newest else []))])
    rows = attached.get(int(newest.id or 0), []) if newest else []
    files = _fates(session, site, newest.raw_digest, rows) if with_files and newest and rows else {}

    def entry(message: Message) -> Entry:
        return _entry(message, attached.get(int(message.id or 0), []), files)

    to, bounces = _answered(session, ticket, newest)
    view = TicketView(
        key=ticket.key,
        subject=ticket.subject,
        requester=to[0] if to else newest.from_name if newest else "",
        address=to[1] if to else newest.from_address if newest else "",
        trust=ticket.trust if ticket.trust in ("verified", "failed") else "unknown",
        priority=ticket.priority,
        status=ticket.status,
        team=ticket.team,
        brand=_brand(site, ticket),
        assigned_to=ticket.assigned_to,
        claimed=ticket.claimed,
        spam=ticket.spam,
        answerable=to is not None,
        promised_by=ticket.promised_by,
        answered_at=ticket.first_response_at,
        waiting_since=ticket.waiting_since,
        **_matter(site, ticket, language),
        marks=_marks(ticket, newest),
        duplicate_of=_key_of(session, ticket.duplicate_of),
        bounces=bounces,
        newest=entry(newest) if newest else None,
        before=tuple(entry(message) for message in shown),
        earlier=len(before) - len(shown),
    )
    return view, [file for file in files.values() if isinstance(file, File)]


def _brand(site: Site, ticket: Ticket) -> str:
    head = site.of_brand(ticket.brand).head
    return f"{head.name} <{head.address}>" if site.brands or ticket.brand else ""


def _matter(site: Site, ticket: Ticket, language: str) -> dict[str, Any]:
    """What a ticket is about, and the details that were found and that are missing, by their names in a language."""
    category = site.categories.get(ticket.category)
    labels = {rule.name: rule.labels for rule in category.fields} if category else {}

    def label(name: str) -> str:
        return in_language(labels.get(name, {}), language) or name.replace("_", " ")

    return {
        "category": (in_language(category.labels, language) or category.name) if category else ticket.category,
        "found": tuple((label(name), ", ".join(values)) for name, values in (ticket.fields or {}).items() if values),
        "missing": tuple(label(name) for name in ticket.missing or ()),
    }


def _marks(ticket: Ticket, newest: Message | None) -> tuple[str, ...]:
    """The warnings of the ticket, but those that stand on the newest mail anyway."""
    return tuple(mark for mark in ticket.marks or () if newest is None or mark not in newest.mark)


def _key_of(session: Session, ticket_id: int | None) -> str:
    return next(iter(desk.keys_of(session, [ticket_id])), "") if ticket_id else ""


def _answered(
    session: Session, ticket: Ticket, newest: Message | None
) -> tuple[tuple[str, str] | None, tuple[str, ...]]:
    """Name and address of whom an answer goes to: who of the requester and the participants wrote last. With the
    address again, if mail to it bounces."""
    if ticket.requester_id is None:
        return None, ()
    owned = {address.key: address for address in tickets.addresses_of(session, ticket.requester_id)}
    key = address_key(newest.from_address) if newest is not None else ""
    if newest is not None and key in owned:
        bounces = (owned[key].address,) if owned[key].undeliverable_since else ()
        return (newest.from_name or tickets.name_of(session, ticket.requester_id), owned[key].address), bounces
    guests = {guest.key: guest for guest in tickets.participants(session, int(ticket.id or 0))}
    mail = desk.newest_mail_of(session, int(ticket.id or 0), [*owned, *guests])
    key = address_key(mail.from_address) if mail is not None else next(iter(owned), "")
    person = owned.get(key) or guests.get(key)
    if person is None:
        return None, ()
    name = mail.from_name if mail is not None else ""
    name = name or (tickets.name_of(session, ticket.requester_id) if key in owned else "")
    return (name, person.address), (person.address,) if person.undeliverable_why else ()


_KINDS: Mapping[str, EntryKind] = {"in": "in", "note": "note"}


def _entry(message: Message, rows: Sequence[Attachment], files: Mapping[int, Fate]) -> Entry:
    kind: EntryKind = _KINDS.get(message.direction, "letter")
    if message.kind == "staff-reply":
        kind = "answer"
    elif message.kind == "held":
        kind = "held"
    who = message.by or message.from_name if kind != "in" else message.from_name
    return Entry(
        kind=kind,
        who=who or message.from_address or message.from_raw,
        at=message.at,
        text=message.new_text,
        what=message.kind,
        hidden=_hidden(message) if kind == "in" else 0,
        secrets=tuple(message.secrets or ()) if kind == "in" else (),
        mark=message.mark,
        files=tuple(_line(row, files.get(int(row.id or 0))) for row in rows),
    )


def _hidden(message: Message) -> int:
    """How many lines of a mail its new text leaves out."""
    whole, new = (sum(bool(line.strip()) for line in text.splitlines()) for text in (message.text, message.new_text))
    return max(0, whole - new)


def _line(row: Attachment, fate: Fate | None) -> FileLine:
    state: FileState = "named" if fate is None else "attached" if isinstance(fate, File) else fate
    return FileLine(int(row.id or 0), row.name, row.size, state)


def _fates(session: Session, site: Site, digest: str | None, rows: Sequence[Attachment]) -> dict[int, Fate]:
    """The files of a mail, by number: those that may be attached, and why others may not."""
    room = int(site.settings.desk.attach_mb * _MEGABYTE)
    wanted = any(row.size <= room and not is_program(File(row.name, row.type, b"")) for row in rows)
    raw = raws.get(session, digest) if wanted and digest else None
    fates: dict[int, Fate] = {}
    for row in rows:
        fate = _fate(row, raw, room, sum(isinstance(one, File) for one in fates.values()))
        room -= len(fate.content) if isinstance(fate, File) else 0
        fates[int(row.id or 0)] = fate
    return fates


def _fate(row: Attachment, raw: bytes | None, room: int, many: int) -> Fate:
    if is_program(File(row.name, row.type, b"")):
        return "program"
    if row.size > room or many >= _MOST_FILES:
        return "large"
    if raw is None:
        return "gone"
    file = File(row.name, row.type, attachment_bytes(raw, row.part))
    if is_program(file):
        return "program"
    return file if len(file.content) <= room else "large"
