"""`mailticket report`: promised, kept, missed, and how long first answers took, by week, category and brand."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from mailticket.cli import terminal
from mailticket.cli.common import Number, config_option, json_option, print_json, reading_of

_OUTLOOK = "The running week is looked at too: the first one stands here as soon as it has arrived."
_HEAD = ("", "REQUESTS", "PROMISED", "KEPT", "MISSED", "OPEN", "NO ANSWER", "KEPT %", "MEDIAN", "90 %")


@click.command()
@click.option("--weeks", type=Number(1, 520), default=8, show_default=True, metavar="N", help="How far to look back.")
@click.option("--html", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with plots there.")
@json_option
@config_option
@click.pass_context
def report(ctx: click.Context, weeks: int, file: Path | None, as_json: bool) -> None:
    """Say how promises were kept and how long first answers took (in hours), by week of arrival, category and brand."""
    from mailticket.desk.faces import moment
    from mailticket.upkeep.figures import figures, monday_of

    with reading_of(ctx) as (session, settings, now):
        zone = settings.zone()
        since = monday_of(now, zone) - timedelta(weeks=weeks - 1)
        summary = figures(session, since, now, zone, now)
    if file is not None:
        _write_page(file, f"{settings.support.name}: report", since, now.astimezone(zone), summary)
    if oldest := summary["follow_ups"]["oldest_waiting"]:
        oldest["waiting_since"] = moment(oldest["waiting_since"])
    if as_json:
        print_json({"at": moment(now), "since": moment(since), **summary})
        return
    if not summary["requests"]:
        click.echo(f"No requests since {since:%Y-%m-%d %H:%M %Z}.\n{_OUTLOOK}")
        say_follow_ups(summary["follow_ups"])
        return
    click.echo(f"First answers to requests since {since:%Y-%m-%d %H:%M %Z}, in hours from arrival.\n")
    rows = [("all", summary), *summary["weeks"].items(), *summary["categories"].items(), *summary["brands"].items()]
    terminal.table(_HEAD, [(name, *_cells(tally)) for name, tally in rows], stretch=0, spare=("PROMISED", "NO ANSWER"))
    say_follow_ups(summary["follow_ups"])


def _write_page(file: Path, title: str, since: datetime, until: datetime, summary: dict[str, Any]) -> None:
    from mailticket.letters.report import report_file
    from mailticket.upkeep.report import report_of

    page = report_file(report_of(title, since, until, summary, _OUTLOOK))
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(file), error.strerror or "cannot be written") from None


def say_follow_ups(face: dict[str, Any]) -> None:
    """Print how those fared who wrote again after an answer; nothing where nobody did."""
    answered, waiting, oldest = face["answered"], face["waiting"], face["oldest_waiting"]
    parts, again = [], " who wrote again after an answer"
    if answered:
        were = "was" if answered == 1 else "were"
        parts.append(f"{answered}{again} {were} answered again, half of them within {_hours(face['median_hours'])} h, "
                     f"90 % within {_hours(face['p90_hours'])} h")  # fmt: skip
    if waiting:
        since = f", the longest {oldest['id']} since {terminal.moment(oldest['waiting_since'])}" if oldest else ""
        parts.append(f"{waiting}{'' if parts else again} {'waits' if waiting == 1 else 'wait'}{since}")
    if parts:
        click.echo()
        for line in terminal.paragraph(f"Follow-ups: {'; '.join(parts)}.", "", "  ", 80):
            click.echo(line)


def _cells(tally: dict[str, Any]) -> tuple[object, ...]:
    share = tally["kept_share"]
    return (
        tally["requests"], tally["promised"], tally["kept"], tally["missed"], tally["open"], tally["unanswered"],
        "" if share is None else f"{100 * share:.1f}", _hours(tally["median_hours"]), _hours(tally["p90_hours"]),
    )  # fmt: skip


def _hours(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
