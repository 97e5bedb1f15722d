"""`mailticket person`: whose mail is not wanted, and what a person may ask: to see their data, to have it, to be
forgotten."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailticket.cli import Group, terminal
from mailticket.cli.common import account_of, config_option, database_of, json_option, print_json, settings_of
from mailticket.cli.counter import counter_of, one
from mailticket.errors import NotFound
from mailticket.text.clean import counted, sized

if TYPE_CHECKING:
    from mailticket.settings import Settings
    from mailticket.store.engine import Database
    from mailticket.store.person import Toll
    from mailticket.upkeep.person import Plan

_addresses = click.argument("addresses", metavar="ADDRESS...", nargs=-1)
_TRACES = (
    "Traces may still lie in the database's file: the disk lacks room to write it anew, or somebody reads it. Make "
    "room, then: mailticket person forget --again"
)
_HELD = {
    "messages": ("message",), "attachments": ("attachment",), "raws": ("raw mail",), "letters": ("letter",),
    "desk_mails": ("mail to staff about them", "mails to staff about them"), "events": ("event",),
    "promises": ("promise",), "held": ("held answer",),
    "mentions": ("message of others that names them", "messages of others that name them"),
    "filed": ("mail filed without a ticket", "mails filed without a ticket"),
    "quarantined": ("mail in quarantine", "mails in quarantine"),
}  # fmt: skip


@click.group(cls=Group)
def person() -> None:
    """Block senders; show, export and forget what is held about a person."""


@person.command()
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@json_option
@config_option
@click.pass_context
def show(ctx: click.Context, addresses: tuple[str, ...], as_json: bool) -> None:
    """Say what is held about whoever has these addresses. For administrators."""
    from mailticket.upkeep.person import holdings

    settings = settings_of(ctx)
    with database_of(settings) as database:
        face = holdings(database, settings, addresses)
    if as_json:
        print_json(face)
        return
    size = f" ({sized(face['raw_bytes'])})" if face["raws"] else ""
    figures = [
        counted(face[name], *words) + (size if name == "raws" else "") for name, words in _HELD.items() if face[name]
    ]
    terminal.facts([
        ("addresses", ", ".join(map(terminal.line, face["addresses"]))),
        ("names", ", ".join(map(terminal.line, face["names"]))),
        ("held", "\n".join(figures)),
        ("blocked", "yes" if face["blocked"] else ""),
        ("linked", ", ".join(map(terminal.line, face["linked"]))),
        ("waiting", ", ".join(face["waiting"])),
        ("held by law", ", ".join(face["legal_holds"])),
    ])  # fmt: skip
    if face["tickets"]:
        rows = [(one["id"], one["role"], one["status"], terminal.moment(one["created_at"]), one["subject"])
                for one in face["tickets"]]  # fmt: skip
        click.echo()
        terminal.table(("TICKET", "AS", "STATUS", "OPENED", "SUBJECT"), rows)


@person.command()
@click.argument("addresses", metavar="ADDRESS...", nargs=-1)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--notes", is_flag=True, help="With what staff noted for themselves.")
@json_option
@config_option
@click.pass_context
def export(ctx: click.Context, addresses: tuple[str, ...], file: Path, notes: bool, as_json: bool) -> None:
    """Write all that is held about a person to the ZIP FILE, readable without mailticket. For administrators."""
    from mailticket.upkeep.export import export as write

    if not addresses:
        raise click.UsageError("name the addresses of one person, and then the ZIP file that is to be written")
    bar, settings = terminal.Bar(), settings_of(ctx)
    try:
        with database_of(settings) as database:
            done = write(database, settings, list(addresses), file, datetime.now(UTC), bar, notes=notes)
    finally:
        bar.clear()
    if as_json:
        print_json({"file": str(file), **asdict(done)})
        return
    click.echo(
        f"{file} holds {counted(done.tickets, 'ticket')}, {counted(done.messages, 'mail')}, "
        f"{counted(done.letters, 'letter')} and {counted(done.attachments, 'file')}; begin with index.html in it."
    )


@person.command()
@_addresses
@click.option("--again", is_flag=True, help="Who came back with a restored backup, and who was forgotten by half.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--anyway", is_flag=True, help="Also while a ticket waits for an answer: it is closed unanswered.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@json_option
@config_option
@click.pass_context
def forget(
    ctx: click.Context, addresses: tuple[str, ...], again: bool, dry_run: bool, anyway: bool, yes: bool, as_json: bool
) -> int:
    """Erase all that is held about a person; tickets stay as figures without a name. For administrators.

    What others wrote and got stays. A stop in the midst of it is mended by the same command.
    """
    from mailticket.upkeep import person as rights

    if bool(addresses) == again:
        raise click.UsageError("name the addresses of one person, or --again")
    settings = settings_of(ctx)
    with database_of(settings) as database:
        people = rights.again(database) if again else [list(addresses)]
        if again and not people:
            _finish_overwriting(database, dry_run=dry_run, as_json=as_json)
        for keys in people:
            try:
                _forget_one(ctx, settings, database, keys, dry_run=dry_run, anyway=anyway or again, yes=yes,
                            as_json=as_json)  # fmt: skip
            except NotFound:
                if rights.must_overwrite(database):
                    _finish_overwriting(database, dry_run=dry_run, as_json=as_json)
                elif not again:
                    raise
    return 0


def _finish_overwriting(database: Database, *, dry_run: bool, as_json: bool) -> None:
    """What is left to be done when nobody is to be forgotten again."""
    from mailticket.upkeep import person as rights

    text = "Nobody is to be forgotten again."
    if rights.must_overwrite(database):
        text = "Bytes of somebody forgotten may still lie between the rows of the database."
        if not dry_run:
            bar = terminal.Bar()
            try:
                text = "Nothing of them is left." if rights.overwrite(database, bar) else _TRACES
            finally:
                bar.clear()
    if not as_json:
        click.echo(text)


def _forget_one(
    ctx: click.Context, settings: Settings, database: Database, keys: list[str], *, dry_run: bool, anyway: bool,
    yes: bool, as_json: bool,
) -> None:  # fmt: skip
    from mailticket.upkeep import person as rights

    plan = rights.plan(database, settings, keys)
    if dry_run:
        _print_plan(rights.holdings(database, settings, keys), plan, as_json=as_json)
        return
    rights.must_be_free(plan.hindrances, anyway=anyway)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("this cannot be undone: confirm it with --yes, or see first with --dry-run")
        people = ", ".join(map(terminal.line, plan.whose.keys))
        click.confirm(f"Erase {people}: {counted(len(plan.tickets), 'ticket')} of theirs, and what they have in "
                      f"{counted(len(plan.shared), 'other')}? This cannot be undone", abort=True)  # fmt: skip
    bar = terminal.Bar()
    try:
        toll = rights.forget(database, settings, keys, datetime.now(UTC), account_of(ctx), bar, anyway=anyway)
    finally:
        bar.clear()
    copies, last = rights.copies_beside(database), rights.last_backup(database)
    if as_json:
        print_json({"addresses": list(plan.whose.keys), **asdict(toll), "last_backup": last, "copies": copies})
        return
    _print_toll(toll, last, copies)


def _print_plan(face: dict[str, Any], plan: Plan, *, as_json: bool) -> None:
    wrong = plan.hindrances
    if as_json:
        print_json({**face, "would_forget": list(plan.tickets), "shared": list(plan.shared),
                    "leaving": wrong.leaving, "unsent": wrong.unsent})  # fmt: skip
        return
    click.echo(f"Would erase {', '.join(map(terminal.line, plan.whose.keys))}: {counted(face['messages'], 'message')}, "
               f"{counted(face['attachments'], 'file')}, {counted(face['raws'], 'raw mail')}, "
               f"{counted(face['letters'], 'letter')}; "
               f"what becomes a figure: {', '.join(plan.tickets) or 'no ticket'}.")  # fmt: skip
    if plan.shared:
        click.echo(f"In tickets of others, where the rest stays: {', '.join(plan.shared)}.")
    for words, names in (("Kept by law, so it would be refused", wrong.held),
                         ("Waiting for an answer, so it needs --anyway", wrong.waiting)):  # fmt: skip
        if names:
            click.echo(f"{words}: {', '.join(names)}.")


def _print_toll(toll: Toll, last: datetime | None, copies: list[str]) -> None:
    click.echo(f"Erased: {counted(toll.messages, 'message')}, {counted(toll.attachments, 'file')}, "
               f"{counted(toll.raws, 'raw mail')}, {counted(toll.letters, 'letter')}; "
               f"{counted(toll.tickets, 'ticket stays as a figure', 'tickets stay as figures')}.")  # fmt: skip
    if toll.changed:
        click.echo(f"Their name and address were taken out of {counted(toll.changed, 'message')} of others.")
    if toll.broken:
        click.echo(f"The files of {toll.broken} of these could not be kept: the mails were too broken to be rewritten.")
    if not toll.overwritten:
        click.echo(_TRACES)
    made = f" The last one was made {terminal.moment(last)}." if last else ""
    click.echo(f"Backups made before still hold them; so do the mailbox on the server, and staff's own mail.{made}")
    for copy in copies:
        click.echo(f"  a former database, put aside by a restore: {copy}")


@person.command()
@click.argument("address")
@click.option("--reason", default="", metavar="TEXT", help="Why, for colleagues.")
@json_option
@config_option
@click.pass_context
def block(ctx: click.Context, address: str, reason: str, as_json: bool) -> None:
    """File mail that says it is from ADDRESS: no letter, no ticket. Tickets that are there stay.

    `mail list --blocked` lists it, and `mail release NUMBER` takes one in.
    """
    with counter_of(ctx) as counter:
        face = one(counter, "block", address=address, reason=reason)
    if as_json:
        print_json(face)
    else:
        state = "is blocked" if face["new"] else "was blocked already"
        click.echo(f"{terminal.line(address)} {state}; mailticket mail list --blocked shows what comes from there.")


@person.command()
@click.argument("address")
@json_option
@config_option
@click.pass_context
def unblock(ctx: click.Context, address: str, as_json: bool) -> None:
    """Take in mail from ADDRESS again. What was filed meanwhile stays filed: `mail release NUMBER`."""
    with counter_of(ctx) as counter:
        face = one(counter, "unblock", address=address)
    if as_json:
        print_json(face)
    else:
        click.echo(f"{terminal.line(address)} is blocked no more; mailticket mail list --blocked shows what was filed.")


@person.command()
@json_option
@config_option
@click.pass_context
def blocked(ctx: click.Context, as_json: bool) -> None:
    """List what is blocked, by command and by [[block]] tables."""
    with counter_of(ctx) as counter:
        faces = list(counter.rows("list_blocked"))
    if as_json:
        for face in faces:
            print_json(face)
    elif faces:
        lines = [
            (face["kind"], terminal.line(face["value"]), face["blocked_by"] or "configuration",
             terminal.moment(face["blocked_at"]), terminal.line(face["reason"]))
            for face in faces
        ]  # fmt: skip
        terminal.table(("KIND", "BLOCKED", "BY", "SINCE", "REASON"), lines)
    else:
        click.echo("Nobody is blocked.")
