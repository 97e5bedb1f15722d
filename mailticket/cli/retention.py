"""`mailticket retention`: what of closed tickets goes next, before it goes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import click

from mailticket.cli import Group, terminal
from mailticket.cli.common import Number, config_option, database_of, json_option, print_json, settings_of
from mailticket.text.clean import counted


@click.group(cls=Group)
def retention() -> None:
    """What [retention] erases of closed tickets."""


@retention.command()
@config_option
@click.pass_context
def overwrite(ctx: click.Context) -> int:
    """Write the database anew, so that no byte of what was erased is left in it. Nobody else writes meanwhile.

    A small database (64 MB) is written anew by the daemon once a day; run this for a larger one in a quiet hour.
    """
    from mailticket.upkeep import person as rights

    bar = terminal.Bar()
    with database_of(settings_of(ctx)) as database:
        try:
            done = rights.overwrite(database, bar)
        finally:
            bar.clear()
    if done:
        click.echo("Nothing that was erased is left in the database.")
        return 0
    click.echo("Not done: the disk lacks room to write the database anew, or somebody reads it. Try again.", err=True)
    return 75


@retention.command()
@click.option(
    "--days", type=Number(0, 36500), default=30, show_default=True, metavar="N", help="Due within so many days."
)
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
        numbers = Counter(row[1] for row in rows)
        counts = [f"{what} of {counted(number, 'ticket')}" for what, number in numbers.items()]
        click.echo(f"In all: {', '.join(counts)}.")
    elif terms.terms(settings):
        click.echo(f"Nothing is due within {days} days.")
    else:
        click.echo("[retention] keeps texts, letters and addresses for ever: texts_days, letters_days, addresses_days.")
