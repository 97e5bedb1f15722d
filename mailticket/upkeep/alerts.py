"""The administrator hears once of what stays broken, and once when it works again.

The rules of the room: an alert is a row of the outbox like any other mail, it names everything that is new since the
last one, it never goes to a support address, and there are at most so many a day. What was told is remembered beside
the health of each part, so that a restart tells nothing twice.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from mailticket.letters import Alert, Trouble, alert_message, alert_subject
from mailticket.mail.values import Address
from mailticket.models import Health
from mailticket.site import Site
from mailticket.store import Session, meta, outgoing, watch
from mailticket.triage import signatures

log = logging.getLogger("mailticket.upkeep.alerts")

LEAST_DISK = 500 * 1024 * 1024  # bytes free beside the database
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_NAME = "alert"  # stands where others of our Message-IDs have a ticket; no ticket ID looks like it
_REMEDIES = {
    "intake": "Is the daemon running? See its log.",
    "outbox": "See `mailticket outbox list --state deferred`, and `mailticket check` for the server's words.",
    "quarantine": "See `mailticket quarantine list`; then retry, release or discard.",
    "disk": "Make room, or intake pauses when the disk is full.",
    "answers": "Is it a flood or a loop? See `mailticket outbox list --state withheld`, and [caps].",
    "restore": "See `mailticket outbox list --withheld`, then `mailticket restore --go`.",
    "clock": "Set the clock right, then restart the daemon; rules of age pause meanwhile.",
}


def free_bytes(folder: Path) -> int:
    """How much room a folder's disk has."""
    return shutil.disk_usage(folder).free


class Alerts:
    """Watches one installation; `look` is called every few minutes."""

    def __init__(self, site: Site, free_bytes: Callable[[Path], int] = free_bytes) -> None:
        self.site = site
        self._free_bytes = free_bytes

    def look(self, now: datetime) -> int:
        """Note what is broken and what is mended, and write the alerts that are due; returns how many."""
        with self.site.database.read() as session:
            troubles = {name: (since, text) for name, since, text in self._troubles(session, now)}
        with self.site.database.write() as session:
            self._note(session, troubles, now)
            return self._tell(session, now) if self.site.settings.alerts.to else 0

    def _note(self, session: Session, troubles: Mapping[str, tuple[datetime, str]], now: datetime) -> None:
        """Troubles that no part notes by itself: each is a row of the health table while it lasts."""
        for name in watch.WATCHED:
            if name in troubles:
                meta.went_wrong(session, name, *troubles[name])
            elif meta.is_unwell(session, name):
                meta.went_well(session, name, now)
                log.warning("%s: works again", name)
        session.flush()
        watch.forget_passed(session)

    def _tell(self, session: Session, now: datetime) -> int:
        before = now - timedelta(minutes=self.site.settings.alerts.after_minutes)
        rows = meta.health(session)
        broken = [r for r in rows if r.error and r.alerted_at is None and r.error_since and r.error_since <= before]
        mended = [r for r in rows if not r.error and r.alerted_at is not None]
        number = self._write(session, broken, mended, now) if broken or mended else 0
        if number:  # else it is told as soon as the day's allowance permits
            for row in broken:
                row.alerted_at = now
            for row in mended:
                row.alerted_at = None
            session.add_all([*broken, *mended])
        return number

    def _troubles(self, session: Session, now: datetime) -> Iterator[tuple[str, datetime, str]]:
        """Each trouble by its name, since when it lasts, and what it is."""
        before = now - timedelta(minutes=self.site.settings.alerts.after_minutes)
        listed, unsent = watch.oldest_listed(session), watch.oldest_unsent(session)
        if listed and listed <= before:
            yield "intake", listed, "mail waits to be taken in"
        if unsent and unsent <= before:
            yield "outbox", unsent, "mail waits to be sent"
        number, since = watch.quarantined(session)
        if number:
            yield "quarantine", since or now, f"{number} mails lie in quarantine"
        if number := watch.capped(session, now - _HOUR):
            yield "answers", now, f"the cap for all is reached: {number} answers were held back in the last hour"
        file = self.site.database.file
        if file is not None and (free := self._free_bytes(file.resolve().parent)) < LEAST_DISK:
            yield "disk", now, f"only {free // 1024**2} MB are free beside the database"

    def _write(self, session: Session, broken: Sequence[Health], mended: Sequence[Health], now: datetime) -> int:
        """One row for each address that has some of its day's allowance left; returns how many."""
        settings = self.site.settings.alerts
        reached = 0
        for to in settings.to:
            if to.lower() in self.site.settings.own_addresses:
                continue
            if watch.alerts_since(session, to, now - _DAY) >= settings.per_day:
                log.error("an alert to %s is held back: [alerts] per_day is reached", to)
                continue
            self._add(session, to, broken, mended, now)
            reached += 1
        return reached

    def _add(
        self, session: Session, to: str, broken: Sequence[Health], mended: Sequence[Health], now: datetime
    ) -> None:
        site, serial = self.site, meta.next_alert(session)
        domain = site.settings.support.address.rpartition("@")[2]
        alert = Alert(
            to=to,
            message_id=signatures.sign_message_id(site.keys[0], _NAME, serial, "alert", domain),
            date=now,
            broken=[_trouble(row, row.error_since or now) for row in broken],
            mended=[_trouble(row, row.alerted_at or now) for row in mended],
        )
        recipient = Address("", to)
        outgoing.add(
            session,
            kind="alert",
            rank=outgoing.ALERT_RANK,
            envelope_from=site.settings.smtp.envelope_from or site.settings.support.address,
            recipient=to,
            recipient_key=recipient.key,
            recipient_domain=recipient.domain,
            subject=alert_subject(alert),
            message_id=alert.message_id,
            wire=alert_message(alert, site.head),
            verified=True,
            created_at=now,
            next_attempt_at=now,
        )


def _trouble(row: Health, since: datetime) -> Trouble:
    return Trouble(row.name, row.error, since, _REMEDIES.get(row.name, ""))
