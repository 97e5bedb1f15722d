"""What staff hear of by the clock: promises that slip, requesters who wait again, held answers, gatherings, digests.

What was told is remembered in the transaction that writes the mail, so that a restart tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Literal

from mailticket.letters.desk_text import Passage, Pen
from mailticket.models import Message, Ticket
from mailticket.outbox import desk_mail
from mailticket.outbox.desk_digest import digest
from mailticket.settings import Staff
from mailticket.site import Site
from mailticket.store import Session, tickets
from mailticket.store import desk_mail as store
from mailticket.store.rows import take_turns

_MOST = 1_000  # tickets of a turn
_GATHERED_FOR = timedelta(minutes=15)
_HELD_FOR = timedelta(hours=1)
_MADE_UP = timedelta(hours=4)  # a digest that is later than this is not made up for
_LEAD_TOLD = "lead_told_at"  # in what is kept of a held answer

WaitEvent = Literal["slipping", "late", "follow-up"]

# For each member the tickets of which they are to hear, each with what there is to hear.
Due = dict[str, list[tuple[Ticket, str]]]


class DeskRounds:
    """The chores of desk mail. Each says how many mails it wrote; `wake` is called when it wrote any."""

    def __init__(self, site: Site, wake: Callable[[], None]) -> None:
        self._site, self._wake = site, wake

    def chores(self) -> Mapping[str, Callable[[datetime], int]]:
        """What is to be done each turn."""
        chores = {"waiting tickets": self._due, "held answers": self._held, "news": self._gather,
                  "digests": self._digests}  # fmt: skip
        return {f"desk mail: {name}": self._once(chore) for name, chore in chores.items()}

    def _once(self, chore: Callable[[datetime], int]) -> Callable[[datetime], int]:
        """A chore that does all it may do in one turn."""

        def turn(now: datetime) -> int:
            if chore(now):
                self._wake()
            return 0

        return turn

    def _due(self, now: datetime) -> int:
        """Promises that slip, and requesters who wait again: whoever has several hears of them in one mail."""
        promise, desk = self._site.settings.promise, self._site.settings.desk
        due: Due = {}
        with self._site.database.write() as session:
            take_turns(session, "desk mail")
            soon = now + timedelta(hours=promise.warn_staff_hours)
            for ticket in store.slips(session, soon, "slip_told_at", _MOST):
                ticket.slip_told_at = now
                self._note(session, due, ticket, "slipping")
            at_once = now + timedelta(hours=promise.late_notice_hours)
            for ticket in store.slips(session, at_once, "lead_told_at", _MOST):
                ticket.lead_told_at = now
                self._note(session, due, ticket, "late")
            for ticket in store.follow_ups(session, now - timedelta(hours=desk.followup_hours), _MOST):
                ticket.followup_told_at = now
                self._note(session, due, ticket, "follow-up")
            return sum(self._tell(session, name, items, now) for name, items in due.items())

    def _note(self, session: Session, due: Due, ticket: Ticket, event: WaitEvent) -> None:
        session.add(ticket)
        for name in desk_mail.concerned(self._site, ticket, event):
            for member in desk_mail.reached(session, self._site, ticket, name):
                items = due.setdefault(member.name, [])
                if ticket not in (one for one, _ in items):
                    items.append((ticket, event))

    def _tell(self, session: Session, name: str, items: list[tuple[Ticket, str]], now: datetime) -> int:
        if len(items) == 1:
            ticket, event = items[0]
            return len(desk_mail.tell(session, self._site, ticket, event, now, to=(name,)))
        return self._list(session, name, "due", items, now)

    def _list(self, session: Session, name: str, event: str, items: list[tuple[Ticket, str]], now: datetime) -> int:
        """One mail that names several tickets."""
        member = self._site.roster.member(name)
        if member is None or not items:
            return 0
        pen = Pen(self._site.head, now)
        listed = pen.listed([desk_mail.listed_of(session, ticket, what) for ticket, what in items])
        passage = Passage(pen.say(f"subject-{event}"), listed)
        desk_mail.general(session, self._site, member, event, [passage], now, number=len(items))
        return 1

    def _held(self, now: datetime) -> int:
        """An answer that is held for an hour is the lead's matter too."""
        written = 0
        with self._site.database.write() as session:
            take_turns(session, "desk mail")
            for row in store.held_before(session, now - _HELD_FOR):
                if _LEAD_TOLD not in (row.held or {}):
                    written += self._escalate(session, row, now)
        return written

    def _escalate(self, session: Session, row: Message, now: datetime) -> int:
        row.held = {**(row.held or {}), _LEAD_TOLD: now.isoformat()}
        session.add(row)
        session.flush()
        why = ", ".join(str(reason) for reason in row.held.get("reasons", []))
        words = Pen(self._site.head, now).say("held-why", number=row.id, why=why)
        ticket = tickets.by_id(session, row.ticket_id)
        return len(desk_mail.tell(session, self._site, ticket, "held", now, actor=row.by, text=words))

    def _gather(self, now: datetime) -> int:
        """What came beyond somebody's mails of the hour, a quarter of an hour of it in one mail."""
        written = 0
        with self._site.database.write() as session:
            take_turns(session, "desk mail")
            for name in store.who_have_news(session, now - _GATHERED_FOR):
                items = [(piece.ticket, piece.event) for piece in store.take_news(session, name)]
                for member in desk_mail.reached(session, self._site, None, name):
                    written += self._list(session, member.name, "gathering", items, now)
        return written

    def _digests(self, now: datetime) -> int:
        slot = newest_slot(self._site, now)
        return sum(self._digest(member, slot, now) for member in self._site.roster.staff) if slot else 0

    def _digest(self, member: Staff, slot: datetime, now: datetime) -> int:
        """The digest of a slot, once, unless its time is long past or mail does not reach the member."""
        with self._site.database.read() as session:
            row = store.members(session).get(member.name)
            if row is not None and row.digest_at is not None and row.digest_at >= slot:
                return 0
        with self._site.database.write() as session:
            row = store.member_locked(session, member.name)
            before, row.digest_at = row.digest_at, now
            session.add(row)
            # Of a member who is new, the slots before are not owed.
            if before is None or before >= slot or now - slot > _MADE_UP or row.unreachable_since is not None:
                return 0
            passages = digest(session, self._site, member, now)
            if passages:
                desk_mail.general(session, self._site, member, "digest", passages, now)
            return bool(passages)


def newest_slot(site: Site, now: datetime) -> datetime | None:
    """The last time at which digests were due, in the site's zone; None where there are none."""
    zone = site.settings.zone()
    today = now.astimezone(zone).date()
    slots = [
        datetime.combine(day, time.fromisoformat(clock), zone)
        for day in (today, today - timedelta(days=1))
        for clock in site.settings.desk.digests
    ]
    return max((slot for slot in slots if slot <= now), default=None)
