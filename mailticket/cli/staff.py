"""`mailticket staff`: who works the desk, and what each of them has."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, json_option, print_json
from mailticket.cli.counter import Face, counter_of


@click.group()
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
    head = ("NAME", "TEAMS", "OPEN", "LATE", "HELD", "LAST ANSWER")
    terminal.table(head, [_cells(face, now) for face in faces], stretch=1)


def _cells(face: Face, now: datetime) -> tuple[object, ...]:
    last = face["last_answer_at"]
    return (
        face["name"], ", ".join(face["teams"]), face["open"], face["slipping"], face["held"] or "",
        terminal.ago(datetime.fromisoformat(last) if last else None, now),
    )  # fmt: skip
