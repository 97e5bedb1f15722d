"""`mailticket migrate-database`: all of a desk into another database, and what to do then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, config_path, json_option, print_json, settings_of
from mailticket.errors import ConfigurationError, WorldError
from mailticket.text.clean import counted

if TYPE_CHECKING:
    from mailticket.store.engine import Database


@click.command(name="migrate-database")
@click.argument("url")
@click.option("--afresh", is_flag=True, help="Throw away what a move that was cut short has left at URL.")
@json_option
@config_option
@click.pass_context
def migrate_database(ctx: click.Context, url: str, afresh: bool, as_json: bool) -> None:
    """Move everything to the empty database URL, from SQLite to PostgreSQL or back; the daemon must be stopped.

    Every row is read back and compared. The present database stays as it is; a move that was cut short goes on when
    the same command is run again. A password need not stand in URL: PGPASSWORD and ~/.pgpass are read.
    """
    from mailticket.store.engine import Database
    from mailticket.store.moving import move_database

    settings = settings_of(ctx)
    source, target = Database(settings.database.url), _target(url)
    bar, begin = terminal.Bar(), time.monotonic()
    try:
        moved = move_database(source, target, bar, afresh=afresh)
    except WorldError as error:
        raise type(error)(f"{error} (run the same command again to go on)") from error
    finally:
        bar.clear()
        source.close()
        target.close()
    seconds = time.monotonic() - begin
    shown = target.url.set(drivername=target.url.get_backend_name()).render_as_string(hide_password=True)
    if as_json:
        print_json({"url": shown, "counts": moved.counts, "rows": sum(moved.counts.values()), "written": moved.written,
                    "altered": moved.altered, "seconds": round(seconds, 1)})  # fmt: skip
        return
    total, rate = sum(moved.counts.values()), moved.written / max(seconds, 0.001)
    tickets, mails, letters = (moved.counts[table] for table in ("ticket", "incoming", "outgoing"))
    click.echo(f"Moved. Tickets: {tickets}, mails: {mails}, letters: {letters}.")
    click.echo(f"{counted(total, 'row')} in all, each read back and compared ({seconds:.0f} s, {rate:.0f} rows/s).")
    if moved.altered:
        click.echo(
            f"{moved.altered} of them held the character NUL, which PostgreSQL cannot keep: \ufffd stands there."
        )
    former = source.url.set(drivername=source.url.get_backend_name()).render_as_string(hide_password=True)
    click.echo(f"""
Next:
  1. In {config_path(ctx) or "the configuration"}, below [database]:   url = "{shown}"
  2. mailticket check
  3. systemctl start mailticket

The former database is untouched. Let no daemon run on it any more: both would answer the same mail. To go back before
a daemon has run on the new one, write the former line again: url = "{former}"
To go back later: stop the daemon, move the former database out of the way, and with the new line in the configuration
run: mailticket migrate-database '{former}'""")


def _target(url: str) -> Database:
    from mailticket.store.engine import Database

    try:
        return Database(url)
    except ConfigurationError as error:
        raise ConfigurationError([problem.replace("[database] url", "URL") for problem in error.problems]) from None
