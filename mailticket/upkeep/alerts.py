"""The administrator hears once of what stays broken, and once when it works again.

The rules of the room: an alert is a row of the outbox like any other mail, it names everything that is new since the
last one, it never goes to a support address, and there are at most so many a day. What was told is remembered beside
the health of each part, so that a restart tells nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from mailticket.letters import Trouble
from mailticket.mail.address import Address
from mailticket.models import Health
from mailticket.site import Site
from mailticket.store import Session, meta, outgoing, restored, watch
from mailticket.store.rows import take_turns
from mailticket.triage import signatures
from mailticket.upkeep.troubles import LIFELESS, free_bytes, is_past, is_seen, parts_of, short_of_room, troubles

log = logging.getLogger("mailticket.upkeep.alerts")

_DAY = timedelta(days=1)
_NAME = "alert"  # stands where others of our Message-IDs have a ticket; no ticket ID looks like it
_PASSING = ("clock", "disk", "delivery", restored.PART)  # parts that are of interest only while they are unwell


class Alerts:
    """Watches one installation; `look` is called every few minutes."""

    def __init__(self, site: Site, free_bytes: Callable[[Path], int] = free_bytes) -> None:
        self.site = site
        self._free_bytes = free_bytes

    def look(self, now: datetime) -> int:
        """Note what is broken and what is mended, and write the alerts that are due; returns how many."""
        site = self.site
        with site.database.read() as session:
            everything = troubles(session, site.settings, site.database, now, self._free_bytes)
        now_broken = [trouble for trouble in everything if trouble.name != LIFELESS]  # whoever looks lives
        with site.database.write() as session:
            take_turns(session, "alerts")
            self._note(session, now_broken, now)
            return self._tell(session, now_broken, now) if site.settings.alerts.to else 0

    def _note(self, session: Session, now_broken: Sequence[Trouble], now: datetime) -> None:
        """Troubles that no part notes by itself: each is a row of the health table while it lasts."""
        rows = {row.name: row for row in meta.health(session)}
        for trouble in now_broken:
            row = rows.get(trouble.name)
            if is_seen(trouble.name) or row is None or not row.error:
                meta.went_wrong(session, trouble.name, trouble.since, trouble.text)
        broken = {trouble.name for trouble in now_broken}
        has_room = not short_of_room(self.site.database, self._free_bytes)
        for name, row in rows.items():
            over = (is_seen(name) and name not in broken) or (name == "disk" and has_room)
            if row.error and over:
                meta.went_well(session, name, now)
                log.warning("%s: works again", name)
        session.flush()
        watch.forget(session, [row.name for row in meta.health(session) if self._is_over(row)])

    def _is_over(self, row: Health) -> bool:
        """Nothing is left to say of a trouble that has passed, nor of a mailbox that is not configured any more."""
        if is_past(row.name, parts_of(self.site.settings)):
            return True
        passing = is_seen(row.name) or row.name in _PASSING or row.name.startswith(watch.CHORE)
        return passing and not row.error and row.alerted_at is None

    def _tell(self, session: Session, now_broken: Sequence[Trouble], now: datetime) -> int:
        before = now - timedelta(minutes=self.site.settings.alerts.after_minutes)
        rows = meta.health(session)
        broken = [r for r in rows if r.error and r.alerted_at is None and r.error_since and r.error_since <= before]
        mended = [r for r in rows if not r.error and r.alerted_at is not None]
        remedies = {trouble.name: trouble.remedy for trouble in now_broken}
        number = self._write(
            session,
            [Trouble(row.name, row.error, row.error_since or now, remedies.get(row.name, "")) for row in broken],
            [Trouble(row.name, "", row.alerted_at or now) for row in mended],
            now,
        )
        if number:  # else it is told as soon as the day's allowance permits
            for row in broken:
                row.alerted_at = now
            for row in mended:
                row.alerted_at = None
            session.add_all([*broken, *mended])
        return number

    def _write(self, session: Session, broken: Sequence[Trouble], mended: Sequence[Trouble], now: datetime) -> int:
        """One row for each address that has some of its day's allowance left; returns how many."""
        settings = self.site.settings.alerts
        reached = 0
        if not broken and not mended:
            return reached
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
        self, session: Session, to: str, broken: Sequence[Trouble], mended: Sequence[Trouble], now: datetime
    ) -> None:
        from mailticket.letters import Alert, alert_message, alert_subject

        site, serial = self.site, meta.next_alert(session)
        domain = site.settings.support.address.rpartition("@")[2]
        alert = Alert(
            to=to,
            message_id=signatures.sign_message_id(site.keys[0], _NAME, serial, "alert", domain),
            date=now,
            broken=broken,
            mended=mended,
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
