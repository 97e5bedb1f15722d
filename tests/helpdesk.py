"""A help desk in one process: real intake, a real database, a clock that tests turn; only the network is left out."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import psycopg.errors
from sqlalchemy import event, select
from sqlmodel import Session, col

from mailticket.desk.tickets import Desk
from mailticket.intake.take_in import Arrival, Intake, Result
from mailticket.models import Address, Event, Incoming, Message, Outgoing, Participant, Ticket
from mailticket.settings import Settings
from mailticket.site import Site, open_site
from mailticket.store import incoming, outgoing, tickets
from mailticket.store.engine import Database

SUPPORT = "support@coinharbor.com"
BORDER = "mx.coinharbor.com"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CHUNK = 50

_numbers = itertools.count(1)


def mail(
    sender: str = "Ann Lee <ann@mail.example>",
    subject: str = "Deposit has not arrived",
    text: str = "Hello, my deposit of 250 USDT has not arrived since this morning. Please help. Ann",
    *,
    result: str | None = "dmarc=pass",
    answers: bytes | str = "",
    **more: str | Sequence[str],
) -> bytes:
    """A mail as the border delivers it; more headers by keyword (Reply_To="..."), several of a name as a list.

    result: what the border's Authentication-Results say of the sender, None for no such header.
    answers: the raw letter, or the Message-ID, that it replies to.
    """
    letter = EmailMessage(policy=policy.SMTP.clone(max_line_length=998))
    letter["To"] = str(more.pop("To", SUPPORT))
    letter["Subject"] = subject
    letter["Date"] = str(more.pop("Date", "Mon, 23 Nov 2026 08:59:00 +0000"))
    letter["Message-ID"] = str(more.pop("Message_ID", f"<mail-{next(_numbers)}@mail.example>"))
    parent = message_id(answers) if isinstance(answers, bytes) else answers
    if parent:
        letter["In-Reply-To"] = letter["References"] = parent
    letter.set_content(text)
    top = [f"Return-Path: <{more.pop('Return_Path', _bare(sender))}>"]
    if result is not None:
        top.append(f"Authentication-Results: {BORDER}; {result} header.from={_bare(sender).rpartition('@')[2]}")
    for name, value in more.items():
        top += [f"{name.replace('_', '-')}: {one}" for one in ([value] if isinstance(value, str) else value)]
    top.append(f"From: {sender}")
    return "".join(f"{line}\r\n" for line in top).encode() + letter.as_bytes()


def _bare(sender: str) -> str:
    return sender.rpartition("<")[2].rstrip(">")


def parsed(wire: bytes) -> EmailMessage:
    found = message_from_bytes(wire, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def message_id(wire: bytes) -> str:
    return str(parsed(wire)["Message-ID"])


def words(wire: bytes) -> str:
    """Everything that a letter says once it is decoded: headers and both bodies."""
    letter = parsed(wire)
    bodies = [part.get_content() for part in letter.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in letter.items()), *bodies])


@dataclass(frozen=True)
class Stored:
    """A ticket with everything that hangs on it."""

    row: Ticket
    requester: tuple[str, ...]
    messages: tuple[Message, ...]
    events: tuple[Event, ...]
    participants: tuple[str, ...]

    @property
    def kinds(self) -> list[str]:
        return [message.kind for message in self.messages]

    @property
    def marks(self) -> list[str]:
        """All that staff are warned of on this ticket."""
        return [*(self.row.marks or ()), *(m.mark for m in self.messages if m.mark)]

    def happened(self, kind: str) -> list[str]:
        return [one.detail for one in self.events if one.kind == kind]


def _hurry(connection: Any, _record: object) -> None:
    """What a test wrote need not outlive a power cut."""
    connection.execute("PRAGMA synchronous=OFF")


class HelpDesk:
    """One installation. `now` is its clock; `tables` change its configuration; `url` is its database's."""

    def __init__(self, url: str, **tables: Mapping[str, Any]) -> None:
        self.now = START
        self.url = url
        self.database = Database(url)
        if self.database.is_sqlite:
            event.listen(self.database.engine, "connect", _hurry)
        try:
            self.site = self._open(tables)
        except BaseException:
            self.database.close()
            raise
        self.desk = Desk(self.site)
        self._intake = Intake(self.site)

    def _open(self, tables: Mapping[str, Mapping[str, Any]]) -> Site:
        given: dict[str, Any] = {
            "support": {"name": "Coin Harbor Support", "address": SUPPORT},
            "smtp": {"host": "127.0.0.1", "port": 25, "security": "none"},
            "trust": {"authserv_id": BORDER},
        }
        for name, table in tables.items():
            given[name] = {**given.get(name, {}), **table} if isinstance(table, Mapping) else table
        return open_site(Settings.model_validate(given), self.database, lambda: self.now)

    def full_disk(self) -> Exception:
        """What this kind of database raises when its disk is full."""
        if self.database.is_sqlite:
            return sqlite3.OperationalError("database or disk is full")
        return psycopg.errors.DiskFull("could not extend file: No space left on device")

    def reopen(self, **tables: Mapping[str, Any]) -> None:
        """Replace the configuration, as after a restart."""
        self.site = self._open(tables)
        self.desk = Desk(self.site)
        self._intake = Intake(self.site)

    def close(self) -> None:
        self.database.close()

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def receive(self, raw: bytes, route: str = "support", at: datetime | None = None) -> Result:
        """Take one mail in, as if the mailbox had just brought it."""
        return self.receive_all([raw], route, at)[0]

    def receive_all(self, raws: Iterable[bytes], route: str = "support", at: datetime | None = None) -> list[Result]:
        """Take mails in by chunks, as a backlog is."""
        results: list[Result] = []
        waiting = list(raws)
        for start in range(0, len(waiting), CHUNK):
            chunk = waiting[start : start + CHUNK]
            with self.database.write() as session:
                rows = [incoming.record_file(session, at or self.now, len(raw), self.now, route) for raw in chunk]
            arrivals = [
                Arrival(row, raw, at or self.now, route, afterwards=False) for row, raw in zip(rows, chunk, strict=True)
            ]
            results += self._intake.take_in(arrivals)
        return results

    def stored(self, merged: bool = True) -> list[Stored]:
        """All tickets, oldest first."""
        with self.database.read() as session:
            rows = list(session.execute(select(Ticket).order_by(col(Ticket.id))).scalars())
            return [_stored(session, row) for row in rows if merged or row.merged_into is None]

    def ticket(self, key: str | None) -> Stored:
        return next(stored for stored in self.stored() if stored.row.key == key)

    def outbox(self, *states: str) -> list[Outgoing]:
        with self.database.read() as session:
            rows = list(session.execute(select(Outgoing).order_by(col(Outgoing.id))).scalars())
        return [row for row in rows if not states or row.state in states]

    def letters(self) -> list[bytes]:
        """The bytes of all mails that would leave now."""
        return [row.wire for row in self.outbox("queued")]

    def deliver(self) -> list[bytes]:
        """Let all mails leave that are due, as the outbox does; returns their bytes."""
        sent = self.outbox("queued")
        with self.database.write() as session:
            for row in sent:
                outgoing.set_outcome(session, int(row.id or 0), state="sent", sent_at=self.now)
        return [row.wire for row in sent]

    def record(self, result: Result) -> Incoming:
        """What is recorded of a mail."""
        with self.database.read() as session:
            return incoming.by_id(session, result.incoming_id)

    def evidence(self, result: Result) -> dict[str, str]:
        return dict(self.record(result).evidence or ())


def _stored(session: Session, row: Ticket) -> Stored:
    def of(table: Any, column: Any, value: object) -> tuple[Any, ...]:
        return tuple(session.execute(select(table).where(col(column) == value)).scalars())

    people = of(Address, Address.requester_id, row.requester_id) if row.requester_id else ()
    return Stored(
        row=row,
        requester=tuple(address.key for address in people),
        messages=tuple(tickets.conversation(session, int(row.id or 0))),
        events=of(Event, Event.ticket_id, row.id),
        participants=tuple(guest.key for guest in of(Participant, Participant.ticket_id, row.id)),
    )


OpenDesk = Callable[..., HelpDesk]
