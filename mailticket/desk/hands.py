"""What every deed at the desk needs: who acts, how a ticket is found, how its history is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailticket.desk.looking import Onlooker
from mailticket.errors import Refused
from mailticket.mail.address import address_key
from mailticket.mail.addresses import is_bare_address
from mailticket.mail.claimed import is_ours
from mailticket.models import Participant, Ticket
from mailticket.settings import Staff
from mailticket.site import Site
from mailticket.store import Session, tickets
from mailticket.triage.staff import Roster

Via = Literal["cli", "mail"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Whence a deed comes. via: cli or mail. Of a mail: its row, the digest of its bytes, what proves its writer, and
    how many seconds an answer waits, in which its writer can stop it."""

    via: Via = "cli"
    proof: str = ""
    incoming_id: int | None = None
    digest: str | None = None
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What a ticket is to be from now on; an empty field stays. team: None stays, "" takes it from all."""

    category: str = ""
    priority: str = ""
    team: str | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """What of a ticket is new, in words; promised_by: the end of its promise, where it became earlier."""

    key: str
    details: tuple[str, ...]
    promised_by: datetime | None


class Hands:
    """Somebody at work. `actor` is the member's word or the account's name, for the history.

    session: of the transaction that the deeds are part of; without one each is a transaction of its own.
    """

    def __init__(
        self, site: Site, actor: str = "staff", *, session: Session | None = None, origin: Origin = Origin()
    ) -> None:
        self.site = site
        self.actor = actor
        self.origin = origin
        self._session = session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """The transaction of a deed."""
        if self._session is not None:
            yield self._session
            self._session.flush()
        else:
            with self.site.database.write() as session:
                yield session

    @property
    def onlooker(self) -> Onlooker:
        return Onlooker(self.site.settings, self.site.database, self.actor, self.site.clock)

    @property
    def roster(self) -> Roster:
        return self.site.roster

    @property
    def member(self) -> Staff | None:
        """The member who acts; None for an account that is no member's."""
        return self.roster.member(self.actor)

    def find(self, session: Session, name: str, *, merged: bool = False, lock: bool = True) -> Ticket:
        """The ticket that a person means, locked unless they only look; see `Onlooker.find`."""
        return self.onlooker.find(session, name, merged=merged, lock=lock)

    def check_address(self, address: str) -> None:
        """Refuse what is not one address, or is our own."""
        if not is_bare_address(address):
            raise Refused(f"{address!r} is not one e-mail address such as ann@example.org")
        if is_ours(address_key(address), self.site.brief.ourselves):
            raise Refused(f"{address} is our own address")

    def let_write(self, session: Session, ticket: Ticket, address: str, now: datetime) -> None:
        """Make an address a participant, unless it is one."""
        key = address_key(address)
        if session.get(Participant, (ticket.id, key)) is None:
            row = Participant(ticket_id=int(ticket.id or 0), key=key, address=address, added_at=now)
            tickets.add_participant(session, row)
            self.event(session, ticket, now, "participant", address)

    def set_status(self, session: Session, ticket: Ticket, status: str, now: datetime) -> None:
        tickets.set_status(ticket, status, now)
        session.add(ticket)

    def event(self, session: Session, ticket: Ticket, now: datetime, kind: str, detail: str = "") -> None:
        tickets.add_event(session, int(ticket.id or 0), now, kind, detail, self.actor)
