"""`mailticket report`: promised, kept, missed, and how long first answers took, by week and by category."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, json_option, print_json, reading_of

if TYPE_CHECKING:
    from mailticket.store.watch import Number

_HEAD = ("", "REQUESTS", "PROMISED", "KEPT", "MISSED", "OPEN", "NO ANSWER", "KEPT %", "MEDIAN", "90 %")


@click.command()
@click.option("--weeks", type=click.IntRange(1, 520), default=8, show_default=True, help="How far to look back.")
@json_option
@config_option
@click.pass_context
def report(ctx: click.Context, weeks: int, as_json: bool) -> None:
    """Say how promises were kept and how long first answers took (in hours), by week of arrival and by category."""
    from mailticket.desk.faces import moment
    from mailticket.promise.kept import tallies
    from mailticket.store import watch
    from mailticket.store.requests import follow_ups, requests

    with reading_of(ctx) as (session, settings, now):
        zone = settings.zone()
        monday = now.astimezone(zone).date() - timedelta(days=now.astimezone(zone).weekday())
        since = now.astimezone(zone).replace(year=monday.year, month=monday.month, day=monday.day, hour=0, minute=0,
                                             second=0, microsecond=0) - timedelta(weeks=weeks - 1)  # fmt: skip
        summary = tallies(requests(session, since), now, zone)
        summary["follow_ups"] = _follow_ups(follow_ups(session, since), watch.waiting_again(session))
    if as_json:
        print_json({"at": moment(now), "since": moment(since), **summary})
        return
    if not summary["requests"]:
        click.echo(f"No requests since {since:%Y-%m-%d %H:%M %Z}.")
        return
    click.echo(f"First answers to requests since {since:%Y-%m-%d %H:%M %Z}, in hours from arrival.\n")
    rows = [("all", summary), *summary["weeks"].items(), *summary["categories"].items()]
    terminal.table(_HEAD, [(name, *_cells(tally)) for name, tally in rows], stretch=0)
    _say_follow_ups(summary["follow_ups"])


def _follow_ups(waits: list[float], waiting: Number) -> dict[str, Any]:
    """Those who wrote again after an answer: how long they waited for the next, and who waits still."""
    from mailticket.desk.faces import moment
    from mailticket.promise.kept import percentile

    return {
        "answered": len(waits),
        "median_hours": percentile(waits, 0.5),
        "p90_hours": percentile(waits, 0.9),
        "waiting": waiting.number,
        "oldest_waiting": {"id": waiting.key, "waiting_since": moment(waiting.since)} if waiting.since else None,
    }


def _say_follow_ups(face: dict[str, Any]) -> None:
    if not face["answered"] and not face["waiting"]:
        return
    text = f"{face['answered']} who wrote again after an answer were answered again"
    if face["answered"]:
        text += f", half of them within {_hours(face['median_hours'])} h, 90 % within {_hours(face['p90_hours'])} h"
    if face["oldest_waiting"]:
        oldest = face["oldest_waiting"]
        text += f"; {face['waiting']} wait, the longest {oldest['id']} since {terminal.moment(oldest['waiting_since'])}"
    click.echo()
    for line in terminal.paragraph(f"Follow-ups: {text}.", "", "  ", 80):
        click.echo(line)


def _cells(tally: dict[str, Any]) -> tuple[object, ...]:
    share = tally["kept_share"]
    return (
        tally["requests"], tally["promised"], tally["kept"], tally["missed"], tally["open"], tally["unanswered"],
        "" if share is None else f"{100 * share:.1f}", _hours(tally["median_hours"]), _hours(tally["p90_hours"]),
    )  # fmt: skip


def _hours(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
