"""Housekeeping: closing what is solved, warning of promises that slip, removing what has been kept long enough."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from mailticket.errors import StoreUnavailable
from mailticket.mail.packing import pack
from mailticket.site import Site
from mailticket.store import Session, chores, erasing, incoming, meta, raws, search, tickets, watch
from mailticket.store.rows import take_turns
from mailticket.upkeep import retention
from mailticket.upkeep.alerts import Alerts
from mailticket.upkeep.troubles import note_defect

if TYPE_CHECKING:  # what writes letters and reads mail is loaded by the chore that finds something to do
    from mailticket.upkeep.late_notices import LateNotices

log = logging.getLogger("mailticket.upkeep.chores")

_BATCH = 200
_LONGEST_INGEST = timedelta(hours=1)
_CLOCK_TOLERANCE = timedelta(hours=1)


class Upkeep:
    """All housekeeping of one database. `wake` is called when a letter was written."""

    def __init__(self, site: Site, wake: Callable[[], None] = lambda: None) -> None:
        self.site = site
        self._wake = wake
        self._late_notices: LateNotices | None = None
        self._wall = site.clock()
        self._monotonic = time.monotonic()
        self._log_to_empty = False
        self._erased = False
        self._bytes_left = False  # of what was erased, between the rows
        self._overwritten_at: datetime | None = None

    def run(self) -> None:
        """Every chore once, each in small transactions, then the alerts; a database in trouble ends the turn."""
        try:
            with self.site.database.read() as session:
                failing = {row.name for row in meta.health(session) if row.error}
            if self._clock_is_sound():
                for name, chore in self._chores().items():
                    self._do(f"{watch.CHORE}{name}", partial(self._repeat, chore), failing)
            self._do(f"{watch.CHORE}alerts", self._alert, failing)
        except StoreUnavailable as error:
            log.warning("housekeeping waits: %s", error)

    def _chores(self) -> dict[str, Callable[[datetime], int]]:
        """What is to be done each turn; each does at most a batch and says how much it did."""
        return {
            "closing": self._close_solved,
            "warnings": self._warn_staff,
            "late notices": self._tell_late,
            "masking": self._mask_secrets,
            "raw mails": self._forget_raw,
            "sent letters": self._forget_sent,
            "history": self._forget_events,
            **{matter: partial(self._erase, matter) for matter in erasing.MATTERS},
            "overwriting": self._overwrite,
            "files": self._give_up_files,
            "weekly report": self._report,
            **self._desk_rounds(),
        }

    def _desk_rounds(self) -> Mapping[str, Callable[[datetime], int]]:
        if not self.site.roster.staff:
            return {}
        from mailticket.upkeep.desk_rounds import DeskRounds

        return DeskRounds(self.site, self._wake).chores()

    def _do(self, name: str, chore: Callable[[], None], failing: set[str]) -> None:
        """A chore that fails is named and tried again at the next turn, and the others are done all the same."""
        try:
            chore()
        except StoreUnavailable:
            raise
        except Exception as error:
            note_defect(self.site, name, error)
            return
        if name in failing:
            log.warning("%s: works again", name)
            with self.site.database.write() as session:
                meta.went_well(session, name, self.site.clock())

    def _repeat(self, chore: Callable[[datetime], int]) -> None:
        while chore(self.site.clock()) == _BATCH:
            pass

    def _alert(self) -> None:
        if Alerts(self.site).look(self.site.clock()):
            self._wake()

    def _report(self, now: datetime) -> int:
        if not self.site.settings.reports.to:
            return 0
        from mailticket.upkeep.report import send_report

        if send_report(self.site, now):
            self._wake()
        return 0

    def _clock_is_sound(self) -> bool:
        """Rules of age pause when the wall clock leaps, or lies before what we wrote ourselves (promise 8)."""
        now = self.site.clock()
        drift = (now - self._wall) - timedelta(seconds=time.monotonic() - self._monotonic)
        with self.site.database.read() as session:
            newest = chores.newest_row(session)
            was_wrong = meta.is_unwell(session, "clock")
        sound = abs(drift) <= _CLOCK_TOLERANCE and (newest is None or now >= newest - _CLOCK_TOLERANCE)
        if not sound:
            log.error("housekeeping pauses: the clock says %s, which cannot be; the newest row is of %s", now, newest)
            with self.site.database.write() as session:
                meta.went_wrong(session, "clock", now, f"the clock leapt by {drift}")
        elif was_wrong:
            with self.site.database.write() as session:
                meta.went_well(session, "clock", now)
        return sound

    def _close_solved(self, now: datetime) -> int:
        """What stayed solved for a week is closed; nobody is told."""
        before = now - timedelta(days=self.site.settings.support.close_after_days)
        with self.site.database.write() as session:
            closed = chores.close_solved(session, before, now, _BATCH)
            for ticket_id in closed:
                tickets.add_event(session, ticket_id, now, "closed", "solved, and nobody objected")
        return len(closed)

    def _warn_staff(self, now: datetime) -> int:
        """Staff hear of a promise before it breaks: an event, a line in the log, a figure in `status`."""
        until = now + timedelta(hours=self.site.settings.promise.warn_staff_hours)
        with self.site.database.write() as session:
            take_turns(session, "warnings")
            due = chores.slipping(session, until, _BATCH)
            for ticket in due:
                ticket.late_warned_at = now
                session.add(ticket)
                tickets.add_event(session, int(ticket.id or 0), now, "promise slipping", f"due {ticket.promised_by}")
                log.warning("ticket %s: the promise of %s is about to break", ticket.key, ticket.promised_by)
        return len(due)

    def _tell_late(self, now: datetime) -> int:
        """Shortly before a promise passes, whoever was told of it gets one mail with a new date."""
        settings = self.site.settings.promise
        if not settings.late_notice:
            return 0
        until = now + timedelta(hours=settings.late_notice_hours)
        with self.site.database.write() as session:
            take_turns(session, "late notices")
            due = chores.late(session, until, _BATCH)
            if due:
                self._tell_each(session, due, now)
        if due:
            self._wake()
        return len(due)

    def _tell_each(self, session: Session, due: Sequence[chores.Promisee], now: datetime) -> None:
        if self._late_notices is None:
            from mailticket.upkeep.late_notices import LateNotices  # and all that writes letters

            self._late_notices = LateNotices()
        for promisee in due:
            promisee.ticket.late_notice_at = now
            session.add(promisee.ticket)
            self._late_notices.write(session, self.site, promisee, now)

    def _mask_secrets(self, now: datetime) -> int:
        """Raw mails in which a secret was found are replaced by masked ones; one at a time, for they may be large."""
        database = self.site.database
        with database.read() as session:
            due = raws.to_mask(session, now, _BATCH)
        for digest in due:
            self._mask(digest)
        self._log_to_empty = self._log_to_empty or bool(due)
        if self._log_to_empty:
            self._log_to_empty = not database.forget_overwritten()
        return len(due)

    def _mask(self, digest: str) -> None:
        from mailticket.secrets.redaction import redact

        with self.site.database.read() as session:
            raw = raws.get(session, digest)
        masked = redact(raw or b"")
        packed = pack(masked.raw, complete=masked.whole, digest=digest)
        with self.site.database.write() as session:
            raws.replace_bytes(session, digest, packed)
        if not masked.whole:
            log.error("raw mail %s could not be rewritten: only its words are kept, its files are gone", digest)

    def _give_up_files(self, now: datetime) -> int:
        with self.site.database.write() as session:
            return incoming.give_up_files(session, now - _LONGEST_INGEST, now, _BATCH)

    def _forget_raw(self, now: datetime) -> int:
        """Raw mails are kept for a time, and as long as their ticket is not done; what was read of them stays."""
        before = now - timedelta(days=self.site.settings.retention.raw_days)
        reopening = now - timedelta(days=self.site.settings.support.grace_days)
        with self.site.database.write() as session:
            return chores.forget_raw(session, before, reopening, _BATCH)

    def _forget_sent(self, now: datetime) -> int:
        """The bytes of what was sent are kept for a while: to be looked at, and to be sent again when it bounces."""
        before = now - timedelta(days=self.site.settings.retention.sent_raw_days)
        with self.site.database.write() as session:
            return chores.forget_sent(session, before, _BATCH)

    def _erase(self, matter: erasing.Matter, now: datetime) -> int:
        """What of closed tickets has been kept long enough goes, a ticket in each transaction, since it may be long."""
        term = next((term for term in retention.terms(self.site.settings) if term.matter == matter), None)
        if term is None:
            return 0
        with self.site.database.read() as session:
            due = erasing.due(session, term, retention.closed_before(self.site.settings, term, now), _BATCH)
        for number in due:
            with self.site.database.write() as session:
                erasing.erase(session, number, [matter], now)
        self._erased = self._erased or bool(due)
        self._bytes_left = self._bytes_left or bool(due)
        if self._erased and len(due) < _BATCH:
            search.purge(self.site.database)
            self._erased = not self.site.database.forget_overwritten()
        return len(due)

    def _overwrite(self, now: datetime) -> int:
        """Once a day a small database is written anew after something was erased; of a large one that would hold up
        mail, so its administrators choose the hour (`mailticket retention overwrite`)."""
        rested = self._overwritten_at is None or now - self._overwritten_at >= timedelta(days=1)
        if self._bytes_left and rested and self.site.database.is_small:
            self._overwritten_at = now
            self._bytes_left = not self.site.database.rewrite()
        return 0

    def _forget_events(self, now: datetime) -> int:
        before = now - timedelta(days=self.site.settings.retention.events_days)
        with self.site.database.write() as session:
            return chores.forget_events(session, before, _BATCH)
