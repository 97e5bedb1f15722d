"""`mailticket staff`: who works the desk, what each of them has, and whether mail reaches them."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from mailticket.cli import Group, terminal
from mailticket.cli.common import config_option, json_option, print_json
from mailticket.cli.counter import Face, counter_of, one


@click.group(cls=Group)
def staff() -> None:
    """Who works the desk, and what each of them has."""


@staff.command("list")
@json_option
@config_option
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the members of staff with their teams, tickets, held answers and newest answer."""
    with counter_of(ctx) as counter:
        faces = list(counter.rows("staff"))
    if as_json:
        for face in faces:
            print_json(face)
        return
    if not faces:
        click.echo("Nobody: the configuration has no [[staff]].")
        return
    now = datetime.now(UTC)
    head = ("NAME", "TEAMS", "OPEN", "LATE", "HELD", "LAST ANSWER", "PROOF", "MAIL")
    terminal.table(head, [_cells(face, now) for face in faces], stretch=1)


def _cells(face: Face, now: datetime) -> tuple[object, ...]:
    last = face["last_answer_at"]
    return (
        face["name"], ", ".join(face["teams"]), face["open"], face["slipping"], face["held"] or "",
        terminal.ago(datetime.fromisoformat(last) if last else None, now), face["last_proof"] or "",
        "does not arrive" if face["unreachable_since"] else "",
    )  # fmt: skip


@staff.command()
@click.argument("name")
@click.option("--mail", is_flag=True, help="Send it to the member instead.")
@config_option
@click.pass_context
def digest(ctx: click.Context, name: str, mail: bool) -> None:
    """Print a member's digest: what is theirs, next, about to be late, held."""
    with counter_of(ctx) as counter:
        face = one(counter, "staff_digest", name=name, mail=mail)
    if not face["text"]:
        click.echo(f"There is nothing for {face['name']} to look at{'; no mail is sent' if mail else ''}.")
    elif mail:
        click.echo(f"The digest of {face['name']} is in the outbox as number {face['outgoing']}.")
    else:
        click.echo(face["text"], nl=False)


@staff.command()
@click.argument("name")
@config_option
@click.pass_context
def revoke(ctx: click.Context, name: str) -> None:
    """Make every mail worthless that a member was sent until now: answers to it are believed no more than others.

    For a mailbox that somebody else may have read.
    """
    with counter_of(ctx) as counter:
        face = one(counter, "staff_revoke", name=name)
    click.echo(f"What {face['name']} was sent until now proves nothing any more. New desk mail does again.")


@staff.command()
@click.argument("name")
@config_option
@click.pass_context
def test(ctx: click.Context, name: str) -> None:
    """Send a member a mail to be answered; what their answer proves stands in `staff list` then."""
    with counter_of(ctx) as counter:
        face = one(counter, "staff_test", name=name)
    click.echo(f"A mail to {face['address']} is in the outbox as number {face['outgoing']}. When it is answered, "
               "`mailticket staff list` shows what that proves.")  # fmt: skip
