"""`mailticket person`: whose mail is not wanted."""

from __future__ import annotations

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, json_option, print_json
from mailticket.cli.counter import counter_of, one


@click.group()
def person() -> None:
    """Block senders, and lift blocks."""


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
