"""The weekly report: a mail of the figures, with plots, sent once a week through the outbox."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mailticket.extras import how_to_install
from mailticket.letters.report import Plot, Report, report_message
from mailticket.mail.address import Address
from mailticket.site import Site
from mailticket.store import Session, meta, outgoing
from mailticket.store.requests import requests
from mailticket.text.clean import counted
from mailticket.triage import signatures
from mailticket.upkeep.figures import figures, monday_of

log = logging.getLogger("mailticket.upkeep.report")

_SENT = "report"  # the name under which the week is kept of which a report was written
_NAME = "alert"  # as with alerts: stands where others of our Message-IDs have a ticket
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def report_of(title: str, since: datetime, until: datetime, summary: Mapping[str, Any], outlook: str = "") -> Report:
    """A report with its plots; without them, and a line in the log, where the extra is not installed.

    outlook: when requests will stand in it, if there are none.
    """
    return Report(title, since, until, summary, _plots(summary["weeks"]) if summary["weeks"] else (), outlook)


def _plots(weeks: Mapping[str, Any]) -> tuple[Plot, ...]:
    from mailticket.upkeep.plots import plots

    try:
        return plots(weeks)
    except ImportError:
        log.warning(
            "the report goes without plots, since matplotlib is not installed; what brings it: %s",
            how_to_install("report"),
        )
        return ()


def send_report(site: Site, now: datetime) -> int:
    """Write this week's report, once it is due and unless it was written; returns how many mails.

    Weeks that were missed are not made up for: their figures stand in the next report.
    """
    settings, zone = site.settings.reports, site.settings.zone()
    monday = monday_of(now, zone)
    due = monday.replace(hour=settings.hour) + timedelta(days=_DAYS.index(settings.day))
    week = f"{monday:%G-W%V}"
    if now < due:
        return 0
    with site.database.read() as session:
        if meta.value(session, _SENT) == week:
            return 0
        since = monday - timedelta(weeks=settings.weeks)
        summary = figures(session, since, monday, zone, now)
        outlook = _outlook(session, monday, due + timedelta(weeks=1)) if not summary["requests"] else ""
    report = report_of(f"{site.head.name}: weekly report", since, monday, summary, outlook)
    with site.database.write() as session:
        if meta.value(session, _SENT) == week:
            return 0
        meta.set_value(session, _SENT, week)
        for to in settings.to:
            _add(session, site, report, to, now)
    return len(settings.to)


def _outlook(session: Session, monday: datetime, next_at: datetime) -> str:
    """What is to come where the weeks that are over hold nothing, as those of a new desk do."""
    number = sum(1 for _ in requests(session, monday))
    arrived = counted(number, "request has", "requests have") if number else "no request has"
    return (
        f"The week that began on {monday:%Y-%m-%d} is not over; {arrived} arrived in it so far. It will stand in the "
        f"report of {next_at:%Y-%m-%d}, and until then `mailticket report` shows it."
    )


def _add(session: Session, site: Site, report: Report, to: str, now: datetime) -> None:
    domain = site.settings.support.address.rpartition("@")[2]
    message_id = signatures.sign_message_id(site.keys[0], _NAME, meta.next_alert(session), "alert", domain)
    recipient = Address("", to)
    outgoing.add(
        session,
        kind="report",
        rank=outgoing.ALERT_RANK,
        envelope_from=site.settings.smtp.envelope_from or site.settings.support.address,
        recipient=to,
        recipient_key=recipient.key,
        recipient_domain=recipient.domain,
        subject=report.subject,
        message_id=message_id,
        wire=report_message(report, site.head, to, message_id, now),
        verified=True,
        created_at=now,
        next_attempt_at=now,
    )
