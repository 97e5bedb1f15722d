"""`mailticket retention`: what of closed tickets goes next, before it goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, database_of, json_option, print_json, settings_of


@click.group()
def retention() -> None:
    """What [retention] erases of closed tickets."""


@retention.command()
@click.option("--days", type=click.IntRange(0, 36500), default=30, show_default=True, help="Due within so many days.")
@json_option
@config_option
@click.pass_context
def plan(ctx: click.Context, days: int, as_json: bool) -> None:
    """Say what is due, of which tickets and when; `ticket hold ID` keeps one from it."""
    from mailticket.upkeep import retention as terms

    settings = settings_of(ctx)
    with database_of(settings) as database:
        faces = terms.plan(database, settings, datetime.now(UTC), timedelta(days=days))
        if as_json:
            for face in faces:
                print_json(face)
            return
        rows = [(face["id"], face["what"], terminal.moment(face["closed_at"]), terminal.moment(face["due_at"]))
                for face in faces]  # fmt: skip
    if rows:
        terminal.table(("TICKET", "WHAT GOES", "CLOSED", "DUE"), rows)
        counts = [f"{sum(row[1] == what for row in rows)} {what}" for what in dict.fromkeys(row[1] for row in rows)]
        click.echo(f"In all: {', '.join(counts)}.")
    elif terms.terms(settings):
        click.echo(f"Nothing is due within {days} days.")
    else:
        click.echo("[retention] keeps texts, letters and addresses for ever: texts_days, letters_days, addresses_days.")
