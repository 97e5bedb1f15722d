"""How it goes, in figures: what `status` shows and monitoring reads. Needs the database and the configuration alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from mailticket.desk.faces import moment, notice
from mailticket.letters import Trouble
from mailticket.models import Health
from mailticket.oauth2.state import face as consent_face
from mailticket.oauth2.state import standings
from mailticket.promise.kept import percentile
from mailticket.settings import FIRST_NAME, Settings
from mailticket.store import Session, desk, hosts, meta, notices, overview, watch
from mailticket.store.engine import Database
from mailticket.store.overview import Figures, NameFigures
from mailticket.store.requests import pace
from mailticket.store.watch import Number
from mailticket.upkeep import retention
from mailticket.upkeep.troubles import Life, is_alive, is_past, is_seen, life, parts_of, troubles

_MOST_RECENT = 20_000  # requests that are looked at for the pace; `report` looks at all
_OUTBOX = ("queued", "sending", "deferred", "uncertain", "withheld", "failed", "sent")


def state(settings: Settings, database: Database, now: datetime) -> dict[str, Any]:
    """What `status --json` prints."""
    names = [f"mailbox {mailbox.name}" for mailbox in settings.watched]
    week, soon = now - timedelta(days=7), now + timedelta(hours=settings.promise.warn_staff_hours)
    with database.read() as session:
        figures = overview.figures(session, now, week)
        promised, waits = pace(session, week, _MOST_RECENT)
        rows = {
            r.name: r for r in meta.health(session) if not is_seen(r.name) and not is_past(r.name, parts_of(settings))
        }
        everyone = hosts_face(session, settings, now)
        sign, wrong = life(session, settings, now), troubles(session, settings, database, now)
        again, slipping = watch.waiting_again(session), watch.slipping(session, now, soon).number
        current = notices.lasting(session, now)
        held = desk.held_in_all(session)
        consents = [consent_face(standing) for standing in standings(session, settings)]
        erasure = retention.soon(session, settings, now)
        names_of = overview.by_brand(session, now) if settings.brand else {}
        lost, strays = len(watch.lost_answers(session)), watch.strays(session, [m.name for m in settings.watched])
    by_name = {trouble.name: trouble for trouble in wrong}
    everybody = [*names, *(name for name in rows if name not in names)]
    return {
        "at": moment(now),
        **_signs(sign, wrong),
        "hosts": everyone,
        "parts": [_part(name, rows.get(name), by_name.get(name), figures) for name in everybody],
        **_figures(figures),
        "brands": _brands(settings, names_of),
        "promises_7_days": {
            "kept": figures.kept,
            "missed": figures.missed,
            "promised": promised,
            "median_hours": percentile(waits, 0.5),
            "p90_hours": percentile(waits, 0.9),
        },
        "waiting_again": again.number,
        "oldest_waiting_again": _oldest(again),
        "slipping": slipping,
        "notices": [notice(one, now) for one in current],
        "oauth2": consents,
        "held": held,
        "retention": erasure,
        "lost_answers": lost,
        "strays": {name: number for name, (number, _) in strays.items()},
    }


def _signs(sign: Life, wrong: Sequence[Trouble]) -> dict[str, Any]:
    """Whether anybody lives, and all troubles, the worst first."""
    beat = sign.beat
    return {
        "well": sign.alive and not wrong,
        "daemon": {
            "alive": sign.alive,
            "kind": beat.kind,
            "host": beat.name,
            "pid": beat.pid,
            "version": beat.version,
            "started_at": moment(beat.started_at),
            "beat_at": moment(beat.beat_at),
            "stopped_at": moment(beat.stopped_at),
        } if beat else None,
        "troubles": [
            {"name": t.name, "text": t.text, "since": moment(t.since), "remedy": t.remedy or None} for t in wrong
        ],
    }  # fmt: skip


def hosts_face(session: Session, settings: Settings, now: datetime) -> list[dict[str, Any]]:
    """The processes that run now, with the mailboxes that each of them holds."""
    at, held = hosts.shared_time(session, now), hosts.holdings(session)
    return [
        {
            "id": host.id,
            "name": host.name,
            "kind": host.kind,
            "pid": host.pid,
            "version": host.version,
            "started_at": moment(host.started_at),
            "beat_at": moment(host.beat_at),
            "clock_ahead_seconds": round(host.clock_ahead, 1),
            "mailboxes": [
                {"name": mailbox, "since": moment(since)} for mailbox, holder, since in held if holder == host.id
            ],
        }
        for host in hosts.living(session)
        if is_alive(host, settings, at)
    ]


def _part(name: str, row: Health | None, trouble: Trouble | None, figures: Figures) -> dict[str, Any]:
    """How one part fares; `row` is None before its first contact."""
    route = name.removeprefix("mailbox ")
    refused = figures.afterwards_refused.get(route, (0, ""))
    return {
        "name": name,
        "last_success_at": moment(row.last_success_at) if row else None,
        "error": trouble.text if trouble else None,
        "error_since": moment(trouble.since) if trouble else None,
        "note": (row.note or None) if row else None,
        "backlog": figures.pending.get(route, 0),
        "not_flagged": refused[0],
        "not_flagged_because": refused[1] or None,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    oldest = figures.oldest_unanswered
    return {
        "tickets": figures.tickets,
        "unanswered": figures.unanswered,
        "oldest_unanswered": {"id": oldest[0], "created_at": moment(oldest[1])} if oldest else None,
        "overdue": figures.overdue,
        "outbox": {state: figures.outgoing.get(state, 0) for state in _OUTBOX},
        "oldest_due": moment(figures.oldest_due),
        "withheld": figures.outgoing.get("withheld", 0),
        "quarantine": figures.quarantined,
        "filed_7_days": {"without_ticket": figures.filed, "named_us": figures.filed_named_us},
        "blocked_7_days": {"mails": figures.blocked, "named_ticket": figures.blocked_answers},
        "unclaimed_bounces": figures.unclaimed_bounces,
        "oldest_pending": moment(figures.oldest_pending),
    }


def _brands(settings: Settings, figures: Mapping[str, NameFigures]) -> list[dict[str, Any]]:
    """How each name stands, [support] first and behind all others those that are no more; [] where it is the only
    one."""
    names = ["", *(brand.name for brand in settings.brand)] if settings.brand else []
    rows = [(name, figures.get(name, NameFigures())) for name in dict.fromkeys([*names, *figures])]
    return [
        {"name": name or FIRST_NAME, "address": settings.of_brand(name).support.address, "configured": name in names,
         "unfinished": row.unfinished, "unanswered": row.unanswered, "overdue": row.overdue}
        for name, row in rows
    ]  # fmt: skip


def _oldest(tickets: Number) -> dict[str, Any] | None:
    return {"id": tickets.key, "waiting_since": moment(tickets.since)} if tickets.since else None
