"""`mailticket report`: promised, kept, missed, and how long first answers took, by week and by category."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, json_option, print_json, reading_of

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
    from mailticket.store.requests import requests

    with reading_of(ctx) as (session, settings, now):
        zone = settings.zone()
        monday = now.astimezone(zone).date() - timedelta(days=now.astimezone(zone).weekday())
        since = now.astimezone(zone).replace(year=monday.year, month=monday.month, day=monday.day, hour=0, minute=0,
                                             second=0, microsecond=0) - timedelta(weeks=weeks - 1)  # fmt: skip
        summary = tallies(requests(session, since), now, zone)
    if as_json:
        print_json({"at": moment(now), "since": moment(since), **summary})
        return
    if not summary["requests"]:
        click.echo(f"No requests since {since:%Y-%m-%d %H:%M %Z}.")
        return
    click.echo(f"First answers to requests since {since:%Y-%m-%d %H:%M %Z}, in hours from arrival.\n")
    rows = [("all", summary), *summary["weeks"].items(), *summary["categories"].items()]
    terminal.table(_HEAD, [(name, *_cells(tally)) for name, tally in rows], stretch=0)


def _cells(tally: dict[str, Any]) -> tuple[object, ...]:
    share = tally["kept_share"]
    return (
        tally["requests"], tally["promised"], tally["kept"], tally["missed"], tally["open"], tally["unanswered"],
        "" if share is None else f"{100 * share:.1f}", _hours(tally["median_hours"]), _hours(tally["p90_hours"]),
    )  # fmt: skip


def _hours(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
