"""The mail that says before a promise passes that it will not be kept, with a new date."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailticket.models import Ticket
from mailticket.outbox import compose
from mailticket.outbox.compose import Dispatch
from mailticket.promise import make_promise
from mailticket.site import Site
from mailticket.store import Session, chores, knowledge, tickets
from mailticket.triage.decision import Hold
from mailticket.triage.letter import DISABLED, over_cap, restored
from mailticket.upkeep.load import Expectation


class LateNotices:
    """Writes them; what is to be expected is reckoned once for all that fall due together."""

    def __init__(self) -> None:
        self._expectation = Expectation()

    def write(self, session: Session, site: Site, promisee: chores.Promisee, now: datetime) -> None:
        """One mail with a new date. The promise that was made stays on record: it will count as missed."""
        ticket = promisee.ticket
        load = self._expectation.load(session, site)
        renewed = make_promise(now, now, ticket.category, ticket.priority, site.settings.promise, site.calendar,
                               load, site.classifier.categories)  # fmt: skip
        verified = ticket.trust == "verified"
        hold = _told_before_a_restore(site, ticket) or _hold(session, site, promisee.recipient_key, now, verified)
        dispatch = Dispatch(
            "late-notice", promisee.recipient, verified, in_reply_to=promisee.message_id, hold=hold,
            zone=compose.zone_of(session, ticket),
        )  # fmt: skip
        compose.write(
            session, site, ticket, dispatch, now,
            promised_from=renewed.promised_from, promised_by=renewed.promised_by, earlier_by=ticket.promised_by,
        )  # fmt: skip
        detail = hold.text if hold else f"new date {renewed.promised_by}"
        kind = "late notice withheld" if hold else "late notice"  # of which its requester knows nothing
        tickets.add_event(session, int(ticket.id or 0), now, kind, detail)


def _told_before_a_restore(site: Site, ticket: Ticket) -> Hold | None:
    """A notice that fell due before a backup was restored may have left then."""
    at, due_by = site.restored_at, ticket.promised_by
    notice = timedelta(hours=site.settings.promise.late_notice_hours)
    return restored(at) if at and due_by and due_by - notice <= at else None


def _hold(session: Session, site: Site, recipient: str, now: datetime, verified: bool) -> Hold | None:
    if not site.settings.acknowledge.enabled:
        return DISABLED
    counts = knowledge.counts(session, recipient, now, site.settings.caps, verified=verified)
    return over_cap(counts, site.settings.caps, verified=verified)
