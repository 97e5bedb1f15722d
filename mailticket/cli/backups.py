"""`mailticket backup` and `mailticket restore`: a copy that can be trusted, and the way back."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, config_path, database_of, json_option, print_json, settings_of
from mailticket.config.read import read_settings
from mailticket.config.rights import work_as_owner
from mailticket.text.clean import counted, sized

if TYPE_CHECKING:
    from mailticket.settings import Settings
    from mailticket.store.backup import Contents
    from mailticket.store.restored import Held


def _settings_as_root(ctx: click.Context) -> Settings:
    """The configuration, with root's rights where SQLite is used: the file may lie where the daemon's user may not go.

    SQLite gives what it makes beside a database to the owner of that one. PostgreSQL may know people by their user
    name, so with it root works as the daemon's user, as in other commands.
    """
    settings = read_settings(config_path(ctx), os.environ)
    if os.geteuid() != 0 or not settings.database.url.startswith("sqlite"):
        work_as_owner(settings)
    return settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace a file of that name.")
@json_option
@config_option
@click.pass_context
def backup(ctx: click.Context, file: Path, force: bool, as_json: bool) -> None:
    """Write a backup to FILE, whole and checked; the daemon goes on working.

    It holds everything: mails, tickets, the outbox, the signing keys. Keep it as you keep the mailbox itself.
    """
    from mailticket.upkeep.backup import make_backup

    bar = terminal.Bar()
    now = datetime.now(UTC)
    try:
        made = make_backup(_settings_as_root(ctx), file, now, bar, force=force)
    finally:
        bar.clear()
    if as_json:
        print_json({"file": str(file), "at": now.isoformat(), "bytes": made.size, **_face(made.contents)})
        return
    click.echo(f"{file} holds {_inventory(made.contents)} ({sized(made.size)}); it was read back and is whole.")


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--go", is_flag=True, help="After a restore: let mail leave again.")
@click.option("--moved", is_flag=True, help="The daemon had stopped for good before the backup was made: hold nothing.")
@json_option
@config_option
@click.pass_context
def restore(ctx: click.Context, file: Path | None, go: bool, moved: bool, as_json: bool) -> None:
    """Put the backup FILE into the place of the database; the daemon must be stopped.

    What was there is kept beside it. Mail that came since the backup is taken in again, and nothing leaves until
    `mailticket restore --go`.
    """
    if (file is None) != go or (go and moved):
        raise click.UsageError("name a backup to restore; or, when nothing is to be held any more, --go without one")
    if file is None:
        _go(ctx, as_json=as_json)
        return
    from mailticket.upkeep.backup import restore as put_back

    bar = terminal.Bar()
    settings = _settings_as_root(ctx)
    try:
        done = put_back(settings, file, datetime.now(UTC), bar, moved=moved)
    finally:
        bar.clear()
    note = done.contents.note
    if as_json:
        made = note.at.isoformat() if note else None
        face = {
            "backup_at": made,
            "replaced": done.replaced or None,
            "held": done.held,
            "returned": list(done.returned),
            **_face(done.contents),
        }
        print_json({"file": str(file), **face})
        return
    click.echo(f"Restored: {_inventory(done.contents)}" + (f", as of {terminal.moment(note.at)}." if note else "."))
    if done.replaced:
        click.echo(f"The former database is kept: {done.replaced}")
    if done.returned:
        people = ", ".join(map(terminal.line, done.returned))
        click.echo(click.style(f"Forgotten since that backup, and back with it: {people}.", fg="red"))
        click.echo("  mailticket person forget --again   forgets them once more")
    if not moved:
        _say_what_follows(settings, done.held)


def _say_what_follows(settings: Settings, held: int) -> None:
    if held:
        click.echo(
            f"Held back, since it may have left after the backup was made: {counted(held, 'mail')} of its queue."
        )
    for mailbox in settings.mailbox:
        if mailbox.afterwards == "move":
            click.echo(
                f"Mailbox {mailbox.name} moves mail to {mailbox.move_to}: what came since the backup lies there, and "
                f"is taken in again only when you move it back to {mailbox.folder} with a mail program."
            )
    click.echo("""
Next:
  1. systemctl start mailticket          mail since the backup is taken in again; nothing leaves
  2. mailticket outbox list --withheld   what is held back, and why
  3. mailticket restore --go             new mail is answered again""")


def _go(ctx: click.Context, *, as_json: bool) -> None:
    from mailticket.upkeep.backup import release

    now = datetime.now(UTC)
    with database_of(settings_of(ctx)) as database:
        held = release(database, now)
    if as_json:
        print_json({"released": held is not None, **(_held_face(held) if held else {})})
    elif held is None:
        click.echo("Nothing is held: there was no restore, or its mail leaves already.")
    else:
        oldest = f", the oldest written {terminal.ago(held.oldest, now)}" if held.oldest else ""
        click.echo(f"Leaving now: {counted(held.waiting, 'mail')} written since the restore{oldest}.")
        if held.kept:
            click.echo(f"Held back, since it may have been sent before the restore: {counted(held.kept, 'mail')}.")
            click.echo("  mailticket outbox list --withheld   shows them")
            click.echo("  mailticket outbox send NUMBER ...   sends those that are wanted after all")


def _held_face(held: Held) -> dict[str, Any]:
    return {
        "leaving": held.waiting,
        "oldest": held.oldest.isoformat() if held.oldest else None,
        "held_back": held.kept,
    }


def _face(contents: Contents) -> dict[str, Any]:
    note = asdict(contents.note) if contents.note else {}
    return {
        "database": contents.database, "program": note.get("program"), "step": contents.step, "counts": contents.counts,
    }  # fmt: skip


def _inventory(contents: Contents) -> str:
    tickets, mails, letters = (contents.counts.get(table, 0) for table in ("ticket", "incoming", "outgoing"))
    return f"{counted(tickets, 'ticket')}, {counted(mails, 'mail')} and {counted(letters, 'letter')}"
