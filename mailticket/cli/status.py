"""`mailticket status`: one screen that says how it goes, and what is stuck since when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, json_option, print_json, reading_of

_MOST_RECENT = 20_000  # requests that `status` looks at for its pace; `report` looks at all
_OUTBOX = ("queued", "sending", "deferred", "uncertain", "withheld", "failed", "sent")


@click.command()
@click.option("--metrics", is_flag=True, help="Print the figures as Prometheus reads them.")
@json_option
@config_option
@click.pass_context
def status(ctx: click.Context, metrics: bool, as_json: bool) -> None:
    """One screen: mailboxes, queue, promises, what is stuck and since when."""
    from mailticket.promise.kept import tallies
    from mailticket.store import meta, overview, watch
    from mailticket.store.requests import requests

    with reading_of(ctx) as (session, settings, now):
        week = now - timedelta(days=7)
        figures = overview.figures(session, now, week)
        recent = tallies(requests(session, week, _MOST_RECENT), now, settings.zone())
        health = {row.name: row for row in meta.health(session) if row.name not in watch.SHOWN_BY_FIGURES}
        names = [f"mailbox {mailbox.name}" for mailbox in settings.mailbox]
    everybody = [*names, *(name for name in health if name not in names)]
    face = _face(figures, recent, [_part(name, health.get(name), figures) for name in everybody], now)
    if metrics:
        from mailticket.cli.metrics import exposition

        click.echo(exposition(face), nl=False)
    elif as_json:
        print_json(face)
    else:
        for part in face["parts"]:
            _print_part(part, health.get(str(part["name"])), now)
        _print_figures(face, figures, now)


def _part(name: str, row: Any, figures: Any) -> dict[str, Any]:
    """How one part fares; `row` is None before its first contact."""
    from mailticket.cli.faces import moment

    route = name.removeprefix("mailbox ")
    refused = figures.afterwards_refused.get(route, (0, ""))
    return {
        "name": name,
        "last_success_at": moment(row.last_success_at) if row else None,
        "error": (row.error or None) if row else None,
        "error_since": moment(row.error_since) if row else None,
        "note": (row.note or None) if row else None,
        "backlog": figures.pending.get(route, 0),
        "not_flagged": refused[0],
        "not_flagged_because": refused[1] or None,
    }


def _face(figures: Any, recent: dict[str, Any], parts: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    from mailticket.cli.faces import moment

    oldest = figures.oldest_unanswered
    return {
        "at": moment(now),
        "parts": parts,
        "tickets": figures.tickets,
        "unanswered": figures.unanswered,
        "oldest_unanswered": {"id": oldest[0], "created_at": moment(oldest[1])} if oldest else None,
        "overdue": figures.overdue,
        "promises_7_days": {"kept": figures.kept, "missed": figures.missed, **_answers(recent)},
        "outbox": {state: figures.outgoing.get(state, 0) for state in _OUTBOX},
        "oldest_due": moment(figures.oldest_due),
        "withheld": figures.outgoing.get("withheld", 0),
        "quarantine": figures.quarantined,
        "filed_7_days": {"without_ticket": figures.filed, "named_us": figures.filed_named_us},
        "unclaimed_bounces": figures.unclaimed_bounces,
        "oldest_pending": moment(figures.oldest_pending),
    }


def _answers(recent: dict[str, Any]) -> dict[str, Any]:
    """Promises made in the last 7 days, and how long first answers to those requests took."""
    return {name: recent[name] for name in ("promised", "median_hours", "p90_hours")}


def _print_part(part: dict[str, Any], row: Any, now: Any) -> None:
    good = row is not None and not row.error
    sign = click.style("✓", fg="green") if good else click.style("✗" if row else "·", fg="red" if row else "yellow")
    text = f"last success {terminal.ago(row.last_success_at, now)}" if row else "no contact yet"
    if row is not None and row.error:
        text += click.style(
            f"; failing since {terminal.ago(row.error_since, now)}: {terminal.line(row.error)}", fg="red"
        )
    if part["backlog"]:
        text += f"; {part['backlog']} mails wait"
    if part["not_flagged"]:
        because = terminal.line(part["not_flagged_because"])
        text += click.style(f"; {part['not_flagged']} not flagged or moved: {because}", fg="yellow")
    if part["note"]:
        text += f"; {terminal.line(part['note'])}"
    click.echo(f"{sign} {part['name']}: {text}")


def _print_figures(face: dict[str, Any], figures: Any, now: Any) -> None:
    tickets = ", ".join(f"{number} {state}" for state, number in face["tickets"].items()) or "none yet"
    oldest = figures.oldest_unanswered
    waiting = f"{face['unanswered']} unanswered"
    if oldest:
        waiting += f", the oldest {oldest[0]} since {terminal.ago(oldest[1], now)}"
    late = click.style(f", {face['overdue']} past their promise", fg="red") if face["overdue"] else ""
    kept = face["promises_7_days"]
    outbox = ", ".join(f"{number} {state}" for state, number in face["outbox"].items() if number) or "empty"
    stuck = f", the oldest due since {terminal.ago(figures.oldest_due, now)}" if figures.oldest_due else ""
    click.echo(f"\n  tickets     {tickets}")
    click.echo(f"  waiting     {waiting}{late}")
    pace = ""
    if kept["median_hours"] is not None:
        pace = f"; first answers after {kept['median_hours']:.1f} h (half) and {kept['p90_hours']:.1f} h (90 %)"
    click.echo(f"  promises    {kept['promised']} made, {kept['kept']} kept, {kept['missed']} missed in 7 days{pace}")
    click.echo(f"  outbox      {outbox}{stuck}")
    quarantine = click.style(f"{face['quarantine']} mails", fg="red") if face["quarantine"] else "empty"
    click.echo(f"  quarantine  {quarantine}")
    _print_filed(face)


def _print_filed(face: dict[str, Any]) -> None:
    """What went nowhere, so that nobody's request stays where nobody looks."""
    filed = face["filed_7_days"]
    text = f"{filed['without_ticket']} mails without a ticket in 7 days"
    if filed["named_us"]:
        text += click.style(f", {filed['named_us']} of them named us", fg="yellow")
    if face["unclaimed_bounces"]:
        bounces = f"{face['unclaimed_bounces']} delivery reports that belong to no letter"
        text += click.style(f", {bounces}", fg="red")
    if filed["named_us"] or face["unclaimed_bounces"]:
        text += ": see `mailticket mail list --filed`"
    click.echo(f"  filed       {text}")
