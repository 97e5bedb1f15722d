"""`mailticket outbox`: what was sent, what waits, what is held back."""

from __future__ import annotations

import sys
from typing import Any

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
from mailticket.errors import NotFound, Refused
from mailticket.text.clean import counted

STATES = ("queued", "sending", "sent", "deferred", "failed", "uncertain", "withheld", "cancelled")


@click.group(cls=Group)
def outbox() -> None:
    """What was sent, what waits, what is held back."""


@outbox.command("list")
@click.option("--state", multiple=True, type=click.Choice(STATES), help="Only these states (repeatable).")
@click.option("--withheld", is_flag=True, help="Only what is held back.")
@limit_option
@json_option
@config_option
@click.pass_context
def list_(ctx: click.Context, state: tuple[str, ...], withheld: bool, limit: int | None, as_json: bool) -> None:
    """List outgoing mails, oldest first."""
    from mailticket.desk import faces
    from mailticket.store import outgoing

    states = ("withheld",) if withheld else state
    with reading_of(ctx) as (session, _, now):
        rows = outgoing.listing(session, states, limit=limit)
    if as_json:
        for row, key in rows:
            print_json(faces.outgoing(row, key))
        return
    lines = [
        (row.id, row.state, row.kind, key or "", row.recipient, terminal.ago(row.created_at, now), row.attempts,
         row.reason or row.last_error)
        for row, key in rows
    ]  # fmt: skip
    if lines:
        terminal.table(
            ("NUMBER", "STATE", "KIND", "TICKET", "TO", "WRITTEN", "TRIES", "WHY"), lines, spare=("TRIES", "WRITTEN")
        )
    else:
        click.echo("Nothing in the outbox.")


@outbox.command("show")
@click.argument("number", type=ROW_NUMBER)
@click.option("--raw", is_flag=True, help="The bytes as they leave.")
@json_option
@config_option
@click.pass_context
def show_(ctx: click.Context, number: int, raw: bool, as_json: bool) -> None:
    """Show one outgoing mail."""
    from mailticket.desk import faces
    from mailticket.store import outgoing, tickets

    with reading_of(ctx) as (session, _, _now):
        row = outgoing.by_id(session, number)
        owner = tickets.by_id(session, row.ticket_id) if row.ticket_id else None
        face = faces.outgoing(row, owner.key if owner else None)
        text = tickets.message_text(session, row.message_row)
    if raw and not row.wire:
        raise NotFound(f"the bytes of outgoing mail {number} were removed by [retention] sent_raw_days")
    if raw:
        sys.stdout.buffer.write(row.wire)
    elif as_json:
        print_json({**face, "envelope_from": row.envelope_from, "text": text})
    else:
        terminal.facts([*terminal.readable(face), ("envelope from", row.envelope_from)])
        click.echo()
        click.echo(terminal.clean(text).rstrip())


def _change(ctx: click.Context, numbers: tuple[int, ...], change: str, result: str) -> None:
    from mailticket.desk.tickets import Desk

    with site_of(ctx) as site:
        desk = Desk(site)
        for number in numbers:
            getattr(desk, change)(number)
            click.echo(f"{number}: {result}")


@outbox.command()
@click.argument("numbers", type=ROW_NUMBER, nargs=-1, required=True)
@config_option
@click.pass_context
def retry(ctx: click.Context, numbers: tuple[int, ...]) -> None:
    """Try deferred, failed or uncertain mails again now."""
    _change(ctx, numbers, "retry_outgoing", "is due now")


@outbox.command()
@click.argument("numbers", type=ROW_NUMBER, nargs=-1, required=True)
@config_option
@click.pass_context
def cancel(ctx: click.Context, numbers: tuple[int, ...]) -> None:
    """Take mails out that were not sent yet."""
    _change(ctx, numbers, "cancel_outgoing", "is cancelled")


@outbox.command()
@click.argument("numbers", type=ROW_NUMBER, nargs=-1)
@click.option("--withheld", is_flag=True, help="All that is held back, oldest first; not what a restore holds back.")
@json_option
@config_option
@click.pass_context
def send(ctx: click.Context, numbers: tuple[int, ...], withheld: bool, as_json: bool) -> None:
    """Send what was held back: the given numbers, or all with --withheld."""
    from mailticket.desk.tickets import Desk

    if bool(numbers) == withheld:
        raise click.UsageError("name the mails by their numbers, or all of them with --withheld")
    with site_of(ctx) as site:
        count = Desk(site).release(list(numbers) if numbers else None)
    result: dict[str, Any] = {"queued": count}
    if as_json:
        print_json(result)
    elif count:
        many = counted(count, "held-back mail is", "held-back mails are")
        click.echo(f"{many} in the queue; the running daemon sends {'it' if count == 1 else 'them'}.")
    elif withheld:
        click.echo("Nothing is held back.")
    if others := len(set(numbers)) - count if numbers else 0:
        raise Refused(f"{counted(others, 'of these is', 'of these are')} not held back; "
                      "`mailticket outbox list --withheld` shows what is")  # fmt: skip
