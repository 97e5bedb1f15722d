"""`mailticket quarantine`: mails that could not be taken in."""

from __future__ import annotations

import sys

import click

from mailticket.cli import Group, terminal
from mailticket.cli.common import (
    ROW_NUMBER,
    config_option,
    json_option,
    limit_option,
    print_json,
    reading_of,
    site_of,
)


@click.group(cls=Group)
def quarantine() -> None:
    """Mails that could not be taken in; their bytes are kept until somebody decides."""


@quarantine.command("list")
@limit_option
@json_option
@config_option
@click.pass_context
def list_(ctx: click.Context, limit: int | None, as_json: bool) -> None:
    """List what lies in quarantine, oldest first."""
    from mailticket.desk import faces
    from mailticket.store import incoming

    with reading_of(ctx) as (session, _, now):
        rows = incoming.quarantined(session, limit)
    if as_json:
        for row in rows:
            print_json(faces.incoming(row, None))
        return
    lines = [
        (row.id, row.route, row.uid or "", row.size, terminal.ago(row.decided_at, now), row.reason) for row in rows
    ]
    if lines:
        terminal.table(("NUMBER", "MAILBOX", "UID", "BYTES", "SINCE", "WHY"), lines)
    else:
        click.echo("Quarantine is empty.")


@quarantine.command("show")
@click.argument("number", type=ROW_NUMBER)
@click.option("--raw", is_flag=True, help="The bytes as they came.")
@json_option
@config_option
@click.pass_context
def show_(ctx: click.Context, number: int, raw: bool, as_json: bool) -> None:
    """Show one mail in quarantine; secrets are masked, except with --raw."""
    from mailticket.desk import faces
    from mailticket.intake.quarantine import Isolation
    from mailticket.secrets import masking

    with site_of(ctx) as site:
        row, content = Isolation(site).get(number)
    if raw:
        sys.stdout.buffer.write(content)
    elif as_json:
        print_json(faces.incoming(row, None))
    else:
        terminal.facts(terminal.readable(faces.incoming(row, None)))
        terminal.heading("Beginning")
        click.echo(terminal.clean(masking.mask(content[:2000].decode("utf-8", "replace")).text))


def _change(ctx: click.Context, numbers: tuple[int, ...], change: str) -> int:
    from mailticket.intake.quarantine import Isolation

    wrong = 0
    with site_of(ctx) as site:
        isolation = Isolation(site)
        for number in numbers:
            outcome = getattr(isolation, change)(number)
            wrong += outcome.state == "quarantined"
            click.echo(f"{number}: {outcome.state} {outcome.ticket or ''}: {outcome.reason}")
    return 1 if wrong else 0


@quarantine.command()
@click.argument("numbers", type=ROW_NUMBER, nargs=-1, required=True)
@config_option
@click.pass_context
def retry(ctx: click.Context, numbers: tuple[int, ...]) -> int:
    """Take mails in again, as after an upgrade that reads them better."""
    return _change(ctx, numbers, "retry")


@quarantine.command()
@click.argument("numbers", type=ROW_NUMBER, nargs=-1, required=True)
@config_option
@click.pass_context
def release(ctx: click.Context, numbers: tuple[int, ...]) -> int:
    """Open a ticket for each mail without reading it; its bytes are attached."""
    return _change(ctx, numbers, "release")


@quarantine.command()
@click.argument("numbers", type=ROW_NUMBER, nargs=-1, required=True)
@config_option
@click.pass_context
def discard(ctx: click.Context, numbers: tuple[int, ...]) -> int:
    """File mails away without a ticket. Their record stays."""
    return _change(ctx, numbers, "discard")
